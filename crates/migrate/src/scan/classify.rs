//! What kind of site a place is: by the path of its file, and by what stands around it.

use std::sync::Arc;

use super::finding::{Place, Site};
use super::format::Format;
use super::language::Language;
use super::source::Span;

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Source code.
    Source(Language),
    /// Configuration, data, or text.
    Data(Format),
}

/// What is known of a file beside what a reader tells.
#[derive(Clone, Debug)]
pub struct FileContext<'t> {
    /// The file, relative to the path that was scanned, with `/`.
    pub path: Arc<str>,
    /// Its text.
    pub text: &'t str,
    /// What it is read as.
    pub kind: FileKind,
    /// What its path (or a mark of generated code in it) says about every site in it: a test, or history.
    pub site: Option<Site>,
    /// Where its lines begin.
    lines: Vec<usize>,
}

impl<'t> FileContext<'t> {
    /// A file with its text.
    #[must_use]
    pub fn new(path: &str, text: &'t str, kind: FileKind) -> Self {
        Self::below(path, path, text, kind)
    }

    /// A file of which only the end of its path says what it is.
    #[must_use]
    pub fn below(path: &str, own: &str, text: &'t str, kind: FileKind) -> Self {
        let lines =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        let is_made = || is_generated(text) || (matches!(kind, FileKind::Source(_)) && is_packed(text));
        let site = site_of_path(own).or_else(|| is_made().then_some(Site::History));
        Self { path: path.into(), text, kind, site, lines }
    }

    /// The place of a span of this file.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        let (line, column) = self.line_and_column(span.start);
        let (end_line, end_column) = self.line_and_column(span.end);
        Place { path: self.path.clone(), span, line, column, end_line, end_column }
    }

    /// Line and column (in characters) of a byte, from 1.
    #[must_use]
    pub fn line_and_column(&self, at: usize) -> (u32, u32) {
        let at = at.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line.saturating_sub(1)];
        // Bytes that begin a character, so that a span within one cannot panic.
        let characters = self.text.as_bytes()[start..at].iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        (clamp(line), clamp(characters + 1))
    }
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Names of folders (in lower case) under which everything is a test or its data.
const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "testing",
    "testdata",
    "test_data",
    "fixtures",
    "fixture",
    "__fixtures__",
    "__mocks__",
    "mocks",
    "spec",
    "specs",
    "e2e",
    "cassettes",
    "snapshots",
    "__snapshots__",
    "golden",
    "goldens",
    "testutil",
    "testkit",
];

/// Folders of what others wrote, or of what was recorded.
const HISTORY_FOLDERS: &[&str] = &[
    "vendor",
    "third_party",
    "thirdparty",
    "3rdparty",
    "vendored",
    "dist",
    "build",
    "generated",
    "__generated__",
    "gen",
    "archive",
    "archived",
    "changelogs",
    "changes",
    "recordings",
    "node_modules",
    "coverage",
    "logs",
];

/// What a path says about everything in the file.
#[must_use]
pub fn site_of_path(path: &str) -> Option<Site> {
    let lower = path.to_ascii_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_under = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
    let is_lock = matches!(extension, "lock" | "lockb" | "sum" | "snap" | "log" | "csv" | "tsv" | "har")
        || ["package-lock", "pnpm-lock", "npm-shrinkwrap", "go.sum", "composer-lock"].contains(&stem);
    let is_told =
        ["changelog", "changes", "history", "release_notes", "releasenotes", "release-notes", "news"]
            .iter()
            .any(|word| {
                stem == *word
                    || stem.starts_with(&format!("{word}-"))
                    || stem.starts_with(&format!("{word}."))
            });
    let is_made =
        [".min", ".pb", ".generated", "_pb2", ".g", ".bundle"].iter().any(|end| stem.ends_with(end));
    if is_lock || is_told || is_made || is_under(HISTORY_FOLDERS) {
        return Some(Site::History);
    }
    let starts = ["test_", "test-", "conftest"].iter().any(|start| stem.starts_with(start));
    let ends = ["_test", "_tests", ".test", ".spec", "_spec", "-test", ".stories", "_unittest"];
    let is_class = path.rsplit('/').next().is_some_and(|name| {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        ["Test", "Tests", "Spec", "IT"].iter().any(|end| stem.ends_with(end) && stem.len() > end.len())
            && matches!(extension, "java" | "kt" | "cs" | "php" | "scala" | "swift")
    });
    let is_test =
        starts || ends.iter().any(|end| stem.ends_with(end)) || is_class || stem == "tests" || stem == "test";
    (is_test || is_under(TEST_FOLDERS)).then_some(Site::Test)
}

/// How far into a file a mark of generated code is looked for.
const MARK_BYTES: usize = 2048;

/// Whether a text says that a program wrote it, or is packed so that nobody would mend it.
#[must_use]
pub fn is_generated(text: &str) -> bool {
    let mut end = text.len().min(MARK_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let marks =
        ["@generated", "DO NOT EDIT", "Code generated by", "automatically generated", "auto-generated file"];
    marks.iter().any(|mark| head.contains(mark))
}

/// Whether a text of source code is packed: lines of many thousand characters.
#[must_use]
pub fn is_packed(text: &str) -> bool {
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    text.len() > 20_000 && text.len() / lines > 2_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_tests_and_history() {
        for (path, site) in [
            ("src/app.py", None),
            ("tests/app.py", Some(Site::Test)),
            ("src/app_test.go", Some(Site::Test)),
            ("web/app.spec.ts", Some(Site::Test)),
            ("src/AnswersTest.java", Some(Site::Test)),
            ("src/Latest.java", None),
            ("test_app.py", Some(Site::Test)),
            ("CHANGELOG.md", Some(Site::History)),
            ("package-lock.json", Some(Site::History)),
            ("vendor/x/y.go", Some(Site::History)),
            ("web/app.min.js", Some(Site::History)),
            ("contest/app.py", None),
        ] {
            assert_eq!(site_of_path(path), site, "{path}");
        }
    }

    #[test]
    fn places_count_characters_from_one() {
        let file = FileContext::new("a.py", "é = 1\nx = \"é\"\n", FileKind::Data(Format::Plain));
        let place = file.place(12..14);
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 6, 2, 7));
        assert_eq!(file.line_and_column(0), (1, 1));
        assert_eq!(file.line_and_column(usize::MAX).0, 3);
    }

    #[test]
    fn generated_and_packed_texts_are_told() {
        assert!(is_generated("// Code generated by protoc. DO NOT EDIT.\n"));
        assert!(!is_generated("x = 1\n"));
        assert!(is_packed(&"x".repeat(30_000)) && !is_packed(&"x = 1\n".repeat(5_000)));
    }
}
