//! Reads answers as an SDK of the client's dialect would, with nothing of our own codecs.

use serde_json::Value;

use super::http::Got;

/// The two dialects that clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Openai,
    Anthropic,
}

impl Client {
    pub(crate) const ALL: [Self; 2] = [Self::Openai, Self::Anthropic];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Openai => "/v1/chat/completions",
            Self::Anthropic => "/v1/messages",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai-chat",
            Self::Anthropic => "anthropic-messages",
        }
    }

    /// The vendor of the other dialect or of the same one.
    pub(crate) const fn vendor(self, is_same: bool) -> &'static str {
        match (self, is_same) {
            (Self::Openai, true) | (Self::Anthropic, false) => "openai",
            _ => "anthropic",
        }
    }

    /// A question to a model.
    pub(crate) fn ask(self, model: &str, text: &str, is_stream: bool) -> Value {
        let mut body = serde_json::json!({"model": model, "messages": [{"role": "user", "content": text}]});
        if self == Self::Anthropic {
            body["max_tokens"] = 2000.into();
        }
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
        if read.error.is_some() || read.is_terminated {
            read.after_end += 1;
        }
        let data = data.join("\n");
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
        }
    }
    read.tools = arguments.iter().map(|(name, arguments)| tool(name, Some(arguments))).collect();
    read
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
        let word = |name: &str| error[name].as_str().unwrap_or("-").to_owned();
        read.error = Some((word("type"), word("message")));
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
