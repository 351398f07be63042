//! Reads a valid request: what it costs in tokens, and what the answer depends on.

use super::proto::decode;
use super::tools::{declarations, has_hosted, json_schema};
use crate::media;
use crate::models::{GeminiThinking, Model, Rules};
use crate::plan::{Brief, Choice, Form, Media, Tool};
use crate::prompt::Prompt;
use crate::quiz;
use crate::shape::{list, some, text};
use crate::steer::Steering;
use crate::tokens;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tokens of a content's frame.
const CONTENT_FRAME: u64 = 1;
/// What a tool at the provider is said to have found; its tokens are told apart.
const FOUND: &str =
    "The harbour opened in 1897. Its light is seen for twelve miles. Ships of up to forty feet may enter.";

/// A prompt with its tokens by modality.
pub(super) struct Counted {
    pub(super) prompt: Prompt,
    /// Tokens of images, sounds, films and files.
    pub(super) media: BTreeMap<&'static str, u64>,
}

impl Counted {
    /// Tokens by modality, text first, as the provider lists them.
    pub(super) fn details(&self) -> Value {
        let media: u64 = self.media.values().sum();
        let entry = |name: &str, tokens: u64| json!({ "modality": name, "tokenCount": tokens });
        let text = std::iter::once(entry("TEXT", self.prompt.tokens() - media));
        text.chain(self.media.iter().map(|(name, tokens)| entry(name, *tokens))).collect()
    }
}

/// The prompt as it is counted.
pub(super) fn prompt(model: &Model, request: &Value) -> Counted {
    let mut counted = Counted { prompt: Prompt::new(model.word_bytes), media: BTreeMap::new() };
    if let Some(tools) = some(request, "tools") {
        counted.prompt.text(&tools.to_string());
    }
    for name in ["responseSchema", "responseJsonSchema"] {
        if let Some(schema) = some(&request["generationConfig"], name) {
            counted.prompt.text(&schema.to_string());
        }
    }
    for content in some(request, "systemInstruction").into_iter().chain(list(request, "contents")) {
        counted.prompt.opaque(CONTENT_FRAME, text(content, "role").as_bytes());
        list(content, "parts").iter().for_each(|part| count(&mut counted, part));
    }
    counted
}

fn count(counted: &mut Counted, part: &Value) {
    let prompt = &mut counted.prompt;
    prompt.text(text(part, "text"));
    for (name, inner) in [("functionCall", "args"), ("functionResponse", "response")] {
        if let Some(function) = some(part, name) {
            prompt.text(text(function, "name"));
            prompt.text(&function[inner].to_string());
        }
    }
    prompt.text(text(&part["executableCode"], "code"));
    prompt.text(text(&part["codeExecutionResult"], "output"));
    let inner = list(&part["functionResponse"], "parts");
    for found in std::iter::once(part).chain(inner) {
        let Some(media) = media_of(found) else { continue };
        let (modality, tokens) = match media.media_type.split('/').next() {
            Some("image") => ("IMAGE", media::image_tokens(media.bytes)),
            Some("audio") => ("AUDIO", media::file_tokens(media.bytes)),
            Some("video") => ("VIDEO", media::file_tokens(media.bytes)),
            _ => ("DOCUMENT", media::file_tokens(media.bytes)),
        };
        prompt.opaque(tokens, found.to_string().as_bytes());
        *counted.media.entry(modality).or_default() += tokens;
    }
}

fn media_of(part: &Value) -> Option<Media> {
    if let Some(blob) = some(part, "inlineData") {
        let bytes = decode(text(blob, "data")).map(|b| b.len());
        return Some(Media { media_type: text(blob, "mimeType").to_owned(), bytes, reference: None });
    }
    let file = some(part, "fileData")?;
    let kind = Some(text(file, "mimeType")).filter(|k| !k.is_empty()).unwrap_or("application/pdf");
    Some(Media {
        media_type: kind.to_owned(),
        bytes: None,
        reference: Some(text(file, "fileUri").to_owned()),
    })
}

/// Tokens of what a tool at the provider found, if one is offered and nothing else is to be called.
pub(super) fn tool_use_tokens(model: &Model, request: &Value) -> u64 {
    if has_hosted(request) { tokens::count(FOUND, model.word_bytes) } else { 0 }
}

