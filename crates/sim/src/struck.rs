//! Which bodies the faults that strike once have struck already.

use std::collections::{HashSet, VecDeque};

/// Most bodies remembered.
const STRUCK_MAX: usize = 8_192;

/// Bodies that a fault has struck once, the oldest forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    seen: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl Struck {
    /// Whether this is the first time.
    pub(crate) fn first(&mut self, key: [u8; 32]) -> bool {
        if !self.seen.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > STRUCK_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_body_is_struck_once_until_it_is_forgotten() {
        let key = |n: usize| crate::chance::digest(n as u64, &[]);
        let mut struck = Struck::default();
        assert!(struck.first(key(0)) && !struck.first(key(0)));
        assert!((1..=STRUCK_MAX).all(|n| struck.first(key(n))));
        assert!(struck.first(key(0)), "the oldest is forgotten");
        assert_eq!(struck.seen.len(), STRUCK_MAX);
    }
}
