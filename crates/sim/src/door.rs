//! The way in: which endpoint a path is, and whether the caller's key is accepted.

mod cloud;

use crate::answer::Answer;
use crate::anthropic;
use crate::bedrock::Operation;
use crate::chance::digest;
use crate::gemini;
use crate::held::Held;
use crate::models::Vendor;
use crate::openai;
use crate::openai::responses::Kept;
use crate::openai::services::Service;
use http::request::Parts;
use http::{HeaderMap, Method, Uri};

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
    /// A method of one of Google's models.
    Gemini(gemini::Method, String),
    Embeddings,
    /// A model's work that is no conversation.
    Service(Service),
    /// Something about files, uploads or batches.
    Held(Held),
    /// A conversation over a WebSocket.
    Realtime,
    /// An operation of one of Bedrock's models.
    Bedrock(Operation, String),
    /// A Claude on Vertex, or the name that counts for all of them.
    RawPredict(String),
    /// A deployment on Azure.
    Deployed {
        name: String,
        embeds: bool,
    },
    /// An access token of Google's or Microsoft's.
    Token,
    Models,
    Model(String),
    Log,
    Totals,
    Reset,
    Metrics,
    Health,
    /// The path exists, the method does not.
    WrongMethod,
    /// The path exists, the version in the query does not.
    WrongVersion,
    Unknown,
}

/// Finds the vendor and endpoint of a call. On shared paths, Anthropic's version header and Google's keys tell their callers
/// apart.
pub(crate) fn find(method: &Method, uri: &Uri, headers: &HeaderMap) -> (Vendor, Endpoint) {
    let query = uri.query().unwrap_or_default();
    let path = uri.path().trim_start_matches('/');
    let by_header = if headers.contains_key("anthropic-version") {
        Vendor::Anthropic
    } else if headers.contains_key("x-goog-api-key")
        || query_key(query).is_some()
        || path.starts_with("v1beta/")
    {
        Vendor::Gemini
    } else {
        Vendor::OpenAi
    };
    let prefixed = |v: &Vendor| path.strip_prefix(v.name()).and_then(|rest| rest.strip_prefix('/'));
    let fixed = Vendor::ALL.into_iter().find(|v| prefixed(v).is_some());
    let path = fixed.as_ref().and_then(prefixed).unwrap_or(path);
    let vendor = fixed.unwrap_or(by_header);
    let of = |of: Vendor, found: Option<Endpoint>| {
        found.filter(|_| fixed.is_none_or(|v| v == of)).map(|endpoint| (of, endpoint))
    };
    if let Some((held, fits)) = Held::at(vendor, method, path) {
        return (vendor, only(fits, Endpoint::Held(held)));
    }
    of(Vendor::OpenAi, openai(method, path))
        .or_else(|| of(Vendor::Anthropic, anthropic(method, path)))
        .or_else(|| of(Vendor::Gemini, gemini(method, path, query)))
        .or_else(|| of(Vendor::Bedrock, cloud::bedrock(method, path)))
        .or_else(|| of(Vendor::Vertex, cloud::vertex(method, path, query)))
        .or_else(|| of(Vendor::Azure, fixed.and_then(|_| cloud::azure(method, path, query))))
        .unwrap_or_else(|| (vendor, listed(vendor, method, path)))
}

