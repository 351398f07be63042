//! `fixed`: the order of the list.

use super::{Ask, Order, Plugin, Ranked, Strategy};
use crate::reason::Reason;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "fixed",
    summary: "The order of the list: the first target that can take the exchange, the others when it fails.",
    when: "One target is wanted and the others are its stand-ins.",
    make: |_| Ok(Box::new(Fixed)),
};

#[derive(Debug)]
struct Fixed;

impl Strategy for Fixed {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        order.extend(ask.left.iter().map(|index| Ranked { index: *index, reason: Reason::Listed }));
    }
}
