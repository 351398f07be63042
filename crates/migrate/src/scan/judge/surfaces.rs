//! Whose request a call makes: the vendor, the wire format, the model's name, and the body as it goes over the wire.
//!
//! A call is judged by itself: by what is called, by what made the client, by the address that it was given, and only
//! then by the imports of its file. Where nothing tells, nothing is claimed.

mod address;
mod client;
pub mod spelling;
pub mod table;
pub mod wire;

use pilothouse_catalog::compat::Rule;
use pilothouse_catalog::{ModelName, Vendor};
use pilothouse_core::dialect::Dialect;

use self::address::Address;
use self::spelling::segments;
use self::table::{Style, Surface, table};
use self::wire::Body;
use crate::scan::finding::Confidence;
use crate::scan::source::{Call, Kind, Member};

/// A request that a call makes.
#[derive(Clone, Debug)]
pub struct Request<'c> {
    /// The SDK or library; `None` for requests that are made by hand and for configuration.
    pub surface: Option<&'static Surface>,
    /// The wire format.
    pub dialect: Dialect,
    /// How its arguments become members.
    pub style: &'static Style,
    /// The vendor's name in the catalogue; `None` for a server that it does not know.
    pub vendor: Option<String>,
    /// Its body.
    pub body: Body<'c>,
    /// The names of models that it may ask for: several where a condition or a default decides.
    pub models: Vec<String>,
    /// How sure that is.
    pub confidence: Confidence,
    /// Whether a member that is not seen is not sent.
    pub is_whole: bool,
}

impl Request<'_> {
    /// Whether the newest release of the library obeys a rule by itself.
    #[must_use]
    pub fn obeys(&self, rule: &Rule) -> bool {
        self.surface.is_some_and(|surface| surface.adapts.contains(&rule.id))
    }

    /// Whether the place that serves the model leaves out what it does not take.
    #[must_use]
    pub fn is_adapted(&self) -> bool {
        self.vendor.as_deref().is_some_and(|vendor| table().is_adapting(vendor))
    }
}

/// The request that a call makes; `None` where it is no call of a model, or nobody's that we know.
#[must_use]
pub fn request_of<'c>(call: &'c Call, vendors: &[Vendor]) -> Option<Request<'c>> {
    if call.callee.is_empty() {
        return alone(call, vendors);
    }
    let callee = segments(&call.callee);
    match surface_of(call, &callee) {
        Some(surface) => of_surface(call, &callee, surface, vendors),
        None => by_hand(call, vendors),
    }
}

/// The surface whose words fit best, among those whose imports are there.
fn surface_of(call: &Call, callee: &[String]) -> Option<&'static Surface> {
    let fits = table().surfaces.iter().filter_map(|surface| {
        let words = surface.fit(callee)?;
        let is_known = surface.needs.is_empty() || is_needed(surface, call, callee);
        is_known.then_some((surface, words, !surface.needs.is_empty()))
    });
    // Of two that fit alike, the one that asked for an import and got it.
    let mut best: Option<(&'static Surface, usize, bool)> = None;
    for fit in fits {
        if best.is_none_or(|(_, words, needed)| (fit.1, fit.2) > (words, needed)) {
            best = Some(fit);
        }
    }
    best.map(|(surface, ..)| surface)
}

fn is_needed(surface: &Surface, call: &Call, callee: &[String]) -> bool {
    surface.needs.iter().any(|root| {
        call.imports.iter().any(|import| client::is_below(import, root))
            || (callee.len() > 1 && segments(root) == callee[..1])
    })
}

fn of_surface<'c>(
    call: &'c Call,
    callee: &[String],
    surface: &'static Surface,
    vendors: &[Vendor],
) -> Option<Request<'c>> {
    let (first, style) = surface.styles.first().map(|(dialect, style)| (*dialect, style))?;
    let mut models = models_of(call, surface, style);
    let guess = models.first().map(|name| ModelName::of(bare(name)));
    let (dialect, style) = if surface.by_model {
        let wanted = dialect_of(guess.as_ref());
        surface
            .styles
            .iter()
            .find(|(dialect, _)| *dialect == wanted)
            .map(|(dialect, style)| (*dialect, style))?
    } else {
        (first, style)
    };
    let place = client::place_of(call, callee, surface, dialect, &models, vendors);
    let mut body = Body::of(&call.arguments, style);
    if surface.with_receiver
        && let Some(receiver) = &call.receiver
    {
        body.add(&receiver.arguments, style, 0);
    }
    if let Some(address) = address::of_arguments(&call.arguments)
        && models.is_empty()
    {
        models.extend(address.model());
    }
    let is_whole = surface.whole && !body.is_open;
    Some(Request {
        surface: Some(surface),
        dialect,
        style,
        vendor: place.vendor,
        body,
        models,
        confidence: place.confidence,
        is_whole,
    })
}

/// The names of models in the arguments, or in those of what made the receiver.
fn models_of(call: &Call, surface: &Surface, style: &Style) -> Vec<String> {
    let own = names_in(&call.arguments, style);
    match (&call.receiver, own.is_empty()) {
        (Some(receiver), true) if surface.with_receiver => {
            // What made the client takes the model first where it takes one: `new ChatClient("gpt-4o", key)`.
            let first = Style { positional: vec!["model".into()], ..style.clone() };
            names_in(&receiver.arguments, &first)
        }
        _ => own,
    }
}

