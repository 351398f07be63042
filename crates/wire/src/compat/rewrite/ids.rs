//! Ids of tool calls for Mistral: nine letters or digits, the same for the same id, so that call and result meet.

use crate::compat::edit::Edited;
use crate::compat::{splice, turns};
use crate::head::quoted;
use crate::scan;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes every id nine letters or digits.
pub(super) fn shorten(edited: &mut Edited<'_>) -> bool {
    let found = turns::long_ids(&edited.body);
    let edits: Vec<_> = found
        .into_iter()
        .filter_map(|range| {
            let id = scan::text_value(&edited.body[range.clone()])?;
            let short = quoted(&short(&id));
            Some((range, short))
        })
        .collect();
    let is_any = !edits.is_empty();
    if is_any {
        splice(&mut edited.body, edits);
    }
    is_any
}

/// FNV-1a written in 62 letters: 62⁹ is above 10¹⁶, so that two ids of one conversation do not meet.
fn short(id: &str) -> String {
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut out = String::with_capacity(9);
    for _ in 0..9 {
        out.push(char::from(LETTERS[(hash % 62) as usize]));
        hash /= 62;
    }
    out
}
