//! Reads an Anthropic stream: a message that starts, blocks with deltas, a message delta, `message_stop`.

use pilothouse_core::conversation::{
    ExtraAt, Origin, PartHead, Raw, Rest, StreamPart, ToolKind, UsageReport,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::usage::Usage;
use serde_json::value::RawValue;

use super::super::answer::{explanation, read_usage};
use super::super::part::read_citation;
use super::super::{FAMILY, finish_of_word, origin_of};
use crate::codec::{StreamDecoder, VendorError};
use crate::json::{Members, Path};
use crate::usage::AnthropicUsage;

/// More blocks than this in one answer are a broken vendor.
const BLOCKS_MAX: usize = 4096;

/// Reads one stream.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    ended: bool,
    /// What has been reported so far: later reports give only what changed.
    usage: AnthropicUsage,
    blocks: Vec<Block>,
}

/// A block that has started.
#[derive(Clone, Copy, Debug)]
struct Block {
    index: u32,
    call: bool,
    /// Whether arguments have come.
    any: bool,
}

impl StreamDecoder for Decoder {
    fn event(
        &mut self,
        _name: Option<&str>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Box<VendorError>> {
        // The data names its event too, and is always there; some servers leave the `event:` line out.
        let mut members = Members::of_body(data).map_err(VendorError::bad_event)?;
        let root = Path::Root;
        let kind = members.needed_text("type", &root).map_err(VendorError::bad_event)?;
        let read = match kind.as_str() {
            "content_block_delta" => self.delta(members, out),
            "content_block_start" => self.block_start(members, out),
            "content_block_stop" => self.block_stop(members, out),
            "message_start" => self.start(members, out),
            "message_delta" => self.message_delta(members, out),
            "message_stop" => {
                self.ended = true;
                out.push(StreamPart::End);
                Ok(())
            }
            "ping" => {
                out.push(StreamPart::Ping);
                Ok(())
            }
            "error" => return Err(Box::new(super::super::error::decode(200, data))),
            _ => {
                if let Some(raw) = std::str::from_utf8(data).ok().and_then(Raw::parse) {
                    out.push(StreamPart::UnknownEvent { name: kind.as_str().into(), raw });
                }
                Ok(())
            }
        };
        read.map_err(VendorError::bad_event)
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        Err(Error::new(
            Kind::Cut,
            "the vendor's stream ended without `message_stop`: the answer is not whole",
        ))
    }
}

impl Decoder {
    fn start(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let path = root.member("message");
        let mut message = members.object("message", &root)?.ok_or_else(|| root.missing("message"))?;
        for known in ["type", "role", "content", "stop_reason", "stop_sequence", "stop_details"] {
            message.take(known);
        }
        let id = message.text("id", &path)?.unwrap_or_default();
        let model = message.text("model", &path)?.unwrap_or_default();
        let usage = message.take("usage");
        let at = path.member("usage");
        let mut service_tier = None;
        let mut report = None;
        if let Some(raw) = usage {
            let (counts, tier) = read_usage(raw, &at)?;
            self.usage = counts;
            service_tier = tier;
            report = Some(UsageReport { counts: Usage::from(counts), raw: Some(raw.into()) });
        }
        out.push(StreamPart::Start {
            dialect: Dialect::AnthropicMessages,
            id,
            model,
            created: None,
            service_tier,
            system_fingerprint: None,
            rest: message.rest(),
        });
        out.extend(report.map(StreamPart::Usage));
        Ok(())
    }

    fn block_start(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let part = index(&mut members)?;
        let path = root.member("content_block");
        let raw = members.take("content_block").ok_or_else(|| root.missing("content_block"))?;
        let mut block = Members::read(raw, &path)?;
        let kind = block.needed_text("type", &path)?;
        if self.blocks.len() == BLOCKS_MAX {
            return Err(path.wrong("one of at most 4096 blocks"));
        }
        self.blocks.push(Block { index: part, call: kind == "tool_use", any: false });
        let choice = 0;
        match kind.as_str() {
            "text" => {
                let text = block.text("text", &path)?.filter(|text| !text.is_empty());
                let citations = block.array("citations", &path)?.unwrap_or_default();
                out.push(StreamPart::PartStart { choice, part, head: PartHead::Text { rest: block.rest() } });
                out.extend(text.map(|text| StreamPart::Text { choice, part, text }));
                out.extend(citations.into_iter().map(|raw| citation(part, raw)));
            }
            "thinking" => {
                let text = block.text("thinking", &path)?.filter(|text| !text.is_empty());
                let (origin, signature) = origin_of(block.word("signature", &path)?);
                let head = PartHead::Reasoning { origin, redacted: None, rest: block.rest() };
                out.push(StreamPart::PartStart { choice, part, head });
                out.extend(text.map(|text| StreamPart::Reasoning { choice, part, text }));
                let signature = signature.map(String::from);
                out.extend(signature.map(|signature| StreamPart::Signature { choice, part, signature }));
            }
            "redacted_thinking" => {
                let redacted = Some(block.needed_text("data", &path)?.into());
                let head = PartHead::Reasoning { origin: Origin::of(FAMILY), redacted, rest: block.rest() };
                out.push(StreamPart::PartStart { choice, part, head });
            }
            "tool_use" => {
                let id = block.needed_text("id", &path)?.into();
                let name = block.needed_text("name", &path)?.into();
                let input = block.take("input");
                let head = PartHead::ToolCall { id, name, kind: ToolKind::Function, rest: block.rest() };
                out.push(StreamPart::PartStart { choice, part, head });
                // The input starts empty and comes in deltas; some servers give it whole.
                if let Some(raw) =
                    input.filter(|raw| Members::of(raw).is_some_and(|one| !one.rest().is_empty()))
                {
                    self.arguments(part, raw.get().to_owned(), out);
                }
            }
            _ => {
                let head = PartHead::Unknown { kind: kind.as_str().into(), raw: raw.into() };
                out.push(StreamPart::PartStart { choice, part, head });
            }
        }
        Ok(())
    }

