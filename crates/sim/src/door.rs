//! The way in: which endpoint a path is, and whether the caller's key is accepted.

use crate::answer::Answer;
use crate::anthropic;
use crate::chance::digest;
use crate::models::Vendor;
use crate::openai;
use crate::openai::responses::Kept;
use http::{HeaderMap, Method};

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Chat,
    Responses,
    /// How many tokens a request to `Responses` holds.
    InputTokens,
    /// Something about a response that was kept.
    Kept(Kept),
    Messages,
    CountTokens,
    Embeddings,
    Models,
    Model(String),
    Log,
    Totals,
    Reset,
    Metrics,
    Health,
    /// The path exists, the method does not.
    WrongMethod,
    Unknown,
}

/// Finds the vendor and endpoint of a call. On shared paths, Anthropic's version header tells its callers apart.
pub(crate) fn find(method: &Method, path: &str, headers: &HeaderMap) -> (Vendor, Endpoint) {
    let by_header =
        if headers.contains_key("anthropic-version") { Vendor::Anthropic } else { Vendor::OpenAi };
    let (fixed, path) = match (path.strip_prefix("/openai/"), path.strip_prefix("/anthropic/")) {
        (Some(rest), _) => (Some(Vendor::OpenAi), rest),
        (_, Some(rest)) => (Some(Vendor::Anthropic), rest),
        _ => (None, path.trim_start_matches('/')),
    };
    let vendor = fixed.unwrap_or(by_header);
    let of = |of: Vendor, found: Option<Endpoint>| {
        found.filter(|_| fixed.is_none_or(|v| v == of)).map(|endpoint| (of, endpoint))
    };
    of(Vendor::OpenAi, openai(method, path))
        .or_else(|| of(Vendor::Anthropic, anthropic(method, path)))
        .unwrap_or_else(|| (vendor, shared(method, path)))
}

fn only(right: bool, endpoint: Endpoint) -> Endpoint {
    if right { endpoint } else { Endpoint::WrongMethod }
}

/// OpenAI's own paths.
fn openai(method: &Method, path: &str) -> Option<Endpoint> {
    let post = method == Method::POST;
    Some(match path {
        "v1/chat/completions" => only(post, Endpoint::Chat),
        "v1/embeddings" => only(post, Endpoint::Embeddings),
        "v1/responses" => only(post, Endpoint::Responses),
        "v1/responses/input_tokens" => only(post, Endpoint::InputTokens),
        _ => {
            let parts: Vec<&str> = path.strip_prefix("v1/responses/")?.split('/').collect();
            match (parts.as_slice(), method) {
                ([id], &Method::GET) => Endpoint::Kept(Kept::Read((*id).to_owned())),
                ([id], &Method::DELETE) => Endpoint::Kept(Kept::Delete((*id).to_owned())),
                ([id, "cancel"], &Method::POST) => Endpoint::Kept(Kept::Cancel((*id).to_owned())),
                ([id, "input_items"], &Method::GET) => Endpoint::Kept(Kept::Input((*id).to_owned())),
                ([_] | [_, "cancel" | "input_items"], _) => Endpoint::WrongMethod,
                _ => return None,
            }
        }
    })
}

/// Anthropic's own paths.
fn anthropic(method: &Method, path: &str) -> Option<Endpoint> {
    let post = method == Method::POST;
    match path {
        "v1/messages" => Some(only(post, Endpoint::Messages)),
        "v1/messages/count_tokens" => Some(only(post, Endpoint::CountTokens)),
        _ => None,
    }
}

/// Paths that several vendors have, and the fleet's own.
fn shared(method: &Method, path: &str) -> Endpoint {
    let (get, post) = (method == Method::GET, method == Method::POST);
    match path {
        "v1/models" => only(get, Endpoint::Models),
        "_sim/log" => only(get, Endpoint::Log),
        "_sim/totals" => only(get, Endpoint::Totals),
        "_sim/reset" => only(post, Endpoint::Reset),
        "metrics" => only(get, Endpoint::Metrics),
        "health" => only(get, Endpoint::Health),
        _ => match path.strip_prefix("v1/models/") {
            Some(name) => only(get, Endpoint::Model(name.to_owned())),
            None => Endpoint::Unknown,
        },
    }
}

