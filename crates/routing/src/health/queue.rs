//! A concurrency limit with a bounded queue: by deadline within a key, fairly between keys.
//!
//! Pure: it holds tickets, and its owner wakes them. Each key has a lane ordered by deadline; the next place goes to the
//! lane that has been served least (start-time fair queueing with calls as the unit: Goyal, Vin, Cheng, SIGCOMM 1996),
//! and among equals to the earliest deadline. When the queue is full, the key with the most tickets in it pays.

use std::collections::{BTreeMap, BTreeSet};

use pilothouse_core::clock::UnixMs;

/// Who holds places: a digest of the key.
pub type KeyDigest = u64;

/// What became of a ticket that wanted a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<T> {
    /// It has a place now.
    Admitted(T),
    /// It waits.
    Queued {
        /// Another ticket that had to go for it: its owner answers 429.
        shed: Option<T>,
    },
    /// It was shed: the queue is full and its key has most of it, or its deadline has passed.
    Shed(T),
}

/// A place that became free, and what had to go meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freed<T> {
    /// The ticket that has the place now.
    pub admitted: Option<T>,
    /// Tickets whose deadline had passed.
    pub expired: Vec<T>,
}

/// A concurrency limit with its queue.
#[derive(Debug)]
pub struct Queue<T> {
    places: u32,
    waiting_max: usize,
    taken: u32,
    waiting: usize,
    /// Orders tickets of equal deadlines by arrival.
    arrivals: u64,
    /// The service that the last admitted lane had: a lane that comes anew starts here, and has no credit for its absence.
    served: u64,
    lanes: BTreeMap<KeyDigest, Lane<T>>,
    /// Lanes with tickets, the next one first: service, earliest deadline, key.
    next: BTreeSet<(u64, UnixMs, KeyDigest)>,
}

#[derive(Debug)]
struct Lane<T> {
    served: u64,
    tickets: BTreeMap<(UnixMs, u64), T>,
}

impl<T> Lane<T> {
    fn place(&self, key: KeyDigest) -> Option<(u64, UnixMs, KeyDigest)> {
        self.tickets.first_key_value().map(|((deadline, _), _)| (self.served, *deadline, key))
    }
}

impl<T> Queue<T> {
    /// So many calls at a time, so many tickets waiting.
    #[must_use]
    pub const fn new(places: u32, waiting_max: usize) -> Self {
        Self {
            places,
            waiting_max,
            taken: 0,
            waiting: 0,
            arrivals: 0,
            served: 0,
            lanes: BTreeMap::new(),
            next: BTreeSet::new(),
        }
    }

    /// Calls that have a place.
    #[must_use]
    pub const fn taken(&self) -> u32 {
        self.taken
    }

    /// Tickets that wait.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Asks for a place.
    pub fn enter(&mut self, key: KeyDigest, deadline: UnixMs, ticket: T, now: UnixMs) -> Entry<T> {
        if self.has_room() {
            self.taken += 1;
            return Entry::Admitted(ticket);
        }
        if deadline <= now {
            return Entry::Shed(ticket);
        }
        let mut shed = None;
        if self.waiting >= self.waiting_max {
            match self.make_room(key, deadline) {
                Some(found) => shed = Some(found),
                None => return Entry::Shed(ticket),
            }
        }
        self.insert(key, deadline, ticket);
        Entry::Queued { shed }
    }

    /// Whether a place is free for whoever comes now.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.taken < self.places && self.waiting == 0
    }

    /// Changes how many calls and tickets there may be. Whoever has a place keeps it, and whoever waits waits on; after more
    /// places were made, [`Queue::admit`] hands them out.
    pub const fn resize(&mut self, places: u32, waiting_max: usize) {
        self.places = places;
        self.waiting_max = waiting_max;
    }

    /// Gives a place back, and hands it to the next ticket whose deadline has not passed.
    pub fn leave(&mut self, now: UnixMs) -> Freed<T> {
        self.taken = self.taken.saturating_sub(1);
        self.admit(now)
    }

    /// Hands a free place to the next ticket whose deadline has not passed.
    pub fn admit(&mut self, now: UnixMs) -> Freed<T> {
        let mut freed = Freed { admitted: None, expired: Vec::new() };
        while freed.admitted.is_none() && self.taken < self.places {
            let Some((deadline, ticket)) = self.pop(now) else { break };
            if deadline <= now {
                freed.expired.push(ticket);
            } else {
                self.taken += 1;
                freed.admitted = Some(ticket);
            }
        }
        freed
    }

    /// Takes a ticket out whose owner no longer waits. The test says which one it is.
    pub fn withdraw(&mut self, key: KeyDigest, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let lane = self.lanes.get_mut(&key)?;
        let at = lane.tickets.iter().find(|(_, ticket)| is_it(ticket)).map(|(at, _)| *at)?;
        self.take(key, at)
    }

    /// Room for a ticket of `key`: the ticket with the latest deadline of the lane that has the most goes, which may be
    /// its own lane; `None` where the newcomer itself would be that ticket.
    fn make_room(&mut self, key: KeyDigest, deadline: UnixMs) -> Option<T> {
        let own = self.lanes.get(&key).map_or(0, |lane| lane.tickets.len());
        let (greedy, most) = self
            .lanes
            .iter()
            .map(|(key, lane)| (*key, lane.tickets.len()))
            .max_by_key(|(other, length)| (*length, *other == key))?;
        let last = *self.lanes.get(&greedy)?.tickets.last_key_value()?.0;
        // With as many tickets as the greediest lane, a newcomer would be the greediest itself.
        let pays_itself = greedy == key || own + 1 >= most;
        if pays_itself {
            let own_last = *self.lanes.get(&key)?.tickets.last_key_value()?.0;
            return if deadline < own_last.0 { self.take(key, own_last) } else { None };
        }
        self.take(greedy, last)
    }

    fn insert(&mut self, key: KeyDigest, deadline: UnixMs, ticket: T) {
        let served = self.served;
        let lane = self.lanes.entry(key).or_insert_with(|| Lane { served, tickets: BTreeMap::new() });
        if let Some(place) = lane.place(key) {
            self.next.remove(&place);
        }
        lane.tickets.insert((deadline, self.arrivals), ticket);
        self.arrivals += 1;
        self.waiting += 1;
        self.next.extend(lane.place(key));
    }

    /// The next ticket; its lane pays for it, unless it is too late.
    fn pop(&mut self, now: UnixMs) -> Option<(UnixMs, T)> {
        let (served, _, key) = *self.next.first()?;
        let at = *self.lanes.get(&key)?.tickets.first_key_value()?.0;
        if at.0 > now {
            self.served = self.served.max(served);
            let lane = self.lanes.get_mut(&key)?;
            self.next.remove(&(served, at.0, key));
            lane.served = served + 1;
            self.next.extend(lane.place(key));
        }
        Some((at.0, self.take(key, at)?))
    }

    fn take(&mut self, key: KeyDigest, at: (UnixMs, u64)) -> Option<T> {
        let lane = self.lanes.get_mut(&key)?;
        if let Some(place) = lane.place(key) {
            self.next.remove(&place);
        }
        let ticket = lane.tickets.remove(&at);
        self.waiting -= usize::from(ticket.is_some());
        match lane.place(key) {
            Some(place) => {
                self.next.insert(place);
            }
            // A lane is remembered only while it waits, so keys cannot fill the memory.
            None => {
                self.lanes.remove(&key);
            }
        }
        ticket
    }
}

#[cfg(test)]
mod tests;
