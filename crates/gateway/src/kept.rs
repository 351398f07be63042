//! Which provider holds what passed here (responses, files, batches), so that later calls about it find their way.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most things of one kind that are remembered; the oldest go first.
const PLACES_MAX: usize = 16_384;
/// The longest id that is remembered, in bytes; those of OpenAI have about fifty.
const ID_MAX: usize = 128;

/// Where something is held, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The provider's section.
    pub provider: Arc<str>,
    /// The name of the caller's key. Others learn nothing of it.
    pub key: Arc<str>,
    /// What it cost stands in a record already.
    pub is_billed: bool,
}

impl Place {
    /// A place that no record has billed.
    #[must_use]
    pub const fn new(provider: Arc<str>, key: Arc<str>) -> Self {
        Self { provider, key, is_billed: false }
    }
}

/// Who has something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This provider, for the caller.
    Yours(Arc<str>),
    /// Somebody, for another key.
    Others,
    /// Nobody knows.
    Unknown,
}

/// What passed here, by id. In memory only: what a restart forgets is still held by its provider.
#[derive(Debug, Default)]
pub struct KeptPlaces {
    places: HashMap<Box<str>, Place>,
    order: VecDeque<Box<str>>,
}

impl KeptPlaces {
    /// Remembers something.
    pub fn put(&mut self, id: &str, place: Place) {
        if id.is_empty() || id.len() > ID_MAX {
            return;
        }
        if let Some(known) = self.places.get_mut(id) {
            let is_billed = known.is_billed;
            *known = Place { is_billed: is_billed || place.is_billed, ..place };
        } else {
            self.places.insert(id.into(), place);
            self.order.push_back(id.into());
        }
        // What was deleted still stands in the order, so that its bound is the one that holds.
        while self.order.len() > PLACES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.places.remove(&oldest);
            }
        }
    }

    /// The provider that holds something of that caller's.
    #[must_use]
    pub fn find(&self, id: &str, key: &str) -> Option<Arc<str>> {
        let place = self.places.get(id).filter(|place| &*place.key == key)?;
        Some(Arc::clone(&place.provider))
    }

    /// Who has something, to the eyes of the caller with that key.
    #[must_use]
    pub fn holder(&self, id: &str, key: &str) -> Holder {
        match self.places.get(id) {
            Some(place) if &*place.key == key => Holder::Yours(Arc::clone(&place.provider)),
            Some(_) => Holder::Others,
            None => Holder::Unknown,
        }
    }

    /// Whether the cost of it is still to be recorded; from now on it is not.
    pub fn bill_once(&mut self, id: &str) -> bool {
        self.places.get_mut(id).is_some_and(|place| !std::mem::replace(&mut place.is_billed, true))
    }

    /// Forgets something.
    pub fn remove(&mut self, id: &str) {
        self.places.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Place {
        Place::new("p".into(), key.into())
    }

    #[test]
    fn only_whoever_made_a_response_finds_it() {
        let mut kept = KeptPlaces::default();
        kept.put("resp_1", place("a"));
        assert_eq!(kept.find("resp_1", "a").as_deref(), Some("p"));
        assert_eq!(kept.find("resp_1", "b"), None);
        assert_eq!(kept.find("resp_2", "a"), None);
        kept.remove("resp_1");
        assert_eq!(kept.find("resp_1", "a"), None);
    }

    #[test]
    fn a_cost_is_recorded_once_however_often_it_is_told() {
        let mut kept = KeptPlaces::default();
        assert!(!kept.bill_once("batch_1"));
        kept.put("batch_1", place("a"));
        assert!(kept.bill_once("batch_1"));
        kept.put("batch_1", place("a"));
        assert!(!kept.bill_once("batch_1"));
        assert_eq!(kept.holder("batch_1", "a"), Holder::Yours("p".into()));
        assert_eq!(kept.holder("batch_1", "b"), Holder::Others);
        assert_eq!(kept.holder("batch_2", "a"), Holder::Unknown);
    }

    #[test]
    fn the_oldest_is_forgotten_beyond_the_bound() {
        let mut kept = KeptPlaces::default();
        kept.put(&"x".repeat(ID_MAX + 1), place("a"));
        for number in 0..=PLACES_MAX {
            kept.put(&format!("resp_{number}"), place("a"));
            kept.remove(&format!("resp_{}", number.saturating_sub(2)));
        }
        assert_eq!((kept.find("resp_0", "a"), kept.order.len()), (None, PLACES_MAX));
        assert!(kept.find(&format!("resp_{PLACES_MAX}"), "a").is_some());
    }
}
