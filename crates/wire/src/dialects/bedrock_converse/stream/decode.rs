//! Reads a Converse stream: a message that starts, blocks with deltas, a message that stops, and its usage.
//!
//! Only calls of tools have an event for their start; any other block starts with its first delta. Encrypted
//! reasoning may come in several pieces of bytes, which are put together before it is handed on. Events are padded
//! (`p`) to hide their length.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::conversation::{ExtraAt, Origin, PartHead, Raw, Rest, StreamPart, ToolKind};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};

use super::super::PING_EVENT;
use super::super::answer::{FIELDS, fields_name, read_tier, read_usage, rest_of, stop_sequence};
use super::super::block::{read_citation, redacted};
use super::super::error::decode_exception;
use crate::codec::{LATE_TIER, StreamDecoder, VendorError};
use crate::facts::bedrock_converse::{finish_of, is_failure};
use crate::json::{Members, Path, as_text};

/// More blocks than this in one answer are a broken vendor.
const BLOCKS_MAX: usize = 4096;
/// The most bytes of encrypted reasoning in one block.
const REDACTED_MAX: usize = 4 * 1024 * 1024;

/// Reads one stream.
#[derive(Debug)]
pub(in super::super) struct Decoder {
    /// Whose reasoning it is.
    family: &'static str,
    has_started: bool,
    has_stopped: bool,
    blocks: Vec<Block>,
    next: u32,
}

/// A block that is open.
#[derive(Debug)]
struct Block {
    index: u32,
    part: u32,
    kind: BlockKind,
}

#[derive(Debug, PartialEq)]
enum BlockKind {
    Text,
    Reasoning,
    /// Whether arguments have come.
    Call(bool),
    /// Encrypted reasoning so far, or what no longer can be read as such.
    Redacted(Vec<u8>),
    Unknown,
}

impl Decoder {
    /// A decoder of an answer whose reasoning is of that family.
    pub(in super::super) const fn new(family: &'static str) -> Self {
        Self { family, has_started: false, has_stopped: false, blocks: Vec::new(), next: 0 }
    }
}

impl StreamDecoder for Decoder {
    fn event(
        &mut self,
        name: Option<&str>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Box<VendorError>> {
        let name = name.unwrap_or_default();
        if is_failure(name) {
            return Err(Box::new(decode_exception(name, data)));
        }
        if name == PING_EVENT {
            out.push(StreamPart::Ping);
            return Ok(());
        }
        if !std::mem::replace(&mut self.has_started, true) && name != "messageStart" {
            out.push(started(Rest::default()));
        }
        let known = ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"];
        if !known.contains(&name) && !["messageStop", "metadata"].contains(&name) {
            if let Some(raw) = std::str::from_utf8(data).ok().and_then(Raw::parse) {
                out.push(StreamPart::UnknownEvent { name: name.into(), raw });
            }
            return Ok(());
        }
        let mut members = Members::of_body(data).map_err(VendorError::bad_event)?;
        members.take("p");
        let read = match name {
            "contentBlockDelta" => self.delta(members, data, out),
            "contentBlockStart" => self.block_start(members, out),
            "contentBlockStop" => self.block_stop(members, out),
            "messageStart" => {
                members.take("role");
                out.push(started(members.rest()));
                Ok(())
            }
            "messageStop" => self.message_stop(members, out),
            _ => metadata(members, out),
        };
        read.map_err(VendorError::bad_event)
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.has_stopped {
            return Ok(());
        }
        Err(Error::new(Kind::Cut, "the vendor's stream ended without `messageStop`: the answer is not whole"))
    }
}

/// The beginning of an answer.
fn started(rest: Rest) -> StreamPart {
    StreamPart::Start {
        dialect: Dialect::BedrockConverse,
        id: String::new(),
        model: String::new(),
        created: None,
        service_tier: None,
        system_fingerprint: None,
        rest,
    }
}

fn metadata(mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
    let root = Path::Root;
    if let Some(raw) = members.take("usage") {
        out.push(StreamPart::Usage(read_usage(raw, &root.member("usage"))?));
    }
    let tier = members.take("serviceTier").and_then(read_tier);
    let mut rest = rest_of(members);
    if let Some(tier) = tier.and_then(|tier| serde_json::value::to_raw_value(&*tier).ok()) {
        rest.push(LATE_TIER, (&*tier).into());
    }
    if !rest.is_empty() {
        out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Answer, rest });
    }
    out.push(StreamPart::End);
    Ok(())
}

