//! Edits of one text, put together.

use crate::scan::source::Span;

/// Puts edits in order and makes one of those that touch the same bytes: what removes more wins, and removals that
/// overlap become one. A comma that would be left before a closing bracket goes with what it separated.
#[must_use]
pub fn merge(text: &str, mut edits: Vec<(Span, String)>) -> Vec<(Span, String)> {
    edits.retain(|(span, _)| text.get(span.clone()).is_some());
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    edits.dedup();
    let mut out: Vec<(Span, String)> = Vec::new();
    for (span, put) in edits {
        match out.last_mut() {
            // What is written at the place where something ends stays beside it.
            Some((known, words)) if span.start < known.end => {
                let is_wider = span.end > known.end;
                if words.is_empty() || put.is_empty() {
                    // A removal takes what stands in it.
                    if is_wider && !put.is_empty() {
                        continue;
                    }
                    if put.is_empty() && !words.is_empty() {
                        words.clear();
                    }
                    known.end = known.end.max(span.end);
                }
            }
            Some((known, words)) if words.is_empty() && put.is_empty() && span.start == known.end => {
                known.end = span.end
            }
            _ => out.push((span, put)),
        }
    }
    let mut free = 0;
    for (span, put) in &mut out {
        if put.is_empty() {
            let wider = with_comma(text, span.clone());
            // What was written before it stays.
            span.start = wider.start.max(free.min(span.start));
        }
        free = span.end;
    }
    out
}

/// A removal at the end of a list takes the comma before it, if it took the one behind from no list that ends in one.
fn with_comma(text: &str, span: Span) -> Span {
    let removed = &text[span.clone()];
    let begins = removed.trim_start().starts_with(',');
    // The list ended in a comma before: it may go on doing so.
    let ends = removed.trim_end().ends_with(',');
    let next = text[span.end..].trim_start();
    let before = text[..span.start].trim_end();
    if begins || ends || !next.starts_with([')', '}', ']']) || !before.ends_with(',') {
        return span;
    }
    before.len() - 1..span.end
}

/// Applies edits that [`merge`] put in order.
#[cfg(test)]
pub(super) fn apply(text: &str, edits: &[(Span, String)]) -> String {
    let mut out = text.to_owned();
    for (span, put) in edits.iter().rev() {
        out.replace_range(span.clone(), put);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(text: &str, part: &str) -> Span {
        let at = text.find(part).unwrap();
        at..at + part.len()
    }

    #[test]
    fn two_removals_that_share_a_comma_become_one() {
        let text = "f(model=\"x\", temperature=0.2, top_p=0.9)";
        let edits = vec![
            (find(text, "temperature=0.2, "), String::new()),
            (find(text, ", top_p=0.9"), String::new()),
        ];
        assert_eq!(apply(text, &merge(text, edits)), "f(model=\"x\")");
    }

    #[test]
    fn a_list_that_ends_in_a_comma_keeps_it() {
        let text = "f(\n    model=\"x\",\n    temperature=0.2,\n)";
        let edits = vec![(find(text, "    temperature=0.2,\n"), String::new())];
        assert_eq!(apply(text, &merge(text, edits)), "f(\n    model=\"x\",\n)");
    }

    #[test]
    fn a_removal_takes_what_would_be_written_in_it() {
        let text = "f(a=1, b=2)";
        let edits = vec![(find(text, ", b=2"), String::new()), (find(text, "2"), "3".into())];
        assert_eq!(apply(text, &merge(text, edits)), "f(a=1)");
    }

    #[test]
    fn what_is_inserted_where_a_removal_begins_stays() {
        let text = "f(a=1, b=2)";
        let edits = vec![(find(text, ", b=2"), String::new()), (5..5, ", c=3".into())];
        assert_eq!(apply(text, &merge(text, edits)), "f(a=1, c=3)");
    }

    proptest! {
        #[test]
        fn merged_edits_never_overlap(spans in proptest::collection::vec((0_usize..40, 0_usize..9, "[a-c]{0,2}"), 0..9)) {
            let text = "f(model, temperature, top_p, stop, seed, n)";
            let edits = spans.into_iter().map(|(at, length, put)| (at..(at + length).min(text.len()), put)).collect();
            let merged = merge(text, edits);
            prop_assert!(merged.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
        }
    }
}
