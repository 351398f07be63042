//! Reads a Gemini stream: chunks that are answers in small, without a terminator.
//!
//! Parts are told apart here: consecutive text is one part, and so are consecutive thoughts; every call comes whole.
//! The stream is whole when every candidate that it began has told why it ended.

use pilothouse_core::conversation::{Content, ExtraAt, Origin, Part, PartHead, Reasoning, Rest, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Finish;

use super::super::answer::{Candidate, block_of, call_id, read_usage};
use super::super::signature::{THOUGHT, is_unmarked};
use crate::codec::{StreamDecoder, VendorError};
use crate::facts::gemini_generate::finish_of;
use crate::json::{Members, Path};

/// Google's largest `candidateCount` is 8; more than this is a broken vendor.
const CANDIDATES_MAX: usize = 128;
/// More parts than this in one candidate are a broken vendor.
const PARTS_MAX: u32 = 1 << 20;
/// Names of a chunk that are read.
const NAMES: [&str; 4] = ["promptFeedback", "usageMetadata", "modelVersion", "responseId"];

/// Reads one stream.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    has_started: bool,
    is_blocked: bool,
    id: String,
    /// Members of the answer itself that only this dialect knows, as seen last.
    rest: Rest,
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    index: u32,
    parts: u32,
    /// The text or thought that is open.
    open: Option<(u32, Flow)>,
    /// The last text part: sources belong to it.
    text: Option<u32>,
    calls: usize,
    has_ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Flow {
    Text,
    Thought(Origin),
}

impl StreamDecoder for Decoder {
    fn event(
        &mut self,
        _name: Option<&str>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Box<VendorError>> {
        let members = Members::of_body(data).map_err(VendorError::bad_event)?;
        if members.peek("error").is_some_and(|raw| raw.get() != "null") {
            return Err(Box::new(super::super::error::decode(200, data)));
        }
        self.chunk(members.camel(&NAMES), out).map_err(VendorError::bad_event)
    }

    fn finish(&mut self) -> Result<(), Error> {
        let is_over = !self.choices.is_empty() && self.choices.iter().all(|choice| choice.has_ended);
        if is_over || self.is_blocked {
            return Ok(());
        }
        Err(Error::new(
            Kind::Cut,
            "the vendor's stream ended without a finish reason: the answer is not whole",
        ))
    }
}

impl Decoder {
    fn chunk(&mut self, mut members: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let id = members.text("responseId", &root)?;
        let model = members.text("modelVersion", &root)?;
        let usage = members.take("usageMetadata");
        let usage = usage.map(|raw| read_usage(raw, &root.member("usageMetadata"))).transpose()?;
        let candidates = members.array("candidates", &root)?.unwrap_or_default();
        let blocked = members.peek("promptFeedback").and_then(block_of);
        let rest = members.rest();
        if !self.has_started {
            self.has_started = true;
            self.id = id.unwrap_or_default();
            self.rest = rest.clone();
            out.push(StreamPart::Start {
                dialect: Dialect::GeminiGenerate,
                id: self.id.clone(),
                model: model.unwrap_or_default(),
                created: None,
                service_tier: usage.as_ref().and_then(|(_, tier)| tier.clone()),
                system_fingerprint: None,
                rest,
            });
        } else if !rest.is_empty() && rest != self.rest {
            self.rest = rest.clone();
            out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Answer, rest });
        }
        if let Some((report, _)) = usage {
            out.push(StreamPart::Usage(report));
        }
        let path = root.member("candidates");
        for (at, raw) in candidates.into_iter().enumerate() {
            let candidate = Candidate::read(raw, at, &path.item(at))?;
            self.candidate(candidate, &path.item(at), out)?;
        }
        if let Some(text) = blocked.filter(|_| !std::mem::replace(&mut self.is_blocked, true)) {
            out.push(StreamPart::Refusal { choice: 0, text });
            let (word, rest) = ("".into(), Rest::default());
            out.push(StreamPart::Finish {
                choice: 0,
                finish: Finish::Refusal,
                word,
                stop_sequence: None,
                rest,
            });
        }
        Ok(())
    }

    fn candidate(
        &mut self,
        read: Candidate,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let at = match self.choices.iter().position(|choice| choice.index == read.index) {
            Some(at) => at,
            None if self.choices.len() == CANDIDATES_MAX => {
                return Err(path.wrong("one of at most 128 candidates"));
            }
            None => {
                self.choices.push(Choice::new(read.index));
                self.choices.len() - 1
            }
        };
        let state = &mut self.choices[at];
        let choice = read.index;
        for part in read.parts {
            if state.parts >= PARTS_MAX {
                return Err(path.wrong("a candidate of at most 1048576 parts"));
            }
            state.part(part, &self.id, out);
        }
        if let Some(part) = state.text {
            let sources = read.annotations.into_iter();
            out.extend(sources.map(|annotation| StreamPart::Annotation { choice, part, annotation }));
        }
        if let Some(raw) = read.logprobs {
            out.push(StreamPart::Logprobs { choice, raw });
        }
        if !read.message_rest.is_empty() {
            out.push(StreamPart::Extra { choice, at: ExtraAt::Message, rest: read.message_rest });
        }
        match read.finish_word.filter(|_| !state.has_ended) {
            Some(word) => {
                state.close(out);
                state.has_ended = true;
                let finish = finish_of(&word, state.calls > 0);
                out.push(StreamPart::Finish { choice, finish, word, stop_sequence: None, rest: read.rest });
            }
            None if !read.rest.is_empty() => {
                out.push(StreamPart::Extra { choice, at: ExtraAt::Choice, rest: read.rest });
            }
            None => {}
        }
        Ok(())
    }
}

