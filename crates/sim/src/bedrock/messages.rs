//! A Converse request as the message that the model behind it reads, which is how Bedrock serves Claude.
//!
//! The members and their meaning: <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html>, cache
//! points: <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>, read 2026-11-23.

use super::error::Refusal;
use crate::media;
use crate::models::{ConverseRules, Model, Native, Rules};
use crate::shape::{list, some, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A request as the model reads it.
pub(super) struct Message {
    pub(super) request: Value,
    /// Betas of the maker that the request names.
    pub(super) beta: String,
}

/// Rewrites a request that conforms to the published shapes.
pub(super) fn read(model: &Model, request: &Value) -> Result<Message, Refusal> {
    let config = &request["inferenceConfig"];
    let mut out = json!({
        "model": model.id,
        "max_tokens": some(config, "maxTokens").cloned().unwrap_or(json!(model.output_tokens_max)),
        "messages": messages(request)?,
    });
    for (from, to) in [("temperature", "temperature"), ("topP", "top_p")] {
        if let Some(value) = some(config, from) {
            out[to] = value.clone();
        }
    }
    if !list(config, "stopSequences").is_empty() {
        out["stop_sequences"] = config["stopSequences"].clone();
    }
    if !list(request, "system").is_empty() {
        out["system"] = blocks(request, "system", "system")?.into();
    }
    tools(request, &mut out)?;
    output(request, &mut out)?;
    let beta = fields(model, request, &mut out)?;
    Ok(Message { request: out, beta })
}

fn messages(request: &Value) -> Result<Value, Refusal> {
    let one = |(i, m): (usize, &Value)| {
        let content = blocks(m, "content", &format!("messages.{i}.content"))?;
        Ok(json!({ "role": text(m, "role"), "content": content }))
    };
    list(request, "messages").iter().enumerate().map(one).collect()
}

/// The blocks of a list; a cache point is a marker on the block before it.
fn blocks(owner: &Value, name: &str, at: &str) -> Result<Vec<Value>, Refusal> {
    let mut out: Vec<Value> = Vec::new();
    for (i, found) in list(owner, name).iter().enumerate() {
        match some(found, "cachePoint") {
            Some(point) => mark(out.last_mut(), point, &format!("{at}.{i}"))?,
            None => out.push(block(found)?),
        }
    }
    Ok(out)
}

fn mark(before: Option<&mut Value>, point: &Value, at: &str) -> Result<(), Refusal> {
    let Some(block) = before else {
        return Err(Refusal::validation(format!(
            "The cachePoint at {at} has no content before it. Place it after the content to be cached, and try again."
        )));
    };
    block["cache_control"] = json!({ "type": "ephemeral" });
    if let Some(ttl) = some(point, "ttl") {
        block["cache_control"]["ttl"] = ttl.clone();
    }
    Ok(())
}

fn block(block: &Value) -> Result<Value, Refusal> {
    let Some((kind, inner)) = block.as_object().and_then(|m| m.iter().find(|(_, v)| !v.is_null())) else {
        return Ok(Value::Null);
    };
    Ok(match kind.as_str() {
        "text" => json!({ "type": "text", "text": inner }),
        "image" => image(inner),
        "document" => document(inner),
        "toolUse" => json!({
            "type": "tool_use",
            "id": inner["toolUseId"],
            "name": inner["name"],
            "input": inner["input"],
        }),
        "toolResult" => result(inner)?,
        "reasoningContent" => reasoning(inner),
        "guardContent" if some(inner, "text").is_some() => {
            json!({ "type": "text", "text": inner["text"]["text"] })
        }
        "guardContent" => image(&inner["image"]),
        "citationsContent" => {
            let said: String = list(inner, "content").iter().map(|c| text(c, "text")).collect();
            json!({ "type": "text", "text": said })
        }
        "searchResult" => {
            let content = list(inner, "content").iter().map(|c| json!({ "type": "text", "text": c["text"] }));
            json!({
                "type": "search_result",
                "source": inner["source"],
                "title": inner["title"],
                "content": content.collect::<Vec<Value>>(),
            })
        }
        "json" => json!({ "type": "text", "text": inner.to_string() }),
        other => return Err(unsupported(other)),
    })
}

/// A block that no model of the fleet takes.
pub(super) fn unsupported(kind: &str) -> Refusal {
    Refusal::validation(format!("This model doesn't support the {kind} field. Remove {kind} and try again."))
}

fn image(image: &Value) -> Value {
    let media_type = format!("image/{}", text(image, "format"));
    json!({ "type": "image", "source": source(&image["source"], &media_type) })
}

fn source(source: &Value, media_type: &str) -> Value {
    match some(source, "s3Location") {
        Some(location) => json!({ "type": "url", "url": location["uri"] }),
        None => json!({ "type": "base64", "media_type": media_type, "data": source["bytes"] }),
    }
}

/// PDF goes to the model as it is; of other documents the service reads the text.
fn document(document: &Value) -> Value {
    let inner = &document["source"];
    let source = match (text(document, "format"), some(inner, "bytes")) {
        ("pdf", _) => source(inner, "application/pdf"),
        (_, Some(bytes)) => {
            let bytes = media::decode(bytes.as_str().unwrap_or_default()).unwrap_or_default();
            plain(&String::from_utf8_lossy(&bytes))
        }
        _ if some(inner, "s3Location").is_some() => source(inner, "text/plain"),
        _ => {
            let parts = list(inner, "content").iter().map(|c| text(c, "text")).collect::<Vec<_>>().join("\n");
            plain(&(text(inner, "text").to_owned() + &parts))
        }
    };
    let mut out = json!({ "type": "document", "source": source, "title": document["name"] });
    for name in ["context", "citations"] {
        if let Some(value) = some(document, name) {
            out[name] = value.clone();
        }
    }
    out
}

fn plain(said: &str) -> Value {
    json!({ "type": "text", "media_type": "text/plain", "data": said })
}

fn result(result: &Value) -> Result<Value, Refusal> {
    let mut out = json!({
        "type": "tool_result",
        "tool_use_id": result["toolUseId"],
        "content": blocks(result, "content", "toolResult.content")?,
    });
    if text(result, "status") == "error" {
        out["is_error"] = json!(true);
    }
    Ok(out)
}

fn reasoning(inner: &Value) -> Value {
    match some(inner, "reasoningText") {
        Some(said) => json!({
            "type": "thinking",
            "thinking": said["text"],
            "signature": text(said, "signature"),
        }),
        None => {
            let bytes = media::decode(text(inner, "redactedContent")).unwrap_or_default();
            json!({ "type": "redacted_thinking", "data": String::from_utf8_lossy(&bytes) })
        }
    }
}

fn tools(request: &Value, out: &mut Value) -> Result<(), Refusal> {
    let Some(config) = some(request, "toolConfig") else { return Ok(()) };
    let mut tools: Vec<Value> = Vec::new();
    for (i, tool) in list(config, "tools").iter().enumerate() {
        if let Some(point) = some(tool, "cachePoint") {
            mark(tools.last_mut(), point, &format!("toolConfig.tools.{i}"))?;
            continue;
        }
        let Some(spec) = some(tool, "toolSpec") else { return Err(unsupported("systemTool")) };
        let mut made = json!({ "name": spec["name"], "input_schema": spec["inputSchema"]["json"] });
        for name in ["description", "strict"] {
            if let Some(value) = some(spec, name) {
                made[name] = value.clone();
            }
        }
        tools.push(made);
    }
    out["tools"] = tools.into();
    let choice = &config["toolChoice"];
    if some(choice, "any").is_some() {
        out["tool_choice"] = json!({ "type": "any" });
    } else if let Some(tool) = some(choice, "tool") {
        out["tool_choice"] = json!({ "type": "tool", "name": tool["name"] });
    } else if some(choice, "auto").is_some() {
        out["tool_choice"] = json!({ "type": "auto" });
    }
    Ok(())
}

/// Structured output and effort.
fn output(request: &Value, out: &mut Value) -> Result<(), Refusal> {
    let config = &request["outputConfig"];
    if let Some(effort) = some(config, "effort") {
        out["output_config"] = json!({ "effort": effort });
    }
    let Some(format) = some(config, "textFormat") else { return Ok(()) };
    let schema: Value =
        serde_json::from_str(text(&format["structure"]["jsonSchema"], "schema")).map_err(|_| {
            let at = "outputConfig.textFormat.structure.jsonSchema.schema";
            Refusal::validation(format!(
                "The value at {at} is not valid JSON. Provide a JSON schema and try again."
            ))
        })?;
    out["output_config"]["format"] = json!({ "type": "json_schema", "schema": schema });
    Ok(())
}

/// The model's own members, which must not say again what the request says; returns the betas among them.
fn fields(model: &Model, request: &Value, out: &mut Value) -> Result<String, Refusal> {
    let Some(given) = some(request, "additionalModelRequestFields") else { return Ok(String::new()) };
    let Some(map) = given.as_object() else {
        let why = "The format of the additionalModelRequestFields field is invalid. Provide a json object for the field and try again.";
        return Err(Refusal::validation(why));
    };
    if let Rules::Converse(rules) = model.rules {
        native(&rules, given, out)?;
        return Ok(String::new());
    }
    let mut beta = String::new();
    for (name, value) in map {
        if name == "anthropic_beta" {
            beta = list(given, name).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        } else if name == "output_config" && out.get(name).is_some() {
            for (inner, value) in value.as_object().into_iter().flatten() {
                out[name][inner] = value.clone();
            }
        } else if out.get(name).is_some() {
            return Err(Refusal::validation(format!(
                "The additional field {name} conflicts with an existing field."
            )));
        } else {
            out[name] = value.clone();
        }
    }
    Ok(beta)
}

/// Members of the models that are served in their own form.
fn native(rules: &ConverseRules, given: &Value, out: &mut Value) -> Result<(), Refusal> {
    let allowed: &[&str] = match rules.native {
        Native::Nova => &["inferenceConfig"],
        Native::GptOss => &["reasoning_effort", "frequency_penalty", "presence_penalty", "seed", "user"],
    };
    let extra = |at: &str, name: &str| {
        Refusal::of_model(&format!(
            "Malformed input request: #{at}: extraneous key [{name}] is not permitted, please reformat your input and try again."
        ))
    };
    if let Some(name) = given.as_object().and_then(|m| m.keys().find(|k| !allowed.contains(&k.as_str()))) {
        return Err(extra("", name));
    }
    if let Some(config) = given.get("inferenceConfig").and_then(Value::as_object) {
        if let Some(name) = config.keys().find(|k| *k != "topK") {
            return Err(extra("/inferenceConfig", name));
        }
        let is_in_range = |k: &Value| k.as_i64().is_some_and(|k| (0..=128).contains(&k));
        if config.get("topK").is_some_and(|k| !is_in_range(k)) {
            return Err(Refusal::of_model(
                "Malformed input request: #/inferenceConfig/topK: expected minimum value: 0, maximum value: 128, please reformat your input and try again.",
            ));
        }
    }
    let effort = text(given, "reasoning_effort");
    if !matches!(effort, "" | "low" | "medium" | "high") {
        return Err(Refusal::of_model(&format!(
            "Invalid 'reasoning_effort': '{effort}'. Supported values are: 'low', 'medium', and 'high'."
        )));
    }
    let budget = match effort {
        "low" => 16,
        "high" => 4_096,
        _ => 64,
    };
    if rules.reasons {
        out["thinking"] = json!({ "type": "enabled", "budget_tokens": budget });
    }
    Ok(())
}

/// Bytes as the service writes them in JSON.
pub(super) fn encoded(bytes: &str) -> String {
    STANDARD.encode(bytes)
}
