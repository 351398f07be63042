//! The names nearest to one that does not exist, for errors that say what was probably meant.

/// Names longer than this are compared by their first bytes only, so that a hostile name costs nothing.
const COMPARED_BYTES_MAX: usize = 96;

/// At most `n` of `among` that look like `name`, the most similar first. Names with nothing in common are
/// left out, so the answer may be shorter than `n`, or empty.
#[must_use]
pub fn nearest_names(name: &str, among: &mut dyn Iterator<Item = &str>, n: usize) -> Vec<String> {
    let wanted = fold(name);
    let mut ranked: Vec<(usize, &str)> = among
        .filter_map(|candidate| {
            let folded = fold(candidate);
            // The id behind a platform's prefix counts as much as the whole name.
            let tail =
                folded.iter().rposition(|byte| *byte == b'/').map_or(&folded[..], |at| &folded[at + 1..]);
            let distance = edits(&wanted, &folded).min(edits(&wanted, tail).saturating_add(1));
            let close = distance <= 2 + wanted.len() / 4 || starts_alike(&wanted, tail);
            close.then_some((distance, candidate))
        })
        .collect();
    ranked.sort_unstable();
    ranked.dedup_by(|left, right| left.1 == right.1);
    ranked.into_iter().take(n).map(|(_, name)| name.to_owned()).collect()
}

/// Lower case, one kind of separator.
fn fold(name: &str) -> Vec<u8> {
    name.bytes()
        .take(COMPARED_BYTES_MAX)
        .map(
            |byte| {
                if matches!(byte, b'_' | b'.' | b' ' | b':' | b'@') {
                    b'-'
                } else {
                    byte.to_ascii_lowercase()
                }
            },
        )
        .collect()
}

fn starts_alike(left: &[u8], right: &[u8]) -> bool {
    left.len() >= 3 && (right.starts_with(left) || (right.len() >= 5 && left.starts_with(right)))
}

/// Edits (insert, delete, replace, swap of neighbours) that turn one into the other.
fn edits(left: &[u8], right: &[u8]) -> usize {
    let width = right.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut above: Vec<usize> = (0..width).collect();
    let mut current = vec![0; width];
    for (row, left_byte) in left.iter().enumerate() {
        current[0] = row + 1;
        for (column, right_byte) in right.iter().enumerate() {
            let replaced = above[column] + usize::from(left_byte != right_byte);
            let mut best = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *left_byte == right[column - 1] && left[row - 1] == *right_byte {
                best = best.min(before[column - 1] + 1);
            }
            current[column + 1] = best;
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut current);
    }
    above[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = [
        "gpt-5.5",
        "gpt-5.4",
        "claude-opus-4-7",
        "openai/gpt-4o",
        "mistral-large-latest",
        "claude-sonnet-4-5",
    ];

    fn nearest(name: &str) -> Vec<String> {
        nearest_names(name, &mut NAMES.into_iter(), 2)
    }

    #[test]
    fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
        assert_eq!(nearest("gtp-5.5")[0], "gpt-5.5");
        assert_eq!(nearest("gpt4o")[0], "openai/gpt-4o");
        assert_eq!(nearest("claude-opus-4.7")[0], "claude-opus-4-7");
        assert_eq!(nearest("mistral-large"), ["mistral-large-latest"]);
    }

    #[test]
    fn a_name_like_no_other_finds_nothing() {
        assert!(nearest("zzzzzzzzzzzz").is_empty());
        assert!(nearest_names(&"x".repeat(1 << 20), &mut NAMES.into_iter(), 3).is_empty());
    }

    #[test]
    fn edits_count_a_swap_of_neighbours_once() {
        assert_eq!(edits(b"gpt", b"gtp"), 1);
        assert_eq!(edits(b"", b"abc"), 3);
        assert_eq!(edits(b"kitten", b"sitting"), 3);
    }
}
