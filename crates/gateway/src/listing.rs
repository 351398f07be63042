//! Vendors' own lists of models, and facts from a URL: the only things that are fetched without a caller, and only when a
//! person asks for it (`pilothouse models check`, `pilothouse models refresh`).

use std::time::Duration;

use http::Method;
use pilothouse_core::dialect::Dialect;
use pilothouse_upstream::{Client, Head, Origin, OriginOptions, Request, Timeouts};
use serde_json::Value;

use crate::cloud::must_be_private;
use crate::endpoints::{Call, Verb};
use crate::plan::{Plan, Provider, Surface};

/// Longest list of models, in bytes.
const LIST_MAX: usize = 16 * 1024 * 1024;
/// Most pages of one list.
const PAGES_MAX: usize = 50;
/// How long one page may take.
const PAGE_TIME: Duration = Duration::from_secs(20);

/// What one provider listed.
#[derive(Debug)]
pub struct Listed {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The catalogue's platform.
    pub platform: String,
    /// The pages of its list as they came, or why there are none, as a sentence.
    pub pages: Result<Vec<Value>, String>,
}

/// Asks every provider of a configuration for its list of models, all at once.
///
/// # Errors
/// The system's refusal of a runtime.
pub fn ask(plan: &Plan) -> std::io::Result<Vec<Listed>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = plan.providers.iter().map(|provider| async move {
        let pages = match tokio::time::timeout(PAGE_TIME, pages(provider)).await {
            Ok(pages) => pages,
            Err(_) => Err(format!("it did not answer within {} s", PAGE_TIME.as_secs())),
        };
        Listed { provider: provider.name.to_string(), platform: provider.platform.clone(), pages }
    });
    Ok(runtime.block_on(futures_util::future::join_all(asked)))
}

/// Where a dialect has its list, below the surface's address.
fn path_of(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => Some("/models"),
        Dialect::AnthropicMessages => Some("/v1/models?limit=1000"),
        Dialect::GeminiGenerate | Dialect::BedrockConverse => None,
    }
}

async fn pages(provider: &Provider) -> Result<Vec<Value>, String> {
    let listing =
        |surface: &&Surface| path_of(surface.dialect).is_some() && get_of(provider, surface).is_some();
    let Some(surface) = provider.surfaces.iter().find(listing) else {
        return Err(
            "no surface of it has a list of models that can be asked for with its credentials".to_owned()
        );
    };
    let (Some(path), Some(head)) = (path_of(surface.dialect), get_of(provider, surface)) else {
        return Err("it has no list of models".to_owned());
    };
    let client = Client::new();
    let mut pages: Vec<Value> = Vec::new();
    let mut tail = path.to_owned();
    while pages.len() < PAGES_MAX {
        let request = Request { head, tail: &tail, extra: &[], body: &[] };
        let page: Value = serde_json::from_slice(&read(&client, &surface.origin, &request, LIST_MAX).await?)
            .map_err(|_| "what it answered is no JSON".to_owned())?;
        let next = page.get("has_more").and_then(Value::as_bool).unwrap_or_default();
        let last = page.get("last_id").and_then(Value::as_str).map(str::to_owned);
        pages.push(page);
        match last.filter(|_| next && surface.dialect == Dialect::AnthropicMessages) {
            Some(last) => tail = format!("{path}&after_id={last}"),
            None => break,
        }
    }
    Ok(pages)
}

/// The prepared head of a call that asks, where the credential stands in it.
fn get_of<'p>(provider: &'p Provider, surface: &'p Surface) -> Option<&'p Head> {
    let heads = surface.credentials.get(provider.credential()).filter(|heads| heads.live.is_none())?;
    heads.get(Call::Pass(Verb::Get))
}

async fn read(
    client: &Client,
    origin: &Origin,
    request: &Request<'_>,
    max: usize,
) -> Result<Vec<u8>, String> {
    let answer = client
        .send(origin, request, |_| false, &mut 0)
        .await
        .map_err(|failure| format!("it could not be asked: {failure}"))?;
    if !answer.status.is_success() {
        return Err(format!("it answered {}", answer.status));
    }
    let body =
        answer.body.collect(max).await.map_err(|failure| format!("its answer broke off: {failure}"))?;
    Ok(body.to_vec())
}

/// What lies at a URL: `https`, or a server on this machine.
///
/// # Errors
/// Why it could not be had, as a sentence with what to do next.
pub fn fetch(url: &str, variables: &[(String, String)], max: usize) -> Result<Vec<u8>, String> {
    must_be_private(url).map_err(|_| {
        format!("{url}: facts are fetched by https only, so that nobody on the way changes them")
    })?;
    let timeouts = Timeouts {
        connect: PAGE_TIME,
        first_byte: PAGE_TIME,
        between_chunks: PAGE_TIME,
        total: PAGE_TIME * 6,
    };
    let options = OriginOptions { timeouts, environment: variables.to_vec(), ..OriginOptions::default() };
    let uri: http::Uri = url.parse().map_err(|_| format!("{url} is not a URL"))?;
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let base = url.strip_suffix(path).unwrap_or(url);
    let origin = Origin::new(base, &options).map_err(|error| format!("{url}: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("{url}: {error}"))?;
    let head = Head::for_origin(&origin, &Method::GET, path, &[]);
    let request = Request { head: &head, tail: "", extra: &[], body: &[] };
    let client = Client::new();
    runtime.block_on(read(&client, &origin, &request, max)).map_err(|why| format!("{url}: {why}"))
}
