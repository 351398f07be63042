//! Takes out of a text what must be equal to the letter: code between backquotes, and quotations.

/// A text without its code and quotations, and those.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// What is left; each piece that was taken out is a blank.
    pub(super) rest: String,
    /// Code, as it stands.
    pub(super) code: Vec<Box<str>>,
    /// Quotations, as they stand.
    pub(super) quotes: Vec<Box<str>>,
}

/// Marks that open a quotation, with those that may close it.
const QUOTES: &[(char, &[char])] = &[
    ('"', &['"']),
    ('“', &['”', '“']),
    ('„', &['“', '”', '"']),
    ('«', &['»']),
    ('»', &['«']),
    ('‘', &['’']),
    ('‚', &['‘', '’']),
    ('「', &['」']),
    ('『', &['』']),
    ('\'', &['\'']),
];

/// Cuts a text.
pub(super) fn cut(text: &str) -> Cut {
    let mut cut = Cut::default();
    let mut before = ' ';
    let mut at = 0;
    while let Some(here) = text.get(at..) {
        let Some(first) = here.chars().next() else { break };
        if let Some((inner, end)) = code(here) {
            cut.code.push(inner.trim().into());
            cut.rest.push(' ');
            at += end;
            before = ' ';
            continue;
        }
        if let Some((inner, end)) = quotation(here, first, before) {
            cut.quotes.push(inner.trim().into());
            cut.rest.push(' ');
            at += end;
            before = ' ';
            continue;
        }
        cut.rest.push(first);
        before = first;
        at += first.len_utf8();
    }
    cut
}

/// The code that a text begins with, and where it ends: three backquotes or more, else one or two.
fn code(text: &str) -> Option<(&str, usize)> {
    let fence = text.bytes().take_while(|byte| *byte == b'`').count();
    let (marks, behind) = text.split_at_checked(fence).filter(|_| fence > 0)?;
    // A fence that is never closed goes to the end, as Markdown has it; a single mark may be an accent.
    let end = match behind.find(marks) {
        Some(end) => end,
        None if fence >= 3 => behind.len(),
        None => return None,
    };
    Some((behind.get(..end)?, (2 * fence + end).min(text.len())))
}

/// The quotation that a text begins with, and where it ends.
fn quotation(text: &str, first: char, before: char) -> Option<(&str, usize)> {
    let (_, closing) = QUOTES.iter().find(|(open, _)| *open == first)?;
    // Between letters it is an apostrophe, and behind a number it stands for feet or inches.
    if before.is_alphanumeric() {
        return None;
    }
    let behind = text.get(first.len_utf8()..)?;
    let is_single = matches!(first, '\'' | '‘' | '‚');
    let (end, close) = behind.char_indices().find(|(at, one)| {
        let next = behind.get(at + one.len_utf8()..).and_then(|rest| rest.chars().next());
        closing.contains(one) && !(is_single && next.is_some_and(char::is_alphanumeric))
    })?;
    let inner = behind.get(..end).filter(|inner| !inner.trim().is_empty())?;
    Some((inner, first.len_utf8() + end + close.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Vec<String>, Vec<String>) {
        let own = |list: Vec<Box<str>>| list.into_iter().map(String::from).collect();
        let cut = cut(text);
        (cut.rest.split_whitespace().collect::<Vec<_>>().join(" "), own(cut.code), own(cut.quotes))
    }

    #[test]
    fn code_and_quotations_are_taken_out_in_every_form() {
        let (rest, code, quotes) = parts(
            "What does `a b` do in ``x`y``?\n```rust\nfn main() {}\n``` Say \"hi\" and „na ja“, «oui», 'so it is'.",
        );
        assert_eq!(rest, "What does do in ? Say and , , .");
        assert_eq!(code, ["a b", "x`y", "rust\nfn main() {}"]);
        assert_eq!(quotes, ["hi", "na ja", "oui", "so it is"]);
    }

    #[test]
    fn apostrophes_inches_and_marks_that_never_close_are_left() {
        for text in [
            "don't can't it's",
            "a 27\" screen and a 24\" one",
            "rock 'n roll's",
            "say \"hi",
            "a ` b",
            "l’été",
        ] {
            let (_, code, quotes) = parts(text);
            assert!(code.is_empty() && quotes.is_empty(), "{text}: {code:?} {quotes:?}");
        }
        let (_, code, _) = parts("```\nlet open = 1;");
        assert_eq!(code, ["let open = 1;"]);
    }
}
