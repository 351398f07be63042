//! Telling running streams that their time is up, without a timer or a channel per stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// The streams that run now.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_over: AtomicBool,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    wakers: Vec<Option<Arc<AtomicWaker>>>,
    free: Vec<usize>,
}

/// One stream's place among those that run.
#[derive(Debug)]
pub struct Place {
    drain: Drain,
    index: usize,
    waker: Arc<AtomicWaker>,
}

impl Drain {
    /// Enters a stream.
    #[must_use]
    pub fn enter(&self) -> Place {
        let waker = Arc::new(AtomicWaker::new());
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        let index = if let Some(index) = places.free.pop() {
            places.wakers[index] = Some(Arc::clone(&waker));
            index
        } else {
            places.wakers.push(Some(Arc::clone(&waker)));
            places.wakers.len() - 1
        };
        Place { drain: self.clone(), index, waker }
    }

    /// Ends the time of every stream.
    pub fn end(&self) {
        self.0.is_over.store(true, Ordering::Release);
        let places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        for waker in places.wakers.iter().flatten() {
            waker.wake();
        }
    }

    /// Ready when the time is up.
    pub async fn ended(&self) {
        let place = self.enter();
        std::future::poll_fn(|cx| if place.poll_is_over(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Whether the time is up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Acquire)
    }
}

impl Place {
    /// Whether the time is up; else the task is woken when it is.
    pub fn poll_is_over(&self, cx: &Context<'_>) -> bool {
        self.waker.register(cx.waker());
        self.drain.is_over()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.drain.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.wakers[self.index] = None;
        places.free.push(self.index);
    }
}
