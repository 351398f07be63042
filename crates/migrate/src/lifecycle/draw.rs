//! Who is drawn: a number per conversation that is the same at every turn, on every machine, after every restart.

use sha2::{Digest, Sha256};

/// The number that a conversation has drawn, evenly spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Draw(u64);

/// A share of conversations, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// All of them.
const WHOLE: u32 = 1_000_000;

impl Draw {
    /// The draw of what a conversation is known by. Parts are told apart, so that ("a", "bc") is not ("ab", "c").
    ///
    /// SHA-256 rather than a faster hash: its results never change with a library's version, and a call outside of brownouts does
    /// not come here.
    #[must_use]
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_le_bytes(first))
    }

    /// The number, for whoever must remember it.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The draw that was remembered.
    #[must_use]
    pub const fn remembered(number: u64) -> Self {
        Self(number)
    }
}

impl Share {
    /// All conversations.
    pub const ALL: Self = Self(WHOLE);

    /// A share above 0, at most 1.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        let millionths = (share * f64::from(WHOLE)).round();
        // The range makes the number fit.
        (share > 0.0 && share <= 1.0).then_some(Self((millionths as u32).max(1)))
    }

    /// Whether a conversation is among the share. A larger share takes all that a smaller one takes.
    #[must_use]
    pub fn takes(self, draw: Draw) -> bool {
        (u128::from(draw.0) * u128::from(WHOLE)) >> 64 < u128::from(self.0)
    }

    /// In per cent.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}
