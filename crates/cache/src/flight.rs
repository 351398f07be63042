//! Of equal requests at one time, one goes to the vendor, and the others wait for its answer.
//!
//! The first is the leader. Those that follow wait without holding anything. When the leader has an answer to share, all
//! get it; when it has one that cannot be shared (an error, an answer that is cut), each goes its own way, because asking
//! one after the other would make the last wait for all; when the leader is dropped before that, its client having gone
//! away, the first of those that wait leads in its place.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rustc_hash::FxHashMap;

use crate::key::Key;

/// The flights of a process.
#[derive(Debug)]
pub struct Flights<V>(Arc<Tower<V>>);

#[derive(Debug)]
struct Tower<V> {
    flights: Mutex<FxHashMap<Key, VecDeque<Arc<Seat<V>>>>>,
    flights_max: usize,
    followers_max: usize,
}

/// Where one follower waits.
#[derive(Debug)]
struct Seat<V>(Mutex<Waiting<V>>);

#[derive(Debug)]
struct Waiting<V> {
    landed: Option<Landed<V>>,
    waker: Option<Waker>,
    is_gone: bool,
}

/// What a request is among its equals.
#[derive(Debug)]
pub enum Joined<V> {
    /// It goes to the vendor, and tells how that went.
    Leads(Lead<V>),
    /// It waits.
    Follows(Follow<V>),
    /// It goes to the vendor by itself: too many wait already.
    Apart,
}

/// What came of waiting.
#[derive(Debug)]
pub enum Landed<V> {
    /// The answer.
    Answered(V),
    /// The leader is gone: this request leads now.
    Leads(Lead<V>),
    /// There is nothing to share: each goes its own way.
    Apart,
}

/// The right to answer for all that wait. Dropped before it has [landed](Lead::land), it goes to the first of them.
#[derive(Debug)]
pub struct Lead<V> {
    tower: Arc<Tower<V>>,
    key: Option<Key>,
}

/// A request that waits for another one's answer.
#[derive(Debug)]
pub struct Follow<V>(Arc<Seat<V>>);

impl<V> Flights<V> {
    /// At most so many flights, each with at most so many followers.
    #[must_use]
    pub fn new(flights_max: usize, followers_max: usize) -> Self {
        Self(Arc::new(Tower { flights: Mutex::default(), flights_max, followers_max }))
    }

    /// Joins the flight of that key, or begins one.
    #[must_use]
    pub fn join(&self, key: Key) -> Joined<V> {
        let mut flights = self.0.flights();
        let flights_now = flights.len();
        match flights.get_mut(&key) {
            Some(seats) => {
                // Those that gave up make room.
                if seats.len() >= self.0.followers_max {
                    seats.retain(|seat| !seat.waiting().is_gone);
                }
                if seats.len() >= self.0.followers_max {
                    return Joined::Apart;
                }
                let seat = Arc::new(Seat(Mutex::new(Waiting { landed: None, waker: None, is_gone: false })));
                seats.push_back(Arc::clone(&seat));
                Joined::Follows(Follow(seat))
            }
            None if flights_now >= self.0.flights_max => Joined::Apart,
            None => {
                flights.insert(key, VecDeque::new());
                Joined::Leads(Lead { tower: Arc::clone(&self.0), key: Some(key) })
            }
        }
    }

    /// How many flights are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.flights().len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<V> Tower<V> {
    fn flights(&self) -> MutexGuard<'_, FxHashMap<Key, VecDeque<Arc<Seat<V>>>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next follower of a flight that still waits; without one, the flight is over.
    fn next(&self, key: &Key) -> Option<Arc<Seat<V>>> {
        let mut flights = self.flights();
        let next = flights.get_mut(key).and_then(|seats| {
            while let Some(seat) = seats.pop_front() {
                if !seat.waiting().is_gone {
                    return Some(seat);
                }
            }
            None
        });
        if next.is_none() {
            flights.remove(key);
        }
        next
    }
}

impl<V> Seat<V> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what came of it to who waits here; gives it back where nobody does any more.
    fn give(&self, landed: Landed<V>) -> Option<Landed<V>> {
        let mut waiting = self.waiting();
        if waiting.is_gone {
            return Some(landed);
        }
        waiting.landed = Some(landed);
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
        None
    }
}

impl<V: Clone> Lead<V> {
    /// Tells all that wait: the answer to share, or that there is none.
    pub fn land(mut self, answer: Option<&V>) {
        let Some(key) = self.key.take() else { return };
        let seats = self.tower.flights().remove(&key).unwrap_or_default();
        for seat in seats {
            let landed = answer.map_or(Landed::Apart, |answer| Landed::Answered(answer.clone()));
            drop(seat.give(landed));
        }
    }
}

