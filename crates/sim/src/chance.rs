//! Chance as an argument: a small deterministic generator, seeded from the fleet's seed and the request.

use sha2::{Digest, Sha256};

/// A splitmix64 generator. Equal seeds give equal sequences on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// A generator for one request: `seed` is the fleet's, `parts` what the answer may depend on.
    pub(crate) fn new(seed: u64, parts: &[&[u8]]) -> Chance {
        let digest = digest(seed, parts);
        Chance(u64::from_le_bytes(first8(&digest)))
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..limit`; 0 when `limit` is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.bits() % limit as u64) as usize }
    }

    /// One of `items`, or the empty string of none.
    pub(crate) fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items.get(self.below(items.len())).copied().unwrap_or_default()
    }

    /// A name of `length` letters and digits, as providers use in their ids.
    pub(crate) fn name(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }

    /// `length` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b"0123456789abcdef"[self.below(16)])).collect()
    }
}

/// SHA-256 over the seed and length-prefixed parts, so that no two lists of parts collide by concatenation.
pub(crate) fn digest(seed: u64, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The first eight bytes of a digest.
pub(crate) fn first8(digest: &[u8; 32]) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&digest[..8]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_and_parts_give_equal_sequences() {
        let (mut a, mut b) = (Chance::new(7, &[b"x", b"y"]), Chance::new(7, &[b"x", b"y"]));
        assert_eq!(a.name(40), b.name(40));
        assert_ne!(Chance::new(7, &[b"xy"]).bits(), Chance::new(7, &[b"x", b"y"]).bits());
        assert_ne!(Chance::new(8, &[b"x", b"y"]).bits(), Chance::new(7, &[b"x", b"y"]).bits());
    }
}
