//! Judgements of content. Whoever writes `violence` is flagged for it.
//!
//! Rules: <https://platform.openai.com/docs/api-reference/moderations/create>, read 2026-11-23.

use super::check;
use crate::answer::Answer;
use crate::chance::Chance;
use crate::models::Model;
use crate::openai::error::Refusal;
use crate::setting::Setting;
use crate::shape::{Kind, must, null, text};
use serde_json::{Map, Value, json};

const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

pub(super) fn answer(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    check(request, &[must("input", Kind::TextOrList), null("model", Kind::Text)])?;
    let parts = request["input"].as_array().filter(|list| list.iter().all(Value::is_object));
    let inputs: Vec<String> = match (&request["input"], parts) {
        (Value::String(one), _) => vec![one.clone()],
        // Parts of one content are judged together.
        (_, Some(parts)) => vec![parts.iter().map(|p| text(p, "text")).collect::<Vec<_>>().join("\n")],
        (Value::Array(many), None) if many.iter().all(Value::is_string) => {
            many.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => {
            return Err(Refusal::plain(
                "input",
                "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
            ));
        }
    };
    let results: Vec<Value> = inputs.iter().map(|input| judged(input)).collect();
    let mut chance = Chance::new(setting.seed, &[b"moderation", request.to_string().as_bytes()]);
    let body = json!({ "id": format!("modr-{}", chance.name(29)), "model": model.id, "results": results });
    Ok(Answer::json(200, &body))
}

fn judged(input: &str) -> Value {
    let is = |category: &str| input.contains(category.split('/').next().unwrap_or(category));
    let of = |value: &dyn Fn(&str) -> Value| -> Map<String, Value> {
        CATEGORIES.iter().map(|c| ((*c).to_owned(), value(c))).collect()
    };
    json!({
        "flagged": CATEGORIES.iter().any(|c| is(c)),
        "categories": of(&|c| json!(is(c))),
        "category_scores": of(&|c| json!(if is(c) { 0.99 } else { 0.000_01 })),
        "category_applied_input_types": of(&|_| json!(["text"])),
    })
}
