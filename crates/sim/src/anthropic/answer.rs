//! The message object, whole; and its content blocks, which the stream shares.

use super::thinking;
use crate::answer::Telling;
use crate::chance::Chance;
use crate::models::{AnthropicRules, Model, Rules, ThinkingKind};
use crate::plan::{Finish, Plan};
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::text;
use serde_json::{Value, json};

/// What every part of one answer shares.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) usage: Usage,
    pub(super) telling: Telling,
    pub(super) thinks: bool,
}

impl Frame {
    /// Usage in the provider's shape: `input_tokens` is without what the cache read or wrote.
    pub(super) fn usage_json(&self, output: u64) -> Value {
        let usage = &self.usage;
        json!({
            "input_tokens": usage.input,
            "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "cache_read_input_tokens": usage.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": usage.cache_write_5m,
                "ephemeral_1h_input_tokens": usage.cache_write_1h,
            },
            "output_tokens": output,
            "service_tier": "standard",
            "inference_geo": "global",
        })
    }

    /// The final counts of the stream.
    pub(super) fn delta_usage_json(&self) -> Value {
        let mut out = json!({
            "input_tokens": self.usage.input,
            "cache_creation_input_tokens": self.usage.cache_write_5m + self.usage.cache_write_1h,
            "cache_read_input_tokens": self.usage.cache_read,
            "output_tokens": self.usage.output,
        });
        if self.thinks {
            out["output_tokens_details"] = json!({ "thinking_tokens": self.usage.reasoning });
        }
        out
    }
}

/// Whether thinking text is shown: from Opus 4.7 on only if asked.
fn shows(model: &Model, request: &Value) -> bool {
    let hidden = matches!(
        model.rules,
        Rules::Anthropic(AnthropicRules { thinking: ThinkingKind::Adaptive | ThinkingKind::Always, .. })
    );
    match text(&request["thinking"], "display") {
        "" => !hidden,
        display => display == "summarized",
    }
}

/// The content blocks of the answer.
pub(super) fn content(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    plan: &Plan,
    chance: &mut Chance,
) -> Vec<Value> {
    let mut out = Vec::new();
    if let Some(thought) = &plan.thinking {
        let shown = if shows(model, request) { thought.as_str() } else { "" };
        let nonce = chance.name(16);
        let sign = |shown: &str| thinking::sign(setting.seed, model.made_as, shown, &nonce);
        out.push(if plan.redact {
            json!({ "type": "redacted_thinking", "data": sign("redacted") })
        } else {
            json!({ "type": "thinking", "thinking": shown, "signature": sign(shown) })
        });
    }
    // A refusal has no text of its own: the explanation stands in `stop_details`.
    if !plan.text.is_empty() && plan.finish != Finish::Refusal {
        let mut block = json!({ "type": "text", "text": plan.text });
        if plan.cite {
            block["citations"] = json!([citation(plan)]);
        }
        out.push(block);
    }
    for call in &plan.calls {
        let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        out.push(json!({ "type": "tool_use", "id": format!("toolu_01{}", chance.name(22)), "name": call.name, "input": input }));
    }
    out
}

fn citation(plan: &Plan) -> Value {
    let cited = plan.text.split(' ').next().unwrap_or_default();
    json!({
        "type": "char_location",
        "cited_text": cited,
        "document_index": 0,
        "document_title": "A source",
        "start_char_index": 0,
        "end_char_index": cited.chars().count(),
        "file_id": null,
    })
}

/// `stop_reason`, `stop_sequence` and `stop_details`.
pub(super) fn stop(plan: &Plan) -> (&'static str, Value, Value) {
    match &plan.finish {
        Finish::Stop => ("end_turn", Value::Null, Value::Null),
        Finish::StopSequence(found) => ("stop_sequence", json!(found), Value::Null),
        Finish::Length => ("max_tokens", Value::Null, Value::Null),
        Finish::Tools => ("tool_use", Value::Null, Value::Null),
        Finish::Refusal | Finish::Filter => {
            let explanation = "I'm sorry, but I can't help with that request.";
            let details =
                json!({ "type": "refusal", "category": "general_harms", "explanation": explanation });
            ("refusal", Value::Null, details)
        }
    }
}

/// The whole message.
pub(super) fn whole(frame: &Frame, plan: &Plan, content: &[Value]) -> Value {
    let (reason, sequence, details) = stop(plan);
    let mut out = json!({
        "id": frame.id,
        "type": "message",
        "role": "assistant",
        "model": frame.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": sequence,
        "stop_details": details,
    });
    if frame.telling != Telling::Never {
        out["usage"] = frame.usage_json(frame.usage.output);
        if frame.thinks {
            out["usage"]["output_tokens_details"] = json!({ "thinking_tokens": frame.usage.reasoning });
        }
    }
    out
}
