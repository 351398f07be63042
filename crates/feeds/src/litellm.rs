//! Reads litellm's price map: the widest and freshest feed, and the base of the join.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use pilothouse_catalog::row::{Class, Life, Row};

use crate::family::Families;
use crate::json::{self, Members};
use crate::{Book, disagree, litellm_price, name};

/// The feed's name in rows.
pub const FEED: &str = "litellm";
/// The feed's name of AWS's second endpoint.
const MANTLE: &str = "bedrock_mantle";

/// The feed's provider, our platform, and the prefix of its keys that is not part of the wire id.
const PLATFORMS: &[(&str, &str, &str)] = &[
    ("openai", "openai", ""),
    ("text-completion-openai", "openai", ""),
    ("azure", "azure", "azure/"),
    ("azure_text", "azure", "azure/"),
    ("azure_ai", "azure-ai", "azure_ai/"),
    ("anthropic", "anthropic", ""),
    ("gemini", "gemini", "gemini/"),
    ("bedrock", "bedrock", "bedrock/"),
    ("bedrock_converse", "bedrock", "bedrock/"),
    ("bedrock_mantle", "bedrock", "bedrock_mantle/"),
    ("mistral", "mistral", "mistral/"),
    ("deepseek", "deepseek", "deepseek/"),
    ("zai", "zai", "zai/"),
    ("dashscope", "alibaba", "dashscope/"),
    ("moonshot", "moonshot", "moonshot/"),
    ("xai", "xai", "xai/"),
    ("groq", "groq", "groq/"),
    ("together_ai", "together", "together_ai/"),
    ("fireworks_ai", "fireworks", "fireworks_ai/"),
    ("fireworks_ai-embedding-models", "fireworks", "fireworks_ai/"),
    ("cohere", "cohere", "cohere/"),
    ("cohere_chat", "cohere", ""),
    ("perplexity", "perplexity", "perplexity/"),
    ("cerebras", "cerebras", "cerebras/"),
    ("nvidia_nim", "nvidia", "nvidia_nim/"),
    ("sambanova", "sambanova", "sambanova/"),
    ("deepinfra", "deepinfra", "deepinfra/"),
    ("minimax", "minimax", "minimax/"),
    ("baseten", "baseten", "baseten/"),
    ("hyperbolic", "hyperbolic", "hyperbolic/"),
    ("novita", "novita", "novita/"),
    ("nebius", "nebius", "nebius/"),
    ("voyage", "voyage", "voyage/"),
    ("ai21", "ai21", ""),
    ("databricks", "databricks", "databricks/"),
    ("friendliai", "friendli", "friendliai/"),
    ("cloudflare", "cloudflare", "cloudflare/"),
    ("inception", "inception", "inception/"),
    ("vercel_ai_gateway", "vercel", "vercel_ai_gateway/"),
    ("scaleway", "scaleway", "scaleway/"),
    ("ovhcloud", "ovhcloud", "ovhcloud/"),
    ("nscale", "nscale", "nscale/"),
    ("wandb", "wandb", "wandb/"),
    ("ollama", "ollama", "ollama/"),
];

/// litellm's names of capabilities, where ours differ.
const RENAMED: &[(&str, &str)] = &[
    ("function_calling", "tools"),
    ("parallel_function_calling", "parallel_tools"),
    ("vision", "image_input"),
    ("response_schema", "json_schema"),
    ("assistant_prefill", "prefill"),
    ("native_streaming", "streaming"),
    ("none_reasoning_effort", "effort_none"),
    ("minimal_reasoning_effort", "effort_minimal"),
    ("low_reasoning_effort", "effort_low"),
    ("xhigh_reasoning_effort", "effort_xhigh"),
    ("max_reasoning_effort", "effort_max"),
];
/// Flags about litellm's own plumbing, not about the model.
const NOT_OURS: &[&str] =
    &["bedrock_", "nova_", "regex_", "box_", "image_size", "multimodal", "output_config"];

/// One entry's key taken apart.
struct Key {
    platform: &'static str,
    id: String,
    /// What the key says of an image before its id: size, quality, steps.
    when: Option<String>,
}

