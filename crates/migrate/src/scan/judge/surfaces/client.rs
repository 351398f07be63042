//! Whose client a call goes through.

use pilothouse_catalog::{ModelName, Vendor};
use pilothouse_core::dialect::Dialect;

use super::address::{self, Address};
use super::bare;
use super::spelling::{segments, snake};
use super::table::{Client, Surface, table};
use crate::scan::finding::Confidence;
use crate::scan::source::{Call, Kind, Member};

/// How deep makers are looked for: `instructor.from_openai(OpenAI(…))`.
const DEPTH_MAX: usize = 3;

/// Where a request goes.
pub(super) struct Place {
    /// The vendor; `None` for a server that the catalogue does not know.
    pub(super) vendor: Option<String>,
    /// How sure that is.
    pub(super) confidence: Confidence,
}

/// Names before a model's that tell the vendor, as libraries write them (`anthropic/…`, `openai:…`), and the functions
/// of the AI SDK that make models.
const PROVIDERS: [(&str, &str); 31] = [
    ("openai", "openai"),
    ("azure", "azure"),
    ("azure_openai", "azure"),
    ("azure_ai", "azure-ai"),
    ("anthropic", "anthropic"),
    ("google", "gemini"),
    ("gemini", "gemini"),
    ("google_genai", "gemini"),
    ("google_gla", "gemini"),
    ("googleai", "gemini"),
    ("google_vertexai", "vertex"),
    ("google_vertex", "vertex"),
    ("vertex_ai", "vertex"),
    ("vertex", "vertex"),
    ("bedrock", "bedrock"),
    ("bedrock_converse", "bedrock"),
    ("amazon_bedrock", "bedrock"),
    ("openrouter", "openrouter"),
    ("groq", "groq"),
    ("mistral", "mistral"),
    ("mistralai", "mistral"),
    ("together", "together"),
    ("togetherai", "together"),
    ("together_ai", "together"),
    ("deepseek", "deepseek"),
    ("xai", "xai"),
    ("fireworks_ai", "fireworks"),
    ("fireworks", "fireworks"),
    ("cerebras", "cerebras"),
    ("perplexity", "perplexity"),
    ("ollama", "ollama"),
];

fn provider(word: &str) -> Option<&'static str> {
    let word = snake(word);
    PROVIDERS.iter().find(|(name, _)| *name == word).map(|(_, vendor)| *vendor)
}

/// Whether an import is a root, or something below it.
pub(super) fn is_below(import: &str, root: &str) -> bool {
    let import = import.trim_start_matches('\\');
    let Some((head, rest)) = import.split_at_checked(root.len()) else { return false };
    head.eq_ignore_ascii_case(root) && rest.chars().next().is_none_or(|next| "./:\\".contains(next))
}

fn has_import(call: &Call, client: &Client) -> bool {
    client.imports.iter().any(|root| call.imports.iter().any(|import| is_below(import, root)))
}

/// The vendor whose model a name is, by the maker.
fn maker_of(model: &str) -> Option<&'static str> {
    match ModelName::of(bare(model)).family {
        "gpt" | "o" => Some("openai"),
        "claude" => Some("anthropic"),
        "gemini" => Some("gemini"),
        "mistral" | "magistral" | "ministral" | "codestral" | "devstral" => Some("mistral"),
        "deepseek" => Some("deepseek"),
        "grok" => Some("xai"),
        _ => None,
    }
}

/// The maker of the model that is asked for, if it takes requests of a dialect itself.
pub(super) fn maker_sending(models: &[String], dialect: Dialect) -> Option<&'static str> {
    let maker = models.first().and_then(|model| maker_of(model));
    maker.filter(|maker| sends(maker, dialect))
}

/// Whether a vendor's own SDK makes requests of a dialect.
fn sends(vendor: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::AnthropicMessages => matches!(vendor, "anthropic" | "bedrock" | "vertex"),
        Dialect::GeminiGenerate => matches!(vendor, "gemini" | "vertex"),
        Dialect::BedrockConverse => vendor == "bedrock",
        _ => !matches!(vendor, "anthropic" | "gemini" | "vertex" | "bedrock" | "cohere"),
    }
}

/// Where a call of a surface goes.
pub(super) fn place_of(
    call: &Call,
    callee: &[String],
    surface: &Surface,
    dialect: Dialect,
    models: &[String],
    vendors: &[Vendor],
) -> Place {
    let sure = |vendor: &str| Place { vendor: Some(vendor.to_owned()), confidence: certainty(models) };
    if surface.by_model {
        return by_model(call, models, vendors);
    }
    let made = call.receiver.as_deref().and_then(|receiver| client_of(receiver, dialect));
    let owner = made.map(|client| client.vendor.as_str()).or(surface.vendor.as_deref());
    let has_own_address =
        made.is_some_and(|client| client.own_address) || owner == Some("azure") || owner == Some("bedrock");
    let address = call.receiver.as_deref().and_then(|receiver| address::of_client(&receiver.arguments));
    // Libraries take the address beside the rest; the request of an SDK has none.
    let address = address.or_else(|| address::of_client(&call.arguments));
    if let Some(address) = address.filter(|_| !has_own_address) {
        return of_address(address, owner, models, vendors);
    }
    if let Some(owner) = owner {
        return sure(owner);
    }
    // The name that the call begins with, or the file's imports.
    let imported: Vec<&Client> = table()
        .clients
        .iter()
        .filter(|client| sends(&client.vendor, dialect) && has_import(call, client))
        .collect();
    let named = imported
        .iter()
        .find(|client| callee.first().is_some_and(|first| first.contains(client.vendor.as_str())));
    match (named, imported.as_slice()) {
        (Some(client), _) => sure(&client.vendor),
        (None, [only]) => sure(&only.vendor),
        (None, several) => {
            let maker = models.first().and_then(|model| maker_of(model));
            let among =
                several.is_empty() || several.iter().any(|client| Some(client.vendor.as_str()) == maker);
            let vendor = maker.filter(|maker| among && sends(maker, dialect)).map(str::to_owned);
            Place { vendor, confidence: Confidence::Medium.min(certainty(models)) }
        }
    }
}

