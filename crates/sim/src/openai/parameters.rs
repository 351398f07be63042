//! Top-level parameters: which exist, and which this model refuses.
//!
//! Members: the published OpenAPI document's `CreateChatCompletionRequest` (a test compares). Refusals by model:
//! <https://developers.openai.com/api/docs/guides/reasoning>, <https://developers.openai.com/api/docs/guides/latest-model>,
//! 2026-11-22.

use super::effort;
use super::error::{Refusal, listed};
use crate::models::{Model, OpenAiRules, Rules};
use crate::shape::{INT, Kind, Member, check, may, must, null, some, text};
use serde_json::{Value, json};

pub(super) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Members of the request, in the order in which they are checked.
pub(crate) const MEMBERS: &[Member] = &[
    must("model", Kind::Text),
    must("messages", Kind::List),
    null("audio", Kind::Object),
    null("frequency_penalty", Kind::Num { min: -2.0, max: 2.0 }),
    may("function_call", Kind::TextOrObject),
    may("functions", Kind::List),
    null("logit_bias", Kind::Object),
    null("logprobs", Kind::Bool),
    null("max_completion_tokens", Kind::Int { min: 1, max: i64::MAX }),
    null("max_tokens", Kind::Int { min: 1, max: i64::MAX }),
    null("metadata", Kind::Object),
    null("modalities", Kind::List),
    null("moderation", Kind::Object),
    null("n", Kind::Int { min: 1, max: 128 }),
    may("parallel_tool_calls", Kind::Bool),
    null("prediction", Kind::Object),
    null("presence_penalty", Kind::Num { min: -2.0, max: 2.0 }),
    null("prompt_cache_key", Kind::Text),
    null("prompt_cache_options", Kind::Object),
    null("prompt_cache_retention", Kind::OneOf(&["in_memory", "24h"])),
    null("reasoning_effort", Kind::OneOf(EFFORTS)),
    may("response_format", Kind::Object),
    null("safety_identifier", Kind::Text),
    null("seed", INT),
    null("service_tier", Kind::OneOf(&["auto", "default", "flex", "scale", "priority", "fast"])),
    null("stop", Kind::TextOrList),
    null("store", Kind::Bool),
    null("stream", Kind::Bool),
    null("stream_options", Kind::Object),
    null("temperature", Kind::Num { min: 0.0, max: 2.0 }),
    may("tool_choice", Kind::TextOrObject),
    may("tools", Kind::List),
    null("top_logprobs", Kind::Int { min: 0, max: 20 }),
    null("top_p", Kind::Num { min: 0.0, max: 1.0 }),
    may("user", Kind::Text),
    null("verbosity", Kind::OneOf(&["low", "medium", "high"])),
    may("web_search_options", Kind::Object),
];

/// Refuses parameters that do not exist, are of the wrong kind, do not go together, or that this model does not take.
pub(super) fn refuse(model: &Model, request: &Value) -> Result<(), Refusal> {
    let Some(map) = request.as_object() else {
        return Err(Refusal::other(
            400,
            "invalid_request_error",
            None,
            "We could not parse the JSON body of your request.",
        ));
    };
    if let Rules::Embedding(_) = model.rules {
        let message = "You are not allowed to sample from this model";
        return Err(Refusal::other(403, "invalid_request_error", None, message));
    }
    check(map, MEMBERS).map_err(|p| Refusal::shape("", p))?;
    combinations(request)?;
    match model.rules {
        Rules::OpenAi(rules) => by_model(model, &rules, request),
        _ => Ok(()),
    }
}

fn combinations(request: &Value) -> Result<(), Refusal> {
    let has = |name: &str| some(request, name).is_some();
    if has("max_tokens") && has("max_completion_tokens") {
        let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Refusal::bad("max_tokens", "invalid_parameter_combination", message));
    }
    if has("stream_options") && request.get("stream") != Some(&json!(true)) {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Refusal::plain("stream_options", message));
    }
    if let Some(options) = some(request, "stream_options").and_then(Value::as_object) {
        check(options, &[may("include_usage", Kind::Bool), may("include_obfuscation", Kind::Bool)])
            .map_err(|p| Refusal::shape("stream_options", p))?;
    }
    if has("top_logprobs") && request.get("logprobs") != Some(&json!(true)) {
        let message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.";
        return Err(Refusal::plain("top_logprobs", message));
    }
    if let Some(stops) = request.get("stop").and_then(Value::as_array) {
        if stops.len() > 4 {
            let message = format!(
                "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length {} instead.",
                stops.len()
            );
            return Err(Refusal::bad("stop", "array_above_max_length", message));
        }
        if let Some((i, stop)) = stops.iter().enumerate().find(|(_, s)| !s.is_string()) {
            return Err(Refusal::kind(&format!("stop[{i}]"), "a string", stop));
        }
    }
    for (name, value) in request.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        if !value.is_string() {
            return Err(Refusal::kind(&format!("metadata.{name}"), "a string", value));
        }
    }
    Ok(())
}

