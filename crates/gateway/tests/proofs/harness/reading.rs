//! Reads answers as an SDK of the client's dialect would, with nothing of our own codecs.

use serde_json::{Value, json};

use super::http::Got;

/// The dialects that clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Openai,
    Anthropic,
    Responses,
    Gemini,
}

impl Client {
    /// Those whose path names no model.
    pub(crate) const ALL: [Self; 2] = [Self::Openai, Self::Anthropic];
    /// Every one.
    pub(crate) const FOUR: [Self; 4] = [Self::Openai, Self::Anthropic, Self::Responses, Self::Gemini];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Openai => "/v1/chat/completions",
            Self::Anthropic => "/v1/messages",
            Self::Responses => "/v1/responses",
            Self::Gemini => "/v1beta/models",
        }
    }

    /// The path of a call to a model, which Google's dialect names there.
    pub(crate) fn path_to(self, model: &str, is_stream: bool) -> String {
        match (self, is_stream) {
            (Self::Gemini, true) => format!("{}/{model}:streamGenerateContent?alt=sse", self.path()),
            (Self::Gemini, false) => format!("{}/{model}:generateContent", self.path()),
            _ => self.path().to_owned(),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai-chat",
            Self::Anthropic => "anthropic-messages",
            Self::Responses => "openai-responses",
            Self::Gemini => "gemini-generate",
        }
    }

    /// The vendor of another dialect or of the same one.
    pub(crate) const fn vendor(self, is_same: bool) -> &'static str {
        match (self, is_same) {
            (Self::Openai, true) | (Self::Anthropic, false) => "openai",
            (Self::Anthropic, true) | (Self::Openai, false) => "anthropic",
            (Self::Responses, true) | (Self::Gemini, false) => "responses",
            (Self::Gemini, true) | (Self::Responses, false) => "gemini",
        }
    }

    /// A question to a model.
    pub(crate) fn ask(self, model: &str, text: &str, is_stream: bool) -> Value {
        let turns = json!([{"role": "user", "content": text}]);
        let mut body = match self {
            Self::Openai => json!({"model": model, "messages": turns}),
            Self::Anthropic => json!({"model": model, "messages": turns, "max_tokens": 2000}),
            Self::Responses => json!({"model": model, "input": turns}),
            Self::Gemini => return json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        };
        if is_stream {
            body["stream"] = true.into();
        }
        body
    }
}

/// What a client makes of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Read {
    pub(crate) text: String,
    pub(crate) refusal: String,
    pub(crate) thinking: String,
    /// Name and parsed arguments of each call.
    pub(crate) tools: Vec<(String, Value)>,
    pub(crate) finish: Option<String>,
    /// Input and output tokens as told to the client.
    pub(crate) usage: Option<(u64, u64)>,
    /// Type and message of an error.
    pub(crate) error: Option<(String, String)>,
    /// The stream said that it was over.
    pub(crate) is_terminated: bool,
    /// Events whose data is not JSON.
    pub(crate) unreadable: usize,
    /// Errors after anything, or anything after an error or the terminator.
    pub(crate) after_end: usize,
}

/// Reads an answer that is no stream.
pub(crate) fn whole(client: Client, got: &Got) -> Read {
    let mut read = Read::default();
    let Ok(body) = serde_json::from_slice::<Value>(&got.body) else {
        read.unreadable = 1;
        return read;
    };
    error(&body, &mut read);
    match client {
        Client::Openai => {
            let choice = &body["choices"][0];
            let message = &choice["message"];
            text(&message["content"], &mut read.text);
            text(&message["refusal"], &mut read.refusal);
            read.finish = choice["finish_reason"].as_str().map(str::to_owned);
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                read.tools.push(tool(&call["function"]["name"], call["function"]["arguments"].as_str()));
            }
            openai_usage(&body["usage"], &mut read);
        }
        Client::Anthropic => {
            for block in body["content"].as_array().into_iter().flatten() {
                text(&block["text"], &mut read.text);
                text(&block["thinking"], &mut read.thinking);
                if block["type"] == "tool_use" {
                    let input = block["input"].to_string();
                    read.tools.push(tool(&block["name"], Some(&input)));
                }
            }
            read.finish = body["stop_reason"].as_str().map(str::to_owned);
            let count = |name: &str| body["usage"][name].as_u64();
            read.usage = count("input_tokens").zip(count("output_tokens"));
        }
        Client::Responses => responses_whole(&body, &mut read),
        Client::Gemini => gemini_chunk(&body, &mut read),
    }
    read
}

