//! The answer, whole; and its parts, which the stream shares.

use super::read::Counted;
use super::signature;
use super::tools::declarations;
use crate::answer::Telling;
use crate::chance::Chance;
use crate::models::{Model, Rules};
use crate::plan::{Call, Finish, Plan};
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::some;
use crate::tokens;
use serde_json::{Value, json};

/// What every part of one answer shares.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) usage: Usage,
    /// Of the input, what tools at the provider found.
    pub(super) tool_use: u64,
    /// Prompt tokens by modality.
    pub(super) details: Value,
    pub(super) telling: Telling,
    /// On the cloud platform: its end of creation, Unix seconds.
    created: Option<u64>,
    /// Log probabilities asked for: how many alternatives; `None` if not at all.
    pub(super) logprobs: Option<u64>,
    pub(super) word_bytes: u8,
}

impl Frame {
    pub(super) fn new(
        setting: &Setting<'_>,
        model: &Model,
        request: &Value,
        counted: &Counted,
        usage: Usage,
        tool_use: u64,
        id: String,
    ) -> Frame {
        let config = &request["generationConfig"];
        let permissive = matches!(model.rules, Rules::Permissive);
        Frame {
            id,
            model: if permissive { setting.name } else { model.served_as }.to_owned(),
            usage,
            tool_use,
            details: counted.details(),
            telling: setting.telling,
            created: setting.is_vertex.then_some(setting.now_s),
            logprobs: (config.get("responseLogprobs") == Some(&json!(true)))
                .then(|| some(config, "logprobs").and_then(Value::as_u64).unwrap_or(0)),
            word_bytes: model.word_bytes,
        }
    }

    /// The response around its candidates, with the usage of `candidates` and `thoughts` tokens so far.
    pub(super) fn around(&self, candidates: Option<Value>, output: u64, thoughts: u64) -> Value {
        let mut out = json!({});
        if let Some(candidates) = candidates {
            out["candidates"] = candidates;
        }
        if self.telling != Telling::Never {
            out["usageMetadata"] = self.usage_json(output, thoughts);
        }
        out["modelVersion"] = json!(self.model);
        if let Some(unix_s) = self.created {
            out["createTime"] = json!(created(unix_s));
        }
        out["responseId"] = json!(self.id);
        out
    }

    /// Usage in the provider's shape: what is zero is left out, thoughts and tool use are beside the others, not in them.
    fn usage_json(&self, output: u64, thoughts: u64) -> Value {
        let prompt = self.usage.input_total() - self.tool_use;
        let text = |tokens: u64| json!([{ "modality": "TEXT", "tokenCount": tokens }]);
        let mut out = json!({ "promptTokenCount": prompt });
        for (name, tokens) in [
            ("cachedContentTokenCount", self.usage.cache_read),
            ("candidatesTokenCount", output),
            ("toolUsePromptTokenCount", self.tool_use),
            ("thoughtsTokenCount", thoughts),
        ] {
            if tokens > 0 {
                out[name] = json!(tokens);
            }
        }
        out["totalTokenCount"] = json!(prompt + output + self.tool_use + thoughts);
        if self.created.is_some() {
            out["trafficType"] = json!("ON_DEMAND");
        }
        out["promptTokensDetails"] = self.details.clone();
        if self.usage.cache_read > 0 {
            out["cacheTokensDetails"] = text(self.usage.cache_read);
        }
        if self.tool_use > 0 {
            out["toolUsePromptTokensDetails"] = text(self.tool_use);
        }
        out
    }
}

/// A time as the platform writes it.
fn created(unix_s: u64) -> String {
    let (year, month, day) = crate::anthropic::civil(unix_s);
    let of_day = unix_s % 86_400;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.512345Z")
}

/// A call whose arguments are no JSON.
fn malformed(plan: &Plan) -> Option<&Call> {
    plan.calls.iter().find(|c| serde_json::from_str::<Value>(&c.arguments).is_err())
}

/// Whether the prompt was blocked: there are no candidates then.
pub(super) fn is_blocked(plan: &Plan) -> bool {
    plan.finish == Finish::Refusal
}

/// The parts of a candidate: a thought where it is asked for, then text or calls, signed as the model signs.
pub(super) fn parts(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    plan: &Plan,
    chance: &mut Chance,
) -> Vec<Value> {
    let mut out = Vec::new();
    let is_3 = matches!(model.rules, Rules::Gemini(rules) if rules.is_gemini_3);
    let thinking = plan.thinking.as_deref();
    let shows = request["generationConfig"]["thinkingConfig"].get("includeThoughts") == Some(&json!(true));
    if let Some(thought) = thinking.filter(|t| shows && !t.is_empty()) {
        out.push(json!({ "text": thought, "thought": true }));
    }
    if malformed(plan).is_some() || plan.finish == Finish::Filter {
        return out;
    }
    // Gemini 3 always signs, Gemini 2.5 where it thought and functions are declared.
    let signs = is_3 || (thinking.is_some() && declarations(request).next().is_some());
    let mut sign =
        |function: &str| signs.then(|| signature::sign(setting.seed, model.id, function, &chance.name(16)));
    if !plan.text.is_empty() {
        out.push(signed(json!({ "text": plan.text }), sign("")));
    }
    for (i, call) in plan.calls.iter().enumerate() {
        let args: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        let mut function = json!({ "name": call.name, "args": args });
        // Only the first of parallel calls is signed.
        let signature = sign(&call.name).filter(|_| i == 0);
        if is_3 {
            function["id"] = json!(chance_id(setting, &call.name, i, plan));
        }
        out.push(signed(json!({ "functionCall": function }), signature));
    }
    out
}

