//! Google's errors, read and written.
//!
//! The shape is `{"error": {"code", "message", "status", "details"?}}`; where a stream was asked for without
//! `alt=sse` it stands in an array. Words by status: <https://google.aip.dev/193> and
//! <https://ai.google.dev/gemini-api/docs/troubleshooting>, looked up 2026-11-23.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use serde_json::value::RawValue;

use crate::codec::{VendorError, kind_of_status};
use crate::dialects::body_as_message;
use crate::facts::gemini_generate::kind_of;
use crate::json::{Members, Object, Path, as_text, items, reread};

/// The reason that Google gives for a wrong key, under status 400.
const WRONG_KEY: &str = "API_KEY_INVALID";

pub(super) fn decode(status: u16, body: &[u8]) -> VendorError {
    let mut error = VendorError {
        status,
        kind: Kind::Vendor,
        message: String::new(),
        dialect: Some(Dialect::GeminiGenerate),
        error_type: None,
        code: None,
        param: None,
        details: None,
    };
    if let Some(mut members) = inner(body) {
        let details = members.take("details");
        error.code = details.and_then(|list| find(list, "reason")).map(Into::into);
        error.param = details.and_then(|list| find_violation(list, "field")).map(Into::into);
        error.details = details.map(Into::into);
        let told =
            members.count("code", &Path::Root).ok().flatten().and_then(|code| u16::try_from(code).ok());
        let mut word = |name: &str| members.take(name).and_then(as_text);
        error.message = word("message").unwrap_or_default();
        error.error_type = word("status").map(Into::into);
        if error.status < 400 {
            // An error in a stream that had begun well: it tells what the status would have been.
            let named = error.error_type.as_deref().and_then(status_of_word);
            error.status = told.filter(|code| (400..600).contains(code)).or(named).unwrap_or(500);
        }
    }
    if error.message.is_empty() {
        error.message = body_as_message(status, body);
    }
    if error.status < 400 {
        error.status = 500;
    }
    if error.code.as_deref() == Some(WRONG_KEY) {
        // Google says 400 to a wrong key; every SDK but its own expects 401.
        error.status = 401;
    }
    error.kind = match kind_of(error.error_type.as_deref()) {
        Kind::Vendor => kind_of_status(error.status, &error.message),
        known => known,
    };
    error
}

/// The members of `error`, in an object or in the first item of an array.
fn inner(body: &[u8]) -> Option<Members<'_>> {
    let whole: &RawValue = serde_json::from_slice(body).ok()?;
    let object = if whole.get().starts_with('[') { *items(whole, &Path::Root).ok()?.first()? } else { whole };
    Members::of(Members::of(object)?.take("error")?)
}

/// The first detail with a text member of that name.
fn find(details: &RawValue, name: &str) -> Option<String> {
    let list = items(details, &Path::Root).ok()?;
    list.into_iter().find_map(|detail| Members::of(detail)?.take(name).and_then(as_text))
}

/// A member of the first violation of a field.
fn find_violation(details: &RawValue, name: &str) -> Option<String> {
    let list = items(details, &Path::Root).ok()?;
    list.into_iter().find_map(|detail| {
        let violations = Members::of(detail)?.take("fieldViolations")?;
        find(violations, name)
    })
}

/// How long Google asks a caller to wait, in milliseconds: it says so in the body (`RetryInfo.retryDelay`, `"34s"`
/// or `"0.5s"`) and not in a header. `None` where it does not say.
#[must_use]
pub fn retry_delay_ms(error: &VendorError) -> Option<u64> {
    let delay = find(reread(error.details.as_ref()?)?, "retryDelay")?;
    let (seconds, fraction) = match delay.strip_suffix('s')?.split_once('.') {
        Some((seconds, fraction)) => (seconds.to_owned(), fraction.to_owned()),
        None => (delay.strip_suffix('s')?.to_owned(), String::new()),
    };
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let seconds: u64 = seconds.parse().ok()?;
    seconds.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)
}

fn status_of_word(word: &str) -> Option<u16> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ABORTED" | "ALREADY_EXISTS" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => 500,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}

