//! Timers for client connections, used again: hyper makes one for the head of each request, and making and ending
//! a timer costs several times what moving one does.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

/// Timers that wait to be used again, per worker. Each may keep the memory of the connection that used it last.
const SPARES_MAX: usize = 64;

type Inner = Pin<Box<tokio::time::Sleep>>;

/// The timers of one worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers(Arc<Mutex<Vec<Inner>>>);

/// A timer on loan; it goes back when it is dropped.
struct Loan {
    inner: Option<Inner>,
    timers: Timers,
}

impl Timers {
    fn at(&self, deadline: tokio::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let inner = match spare {
            Some(mut inner) => {
                inner.as_mut().reset(deadline);
                inner
            }
            None => Box::pin(tokio::time::sleep_until(deadline)),
        };
        Box::pin(Loan { inner: Some(inner), timers: self.clone() })
    }
}

impl hyper::rt::Timer for Timers {
    fn sleep(&self, duration: std::time::Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.at(tokio::time::Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.at(deadline.into())
    }

    fn now(&self) -> Instant {
        // The clock that the timers follow, which tests may hold still.
        tokio::time::Instant::now().into()
    }
}

impl hyper::rt::Sleep for Loan {}

impl Future for Loan {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.inner {
            Some(inner) => inner.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut spares = self.timers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < SPARES_MAX {
            spares.extend(self.inner.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::rt::Timer as _;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_was_used_before_fires_when_its_new_user_asks() {
        let timers = Timers::default();
        for seconds in [30, 5, 90] {
            let began = tokio::time::Instant::now();
            let mut sleep = timers.sleep_until(timers.now() + Duration::from_secs(seconds));
            assert!(futures_util::poll!(sleep.as_mut()).is_pending());
            sleep.await;
            let took = began.elapsed();
            assert!(
                took >= Duration::from_secs(seconds) && took < Duration::from_secs(seconds + 1),
                "{took:?}"
            );
            drop(timers.sleep(Duration::from_secs(1)));
        }
        assert_eq!(timers.0.lock().unwrap().len(), 1);
    }
}
