//! Which provider holds a response that passed here, so that later calls about it find their way.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most responses that are remembered; the oldest go first.
const RESPONSES_MAX: usize = 16_384;
/// The longest id that is remembered, in bytes; those of OpenAI have about fifty.
const ID_MAX: usize = 128;

/// Where a response is held, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The provider's section.
    pub provider: Arc<str>,
    /// The name of the caller's key. Others learn nothing of it.
    pub key: Arc<str>,
}

/// The responses that passed here, by id. In memory only: what a restart forgets is still held by its provider.
#[derive(Debug, Default)]
pub struct KeptResponses {
    places: HashMap<Box<str>, Place>,
    order: VecDeque<Box<str>>,
}

impl KeptResponses {
    /// Remembers a response.
    pub fn put(&mut self, id: &str, place: Place) {
        if id.is_empty() || id.len() > ID_MAX {
            return;
        }
        if self.places.insert(id.into(), place).is_none() {
            self.order.push_back(id.into());
        }
        // What was deleted still stands in the order, so that its bound is the one that holds.
        while self.order.len() > RESPONSES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.places.remove(&oldest);
            }
        }
    }

    /// The provider that holds a response of that caller's.
    #[must_use]
    pub fn find(&self, id: &str, key: &str) -> Option<Arc<str>> {
        let place = self.places.get(id).filter(|place| &*place.key == key)?;
        Some(Arc::clone(&place.provider))
    }

    /// Forgets a response.
    pub fn remove(&mut self, id: &str) {
        self.places.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Place {
        Place { provider: "p".into(), key: key.into() }
    }

    #[test]
    fn only_whoever_made_a_response_finds_it() {
        let mut kept = KeptResponses::default();
        kept.put("resp_1", place("a"));
        assert_eq!(kept.find("resp_1", "a").as_deref(), Some("p"));
        assert_eq!(kept.find("resp_1", "b"), None);
        assert_eq!(kept.find("resp_2", "a"), None);
        kept.remove("resp_1");
        assert_eq!(kept.find("resp_1", "a"), None);
    }

    #[test]
    fn the_oldest_is_forgotten_beyond_the_bound() {
        let mut kept = KeptResponses::default();
        kept.put(&"x".repeat(ID_MAX + 1), place("a"));
        for number in 0..=RESPONSES_MAX {
            kept.put(&format!("resp_{number}"), place("a"));
            kept.remove(&format!("resp_{}", number.saturating_sub(2)));
        }
        assert_eq!((kept.find("resp_0", "a"), kept.order.len()), (None, RESPONSES_MAX));
        assert!(kept.find(&format!("resp_{RESPONSES_MAX}"), "a").is_some());
    }
}