/// Reads a stream.
pub(crate) fn stream(client: Client, body: &[u8]) -> Read {
    let mut read = Read::default();
    let mut arguments: Vec<(Value, String)> = Vec::new();
    let body = String::from_utf8_lossy(body).replace("\r\n", "\n");
    for event in body.split("\n\n") {
        let data: Vec<&str> =
            event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
        if data.is_empty() {
            continue;
        }
        let data = data.join("\n");
        // OpenAI tells an error twice: as an event, and as the response that failed of it.
        let is_told_again = data.contains("\"type\":\"response.failed\"");
        if (read.error.is_some() && !is_told_again) || read.is_terminated {
            read.after_end += 1;
        }
        if data == "[DONE]" {
            read.is_terminated = true;
            continue;
        }
        let Ok(value) = serde_json::from_str::<Value>(&data) else {
            read.unreadable += 1;
            continue;
        };
        error(&value, &mut read);
        match client {
            Client::Openai => openai_chunk(&value, &mut read, &mut arguments),
            Client::Anthropic => anthropic_event(&value, &mut read, &mut arguments),
            Client::Responses => responses_event(&value, &mut read),
            Client::Gemini => gemini_chunk(&value, &mut read),
        }
    }
    if client == Client::Gemini {
        read.is_terminated = read.finish.is_some() && read.error.is_none();
    }
    let streamed = arguments.iter().map(|(name, arguments)| tool(name, Some(arguments)));
    read.tools.extend(streamed);
    read
}

/// A response as it ended; of one that failed, the error.
fn responses_whole(response: &Value, read: &mut Read) {
    for item in response["output"].as_array().into_iter().flatten() {
        for part in item["content"].as_array().into_iter().flatten() {
            text(&part["text"], &mut read.text);
            text(&part["refusal"], &mut read.refusal);
        }
        if item["type"] == "function_call" {
            read.tools.push(tool(&item["name"], item["arguments"].as_str()));
        }
    }
    let reason = response["incomplete_details"]["reason"].as_str().or(response["status"].as_str());
    read.finish = reason.map(str::to_owned);
    let count = |name: &str| response["usage"][name].as_u64();
    read.usage = count("input_tokens").zip(count("output_tokens"));
}

fn responses_event(value: &Value, read: &mut Read) {
    match value["type"].as_str().unwrap_or_default() {
        "response.output_text.delta" => text(&value["delta"], &mut read.text),
        "response.refusal.delta" => text(&value["delta"], &mut read.refusal),
        "response.completed" | "response.incomplete" => {
            // The last event says everything again.
            let streamed = std::mem::take(read);
            responses_whole(&value["response"], read);
            read.text = streamed.text;
            read.refusal = streamed.refusal;
            read.unreadable = streamed.unreadable;
            read.is_terminated = true;
        }
        "response.failed" => error(&value["response"], read),
        // The members stand beside the type here.
        "error" if value["message"].is_string() => error(&json!({"error": value}), read),
        _ => {}
    }
}

