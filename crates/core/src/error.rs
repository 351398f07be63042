//! What went wrong, whose fault it is, and whether another attempt may help.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of an error. Each has one status towards clients and one name in records and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request cannot be understood or carried out as asked.
    BadRequest,
    /// No usable key came with the request.
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// No target answers to the model's name.
    UnknownModel,
    /// No such endpoint.
    NotFound,
    /// The request body is larger than the limit.
    TooLarge,
    /// The vendor, or we, ask the caller to slow down.
    RateLimited,
    /// The vendor, or we, have no capacity now.
    Overloaded,
    /// Nothing took the connection at the vendor's address.
    ConnectFailed,
    /// A deadline passed.
    Timeout,
    /// The answer broke off before its end.
    Cut,
    /// The vendor's answer is not what its dialect allows.
    BadAnswer,
    /// The model has been retired by its vendor.
    Gone,
    /// The vendor refused the request for a reason of its own; its status and message are passed on.
    Vendor,
    /// We failed.
    Internal,
}

impl Kind {
    /// Every class.
    pub const ALL: [Self; 15] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::UnknownModel,
        Self::NotFound,
        Self::TooLarge,
        Self::RateLimited,
        Self::Overloaded,
        Self::ConnectFailed,
        Self::Timeout,
        Self::Cut,
        Self::BadAnswer,
        Self::Gone,
        Self::Vendor,
        Self::Internal,
    ];

    /// The name used in records, metrics and error bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::UnknownModel => "unknown_model",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::ConnectFailed => "connect_failed",
            Self::Timeout => "timeout",
            Self::Cut => "cut",
            Self::BadAnswer => "bad_answer",
            Self::Gone => "gone",
            Self::Vendor => "vendor",
            Self::Internal => "internal",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The HTTP status that a client gets where the vendor gave none.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::UnknownModel | Self::NotFound => 404,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Cut | Self::BadAnswer | Self::ConnectFailed | Self::Vendor => 502,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// Whose fault an error of this class is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::BadRequest
            | Self::Unauthorized
            | Self::Forbidden
            | Self::UnknownModel
            | Self::NotFound
            | Self::TooLarge => Fault::Client,
            Self::Internal => Fault::Ours,
            _ => Fault::Upstream,
        }
    }
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller's request.
    Client,
    /// The vendor, or the way to it.
    Upstream,
    /// Pilothouse itself.
    Ours,
}

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same request would fail again.
    Never,
    /// Another attempt may help, after this many milliseconds if the vendor said so.
    After(Option<u64>),
}

/// An error: what the caller may read, and apart from it the private cause.
#[derive(Debug)]
pub struct Error {
    /// Its class.
    pub kind: Kind,
    /// Whether another attempt may help.
    pub retry: Retry,
    /// The sentence for the caller: the thing, the reason and the next step. Never holds a secret.
    pub public: Cow<'static, str>,
    /// The request member that is wrong, if one is (`messages[0].content`).
    pub param: Option<Cow<'static, str>>,
    /// What happened underneath; for logs only.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a class with the sentence that the caller reads.
    #[must_use]
    pub fn new(kind: Kind, public: impl Into<Cow<'static, str>>) -> Self {
        let retry = match kind {
            Kind::RateLimited | Kind::Overloaded | Kind::ConnectFailed => Retry::After(None),
            _ => Retry::Never,
        };
        Self { kind, retry, public: public.into(), param: None, cause: None }
    }

    /// A request that cannot be understood, with the member that is wrong.
    #[must_use]
    pub fn bad_request(param: impl Into<Cow<'static, str>>, public: impl Into<Cow<'static, str>>) -> Self {
        Self { param: Some(param.into()), ..Self::new(Kind::BadRequest, public) }
    }

    /// The same error with its private cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.kind.fault()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind.as_str(), self.public)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
