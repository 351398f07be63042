//! The response object and its output items, which the stream shares.

use super::parameters::{LOGPROBS, SEALED, includes};
use super::{reasoning, tools};
use crate::chance::Chance;
use crate::models::{Model, Rules};
use crate::openai::answer::{call_id, logprob, tier};
use crate::openai::effort;
use crate::plan::{Finish, Plan};
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::{some, text};
use crate::tokens;
use serde_json::{Value, json};

/// The response as it stands when it begins: no output, no usage.
pub(super) fn opening(setting: &Setting<'_>, model: &Model, request: &Value, id: &str) -> Value {
    let or = |name: &str, default: Value| some(request, name).cloned().unwrap_or(default);
    let reasons = matches!(model.rules, Rules::OpenAi(rules) if rules.reasons());
    let effort = reasons.then(|| effort(model, some(&request["reasoning"], "effort")));
    let format = some(&request["text"], "format").cloned().unwrap_or_else(|| json!({ "type": "text" }));
    let verbosity = some(&request["text"], "verbosity").cloned().unwrap_or_else(|| json!("medium"));
    let permissive = matches!(model.rules, Rules::Permissive);
    json!({
        "id": id,
        "object": "response",
        "created_at": setting.now_s,
        "status": "in_progress",
        "background": request.get("background") == Some(&json!(true)),
        "completed_at": null,
        "error": null,
        "incomplete_details": null,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": request.get("max_tool_calls"),
        "model": if permissive { setting.name } else { model.served_as },
        "output": [],
        "parallel_tool_calls": or("parallel_tool_calls", json!(true)),
        "previous_response_id": request.get("previous_response_id"),
        "prompt_cache_key": request.get("prompt_cache_key"),
        "prompt_cache_retention": request.get("prompt_cache_retention"),
        "reasoning": { "effort": effort, "summary": some(&request["reasoning"], "summary") },
        "safety_identifier": request.get("safety_identifier"),
        // Asked for as fast, it is served as priority.
        "service_tier": tier(text(request, "service_tier").replace("fast", "priority").as_str(), model),
        "store": or("store", json!(true)),
        "temperature": or("temperature", json!(1.0)),
        "text": { "format": format, "verbosity": verbosity },
        "tool_choice": or("tool_choice", json!("auto")),
        "tools": tools::echoed(request),
        "top_logprobs": or("top_logprobs", json!(0)),
        "top_p": or("top_p", json!(1.0)),
        "truncation": or("truncation", json!("disabled")),
        "usage": null,
        "user": request.get("user"),
        "metadata": or("metadata", json!({})),
    })
}

/// The response when it is over. Usage is left out where `usage` is `None`.
pub(super) fn ended(opening: &Value, plan: &Plan, output: Vec<Value>, usage: Option<&Usage>) -> Value {
    let mut out = opening.clone();
    out["output"] = Value::Array(output);
    out["usage"] = usage.map_or(Value::Null, usage_json);
    match plan.finish {
        Finish::Length => {
            out["status"] = json!("incomplete");
            out["incomplete_details"] = json!({ "reason": "max_output_tokens" });
        }
        Finish::Filter => {
            out["status"] = json!("incomplete");
            out["incomplete_details"] = json!({ "reason": "content_filter" });
        }
        _ => {
            out["status"] = json!("completed");
            out["completed_at"] = out["created_at"].clone();
        }
    }
    out
}

/// Usage in the provider's shape: cached tokens are part of the input, reasoning is part of the output.
pub(super) fn usage_json(usage: &Usage) -> Value {
    let input = usage.input_total();
    json!({
        "input_tokens": input,
        "input_tokens_details": { "cached_tokens": usage.cache_read, "cache_write_tokens": 0 },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": input + usage.output,
    })
}

/// The items of the answer: reasoning, then a message or calls.
pub(super) fn output(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    plan: &Plan,
    chance: &mut Chance,
) -> Vec<Value> {
    let mut out = Vec::new();
    let cut = matches!(plan.finish, Finish::Length | Finish::Filter);
    let status = if cut { "incomplete" } else { "completed" };
    if let Some(thought) = &plan.thinking {
        out.push(thinking(setting, request, thought, chance));
    }
    if !plan.text.is_empty() {
        let content = if plan.finish == Finish::Refusal {
            json!({ "type": "refusal", "refusal": plan.text })
        } else {
            spoken(model, request, plan, chance)
        };
        out.push(json!({
            "id": format!("msg_{}", chance.hex(48)),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [content],
        }));
    }
    for call in &plan.calls {
        out.push(json!({
            "id": format!("fc_{}", chance.hex(48)),
            "type": "function_call",
            "status": "completed",
            "call_id": call_id(chance),
            "name": call.name,
            "arguments": call.arguments,
        }));
    }
    out
}

/// Reasoning is told as a summary where one is asked for, and sealed where the client keeps it.
fn thinking(setting: &Setting<'_>, request: &Value, thought: &str, chance: &mut Chance) -> Value {
    let id = format!("rs_{}", chance.hex(48));
    let asked = ["summary", "generate_summary"].iter().any(|n| some(&request["reasoning"], n).is_some());
    let summary = if asked { json!([{ "type": "summary_text", "text": thought }]) } else { json!([]) };
    let mut out = json!({ "id": id, "type": "reasoning", "summary": summary });
    if includes(request, SEALED) {
        out["encrypted_content"] = json!(reasoning::seal(setting.seed, &id, thought));
    }
    out
}

fn spoken(model: &Model, request: &Value, plan: &Plan, chance: &mut Chance) -> Value {
    let top = some(request, "top_logprobs").and_then(Value::as_u64).unwrap_or(0);
    let pieces = tokens::pieces(&plan.text, model.word_bytes);
    let logprobs: Vec<Value> = if includes(request, LOGPROBS) {
        pieces.map(|piece| logprob(piece, top, chance)).collect()
    } else {
        Vec::new()
    };
    json!({ "type": "output_text", "text": plan.text, "annotations": annotations(plan), "logprobs": logprobs })
}

/// A citation of the text's first word, when the client's test asks for one. It is flat, unlike in Chat Completions.
fn annotations(plan: &Plan) -> Value {
    if !plan.cite {
        return json!([]);
    }
    let end = plan.text.split(' ').next().map_or(0, |w| w.chars().count());
    json!([{ "type": "url_citation", "start_index": 0, "end_index": end, "title": "A source", "url": "https://example.com/source" }])
}