/// Google's word for an error of that class and status.
fn word_of(error: &VendorError, status: u16) -> &'static str {
    match (error.kind, status) {
        (Kind::RateLimited, _) | (_, 429) => "RESOURCE_EXHAUSTED",
        (Kind::Overloaded, _) | (_, 502 | 503 | 529) => "UNAVAILABLE",
        (Kind::Timeout, _) | (_, 408 | 504) => "DEADLINE_EXCEEDED",
        (_, 401) => "UNAUTHENTICATED",
        (_, 402 | 403) => "PERMISSION_DENIED",
        (_, 404 | 410) => "NOT_FOUND",
        (_, 409) => "ABORTED",
        (_, 499) => "CANCELLED",
        (_, 501) => "UNIMPLEMENTED",
        (_, 400..=498) => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

/// The status that Google gives such an error.
pub(super) fn status(error: &VendorError) -> u16 {
    let native = error.dialect == Some(Dialect::GeminiGenerate);
    if native && error.status == 401 && error.code.as_deref() == Some(WRONG_KEY) {
        return 400;
    }
    match (error.status, error.kind) {
        // Anthropic's own; Google says 503.
        (529, _) => 503,
        (..400, kind) => kind.status(),
        (status, _) => status,
    }
}

pub(super) fn encode(error: &VendorError) -> Vec<u8> {
    let native = error.dialect == Some(Dialect::GeminiGenerate);
    let status = status(error);
    let word = error.error_type.as_deref().filter(|_| native).unwrap_or_else(|| word_of(error, status));
    let mut out = Vec::with_capacity(120 + error.message.len());
    {
        let mut body = Object::new(&mut out);
        let mut members = body.object("error");
        members.number("code", status);
        members.text("message", &error.message);
        members.text("status", word);
        match (&error.details, error.param.as_deref()) {
            (Some(details), _) if native => members.raw("details", details),
            (_, Some(param)) => write_violation(members.key("details"), param, &error.message),
            _ => {}
        }
    }
    out
}

/// Says which member of the request is wrong, as Google does.
fn write_violation(out: &mut Vec<u8>, param: &str, message: &str) {
    let mut list = crate::json::Array::new(out);
    let mut detail = list.object();
    detail.text("@type", "type.googleapis.com/google.rpc.BadRequest");
    let mut violations = detail.array("fieldViolations");
    let mut violation = violations.object();
    violation.text("field", param);
    violation.text("description", message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_that_google_asks_for_is_read_from_the_body() {
        let error = |delay: &str| {
            let body = format!(
                r#"[{{"error":{{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{{"@type":"x"}},{{"retryDelay":"{delay}"}}]}}}}]"#
            );
            decode(429, body.as_bytes())
        };
        assert_eq!(retry_delay_ms(&error("34s")), Some(34_000));
        assert_eq!(retry_delay_ms(&error("0.25s")), Some(250));
        assert_eq!(retry_delay_ms(&error("34.074824224s")), Some(34_074));
        for odd in ["", "s", "-1s", "1.xs", "99999999999999999999s", "3m"] {
            assert_eq!(retry_delay_ms(&error(odd)), None, "{odd}");
        }
        assert_eq!(error("34s").kind, Kind::RateLimited);
    }

    #[test]
    fn a_wrong_key_is_401_to_others_and_400_to_geminis_own_clients() {
        let body = br#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
        let error = decode(400, body);
        assert_eq!((error.status, status(&error)), (401, 400));
        let back: serde_json::Value = serde_json::from_slice(&encode(&error)).unwrap();
        assert_eq!(back, serde_json::from_slice::<serde_json::Value>(body).unwrap());
    }

    #[test]
    fn an_error_in_a_stream_tells_what_its_status_would_have_been() {
        let error = decode(200, br#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#);
        assert_eq!((error.status, error.kind), (503, Kind::Overloaded));
        assert_eq!(decode(200, br#"{"error":{"status":"NOT_FOUND","message":"m"}}"#).status, 404);
        assert_eq!(decode(200, b"{}").status, 500);
    }
}
