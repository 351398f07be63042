//! Bounds what one count reads: all of the texts when they are short, else evenly spaced windows of them.

use std::borrow::Cow;

use crate::READ_BYTES_MAX;

const WINDOWS: usize = 16;
const WINDOW_BYTES: usize = READ_BYTES_MAX / WINDOWS;

/// A sum over texts.
pub(crate) struct Sum {
    /// Thousandths of tokens.
    pub(crate) millitokens: u64,
    /// Whether every byte was read.
    pub(crate) is_whole: bool,
}

/// Sums `count`, in thousandths of tokens, over the texts; over windows of them when they are too long.
///
/// The windows lie evenly over the texts laid end to end, so a change of language or kind half-way is seen.
pub(crate) fn sum(texts: &[Cow<'_, str>], mut count: impl FnMut(&str) -> u64) -> Sum {
    let total: usize = texts.iter().map(|text| text.len()).sum();
    if total <= READ_BYTES_MAX {
        let millitokens = texts.iter().fold(0_u64, |sum, text| sum.saturating_add(count(text)));
        return Sum { millitokens, is_whole: true };
    }
    let (mut read_bytes, mut millitokens, mut start) = (0_usize, 0_u64, 0_usize);
    for text in texts {
        let end = start + text.len();
        for window in 0..WINDOWS {
            let from = (total - WINDOW_BYTES) / (WINDOWS - 1) * window;
            let (low, high) = (from.max(start), (from + WINDOW_BYTES).min(end));
            if low < high {
                let piece = clip(text, low - start, high - start);
                read_bytes += piece.len();
                millitokens = millitokens.saturating_add(count(piece));
            }
        }
        start = end;
    }
    let scaled = u128::from(millitokens) * total as u128 / read_bytes.max(1) as u128;
    Sum { millitokens: u64::try_from(scaled).unwrap_or(u64::MAX), is_whole: false }
}

/// The text between two byte offsets, drawn in to the next character boundaries.
fn clip(text: &str, from: usize, to: usize) -> &str {
    let (from, to) = (text.ceil_char_boundary(from), text.floor_char_boundary(to));
    text.get(from..to).unwrap_or_default()
}
