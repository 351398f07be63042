//! Wire formats: what faults and load answers must know of the form that an answer has.

use crate::door::Endpoint;
use crate::models::Vendor;
use bytes::Bytes;
use serde_json::{Value, json};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    Chat,
    Responses,
    Messages,
}

impl Dialect {
    /// The form that an endpoint of a vendor answers in.
    pub(crate) fn of(vendor: Vendor, endpoint: &Endpoint) -> Dialect {
        match (vendor, endpoint) {
            (Vendor::OpenAi, Endpoint::Responses | Endpoint::InputTokens) => Dialect::Responses,
            (Vendor::OpenAi, _) => Dialect::Chat,
            (Vendor::Anthropic, _) => Dialect::Messages,
        }
    }

    /// Whether the request asks for a stream.
    pub(crate) fn streams(self, request: &Value) -> bool {
        request.get("stream") == Some(&json!(true))
    }

    /// Events that tell of an error after `sent`, the frames so far; `opening` is the stream's first frame.
    pub(crate) fn error_events(self, sent: usize, opening: Option<&Bytes>) -> Vec<Bytes> {
        match self {
            Dialect::Chat => vec![Bytes::from_static(b"data: {\"error\":{\"message\":\"The server had an error while processing your request. Sorry about that!\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n")],
            Dialect::Responses => failed(sent, opening),
            Dialect::Messages => vec![Bytes::from_static(b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n")],
        }
    }

    /// What stands before the text in a body or an event, the likeliest first.
    pub(crate) fn text_keys(self) -> &'static [&'static [u8]] {
        match self {
            Dialect::Chat => &[b"\"content\":\""],
            Dialect::Responses => &[b"\"delta\":\"", b"\"text\":\""],
            Dialect::Messages => &[b"\"text\":\""],
        }
    }
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
