//! Request heads, prepared when the configuration loads so that a call only adds what is its own.

use http::{HeaderName, HeaderValue, Method};
use pilothouse_core::dialect::Dialect;
use pilothouse_upstream::{Head, Origin};

use super::ways::Way;
use super::{CallHeads, KeptHeads, Naming};
use crate::config::{self, Diagnostic};

/// The headers that every call to a surface has, credential aside.
pub(super) fn fixed_headers(
    dialect: Dialect,
    section: &config::Provider,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (http::header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (
            http::header::USER_AGENT,
            HeaderValue::from_static(concat!("pilothouse/", env!("CARGO_PKG_VERSION"))),
        ),
    ];
    if matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::OpenaiResponses) {
        for (name, value) in
            [("openai-organization", &section.organization), ("openai-project", &section.project)]
        {
            if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.push((HeaderName::from_static(name), value));
            }
        }
    }
    for (name, value) in &section.headers {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.get_ref())) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => {
                wrong.push(Diagnostic::at(value.span(), format!("`{name}` is not a header that HTTP allows")))
            }
        }
    }
    headers
}

/// The heads of calls that pass as they came: path and content type are the call's own.
fn pass_heads(origin: &Origin, headers: &[(HeaderName, HeaderValue)]) -> Box<KeptHeads> {
    let own: Vec<_> =
        headers.iter().filter(|(name, _)| *name != http::header::CONTENT_TYPE).cloned().collect();
    let head = |method: &Method| Head::for_origin(origin, method, "", &own);
    Box::new(KeptHeads { get: head(&Method::GET), delete: head(&Method::DELETE), post: head(&Method::POST) })
}

/// The heads of one call only.
const fn only(chat: Head) -> CallHeads {
    CallHeads {
        chat,
        count_tokens: None,
        embeddings: None,
        completions: None,
        kept: None,
        pass: None,
        live: None,
    }
}

/// The heads of every call that a surface has.
pub(super) fn heads_of(origin: &Origin, way: &Way, headers: &[(HeaderName, HeaderValue)]) -> CallHeads {
    // The path behind the address names model and method, call by call: `Choice::tail`.
    let (counts, embeds) = match way.naming {
        Naming::Body => return of_dialect(origin, way, headers),
        Naming::GeminiPath => (true, true),
        Naming::BedrockPath => (false, false),
        Naming::VertexAnthropic => (true, false),
        Naming::Deployment { .. } => (false, true),
    };
    let any = Head::for_origin(origin, &Method::POST, "", headers);
    let where_it = |is_there: bool| is_there.then(|| any.clone());
    let completes = matches!(way.naming, Naming::Deployment { .. });
    CallHeads {
        count_tokens: where_it(counts),
        embeddings: where_it(embeds),
        completions: where_it(completes),
        ..only(any.clone())
    }
}

/// The heads of a surface whose calls have the paths of its dialect.
fn of_dialect(origin: &Origin, way: &Way, headers: &[(HeaderName, HeaderValue)]) -> CallHeads {
    let head = |path: &str| Head::for_origin(origin, &Method::POST, path, headers);
    let chat = |usual: &str| head(way.path.as_deref().unwrap_or(usual));
    let pass = Some(pass_heads(origin, headers));
    match way.dialect {
        Dialect::AnthropicMessages => CallHeads {
            count_tokens: Some(head("/v1/messages/count_tokens")),
            pass,
            ..only(chat("/v1/messages"))
        },
        Dialect::OpenaiChat
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiGenerate
        | Dialect::BedrockConverse => CallHeads {
            embeddings: Some(head("/embeddings")),
            completions: Some(head("/completions")),
            pass,
            ..only(chat("/chat/completions"))
        },
        Dialect::OpenaiResponses => {
            let kept = |method: &Method| Head::for_origin(origin, method, "/responses/", headers);
            CallHeads {
                count_tokens: Some(head("/responses/input_tokens")),
                kept: Some(Box::new(KeptHeads {
                    get: kept(&Method::GET),
                    delete: kept(&Method::DELETE),
                    post: kept(&Method::POST),
                })),
                pass,
                ..only(chat("/responses"))
            }
        }
    }
}
