//! Generation parameters: ranges, what goes together, and what this model refuses.
//!
//! Rules: <https://ai.google.dev/api/generate-content#v1beta.GenerationConfig> and
//! <https://ai.google.dev/gemini-api/docs/thinking>; wordings as public bug reports give them, read 2026-11-23:
//! <https://github.com/sterlp/eclipse-peon-ai/issues/115> (level and budget), <https://github.com/RooCodeInc/Roo-Code/issues/10700>
//! (level on 2.5), <https://github.com/heyhuynhgiabuu/proxypal/issues/170> (level of 3), <https://github.com/RooCodeInc/Roo-Code/issues/4399>
//! and <https://github.com/snailyp/gemini-balance/issues/206> (budgets), <https://github.com/Simpleyyt/ai-manus/issues/101> (JSON
//! with functions), <https://github.com/google-gemini/cookbook/issues/1290> (penalties),
//! <https://github.com/continuedev/continue/issues/2702> (stop sequences). Where no report was found (ranges, safety settings,
//! log probabilities, several candidates), the words are ours in the provider's form.

use super::error::Refusal;
use super::tools;
use crate::models::{GeminiRules, GeminiThinking, Model, Rules};
use crate::shape::{list, some, text};
use serde_json::{Value, json};

const MIME_TYPES: &[&str] = &["text/plain", "application/json", "text/x.enum"];
/// Categories that can be set; the others are read but refused.
const CATEGORIES: &[&str] = &[
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
];
/// Most stop sequences.
const STOPS_MAX: usize = 5;

/// Refuses parameters out of range, those that do not go together, and those that this model does not take.
pub(super) fn refuse(model: &Model, request: &Value) -> Result<(), Refusal> {
    // Caches are made at another endpoint, which the fleet has not: none can be known.
    if some(request, "cachedContent").is_some() {
        return Err(Refusal::other(
            403,
            "PERMISSION_DENIED",
            "CachedContent not found (or permission denied)",
        ));
    }
    safety(request)?;
    let config = &request["generationConfig"];
    ranges(model, config)?;
    format(config)?;
    let Rules::Gemini(rules) = model.rules else { return Ok(()) };
    thinking(&rules, config)?;
    by_model(model, &rules, request, config)
}

fn safety(request: &Value) -> Result<(), Refusal> {
    let settings = list(request, "safetySettings");
    for (i, setting) in settings.iter().enumerate() {
        let category = text(setting, "category");
        if !CATEGORIES.contains(&category) {
            let all: Vec<String> = CATEGORIES.iter().map(|c| format!("HarmCategory.{c}")).collect();
            let why = format!("element predicate failed: $.category in ({})", all.join(", "));
            return Err(Refusal::field(&format!("safety_settings[{i}]"), &why));
        }
        if settings[..i].iter().any(|s| text(s, "category") == category) {
            return Err(Refusal::field("safety_settings", &format!("duplicate category: {category}")));
        }
    }
    Ok(())
}

fn ranges(model: &Model, config: &Value) -> Result<(), Refusal> {
    let at = |name: &str| format!("generation_config.{}", super::proto::snake(name));
    for (name, low, high) in [
        ("temperature", 0.0, 2.0),
        ("topP", 0.0, 1.0),
        ("candidateCount", 1.0, 8.0),
        ("presencePenalty", -2.0, 2.0),
        ("frequencyPenalty", -2.0, 2.0),
        ("logprobs", 0.0, 20.0),
    ] {
        let found = some(config, name).and_then(Value::as_f64);
        if found.is_some_and(|v| !(low..=high).contains(&v)) {
            let why = format!("{} must be in the range [{low:?}, {high:?}].", super::proto::snake(name));
            return Err(Refusal::field(&at(name), &why));
        }
    }
    for name in ["topK", "maxOutputTokens"] {
        if some(config, name).and_then(Value::as_i64).is_some_and(|v| v < 1) {
            return Err(Refusal::field(
                &at(name),
                &format!("{} must be positive.", super::proto::snake(name)),
            ));
        }
    }
    let most = model.output_tokens_max;
    if let Some(asked) = some(config, "maxOutputTokens").and_then(Value::as_u64).filter(|n| *n > most) {
        return Err(Refusal::bad(format!(
            "Unable to submit request because it has a maxOutputTokens value of {asked} but the supported range is from 1 (inclusive) to {} (exclusive). Update the value and try again.",
            most + 1
        )));
    }
    let stops = list(config, "stopSequences");
    if stops.len() > STOPS_MAX {
        let why = format!("the number of stop_sequences must not exceed {STOPS_MAX}");
        return Err(Refusal::field(&at("stopSequences"), &why));
    }
    if stops.iter().any(|s| s == "") {
        return Err(Refusal::field(&at("stopSequences"), "stop_sequences must not be empty."));
    }
    if some(config, "logprobs").is_some() && config.get("responseLogprobs") != Some(&json!(true)) {
        return Err(Refusal::field(
            &at("logprobs"),
            "logprobs can only be set if response_logprobs is true.",
        ));
    }
    Ok(())
}