fn signed(mut part: Value, signature: Option<String>) -> Value {
    if let Some(signature) = signature {
        part["thoughtSignature"] = json!(signature);
    }
    part
}

/// A call's id, eight letters and digits as the provider's.
fn chance_id(setting: &Setting<'_>, name: &str, index: usize, plan: &Plan) -> String {
    let thought = plan.thinking.as_deref().unwrap_or_default();
    Chance::new(setting.seed, &[b"call", name.as_bytes(), &index.to_le_bytes(), thought.as_bytes()])
        .name(8)
        .to_lowercase()
}

/// Adds to a candidate why it ended.
pub(super) fn finish(candidate: &mut Value, plan: &Plan) {
    let reason = match (malformed(plan), &plan.finish) {
        (Some(call), _) => {
            candidate["finishMessage"] =
                json!(format!("Malformed function call: print(default_api.{}(", call.name));
            "MALFORMED_FUNCTION_CALL"
        }
        (None, Finish::Filter) => {
            candidate["safetyRatings"] = ratings(true);
            "SAFETY"
        }
        (None, Finish::Length) => "MAX_TOKENS",
        _ => "STOP",
    };
    candidate["finishReason"] = json!(reason);
    if plan.cite {
        let end = plan.text.split(' ').next().map_or(0, str::len);
        let source = json!({ "startIndex": 0, "endIndex": end, "uri": "https://example.com/source" });
        candidate["citationMetadata"] = json!({ "citationSources": [source] });
    }
}

fn ratings(is_blocked: bool) -> Value {
    let rating =
        |category: &str, probability: &str| json!({ "category": category, "probability": probability });
    let mut dangerous =
        rating("HARM_CATEGORY_DANGEROUS_CONTENT", if is_blocked { "HIGH" } else { "NEGLIGIBLE" });
    if is_blocked {
        dangerous["blocked"] = json!(true);
    }
    json!([rating("HARM_CATEGORY_HATE_SPEECH", "NEGLIGIBLE"), dangerous])
}

/// One candidate with these parts; the provider leaves out a list that would be empty.
pub(super) fn candidate(index: usize, parts: &[Value]) -> Value {
    let mut content = json!({});
    if !parts.is_empty() {
        content["parts"] = json!(parts);
    }
    content["role"] = json!("model");
    let mut out = json!({ "content": content });
    out["index"] = json!(index);
    out
}

/// Log probabilities of a text.
pub(super) fn logprobs(text: &str, top: u64, word_bytes: u8, chance: &mut Chance) -> Value {
    let (mut chosen, mut alternatives) = (Vec::new(), Vec::new());
    for piece in tokens::pieces(text, word_bytes) {
        let likely = -(chance.below(400) as f64) / 1000.0;
        chosen.push(json!({ "token": piece, "logProbability": likely }));
        let others = (1..top).map(|i| json!({ "token": chance.pick(&[" the", " a", " one"]), "logProbability": likely - 1.5 * i as f64 }));
        let first = chosen.last().cloned().into_iter();
        let listed: Vec<Value> = first.chain(others).take(top as usize).collect();
        alternatives.push(json!({ "candidates": listed }));
    }
    json!({ "chosenCandidates": chosen, "topCandidates": alternatives })
}

/// The answer to a prompt that was blocked.
pub(super) fn blocked(frame: &Frame) -> Value {
    let mut out = json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } });
    if let (Some(into), Value::Object(from)) = (out.as_object_mut(), frame.around(None, 0, 0)) {
        into.extend(from);
    }
    out
}

/// The whole answer.
pub(super) fn whole(frame: &Frame, plans: &[Plan], parts: &[Vec<Value>], chance: &mut Chance) -> Value {
    if plans.iter().any(is_blocked) {
        return blocked(frame);
    }
    let candidates: Value = plans
        .iter()
        .zip(parts)
        .enumerate()
        .map(|(i, (plan, parts))| {
            let mut made = candidate(i, parts);
            finish(&mut made, plan);
            if let Some(top) = frame.logprobs {
                made["avgLogprobs"] = json!(-0.2);
                made["logprobsResult"] = logprobs(&plan.text, top, frame.word_bytes, chance);
            }
            made
        })
        .collect();
    let output = frame.usage.output - frame.usage.reasoning;
    frame.around(Some(candidates), output, frame.usage.reasoning)
}
