//! Reads a call as it came: for the books, for its model, and for a load model's name.

use crate::answer::Answer;
use crate::bedrock::{self, Operation};
use crate::books::Received;
use crate::dialect::Dialect;
use crate::door::{self, Endpoint};
use crate::gemini;
use crate::load;
use crate::models::{self, Found, Vendor};
use crate::multipart;
use crate::openai::services;
use crate::vertex;
use crate::voice;
use bytes::Bytes;
use http::Uri;
use http::request::Parts;
use serde_json::Value;

/// Reads the body as JSON and finds the model: in the path on most clouds, in the body elsewhere.
pub(super) fn resolve(
    vendor: Vendor,
    endpoint: &Endpoint,
    parts: &Parts,
    body: &Bytes,
) -> Result<(Value, String, Found), Box<Answer>> {
    let path = parts.uri.path();
    let dialect = Dialect::of(vendor, endpoint);
    let request: Value = match multipart::boundary(&parts.headers) {
        Some(boundary) => {
            let parts = multipart::parts(body, &boundary).map_err(|why| Box::new(voice::not_a_form(why)))?;
            multipart::request(&parts)
        }
        None => serde_json::from_slice(body).map_err(|_| Box::new(voice::not_json(vendor, dialect)))?,
    };
    let name = match endpoint {
        Endpoint::Gemini(_, model) | Endpoint::Bedrock(_, model) => model.clone(),
        Endpoint::Deployed { name, .. } => name.clone(),
        Endpoint::RawPredict(model) if model != vertex::COUNTER => model.clone(),
        _ => request.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let name = match endpoint {
        Endpoint::Service(service) if name.is_empty() => service.usual_model().unwrap_or_default().to_owned(),
        _ => name,
    };
    if name.is_empty() {
        return Err(Box::new(voice::no_model_named(dialect, &request)));
    }
    let is_claude = dialect == Dialect::Messages;
    let found = match endpoint {
        Endpoint::Service(service) => services::find(*service, &name),
        _ => models::find(vendor, &name),
    };
    match found {
        Some(Found::Real(model)) if vendor == Vendor::Vertex && !vertex::publishes(is_claude, model) => {
            Err(Box::new(voice::no_model(vendor, dialect, endpoint, &name, path)))
        }
        Some(Found::Real(model)) if vendor == Vendor::Bedrock && !bedrock::serves(dialect, model) => {
            Err(Box::new(voice::no_model(vendor, dialect, endpoint, &name, path)))
        }
        Some(found) => Ok((request, name, found)),
        None => Err(Box::new(voice::no_model(vendor, dialect, endpoint, &name, path))),
    }
}

/// The call as the books keep it, credentials and cookies hashed.
pub(super) fn received(parts: &Parts, body: Bytes) -> Received {
    let secret = |name: &str| {
        matches!(
            name,
            "authorization"
                | "x-api-key"
                | "x-goog-api-key"
                | "api-key"
                | "x-amz-security-token"
                | "cookie"
                | "proxy-authorization"
        )
    };
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let value =
            if secret(name.as_str()) { door::hashed(value.trim_start_matches("Bearer ")) } else { value };
        (name.as_str().to_owned(), value)
    });
    Received {
        method: parts.method.to_string(),
        path: path_without_key(&parts.uri),
        headers: headers.collect(),
        body,
    }
}

/// The path with its query, in which a key is replaced by its hash.
fn path_without_key(uri: &Uri) -> String {
    let path = uri.to_string();
    match door::query_key(uri.query().unwrap_or_default()) {
        Some(key) => path.replace(&format!("key={key}"), &format!("key={}", door::hashed(key))),
        None => path,
    }
}

/// What a load model is to answer, if the call names one: in its path at Google, in its body elsewhere.
pub(super) fn load_scan<'a>(endpoint: &'a Endpoint, body: &'a [u8]) -> Option<load::Scan<'a>> {
    match endpoint {
        Endpoint::Chat | Endpoint::Responses | Endpoint::Messages => load::scan(body),
        Endpoint::Gemini(gemini::Method::Generate, model) => {
            Some(load::Scan { model, stream: false, usage: true })
        }
        Endpoint::Gemini(gemini::Method::Stream { .. }, model) => {
            Some(load::Scan { model, stream: true, usage: true })
        }
        Endpoint::Bedrock(Operation::Converse, model) => {
            Some(load::Scan { model, stream: false, usage: true })
        }
        Endpoint::Bedrock(Operation::ConverseStream, model) => {
            Some(load::Scan { model, stream: true, usage: true })
        }
        Endpoint::RawPredict(model) => load::flags(body).map(|scan| load::Scan { model, ..scan }),
        Endpoint::Deployed { name, embeds: false } => {
            load::flags(body).map(|scan| load::Scan { model: name, ..scan })
        }
        _ => None,
    }
}
