//! `fastest`: by the expected time of the answer.
//!
//! Expected time = time to the first token + expected output × time per token, both fading means of what was measured,
//! and never below how long calls have been waiting there without any first token: a target that hangs is slow before
//! its calls end. A figure that nobody has refreshed fades towards the best target's, so that a target that was slow is
//! tried again, by one call at a time. Of two targets that chance picks among those within [`ALIKE_PERCENT`] of the best,
//! the one with fewer calls leads.

use smallvec::SmallVec;

use super::{Ask, Index, Order, Plugin, Ranked, Strategy, two_choices};
use crate::candidate::Candidate;
use crate::price::expected_output;
use crate::reason::Reason;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "fastest",
    summary: "By expected time: to the first token, and per token, as measured of late.",
    when: "People wait for the answers, and several targets are good enough.",
    make: |_| Ok(Box::new(Fastest)),
};

/// Targets that are so much slower than the best, in percent, share the load with it.
const ALIKE_PERCENT: u64 = 10;
/// After so long without a measurement, what a target is slower than the best counts half.
const DOUBT_HALF_LIFE_MS: f32 = 10_000.0;

#[derive(Debug)]
struct Fastest;

struct Timed {
    index: Index,
    /// Microseconds; none is unmeasured.
    expected_us: Option<u64>,
    first_token_us: u64,
    token_us: u64,
    age_ms: u64,
    in_flight: u32,
}

impl Timed {
    fn of(index: Index, candidate: &Candidate, ask: &Ask<'_, '_>) -> Self {
        let in_flight = ask.sight.in_flight(candidate);
        let Some(pace) = ask.sight.pace(candidate) else {
            return Self { index, expected_us: None, first_token_us: 0, token_us: 0, age_ms: 0, in_flight };
        };
        let first_token_us = pace.first_token_us.max(ask.sight.stalled_us(candidate));
        let tokens_us = pace.token_ns.saturating_mul(expected_output(candidate, ask.features)) / 1000;
        Self {
            index,
            expected_us: Some(first_token_us.saturating_add(tokens_us)),
            first_token_us,
            token_us: pace.token_ns / 1000,
            age_ms: pace.age_ms,
            in_flight,
        }
    }

    /// The time to compare by: an old figure is doubted, and an unmeasured target may be as fast as the best; but only
    /// while no call of ours is there to find out.
    fn compared_us(&self, best_us: u64) -> u64 {
        let Some(expected_us) = self.expected_us else {
            return if self.in_flight == 0 { best_us } else { u64::MAX };
        };
        if self.in_flight > 0 {
            return expected_us;
        }
        let kept = (-(self.age_ms as f32) / DOUBT_HALF_LIFE_MS).exp2();
        best_us + (expected_us.saturating_sub(best_us) as f32 * kept) as u64
    }

    fn reason(&self) -> Reason {
        let Self { first_token_us, token_us, .. } = *self;
        self.expected_us.map_or(Reason::Unmeasured, |expected_us| Reason::Speed {
            first_token_us,
            token_us,
            expected_us,
        })
    }
}

impl Strategy for Fastest {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        let timed: SmallVec<[Timed; 16]> =
            ask.candidates().map(|(index, candidate)| Timed::of(index, candidate, ask)).collect();
        let best_us = timed.iter().filter_map(|one| one.expected_us).min().unwrap_or(0);
        let mut compared: SmallVec<[(u64, u64, &Timed); 16]> =
            timed.iter().map(|one| (one.compared_us(best_us), ask.random.next_u64(), one)).collect();
        // Equals, the unmeasured first of all, go by chance.
        compared.sort_by_key(|(time_us, chance, _)| (*time_us, *chance));
        let limit = best_us.saturating_add(best_us / 100 * ALIKE_PERCENT);
        let alike = compared.iter().take_while(|(time_us, _, _)| *time_us <= limit).count();
        let lead = two_choices(alike, |place| compared[place].2.in_flight, ask.random);
        compared[..=lead].rotate_right(1);
        order.extend(compared.iter().map(|(_, _, one)| Ranked { index: one.index, reason: one.reason() }));
    }
}
