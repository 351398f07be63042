//! The models that can be called now, in the caller's dialect, with what the catalogue knows of them.

use http::StatusCode;
use pilothouse_catalog::Model;
use pilothouse_catalog::row::Class;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use serde_json::{Value, json};

use super::pages::json as answer;
use crate::pipeline::Answer;
use crate::plan::{Plan, Resolution};

/// Most models that one list names.
const LIST_MAX: usize = 5000;

/// `GET /v1/models`.
#[must_use]
pub fn list(plan: &Plan, dialect: Dialect, query: &str, now: UnixMs) -> Answer {
    let names = plan.callable_names(LIST_MAX);
    let rows: Vec<Value> = names
        .iter()
        .filter_map(|name| plan.resolve(name).ok())
        .map(|resolution| row(plan, dialect, &resolution, now))
        .collect();
    if dialect == Dialect::AnthropicMessages {
        return answer(StatusCode::OK, &page(&rows, query));
    }
    answer(StatusCode::OK, &json!({"object": "list", "data": rows}))
}

/// Anthropic's lists come in pages, walked by `after_id` and `limit`
/// (<https://platform.claude.com/docs/en/api/models-list>, 2026-11-22).
fn page(rows: &[Value], query: &str) -> Value {
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let limit = parameter("limit").and_then(|text| text.parse().ok()).unwrap_or(20_usize).clamp(1, 1000);
    let after = parameter("after_id").and_then(|id| rows.iter().position(|row| row["id"] == id));
    let start = after.map_or(0, |at| at + 1);
    let shown: Vec<&Value> = rows.iter().skip(start).take(limit).collect();
    json!({
        "data": shown,
        "has_more": start + shown.len() < rows.len(),
        "first_id": shown.first().map(|row| row["id"].clone()),
        "last_id": shown.last().map(|row| row["id"].clone()),
    })
}

/// `GET /v1/models/{id}`.
#[must_use]
pub fn one(plan: &Plan, dialect: Dialect, id: &str, now: UnixMs) -> Answer {
    let id = percent_decoded(id);
    match plan.resolve(&id) {
        Ok(resolution) => answer(StatusCode::OK, &row(plan, dialect, &resolution, now)),
        Err(error) => crate::pipeline::plain_error(dialect, &error, None),
    }
}

fn percent_decoded(text: &str) -> String {
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
fn row(plan: &Plan, dialect: Dialect, resolution: &Resolution, now: UnixMs) -> Value {
    let target = &resolution.target;
    let model = plan.catalog.model(&target.provider.platform, &target.model);
    let mut row = match dialect {
        Dialect::AnthropicMessages => json!({
            "type": "model",
            "id": &*resolution.asked,
            "display_name": model.as_ref().map_or(&*target.model, Model::title),
            "created_at": "1970-01-01T00:00:00Z",
        }),
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => json!({
            "id": &*resolution.asked,
            "object": "model",
            "created": 0,
            "owned_by": &*target.provider.name,
        }),
    };
    let Some(model) = model else { return row };
    if let Some(date) = model.deadline() {
        row["shutdown_date"] = json!(date);
    }
    if !model.replacement().is_empty() {
        row["replacement"] = json!(model.replacement());
    }
    row["lifecycle"] = json!(model.status(now).as_str());
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
