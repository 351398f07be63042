//! Embeddings: deterministic unit vectors, as floats or base64.
//!
//! Rules: <https://developers.openai.com/api/docs/api-reference/embeddings/create>, 2026-11-22.

use super::error::Refusal;
use crate::answer::Answer;
use crate::models::{Model, Rules};
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::{Kind, check, may, must, some, text};
use crate::tokens;
use crate::vector;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Most inputs, most tokens of one, and most of all.
const INPUTS_MAX: usize = 2_048;
const INPUT_TOKENS_MAX: u64 = 8_192;
const TOTAL_TOKENS_MAX: u64 = 300_000;

/// Answers an embeddings request.
pub(super) fn embed(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let (dims, shortens) = match model.rules {
        Rules::Embedding(rules) => (rules.dims, rules.shortens),
        Rules::Permissive => (64, true),
        _ => {
            let message = "You are not allowed to generate embeddings from this model";
            return Err(Refusal::other(403, "invalid_request_error", None, message));
        }
    };
    let members = [
        must("model", Kind::Text),
        must("input", Kind::TextOrList),
        may("encoding_format", Kind::OneOf(&["float", "base64"])),
        may("dimensions", Kind::Int { min: 1, max: dims as i64 }),
        may("user", Kind::Text),
    ];
    if let Some(map) = request.as_object() {
        check(map, &members).map_err(|p| Refusal::shape("", p))?;
    }
    if some(request, "dimensions").is_some() && !shortens {
        let message = "This model does not support specifying dimensions.";
        return Err(Refusal::plain("dimensions", message));
    }
    let inputs = inputs(request)?;
    let counts: Vec<u64> = inputs.iter().map(|i| i.tokens(model.word_bytes)).collect();
    if let Some(size) = counts.iter().find(|n| **n > INPUT_TOKENS_MAX) {
        let message = format!(
            "Invalid 'input': maximum context length is {INPUT_TOKENS_MAX} tokens, however you requested {size} tokens."
        );
        return Err(Refusal::bad("input", "context_length_exceeded", message));
    }
    let total: u64 = counts.iter().sum();
    if total > TOTAL_TOKENS_MAX {
        let message = format!("Requested {total} tokens, max {TOTAL_TOKENS_MAX} tokens per request");
        return Err(Refusal::other(400, "max_tokens_per_request", Some("max_tokens_per_request"), message));
    }
    let dims = some(request, "dimensions").and_then(Value::as_u64).map_or(dims, |d| d as usize);
    let base64 = text(request, "encoding_format") == "base64";
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(i, input)| {
            let vector = vector(setting.seed, model, input, dims);
            let embedding = if base64 { json!(encoded(&vector)) } else { json!(vector) };
            json!({ "object": "embedding", "index": i, "embedding": embedding })
        })
        .collect();
    let body = json!({
        "object": "list",
        "data": data,
        "model": if matches!(model.rules, Rules::Permissive) { setting.name } else { model.served_as },
        "usage": { "prompt_tokens": total, "total_tokens": total },
    });
    Ok(Answer::json(200, &body).costing(Usage { input: total, ..Usage::default() }, None))
}

/// One text or one list of token numbers.
enum Input {
    Text(String),
    Tokens(Vec<u64>),
}

impl Input {
    fn tokens(&self, word_bytes: u8) -> u64 {
        match self {
            Input::Text(text) => tokens::count(text, word_bytes),
            Input::Tokens(numbers) => numbers.len() as u64,
        }
    }
}

fn inputs(request: &Value) -> Result<Vec<Input>, Refusal> {
    let invalid = || {
        Refusal::plain(
            "input",
            "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
        )
    };
    let numbers = |list: &[Value]| list.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
    let one = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(Input::Text(text.clone())),
        Value::Array(list) if !list.is_empty() => numbers(list).map(Input::Tokens),
        _ => None,
    };
    match &request["input"] {
        Value::Array(list) if list.first().is_some_and(Value::is_number) => {
            Ok(vec![Input::Tokens(numbers(list).ok_or_else(invalid)?)])
        }
        Value::Array(list) if list.is_empty() || list.len() > INPUTS_MAX => Err(invalid()),
        Value::Array(list) => list.iter().map(one).collect::<Option<Vec<Input>>>().ok_or_else(invalid),
        other => Ok(vec![one(other).ok_or_else(invalid)?]),
    }
}

fn vector(seed: u64, model: &Model, input: &Input, dims: usize) -> Vec<f32> {
    let words: Vec<String> = match input {
        Input::Text(text) => text.split_whitespace().map(str::to_lowercase).collect(),
        Input::Tokens(numbers) => numbers.iter().map(u64::to_string).collect(),
    };
    vector::unit(seed, model.id, &words, dims)
}

/// Little-endian floats in base64, as the SDKs ask by default.
fn encoded(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}
