//! The fleet's own token rule: a fixed way to cut text into pieces, one piece per token.
//!
//! It is not any provider's tokenizer. It only has to be exact, cheap and public, so that a bill made from the reported
//! counts can be checked to the token. `word_bytes` is the model's share of the rule: how much of a word one token holds.
//!
//! The rule: a token is at most one leading space and then either up to `word_bytes` ASCII letters or digits, or one
//! other character. Further white space is one token per run of up to eight. Joined, the pieces are the text.

/// Cuts `text` into its tokens.
pub(crate) fn pieces(text: &str, word_bytes: u8) -> Pieces<'_> {
    Pieces { rest: text, word_bytes: usize::from(word_bytes.max(1)) }
}

/// How many tokens `text` is.
pub(crate) fn count(text: &str, word_bytes: u8) -> u64 {
    pieces(text, word_bytes).count() as u64
}

/// Iterator over the tokens of a text.
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    rest: &'a str,
    word_bytes: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        let first = *bytes.first()?;
        let lead = usize::from(first == b' ');
        let end = match bytes.get(lead) {
            Some(b) if b.is_ascii_alphanumeric() => {
                let word =
                    bytes[lead..].iter().take(self.word_bytes).take_while(|b| b.is_ascii_alphanumeric());
                lead + word.count()
            }
            Some(b) if b.is_ascii_whitespace() || (lead == 1 && *b == b' ') => {
                bytes.iter().take(8).take_while(|b| b.is_ascii_whitespace()).count()
            }
            Some(_) => lead + self.rest[lead..].chars().next().map_or(1, char::len_utf8),
            None => lead,
        };
        let (piece, rest) = self.rest.split_at(end.max(1));
        self.rest = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_cut_at_the_models_width() {
        assert_eq!(
            pieces("Hello, wonderful world", 6).collect::<Vec<_>>(),
            ["Hello", ",", " wonder", "ful", " world"]
        );
        assert_eq!(count("", 6), 0);
        assert_eq!(pieces("a \n b", 6).collect::<Vec<_>>(), ["a", " \n ", "b"]);
    }

    proptest! {
        #[test]
        fn joined_pieces_are_the_text(text in ".{0,200}", width in 1u8..9) {
            prop_assert_eq!(pieces(&text, width).collect::<String>(), text);
        }
    }
}
