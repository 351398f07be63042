//! A client of each of the four dialects: how it asks, and what it makes of an answer, with nothing of our codecs.

use serde_json::{Value, json};

use super::House;
use super::http::Got;

/// A fleet that is called in each dialect, priced as the fleet prices itself.
pub(crate) const FOUR_VENDORS: &str = r#"
[providers.chat]
vendor = "openai"
dialect = "openai-chat"
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-chat"

[providers.responses]
vendor = "openai"
dialect = "openai-responses"
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-responses"

[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "sk-upstream-anthropic"

[providers.gemini]
dialect = "gemini-generate"
base_url = "http://FLEET/gemini/v1beta"
api_key = "sk-upstream-gemini"

[catalog]
overlay = "prices.toml"
"#;

/// A dialect, on either side of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    Chat,
    Anthropic,
    Responses,
    Gemini,
}

/// What a client makes of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) text: String,
    /// Name and parsed arguments of each call.
    pub(crate) tools: Vec<(String, Value)>,
    /// Input and output tokens as told to the client, all classes together.
    pub(crate) usage: Option<(u64, u64)>,
    /// The sentence of an error.
    pub(crate) error: Option<String>,
    /// The answer said that it was over.
    pub(crate) is_finished: bool,
}

impl Speaker {
    pub(crate) const ALL: [Self; 4] = [Self::Chat, Self::Anthropic, Self::Responses, Self::Gemini];

