//! Why a target stands where it does, or does not stand at all: typed for receipts, in sentences for people.

use std::fmt;

use pilothouse_catalog::Status;
use pilothouse_cel::{Expression, Fault};
use pilothouse_core::money::PicoUsd;
use pilothouse_core::written::{Text, into_text, put, put_words};
use serde::{Deserialize, Serialize};

use crate::candidate::Capability;

/// Why a target has its place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Reason {
    /// The order of the list.
    Listed,
    /// Drawn by weight.
    Weight {
        /// Its weight.
        weight: u32,
        /// The weights of all that were in the draw.
        of: u64,
    },
    /// What the exchange is expected to cost there.
    Cost {
        /// Pico-dollars.
        expected: PicoUsd,
        /// Tokens of input that were reckoned with.
        input_tokens: u64,
        /// How many of them its prompt cache holds.
        cached_tokens: u64,
        /// Tokens of output that were reckoned with.
        output_tokens: u64,
    },
    /// No price is known, so it stands behind all whose price is.
    PriceUnknown,
    /// How long the answer is expected to take there.
    Speed {
        /// Microseconds to the first token, with what waits now.
        first_token_us: u64,
        /// Microseconds per token after it.
        token_us: u64,
        /// Microseconds for the expected answer.
        expected_us: u64,
    },
    /// Nothing has been measured there yet, so it is tried.
    Unmeasured,
    /// How full it is: 1.0 is saturated.
    Load {
        /// The score.
        score: f32,
        /// Our calls there now.
        in_flight: u32,
        /// Whether the model server's own figures were fresh enough to use.
        is_measured: bool,
    },
    /// It takes the overflow of targets that are all saturated.
    Spill,
    /// Its place on the ring of the conversation's digest.
    Ring {
        /// Whether it was passed over because it holds more than its share of calls.
        is_over_bound: bool,
    },
    /// The cheap answer of a cascade.
    Cheap,
    /// The second cheap answer, for agreement.
    Partner,
    /// Who answers when the cheap answer will not do.
    Strong,
    /// The quality that is expected of it, from 0 to 1.
    Quality {
        /// The expectation.
        expected: f32,
        /// What the exchange is expected to cost there, where known.
        cost: Option<PicoUsd>,
    },
    /// The conversation is there.
    Held {
        /// Why it stays.
        stay: Stay,
    },
    /// It stands by for when the route's targets fail.
    Fallback,
}

/// Why a conversation stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stay", rename_all = "snake_case")]
pub enum Stay {
    /// The model waits for the result of a tool.
    ToolLoop,
    /// Moving would cost more than it gains.
    CacheIsWorthMore {
        /// What the turns reckoned with cost if it stays, in pico-dollars.
        staying: PicoUsd,
        /// What they cost if it moves.
        moving: PicoUsd,
    },
    /// The gain of a move cannot be priced, so nothing speaks for one.
    Unpriced,
    /// The strategy would choose the same.
    Best,
}

