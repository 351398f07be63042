//! What most exchanges do not have, as one short JSON text: tools, the end user, the receipt.

use pilothouse_core::exchange::{Attempt, Chosen, Exchange, Note, PaidAnswer, Receipt, Settlement, ToolUse};
use pilothouse_core::written::{
    Split, Text, into_text, put, put_list, put_own_string, put_string, put_value,
};
use serde::{Deserialize, Serialize};

/// Receipts with longer details are kept in their row: they are hardly ever the same twice.
const DETAIL_BYTES_MAX: usize = 200;

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
    let mut members = Members::of(&mut json);
    members.notes("\"edits\":", changes.edits.iter().copied(), put_string);
    members.notes("\"losses\":", changes.losses.iter().copied(), put_string);
    put(&mut json, "}}");
    into_text(json)
}

/// The receipt of an exchange that has nothing else of its own, if its words are those of many: a choice, and what became of
/// money that was set aside.
pub(crate) fn told_receipt(exchange: &Exchange) -> Option<&Receipt> {
    exchange.receipt.as_deref().filter(|receipt| {
        (receipt.chosen.is_some() || receipt.settlement.is_some())
            && receipt.choice.is_none()
            && receipt.attempts.is_empty()
            && receipt.answers.is_empty()
            && receipt.error.is_none()
            && exchange.caller.end_user.is_none()
            && exchange.answer.tools.is_empty()
            && has_short_changes(receipt)
    })
}

/// Whether edits and losses are short enough to be shared: long ones are hardly ever the same twice.
pub(crate) fn has_short_changes(receipt: &Receipt) -> bool {
    let notes = receipt.edits.iter().chain(&receipt.losses);
    notes.map(|note| note.detail.len()).sum::<usize>() <= DETAIL_BYTES_MAX
}

/// Writes a receipt of [`told_receipt`].
pub(crate) fn write_told(receipt: &Receipt, json: &mut Split<'_>) {
    put(json, "{\"why\":{");
    put_receipt(json, receipt);
    put(json, "}}");
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
    let mut members = Members::of(json);
    if let Some(end_user) = end_user {
        put_string(members.named("\"end_user\":"), end_user);
    }
    members.few("\"tools\":", tools);
    if let Some(receipt) = own {
        let json = members.named("\"why\":{");
        put_receipt(json, receipt);
        json.push(b'}');
    }
    json.push(b'}');
}

/// Puts what is not empty in a receipt behind the text of its object.
fn put_receipt(json: &mut impl Text, receipt: &Receipt) {
    let mut members = Members::of(json);
    members.notes("\"edits\":", receipt.edits.iter().map(pair), put_string);
    members.notes("\"losses\":", receipt.losses.iter().map(pair), put_string);
    members.few("\"attempts\":", &receipt.attempts);
    members.few("\"answers\":", &receipt.answers);
    match &receipt.settlement {
        None => members.notes("\"notes\":", receipt.notes.iter().map(pair), put_own_string),
        Some(settlement) => {
            let json = members.named("\"notes\":[");
            for note in &receipt.notes {
                put_note(json, pair(note), put_own_string);
                put(json, ",");
            }
            put(json, "[");
            put_string(json, Settlement::CODE);
            put(json, ",\"");
            settlement.put(json);
            put(json, "\"]]");
        }
    }
    if let Some(chosen) = &receipt.choice {
        chosen.put(members.named("\"choice\":"));
    } else if let Some(chosen) = &receipt.chosen {
        members.named("\"choice\":").said(chosen);
    }
    if let Some(error) = &receipt.error {
        put_own_string(members.named("\"error\":"), error);
    }
}

/// The members of an object that was opened.
struct Members<'j, T> {
    json: &'j mut T,
    has_any: bool,
}

impl<'j, T: Text> Members<'j, T> {
    const fn of(json: &'j mut T) -> Self {
        Self { json, has_any: false }
    }

    /// Puts the name of a member, with its colon; its value is to follow.
    fn named(&mut self, name: &str) -> &mut T {
        if std::mem::replace(&mut self.has_any, true) {
            put(self.json, ",");
        }
        put(self.json, name);
        self.json
    }

    /// Puts a list that few exchanges have; nothing where it is empty.
    fn few<V: Serialize>(&mut self, name: &str, items: &[V]) {
        if !items.is_empty() {
            put_value(self.named(name), items);
        }
    }

    /// Puts notes, the detail of each as `detail` does; nothing where there are none.
    fn notes<'a>(
        &mut self,
        name: &str,
        notes: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
        detail: impl Fn(&mut T, &str),
    ) {
        if notes.len() > 0 {
            put_list(self.named(name), notes, |json, note| put_note(json, note, &detail));
        }
    }
}

fn pair(note: &Note) -> (&str, &str) {
    (&note.code, &note.detail)
}

/// Puts a note: its code alone, or the code and the detail.
fn put_note<T: Text>(json: &mut T, (code, detail): (&str, &str), put_detail: impl Fn(&mut T, &str)) {
    if detail.is_empty() {
        return put_string(json, code);
    }
    put(json, "[");
    put_string(json, code);
    put(json, ",");
    put_detail(json, detail);
    put(json, "]");
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
            ..Receipt::default()
        }))
    }
}