    /// The vendor's section.
    pub(crate) const fn vendor(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Anthropic => "anthropic",
            Self::Responses => "responses",
            Self::Gemini => "gemini",
        }
    }

    /// A usual model of the vendor.
    pub(crate) const fn model(self) -> &'static str {
        match self {
            Self::Chat => "gpt-4o",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Responses => "gpt-5.5",
            Self::Gemini => "gemini-2.5-flash",
        }
    }

    /// The path of a call to a model.
    pub(crate) fn path(self, model: &str, is_stream: bool) -> String {
        match (self, is_stream) {
            (Self::Chat, _) => "/v1/chat/completions".to_owned(),
            (Self::Anthropic, _) => "/v1/messages".to_owned(),
            (Self::Responses, _) => "/v1/responses".to_owned(),
            (Self::Gemini, false) => format!("/v1beta/models/{model}:generateContent"),
            (Self::Gemini, true) => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        }
    }

    /// A question, with the tool `weather` where one is wanted.
    pub(crate) fn body(self, model: &str, text: &str, is_stream: bool, has_tool: bool) -> Value {
        let mut body = match self {
            Self::Chat => json!({"model": model, "messages": [{"role": "user", "content": text}]}),
            Self::Anthropic => {
                json!({"model": model, "max_tokens": 2000, "messages": [{"role": "user", "content": text}]})
            }
            Self::Responses => json!({"model": model, "input": text}),
            Self::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        };
        if is_stream && self != Self::Gemini {
            body["stream"] = true.into();
        }
        if is_stream && self == Self::Chat {
            body["stream_options"] = json!({"include_usage": true});
        }
        if has_tool {
            body["tools"] = json!([self.tool()]);
        }
        body
    }

    fn tool(self) -> Value {
        let schema =
            json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let (name, about) = ("weather", "Looks it up.");
        match self {
            Self::Chat => {
                json!({"type": "function", "function": {"name": name, "description": about, "parameters": schema}})
            }
            Self::Anthropic => json!({"name": name, "description": about, "input_schema": schema}),
            Self::Responses => {
                json!({"type": "function", "name": name, "description": about, "parameters": schema})
            }
            Self::Gemini => {
                json!({"functionDeclarations": [{"name": name, "description": about, "parameters": schema}]})
            }
        }
    }

    /// Asks that vendor's model.
    pub(crate) fn ask(self, house: &House, model: &str, text: &str, is_stream: bool, has_tool: bool) -> Got {
        let body = self.body(model, text, is_stream, has_tool).to_string();
        house.post(&self.path(model, is_stream), &[], body.as_bytes())
    }

    /// Reads an answer.
    pub(crate) fn hear(self, got: &Got, is_stream: bool) -> Heard {
        if is_stream && got.status == 200 {
            return self.hear_events(&got.body);
        }
        let mut heard = Heard::default();
        self.hear_whole(&got.json(), &mut heard);
        heard
    }

    fn hear_whole(self, body: &Value, heard: &mut Heard) {
        if let Some(message) = body["error"]["message"].as_str() {
            heard.error = Some(message.to_owned());
        }
        match self {
            Self::Chat => {
                let choice = &body["choices"][0];
                push(&choice["message"]["content"], &mut heard.text);
                for call in items(&choice["message"]["tool_calls"]) {
                    heard.tools.push(call_of(&call["function"]["name"], &call["function"]["arguments"]));
                }
                heard.is_finished = choice["finish_reason"].is_string();
                heard.usage = counts(&body["usage"], &["prompt_tokens"], &["completion_tokens"]);
            }
            Self::Anthropic => {
                for block in items(&body["content"]) {
                    push(&block["text"], &mut heard.text);
                    if block["type"] == "tool_use" {
                        heard
                            .tools
                            .push((block["name"].as_str().unwrap().to_owned(), block["input"].clone()));
                    }
                }
                heard.is_finished = body["stop_reason"].is_string();
                heard.usage = anthropic_counts(&body["usage"]);
            }
            Self::Responses => {
                for item in items(&body["output"]) {
                    for part in items(&item["content"]) {
                        push(&part["text"], &mut heard.text);
                    }
                    if item["type"] == "function_call" {
                        heard.tools.push(call_of(&item["name"], &item["arguments"]));
                    }
                }
                heard.is_finished = matches!(body["status"].as_str(), Some("completed" | "incomplete"));
                heard.usage = counts(&body["usage"], &["input_tokens"], &["output_tokens"]);
            }
            Self::Gemini => self.hear_event(body, heard, &mut Vec::new()),
        }
    }

    fn hear_events(self, body: &[u8]) -> Heard {
        let (mut heard, mut arguments) = (Heard::default(), Vec::new());
        for event in String::from_utf8_lossy(body).replace("\r\n", "\n").split("\n\n") {
            let data: String = event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
            if let Ok(value) = serde_json::from_str::<Value>(&data) {
                self.hear_event(&value, &mut heard, &mut arguments);
            } else if data.trim() == "[DONE]" {
                heard.is_finished = true;
            }
        }
        for (name, text) in arguments {
            heard.tools.push(call_of(&name, &text.into()));
        }
        heard
    }

    fn hear_event(self, value: &Value, heard: &mut Heard, arguments: &mut Vec<(Value, String)>) {
        let kind = value["type"].as_str().unwrap_or_default();
        for place in [&value["error"]["message"], &value["response"]["error"]["message"]] {
            if let Some(message) = place.as_str() {
                heard.error = Some(message.to_owned());
            }
        }
        match (self, kind) {
            (Self::Chat, _) => {
                let delta = &value["choices"][0]["delta"];
                push(&delta["content"], &mut heard.text);
                for call in items(&delta["tool_calls"]) {
                    if call["function"]["name"].is_string() {
                        arguments.push((call["function"]["name"].clone(), String::new()));
                    }
                    push(&call["function"]["arguments"], &mut arguments.last_mut().unwrap().1);
                }
                let told = counts(&value["usage"], &["prompt_tokens"], &["completion_tokens"]);
                heard.usage = told.or(heard.usage);
            }
            (Self::Anthropic, "content_block_start") if value["content_block"]["type"] == "tool_use" => {
                arguments.push((value["content_block"]["name"].clone(), String::new()));
            }
            (Self::Anthropic, "content_block_delta") => {
                push(&value["delta"]["text"], &mut heard.text);
                if let Some((_, last)) = arguments.last_mut() {
                    push(&value["delta"]["partial_json"], last);
                }
            }
            (Self::Anthropic, "message_start") => heard.usage = anthropic_counts(&value["message"]["usage"]),
            (Self::Anthropic, "message_delta") => {
                let input = heard.usage.map(|(input, _)| input);
                let whole = anthropic_counts(&value["usage"]);
                let output = value["usage"]["output_tokens"].as_u64();
                let told_input = value["usage"]["input_tokens"].is_u64();
                heard.usage = if told_input { whole } else { input.zip(output) };
            }
            (Self::Anthropic, "message_stop") => heard.is_finished = true,
            (Self::Responses, "response.output_text.delta") => push(&value["delta"], &mut heard.text),
            (Self::Responses, "response.output_item.done") if value["item"]["type"] == "function_call" => {
                heard.tools.push(call_of(&value["item"]["name"], &value["item"]["arguments"]));
            }
            (Self::Responses, "response.completed" | "response.incomplete") => {
                heard.is_finished = true;
                heard.usage = counts(&value["response"]["usage"], &["input_tokens"], &["output_tokens"]);
            }
            (Self::Gemini, _) => {
                let candidate = &value["candidates"][0];
                for part in items(&candidate["content"]["parts"]) {
                    if part["thought"] != true {
                        push(&part["text"], &mut heard.text);
                    }
                    if part["functionCall"].is_object() {
                        let call = &part["functionCall"];
                        heard.tools.push((call["name"].as_str().unwrap().to_owned(), call["args"].clone()));
                    }
                }
                heard.is_finished |= candidate["finishReason"].is_string();
                let (input, output) = (
                    ["promptTokenCount", "toolUsePromptTokenCount"],
                    ["candidatesTokenCount", "thoughtsTokenCount"],
                );
                heard.usage = counts(&value["usageMetadata"], &input, &output).or(heard.usage);
            }
            _ => {}
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn push(value: &Value, into: &mut String) {
    into.push_str(value.as_str().unwrap_or_default());
}

fn call_of(name: &Value, arguments: &Value) -> (String, Value) {
    let text = arguments.as_str().filter(|text| !text.is_empty()).unwrap_or("{}");
    (name.as_str().unwrap().to_owned(), serde_json::from_str(text).unwrap())
}

fn counts(usage: &Value, input: &[&str], output: &[&str]) -> Option<(u64, u64)> {
    let sum = |names: &[&str]| names.iter().map(|name| usage[*name].as_u64().unwrap_or(0)).sum();
    usage.is_object().then(|| (sum(input), sum(output)))
}

fn anthropic_counts(usage: &Value) -> Option<(u64, u64)> {
    let input = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    counts(usage, &input, &["output_tokens"])
}
