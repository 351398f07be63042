//! Readers of configuration and text: what a file that is no source code mentions, and which of its tables are calls.

use std::path::Path;

use super::candidates::Candidate;
use super::source::Reading;

/// A format of configuration or text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// YAML, also with templates in it (Helm, Ansible), which make it something else.
    Yaml,
    /// TOML.
    Toml,
    /// JSON, JSON with comments, JSON5, and one JSON value a line.
    Json,
    /// `.env`, `.ini`, `.properties`: a name and a value a line.
    Env,
    /// Terraform and other HCL.
    Hcl,
    /// Dockerfiles.
    Dockerfile,
    /// Shell scripts.
    Shell,
    /// Jupyter notebooks.
    Notebook,
    /// Markdown.
    Markdown,
    /// Prompts and other text for people and models.
    Prompt,
    /// Anything else that is text.
    Plain,
}

/// The format of a file, by its name.
#[must_use]
pub fn format_of(_path: &Path) -> Option<Format> {
    None
}

/// Reads a file. Spans are bytes of `text`.
#[must_use]
pub fn read(_format: Format, _text: &str, _candidates: &[Candidate]) -> Reading {
    Reading::default()
}
