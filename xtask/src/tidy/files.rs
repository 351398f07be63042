//! What each file begins with, and which files must be there.

use super::{File, Finding};

/// Files that a reader of any project looks for.
const EXPECTED: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "rust-toolchain.toml",
];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && !file.is_data()) {
        if !file.text.starts_with("//! ") {
            findings.push(Finding::error(
                &file.path,
                1,
                "open with `//!` and one sentence: what is this file for?",
            ));
        }
    }
    for name in EXPECTED {
        if !files.iter().any(|file| file.path == *name) {
            findings.push(Finding::error(name, 1, "this file is missing"));
        }
    }
    findings.extend(changelog(files));
    findings.extend(examples(files));
    findings
}

fn changelog(files: &[File]) -> Option<Finding> {
    let file = files.iter().find(|file| file.path == "CHANGELOG.md")?;
    let has = file.text.lines().any(|line| line.starts_with("## Unreleased"));
    (!has).then(|| Finding::error(&file.path, 1, "a section `## Unreleased` tells users what is new"))
}

/// There are examples of a configuration, each is TOML, and some test loads the folder.
fn examples(files: &[File]) -> Vec<Finding> {
    let examples: Vec<&File> = files
        .iter()
        .filter(|file| file.path.starts_with("config/") && file.path.ends_with(".toml"))
        .collect();
    if examples.is_empty() {
        return vec![Finding::error("config/", 1, "there is no example of a configuration")];
    }
    let unreadable = examples.iter().filter_map(|file| {
        let error = file.text.parse::<toml::Table>().err()?;
        Some(Finding::error(&file.path, 1, &format!("not TOML: {}", error.message())))
    });
    unreadable.collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn complete() -> Vec<File> {
        let mut files: Vec<File> = EXPECTED.iter().map(|name| file(name, "## Unreleased\n")).collect();
        files.push(file("config/a.toml", "[server]\n"));
        files
    }

    #[test]
    fn complete_repository_passes_and_each_missing_file_is_named() {
        assert_eq!(check(&complete()), []);
        for name in EXPECTED {
            let mut files = complete();
            files.retain(|file| file.path != *name);
            assert_eq!(check(&files), [Finding::error(name, 1, "this file is missing")]);
        }
    }

    #[test]
    fn source_without_a_sentence_of_purpose_is_refused() {
        let mut files = complete();
        files.push(file("a.rs", "use std::fs;\n"));
        files.push(file("b.rs", "//! Says why.\n"));
        assert_eq!(check(&files).len(), 1);
    }

    #[test]
    fn changelog_and_examples_are_looked_into() {
        let mut files = complete();
        files.iter_mut().for_each(|file| file.text = file.text.replace("## Unreleased", "## 0.1"));
        files.push(file("config/b.toml", "[server\n"));
        assert_eq!(check(&files).len(), 2);
    }
}
