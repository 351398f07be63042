//! `least-loaded`: by how full the targets are.
//!
//! Where a model server is scraped, its queue and its key-value cache say so, with credit for calls of ours that its last
//! figures cannot contain ([`crate::load`]); elsewhere the number of our calls does. Two choices among those with room;
//! targets that are marked `spill` only when no other has room; the saturated last, the least bad of them first.

use smallvec::SmallVec;

use super::{Ask, Order, Plugin, Ranked, Strategy, two_choices};
use crate::candidate::Candidate;
use crate::load::Load;
use crate::reason::Reason;
use crate::sight::Sight;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "least-loaded",
    summary: "By queue depth and cache use where the model server tells them, else by our calls in flight.",
    when: "A pool of model servers of one's own, with or without a cloud target for the overflow.",
    make: |_| Ok(Box::new(LeastLoaded)),
};

/// Calls of ours that count as a saturated target where nothing is scraped: a usual batch.
const CALLS_FULL: f32 = 32.0;

#[derive(Debug)]
struct LeastLoaded;

/// In the order of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    HasRoom,
    Spill,
    Saturated,
}

/// How full a target is.
pub(crate) fn load(candidate: &Candidate, sight: &Sight) -> Load {
    sight
        .load(candidate)
        .unwrap_or_else(|| Load { score: sight.in_flight(candidate) as f32 / CALLS_FULL, is_measured: false })
}

impl Strategy for LeastLoaded {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        let mut found: SmallVec<[(Rank, f32, u64, Ranked); 16]> = SmallVec::new();
        for (index, candidate) in ask.candidates() {
            let Load { score, is_measured } = load(candidate, ask.sight);
            let rank = match (candidate.is_spill, candidate.gauge.is_some() && score >= 1.0) {
                (_, true) => Rank::Saturated,
                (true, false) => Rank::Spill,
                (false, false) => Rank::HasRoom,
            };
            let in_flight = ask.sight.in_flight(candidate);
            let reason = match rank {
                Rank::Spill => Reason::Spill,
                _ => Reason::Load { score, in_flight, is_measured },
            };
            found.push((rank, score, ask.random.next_u64(), Ranked { index, reason }));
        }
        found.sort_by(|one, other| {
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)).then(one.2.cmp(&other.2))
        });
        let with_room = found.iter().take_while(|(rank, _, _, _)| *rank == Rank::HasRoom).count();
        let lead = two_choices(with_room, |place| found[place].1, ask.random);
        found[..=lead].rotate_right(1);
        order.extend(found.iter().map(|(_, _, _, ranked)| *ranked));
    }
}
