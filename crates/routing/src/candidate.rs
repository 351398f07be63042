//! A target as a strategy sees it: what it can do, where it stands, what it costs, and how it has been doing.

use std::sync::Arc;

use pilothouse_catalog::{Model, Pricing, Status, Support, day};
use pilothouse_cel::Expression;
use pilothouse_core::clock::UnixMs;
use pilothouse_tokens::Tokenizer;
use serde::{Deserialize, Serialize};

use crate::health::Health;
use crate::load::Gauge;
use crate::random::mix;

/// Something that a request may need of a model. The names are the catalogue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Functions that the model may call.
    Tools,
    /// A tool choice other than automatic.
    ToolChoice,
    /// Several calls in one turn.
    ParallelTools,
    /// Pictures in the input.
    ImageInput,
    /// Sound in the input.
    AudioInput,
    /// Video in the input.
    VideoInput,
    /// PDF documents in the input.
    PdfInput,
    /// Sound in the output.
    AudioOutput,
    /// Output that follows a JSON schema.
    JsonSchema,
    /// Reasoning before the answer.
    Reasoning,
    /// An answer that continues what the request began.
    Prefill,
    /// The vendor's own search of the web.
    WebSearch,
    /// The vendor's own use of a computer.
    ComputerUse,
}

impl Capability {
    /// Every capability, in the order of their bits.
    pub const ALL: [Self; 13] = [
        Self::Tools,
        Self::ToolChoice,
        Self::ParallelTools,
        Self::ImageInput,
        Self::AudioInput,
        Self::VideoInput,
        Self::PdfInput,
        Self::AudioOutput,
        Self::JsonSchema,
        Self::Reasoning,
        Self::Prefill,
        Self::WebSearch,
        Self::ComputerUse,
    ];

    /// The name that the catalogue uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::ToolChoice => "tool_choice",
            Self::ParallelTools => "parallel_tools",
            Self::ImageInput => "image_input",
            Self::AudioInput => "audio_input",
            Self::VideoInput => "video_input",
            Self::PdfInput => "pdf_input",
            Self::AudioOutput => "audio_output",
            Self::JsonSchema => "json_schema",
            Self::Reasoning => "reasoning",
            Self::Prefill => "prefill",
            Self::WebSearch => "web_search",
            Self::ComputerUse => "computer_use",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs(u32);

impl Needs {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// This set with one more.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// Whether a capability is in it.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Those in it, in the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        // By their bits: most requests need nothing, and are asked for each target.
        let mut left = self.0;
        std::iter::from_fn(move || {
            let first = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            Capability::ALL.get(first as usize).copied()
        })
    }
}

impl FromIterator<Capability> for Needs {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What a target can do: for each capability yes, no, or unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    yes: u32,
    no: u32,
}

impl Abilities {
    /// These abilities with one said.
    #[must_use]
    pub const fn with(self, capability: Capability, support: Support) -> Self {
        let bit = capability.bit();
        let (yes, no) = (self.yes & !bit, self.no & !bit);
        match support {
            Support::Yes => Self { yes: yes | bit, no },
            Support::No => Self { yes, no: no | bit },
            Support::Unknown => Self { yes, no },
        }
    }

    /// Whether the target can do this.
    #[must_use]
    pub const fn support(self, capability: Capability) -> Support {
        let bit = capability.bit();
        if self.yes & bit != 0 {
            Support::Yes
        } else if self.no & bit != 0 {
            Support::No
        } else {
            Support::Unknown
        }
    }

    /// The needs that a source denies.
    #[must_use]
    pub const fn denied(self, needs: Needs) -> Needs {
        Needs(needs.0 & self.no)
    }

    /// The needs that no source affirms or denies.
    #[must_use]
    pub const fn unproven(self, needs: Needs) -> Needs {
        Needs(needs.0 & !self.no & !self.yes)
    }
}

/// A target across reloads of the configuration: a digest of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetId(pub u64);

impl TargetId {
    /// The id of a name, `openai/gpt-5.5`. FNV-1a, then mixed, so that ids of like names are unlike.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self::of_bytes(name.bytes())
    }

    /// The id of `provider/model`, in its parts.
    #[must_use]
    pub fn of_parts(provider: &str, model: &str) -> Self {
        Self::of_bytes(provider.bytes().chain([b'/']).chain(model.bytes()))
    }

    fn of_bytes(name: impl Iterator<Item = u8>) -> Self {
        Self(mix(name.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })))
    }
}

/// Where a model stands in its life, with the one date that changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// The status when the configuration was loaded.
    pub status: Status,
    /// The start of the day on which it stops, under notice.
    pub retires_at: Option<UnixMs>,
}

impl Lifecycle {
    /// A model without any notice.
    pub const ACTIVE: Self = Self { status: Status::Active, retires_at: None };

    /// The status at a moment: a day that has come since the configuration was loaded counts.
    #[must_use]
    pub fn at(self, at: UnixMs) -> Status {
        match self.retires_at {
            Some(end) if at >= end => Status::Retired,
            _ => self.status,
        }
    }
}

