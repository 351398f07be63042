//! The simulated Google: Gemini's generate, count and embed methods and its models, as strict as the real one.

mod answer;
mod contents;
mod embeddings;
pub(crate) mod error;
mod fields;
mod parameters;
mod proto;
mod read;
mod signature;
mod stream;
mod tools;

use crate::answer::Answer;
use crate::chance::Chance;
use crate::models::{self, Found, Model, Rules, Vendor};
use crate::plan::{self, Plan};
use crate::price::{Class, Usage};
use crate::setting::Setting;
use crate::shape::{some, text};
use crate::tokens;
use error::Refusal;
pub(crate) use proto::snake;
use serde_json::{Value, json};

/// The content type of everything but events.
pub(crate) const JSON: &str = "application/json; charset=UTF-8";

/// A method of a model, the part of the path after the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Generate,
    /// In chunks: as server-sent events, or as one JSON list.
    Stream {
        is_sse: bool,
    },
    Count,
    Embed,
    BatchEmbed,
}

impl Method {
    /// The method of this name; `alt=sse` in the query asks for events.
    pub(crate) fn named(name: &str, query: &str) -> Option<Method> {
        let is_sse = query.split('&').any(|q| matches!(q, "alt=sse" | "%24alt=sse" | "$alt=sse"));
        Some(match name {
            "generateContent" => Method::Generate,
            "streamGenerateContent" => Method::Stream { is_sse },
            "countTokens" => Method::Count,
            "embedContent" => Method::Embed,
            "batchEmbedContents" => Method::BatchEmbed,
            _ => return None,
        })
    }

    /// Its name in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Method::Generate => "generateContent",
            Method::Stream { .. } => "streamGenerateContent",
            Method::Count => "countTokens",
            Method::Embed => "embedContent",
            Method::BatchEmbed => "batchEmbedContents",
        }
    }
}

/// `POST /v1beta/models/{model}:{method}`.
pub(crate) fn call(
    setting: &Setting<'_>,
    model: &Model,
    method: Method,
    request: &Value,
) -> Result<Answer, Refusal> {
    let embeds = matches!(method, Method::Embed | Method::BatchEmbed);
    let is_able = match model.rules {
        Rules::Embedding(_) => embeds || method == Method::Count,
        Rules::Gemini(_) => !embeds,
        _ => true,
    };
    if !is_able {
        return Err(Refusal::no_model(setting.name, method.name()));
    }
    match method {
        Method::Generate | Method::Stream { .. } => generate(setting, model, method, request),
        Method::Count => count(model, request),
        Method::Embed => embeddings::one(setting, model, request),
        Method::BatchEmbed => embeddings::batch(setting, model, request),
    }
}

fn generate(
    setting: &Setting<'_>,
    model: &Model,
    method: Method,
    request: &Value,
) -> Result<Answer, Refusal> {
    let request = &proto::read(&fields::GENERATE, request)?;
    contents::refuse(request)?;
    tools::refuse(model, request)?;
    parameters::refuse(model, request)?;
    signature::refuse(model, setting.seed, crate::shape::list(request, "contents"))?;
    let counted = read::prompt(model, request);
    parameters::refuse_length(model, counted.prompt.tokens())?;
    let mut chance = Chance::new(setting.seed, &[model.id.as_bytes(), request.to_string().as_bytes()]);
    let id = chance.name(22);
    let mut brief = read::brief(model, request);
    if let Some(force) = &setting.force {
        brief.steering = force.clone();
    }
    let choices = some(&request["generationConfig"], "candidateCount").and_then(Value::as_u64).unwrap_or(1);
    let mut plans: Vec<Plan> = (0..choices).map(|_| plan::plan(&brief, &mut chance)).collect();
    plans.iter_mut().for_each(|plan| settle(model, request, plan));
    let parts: Vec<Vec<Value>> =
        plans.iter().map(|plan| answer::parts(setting, model, request, plan, &mut chance)).collect();
    let has_text = plans.iter().all(|p| p.calls.is_empty() && !answer::is_blocked(p));
    let tool_use = if has_text { read::tool_use_tokens(model, request) } else { 0 };
    let usage = usage(setting, model, &counted, &plans, tool_use);
    let frame = answer::Frame::new(setting, model, request, &counted, usage, tool_use, id);
    let tier = tier(model, request);
    let made = match method {
        Method::Stream { is_sse: true } => {
            let chunks = stream::chunks(&frame, &plans, &parts, &mut chance);
            Answer { content_type: "text/event-stream", ..Answer::events(stream::events(&chunks)) }
        }
        Method::Stream { is_sse: false } => {
            let chunks = stream::chunks(&frame, &plans, &parts, &mut chance);
            Answer { content_type: JSON, ..Answer::events(stream::items(&chunks)) }
        }
        _ => pretty(&answer::whole(&frame, &plans, &parts, &mut chance)),
    };
    let headers = vec![("x-gemini-service-tier", tier.clone())];
    Ok(Answer { headers, ..made }.costing(usage, Some(tier)))
}