/// Shared paths, of which two of the clouds have none and the third has its own.
fn listed(vendor: Vendor, method: &Method, path: &str) -> Endpoint {
    match vendor {
        Vendor::Bedrock | Vendor::Vertex => Endpoint::Unknown,
        Vendor::Azure => path.strip_prefix("openai/").map_or(Endpoint::Unknown, |p| shared(method, p)),
        _ => shared(method, path),
    }
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
        "v1/realtime" => only(method == Method::GET, Endpoint::Realtime),
        _ if Service::at(path).is_some() => only(post, Endpoint::Service(Service::at(path)?)),
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

/// Google's own paths: methods of models in either version, and lists in the one that no other vendor has.
fn gemini(method: &Method, path: &str, query: &str) -> Option<Endpoint> {
    let (beta, rest) = match path.strip_prefix("v1beta/") {
        Some(rest) => (true, rest),
        None => (false, path.strip_prefix("v1/")?),
    };
    if rest == "models" && beta {
        return Some(only(method == Method::GET, Endpoint::Models));
    }
    let name = rest.strip_prefix("models/")?;
    match name.rsplit_once(':') {
        Some((model, called)) => {
            let called = gemini::Method::named(called, query)?;
            Some(only(method == Method::POST, Endpoint::Gemini(called, model.to_owned())))
        }
        None if beta => Some(only(method == Method::GET, Endpoint::Model(name.to_owned()))),
        None => None,
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

/// The API key in a query.
pub(crate) fn query_key(query: &str) -> Option<&str> {
    query.split('&').find_map(|q| q.strip_prefix("key=")).filter(|k| !k.is_empty())
}

/// The key that a call carries: a bearer token, Anthropic's own header, or Google's own header or place in the query.
fn key<'a>(vendor: Vendor, uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).filter(|v| !v.is_empty());
    let bearer = || header("authorization").and_then(|v| v.strip_prefix("Bearer ")).filter(|v| !v.is_empty());
    match vendor {
        Vendor::OpenAi => bearer(),
        Vendor::Anthropic => header("x-api-key").or_else(bearer),
        _ => header("x-goog-api-key").or_else(|| query_key(uri.query().unwrap_or_default())).or_else(bearer),
    }
}

/// Lets the caller in, at the time `now_s` of a fleet with this seed.
pub(crate) fn admit(
    vendor: Vendor,
    parts: &Parts,
    body: &[u8],
    seed: u64,
    now_s: u64,
) -> Result<String, Box<Answer>> {
    match vendor {
        Vendor::Bedrock => cloud::admit_bedrock(parts, body, now_s),
        Vendor::Vertex => cloud::admit_vertex(&parts.headers, seed, now_s),
        Vendor::Azure => cloud::admit_azure(&parts.headers, seed, now_s),
        _ => by_key(vendor, &parts.uri, &parts.headers),
    }
}

/// Lets the caller in under a name that hides the key, or answers as the vendor does. Keys that begin with `bad-` are wrong.
fn by_key(vendor: Vendor, uri: &Uri, headers: &HeaderMap) -> Result<String, Box<Answer>> {
    match (vendor, key(vendor, uri, headers)) {
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
        (_, None) => Err(Box::new(gemini::error::Refusal::no_key().answer())),
        (Vendor::Gemini, Some(key)) if key.starts_with("bad-") => {
            Err(Box::new(gemini::error::Refusal::wrong_key().answer()))
        }
        (Vendor::Gemini, Some(key)) if is_bearer(uri, headers) && !key.starts_with(OAUTH) => {
            Err(Box::new(gemini::error::Refusal::no_token().answer()))
        }
        (_, Some(key)) => Ok(hashed(key)),
    }
}

/// What Google's OAuth tokens begin with: as bearer tokens, only they are taken.
const OAUTH: &str = "ya29.";

/// Whether the only credential is a bearer token.
fn is_bearer(uri: &Uri, headers: &HeaderMap) -> bool {
    !headers.contains_key("x-goog-api-key") && query_key(uri.query().unwrap_or_default()).is_none()
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

    fn uri(path: &'static str) -> Uri {
        Uri::from_static(path)
    }

    #[test]
    fn plain_and_prefixed_paths_find_their_vendor() {
        let none = HeaderMap::new();
        let version = headers(&[("anthropic-version", "2023-06-01")]);
        let post = |path| find(&Method::POST, &uri(path), &none);
        assert_eq!(post("/v1/messages"), (Vendor::Anthropic, Endpoint::Messages));
        assert_eq!(post("/openai/v1/chat/completions"), (Vendor::OpenAi, Endpoint::Chat));
        assert_eq!(post("/openai/v1/messages"), (Vendor::OpenAi, Endpoint::Unknown));
        let get = |path, headers| find(&Method::GET, &uri(path), headers);
        assert_eq!(get("/v1/models", &none), (Vendor::OpenAi, Endpoint::Models));
        assert_eq!(get("/v1/models", &version), (Vendor::Anthropic, Endpoint::Models));
        assert_eq!(get("/v1/chat/completions", &none).1, Endpoint::WrongMethod);
    }

    #[test]
    fn google_is_known_by_its_methods_its_version_and_its_keys() {
        let (none, key) = (HeaderMap::new(), headers(&[("x-goog-api-key", "k")]));
        let post = |path| find(&Method::POST, &uri(path), &none);
        let stream =
            |is_sse| (Vendor::Gemini, Endpoint::Gemini(gemini::Method::Stream { is_sse }, "m".into()));
        assert_eq!(post("/v1/models/m:streamGenerateContent?alt=sse"), stream(true));
        assert_eq!(post("/gemini/v1beta/models/m:streamGenerateContent"), stream(false));
        assert_eq!(post("/v1beta/models/m:dream"), (Vendor::Gemini, Endpoint::Unknown));
        let get = |path, headers| find(&Method::GET, &uri(path), headers);
        assert_eq!(get("/v1beta/models", &none), (Vendor::Gemini, Endpoint::Models));
        assert_eq!(get("/v1/models", &key), (Vendor::Gemini, Endpoint::Models));
        assert_eq!(get("/v1/models/m?key=k", &none), (Vendor::Gemini, Endpoint::Model("m".into())));
        assert_eq!(get("/v1beta/models/m:generateContent", &none), (Vendor::Gemini, Endpoint::WrongMethod));
    }

    #[test]
    fn keys_are_checked_as_each_vendor_does() {
        let version = ("anthropic-version", "2023-06-01");
        let plain = uri("/");
        let status = |vendor, pairs: &[(&'static str, &'static str)]| {
            by_key(vendor, &plain, &headers(pairs)).map_or_else(|refused| refused.status, |_| 200)
        };
        assert_eq!(status(Vendor::OpenAi, &[("authorization", "Bearer sk-1")]), 200);
        assert_eq!(status(Vendor::OpenAi, &[("x-api-key", "sk-1")]), 401);
        assert_eq!(status(Vendor::OpenAi, &[("authorization", "Bearer bad-1")]), 401);
        assert_eq!(status(Vendor::Anthropic, &[("x-api-key", "k"), version]), 200);
        assert_eq!(status(Vendor::Anthropic, &[("authorization", "Bearer k"), version]), 200);
        assert_eq!(status(Vendor::Anthropic, &[("x-api-key", "k")]), 400);
        assert_eq!(status(Vendor::Anthropic, &[version]), 401);
        assert_eq!(status(Vendor::Gemini, &[("x-goog-api-key", "k")]), 200);
        assert_eq!(status(Vendor::Gemini, &[("x-goog-api-key", "bad-k")]), 400);
        assert_eq!(status(Vendor::Gemini, &[("authorization", "Bearer ya29.token")]), 200);
        assert_eq!(status(Vendor::Gemini, &[("authorization", "Bearer k")]), 401);
        assert_eq!(status(Vendor::Gemini, &[]), 403);
        assert!(by_key(Vendor::Gemini, &uri("/?key=k"), &HeaderMap::new()).is_ok());
    }
}
