//! What one choice sees of its targets' health, and of their conditions. Each figure is read once, so that what is kept of
//! it is what was used, whatever other calls change meanwhile; and a choice that is made again sees what was kept.

use std::cell::Cell;

use pilothouse_cel::{Expression, Values};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::written::{Text, into_text, put, put_list, put_value, put_words};
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;
use smallvec::SmallVec;

use crate::candidate::Candidate;
use crate::health::breaker::Standing;
use crate::health::{Observed, Pace};
use crate::load::Load;
use crate::reason::Unmet;
use crate::strategy::Index;

/// Of so many targets, what is told of them are words that choices have in common; of more, no two choices tell the same.
const SEEN_SHARED_MAX: usize = 4;

/// The figures of a route's targets, as one choice sees them.
#[derive(Debug, Default)]
pub struct Sight {
    at: UnixMs,
    rows: SmallVec<[Row; 4]>,
}

/// What was read of one target; `None` is not read yet.
#[derive(Clone, Debug, Default)]
struct Row {
    in_flight: Cell<Option<u32>>,
    resting_ms: Cell<Option<Option<u64>>>,
    buried_ms: Cell<Option<Option<u64>>>,
    pace: Cell<Option<Option<Pace>>>,
    stalled_us: Cell<Option<u64>>,
    first_token_p95_us: Cell<Option<Option<u64>>>,
    total_p95_us: Cell<Option<Option<u64>>>,
    observed: Cell<Option<Option<Observed>>>,
    load: Cell<Option<Load>>,
    unmet: Cell<Option<Option<Unmet>>>,
}

/// What was seen of one target, without what says nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(default)]
pub(crate) struct Seen {
    /// The place among the route's candidates.
    place: Index,
    #[cfg_attr(test, serde(skip_serializing_if = "is_zero"))]
    in_flight: u32,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    resting_ms: Option<u64>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    buried_ms: Option<u64>,
    /// Microseconds to the first token, nanoseconds per token, milliseconds since.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pace: Option<(u64, u64, u64)>,
    #[cfg_attr(test, serde(skip_serializing_if = "is_zero_us"))]
    stalled_us: u64,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    first_token_p95_us: Option<u64>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    total_p95_us: Option<u64>,
    /// Tokens of the request's text, and the error in percent.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    observed: Option<(u64, u32)>,
    /// The bits of the score, because text would round it, and whether it was measured.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    load: Option<(u32, bool)>,
    /// How the target's condition was not met.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    unmet: Option<Unmet>,
}

#[cfg(test)]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero_us(count: &u64) -> bool {
    *count == 0
}

/// Puts a member behind a text, where it is there.
pub(crate) fn put_some(json: &mut impl Text, name: &str, value: Option<u64>) {
    if let Some(value) = value {
        put_words(json, &[name], &[value]);
    }
}

/// The figure of a cell: what was read before, or what is read now.
fn once<T: Copy>(cell: &Cell<Option<T>>, read: impl FnOnce() -> T) -> T {
    cell.get().unwrap_or_else(|| {
        let value = read();
        cell.set(Some(value));
        value
    })
}

impl Sight {
    /// Nothing seen yet of so many targets.
    #[must_use]
    pub fn of(candidates: usize, at: UnixMs) -> Self {
        Self { at, rows: SmallVec::from_elem(Row::default(), candidates) }
    }

    /// What was seen before: whatever was not, is as of a target that has never been called.
    pub(crate) fn again(candidates: usize, at: UnixMs, seen: &[Seen]) -> Self {
        let mut rows = SmallVec::with_capacity(candidates);
        for place in 0..candidates {
            let one = seen.iter().find(|one| usize::from(one.place) == place).cloned().unwrap_or_default();
            rows.push(Row::told(&one));
        }
        Self { at, rows }
    }

