//! Wire formats: what faults and load answers must know of the form that an answer has.

use crate::answer::Answer;
use crate::bedrock::{self, Operation};
use crate::door::Endpoint;
use crate::gemini::{self, Method};
use crate::models::Vendor;
use bytes::Bytes;
use serde_json::{Value, json};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    Chat,
    Responses,
    Messages,
    /// Google's whole answers and server-sent events.
    Gemini,
    /// Google's other stream: the items of one JSON list.
    GeminiList,
    /// Bedrock's whole answers and event streams.
    Converse,
}

impl Dialect {
    /// The form that an endpoint of a vendor answers in.
    pub(crate) fn of(vendor: Vendor, endpoint: &Endpoint) -> Dialect {
        match (vendor, endpoint) {
            (Vendor::OpenAi | Vendor::Azure, Endpoint::Responses | Endpoint::InputTokens) => {
                Dialect::Responses
            }
            (Vendor::OpenAi | Vendor::Azure, _) => Dialect::Chat,
            (Vendor::Anthropic, _) | (Vendor::Vertex, Endpoint::RawPredict(_)) => Dialect::Messages,
            (Vendor::Gemini | Vendor::Vertex, Endpoint::Gemini(Method::Stream { is_sse: false }, _)) => {
                Dialect::GeminiList
            }
            (Vendor::Gemini | Vendor::Vertex, _) => Dialect::Gemini,
            (Vendor::Bedrock, Endpoint::Messages | Endpoint::CountTokens) => Dialect::Messages,
            (Vendor::Bedrock, Endpoint::Chat) => Dialect::Chat,
            (Vendor::Bedrock, _) => Dialect::Converse,
        }
    }

    /// Whether a call asks for a stream: in its path at Google and Amazon, in its body elsewhere.
    pub(crate) fn streams(self, endpoint: &Endpoint, request: &Value) -> bool {
        match self {
            Dialect::Gemini | Dialect::GeminiList => {
                matches!(endpoint, Endpoint::Gemini(Method::Stream { .. }, _))
            }
            Dialect::Converse => matches!(endpoint, Endpoint::Bedrock(Operation::ConverseStream, _)),
            _ => request.get("stream") == Some(&json!(true)),
        }
    }

    /// An error as it answers this form: Google puts it into the list that the answer would have been.
    pub(crate) fn error(self, answer: Answer) -> Answer {
        if self != Dialect::GeminiList || answer.content_type != gemini::JSON {
            return answer;
        }
        let whole = [b"[", answer.frames.concat().as_slice(), b"]\n"].concat();
        Answer { frames: vec![Bytes::from(whole)], ..answer }
    }

    /// What ends an event.
    pub(crate) fn event_end(self) -> &'static [u8] {
        match self {
            Dialect::GeminiList | Dialect::Converse => b"",
            Dialect::Gemini => b"\r\n\r\n",
            _ => b"\n\n",
        }
    }

    /// Events that tell of an error after `sent`, the frames so far; `opening` is the stream's first frame.
    pub(crate) fn error_events(self, sent: usize, opening: Option<&Bytes>) -> Vec<Bytes> {
        match self {
            Dialect::Chat => vec![Bytes::from_static(b"data: {\"error\":{\"message\":\"The server had an error while processing your request. Sorry about that!\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n")],
            Dialect::Responses => failed(sent, opening),
            Dialect::Gemini => vec![Bytes::from(format!("data: {}\r\n\r\n", unavailable()))],
            Dialect::GeminiList => {
                let opening = if sent == 0 { "[" } else { ",\r\n" };
                vec![Bytes::from(format!("{opening}{:#}\n", unavailable())), Bytes::from_static(b"]\n")]
            }
            Dialect::Converse => {
                let (kind, payload) = bedrock::error::in_stream();
                vec![bedrock::frames::exception(kind, &payload)]
            }
            Dialect::Messages => vec![Bytes::from_static(b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n")],
        }
    }

    /// What stands before the text in a body or an event, the likeliest first.
    pub(crate) fn text_keys(self) -> &'static [&'static [u8]] {
        match self {
            Dialect::Chat => &[b"\"content\":\""],
            Dialect::Responses => &[b"\"delta\":\"", b"\"text\":\""],
            Dialect::Messages | Dialect::Converse => &[b"\"text\":\""],
            Dialect::Gemini | Dialect::GeminiList => &[b"\"text\":\"", b"\"text\": \""],
        }
    }
}

/// The frame with what it carries made anew: all of it where frames are plain text, the payload of Amazon's.
pub(crate) fn with_payload(
    dialect: Dialect,
    is_stream: bool,
    frame: &Bytes,
    make: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Bytes {
    if dialect == Dialect::Converse && is_stream {
        return bedrock::frames::with_payload(frame, make);
    }
    Bytes::from(make(frame))
}

/// Google's error when it breaks down.
fn unavailable() -> Value {
    gemini::error::Refusal::fault(503, None, "").body()
}

/// An error, and the response as failed, as the provider sends both. The error stands in a member of its own, unlike in the
/// published document: <https://github.com/openai/openai-dotnet/issues/881>, read 2026-11-23.
fn failed(sent: usize, opening: Option<&Bytes>) -> Vec<Bytes> {
    let message = "An error occurred while processing your request. You can retry your request, or contact us through our help center at help.openai.com if the error persists.";
    let inner = json!({ "type": "server_error", "code": "server_error", "message": message, "param": null });
    let error = json!({ "type": "error", "sequence_number": sent, "error": inner });
    let opening = opening.and_then(|f| f.split(|b| *b == b'\n').find_map(|l| l.strip_prefix(b"data: ")));
    let first: Value = opening.and_then(|data| serde_json::from_slice(data).ok()).unwrap_or_default();
    let mut response = first["response"].clone();
    response["status"] = json!("failed");
    response["error"] = json!({ "code": "server_error", "message": message });
    let failed = json!({ "type": "response.failed", "sequence_number": sent + 1, "response": response });
    vec![
        Bytes::from(format!("event: error\ndata: {error}\n\n")),
        Bytes::from(format!("event: response.failed\ndata: {failed}\n\n")),
    ]
}
