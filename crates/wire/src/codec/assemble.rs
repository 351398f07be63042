//! Puts a streamed answer together again, into what the same answer is when it comes whole.
//!
//! Used where an answer must be seen whole though it streams: for the thinking memory, and in tests.

use pilothouse_core::conversation::{
    Answer, Choice, Content, ExtraAt, Part, PartHead, Raw, Reasoning, Rest, StreamPart, ToolCall, UsageReport,
};
use pilothouse_core::dialect::Dialect;

use crate::codec::LATE_TIER;
use crate::json::{Array, Members, Object, Path, as_text, items, reread};

/// Collects the steps of one stream, up to a number of bytes.
#[derive(Debug)]
pub struct Assembler {
    answer: Answer,
    /// Per choice, the stream's number of each part.
    numbers: Vec<Vec<u32>>,
    /// Input of parts that only their dialect knows, in pieces: choice, number, text.
    inputs: Vec<(u32, u32, String)>,
    left: usize,
    overflowed: bool,
}

impl Assembler {
    /// An assembler that keeps at most about `bytes_max` bytes of text.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            answer: Answer::new(Dialect::OpenaiChat),
            numbers: Vec::new(),
            inputs: Vec::new(),
            left: bytes_max,
            overflowed: false,
        }
    }

    /// The answer so far; `None` when it did not fit.
    #[must_use]
    pub fn finish(self) -> Option<Answer> {
        (!self.overflowed).then_some(self.answer)
    }

    /// Takes one step.
    pub fn part(&mut self, step: &StreamPart) {
        match step {
            StreamPart::Start { dialect, id, model, created, service_tier, system_fingerprint, rest } => {
                self.answer.dialect = *dialect;
                self.answer.id.clone_from(id);
                self.answer.model.clone_from(model);
                self.answer.created = *created;
                self.answer.service_tier.clone_from(service_tier);
                self.answer.system_fingerprint.clone_from(system_fingerprint);
                self.answer.rest = rest.clone();
            }
            StreamPart::PartStart { choice, part, head } => self.start(*choice, *part, head),
            StreamPart::Text { choice, part, text }
            | StreamPart::Reasoning { choice, part, text }
            | StreamPart::Arguments { choice, part, text } => self.text(*choice, *part, text),
            StreamPart::Signature { choice, part, signature } => {
                self.spend(signature.len());
                if let Some(Content::Reasoning(one)) = self.content(*choice, *part) {
                    one.signature = Some(signature.as_str().into());
                }
            }
            StreamPart::Annotation { choice, part, annotation } => {
                self.spend(annotation.raw.text().len());
                if let Some(Content::Text { annotations, .. }) = self.content(*choice, *part) {
                    annotations.push(annotation.clone());
                }
            }
            StreamPart::Refusal { choice, text } => {
                self.spend(text.len());
                let at = self.choice(*choice);
                self.answer.choices[at].refusal.get_or_insert_default().push_str(text);
            }
            StreamPart::Logprobs { choice, raw } => {
                self.spend(raw.text().len());
                let at = self.choice(*choice);
                let logprobs = &mut self.answer.choices[at].logprobs;
                *logprobs = Some(
                    logprobs.as_ref().and_then(|before| join(before, raw)).unwrap_or_else(|| raw.clone()),
                );
            }
            StreamPart::Finish { choice, finish, word, stop_sequence, rest } => {
                let at = self.choice(*choice);
                let choice = &mut self.answer.choices[at];
                choice.finish = Some(*finish);
                choice.finish_word = Some(word.clone());
                choice.stop_sequence.clone_from(stop_sequence);
                extend(&mut choice.rest, rest);
            }
            StreamPart::Usage(usage) => {
                // Anthropic's last report is not the whole one, those of others are.
                let raw = usage.raw.clone().filter(|_| self.answer.dialect != Dialect::AnthropicMessages);
                self.answer.usage = Some(UsageReport { counts: usage.counts, raw });
            }
            StreamPart::Extra { choice, at, rest } => self.extra(*choice, *at, rest),
            StreamPart::UnknownDelta { choice, part, raw } => self.unknown(*choice, *part, raw),
            StreamPart::PartStop { choice, part } => self.stop(*choice, *part),
            StreamPart::UnknownEvent { .. } | StreamPart::Ping | StreamPart::End => {}
        }
    }

    fn spend(&mut self, bytes: usize) {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.overflowed = true,
        }
    }

    fn choice(&mut self, index: u32) -> usize {
        if let Some(at) = self.answer.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.answer.choices.push(Choice { index, ..Choice::default() });
        self.numbers.push(Vec::new());
        self.answer.choices.len() - 1
    }

    fn start(&mut self, choice: u32, number: u32, head: &PartHead) {
        self.spend(64);
        if self.overflowed {
            return;
        }
        let none = Rest::default();
        let (content, rest) = match head {
            PartHead::Text { rest } => (Content::Text { text: String::new(), annotations: Vec::new() }, rest),
            PartHead::Reasoning { origin, redacted, rest } => {
                let origin = origin.clone();
                let redacted = redacted.clone();
                let one = Reasoning { text: String::new(), signature: None, redacted, origin };
                (Content::Reasoning(one), rest)
            }
            PartHead::ToolCall { id, name, kind, rest } => {
                let call =
                    ToolCall { id: id.clone(), name: name.clone(), arguments: String::new(), kind: *kind };
                (Content::ToolCall(call), rest)
            }
            PartHead::Unknown { kind, raw } => {
                (Content::Unknown { kind: kind.clone(), raw: raw.clone() }, &none)
            }
        };
        let at = self.choice(choice);
        self.answer.choices[at].parts.push(Part { content, cache: None, rest: rest.clone() });
        self.numbers[at].push(number);
    }

    fn content(&mut self, choice: u32, number: u32) -> Option<&mut Content> {
        let at = self.choice(choice);
        let place = self.numbers[at].iter().position(|known| *known == number)?;
        self.answer.choices[at].parts.get_mut(place).map(|part| &mut part.content)
    }

    fn text(&mut self, choice: u32, number: u32, more: &str) {
        self.spend(more.len());
        if self.overflowed {
            return;
        }
        match self.content(choice, number) {
            Some(Content::Text { text, .. }) => text.push_str(more),
            Some(Content::Reasoning(one)) => one.text.push_str(more),
            Some(Content::ToolCall(call)) => call.arguments.push_str(more),
            _ => {}
        }
    }

    /// Collects the input of a vendor's own tool call, which comes in pieces as any other call's.
    fn unknown(&mut self, choice: u32, number: u32, raw: &Raw) {
        self.spend(raw.text().len() + 64);
        if self.answer.dialect == Dialect::OpenaiResponses {
            // This dialect gives the part again, whole.
            if let (false, Some(Content::Unknown { raw: before, .. })) =
                (self.overflowed, self.content(choice, number))
            {
                *before = raw.clone();
            }
            return;
        }
        let piece = reread(raw)
            .and_then(Members::of)
            .and_then(|mut members| members.text("partial_json", &Path::Root).ok().flatten());
        let Some(piece) = piece.filter(|_| !self.overflowed) else { return };
        match self.inputs.iter_mut().find(|(one, other, _)| (*one, *other) == (choice, number)) {
            Some((_, _, text)) => text.push_str(&piece),
            None => self.inputs.push((choice, number, piece)),
        }
    }

    /// Puts a collected input into its part.
    fn stop(&mut self, choice: u32, number: u32) {
        let Some(at) = self.inputs.iter().position(|(one, other, _)| (*one, *other) == (choice, number))
        else {
            return;
        };
        let (_, _, text) = self.inputs.swap_remove(at);
        if let (Some(Content::Unknown { raw, .. }), Some(input)) =
            (self.content(choice, number), Raw::parse(&text))
            && let Some(whole) = with_input(raw, &input)
        {
            *raw = whole;
        }
    }

    fn extra(&mut self, choice: u32, at: ExtraAt, rest: &Rest) {
        self.spend(rest.iter().map(|(name, value)| name.len() + value.text().len()).sum());
        if self.overflowed {
            return;
        }
        match at {
            ExtraAt::Answer => {
                let mut rest = rest.clone();
                let tier = rest.take(LATE_TIER);
                if let Some(tier) = tier.as_ref().and_then(reread).and_then(as_text) {
                    self.answer.service_tier = Some(tier.into());
                }
                extend(&mut self.answer.rest, &rest);
            }
            ExtraAt::Choice => {
                let place = self.choice(choice);
                extend(&mut self.answer.choices[place].rest, rest);
            }
            ExtraAt::Message => {
                let place = self.choice(choice);
                extend(&mut self.answer.choices[place].message_rest, rest);
            }
        }
    }
}