    /// Puts what was seen behind the text of its object, as a member that is a list of [`Seen`]; nothing where that says
    /// nothing.
    pub(crate) fn put(&self, json: &mut impl Text) {
        if !self.rows.iter().any(Row::says_something) {
            return;
        }
        put(json, ",\"seen\":");
        if self.rows.len() <= SEEN_SHARED_MAX {
            return self.put_rows(json);
        }
        let mut list = Vec::new();
        self.put_rows(&mut list);
        json.own(&into_text(list));
    }

    fn put_rows(&self, json: &mut impl Text) {
        let rows = (0..).zip(&self.rows).filter(|(_, row)| row.says_something());
        put_list(json, rows, |json, (place, row)| row.put(json, place));
    }

    fn row(&self, candidate: &Candidate) -> Option<&Row> {
        self.rows.get(usize::from(candidate.place))
    }

    fn read<T: Copy>(
        &self,
        candidate: &Candidate,
        cell: impl FnOnce(&Row) -> &Cell<Option<T>>,
        read: impl FnOnce() -> T,
    ) -> T {
        match self.row(candidate) {
            Some(row) => once(cell(row), read),
            None => read(),
        }
    }

    /// Calls that are under way.
    #[must_use]
    pub fn in_flight(&self, candidate: &Candidate) -> u32 {
        self.read(candidate, |row| &row.in_flight, || candidate.health.in_flight())
    }

    /// Milliseconds for which the breaker lets nothing pass.
    #[must_use]
    pub fn resting_ms(&self, candidate: &Candidate) -> Option<u64> {
        let read = || match candidate.health.standing(self.at) {
            Standing::Open { retry_after_ms } => Some(retry_after_ms),
            Standing::Closed | Standing::HalfOpen => None,
        };
        self.read(candidate, |row| &row.resting_ms, read)
    }

    /// Milliseconds for which the target is not asked for, because its vendor does not have it.
    #[must_use]
    pub fn buried_ms(&self, candidate: &Candidate) -> Option<u64> {
        let read = || candidate.health.tombstones.target_buried_ms(self.at);
        self.read(candidate, |row| &row.buried_ms, read)
    }

    /// How fast it has been.
    #[must_use]
    pub fn pace(&self, candidate: &Candidate) -> Option<Pace> {
        self.read(candidate, |row| &row.pace, || candidate.health.pace(self.at))
    }

    /// Microseconds for which calls have waited for a first token while none came.
    #[must_use]
    pub fn stalled_us(&self, candidate: &Candidate) -> u64 {
        self.read(candidate, |row| &row.stalled_us, || candidate.health.stalled_us(self.at))
    }

    /// Microseconds that 95 of 100 first tokens stayed within.
    #[must_use]
    pub fn first_token_p95_us(&self, candidate: &Candidate) -> Option<u64> {
        let read = || candidate.health.first_token_p95_us();
        self.read(candidate, |row| &row.first_token_p95_us, read)
    }

    /// Microseconds that 95 of 100 whole answers stayed within.
    #[must_use]
    pub fn total_p95_us(&self, candidate: &Candidate) -> Option<u64> {
        self.read(candidate, |row| &row.total_p95_us, || candidate.health.total_p95_us())
    }

    /// The tokens that the request's text is expected to be, by what the vendor reported before. A choice is about one
    /// request, so that `text_bytes` is always the same.
    #[must_use]
    pub fn observed(&self, candidate: &Candidate, text_bytes: u64) -> Option<Observed> {
        let read = || candidate.health.calibration.tokens(text_bytes);
        self.read(candidate, |row| &row.observed, read)
    }

    /// What its model server says of its queue, where it is scraped.
    #[must_use]
    pub fn load(&self, candidate: &Candidate) -> Option<Load> {
        let gauge = candidate.gauge.as_ref()?;
        let in_flight = self.in_flight(candidate);
        Some(self.read(candidate, |row| &row.load, || gauge.load(self.at, in_flight)))
    }

    /// How its condition is not met. What it was asked about is not kept, so that its outcome is.
    pub(crate) fn unmet(
        &self,
        candidate: &Candidate,
        condition: &Expression,
        values: Option<&dyn Values>,
    ) -> Option<Unmet> {
        self.read(candidate, |row| &row.unmet, || unmet(condition, values))
    }
}

