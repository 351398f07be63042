//! Responses that the fleet keeps, so that a later call can go on from one, read it, cancel it or delete it.

use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most responses kept, and most bytes of them; the oldest go first.
const STORED_MAX: usize = 2_048;
const BYTES_MAX: usize = 64 << 20;

/// One response with what led to it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// As it will be read: complete, or cancelled.
    pub(super) response: Value,
    /// The items of its own request, with ids.
    pub(super) given: Vec<Value>,
    /// All items before its output, those of earlier responses too.
    pub(super) context: Vec<Value>,
    /// A background response that nobody has read yet.
    pub(super) is_running: bool,
}

impl Stored {
    fn bytes(&self) -> usize {
        self.response.to_string().len() + Value::from(self.context.clone()).to_string().len()
    }
}

/// The kept responses of all callers. Cheap to share.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Kept>);

/// Caller and response id.
type Key = (String, String);

#[derive(Debug, Default)]
struct Kept {
    responses: HashMap<Key, (Arc<Stored>, usize)>,
    order: VecDeque<Key>,
    /// Where an output item stands: caller and item id to response id.
    items: HashMap<Key, String>,
    bytes: usize,
}

impl Kept {
    fn remove(&mut self, key: &Key) -> Option<Arc<Stored>> {
        let (stored, bytes) = self.responses.remove(key)?;
        self.bytes -= bytes;
        self.order.retain(|k| k != key);
        self.items.retain(|(caller, _), response| (caller, &*response) != (&key.0, &key.1));
        Some(stored)
    }
}

/// The items of a response's output.
pub(super) fn output(response: &Value) -> &[Value] {
    crate::shape::list(response, "output")
}

impl Shelf {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a response for its caller.
    pub(super) fn put(&self, caller: &str, id: &str, stored: Stored) {
        let key = (caller.to_owned(), id.to_owned());
        let mut kept = self.kept();
        kept.remove(&key);
        for item in output(&stored.response) {
            let item = crate::shape::text(item, "id").to_owned();
            kept.items.insert((caller.to_owned(), item), id.to_owned());
        }
        let bytes = stored.bytes();
        kept.bytes += bytes;
        kept.responses.insert(key.clone(), (Arc::new(stored), bytes));
        kept.order.push_back(key);
        while kept.order.len() > STORED_MAX || (kept.bytes > BYTES_MAX && kept.order.len() > 1) {
            let Some(oldest) = kept.order.front().cloned() else { break };
            kept.remove(&oldest);
        }
    }

    /// A response by its id.
    pub(super) fn get(&self, caller: &str, id: &str) -> Option<Arc<Stored>> {
        self.kept().responses.get(&(caller.to_owned(), id.to_owned())).map(|(stored, _)| stored.clone())
    }

    /// Forgets a response; `None` if there is none.
    pub(super) fn remove(&self, caller: &str, id: &str) -> Option<Arc<Stored>> {
        self.kept().remove(&(caller.to_owned(), id.to_owned()))
    }

    /// The response whose output has the item with this id.
    pub(super) fn holder(&self, caller: &str, item: &str) -> Option<Arc<Stored>> {
        let response = self.kept().items.get(&(caller.to_owned(), item.to_owned())).cloned()?;
        self.get(caller, &response)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.kept() = Kept::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored(item: &str, bytes: usize) -> Stored {
        let response = json!({ "output": [{ "id": item }], "padding": "x".repeat(bytes) });
        Stored { response, given: Vec::new(), context: Vec::new(), is_running: false }
    }

    #[test]
    fn the_shelf_is_bounded_in_responses_and_in_bytes() {
        let shelf = Shelf::default();
        for i in 0..=STORED_MAX {
            shelf.put("a", &format!("resp_{i}"), stored(&format!("msg_{i}"), 0));
        }
        assert!(shelf.get("a", "resp_0").is_none() && shelf.holder("a", "msg_0").is_none());
        assert!(shelf.get("a", "resp_1").is_some() && shelf.holder("a", "msg_1").is_some());
        shelf.put("a", "resp_large", stored("msg_large", BYTES_MAX));
        assert!(shelf.get("a", "resp_1").is_none() && shelf.get("a", "resp_large").is_some());
    }

    #[test]
    fn a_caller_finds_its_own_responses_only() {
        let shelf = Shelf::default();
        shelf.put("a", "resp_1", stored("msg_1", 0));
        assert!(shelf.get("b", "resp_1").is_none() && shelf.holder("b", "msg_1").is_none());
        assert!(shelf.remove("b", "resp_1").is_none() && shelf.remove("a", "resp_1").is_some());
        assert!(shelf.holder("a", "msg_1").is_none());
    }
}
