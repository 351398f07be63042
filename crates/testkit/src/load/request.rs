//! The request that a measurement repeats, rendered once.

/// Which wire format the client speaks. The paths and members are the providers' own:
/// <https://platform.openai.com/docs/api-reference/chat/create> and <https://docs.claude.com/en/api/messages>
/// (both read 2026-11-22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST /v1/chat/completions`.
    OpenaiChat,
    /// `POST /v1/messages`.
    AnthropicMessages,
}

impl Dialect {
    /// The endpoint's path.
    pub fn path(self) -> &'static str {
        match self {
            Dialect::OpenaiChat => "/v1/chat/completions",
            Dialect::AnthropicMessages => "/v1/messages",
        }
    }

    /// What the data of the first event with text in it contains, and of every later one.
    pub(super) fn text_marker(self) -> &'static [u8] {
        match self {
            Dialect::OpenaiChat => b"\"content\":\"",
            Dialect::AnthropicMessages => b"\"text_delta\"",
        }
    }

    /// What only a complete stream contains.
    pub(super) fn terminator(self) -> &'static [u8] {
        match self {
            Dialect::OpenaiChat => b"data: [DONE]",
            Dialect::AnthropicMessages => b"\"message_stop\"",
        }
    }

    /// What only a complete answer that is not a stream contains.
    pub(super) fn usage_marker(self) -> &'static [u8] {
        b"\"usage\""
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
    let path = shape.path.as_deref().unwrap_or(shape.dialect.path());
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
        Dialect::OpenaiChat => format!("Authorization: Bearer {}\r\n", shape.key),
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
        for dialect in [Dialect::OpenaiChat, Dialect::AnthropicMessages] {
            let body: serde_json::Value = serde_json::from_str(&body(&shape(dialect), true)).unwrap();
            let text = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
            assert_eq!(text.len(), 600);
            assert_eq!(text.matches('\n').count(), 100);
            assert_eq!(body["stream"], true);
        }
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