/// The key that a call carries: a bearer token, or Anthropic's own header.
fn key(vendor: Vendor, headers: &HeaderMap) -> Option<&str> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).filter(|v| !v.is_empty());
    let bearer = || header("authorization").and_then(|v| v.strip_prefix("Bearer ")).filter(|v| !v.is_empty());
    match vendor {
        Vendor::OpenAi => bearer(),
        Vendor::Anthropic => header("x-api-key").or_else(bearer),
    }
}

/// Lets the caller in under a name that hides the key, or answers as the vendor does. Keys that begin with `bad-` are wrong.
pub(crate) fn admit(vendor: Vendor, headers: &HeaderMap) -> Result<String, Box<Answer>> {
    match (vendor, key(vendor, headers)) {
        (Vendor::OpenAi, None) => Err(Box::new(openai::error::Refusal::no_key().answer())),
        (Vendor::OpenAi, Some(key)) if key.starts_with("bad-") => {
            Err(Box::new(openai::error::Refusal::wrong_key(key).answer()))
        }
        (Vendor::Anthropic, None) => Err(Box::new(anthropic::error::Refusal::no_key().answer())),
        (Vendor::Anthropic, Some(key)) if key.starts_with("bad-") => {
            let bearer = !headers.contains_key("x-api-key");
            Err(Box::new(anthropic::error::Refusal::wrong_key(bearer).answer()))
        }
        (Vendor::Anthropic, Some(_)) if !headers.contains_key("anthropic-version") => {
            Err(Box::new(anthropic::error::Refusal::bad("anthropic-version: header is required").answer()))
        }
        (_, Some(key)) => Ok(hashed(key)),
    }
}

/// A credential as the books show it: enough to tell keys apart, useless to call with.
pub(crate) fn hashed(credential: &str) -> String {
    let digest = digest(0, &[b"credential", credential.as_bytes()]);
    let hex: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (http::HeaderName::from_static(n), http::HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn plain_and_prefixed_paths_find_their_vendor() {
        let none = HeaderMap::new();
        let version = headers(&[("anthropic-version", "2023-06-01")]);
        let post = |path| find(&Method::POST, path, &none);
        assert_eq!(post("/v1/messages"), (Vendor::Anthropic, Endpoint::Messages));
        assert_eq!(post("/openai/v1/chat/completions"), (Vendor::OpenAi, Endpoint::Chat));
        assert_eq!(post("/openai/v1/messages"), (Vendor::OpenAi, Endpoint::Unknown));
        assert_eq!(find(&Method::GET, "/v1/models", &none), (Vendor::OpenAi, Endpoint::Models));
        assert_eq!(find(&Method::GET, "/v1/models", &version), (Vendor::Anthropic, Endpoint::Models));
        assert_eq!(find(&Method::GET, "/v1/chat/completions", &none).1, Endpoint::WrongMethod);
    }

    #[test]
    fn keys_are_checked_as_each_vendor_does() {
        let version = ("anthropic-version", "2023-06-01");
        assert!(admit(Vendor::OpenAi, &headers(&[("authorization", "Bearer sk-1")])).is_ok());
        assert!(admit(Vendor::OpenAi, &headers(&[("x-api-key", "sk-1")])).is_err());
        assert_eq!(
            admit(Vendor::OpenAi, &headers(&[("authorization", "Bearer bad-1")])).unwrap_err().status,
            401
        );
        assert!(admit(Vendor::Anthropic, &headers(&[("x-api-key", "k"), version])).is_ok());
        assert!(admit(Vendor::Anthropic, &headers(&[("authorization", "Bearer k"), version])).is_ok());
        assert_eq!(admit(Vendor::Anthropic, &headers(&[("x-api-key", "k")])).unwrap_err().status, 400);
        assert_eq!(admit(Vendor::Anthropic, &headers(&[version])).unwrap_err().status, 401);
    }
}
