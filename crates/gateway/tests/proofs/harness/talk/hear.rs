//! What an SDK of each dialect makes of an answer, and keeps of it for the history.

use serde_json::{Value, json};

use super::super::frames;
use super::super::http::Got;
use super::{Call, Said, Tongue};

impl Tongue {
    /// Reads an answer.
    pub(crate) fn hear(self, got: &Got, is_stream: bool) -> Said {
        match (self, is_stream) {
            (Self::Bedrock, true) => of_blocks(self, bedrock_blocks(&got.body)),
            (Self::Bedrock, false) => of_blocks(self, list(&got.json()["output"]["message"]["content"])),
            (Self::Anthropic, true) => of_blocks(self, anthropic_blocks(&events(got))),
            (Self::Anthropic, false) => of_blocks(self, list(&got.json()["content"])),
            (Self::Gemini, true) => of_contents(&events(got)),
            (Self::Gemini, false) => of_contents(&[got.json()]),
            (Self::Responses, true) => {
                let ended = events(got).into_iter().rfind(|event| event["response"]["output"].is_array());
                of_items(&ended.expect("the stream says how it ended")["response"])
            }
            (Self::Responses, false) => of_items(&got.json()),
            (Self::Chat, true) => of_message(&chat_message(&events(got))),
            (Self::Chat, false) => of_message(&got.json()["choices"][0]["message"]),
        }
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn events(got: &Got) -> Vec<Value> {
    let text = got.text().replace("\r\n", "\n");
    let data = |event: &str| event.lines().filter_map(|line| line.strip_prefix("data:")).collect::<String>();
    text.split("\n\n").filter_map(|event| serde_json::from_str(&data(event)).ok()).collect()
}

/// Adds text to the member of an object.
fn add(object: &mut Value, name: &str, more: &Value) {
    let whole = format!("{}{}", word(&object[name]), word(more));
    object[name] = whole.into();
}

fn parsed(text: &Value) -> Value {
    let text = if word(text).is_empty() { "{}" } else { word(text) };
    serde_json::from_str(text).unwrap()
}

/// An answer that is one message of blocks: Anthropic's, and Bedrock's.
fn of_blocks(tongue: Tongue, blocks: Vec<Value>) -> Said {
    let mut said = Said::default();
    for block in &blocks {
        let (call, id) = match tongue {
            Tongue::Bedrock => (&block["toolUse"], "toolUseId"),
            _ if block["type"] == "tool_use" => (block, "id"),
            _ => (&Value::Null, ""),
        };
        if call.is_object() {
            let call = (call[id].clone(), word(&call["name"]), call["input"].clone());
            said.calls.push(Call { id: call.0, name: call.1.to_owned(), arguments: call.2 });
        }
        said.text.push_str(word(&block["text"]));
    }
    said.kept.push(json!({"role": "assistant", "content": blocks}));
    said
}

fn anthropic_blocks(events: &[Value]) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    for event in events {
        let delta = &event["delta"];
        match word(&event["type"]) {
            "content_block_start" => blocks.push(event["content_block"].clone()),
            "content_block_delta" => {
                let block = blocks.last_mut().unwrap();
                match word(&delta["type"]) {
                    "text_delta" => add(block, "text", &delta["text"]),
                    "thinking_delta" => add(block, "thinking", &delta["thinking"]),
                    "signature_delta" => add(block, "signature", &delta["signature"]),
                    "input_json_delta" => add(block, "partial", &delta["partial_json"]),
                    other => panic!("a delta of {other}"),
                }
            }
            _ => {}
        }
    }
    for block in &mut blocks {
        if let Some(partial) = block.as_object_mut().unwrap().remove("partial") {
            block["input"] = parsed(&partial);
        }
    }
    blocks
}

fn bedrock_blocks(body: &[u8]) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    for frame in frames::read(body) {
        let at = usize::try_from(frame.data["contentBlockIndex"].as_u64().unwrap_or(0)).unwrap();
        let delta = &frame.data["delta"];
        match frame.name.as_str() {
            "contentBlockStart" => blocks.insert(at, frame.data["start"].clone()),
            "contentBlockDelta" => {
                if blocks.len() <= at {
                    blocks.push(json!({}));
                }
                let block = &mut blocks[at];
                if delta["text"].is_string() {
                    add(block, "text", &delta["text"]);
                }
                let thought = &delta["reasoningContent"];
                for name in ["text", "signature"].into_iter().filter(|name| thought[name].is_string()) {
                    add(&mut block["reasoningContent"]["reasoningText"], name, &thought[name]);
                }
                if thought["redactedContent"].is_string() {
                    block["reasoningContent"] = thought.clone();
                }
                if delta["toolUse"].is_object() {
                    add(&mut block["toolUse"], "input", &delta["toolUse"]["input"]);
                }
            }
            _ => {}
        }
    }
    for block in blocks.iter_mut().filter(|block| block["toolUse"].is_object()) {
        block["toolUse"]["input"] = parsed(&block["toolUse"]["input"]);
    }
    blocks
}

/// Gemini's SDKs keep the content of every chunk as a turn of its own.
fn of_contents(chunks: &[Value]) -> Said {
    let mut said = Said::default();
    for chunk in chunks {
        let content = &chunk["candidates"][0]["content"];
        for part in list(&content["parts"]) {
            if part["thought"] != true {
                said.text.push_str(word(&part["text"]));
            }
            if let call @ Value::Object(_) = &part["functionCall"] {
                let name = word(&call["name"]).to_owned();
                said.calls.push(Call { id: call["id"].clone(), name, arguments: call["args"].clone() });
            }
        }
        if content["parts"].is_array() {
            said.kept.push(content.clone());
        }
    }
    said
}

fn of_items(response: &Value) -> Said {
    let mut said = Said { kept: list(&response["output"]), ..Said::default() };
    for item in &said.kept {
        for part in list(&item["content"]).iter().filter(|_| item["type"] == "message") {
            said.text.push_str(word(&part["text"]));
        }
        if item["type"] == "function_call" {
            let (name, arguments) = (word(&item["name"]).to_owned(), parsed(&item["arguments"]));
            said.calls.push(Call { id: item["call_id"].clone(), name, arguments });
        }
    }
    said
}

fn of_message(message: &Value) -> Said {
    let mut said = Said { text: word(&message["content"]).to_owned(), ..Said::default() };
    for call in list(&message["tool_calls"]) {
        let (name, arguments) = (&call["function"]["name"], parsed(&call["function"]["arguments"]));
        said.calls.push(Call { id: call["id"].clone(), name: word(name).to_owned(), arguments });
    }
    // Applications keep the text and the calls; what else a message has is not in the dialect.
    let mut kept = json!({"role": "assistant", "content": message["content"]});
    if !said.calls.is_empty() {
        kept["tool_calls"] = message["tool_calls"].clone();
    }
    said.kept.push(kept);
    said
}

fn chat_message(events: &[Value]) -> Value {
    let (mut content, mut calls) = (json!({}), Vec::<Value>::new());
    for delta in events.iter().map(|event| &event["choices"][0]["delta"]) {
        if delta["content"].is_string() {
            add(&mut content, "content", &delta["content"]);
        }
        for call in list(&delta["tool_calls"]) {
            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if calls.len() <= at {
                let function = json!({"name": call["function"]["name"], "arguments": ""});
                calls.push(json!({"id": call["id"], "type": "function", "function": function}));
            }
            add(&mut calls[at]["function"], "arguments", &call["function"]["arguments"]);
        }
    }
    content["tool_calls"] = calls.into();
    content
}