/// A body as the provider writes it, over several lines.
fn pretty(body: &Value) -> Answer {
    let frames = vec![bytes::Bytes::from(format!("{body:#}\n"))];
    Answer { content_type: JSON, frames, ..Answer::json(200, body) }
}

/// What becomes of a plan here: an enum's value is bare text, and a blocked prompt is answered with nothing.
fn settle(model: &Model, request: &Value, plan: &mut Plan) {
    if text(&request["generationConfig"], "responseMimeType") == "text/x.enum" && plan.calls.is_empty() {
        plan.text = plan.text.trim_matches('"').to_owned();
        plan.answer_tokens = tokens::count(&plan.text, model.word_bytes);
    }
    if answer::is_blocked(plan) {
        plan.thinking = None;
        plan.thinking_tokens = 0;
        plan.answer_tokens = 0;
    }
}

fn usage(
    setting: &Setting<'_>,
    model: &Model,
    counted: &read::Counted,
    plans: &[Plan],
    tool_use: u64,
) -> Usage {
    let prompt = &counted.prompt;
    let least = match model.rules {
        Rules::Gemini(rules) => rules.cache_tokens_min,
        _ => 1_024,
    };
    let cache_read = if model.prices.iter().any(|p| p.class == Class::CacheRead) {
        let scope = format!("{}|{}", model.id, setting.caller);
        setting.cache.automatic(scope.as_bytes(), prompt.pieces(model.word_bytes))
    } else {
        0
    };
    let cache_read = if cache_read < least { 0 } else { cache_read };
    let sum = |of: fn(&Plan) -> u64| plans.iter().map(of).sum::<u64>();
    let reasoning = sum(|p| p.thinking_tokens);
    Usage {
        input: prompt.tokens() - cache_read + tool_use,
        cache_read,
        output: reasoning + sum(|p| p.answer_tokens),
        reasoning,
        ..Usage::default()
    }
}

/// The tier that serves: what was asked, where the model has a price for it; else the standard one.
fn tier(model: &Model, request: &Value) -> String {
    let asked = text(request, "serviceTier").trim_start_matches("SERVICE_TIER_").to_lowercase();
    let priced = model.prices.iter().any(|p| p.tier == Some(asked.as_str()));
    if priced { asked } else { "standard".to_owned() }
}

/// `countTokens`. It is free, and equals what a call with the same content reports.
fn count(model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let request = proto::read(&fields::COUNT, request)?;
    let inner = match some(&request, "generateContentRequest") {
        Some(_) if some(&request, "contents").is_some() => {
            let message =
                "* CountTokensRequest: only one of contents and generate_content_request can be set\n";
            return Err(Refusal::bad(message));
        }
        Some(inner) => inner,
        None => &request,
    };
    contents::refuse(inner)?;
    let counted = read::prompt(model, inner);
    Ok(pretty(&json!({ "totalTokens": counted.prompt.tokens(), "promptTokensDetails": counted.details() })))
}

/// `GET /v1beta/models`, paged by `pageSize` and `pageToken` of the query.
pub(crate) fn models(query: &str) -> Value {
    let value = |name: &str| {
        query.split('&').filter_map(|q| q.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v)
    };
    let all = models::of(Vendor::Gemini);
    let start = value("pageToken").and_then(|t| t.parse().ok()).unwrap_or(0usize).min(all.len());
    let size = value("pageSize").and_then(|n| n.parse().ok()).unwrap_or(50usize).clamp(1, 1_000);
    let page: Vec<Value> = all.iter().skip(start).take(size).map(|m| model_json(m, m.id)).collect();
    let end = start + page.len();
    let mut out = json!({ "models": page });
    if end < all.len() {
        out["nextPageToken"] = json!(end.to_string());
    }
    out
}

/// `GET /v1beta/models/{id}`.
pub(crate) fn model(name: &str) -> Result<Value, Refusal> {
    match models::find(Vendor::Gemini, name) {
        Some(Found::Real(m)) => Ok(model_json(m, m.id)),
        Some(Found::Fault(m, _)) => Ok(model_json(m, name)),
        _ => {
            let message = format!("Model not found: models/{name}");
            Err(Refusal::other(404, "NOT_FOUND", message))
        }
    }
}

fn model_json(model: &Model, name: &str) -> Value {
    let methods = match model.rules {
        Rules::Embedding(_) => {
            json!(["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"])
        }
        _ => json!(["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]),
    };
    let mut out = json!({
        "name": format!("models/{name}"),
        "version": "001",
        "displayName": model.display,
        "description": format!("{}, simulated", model.display),
        "inputTokenLimit": model.context_tokens,
        "outputTokenLimit": model.output_tokens_max.max(1),
        "supportedGenerationMethods": methods,
    });
    if let Rules::Gemini(_) = model.rules {
        out["temperature"] = json!(1);
        out["topP"] = json!(0.95);
        out["topK"] = json!(64);
        out["maxTemperature"] = json!(2);
        out["thinking"] = json!(true);
    }
    out
}

#[cfg(test)]
mod tests;
