//! What vendors' own lists of models say against the catalogue: ids that are new, ids that vanished, days of shutdown.
//!
//! OpenAI tells `shutdown_date` in `GET /v1/models` (<https://developers.openai.com/api/reference/resources/models>), OpenRouter
//! `expiration_date` (<https://openrouter.ai/docs/api/api-reference/models/get-models>), Mistral `deprecation`
//! (<https://docs.mistral.ai/api/endpoint/models>), each read 2026-11-23.

use std::collections::BTreeMap;
use std::fmt;

use pilothouse_catalog::{Catalog, Status, day};
use pilothouse_core::clock::UnixMs;
use serde_json::Value;

/// Most models of one list that are looked at.
const MODELS_MAX: usize = 20_000;
/// Members that tell the day of shutdown, whatever the vendor calls it.
const DAYS: [&str; 5] = ["shutdown_date", "expiration_date", "deprecation", "retirement_date", "retires_on"];

/// One provider's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The catalogue's platform.
    pub platform: String,
    /// The ids that it lists, with the day of shutdown where it tells one.
    pub models: BTreeMap<String, Option<String>>,
}

/// Where a list and the catalogue differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Listed, and not in the catalogue.
    New {
        /// The id.
        id: String,
    },
    /// In service by the catalogue, and not listed.
    Vanished {
        /// The id.
        id: String,
        /// The day on which it stops by the catalogue.
        retires: Option<String>,
    },
    /// Retired by the catalogue, and still listed.
    StillListed {
        /// The id.
        id: String,
        /// The day on which it stopped by the catalogue.
        retires: Option<String>,
    },
    /// The list tells another day than the catalogue.
    Day {
        /// The id.
        id: String,
        /// The list's.
        listed: String,
        /// The catalogue's.
        known: Option<String>,
    },
}

impl Difference {
    /// Whether calls will fail earlier than the catalogue says: what a check is for.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            Self::New { .. } | Self::StillListed { .. } => false,
            Self::Vanished { .. } => true,
            Self::Day { listed, known, .. } => known.as_ref().is_none_or(|known| listed < known),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |day: &Option<String>| day.as_ref().map_or_else(|| "no day".to_owned(), Clone::clone);
        match self {
            Self::New { id } => write!(out, "{id} is listed and not in the catalogue"),
            Self::Vanished { id, retires: None } => {
                write!(out, "{id} is in service by the catalogue and not listed")
            }
            Self::Vanished { id, retires } => {
                write!(out, "{id} is not listed; by the catalogue it is in service until {}", on(retires))
            }
            Self::StillListed { id, retires } => {
                write!(out, "{id} is still listed; by the catalogue it retired ({})", on(retires))
            }
            Self::Day { id, listed, known } => {
                write!(
                    out,
                    "{id} is shut down on {listed} by the list, and on {} by the catalogue",
                    on(known)
                )
            }
        }
    }
}

/// The models of a list's JSON, whichever of the known forms it has: `data` of OpenAI's and Anthropic's, `models` of
/// Google's, or the list itself. `None` where it is no list of models.
#[must_use]
pub fn read(list: &Value) -> Option<BTreeMap<String, Option<String>>> {
    let entries = list.get("data").or_else(|| list.get("models")).unwrap_or(list).as_array()?;
    let entries = entries.iter().take(MODELS_MAX).filter_map(|entry| {
        let id = entry.get("id").or_else(|| entry.get("name"))?.as_str()?;
        let id = id.strip_prefix("models/").unwrap_or(id);
        Some((id.to_owned(), DAYS.iter().find_map(|name| day_of(entry.get(name)?))))
    });
    Some(entries.collect())
}

/// A day as vendors write it: a day, a moment, or seconds since 1970.
fn day_of(value: &Value) -> Option<String> {
    if let Some(seconds) = value.as_u64() {
        return (seconds > 0).then(|| day::of(UnixMs(seconds.saturating_mul(1000))));
    }
    let text = value.as_str()?.get(..10)?;
    day::start_of(text).map(|_| text.to_owned())
}

