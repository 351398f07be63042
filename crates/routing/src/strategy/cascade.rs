//! `cascade`: the first target answers, its answer is checked, and the last one answers where it will not do.
//!
//! The list goes from cheap to strong. With agreement, the second target answers beside the first. What becomes of the
//! answers is [`crate::cascade`]; here is only who takes part.

use super::{Ask, Order, Plugin, Ranked, Strategy};
use crate::reason::Reason;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "cascade",
    summary: "A cheap target answers first; declared checks, or a second cheap answer, decide whether the strong one must.",
    when: "Most questions are easy, wrong answers can be told, and nobody waits for the first token.",
    make: |settings| Ok(Box::new(Cascade { has_partner: settings.agreement })),
};

#[derive(Debug)]
struct Cascade {
    has_partner: bool,
}

impl Strategy for Cascade {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        let Some((strong, cheaper)) = ask.left.split_last() else { return };
        // With two targets there is nobody to agree with but the strong one itself.
        let parts = if self.has_partner && cheaper.len() >= 2 { 2 } else { cheaper.len().min(1) };
        let roles = [Reason::Cheap, Reason::Partner];
        order.extend(
            cheaper.iter().zip(roles).take(parts).map(|(index, reason)| Ranked { index: *index, reason }),
        );
        order.push(Ranked { index: *strong, reason: Reason::Strong });
        // Those between stand in for the strong one, the strongest first.
        let rest = cheaper.iter().skip(parts).rev();
        order.extend(rest.map(|index| Ranked { index: *index, reason: Reason::Listed }));
    }

    fn holds_conversations(&self) -> bool {
        false
    }

    fn is_cascade(&self) -> bool {
        true
    }
}
