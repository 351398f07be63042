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
    let only = |is_there: bool| is_there.then(|| any.clone());
    CallHeads { count_tokens: only(counts), embeddings: only(embeds), kept: None, live: None, chat: any }
}

/// The heads of a surface whose calls have the paths of its dialect.
fn of_dialect(origin: &Origin, way: &Way, headers: &[(HeaderName, HeaderValue)]) -> CallHeads {
    let head = |path: &str| Head::for_origin(origin, &Method::POST, path, headers);
    let chat = |usual: &str| head(way.path.as_deref().unwrap_or(usual));
    match way.dialect {
        Dialect::AnthropicMessages => CallHeads {
            chat: chat("/v1/messages"),
            count_tokens: Some(head("/v1/messages/count_tokens")),
            embeddings: None,
            kept: None,
            live: None,
        },
        Dialect::OpenaiChat
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiGenerate
        | Dialect::BedrockConverse => CallHeads {
            chat: chat("/chat/completions"),
            count_tokens: None,
            embeddings: Some(head("/embeddings")),
            kept: None,
            live: None,
        },
        Dialect::OpenaiResponses => {
            let kept = |method: &Method| Head::for_origin(origin, method, "/responses/", headers);
            CallHeads {
                chat: chat("/responses"),
                count_tokens: Some(head("/responses/input_tokens")),
                embeddings: None,
                kept: Some(Box::new(KeptHeads {
                    get: kept(&Method::GET),
                    delete: kept(&Method::DELETE),
                    post: kept(&Method::POST),
                })),
                live: None,
            }
        }
    }
}
