//! Sums over exchanges that cannot overflow, round or mix what is known with what is not.

use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Provenance, Usage};
use serde::Serialize;

use crate::numbers::Numbers;
use crate::parts;

/// Sums of tokens in disjoint classes; the same classes as [`Usage`], wide enough for any number of exchanges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Input at full price.
    pub input: u128,
    /// Input served from the vendor's prompt cache.
    pub cache_read: u128,
    /// Input written to the vendor's prompt cache, kept five minutes.
    pub cache_write_5m: u128,
    /// Input written to the vendor's prompt cache, kept one hour.
    pub cache_write_1h: u128,
    /// Audio input.
    pub input_audio: u128,
    /// Output that is neither reasoning nor audio.
    pub output: u128,
    /// Output spent on reasoning.
    pub reasoning: u128,
    /// Audio output.
    pub output_audio: u128,
}

impl Tokens {
    /// All input tokens.
    #[must_use]
    pub const fn input_total(&self) -> u128 {
        self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.input_audio
    }

    /// All output tokens.
    #[must_use]
    pub const fn output_total(&self) -> u128 {
        self.output + self.reasoning + self.output_audio
    }

    /// What is left of them without others; `None` where those are not within them.
    pub(crate) fn without(&self, other: &Self) -> Option<Self> {
        Some(Self {
            input: self.input.checked_sub(other.input)?,
            cache_read: self.cache_read.checked_sub(other.cache_read)?,
            cache_write_5m: self.cache_write_5m.checked_sub(other.cache_write_5m)?,
            cache_write_1h: self.cache_write_1h.checked_sub(other.cache_write_1h)?,
            input_audio: self.input_audio.checked_sub(other.input_audio)?,
            output: self.output.checked_sub(other.output)?,
            reasoning: self.reasoning.checked_sub(other.reasoning)?,
            output_audio: self.output_audio.checked_sub(other.output_audio)?,
        })
    }

    /// Adds other sums, class by class.
    pub const fn add(&mut self, other: &Self) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.input_audio += other.input_audio;
        self.output += other.output;
        self.reasoning += other.reasoning;
        self.output_audio += other.output_audio;
    }
}

impl From<&Usage> for Tokens {
    fn from(usage: &Usage) -> Self {
        Self {
            input: usage.input.into(),
            cache_read: usage.cache_read.into(),
            cache_write_5m: usage.cache_write_5m.into(),
            cache_write_1h: usage.cache_write_1h.into(),
            input_audio: usage.input_audio.into(),
            output: usage.output.into(),
            reasoning: usage.reasoning.into(),
            output_audio: usage.output_audio.into(),
        }
    }
}

/// Sums over exchanges of one group: what a roll-up row holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) exchanges: u64,
    /// Exchanges with a known cost; `cost` is theirs.
    pub(crate) priced: u64,
    pub(crate) cost: PicoUsd,
    pub(crate) tokens: Tokens,
    pub(crate) estimated_output: u128,
    /// Exchanges with an estimate.
    pub(crate) estimates: u64,
    /// Exchanges whose estimate has a known price; `estimated_cost` is theirs.
    pub(crate) estimates_priced: u64,
    pub(crate) estimated_cost: PicoUsd,
    pub(crate) total_us: u128,
    /// Exchanges that were answered from the cache.
    pub(crate) hits: u64,
    /// What those of them had cost whose price was known.
    pub(crate) saved: PicoUsd,
    /// Answers that were paid for and not passed on; their exchanges are counted where the answer is that was.
    pub(crate) answers: u64,
}

impl Sums {
    /// The sums of one exchange.
    #[inline]
    pub(crate) fn of(cost: Cost, estimated_cost: Cost, numbers: &Numbers) -> Self {
        let estimate = numbers.estimated_output > 0 || estimated_cost != Cost::Unknown;
        Self {
            exchanges: 1,
            priced: cost.known().is_some().into(),
            cost: cost.known().unwrap_or_default(),
            tokens: Tokens::from(&numbers.usage),
            estimated_output: numbers.estimated_output.into(),
            estimates: estimate.into(),
            estimates_priced: estimated_cost.known().is_some().into(),
            estimated_cost: estimated_cost.known().unwrap_or_default(),
            total_us: numbers.timings.total_us.into(),
            hits: numbers.saved.is_some().into(),
            saved: numbers.saved.and_then(Cost::known).unwrap_or_default(),
            answers: 0,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.exchanges += other.exchanges;
        self.priced += other.priced;
        self.cost += other.cost;
        self.tokens.add(&other.tokens);
        self.estimated_output += other.estimated_output;
        self.estimates += other.estimates;
        self.estimates_priced += other.estimates_priced;
        self.estimated_cost += other.estimated_cost;
        self.total_us += other.total_us;
        self.hits += other.hits;
        self.saved += other.saved;
        self.answers += other.answers;
    }
}

/// How a group of exchanges ended and where its usage comes from: kept apart in every total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Class {
    pub(crate) provenance: Provenance,
    pub(crate) end: End,
}

/// How exchanges ended, without the class of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum End {
    Complete,
    Cancelled,
    Failed,
}

impl Class {
    pub(crate) const fn of(outcome: Outcome, provenance: Provenance) -> Self {
        let end = match outcome {
            Outcome::Complete => End::Complete,
            Outcome::Cancelled => End::Cancelled,
            Outcome::Failed(_) => End::Failed,
        };
        Self { provenance, end }
    }

    /// The number on disk: provenance × 3 + end.
    pub(crate) const fn code(self) -> i64 {
        crate::codes::of_provenance(self.provenance) * 3
            + match self.end {
                End::Complete => 0,
                End::Cancelled => 1,
                End::Failed => 2,
            }
    }