/// Reads the feed, which was collected on the day `as_of`, into a book of rows.
///
/// # Errors
/// When the text is not the feed's JSON, or a price in it is none.
pub fn read(text: &str, families: &Families, as_of: &str) -> Result<Book> {
    let entries: BTreeMap<String, Members> = serde_json::from_str(text).context("litellm's price map")?;
    let mut book = Book::new();
    // AWS serves some models on two endpoints at two prices. The runtime's comes first, because it is the endpoint
    // that our vendor row calls.
    let second =
        |members: &Members| json::get::<String>(members, "litellm_provider").as_deref() == Some(MANTLE);
    let (last, first): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, members)| second(members));
    for (key, members) in first.into_iter().chain(last) {
        let Some(key) = key_of(key, members) else { continue };
        let free = families.is_free(key.platform, &key.id);
        let mut row = row(&key, members, free, as_of).with_context(|| key.id.clone())?;
        match book.get_mut(&(row.platform.clone(), row.id.clone())) {
            Some(known) => {
                if second(members) {
                    compare_endpoints(known, &row);
                }
                merge(known, &mut row);
            }
            None => {
                book.insert((row.platform.clone(), row.id.clone()), row);
            }
        }
    }
    Ok(book)
}

fn key_of(key: &str, members: &Members) -> Option<Key> {
    let provider: String = json::get(members, "litellm_provider")?;
    let (platform, prefix) = match PLATFORMS.iter().find(|(theirs, ..)| *theirs == provider) {
        Some((_, ours, prefix)) => (*ours, *prefix),
        None if provider.starts_with("vertex_ai") => ("vertex", "vertex_ai/"),
        None => return None,
    };
    // Provisioned throughput and price brackets by size are no models.
    let brackets = ["fireworks-ai-", "together-ai-", "*", "sample_spec"];
    if brackets.iter().any(|bracket| key.starts_with(bracket)) || key.contains("-commitment/") {
        return None;
    }
    // Search engines, guardrails and stores are services, not models.
    let mode: String = json::get(members, "mode").unwrap_or_default();
    if ["search", "guardrail", "vector_store", "evaluation", "decisions"].contains(&mode.as_str()) {
        return None;
    }
    let mut when = Vec::new();
    let mut id = key.strip_prefix(prefix).unwrap_or(key);
    while let Some((head, rest)) = id.split_once('/') {
        let size = head.contains("-x-") && head.starts_with(|sign: char| sign.is_ascii_digit());
        let quality = ["hd", "standard", "low", "medium", "high", "auto"].contains(&head);
        if !(size || quality || head.ends_with("-steps")) {
            break;
        }
        when.push(head.replace("-x-", "x"));
        id = rest;
    }
    id = id.strip_prefix(prefix).unwrap_or(id);
    if id.is_empty() || id.contains('*') || !id.is_ascii() {
        return None;
    }
    Some(Key { platform, id: id.to_owned(), when: (!when.is_empty()).then(|| when.join(" ")) })
}

/// Notes where the second endpoint's price differs.
fn compare_endpoints(known: &mut Row, other: &Row) {
    for (member, class) in [("input", Class::Input), ("output", Class::Output)] {
        let base = |row: &Row| {
            let card = row.prices.iter().find(|card| card.tier.is_none() && card.above_tokens.is_none());
            card.and_then(|card| card.rates.get(&class)).map(|price| price.times(1_000_000).to_string())
        };
        if let (Some(ours), Some(theirs)) = (base(known), base(other)) {
            disagree(known, member, ("litellm, bedrock-runtime", ours), ("litellm, bedrock-mantle", theirs));
        }
    }
}

/// Lays a second entry of the same model (an image size, a second mode) onto the first.
fn merge(known: &mut Row, other: &mut Row) {
    for unit in other.units.drain(..) {
        if !known.units.contains(&unit) {
            known.units.push(unit);
        }
    }
    known.units.sort();
    if known.prices.is_empty() {
        known.prices = std::mem::take(&mut other.prices);
    }
    known.mode = known.mode.take().or(other.mode.take());
    known.source = known.source.take().or(other.source.take());
    if known.life.is_none() {
        known.life = other.life.take();
    }
}

