//! Documents in the order of what they share with a question, as Cohere and Jina answer.
//!
//! Rules: <https://docs.cohere.com/reference/rerank> (billed in searches) and <https://api.jina.ai/redoc> (billed in
//! tokens), read 2026-11-23.

use super::check;
use crate::answer::Answer;
use crate::chance::Chance;
use crate::models::Model;
use crate::openai::error::Refusal;
use crate::price::Usage;
use crate::setting::Setting;
use crate::shape::{Kind, list, may, must, some, text};
use crate::tokens;
use serde_json::{Value, json};

/// Documents of one search, as Cohere bills it.
const SEARCH_DOCUMENTS: usize = 100;

pub(super) fn answer(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let members = [
        must("model", Kind::Text),
        must("query", Kind::Text),
        must("documents", Kind::List),
        may("top_n", Kind::Int { min: 1, max: i64::MAX }),
        may("return_documents", Kind::Bool),
        may("max_tokens_per_doc", Kind::Int { min: 1, max: i64::MAX }),
        may("rank_fields", Kind::List),
    ];
    check(request, &members)?;
    let documents: Vec<&str> = list(request, "documents")
        .iter()
        .map(|document| document.as_str().unwrap_or_else(|| text(document, "text")))
        .collect();
    if documents.is_empty() {
        return Err(Refusal::other(
            400,
            "invalid_request_error",
            None,
            "invalid request: list of documents must not be empty",
        ));
    }
    let query: Vec<&str> = text(request, "query").split_whitespace().collect();
    let share = |document: &str| {
        let shared = query.iter().filter(|word| document.contains(**word)).count();
        shared as f64 / query.len().max(1) as f64
    };
    let mut ranked: Vec<(usize, f64)> = documents.iter().map(|d| share(d)).enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let top = some(request, "top_n").and_then(Value::as_u64).map_or(ranked.len(), |n| n as usize);
    let wants_documents = request["return_documents"] == json!(true);
    let results: Vec<Value> = ranked
        .iter()
        .take(top)
        .map(|(index, score)| {
            let mut result = json!({ "index": index, "relevance_score": score });
            if wants_documents {
                result["document"] = json!({ "text": documents[*index] });
            }
            result
        })
        .collect();
    let counted: u64 = documents.iter().map(|d| tokens::count(d, model.word_bytes)).sum();
    let mut chance = Chance::new(setting.seed, &[b"rerank", request.to_string().as_bytes()]);
    let body = if model.id.starts_with("jina") {
        json!({ "model": model.id, "usage": { "total_tokens": counted }, "results": results })
    } else {
        let searches = documents.len().div_ceil(SEARCH_DOCUMENTS);
        json!({
            "id": chance.hex(32),
            "results": results,
            "meta": { "api_version": { "version": "2" }, "billed_units": { "search_units": searches } },
        })
    };
    Ok(Answer::json(200, &body).costing(Usage { input: counted, ..Usage::default() }, None))
}
