//! The second call of a stream that broke off, while it is on its way.

use std::task::{Context, Poll, ready};

use pilothouse_core::error::Kind;
use pilothouse_core::usage::Usage;
use pilothouse_upstream::Body;
use pilothouse_wire::codec::{StreamDecoder, VendorError};
use pilothouse_wire::facts::Facts;

use crate::job::{Job, SetAside};
use crate::pipeline::{Coming, RESUMPTIONS_MAX, Source};

/// What a stream is continued with, should it break off.
pub(crate) struct Resumption {
    source: Box<Source>,
    left: u8,
    under_way: Option<UnderWay>,
}

/// A second call on its way.
struct UnderWay {
    coming: Coming,
    set_aside: SetAside,
    /// What the client is told if nothing comes of it.
    error: Box<VendorError>,
    text_bytes: usize,
}

/// What goes on.
pub(super) struct Continued {
    /// The second stream.
    pub(super) body: Body,
    /// What reads it.
    pub(super) decoder: Box<dyn StreamDecoder + Send>,
    set_aside: SetAside,
    error: Box<VendorError>,
    text_bytes: usize,
}

impl Resumption {
    /// A stream that another call to its target may continue.
    pub(crate) const fn new(source: Box<Source>) -> Self {
        Self { source, left: RESUMPTIONS_MAX, under_way: None }
    }

    /// Whether a second call is on its way.
    pub(super) const fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Makes a second call that goes on from `text`, where the failure is one that it may mend and somebody pays it.
    pub(super) fn begin(&mut self, text: &str, error: &VendorError, job: &Job) -> bool {
        let may_mend = matches!(error.kind, Kind::Cut | Kind::Overloaded | Kind::Timeout | Kind::Vendor);
        if !may_mend || self.left == 0 || !self.source.may_ask() {
            return false;
        }
        let (input, output) = self.source.tokens(text);
        let Some(set_aside) = job.sets_aside_more(input, output) else { return false };
        self.left -= 1;
        let coming = self.source.ask(text, job.aside());
        let error = Box::new(error.clone());
        self.under_way = Some(UnderWay { coming, set_aside, error, text_bytes: text.len() });
        true
    }

    /// Ready with the second stream, or with what the client is told instead.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        job: &mut Option<Job>,
    ) -> Poll<Result<Continued, Box<VendorError>>> {
        let Some(under_way) = &mut self.under_way else { return Poll::Pending };
        let (came, aside) = ready!(under_way.coming.as_mut().poll(cx));
        if let Some(job) = job {
            job.join(aside);
        }
        let Some(UnderWay { set_aside, error, text_bytes, .. }) = self.under_way.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match came {
            Ok(body) => Ok(Continued { body, decoder: self.source.decoder(), set_aside, error, text_bytes }),
            Err(_) => {
                // What was set aside for it is free: nothing came of it.
                if let Some((reservation, _)) = set_aside {
                    reservation.release();
                }
                Err(error)
            }
        })
    }
}

impl Continued {
    /// Settles the first call; what the client is told that it used.
    pub(super) fn settle(self, facts: &Facts, job: &mut Job) -> (Body, Box<dyn StreamDecoder + Send>, Usage) {
        let Self { body, decoder, set_aside, error, text_bytes } = self;
        let before = job.goes_on(facts, set_aside, &error.message, text_bytes);
        (body, decoder, before)
    }
}
