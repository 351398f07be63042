//! Answers that all vendors give, each in its own words: wrong paths, bodies and models, lists, faults by status.

use crate::answer::Answer;
use crate::azure;
use crate::bedrock;
use crate::dialect::Dialect;
use crate::door::Endpoint;
use crate::gemini;
use crate::models::Vendor;
use crate::openai::responses::Kept;
use crate::{anthropic, openai, vertex};
use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

pub(crate) fn status_fault(
    vendor: Vendor,
    dialect: Dialect,
    status: u16,
    retry_after_s: Option<u64>,
    name: &str,
    path: &str,
) -> Answer {
    let mut answer = match vendor {
        Vendor::Gemini => gemini::error::Refusal::fault(status, retry_after_s, name).answer(),
        Vendor::OpenAi => openai::error::Refusal::fault(status, name).answer(),
        Vendor::Anthropic => anthropic::error::Refusal::fault(status, name).answer(),
        Vendor::Bedrock => match dialect {
            Dialect::Messages => anthropic::error::Refusal::fault(status, name).answer(),
            Dialect::Chat => openai::error::Refusal::fault(status, name).answer(),
            _ => bedrock::error::Refusal::fault(status, name).answer(),
        },
        Vendor::Vertex => {
            vertex::error::fault(status, retry_after_s, name, dialect == Dialect::Messages, path)
        }
        Vendor::Azure => azure::error::fault(status, retry_after_s),
    };
    if status == 502 {
        answer.content_type = "text/html";
        answer.frames = vec![Bytes::from_static(
            b"<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>",
        )];
    }
    // Google names the time in the error's details, and has no such header.
    let has_header =
        !matches!(vendor, Vendor::Gemini | Vendor::Vertex) || answer.content_type != gemini::JSON;
    if let Some(seconds) = retry_after_s.filter(|_| has_header && vendor != Vendor::Gemini) {
        answer.headers.push(("retry-after", seconds.to_string()));
    }
    answer
}

pub(crate) fn list(vendor: Vendor, parts: &Parts) -> Value {
    match vendor {
        Vendor::OpenAi | Vendor::Azure => openai::models(),
        Vendor::Anthropic => anthropic::models(parts.uri.query().unwrap_or_default()),
        _ => gemini::models(parts.uri.query().unwrap_or_default()),
    }
}

pub(crate) fn one(vendor: Vendor, name: &str) -> Answer {
    match vendor {
        Vendor::OpenAi | Vendor::Azure => {
            openai::model(name).map_or_else(|r| r.answer(), |v| Answer::json(200, &v))
        }
        Vendor::Anthropic => anthropic::model(name).map_or_else(|r| r.answer(), |v| Answer::json(200, &v)),
        _ => gemini::model(name).map_or_else(|r| r.answer(), |v| Answer::json(200, &v)),
    }
}

pub(crate) fn not_json(vendor: Vendor, dialect: Dialect) -> Answer {
    match vendor {
        _ if dialect == Dialect::Messages => {
            anthropic::error::Refusal::bad("The request body is not valid JSON").answer()
        }
        Vendor::OpenAi | Vendor::Azure => {
            let message = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)";
            openai::error::Refusal::other(400, "invalid_request_error", None, message).answer()
        }
        Vendor::Anthropic => anthropic::error::Refusal::bad("The request body is not valid JSON").answer(),
        Vendor::Gemini | Vendor::Vertex => gemini::error::Refusal::not_json().answer(),
        Vendor::Bedrock => {
            bedrock::error::Refusal::serialization("Unable to parse the request body as JSON.").answer()
        }
    }
}

/// A form that cannot be read; only OpenAI takes any.
pub(crate) fn not_a_form(why: &str) -> Answer {
    let message = format!("Could not parse multipart form: {why}");
    openai::error::Refusal::other(400, "invalid_request_error", None, message).answer()
}

pub(crate) fn no_model_named(dialect: Dialect, request: &Value) -> Answer {
    match dialect {
        Dialect::Chat => openai::error::Refusal::other(
            400,
            "invalid_request_error",
            None,
            "you must provide a model parameter",
        )
        .answer(),
        Dialect::Responses => {
            let message = "Missing required parameter: 'model'.";
            openai::error::Refusal::bad("model", "missing_required_parameter", message).answer()
        }
        Dialect::Messages => {
            let why = if request.get("model").is_some() {
                "Input should be a valid string"
            } else {
                "Field required"
            };
            anthropic::error::Refusal::bad(format!("model: {why}")).answer()
        }
        Dialect::Converse => bedrock::error::Refusal::no_model().answer(),
        Dialect::Gemini | Dialect::GeminiList => {
            gemini::error::Refusal::bad("* GenerateContentRequest.model: unexpected model name format\n")
                .answer()
        }
    }
}

