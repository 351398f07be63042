//! YAML as a tree with the place of every value, within bounds: size, depth, and what aliases may grow to.
//!
//! Scalars are told apart as PyYAML does, which follows YAML 1.1 (<https://yaml.org/type/>, read 2026-11-23): `yes`, `no`,
//! `on` and `off` are booleans, `<<` merges maps, and of equal keys the last one counts.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use crate::ImportError;

/// Largest file, in bytes.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most levels of maps and lists in each other.
pub const DEPTH_MAX: usize = 64;
/// Most values, with those that aliases repeat.
pub const NODES_MAX: usize = 200_000;

/// Where something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, in characters from 1.
    pub(crate) column: usize,
    /// The last line of it.
    pub(crate) last_line: usize,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// A number of its own within the document.
    pub(crate) id: usize,
    /// The number of what it repeats, where an alias or a merge made it; else its own.
    pub(crate) origin: usize,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number, as it was written.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    /// Where the key stands.
    pub(crate) place: Place,
    pub(crate) value: Node,
    /// A later entry has the same key, and counts instead.
    pub(crate) is_overridden: bool,
}

impl Node {
    /// The value of a key; the last one where there are several.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().rev().find(|entry| &*entry.key == key).map(|entry| &entry.value)
    }

    /// Keys and values of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The members of a list; a value that is no list is one of one.
    pub(crate) fn members(&self) -> &[Self] {
        match &self.value {
            Value::List(members) => members,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// A text, or a number as it was written.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// A truth, also where it is written as a text.
    pub(crate) fn truth(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(truth) => Some(*truth),
            Value::Text(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }

    /// How many values it has, itself among them.
    fn size(&self) -> usize {
        1 + match &self.value {
            Value::List(members) => members.iter().map(Self::size).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
            _ => 0,
        }
    }

    /// Whether nothing stands here.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::List(members) => members.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            _ => false,
        }
    }
}

/// Reads a document.
pub(crate) fn read(text: &str, origin: &str) -> Result<Node, ImportError> {
    let error = |place: Place, message: String| ImportError {
        origin: origin.to_owned(),
        line: place.line,
        column: place.column,
        message,
    };
    let start = Place { line: 1, column: 1, last_line: 1 };
    if text.len() > BYTES_MAX {
        return Err(error(start, format!("the file has {} bytes; at most {BYTES_MAX} are read", text.len())));
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text.trim_start_matches('\u{feff}')),
        anchors: HashMap::new(),
        nodes: 0,
    };
    reader.document().map_err(|wrong| error(wrong.place, wrong.message))
}

struct Wrong {
    place: Place,
    message: String,
}

impl From<ScanError> for Wrong {
    fn from(error: ScanError) -> Self {
        let at = error.marker();
        let place = Place { line: at.line(), column: at.col() + 1, last_line: at.line() };
        let hint = if error.info().contains("alias") || error.info().contains("anchor") {
            " (a text that begins with `*` or `&` needs quotes)"
        } else {
            ""
        };
        Self { place, message: format!("this is not YAML: {}{hint}", error.info()) }
    }
}

fn place(span: Span) -> Place {
    // The end of a block lies at the beginning of the line behind it.
    let is_at_start = span.end.col() == 0 && span.end.line() > span.start.line();
    let last_line = if is_at_start { span.end.line() - 1 } else { span.end.line() };
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
        last_line: last_line.max(span.start.line()),
    }
}

