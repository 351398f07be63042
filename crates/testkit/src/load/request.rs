//! The request that a measurement repeats, rendered once.

/// Which wire format the client speaks. The paths and members are the providers' own:
/// <https://platform.openai.com/docs/api-reference/chat/create>, <https://docs.claude.com/en/api/messages>,
/// <https://platform.openai.com/docs/api-reference/responses/create>,
/// <https://ai.google.dev/api/generate-content> and
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>
/// (the first two read 2026-11-22, the others 2026-11-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST /v1/chat/completions`.
    OpenaiChat,
    /// `POST /v1/messages`.
    AnthropicMessages,
    /// `POST /v1/responses`.
    OpenaiResponses,
    /// `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`.
    GeminiGenerate,
    /// `POST /model/{modelId}/converse` and `/converse-stream`.
    BedrockConverse,
}

impl Dialect {
    /// Every dialect with the name that the command line has for it.
    pub const ALL: [(&'static str, Self); 5] = [
        ("openai-chat", Self::OpenaiChat),
        ("anthropic-messages", Self::AnthropicMessages),
        ("openai-responses", Self::OpenaiResponses),
        ("gemini-generate", Self::GeminiGenerate),
        ("bedrock-converse", Self::BedrockConverse),
    ];

    /// The endpoint's path. Slashes in a model's name are written `%2F` where the path names it.
    #[must_use]
    pub fn path(self, model: &str, stream: bool) -> String {
        let model = model.replace('/', "%2F");
        match (self, stream) {
            (Self::OpenaiChat, _) => "/v1/chat/completions".to_owned(),
            (Self::AnthropicMessages, _) => "/v1/messages".to_owned(),
            (Self::OpenaiResponses, _) => "/v1/responses".to_owned(),
            (Self::GeminiGenerate, false) => format!("/v1beta/models/{model}:generateContent"),
            (Self::GeminiGenerate, true) => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            (Self::BedrockConverse, false) => format!("/model/{model}/converse"),
            (Self::BedrockConverse, true) => format!("/model/{model}/converse-stream"),
        }
    }

    /// What the data of the first event with text in it contains, and of every later one.
    pub(super) fn text_marker(self) -> &'static [u8] {
        match self {
            Dialect::OpenaiChat => b"\"content\":\"",
            Dialect::AnthropicMessages => b"\"text_delta\"",
            Dialect::OpenaiResponses => b"\"response.output_text.delta\"",
            Dialect::GeminiGenerate => b"\"text\":\"",
            Dialect::BedrockConverse => b"contentBlockDelta",
        }
    }

    /// What only a complete stream contains.
    pub(super) fn terminator(self) -> &'static [u8] {
        match self {
            Dialect::OpenaiChat => b"data: [DONE]",
            Dialect::AnthropicMessages => b"\"message_stop\"",
            Dialect::OpenaiResponses => b"\"response.completed\"",
            Dialect::GeminiGenerate => b"\"finishReason\"",
            // Bedrock's last message tells the usage.
            Dialect::BedrockConverse => b"\"inputTokens\"",
        }
    }

    /// What only a complete answer that is not a stream contains.
    pub(super) fn usage_marker(self) -> &'static [u8] {
        match self {
            Dialect::GeminiGenerate => b"\"usageMetadata\"",
            _ => b"\"usage\"",
        }
    }
}

/// What each request looks like.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The client's wire format.
    pub dialect: Dialect,
    /// Path, if not the dialect's own.
    pub path: Option<String>,
    /// Model to ask for.
    pub model: String,
    /// Client credential, sent the way the dialect's SDK sends it.
    pub key: String,
    /// More header lines, each `name: value`.
    pub headers: Vec<String>,
    /// Size of the prompt's text in bytes, before escaping.
    pub prompt_bytes: usize,
    /// One character in so many is a line feed, which JSON escapes; 0 for none.
    pub escape_every: usize,
}

const WORDS: [&str; 7] = ["please ", "explain ", "how ", "a ", "pilot ", "house ", "works "];