impl Decoder {
    fn open(&mut self, index: u32, kind: BlockKind) -> Result<u32, Error> {
        if self.next as usize >= BLOCKS_MAX {
            return Err(Path::Root.member("contentBlockIndex").wrong("one of at most 4096 blocks"));
        }
        let part = self.next;
        self.next += 1;
        self.blocks.push(Block { index, part, kind });
        Ok(part)
    }

    fn block_start(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let index = index(&mut members)?;
        let path = root.member("start");
        let raw = members.take("start").ok_or_else(|| root.missing("start"))?;
        let mut start = Members::read(raw, &path)?;
        if start.is_empty() {
            // The first delta tells what it is.
            return Ok(());
        }
        self.close(index, out);
        let at = path.member("toolUse");
        let kind: Box<str> = start.only().map_or("block", |(kind, _)| kind).into();
        let is_call = start
            .peek("toolUse")
            .and_then(Members::of)
            .is_some_and(|call| call.peek("type").is_none_or(|kind| kind.get() == "null"));
        if is_call && let Some(mut call) = start.object("toolUse", &path)? {
            let id = call.needed_text("toolUseId", &at)?.into();
            let name = call.needed_text("name", &at)?.into();
            let mut rest = Rest::default();
            for (name, value) in call.rest().iter() {
                rest.push(&format!("toolUse.{name}"), value.clone());
            }
            let part = self.open(index, BlockKind::Call(false))?;
            let head = PartHead::ToolCall { id, name, kind: ToolKind::Function, rest };
            out.push(StreamPart::PartStart { choice: 0, part, head });
            return Ok(());
        }
        if start.peek("text").is_some_and(|text| as_text(text).is_some()) {
            // No model of today's sends it, but nothing else could be meant.
            return self.text(index, start.text("text", &path)?.unwrap_or_default(), out);
        }
        let part = self.open(index, BlockKind::Unknown)?;
        let head = PartHead::Unknown { kind, raw: raw.into() };
        out.push(StreamPart::PartStart { choice: 0, part, head });
        Ok(())
    }

    fn delta(
        &mut self,
        mut members: Members<'_>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let root = Path::Root;
        let index = index(&mut members)?;
        let path = root.member("delta");
        let raw = members.take("delta").ok_or_else(|| root.missing("delta"))?;
        let mut delta = Members::read(raw, &path)?;
        if let Some(part) = self.part_of(index, |kind| *kind == BlockKind::Unknown) {
            out.push(StreamPart::UnknownDelta { choice: 0, part, raw: raw.into() });
            return Ok(());
        }
        if let Some(text) = delta.text("text", &path)? {
            return self.text(index, text, out);
        }
        if let Some(mut call) = delta.object("toolUse", &path)? {
            let text = call.needed_text("input", &path.member("toolUse"))?;
            if let Some(part) = self.part_of(index, |kind| matches!(kind, BlockKind::Call(_))) {
                self.arguments(index, part, text, out);
                return Ok(());
            }
        } else if let Some(reasoning) = delta.object("reasoningContent", &path)? {
            if self.reasoning(index, reasoning, &path.member("reasoningContent"), out)? {
                return Ok(());
            }
        } else if let Some(raw) = delta.take("citation") {
            let part = self.text_part(index, out)?;
            out.push(StreamPart::Annotation { choice: 0, part, annotation: read_citation(raw) });
            return Ok(());
        }
        // A change of a kind that is not known, or of a block of another kind.
        if let Some(raw) = std::str::from_utf8(data).ok().and_then(Raw::parse) {
            out.push(StreamPart::UnknownEvent { name: "contentBlockDelta".into(), raw });
        }
        Ok(())
    }

    fn block(&mut self, index: u32) -> Option<&mut Block> {
        self.blocks.iter_mut().rev().find(|block| block.index == index)
    }

    fn part_of(&mut self, index: u32, fits: impl Fn(&BlockKind) -> bool) -> Option<u32> {
        self.block(index).filter(|block| fits(&block.kind)).map(|block| block.part)
    }

    /// The text part of a block, started where it is not.
    fn text_part(&mut self, index: u32, out: &mut Vec<StreamPart>) -> Result<u32, Error> {
        if let Some(part) = self.part_of(index, |kind| *kind == BlockKind::Text) {
            return Ok(part);
        }
        self.close(index, out);
        let part = self.open(index, BlockKind::Text)?;
        out.push(StreamPart::PartStart { choice: 0, part, head: PartHead::Text { rest: Rest::default() } });
        Ok(part)
    }