/// A map or a list while it is read.
enum Open {
    List(Vec<Node>),
    Map(Vec<Entry>, Option<(Box<str>, Place)>),
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Node, Wrong> {
        // Without recursion, so that depth costs no stack.
        let mut open: Vec<(Open, usize, Place)> = Vec::new();
        let mut root: Option<Node> = None;
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event?;
            let at = place(span);
            let done = match event {
                Event::DocumentStart(_) if root.is_some() => {
                    let message =
                        "a second document begins here; one file is one configuration: remove the rest";
                    return Err(Wrong { place: at, message: message.to_owned() });
                }
                Event::MappingStart(anchor, _) => {
                    opened(&mut open, Open::Map(Vec::new(), None), anchor, at)?;
                    None
                }
                Event::SequenceStart(anchor, _) => {
                    opened(&mut open, Open::List(Vec::new()), anchor, at)?;
                    None
                }
                Event::MappingEnd | Event::SequenceEnd => open.pop().map(|(part, anchor, start)| {
                    let value = closed(part);
                    // A block's end is noticed at whatever comes next.
                    let last_line = last_line_of(&value).unwrap_or(at.line);
                    (anchor, Place { last_line: last_line.max(start.line), ..start }, value)
                }),
                Event::Scalar(text, style, anchor, tag) => {
                    Some((anchor, at, scalar(&text, style, tag.as_deref())))
                }
                Event::Alias(anchor) => {
                    let node = self.alias(anchor, at)?;
                    root = Self::placed(&mut open, node)?.or(root);
                    None
                }
                _ => None,
            };
            if let Some((anchor, place, value)) = done {
                let id = self.id(at)?;
                let node = Node { id, origin: id, place, value };
                if anchor > 0 {
                    // What is kept for aliases takes memory as well.
                    self.nodes += node.size();
                    self.anchors.insert(anchor, node.clone());
                }
                root = Self::placed(&mut open, node)?.or(root);
            }
        }
        let empty = Place { line: 1, column: 1, last_line: 1 };
        root.ok_or_else(|| Wrong { place: empty, message: "the file is empty".to_owned() })
    }

    fn id(&mut self, at: Place) -> Result<usize, Wrong> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message =
                format!("more than {NODES_MAX} values, with those that aliases repeat; make it smaller");
            return Err(Wrong { place: at, message });
        }
        Ok(self.nodes)
    }

    /// What an anchor stands for, as values of their own.
    fn alias(&mut self, anchor: usize, at: Place) -> Result<Node, Wrong> {
        let unknown = || Wrong { place: at, message: "an alias that stands within what it names".to_owned() };
        let mut node = self.anchors.get(&anchor).cloned().ok_or_else(unknown)?;
        self.renumber(&mut node, at)?;
        node.place = at;
        Ok(node)
    }

    fn renumber(&mut self, node: &mut Node, at: Place) -> Result<(), Wrong> {
        node.id = self.id(at)?;
        match &mut node.value {
            Value::List(members) => members.iter_mut().try_for_each(|member| self.renumber(member, at)),
            Value::Map(entries) => {
                entries.iter_mut().try_for_each(|entry| self.renumber(&mut entry.value, at))
            }
            _ => Ok(()),
        }
    }

    /// Puts a value where it belongs; gives it back where it is the document's own.
    fn placed(open: &mut [(Open, usize, Place)], node: Node) -> Result<Option<Node>, Wrong> {
        match open.last_mut() {
            None => return Ok(Some(node)),
            Some((Open::List(members), ..)) => members.push(node),
            Some((Open::Map(entries, waiting), ..)) => match waiting.take() {
                None => *waiting = Some(key_of(&node)?),
                Some((key, place)) => {
                    let earlier = entries.iter_mut().filter(|entry| entry.key == key);
                    earlier.for_each(|entry| entry.is_overridden = true);
                    entries.push(Entry { key, place, value: node, is_overridden: false });
                }
            },
        }
        Ok(None)
    }
}

fn opened(open: &mut Vec<(Open, usize, Place)>, part: Open, anchor: usize, at: Place) -> Result<(), Wrong> {
    if open.len() >= DEPTH_MAX {
        let message = format!("maps and lists stand more than {DEPTH_MAX} deep in each other");
        return Err(Wrong { place: at, message });
    }
    open.push((part, anchor, at));
    Ok(())
}

fn closed(part: Open) -> Value {
    match part {
        Open::List(members) => Value::List(members),
        Open::Map(entries, _) => Value::Map(merged(entries)),
    }
}

/// `<<`: what a map has itself goes before what it merges, wherever that stands.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let (merges, mut own): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| &*entry.key == "<<");
    for merge in merges {
        let maps = match merge.value.value {
            Value::List(members) => members,
            _ => vec![merge.value],
        };
        for map in maps {
            let Value::Map(more) = map.value else { continue };
            for entry in more {
                if !own.iter().any(|one| one.key == entry.key) {
                    own.push(entry);
                }
            }
        }
    }
    own
}

fn last_line_of(value: &Value) -> Option<usize> {
    match value {
        Value::List(members) => members.iter().map(|member| member.place.last_line).max(),
        Value::Map(entries) => {
            entries.iter().map(|entry| entry.value.place.last_line.max(entry.place.line)).max()
        }
        _ => None,
    }
}

fn key_of(node: &Node) -> Result<(Box<str>, Place), Wrong> {
    let text = match &node.value {
        Value::Text(text) | Value::Number(text) => text.clone(),
        Value::Bool(truth) => truth.to_string().into(),
        Value::Null => "null".into(),
        Value::List(_) | Value::Map(_) => {
            let message = "a key is a text, not a list or a map; does a brace lack its quotes?".to_owned();
            return Err(Wrong { place: node.place, message });
        }
    };
    Ok((text, node.place))
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    if style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str") {
        return Value::Text(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        text if is_number(text) => Value::Number(text.into()),
        text => Value::Text(text.into()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    digits.starts_with(|sign: char| sign.is_ascii_digit() || sign == '.')
        && is_decimal
        && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
