//! The schema of one catalogue row, as it stands in `data/models.jsonl`: one JSON object a line.
//!
//! Rows are keyed by (platform, wire id, version), because a model name alone says neither what it costs nor
//! when it dies: each platform has its own prices and dates. An absent member means *not known*.

use std::collections::BTreeMap;

use pilothouse_core::money::PicoUsd;
use serde::{Deserialize, Serialize};

/// One model on one platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Row {
    /// Where the model is served, e.g. `openai`, `bedrock`. The first half of the key; stands first in the line.
    pub platform: String,
    /// The id on the wire, verbatim. Stands second in the line.
    pub id: String,
    /// The version within the id (a date or a number), empty where the id has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The id of the row that holds the facts, where this line is only another name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<String>,
    /// The dated snapshot that this moving name stands for at `as_of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model itself whoever serves it, `maker/model`: the key of benchmark scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// What it does: `chat`, `responses`, `embedding`, `image_generation`, `audio_transcription` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The region or inference profile that the prices hold for, where the id names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Context window in tokens, input and output together where the vendor counts so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// The most input tokens of one request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens_max: Option<u64>,
    /// The most output tokens of one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens_max: Option<u64>,
    /// Modalities that go in: `text`, `image`, `audio`, `video`, `pdf`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Modalities that come out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// Capabilities that the sources affirm, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub yes: Vec<String>,
    /// Capabilities that the sources deny, sorted. What is in neither list is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no: Vec<String>,
    /// The values of reasoning effort that it takes, in the vendor's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effort: Vec<String>,
    /// The effort when the request names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort_default: Option<String>,
    /// The shortest prefix in tokens that the vendor's prompt cache keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_tokens_min: Option<u64>,
    /// Licence of the weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whether the weights can be downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_weights: Option<bool>,
    /// The day it came out, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// The end of its training data, as the vendor puts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<String>,
    /// The day at which the facts below were collected, `YYYY-MM-DD`.
    pub as_of: String,
    /// The page that the prices come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The feeds that this row was joined from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// Prices of tokens, one card per condition. Empty means unknown, never free.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Card>,
    /// Prices of anything but tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitPrice>,
    /// Factors in thousandths that the vendor applies to the whole bill under a condition that its answer does
    /// not name as a tier (data residency in one country). Shown, not applied.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub uplifts: BTreeMap<String, u32>,
    /// What is known of its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
    /// Where sources disagree: what each says, and whose word stands in this row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
}

/// Prices per token under one condition. A card without conditions is the base card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Card {
    /// The service tier that the *answer* names: `batch`, `flex`, `priority` …; none is the standard tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Holds for the whole request when its input has more tokens than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_tokens: Option<u64>,
    /// Holds only at these hours: see [`crate::window`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// First day on which it holds, `YYYY-MM-DD` UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First day on which it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The day it was collected, where not the row's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// The page it comes from, where not the row's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Pico-dollars per token, by class.
    pub rates: BTreeMap<Class, PicoUsd>,
}

/// The price of something that is not a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitPrice {
    /// `image`, `pixel`, `second`, `character`, `page`, `search`, `request`.
    pub unit: String,
    /// Whether it is for what goes in, what comes out, or neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// What it depends on: a size, a quality, a context size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The service tier, as in [`Card::tier`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Pico-dollars per unit.
    pub price: PicoUsd,
}

/// The direction that a unit is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the client sends.
    Input,
    /// What the model makes.
    Output,
}

