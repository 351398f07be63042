//! Token usage in disjoint classes: every token is counted in exactly one of them.
//!
//! Vendors overlap their counters (OpenAI's `prompt_tokens` includes cached tokens, Anthropic's
//! `input_tokens` does not). Decoders subtract, so that classes add up to the total and each has one price.

use serde::{Deserialize, Serialize};

use crate::money::Cost;

/// Token counts of one answer. All classes are disjoint; absent means zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input tokens read at full price: neither cached nor audio.
    pub input: u64,
    /// Input tokens served from the vendor's prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the vendor's prompt cache, kept five minutes.
    pub cache_write_5m: u64,
    /// Input tokens written to the vendor's prompt cache, kept one hour.
    pub cache_write_1h: u64,
    /// Input tokens of audio.
    pub input_audio: u64,
    /// Output tokens that are neither reasoning nor audio, where the vendor tells them apart.
    pub output: u64,
    /// Output tokens spent on reasoning, where the vendor tells them apart.
    pub reasoning: u64,
    /// Output tokens of audio.
    pub output_audio: u64,
}

impl Usage {
    /// All input tokens, of whatever class.
    #[must_use]
    pub const fn input_total(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
            .saturating_add(self.input_audio)
    }

    /// All output tokens, of whatever class.
    #[must_use]
    pub const fn output_total(&self) -> u64 {
        self.output.saturating_add(self.reasoning).saturating_add(self.output_audio)
    }

    /// All tokens.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input_total().saturating_add(self.output_total())
    }

    /// The sum of two usages, class by class.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            input_audio: self.input_audio.saturating_add(other.input_audio),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            output_audio: self.output_audio.saturating_add(other.output_audio),
        }
    }
}

/// Where a usage comes from. Bills show the three apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The vendor said so, in an answer that arrived whole.
    Reported,
    /// The answer was cut or cancelled: the last value seen, plus a labelled estimate.
    Partial,
    /// The vendor said nothing.
    #[default]
    Absent,
}

impl Provenance {
    /// The name used in records, reports and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Partial => "partial",
            Self::Absent => "absent",
        }
    }

    /// The provenance of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reported, Self::Partial, Self::Absent].into_iter().find(|one| one.as_str() == name)
    }
}

/// What one exchange used and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Tokens that the vendor reported (for a partial answer: the last value seen).
    pub usage: Usage,
    /// Where `usage` comes from.
    pub provenance: Provenance,
    /// Output tokens that we estimate beyond `usage`, for a partial answer and for a hedge's call that was cancelled. Never
    /// part of `usage`.
    pub estimated_output: u64,
    /// The price of `usage`.
    pub cost: Cost,
    /// The price of `estimated_output`, and of the input of a hedge's call that was cancelled. Never part of `cost`.
    pub estimated_cost: Cost,
    /// What the same answer had cost when a vendor gave it; `None` for all that were not answered from the cache. Never
    /// part of `cost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Cost>,
}

impl Bill {
    /// The bill of two answers. Where one of them is unknown, so is the sum; an answer that nobody was asked for adds nothing.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        if other.is_nothing() {
            return *self;
        }
        if self.is_nothing() {
            return *other;
        }
        let provenance =
            if self.provenance == other.provenance { self.provenance } else { Provenance::Partial };
        let cost = match (self.cost, other.cost) {
            (Cost::Known(one), Cost::Known(other)) => Cost::Known(one + other),
            _ => Cost::Unknown,
        };
        let estimated_cost = match (self.estimate(), other.estimate()) {
            (None, estimate) | (estimate, None) => estimate.unwrap_or_default(),
            (Some(Cost::Known(one)), Some(Cost::Known(other))) => Cost::Known(one + other),
            (Some(_), Some(_)) => Cost::Unknown,
        };
        Self {
            usage: self.usage.plus(&other.usage),
            provenance,
            estimated_output: self.estimated_output.saturating_add(other.estimated_output),
            cost,
            estimated_cost,
            saved: self.saved.or(other.saved),
        }
    }

    /// What is estimated beyond the cost, where anything is.
    fn estimate(&self) -> Option<Cost> {
        let has_any = self.estimated_output > 0 || self.estimated_cost != Cost::Unknown;
        has_any.then_some(self.estimated_cost)
    }

    /// Whether surely nothing was used and nothing is owed.
    fn is_nothing(&self) -> bool {
        self.usage == Usage::default()
            && self.estimate().is_none()
            && self.cost.known().is_some_and(|cost| cost.0 == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::PicoUsd;

    fn bill(output: u64, cost: Option<i128>) -> Bill {
        let cost = cost.map_or(Cost::Unknown, |cost| Cost::Known(PicoUsd(cost)));
        let usage = Usage { output, ..Usage::default() };
        Bill { usage, provenance: Provenance::Reported, cost, ..Bill::default() }
    }

    #[test]
    fn sum_of_two_bills_is_unknown_where_one_of_them_is() {
        let both = bill(3, Some(30)).with(&bill(4, Some(5)));
        assert_eq!((both.usage.output, both.cost), (7, Cost::Known(PicoUsd(35))));
        assert_eq!(both.provenance, Provenance::Reported);
        assert_eq!(bill(3, Some(30)).with(&bill(4, None)).cost, Cost::Unknown);
        assert_eq!(bill(3, Some(30)).with(&Bill::default()).provenance, Provenance::Partial);
    }

    #[test]
    fn call_that_nobody_bills_adds_nothing_to_a_bill() {
        let nothing = Bill { cost: Cost::Known(PicoUsd::ZERO), ..Bill::default() };
        assert_eq!(bill(3, Some(30)).with(&nothing), bill(3, Some(30)));
        assert_eq!(nothing.with(&bill(3, Some(30))), bill(3, Some(30)));
    }

    #[test]
    fn estimates_are_added_apart_from_costs() {
        let cut = |estimate: i128| Bill {
            estimated_output: 2,
            estimated_cost: Cost::Known(PicoUsd(estimate)),
            ..bill(1, Some(1))
        };
        let both = cut(10).with(&cut(5));
        assert_eq!((both.estimated_output, both.estimated_cost), (4, Cost::Known(PicoUsd(15))));
        assert_eq!(both.cost, Cost::Known(PicoUsd(2)));
        assert_eq!(cut(10).with(&bill(1, Some(1))).estimated_cost, Cost::Known(PicoUsd(10)));
        let unpriced = Bill { estimated_cost: Cost::Unknown, ..cut(0) };
        assert_eq!(cut(10).with(&unpriced).estimated_cost, Cost::Unknown);
    }
}