/// A target that may take an exchange.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// `provider/model`, as people and receipts name it.
    pub name: Arc<str>,
    /// The digest of the name.
    pub id: TargetId,
    /// Its place among the route's candidates, which the route knows.
    pub place: u16,
    /// What it can do.
    pub abilities: Abilities,
    /// The most tokens of input and output together, where known.
    pub context_tokens: Option<u64>,
    /// The most tokens of input, where known.
    pub input_tokens_max: Option<u64>,
    /// The most tokens of one answer, where known.
    pub output_tokens_max: Option<u64>,
    /// Whether the weights can be downloaded.
    pub open_weights: Support,
    /// Where it computes, as the configuration or the catalogue says (`eu`, `us-east-1`).
    pub region: Option<Box<str>>,
    /// What the configuration says of data and use (`zdr`, `no-training`).
    pub tags: Box<[Box<str>]>,
    /// Where it stands in its life.
    pub lifecycle: Lifecycle,
    /// Its prices; `None` is unknown, which is never zero.
    pub pricing: Option<Pricing>,
    /// The tokenizer behind its name.
    pub tokenizer: Tokenizer,
    /// Tokens of output, reasoning included, for each that the features expect: a model that thinks at length writes more
    /// for the same question. From the ledger; 1.0 where nothing is known.
    pub output_factor: f32,
    /// Its share under `weighted`, and its weight in `sticky`. Zero takes calls only when all others have failed.
    pub weight: u32,
    /// Whether it stands by: it comes after all others, in the order of the list.
    pub is_fallback: bool,
    /// Whether `least-loaded` may use it only when every other target is saturated: the paid cloud behind a local pool.
    pub is_spill: bool,
    /// How it has been doing. Shared by all routes that have it.
    pub health: Arc<Health>,
    /// The model server's own account of its queue, where it is scraped.
    pub gauge: Option<Arc<Gauge>>,
    /// What must hold of an exchange that it takes.
    pub condition: Option<Arc<Expression>>,
}

impl Candidate {
    /// A target of which nothing is known but its name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let model = name.split_once('/').map_or(name, |(_, model)| model);
        Self {
            name: name.into(),
            id: TargetId::of(name),
            place: 0,
            abilities: Abilities::default(),
            context_tokens: None,
            input_tokens_max: None,
            output_tokens_max: None,
            open_weights: Support::Unknown,
            region: None,
            tags: Box::default(),
            lifecycle: Lifecycle::ACTIVE,
            pricing: None,
            tokenizer: Tokenizer::of(model),
            output_factor: 1.0,
            weight: 1,
            is_fallback: false,
            is_spill: false,
            health: Arc::default(),
            gauge: None,
            condition: None,
        }
    }

    /// A target of which the catalogue has a row. `at` is the time for its lifecycle.
    #[must_use]
    pub fn of(name: &str, model: &Model, at: UnixMs) -> Self {
        let abilities = Capability::ALL.into_iter().fold(Abilities::default(), |known, capability| {
            known.with(capability, model.capability(capability.as_str()))
        });
        Self {
            abilities,
            context_tokens: model.context_tokens(),
            input_tokens_max: model.input_tokens_max(),
            output_tokens_max: model.output_tokens_max(),
            open_weights: match model.row().open_weights {
                Some(true) => Support::Yes,
                Some(false) => Support::No,
                None => Support::Unknown,
            },
            region: model.row().region.as_deref().map(Into::into),
            lifecycle: Lifecycle {
                status: model.status(at),
                retires_at: model.deadline().and_then(day::start_of),
            },
            pricing: model.pricing(),
            tokenizer: Tokenizer::of(model.id()),
            ..Self::new(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_catalog::Catalog;

    #[test]
    fn unknown_is_neither_denied_nor_proven() {
        let abilities = Abilities::default()
            .with(Capability::Tools, Support::Yes)
            .with(Capability::ImageInput, Support::No);
        let needs = Needs::from_iter([Capability::Tools, Capability::ImageInput, Capability::Reasoning]);
        assert!(abilities.denied(needs).iter().eq([Capability::ImageInput]));
        assert!(abilities.unproven(needs).iter().eq([Capability::Reasoning]));
        let told = abilities.with(Capability::ImageInput, Support::Unknown);
        assert_eq!(told.support(Capability::ImageInput), Support::Unknown);
    }

    #[test]
    fn capability_names_are_those_of_the_catalogue() {
        let catalog = Catalog::bundled();
        let model = catalog.model("openai", "gpt-5.5").expect("a bundled row");
        let candidate = Candidate::of("openai/gpt-5.5", &model, UnixMs(0));
        assert_eq!(candidate.abilities.support(Capability::Tools), Support::Yes);
        assert_eq!(candidate.abilities.support(Capability::ImageInput), Support::Yes);
        assert!(candidate.pricing.is_some() && candidate.context_tokens.is_some());
        for (index, capability) in Capability::ALL.into_iter().enumerate() {
            assert_eq!(capability.bit(), 1 << index, "{}", capability.as_str());
        }
    }

    #[test]
    fn day_of_retirement_counts_although_the_configuration_is_older() {
        let lifecycle = Lifecycle { status: Status::Deprecated, retires_at: Some(UnixMs(1000)) };
        assert_eq!(lifecycle.at(UnixMs(999)), Status::Deprecated);
        assert_eq!(lifecycle.at(UnixMs(1000)), Status::Retired);
    }
}