/// How a condition is not met by an exchange; `None` where it is.
#[must_use]
pub fn unmet(condition: &Expression, values: Option<&dyn Values>) -> Option<Unmet> {
    let Some(values) = values else { return Some(Unmet::Untold) };
    match condition.holds(values) {
        Ok(true) => None,
        Ok(false) => Some(Unmet::False),
        Err(fault) => Some(Unmet::Fault(fault)),
    }
}

impl Row {
    fn told(seen: &Seen) -> Self {
        let pace =
            seen.pace.map(|(first_token_us, token_ns, age_ms)| Pace { first_token_us, token_ns, age_ms });
        let observed = seen.observed.map(|(tokens, error_percent)| Observed { tokens, error_percent });
        let load = seen.load.map_or(Load { score: 0.0, is_measured: false }, |(bits, is_measured)| Load {
            score: f32::from_bits(bits),
            is_measured,
        });
        Self {
            in_flight: Cell::new(Some(seen.in_flight)),
            resting_ms: Cell::new(Some(seen.resting_ms)),
            buried_ms: Cell::new(Some(seen.buried_ms)),
            pace: Cell::new(Some(pace)),
            stalled_us: Cell::new(Some(seen.stalled_us)),
            first_token_p95_us: Cell::new(Some(seen.first_token_p95_us)),
            total_p95_us: Cell::new(Some(seen.total_p95_us)),
            observed: Cell::new(Some(observed)),
            load: Cell::new(Some(load)),
            unmet: Cell::new(Some(seen.unmet)),
        }
    }

    /// Whether anything was seen that a target which has never been called does not show.
    fn says_something(&self) -> bool {
        let is_some = |cell: &Cell<Option<Option<u64>>>| matches!(cell.get(), Some(Some(_)));
        matches!(self.in_flight.get(), Some(1..))
            || is_some(&self.resting_ms)
            || is_some(&self.buried_ms)
            || matches!(self.pace.get(), Some(Some(_)))
            || matches!(self.stalled_us.get(), Some(1..))
            || is_some(&self.first_token_p95_us)
            || is_some(&self.total_p95_us)
            || matches!(self.observed.get(), Some(Some(_)))
            || self.load.get().is_some()
            || matches!(self.unmet.get(), Some(Some(_)))
    }

    /// Puts it behind a text, as the JSON of a [`Seen`].
    fn put(&self, json: &mut impl Text, place: Index) {
        put_words(json, &["{\"place\":"], &[u64::from(place)]);
        let in_flight = self.in_flight.get().filter(|count| *count > 0);
        put_some(json, ",\"in_flight\":", in_flight.map(u64::from));
        put_some(json, ",\"resting_ms\":", self.resting_ms.get().flatten());
        put_some(json, ",\"buried_ms\":", self.buried_ms.get().flatten());
        if let Some(pace) = self.pace.get().flatten() {
            let numbers = [pace.first_token_us, pace.token_ns, pace.age_ms];
            put_words(json, &[",\"pace\":[", ",", ",", "]"], &numbers);
        }
        put_some(json, ",\"stalled_us\":", self.stalled_us.get().filter(|us| *us > 0));
        put_some(json, ",\"first_token_p95_us\":", self.first_token_p95_us.get().flatten());
        put_some(json, ",\"total_p95_us\":", self.total_p95_us.get().flatten());
        if let Some(observed) = self.observed.get().flatten() {
            let numbers = [observed.tokens, u64::from(observed.error_percent)];
            put_words(json, &[",\"observed\":[", ",", "]"], &numbers);
        }
        if let Some(load) = self.load.get() {
            put_words(json, &[",\"load\":[", ","], &[u64::from(load.score.to_bits())]);
            put(json, if load.is_measured { "true]" } else { "false]" });
        }
        if let Some(unmet) = self.unmet.get().flatten() {
            put(json, ",\"unmet\":");
            put_value(json, &unmet);
        }
        put(json, "}");
    }
}
