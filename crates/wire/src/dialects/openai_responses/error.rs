//! Errors of Responses: the envelope is that of chat completions; in a stream they are events of their own, and an
//! answer that failed carries one.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;

use crate::codec::VendorError;
use crate::dialects::openai_chat::error as chat;
use crate::json::{Members, Object, write_str};

/// Reads the body of an error, an `error` event, or a response that failed.
pub(super) fn decode(status: u16, body: &[u8]) -> VendorError {
    let failed = Members::of_body(body)
        .ok()
        .and_then(|mut event| event.take("response"))
        .and_then(Members::of)
        .and_then(|mut response| response.take("error"));
    let mut error = match failed {
        Some(raw) => chat::decode(status, format!("{{\"error\":{}}}", raw.get()).as_bytes()),
        None => chat::decode(status, body),
    };
    error.dialect = Some(Dialect::OpenaiResponses);
    // The event is its own envelope, and its type says only that it is an error.
    error.error_type = error.error_type.filter(|kind| &**kind != "error" && !kind.starts_with("response."));
    if let Some(kind) = kind_of_code(error.code.as_deref()).filter(|_| error.kind == Kind::Vendor) {
        error.kind = kind;
    }
    error
}

/// What a code says that a status does not: events and failed responses come with status 200
/// (<https://github.com/openai/openai-python> 3.54, `ResponseError`, read 2026-11-23).
fn kind_of_code(code: Option<&str>) -> Option<Kind> {
    match code? {
        "vector_store_timeout" => Some(Kind::Timeout),
        "rate_limit_exceeded" => Some(Kind::RateLimited),
        _ => None,
    }
}

/// The event that ends a stream. SDKs read either the members at the top or those of `error`, so both are there.
pub(super) fn encode_event(error: &VendorError) -> Vec<u8> {
    let body = chat::encode(error);
    let members = Members::of_body(&body).ok().and_then(|mut body| body.take("error"));
    let mut out = b"event: error\ndata: ".to_vec();
    {
        let mut event = Object::new(&mut out);
        event.text("type", "error");
        let code = members
            .and_then(Members::of)
            .and_then(|mut inner| inner.take("code").or_else(|| inner.take("type")))
            .map(pilothouse_core::conversation::Raw::from);
        match &code {
            Some(code) => event.raw("code", code),
            None => event.null("code"),
        }
        event.text("message", &error.message);
        match error.param.as_deref() {
            Some(param) => write_str(event.key("param"), param),
            None => event.null("param"),
        }
        event.maybe_raw("error", members.map(pilothouse_core::conversation::Raw::from).as_ref());
        // The number of the event is not known here, and no client counts on it after an error.
        event.number("sequence_number", 0);
    }
    out.extend_from_slice(b"\n\n");
    out
}
