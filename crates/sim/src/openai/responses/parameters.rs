//! Parameters of the Responses API: which exist, which moved here from Chat Completions, and which this model refuses.
//!
//! Members: the published OpenAPI document's `CreateResponse` and `TokenCountsBody` (a test compares). Refusals by model:
//! <https://developers.openai.com/api/docs/guides/reasoning>; wordings as public bug reports give them, read 2026-11-23, e.g.
//! <https://github.com/lobehub/lobehub/issues/8116> (parameters that moved) and
//! <https://github.com/OpenHands/software-agent-sdk/issues/1837> (sampling parameters of reasoning models).

use crate::models::{Model, OpenAiRules, Rules};
use crate::openai::effort;
use crate::openai::error::{Refusal, listed};
use crate::openai::parameters::{EFFORTS, output_limit, sampled};
use crate::shape::{INT, Kind, Member, Problem, What, check, list, may, must, null, some, text};
use serde_json::{Map, Value, json};

/// Members of a request, in the order in which they are checked.
pub(crate) const MEMBERS: &[Member] = &[
    must("model", Kind::Text),
    null("input", Kind::TextOrList),
    null("background", Kind::Bool),
    null("context_management", Kind::List),
    null("conversation", Kind::TextOrObject),
    null("include", Kind::List),
    null("instructions", Kind::Text),
    null("max_output_tokens", Kind::Int { min: 16, max: i64::MAX }),
    null("max_tool_calls", INT),
    null("metadata", Kind::Object),
    null("moderation", Kind::Object),
    null("parallel_tool_calls", Kind::Bool),
    null("previous_response_id", Kind::Text),
    null("prompt", Kind::Object),
    null("prompt_cache_key", Kind::Text),
    null("prompt_cache_options", Kind::Object),
    null("prompt_cache_retention", Kind::OneOf(&["in_memory", "24h"])),
    null("reasoning", Kind::Object),
    null("safety_identifier", Kind::Text),
    null("service_tier", Kind::OneOf(&["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"])),
    null("store", Kind::Bool),
    null("stream", Kind::Bool),
    null("stream_options", Kind::Object),
    null("temperature", Kind::Num { min: 0.0, max: 2.0 }),
    may("text", Kind::Object),
    may("tool_choice", Kind::TextOrObject),
    may("tools", Kind::List),
    null("top_logprobs", Kind::Int { min: 0, max: 20 }),
    null("top_p", Kind::Num { min: 0.0, max: 1.0 }),
    null("truncation", Kind::OneOf(&["auto", "disabled"])),
    may("user", Kind::Text),
    // Younger than the published document: the request types of the Python SDK 3.54, read 2026-11-23.
    null("access_programs", Kind::Object),
    null("background_options", Kind::Object),
    null("image", Kind::Object),
];

/// Members of a request that only asks how long its input is.
pub(crate) const COUNT_MEMBERS: &[Member] = &[
    null("model", Kind::Text),
    null("input", Kind::TextOrList),
    null("conversation", Kind::TextOrObject),
    null("instructions", Kind::Text),
    null("parallel_tool_calls", Kind::Bool),
    may("personality", Kind::Text),
    null("previous_response_id", Kind::Text),
    null("reasoning", Kind::Object),
    null("text", Kind::Object),
    null("tool_choice", Kind::TextOrObject),
    null("tools", Kind::List),
    may("truncation", Kind::OneOf(&["auto", "disabled"])),
];

/// What Chat Completions calls otherwise.
const MOVED: &[(&str, &str)] = &[
    ("messages", "input"),
    ("response_format", "text.format"),
    ("max_tokens", "max_output_tokens"),
    ("max_completion_tokens", "max_output_tokens"),
    ("reasoning_effort", "reasoning.effort"),
    ("verbosity", "text.verbosity"),
];

const INCLUDES: &[&str] = &[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
];

/// The `include` word that asks for sealed reasoning.
pub(super) const SEALED: &str = "reasoning.encrypted_content";
/// The `include` word that asks for log probabilities.
pub(super) const LOGPROBS: &str = "message.output_text.logprobs";

