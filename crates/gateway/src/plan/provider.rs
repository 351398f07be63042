//! A provider made ready: for each dialect it speaks, prepared request heads per credential.

mod auth;
mod build;
mod embed;
mod heads;
mod metrics;
mod rerank;
mod section;
mod ways;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use pilothouse_core::dialect::Dialect;
use pilothouse_upstream::{Head, Origin};

use crate::cloud::Tokens;
use crate::cloud::sigv4::Signer;
use crate::concurrency::Limit;
use crate::config::CompatMode;
use crate::endpoints::{Call, Verb};
use crate::load::MetricsPage;

pub(super) use build::build_provider;
pub use rerank::Rerank;
use section::Section;

/// A place that may be called.
#[derive(Debug)]
pub struct Provider {
    /// The section's name.
    pub name: Arc<str>,
    /// The catalogue's platform whose rows price it.
    pub platform: String,
    /// Bare names it answers to besides the catalogue's.
    pub models: Vec<String>,
    /// The customer's own names of models, as they stand on the wire, and which model of the catalogue each is.
    pub deployments: BTreeMap<String, String>,
    /// The ways to call it, the preferred one first.
    pub surfaces: Vec<Surface>,
    /// Further attempts after the first.
    pub retries: u32,
    /// Whether a call may be repeated after a timeout with its body sent.
    pub retry_after_timeout: bool,
    /// Whether its models rest after failures.
    pub has_breaker: bool,
    /// The limit on calls to it at once, where it has one.
    pub limit: Option<Arc<Limit>>,
    /// The vendor's name in the catalogue; empty where it has none.
    pub vendor: String,
    /// The vendor's quirks, by name.
    pub quirks: Vec<String>,
    /// What is done about requests that it would refuse or silently change.
    pub compat: CompatMode,
    /// Its rerank call, where it has one.
    pub rerank: Option<Rerank>,
    /// Its own call for vectors in Cohere's form, where it has one.
    pub embed: Option<Surface>,
    /// The vendor has no legacy completions.
    pub no_completions: bool,
    /// The vendor takes no `stream_options`, so usage is not asked for in streams.
    pub no_stream_options: bool,
    /// How calls are authorised, or what that lacks, where it is not simply the vendor's own key: words for people,
    /// without secrets.
    pub authentication: Option<String>,
    /// Where its server tells how full it is.
    pub metrics: Option<MetricsPage>,
    /// Credentials are tried in turn: the index of the one in use.
    current: AtomicUsize,
    credentials: usize,
}

/// One way to call a provider.
#[derive(Debug)]
pub struct Surface {
    /// Its wire format.
    pub dialect: Dialect,
    /// Where.
    pub origin: Origin,
    /// Request heads, one per credential.
    pub credentials: Vec<CallHeads>,
    /// Where a call names its model.
    pub naming: Naming,
    /// The models that it serves, as [`pilothouse_catalog::Surface::serves`] says it.
    pub(super) serves: Vec<String>,
}

/// Where a call names its model, and its method with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// In the body.
    Body,
    /// In the path, as Google's own models.
    GeminiPath,
    /// In the path, as Bedrock's.
    BedrockPath,
    /// In the path, as Anthropic's models at Vertex AI; the body has no `model`.
    VertexAnthropic,
    /// In the path, as deployments at Azure before its v1 API.
    Deployment {
        /// `?api-version=…`.
        query: String,
    },
}

impl Naming {
    /// Where a dialect's own service wants it.
    #[must_use]
    pub const fn usual(dialect: Dialect) -> Self {
        match dialect {
            Dialect::GeminiGenerate => Self::GeminiPath,
            Dialect::BedrockConverse => Self::BedrockPath,
            _ => Self::Body,
        }
    }
}

/// A credential that is made call by call.
#[derive(Clone, Debug)]
pub enum Live {
    /// Each call is signed.
    Signed(Arc<Signer>),
    /// An access token that expires.
    Fetched(Arc<Tokens>),
}

