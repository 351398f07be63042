//! litellm's price members into cards and unit prices.
//!
//! A member's name is a grammar: what is priced, then optional conditions in this order, e.g.
//! `cache_creation_input_token_cost` + `_above_1hr` + `_above_200k_tokens` + `_priority`.

use std::collections::BTreeMap;

use anyhow::Result;
use pilothouse_catalog::row::{Card, Class, Side, UnitPrice};
use pilothouse_core::money::PicoUsd;
use serde::Deserialize;

use crate::json::{self, Members};
use crate::number::usd;

/// What a member without conditions prices.
const TOKENS: [(&str, Class); 15] = [
    ("input_cost_per_token", Class::Input),
    ("output_cost_per_token", Class::Output),
    ("output_cost_per_reasoning_token", Class::Reasoning),
    ("cache_read_input_token_cost", Class::CacheRead),
    ("cache_creation_input_token_cost", Class::CacheWrite5m),
    ("input_cost_per_audio_token", Class::InputAudio),
    ("output_cost_per_audio_token", Class::OutputAudio),
    ("cache_read_input_audio_token_cost", Class::CacheReadAudio),
    ("cache_creation_input_audio_token_cost", Class::CacheWriteAudio),
    ("cache_read_input_image_token_cost", Class::CacheReadImage),
    ("input_cost_per_image_token", Class::InputImage),
    ("output_cost_per_image_token", Class::OutputImage),
    ("input_cost_per_video_token", Class::InputVideo),
    ("output_cost_per_video_token", Class::OutputVideo),
    ("citation_cost_per_token", Class::Citation),
];
const TIERS: [(&str, &str); 5] = [
    ("_batches", "batch"),
    ("_flex", "flex"),
    ("_priority", "priority"),
    ("_ultrafast", "ultrafast"),
    ("_balanced", "balanced"),
];
/// What else is priced: member, unit, side, and what the price depends on.
const UNITS: [(&str, &str, Option<Side>, Option<&str>); 19] = [
    ("input_cost_per_image", "image", Some(Side::Input), None),
    ("output_cost_per_image", "image", Some(Side::Output), None),
    ("input_cost_per_pixel", "pixel", Some(Side::Output), None),
    ("output_cost_per_pixel", "pixel", Some(Side::Output), None),
    ("input_cost_per_second", "second", Some(Side::Input), None),
    ("output_cost_per_second", "second", Some(Side::Output), None),
    ("input_cost_per_audio_per_second", "second", Some(Side::Input), Some("audio")),
    ("input_cost_per_video_per_second", "second", Some(Side::Input), Some("video")),
    ("output_cost_per_video_per_second", "second", Some(Side::Output), Some("video")),
    ("input_cost_per_character", "character", Some(Side::Input), None),
    ("output_cost_per_character", "character", Some(Side::Output), None),
    ("ocr_cost_per_page", "page", None, None),
    ("annotation_cost_per_page", "page", None, Some("annotation")),
    ("input_cost_per_query", "search", None, None),
    ("google_maps_grounding_cost_per_query", "search", None, Some("maps")),
    ("input_cost_per_request", "request", None, None),
    ("input_cost_per_text_message", "request", None, Some("text message")),
    ("ocr_cost_per_credit", "request", None, Some("credit")),
    ("code_interpreter_cost_per_session", "request", None, Some("code session")),
];

/// A condition of a card: tier, threshold, hours.
type Condition = (Option<String>, Option<u64>, Option<String>);