/// A member that is wrong. Unlike in Chat Completions, an unknown one is named at the top too.
pub(super) fn shape(path: &str, problem: Problem) -> Refusal {
    if path.is_empty() && problem.what == What::Unknown {
        let name = problem.name;
        return match MOVED.iter().find(|(old, _)| *old == name) {
            Some((old, new)) => {
                let message = format!(
                    "Unsupported parameter: '{old}'. In the Responses API, this parameter has moved to '{new}'. Try again with the new parameter. See the API documentation for more information: https://platform.openai.com/docs/api-reference/responses/create."
                );
                Refusal::other(400, "invalid_request_error", Some("unsupported_parameter"), message)
            }
            None => {
                let message = format!("Unknown parameter: '{name}'.");
                Refusal::bad(name, "unknown_parameter", message)
            }
        };
    }
    Refusal::shape(path, problem)
}

/// The request as an object that can be sampled from.
fn object<'a>(model: &Model, request: &'a Value) -> Result<&'a Map<String, Value>, Refusal> {
    if matches!(model.rules, Rules::Embedding(_)) {
        let message = format!(
            "The requested model '{}' cannot be used with the Responses API.",
            text(request, "model")
        );
        return Err(Refusal::plain("model", message));
    }
    request.as_object().ok_or_else(|| {
        let message = "We could not parse the JSON body of your request.";
        Refusal::other(400, "invalid_request_error", None, message)
    })
}

/// Refuses parameters that do not exist, are of the wrong kind, do not go together, or that this model does not take.
pub(super) fn refuse(model: &Model, request: &Value) -> Result<(), Refusal> {
    let map = object(model, request)?;
    // Members that moved are named before one that is missing for that reason.
    if let Some((old, _)) = MOVED.iter().find(|(old, _)| map.contains_key(*old)) {
        return Err(shape("", Problem { name: (*old).to_owned(), what: What::Unknown }));
    }
    check(map, MEMBERS).map_err(|p| shape("", p))?;
    inner(request)?;
    combinations(request)?;
    by_model(model, request)
}

/// The same for a count.
pub(super) fn refuse_count(model: &Model, request: &Value) -> Result<(), Refusal> {
    check(object(model, request)?, COUNT_MEMBERS).map_err(|p| shape("", p))?;
    inner(request)?;
    by_model(model, request)
}

/// Objects and lists inside the request.
fn inner(request: &Value) -> Result<(), Refusal> {
    if let Some(map) = some(request, "reasoning").and_then(Value::as_object) {
        let members = [
            null("effort", Kind::OneOf(EFFORTS)),
            null("summary", Kind::OneOf(&["auto", "concise", "detailed"])),
            null("generate_summary", Kind::OneOf(&["auto", "concise", "detailed"])),
            null("context", Kind::OneOf(&["auto", "current_turn", "all_turns"])),
            may("mode", Kind::Text),
        ];
        check(map, &members).map_err(|p| shape("reasoning", p))?;
    }
    if let Some(map) = some(request, "text").and_then(Value::as_object) {
        let members =
            [may("format", Kind::Object), null("verbosity", Kind::OneOf(&["low", "medium", "high"]))];
        check(map, &members).map_err(|p| shape("text", p))?;
    }
    if let Some(map) = some(request, "stream_options").and_then(Value::as_object) {
        check(map, &[may("include_obfuscation", Kind::Bool)]).map_err(|p| shape("stream_options", p))?;
    }
    for (i, word) in list(request, "include").iter().enumerate() {
        let at = format!("include[{i}]");
        match word.as_str() {
            Some(word) if INCLUDES.contains(&word) => {}
            Some(word) => return Err(Refusal::not_one_of(&at, INCLUDES, word)),
            None => return Err(Refusal::kind(&at, "a string", word)),
        }
    }
    for (name, value) in request.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        if !value.is_string() {
            return Err(Refusal::kind(&format!("metadata.{name}"), "a string", value));
        }
    }
    Ok(())
}

