//! The words of the dialects, for a fuzzer that writes JSON: names of members, and values that mean something.
//! <https://llvm.org/docs/LibFuzzer.html#dictionaries>, read 2026-11-23.

use crate::workspace;
use anyhow::Result;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Longer ones are texts, not words.
const WORD_MAX: usize = 48;

/// What stands between words, as the dictionary's own syntax has it.
const PIECES: [&str; 10] = [
    r#"\":"#,
    r#"\":{\""#,
    r#"\":[{\""#,
    r#"},{\""#,
    r"\x0a\x0a",
    "data: ",
    "event: ",
    r"\\u0000",
    r"\\ud800",
    "null",
];

/// Writes every word that the codecs know, as it stands in JSON. What a codec compares with stands in its source, so
/// that members are found for which there is no golden case.
pub(super) fn write(file: &Path) -> Result<()> {
    let mut words = BTreeSet::new();
    for path in workspace::files()? {
        if path.starts_with("crates/wire/src/") && path.ends_with(".rs") {
            words.extend(literals(&fs::read_to_string(workspace::root().join(path))?).map(str::to_owned));
        }
    }
    let mut text = String::new();
    for word in words {
        writeln!(text, r#""\"{word}\"""#)?;
    }
    for piece in PIECES {
        writeln!(text, "\"{piece}\"")?;
    }
    fs::write(file, text)?;
    Ok(())
}

/// The literals of a source file that are words. An odd quotation mark makes the rest of its line wrong, which a fuzzer
/// does not mind.
fn literals(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2)).filter(|text| is_word(text))
}

fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
    (2..=WORD_MAX).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$')
        && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_literals_and_no_sentences() {
        let source = "let a = (\"tool_calls\", \"a sentence\");\n/// \"not_this\"\n\"$ref\" => \"end_turn\"";
        assert_eq!(literals(source).collect::<Vec<_>>(), ["tool_calls", "$ref", "end_turn"]);
    }
}
