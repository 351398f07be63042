//! `sticky`: how many conversations move when a target leaves, beside the digest's remainder.

use pilothouse_routing::{
    AllowList, Candidate, Constraints, Conversation, Features, Random, Route, RouteSettings, Settings, Unread,
};

use crate::row::Row;

const TARGETS: usize = 10;
const CONVERSATIONS: u64 = 20_000;

pub(crate) fn simulate(seed: u64) -> Row {
    let names: Vec<String> = (0..TARGETS).map(|number| format!("box{number}/qwen3")).collect();
    let route = Route::new(RouteSettings {
        name: "sticky",
        candidates: names.iter().map(|name| Candidate::new(name)).collect(),
        constraints: Constraints::default(),
        strategy: "sticky",
        settings: Settings::default(),
        turns_ahead: 1,
    });
    let home = |id: u64, allowed: Option<&AllowList>| {
        let conversation = Some(Conversation { id, held: None });
        let features = Features { conversation, allowed, ..Features::default() };
        let decision = route.as_ref().ok()?.choose(&features, &mut Unread, &mut Random::new(id)).ok()?;
        Some(decision.order.first()?.index)
    };
    let mut ids = Random::new(seed);
    let ids: Vec<u64> = (0..CONVERSATIONS).map(|_| ids.next_u64()).collect();
    let before: Vec<_> = ids.iter().map(|id| home(*id, None)).collect();
    let mut moved = 0_u64;
    for gone in 0..TARGETS {
        let left = names.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, name)| name.as_str());
        let left = AllowList::new(left);
        let after = ids.iter().map(|id| home(*id, Some(&left)));
        moved += after.zip(&before).filter(|(after, before)| after != *before).count() as u64;
    }
    let by_remainder = ids.iter().filter(|id| *id % TARGETS as u64 != *id % (TARGETS as u64 - 1)).count();
    Row {
        name: "`sticky`",
        figure: "share of conversations that move when one of ten targets leaves, mean of ten",
        ours: moved as f64 / (CONVERSATIONS * TARGETS as u64) as f64,
        optimum: 1.0 / TARGETS as f64,
        constant: by_remainder as f64 / CONVERSATIONS as f64,
        constant_is: "the digest's remainder",
        limit: 1.0 / TARGETS as f64,
    }
}
