//! Readers of source code: what a file mentions and calls, by the syntax tree of its language.
//!
//! A language is a file beside this and a line of `Language::grammar`: it says which of its nodes are texts, tables,
//! calls and names (`shape`); what follows from that is shared. *Does not know*: the catalogue, and what is wrong with
//! a model.

use std::path::Path;
use std::sync::Arc;

use super::candidates::Candidate;
use super::source::{Reading, Span};

mod calls;
mod changes;
mod csharp;
mod go;
mod hot;
mod imports;
mod java;
mod javascript;
mod kinds;
mod kotlin;
mod mark;
mod merges;
mod names;
mod outline;
mod parse;
mod php;
mod python;
mod removal;
mod ruby;
mod rust;
mod shape;
mod text;
mod value;
mod walk;
mod window;
mod wordset;

/// A language that programs are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript, with JSX.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Go.
    Go,
    /// Rust.
    Rust,
    /// Java.
    Java,
    /// Kotlin.
    Kotlin,
    /// C#.
    CSharp,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
}

impl Language {
    /// Every language, in the order of their names in the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Python,
        Self::JavaScript,
        Self::TypeScript,
        Self::Tsx,
        Self::Go,
        Self::Rust,
        Self::Java,
        Self::Kotlin,
        Self::CSharp,
        Self::Ruby,
        Self::Php,
    ];

    fn grammar(self) -> &'static shape::Grammar {
        match self {
            Self::Python => &python::GRAMMAR,
            Self::JavaScript => &javascript::JAVASCRIPT_GRAMMAR,
            Self::TypeScript => &javascript::TYPESCRIPT_GRAMMAR,
            Self::Tsx => &javascript::TSX_GRAMMAR,
            Self::Go => &go::GRAMMAR,
            Self::Rust => &rust::GRAMMAR,
            Self::Java => &java::GRAMMAR,
            Self::Kotlin => &kotlin::GRAMMAR,
            Self::CSharp => &csharp::GRAMMAR,
            Self::Ruby => &ruby::GRAMMAR,
            Self::Php => &php::GRAMMAR,
        }
    }
}

/// The language of a file, by its name, or by what its first line says runs it.
#[must_use]
pub fn language_of(path: &Path, first_line: &str) -> Option<Language> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    if let Some(ending) = ending {
        return by_ending(&ending);
    }
    if let Some(name @ ("Gemfile" | "Rakefile")) = path.file_name().and_then(|name| name.to_str()) {
        return language_named(name);
    }
    let program = first_line.strip_prefix("#!")?.rsplit(['/', ' ']).find(|word| !word.starts_with('-'))?;
    language_named(program.trim().trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '.'))
}

fn by_ending(ending: &str) -> Option<Language> {
    Some(match ending {
        "py" | "pyi" | "pyw" => Language::Python,
        "js" | "jsx" | "mjs" | "cjs" => Language::JavaScript,
        "ts" | "mts" | "cts" => Language::TypeScript,
        "tsx" => Language::Tsx,
        "go" => Language::Go,
        "rs" => Language::Rust,
        "java" => Language::Java,
        "kt" | "kts" => Language::Kotlin,
        "cs" | "csx" => Language::CSharp,
        "rb" | "rake" | "gemspec" | "ru" => Language::Ruby,
        "php" | "phtml" => Language::Php,
        _ => return None,
    })
}

/// The language that a code block or a cell names: `python`, `ts`.
#[must_use]
pub fn language_named(name: &str) -> Option<Language> {
    let name = name.to_ascii_lowercase();
    Some(match name.as_str() {
        "python" | "python3" | "ipython" => Language::Python,
        "javascript" | "node" | "bun" => Language::JavaScript,
        "typescript" | "deno" | "ts-node" => Language::TypeScript,
        "golang" => Language::Go,
        "rust" => Language::Rust,
        "kotlin" => Language::Kotlin,
        "csharp" | "c#" => Language::CSharp,
        "ruby" | "gemfile" | "rakefile" => Language::Ruby,
        other => return by_ending(other),
    })
}

/// Files of up to so many bytes are parsed as a whole.
const WHOLE_BYTES_MAX: usize = 2_000;

/// Reads source code. Spans are bytes of `text`; `candidates` are by their place, and do not overlap.
///
/// Of a larger file only what candidates stand in is parsed, what uses the constants that hold one, and what defines the
/// names that are used there: [`Reading::is_partial`] says where that was not possible without cutting something.
#[must_use]
pub fn read(language: Language, text: &str, candidates: &[Candidate]) -> Reading {
    if text.len() <= WHOLE_BYTES_MAX {
        return read_whole(language, text, candidates);
    }
    read_windows(language, text, candidates, window::WHOLE_BYTES_MAX)
}

/// Parses the parts of a text that matter; of these, parts of up to `whole_bytes_max` are taken whole.
fn read_windows(language: Language, text: &str, candidates: &[Candidate], whole_bytes_max: usize) -> Reading {
    let lines = outline::outline(text, language.grammar().lexis);
    let mut places: Vec<usize> = candidates.iter().map(|candidate| candidate.span.start).collect();
    places.extend(memchr::memmem::find_iter(text.as_bytes(), mark::PRAGMA));
    places.sort_unstable();
    // The blocks of Kotlin that build requests hold settings line by line, which no comma tells from statements.
    let least = if language == Language::Kotlin { window::DEPENDENT_BYTES_MAX } else { 0 };
    let mut windows = window::windows(text, &lines, &places, whole_bytes_max.max(least));
    // Without its opening mark nothing of a file of PHP is code.
    if language == Language::Php
        && let Some(mark) = text.find("<?")
        && windows.parts.first().is_some_and(|part| part.start > mark)
    {
        let end = text.len().min(mark + "<?php\n".len());
        let is_whole =
            text.is_char_boundary(end) && windows.parts.first().is_some_and(|part| part.start >= end);
        let part = mark..if is_whole { end } else { mark + 2 };
        windows.parts.insert(0, part);
    }
    read_parts(language, text, candidates, &windows.parts, windows.is_cut)
}

/// Parses all of a text.
fn read_whole(language: Language, text: &str, candidates: &[Candidate]) -> Reading {
    let all = std::iter::once(0..text.len()).collect::<Vec<_>>();
    read_parts(language, text, candidates, &all, false)
}

fn read_parts(
    language: Language,
    text: &str,
    candidates: &[Candidate],
    parts: &[Span],
    is_cut: bool,
) -> Reading {
    let grammar = language.grammar();
    let tree = if parts.is_empty() { None } else { parse::parse(language, grammar, text, parts) };
    let Some(tree) = tree else {
        let mentions =
            candidates.iter().map(|candidate| mark::Mark::default().mention(text, candidate)).collect();
        return Reading { mentions, is_partial: is_cut || !candidates.is_empty(), ..Reading::default() };
    };
    let imports: Arc<[String]> = imports::imports(text).into();
    let walk = walk::Walk::of(tree.root_node(), grammar, text, parts, candidates);
    let calls = walk.read_calls(&imports);
    let is_partial = is_cut || walk.is_cut || tree.root_node().has_error();
    let marks = walk.marks.into_iter().zip(candidates);
    let mentions = marks.map(|(mark, candidate)| mark.mention(text, candidate)).collect();
    Reading { mentions, calls, pragmas: walk.pragmas, is_partial }
}

#[cfg(test)]
mod tests;
