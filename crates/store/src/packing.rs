//! Numbers and texts as bytes: how rows are held in memory until they are written, and what one column holds.
//!
//! A count takes seven bits a byte, the low ones first, the high bit set on all but the last byte. A text is
//! its length and its bytes; one that may be absent is a length that is one larger, or 0.

use pilothouse_core::money::{Cost, PicoUsd};

/// Instead of a cost's width: see [`put_cost`].
const COST_UNKNOWN: u8 = 0xff;
const COST_LONG: u8 = 0xfe;

#[inline]
pub(crate) fn put_count(out: &mut Vec<u8>, count: u64) {
    match u8::try_from(count) {
        Ok(byte @ 0..=0x7f) => out.push(byte),
        _ => put_long(out, count),
    }
}

fn put_long(out: &mut Vec<u8>, mut count: u64) {
    let (mut bytes, mut len) = ([0; 10], 0);
    for byte in &mut bytes {
        len += 1;
        if count <= 0x7f {
            *byte = count as u8;
            break;
        }
        *byte = count as u8 | 0x80;
        count >>= 7;
    }
    out.extend_from_slice(bytes.get(..len).unwrap_or_default());
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn put_maybe(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            // No text in memory has 2^64 bytes.
            put_count(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// The cost is a byte that says how many bytes follow, and those of the amount, the low ones first, with the
/// sign in the lowest bit; or that it is unknown, or that the amount follows as sixteen bytes.
pub(crate) fn put_cost(out: &mut Vec<u8>, cost: Cost) {
    let Some(PicoUsd(amount)) = cost.known() else { return out.push(COST_UNKNOWN) };
    let Ok(amount) = i64::try_from(amount) else {
        out.push(COST_LONG);
        return out.extend_from_slice(&amount.to_le_bytes());
    };
    let signed = (amount << 1 ^ amount >> 63).cast_unsigned();
    let width = 8 - signed.leading_zeros() / 8;
    let mut bytes = [0; 9];
    let (first, rest) = bytes.split_at_mut(1);
    first.copy_from_slice(&[width as u8]);
    rest.copy_from_slice(&signed.to_le_bytes());
    out.extend_from_slice(bytes.get(..=width as usize).unwrap_or_default());
}

/// Takes apart what the functions above put together. Bytes that they do not write give `None`, never a panic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unpacker<'a>(pub(crate) &'a [u8]);

impl<'a> Unpacker<'a> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(first)
    }

    pub(crate) fn count(&mut self) -> Option<u64> {
        let (mut count, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            // The tenth byte has room for one bit.
            if shift == 63 && byte > 1 {
                return None;
            }
            count |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(count);
            }
            shift += 7;
        }
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let len = usize::try_from(self.count()?).ok()?;
        std::str::from_utf8(self.bytes(len)?).ok()
    }

    /// The inner `None` is an absent text.
    pub(crate) fn maybe(&mut self) -> Option<Option<&'a str>> {
        let Some(len) = self.count()?.checked_sub(1) else { return Some(None) };
        std::str::from_utf8(self.bytes(usize::try_from(len).ok()?)?).ok().map(Some)
    }

    pub(crate) fn cost(&mut self) -> Option<Cost> {
        let amount = match self.byte()? {
            COST_UNKNOWN => return Some(Cost::Unknown),
            COST_LONG => i128::from_le_bytes(self.array()?),
            width => {
                let bytes = self.bytes(width.into())?;
                let mut word = [0; 8];
                word.get_mut(..bytes.len())?.copy_from_slice(bytes);
                let signed = u64::from_le_bytes(word);
                i128::from((signed >> 1).cast_signed() ^ -(signed & 1).cast_signed())
            }
        };
        Some(Cost::Known(PicoUsd(amount)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_survive_packing(count: u64, shift in 0u32..64, text: String, maybe: Option<String>, amount: i128, narrow in 0u32..128) {
            let (count, cost) = (count >> shift, Cost::Known(PicoUsd(amount >> narrow)));
            let mut bytes = Vec::new();
            put_count(&mut bytes, count);
            put_text(&mut bytes, &text);
            put_maybe(&mut bytes, maybe.as_deref());
            put_cost(&mut bytes, cost);
            put_cost(&mut bytes, Cost::Unknown);
            let mut input = Unpacker(&bytes);
            prop_assert_eq!(input.count(), Some(count));
            prop_assert_eq!(input.text(), Some(&*text));
            prop_assert_eq!(input.maybe(), Some(maybe.as_deref()));
            prop_assert_eq!(input.cost(), Some(cost));
            prop_assert_eq!(input.cost(), Some(Cost::Unknown));
            prop_assert!(input.is_empty());
        }
    }

    #[test]
    fn the_largest_values_fit_and_larger_ones_are_refused() {
        for count in [0, 127, 128, u64::MAX] {
            let mut bytes = Vec::new();
            put_count(&mut bytes, count);
            assert_eq!(Unpacker(&bytes).count(), Some(count));
        }
        for amount in [0, -1, i128::MAX, i128::MIN, i128::from(i64::MAX), i128::from(i64::MIN), 1 << 64] {
            let mut bytes = Vec::new();
            put_cost(&mut bytes, Cost::Known(PicoUsd(amount)));
            assert_eq!(Unpacker(&bytes).cost(), Some(Cost::Known(PicoUsd(amount))));
        }
        let too_large = [[0xff; 9].as_slice(), &[2]].concat();
        assert_eq!(Unpacker(&too_large).count(), None);
        assert_eq!(Unpacker(&[0xff; 11]).count(), None);
        assert_eq!(Unpacker(&[5, b'a']).text(), None, "shorter than it says");
        assert_eq!(Unpacker(&[1, 0xff]).text(), None, "not UTF-8");
        assert_eq!(Unpacker(&[3, 1, 1]).cost(), None, "shorter than it says");
        assert_eq!(Unpacker(&[9; 10]).cost(), None, "wider than a word");
    }
}
