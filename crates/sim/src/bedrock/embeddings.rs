//! Vectors from Titan and from Cohere's models, each in its maker's own form.
//!
//! Rules: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>; the count of tokens
//! in a header: <https://github.com/langchain4j/langchain4j/issues/5057>; wordings of schema refusals:
//! <https://github.com/spring-projects/spring-ai/issues/788>; read 2026-11-23.

use super::error::Refusal;
use crate::answer::Answer;
use crate::cohere::{self, Place};
use crate::models::{Model, Rules};
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::{Kind, What, check, may, must, some, text};
use crate::tokens;
use crate::vector;
use serde_json::{Value, json};

/// Lengths that the second Titan makes.
const LENGTHS: [u64; 3] = [256, 512, 1_024];

/// `POST /model/{modelId}/invoke`.
pub(super) fn invoke(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let (body, tokens) = match model.rules {
        Rules::Embedding(_) if model.id.contains("cohere.embed") => {
            cohere::embed(setting, model, request, Place::Bedrock).map_err(Refusal::validation)?
        }
        Rules::Embedding(rules) => titan(setting, model, rules.dims, rules.shortens, request)?,
        Rules::Permissive => titan(setting, model, 64, true, request)?,
        _ => {
            return Err(Refusal::validation(
                "The fleet serves InvokeModel for models that make vectors only.",
            ));
        }
    };
    let headers = vec![
        ("x-amzn-bedrock-input-token-count", tokens.to_string()),
        ("x-amzn-bedrock-invocation-latency", "42".to_owned()),
    ];
    let answer = Answer { headers, ..Answer::json(200, &body) };
    Ok(answer.costing(Usage { input: tokens, ..Usage::default() }, None))
}

fn malformed(why: &str) -> Refusal {
    Refusal::validation(format!("Malformed input request: {why}, please reformat your input and try again."))
}

fn titan(
    setting: &Setting<'_>,
    model: &Model,
    dims: usize,
    shortens: bool,
    request: &Value,
) -> Result<(Value, u64), Refusal> {
    let Some(map) = request.as_object() else { return Err(malformed("expected type: JSONObject")) };
    let mut members = vec![must("inputText", Kind::Text)];
    if shortens {
        members.push(may("dimensions", Kind::Int { min: 1, max: i64::MAX }));
        members.push(may("normalize", Kind::Bool));
        members.push(may("embeddingTypes", Kind::List));
    }
    check(map, &members).map_err(|problem| {
        let name = &problem.name;
        malformed(&match problem.what {
            What::Unknown => format!("#: extraneous key [{name}] is not permitted"),
            What::Missing => format!("#: required key [{name}] not found"),
            _ => format!("#/{name}: unexpected value"),
        })
    })?;
    let said = text(request, "inputText");
    if said.is_empty() {
        return Err(malformed("#/inputText: expected minLength: 1, actual: 0"));
    }
    let asked = some(request, "dimensions").and_then(Value::as_u64);
    if let Some(asked) = asked.filter(|asked| !LENGTHS.contains(asked)) {
        return Err(malformed(&format!("#/dimensions: {asked} is not a valid enum value")));
    }
    let count = tokens::count(said, model.word_bytes);
    if count > model.context_tokens {
        let max = model.context_tokens;
        return Err(Refusal::validation(format!(
            "400 Bad Request: Too many input tokens. Max input tokens: {max}, request input token count: {count} "
        )));
    }
    let words: Vec<String> = said.split_whitespace().map(str::to_lowercase).collect();
    let values = vector::unit(setting.seed, model.id, &words, asked.map_or(dims, |asked| asked as usize));
    let mut body = json!({ "embedding": values, "inputTextTokenCount": count });
    if shortens {
        body["embeddingsByType"] = json!({ "float": values });
    }
    Ok((body, count))
}