/// What the answer depends on.
pub(super) fn brief(model: &Model, request: &Value) -> Brief {
    let contents = list(request, "contents");
    let config = &request["generationConfig"];
    let is_user = |c: &&Value| text(c, "role") != "model" && !words(c).is_empty();
    let ask = contents.iter().rev().find(is_user).map(words).unwrap_or_default();
    let begin = contents.iter().rposition(|c| text(c, "role") == "model").map_or(0, |i| i + 1);
    let last = contents[begin..].iter().flat_map(|c| list(c, "parts"));
    let inside = contents[begin..]
        .iter()
        .flat_map(|c| list(c, "parts"))
        .flat_map(|p| list(&p["functionResponse"], "parts"));
    Brief {
        results: last.clone().filter_map(|p| some(p, "functionResponse")).map(result).collect(),
        media: last.chain(inside).filter_map(media_of).collect(),
        tools: tools(request),
        choice: match text(&request["toolConfig"]["functionCallingConfig"], "mode") {
            "ANY" => Choice::Required,
            "NONE" => Choice::Never,
            _ => Choice::Auto,
        },
        parallel: true,
        form: form(config),
        think: thinks(model, config),
        output_tokens_max: some(config, "maxOutputTokens")
            .and_then(Value::as_u64)
            .unwrap_or(model.output_tokens_max),
        stops: list(config, "stopSequences").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        word_bytes: model.word_bytes,
        skill: quiz::skill(model.made_as),
        prefill: String::new(),
        steering: Steering::read(&ask),
        ask,
    }
}

fn words(content: &Value) -> String {
    let parts = list(content, "parts").iter().map(|p| text(p, "text")).filter(|t| !t.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

/// A response: the function's name, and its one text or all of it.
fn result(response: &Value) -> (String, String) {
    let body = &response["response"];
    let said = ["output", "result", "error"].iter().find_map(|n| body.get(n)?.as_str().map(str::to_owned));
    (text(response, "name").to_owned(), said.unwrap_or_else(|| body.to_string()))
}

/// The functions that may be called: those declared, or the allowed ones among them.
fn tools(request: &Value) -> Vec<Tool> {
    let allowed = list(&request["toolConfig"]["functionCallingConfig"], "allowedFunctionNames");
    let is_allowed = |name: &str| allowed.is_empty() || allowed.iter().any(|a| a == name);
    let schema =
        |declared: &Value| match (some(declared, "parameters"), some(declared, "parametersJsonSchema")) {
            (Some(own), _) => json_schema(own),
            (_, Some(published)) => published.clone(),
            _ => json!({ "type": "object", "properties": {} }),
        };
    let declared = declarations(request).filter(|d| is_allowed(text(d, "name")));
    declared.map(|d| Tool { name: text(d, "name").to_owned(), schema: schema(d) }).collect()
}

fn form(config: &Value) -> Form {
    let published =
        ["responseJsonSchema", "_responseJsonSchema"].iter().find_map(|n| some(config, n).cloned());
    let schema = some(config, "responseSchema").map(json_schema).or(published);
    match (text(config, "responseMimeType"), schema) {
        ("application/json" | "text/x.enum", Some(schema)) => Form::Schema(schema),
        ("application/json", None) => Form::Json,
        _ => Form::Text,
    }
}

/// Most thinking tokens: the budget, or by level; none where thinking is off.
fn thinks(model: &Model, config: &Value) -> Option<u64> {
    let Rules::Gemini(rules) = model.rules else { return None };
    let thinking = &config["thinkingConfig"];
    match (some(thinking, "thinkingBudget").and_then(Value::as_i64), rules.thinking) {
        (Some(0), _) => None,
        (Some(-1), _) => Some(4_096),
        (Some(budget), _) => u64::try_from(budget).ok(),
        (None, GeminiThinking::Budget { by_default, .. }) => by_default.then_some(4_096),
        (None, GeminiThinking::Levels { .. }) => Some(match text(thinking, "thinkingLevel") {
            "MINIMAL" => 8,
            "LOW" => 24,
            "MEDIUM" => 64,
            _ => 4_096,
        }),
    }
}
