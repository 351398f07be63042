//! One model on one platform, with everything that the catalogue knows of it.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use serde::Serialize;

use crate::bundle;
use crate::day;
use crate::lifecycle::Status;
use crate::pricing::Pricing;
use crate::row::{Card, Class, Life, Row, Score, UnitPrice};

/// Where the bundled rows come from, as [`Model::origin`] names it.
pub(crate) const BUNDLED: &str = "bundled";

/// One model on one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub(crate) row: Row,
    /// The name that was asked for, where it is an alias of the row.
    pub(crate) asked: Option<String>,
    pub(crate) origin: String,
}

/// Whether a model can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// A source affirms it.
    Yes,
    /// A source denies it.
    No,
    /// No source says.
    Unknown,
}

/// A score of a benchmark.
pub type Benchmark = Score;

/// One price of a token class under one condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceRow {
    /// The token class.
    pub class: Class,
    /// Pico-dollars per token.
    pub price: PicoUsd,
    /// The service tier; none is the standard one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Holds above this many input tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_tokens: Option<u64>,
    /// Holds at these hours only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// First day on which it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First day on which it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The day it was collected.
    pub as_of: String,
    /// The page it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Model {
    /// The platform that serves it.
    #[must_use]
    pub fn platform(&self) -> &str {
        &self.row.platform
    }

    /// The id on the wire, as the row has it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.row.id
    }

    /// The name that was asked for, where it is only another name of this row.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        self.asked.as_deref()
    }

    /// The dated snapshot that serves calls to this id, where the id is a moving name.
    #[must_use]
    pub fn snapshot(&self) -> Option<&str> {
        self.row.snapshot.as_deref().or_else(|| self.asked.as_ref().map(|_| self.row.id.as_str()))
    }

    /// `bundled`, or the overlay that last changed the row.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// All facts as the row has them.
    #[must_use]
    pub const fn row(&self) -> &Row {
        &self.row
    }

    /// The name for people, else the id.
    #[must_use]
    pub fn title(&self) -> &str {
        self.row.name.as_deref().unwrap_or(&self.row.id)
    }

    /// Context window in tokens.
    #[must_use]
    pub const fn context_tokens(&self) -> Option<u64> {
        self.row.context_tokens
    }

    /// The most input tokens of one request; the context window where no smaller limit is known.
    #[must_use]
    pub fn input_tokens_max(&self) -> Option<u64> {
        self.row.input_tokens_max.or(self.row.context_tokens)
    }

    /// The most output tokens of one answer.
    #[must_use]
    pub const fn output_tokens_max(&self) -> Option<u64> {
        self.row.output_tokens_max
    }

    /// Whether it can do `capability` (names: `docs/src/catalogue.md`; modalities count as `image_input` and so on).
    #[must_use]
    pub fn capability(&self, capability: &str) -> Support {
        let is = |list: &[String]| list.iter().any(|one| one == capability);
        if is(&self.row.yes) {
            Support::Yes
        } else if is(&self.row.no) {
            Support::No
        } else {
            self.modality(capability)
        }
    }

    fn modality(&self, capability: &str) -> Support {
        let (list, modality) = if let Some(modality) = capability.strip_suffix("_input") {
            (&self.row.inputs, modality)
        } else if let Some(modality) = capability.strip_suffix("_output") {
            (&self.row.outputs, modality)
        } else {
            return Support::Unknown;
        };
        match list.iter().any(|one| one == modality) {
            true => Support::Yes,
            // A list of modalities is complete; no list says nothing.
            false if !list.is_empty() => Support::No,
            false => Support::Unknown,
        }
    }

    /// What is known of its end.
    #[must_use]
    pub const fn life(&self) -> Option<&Life> {
        self.row.life.as_ref()
    }

    /// Where it stands in its life at `at`.
    #[must_use]
    pub fn status(&self, at: UnixMs) -> Status {
        self.row.life.as_ref().map_or(Status::Active, |life| life.status(at))
    }

    /// The day on which it stops, if that is a deadline under notice and not only a "not before".
    #[must_use]
    pub fn deadline(&self) -> Option<&str> {
        self.row.life.as_ref().and_then(Life::deadline)
    }

    /// What the provider names instead, in its order.
    #[must_use]
    pub fn replacement(&self) -> &[String] {
        self.row.life.as_ref().map_or(&[], |life| &life.replacement)
    }

    /// The compiled prices; `None` when no price is known, so that the cost is unknown.
    #[must_use]
    pub fn pricing(&self) -> Option<Pricing> {
        Pricing::of(&self.row)
    }

    /// Names the exact price rows behind a cost, so that a past bill can be checked: platform, id, day and a
    /// fingerprint of all cards, e.g. `openai/gpt-5.5@2026-11-22.1c2d3e4f`.
    #[must_use]
    pub fn price_id(&self) -> String {
        let cards = serde_json::to_string(&self.row.prices).unwrap_or_default();
        format!(
            "{}/{}@{}.{:08x}",
            self.row.platform,
            self.row.id,
            self.row.as_of,
            fingerprint(cards.as_bytes())
        )
    }

    /// Every price of tokens, one by one.
    #[must_use]
    pub fn prices(&self) -> Vec<PriceRow> {
        self.row.prices.iter().flat_map(|card| self.price_rows(card)).collect()
    }

    fn price_rows(&self, card: &Card) -> impl Iterator<Item = PriceRow> {
        card.rates.iter().map(|(class, price)| PriceRow {
            class: *class,
            price: *price,
            tier: card.tier.clone(),
            above_tokens: card.above_tokens,
            window: card.window.clone(),
            from: card.from.clone(),
            to: card.to.clone(),
            as_of: card.as_of.clone().unwrap_or_else(|| self.row.as_of.clone()),
            source: card.source.clone().or_else(|| self.row.source.clone()),
        })
    }

    /// The price of one token of `class` at `at` on the base card (standard tier, short input, peak hours), for
    /// tables and filters.
    #[must_use]
    pub fn base_price(&self, class: Class, at: UnixMs) -> Option<PicoUsd> {
        let bound =
            |day: &Option<String>, open: u64| day.as_deref().and_then(day::start_of).map_or(open, |at| at.0);
        let base = |card: &&Card| {
            let plain = card.tier.is_none() && card.above_tokens.is_none() && card.window.is_none();
            plain && bound(&card.from, 0) <= at.0 && at.0 < bound(&card.to, u64::MAX)
        };
        self.row.prices.iter().find(base)?.rates.get(&class).copied()
    }

    /// Prices of anything but tokens.
    #[must_use]
    pub fn units(&self) -> &[UnitPrice] {
        &self.row.units
    }

    /// Scores of the model itself, whoever serves it.
    #[must_use]
    pub fn benchmarks(&self) -> Vec<Benchmark> {
        let scores = self.row.card.as_deref().and_then(bundle::scores);
        scores.map(|found| found.scores).unwrap_or_default()
    }
}

/// FNV-1a folded to 32 bits: stable over versions and machines, and no secret.
fn fingerprint(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}
