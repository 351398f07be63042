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
        let lines =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        Self { path: path.into(), text, kind, site: site_of_path(path), lines }
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

/// What a path says about everything in the file.
#[must_use]
pub fn site_of_path(_path: &str) -> Option<Site> {
    None
}