/// Token prices of one entry. Zeros are left out unless the vendor gives the model away.
pub(crate) fn cards(members: &Members, free: bool) -> Result<Vec<Card>> {
    let mut cards: BTreeMap<Condition, BTreeMap<Class, PicoUsd>> = BTreeMap::new();
    let mut add = |condition: Condition, class: Class, price: &str| -> Result<()> {
        let price = usd(price)?;
        if price > PicoUsd::ZERO || free {
            cards.entry(condition).or_default().entry(class).or_insert(price);
        }
        Ok(())
    };
    for name in members.keys() {
        let Some((class, above, tier)) = token_member(name) else { continue };
        let Some(price) = json::number(members, name) else { continue };
        add((tier, above, None), class, price)?;
    }
    if let Some(price) = json::number(members, "input_cost_per_token_cache_hit") {
        add((None, None, None), Class::CacheRead, price)?;
    }
    for step in json::get::<Vec<Members>>(members, "tiered_pricing").unwrap_or_default() {
        let from = json::get::<(f64, f64)>(&step, "range").map_or(0.0, |(from, _)| from);
        for (name, class) in TOKENS {
            if let Some(price) = json::number(&step, name) {
                add((None, (from > 0.0).then_some(from as u64), None), class, price)?;
            }
        }
    }
    if let Some(off_peak) = json::get::<Members>(members, "off_peak_pricing") {
        let windows = windows(&json::get::<Vec<Hours>>(&off_peak, "windows").unwrap_or_default());
        for (name, class) in TOKENS {
            if let Some(price) = json::number(&off_peak, name) {
                add((None, None, Some(windows.clone())), class, price)?;
            }
        }
    }
    let cards = cards.into_iter().map(|((tier, above_tokens, window), rates)| Card {
        tier,
        above_tokens,
        window,
        rates,
        ..Card::default()
    });
    Ok(cards.collect())
}

/// Class, threshold and tier that a member's name says, or `None` for any other member.
fn token_member(name: &str) -> Option<(Class, Option<u64>, Option<String>)> {
    let (name, tier) = TIERS
        .iter()
        .find_map(|(suffix, tier)| Some((name.strip_suffix(suffix)?, Some((*tier).to_owned()))))
        .unwrap_or((name, None));
    // Longest first: `input_cost_per_token` also starts `input_cost_per_token_above_…`.
    let (base, class) =
        TOKENS.iter().filter(|(base, _)| name.starts_with(base)).max_by_key(|(base, _)| base.len())?;
    let (mut class, mut rest) = (*class, &name[base.len()..]);
    for (suffix, longer) in [("_above_1hr", Class::CacheWrite1h), ("_above_12hr", Class::CacheWrite12h)] {
        if class == Class::CacheWrite5m
            && let Some(after) = rest.strip_prefix(suffix)
        {
            (class, rest) = (longer, after);
        }
    }
    if rest.is_empty() {
        return Some((class, None, tier));
    }
    let thousands: u64 = rest.strip_prefix("_above_")?.strip_suffix("k_tokens")?.parse().ok()?;
    Some((class, Some(thousands * 1000), tier))
}

