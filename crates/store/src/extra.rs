//! What most exchanges do not have, as one short JSON text: tools, the end user, the receipt.

use pilothouse_core::exchange::{Attempt, Chosen, Exchange, Note, PaidAnswer, Receipt, Standing, ToolUse};
use pilothouse_core::written::{into_text, put, put_list, put_string, put_value};
use serde::{Deserialize, Serialize};

/// Bytes of a usual text.
const BYTES_USUAL: usize = 768;

/// The edits and losses that many exchanges share, each a code and a detail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changes<'a> {
    pub(crate) edits: Vec<(&'a str, &'a str)>,
    pub(crate) losses: Vec<(&'a str, &'a str)>,
}

/// The text of shared changes: that of a receipt without anything else.
pub(crate) fn changes(changes: &Changes<'_>) -> String {
    let mut json = b"{\"why\":{".to_vec();
    put_notes(&mut json, "\"edits\":", changes.edits.iter().copied());
    put_notes(&mut json, "\"losses\":", changes.losses.iter().copied());
    put(&mut json, "}}");
    into_text(json)
}

/// Writes what only this exchange has of it, if it has anything: not the `shared` receipt that its form holds.
pub(crate) fn write(exchange: &Exchange, shared: Option<&Receipt>, json: &mut Vec<u8>) {
    let own = exchange.receipt.as_deref().filter(|_| shared.is_none());
    let (end_user, tools) = (exchange.caller.end_user.as_deref(), &exchange.answer.tools);
    if end_user.is_none() && tools.is_empty() && own.is_none() {
        return;
    }
    json.reserve(BYTES_USUAL);
    json.push(b'{');
    if let Some(end_user) = end_user {
        put_name(json, "\"end_user\":");
        put_string(json, end_user);
    }
    put_few(json, "\"tools\":", tools);
    if let Some(receipt) = own {
        put_name(json, "\"why\":{");
        put_receipt(json, receipt);
        json.push(b'}');
    }
    json.push(b'}');
}

/// Puts what is not empty in a receipt behind the text of its object.
fn put_receipt(json: &mut Vec<u8>, receipt: &Receipt) {
    put_notes(json, "\"edits\":", receipt.edits.iter().map(pair));
    put_notes(json, "\"losses\":", receipt.losses.iter().map(pair));
    put_few(json, "\"attempts\":", &receipt.attempts);
    put_few(json, "\"answers\":", &receipt.answers);
    put_notes(json, "\"notes\":", receipt.notes.iter().map(pair));
    if let Some(chosen) = &receipt.choice {
        put_name(json, "\"choice\":{\"strategy\":");
        put_string(json, &chosen.strategy);
        put(json, ",\"order\":");
        put_list(json, &chosen.order, put_standing);
        put(json, ",\"removed\":");
        put_list(json, &chosen.removed, put_standing);
        if let Some(evidence) = &chosen.evidence {
            put(json, ",\"evidence\":");
            put(json, evidence.text());
        }
        json.push(b'}');
    }
    if let Some(error) = &receipt.error {
        put_name(json, "\"error\":");
        put_string(json, error);
    }
}

fn put_standing(json: &mut Vec<u8>, standing: &Standing) {
    put(json, "{\"target\":");
    put_string(json, &standing.target);
    put(json, ",\"why\":");
    put_string(json, &standing.why);
    json.push(b'}');
}

/// Puts the name of a member, with its colon, behind the text of its object.
fn put_name(json: &mut Vec<u8>, name: &str) {
    if !json.ends_with(b"{") {
        json.push(b',');
    }
    put(json, name);
}

/// Puts a list that few exchanges have; nothing where it is empty.
fn put_few<T: Serialize>(json: &mut Vec<u8>, name: &str, items: &[T]) {
    if !items.is_empty() {
        put_name(json, name);
        put_value(json, items);
    }
}

fn pair(note: &Note) -> (&str, &str) {
    (&note.code, &note.detail)
}

/// Puts notes, each its code alone, or the code and the detail; nothing where there are none.
fn put_notes<'a>(json: &mut Vec<u8>, name: &str, notes: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
    if notes.len() == 0 {
        return;
    }
    put_name(json, name);
    put_list(json, notes, |json, (code, detail)| {
        if detail.is_empty() {
            return put_string(json, code);
        }
        json.push(b'[');
        put_string(json, code);
        json.push(b',');
        put_string(json, detail);
        json.push(b']');
    });
}

/// The text's content, read back.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Extra {
    pub(crate) end_user: Option<Box<str>>,
    pub(crate) tools: Vec<ToolUse>,
    why: Option<WhyIn>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WhyIn {
    edits: Vec<NoteIn>,
    losses: Vec<NoteIn>,
    attempts: Vec<Attempt>,
    answers: Vec<PaidAnswer>,
    notes: Vec<NoteIn>,
    choice: Option<Box<Chosen>>,
    error: Option<Box<str>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NoteIn {
    Code(String),
    Detailed(String, Box<str>),
}

impl From<NoteIn> for Note {
    fn from(note: NoteIn) -> Self {
        match note {
            NoteIn::Code(code) => Self::code(code),
            NoteIn::Detailed(code, detail) => Self { code: code.into(), detail },
        }
    }
}

impl Extra {
    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The answers that were paid for and not passed on.
    pub(crate) fn answers(self) -> Vec<PaidAnswer> {
        self.why.map(|why| why.answers).unwrap_or_default()
    }

    /// The receipt, which is taken out.
    pub(crate) fn take_receipt(&mut self) -> Option<Box<Receipt>> {
        let why = self.why.take()?;
        Some(Box::new(Receipt {
            edits: why.edits.into_iter().map(Note::from).collect(),
            losses: why.losses.into_iter().map(Note::from).collect(),
            attempts: why.attempts,
            answers: why.answers,
            notes: why.notes.into_iter().map(Note::from).collect(),
            choice: why.choice,
            error: why.error,
        }))
    }
}
