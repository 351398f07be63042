//! What is wrong with a configuration, shown with file, line, column and a caret.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where, as a range of bytes in the file; `None` when no place is to blame.
    pub span: Option<Range<usize>>,
    /// What, why, and what to do.
    pub message: String,
}

impl Diagnostic {
    /// Something wrong at a place.
    #[must_use]
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into() }
    }
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file; `None` for a configuration that came from none.
    pub path: Option<PathBuf>,
    /// Each thing that is wrong, with its line, column and the line's text.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line (from 1), column in characters (from 1), the line's text, and how many characters are meant.
    pub place: Option<(usize, usize, String, usize)>,
    /// What, why, and what to do.
    pub message: String,
}

impl ConfigError {
    pub(super) fn new(path: Option<&Path>, text: &str, diagnostics: Vec<Diagnostic>) -> Self {
        let problems = diagnostics
            .into_iter()
            .map(|diagnostic| Problem {
                place: diagnostic.span.map(|span| place(text, &span)),
                message: diagnostic.message,
            })
            .collect();
        Self { path: path.map(Path::to_owned), problems }
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let message = format!(
            "cannot be read ({error}); give another file with --config, or none to start without one"
        );
        Self { path: Some(path.to_owned()), problems: vec![Problem { place: None, message }] }
    }
}

fn place(text: &str, span: &Range<usize>) -> (usize, usize, String, usize) {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let line = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let length = text[start..end.min(line_end)].chars().count().max(1);
    (line, column, text[line_start..line_end].trim_end().to_owned(), length)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            self.path.as_ref().map_or_else(|| "configuration".to_owned(), |path| path.display().to_string());
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            match &problem.place {
                None => write!(out, "{name}: {}", problem.message)?,
                Some((line, column, text, length)) => {
                    let margin = " ".repeat(line.to_string().len());
                    writeln!(out, "{name}:{line}:{column}: {}", problem.message)?;
                    writeln!(out, "{margin} |")?;
                    // A warning is about a secret: its line is not repeated where logs could keep it.
                    let is_secret = problem.message.starts_with("warning: this secret");
                    let shown =
                        if is_secret { text.split_inclusive('=').next().unwrap_or_default() } else { text };
                    writeln!(out, "{line} | {shown}")?;
                    write!(out, "{margin} | {}{}", " ".repeat(column - 1), "^".repeat(*length))?;
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
