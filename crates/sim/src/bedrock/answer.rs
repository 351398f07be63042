//! The Converse answer, whole; and its content and usage, which the stream shares.

use super::messages::encoded;
use crate::answer::Telling;
use crate::anthropic::Made;
use crate::models::{Model, Native, Rules};
use crate::plan::{Finish, Plan};
use crate::price::Usage;
use crate::shape::{list, text};
use serde_json::{Value, json};

/// Milliseconds that the answer says it took, the same at every run.
const LATENCY_MS: u64 = 412;

/// What every part of one answer shares.
pub(super) struct Frame<'a> {
    pub(super) made: &'a Made,
    pub(super) telling: Telling,
    /// Members of the model's own answer that were asked for.
    pub(super) fields: Option<Value>,
    /// The tier that serves, where one was asked for.
    pub(super) tier: Option<String>,
    pub(super) latency: Value,
    pub(super) word_bytes: u8,
}

impl<'a> Frame<'a> {
    pub(super) fn new(made: &'a Made, model: &Model, request: &Value, telling: Telling) -> Frame<'a> {
        let paths = list(request, "additionalModelResponseFieldPaths").iter().filter_map(Value::as_str);
        let whole = made.whole();
        let mut fields = json!({});
        for path in paths {
            if let Some(found) = whole.pointer(path).filter(|_| path.starts_with('/')) {
                fields[&path[1..]] = found.clone();
            }
        }
        let has_fields = fields.as_object().is_some_and(|m| !m.is_empty());
        Frame {
            made,
            telling,
            fields: has_fields.then_some(fields),
            tier: tier(model, request),
            latency: request["performanceConfig"].clone(),
            word_bytes: model.word_bytes,
        }
    }

    /// Usage, metrics, and what the request asked of its delivery.
    pub(super) fn metadata(&self) -> Value {
        let mut out = json!({ "metrics": { "latencyMs": LATENCY_MS } });
        if self.telling != Telling::Never {
            out["usage"] = usage(&self.made.usage);
        }
        if let Some(tier) = &self.tier {
            out["serviceTier"] = json!({ "type": tier });
        }
        if self.latency.is_object() {
            out["performanceConfig"] = self.latency.clone();
        }
        out
    }
}

/// The tier that serves: what was asked, where the model has a price for it; else the standard one.
pub(super) fn tier(model: &Model, request: &Value) -> Option<String> {
    let asked = Some(text(&request["serviceTier"], "type")).filter(|t| !t.is_empty())?;
    let priced = model.prices.iter().any(|p| p.tier == Some(asked));
    Some(if priced { asked } else { "default" }.to_owned())
}

/// Usage in the provider's shape: `inputTokens` is without what the cache read or wrote, the total is with both.
fn usage(usage: &Usage) -> Value {
    let written = usage.cache_write_5m + usage.cache_write_1h;
    let mut out = json!({
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "totalTokens": usage.input_total() + usage.output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": written,
    });
    if written > 0 {
        let detail = |ttl: &str, tokens: u64| json!({ "ttl": ttl, "inputTokens": tokens });
        let details = [("5m", usage.cache_write_5m), ("1h", usage.cache_write_1h)];
        out["cacheDetails"] =
            details.into_iter().filter(|(_, n)| *n > 0).map(|(t, n)| detail(t, n)).collect();
    }
    out
}

/// The reason in AWS's words. A refusal is what its filters stop.
pub(super) fn stop(plan: &Plan) -> &'static str {
    let is_malformed = |c: &crate::plan::Call| serde_json::from_str::<Value>(&c.arguments).is_err();
    match &plan.finish {
        _ if plan.calls.iter().any(is_malformed) => "malformed_tool_use",
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::Tools => "tool_use",
        Finish::Refusal | Finish::Filter => "content_filtered",
    }
}

/// The content in Converse's blocks.
pub(super) fn content(made: &Made, model: &Model) -> Vec<Value> {
    let signs = !matches!(model.rules, Rules::Converse(rules) if rules.native == Native::GptOss);
    let is_malformed = stop(&made.plan) == "malformed_tool_use";
    let kept = made.content.iter().filter(|b| !(is_malformed && text(b, "type") == "tool_use"));
    kept.map(|b| block(b, signs)).collect()
}

fn block(block: &Value, signs: bool) -> Value {
    match text(block, "type") {
        "thinking" if signs => json!({ "reasoningContent": { "reasoningText": {
            "text": block["thinking"],
            "signature": block["signature"],
        } } }),
        "thinking" => json!({ "reasoningContent": { "reasoningText": { "text": block["thinking"] } } }),
        "redacted_thinking" => {
            json!({ "reasoningContent": { "redactedContent": encoded(text(block, "data")) } })
        }
        "tool_use" => json!({ "toolUse": {
            "toolUseId": text(block, "id").replacen("toolu_01", "tooluse_", 1),
            "name": block["name"],
            "input": block["input"],
        } }),
        _ if !list(block, "citations").is_empty() => json!({ "citationsContent": {
            "content": [{ "text": block["text"] }],
            "citations": list(block, "citations").iter().map(citation).collect::<Vec<Value>>(),
        } }),
        _ => json!({ "text": block["text"] }),
    }
}

pub(super) fn citation(citation: &Value) -> Value {
    json!({
        "title": citation["document_title"],
        "sourceContent": [{ "text": citation["cited_text"] }],
        "location": { "documentChar": {
            "documentIndex": citation["document_index"],
            "start": citation["start_char_index"],
            "end": citation["end_char_index"],
        } },
    })
}

/// The whole answer.
pub(super) fn whole(frame: &Frame<'_>, content: &[Value]) -> Value {
    let mut out = json!({
        "output": { "message": { "role": "assistant", "content": content } },
        "stopReason": stop(&frame.made.plan),
    });
    for (name, value) in frame.metadata().as_object().into_iter().flatten() {
        out[name] = value.clone();
    }
    if let Some(fields) = &frame.fields {
        out["additionalModelResponseFields"] = fields.clone();
    }
    out
}
