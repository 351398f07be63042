//! What configuration of any format comes to: tables, lists and scalars that know where they stand, and the
//! [`Reading`] that is made of them.

use std::borrow::Cow;

use crate::scan::candidates::Candidate;
use crate::scan::source::{Call, Context, Kind, Member, Mention, Reading, Span, Value};

use super::embedded::{Decoded, Reader};
use super::{Format, text};

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node<'t> {
    /// All of it; for a text with its quotes.
    pub span: Span,
    pub shape: Shape<'t>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape<'t> {
    Scalar(Scalar<'t>),
    Table(Vec<Entry<'t>>),
    List(Vec<Node<'t>>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scalar<'t> {
    /// The content, escapes resolved.
    pub text: Cow<'t, str>,
    /// Where the content stands, without quotes.
    pub inner: Span,
    /// Whether it has quotes or is a block: then it is a text whatever it looks like.
    pub is_text: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry<'t> {
    pub key: Cow<'t, str>,
    pub key_span: Span,
    /// See [`Member::removal`].
    pub removal: Span,
    pub value: Node<'t>,
}

/// A file as its parser leaves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree<'t> {
    pub roots: Vec<Node<'t>>,
    pub comments: Vec<Span>,
    pub is_partial: bool,
}

/// Keys whose value names the model of the table that they stand in, as letters.
const MODEL_KEYS: &[&str] = &[
    "model",
    "modelid",
    "modelname",
    "deployment",
    "deploymentname",
    "deploymentid",
    "azuredeployment",
    "engine",
    "llm",
    "modelversion",
    "foundationmodel",
    "modelarn",
    "defaultmodel",
    "chatmodel",
    "llmmodel",
    "embeddingmodel",
    "openaimodel",
    "anthropicmodel",
    "geminimodel",
    "baselinemodel",
    "modeluri",
    "modelslug",
];

/// Keys of tables that hold the parameters of the call that the table around them configures, as letters.
const PARAMETER_TABLES: &[&str] = &[
    "config",
    "params",
    "parameters",
    "options",
    "completionoptions",
    "defaultcompletionoptions",
    "modelkwargs",
    "generationconfig",
    "litellmparams",
    "settings",
    "modelparams",
    "modelparameters",
    "inferenceconfig",
    "inferenceconfiguration",
    "modelsettings",
    "extraparams",
    "extrabody",
    "llmparams",
    "completionparams",
    "invocationparams",
    "kwargs",
    "requestbody",
    "modelconfig",
];

/// How deep tables are followed when calls are made of them.
const DEPTH_MAX: usize = 24;

/// The reading of a tree: its mentions, its comments' mentions, and the tables that are requests.
pub(super) fn reading(tree: &Tree<'_>, source: &str, candidates: &[Candidate]) -> Reading {
    let mut reading = Reading { is_partial: tree.is_partial, ..Reading::default() };
    let mut maker = Maker { source, candidates, path: Vec::new(), reading: &mut reading };
    for root in &tree.roots {
        maker.node(root);
    }
    for comment in &tree.comments {
        maker.plain(comment.clone(), Context::Comment);
        if let Some(pragma) = text::pragma(source, comment) {
            maker.reading.pragmas.push(pragma);
        }
    }
    reading.mentions.sort_by_key(|mention| (mention.span.start, mention.span.end));
    reading.mentions.dedup_by(|left, right| left.span == right.span);
    text::add_missing(&mut reading, source, candidates);
    reading
}

struct Maker<'m, 't> {
    source: &'t str,
    candidates: &'m [Candidate],
    /// Keys from the root to here.
    path: Vec<String>,
    reading: &'m mut Reading,
}

impl Maker<'_, '_> {
    fn node(&mut self, node: &Node<'_>) {
        if text::within(self.candidates, &node.span).is_empty() {
            return;
        }
        match &node.shape {
            Shape::Scalar(scalar) => self.scalar(scalar),
            Shape::List(items) => items.iter().for_each(|item| self.node(item)),
            Shape::Table(entries) => self.table(node, entries),
        }
    }

    fn table(&mut self, node: &Node<'_>, entries: &[Entry<'_>]) {
        for entry in entries {
            for candidate in text::within(self.candidates, &entry.key_span) {
                let context =
                    if candidate.span == entry.key_span || is_all(&entry.key, self.source, &candidate.span) {
                        Context::Key
                    } else {
                        Context::WithinText
                    };
                self.mention(candidate, &entry.key, entry.key_span.clone(), context);
            }
            // `- name: MODEL` and `value: gpt-4o` of an environment are one entry.
            let named = if entry.key == "value" || entry.key == "default" { name_of(entries) } else { None };
            self.path.push(named.unwrap_or(&entry.key).to_owned());
            self.node(&entry.value);
            self.path.pop();
        }
        if self.path.len() < DEPTH_MAX && self.is_request(entries) {
            let mut arguments = Vec::new();
            flatten(entries, false, &mut arguments, 0);
            self.reading.calls.push(Call {
                callee: String::new(),
                callee_span: node.span.clone(),
                span: node.span.clone(),
                arguments,
                imports: std::sync::Arc::from([]),
                receiver: None,
            });
        }
    }

    /// Whether a table is what a call is made of: a member names its model.
    fn is_request(&self, entries: &[Entry<'_>]) -> bool {
        entries.iter().any(|entry| {
            let key = letters(&entry.key);
            let names_model =
                MODEL_KEYS.contains(&key.as_str()) || (key == "id" || key == "name" || key == "provider");
            let Shape::Scalar(scalar) = &entry.value.shape else { return false };
            let held = text::within(self.candidates, &entry.value.span);
            let is_all = held.iter().any(|one| is_all(&scalar.text, self.source, &one.span));
            // A name or id is a model's only beside what is asked of one.
            names_model && is_all && (MODEL_KEYS.contains(&key.as_str()) || has_parameters(entries))
        })
    }

    /// A scalar that is a file or a body of its own is read as that: `config.yaml: |` of a ConfigMap, JSON in quotes.
    fn embedded(&mut self, scalar: &Scalar<'_>) -> bool {
        let raw = self.source.get(scalar.inner.clone()).unwrap_or_default();
        let is_body = raw.trim_start().starts_with(['{', '[']) && !raw.trim_start().starts_with("{{");
        let format = match self.path.last().and_then(|key| key.rsplit_once('.')) {
            _ if is_body && raw.contains(':') => Some(Format::Json),
            _ if self.path.last().is_some_and(|key| SCRIPT_KEYS.contains(&letters(key).as_str()))
                && raw.contains(' ') =>
            {
                Some(Format::Shell)
            }
            Some((_, extension)) if raw.contains('\n') => {
                super::format_of(std::path::Path::new(&format!("block.{extension}")))
            }
            _ => None,
        };
        let is_plain =
            |format: &Format| !matches!(format, Format::Plain | Format::Notebook | Format::Markdown);
        let Some(format) = format.filter(is_plain).filter(|_| self.path.len() < DEPTH_MAX) else {
            return false;
        };
        let part = if raw == scalar.text {
            Reader::Format(format).read_span(self.source, scalar.inner.clone(), self.candidates)
        } else {
            let mut decoded = Decoded::default();
            decoded.push_escaped(self.source, scalar.inner.clone());
            let mut part = decoded.read(&Reader::Format(format), self.candidates);
            // Removing from a text in quotes would need its escapes counted.
            part.calls.clear();
            part
        };
        text::append(self.reading, part);
        true
    }

    fn scalar(&mut self, scalar: &Scalar<'_>) {
        if self.embedded(scalar) {
            return;
        }
        // An expression (`jsonencode({…})`) is told by its lines.
        let is_expression = !scalar.is_text && scalar.text.contains('(');
        for candidate in text::within(self.candidates, &scalar.inner) {
            if is_expression {
                self.reading.mentions.push(text::loose(self.source, candidate));
                continue;
            }
            let context = text::context_in(self.source, &scalar.inner, &candidate.span);
            let before = self.source.get(scalar.inner.start..candidate.span.start).unwrap_or_default();
            // `- MODEL=gpt-4o` of an environment.
            let variable = before.strip_suffix('=').filter(|name| text::is_variable(name));
            if let Some(variable) = variable.filter(|_| context != Context::Dynamic) {
                self.path.push(variable.to_owned());
                self.mention(candidate, &scalar.text, scalar.inner.clone(), Context::Value);
                self.path.pop();
                continue;
            }
            self.mention(candidate, &scalar.text, scalar.inner.clone(), context);
        }
    }

    fn plain(&mut self, span: Span, context: Context) {
        let words = self.source.get(span.clone()).unwrap_or_default().to_owned();
        for candidate in text::within(self.candidates, &span) {
            self.mention(candidate, &words, span.clone(), context);
        }
    }

    fn mention(&mut self, candidate: &Candidate, words: &str, text_span: Span, context: Context) {
        let bound_to = (!self.path.is_empty()).then(|| self.path.join("."));
        let bound_to = bound_to.filter(|_| context != Context::Comment);
        let text = text::shortened(words, self.source, &candidate.span, &text_span);
        self.reading.mentions.push(Mention {
            span: candidate.span.clone(),
            text: text.0,
            text_span: text.1,
            context,
            bound_to,
        });
    }
}

/// The name that a table gives itself, as the entries of an environment do.
fn name_of<'e>(entries: &'e [Entry<'_>]) -> Option<&'e str> {
    let own = entries.iter().find(|entry| entry.key == "name" || entry.key == "Name")?;
    match &own.value.shape {
        Shape::Scalar(scalar) if !scalar.text.contains(char::is_whitespace) => Some(&scalar.text),
        _ => None,
    }
}

/// Keys whose value is a command line or a script.
const SCRIPT_KEYS: &[&str] =
    &["run", "script", "command", "cmd", "args", "entrypoint", "beforescript", "afterscript", "userdata"];

fn is_all(words: &str, source: &str, span: &Span) -> bool {
    source.get(span.clone()).is_some_and(|word| words.trim() == word)
}

fn has_parameters(entries: &[Entry<'_>]) -> bool {
    entries.iter().any(|entry| {
        let key = letters(&entry.key);
        let own = [
            "temperature",
            "maxtokens",
            "topp",
            "maxcompletiontokens",
            "thinking",
            "reasoningeffort",
            "messages",
        ];
        own.contains(&key.as_str()) || PARAMETER_TABLES.contains(&key.as_str())
    })
}

fn letters(text: &str) -> String {
    crate::scan::names::constant::letters(text)
}

/// The members of a table, with those of its tables of parameters beside them.
fn flatten(entries: &[Entry<'_>], is_indirect: bool, members: &mut Vec<Member>, depth: usize) {
    for entry in entries {
        members.push(member(entry, is_indirect));
    }
    for entry in entries {
        let Shape::Table(inner) = &entry.value.shape else { continue };
        if depth < 3 && PARAMETER_TABLES.contains(&letters(&entry.key).as_str()) {
            flatten(inner, is_indirect, members, depth + 1);
        }
    }
}

fn member(entry: &Entry<'_>, is_indirect: bool) -> Member {
    Member {
        name: entry.key.to_string(),
        name_span: entry.key_span.clone(),
        removal: entry.removal.clone(),
        value: value(&entry.value, 0),
        is_indirect,
    }
}

/// A node as a value of a call.
fn value(node: &Node<'_>, depth: usize) -> Value {
    let kind = match &node.shape {
        _ if depth > DEPTH_MAX => Kind::Null,
        Shape::List(items) => Kind::List(items.iter().map(|item| value(item, depth + 1)).collect()),
        Shape::Table(entries) => Kind::Table {
            made_by: String::new(),
            members: entries
                .iter()
                .map(|entry| Member { value: value(&entry.value, depth + 1), ..member_without_value(entry) })
                .collect(),
        },
        Shape::Scalar(scalar) => kind_of(scalar),
    };
    Value { span: node.span.clone(), kind }
}

fn member_without_value(entry: &Entry<'_>) -> Member {
    Member {
        name: entry.key.to_string(),
        name_span: entry.key_span.clone(),
        removal: entry.removal.clone(),
        value: Value { span: entry.value.span.clone(), kind: Kind::Null },
        is_indirect: false,
    }
}

fn kind_of(scalar: &Scalar<'_>) -> Kind {
    let words = scalar.text.as_ref();
    if ["{{", "${", "<%", "$("].iter().any(|open| words.contains(open)) {
        return Kind::Dynamic { parts: vec![(words.to_owned(), scalar.inner.clone())], is_choice: false };
    }
    if scalar.is_text {
        return Kind::Text(words.to_owned());
    }
    match words {
        "true" | "True" | "yes" | "on" => Kind::Bool(true),
        "false" | "False" | "no" | "off" => Kind::Bool(false),
        "null" | "~" | "None" | "" => Kind::Null,
        _ => {
            let plain = words.replace('_', "");
            let starts = plain.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
            match starts && plain.parse::<f64>().is_ok() {
                true => Kind::Number(plain),
                false => Kind::Text(words.to_owned()),
            }
        }
    }
}
