//! A provider made ready: for each dialect it speaks, prepared request heads per credential.

mod auth;
mod build;
mod heads;
mod ways;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use pilothouse_core::dialect::Dialect;
use pilothouse_upstream::{Head, Origin};

use crate::endpoints::Call;

pub use auth::Credential;
pub(super) use build::build_provider;

/// A place that may be called.
#[derive(Debug)]
pub struct Provider {
    /// The section's name.
    pub name: Arc<str>,
    /// The catalogue's platform whose rows price it.
    pub platform: String,
    /// Bare names it answers to besides the catalogue's.
    pub models: Vec<String>,
    /// The ways to call it, the preferred one first.
    pub surfaces: Vec<Surface>,
    /// Further attempts after the first.
    pub retries: u32,
    /// Whether a call may be repeated after a timeout with its body sent.
    pub retry_after_timeout: bool,
    /// The vendor takes no `stream_options`, so usage is not asked for in streams.
    pub no_stream_options: bool,
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
}

/// The request heads of one credential.
#[derive(Debug)]
pub struct CallHeads {
    chat: Head,
    count_tokens: Option<Head>,
    embeddings: Option<Head>,
    kept: Option<Box<KeptHeads>>,
}

/// The request heads of calls about a response that the vendor holds; what follows the path is the call's own.
#[derive(Debug)]
struct KeptHeads {
    get: Head,
    delete: Head,
    post: Head,
}

impl CallHeads {
    /// The head of a call, where the surface has it.
    #[must_use]
    pub const fn get(&self, call: Call) -> Option<&Head> {
        match call {
            Call::Chat => Some(&self.chat),
            Call::CountTokens => self.count_tokens.as_ref(),
            Call::Embeddings => self.embeddings.as_ref(),
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
