//! Cohere's vectors, at its own API and at Bedrock.
//!
//! Rules: <https://docs.cohere.com/reference/embed> and `v2/raw_client.py` of
//! <https://github.com/cohere-ai/cohere-python> 5; <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html>
//! and `-v4.html`; read 2026-11-23.

use crate::chance::Chance;
use crate::models::{Model, Rules};
use crate::setting::Setting;
use crate::shape::{Kind, Member, What, check, list, may, must, some, text};
use crate::tokens;
use crate::vector;
use serde_json::{Value, json};

/// Most texts of one call.
const TEXTS_MAX: usize = 96;
/// Most characters of one text with the third models at Bedrock.
const CHARACTERS_MAX: usize = 2_048;
/// Lengths that the fourth model makes.
const LENGTHS: [u64; 4] = [256, 512, 1_024, 1_536];

/// Where a call comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Own,
    Bedrock,
}

/// The id of an answer.
pub(crate) fn id(setting: &Setting<'_>, request: &Value) -> String {
    Chance::new(setting.seed, &[b"embed", request.to_string().as_bytes()]).hex(32)
}

/// The answer's body without its bill, and its tokens.
pub(crate) fn embed(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    place: Place,
) -> Result<(Value, u64), String> {
    let (dims, shortens) = match model.rules {
        Rules::Embedding(rules) => (rules.dims, rules.shortens),
        _ => (64, true),
    };
    refuse_members(request, place)?;
    let texts = texts(request)?;
    let asked = some(request, "output_dimension").and_then(Value::as_u64);
    if asked.is_some() && !shortens {
        return Err("invalid request: output_dimension is not supported for this model".to_owned());
    }
    if let Some(asked) = asked.filter(|asked| !LENGTHS.contains(asked)) {
        return Err(format!(
            "invalid request: output_dimension must be one of [256 512 1024 1536] - received {asked}"
        ));
    }
    let dims = asked.map_or(dims, |asked| asked as usize);
    let counts: Vec<u64> = texts.iter().map(|text| tokens::count(text, model.word_bytes)).collect();
    let default = if place == Place::Own { "END" } else { "NONE" };
    let truncate = some(request, "truncate").and_then(Value::as_str).unwrap_or(default);
    if let Some(long) = counts.iter().find(|count| **count > model.context_tokens && truncate == "NONE") {
        let max = model.context_tokens;
        return Err(format!(
            "invalid request: text is too long: {long} tokens, the limit is {max}; truncate is NONE"
        ));
    }
    if place == Place::Bedrock
        && model.context_tokens == 512
        && let Some(at) = texts.iter().position(|text| text.chars().count() > CHARACTERS_MAX)
    {
        let long = texts.get(at).map_or(0, |text| text.chars().count());
        return Err(format!(
            "Malformed input request: #/texts/{at}: expected maxLength: {CHARACTERS_MAX}, actual: {long}, please reformat your input and try again."
        ));
    }
    let purpose = text(request, "input_type");
    let vector = |said: &&str| {
        let mut words: Vec<String> = said.split_whitespace().map(str::to_lowercase).collect();
        words.push(format!("[{purpose}]"));
        json!(vector::unit(setting.seed, model.id, &words, dims))
    };
    let vectors: Vec<Value> = texts.iter().map(vector).collect();
    let is_typed = !list(request, "embedding_types").is_empty();
    let (kind, embeddings) = match (place, is_typed) {
        (Place::Bedrock, false) => ("embeddings_floats", json!(vectors)),
        _ => ("embeddings_by_type", json!({ "float": vectors })),
    };
    let total = counts.iter().map(|count| (*count).min(model.context_tokens)).sum();
    let body = json!({ "id": id(setting, request), "response_type": kind, "embeddings": embeddings, "texts": texts });
    Ok((body, total))
}

const INPUT_TYPES: Kind =
    Kind::OneOf(&["search_document", "search_query", "classification", "clustering", "image"]);
const TRUNCATE: Kind = Kind::OneOf(&["NONE", "START", "END"]);

fn refuse_members(request: &Value, place: Place) -> Result<(), String> {
    let mut members: Vec<Member> = vec![
        must("input_type", INPUT_TYPES),
        must("texts", Kind::List),
        may("embedding_types", Kind::List),
        may("output_dimension", Kind::Int { min: 1, max: i64::MAX }),
        may("max_tokens", Kind::Int { min: 1, max: i64::MAX }),
        may("truncate", TRUNCATE),
    ];
    if place == Place::Own {
        members.push(must("model", Kind::Text));
        members.push(may("priority", Kind::Int { min: 0, max: 999 }));
    }
    let Some(map) = request.as_object() else {
        return Err("invalid request: body must be an object".to_owned());
    };
    let wrong = |name: &str, what: &What| match (place, what) {
        (Place::Bedrock, What::Unknown) => {
            format!(
                "Malformed input request: #: extraneous key [{name}] is not permitted, please reformat your input and try again."
            )
        }
        (Place::Bedrock, What::Missing) => {
            format!(
                "Malformed input request: #: required key [{name}] not found, please reformat your input and try again."
            )
        }
        (Place::Own, What::Missing) if name == "input_type" => {
            "invalid request: valid input_type must be provided with the provided model".to_owned()
        }
        (_, What::Unknown) => {
            format!("invalid request: unknown field: parameter '{name}' is not a valid field")
        }
        _ => format!("invalid request: {name} has a value that is not allowed"),
    };
    check(map, &members).map_err(|problem| wrong(&problem.name, &problem.what))?;
    let types = list(request, "embedding_types");
    if types.iter().any(|kind| kind != "float") {
        return Err("invalid request: the fleet makes embedding_types float only".to_owned());
    }
    Ok(())
}

fn texts(request: &Value) -> Result<Vec<&str>, String> {
    let items = list(request, "texts");
    if items.is_empty() {
        return Err("invalid request: texts, images or inputs must be provided".to_owned());
    }
    if items.len() > TEXTS_MAX {
        let count = items.len();
        return Err(format!(
            "invalid request: total number of texts must be at most {TEXTS_MAX} - received {count}"
        ));
    }
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    texts.ok_or_else(|| "invalid request: all elements in texts must be strings".to_owned())
}
