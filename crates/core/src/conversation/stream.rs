//! A streamed answer in canonical form: small steps that add up to an [`Answer`](super::Answer).

use super::answer::UsageReport;
use super::part::{Annotation, Origin, ToolKind};
use super::raw::{Raw, Rest};
use crate::dialect::Dialect;
use crate::exchange::Finish;

/// One step of a streamed answer. Parts are numbered per choice from 0, in the order in which they start.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamPart {
    /// The answer begins. Comes once, first.
    Start {
        /// The dialect that the steps were decoded from.
        dialect: Dialect,
        /// The vendor's id.
        id: String,
        /// The model that the vendor says answers.
        model: String,
        /// When it was made, in seconds since 1970.
        created: Option<u64>,
        /// The tier of service.
        service_tier: Option<Box<str>>,
        /// The vendor's backend configuration.
        system_fingerprint: Option<Box<str>>,
        /// Members that only the dialect knows.
        rest: Rest,
    },
    /// A part begins.
    PartStart {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
        /// What it is.
        head: PartHead,
    },
    /// More text.
    Text {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
        /// The text.
        text: String,
    },
    /// More reasoning.
    Reasoning {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
        /// The text.
        text: String,
    },
    /// The signature of a piece of reasoning.
    Signature {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
        /// The signature.
        signature: String,
    },
    /// More of a tool call's arguments.
    Arguments {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
        /// The text.
        text: String,
    },
    /// A citation of a text part.
    Annotation {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
        /// The citation.
        annotation: Annotation,
    },
    /// A change of a part that only the dialect knows.
    UnknownDelta {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
        /// The change, whole.
        raw: Raw,
    },
    /// A part ends.
    PartStop {
        /// The choice.
        choice: u32,
        /// The part's number.
        part: u32,
    },
    /// More of a refusal's words.
    Refusal {
        /// The choice.
        choice: u32,
        /// The text.
        text: String,
    },
    /// Token probabilities of what came last, as OpenAI gives them.
    Logprobs {
        /// The choice.
        choice: u32,
        /// `{"content": […], "refusal": […]}`.
        raw: Raw,
    },
    /// A choice ends.
    Finish {
        /// The choice.
        choice: u32,
        /// Why.
        finish: Finish,
        /// The same in the dialect's word.
        word: Box<str>,
        /// The stop sequence that was met.
        stop_sequence: Option<Box<str>>,
        /// Members that only the dialect knows.
        rest: Rest,
    },
    /// What the answer has used so far; the last one counts.
    Usage(UsageReport),
    /// Members that only the dialect knows.
    Extra {
        /// The choice; 0 for members of the answer itself.
        choice: u32,
        /// Where they were.
        at: ExtraAt,
        /// The members.
        rest: Rest,
    },
    /// An event that only the dialect knows, whole.
    UnknownEvent {
        /// Its name.
        name: Box<str>,
        /// Its data.
        raw: Raw,
    },
    /// Nothing but a sign of life.
    Ping,
    /// The dialect's terminator has come.
    End,
}

/// Where members that only the dialect knows were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraAt {
    /// In the answer.
    Answer,
    /// In a choice.
    Choice,
    /// In a choice's message.
    Message,
}

/// What a part that begins is.
#[derive(Clone, Debug, PartialEq)]
pub enum PartHead {
    /// Text.
    Text {
        /// Members that only the dialect knows.
        rest: Rest,
    },
    /// Reasoning.
    Reasoning {
        /// Who writes it.
        origin: Origin,
        /// The whole of it in the vendor's own encryption, when withheld.
        redacted: Option<Box<str>>,
        /// Members that only the dialect knows.
        rest: Rest,
    },
    /// A tool call.
    ToolCall {
        /// The vendor's id of the call.
        id: Box<str>,
        /// The tool's name.
        name: Box<str>,
        /// What kind of tool it calls.
        kind: ToolKind,
        /// Members that only the dialect knows.
        rest: Rest,
    },
    /// A part that only the dialect knows.
    Unknown {
        /// Its type.
        kind: Box<str>,
        /// Its beginning, whole.
        raw: Raw,
    },
}
