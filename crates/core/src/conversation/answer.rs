//! An answer in canonical form.

use serde::Serialize;

use super::part::Part;
use super::raw::{Raw, Rest};
use crate::dialect::Dialect;
use crate::exchange::Finish;
use crate::usage::Usage;

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The dialect that it was decoded from: `rest`, raw usage and finish words are in it.
    pub dialect: Dialect,
    /// The vendor's id.
    pub id: String,
    /// The model that the vendor says answered.
    pub model: String,
    /// When it was made, in seconds since 1970, where the dialect tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// The alternatives; Anthropic always gives one.
    pub choices: Vec<Choice>,
    /// What it used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageReport>,
    /// The tier of service that was used, in the dialect's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<Box<str>>,
    /// The vendor's backend configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<Box<str>>,
    /// Members that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub rest: Rest,
}

impl Answer {
    /// An empty answer of a dialect.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            id: String::new(),
            model: String::new(),
            created: None,
            choices: Vec::new(),
            usage: None,
            service_tier: None,
            system_fingerprint: None,
            rest: Rest::default(),
        }
    }
}

/// One alternative of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Choice {
    /// Its index.
    pub index: u32,
    /// What was said, in order.
    pub parts: Vec<Part>,
    /// Why it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// The same in the dialect's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_word: Option<Box<str>>,
    /// The stop sequence that was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_sequence: Option<Box<str>>,
    /// The words of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Token probabilities, as OpenAI gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Raw>,
    /// Members of the message that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub message_rest: Rest,
    /// Members of the choice that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub rest: Rest,
}

/// A usage as the vendor reported it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UsageReport {
    /// The counts in disjoint classes.
    pub counts: Usage,
    /// The report, whole, in the answer's dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<Raw>,
}
