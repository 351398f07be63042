//! The simulated OpenAI: Chat Completions, Responses, embeddings and models, as strict as the real one.

mod answer;
mod embeddings;
pub(crate) mod error;
mod messages;
mod parameters;
mod read;
pub(crate) mod realtime;
pub(crate) mod responses;
pub(crate) mod services;
mod stream;
mod tools;

use crate::answer::Answer;
use crate::chance::Chance;
use crate::models::{self, Model, Rules, Vendor};
use crate::plan::{self, Plan};
use crate::price::Usage;
use crate::setting::{Setting, unstreamed};
use crate::shape::some;
use error::Refusal;
#[cfg(test)]
pub(crate) use parameters::MEMBERS as REQUEST_MEMBERS;
pub(crate) use responses::Shelf;
use serde_json::{Value, json};

/// `POST /v1/chat/completions`.
pub(crate) fn chat(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    parameters::refuse(model, request)?;
    tools::refuse(request)?;
    messages::refuse(model, request)?;
    let prompt = read::prompt(model, request);
    parameters::refuse_length(model, request, prompt.tokens())?;
    let choices = some(request, "n").and_then(Value::as_u64).unwrap_or(1);
    let text = unstreamed(request);
    let mut chance = Chance::new(setting.seed, &[model.id.as_bytes(), text.as_bytes()]);
    let id = format!("chatcmpl-{}", chance.name(29));
    let mut brief = read::brief(model, request);
    if let Some(force) = &setting.force {
        brief.steering = force.clone();
    }
    let plans: Vec<Plan> = (0..choices).map(|_| plan::plan(&brief, &mut chance)).collect();
    let caches = model.prices.iter().any(|p| p.class == crate::price::Class::CacheRead);
    let cache_read = if caches {
        let cache_key = request.get("prompt_cache_key").map(Value::to_string).unwrap_or_default();
        let scope = format!("{}|{}|{cache_key}", model.id, setting.caller);
        setting.cache.automatic(scope.as_bytes(), prompt.pieces(model.word_bytes))
    } else {
        0
    };
    let sum = |of: fn(&Plan) -> u64| plans.iter().map(of).sum::<u64>();
    let reasoning = sum(|p| p.thinking_tokens);
    let usage = Usage {
        input: prompt.tokens() - cache_read,
        cache_read,
        output: reasoning + sum(|p| p.answer_tokens),
        reasoning,
        ..Usage::default()
    };
    let frame = answer::Frame::new(setting, model, request, id, usage, &mut chance);
    let tier = Some(frame.tier.clone());
    let made = if request.get("stream") == Some(&json!(true)) {
        Answer::events(stream::events(&frame, &plans, &mut chance))
    } else {
        Answer::json(200, &answer::whole(&frame, &plans, &mut chance))
    };
    Ok(made.costing(usage, tier))
}

/// `POST /v1/embeddings`.
pub(crate) fn embed(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    embeddings::embed(setting, model, request)
}

/// `GET /v1/models`.
pub(crate) fn models() -> Value {
    let rows = models::of(Vendor::OpenAi).iter().flat_map(|m| {
        let names = if m.id == m.served_as { vec![m.id] } else { vec![m.id, m.served_as] };
        names.into_iter().map(|name| model_json(m, name))
    });
    json!({ "object": "list", "data": rows.collect::<Vec<_>>() })
}

/// `GET /v1/models/{id}`.
pub(crate) fn model(name: &str) -> Result<Value, Refusal> {
    match models::find(Vendor::OpenAi, name) {
        Some(models::Found::Real(m)) => Ok(model_json(m, name)),
        Some(models::Found::Fault(m, _)) => Ok(model_json(m, name)),
        _ => Err(Refusal::no_model(name)),
    }
}

fn model_json(model: &Model, name: &str) -> Value {
    let mut out = json!({ "id": name, "object": "model", "created": model.created, "owned_by": "system" });
    if let Some(day) = model.shutdown {
        out["shutdown_date"] = json!(day);
    }
    out
}

/// The effort that a request runs at: its own, or the model's default.
fn effort<'a>(model: &Model, asked: Option<&'a Value>) -> &'a str {
    let default = match model.rules {
        Rules::OpenAi(rules) => rules.default_effort,
        _ => "none",
    };
    asked.and_then(Value::as_str).unwrap_or(default)
}

#[cfg(test)]
mod tests;