    pub(crate) fn parse(code: i64) -> Option<Self> {
        let end = match code.rem_euclid(3) {
            0 => End::Complete,
            1 => End::Cancelled,
            _ => End::Failed,
        };
        Some(Self { provenance: crate::codes::provenance(code.div_euclid(3))?, end })
    }
}

/// Exchanges whose usage comes from the same kind of source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// How many exchanges.
    pub exchanges: u64,
    /// Their tokens, as the vendors said.
    pub tokens: Tokens,
    /// How many of them have a known cost.
    pub priced: u64,
    /// The cost of those, and of the answers that were not passed on.
    pub cost: PicoUsd,
    /// Answers that were paid for and not passed on; their tokens are in these, their exchanges need not be.
    pub answers: u64,
}

impl Slice {
    /// Whether nothing is counted in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.exchanges == 0 && self.answers == 0
    }

    fn add(&mut self, other: &Self) {
        self.exchanges += other.exchanges;
        self.tokens.add(&other.tokens);
        self.priced += other.priced;
        self.cost += other.cost;
        self.answers += other.answers;
    }
}

/// Sums over exchanges: what is known, by where it comes from, and apart from it what is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All exchanges.
    pub exchanges: u64,
    /// Those whose answer arrived whole.
    pub complete: u64,
    /// Those whose client went away first.
    pub cancelled: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that never reached a vendor, and so cost nothing.
    pub unsent: u64,
    /// Usage that vendors reported in whole answers.
    pub reported: Slice,
    /// The last usage seen of answers that were cut or cancelled.
    pub partial: Slice,
    /// Exchanges without any usage.
    pub absent: Slice,
    /// Exchanges that reached a vendor and whose cost is unknown. Never counted as zero.
    pub cost_unknown: u64,
    /// Exchanges with an estimate of output beyond the last usage seen. Never part of the other figures.
    pub estimates: u64,
    /// Output tokens estimated for those.
    pub estimated_output: u128,
    /// The price of the estimates whose price is known.
    pub estimated_cost: PicoUsd,
    /// Estimates without a known price.
    pub estimates_unpriced: u64,
    /// Microseconds from request to last byte, summed.
    pub total_us: u128,
    /// Those that were answered from the cache.
    pub hits: u64,
    /// What those answers had cost when a vendor gave them, as far as that is known. Never part of the cost.
    pub saved: PicoUsd,
    /// Answers that were paid for and not passed on: cheap ones of cascades that would not do, streams that broke off and were
    /// continued. Their tokens and costs are counted at their own targets.
    pub answers: u64,
}

impl Totals {
    /// The known cost of all exchanges, without estimates.
    #[must_use]
    pub fn cost(&self) -> PicoUsd {
        self.reported.cost + self.partial.cost + self.absent.cost
    }

    /// The tokens of all exchanges, as the vendors said; without estimates.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        let mut sum = self.reported.tokens;
        sum.add(&self.partial.tokens);
        sum.add(&self.absent.tokens);
        sum
    }

    /// Whether usage of each source is there: reported, partial, absent.
    #[must_use]
    pub const fn sources(&self) -> [bool; 3] {
        [!self.reported.is_empty(), !self.partial.is_empty(), !self.absent.is_empty()]
    }

    /// Adds one exchange, with all its answers.
    pub fn count(&mut self, exchange: &Exchange) {
        let class = Class::of(exchange.outcome, exchange.bill.provenance);
        let (own, parts) = parts::of(exchange);
        self.take_in(class, exchange.target.is_some(), &own);
        parts.iter().for_each(|part| self.take_in(part.class, true, &part.sums));
    }

    /// Adds other totals.
    pub fn add(&mut self, other: &Self) {
        self.exchanges += other.exchanges;
        self.complete += other.complete;
        self.cancelled += other.cancelled;
        self.failed += other.failed;
        self.unsent += other.unsent;
        self.reported.add(&other.reported);
        self.partial.add(&other.partial);
        self.absent.add(&other.absent);
        self.cost_unknown += other.cost_unknown;
        self.estimates += other.estimates;
        self.estimated_output += other.estimated_output;
        self.estimated_cost += other.estimated_cost;
        self.estimates_unpriced += other.estimates_unpriced;
        self.total_us += other.total_us;
        self.hits += other.hits;
        self.saved += other.saved;
        self.answers += other.answers;
    }

    pub(crate) fn take_in(&mut self, class: Class, sent: bool, sums: &Sums) {
        self.exchanges += sums.exchanges;
        match class.end {
            End::Complete => self.complete += sums.exchanges,
            End::Cancelled => self.cancelled += sums.exchanges,
            End::Failed => self.failed += sums.exchanges,
        }
        let unpriced = sums.exchanges.saturating_sub(sums.priced);
        if sent {
            self.cost_unknown += unpriced;
        } else {
            self.unsent += unpriced;
        }
        let slice = match class.provenance {
            Provenance::Reported => &mut self.reported,
            Provenance::Partial => &mut self.partial,
            Provenance::Absent => &mut self.absent,
        };
        slice.add(&Slice {
            exchanges: sums.exchanges,
            tokens: sums.tokens,
            priced: sums.priced,
            cost: sums.cost,
            answers: sums.answers,
        });
        self.estimates += sums.estimates;
        self.estimated_output += sums.estimated_output;
        self.estimated_cost += sums.estimated_cost;
        self.estimates_unpriced += sums.estimates.saturating_sub(sums.estimates_priced);
        self.total_us += sums.total_us;
        self.hits += sums.hits;
        self.saved += sums.saved;
        self.answers += sums.answers;
    }
}
