//! The catalogue's check of itself: every rule that a row, a vendor or a score must keep.

use std::collections::BTreeSet;

use crate::bundle;
use crate::catalog::Catalog;
use crate::day;
use crate::model::Model;
use crate::overlay::units;
use crate::pricing::is_standard;
use crate::row::{Card, Row, Scores};
use crate::vendor::{Auth, QUIRKS, Surface, Vendor};
use crate::window::Windows;

/// The dialects that a vendor's surface may name.
pub const DIALECTS: [&str; 6] = [
    "openai-chat",
    "openai-responses",
    "openai-embeddings",
    "anthropic-messages",
    "gemini-generate",
    "bedrock-converse",
];
/// Placeholders that a base address may hold.
const PLACEHOLDERS: [&str; 5] = ["{host}", "{resource}", "{region}", "{project}", "{account}"];

/// Everything that is wrong, each as one line that names the row. Empty when all is well.
#[must_use]
pub fn problems(catalog: &Catalog) -> Vec<String> {
    let mut found = Vec::new();
    let mut keys = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for model in catalog.models() {
        let row = model.row();
        let key = (row.platform.clone(), row.id.clone(), row.version.clone());
        let name = format!("{}/{}", row.platform, row.id);
        if !keys.insert(key) {
            found.push(format!("{name}: the key (platform, id, version) stands twice"));
        }
        found.extend(row_problems(&model).into_iter().map(|problem| format!("{name}: {problem}")));
        ids.insert((row.platform.clone(), row.id.clone()));
    }
    for (platform, alias, target) in catalog.aliases() {
        if !ids.contains(&(platform.clone(), target.clone())) {
            found.push(format!("{platform}/{alias}: is another name of `{target}`, which has no row"));
        }
    }
    let platforms: BTreeSet<&str> = catalog.vendors().iter().map(|vendor| vendor.platform.as_str()).collect();
    let orphans: BTreeSet<&String> = ids.iter().map(|(platform, _)| platform).collect();
    for platform in orphans.into_iter().filter(|platform| !platforms.contains(platform.as_str())) {
        found.push(format!("{platform}: no vendor is priced by this platform"));
    }
    found.extend(catalog.vendors().iter().flat_map(vendor_problems));
    found.extend(score_problems());
    found
}

fn row_problems(model: &Model) -> Vec<String> {
    let row = model.row();
    let mut found = Vec::new();
    let escaped = |text: &str| text.chars().any(|sign| sign.is_control() || sign == '"' || sign == '\\');
    if row.platform.is_empty() || row.id.is_empty() || escaped(&row.platform) || escaped(&row.id) {
        found.push("platform or id is empty or holds quotes or control characters".to_owned());
    }
    let life = row.life.clone().unwrap_or_default();
    let days = [&row.released, &life.announced, &life.retires, &life.not_before];
    for day in days.into_iter().flatten().chain([&row.as_of]) {
        if day::start_of(day).is_none() {
            found.push(format!("`{day}` is not a day"));
        }
    }
    if life.retires.is_some() && !life.notice {
        found.push("has a deadline without a notice; such a date belongs into `not_before`".to_owned());
    }
    if row.source.is_none() && row.feeds.is_empty() {
        found.push("has no source".to_owned());
    }
    for both in row.yes.iter().filter(|one| row.no.contains(one)) {
        found.push(format!("`{both}` is affirmed and denied"));
    }
    for list in [&row.yes, &row.no] {
        if !list.is_sorted() {
            found.push("capabilities are not sorted".to_owned());
        }
    }
    for unit in &row.units {
        if !units().contains(&unit.unit.as_str()) || unit.price.as_i64().is_none_or(|price| price < 0) {
            found.push(format!("the price of a `{}` is wrong", unit.unit));
        }
    }
    found.extend(price_problems(row));
    found
}

fn price_problems(row: &Row) -> Vec<String> {
    let mut found = Vec::new();
    let mut conditions = BTreeSet::new();
    for card in &row.prices {
        let Card { tier, above_tokens, window, from, to, rates, .. } = card;
        if !conditions.insert((tier, above_tokens, window, from, to)) {
            found.push("two price cards have the same condition".to_owned());
        }
        if rates.is_empty() {
            found.push("a price card is empty".to_owned());
        }
        if rates.values().any(|price| price.as_i64().is_none_or(|price| price < 0)) {
            found.push("a price is negative or does not fit".to_owned());
        }
        if tier.as_deref().is_some_and(is_standard) {
            found.push("the standard tier is written by leaving `tier` out".to_owned());
        }
        if let Some(Err(wrong)) = window.as_deref().map(Windows::parse) {
            found.push(wrong);
        }
        for day in [from, to].into_iter().flatten().filter(|day| day::start_of(day).is_none()) {
            found.push(format!("`{day}` is not a day"));
        }
    }
    if !row.prices.is_empty()
        && !row.prices.iter().any(|card| card.tier.is_none() && card.above_tokens.is_none())
    {
        found.push("has prices but no base card".to_owned());
    }
    found
}

