//! A request body that comes piece by piece while it is sent, so that nobody holds it whole.

use std::borrow::Cow;
use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use pilothouse_core::error::Kind;

/// Where the pieces of a body come from.
pub trait Source: Send {
    /// The next piece; `None` at the end of the body.
    ///
    /// # Errors
    /// [`Broken`], when what was begun must not be finished. The call is then given up.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>>;
}

/// Why a body was not sent to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The class of the error.
    pub kind: Kind,
    /// The sentence for whoever sent the body.
    pub why: Cow<'static, str>,
}

impl Broken {
    /// A body that ends for this reason.
    #[must_use]
    pub fn new(kind: Kind, why: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, why: why.into() }
    }
}

/// A body on its way.
pub struct Upload {
    pub(crate) source: Box<dyn Source>,
    pub(crate) length: Option<u64>,
}

impl Upload {
    /// A body of `length` bytes; of a length that its end will tell where that is not known.
    #[must_use]
    pub fn new(source: Box<dyn Source>, length: Option<u64>) -> Self {
        Self { source, length }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Upload({:?} bytes)", self.length)
    }
}
