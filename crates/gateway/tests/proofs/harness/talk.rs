//! A conversation as an application of each of the five dialects holds it: its own history, sent whole with every turn and
//! grown by what its SDK makes of each answer. Nothing of our codecs is used.

mod hear;
mod told;

use serde_json::{Value, json};

use super::House;
use super::http::{End, Got};

pub(crate) use told::told;

/// The fleet, called in each dialect.
pub(crate) const FIVE_VENDORS: &str = r#"
[providers.chat]
vendor = "openai"
dialect = "openai-chat"
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-chat"

[providers.openai]
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

[providers.bedrock]
dialect = "bedrock-converse"
base_url = "http://FLEET/bedrock"
api_key = "ABSK-upstream-bedrock"
"#;

/// What every application says first.
pub(crate) const SYSTEM: &str = "You are terse.";
/// The tools of every application: a name, and its one argument.
pub(crate) const TOOLS: [(&str, &str); 2] = [("weather", "city"), ("clock", "zone")];
/// The most tokens that every application wants written.
const LIMIT: u64 = 9000;
/// How much every application lets the model think, in tokens where its dialect counts them.
const BUDGET: u64 = 4000;

/// A dialect, on either side of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    Chat,
    Responses,
    Anthropic,
    Gemini,
    Bedrock,
}

/// A call of a tool, as the application got it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: Value,
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// What an application makes of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    /// What goes into the history, as the SDK keeps it.
    kept: Vec<Value>,
}

impl Tongue {
    pub(crate) const ALL: [Self; 5] =
        [Self::Chat, Self::Responses, Self::Anthropic, Self::Gemini, Self::Bedrock];

    /// Its name in receipts and documents.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chat => "openai-chat",
            Self::Responses => "openai-responses",
            Self::Anthropic => "anthropic-messages",
            Self::Gemini => "gemini-generate",
            Self::Bedrock => "bedrock-converse",
        }
    }

    /// A model of the fleet that thinks and calls tools in this dialect.
    pub(crate) const fn model(self) -> &'static str {
        match self {
            Self::Chat => "chat/gpt-5.1",
            Self::Responses => "openai/gpt-5.5",
            Self::Anthropic => "anthropic/claude-sonnet-4-5",
            Self::Gemini => "gemini/gemini-3.1-pro-preview",
            Self::Bedrock => "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        }
    }

    /// The dialect of a call that the fleet got.
    pub(crate) fn of_path(path: &str) -> Self {
        match path {
            _ if path.ends_with("/chat/completions") => Self::Chat,
            _ if path.ends_with("/responses") => Self::Responses,
            _ if path.ends_with("/messages") => Self::Anthropic,
            _ if path.contains("enerateContent") => Self::Gemini,
            _ => Self::Bedrock,
        }
    }

    /// Where a model is asked.
    pub(crate) fn path_of(self, model: &str, is_stream: bool) -> String {
        match (self, is_stream) {
            (Self::Chat, _) => "/v1/chat/completions".to_owned(),
            (Self::Responses, _) => "/v1/responses".to_owned(),
            (Self::Anthropic, _) => "/v1/messages".to_owned(),
            (Self::Gemini, false) => format!("/v1beta/models/{model}:generateContent"),
            (Self::Gemini, true) => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            (Self::Bedrock, _) => {
                let suffix = if is_stream { "-stream" } else { "" };
                format!("/model/{}/converse{suffix}", model.replace('/', "%2F").replace(':', "%3A"))
            }
        }
    }

    /// Posts a request for a model, whatever comes of it.
    pub(crate) fn post(self, house: &House, model: &str, body: &Value) -> Got {
        house.post(&self.path_of(model, false), &[], body.to_string().as_bytes())
    }

    fn tools(self) -> Value {
        let each = TOOLS.map(|(name, argument)| {
            let about = format!("Tells the {name}.");
            let schema = json!({"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]});
            match self {
                Self::Chat => json!({"type": "function", "function": {"name": name, "description": about, "parameters": schema}}),
                Self::Responses => json!({"type": "function", "name": name, "description": about, "parameters": schema, "strict": false}),
                Self::Anthropic => json!({"name": name, "description": about, "input_schema": schema}),
                Self::Gemini => json!({"name": name, "description": about, "parameters": schema}),
                Self::Bedrock => json!({"toolSpec": {"name": name, "description": about, "inputSchema": {"json": schema}}}),
            }
        });
        match self {
            Self::Gemini => json!([{"functionDeclarations": each}]),
            _ => json!(each),
        }
    }
}

/// One application's conversation.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) tongue: Tongue,
    /// The history, as the dialect writes it, without the system's text.
    pub(crate) history: Vec<Value>,
}

