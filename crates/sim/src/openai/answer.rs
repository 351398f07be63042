//! The chat completion object, whole.

use crate::answer::Telling;
use crate::chance::Chance;
use crate::models::Model;
use crate::plan::{Finish, Plan};
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::{some, text};
use crate::tokens;
use serde_json::{Value, json};

/// What every part of one answer shares.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) id: String,
    pub(super) created: u64,
    /// The snapshot that answers.
    pub(super) model: String,
    pub(super) tier: String,
    pub(super) fingerprint: String,
    pub(super) usage: Usage,
    pub(super) telling: Telling,
    /// Log probabilities asked for: how many alternatives; `None` if not at all.
    pub(super) logprobs: Option<u64>,
    pub(super) include_usage: bool,
    pub(super) obfuscate: bool,
    pub(super) word_bytes: u8,
}

impl Frame {
    pub(super) fn new(
        setting: &Setting<'_>,
        model: &Model,
        request: &Value,
        id: String,
        usage: Usage,
        chance: &mut Chance,
    ) -> Frame {
        let fault = matches!(model.rules, crate::models::Rules::Permissive);
        let options = request.get("stream_options").unwrap_or(&Value::Null);
        Frame {
            id,
            created: setting.now_s,
            model: if fault { setting.name.to_owned() } else { model.served_as.to_owned() },
            tier: tier(text(request, "service_tier"), model).to_owned(),
            fingerprint: format!("fp_{}", chance.hex(10)),
            usage,
            telling: setting.telling,
            logprobs: (request.get("logprobs") == Some(&json!(true)))
                .then(|| some(request, "top_logprobs").and_then(Value::as_u64).unwrap_or(0)),
            include_usage: options.get("include_usage") == Some(&json!(true)),
            obfuscate: options.get("include_obfuscation") != Some(&json!(false)),
            word_bytes: model.word_bytes,
        }
    }

    /// Usage in the provider's shape: cached tokens are part of the prompt, reasoning is part of the completion.
    pub(super) fn usage_json(&self) -> Value {
        let (prompt, usage) = (self.usage.input_total(), &self.usage);
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": usage.output,
            "total_tokens": prompt + usage.output,
            "prompt_tokens_details": { "cached_tokens": usage.cache_read, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": usage.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }
}

/// The tier that serves: what was asked, where the model has a price for it; else the standard one.
pub(super) fn tier<'a>(asked: &'a str, model: &Model) -> &'a str {
    let priced = model.prices.iter().any(|p| p.tier == Some(asked));
    if priced { asked } else { "default" }
}

/// The finish reason in OpenAI's words.
pub(super) fn finish(finish: &Finish) -> &'static str {
    match finish {
        // A refusal is a message of its own kind, not a finish reason.
        Finish::Stop | Finish::StopSequence(_) | Finish::Refusal => "stop",
        Finish::Length => "length",
        Finish::Tools => "tool_calls",
        Finish::Filter => "content_filter",
    }
}

/// The whole completion.
pub(super) fn whole(frame: &Frame, plans: &[Plan], chance: &mut Chance) -> Value {
    let choices: Vec<Value> =
        plans.iter().enumerate().map(|(i, plan)| choice(frame, i, plan, chance)).collect();
    let mut out = json!({
        "id": frame.id,
        "object": "chat.completion",
        "created": frame.created,
        "model": frame.model,
        "choices": choices,
    });
    if frame.telling != Telling::Never {
        out["usage"] = frame.usage_json();
    }
    out["service_tier"] = json!(frame.tier);
    out["system_fingerprint"] = json!(frame.fingerprint);
    out
}

fn choice(frame: &Frame, index: usize, plan: &Plan, chance: &mut Chance) -> Value {
    let refused = plan.finish == Finish::Refusal;
    let content =
        if refused || (plan.text.is_empty() && !plan.calls.is_empty()) { None } else { Some(&plan.text) };
    let mut message = json!({
        "role": "assistant",
        "content": content,
        "refusal": refused.then_some(&plan.text),
        "annotations": annotations(plan),
    });
    if !plan.calls.is_empty() {
        let calls = plan.calls.iter().map(|call| {
            json!({
                "id": call_id(chance),
                "type": "function",
                "function": { "name": call.name, "arguments": call.arguments },
            })
        });
        message["tool_calls"] = calls.collect();
    }
    let logprobs = frame.logprobs.filter(|_| !plan.text.is_empty()).map(|top| {
        let tokens: Vec<Value> =
            tokens::pieces(&plan.text, frame.word_bytes).map(|p| logprob(p, top, chance)).collect();
        if refused {
            json!({ "content": null, "refusal": tokens })
        } else {
            json!({ "content": tokens, "refusal": null })
        }
    });
    json!({ "index": index, "message": message, "logprobs": logprobs, "finish_reason": finish(&plan.finish) })
}

/// A call's id, as unguessable as the provider's.
pub(super) fn call_id(chance: &mut Chance) -> String {
    format!("call_{}", chance.name(24))
}

/// One token's log probability with `top` alternatives, the token itself first.
pub(super) fn logprob(token: &str, top: u64, chance: &mut Chance) -> Value {
    let likely = -(chance.below(400) as f64) / 1000.0;
    let entry =
        |token: &str, value: f64| json!({ "token": token, "logprob": value, "bytes": token.as_bytes() });
    let mut alternatives: Vec<Value> = Vec::new();
    for i in 0..top {
        let other = chance.pick(&[" the", " a", " one", " that", " its"]);
        let step = i as f64;
        alternatives.push(if i == 0 { entry(token, likely) } else { entry(other, likely - 1.5 * step) });
    }
    let mut out = entry(token, likely);
    out["top_logprobs"] = json!(alternatives);
    out
}

/// A citation of the text's first word, when the client's test asks for one.
pub(super) fn annotations(plan: &Plan) -> Value {
    if !plan.cite {
        return json!([]);
    }
    let end = plan.text.split(' ').next().map_or(0, |w| w.chars().count());
    json!([{
        "type": "url_citation",
        "url_citation": { "start_index": 0, "end_index": end, "title": "A source", "url": "https://example.com/source" },
    }])
}
