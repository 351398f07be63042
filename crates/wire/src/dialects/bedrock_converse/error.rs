//! Bedrock's errors, read and written.
//!
//! The body is `{"message"}`; the name of the error stands in the header `x-amzn-ErrorType`, which SDKs read, and may
//! stand in the body's `__type` as well. In a stream, an exception is a message of its own. Names and statuses: the
//! service model `bedrock-runtime`; how they are read: `parsers.py`, both of <https://github.com/boto/botocore> 1.44,
//! 2026-11-23.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;

use crate::codec::{VendorError, kind_of_status};
use crate::dialects::body_as_message;
use crate::facts::bedrock_converse::kind_of;
use crate::json::{Members, Object, as_text};

pub(super) fn decode(status: u16, body: &[u8]) -> VendorError {
    read(status, None, body)
}

/// The status of a model that failed (`ModelErrorException`).
const FAILED_MODEL: u16 = 424;

/// Reads an exception in a stream.
pub(super) fn decode_exception(name: &str, data: &[u8]) -> VendorError {
    read(200, Some(name), data)
}

fn read(told_status: u16, name: Option<&str>, body: &[u8]) -> VendorError {
    let status = told_status;
    let mut members = Members::of_body(body).unwrap_or_default();
    let mut word = |name: &str| members.take(name).and_then(as_text).filter(|text| !text.is_empty());
    let told = word("__type").or_else(|| word("code"));
    let error_type: Option<Box<str>> = name.or(told.as_deref()).map(|name| bare(name).into());
    let message = ["message", "Message", "originalMessage"].into_iter().find_map(&mut word);
    // A model that failed is the vendor's fault, though AWS counts 424 among the caller's.
    let status = match if status < 400 { status_of_name(error_type.as_deref()) } else { status } {
        FAILED_MODEL => 502,
        status => status,
    };
    let error_type =
        error_type.or_else(|| (told_status == FAILED_MODEL).then(|| "ModelErrorException".into()));
    let message = message.unwrap_or_else(|| match name {
        Some(name) => format!("the vendor's stream failed with `{name}`"),
        None => body_as_message(status, body),
    });
    let kind = match error_type.as_deref() {
        Some(name) if name.starts_with("ModelTimeout") => Kind::Timeout,
        Some(name) if name.starts_with("ServiceUnavailable") || name.starts_with("ModelNotReady") => {
            Kind::Overloaded
        }
        Some(name) if name.starts_with("Throttling") => Kind::RateLimited,
        Some(name) if kind_of(name) != Kind::Vendor => kind_of(name),
        _ => kind_of_status(status, &message),
    };
    VendorError {
        status,
        kind,
        message,
        dialect: Some(Dialect::BedrockConverse),
        error_type,
        code: None,
        param: None,
        details: None,
    }
}

/// A name without its namespace and address: `com.amazon#AccessDeniedException:http://…`.
fn bare(name: &str) -> &str {
    let name = name.rsplit_once('#').map_or(name, |(_, name)| name);
    name.split(':').next().filter(|name| !name.is_empty()).unwrap_or(name)
}

fn status_of_name(name: Option<&str>) -> u16 {
    match name.unwrap_or_default() {
        "validationException" | "ValidationException" => 400,
        "accessDeniedException" | "AccessDeniedException" => 403,
        "resourceNotFoundException" | "ResourceNotFoundException" => 404,
        "modelTimeoutException" | "ModelTimeoutException" => 408,
        "modelStreamErrorException" | "modelErrorException" | "ModelErrorException" => FAILED_MODEL,
        "throttlingException" | "ThrottlingException" => 429,
        "serviceUnavailableException" | "ServiceUnavailableException" => 503,
        _ => 500,
    }
}

pub(super) fn status(error: &VendorError) -> u16 {
    if error.status == 502 && error.dialect == Some(Dialect::BedrockConverse) {
        return status_of_name(error.error_type.as_deref());
    }
    match (error.status, error.kind) {
        (529, _) => 503,
        // AWS knows no 401: who has no key is denied access.
        (401, _) | (_, Kind::Unauthorized) => 403,
        (status, _) if status >= 400 => status,
        (_, kind) => kind.status(),
    }
}

/// The name of an error, for the header `x-amzn-ErrorType`.
#[must_use]
pub fn error_name(error: &VendorError) -> &str {
    let told = error.error_type.as_deref().filter(|_| error.dialect == Some(Dialect::BedrockConverse));
    if let Some(name) = told.filter(|name| name.ends_with("Exception") && name.is_ascii()) {
        return name;
    }
    match (error.kind, error.status) {
        (Kind::Unauthorized | Kind::Forbidden, _) | (Kind::Vendor, 401 | 403) => "AccessDeniedException",
        (Kind::UnknownModel | Kind::NotFound | Kind::Gone, _) | (Kind::Vendor, 404) => {
            "ResourceNotFoundException"
        }
        (Kind::RateLimited, _) => "ThrottlingException",
        (Kind::Overloaded, _) => "ServiceUnavailableException",
        (Kind::Timeout, _) => "ModelTimeoutException",
        (Kind::Cut | Kind::BadAnswer | Kind::ConnectFailed, _) => "ModelErrorException",
        (Kind::BadRequest | Kind::TooLarge, _) | (Kind::Vendor, 400..=499) => "ValidationException",
        (Kind::Vendor | Kind::Internal, _) => "InternalServerException",
    }
}

pub(super) fn encode(error: &VendorError) -> Vec<u8> {
    let mut out = Vec::with_capacity(80 + error.message.len());
    {
        let mut body = Object::new(&mut out);
        body.text("__type", error_name(error));
        body.text("message", &error.message);
    }
    out
}

/// The name of an exception in a stream: one of the five that the service model lists.
pub(super) fn exception_name(error: &VendorError) -> &'static str {
    match error_name(error) {
        "ThrottlingException" | "throttlingException" => "throttlingException",
        "ServiceUnavailableException" | "serviceUnavailableException" => "serviceUnavailableException",
        "ValidationException"
        | "validationException"
        | "AccessDeniedException"
        | "ResourceNotFoundException" => "validationException",
        "InternalServerException" | "internalServerException" => "internalServerException",
        _ => "modelStreamErrorException",
    }
}

pub(super) fn encode_exception(error: &VendorError) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + error.message.len());
    Object::new(&mut out).text("message", &error.message);
    out
}