/// The whole request: head and body.
pub(super) fn render(shape: &Shape, host: &str, stream: bool) -> Vec<u8> {
    let body = body(shape, stream);
    let path = shape.path.clone().unwrap_or_else(|| shape.dialect.path(&shape.model, stream));
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAccept: */*\r\n{}",
        credential(shape)
    );
    for line in &shape.headers {
        head.push_str(line.trim());
        head.push_str("\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    [head.into_bytes(), body.into_bytes()].concat()
}

fn credential(shape: &Shape) -> String {
    match shape.dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::BedrockConverse => {
            format!("Authorization: Bearer {}\r\n", shape.key)
        }
        Dialect::GeminiGenerate => format!("x-goog-api-key: {}\r\n", shape.key),
        Dialect::AnthropicMessages => {
            format!("x-api-key: {}\r\nanthropic-version: 2023-06-01\r\n", shape.key)
        }
    }
}

fn body(shape: &Shape, stream: bool) -> String {
    let prompt = prompt(shape.prompt_bytes, shape.escape_every);
    let model = &shape.model;
    match shape.dialect {
        Dialect::OpenaiChat => format!(
            "{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"system\",\"content\":\"You are a helpful \
             assistant.\"}},{{\"role\":\"user\",\"content\":\"{prompt}\"}}],\"stream\":{stream}}}"
        ),
        Dialect::AnthropicMessages => format!(
            "{{\"model\":\"{model}\",\"max_tokens\":4096,\"messages\":[{{\"role\":\"user\",\"content\":\
             \"{prompt}\"}}],\"stream\":{stream}}}"
        ),
        Dialect::OpenaiResponses => format!(
            "{{\"model\":\"{model}\",\"instructions\":\"You are a helpful assistant.\",\"input\":[{{\"role\":\"user\",\
             \"content\":\"{prompt}\"}}],\"stream\":{stream}}}"
        ),
        Dialect::GeminiGenerate => {
            format!("{{\"contents\":[{{\"role\":\"user\",\"parts\":[{{\"text\":\"{prompt}\"}}]}}]}}")
        }
        Dialect::BedrockConverse => {
            format!("{{\"messages\":[{{\"role\":\"user\",\"content\":[{{\"text\":\"{prompt}\"}}]}}]}}")
        }
    }
}

/// Text of the wanted length, as it stands inside a JSON string.
fn prompt(bytes: usize, escape_every: usize) -> String {
    let plain: String = WORDS.iter().cycle().flat_map(|word| word.chars()).take(bytes).collect();
    if escape_every == 0 {
        return plain;
    }
    let escaped = |(index, character)| match (index + 1) % escape_every {
        0 => "\\n".to_owned(),
        _ => String::from(character),
    };
    plain.chars().enumerate().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(dialect: Dialect) -> Shape {
        Shape {
            dialect,
            path: None,
            model: "fake".to_owned(),
            key: "k1".to_owned(),
            headers: vec!["x-extra: 1".to_owned()],
            prompt_bytes: 600,
            escape_every: 6,
        }
    }

    #[test]
    fn body_is_json_with_an_escape_every_six_characters() {
        for (name, dialect) in Dialect::ALL {
            let body: serde_json::Value = serde_json::from_str(&body(&shape(dialect), true)).unwrap();
            let place = match dialect {
                Dialect::OpenaiChat => "/messages/1/content",
                Dialect::AnthropicMessages => "/messages/0/content",
                Dialect::OpenaiResponses => "/input/0/content",
                Dialect::GeminiGenerate => "/contents/0/parts/0/text",
                Dialect::BedrockConverse => "/messages/0/content/0/text",
            };
            let text = body.pointer(place).and_then(serde_json::Value::as_str).unwrap();
            assert_eq!(text.len(), 600, "{name}");
            assert_eq!(text.matches('\n').count(), 100, "{name}");
            // The path says it in the last two.
            let is_told = !matches!(dialect, Dialect::GeminiGenerate | Dialect::BedrockConverse);
            assert_eq!(body.get("stream").is_some(), is_told, "{name}");
        }
    }

    #[test]
    fn paths_that_name_the_model_name_it_in_one_segment() {
        let path = |dialect: Dialect, stream| dialect.path("fleet/fake", stream);
        assert_eq!(path(Dialect::GeminiGenerate, false), "/v1beta/models/fleet%2Ffake:generateContent");
        assert_eq!(
            path(Dialect::GeminiGenerate, true),
            "/v1beta/models/fleet%2Ffake:streamGenerateContent?alt=sse"
        );
        assert_eq!(path(Dialect::BedrockConverse, true), "/model/fleet%2Ffake/converse-stream");
        assert_eq!(path(Dialect::OpenaiResponses, true), "/v1/responses");
    }

    #[test]
    fn head_carries_the_credential_the_way_each_sdk_does() {
        let openai = String::from_utf8(render(&shape(Dialect::OpenaiChat), "h:1", false)).unwrap();
        assert!(openai.contains("\r\nAuthorization: Bearer k1\r\n") && openai.contains("\r\nx-extra: 1\r\n"));
        let anthropic = String::from_utf8(render(&shape(Dialect::AnthropicMessages), "h:1", false)).unwrap();
        assert!(anthropic.contains("\r\nx-api-key: k1\r\n") && anthropic.starts_with("POST /v1/messages "));
        let (head, body) = openai.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
    }
}