/// Where a list differs from the catalogue on the day of `now`.
///
/// A vanished id is only told of models that the vendor itself makes and that chats use: lists leave out what an account
/// may not use, and platforms of many makers list a part only.
#[must_use]
pub fn compare(catalog: &Catalog, listing: &Listing, now: UnixMs) -> Vec<Difference> {
    let mut found = Vec::new();
    for (id, listed) in &listing.models {
        let Some(model) = catalog.model(&listing.platform, id) else {
            found.push(Difference::New { id: id.clone() });
            continue;
        };
        let known = model.deadline().map(str::to_owned);
        if let Some(listed) = listed
            && known.as_ref() != Some(listed)
        {
            found.push(Difference::Day { id: id.clone(), listed: listed.clone(), known });
        } else if model.status(now) == Status::Retired {
            found.push(Difference::StillListed { id: id.clone(), retires: known });
        }
    }
    // A list of nothing is an account without rights, not a vendor without models.
    if listing.models.is_empty() {
        return found;
    }
    for model in catalog.models().filter(|model| model.platform() == listing.platform) {
        let is_talking = matches!(model.row().mode.as_deref(), Some("chat" | "responses"));
        let is_own = catalog.native_platform(model.id()) == Some(listing.platform.as_str());
        let is_alive = model.status(now) != Status::Retired && model.pricing().is_some();
        if is_talking && is_own && is_alive && !listing.models.contains_key(model.id()) {
            let retires = model.deadline().map(str::to_owned);
            found.push(Difference::Vanished { id: model.id().to_owned(), retires });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> UnixMs {
        day::start_of("2026-11-23").expect("a day")
    }

    fn listing(models: &[(&str, Option<&str>)]) -> Listing {
        let models = models.iter().map(|(id, day)| ((*id).to_owned(), day.map(str::to_owned)));
        Listing { provider: "openai".into(), platform: "openai".into(), models: models.collect() }
    }

    #[test]
    fn lists_of_every_vendors_form_are_read_with_their_days() {
        let openai = json!({"object":"list","data":[{"id":"gpt-5","shutdown_date":"2026-12-11"},{"id":"gpt-9","shutdown_date":null}]});
        let read_openai = read(&openai).expect("a list");
        assert_eq!(read_openai["gpt-5"].as_deref(), Some("2026-12-11"));
        assert_eq!(read_openai["gpt-9"], None);
        let google = json!({"models":[{"name":"models/gemini-9","displayName":"Gemini 9"}]});
        assert!(read(&google).expect("a list").contains_key("gemini-9"));
        let router = json!({"data":[{"id":"a/b","expiration_date":1_796_947_200}]});
        assert_eq!(read(&router).expect("a list")["a/b"].as_deref(), Some("2026-12-11"));
        let mistral = json!([{"id":"m","deprecation":"2026-12-01T12:00:00Z"}]);
        assert_eq!(read(&mistral).expect("a list")["m"].as_deref(), Some("2026-12-01"));
        assert_eq!(read(&json!({"error":{"message":"no"}})), None);
    }

    #[test]
    fn an_earlier_day_and_a_vanished_model_are_faults_and_a_new_id_is_none() {
        let list = listing(&[("gpt-5", Some("2026-12-01")), ("gpt-99", None)]);
        let found = compare(&Catalog::bundled(), &list, now());
        let day = found.iter().find(|one| matches!(one, Difference::Day { .. })).expect("a day");
        assert!(day.is_fault());
        assert_eq!(
            day.to_string(),
            "gpt-5 is shut down on 2026-12-01 by the list, and on 2026-12-11 by the catalogue"
        );
        assert!(found.contains(&Difference::New { id: "gpt-99".into() }));
        let gone = found.iter().find(|one| matches!(one, Difference::Vanished { id, .. } if id == "gpt-5.5"));
        assert!(gone.expect("gpt-5.5 is not in the list").is_fault());
        assert!(!Difference::New { id: "x".into() }.is_fault());
    }

    #[test]
    fn a_list_of_nothing_says_nothing_of_what_vanished() {
        assert_eq!(compare(&Catalog::bundled(), &listing(&[]), now()), []);
    }
}