pub(crate) fn no_model(
    vendor: Vendor,
    dialect: Dialect,
    endpoint: &Endpoint,
    name: &str,
    path: &str,
) -> Answer {
    match dialect {
        _ if vendor == Vendor::Azure => azure::error::no_deployment(),
        _ if vendor == Vendor::Vertex => {
            vertex::error::fault(404, None, name, dialect == Dialect::Messages, path)
        }
        Dialect::Converse => bedrock::error::Refusal::no_model().answer(),
        // Responses says 404 too since September 2026: https://github.com/BerriAI/litellm/pull/39457, read 2026-11-23.
        Dialect::Chat | Dialect::Responses => openai::error::Refusal::no_model(name).answer(),
        Dialect::Messages => anthropic::error::Refusal::no_model(name).answer(),
        Dialect::Gemini | Dialect::GeminiList => {
            let method =
                if let Endpoint::Gemini(method, _) = endpoint { method.name() } else { "generateContent" };
            gemini::error::Refusal::no_model(name, method).answer()
        }
    }
}

/// What is asked of a response that was kept.
pub(crate) fn kept(shelf: &openai::Shelf, caller: &str, what: &Kept, parts: &Parts) -> Answer {
    let query = parts.uri.query().unwrap_or_default();
    openai::responses::kept(shelf, caller, what, query)
        .map_or_else(|r| r.answer(), |body| Answer::json(200, &body))
}

pub(crate) fn wrong_method(vendor: Vendor, parts: &Parts) -> Answer {
    match vendor {
        Vendor::OpenAi => {
            let message = format!(
                "Not allowed to {} on {}. (HINT: Perhaps you meant to use a different HTTP method?)",
                parts.method,
                parts.uri.path()
            );
            openai::error::Refusal::other(405, "invalid_request_error", Some("method_not_supported"), message)
                .answer()
        }
        Vendor::Anthropic => {
            anthropic::error::Refusal::other(405, "invalid_request_error", "Method Not Allowed").answer()
        }
        // Google has no 405: what the path is not for is not there.
        Vendor::Gemini | Vendor::Vertex => page_not_found(parts),
        Vendor::Bedrock => unknown_operation(),
        Vendor::Azure => azure::error::not_found(),
    }
}

pub(crate) fn unknown_path(vendor: Vendor, parts: &Parts) -> Answer {
    match vendor {
        Vendor::OpenAi => {
            let message = format!("Invalid URL ({} {})", parts.method, parts.uri.path());
            openai::error::Refusal::other(404, "invalid_request_error", None, message).answer()
        }
        Vendor::Anthropic => anthropic::error::Refusal::other(404, "not_found_error", "Not Found").answer(),
        Vendor::Gemini | Vendor::Vertex => page_not_found(parts),
        Vendor::Bedrock => unknown_operation(),
        Vendor::Azure => azure::error::not_found(),
    }
}

/// AWS's answer to a path that is not one of its operations.
fn unknown_operation() -> Answer {
    let headers = vec![("x-amzn-errortype", "UnknownOperationException".to_owned())];
    let frames = vec![Bytes::from_static(b"<UnknownOperationException/>\n")];
    Answer { headers, frames, content_type: "application/xml", ..Answer::json(404, &Value::Null) }
}

/// Google's page for a path that is not there.
fn page_not_found(parts: &Parts) -> Answer {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <title>Error 404 (Not Found)!!1</title>\n  <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>The requested URL <code>{}</code> was not found on this server.  <ins>That’s all we know.</ins>\n",
        parts.uri.path()
    );
    let frames = vec![Bytes::from(page)];
    Answer { content_type: "text/html; charset=UTF-8", frames, ..Answer::json(404, &Value::Null) }
}

pub(crate) fn too_large(vendor: Vendor) -> Answer {
    match vendor {
        Vendor::OpenAi | Vendor::Azure => openai::error::Refusal::other(
            413,
            "invalid_request_error",
            None,
            "The request body is too large.",
        )
        .answer(),
        Vendor::Anthropic => {
            anthropic::error::Refusal::other(413, "request_too_large", "Request exceeds the maximum size")
                .answer()
        }
        Vendor::Bedrock => {
            bedrock::error::Refusal::other(413, "RequestEntityTooLargeException", "Request entity too large")
                .answer()
        }
        Vendor::Gemini | Vendor::Vertex => {
            let message = "Request payload size exceeds the limit: 20971520 bytes.";
            gemini::error::Refusal::bad(message).answer()
        }
    }
}
