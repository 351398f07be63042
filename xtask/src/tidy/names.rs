//! Names say what a thing is: no drawers for odds and ends, and tests read as sentences.

use super::code::{blank, functions};
use super::{File, Finding};

const DRAWERS: &[&str] = &["mod", "util", "utils", "helper", "helpers", "common", "misc", "manager"];
const TEST_WORDS_MIN: usize = 3;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let rust = files.iter().filter(|file| file.is_rust());
    rust.flat_map(|file| drawers(file).into_iter().chain(short_tests(file))).collect()
}

fn drawers(file: &File) -> Option<Finding> {
    let parts = file.path.trim_end_matches(".rs").split('/');
    let drawer = parts.into_iter().find(|part| DRAWERS.contains(part))?;
    let text = format!(
        "nothing is named {drawer:?} here; name it after what it owns (`foo.rs` stands beside `foo/`)"
    );
    Some(Finding::error(&file.path, 1, &text))
}

fn short_tests(file: &File) -> Vec<Finding> {
    let code = blank(&file.text);
    let short = |name: &str| name.split('_').filter(|word| !word.is_empty()).count() < TEST_WORDS_MIN;
    let tests = functions(&code).into_iter().filter(|function| function.is_test && short(&function.name));
    tests
        .map(|test| {
            let text = format!("test {:?} should be a sentence: what happens, and when", test.name);
            Finding::error(&file.path, test.line, &text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn drawers_are_refused_as_file_and_as_folder() {
        let files = [file("a/src/mod.rs", ""), file("a/helpers/x.rs", ""), file("a/src/models.rs", "")];
        assert_eq!(check(&files).len(), 2);
    }

    #[test]
    fn test_named_with_two_words_is_refused() {
        let text = "#[test]\nfn it_works() {}\n#[test]\nfn cut_stream_is_reported() {}\nfn two_words() {}\n";
        let findings = check(&[file("a.rs", text)]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.starts_with("a.rs:2:"), "{findings:?}");
    }
}
