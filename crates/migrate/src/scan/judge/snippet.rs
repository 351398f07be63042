//! A small reader for the tests of judges: calls in the notation that Python and JavaScript share, with spans.

use std::sync::{Arc, OnceLock};

use crate::scan::classify::{FileContext, FileKind};
use crate::scan::finding::Finding;
use crate::scan::format::Format;
use crate::scan::judge::requests::Requests;
use crate::scan::names::Names;
use crate::scan::source::{Call, Kind, Member, Reading, Span, Value};

/// A snippet that was read.
pub(crate) struct Snippet {
    pub(crate) text: String,
    pub(crate) reading: Reading,
}

impl Snippet {
    /// Reads lines `name = callee(…)` and `callee(…)`; `imports` are separated by spaces.
    pub(crate) fn of(imports: &str, text: &str) -> Self {
        let imports: Arc<[String]> = imports.split_whitespace().map(str::to_owned).collect();
        let mut reader = Reader { text, at: 0, imports, known: Vec::new() };
        let mut calls = Vec::new();
        loop {
            reader.blank();
            if reader.at >= text.len() {
                break;
            }
            calls.push(reader.statement());
        }
        let reading = Reading { calls, ..Reading::default() };
        Self { text: text.to_owned(), reading }
    }

    /// What a judge finds on 2026-11-23.
    pub(crate) fn judged(
        &self,
        path: &str,
        judge: fn(&Requests<'_>, &FileContext<'_>, &Names, &str) -> Vec<Finding>,
    ) -> Vec<Finding> {
        let names = names();
        judge(&Requests::of(&self.reading, &names), &self.file(path), &names, "2026-11-23")
    }

    pub(crate) fn file(&self, path: &str) -> FileContext<'_> {
        FileContext::new(path, &self.text, FileKind::Data(Format::Plain))
    }
}

pub(crate) fn names() -> Names {
    // Made once: looking up thousands of rows for each snippet would take most of the time.
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| Names::of(pilothouse_catalog::Catalog::bundled())).clone()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    imports: Arc<[String]>,
    known: Vec<(String, Call)>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.blank();
        let is_there = self.rest().starts_with(mark);
        if is_there {
            self.at += mark.len();
        }
        is_there
    }

    fn word(&mut self) -> (String, Span) {
        self.blank();
        let start = self.at;
        let end = self.rest().find(|letter: char| !letter.is_alphanumeric() && !"_.$".contains(letter));
        self.at += end.unwrap_or(self.rest().len());
        (self.text[start..self.at].to_owned(), start..self.at)
    }

    fn statement(&mut self) -> Call {
        let start = self.at;
        if self.rest().starts_with('{') {
            let value = self.value();
            let Kind::Table { members, .. } = value.kind else { panic!("not a table: {}", self.text) };
            return self.call(String::new(), start..self.at, start..self.at, members);
        }
        let (mut word, mut span) = self.word();
        let mut name = None;
        if self.eat("=") {
            name = Some(word);
            (word, span) = self.word();
        }
        assert!(self.eat("("), "no call at {start}: {}", self.text);
        let arguments = self.members(")");
        let call = self.call(word, span, start..self.at, arguments);
        if let Some(name) = name {
            self.known.push((name, call.clone()));
        }
        call
    }

    fn call(&self, callee: String, callee_span: Span, span: Span, arguments: Vec<Member>) -> Call {
        let root = callee.split('.').next().unwrap_or("");
        let receiver =
            self.known.iter().find(|(name, _)| name == root).map(|(_, call)| Box::new(call.clone()));
        Call { callee, callee_span, span, arguments, imports: self.imports.clone(), receiver }
    }

    fn members(&mut self, end: &str) -> Vec<Member> {
        let mut out: Vec<Member> = Vec::new();
        let mut before = self.at;
        while !self.eat(end) {
            self.blank();
            let start = self.at;
            let mut member = self.member();
            let value_end = self.at;
            let has_comma = self.eat(",");
            self.blank();
            // With the comma behind it, or as the last one with that before it.
            member.removal = match (has_comma, out.is_empty()) {
                (true, _) => start..self.at,
                (false, true) => start..value_end,
                (false, false) => before..value_end,
            };
            before = value_end;
            out.push(member);
        }
        out
    }

    fn member(&mut self) -> Member {
        let start = self.at;
        if self.eat("**") {
            let value = self.value();
            return Member {
                name: String::new(),
                name_span: value.span.clone(),
                removal: 0..0,
                value,
                is_indirect: true,
            };
        }
        let value = self.value();
        let is_named = self.rest().starts_with('=') || self.rest().starts_with(':');
        if !is_named {
            return Member {
                name: String::new(),
                name_span: value.span.clone(),
                removal: 0..0,
                value,
                is_indirect: false,
            };
        }
        let name_span = start..self.at;
        let name = self.text[name_span.clone()].trim_matches('"').to_owned();
        self.at += 1;
        self.blank();
        let value = self.value();
        Member { name, name_span, removal: 0..0, value, is_indirect: false }
    }

    fn value(&mut self) -> Value {
        self.blank();
        let start = self.at;
        let first = self.rest().chars().next().unwrap_or(' ');
        let kind = match first {
            '"' => {
                let length = self.rest()[1..].find('"').unwrap();
                self.at += length + 2;
                Kind::Text(self.text[start + 1..self.at - 1].to_owned())
            }
            '[' | '(' => {
                self.at += 1;
                let end = if first == '[' { "]" } else { ")" };
                Kind::List(self.members(end).into_iter().map(|member| member.value).collect())
            }
            '{' => {
                self.at += 1;
                Kind::Table { made_by: String::new(), members: self.members("}") }
            }
            _ => self.plain(),
        };
        Value { span: start..self.at, kind }
    }

    fn plain(&mut self) -> Kind {
        let minus = self.eat("-");
        let (word, _) = self.word();
        if self.rest().starts_with('(') {
            self.at += 1;
            return Kind::Table { made_by: word, members: self.members(")") };
        }
        match word.as_str() {
            "True" | "true" => Kind::Bool(true),
            "False" | "false" => Kind::Bool(false),
            "None" | "null" => Kind::Null,
            number if number.starts_with(|letter: char| letter.is_ascii_digit()) => {
                Kind::Number(format!("{}{number}", if minus { "-" } else { "" }))
            }
            _ => Kind::Dynamic { parts: Vec::new(), is_choice: false },
        }
    }
}
