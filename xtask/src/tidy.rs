//! `cargo xtask tidy`: the house rules that no compiler checks.
//!
//! A review remark made twice becomes a check here. Each check is a file in `tidy/` and one line in [`CHECKS`];
//! it sees the whole repository as text and names every place that breaks the rule, with the way out.

mod code;
mod files;
mod markdown;
mod modules;
mod names;
mod size;
mod words;

pub(crate) use markdown::broken_links;

use crate::workspace;
use anyhow::{Result, bail};

/// One file of the repository.
pub(crate) struct File {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Whether it only deserves a look.
    pub(crate) warning: bool,
    /// `path:line: what is wrong; what to do`.
    pub(crate) text: String,
}

type Check = fn(&[File]) -> Vec<Finding>;

/// Every check, by the name of its file.
const CHECKS: &[(&str, Check)] = &[
    ("files", files::check),
    ("markdown", markdown::check),
    ("modules", modules::check),
    ("names", names::check),
    ("size", size::check),
    ("words", words::check),
];

/// Runs every check over every file that git knows or would add.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    crate::args::Args::new(arguments).finish()?;
    let files = read()?;
    let mut errors = 0;
    for (name, check) in CHECKS {
        for finding in check(&files) {
            let kind = if finding.warning { "warning" } else { "error" };
            errors += usize::from(!finding.warning);
            eprintln!("{kind} ({name}): {}", finding.text);
        }
    }
    if errors > 0 {
        bail!("{errors} places break the house rules");
    }
    println!("tidy: {} files, {} checks", files.len(), CHECKS.len());
    Ok(())
}

/// All text files; what is not UTF-8 has no rules here.
pub(crate) fn read() -> Result<Vec<File>> {
    let mut files = Vec::new();
    for path in workspace::files()? {
        if let Ok(text) = std::fs::read_to_string(workspace::root().join(&path)) {
            files.push(File { path, text });
        }
    }
    Ok(files)
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file holds nothing but tests.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || ["/tests/", "/benches/"].iter().any(|folder| self.path.contains(folder))
            || self.path.starts_with("tests/")
    }

    fn is_data(&self) -> bool {
        is_data(&self.path)
    }
}

/// Whether a file is data that a program or another party wrote.
pub(crate) fn is_data(path: &str) -> bool {
    ["/fixtures/", "/generated/", "/golden/", "/snapshots/", "/corpus/"]
        .iter()
        .any(|part| path.contains(part))
        || path.ends_with(".snap")
}

impl Finding {
    fn error(place: &str, line: usize, text: &str) -> Finding {
        Finding { warning: false, text: format!("{place}:{line}: {text}") }
    }

    fn warning(place: &str, line: usize, text: &str) -> Finding {
        Finding { warning: true, text: format!("{place}:{line}: {text}") }
    }
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_this_folder_is_on_the_list() {
        let folder = workspace::root().join("xtask/src/tidy");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.trim_end_matches(".rs");
            let listed = CHECKS.iter().any(|(listed, _)| *listed == stem);
            assert!(listed || stem == "code", "{name} is not in CHECKS");
        }
    }
}
