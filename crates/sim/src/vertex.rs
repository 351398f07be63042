//! The simulated Vertex AI: Gemini and Claude on Google's platform, with what the platform does differently.
//!
//! Claude: <https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude> and the client for Vertex of the
//! Python SDK 2.12; Gemini: <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference> and what the
//! google-genai SDK 2.x says that only one of Google's two services takes; read 2026-11-23.

pub(crate) mod error;
pub(crate) mod token;

use crate::answer::Answer;
use crate::gemini::{self, Method};
use crate::models::{Model, Rules};
use crate::setting::Setting;
use crate::shape::{list, some, text};
use crate::{anthropic, gemini::error::Refusal};
use serde_json::{Value, json};

/// What the body may name as its version, in place of the header: the platform's own, which its pages show, and the maker's
/// dated one, which the Python SDK sends there since 2.x.
const CLAUDE_VERSIONS: &[&str] = &["vertex-2023-10-16", "2026-10-21"];
/// The name in the path of a count, whose model stands in the body.
pub(crate) const COUNTER: &str = "count-tokens";
/// Members of the maker's own API that the platform does not have.
const NOT_HERE: &[&str] = &["model", "container", "inference_geo"];

/// Whether the publisher in the path has this model.
pub(crate) fn publishes(is_claude: bool, model: &Model) -> bool {
    match model.rules {
        Rules::Anthropic(_) => is_claude,
        Rules::Gemini(_) => !is_claude,
        _ => true,
    }
}

/// `POST …/publishers/anthropic/models/{model}:rawPredict` and `:streamRawPredict`.
pub(crate) fn claude(
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    is_count: bool,
    beta: &str,
) -> Result<Answer, anthropic::error::Refusal> {
    let refused = |at: &str, why: &str| anthropic::error::Refusal::bad(format!("{at}: {why}"));
    let mut native = request.clone();
    let Some(map) = native.as_object_mut() else {
        return Err(anthropic::error::Refusal::bad("Input should be a valid dictionary"));
    };
    match map.shift_remove("anthropic_version") {
        Some(version) if CLAUDE_VERSIONS.iter().any(|v| version == *v) => {}
        Some(_) => {
            let why = format!("Input should be '{}'", CLAUDE_VERSIONS.join("' or '"));
            return Err(refused("anthropic_version", &why));
        }
        None if is_count => {}
        None => return Err(refused("anthropic_version", "Field required")),
    }
    let mut betas = vec![beta.to_owned()];
    if let Some(listed) = map.shift_remove("anthropic_beta") {
        betas.extend(listed.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    if is_count {
        return anthropic::count_tokens(setting, model, &native);
    }
    if let Some(name) = NOT_HERE.iter().find(|n| map.contains_key(**n)) {
        return Err(refused(name, "Extra inputs are not permitted"));
    }
    map.insert("model".to_owned(), json!(setting.name));
    let betas = betas.join(",");
    if let Some(own) = anthropic::own_beta(&betas) {
        return Err(anthropic::error::Refusal::bad(format!(
            "Unexpected value(s) `{own}` for the `anthropic-beta` header. Please consult our documentation at docs.anthropic.com or try again without the header."
        )));
    }
    anthropic::messages(setting, model, &native, &betas)
}

/// Fields that only Google's other service has: where they stand, and their names.
const STUDIO_ONLY: &[(&str, &[&str])] = &[
    ("", &["store"]),
    ("toolConfig", &["includeServerSideToolInvocations"]),
    ("generationConfig", &["enableEnhancedCivicAnswers"]),
    ("tools", &["fileSearch", "mcpServers"]),
    ("contents.parts", &["toolCall", "toolResponse", "partMetadata", "mediaProcessing"]),
];
/// Fields that only this service has; none changes an answer here.
const VERTEX_ONLY: &[(&str, &[&str])] = &[
    ("", &["labels", "modelArmorConfig"]),
    ("generationConfig", &["audioTimestamp", "routingConfig", "modelConfig", "modelSelectionConfig"]),
    ("tools", &["retrieval", "enterpriseWebSearch", "parallelAiSearch", "exaAiSearch"]),
    ("safetySettings", &["method"]),
];

/// `POST …/publishers/google/models/{model}:{method}`.
pub(crate) fn content(
    setting: &Setting<'_>,
    model: &Model,
    method: Method,
    request: &Value,
) -> Result<Answer, Refusal> {
    if let Some((at, name)) = STUDIO_ONLY.iter().find_map(|(at, names)| found(request, at, names)) {
        let place = if at.is_empty() { String::new() } else { format!(" at '{}'", gemini::snake(at)) };
        let why =
            format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
        return Err(Refusal::payload(&[(at.to_owned(), why)]));
    }
    let mut request = request.clone();
    labels(&request)?;
    for (at, names) in VERTEX_ONLY {
        owners(&mut request, at, &mut |owner| {
            for name in *names {
                owner.shift_remove(*name);
                owner.shift_remove(&gemini::snake(name));
            }
        });
    }
    if list(&request, "contents").iter().any(|c| text(c, "role").is_empty()) {
        return Err(Refusal::bad("Please use a valid role: user, model."));
    }
    if method == Method::Count {
        request = counted(&request)?;
    }
    gemini::call(setting, model, method, &request).map(|answer| Answer { headers: Vec::new(), ..answer })
}

/// A count's request in the form of the other service, which has the whole request in a member.
fn counted(request: &Value) -> Result<Value, Refusal> {
    const MEMBERS: &[&str] = &["contents", "systemInstruction", "tools", "generationConfig"];
    let mut inner = json!({});
    for (name, value) in request.as_object().into_iter().flatten() {
        match MEMBERS.iter().find(|m| *m == name || gemini::snake(m) == *name) {
            Some(known) => inner[*known] = value.clone(),
            None if matches!(name.as_str(), "model" | "instances") => {}
            None => {
                let why =
                    format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
                return Err(Refusal::payload(&[(String::new(), why)]));
            }
        }
    }
    Ok(json!({ "generateContentRequest": inner }))
}

fn labels(request: &Value) -> Result<(), Refusal> {
    let Some(labels) = some(request, "labels") else { return Ok(()) };
    let is_map = labels.as_object().is_some_and(|m| m.values().all(Value::is_string));
    if is_map { Ok(()) } else { Err(Refusal::bad("Invalid value at 'labels' (Map), expected text by name")) }
}

fn found<'a>(request: &Value, at: &'a str, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let mut request = request.clone();
    let mut seen = None;
    owners(&mut request, at, &mut |owner| {
        let has = |n: &&&str| owner.contains_key(**n) || owner.contains_key(&gemini::snake(n));
        seen = seen.or(names.iter().find(has).map(|n| (at, *n)));
    });
    seen
}

/// Calls `with` for each object at a path of names, lists gone through, names in either spelling.
fn owners(value: &mut Value, at: &str, with: &mut dyn FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|v| owners(v, at, with)),
        Value::Object(map) if at.is_empty() => with(map),
        Value::Object(map) => {
            let (name, rest) = at.split_once('.').unwrap_or((at, ""));
            for spelled in [name.to_owned(), gemini::snake(name)] {
                if let Some(inner) = map.get_mut(&spelled) {
                    owners(inner, rest, with);
                    return;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