fn by_model(model: &Model, rules: &OpenAiRules, request: &Value) -> Result<(), Refusal> {
    if rules.responses_only {
        let message = "This model is only supported in v1/responses and not in v1/chat/completions.";
        return Err(Refusal { status: 404, code: None, ..Refusal::bad("model", "", message) });
    }
    let has = |name: &str| some(request, name).is_some();
    let default_only = |name: &str, default: f64| {
        let found = some(request, name).filter(|v| v.as_f64() != Some(default))?;
        let message = format!(
            "Unsupported value: '{name}' does not support {found} with this model. Only the default ({default}) value is supported."
        );
        Some(Refusal::bad(name, "unsupported_value", message))
    };
    if rules.reasons() {
        reasoning(rules, request)?;
        if has("max_tokens") {
            let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
            return Err(Refusal::bad("max_tokens", "unsupported_parameter", message));
        }
        if effort(model, some(request, "reasoning_effort")) != "none" {
            if let Some(refusal) = default_only("temperature", 1.0) {
                return Err(refusal);
            }
            if let Some(name) =
                ["top_p", "logprobs", "top_logprobs"].into_iter().find(|n| sampled(request, n))
            {
                return Err(Refusal::unsupported(name));
            }
        }
        let never = ["stop", "logit_bias", "prediction", "audio"].into_iter().find(|n| has(n));
        let nonzero = ["presence_penalty", "frequency_penalty"]
            .into_iter()
            .find(|n| some(request, n).is_some_and(|v| v.as_f64() != Some(0.0)));
        if let Some(name) = never.or(nonzero) {
            return Err(Refusal::unsupported(name));
        }
    } else if has("reasoning_effort") {
        let message = "Unrecognized request argument supplied: reasoning_effort";
        return Err(Refusal::other(400, "invalid_request_error", None, message));
    } else if !text(request, "verbosity").is_empty() && text(request, "verbosity") != "medium" {
        let message = format!(
            "Unsupported value: 'verbosity' does not support '{}' with this model. Supported values are: 'medium'.",
            text(request, "verbosity")
        );
        return Err(Refusal::bad("verbosity", "unsupported_value", message));
    }
    if rules.one_choice
        && let Some(refusal) = default_only("n", 1.0)
    {
        return Err(refusal);
    }
    if !rules.parallel_flag && has("parallel_tool_calls") {
        return Err(Refusal::unsupported("parallel_tool_calls"));
    }
    if has("web_search_options") {
        let message = "Unknown parameter: 'web_search_options'.";
        return Err(Refusal::bad("web_search_options", "unknown_parameter", message));
    }
    output_limit(model, request)
}

/// Whether a sampling parameter departs from what the model does anyway.
pub(super) fn sampled(request: &Value, name: &str) -> bool {
    some(request, name).is_some_and(|v| match name {
        "top_p" => v.as_f64() != Some(1.0),
        _ => v != &json!(false),
    })
}

fn reasoning(rules: &OpenAiRules, request: &Value) -> Result<(), Refusal> {
    let Some(effort) = some(request, "reasoning_effort").and_then(Value::as_str) else { return Ok(()) };
    if !rules.efforts.contains(&effort) {
        let message = format!(
            "Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. Supported values are: {}.",
            listed(rules.efforts)
        );
        return Err(Refusal::bad("reasoning_effort", "unsupported_value", message));
    }
    // https://errs.dmxapi.cn/detail.php?id=2753 (2026-05-02), read 2026-11-22.
    if rules.no_tools_with_effort && effort != "none" && some(request, "tools").is_some() {
        let model = text(request, "model");
        let message = format!(
            "Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. Please use /v1/responses instead."
        );
        return Err(Refusal::plain("reasoning_effort", message));
    }
    Ok(())
}

pub(super) fn output_limit(model: &Model, request: &Value) -> Result<(), Refusal> {
    for name in ["max_tokens", "max_completion_tokens", "max_output_tokens"] {
        let asked = some(request, name).and_then(Value::as_u64).unwrap_or(0);
        if asked > model.output_tokens_max {
            let most = model.output_tokens_max;
            let message = format!(
                "{name} is too large: {asked}. This model supports at most {most} completion tokens, whereas you provided {asked}."
            );
            return Err(Refusal::bad(name, "invalid_value", message));
        }
    }
    Ok(())
}

/// Refuses a prompt that does not fit the model's window.
pub(super) fn refuse_length(model: &Model, request: &Value, prompt_tokens: u64) -> Result<(), Refusal> {
    let window = model.context_tokens;
    if prompt_tokens <= window {
        return Ok(());
    }
    let also = if some(request, "tools").is_some() { " (including functions)" } else { "" };
    let message = format!(
        "This model's maximum context length is {window} tokens. However, your messages resulted in {prompt_tokens} tokens{also}. Please reduce the length of the messages."
    );
    Err(Refusal::bad("messages", "context_length_exceeded", message))
}
