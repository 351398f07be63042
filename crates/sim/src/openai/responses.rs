//! The Responses API: answers that are kept and gone on from, plain or as a stream, and what can be asked of kept ones.

mod answer;
mod items;
mod parameters;
mod read;
mod reasoning;
mod shelf;
mod stream;
mod tools;

use super::error::Refusal;
use crate::answer::{Answer, Telling};
use crate::chance::Chance;
use crate::models::Model;
use crate::plan;
use crate::price::{Class, Usage};
use crate::prompt::Prompt;
use crate::setting::{Setting, unstreamed};
use crate::shape::{some, text};
#[cfg(test)]
pub(crate) use parameters::{COUNT_MEMBERS, MEMBERS};
use serde_json::{Value, json};
pub(crate) use shelf::Shelf;
use shelf::Stored;

/// A valid request with the conversation that it goes on with.
struct Asked {
    /// Items of earlier responses.
    context: Vec<Value>,
    /// Its own items.
    given: Vec<Value>,
}

/// Reads the conversation, or refuses it.
fn asked(setting: &Setting<'_>, request: &Value) -> Result<Asked, Refusal> {
    tools::refuse(request)?;
    let given = items::given(request);
    items::refuse(&given)?;
    let context = match some(request, "previous_response_id").and_then(Value::as_str) {
        Some(id) => {
            let before = setting.shelf.get(setting.caller, id).ok_or_else(|| not_found_before(id))?;
            [&before.context, &before.given, shelf::output(&before.response)].concat()
        }
        None => Vec::new(),
    };
    let given = items::resolved(setting, request, given)?;
    items::refuse_order(setting, request, &context, &given)?;
    let asked = Asked { context, given };
    items::names_json(request, &asked.whole())?;
    Ok(asked)
}

impl Asked {
    fn whole(&self) -> Vec<Value> {
        [&self.context[..], &self.given].concat()
    }

    /// The conversation with its prompt; with `truncation: auto`, without as many of the oldest items as it takes to fit.
    fn fitted(&self, model: &Model, request: &Value) -> (Vec<Value>, Prompt) {
        let whole = self.whole();
        let prompt = read::prompt(model, request, &whole);
        if text(request, "truncation") != "auto" || prompt.tokens() <= model.context_tokens {
            return (whole, prompt);
        }
        let fits = |dropped: &usize| {
            read::prompt(model, request, &whole[*dropped..]).tokens() <= model.context_tokens
        };
        let dropped: Vec<usize> = (0..whole.len()).collect();
        let kept = whole[dropped.partition_point(|d| !fits(d))..].to_vec();
        let prompt = read::prompt(model, request, &kept);
        (kept, prompt)
    }
}

/// `POST /v1/responses`.
pub(crate) fn create(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    parameters::refuse(model, request)?;
    let asked = asked(setting, request)?;
    let (whole, prompt) = asked.fitted(model, request);
    parameters::refuse_length(model, prompt.tokens())?;
    let said = unstreamed(request);
    let mut chance = Chance::new(setting.seed, &[model.id.as_bytes(), said.as_bytes()]);
    let id = format!("resp_{}", chance.hex(48));
    let mut brief = read::brief(model, request, &whole);
    if let Some(force) = &setting.force {
        brief.steering = force.clone();
    }
    let plan = plan::plan(&brief, &mut chance);
    let usage = usage(setting, model, request, &prompt, &plan);
    let opening = answer::opening(setting, model, request, &id);
    let output = answer::output(setting, model, request, &plan, &mut chance);
    let told = (setting.telling != Telling::Never).then_some(&usage);
    let ended = answer::ended(&opening, &plan, output, told);
    let is_background = request.get("background") == Some(&json!(true));
    let is_stream = request.get("stream") == Some(&json!(true));
    if request.get("store") != Some(&json!(false)) {
        let stored = Stored {
            response: ended.clone(),
            given: with_ids(&asked.given, &mut chance),
            context: asked.context,
            is_running: is_background && !is_stream,
        };
        setting.shelf.put(setting.caller, &id, stored);
    }
    let tier = Some(text(&opening, "service_tier").to_owned());
    let made = if is_stream {
        let quiet = request["stream_options"].get("include_obfuscation") == Some(&json!(false));
        let padding = (!quiet).then_some(&mut chance);
        Answer::events(stream::events(&opening, &ended, setting.telling, model.word_bytes, padding))
    } else if is_background {
        let mut queued = opening;
        queued["status"] = json!("queued");
        Answer { is_told: false, ..Answer::json(200, &queued) }
    } else {
        Answer::json(200, &ended)
    };
    Ok(made.costing(usage, tier))
}

fn usage(setting: &Setting<'_>, model: &Model, request: &Value, prompt: &Prompt, plan: &plan::Plan) -> Usage {
    let caches = model.prices.iter().any(|p| p.class == Class::CacheRead);
    let cache_read = if caches {
        let cache_key = request.get("prompt_cache_key").map(Value::to_string).unwrap_or_default();
        let scope = format!("{}|{}|{cache_key}", model.id, setting.caller);
        setting.cache.automatic(scope.as_bytes(), prompt.pieces(model.word_bytes))
    } else {
        0
    };
    Usage {
        input: prompt.tokens() - cache_read,
        cache_read,
        output: plan.thinking_tokens + plan.answer_tokens,
        reasoning: plan.thinking_tokens,
        ..Usage::default()
    }
}

