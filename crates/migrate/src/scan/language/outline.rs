//! The lines of a file on which something begins, found without parsing it.

/// Strings and comments of a language.
#[derive(Debug)]
pub(super) struct Lexis {}

/// Python.
pub(super) static PYTHON: Lexis = Lexis {};
/// JavaScript and TypeScript.
pub(super) static JAVASCRIPT: Lexis = Lexis {};
