//! How many tokens a request has for a target, with as little reading as the question needs.
//!
//! Three instruments, each used only where the one before cannot decide:
//! 1. **Length.** A token has at least one byte, so bytes bound tokens; and the target's observed tokens per byte, with
//!    their observed error, place the count within that bound. Nothing is read.
//! 2. **Shape.** One pass over the text serves every family of tokenizers, within 15 to 30 %. Taken where the range of
//!    the first lies across a limit, or across another target's price.
//! 3. **Tokenizer.** Only within [`COUNT_BAND_PERCENT`] of a limit, or where the order of prices still depends on it;
//!    once per tokenizer, however many targets share it.

mod prefix;

use pilothouse_tokens::{TextShape, Tokenizer};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::candidate::Candidate;
use crate::request::Input;
use crate::sight::Sight;

pub use prefix::{PrefixCounts, Prefixed};

/// How near to a limit, in percent of it, an estimate must be for a tokenizer to run.
pub const COUNT_BAND_PERCENT: u64 = 15;

/// Tokens that vendors add beyond what is sent: their own instructions on tools and the like. Part of the upper bound.
const ADDED_TOKENS_MAX: u64 = 512;

/// Without any observation, prose is assumed; other text has at most about this many times as many tokens per byte.
const PROSE_FACTOR_MAX: u64 = 3;

/// Reads the text of a request when somebody must. The gateway implements it over the request's parts; it is never asked
/// twice for the same thing.
pub trait Counter {
    /// The shape of all texts; `None` where the text cannot be read.
    fn shape(&mut self) -> Option<TextShape>;

    /// The tokens of all texts by a public tokenizer; `None` where there is none, or it is not loaded yet.
    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64>;
}

/// A counter that reads nothing: estimates by length are all there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread;

impl Counter for Unread {
    fn shape(&mut self) -> Option<TextShape> {
        None
    }

    fn count(&mut self, _tokenizer: Tokenizer) -> Option<u64> {
        None
    }
}

/// A counter over texts at hand. A table that is not loaded is not loaded here: that takes up to a second.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a>(pub &'a [&'a str]);

impl Counter for Texts<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        let mut shape = TextShape::default();
        self.0.iter().for_each(|text| shape.add(text));
        Some(shape)
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        if !tokenizer.is_ready() {
            return None;
        }
        self.0.iter().map(|text| tokenizer.count(text)).sum()
    }
}

/// How a number of tokens was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// From the length, as of prose.
    Length,
    /// From the length, by what the target's vendor reported before.
    Observed,
    /// From the shape of the text.
    Shape,
    /// By the model's public tokenizer.
    Tokenizer,
}

/// Input tokens as a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Nineteen of twenty requests have more.
    pub low: u64,
    /// The number to reckon with.
    pub likely: u64,
    /// Nineteen of twenty requests have fewer.
    pub high: u64,
    /// How it was found.
    pub by: Instrument,
}

impl Tokens {
    fn around(likely: u64, error_percent: u64, by: Instrument) -> Self {
        let error = (u128::from(likely) * u128::from(error_percent) / 100) as u64;
        Self { low: likely.saturating_sub(error), likely, high: likely.saturating_add(error), by }
    }

    fn plus(self, tokens: u64) -> Self {
        Self {
            low: self.low.saturating_add(tokens),
            likely: self.likely.saturating_add(tokens),
            high: self.high.saturating_add(tokens),
            by: self.by,
        }
    }

    const fn straddles(&self, limit: u64) -> bool {
        self.low <= limit && limit < self.high
    }

    const fn is_near(&self, limit: u64) -> bool {
        self.likely.abs_diff(limit) as u128 * 100 <= limit as u128 * COUNT_BAND_PERCENT as u128
    }
}

/// What was read of a request for one choice: enough to make it again without the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Readings {
    /// By tokenizer: what the text's shape makes of it. Empty where nobody asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shapes: Vec<(Box<str>, u64)>,
    /// Whether the shape was asked for, and could not be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    has_no_shape: bool,
    /// By tokenizer: what it counted; `None` where it could not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    counts: Vec<(Box<str>, Option<u64>)>,
}

impl Readings {
    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn has_shape(&self) -> bool {
        !self.shapes.is_empty()
    }

    pub(crate) fn counted(&self, tokenizer: Tokenizer) -> Option<u64> {
        self.counts.iter().find(|(name, _)| **name == *tokenizer.name())?.1
    }

    fn shaped(&self, tokenizer: Tokenizer) -> Option<u64> {
        Some(self.shapes.iter().find(|(name, _)| **name == *tokenizer.name())?.1)
    }
}

/// The lengths of one request for any target; remembers what has been read.
pub struct Lengths<'a> {
    input: Input,
    counter: &'a mut dyn Counter,
    sight: Option<&'a Sight>,
    /// Where a choice is made again: what was read when it was made first.
    told: Option<&'a Readings>,
    shape: Option<Option<TextShape>>,
    counted: SmallVec<[(Tokenizer, Option<u64>); 4]>,
}

impl<'a> Lengths<'a> {
    /// Of a request whose texts the counter can read.
    pub fn new(input: Input, counter: &'a mut dyn Counter) -> Self {
        Self { input, counter, sight: None, told: None, shape: None, counted: SmallVec::new() }
    }

    /// These, by what a choice sees of its targets, and by what was read before where it is made again.
    pub(crate) fn seeing(self, sight: &'a Sight, told: Option<&'a Readings>) -> Self {
        Self { sight: Some(sight), told, ..self }
    }

