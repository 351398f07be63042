//! The models that can be called now, in the caller's dialect, with what the catalogue knows of them.

use std::sync::Arc;

use http::StatusCode;
use pilothouse_catalog::Model;
use pilothouse_catalog::row::Class;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use serde_json::{Value, json};

use super::pages::json as answer;
use crate::pipeline::Answer;
use crate::plan::{KeyInfo, Plan, Provider};

/// `GET /v1/models`: what this key may call.
#[must_use]
pub fn list(plan: &Plan, key: Option<&KeyInfo>, dialect: Dialect, query: &str, now: UnixMs) -> Answer {
    let allowed: Vec<(String, Arc<Provider>)>;
    let names = match key.filter(|key| !key.terms.allow.is_empty()) {
        None => plan.callable(),
        Some(key) => {
            let may = |(name, provider): &&(String, Arc<Provider>)| {
                key.terms.allows(name)
                    || (plan.route(name).is_none() && key.terms.allows(&format!("{}/{name}", provider.name)))
            };
            allowed = plan.callable().iter().filter(may).cloned().collect();
            &allowed
        }
    };
    let rows = |names: &[(String, Arc<Provider>)]| -> Vec<Value> {
        let row = |(name, provider): &(String, Arc<Provider>)| {
            if let Some((provider, model)) = plan.route(name).and_then(|_| plan.locate(name).ok()) {
                return row(plan, dialect, name, (provider, model), now);
            }
            let prefixed = name.strip_prefix(&*provider.name).and_then(|rest| rest.strip_prefix('/'));
            row(plan, dialect, name, (provider, prefixed.unwrap_or(name)), now)
        };
        names.iter().map(row).collect()
    };
    if dialect == Dialect::AnthropicMessages {
        let (shown, has_more) = page(names, query);
        return answer(
            StatusCode::OK,
            &json!({
                "data": rows(shown),
                "has_more": has_more,
                "first_id": shown.first().map(|(name, _)| name),
                "last_id": shown.last().map(|(name, _)| name),
            }),
        );
    }
    if dialect == Dialect::GeminiGenerate {
        return answer(StatusCode::OK, &json!({ "models": rows(names) }));
    }
    answer(StatusCode::OK, &json!({"object": "list", "data": rows(names)}))
}

/// Anthropic's lists come in pages, walked by `after_id` and `limit`
/// (<https://platform.claude.com/docs/en/api/models-list>, 2026-11-22). The page that is asked for, and whether
/// more follows.
fn page<'a>(names: &'a [(String, Arc<Provider>)], query: &str) -> (&'a [(String, Arc<Provider>)], bool) {
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let limit = parameter("limit").and_then(|text| text.parse().ok()).unwrap_or(20_usize).clamp(1, 1000);
    let after = parameter("after_id").map(percent_decoded);
    let after = after.and_then(|id| names.iter().position(|(name, _)| *name == id));
    let rest = &names[after.map_or(0, |at| at + 1)..];
    (&rest[..limit.min(rest.len())], rest.len() > limit)
}

/// `GET /v1/models/{id}`.
#[must_use]
pub fn one(plan: &Plan, dialect: Dialect, id: &str, now: UnixMs) -> Answer {
    let id = percent_decoded(id);
    match plan.locate(&id) {
        Ok(place) => answer(StatusCode::OK, &row(plan, dialect, &id, place, now)),
        Err(error) => crate::pipeline::plain_error(dialect, &error, None),
    }
}

/// The text with its percent-encoding undone; what is no encoding stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let pair = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// One model: the members of the dialect's own list first, then ours.
fn row(
    plan: &Plan,
    dialect: Dialect,
    name: &str,
    (provider, id): (&Arc<Provider>, &str),
    now: UnixMs,
) -> Value {
    let model = plan.catalog.model(&provider.platform, provider.named(id).1);
    let mut row = match dialect {
        Dialect::AnthropicMessages => json!({
            "type": "model",
            "id": name,
            "display_name": model.as_ref().map_or(id, Model::title),
            "created_at": "1970-01-01T00:00:00Z",
        }),
        // <https://ai.google.dev/api/models>, read 2026-11-23.
        Dialect::GeminiGenerate => json!({
            "name": format!("models/{name}"),
            "version": "001",
            "displayName": model.as_ref().map_or(id, Model::title),
            "inputTokenLimit": model.as_ref().and_then(Model::context_tokens),
            "outputTokenLimit": model.as_ref().and_then(Model::output_tokens_max),
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        }),
        Dialect::OpenaiChat
        | Dialect::OpenaiEmbeddings
        | Dialect::OpenaiResponses
        | Dialect::BedrockConverse => json!({
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": &*provider.name,
        }),
    };
    let life = plan.life_of(&format!("{}/{id}", provider.name)).filter(|life| life.is_configured);
    if let Some(life) = &life {
        // What is configured here goes before what the catalogue says.
        row["lifecycle"] = json!(life.state(now).as_str());
        row["shutdown_date"] = json!(life.day());
        row["replacement"] = json!(life.successor.iter().collect::<Vec<_>>());
    }
    let Some(model) = model else { return row };
    if life.is_none() {
        catalogued(&mut row, &model, now);
    }
    row["context_tokens"] = json!(model.context_tokens());
    row["output_tokens_max"] = json!(model.output_tokens_max());
    let price = |class| model.base_price(class, now).map(|price| (price.times(1_000_000)).to_string());
    row["price_usd_per_million"] = json!({
        "input": price(Class::Input),
        "cache_read": price(Class::CacheRead),
        "output": price(Class::Output),
    });
    row
}

/// What the catalogue says of a model's life.
fn catalogued(row: &mut Value, model: &Model, now: UnixMs) {
    if let Some(date) = model.deadline() {
        row["shutdown_date"] = json!(date);
    }
    if !model.replacement().is_empty() {
        row["replacement"] = json!(model.replacement());
    }
    row["lifecycle"] = json!(model.status(now).as_str());
}
