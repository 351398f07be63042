//! One call from a client to its answer, as facts and hashes. Never bodies.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::UnixMs;
use crate::dialect::Dialect;
use crate::error::Kind;
use crate::id::ExchangeId;
use crate::money::Cost;
use crate::shape::Shape;
use crate::usage::Bill;
use crate::written::{Said, Written};

mod choice;
mod settlement;

pub use choice::put_standing;
pub use settlement::{Purpose, Settlement};

/// Everything that is known of one exchange when it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its id, also sent to the client as `x-pilothouse-exchange`.
    pub id: ExchangeId,
    /// When its request had been read.
    pub started_at: UnixMs,
    /// Who called.
    pub caller: Caller,
    /// The wire format of the client.
    pub client_dialect: Dialect,
    /// What the client asked for: the model or route name, verbatim.
    pub asked: Arc<str>,
    /// The vendor, model and wire format that took the call; `None` when none was reached.
    pub target: Option<TargetUsed>,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status that the client got.
    pub status: u16,
    /// The answer's facts.
    pub answer: AnswerFacts,
    /// Usage and cost.
    pub bill: Bill,
    /// Where the time went.
    pub timings: Timings,
    /// What its request looks like, without what it says; `None` where none was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Bytes of the request's body as the client sent it.
    pub request_bytes: u64,
    /// Bytes of the answer's body as the client got it.
    pub answer_bytes: u64,
    /// Why it went as it did. `None` when nothing was edited, lost, retried or wrong.
    pub receipt: Option<Box<Receipt>>,
}

/// Who called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The name of the virtual key; empty when none is configured.
    pub key: Arc<str>,
    /// The program: `x-pilothouse-app`, else the key's declared one, else the user agent's product.
    pub application: Arc<str>,
    /// The person behind, from the request's user field.
    pub end_user: Option<Box<str>>,
}

/// The target that took the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetUsed {
    /// The configured provider's name.
    pub vendor: Arc<str>,
    /// The model's id on the wire, as sent.
    pub model: Arc<str>,
    /// The wire format spoken to the vendor.
    pub dialect: Dialect,
    /// The id of the catalogue's price row that made the cost; `None` when the price is unknown.
    pub price: Option<Arc<str>>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer arrived whole.
    Complete,
    /// The client went away first; the upstream was cancelled.
    Cancelled,
    /// It failed, in this way. [`Kind::Cut`] is an answer that broke off after it had begun.
    Failed(Kind),
}

impl Outcome {
    /// The name used in records and reports: `complete`, `cancelled`, or the class of the error.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
            Self::Failed(kind) => kind.as_str(),
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "complete" => Some(Self::Complete),
            "cancelled" => Some(Self::Cancelled),
            other => Kind::parse(other).map(Self::Failed),
        }
    }
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said what it had to say, or met a stop sequence.
    Stop,
    /// It met one of the caller's stop sequences.
    StopSequence,
    /// It met the output limit.
    Length,
    /// It met the end of its context window.
    ContextWindow,
    /// It calls tools.
    ToolCalls,
    /// The vendor's content filter ended it.
    ContentFilter,
    /// The model refused.
    Refusal,
    /// A long turn was paused by the vendor and can be continued.
    Pause,
    /// A reason that this version does not know.
    Other,
}

impl Finish {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Stop,
        Self::StopSequence,
        Self::Length,
        Self::ContextWindow,
        Self::ToolCalls,
        Self::ContentFilter,
        Self::Refusal,
        Self::Pause,
        Self::Other,
    ];

    /// The name used in records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::StopSequence => "stop_sequence",
            Self::Length => "length",
            Self::ContextWindow => "context_window",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Refusal => "refusal",
            Self::Pause => "pause",
            Self::Other => "other",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finish| finish.as_str() == name)
    }
}

/// What the scanners saw in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFacts {
    /// The vendor's id of the answer.
    pub id: Option<Box<str>>,
    /// The model that the vendor says answered.
    pub model: Option<Box<str>>,
    /// Why it stopped.
    pub finish: Option<Finish>,
    /// The service tier that the answer says was billed (`default`, `flex`, `priority`, `batch`).
    pub service_tier: Option<Box<str>>,
    /// The tools that were called, in order.
    pub tools: Vec<ToolUse>,
}