pub(crate) fn vendor_problems(vendor: &Vendor) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |problem: String| found.push(format!("vendor {}: {problem}", vendor.name));
    if vendor.surfaces.is_empty() {
        say("has no surface".to_owned());
    }
    for link in [&vendor.docs, &vendor.source] {
        // Our own fleet is described in our own book.
        if !link.starts_with("https://") && !link.starts_with("docs/src/") {
            say(format!("`{link}` is not a https address"));
        }
    }
    if day::start_of(&vendor.as_of).is_none() {
        say(format!("`{}` is not a day", vendor.as_of));
    }
    for quirk in vendor.quirks.iter().filter(|quirk| !QUIRKS.iter().any(|(known, _)| known == quirk)) {
        say(format!("`{quirk}` is not a known quirk"));
    }
    for surface in &vendor.surfaces {
        if !DIALECTS.contains(&surface.dialect.as_str()) {
            say(format!("`{}` is not a known dialect", surface.dialect));
        }
        let Some(base) = &surface.base_url else { continue };
        let plain = PLACEHOLDERS.iter().fold(base.clone(), |base, hole| base.replace(hole, "x"));
        let local = base.starts_with("http://127.0.0.1:");
        if !(base.starts_with("https://") || local)
            || plain.contains(['{', '}', ' ', '?'])
            || base.ends_with('/')
        {
            say(format!(
                "`{base}` is not a base address: https, no end slash, placeholders {PLACEHOLDERS:?}"
            ));
        }
    }
    found.extend(surface_problems(vendor));
    found
}

/// What is wrong with how a vendor's surfaces share their work and their addresses.
fn surface_problems(vendor: &Vendor) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |problem: String| found.push(format!("vendor {}: {problem}", vendor.name));
    for surface in &vendor.surfaces {
        for prefix in [&surface.prefix, &surface.deployments].into_iter().flatten() {
            if !prefix.starts_with('/') || prefix.ends_with('/') {
                say(format!("`{prefix}` does not begin with a slash, or ends with one"));
            }
        }
        if surface.auth == Auth::SigV4 && surface.signs_for.is_none() {
            say(format!("{} signs calls, but `signs_for` does not say for which service", surface.dialect));
        }
        let has_host = surface.base_url.as_ref().is_some_and(|base| base.contains("{host}"));
        if has_host && vendor.host.is_none() {
            say(format!("{} has a `{{host}}` that nothing fills", surface.dialect));
        }
        if surface.serves.iter().any(String::is_empty) {
            say(format!("{} serves an empty pattern; `*` is every model", surface.dialect));
        }
    }
    let is_for_any =
        |surface: &Surface| surface.serves.is_empty() || surface.serves.iter().any(|one| one == "*");
    if !vendor.surfaces.is_empty() && !vendor.surfaces.iter().any(is_for_any) {
        say("has no surface for models that no surface names".to_owned());
    }
    let holes = |text: &str| PLACEHOLDERS.iter().any(|hole| text.contains(hole));
    for name in vendor.param_env.keys().filter(|name| !holes(&format!("{{{name}}}"))) {
        say(format!("`{name}` fills no placeholder"));
    }
    found
}

fn score_problems() -> Vec<String> {
    let mut found = Vec::new();
    let mut last = String::new();
    for line in bundle::score_lines() {
        match serde_json::from_str::<Scores>(line) {
            Err(error) => found.push(format!("benchmarks: {error}")),
            Ok(one) => {
                if one.card <= last {
                    found.push(format!("benchmarks: {} is out of order", one.card));
                }
                for score in one.scores.iter().filter(|score| {
                    score.name.is_empty()
                        || !score.source.starts_with("https://")
                        || score.score.parse::<f64>().is_err()
                }) {
                    found.push(format!(
                        "benchmarks: {}: `{}` has no source or no number",
                        one.card, score.name
                    ));
                }
                last = one.card;
            }
        }
    }
    found
}
