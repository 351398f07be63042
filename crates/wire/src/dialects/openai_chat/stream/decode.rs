//! Reads an OpenAI stream: chunks of deltas, ended by `[DONE]`.
//!
//! Parts are told apart here: text, reasoning and each tool call start and stop, though the wire has only
//! deltas. A tool call stops when the next part starts, if its arguments are a whole JSON object by then; else it
//! stays open until the choice ends, so that calls whose deltas alternate keep their arguments.

use pilothouse_core::conversation::{ExtraAt, Origin, PartHead, Rest, StreamPart, ToolKind};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use serde_json::value::RawValue;

use super::super::answer::{read_usage, take_reasoning};
use super::super::finish_of_word;
use super::super::part::read_annotations;
use crate::codec::{StreamDecoder, VendorError, family_of};
use crate::json::{Members, Path, items};

/// OpenAI's largest `n`.
const CHOICES_MAX: usize = 128;
/// More tool calls than this in one answer are a broken vendor.
const CALLS_MAX: usize = 1024;

/// Reads one stream.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    started: bool,
    ended: bool,
    /// Whose reasoning it is.
    family: &'static str,
    /// Members of the answer itself that only this dialect knows, as seen last.
    rest: Rest,
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    index: u32,
    parts: u32,
    /// The text or reasoning part that is open.
    open: Option<(u32, Flow)>,
    /// The last text part: annotations belong to it.
    text: Option<u32>,
    calls: Vec<Call>,
    refused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Text,
    Reasoning,
}

#[derive(Debug)]
struct Call {
    /// The index on the wire; two calls may share one with careless servers.
    index: u64,
    id: Box<str>,
    part: u32,
    open: bool,
    json: Nesting,
}

/// Follows JSON text far enough to know when one object is whole.
#[derive(Debug, Default)]
struct Nesting {
    depth: u32,
    begun: bool,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => {
                    self.begun = true;
                    self.depth = self.depth.saturating_add(1);
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    const fn whole(&self) -> bool {
        self.begun && self.depth == 0
    }
}

impl StreamDecoder for Decoder {
    fn event(
        &mut self,
        _name: Option<&str>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Box<VendorError>> {
        if data.starts_with(b"[DONE]") {
            self.ended = true;
            out.push(StreamPart::End);
            return Ok(());
        }
        let members = Members::of_body(data).map_err(VendorError::bad_event)?;
        if members.peek("error").is_some_and(|raw| raw.get() != "null") {
            return Err(Box::new(super::super::error::decode(200, data)));
        }
        self.chunk(members, out).map_err(VendorError::bad_event)
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        Err(Error::new(Kind::Cut, "the vendor's stream ended without `[DONE]`: the answer is not whole"))
    }
}

impl Decoder {
    fn chunk(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        // Padding against traffic analysis: it says nothing.
        members.take("obfuscation");
        members.take("object");
        let (mut id, mut model, mut created) = (String::new(), String::new(), None);
        let (mut service_tier, mut system_fingerprint) = (None, None);
        if self.started {
            // Every chunk says them again.
            for known in ["id", "model", "created", "service_tier", "system_fingerprint"] {
                members.take(known);
            }
        } else {
            id = members.text("id", &root)?.unwrap_or_default();
            model = members.text("model", &root)?.unwrap_or_default();
            created = members.count("created", &root)?;
            service_tier = members.word("service_tier", &root)?;
            system_fingerprint = members.word("system_fingerprint", &root)?;
        }
        let choices = members.array("choices", &root)?.unwrap_or_default();
        let usage = members.take("usage");
        // `null` usage is on every chunk but the last where usage was asked for.
        let rest = members.rest();
        if !self.started && (!id.is_empty() || !choices.is_empty() || usage.is_some()) {
            self.started = true;
            self.family = family_of(&model);
            let mut all = std::mem::take(&mut self.rest);
            for (name, value) in rest.iter() {
                all.push(name, value.clone());
            }
            self.rest = rest;
            out.push(StreamPart::Start {
                dialect: Dialect::OpenaiChat,
                id,
                model,
                created,
                service_tier,
                system_fingerprint,
                rest: all,
            });
        } else if !self.started {
            // Azure begins with a chunk of filter results before the answer has an id.
            self.rest = rest;
        } else if !rest.is_empty() && rest != self.rest {
            self.rest = rest.clone();
            out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Answer, rest });
        }
        let path = root.member("choices");
        for (at, raw) in choices.into_iter().enumerate() {
            self.choice(raw, &path.item(at), out)?;
        }
        if let Some(raw) = usage {
            out.push(StreamPart::Usage(read_usage(raw, &root.member("usage"))?));
        }
        Ok(())
    }