impl<V> Drop for Lead<V> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        while let Some(seat) = self.tower.next(&key) {
            let lead = Self { tower: Arc::clone(&self.tower), key: Some(key) };
            let Some(Landed::Leads(mut lead)) = seat.give(Landed::Leads(lead)) else { return };
            // Nobody sits there any more: taken back, so that it is not handed on twice.
            lead.key = None;
        }
    }
}

impl<V> Future for Follow<V> {
    type Output = Landed<V>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landed<V>> {
        let mut waiting = self.0.waiting();
        if let Some(landed) = waiting.landed.take() {
            waiting.is_gone = true;
            return Poll::Ready(landed);
        }
        waiting.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<V> Drop for Follow<V> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.is_gone = true;
        let landed = waiting.landed.take();
        drop(waiting);
        // The lead that was given a moment ago goes to the next, outside of the lock.
        drop(landed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::Wake;

    use super::*;
    use crate::key::Scope;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    fn key(number: u8) -> Key {
        Key::exact(&Scope::default(), &[number])
    }

    fn lead(flights: &Flights<u32>, number: u8) -> Lead<u32> {
        let Joined::Leads(lead) = flights.join(key(number)) else { panic!("somebody leads already") };
        lead
    }

    fn follow(flights: &Flights<u32>, number: u8) -> Follow<u32> {
        let Joined::Follows(follow) = flights.join(key(number)) else { panic!("nobody leads") };
        follow
    }

    fn poll(follow: &mut Follow<u32>) -> Poll<Landed<u32>> {
        pin!(follow).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn all_that_wait_get_the_leaders_answer_and_are_woken() {
        let flights = Flights::new(8, 8);
        let lead = lead(&flights, 1);
        let mut followers: Vec<_> = (0..3).map(|_| follow(&flights, 1)).collect();
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        for one in &mut followers {
            assert!(pin!(one).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        lead.land(Some(&7));
        assert_eq!(woken.0.load(SeqCst), 3);
        for one in &mut followers {
            assert!(matches!(poll(one), Poll::Ready(Landed::Answered(7))));
        }
        assert!(flights.is_empty());
    }

    #[test]
    fn without_an_answer_to_share_each_goes_its_own_way() {
        let flights = Flights::new(8, 8);
        let lead = lead(&flights, 1);
        let mut one = follow(&flights, 1);
        lead.land(None);
        assert!(matches!(poll(&mut one), Poll::Ready(Landed::Apart)));
    }

    #[test]
    fn a_leader_that_is_dropped_hands_over_to_the_first_that_waits() {
        let flights = Flights::new(8, 8);
        let leader = lead(&flights, 1);
        let gone = follow(&flights, 1);
        let (mut first, mut second) = (follow(&flights, 1), follow(&flights, 1));
        drop(gone);
        drop(leader);
        let Poll::Ready(Landed::Leads(next)) = poll(&mut first) else { panic!("nobody leads") };
        assert!(poll(&mut second).is_pending());
        assert!(matches!(flights.join(key(1)), Joined::Follows(_)), "the flight goes on");
        next.land(Some(&1));
        assert!(matches!(poll(&mut second), Poll::Ready(Landed::Answered(1))));
    }

    #[test]
    fn a_follower_that_leaves_with_the_lead_in_its_hands_hands_it_on() {
        let flights = Flights::new(8, 8);
        let leader = lead(&flights, 1);
        let (first, mut second) = (follow(&flights, 1), follow(&flights, 1));
        drop(leader);
        drop(first);
        assert!(matches!(poll(&mut second), Poll::Ready(Landed::Leads(_))));
        assert!(flights.is_empty(), "the last one dropped the lead too");
    }

    #[test]
    fn flights_and_followers_are_bounded_and_room_comes_back() {
        let flights = Flights::new(2, 2);
        let (one, _two) = (lead(&flights, 1), lead(&flights, 2));
        assert!(matches!(flights.join(key(3)), Joined::Apart));
        let (first, second) = (follow(&flights, 1), follow(&flights, 1));
        assert!(matches!(flights.join(key(1)), Joined::Apart));
        drop(first);
        assert!(matches!(flights.join(key(1)), Joined::Follows(_)), "it went at once");
        drop(second);
        drop(one);
        assert_eq!(flights.len(), 1, "every follower of it has gone");
    }
}
