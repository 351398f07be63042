//! Waiting for a first lease without a thread: for callers that would rather wait a moment than be refused.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::account::Account;

/// Ends when none of its accounts waits for a lease any more. Whether the money suffices, the next reservation tells.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Ready {
    pub(super) accounts: Vec<Account>,
}

impl Future for Ready {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for account in &self.accounts {
            let mut state = account.0.lock();
            // Where too many wait already, this one does not: its next reservation is refused or not.
            if state.is_asked && state.wait(context.waker()) {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}
