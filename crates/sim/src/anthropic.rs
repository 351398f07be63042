//! The simulated Anthropic: Messages, token counts and models, as strict as the real one.

mod answer;
pub(crate) mod error;
mod parameters;
mod read;
mod stream;
mod thinking;
mod tools;
mod turns;

use crate::answer::Answer;
use crate::cache::Block;
use crate::chance::Chance;
use crate::models::{self, Found, Model, Rules, Vendor};
use crate::plan::{self, Plan};
use crate::price::Usage;
use crate::setting::{Setting, unstreamed};
use error::Refusal;
use serde_json::{Value, json};

/// What was decided for a request, before it has a form.
pub(crate) struct Made {
    pub(crate) plan: Plan,
    /// Content blocks of the answer.
    pub(crate) content: Vec<Value>,
    pub(crate) usage: Usage,
    frame: answer::Frame,
}

impl Made {
    /// The whole message.
    pub(crate) fn whole(&self) -> Value {
        answer::whole(&self.frame, &self.plan, &self.content)
    }
}

/// `POST /v1/messages`; `beta` is the beta header's list.
pub(crate) fn messages(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    beta: &str,
) -> Result<Answer, Refusal> {
    refuse(setting, model, request, beta)?;
    let made = make(setting, model, request, cache_tokens_min(model))?;
    let answer = if request.get("stream") == Some(&json!(true)) {
        Answer::events(stream::events(&made.frame, &made.plan, &made.content, model.word_bytes))
    } else {
        Answer::json(200, &made.whole())
    };
    Ok(answer.costing(made.usage, None))
}

/// Refuses what the maker refuses, on whatever platform.
pub(crate) fn refuse(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    beta: &str,
) -> Result<(), Refusal> {
    parameters::refuse(model, request, beta)?;
    turns::refuse(model, setting.seed, request)
}

/// Decides the answer to a request that nothing is wrong with but, perhaps, its length. Prefixes from `tokens_min` tokens on
/// are cached.
pub(crate) fn make(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    tokens_min: u64,
) -> Result<Made, Refusal> {
    let blocks = read::blocks(model, request);
    let prompt_tokens = total(&blocks);
    parameters::refuse_length(model, prompt_tokens)?;
    let text = unstreamed(request);
    let mut chance = Chance::new(setting.seed, &[model.id.as_bytes(), text.as_bytes()]);
    let id = format!("msg_{}{}", if setting.is_vertex { "vrtx_01" } else { "01" }, chance.name(22));
    let mut brief = read::brief(model, request);
    if let Some(force) = &setting.force {
        brief.steering = force.clone();
    }
    let plan = plan::plan(&brief, &mut chance);
    let scope = format!("{}|{}", model.id, setting.caller);
    let hit = setting.cache.breakpoints(scope.as_bytes(), &blocks, tokens_min);
    let usage = Usage {
        input: prompt_tokens - hit.read - hit.written_5m - hit.written_1h,
        cache_read: hit.read,
        cache_write_5m: hit.written_5m,
        cache_write_1h: hit.written_1h,
        output: plan.thinking_tokens + plan.answer_tokens,
        reasoning: plan.thinking_tokens,
    };
    let frame = answer::Frame {
        id,
        model: match model.rules {
            Rules::Permissive => setting.name,
            _ if setting.is_vertex => models::vertex::answers_as(model),
            _ => model.served_as,
        }
        .to_owned(),
        usage,
        telling: setting.telling,
        thinks: plan.thinking.is_some(),
    };
    let content = answer::content(setting, model, request, &plan, &mut chance);
    Ok(Made { plan, content, usage, frame })
}

/// A beta of a list that is for the maker's own platform only; others refuse it by name.
/// <https://platform.claude.com/docs/en/build-with-claude/overview> lists what is where, 2026-11-23.
pub(crate) fn own_beta(betas: &str) -> Option<&str> {
    const OWN: &[&str] = &["files-api-", "mcp-client-", "message-threads-", "oauth-", "skills-"];
    betas.split(',').map(str::trim).find(|beta| OWN.iter().any(|own| beta.starts_with(own)))
}

/// The shortest prefix that this model caches.
pub(crate) fn cache_tokens_min(model: &Model) -> u64 {
    match model.rules {
        Rules::Anthropic(rules) => rules.cache_tokens_min,
        _ => 1_024,
    }
}

/// Tokens of a prompt.
pub(crate) fn prompt_tokens(model: &Model, request: &Value) -> u64 {
    total(&read::blocks(model, request))
}

/// `POST /v1/messages/count_tokens`. It is free, and equals what a message request of the same content reports.
pub(crate) fn count_tokens(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    parameters::refuse_count(model, request)?;
    turns::refuse(model, setting.seed, request)?;
    Ok(Answer::json(200, &json!({ "input_tokens": total(&read::blocks(model, request)) })))
}

fn total(blocks: &[Block]) -> u64 {
    blocks.iter().map(|b| b.tokens).sum()
}

/// `GET /v1/models`, paged by `limit` and `after_id` of the query.
pub(crate) fn models(query: &str) -> Value {
    let value = |name: &str| {
        query.split('&').filter_map(|q| q.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v)
    };
    let all = models::of(Vendor::Anthropic);
    let start =
        value("after_id").and_then(|id| all.iter().position(|m| m.served_as == id)).map_or(0, |i| i + 1);
    let limit = value("limit").and_then(|n| n.parse().ok()).unwrap_or(20usize).clamp(1, 1_000);
    let page: Vec<&Model> = all.iter().skip(start).take(limit).collect();
    json!({
        "data": page.iter().map(|m| model_json(m, m.served_as)).collect::<Vec<Value>>(),
        "has_more": start + page.len() < all.len(),
        "first_id": page.first().map(|m| m.served_as),
        "last_id": page.last().map(|m| m.served_as),
    })
}

/// `GET /v1/models/{id}`.
pub(crate) fn model(name: &str) -> Result<Value, Refusal> {
    match models::find(Vendor::Anthropic, name) {
        Some(Found::Real(m)) => Ok(model_json(m, m.served_as)),
        Some(Found::Fault(m, _)) => Ok(model_json(m, name)),
        _ => Err(Refusal::no_model(name)),
    }
}

fn model_json(model: &Model, id: &str) -> Value {
    json!({
        "type": "model",
        "id": id,
        "display_name": model.display,
        "created_at": day(model.created),
        "lifecycle": if model.shutdown.is_some() { "deprecated" } else { "active" },
        "retires_at": model.shutdown.map(|d| format!("{d}T00:00:00Z")),
        "max_input_tokens": model.context_tokens,
        "max_tokens": model.output_tokens_max,
    })
}

/// Midnight of the day of a Unix time, in RFC 3339.
fn day(unix_s: u64) -> String {
    let (year, month, day) = civil(unix_s);
    format!("{year:04}-{month:02}-{day:02}T00:00:00Z")
}

/// Year, month and day of a Unix time. Civil dates from day counts: Hinnant's algorithm.
pub(crate) fn civil(unix_s: u64) -> (i64, i64, i64) {
    let days = (unix_s / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) =
        (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;