fn format(config: &Value) -> Result<(), Refusal> {
    let kind = text(config, "responseMimeType");
    if !kind.is_empty() && !MIME_TYPES.contains(&kind) {
        let all: Vec<String> = MIME_TYPES.iter().map(|t| format!("`{t}`")).collect();
        let why = format!("allowed mimetypes are {}.", all.join(", "));
        return Err(Refusal::field("generation_config.response_mime_type", &why));
    }
    let given: Vec<&str> = ["responseSchema", "responseJsonSchema", "_responseJsonSchema"]
        .into_iter()
        .filter(|n| some(config, n).is_some())
        .collect();
    let Some(first) = given.first() else { return Ok(()) };
    let at = format!("generation_config.{}", super::proto::snake(first.trim_start_matches('_')));
    if given.len() > 1 {
        return Err(Refusal::field(&at, "only one of response_schema and response_json_schema can be set."));
    }
    if !matches!(kind, "application/json" | "text/x.enum") {
        return Err(Refusal::field(
            &at,
            "only allowed if response_mime_type is set to application/json or text/x.enum.",
        ));
    }
    some(config, "responseSchema").map_or(Ok(()), |schema| tools::schema(schema, &at, 0))
}

fn thinking(rules: &GeminiRules, config: &Value) -> Result<(), Refusal> {
    let thinking = &config["thinkingConfig"];
    let level =
        Some(text(thinking, "thinkingLevel")).filter(|l| !matches!(*l, "" | "THINKING_LEVEL_UNSPECIFIED"));
    let budget = some(thinking, "thinkingBudget").and_then(Value::as_i64);
    if level.is_some() && budget.is_some() {
        return Err(Refusal::bad("You can only set only one of thinking budget and thinking level."));
    }
    let (low, high, can_stop) = match rules.thinking {
        GeminiThinking::Budget { min, max, can_stop, .. } => {
            if level.is_some() {
                return Err(Refusal::bad("Thinking level is not supported for this model."));
            }
            (min, max, can_stop)
        }
        GeminiThinking::Levels { levels, can_stop } => {
            if let Some(level) = level.filter(|l| !levels.contains(l)) {
                return Err(Refusal::bad(format!("Thinking level {level} is not supported for this model.")));
            }
            (1, 32_768, can_stop)
        }
    };
    match budget {
        Some(0) if !can_stop => {
            Err(Refusal::bad("Budget 0 is invalid. This model only works in thinking mode."))
        }
        Some(0) if thinking.get("includeThoughts") == Some(&json!(true)) => {
            Err(Refusal::bad("Thinking_config.include_thoughts is only enabled when thinking is enabled."))
        }
        None | Some(-1 | 0) => Ok(()),
        Some(n) if (low..=high).contains(&n) => Ok(()),
        Some(n) => Err(Refusal::bad(format!(
            "The thinking budget ({n}) is invalid. Please choose a value between {low} and {high}."
        ))),
    }
}

fn by_model(model: &Model, rules: &GeminiRules, request: &Value, config: &Value) -> Result<(), Refusal> {
    let penalty = ["presencePenalty", "frequencyPenalty"]
        .iter()
        .any(|n| some(config, n).is_some_and(|v| v.as_f64() != Some(0.0)));
    if penalty {
        return Err(Refusal::bad("Penalty is not enabled for this model"));
    }
    if config.get("responseLogprobs") == Some(&json!(true)) && !rules.logprobs {
        return Err(Refusal::bad(format!("Logprobs is not enabled for models/{}", model.id)));
    }
    if some(config, "candidateCount").is_some_and(|n| n != 1) && rules.is_gemini_3 {
        return Err(Refusal::bad(format!("Multiple candidates is not enabled for models/{}", model.id)));
    }
    let modalities = list(config, "responseModalities");
    if modalities.iter().any(|m| m != "TEXT") {
        return Err(Refusal::bad(format!(
            "The requested combination of response modalities is not supported by the model. models/{} accepts the following combination of response modalities:\n* TEXT\n",
            model.id
        )));
    }
    let kind = text(config, "responseMimeType");
    let is_formed = !matches!(kind, "" | "text/plain");
    if is_formed && !rules.is_gemini_3 && tools::declarations(request).next().is_some() {
        return Err(Refusal::bad(format!(
            "Function calling with a response mime type: '{kind}' is unsupported"
        )));
    }
    Ok(())
}

/// Refuses a prompt that does not fit the model's window.
pub(super) fn refuse_length(model: &Model, prompt_tokens: u64) -> Result<(), Refusal> {
    let window = model.context_tokens;
    if prompt_tokens <= window {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "The input token count ({prompt_tokens}) exceeds the maximum number of tokens allowed ({window})."
    )))
}
