//! A seeded mutation engine for JSON and event streams: the same seed makes the same input.

/// A small generator of pseudo-random numbers (xorshift64*, Vigna 2016).
pub(crate) struct Chance(u64);

impl Chance {
    /// A generator of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `bound`, which must not be 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let wide = u128::from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D));
        usize::try_from((wide * bound as u128) >> 64).unwrap_or(0)
    }
}

/// Pieces that tend to break readers.
const PIECES: [&[u8]; 24] = [
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"\"\"",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"0.1",
    b"\"\\ud800\"",
    b"\\u0000",
    b"\xff\xfe",
    b"[[[[[[[[[[[[[[[[[[[[[[[[",
    b"{\"type\":\"text\"}",
    b"\"type\":\"tool_use\",",
    b"\"index\":4294967295",
    b"\"index\":-5",
    b"\n\n",
    b"\r",
    b"data: ",
    b"event: error\n",
    b"[DONE]",
    b"\xf0\x9f\x8e\x89",
    b",",
];

/// Changes `input` in one to eight places; `other` lends pieces.
pub(crate) fn mutate(input: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=chance.below(8) {
        if bytes.is_empty() {
            break;
        }
        let at = chance.below(bytes.len());
        let span = (at..bytes.len().min(at + 1 + chance.below(40))).len();
        match chance.below(7) {
            0 => bytes[at] ^= 1 << chance.below(8),
            1 => drop(bytes.drain(at..at + span)),
            2 => bytes.truncate(at),
            3 => {
                let copy = bytes[at..at + span].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            4 => {
                let piece = PIECES[chance.below(PIECES.len())];
                bytes.splice(at..at + span, piece.iter().copied());
            }
            5 if !other.is_empty() => {
                let from = chance.below(other.len());
                let to = other.len().min(from + 1 + chance.below(60));
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => swap_value(&mut bytes, at, chance),
        }
    }
    bytes
}

/// Replaces the value behind the next colon, so that the rest stays JSON more often than not.
fn swap_value(bytes: &mut Vec<u8>, from: usize, chance: &mut Chance) {
    let Some(colon) = bytes[from..].iter().position(|byte| *byte == b':').map(|at| from + at + 1) else {
        return;
    };
    let end = bytes[colon..].iter().position(|byte| matches!(byte, b',' | b'}' | b'\n'));
    let end = end.map_or(bytes.len(), |at| colon + at);
    let piece = PIECES[chance.below(12)];
    bytes.splice(colon..end, piece.iter().copied());
}
