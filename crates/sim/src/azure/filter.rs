//! What Azure's content filters say of a prompt and of an answer, whole and in a stream.
//!
//! Shapes: <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-filter-annotations> and
//! <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-streaming>, read 2026-11-23: a stream begins with a
//! chunk that has no choices, and tells the results of the prompt.

use super::last_words;
use crate::answer::Answer;
use crate::shape::{list, text};
use crate::steer::Steering;
use bytes::Bytes;
use serde_json::{Value, json};

/// Whether the prompt is one that the filter stops: a steering word says so.
pub(super) fn is_blocked(request: &Value) -> bool {
    Steering::read(&last_words(request)).block
}

/// Results of the four categories; one of them is filtered.
fn results(is_filtered: bool) -> Value {
    let safe = json!({ "filtered": false, "severity": "safe" });
    let violence = if is_filtered { json!({ "filtered": true, "severity": "medium" }) } else { safe.clone() };
    json!({ "hate": safe, "self_harm": safe, "sexual": safe, "violence": violence })
}

/// Results of a prompt.
pub(super) fn prompt_results(is_filtered: bool) -> Value {
    let mut out = results(is_filtered);
    out["jailbreak"] = json!({ "filtered": false, "detected": false });
    out
}

fn of_prompt() -> Value {
    json!([{ "prompt_index": 0, "content_filter_results": prompt_results(false) }])
}

/// A chat completion with its results.
pub(super) fn on_chat(answer: Answer) -> Answer {
    if !answer.stream {
        return edited(answer, |body| {
            body["prompt_filter_results"] = of_prompt();
            choices(body, |choice| {
                let is_filtered = text(choice, "finish_reason") == "content_filter";
                choice["content_filter_results"] = results(is_filtered);
            });
        });
    }
    let opening = json!({
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": of_prompt(),
    });
    let mut answer = edited(answer, |chunk| {
        choices(chunk, |choice| {
            let is_filtered = text(choice, "finish_reason") == "content_filter";
            let says = !text(&choice["delta"], "content").is_empty();
            choice["content_filter_results"] =
                if says || is_filtered { results(is_filtered) } else { json!({}) };
        });
    });
    answer.frames.insert(0, Bytes::from(format!("data: {opening}\n\n")));
    answer
}

/// A response with its results, in the events that carry it whole.
pub(super) fn on_responses(answer: Answer) -> Answer {
    let filters = || {
        let one = |source: &str, results: Value| {
            json!({
                "blocked": false,
                "source_type": source,
                "content_filter_raw": [],
                "content_filter_results": results,
                "content_filter_offsets": { "start_offset": 0, "end_offset": 0, "check_offset": 0 },
            })
        };
        json!([one("prompt", prompt_results(false)), one("completion", results(false))])
    };
    edited(answer, |body| {
        let response = if text(body, "object") == "response" {
            body
        } else if body["response"].is_object() && !list(&body["response"], "output").is_empty() {
            &mut body["response"]
        } else {
            return;
        };
        response["content_filters"] = filters();
    })
}

fn choices(body: &mut Value, mut edit: impl FnMut(&mut Value)) {
    if let Some(choices) = body.get_mut("choices").and_then(Value::as_array_mut) {
        choices.iter_mut().for_each(&mut edit);
    }
}

/// The answer with its JSON edited: the body's, or each event's.
fn edited(mut answer: Answer, mut edit: impl FnMut(&mut Value)) -> Answer {
    for frame in &mut answer.frames {
        let said = String::from_utf8_lossy(frame).into_owned();
        let at = if answer.stream { said.find("data: ").map(|at| at + 6) } else { Some(0) };
        let Some((head, data)) = at.map(|at| said.split_at(at)) else { continue };
        let Ok(mut value) = serde_json::from_str::<Value>(data.trim_end()) else { continue };
        edit(&mut value);
        let tail = if answer.stream { "\n\n" } else { "" };
        *frame = Bytes::from(format!("{head}{value}{tail}"));
    }
    answer
}
