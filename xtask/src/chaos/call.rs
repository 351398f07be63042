//! One call of a client, and what became of it: nothing of ours reads the answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// What a client saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The answer, whole.
    Answered,
    /// A part of the answer, then an error in the client's dialect, then an unclean end.
    Told,
    /// Anything else: a promise is broken, in this way.
    Broken(String),
}

/// The dialects of the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Openai,
    Anthropic,
}

impl Client {
    const fn path(self) -> &'static str {
        match self {
            Self::Openai => "/v1/chat/completions",
            Self::Anthropic => "/v1/messages",
        }
    }

    fn body(self, route: &str, is_stream: bool, nth: usize) -> String {
        let limit = match self {
            Self::Openai => "",
            Self::Anthropic => "\"max_tokens\":1000,",
        };
        format!(
            "{{\"model\":\"{route}\",{limit}\"stream\":{is_stream},\"messages\":[{{\"role\":\"user\",\"content\":\"Call {nth}.\"}}]}}"
        )
    }

    /// What a whole stream ends with.
    const fn last_word(self) -> &'static str {
        match self {
            Self::Openai => "data: [DONE]",
            Self::Anthropic => "\"type\":\"message_stop\"",
        }
    }

    /// What tells an error within a stream.
    const fn error(self) -> &'static str {
        match self {
            Self::Openai => "data: {\"error\"",
            Self::Anthropic => "\"type\":\"error\"",
        }
    }

    /// What model output stands in.
    const fn word(self) -> &'static str {
        match self {
            Self::Openai => "\"content\":\"",
            Self::Anthropic => "text_delta",
        }
    }
}

/// Makes the nth call: every second one is a stream, and the dialects take turns.
pub(super) fn make(address: &str, route: &str, nth: usize) -> Seen {
    let client = if nth.is_multiple_of(4) { Client::Anthropic } else { Client::Openai };
    let is_stream = !nth.is_multiple_of(3);
    match sent(address, client, &client.body(route, is_stream, nth)) {
        Ok(bytes) => judge(client, is_stream, &bytes),
        Err(error) => Seen::Broken(format!("no answer: {error}")),
    }
}

fn sent(address: &str, client: Client, body: &str) -> std::io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(40)))?;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        client.path(),
        body.len()
    );
    socket.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    let mut bytes = Vec::new();
    match socket.read_to_end(&mut bytes) {
        // An unclean end may be a reset; what came before it is what the client has.
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(bytes),
    }
}

/// What a client makes of the bytes of an answer.
fn judge(client: Client, is_stream: bool, bytes: &[u8]) -> Seen {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Seen::Broken("the connection ended before an answer".to_owned());
    };
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        let line: String = body.chars().take(160).collect();
        return Seen::Broken(format!("status {status}: {line}"));
    }
    if !is_stream {
        let is_whole = serde_json::from_str::<serde_json::Value>(body.trim()).is_ok();
        return if is_whole { Seen::Answered } else { Seen::Broken("an answer that is no JSON".to_owned()) };
    }
    let is_clean = body.ends_with("0\r\n\r\n");
    let (is_whole, is_told) = (body.contains(client.last_word()), body.contains(client.error()));
    match (is_whole, is_told, is_clean) {
        (true, false, true) => Seen::Answered,
        (false, true, false) if body.contains(client.word()) => Seen::Told,
        (false, true, false) => Seen::Broken("an error in a stream before the model's first word".to_owned()),
        (false, true, true) => Seen::Broken("a stream that failed, and ended as if it were whole".to_owned()),
        (false, false, _) => Seen::Broken("a stream that was cut without a word".to_owned()),
        _ => Seen::Broken("a stream that ends twice".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(body: &str) -> Seen {
        let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}");
        judge(Client::Openai, true, answer.as_bytes())
    }

    const WORD: &str = "9\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n\r\n";

    #[test]
    fn a_stream_is_whole_only_with_its_last_word_and_a_clean_end() {
        assert_eq!(stream(&format!("{WORD}e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")), Seen::Answered);
        assert!(matches!(stream(&format!("{WORD}0\r\n\r\n")), Seen::Broken(_)));
        assert!(matches!(stream(WORD), Seen::Broken(why) if why.contains("without a word")));
    }

    #[test]
    fn a_failure_may_only_be_told_behind_the_first_word_and_with_an_unclean_end() {
        let error = "9\r\ndata: {\"error\":{\"message\":\"cut\"}}\n\n\r\n";
        assert_eq!(stream(&format!("{WORD}{error}")), Seen::Told);
        assert!(matches!(stream(error), Seen::Broken(why) if why.contains("before the model's first word")));
        assert!(
            matches!(stream(&format!("{WORD}{error}0\r\n\r\n")), Seen::Broken(why) if why.contains("as if it were whole"))
        );
    }

    #[test]
    fn a_refusal_breaks_the_promise_and_says_which() {
        let refused = b"HTTP/1.1 503 Service Unavailable\r\n\r\n{\"error\":1}";
        assert_eq!(
            judge(Client::Openai, true, refused),
            Seen::Broken("status 503: {\"error\":1}".to_owned())
        );
    }
}
