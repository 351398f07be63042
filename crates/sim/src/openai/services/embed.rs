//! Vectors as Cohere's `v2/embed` answers.

use crate::answer::Answer;
use crate::cohere::{self, Place};
use crate::models::Model;
use crate::price::Usage;
use crate::setting::Setting;
use serde_json::{Value, json};

pub(super) fn answer(setting: &Setting<'_>, model: &Model, request: &Value) -> Answer {
    let id = cohere::id(setting, request);
    match cohere::embed(setting, model, request, Place::Own) {
        Ok((mut body, tokens)) => {
            let billed = json!({ "input_tokens": tokens });
            body["meta"] = json!({ "api_version": { "version": "2" }, "billed_units": billed });
            Answer::json(200, &body).costing(Usage { input: tokens, ..Usage::default() }, None)
        }
        Err(message) => Answer::json(400, &json!({ "id": id, "message": message })),
    }
}
