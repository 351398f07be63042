//! What conversations have drawn, where their next turn cannot tell it: bounded, in memory, the least recently used go first.

use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

/// Most that one generation holds; two are kept.
const GENERATION_MAX: usize = 32_768;

/// Numbers by digests.
#[derive(Debug, Default)]
pub struct Draws(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: FxHashMap<u64, u64>,
    old: FxHashMap<u64, u64>,
}

impl Generations {
    fn put(&mut self, key: u64, value: u64) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

impl Draws {
    /// Remembers a number.
    pub(crate) fn put(&self, key: u64, value: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, value);
    }

    /// The number that was remembered; it is remembered anew.
    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known.young.get(&key) {
            return Some(*value);
        }
        let value = known.old.get(&key).copied()?;
        known.put(key, value);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_is_forgotten_in_the_end() {
        let draws = Draws::default();
        draws.put(u64::MAX, 1);
        draws.put(u64::MAX - 1, 2);
        let count = u64::try_from(GENERATION_MAX).unwrap();
        for nth in 0..3 * count {
            draws.put(nth, nth);
            assert_eq!(draws.get(u64::MAX), Some(1));
        }
        assert_eq!(draws.get(u64::MAX - 1), None);
        assert_eq!(draws.get(3 * count - 1), Some(3 * count - 1));
    }
}
