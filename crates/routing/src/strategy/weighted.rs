//! `weighted`: drawn by weight, without replacement.

use smallvec::SmallVec;

use super::{Ask, Index, Order, Plugin, Ranked, Strategy};
use crate::reason::Reason;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "weighted",
    summary: "Drawn by the targets' weights; those of weight zero come last.",
    when: "Traffic is split on purpose: a trial of a new model, two accounts with different limits.",
    make: |_| Ok(Box::new(Weighted)),
};

#[derive(Debug)]
struct Weighted;

impl Strategy for Weighted {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        let of = ask.candidates().map(|(_, candidate)| u64::from(candidate.weight)).sum();
        let mut drawn: SmallVec<[(f64, Index, u32); 16]> = SmallVec::new();
        for (index, candidate) in ask.candidates() {
            // The smallest of exponential variates with these rates is each target with its share of the weights, and so
            // on for the rest (Efraimidis, Spirakis, "Weighted random sampling with a reservoir", 2006).
            let unit = 1.0 - ask.random.unit();
            let key =
                if candidate.weight == 0 { f64::INFINITY } else { -unit.ln() / f64::from(candidate.weight) };
            drawn.push((key, index, candidate.weight));
        }
        drawn.sort_by(|one, other| one.0.total_cmp(&other.0));
        let ranked = |(_, index, weight)| Ranked { index, reason: Reason::Weight { weight, of } };
        order.extend(drawn.into_iter().map(ranked));
    }
}
