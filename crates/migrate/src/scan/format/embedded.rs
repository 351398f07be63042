//! Text within text: code blocks, cells of notebooks, bodies in quotes. It is read by its own reader, and every place
//! is moved to where it stands in the file.

use std::path::Path;

use crate::scan::candidates::Candidate;
use crate::scan::language;
use crate::scan::source::{Reading, Span};

use super::{Format, flow, text};

/// A text as it is meant, and for each of its bytes (and its end) where that stands in the file.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub text: String,
    places: Vec<usize>,
}

impl Decoded {
    /// Adds a span of the file with the escapes of JSON in it resolved.
    pub(super) fn push_escaped(&mut self, source: &str, span: Span) {
        let Some(raw) = source.get(span.clone()) else { return };
        // The end of what was added before is the beginning of this, and no byte of its own.
        self.places.truncate(self.text.len());
        let mut at = 0;
        while let Some(letter) = raw[at..].chars().next() {
            let length = match letter {
                '\\' if raw[at..].starts_with("\\u") && raw.is_char_boundary((at + 6).min(raw.len())) => {
                    6.min(raw.len() - at)
                }
                '\\' => 1 + raw[at + 1..].chars().next().map_or(0, char::len_utf8),
                _ => letter.len_utf8(),
            };
            let from = self.text.len();
            match letter {
                '\\' => self.text.push_str(&flow::unescaped(&raw[at..at + length])),
                _ => self.text.push(letter),
            }
            let is_same = self.text.len() - from == length;
            let place = |offset: usize| span.start + at + if is_same { offset } else { 0 };
            self.places.extend((0..self.text.len() - from).map(place));
            at += length;
        }
        self.end(span.start + raw.len());
    }

    fn end(&mut self, place: usize) {
        // One more place than bytes: the end of the last one.
        self.places.truncate(self.text.len());
        self.places.push(place);
    }

    /// Where a byte of the text stands in the file.
    fn place(&self, at: usize) -> usize {
        self.places.get(at).or(self.places.last()).copied().unwrap_or_default()
    }

    /// The candidates of the file that stand in this text, at their places in the text.
    fn candidates(&self, candidates: &[Candidate]) -> Vec<Candidate> {
        let (Some(first), Some(last)) = (self.places.first(), self.places.last()) else { return Vec::new() };
        let find = |place: usize| self.places.partition_point(|one| *one < place);
        text::within(candidates, &(*first..*last))
            .iter()
            .map(|one| Candidate { span: find(one.span.start)..find(one.span.end), kind: one.kind })
            .filter(|one| !one.span.is_empty() && self.text.get(one.span.clone()).is_some())
            .collect()
    }

    /// Reads the text.
    pub(super) fn read(&self, reader: &Reader, candidates: &[Candidate]) -> Reading {
        let own = self.candidates(candidates);
        if own.is_empty() {
            return Reading::default();
        }
        let mut reading = reader.read(&self.text, &own);
        text::moved(&mut reading, &|at| self.place(at));
        // What could not be placed exactly (an escape within a name) is none of ours.
        let is_known = |span: &Span| candidates.iter().any(|one| one.span == *span);
        reading.mentions.retain(|mention| is_known(&mention.span));
        reading
    }
}

/// What reads a part.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    Language(language::Language),
    Format(Format),
}

impl Reader {
    /// The reader of a code block or cell by the name that it gives: `python`, `ts`, `yaml`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let extension = match name.as_str() {
            "python" | "python3" | "py3" | "ipython" | "pycon" => "py",
            "typescript" => "ts",
            "javascript" | "node" | "nodejs" => "js",
            "golang" => "go",
            "rust" => "rs",
            "kotlin" => "kt",
            "csharp" | "c#" | "dotnet" => "cs",
            "ruby" => "rb",
            "shell" | "console" | "terminal" | "shell-session" | "curl" | "sh-session" => "sh",
            "terraform" => "tf",
            "docker" => "dockerfile",
            "dotenv" => "env",
            "" => return None,
            other => other,
        };
        if extension == "dockerfile" {
            return Some(Self::Format(Format::Dockerfile));
        }
        let path = format!("block.{extension}");
        match language::language_of(Path::new(&path), "") {
            Some(language) => Some(Self::Language(language)),
            None => super::format_of(Path::new(&path)).map(Self::Format),
        }
    }

    /// Reads a text on its own.
    pub(super) fn read(self, text: &str, candidates: &[Candidate]) -> Reading {
        match self {
            Self::Language(language) => language::read(language, text, candidates),
            Self::Format(Format::Markdown | Format::Notebook) => Reading::default(),
            Self::Format(format) => super::read(format, text, candidates),
        }
    }

    /// Reads a span of a file as it stands there.
    pub(super) fn read_span(self, source: &str, span: Span, candidates: &[Candidate]) -> Reading {
        let own: Vec<Candidate> = text::within(candidates, &span)
            .iter()
            .map(|one| Candidate {
                span: one.span.start - span.start..one.span.end - span.start,
                kind: one.kind,
            })
            .collect();
        let Some(part) = source.get(span.clone()).filter(|_| !own.is_empty()) else {
            return Reading::default();
        };
        let mut reading = self.read(part, &own);
        text::moved(&mut reading, &|at| at + span.start);
        reading
    }
}
