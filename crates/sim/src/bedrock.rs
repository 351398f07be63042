//! The simulated Amazon Bedrock: Converse and its stream, as strict as the real one.
//!
//! The service reads a request by its published shapes, refuses what it refuses itself, and hands the rest to the model,
//! whose own refusals it wraps. So does the fleet: Claude's rules here are those of the simulated Anthropic.

mod answer;
mod embeddings;
pub(crate) mod error;
pub(crate) mod frames;
mod members;
mod messages;
mod shapes;
pub(crate) mod sigv4;
mod stream;
mod turns;

use crate::answer::Answer;
use crate::anthropic;
use crate::books::Outcome;
use crate::chance::Chance;
use crate::dialect::Dialect;
use crate::models::{Model, Native, Rules};
use crate::setting::Setting;
use crate::shape::{some, text};
use error::Refusal;
use serde_json::{Value, json};

/// An operation of a model, the last part of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Converse,
    ConverseStream,
    CountTokens,
    /// A model's own form, which is served for those that make vectors.
    Invoke,
}

impl Operation {
    /// The operation of this name in a path.
    pub(crate) fn named(name: &str) -> Option<Operation> {
        Some(match name {
            "converse" => Operation::Converse,
            "converse-stream" => Operation::ConverseStream,
            "count-tokens" => Operation::CountTokens,
            "invoke" => Operation::Invoke,
            _ => return None,
        })
    }
}

/// Whether a model has this API: Converse all of them, their makers' own Claude and the open weights.
pub(crate) fn serves(dialect: Dialect, model: &Model) -> bool {
    match (dialect, model.rules) {
        (Dialect::Messages, rules) => matches!(rules, Rules::Anthropic(_) | Rules::Permissive),
        (Dialect::Chat, Rules::Converse(rules)) => rules.native == Native::GptOss,
        (Dialect::Chat, rules) => matches!(rules, Rules::Permissive),
        _ => true,
    }
}

/// The model's id, from itself or from the ARN that ends with it.
pub(crate) fn model_id(name: &str) -> &str {
    match name.strip_prefix("arn:aws:bedrock:") {
        Some(rest) => rest.rsplit_once('/').map_or(name, |(_, id)| id),
        None => name,
    }
}

/// `POST /model/{modelId}/{operation}`.
pub(crate) fn call(
    setting: &Setting<'_>,
    model: &Model,
    operation: Operation,
    request: &Value,
) -> Result<Answer, Refusal> {
    match operation {
        Operation::CountTokens => count(setting, model, request),
        Operation::Invoke => embeddings::invoke(setting, model, request),
        _ => converse(setting, model, operation, request).map(|answer| broken(setting.name, answer)),
    }
}

/// A stream that ends in its middle with the exception that the model's name asks for; other answers as they are.
fn broken(name: &str, mut answer: Answer) -> Answer {
    if let Some((kind, payload)) = error::in_stream_named(name).filter(|_| answer.stream) {
        answer.frames.truncate(answer.frames.len() / 2);
        answer.frames.push(frames::exception(kind, &payload));
        answer.outcome = Outcome::Cut;
    }
    answer
}

/// Refuses a request, or gives it in the form that the model reads.
fn read(
    setting: &Setting<'_>,
    model: &Model,
    operation: Operation,
    request: &Value,
) -> Result<Value, Refusal> {
    let shape = match operation {
        Operation::ConverseStream => &members::CONVERSE_STREAM,
        _ => &members::CONVERSE,
    };
    shapes::refuse(shape, request)?;
    if matches!(model.rules, Rules::Embedding(_)) {
        return Err(Refusal::validation(
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ));
    }
    turns::refuse(model, request)?;
    absent(request)?;
    let message = messages::read(model, request)?;
    if let Rules::Anthropic(_) = model.rules {
        if anthropic::own_beta(&message.beta).is_some() {
            return Err(Refusal::of_model("invalid beta flag"));
        }
        anthropic::refuse(setting, model, &message.request, &message.beta)
            .map_err(|refusal| Refusal::of_model(&refusal.message))?;
    }
    Ok(message.request)
}

/// Refuses what names something of an account that the fleet's has not: guardrails and prompts.
fn absent(request: &Value) -> Result<(), Refusal> {
    if !text(&request["guardrailConfig"], "guardrailIdentifier").is_empty() {
        let why = "The guardrail identifier or version provided in the request does not exist.";
        return Err(Refusal::validation(why));
    }
    if some(request, "promptVariables").is_some() {
        let why = "The promptVariables field can only be used with a prompt resource as the modelId. Remove promptVariables and try again.";
        return Err(Refusal::validation(why));
    }
    Ok(())
}

fn converse(
    setting: &Setting<'_>,
    model: &Model,
    operation: Operation,
    request: &Value,
) -> Result<Answer, Refusal> {
    let message = read(setting, model, operation, request)?;
    let message = thinking(model, message);
    let least = match model.rules {
        Rules::Converse(rules) => rules.cache_tokens_min.unwrap_or(u64::MAX),
        _ => anthropic::cache_tokens_min(model),
    };
    let made = anthropic::make(setting, model, &message, least)
        .map_err(|refusal| Refusal::of_model(&refusal.message))?;
    let frame = answer::Frame::new(&made, model, request, setting.telling);
    let content = answer::content(&made, model);
    let answer = if operation == Operation::ConverseStream {
        let mut chance = Chance::new(setting.seed, &[b"padding", message.to_string().as_bytes()]);
        let events = stream::events(&frame, &content, &mut chance);
        Answer { content_type: frames::CONTENT_TYPE, ..Answer::events(events) }
    } else {
        Answer::json(200, &answer::whole(&frame, &content))
    };
    let tier = answer::tier(model, request);
    Ok(answer.costing(made.usage, tier))
}

/// Open weights that reason do so unasked.
fn thinking(model: &Model, mut message: Value) -> Value {
    if matches!(model.rules, Rules::Converse(rules) if rules.reasons) && message.get("thinking").is_none() {
        message["thinking"] = json!({ "type": "enabled", "budget_tokens": 64 });
    }
    message
}

/// `CountTokens` of a Converse request. It is free, and equals what a call with the same content reports.
fn count(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let Some(inner) = some(&request["input"], "converse") else {
        return Err(Refusal::validation(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must not be null",
        ));
    };
    let message = read(setting, model, Operation::Converse, inner)?;
    Ok(Answer::json(200, &json!({ "inputTokens": anthropic::prompt_tokens(model, &message) })))
}

#[cfg(test)]
mod tests;