impl Choice {
    const fn new(index: u32) -> Self {
        Self { index, parts: 0, open: None, text: None, calls: 0, has_ended: false }
    }

    fn part(&mut self, part: Part, response: &str, out: &mut Vec<StreamPart>) {
        let choice = self.index;
        match part.content {
            Content::Text { text, .. } => {
                let part = self.text_flow(part.rest, out);
                self.text = Some(part);
                out.push(StreamPart::Text { choice, part, text });
            }
            Content::Reasoning(one) => self.reasoning(one, part.rest, out),
            Content::ToolCall(call) => {
                self.close(out);
                let id = call_id(&call.id, response, choice, self.calls);
                self.calls += 1;
                let head = PartHead::ToolCall { id, name: call.name, kind: call.kind, rest: part.rest };
                let part = self.start(head, out);
                out.push(StreamPart::Arguments { choice, part, text: call.arguments });
                out.push(StreamPart::PartStop { choice, part });
            }
            Content::Unknown { kind, raw } => {
                self.close(out);
                let part = self.start(PartHead::Unknown { kind, raw }, out);
                out.push(StreamPart::PartStop { choice, part });
            }
            // Answers are read without any other part.
            _ => {}
        }
    }

    /// A thought, its signature, or both. A signature ends the thought that it is on.
    fn reasoning(&mut self, one: Reasoning, rest: Rest, out: &mut Vec<StreamPart>) {
        let choice = self.index;
        let has_text = !one.text.is_empty();
        let open = match &self.open {
            Some((part, Flow::Thought(origin))) if one.redacted.is_none() => Some((*part, origin)),
            _ => None,
        };
        let goes_on = open.filter(|(_, origin)| {
            let is_end = rest.get(THOUGHT).is_some();
            // Text without a mark goes on with whatever thought is open: only the first piece tells whose it is.
            is_end || (rest.is_empty() && has_text && (one.origin == **origin || is_unmarked(&one)))
        });
        let part = match goes_on {
            Some((part, _)) => part,
            None => {
                self.close(out);
                let head = PartHead::Reasoning { origin: one.origin.clone(), redacted: one.redacted, rest };
                let part = self.start(head, out);
                self.open = Some((part, Flow::Thought(one.origin)));
                part
            }
        };
        if has_text {
            out.push(StreamPart::Reasoning { choice, part, text: one.text });
        }
        if let Some(signature) = one.signature {
            out.push(StreamPart::Signature { choice, part, signature: signature.into() });
            self.close(out);
        }
    }

    /// The open text; starts one, and stops what was open, if need be.
    fn text_flow(&mut self, rest: Rest, out: &mut Vec<StreamPart>) -> u32 {
        if let Some((part, Flow::Text)) = &self.open
            && rest.is_empty()
        {
            return *part;
        }
        self.close(out);
        let part = self.start(PartHead::Text { rest }, out);
        self.open = Some((part, Flow::Text));
        part
    }

    fn start(&mut self, head: PartHead, out: &mut Vec<StreamPart>) -> u32 {
        let part = self.parts;
        self.parts += 1;
        out.push(StreamPart::PartStart { choice: self.index, part, head });
        part
    }

    fn close(&mut self, out: &mut Vec<StreamPart>) {
        if let Some((part, _)) = self.open.take() {
            out.push(StreamPart::PartStop { choice: self.index, part });
        }
    }
}