fn names_in(arguments: &[Member], style: &Style) -> Vec<String> {
    let body = Body::of(arguments, style);
    let Some(node) = body.at("model") else { return Vec::new() };
    if let Some(text) = node.text() {
        return vec![text.to_owned()];
    }
    match node.value.map(|value| &value.kind) {
        Some(Kind::Dynamic { parts, is_choice: true }) => {
            parts.iter().map(|(text, _)| text.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// A name without the provider that libraries write before a colon: `openai:gpt-5`, `openai:chat:gpt-5`.
#[must_use]
pub fn bare(name: &str) -> &str {
    let mut rest = name;
    while let Some((head, tail)) = rest.split_once(':') {
        let is_word = !head.is_empty()
            && head.chars().all(|letter| letter.is_ascii_alphabetic() || "_-".contains(letter));
        if !is_word || tail.is_empty() || !ModelName::of(head).family.is_empty() {
            break;
        }
        rest = tail;
    }
    rest
}

/// The dialect in which a model's maker is asked.
fn dialect_of(model: Option<&ModelName>) -> Dialect {
    match model.map_or("", |model| model.family) {
        "claude" => Dialect::AnthropicMessages,
        "gemini" => Dialect::GeminiGenerate,
        _ => Dialect::OpenaiChat,
    }
}

/// A request that is made by hand: the address tells whose it is.
fn by_hand<'c>(call: &'c Call, vendors: &[Vendor]) -> Option<Request<'c>> {
    let address: Address<'_> = address::of_arguments(&call.arguments)
        .or_else(|| call.receiver.as_ref().and_then(|receiver| address::of_arguments(&receiver.arguments)))?;
    let dialect = address.dialect()?;
    let style = table().style(dialect.as_str())?;
    let mut body = Body::of(&call.arguments, style);
    let mut models = names_in(&call.arguments, style);
    if models.is_empty() {
        models.extend(address.model());
    }
    // What an HTTP library takes beside the body is no member of it.
    body.members.retain(|node| node.name != "url" && node.name != "method");
    let vendor = address.vendor(vendors);
    let confidence = if vendor.is_some() { Confidence::High } else { Confidence::Low };
    // A path alone, as in a batch file: its maker's own, most likely.
    let (vendor, confidence) = match (vendor, address.is_path()) {
        (None, true) => match client::maker_sending(&models, dialect) {
            Some(maker) => (Some(maker.to_owned()), Confidence::Medium),
            None => (None, confidence),
        },
        told => (told.0, confidence),
    };
    Some(Request { surface: None, dialect, style, vendor, body, models, confidence, is_whole: false })
}

/// Members that only requests to language models have: with them, `o3` is no sensor and no car.
const LLM_MEMBERS: [&str; 16] = [
    "provider",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "top_p",
    "top_k",
    "reasoning_effort",
    "reasoning",
    "system",
    "prompt",
    "stop",
    "tools",
    "litellm_params",
    "api_key",
    "presence_penalty",
    "frequency_penalty",
];

/// Whether a name is so short that it may be anything: `o3`.
fn is_any_word(name: &str) -> bool {
    name.len() <= 3
}

/// A literal that stands alone: the body of a request, or an entry of a configuration.
fn alone<'c>(call: &'c Call, vendors: &[Vendor]) -> Option<Request<'c>> {
    let has = |name: &str| call.arguments.iter().any(|member| spelling::snake(&member.name) == name);
    let unified = table().style("unified-openai")?;
    let models = names_in(&call.arguments, unified);
    let guess = models.first().map(|name| ModelName::of(bare(name)));
    let wire = if has("contents") || has("generation_config") {
        Some(Dialect::GeminiGenerate)
    } else if has("inference_config") {
        Some(Dialect::BedrockConverse)
    } else if has("anthropic_version") {
        Some(Dialect::AnthropicMessages)
    } else if has("messages") {
        let is_claude = guess.as_ref().is_some_and(|model| model.family == "claude");
        Some(if is_claude { Dialect::AnthropicMessages } else { Dialect::OpenaiChat })
    } else if has("input") && guess.as_ref().is_some_and(|model| matches!(model.family, "gpt" | "o")) {
        Some(Dialect::OpenaiResponses)
    } else {
        None
    };
    if wire.is_none()
        && models.iter().all(|name| is_any_word(name))
        && !LLM_MEMBERS.iter().any(|name| has(name))
    {
        return None;
    }
    let dialect = wire.unwrap_or_else(|| dialect_of(guess.as_ref()));
    let style = match (wire, dialect) {
        (Some(dialect), _) => table().style(dialect.as_str())?,
        (None, Dialect::AnthropicMessages) => table().style("unified-anthropic")?,
        (None, Dialect::GeminiGenerate) => table().style("unified-gemini")?,
        (None, _) => unified,
    };
    let place = client::place_of_configuration(call, &models, vendors);
    let body = Body::of(&call.arguments, style);
    Some(Request {
        surface: None,
        dialect,
        style,
        vendor: place.vendor,
        body,
        models,
        confidence: place.confidence.min(Confidence::Medium),
        is_whole: false,
    })
}

#[cfg(test)]
mod tests;