/// Why a target was left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "removed", rename_all = "snake_case")]
pub enum Removal {
    /// The key may not use it.
    NotAllowed,
    /// It is for other exchanges, by its own condition.
    Unmet {
        /// How the condition is not met.
        unmet: Unmet,
    },
    /// It has been retired.
    Retired,
    /// It is under notice, and the route takes only targets that are not.
    UnderNotice {
        /// Its status.
        status: Status,
    },
    /// It cannot do what the request needs.
    Lacks {
        /// What that is.
        capability: Capability,
    },
    /// Nobody says whether it can do what the request needs, and the route asks for proof.
    Unproven {
        /// What that is.
        capability: Capability,
    },
    /// The input is too long.
    InputTooLong {
        /// Tokens of input, at least.
        tokens: u64,
        /// The most that it takes.
        limit: u64,
    },
    /// Input and asked output together exceed the context window.
    ContextTooShort {
        /// Tokens of input, at least.
        tokens: u64,
        /// Tokens of output that the caller asks for.
        output_tokens: u64,
        /// The context window.
        limit: u64,
    },
    /// The route wants longer answers than it writes.
    OutputTooShort {
        /// Tokens of output that are wanted.
        wanted: u64,
        /// The most that it writes.
        limit: u64,
    },
    /// Its weights are closed, or nobody says that they are open.
    ClosedWeights {
        /// Whether a source says that they are closed.
        is_known: bool,
    },
    /// It computes elsewhere, or nobody says where.
    OtherRegion {
        /// Whether its region is known.
        is_known: bool,
    },
    /// It lacks a tag that the route requires.
    TagMissing {
        /// The place of the tag in the route's list.
        tag: u16,
    },
    /// It bears a tag that the route refuses.
    TagRefused {
        /// The place of the tag in the route's list.
        tag: u16,
    },
    /// It costs more than the route allows.
    TooDear {
        /// Pico-dollars: of the exchange, or of a million tokens.
        cost: PicoUsd,
        /// The ceiling, of the same.
        limit: PicoUsd,
        /// What the figures are of.
        of: Ceiling,
    },
    /// There is a ceiling, and no price is known.
    PriceUnknown,
    /// It rarely answers in the time that is left.
    TooSlow {
        /// Its 95th percentile in milliseconds.
        p95_ms: u64,
        /// Milliseconds that are left.
        remaining_ms: u64,
    },
    /// It failed too often of late, or asked for a pause.
    BreakerOpen {
        /// Milliseconds until it is tried again.
        retry_after_ms: u64,
    },
    /// Its vendor said that it is not there.
    Tombstoned {
        /// Milliseconds until it is tried again.
        retry_after_ms: u64,
    },
}

/// How a condition is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmet {
    /// It is false.
    False,
    /// It cannot be told, which counts as false.
    Fault(Fault),
    /// Nothing is known of the exchange, which counts as false.
    Untold,
}

/// What a price ceiling is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceiling {
    /// This exchange.
    Exchange,
    /// A million tokens of input.
    MillionInput,
    /// A million tokens of output.
    MillionOutput,
}

impl Unmet {
    /// The same in words, with the condition.
    #[must_use]
    pub fn of(&self, condition: &Expression) -> String {
        let text = condition.text();
        match self {
            Self::False => format!("its condition is false: {text}"),
            Self::Fault(fault) => {
                format!("its condition counts as false, since {}: {text}", condition.in_words(fault))
            }
            Self::Untold => format!("its condition has nothing to look at: {text}"),
        }
    }
}

impl Removal {
    /// Milliseconds after which it may be otherwise, where time alone can change it.
    #[must_use]
    pub const fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::BreakerOpen { retry_after_ms } | Self::Tombstoned { retry_after_ms } => {
                Some(*retry_after_ms)
            }
            _ => None,
        }
    }
}