/// Input items as they are listed: messages with their content as parts, all with ids.
fn with_ids(given: &[Value], chance: &mut Chance) -> Vec<Value> {
    let fill = |item: &Value| {
        let mut item = item.clone();
        let prefix = match text(&item, "type") {
            "message" => "msg",
            "function_call" => "fc",
            "reasoning" => "rs",
            _ => "item",
        };
        let id = format!("{prefix}_{}", chance.hex(48));
        if some(&item, "id").is_none() {
            item["id"] = json!(id);
        }
        if text(&item, "type") == "message"
            && let Some(said) = item["content"].as_str().map(str::to_owned)
        {
            item["content"] = if text(&item, "role") == "assistant" {
                json!([{ "type": "output_text", "text": said, "annotations": [], "logprobs": [] }])
            } else {
                json!([{ "type": "input_text", "text": said }])
            };
        }
        if prefix != "rs" {
            item["status"] = json!("completed");
        }
        item
    };
    given.iter().map(fill).collect()
}

/// `POST /v1/responses/input_tokens`. It is free, and equals what a request of the same content reports.
pub(crate) fn count_tokens(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    parameters::refuse_count(model, request)?;
    let (_, prompt) = asked(setting, request)?.fitted(model, request);
    Ok(Answer::json(200, &json!({ "object": "response.input_tokens", "input_tokens": prompt.tokens() })))
}

/// What can be asked of a kept response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Read(String),
    Delete(String),
    Cancel(String),
    /// Its own input, paged by `order`, `limit` and `after` of the query.
    Input(String),
}

/// `GET` and `DELETE /v1/responses/{id}`, `POST …/cancel`, `GET …/input_items`.
pub(crate) fn kept(shelf: &Shelf, caller: &str, what: &Kept, query: &str) -> Result<Value, Refusal> {
    let (Kept::Read(id) | Kept::Delete(id) | Kept::Cancel(id) | Kept::Input(id)) = what;
    let stored = shelf.get(caller, id).ok_or_else(|| not_found(id))?;
    match what {
        Kept::Read(_) => {
            if stored.is_running {
                shelf.put(caller, id, Stored { is_running: false, ..(*stored).clone() });
            }
            Ok(stored.response.clone())
        }
        Kept::Delete(_) => {
            shelf.remove(caller, id);
            Ok(json!({ "id": id, "object": "response", "deleted": true }))
        }
        Kept::Cancel(_) => cancel(shelf, caller, id, &stored),
        Kept::Input(_) => page(&stored.given, query),
    }
}

/// A background response that nobody has seen the end of can be cancelled; of an ended one, nothing changes.
fn cancel(shelf: &Shelf, caller: &str, id: &str, stored: &Stored) -> Result<Value, Refusal> {
    if stored.response["background"] != json!(true) {
        return Err(Refusal::other(
            400,
            "invalid_request_error",
            None,
            "Cannot cancel a synchronous response.",
        ));
    }
    let mut response = stored.response.clone();
    if stored.is_running {
        response["status"] = json!("cancelled");
        response["output"] = json!([]);
        response["usage"] = Value::Null;
        response["completed_at"] = Value::Null;
        shelf.put(caller, id, Stored { response: response.clone(), is_running: false, ..stored.clone() });
    }
    Ok(response)
}

fn page(items: &[Value], query: &str) -> Result<Value, Refusal> {
    let value = |name: &str| {
        query.split('&').filter_map(|q| q.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v)
    };
    let limit = value("limit").map_or(Some(20), |n| n.parse().ok()).filter(|n| (1..=100usize).contains(n));
    let limit = limit
        .ok_or_else(|| Refusal::plain("limit", "Invalid 'limit': expected a value between 1 and 100."))?;
    let mut all: Vec<&Value> = items.iter().collect();
    match value("order").unwrap_or("desc") {
        "asc" => {}
        "desc" => all.reverse(),
        other => return Err(Refusal::not_one_of("order", &["asc", "desc"], other)),
    }
    let start =
        value("after").and_then(|id| all.iter().position(|i| text(i, "id") == id)).map_or(0, |i| i + 1);
    let page: Vec<&Value> = all.iter().skip(start).take(limit).copied().collect();
    let id = |item: Option<&&Value>| item.map(|i| i["id"].clone());
    Ok(json!({
        "object": "list",
        "data": page,
        "first_id": id(page.first()),
        "last_id": id(page.last()),
        "has_more": start + page.len() < all.len(),
    }))
}

fn not_found(id: &str) -> Refusal {
    Refusal::other(404, "invalid_request_error", None, format!("Response with id '{id}' not found."))
}

fn not_found_before(id: &str) -> Refusal {
    let message = format!("Previous response with id '{id}' not found.");
    Refusal::bad("previous_response_id", "previous_response_not_found", message)
}

#[cfg(test)]
mod tests;
