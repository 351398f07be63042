//! What happens in calls that are made side by side for one exchange, until it is told in their order.

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Attempt, Note};
use tokio::time::Instant;

use super::Job;

/// Who is told what happens while a target is called.
pub(crate) trait Tells {
    /// The request has left for the vendor.
    fn sent(&mut self);
    /// Something happened on the way.
    fn noted(&mut self, note: Note);
    /// An attempt failed.
    fn attempt_failed(&mut self, kind: Kind, status: Option<u16>);
}

impl Tells for Job {
    fn sent(&mut self) {
        Self::sent(self);
    }

    fn noted(&mut self, note: Note) {
        Self::noted(self, note);
    }

    fn attempt_failed(&mut self, kind: Kind, status: Option<u16>) {
        Self::attempt_failed(self, kind, status);
    }
}

/// What happened in one of several calls.
pub(crate) struct Aside {
    started: Instant,
    was_sent: bool,
    notes: Vec<Note>,
    failed: Vec<(Kind, Option<u16>, u64)>,
}

impl Tells for Aside {
    fn sent(&mut self) {
        self.was_sent = true;
    }

    fn noted(&mut self, note: Note) {
        self.notes.push(note);
    }

    fn attempt_failed(&mut self, kind: Kind, status: Option<u16>) {
        let failed_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.failed.push((kind, status, failed_us));
    }
}

impl Job {
    /// Begins to note what happens in one of several calls.
    pub(crate) fn aside(&self) -> Aside {
        Aside { started: self.started, was_sent: false, notes: Vec::new(), failed: Vec::new() }
    }

    /// Takes over what happened in one of several calls.
    pub(crate) fn join(&mut self, aside: Aside) {
        self.was_sent |= aside.was_sent;
        aside.notes.into_iter().for_each(|note| self.noted(note));
        let Some(target) = self.exchange.as_ref().and_then(|exchange| exchange.target.clone()) else {
            return;
        };
        for (kind, status, failed_us) in aside.failed {
            let target = target.clone();
            self.receipt(|receipt| {
                receipt.attempts.push(Attempt { target, kind, status, failed_us, outrun: None })
            });
        }
    }
}