/// Several names of models that may be meant make it likely, not sure.
const fn certainty(models: &[String]) -> Confidence {
    if models.len() == 1 { Confidence::High } else { Confidence::Medium }
}

fn of_address(address: Address<'_>, owner: Option<&str>, models: &[String], vendors: &[Vendor]) -> Place {
    match (address.vendor(vendors), address) {
        (Some(vendor), _) => Place { vendor: Some(vendor), confidence: certainty(models) },
        // A relative path, or an address that an environment gives: it may well be the vendor's own.
        (None, Address::Text(text)) if !text.contains("://") => {
            Place { vendor: owner.map(str::to_owned), confidence: Confidence::Medium }
        }
        _ => Place { vendor: None, confidence: Confidence::Low },
    }
}

/// What made a client: the longest pattern that fits, with an import of it or without one of any other.
fn client_of(maker: &Call, dialect: Dialect) -> Option<&'static Client> {
    let inner = inner_maker(&maker.arguments, 0);
    let outer = fitting(&segments(&maker.callee), maker, dialect);
    inner.and_then(|made_by| fitting(&segments(made_by), maker, dialect)).or(outer)
}

fn fitting(callee: &[String], call: &Call, dialect: Dialect) -> Option<&'static Client> {
    let fits = table().clients.iter().filter_map(|client| {
        let words = client
            .makers
            .iter()
            .filter(|maker| maker.fits(callee))
            .map(super::spelling::Pattern::len)
            .max()?;
        let imported = has_import(call, client);
        Some((client, imported, words))
    });
    let mut best: Option<(&'static Client, (bool, bool, usize))> = None;
    for (client, imported, words) in fits {
        let rank = (sends(&client.vendor, dialect), imported, words);
        if best.is_none_or(|(_, known)| rank > known) {
            best = Some((client, rank));
        }
    }
    best.map(|(client, _)| client)
}

/// A client that is handed to what wraps it: `instructor.from_openai(AzureOpenAI(…))`.
fn inner_maker(arguments: &[Member], depth: usize) -> Option<&str> {
    arguments.iter().find_map(|member| match &member.value.kind {
        Kind::Table { made_by, members } if !made_by.is_empty() && depth < DEPTH_MAX => {
            let is_client = table()
                .clients
                .iter()
                .any(|client| client.makers.iter().any(|maker| maker.fits(&segments(made_by))));
            if is_client { Some(made_by.as_str()) } else { inner_maker(members, depth + 1) }
        }
        _ => None,
    })
}

/// Where a library sends a request whose model tells the vendor.
fn by_model(call: &Call, models: &[String], vendors: &[Vendor]) -> Place {
    if let Some(address) = address::of_client(&call.arguments) {
        let place = of_address(address, None, models, vendors);
        if place.vendor.is_some() || place.confidence == Confidence::Low {
            return place;
        }
    }
    let maker = made_model(&call.arguments)
        .and_then(|made_by| segments(made_by).into_iter().find_map(|word| provider(&word)));
    let vendor = maker.or_else(|| models.first().and_then(|model| told_by_name(model)));
    Place {
        vendor: vendor.map(str::to_owned),
        confidence: if vendor.is_some() { certainty(models) } else { Confidence::Low },
    }
}

/// What makes the model of the AI SDK: `openai("gpt-5")`, `anthropic.messages("…")`, `new OpenAIModel("…")`.
fn made_model(arguments: &[Member]) -> Option<&str> {
    arguments.iter().find_map(|member| match &member.value.kind {
        Kind::Table { made_by, .. } if !made_by.is_empty() && snake(&member.name) == "model" => {
            Some(made_by.as_str())
        }
        Kind::Table { members, .. } if member.name.is_empty() => made_model(members),
        _ => None,
    })
}

fn told_by_name(model: &str) -> Option<&'static str> {
    let prefix = model.split(['/', ':']).next().filter(|prefix| prefix.len() < model.len());
    prefix.and_then(provider).or_else(|| maker_of(model))
}

/// Where a configuration sends requests: `provider: openai`, or by the model.
pub(super) fn place_of_configuration(call: &Call, models: &[String], vendors: &[Vendor]) -> Place {
    let named = call
        .arguments
        .iter()
        .find(|member| matches!(snake(&member.name).as_str(), "provider" | "vendor" | "api_type" | "type"));
    let named = named.and_then(|member| match &member.value.kind {
        Kind::Text(text) => provider(text),
        _ => None,
    });
    match named {
        Some(vendor) if address::of_client(&call.arguments).is_none() => {
            Place { vendor: Some(vendor.to_owned()), confidence: certainty(models) }
        }
        _ => by_model(call, models, vendors),
    }
}