/// One chunk of Google's, or the whole answer, which looks the same. A stream is over when it ends, and it told why it did.
fn gemini_chunk(value: &Value, read: &mut Read) {
    let candidate = &value["candidates"][0];
    for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
        text(&part["text"], if part["thought"] == true { &mut read.thinking } else { &mut read.text });
        if part["functionCall"].is_object() {
            let arguments = part["functionCall"]["args"].to_string();
            read.tools.push(tool(&part["functionCall"]["name"], Some(&arguments)));
        }
    }
    // A question that was refused has no candidate, and the reason elsewhere.
    let blocked = value["promptFeedback"]["blockReason"].as_str();
    if let Some(finish) = candidate["finishReason"].as_str().or(blocked) {
        read.finish = Some(finish.to_owned());
    }
    let count = |name: &str| value["usageMetadata"][name].as_u64();
    if let Some(input) = count("promptTokenCount") {
        let output = count("candidatesTokenCount").unwrap_or(0) + count("thoughtsTokenCount").unwrap_or(0);
        read.usage = Some((input, output));
    }
}

fn openai_chunk(value: &Value, read: &mut Read, arguments: &mut Vec<(Value, String)>) {
    openai_usage(&value["usage"], read);
    let choice = &value["choices"][0];
    let delta = &choice["delta"];
    text(&delta["content"], &mut read.text);
    text(&delta["refusal"], &mut read.refusal);
    if let Some(finish) = choice["finish_reason"].as_str() {
        read.finish = Some(finish.to_owned());
    }
    for call in delta["tool_calls"].as_array().into_iter().flatten() {
        let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
        if arguments.len() <= index {
            arguments.resize(index + 1, (Value::Null, String::new()));
        }
        if call["function"]["name"].is_string() {
            arguments[index].0 = call["function"]["name"].clone();
        }
        text(&call["function"]["arguments"], &mut arguments[index].1);
    }
}

fn anthropic_event(value: &Value, read: &mut Read, arguments: &mut Vec<(Value, String)>) {
    match value["type"].as_str().unwrap_or_default() {
        "message_start" => {
            let count = |name: &str| value["message"]["usage"][name].as_u64();
            read.usage = count("input_tokens").zip(count("output_tokens"));
        }
        "content_block_start" if value["content_block"]["type"] == "tool_use" => {
            arguments.push((value["content_block"]["name"].clone(), String::new()));
        }
        "content_block_delta" => {
            text(&value["delta"]["text"], &mut read.text);
            text(&value["delta"]["thinking"], &mut read.thinking);
            if let Some((_, last)) = arguments.last_mut() {
                text(&value["delta"]["partial_json"], last);
            }
        }
        "message_delta" => {
            read.finish = value["delta"]["stop_reason"].as_str().map(str::to_owned);
            let count = |name: &str| value["usage"][name].as_u64();
            if let Some(output) = count("output_tokens") {
                let input = count("input_tokens").or(read.usage.map(|(input, _)| input));
                read.usage = input.map(|input| (input, output));
            }
        }
        "message_stop" => read.is_terminated = true,
        _ => {}
    }
}

fn openai_usage(usage: &Value, read: &mut Read) {
    let count = |name: &str| usage[name].as_u64();
    if let Some(counts) = count("prompt_tokens").zip(count("completion_tokens")) {
        read.usage = Some(counts);
    }
}

fn error(value: &Value, read: &mut Read) {
    let error = &value["error"];
    if error.is_object() {
        let word = |name: &str| error[name].as_str().map(str::to_owned);
        // Google's errors have a status; in a response that failed there is a code.
        let kind = word("type").filter(|kind| kind != "error").or(word("status")).or(word("code"));
        read.error = Some((kind.unwrap_or("-".into()), word("message").unwrap_or("-".into())));
    }
}

fn text(value: &Value, into: &mut String) {
    into.push_str(value.as_str().unwrap_or_default());
}

fn tool(name: &Value, arguments: Option<&str>) -> (String, Value) {
    let arguments = arguments.filter(|text| !text.is_empty()).unwrap_or("{}");
    let parsed = serde_json::from_str(arguments).unwrap_or_else(|_| Value::String(arguments.to_owned()));
    (name.as_str().unwrap_or_default().to_owned(), parsed)
}