    fn choice(&mut self, raw: &RawValue, path: &Path<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let mut members = Members::read(raw, path)?;
        let index: u32 = members.plain("index", path, "an integer")?.unwrap_or(0);
        let delta = members.object("delta", path)?;
        let logprobs = members.raw("logprobs");
        let finish = members.word("finish_reason", path)?;
        let family = self.family;
        let state = self.state(index, path)?;
        let at = path.member("delta");
        if let Some(delta) = delta {
            state.delta(delta, family, &at, out)?;
        }
        if let Some(raw) = logprobs {
            out.push(StreamPart::Logprobs { choice: index, raw });
        }
        let rest = members.rest();
        match finish {
            Some(word) => {
                state.close_all(out);
                let finish = finish_of_word(&word, state.refused);
                out.push(StreamPart::Finish { choice: index, finish, word, stop_sequence: None, rest });
            }
            None if !rest.is_empty() => {
                out.push(StreamPart::Extra { choice: index, at: ExtraAt::Choice, rest });
            }
            None => {}
        }
        Ok(())
    }

    fn state(&mut self, index: u32, path: &Path<'_>) -> Result<&mut Choice, Error> {
        let at = match self.choices.iter().position(|choice| choice.index == index) {
            Some(at) => at,
            None if self.choices.len() == CHOICES_MAX => return Err(path.wrong("one of at most 128 choices")),
            None => {
                self.choices.push(Choice {
                    index,
                    parts: 0,
                    open: None,
                    text: None,
                    calls: Vec::new(),
                    refused: false,
                });
                self.choices.len() - 1
            }
        };
        Ok(&mut self.choices[at])
    }
}

impl Choice {
    fn delta(
        &mut self,
        mut delta: Members<'_>,
        family: &str,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let choice = self.index;
        delta.take("role");
        if let Some(text) = take_reasoning(&mut delta, path)? {
            let part = self.flow(Flow::Reasoning, family, out);
            out.push(StreamPart::Reasoning { choice, part, text });
        }
        if let Some(text) = delta.text("content", path)?.filter(|text| !text.is_empty()) {
            let part = self.flow(Flow::Text, family, out);
            out.push(StreamPart::Text { choice, part, text });
        }
        if let Some(list) = delta.array("annotations", path)? {
            let part = match self.text {
                Some(part) => part,
                None => self.flow(Flow::Text, family, out),
            };
            for annotation in read_annotations(list) {
                out.push(StreamPart::Annotation { choice, part, annotation });
            }
        }
        if let Some(text) = delta.text("refusal", path)?.filter(|text| !text.is_empty()) {
            self.refused = true;
            out.push(StreamPart::Refusal { choice, text });
        }
        if let Some(raw) = delta.take("tool_calls") {
            let at = path.member("tool_calls");
            for (index, raw) in items(raw, &at)?.into_iter().enumerate() {
                self.call(raw, &at.item(index), out)?;
            }
        }
        if let Some(call) = delta.object("function_call", path)? {
            self.legacy_call(call, &path.member("function_call"), out)?;
        }
        let rest = delta.rest();
        if !rest.is_empty() {
            out.push(StreamPart::Extra { choice, at: ExtraAt::Message, rest });
        }
        Ok(())
    }