fn combinations(request: &Value) -> Result<(), Refusal> {
    let has = |name: &str| some(request, name).is_some();
    if has("stream_options") && request.get("stream") != Some(&json!(true)) {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Refusal::plain("stream_options", message));
    }
    if has("previous_response_id") && has("conversation") {
        let message = "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them.";
        return Err(Refusal::bad("previous_response_id", "mutually_exclusive_parameters", message));
    }
    if let Some(conversation) = some(request, "conversation") {
        let id = conversation.as_str().unwrap_or_else(|| text(conversation, "id"));
        let message = format!("Conversation with id '{id}' not found.");
        return Err(Refusal { status: 404, ..Refusal::plain("conversation", message) });
    }
    if let Some(prompt) = some(request, "prompt") {
        let message = format!("Prompt with id '{}' not found.", text(prompt, "id"));
        return Err(Refusal { status: 404, ..Refusal::plain("prompt", message) });
    }
    if !has("input") && !has("previous_response_id") {
        let message = "Missing required parameter: one of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided.";
        return Err(Refusal::bad("input", "missing_required_parameter", message));
    }
    if request.get("background") == Some(&json!(true)) && request.get("store") == Some(&json!(false)) {
        let message = "Background mode requires that the response is stored: 'store' cannot be false.";
        return Err(Refusal::plain("background", message));
    }
    if has("top_logprobs") && !includes(request, LOGPROBS) && request["top_logprobs"] != json!(0) {
        // Log probabilities are given with the text only where they are included.
        let message = format!("'top_logprobs' requires that 'include' contains '{LOGPROBS}'.");
        return Err(Refusal::plain("top_logprobs", message));
    }
    Ok(())
}

/// Whether `include` has this word.
pub(super) fn includes(request: &Value, word: &str) -> bool {
    list(request, "include").iter().any(|w| w == word)
}

fn by_model(model: &Model, request: &Value) -> Result<(), Refusal> {
    let Rules::OpenAi(rules) = model.rules else { return Ok(()) };
    if rules.reasons() {
        reasoning(model, &rules, request)?;
    } else {
        plain_model(request)?;
    }
    if !rules.parallel_flag && some(request, "parallel_tool_calls").is_some() {
        return Err(Refusal::unsupported("parallel_tool_calls"));
    }
    output_limit(model, request)
}

fn reasoning(model: &Model, rules: &OpenAiRules, request: &Value) -> Result<(), Refusal> {
    let asked = some(&request["reasoning"], "effort");
    if let Some(effort) = asked.and_then(Value::as_str).filter(|e| !rules.efforts.contains(e)) {
        let name = text(request, "model");
        let message = format!(
            "Unsupported value: '{effort}' is not supported with the '{name}' model. Supported values are: {}.",
            listed(rules.efforts)
        );
        return Err(Refusal::bad("reasoning.effort", "unsupported_value", message));
    }
    if effort(model, asked) == "none" {
        return Ok(());
    }
    let warm = some(request, "temperature").is_some_and(|v| v.as_f64() != Some(1.0));
    let found = Some("top_p").filter(|n| sampled(request, n));
    let logs = some(request, "top_logprobs").is_some_and(|v| v.as_u64() != Some(0));
    match (warm, found, logs || includes(request, LOGPROBS)) {
        // Without a code here, unlike in Chat Completions.
        (true, _, _) => Err(Refusal { code: None, ..Refusal::unsupported("temperature") }),
        (_, Some(name), _) => Err(Refusal { code: None, ..Refusal::unsupported(name) }),
        (_, _, true) => {
            let message = "logprobs are not supported with reasoning models.";
            Err(Refusal::plain("include", message))
        }
        _ => Ok(()),
    }
}

/// What a model that does not reason refuses.
fn plain_model(request: &Value) -> Result<(), Refusal> {
    for name in ["effort", "summary"] {
        if some(&request["reasoning"], name).is_some() {
            return Err(Refusal::unsupported(&format!("reasoning.{name}")));
        }
    }
    if includes(request, SEALED) {
        return Err(Refusal::plain("include", "Encrypted content is not supported with this model."));
    }
    let verbosity = text(&request["text"], "verbosity");
    if !verbosity.is_empty() && verbosity != "medium" {
        let message = format!(
            "Unsupported value: '{verbosity}' is not supported with the '{}' model. Supported values are: 'medium'.",
            text(request, "model")
        );
        return Err(Refusal::bad("text.verbosity", "unsupported_value", message));
    }
    Ok(())
}

/// Refuses an input that does not fit the model's window.
pub(super) fn refuse_length(model: &Model, prompt_tokens: u64) -> Result<(), Refusal> {
    if prompt_tokens <= model.context_tokens {
        return Ok(());
    }
    let message =
        "Your input exceeds the context window of this model. Please adjust your input and try again.";
    Err(Refusal::bad("input", "context_length_exceeded", message))
}
