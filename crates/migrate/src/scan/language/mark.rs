//! What each candidate stands in, and the mention that this makes.

use super::shape::{Quoted, slice};
use super::text::{Joined, context, unescape};
use crate::scan::candidates::Candidate;
use crate::scan::source::{Context, Mention, Pragma, Span};

/// What was seen around a candidate on the way down to it.
#[derive(Debug, Default)]
pub(super) struct Mark {
    /// What it is bound to.
    pub(super) bound_to: Option<String>,
    /// Whether the string that it stands in documents something.
    pub(super) is_documentation: bool,
    inside: Inside,
    joined: Joined,
}

#[derive(Debug, Default)]
enum Inside {
    #[default]
    Nothing,
    Text {
        content: Span,
        holes: Vec<Span>,
        is_raw: bool,
        is_key: bool,
    },
    Code(Span),
    Key(Span),
    Comment(Span),
    Prose(Span),
}

impl Mark {
    /// It lies in a string.
    pub(super) fn enter_text(&mut self, quoted: &Quoted<'_>) {
        let is_key = matches!(&self.inside, Inside::Key(key) if key.start >= quoted.content.start && key.end <= quoted.content.end);
        let holes = quoted.holes.iter().map(tree_sitter::Node::byte_range).collect();
        self.inside = Inside::Text { content: quoted.content.clone(), holes, is_raw: quoted.is_raw, is_key };
    }

    /// It lies in a name of the program; what is outermost counts.
    pub(super) fn enter_code(&mut self, span: Span) {
        let is_within = matches!(&self.inside, Inside::Code(outer) | Inside::Key(outer) if outer.start <= span.start && span.end <= outer.end);
        if !is_within {
            self.inside = Inside::Code(span);
        }
    }

    /// It is a key.
    pub(super) fn enter_key(&mut self, span: &Span) {
        self.inside = Inside::Key(span.clone());
    }

    /// It lies in a comment.
    pub(super) fn enter_comment(&mut self, span: Span) {
        self.bound_to = None;
        self.inside = Inside::Comment(span);
    }

    /// It lies in text for people.
    pub(super) fn enter_prose(&mut self, span: Span) {
        self.bound_to = None;
        self.inside = Inside::Prose(span);
    }

    /// The string that it lies in is joined with something.
    pub(super) fn join(&mut self, joined: Joined) {
        self.joined = joined;
    }

    /// The mention that this makes.
    pub(super) fn mention(self, source: &str, candidate: &Candidate) -> Mention {
        let word = candidate.span.clone();
        let whole = |span: Span, context: Context, bound_to: Option<String>| {
            let text = slice(source, &span).to_owned();
            Mention { span: word.clone(), text, text_span: span, context, bound_to }
        };
        match self.inside {
            Inside::Comment(span) => {
                let end = span.start + slice(source, &span).trim_end().len();
                whole(span.start..end.max(word.end), Context::Comment, None)
            }
            Inside::Prose(span) => whole(span, Context::Prose, None),
            Inside::Key(span) => whole(span, Context::Key, self.bound_to),
            Inside::Code(span) => whole(code(source, &span, &word), Context::Code, self.bound_to),
            Inside::Nothing => elsewhere(source, &word),
            Inside::Text { content, holes, is_raw, is_key } => {
                let text = unescape(slice(source, &content), is_raw);
                let context = match () {
                    () if self.is_documentation => Context::Comment,
                    () if is_key => Context::Key,
                    () => context(source, &content, &holes, &word, self.joined),
                };
                let bound_to = self.bound_to.filter(|_| context != Context::Comment);
                Mention { span: word, text, text_span: content, context, bound_to }
            }
        }
    }
}

/// A name as far as it is written in one piece.
fn code(source: &str, span: &Span, word: &Span) -> Span {
    let written = slice(source, span);
    if written.len() <= 256 && !written.contains(['(', '\n', '[', '{', '"', '\'']) {
        return span.clone();
    }
    let is_part = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '.' | ':' | '$');
    let before = slice(source, &(span.start..word.start));
    let behind = slice(source, &(word.end..span.end));
    let left = before.len() - before.trim_end_matches(is_part).len();
    let right = behind.len() - behind.trim_start_matches(is_part).len();
    word.start - left..word.end + right
}

/// What no node of the tree holds: the parser gave up, or it stands between strings and names. The line around it
/// decides.
fn elsewhere(source: &str, word: &Span) -> Mention {
    let before = source.get(..word.start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end =
        source.get(word.end..).and_then(|rest| rest.find('\n')).map_or(source.len(), |at| word.end + at);
    let is_quote = |sign: char| matches!(sign, '"' | '\'' | '`');
    let left = slice(source, &(line..word.start)).rfind(is_quote).map(|at| line + at + 1);
    let right = slice(source, &(word.end..line_end)).find(is_quote).map(|at| word.end + at);
    let (text_span, context) = match (left, right) {
        (Some(left), Some(right)) => {
            (left..right, context(source, &(left..right), &[], word, Joined::default()))
        }
        _ => (word.clone(), Context::Code),
    };
    let text = slice(source, &text_span).to_owned();
    Mention { span: word.clone(), text, text_span, context, bound_to: None }
}

/// How a comment that speaks to us begins.
pub(super) const PRAGMA: &str = "pilothouse:";

/// The pragma that a comment is, if it is one.
pub(super) fn pragma(source: &str, span: &Span) -> Option<Pragma> {
    let comment = slice(source, span);
    let at = comment.find(PRAGMA)?;
    // Only at the beginning of a comment: prose that speaks about pragmas is none.
    let opening = comment.get(..at)?;
    if !opening.trim_start_matches(['#', '/', '*', '-', '!', '<', ';', '=']).trim().is_empty() {
        return None;
    }
    let text = comment.get(at + PRAGMA.len()..)?;
    let text = text.lines().next().unwrap_or_default().trim();
    let text = text.strip_suffix("*/").or_else(|| text.strip_suffix("-->")).unwrap_or(text).trim();
    let line = source.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let behind = source.get(span.end..).unwrap_or_default();
    let rest = behind.split('\n').next().unwrap_or_default();
    let is_alone = slice(source, &(line..span.start)).trim().is_empty()
        && (comment.ends_with('\n') || rest.trim().is_empty());
    Some(Pragma { text: text.to_owned(), span: span.clone(), is_alone })
}
