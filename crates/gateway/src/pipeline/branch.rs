//! Which route takes a call: a route's branches are asked before anything else is.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Note;

use super::read::Asked;
use crate::job::Job;
use crate::plan::{Asks, Plan};
use crate::shared::Shared;

/// Finds the route that takes a call, where the one that was called has branches.
pub(super) fn follow(shared: &Shared, plan: &Plan, dialect: Dialect, asked: &mut Asked<'_>) {
    if plan.routes.is_empty() {
        return;
    }
    // One moment for all conditions of a call; most calls ask none.
    let mut at = None;
    let none = Asks::default();
    let branching = plan.branching(&asked.model, |route| {
        let at = *at.get_or_insert_with(|| shared.clock.now());
        route.outcomes(&asked.given(dialect, at, route.asks.as_ref().unwrap_or(&none)))
    });
    asked.branching = branching.map(Box::new);
}

/// Says in the receipt which branches were asked, and what came of them.
pub(super) fn noted(plan: &Plan, asked: &Asked<'_>, job: &mut Job) {
    for words in asked.branching.iter().flat_map(|branching| plan.branching_in_words(branching)) {
        job.noted(Note::new("branch", &words));
    }
}
