//! `sticky`: a conversation keeps its target, and each target keeps its share of conversations.
//!
//! Rendezvous hashing (Thaler, Ravishankar, "Using name-based mappings to increase hit rates", 1998): each target has a
//! digest with the conversation, scaled by its weight, and the largest wins. When a target leaves, only its own
//! conversations move. A target with more than [`BOUND_PERCENT`] of its share of the calls in flight is passed over
//! (Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016), and so is a saturated server.

use smallvec::SmallVec;

use super::least_loaded::load;
use super::{Ask, Order, Plugin, Ranked, Strategy};
use crate::random::mix;
use crate::reason::Reason;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "sticky",
    summary: "The conversation's digest chooses; when a target leaves, only its own conversations move.",
    when: "Prompt caches matter: long histories, servers of one's own with prefix caches.",
    make: |_| Ok(Box::new(Sticky)),
};

/// The share of the calls in flight, in percent of the mean, above which a target is passed over.
const BOUND_PERCENT: u64 = 125;

#[derive(Debug)]
struct Sticky;

impl Strategy for Sticky {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        let conversation = ask.features.conversation.map_or_else(|| ask.random.next_u64(), |known| known.id);
        let (mut in_flight, mut weights) = (1_u64, 0_u64);
        for (_, candidate) in ask.candidates() {
            in_flight += u64::from(ask.sight.in_flight(candidate));
            weights += u64::from(candidate.weight);
        }
        let mut ring: SmallVec<[(bool, f64, Ranked); 16]> = SmallVec::new();
        for (index, candidate) in ask.candidates() {
            let weight = u64::from(candidate.weight);
            let share = (in_flight * weight * BOUND_PERCENT).div_ceil((weights * 100).max(1));
            let is_full = candidate.gauge.is_some() && load(candidate, ask.sight).score >= 1.0;
            let is_over_bound = is_full || u64::from(ask.sight.in_flight(candidate)) >= share.max(1);
            let bits = mix(candidate.id.0 ^ mix(conversation));
            // In (0, 1): the logarithm of neither end is of use.
            let unit = ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            let distance = if weight == 0 { f64::INFINITY } else { -unit.ln() / weight as f64 };
            ring.push((is_over_bound, distance, Ranked { index, reason: Reason::Ring { is_over_bound } }));
        }
        ring.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        order.extend(ring.into_iter().map(|(_, _, ranked)| ranked));
    }
}