fn row(key: &Key, members: &Members, free: bool, as_of: &str) -> Result<Row> {
    let mut row = Row {
        platform: key.platform.to_owned(),
        id: key.id.clone(),
        version: name::version(&key.id).unwrap_or_default().to_owned(),
        region: name::region(key.platform, &key.id).map(str::to_owned),
        mode: json::get(members, "mode"),
        context_tokens: json::count(members, "max_input_tokens")
            .or_else(|| json::count(members, "max_tokens")),
        output_tokens_max: json::count(members, "max_output_tokens"),
        cache_tokens_min: json::count(members, "prompt_cache_min_tokens"),
        effort: json::get(members, "reasoning_effort_levels").unwrap_or_default(),
        effort_default: json::get(members, "default_reasoning_effort"),
        inputs: modalities(json::get(members, "supported_modalities").unwrap_or_default()),
        outputs: modalities(json::get(members, "supported_output_modalities").unwrap_or_default()),
        as_of: as_of.to_owned(),
        source: json::get::<String>(members, "source").filter(|source| source.starts_with("https://")),
        feeds: vec![FEED.to_owned()],
        prices: litellm_price::cards(members, free)?,
        units: litellm_price::units(members, key.when.as_deref())?,
        ..Row::default()
    };
    capabilities(&mut row, members);
    uplifts(&mut row, members);
    // Cards of which only the tiers or steps have a price are a half-known price list.
    let base = row
        .prices
        .iter()
        .any(|card| card.tier.is_none() && card.above_tokens.is_none() && card.window.is_none());
    if !base {
        row.prices.clear();
    }
    row.life = json::get::<String>(members, "deprecation_date")
        .filter(|day| pilothouse_catalog::day::start_of(day).is_some())
        .map(|day| Life { not_before: Some(day), feeds: vec![FEED.to_owned()], ..Life::default() });
    if row.platform == "zai" && row.source.is_none() {
        row.source = Some("https://docs.z.ai/guides/overview/pricing".to_owned());
    }
    Ok(row)
}

fn modalities(list: Vec<String>) -> Vec<String> {
    let mut list: Vec<String> = list.into_iter().map(|one| one.to_lowercase()).collect();
    list.sort_by_key(|one| ["text", "image", "audio", "video", "pdf"].iter().position(|known| known == one));
    list.dedup();
    list
}

fn capabilities(row: &mut Row, members: &Members) {
    for name in members.keys() {
        let flag = name.strip_prefix("supports_").or((name == "thinking_always_on").then_some(name.as_str()));
        let (Some(flag), Some(able)) = (flag, json::get::<bool>(members, name)) else { continue };
        if NOT_OURS.iter().any(|prefix| flag.starts_with(prefix)) {
            continue;
        }
        let ours = RENAMED.iter().find(|(theirs, _)| *theirs == flag).map_or(flag, |(_, ours)| ours);
        if able { row.yes.push(ours.to_owned()) } else { row.no.push(ours.to_owned()) }
    }
    for list in [&mut row.yes, &mut row.no] {
        list.sort();
        list.dedup();
    }
    let pdf = row.yes.iter().any(|one| one == "pdf_input");
    if pdf && !row.inputs.is_empty() && !row.inputs.iter().any(|one| one == "pdf") {
        row.inputs.push("pdf".to_owned());
    }
}

/// Factors on the whole bill: data residency, regional endpoints. Anthropic's fast mode is a tier of its own.
fn uplifts(row: &mut Row, members: &Members) {
    let names = [
        ("regional_processing_uplift_multiplier_eu", "region eu"),
        ("regional_processing_uplift_multiplier_us", "region us"),
        ("regional_endpoint_uplift_multiplier", "regional endpoint"),
    ];
    let thousandths = |factor: f64| (factor * 1000.0).round() as u32;
    for (theirs, ours) in names {
        if let Some(factor) = json::get::<f64>(members, theirs) {
            row.uplifts.insert(ours.to_owned(), thousandths(factor));
        }
    }
    let own: BTreeMap<String, serde_json::Value> =
        json::get(members, "provider_specific_entry").unwrap_or_default();
    if row.platform == "anthropic" {
        for (theirs, ours) in [("us", "inference_geo us"), ("fast", "speed fast")] {
            if let Some(factor) = own.get(theirs).and_then(serde_json::Value::as_f64) {
                row.uplifts.insert(ours.to_owned(), thousandths(factor));
            }
        }
    }
}

/// Notes what another feed says of a base price that this feed gave.
pub fn compare(row: &mut Row, feed: &str, member: &str, ours: String, theirs: String) {
    disagree(row, member, (FEED, ours), (feed, theirs));
}
