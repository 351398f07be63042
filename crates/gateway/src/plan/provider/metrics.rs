//! Where a model server tells how full it is.

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderName, HeaderValue, Method, Uri};
use pilothouse_routing::load::ModelServer;
use pilothouse_upstream::{Head, Origin, OriginOptions, Timeouts};

use super::Surface;
use super::build::origin_options;
use super::section::Section;
use crate::config::Diagnostic;
use crate::load::{ASK_TIME, MetricsPage};

/// The metrics page of a provider, where its section says that there is one: at `metrics_url`, or at `/metrics` of its own
/// server, where vLLM, SGLang, llama.cpp and TensorRT-LLM have it.
pub(super) fn metrics(
    section: &Section<'_>,
    surfaces: &[Surface],
    wrong: &mut Vec<Diagnostic>,
) -> Option<MetricsPage> {
    let (given, given_url) = (section.given.metrics.as_ref(), section.given.metrics_url.as_ref());
    let span = given.or(given_url)?.span();
    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    let server = match given.map(|given| given.get_ref().as_str()) {
        None => None,
        Some(text) if is_url(text) => None,
        Some(name) => match ModelServer::parse(name) {
            Some(server) => Some(server),
            None => {
                let names = ModelServer::ALL.map(ModelServer::as_str).join(", ");
                let message =
                    format!("`{name}` is no model server whose metrics are known; one of {names}, or a URL");
                wrong.push(Diagnostic::at(span, message));
                return None;
            }
        },
    };
    let own = surfaces.first()?;
    let url = match (given_url, given) {
        (Some(url), _) => url.get_ref().clone(),
        (None, Some(url)) if is_url(url.get_ref()) => url.get_ref().clone(),
        _ => beside(section, own)?,
    };
    let timeouts =
        Timeouts { connect: ASK_TIME, first_byte: ASK_TIME, between_chunks: ASK_TIME, total: ASK_TIME };
    let options = OriginOptions { timeouts, ..origin_options(section.given, section.environment) };
    match Origin::new(&url, &options) {
        Ok(origin) => {
            let mut headers = vec![(ACCEPT, HeaderValue::from_static("text/plain;version=0.0.4"))];
            headers.extend(credential(&origin, own));
            let head = Head::for_origin(&origin, &Method::GET, "", &headers);
            Some(MetricsPage { origin, head, server })
        }
        Err(error) => {
            wrong.push(Diagnostic::at(span, error.to_string()));
            None
        }
    }
}

/// `/metrics` of the server that takes the calls.
fn beside(section: &Section<'_>, own: &Surface) -> Option<String> {
    let scheme = match &section.given.base_url {
        Some(given) => given.get_ref().parse::<Uri>().ok()?.scheme_str()?.to_owned(),
        None => "https".to_owned(),
    };
    Some(format!("{scheme}://{}/metrics", own.origin.authority()))
}

/// The bearer token of calls, for the same server only: llama.cpp asks for it there too
/// (<https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>, read 2026-11-23).
fn credential(page: &Origin, own: &Surface) -> Option<(HeaderName, HeaderValue)> {
    if page.authority() != own.origin.authority() {
        return None;
    }
    let head = own.credentials.first()?.get(crate::endpoints::Call::Chat)?;
    Some((AUTHORIZATION, head.headers().get(AUTHORIZATION)?.clone()))
}