    /// The open part of that flow; starts one, and stops what was open, if need be.
    fn flow(&mut self, flow: Flow, family: &str, out: &mut Vec<StreamPart>) -> u32 {
        if let Some((part, open)) = self.open
            && open == flow
        {
            return part;
        }
        self.close_whole(out);
        let head = match flow {
            Flow::Text => PartHead::Text { rest: Rest::default() },
            Flow::Reasoning => {
                PartHead::Reasoning { origin: Origin::of(family), redacted: None, rest: Rest::default() }
            }
        };
        let part = self.start(head, out);
        self.open = Some((part, flow));
        if flow == Flow::Text {
            self.text = Some(part);
        }
        part
    }

    fn start(&mut self, head: PartHead, out: &mut Vec<StreamPart>) -> u32 {
        let part = self.parts;
        self.parts += 1;
        out.push(StreamPart::PartStart { choice: self.index, part, head });
        part
    }

    /// Stops what is open and surely whole.
    fn close_whole(&mut self, out: &mut Vec<StreamPart>) {
        let choice = self.index;
        if let Some((part, _)) = self.open.take() {
            out.push(StreamPart::PartStop { choice, part });
        }
        for call in self.calls.iter_mut().filter(|call| call.open && call.json.whole()) {
            call.open = false;
            out.push(StreamPart::PartStop { choice, part: call.part });
        }
    }

    fn close_all(&mut self, out: &mut Vec<StreamPart>) {
        let choice = self.index;
        if let Some((part, _)) = self.open.take() {
            out.push(StreamPart::PartStop { choice, part });
        }
        for call in self.calls.iter_mut().filter(|call| call.open) {
            call.open = false;
            out.push(StreamPart::PartStop { choice, part: call.part });
        }
    }

    fn call(&mut self, raw: &RawValue, path: &Path<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let mut members = Members::read(raw, path)?;
        let index = members.count("index", path)?;
        let id = members.word("id", path)?.unwrap_or_default();
        let kind = match members.text("type", path)?.as_deref() {
            Some("custom") => ToolKind::Custom,
            _ => ToolKind::Function,
        };
        let (inner, text) =
            if members.peek("custom").is_some() { ("custom", "input") } else { ("function", "arguments") };
        let at = path.member(inner);
        let (name, arguments) = match members.object(inner, path)? {
            Some(mut function) => (function.word("name", &at)?, function.text(text, &at)?),
            None => (None, None),
        };
        let rest = members.rest();
        let known = self.calls.iter().rposition(|call| match index {
            Some(index) => call.index == index && (id.is_empty() || call.id.is_empty() || call.id == id),
            None => id.is_empty() || call.id == id,
        });
        let at = match known {
            Some(at) => at,
            None => {
                if self.calls.len() == CALLS_MAX {
                    return Err(path.wrong("one of at most 1024 tool calls"));
                }
                self.close_whole(out);
                let head = PartHead::ToolCall { id: id.clone(), name: name.unwrap_or_default(), kind, rest };
                let part = self.start(head, out);
                let index = index.unwrap_or(self.calls.len() as u64);
                self.calls.push(Call { index, id, part, open: true, json: Nesting::default() });
                self.calls.len() - 1
            }
        };
        self.arguments(at, arguments, out);
        Ok(())
    }

    fn legacy_call(
        &mut self,
        mut call: Members<'_>,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let name = call.word("name", path)?;
        let arguments = call.text("arguments", path)?;
        if self.calls.is_empty() {
            self.close_whole(out);
            let id: Box<str> = "".into();
            let head = PartHead::ToolCall {
                id: id.clone(),
                name: name.unwrap_or_default(),
                kind: ToolKind::LegacyFunction,
                rest: Rest::default(),
            };
            let part = self.start(head, out);
            self.calls.push(Call { index: 0, id, part, open: true, json: Nesting::default() });
        }
        self.arguments(self.calls.len() - 1, arguments, out);
        Ok(())
    }

    fn arguments(&mut self, at: usize, text: Option<String>, out: &mut Vec<StreamPart>) {
        let call = &mut self.calls[at];
        if let Some(text) = text.filter(|text| !text.is_empty() && call.open) {
            call.json.read(&text);
            out.push(StreamPart::Arguments { choice: self.index, part: call.part, text });
        }
    }
}