impl Reason {
    /// Puts the sentence behind a text: every choice writes one for each of its targets. JSON escapes nothing of it.
    pub fn put(&self, text: &mut impl Text) {
        match self {
            Self::Listed => put(text, "its place in the list"),
            Self::Weight { weight, of } => {
                put_words(text, &["drawn with weight ", " of "], &[u64::from(*weight), *of]);
            }
            Self::Cost { expected, input_tokens, cached_tokens, output_tokens } => {
                put(text, "expected to cost $");
                text.money(*expected);
                let words = [": ", " tokens in, ", " of them cached, ", " out"];
                put_words(text, &words, &[*input_tokens, *cached_tokens, *output_tokens]);
            }
            Self::PriceUnknown => put(text, "its price is unknown"),
            Self::Speed { first_token_us, token_us, expected_us } => {
                let words = ["expected to take ", " ms: ", " ms to the first token, ", "."];
                put_words(text, &words, &[expected_us / 1000, first_token_us / 1000, token_us / 1000]);
                let thousandths = [token_us / 100 % 10, token_us / 10 % 10, token_us % 10];
                put_words(text, &["", "", "", " ms per token"], &thousandths);
            }
            Self::Unmeasured => put(text, "not measured yet"),
            Self::Load { score, in_flight, is_measured: true } => {
                text.own(&format!("load {score:.2}, {in_flight} of our calls there"));
            }
            Self::Load { in_flight, .. } => {
                put_words(text, &["", " of our calls there"], &[u64::from(*in_flight)]);
            }
            Self::Spill => put(text, "takes what the others cannot"),
            Self::Ring { is_over_bound: false } => put(text, "its place on the conversation's ring"),
            Self::Ring { is_over_bound: true } => put(text, "on the ring, but over its share of calls"),
            Self::Cheap => put(text, "answers first"),
            Self::Partner => put(text, "answers beside the first, for agreement"),
            Self::Strong => put(text, "answers when the cheap answer will not do"),
            Self::Quality { expected, cost: Some(cost) } => {
                text.own(&format!("expected quality {expected:.3} for ${cost}"));
            }
            Self::Quality { expected, cost: None } => {
                text.own(&format!("expected quality {expected:.3}, price unknown"));
            }
            Self::Held { stay } => text.own(&format!("the conversation is there; {stay}")),
            Self::Fallback => put(text, "stands by"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.put(&mut text);
        out.write_str(&into_text(text))
    }
}

impl fmt::Display for Stay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToolLoop => out.write_str("it waits for a tool's result"),
            Self::CacheIsWorthMore { staying, moving } => {
                write!(out, "staying costs ${staying}, moving ${moving}")
            }
            Self::Unpriced => out.write_str("what a move would gain has no price"),
            Self::Best => out.write_str("and nothing is better"),
        }
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => out.write_str("the key may not use it"),
            // The condition itself is the route's to tell: what clients read does not hold it.
            Self::Unmet { .. } => out.write_str("it is not for this request, by its condition"),
            Self::Retired => out.write_str("retired by its vendor"),
            Self::UnderNotice { status } => write!(out, "{}, and the route takes no such", status.as_str()),
            Self::Lacks { capability } => write!(out, "lacks {}", capability.as_str()),
            Self::Unproven { capability } => write!(out, "{} is not proven", capability.as_str()),
            Self::InputTooLong { tokens, limit } => {
                write!(out, "at least {tokens} tokens of input, {limit} at most")
            }
            Self::ContextTooShort { tokens, output_tokens, limit } => {
                write!(out, "at least {tokens} tokens in and {output_tokens} out, {limit} together at most")
            }
            Self::OutputTooShort { wanted, limit } => {
                write!(out, "{wanted} tokens of output are wanted, {limit} at most")
            }
            Self::ClosedWeights { is_known: true } => out.write_str("closed weights"),
            Self::ClosedWeights { is_known: false } => out.write_str("nobody says that its weights are open"),
            Self::OtherRegion { is_known: true } => out.write_str("another region"),
            Self::OtherRegion { is_known: false } => out.write_str("nobody says in which region it is"),
            Self::TagMissing { tag } => write!(out, "lacks the route's required tag {}", tag + 1),
            Self::TagRefused { tag } => write!(out, "bears the route's refused tag {}", tag + 1),
            Self::TooDear { cost, limit, of } => {
                let of = match of {
                    Ceiling::Exchange => "this exchange",
                    Ceiling::MillionInput => "a million tokens of input",
                    Ceiling::MillionOutput => "a million tokens of output",
                };
                write!(out, "${cost} for {of}, ${limit} at most")
            }
            Self::PriceUnknown => out.write_str("there is a price ceiling, and its price is unknown"),
            Self::TooSlow { p95_ms, remaining_ms } => {
                write!(out, "takes up to {p95_ms} ms, {remaining_ms} ms are left")
            }
            Self::BreakerOpen { retry_after_ms } => {
                write!(out, "failing; tried again in {retry_after_ms} ms")
            }
            Self::Tombstoned { retry_after_ms } => {
                write!(out, "its vendor does not have it; tried again in {retry_after_ms} ms")
            }
        }
    }
}
