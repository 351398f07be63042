//! OpenAI's errors, read and written.
//!
//! The shape is `{"error": {"message", "type", "param", "code"}}`. Types and codes as the vendor gives them for
//! each status: <https://platform.openai.com/docs/guides/error-codes>, looked up 2026-11-22.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use serde_json::value::RawValue;

use crate::codec::{VendorError, kind_of_status};
use crate::dialects::body_as_message;
use crate::json::{Members, Object, as_text};

pub(in crate::dialects) fn decode(status: u16, body: &[u8]) -> VendorError {
    let mut error = VendorError {
        status,
        kind: Kind::Vendor,
        message: String::new(),
        dialect: Some(Dialect::OpenaiChat),
        error_type: None,
        code: None,
        param: None,
        details: None,
    };
    if let Ok(mut members) = Members::of_body(body) {
        match members.take("error") {
            Some(raw) => read(raw, &mut error),
            // vLLM and others put the members at the top.
            None => read_members(members, &mut error),
        }
    }
    if error.message.is_empty() {
        error.message = body_as_message(status, body);
    }
    error.kind = kind(&error);
    error
}

fn read(raw: &RawValue, error: &mut VendorError) {
    match (Members::of(raw), as_text(raw)) {
        (Some(members), _) => read_members(members, error),
        (None, Some(message)) => error.message = message,
        _ => {}
    }
}

fn read_members(mut members: Members<'_>, error: &mut VendorError) {
    // Codes are numbers with some servers.
    let mut word = |name: &str| {
        let raw = members.take(name)?;
        as_text(raw).or_else(|| raw.get().parse::<i64>().ok().map(|number| number.to_string()))
    };
    error.message = word("message").or_else(|| word("detail")).unwrap_or_default();
    error.error_type = word("type").map(Into::into);
    error.code = word("code").map(Into::into);
    error.param = word("param").map(Into::into);
}

fn kind(error: &VendorError) -> Kind {
    let by_code = match (error.code.as_deref(), error.error_type.as_deref()) {
        (Some("rate_limit_exceeded" | "insufficient_quota"), _)
        | (_, Some("insufficient_quota" | "requests" | "tokens" | "rate_limit_error")) => {
            Some(Kind::RateLimited)
        }
        (Some("server_overloaded" | "overloaded"), _) | (_, Some("overloaded_error")) => {
            Some(Kind::Overloaded)
        }
        _ => None,
    };
    by_code.unwrap_or_else(|| kind_of_status(error.status, &error.message))
}

pub(in crate::dialects) fn status(error: &VendorError) -> u16 {
    match (error.status, error.kind) {
        // 529 is Anthropic's own.
        (529, _) => 503,
        // An error event in a stream that had begun well.
        (..400, kind) => kind.status(),
        (status, _) => status,
    }
}

pub(in crate::dialects) fn encode(error: &VendorError) -> Vec<u8> {
    let native = matches!(error.dialect, Some(Dialect::OpenaiChat | Dialect::OpenaiResponses));
    let (kind, code) = names(error);
    let mut out = Vec::with_capacity(160 + error.message.len());
    {
        let mut body = Object::new(&mut out);
        let mut members = body.object("error");
        members.text("message", &error.message);
        members.text("type", error.error_type.as_deref().filter(|_| native).unwrap_or(kind));
        match error.param.as_deref() {
            Some(param) => members.text("param", param),
            None => members.null("param"),
        }
        let own = error.code.as_deref();
        match if native { own } else { own.or(code) } {
            Some(code) => members.text("code", code),
            None => members.null("code"),
        }
    }
    out
}

/// The type and code that OpenAI gives to errors of that class and status.
fn names(error: &VendorError) -> (&'static str, Option<&'static str>) {
    const INVALID: &str = "invalid_request_error";
    match (error.kind, error.status) {
        (Kind::Unauthorized, _) | (Kind::Vendor, 401) => (INVALID, Some("invalid_api_key")),
        (Kind::Forbidden, _) | (Kind::Vendor, 403) => (INVALID, Some("permission_denied")),
        (Kind::UnknownModel, _) | (Kind::Vendor, 404) => (INVALID, Some("model_not_found")),
        (Kind::Gone, _) => (INVALID, Some("model_not_found")),
        (Kind::NotFound, _) => (INVALID, Some("unknown_url")),
        (Kind::TooLarge, _) => (INVALID, Some("request_too_large")),
        (Kind::Vendor, 402) => ("insufficient_quota", Some("insufficient_quota")),
        (Kind::BadRequest, _) | (Kind::Vendor, 400..=499) => (INVALID, None),
        (Kind::RateLimited, _) => ("rate_limit_error", Some("rate_limit_exceeded")),
        (Kind::Overloaded, _) => ("server_error", Some("server_overloaded")),
        (Kind::Timeout, _) => ("server_error", Some("timeout")),
        (Kind::Cut, _) => ("server_error", Some("stream_cut")),
        (Kind::BadAnswer, _) => ("server_error", Some("bad_answer")),
        (Kind::ConnectFailed, _) => ("server_error", Some("connect_failed")),
        (Kind::Vendor | Kind::Internal, _) => ("server_error", None),
    }
}
