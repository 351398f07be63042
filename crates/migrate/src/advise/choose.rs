//! Which models come into question, and where the old one is served longer.

use std::collections::BTreeMap;

use pilothouse_catalog::row::Class;
use pilothouse_catalog::{Catalog, Model, Status, Support, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;

use super::Platform;
use crate::lint::Target;
use crate::scan::names::Names;
use crate::shelf::Shelf;

/// Capabilities that a model which replaces another one must have too, where the other one has them.
const NEEDED: [&str; 5] = ["tools", "json_schema", "image_input", "reasoning", "prompt_caching"];
/// How long a candidate must live.
const ALIVE_DAYS_MIN: i64 = 90;
/// Candidates that are looked for besides the vendor's own word, of each vendor.
const OF_VENDOR_MAX: usize = 2;
/// Makers whose own platforms are looked at besides the old model's.
const MAKERS: [&str; 3] = ["openai", "anthropic", "gemini"];
/// How much dearer a candidate may be that nobody named.
const DEARER_MAX: i128 = 2;

/// The models to go to, with the reasons: what the vendor names, then what can as much for about as much.
pub(super) fn candidates(
    catalog: &Catalog,
    shelf: &Shelf,
    from: &Target,
    old: &Model,
    now: UnixMs,
) -> Vec<(Target, Vec<String>)> {
    let names = Names::of(catalog.clone());
    let mut found: Vec<(Target, Vec<String>)> = Vec::new();
    let mut add = |name: String, reason: String| {
        if name == from.name() {
            return;
        }
        match found.iter_mut().find(|(known, _)| known.name() == name) {
            Some((_, reasons)) => reasons.push(reason),
            None => {
                if let Ok(target) = Target::find(catalog, &name) {
                    found.push((target, vec![reason]));
                }
            }
        }
    };
    if let Some(named) = names.alive_replacement(old, &day::of(now)) {
        let is_direct = old.replacement().iter().any(|name| name == named.id());
        let reason =
            if is_direct { "named by the vendor" } else { "named by the vendor's chain of replacements" };
        add(format!("{}/{}", vendor_of(catalog, named.platform()), named.id()), reason.to_owned());
    }
    let mut platforms = vec![old.platform()];
    platforms.extend(MAKERS.into_iter().filter(|maker| *maker != old.platform()));
    for platform in platforms {
        for model in alike(catalog, shelf, old, platform, now) {
            let price = blend(model).map(|price| price.times(1_000_000));
            let reason = format!(
                "can what the old model can, for {} a million tokens at three in for one out",
                price.map_or_else(|| "an unknown price".to_owned(), |price| format!("${price}"))
            );
            add(format!("{}/{}", vendor_of(catalog, platform), model.id()), reason);
        }
    }
    found
}

fn vendor_of(catalog: &Catalog, platform: &str) -> String {
    let vendor = catalog.vendors().iter().find(|vendor| vendor.platform == platform);
    vendor.map_or_else(|| platform.to_owned(), |vendor| vendor.name.clone())
}

/// The newest models of a platform that can what the old one can, for at most about twice its price.
fn alike<'s>(
    catalog: &Catalog,
    shelf: &'s Shelf,
    old: &Model,
    platform: &str,
    now: UnixMs,
) -> Vec<&'s Model> {
    let needs: Vec<&str> = NEEDED.into_iter().filter(|need| old.capability(need) == Support::Yes).collect();
    let price = blend(old);
    let fits = |model: &Model| {
        let is_talking = matches!(model.row().mode.as_deref(), Some("chat" | "responses"));
        let is_own = catalog.native_platform(model.id()) == Some(platform);
        // A dated id says the same as its moving name, which is the one that people write.
        let is_snapshot = !model.row().version.is_empty();
        let is_alive = match model.status(now) {
            Status::Active | Status::Scheduled => true,
            Status::Deprecated => model
                .deadline()
                .and_then(|day| day::days_until(day, now))
                .is_some_and(|days| days > ALIVE_DAYS_MIN),
            Status::Retired => false,
        };
        let is_affordable = match (blend(model), price) {
            (Some(new), Some(old)) => new.0 <= old.0.saturating_mul(DEARER_MAX),
            (new, _) => new.is_some(),
        };
        let has_room = model.row().context_tokens >= old.row().context_tokens.min(Some(200_000));
        let is_newer = model.row().released > old.row().released;
        is_talking
            && is_own
            && !is_snapshot
            && is_alive
            && is_affordable
            && has_room
            && is_newer
            && needs.iter().all(|need| model.capability(need) == Support::Yes)
    };
    let mut found: Vec<&Model> = shelf.at(platform).filter(|model| fits(model)).collect();
    found.sort_by(|left, right| {
        (&right.row().released, blend(left)).cmp(&(&left.row().released, blend(right)))
    });
    found.truncate(OF_VENDOR_MAX);
    found
}

/// What a token costs at three of input for one of output.
fn blend(model: &Model) -> Option<PicoUsd> {
    let base = model.row().prices.iter().find(|card| card.tier.is_none() && card.above_tokens.is_none())?;
    let (input, output) = (base.rates.get(&Class::Input)?, base.rates.get(&Class::Output)?);
    Some(PicoUsd((input.0 * 3 + output.0) / 4))
}

/// Other platforms that serve the same model, the one that serves it longest first.
pub(super) fn platforms(shelf: &Shelf, old: &Model, now: UnixMs) -> Vec<Platform> {
    let own = old.deadline().and_then(|day| day::days_until(day, now));
    let mut found: BTreeMap<String, Platform> = BTreeMap::new();
    let others = shelf
        .elsewhere(old)
        .filter(|other| other.status(now) != Status::Retired && other.pricing().is_some());
    for other in others {
        let retires = other.deadline().map(str::to_owned);
        let days = retires.as_deref().and_then(|day| day::days_until(day, now));
        let one = Platform {
            platform: other.platform().to_owned(),
            id: other.id().to_owned(),
            buys_days: days.zip(own).map(|(there, here)| there - here),
            retires,
        };
        // Of several ids on one platform, the one with the latest day that is known, else the shortest: others are regions.
        let worth = |one: &Platform| (one.retires.clone(), std::cmp::Reverse(one.id.len()));
        match found.get(&one.platform) {
            Some(known) if worth(known) >= worth(&one) => {}
            _ => drop(found.insert(one.platform.clone(), one)),
        }
    }
    let mut all: Vec<Platform> = found.into_values().collect();
    all.retain(|one| one.buys_days.is_none_or(|days| days > 0));
    all.sort_by_key(|one| (one.buys_days.is_none(), std::cmp::Reverse(one.buys_days)));
    all
}
