//! Anthropic's errors, read and written.
//!
//! The shape is `{"type": "error", "error": {"type", "message", "details"?}, "request_id"?}`. Types by status:
//! <https://platform.claude.com/docs/en/api/errors>, looked up 2026-11-22.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use pilothouse_core::id::ExchangeId;

use crate::codec::{VendorError, kind_of_status};
use crate::dialects::body_as_message;
use crate::json::{Members, Object, as_text};

pub(super) fn decode(status: u16, body: &[u8]) -> VendorError {
    let mut error = VendorError {
        status,
        kind: Kind::Vendor,
        message: String::new(),
        dialect: Some(Dialect::AnthropicMessages),
        error_type: None,
        code: None,
        param: None,
        details: None,
    };
    let inner =
        Members::of_body(body).ok().and_then(|mut members| members.take("error")).and_then(Members::of);
    if let Some(mut members) = inner {
        let details = members.take("details");
        let code = details.and_then(Members::of).and_then(|mut details| details.take("error_code"));
        error.code = code.and_then(as_text).map(Into::into);
        error.details = details.map(Into::into);
        let mut word = |name: &str| members.take(name).and_then(as_text);
        error.message = word("message").unwrap_or_default();
        error.error_type = word("type").map(Into::into);
    }
    if error.message.is_empty() {
        error.message = body_as_message(status, body);
    }
    if error.status < 400 {
        // An error event in a stream that had begun well: the type tells what the status would have been.
        error.status = status_of_type(error.error_type.as_deref());
    }
    error.kind = match error.error_type.as_deref() {
        Some("rate_limit_error") => Kind::RateLimited,
        Some("overloaded_error") => Kind::Overloaded,
        Some("timeout_error") => Kind::Timeout,
        Some("request_too_large") => Kind::TooLarge,
        _ => kind_of_status(error.status, &error.message),
    };
    error
}

fn status_of_type(kind: Option<&str>) -> u16 {
    match kind {
        Some("invalid_request_error") => 400,
        Some("authentication_error") => 401,
        Some("billing_error") => 402,
        Some("permission_error") => 403,
        Some("not_found_error") => 404,
        Some("conflict_error") => 409,
        Some("request_too_large") => 413,
        Some("rate_limit_error") => 429,
        Some("timeout_error") => 504,
        Some("overloaded_error") => 529,
        _ => 500,
    }
}

pub(super) fn status(error: &VendorError) -> u16 {
    match (error.status, error.kind) {
        // Anthropic says 529 where others say 503; its SDKs raise OverloadedError for it.
        (503, Kind::Overloaded) => 529,
        (..400, kind) => kind.status(),
        (status, _) => status,
    }
}

pub(super) fn encode(error: &VendorError, exchange: Option<ExchangeId>) -> Vec<u8> {
    let native = error.dialect == Some(Dialect::AnthropicMessages);
    let mut out = Vec::with_capacity(160 + error.message.len());
    {
        let mut body = Object::new(&mut out);
        body.text("type", "error");
        {
            let mut members = body.object("error");
            members.text("type", error.error_type.as_deref().filter(|_| native).unwrap_or(type_of(error)));
            members.text("message", &error.message);
            match (&error.details, error.code.as_deref()) {
                (Some(details), _) if native => members.raw("details", details),
                // OpenAI's codes mean nothing to Anthropic's SDKs, ours and the vendor's own do.
                (_, Some(code)) if error.dialect.is_none() || native => {
                    members.object("details").text("error_code", code);
                }
                _ => {}
            }
        }
        if let Some(exchange) = exchange {
            body.text("request_id", &format!("req_{exchange}"));
        }
    }
    out
}

/// The type that Anthropic gives to errors of that class and status.
fn type_of(error: &VendorError) -> &'static str {
    match (error.kind, error.status) {
        (Kind::Unauthorized, _) | (Kind::Vendor, 401) => "authentication_error",
        (Kind::Vendor, 402) => "billing_error",
        (Kind::Forbidden, _) | (Kind::Vendor, 403) => "permission_error",
        (Kind::UnknownModel | Kind::NotFound | Kind::Gone, _) | (Kind::Vendor, 404) => "not_found_error",
        (Kind::Vendor, 409) => "conflict_error",
        (Kind::TooLarge, _) => "request_too_large",
        (Kind::RateLimited, _) => "rate_limit_error",
        (Kind::Overloaded, _) => "overloaded_error",
        (Kind::Timeout, _) => "timeout_error",
        (Kind::BadRequest, _) | (Kind::Vendor, 400..=499) => "invalid_request_error",
        (Kind::Cut | Kind::BadAnswer | Kind::ConnectFailed | Kind::Vendor | Kind::Internal, _) => "api_error",
    }
}