/// A class of tokens that has a price of its own. The first eight are the classes of
/// [`pilothouse_core::usage::Usage`]; the others are known prices of tokens that no usage counts apart yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Input at full price.
    #[serde(rename = "input")]
    Input,
    /// Input read from the prompt cache.
    #[serde(rename = "cache_read")]
    CacheRead,
    /// Input written to the prompt cache for the vendor's shortest time.
    #[serde(rename = "cache_write_5m")]
    CacheWrite5m,
    /// Input written to the prompt cache for one hour.
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    /// Input of audio.
    #[serde(rename = "input_audio")]
    InputAudio,
    /// Output.
    #[serde(rename = "output")]
    Output,
    /// Output spent on reasoning.
    #[serde(rename = "reasoning")]
    Reasoning,
    /// Output of audio.
    #[serde(rename = "output_audio")]
    OutputAudio,
    /// Input written to the prompt cache for twelve hours or more.
    #[serde(rename = "cache_write_12h")]
    CacheWrite12h,
    /// Audio input read from the prompt cache.
    #[serde(rename = "cache_read_audio")]
    CacheReadAudio,
    /// Image input read from the prompt cache.
    #[serde(rename = "cache_read_image")]
    CacheReadImage,
    /// Audio input written to the prompt cache.
    #[serde(rename = "cache_write_audio")]
    CacheWriteAudio,
    /// Input of images.
    #[serde(rename = "input_image")]
    InputImage,
    /// Input of video.
    #[serde(rename = "input_video")]
    InputVideo,
    /// Output of images.
    #[serde(rename = "output_image")]
    OutputImage,
    /// Output of video.
    #[serde(rename = "output_video")]
    OutputVideo,
    /// Text of cited pages.
    #[serde(rename = "citation")]
    Citation,
}

impl Class {
    /// Every class; the first eight in the order of [`crate::Pricing`]'s tables.
    pub const ALL: [Self; 17] = [
        Self::Input,
        Self::CacheRead,
        Self::CacheWrite5m,
        Self::CacheWrite1h,
        Self::InputAudio,
        Self::Output,
        Self::Reasoning,
        Self::OutputAudio,
        Self::CacheWrite12h,
        Self::CacheReadAudio,
        Self::CacheReadImage,
        Self::CacheWriteAudio,
        Self::InputImage,
        Self::InputVideo,
        Self::OutputImage,
        Self::OutputVideo,
        Self::Citation,
    ];

    /// The name used in rows, overlays and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheRead => "cache_read",
            Self::CacheWrite5m => "cache_write_5m",
            Self::CacheWrite1h => "cache_write_1h",
            Self::InputAudio => "input_audio",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::OutputAudio => "output_audio",
            Self::CacheWrite12h => "cache_write_12h",
            Self::CacheReadAudio => "cache_read_audio",
            Self::CacheReadImage => "cache_read_image",
            Self::CacheWriteAudio => "cache_write_audio",
            Self::InputImage => "input_image",
            Self::InputVideo => "input_video",
            Self::OutputImage => "output_image",
            Self::OutputVideo => "output_video",
            Self::Citation => "citation",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// What is known of a model's end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Life {
    /// Whether the provider gave notice: an announcement, a named replacement, or its own list of deprecated
    /// models. Without notice a date is only "not before", never a deadline.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub notice: bool,
    /// Whether a feed says that it is gone, where no date is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    /// The day of the announcement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced: Option<String>,
    /// The day it stops, under notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires: Option<String>,
    /// The earliest day on which it may stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// What the provider names instead, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replacement: Vec<String>,
    /// The feeds that say so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// The provider's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The id whose notice this is, where a moving name or a regional id takes that of its snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What the feed adds in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A member on which sources disagree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conflict {
    /// The member, e.g. `input` or `retires`.
    pub member: String,
    /// The feed whose value stands in the row.
    pub chosen: String,
    /// What each feed says.
    pub says: BTreeMap<String, String>,
}

/// Scores of one model, whoever serves it: one line of `data/benchmarks.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// The model, `maker/model`: see [`Row::card`].
    pub card: String,
    /// Its scores.
    pub scores: Vec<Score>,
}

/// One score of one benchmark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Score {
    /// The benchmark, e.g. `SWE-bench Pro`, `Terminal-Bench`, `FrontierMath`, `Aider polyglot`.
    pub name: String,
    /// Its version, e.g. `2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The number as the source prints it.
    pub score: String,
    /// What the number counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The harness, the effort, the part of the data set: whatever makes two scores comparable or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// The page that says so.
    pub source: String,
    /// The day of the source, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}
