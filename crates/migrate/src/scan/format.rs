//! Readers of configuration and text: what a file that is no source code mentions, and which of its tables are calls.
//!
//! Every reader is tolerant: what it does not understand it passes over, and a candidate that no part of a file holds
//! is told by the line that it stands in.

mod embedded;
mod flow;
mod keyed;
mod markdown;
pub mod notebook;
mod script;
mod text;
mod tree;
mod yaml;

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

impl Format {
    /// Every format.
    pub const ALL: [Self; 11] = [
        Self::Yaml,
        Self::Toml,
        Self::Json,
        Self::Env,
        Self::Hcl,
        Self::Dockerfile,
        Self::Shell,
        Self::Notebook,
        Self::Markdown,
        Self::Prompt,
        Self::Plain,
    ];
}

/// The format of a file, by its name; `None` where the name tells nothing.
#[must_use]
pub fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    if name.starts_with("dockerfile") || name.starts_with("containerfile") || name.ends_with(".dockerfile") {
        return Some(Format::Dockerfile);
    }
    if name == ".env" || name.starts_with(".env.") || name.ends_with(".env") {
        return Some(Format::Env);
    }
    if matches!(name.as_str(), "makefile" | "justfile" | "procfile" | ".envrc" | "gnumakefile") {
        return Some(Format::Shell);
    }
    if matches!(name.as_str(), "pipfile" | "cargo.lock" | "poetry.lock" | "uv.lock") {
        return Some(Format::Toml);
    }
    Some(match name.rsplit_once('.')?.1 {
        "yaml" | "yml" | "tpl" => Format::Yaml,
        "toml" => Format::Toml,
        "json" | "jsonc" | "json5" | "jsonl" | "ndjson" | "webmanifest" | "code-workspace" => Format::Json,
        "ini" | "cfg" | "conf" | "properties" | "editorconfig" => Format::Env,
        "tf" | "tfvars" | "hcl" | "nomad" => Format::Hcl,
        "sh" | "bash" | "zsh" | "fish" | "ps1" | "bat" | "cmd" | "mk" | "ksh" => Format::Shell,
        "ipynb" => Format::Notebook,
        "md" | "mdx" | "markdown" | "mdc" | "qmd" | "rmd" => Format::Markdown,
        "prompt" | "prompty" | "txt" | "rst" | "adoc" | "j2" | "jinja" | "jinja2" | "mustache" | "hbs"
        | "liquid" | "tmpl" => Format::Prompt,
        "xml" | "csproj" | "html" | "htm" | "csv" | "tsv" | "svg" | "sql" | "log" | "plist" | "css" => {
            Format::Plain
        }
        _ => return None,
    })
}

/// Reads a file. Spans are bytes of `text`; `candidates` are those of the text, in its order.
#[must_use]
pub fn read(format: Format, text: &str, candidates: &[Candidate]) -> Reading {
    let all = 0..text.len();
    match format {
        Format::Yaml => tree::reading(&yaml::tree(text, all), text, candidates),
        Format::Toml => tree::reading(&keyed::toml(text, all), text, candidates),
        Format::Json => tree::reading(&json(text), text, candidates),
        Format::Env => tree::reading(&keyed::env(text, all), text, candidates),
        Format::Hcl => tree::reading(&keyed::hcl(text, all), text, candidates),
        Format::Dockerfile | Format::Shell => script::read(text, candidates, true),
        Format::Notebook => notebook::read(text, candidates),
        Format::Markdown => markdown::read(text, candidates, true),
        Format::Prompt => markdown::read(text, candidates, false),
        Format::Plain => script::read(text, candidates, false),
    }
}

/// A number in a text: the key that it is bound to (empty for one alone), where that begins, the number as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The key, as written.
    pub key: String,
    /// From the key to the end of the number.
    pub span: super::source::Span,
    /// The number as written, without separators.
    pub number: String,
}

/// The figures of the value that stands behind a key: of `"gpt-4o": {"input": 2.5}`, from the end of `gpt-4o`. Empty if
/// no number or table of numbers follows.
#[must_use]
pub fn figures_behind(text: &str, at: usize) -> Vec<Figure> {
    let mut end = text.len().min(at + FIGURES_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let Some(rest) = text.get(at..end) else { return Vec::new() };
    let value = rest.trim_start_matches(['"', '\'', '`', ']']).trim_start();
    let Some(value) = ["=>", ":", "="].iter().find_map(|sign| value.strip_prefix(sign)) else {
        return Vec::new();
    };
    let mut flow = flow::Flow::new(text, end - value.len()..end);
    let Some(node) = flow.value(0) else { return Vec::new() };
    let figure = |key: &str, from: usize, node: &tree::Node<'_>| match &node.shape {
        tree::Shape::Scalar(scalar) if !scalar.is_text => {
            let number = scalar.text.replace('_', "");
            let is_number = number.parse::<f64>().is_ok();
            is_number.then(|| Figure { key: key.to_owned(), span: from..node.span.end, number })
        }
        _ => None,
    };
    match &node.shape {
        tree::Shape::Table(entries) => entries
            .iter()
            .filter_map(|entry| figure(&entry.key, entry.key_span.start, &entry.value))
            .collect(),
        _ => figure("", node.span.start, &node).into_iter().collect(),
    }
}

/// How far behind a key its figures are looked for.
const FIGURES_BYTES_MAX: usize = 1024;

/// Reads JSON, one value after the other.
fn json(source: &str) -> tree::Tree<'_> {
    let mut flow = flow::Flow::new(source, 0..source.len());
    flow.has_hash = false;
    let mut roots = Vec::new();
    loop {
        flow.skip();
        if flow.peek().is_none() {
            break;
        }
        roots.extend(flow.value(0));
    }
    tree::Tree { roots, comments: flow.comments, is_partial: flow.is_partial }
}

#[cfg(test)]
mod tests;
