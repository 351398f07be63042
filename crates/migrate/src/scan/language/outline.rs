//! The lines of a file on which something begins, found without parsing it.

/// Strings and comments of a language.
#[derive(Debug)]
pub(super) struct Lexis {}

/// Python.
pub(super) static PYTHON: Lexis = Lexis {};
/// JavaScript and TypeScript.
pub(super) static JAVASCRIPT: Lexis = Lexis {};
/// GO.
pub(super) static GO: Lexis = Lexis {};
/// JAVA.
pub(super) static JAVA: Lexis = Lexis {};
/// KOTLIN.
pub(super) static KOTLIN: Lexis = Lexis {};
/// CSHARP.
pub(super) static CSHARP: Lexis = Lexis {};
/// RUBY.
pub(super) static RUBY: Lexis = Lexis {};
/// PHP.
pub(super) static PHP: Lexis = Lexis {};
/// RUST.
pub(super) static RUST: Lexis = Lexis {};