/// Adds members; one that is there already is replaced.
fn extend(kept: &mut Rest, more: &Rest) {
    let mut all = Rest::default();
    for (name, value) in kept.iter().filter(|(name, _)| more.get(name).is_none()) {
        all.push(name, value.clone());
    }
    for (name, value) in more.iter() {
        all.push(name, value.clone());
    }
    *kept = all;
}

/// A part with its input.
fn with_input(part: &Raw, input: &Raw) -> Option<Raw> {
    let mut members = Members::of(reread(part)?)?;
    members.take("input");
    let mut out = Vec::new();
    {
        let mut whole = Object::new(&mut out);
        whole.rest(&members.rest());
        whole.raw("input", input);
    }
    Raw::parse(std::str::from_utf8(&out).ok()?)
}

/// Joins two pieces of token probabilities: their arrays one behind the other.
fn join(before: &Raw, after: &Raw) -> Option<Raw> {
    let (mut one, mut other) = (Members::of(reread(before)?)?, Members::of(reread(after)?)?);
    let mut out = Vec::new();
    {
        let mut joined = Object::new(&mut out);
        for name in ["content", "refusal"] {
            let lists = [one.take(name), other.take(name)];
            if lists.iter().all(Option::is_none) {
                joined.null(name);
                continue;
            }
            let mut list = Array::new(joined.key(name));
            for raw in lists.into_iter().flatten() {
                items(raw, &Path::Root).ok()?.into_iter().for_each(|item| list.raw(&item.into()));
            }
        }
    }
    Raw::parse(std::str::from_utf8(&out).ok()?)
}
