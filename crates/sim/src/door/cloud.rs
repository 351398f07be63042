//! The clouds' paths: which endpoint of Bedrock, Vertex or Azure a path is, and whether its caller is let in.

use super::{Endpoint, hashed, only, openai};
use crate::answer::Answer;
use crate::azure;
use crate::bedrock::error::Refusal;
use crate::bedrock::sigv4::{self, Signed, decoded};
use crate::bedrock::{Operation, model_id};
use crate::gemini;
use crate::vertex;
use http::request::Parts;
use http::{HeaderMap, Method};

/// Bedrock's own paths: an operation of a model, whose id may be encoded; and the makers' own APIs of Claude and of OpenAI's
/// open weights, below their names: <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-messages-api.html>.
pub(super) fn bedrock(method: &Method, path: &str) -> Option<Endpoint> {
    match path {
        "anthropic/v1/messages" | "anthropic/v1/messages/count_tokens" => {
            return super::anthropic(method, path.strip_prefix("anthropic/")?);
        }
        "openai/v1/chat/completions" => return openai(method, "v1/chat/completions"),
        _ => {}
    }
    let (name, operation) = path.strip_prefix("model/")?.rsplit_once('/')?;
    let operation = Operation::named(operation)?;
    let name = decoded(name);
    Some(only(method == Method::POST, Endpoint::Bedrock(operation, model_id(&name).to_owned())))
}

/// Vertex's own paths: methods of a publisher's models, and the token endpoint.
pub(super) fn vertex(method: &Method, path: &str, query: &str) -> Option<Endpoint> {
    let post = method == Method::POST;
    if path == "token" {
        return Some(only(post, Endpoint::Token));
    }
    let rest = path.strip_prefix("v1/").or_else(|| path.strip_prefix("v1beta1/"))?;
    let parts: Vec<&str> = rest.split('/').collect();
    let ["projects", _, "locations", _, "publishers", publisher, "models", last] = parts.as_slice() else {
        return None;
    };
    let (model, called) = last.rsplit_once(':')?;
    let model = decoded(model);
    let endpoint = match (*publisher, called) {
        ("anthropic", "rawPredict" | "streamRawPredict") => Endpoint::RawPredict(model),
        ("google", _) => {
            let method = gemini::Method::named(called, query)?;
            if matches!(method, gemini::Method::Embed | gemini::Method::BatchEmbed) {
                return None;
            }
            Endpoint::Gemini(method, model)
        }
        _ => return None,
    };
    Some(only(post, endpoint))
}

/// Azure's own paths: the undated API, which is OpenAI's below `openai/v1`, deployments with a dated version, and Entra's
/// token endpoint of a tenant.
pub(super) fn azure(method: &Method, path: &str, query: &str) -> Option<Endpoint> {
    if path.split_once('/').is_some_and(|(_, rest)| rest == "oauth2/v2.0/token") {
        return Some(only(method == Method::POST, Endpoint::Token));
    }
    let rest = path.strip_prefix("openai/")?;
    if rest.starts_with("v1/") {
        let found = openai(method, rest)?;
        return Some(if azure::is_undated(query) { found } else { Endpoint::WrongVersion });
    }
    let post = method == Method::POST;
    if rest == "responses" || rest.starts_with("responses/") {
        let found = openai(method, &format!("v1/{rest}"))?;
        return azure::has_responses(query).then_some(found);
    }
    let (name, called) = rest.strip_prefix("deployments/")?.split_once('/')?;
    let embeds = match called {
        "chat/completions" => false,
        "embeddings" => true,
        _ => return None,
    };
    let endpoint = Endpoint::Deployed { name: decoded(name), embeds };
    azure::is_dated(query).then(|| only(post, endpoint))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok()).filter(|v| !v.is_empty())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    header(headers, "authorization").and_then(|v| v.strip_prefix("Bearer ")).filter(|v| !v.is_empty())
}

/// Lets in a caller of Bedrock: by API key, or by a signature made now.
pub(super) fn admit_bedrock(parts: &Parts, body: &[u8], now_s: u64) -> Result<String, Box<Answer>> {
    let refused = |refusal: Refusal| Err(Box::new(refusal.answer()));
    let key = bearer(&parts.headers).or_else(|| header(&parts.headers, "x-api-key"));
    match (key, header(&parts.headers, "authorization")) {
        (Some(key), _) if key.starts_with("bad-") => refused(Refusal::wrong_key()),
        (Some(key), _) => Ok(hashed(key)),
        (None, None) => refused(Refusal::other(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )),
        (None, Some(_)) => {
            let request = Signed {
                method: parts.method.as_str(),
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or_default(),
                headers: &parts.headers,
                body,
            };
            sigv4::verify(&request, now_s).map(hashed).or_else(refused)
        }
    }
}

/// Lets in a caller of Vertex: by an access token that has not ended.
pub(super) fn admit_vertex(headers: &HeaderMap, seed: u64, now_s: u64) -> Result<String, Box<Answer>> {
    let reason = match bearer(headers) {
        Some(token) => match vertex::token::check(seed, now_s, token) {
            // Tokens are renewed; prompt caches belong to whoever the token stands for.
            Ok(()) => return Ok(hashed("vertex")),
            Err(reason) => reason,
        },
        None if headers.contains_key("x-goog-api-key") => "API_KEY",
        None => "CREDENTIALS_MISSING",
    };
    Err(Box::new(vertex::error::unauthenticated(reason).answer()))
}

/// Lets in a caller of Azure: by key in either place, or by token.
pub(super) fn admit_azure(headers: &HeaderMap, seed: u64, now_s: u64) -> Result<String, Box<Answer>> {
    if bearer(headers).is_some_and(|token| !azure::token::is_good(seed, now_s, token)) {
        return Err(Box::new(azure::error::ended_token()));
    }
    match header(headers, "api-key").or_else(|| bearer(headers)) {
        Some(key) if !key.starts_with("bad-") => Ok(hashed(key)),
        _ => Err(Box::new(azure::error::wrong_key())),
    }
}