    /// What was read for these targets.
    pub(crate) fn readings(&self, candidates: &[Candidate]) -> Readings {
        let mut readings = Readings { has_no_shape: self.shape == Some(None), ..Readings::default() };
        if let Some(Some(shape)) = &self.shape {
            for tokenizer in candidates.iter().map(|candidate| candidate.tokenizer) {
                if readings.shaped(tokenizer).is_none() {
                    readings.shapes.push((tokenizer.name().into(), tokenizer.estimate(shape)));
                }
            }
        }
        readings.counts =
            self.counted.iter().map(|(tokenizer, tokens)| (tokenizer.name().into(), *tokens)).collect();
        readings
    }

    /// The best estimate so far, reading nothing more.
    #[must_use]
    pub fn estimate(&self, candidate: &Candidate) -> Tokens {
        let tokenizer = candidate.tokenizer;
        let around = self.around(tokenizer);
        if let Some((_, Some(tokens))) = self.counted.iter().find(|(known, _)| *known == tokenizer) {
            // Exact for the text; what surrounds it is estimated, and at most a few percent.
            let error = if tokenizer.is_exact() { 2 } else { 10 };
            return Tokens::around(*tokens, error, Instrument::Tokenizer).plus(around);
        }
        let bytes = self.input.text_bytes;
        let observed = match self.sight {
            Some(sight) => sight.observed(candidate, bytes),
            None => candidate.health.calibration.tokens(bytes),
        };
        let shape_error = u64::from(tokenizer.error_percent());
        if let Some(Some(shape)) = &self.shape
            && observed.is_none_or(|observed| u64::from(observed.error_percent) > shape_error)
        {
            let told = self.told.and_then(|told| told.shaped(tokenizer));
            let likely = told.unwrap_or_else(|| tokenizer.estimate(shape));
            return Tokens::around(likely, shape_error, Instrument::Shape).plus(around);
        }
        if let Some(observed) = observed {
            let error = u64::from(observed.error_percent);
            return Tokens::around(observed.tokens, error, Instrument::Observed)
                .plus(self.input.media_tokens);
        }
        self.by_length(tokenizer).plus(around)
    }

    /// Whether the input certainly has no more tokens than this.
    #[must_use]
    pub fn is_surely_within(&self, candidate: &Candidate, limit: u64) -> bool {
        let bound = self.input.text_bytes.saturating_add(self.around(candidate.tokenizer));
        bound.saturating_add(ADDED_TOKENS_MAX) <= limit
    }

    /// The estimate for comparing with `limit`: more is read where, and only where, that could change the outcome.
    pub fn against(&mut self, candidate: &Candidate, limit: u64) -> Tokens {
        let mut tokens = self.estimate(candidate);
        if self.is_rough(candidate, &tokens) && tokens.straddles(limit) {
            tokens = self.read_shape(candidate);
        }
        if tokens.by != Instrument::Tokenizer && tokens.is_near(limit) {
            tokens = self.run_tokenizer(candidate);
        }
        tokens
    }

    /// The estimate by the shape of the text, where it can be read.
    pub fn by_shape(&mut self, candidate: &Candidate) -> Tokens {
        self.read_shape(candidate)
    }

    /// Whether reading the shape, which nobody has done yet, would narrow an estimate.
    pub(crate) fn is_rough(&self, candidate: &Candidate, tokens: &Tokens) -> bool {
        let error = match tokens.by {
            Instrument::Length => return self.shape.is_none(),
            Instrument::Shape | Instrument::Tokenizer => return false,
            Instrument::Observed => u128::from(tokens.high.saturating_sub(tokens.likely)),
        };
        let of_shape = u128::from(tokens.likely) * u128::from(candidate.tokenizer.error_percent());
        self.shape.is_none() && error * 100 > of_shape
    }

    /// Reads the shape, unless that has been tried, and estimates again.
    pub(crate) fn read_shape(&mut self, candidate: &Candidate) -> Tokens {
        if self.shape.is_none() {
            self.shape = Some(self.counter.shape());
        }
        self.estimate(candidate)
    }

    /// Runs the target's tokenizer, unless that has been tried; falls back on the shape.
    pub(crate) fn run_tokenizer(&mut self, candidate: &Candidate) -> Tokens {
        let tokenizer = candidate.tokenizer;
        if !self.counted.iter().any(|(known, _)| *known == tokenizer) {
            let tokens = self.counter.count(tokenizer);
            self.counted.push((tokenizer, tokens));
        }
        self.read_shape_if_needed(candidate)
    }

    fn read_shape_if_needed(&mut self, candidate: &Candidate) -> Tokens {
        let tokens = self.estimate(candidate);
        if tokens.by == Instrument::Length { self.read_shape(candidate) } else { tokens }
    }

    fn by_length(&self, tokenizer: Tokenizer) -> Tokens {
        let bytes = self.input.text_bytes;
        let likely =
            (u128::from(bytes) * 1000).div_ceil(u128::from(tokenizer.prose_millibytes().max(1))) as u64;
        let high = likely.saturating_mul(PROSE_FACTOR_MAX).min(bytes);
        Tokens { low: likely / 2, likely, high, by: Instrument::Length }
    }

    /// Tokens besides the text.
    fn around(&self, tokenizer: Tokenizer) -> u64 {
        let messages = tokenizer.message_tokens().saturating_mul(u64::from(self.input.messages));
        messages.saturating_add(self.input.media_tokens)
    }
}

#[cfg(test)]
mod tests;