    fn delta(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let part = index(&mut members)?;
        let path = root.member("delta");
        let raw = members.take("delta").ok_or_else(|| root.missing("delta"))?;
        let mut delta = Members::read(raw, &path)?;
        let choice = 0;
        match delta.needed_text("type", &path)?.as_str() {
            "text_delta" => {
                let text = delta.needed_text("text", &path)?;
                if !text.is_empty() {
                    out.push(StreamPart::Text { choice, part, text });
                }
            }
            "thinking_delta" => {
                let text = delta.needed_text("thinking", &path)?;
                if !text.is_empty() {
                    out.push(StreamPart::Reasoning { choice, part, text });
                }
            }
            "signature_delta" => {
                // Our own tag of another origin came with the block's start already.
                let (_, signature) = origin_of(Some(delta.needed_text("signature", &path)?.into()));
                let signature = signature.map(String::from);
                out.extend(signature.map(|signature| StreamPart::Signature { choice, part, signature }));
            }
            "input_json_delta" => {
                let text = delta.needed_text("partial_json", &path)?;
                if self.block(part).is_some_and(|block| block.call) {
                    self.arguments(part, text, out);
                } else {
                    out.push(StreamPart::UnknownDelta { choice, part, raw: raw.into() });
                }
            }
            "citations_delta" => {
                let raw = delta.take("citation").ok_or_else(|| path.missing("citation"))?;
                out.push(citation(part, raw));
            }
            _ => out.push(StreamPart::UnknownDelta { choice, part, raw: raw.into() }),
        }
        Ok(())
    }

    fn block(&mut self, part: u32) -> Option<&mut Block> {
        self.blocks.iter_mut().rev().find(|block| block.index == part)
    }

    fn arguments(&mut self, part: u32, text: String, out: &mut Vec<StreamPart>) {
        if text.is_empty() {
            return;
        }
        if let Some(block) = self.block(part) {
            block.any = true;
        }
        out.push(StreamPart::Arguments { choice: 0, part, text });
    }

    fn block_stop(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let part = index(&mut members)?;
        if self.block(part).is_some_and(|block| block.call && !block.any) {
            // A call without arguments is a call with an empty object, as in a whole answer.
            self.arguments(part, "{}".to_owned(), out);
        }
        out.push(StreamPart::PartStop { choice: 0, part });
        Ok(())
    }

    fn message_delta(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let path = root.member("delta");
        let usage = members.take("usage");
        if let Some(mut delta) = members.object("delta", &root)? {
            let word = delta.word("stop_reason", &path)?;
            let stop_sequence = delta.word("stop_sequence", &path)?;
            let mut rest = Rest::default();
            if let Some(raw) = delta.take("stop_details") {
                if let Some(text) = explanation(raw) {
                    out.push(StreamPart::Refusal { choice: 0, text });
                }
                rest.push("stop_details", raw.into());
            }
            let other = delta.rest();
            if !other.is_empty() {
                out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Answer, rest: other });
            }
            if let Some(word) = word {
                let finish = finish_of_word(&word);
                out.push(StreamPart::Finish { choice: 0, finish, word, stop_sequence, rest });
            }
        }
        if let Some(raw) = usage {
            let (later, _) = read_usage(raw, &root.member("usage"))?;
            self.usage.update(&later);
            out.push(StreamPart::Usage(UsageReport {
                counts: Usage::from(self.usage),
                raw: Some(raw.into()),
            }));
        }
        let rest = members.rest();
        if !rest.is_empty() {
            out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Choice, rest });
        }
        Ok(())
    }
}

fn index(members: &mut Members<'_>) -> Result<u32, Error> {
    let root = Path::Root;
    members.plain("index", &root, "an integer")?.ok_or_else(|| root.missing("index"))
}

fn citation(part: u32, raw: &RawValue) -> StreamPart {
    StreamPart::Annotation { choice: 0, part, annotation: read_citation(raw) }
}