impl Talk {
    pub(crate) fn new(tongue: Tongue) -> Self {
        let history = match tongue {
            Tongue::Chat => vec![json!({"role": "system", "content": SYSTEM})],
            _ => Vec::new(),
        };
        Self { tongue, history }
    }

    /// The person says something.
    pub(crate) fn ask(&mut self, text: &str) {
        self.history.push(match self.tongue {
            Tongue::Gemini => json!({"role": "user", "parts": [{"text": text}]}),
            Tongue::Bedrock => json!({"role": "user", "content": [{"text": text}]}),
            _ => json!({"role": "user", "content": text}),
        });
    }

    /// The tools of the last answer give something back, each its own text.
    pub(crate) fn answer(&mut self, calls: &[Call], result: impl Fn(&Call) -> String) {
        let each = calls.iter().map(|call| {
            let (id, text) = (&call.id, result(call));
            match self.tongue {
                Tongue::Chat => json!({"role": "tool", "tool_call_id": id, "content": text}),
                Tongue::Responses => json!({"type": "function_call_output", "call_id": id, "output": text}),
                Tongue::Anthropic => json!({"type": "tool_result", "tool_use_id": id, "content": text}),
                Tongue::Gemini => {
                    let mut response = json!({"name": call.name, "response": {"output": text}});
                    if !id.is_null() {
                        response["id"] = id.clone();
                    }
                    json!({"functionResponse": response})
                }
                Tongue::Bedrock => json!({"toolResult": {"toolUseId": id, "content": [{"text": text}]}}),
            }
        });
        match self.tongue {
            Tongue::Chat | Tongue::Responses => {
                let each: Vec<Value> = each.collect();
                self.history.extend(each);
            }
            Tongue::Gemini => {
                let parts: Vec<Value> = each.collect();
                self.history.push(json!({"role": "user", "parts": parts}));
            }
            Tongue::Anthropic | Tongue::Bedrock => {
                let content: Vec<Value> = each.collect();
                self.history.push(json!({"role": "user", "content": content}));
            }
        }
    }

    /// The request that asks a model to go on.
    pub(crate) fn body(&self, model: &str, is_stream: bool) -> Value {
        let (history, tools) = (&self.history, self.tongue.tools());
        let mut body = match self.tongue {
            Tongue::Chat => {
                json!({"model": model, "messages": history, "tools": tools, "reasoning_effort": "medium", "max_completion_tokens": LIMIT})
            }
            Tongue::Responses => {
                json!({"model": model, "instructions": SYSTEM, "input": history, "tools": tools, "max_output_tokens": LIMIT, "store": false,
                    "reasoning": {"effort": "medium", "summary": "auto"}, "include": ["reasoning.encrypted_content"]})
            }
            Tongue::Anthropic => {
                json!({"model": model, "system": SYSTEM, "messages": history, "tools": tools, "max_tokens": LIMIT, "thinking": {"type": "enabled", "budget_tokens": BUDGET}})
            }
            Tongue::Gemini => {
                let thinking = json!({"includeThoughts": true, "thinkingLevel": "medium"});
                json!({"systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": history, "tools": tools,
                    "generationConfig": {"maxOutputTokens": LIMIT, "thinkingConfig": thinking}})
            }
            Tongue::Bedrock => {
                let thinking = json!({"thinking": {"type": "enabled", "budget_tokens": BUDGET}});
                json!({"system": [{"text": SYSTEM}], "messages": history, "toolConfig": {"tools": tools},
                    "inferenceConfig": {"maxTokens": LIMIT}, "additionalModelRequestFields": thinking})
            }
        };
        if is_stream && !matches!(self.tongue, Tongue::Gemini | Tongue::Bedrock) {
            body["stream"] = true.into();
        }
        body
    }

    /// Asks a model to go on, and keeps its answer.
    pub(crate) fn go_on(&mut self, house: &House, model: &str, is_stream: bool) -> (Got, Said) {
        let body = self.body(model, is_stream);
        let got = self.send(house, model, is_stream, &body);
        let said = self.tongue.hear(&got, is_stream);
        self.keep(&said);
        (got, said)
    }

    /// Keeps an answer in the history.
    pub(crate) fn keep(&mut self, said: &Said) {
        self.history.extend(said.kept.iter().cloned());
    }

    /// Sends a request, whose answer must be whole.
    pub(crate) fn send(&self, house: &House, model: &str, is_stream: bool, body: &Value) -> Got {
        let path = self.tongue.path_of(model, is_stream);
        let got = house.post(&path, &[], body.to_string().as_bytes());
        let label = format!("{} at {model}, streamed: {is_stream}", self.tongue.name());
        assert_eq!((got.status, got.end), (200, End::Whole), "{label}: {}\nfor {body}", got.text());
        got
    }
}