    fn text(&mut self, index: u32, text: String, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let part = self.text_part(index, out)?;
        if !text.is_empty() {
            out.push(StreamPart::Text { choice: 0, part, text });
        }
        Ok(())
    }

    /// Reads a piece of reasoning. False for one that is not known.
    fn reasoning(
        &mut self,
        index: u32,
        mut piece: Members<'_>,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<bool, Error> {
        if let Some(data) = piece.text("redactedContent", path)? {
            self.redacted(index, &data, path, out)?;
            return Ok(true);
        }
        let (text, signature) = (piece.text("text", path)?, piece.text("signature", path)?);
        if text.is_none() && signature.is_none() {
            return Ok(false);
        }
        let part = match self.part_of(index, |kind| *kind == BlockKind::Reasoning) {
            Some(part) => part,
            None => {
                self.close(index, out);
                let part = self.open(index, BlockKind::Reasoning)?;
                let origin = Origin::of(self.family);
                let head = PartHead::Reasoning { origin, redacted: None, rest: Rest::default() };
                out.push(StreamPart::PartStart { choice: 0, part, head });
                part
            }
        };
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            out.push(StreamPart::Reasoning { choice: 0, part, text });
        }
        if let Some(signature) = signature.filter(|signature| !signature.is_empty()) {
            out.push(StreamPart::Signature { choice: 0, part, signature });
        }
        Ok(true)
    }

    fn redacted(
        &mut self,
        index: u32,
        data: &str,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let wrong = || path.member("redactedContent").wrong("bytes in base64");
        let bytes = STANDARD.decode(data).map_err(|_| wrong())?;
        if let Some(Block { kind: BlockKind::Redacted(held), .. }) = self.block(index) {
            if held.len() + bytes.len() > REDACTED_MAX {
                return Err(path.member("redactedContent").wrong("at most 4 MiB"));
            }
            held.extend_from_slice(&bytes);
            return Ok(());
        }
        self.close(index, out);
        self.open(index, BlockKind::Redacted(bytes))?;
        Ok(())
    }

    fn arguments(&mut self, index: u32, part: u32, text: String, out: &mut Vec<StreamPart>) {
        if text.is_empty() {
            return;
        }
        if let Some(block) = self.block(index) {
            block.kind = BlockKind::Call(true);
        }
        out.push(StreamPart::Arguments { choice: 0, part, text });
    }

    fn block_stop(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let index = index(&mut members)?;
        self.close(index, out);
        Ok(())
    }

    /// Ends the block of that index, where one is open.
    fn close(&mut self, index: u32, out: &mut Vec<StreamPart>) {
        let Some(at) = self.blocks.iter().position(|block| block.index == index) else { return };
        let block = self.blocks.remove(at);
        let (choice, part) = (0, block.part);
        match block.kind {
            // A call without arguments is a call with an empty object, as in a whole answer.
            BlockKind::Call(false) => {
                out.push(StreamPart::Arguments { choice, part, text: "{}".to_owned() });
            }
            BlockKind::Redacted(bytes) => {
                let one = redacted(&STANDARD.encode(bytes), self.family);
                let head =
                    PartHead::Reasoning { origin: one.origin, redacted: one.redacted, rest: Rest::default() };
                out.push(StreamPart::PartStart { choice, part, head });
            }
            _ => {}
        }
        out.push(StreamPart::PartStop { choice, part });
    }

    fn message_stop(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        while let Some(index) = self.blocks.first().map(|block| block.index) {
            self.close(index, out);
        }
        let word = members.word("stopReason", &root)?.unwrap_or_default();
        let fields = members.take(FIELDS);
        let stop_sequence = fields.and_then(stop_sequence);
        let mut rest = members.rest();
        if let Some(fields) = fields {
            rest.push(fields_name(fields), fields.into());
        }
        self.has_stopped = true;
        out.push(StreamPart::Finish { choice: 0, finish: finish_of(&word), word, stop_sequence, rest });
        Ok(())
    }
}

fn index(members: &mut Members<'_>) -> Result<u32, Error> {
    let root = Path::Root;
    members.plain("contentBlockIndex", &root, "an integer")?.ok_or_else(|| root.missing("contentBlockIndex"))
}