/// A tool call by name; its arguments only as a hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolUse {
    /// The tool's name.
    pub name: Box<str>,
    /// A hash of the arguments' text, to tell equal calls from different ones.
    pub arguments_hash: u64,
}

/// Where the time of an exchange went, in microseconds after `started_at`; `None` when it did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Until the last attempt's request had been handed to the vendor's connection.
    pub sent_us: Option<u64>,
    /// Until the answer's headers.
    pub headers_us: Option<u64>,
    /// Until the first event or byte with model output.
    pub first_token_us: Option<u64>,
    /// Until the last byte had been handed to the client's connection.
    pub total_us: u64,
}

/// Why an exchange went as it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Receipt {
    /// What we changed in the request or answer, as codes (`set:model`, `set:stream_options.include_usage`).
    pub edits: Vec<Note>,
    /// What the target could not carry.
    pub losses: Vec<Note>,
    /// Attempts that failed before the one that was passed on.
    pub attempts: Vec<Attempt>,
    /// Answers that were paid for and not passed on. The exchange's bill holds theirs too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<PaidAnswer>,
    /// What else happened on the way and changed nothing (`replace:connection`).
    pub notes: Vec<Note>,
    /// Whom the route chose, and why; `None` where the name that was asked for is no route.
    pub choice: Option<Box<Chosen>>,
    /// The same, as the one who chose wrote it: the JSON of a [`Chosen`]. What is read back has it in `choice`.
    #[serde(skip)]
    pub chosen: Option<Box<Said>>,
    /// What was set aside for the answer, and what it came to. What is read back has it as the last of `notes`.
    #[serde(skip)]
    pub settlement: Option<Settlement>,
    /// The message of the error, as the client read it.
    pub error: Option<Box<str>>,
}

/// Whom a route chose for one exchange, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chosen {
    /// The strategy's name.
    pub strategy: Arc<str>,
    /// The targets in the order in which they were to be asked.
    pub order: Vec<Standing>,
    /// Those that could not take it.
    pub removed: Vec<Standing>,
    /// What the choice was made of, as JSON of the gateway's own: enough to make it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Written>,
}

/// A target's place in a choice, or why it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// `provider/model`.
    pub target: Arc<str>,
    /// Why, for people.
    pub why: String,
}

/// One edit or loss: a code that programs can count and words that people can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The code, such as `set:model` or `drop:logit_bias`.
    pub code: std::borrow::Cow<'static, str>,
    /// Where and why, for people. May be empty.
    pub detail: Box<str>,
}

impl Note {
    /// A note without details.
    #[must_use]
    pub fn code(code: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self { code: code.into(), detail: Box::default() }
    }

    /// A note with details.
    #[must_use]
    pub fn new(code: impl Into<std::borrow::Cow<'static, str>>, detail: &str) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The target that was tried.
    pub target: TargetUsed,
    /// How it failed.
    pub kind: Kind,
    /// The vendor's status, if one came.
    pub status: Option<u16>,
    /// When it had failed, in microseconds after the exchange's start.
    pub failed_us: u64,
    /// Set where it did not fail: it was one of two calls of a hedge, and was cancelled when the other one spoke first. Its
    /// `kind` is then [`Kind::Timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outrun: Option<Outrun>,
}

/// A call that was cancelled because another one spoke first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outrun {
    /// When it was sent, in microseconds after the exchange's start.
    pub began_us: u64,
    /// What its vendor may bill: the price of its input and of what had come, both estimated where nobody told them. It is
    /// part of the bill's `estimated_cost`.
    pub estimated_cost: Cost,
}

/// An answer that was paid for and not passed on: a cheap one that would not do, or that another was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidAnswer {
    /// Who answered.
    pub target: TargetUsed,
    /// The service tier that the answer says was billed.
    pub tier: Option<Box<str>>,
    /// What it used and cost.
    pub bill: Bill,
    /// What became of it, for people. Never its text.
    pub why: Box<str>,
    /// When it was there, in microseconds after the exchange's start.
    pub ended_us: u64,
}