/// The request heads of one credential.
#[derive(Debug)]
pub struct CallHeads {
    chat: Head,
    count_tokens: Option<Head>,
    embeddings: Option<Head>,
    completions: Option<Head>,
    kept: Option<Box<KeptHeads>>,
    pass: Option<Box<KeptHeads>>,
    /// What makes the credential, where it does not stand in the heads.
    pub live: Option<Live>,
}

/// The request heads of calls whose path is their own, at least in its end: about a response that the vendor holds,
/// and those that are no conversations.
#[derive(Debug)]
struct KeptHeads {
    get: Head,
    delete: Head,
    post: Head,
}

impl CallHeads {
    /// The head of a call, where the surface has it.
    #[must_use]
    pub fn get(&self, call: Call) -> Option<&Head> {
        match call {
            Call::Chat => Some(&self.chat),
            Call::CountTokens => self.count_tokens.as_ref(),
            Call::Embeddings | Call::EmbeddingsBatch => self.embeddings.as_ref(),
            Call::Completions => self.completions.as_ref(),
            Call::Pass(verb) => self.pass.as_ref().map(|heads| match verb {
                Verb::Get => &heads.get,
                Verb::Post => &heads.post,
                Verb::Delete => &heads.delete,
            }),
        }
    }

    /// The head of a call about a response that the vendor holds.
    #[must_use]
    pub fn kept(&self, method: &Method) -> Option<&Head> {
        let heads = self.kept.as_ref()?;
        match *method {
            Method::GET => Some(&heads.get),
            Method::DELETE => Some(&heads.delete),
            Method::POST => Some(&heads.post),
            _ => None,
        }
    }
}

impl Provider {
    /// The name that stands on the wire for `model`, and the model of the catalogue that it is.
    #[must_use]
    pub fn named<'m>(&'m self, model: &'m str) -> (&'m str, &'m str) {
        if let Some(real) = self.deployments.get(model) {
            return (model, real);
        }
        let deployed = self.deployments.iter().find(|(_, real)| *real == model);
        (deployed.map_or(model, |(name, _)| name.as_str()), model)
    }

    /// The access tokens of its calls, where they are fetched.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        let heads = self.surfaces.iter().flat_map(|surface| &surface.credentials);
        heads.filter_map(|heads| heads.live.as_ref()).find_map(|live| match live {
            Live::Fetched(tokens) => Some(&**tokens),
            Live::Signed(_) => None,
        })
    }

    /// The indices of the surfaces that may take a call to `model`, the preferred one first: those that name it, else
    /// those that name no models, else all.
    #[must_use]
    pub fn surfaces_for(&self, model: &str) -> Vec<usize> {
        let those = |fits: &dyn Fn(&Surface) -> bool| -> Vec<usize> {
            let all = self.surfaces.iter().enumerate();
            all.filter(|(_, surface)| fits(surface)).map(|(index, _)| index).collect()
        };
        let naming = those(&|surface| pilothouse_catalog::vendor::is_among(&surface.serves, model));
        if !naming.is_empty() {
            return naming;
        }
        let open = those(&|surface| surface.serves.is_empty());
        if open.is_empty() { those(&|_| true) } else { open }
    }

    /// The index of the credential in use.
    #[must_use]
    pub fn credential(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Goes on to the next credential after `refused` was refused. False when all have been tried since.
    pub fn next_credential(&self, refused: usize) -> bool {
        if self.credentials < 2 {
            return false;
        }
        let next = (refused + 1) % self.credentials;
        // Another call may have gone on already: then its choice is tried.
        let _ = self.current.compare_exchange(refused, next, Ordering::Relaxed, Ordering::Relaxed);
        true
    }

    /// How many credentials there are.
    #[must_use]
    pub const fn credentials(&self) -> usize {
        self.credentials
    }
}
