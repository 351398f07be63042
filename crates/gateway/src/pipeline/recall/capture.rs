//! Keeps an answer while it passes, where it turns out to be one that may be given again.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use pilothouse_cache::flight::Lead;
use pilothouse_cache::key::Key;
use pilothouse_core::exchange::{Finish, Outcome};

use super::meaning::Learning;
use crate::answer::{AnswerBody, Tap, TappedBody};
use crate::bodies::{Made, Watch};
use crate::cache::{Kept, Landing, Recalled};
use crate::pipeline::{Answer, CHANGED};
use crate::shared::Shared;

/// What an answer is kept for.
pub(super) struct Capture {
    pub(super) shared: Arc<Shared>,
    pub(super) watch: Arc<Watch>,
    pub(super) key: Key,
    /// The name that was asked for.
    pub(super) name: Box<str>,
    /// For how long it is good; 0 where it is not kept.
    pub(super) ttl_ms: u64,
    /// A stream is asked for.
    pub(super) is_stream: bool,
    /// Vectors are asked for.
    pub(super) embeds: bool,
    /// Those that wait for it. Dropped, it goes to the first of them.
    pub(super) lead: Option<Lead<Landing>>,
    /// What is learned of the question.
    pub(super) learning: Option<Box<Learning>>,
    /// Bytes of an answer at most.
    pub(super) room: usize,
}

impl Capture {
    /// Keeps the answer: at once where it is whole, else while it passes.
    pub(super) fn wrap(self, answer: Answer) -> Answer {
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            self.lands(None);
            return Answer::from_parts(head, body);
        }
        if let AnswerBody::Full(bytes) = &body {
            let bytes = bytes.clone().unwrap_or_default();
            let kept = self.kept(&head.headers, bytes);
            self.lands(kept);
            return Answer::from_parts(head, body);
        }
        let tap =
            Box::new(CaptureTap { capture: self, headers: head.headers.clone(), bytes: BytesMut::new() });
        Answer::from_parts(head, AnswerBody::Tapped(Box::new(TappedBody::new(body, tap))))
    }

    /// The answer as it is kept; `None` for one that is not.
    fn kept(&self, headers: &HeaderMap, body: Bytes) -> Option<Kept> {
        let made = self
            .watch
            .made()
            .filter(|made| *made.asked == *self.name && may_be_given_again(made, self.embeds))?;
        Some(Kept {
            // A copy: the bytes may be part of a larger piece of memory.
            body: Bytes::copy_from_slice(&body),
            content_type: headers.get(header::CONTENT_TYPE).cloned(),
            changed: headers.get(CHANGED).cloned(),
            is_stream: self.is_stream,
            made: made.clone(),
        })
    }

    /// Keeps it, and gives it to all that wait.
    fn lands(self, kept: Option<Kept>) {
        let kept = kept.map(Arc::new);
        if let Some(kept) = &kept {
            let (bytes, now) = (kept.bytes(), self.shared.clock.now());
            let ttl_ms = self.ttl_ms.max(self.learning.as_ref().map_or(0, |learning| learning.ttl_ms()));
            self.shared.cache.answers.put_shared(self.key, Arc::clone(kept), bytes, now, ttl_ms);
            if let Some(learning) = self.learning {
                learning.learn(self.key, kept);
            }
        }
        if let Some(lead) = self.lead {
            lead.land(kept.map(|kept| (kept, Recalled::Hit)).as_ref());
        }
    }
}

/// Whether an answer is whole and as it should be: neither cut by a limit nor refused.
fn may_be_given_again(made: &Made, embeds: bool) -> bool {
    let is_whole = match made.answer.finish {
        Some(Finish::Stop | Finish::StopSequence | Finish::ToolCalls) => true,
        Some(_) => false,
        None => embeds,
    };
    made.outcome == Outcome::Complete && is_whole && !made.was_last_turn
}

/// Gathers what passes.
struct CaptureTap {
    capture: Capture,
    headers: HeaderMap,
    bytes: BytesMut,
}

impl Tap for CaptureTap {
    fn saw(&mut self, data: &Bytes) -> bool {
        if self.bytes.len() + data.len() > self.capture.room {
            // Too large to be kept, and so to be waited for.
            if let Some(lead) = self.capture.lead.take() {
                lead.land(None);
            }
            return false;
        }
        self.bytes.extend_from_slice(data);
        true
    }

    fn ended(self: Box<Self>, is_whole: bool) {
        let Self { capture, headers, bytes } = *self;
        let has_failed = capture.watch.made().is_some_and(|made| matches!(made.outcome, Outcome::Failed(_)));
        if !is_whole && !has_failed {
            // The client went away, and the end of the answer with it: dropped, the lead goes to the next.
            return;
        }
        let kept = if is_whole { capture.kept(&headers, bytes.freeze()) } else { None };
        capture.lands(kept);
    }
}
