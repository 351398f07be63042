//! The simulated Azure OpenAI: OpenAI's endpoints under deployments, with content filters and Azure's own errors.
//!
//! Paths and versions: <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle>; content filters:
//! <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-filter>; read 2026-11-23.

pub(crate) mod error;
mod filter;
pub(crate) mod token;

use crate::answer::Answer;
use crate::door::Endpoint;
use crate::models::{Model, Rules};
use crate::openai;
use crate::setting::Setting;
use crate::shape::text;
use serde_json::{Value, json};

/// Dated versions of the API with deployments in the path.
const VERSIONS: &[&str] = &[
    "2024-02-01",
    "2024-05-01-preview",
    "2024-06-01",
    "2024-07-01-preview",
    "2024-08-01-preview",
    "2024-09-01-preview",
    "2024-10-01-preview",
    "2024-10-21",
    "2024-12-01-preview",
    "2025-01-01-preview",
    "2025-02-01-preview",
    "2025-03-01-preview",
    "2025-04-01-preview",
];
/// The first dated version with Responses.
const RESPONSES_FROM: &str = "2025-03-01-preview";

/// The version that a query asks for.
fn version(query: &str) -> Option<&str> {
    query.split('&').find_map(|q| q.strip_prefix("api-version="))
}

/// Whether the version is a dated one that exists; the service has no path without.
pub(crate) fn is_dated(query: &str) -> bool {
    version(query).is_some_and(|v| VERSIONS.contains(&v))
}

/// The same for Responses.
pub(crate) fn has_responses(query: &str) -> bool {
    is_dated(query) && version(query) >= Some(RESPONSES_FROM)
}

/// Whether the version is one of the undated API's, which needs none.
pub(crate) fn is_undated(query: &str) -> bool {
    matches!(version(query), None | Some("v1" | "preview" | "latest"))
}

/// A call to a deployment, named in the path or as the body's model.
pub(crate) fn call(setting: &Setting<'_>, model: &Model, endpoint: &Endpoint, request: &Value) -> Answer {
    let embeds = matches!(endpoint, Endpoint::Embeddings | Endpoint::Deployed { embeds: true, .. });
    let is_able = match model.rules {
        Rules::Embedding(_) => embeds,
        Rules::OpenAi(_) => !embeds,
        _ => true,
    };
    if !is_able {
        return error::wrong_operation(if embeds { "embeddings" } else { "chatCompletion" }, model.id);
    }
    let mut request = request.clone();
    if let (Endpoint::Deployed { name, .. }, Some(map)) = (endpoint, request.as_object_mut()) {
        // The path decides; what the body says of the model is not read.
        map.insert("model".to_owned(), json!(name));
    }
    let is_responses = matches!(endpoint, Endpoint::Responses | Endpoint::InputTokens);
    if filter::is_blocked(&request) {
        return error::blocked();
    }
    let made = match endpoint {
        _ if embeds => openai::embed(setting, model, &request),
        Endpoint::Responses => openai::responses::create(setting, model, &request),
        Endpoint::InputTokens => openai::responses::count_tokens(setting, model, &request),
        _ => openai::chat(setting, model, &request),
    };
    match made {
        Err(refusal) => refusal.answer(),
        Ok(answer) if embeds => answer,
        Ok(answer) if is_responses => filter::on_responses(answer),
        Ok(answer) => filter::on_chat(answer),
    }
}

/// The words of the last message or item, where steering stands.
fn last_words(request: &Value) -> String {
    let of = |value: &Value| match value {
        Value::String(said) => said.clone(),
        Value::Array(parts) => parts.iter().map(|p| text(p, "text")).collect(),
        _ => String::new(),
    };
    let items = ["messages", "input"].into_iter().find_map(|n| request.get(n)).unwrap_or(&Value::Null);
    match items {
        Value::Array(list) => list.last().map(|last| of(&last["content"])).unwrap_or_default(),
        other => of(other),
    }
}

#[cfg(test)]
mod tests;
