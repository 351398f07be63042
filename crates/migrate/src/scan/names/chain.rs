//! Which model to go to: replacements are followed until one is alive.

use std::sync::Arc;

use pilothouse_catalog::day;
use pilothouse_catalog::{Model, Status};
use pilothouse_core::clock::UnixMs;

use super::{Hints, Names};

/// How long a model must live beyond the day to be worth going to.
const ALIVE_DAYS_MIN: u64 = 90;
/// How many replacements are followed.
const LINKS_MAX: usize = 8;

impl Names {
    /// The model to go to instead of `model`: its replacement, or that one's, until one is alive 90 days beyond
    /// `today` (`YYYY-MM-DD`). On the same platform where that lists it, else the maker's row. `None` if the
    /// catalogue names none, or only ones that die too.
    #[must_use]
    pub fn alive_replacement(&self, model: &Model, today: &str) -> Option<Arc<Model>> {
        let now = day::start_of(today)?;
        let mut seen = vec![(model.platform().to_owned(), model.id().to_owned())];
        self.follow(model, now, &mut seen)
    }

    fn follow(&self, model: &Model, now: UnixMs, seen: &mut Vec<(String, String)>) -> Option<Arc<Model>> {
        if seen.len() > LINKS_MAX {
            return None;
        }
        let named = self.named_by(model);
        if let Some(alive) = named.iter().find(|one| is_alive(one, now)) {
            return Some(alive.clone());
        }
        for one in named {
            let key = (one.platform().to_owned(), one.id().to_owned());
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            if let Some(found) = self.follow(&one, now, seen) {
                return Some(found);
            }
        }
        None
    }

    /// The rows that a model's notice names instead, in its order.
    fn named_by(&self, model: &Model) -> Vec<Arc<Model>> {
        let here = Hints::on(model.platform());
        let direct =
            model.replacement().iter().filter_map(|name| self.resolve(name, &here).into_iter().next());
        let direct: Vec<Arc<Model>> = direct.map(|one| one.model).collect();
        if !direct.is_empty() {
            return direct;
        }
        // A notice without a replacement (Bedrock's): what the maker names for the same weights, on this platform.
        let Some(card) = model.row().card.as_deref() else { return Vec::new() };
        let Some((maker, _)) = card.split_once('/') else { return Vec::new() };
        let own =
            self.with_card(card).find(|one| one.platform() == maker && one.platform() != model.platform());
        let Some(own) = own.cloned() else { return Vec::new() };
        let region = region_of(model.id());
        own.replacement()
            .iter()
            .filter_map(|name| {
                let is_same = |one: &&Arc<Model>| {
                    one.platform() == model.platform()
                        && region_of(one.id()) == region
                        && is_same_name(one.id(), name)
                };
                self.shared.models.iter().find(is_same).cloned()
            })
            .collect()
    }
}

/// What stands before the maker in an id of Bedrock: `us.`, `eu.`.
fn region_of(id: &str) -> &str {
    let mut points = id.match_indices('.');
    match (points.next(), points.next()) {
        (Some((first, _)), Some(_)) if first <= 6 => &id[..=first],
        _ => "",
    }
}

/// Whether an id of Bedrock is the maker's `name`, with or without the day that the name ends with.
fn is_same_name(id: &str, name: &str) -> bool {
    let tail = id.rsplit('.').next().unwrap_or(id);
    let tail = tail.rfind("-v").filter(|at| tail[*at..].contains(':')).map_or(tail, |at| &tail[..at]);
    let is_day = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let undated = name.rsplit_once('-').filter(|(_, last)| is_day(last)).map(|(before, _)| before);
    tail == name || Some(tail) == undated
}

fn is_alive(model: &Model, now: UnixMs) -> bool {
    let later = UnixMs(now.0.saturating_add(ALIVE_DAYS_MIN * day::DAY_MS));
    !matches!(model.status(later), Status::Retired)
        && (model.status(now) != Status::Deprecated || model.deadline().is_some())
}
