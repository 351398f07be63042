//! How a call to a vendor can fail on the way, and what may be done about it.

use std::fmt;

use pilothouse_core::error::{Error, Kind};

use crate::upload::Broken;

/// The part of a call that a deadline cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opening the connection (TCP, proxy and TLS).
    Connect,
    /// Waiting for the first byte of the answer.
    FirstByte,
    /// Waiting for the next byte of the answer.
    BetweenChunks,
    /// The whole call.
    Total,
}

impl Phase {
    const fn words(self) -> &'static str {
        match self {
            Self::Connect => "while connecting",
            Self::FirstByte => "before the first byte of the answer",
            Self::BetweenChunks => "between two chunks of the answer",
            Self::Total => "for the whole call",
        }
    }
}

/// A transport failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection could be opened; nothing was sent.
    Connect(String),
    /// A pooled connection was closed before any byte of the answer; the vendor had given it up.
    StaleConnection,
    /// The vendor closed a fresh connection before any byte of the answer.
    ClosedEarly,
    /// A deadline passed.
    Timeout(Phase),
    /// The answer broke off.
    Cut(String),
    /// The bytes are not an answer that HTTP allows, or exceed a bound.
    BadAnswer(String),
    /// The body that was being sent came to no good end: the caller's own reason.
    Upload(Broken),
}

impl Failure {
    /// Whether the request may be sent again: it certainly was not taken up.
    #[must_use]
    pub const fn is_safe_to_retry(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::StaleConnection | Self::Timeout(Phase::Connect))
    }

    /// The class of the failure.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Connect(_) => Kind::ConnectFailed,
            Self::StaleConnection | Self::ClosedEarly | Self::Cut(_) => Kind::Cut,
            Self::Timeout(_) => Kind::Timeout,
            Self::BadAnswer(_) => Kind::BadAnswer,
            Self::Upload(broken) => broken.kind,
        }
    }

    /// The error that a caller reads; `vendor` names who was called.
    #[must_use]
    pub fn into_error(self, vendor: &str) -> Error {
        let public = match &self {
            Self::Connect(why) => {
                format!("could not connect to `{vendor}` ({why}); check its base_url and that it is up")
            }
            Self::StaleConnection | Self::ClosedEarly => {
                format!("`{vendor}` closed the connection before it answered; try again")
            }
            Self::Timeout(phase) => {
                format!(
                    "`{vendor}` took longer than its deadline {}; raise its timeout or try again",
                    phase.words()
                )
            }
            Self::Cut(why) => format!("the answer of `{vendor}` broke off ({why}); try again"),
            Self::BadAnswer(why) => format!("`{vendor}` sent an answer that cannot be read: {why}"),
            Self::Upload(broken) => broken.why.to_string(),
        };
        Error::new(self.kind(), public)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(out, "connect failed: {why}"),
            Self::StaleConnection => out.write_str("a pooled connection was closed before any byte"),
            Self::ClosedEarly => out.write_str("closed before any byte"),
            Self::Timeout(phase) => write!(out, "timeout {}", phase.words()),
            Self::Cut(why) => write!(out, "cut: {why}"),
            Self::BadAnswer(why) => write!(out, "bad answer: {why}"),
            Self::Upload(broken) => write!(out, "the request's body: {}", broken.why),
        }
    }
}

impl std::error::Error for Failure {}
