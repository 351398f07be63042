//! Embeddings of one content or of many.
//!
//! Rules: <https://ai.google.dev/api/embeddings> and <https://ai.google.dev/gemini-api/docs/embeddings>, read 2026-11-23: only
//! vectors of full length have length one, and what is too long is cut without a word.

use super::error::Refusal;
use super::{JSON, fields, proto};
use crate::answer::{Answer, Telling};
use crate::models::{Model, Rules};
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::{list, some, text};
use crate::tokens;
use crate::vector;
use serde_json::{Value, json};

/// Most contents of one batch.
const BATCH_MAX: usize = 100;
/// Length of a vector that is shorter than the model's own.
const SHORTENED: f32 = 0.7;

/// `embedContent`.
pub(super) fn one(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let request = proto::read(&fields::EMBED, request)?;
    let (values, count) = embed(setting, model, &request, "EmbedContentRequest")?;
    let body = json!({ "embedding": { "values": values }, "usageMetadata": usage_json(count) });
    Ok(told(&body, count))
}

/// `batchEmbedContents`.
pub(super) fn batch(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let request = proto::read(&fields::BATCH_EMBED, request)?;
    let requests = list(&request, "requests");
    if requests.is_empty() {
        return Err(Refusal::bad("* BatchEmbedContentsRequest.requests: requests is not specified\n"));
    }
    if requests.len() > BATCH_MAX {
        let message = format!(
            "* BatchEmbedContentsRequest.requests: at most {BATCH_MAX} requests can be in one batch\n"
        );
        return Err(Refusal::bad(message));
    }
    let (mut out, mut total) = (Vec::new(), 0);
    for (i, one) in requests.iter().enumerate() {
        let at = format!("BatchEmbedContentsRequest.requests[{i}]");
        if text(one, "model") != format!("models/{}", setting.name) {
            let why = format!("the model of each request must be that of the batch: models/{}", setting.name);
            return Err(Refusal::bad(format!("* {at}.model: {why}\n")));
        }
        let (values, count) = embed(setting, model, one, &at)?;
        out.push(json!({ "values": values }));
        total += count;
    }
    let mut body = json!({ "embeddings": out });
    if setting.telling != Telling::Never {
        body["usageMetadata"] = usage_json(total);
    }
    Ok(told(&body, total))
}

fn usage_json(count: u64) -> Value {
    json!({ "promptTokenCount": count, "promptTokenDetails": [{ "modality": "TEXT", "tokenCount": count }] })
}

fn told(body: &Value, count: u64) -> Answer {
    let usage = Usage { input: count, ..Usage::default() };
    Answer { content_type: JSON, ..Answer::json(200, body) }.costing(usage, None)
}

/// One vector with the tokens of what it stands for.
fn embed(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    at: &str,
) -> Result<(Vec<f32>, u64), Refusal> {
    let full = match model.rules {
        Rules::Embedding(rules) => rules.dims,
        _ => 64,
    };
    let parts = list(&request["content"], "parts");
    if parts.is_empty() {
        return Err(Refusal::bad(format!("* {at}.content: content is not specified\n")));
    }
    let asked = some(request, "outputDimensionality")
        .or_else(|| some(&request["embedContentConfig"], "outputDimensionality"))
        .and_then(Value::as_i64);
    let dims = asked.unwrap_or(full as i64);
    let Some(dims) = usize::try_from(dims).ok().filter(|d| (1..=full).contains(d)) else {
        let why = format!("output_dimensionality must be in the range [1, {full}].");
        return Err(Refusal::bad(format!("* {at}.output_dimensionality: {why}\n")));
    };
    let said = parts.iter().map(|p| text(p, "text")).collect::<Vec<_>>().join(" ");
    let kept: String = tokens::pieces(&said, model.word_bytes).take(model.context_tokens as usize).collect();
    let words: Vec<String> = kept.split_whitespace().map(str::to_lowercase).collect();
    let mut values = vector::unit(setting.seed, model.id, &words, dims);
    if dims < full {
        values.iter_mut().for_each(|v| *v *= SHORTENED);
    }
    Ok((values, tokens::count(&kept, model.word_bytes)))
}
