//! Words that do not belong into the repository: unfinished work, silenced checks, places of one machine.
//!
//! Each is put together from halves, so that this file keeps its own rule.

use super::{File, Finding};

/// A text that is refused, where, and the way out.
struct Word {
    text: &'static str,
    only_rust: bool,
    instead: &'static str,
}

const fn rust(text: &'static str, instead: &'static str) -> Word {
    Word { text, only_rust: true, instead }
}

const fn anywhere(text: &'static str, instead: &'static str) -> Word {
    Word { text, only_rust: false, instead }
}

const OF_ONE_MACHINE: &str = "a path of one machine; say it from the repository's root";
const UNFINISHED: &str = "finish it, or write it into the issue tracker";

const WORDS: &[Word] = &[
    rust(concat!("to", "do!"), UNFINISHED),
    rust(concat!("unimple", "mented!"), UNFINISHED),
    rust(concat!("FIX", "ME"), UNFINISHED),
    rust(concat!("TO", "DO:"), UNFINISHED),
    rust(concat!("#[ig", "nore"), "a test that does not run proves nothing"),
    rust(
        concat!("#[al", "low("),
        "use #[expect(lint, reason = \"…\")], which complains when it is no longer needed",
    ),
    rust(
        concat!("#![al", "low("),
        "use #![expect(lint, reason = \"…\")], which complains when it is no longer needed",
    ),
    anywhere(concat!("/wo", "rk/"), OF_ONE_MACHINE),
    anywhere(concat!("/ro", "ot/"), OF_ONE_MACHINE),
    anywhere(concat!("/tmp/tar", "get"), OF_ONE_MACHINE),
    anywhere(concat!("../sha", "red"), OF_ONE_MACHINE),
    anywhere(concat!("co-auth", "ored-by"), "people are named in the history, not in files"),
    anywhere(concat!("gener", "ated with ["), "say what a file is, not what wrote it"),
    anywhere(
        concat!("\"reso", "lved\": \"http"),
        "lock files name no registry: npm config set omit-lockfile-registry-resolved true",
    ),
    anywhere(concat!("--index", "-url"), "requirements name no registry"),
    anywhere(concat!("--extra-index", "-url"), "requirements name no registry"),
];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for word in WORDS.iter().filter(|word| !word.only_rust || file.is_rust()) {
            if contains(line, word) {
                let text = format!("{:?}: {}", word.text, word.instead);
                findings.push(Finding::error(&file.path, index + 1, &text));
            }
        }
    }
    findings
}

/// Prose is compared without regard to case; code as it stands.
fn contains(line: &str, word: &Word) -> bool {
    if word.only_rust { line.contains(word.text) } else { line.to_ascii_lowercase().contains(word.text) }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn every_word_on_the_list_is_found() {
        for word in WORDS {
            let files = [file("a.rs", &format!("x\n  {} y", word.text)), file("a.md", word.text)];
            let findings = check(&files);
            assert!(findings[0].text.starts_with("a.rs:2:"), "{findings:?}");
            assert_eq!(findings.iter().any(|found| found.text.starts_with("a.md:1:")), !word.only_rust);
        }
    }

    #[test]
    fn harmless_neighbours_pass_the_list() {
        let text = "network/ framework/docs, unwrap(), #[expect(x, reason = \"y\")], a \"resolved\" name";
        assert_eq!(check(&[file("a.rs", text)]), []);
    }
}
