//! Tombstones: a model that its vendor no longer has is not asked for, for a while.
//!
//! One 404 `model_not_found` may mean that *this credential* may not see the model, so it buries the pair of target and
//! credential only. The target itself is buried by a 410, by a second credential that is told the same, or by being
//! absent from the vendor's list. A stone expires; then one call probes, and if it finds nothing the stone lies twice as
//! long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;
use smallvec::SmallVec;

/// Milliseconds that a stone first lies: a model that was absent by accident is back within the hour.
pub const BURIED_MS: u64 = 10 * 60 * 1000;
/// The longest that a stone lies.
pub const BURIED_MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// Most credentials that are remembered per target; beyond it the oldest is forgotten.
const CREDENTIALS_MAX: usize = 16;
/// Milliseconds for which a probe keeps others away.
const PROBE_MS: u64 = 30_000;

/// What a vendor said of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// 404 `model_not_found` to the credential with this index.
    NotFound {
        /// The credential's index.
        credential: u32,
    },
    /// 410.
    Gone,
    /// The vendor's list of models does not have it.
    Unlisted,
}

/// The tombstones of one target.
#[derive(Debug, Default)]
pub struct Tombstones {
    /// Until when the target itself is buried; 0 is never. Read without a lock.
    target_until: AtomicU64,
    /// The latest moment until which any credential is buried, so that the usual case takes no lock either.
    any_until: AtomicU64,
    stones: Mutex<Stones>,
}

#[derive(Debug, Default)]
struct Stones {
    target: Option<Stone>,
    credentials: SmallVec<[(u32, Stone); 2]>,
}

#[derive(Clone, Copy, Debug)]
struct Stone {
    until: UnixMs,
    lies_ms: u64,
    /// Until when a probe keeps others away.
    probed_until: UnixMs,
}

impl Stone {
    /// The stone after the vendor has said once more that the model is absent.
    fn renewed(before: Option<Self>, now: UnixMs) -> Self {
        let lies_ms = match before {
            // Several calls that were under way tell the same thing once.
            Some(stone) if now < stone.until => return stone,
            Some(stone) => stone.lies_ms.saturating_mul(2).min(BURIED_MS_MAX),
            None => BURIED_MS,
        };
        Self { until: UnixMs(now.0.saturating_add(lies_ms)), lies_ms, probed_until: UnixMs(0) }
    }

    fn blocks_until(&self) -> u64 {
        self.until.0.max(self.probed_until.0)
    }

    /// Whether a caller may probe now; from then on the others wait.
    fn probe(&mut self, now: UnixMs) -> bool {
        let may = self.blocks_until() <= now.0;
        if may {
            self.probed_until = UnixMs(now.0.saturating_add(PROBE_MS));
        }
        may
    }
}

impl Tombstones {
    /// Milliseconds for which the target is buried for every credential. Takes no lock.
    #[must_use]
    pub fn target_buried_ms(&self, now: UnixMs) -> Option<u64> {
        self.target_until.load(Ordering::Acquire).checked_sub(now.0).filter(|left| *left > 0)
    }

    /// Milliseconds for which the target is buried for one credential, or for all.
    #[must_use]
    pub fn buried_ms(&self, credential: u32, now: UnixMs) -> Option<u64> {
        if let Some(left) = self.target_buried_ms(now) {
            return Some(left);
        }
        if self.any_until.load(Ordering::Acquire) <= now.0 {
            return None;
        }
        let stones = self.stones.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, stone) = stones.credentials.iter().find(|(known, _)| *known == credential)?;
        stone.blocks_until().checked_sub(now.0).filter(|left| *left > 0)
    }

    /// Takes the right to probe a stone that has expired: true for one caller, who must report what it found; the others
    /// wait. True for everybody where there is no stone.
    #[must_use]
    pub fn may_call(&self, credential: u32, now: UnixMs) -> bool {
        if self.buried_ms(credential, now).is_some() {
            return false;
        }
        if self.any_until.load(Ordering::Acquire) == 0 && self.target_until.load(Ordering::Acquire) == 0 {
            return true;
        }
        let mut stones = self.stones.lock().unwrap_or_else(PoisonError::into_inner);
        let mut may = stones.target.as_mut().is_none_or(|stone| stone.probe(now));
        if may && let Some((_, stone)) = stones.credentials.iter_mut().find(|(known, _)| *known == credential)
        {
            may = stone.probe(now);
        }
        self.publish(&stones);
        may
    }

    /// Notes that the vendor does not have the model. True when that buries the target for every credential.
    pub fn absent(&self, absence: Absence, now: UnixMs) -> bool {
        let mut stones = self.stones.lock().unwrap_or_else(PoisonError::into_inner);
        let buries_target = match absence {
            Absence::Gone | Absence::Unlisted => true,
            Absence::NotFound { credential } => {
                stones.bury(credential, now);
                // A stone of another credential corroborates as long as nothing has answered since.
                stones.credentials.len() > 1 || stones.target.is_some()
            }
        };
        if buries_target {
            stones.target = Some(Stone::renewed(stones.target, now));
        }
        self.publish(&stones);
        buries_target
    }

    /// Notes that the model answered: every stone that this disproves is lifted.
    pub fn present(&self, credential: u32) {
        if self.any_until.load(Ordering::Acquire) == 0 && self.target_until.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut stones = self.stones.lock().unwrap_or_else(PoisonError::into_inner);
        stones.target = None;
        stones.credentials.retain(|(known, _)| *known != credential);
        self.publish(&stones);
    }

    fn publish(&self, stones: &Stones) {
        let target = stones.target.map_or(0, |stone| stone.blocks_until());
        let any = stones.credentials.iter().map(|(_, stone)| stone.blocks_until()).max().unwrap_or(0);
        self.target_until.store(target, Ordering::Release);
        self.any_until.store(any, Ordering::Release);
    }
}

impl Stones {
    fn bury(&mut self, credential: u32, now: UnixMs) {
        if let Some((_, stone)) = self.credentials.iter_mut().find(|(known, _)| *known == credential) {
            *stone = Stone::renewed(Some(*stone), now);
            return;
        }
        if self.credentials.len() >= CREDENTIALS_MAX {
            self.credentials.remove(0);
        }
        self.credentials.push((credential, Stone::renewed(None, now)));
    }
}

#[cfg(test)]
mod tests;