#[derive(Deserialize)]
struct Hours {
    hours_utc: OneOrMany,
    weekdays: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// litellm's windows in the catalogue's form. `10:00-00:00` means until midnight.
fn windows(all: &[Hours]) -> String {
    let parts = all.iter().map(|window| {
        let hours = match &window.hours_utc {
            OneOrMany::One(range) => vec![range.as_str()],
            OneOrMany::Many(ranges) => ranges.iter().map(String::as_str).collect(),
        };
        let hours: Vec<String> = hours
            .into_iter()
            .map(|range| {
                range.strip_suffix("-00:00").map_or_else(|| range.to_owned(), |from| format!("{from}-24:00"))
            })
            .collect();
        let days = match (window.weekdays.first(), window.weekdays.last()) {
            (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
            (Some(only), _) => only.to_string(),
            _ => "1-7".to_owned(),
        };
        format!("{days}@{}", hours.join(","))
    });
    parts.collect::<Vec<_>>().join(";")
}

/// Prices of anything but tokens. `when` is what the entry's own id depends on, e.g. an image's size.
pub(crate) fn units(members: &Members, when: Option<&str>) -> Result<Vec<UnitPrice>> {
    let mut found = Vec::new();
    let mut add =
        |unit: &str, side, parts: [Option<&str>; 2], tier: Option<&str>, text: &str| -> Result<()> {
            let price = usd(text)?;
            let when: Vec<&str> = parts.into_iter().flatten().collect();
            if price > PicoUsd::ZERO {
                found.push(UnitPrice {
                    unit: unit.to_owned(),
                    side,
                    when: (!when.is_empty()).then(|| when.join(" ")),
                    tier: tier.map(str::to_owned),
                    price,
                });
            }
            Ok(())
        };
    for name in members.keys() {
        let (bare, tier) = match name.strip_suffix("_batches") {
            Some(bare) => (bare, Some("batch")),
            None => (name.as_str(), None),
        };
        let Some(price) = json::number(members, name) else { continue };
        for (base, unit, side, kind) in UNITS {
            let Some(rest) = bare.strip_prefix(base) else { continue };
            if rest.is_empty() {
                add(unit, side, [kind, when], tier, price)?;
            } else if let Some(size) = rest.strip_prefix('_').filter(|size| !size.contains("token")) {
                // `output_cost_per_second_1080p`, `output_cost_per_image_2K`, `…_above_15s_interval`.
                if size.starts_with(|sign: char| sign.is_ascii_digit()) || size.starts_with("above_") {
                    add(unit, side, [Some(&size.replace('_', " ")), when], tier, price)?;
                }
            }
        }
    }
    let searches: Members = json::get(members, "search_context_cost_per_query").unwrap_or_default();
    let prices: Vec<_> =
        searches.keys().filter_map(|name| Some((name, json::number(&searches, name)?))).collect();
    let flat = prices.windows(2).all(|pair| pair[0].1 == pair[1].1);
    for (name, price) in prices.into_iter().take(if flat { 1 } else { 3 }) {
        let size = name.strip_prefix("search_context_size_").unwrap_or(name);
        add("search", None, [Some("web"), (!flat).then_some(size)], None, price)?;
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_members_name_says_class_threshold_and_tier() {
        let is = |name: &str, class, above, tier: Option<&str>| {
            assert_eq!(token_member(name), Some((class, above, tier.map(str::to_owned))), "{name}");
        };
        is("input_cost_per_token", Class::Input, None, None);
        is(
            "output_cost_per_token_above_272k_tokens_priority",
            Class::Output,
            Some(272_000),
            Some("priority"),
        );
        is(
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
            Class::CacheWrite1h,
            Some(200_000),
            None,
        );
        is("cache_creation_input_token_cost_above_12hr_batches", Class::CacheWrite12h, None, Some("batch"));
        is("input_cost_per_audio_token_flex", Class::InputAudio, None, Some("flex"));
        for other in [
            "input_cost_per_token_cache_hit",
            "input_cost_per_second",
            "max_tokens",
            "input_cost_per_token_decisions",
        ] {
            assert_eq!(token_member(other), None, "{other}");
        }
    }

    #[test]
    fn off_peak_hours_are_read_in_the_catalogues_form() {
        let all: Vec<Hours> = serde_json::from_str(
            r#"[{"hours_utc":["00:00-01:00","10:00-00:00"],"weekdays":[1,2,3,4,5]},{"hours_utc":"00:00-00:00","weekdays":[6,7]}]"#,
        )
        .expect("valid");
        assert_eq!(windows(&all), "1-5@00:00-01:00,10:00-24:00;6-7@00:00-24:00");
    }

    #[test]
    fn a_zero_is_no_price_unless_the_vendor_gives_the_model_away() {
        let members: Members =
            serde_json::from_str(r#"{"input_cost_per_token":0.0,"output_cost_per_token":0}"#).expect("valid");
        assert!(cards(&members, false).expect("cards").is_empty());
        assert_eq!(cards(&members, true).expect("cards")[0].rates.len(), 2);
    }
}
