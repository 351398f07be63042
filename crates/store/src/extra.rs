//! What most exchanges do not have, as one short JSON text: tools, the end user, the receipt.

use pilothouse_core::exchange::{Attempt, Chosen, Exchange, Note, PaidAnswer, Receipt, ToolUse};
use serde::{Deserialize, Serialize, Serializer};

/// The text's form for writing.
#[derive(Serialize)]
struct Out<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    end_user: Option<&'a str>,
    #[serde(skip_serializing_if = "<[ToolUse]>::is_empty")]
    tools: &'a [ToolUse],
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Why<'a>>,
}

/// A receipt without what is empty in it.
#[derive(Serialize)]
struct Why<'a> {
    #[serde(skip_serializing_if = "<[Note]>::is_empty", serialize_with = "notes")]
    edits: &'a [Note],
    #[serde(skip_serializing_if = "<[Note]>::is_empty", serialize_with = "notes")]
    losses: &'a [Note],
    #[serde(skip_serializing_if = "<[Attempt]>::is_empty")]
    attempts: &'a [Attempt],
    #[serde(skip_serializing_if = "<[PaidAnswer]>::is_empty")]
    answers: &'a [PaidAnswer],
    #[serde(skip_serializing_if = "<[Note]>::is_empty", serialize_with = "notes")]
    notes: &'a [Note],
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<&'a Chosen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// A note is its code alone, or the code and the detail.
#[derive(Serialize)]
#[serde(untagged)]
enum NoteOut<'a> {
    Code(&'a str),
    Detailed(&'a str, &'a str),
}

fn notes<S: Serializer>(notes: &[Note], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(notes.iter().map(|note| match &*note.detail {
        "" => NoteOut::Code(&note.code),
        detail => NoteOut::Detailed(&note.code, detail),
    }))
}

/// The edits and losses that many exchanges share, each a code and a detail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changes<'a> {
    pub(crate) edits: Vec<(&'a str, &'a str)>,
    pub(crate) losses: Vec<(&'a str, &'a str)>,
}

/// The text of shared changes: that of a receipt without anything else.
pub(crate) fn changes(changes: &Changes<'_>) -> serde_json::Result<String> {
    let notes = |notes: &[(&str, &str)]| {
        notes.iter().map(|(code, detail)| Note::new((*code).to_owned(), detail)).collect::<Vec<_>>()
    };
    let (edits, losses) = (notes(&changes.edits), notes(&changes.losses));
    let why = Why {
        edits: &edits,
        losses: &losses,
        attempts: &[],
        answers: &[],
        notes: &[],
        choice: None,
        error: None,
    };
    serde_json::to_string(&Out { end_user: None, tools: &[], why: Some(why) })
}

/// Writes what only this exchange has of it, if it has anything: not the `shared` receipt that its form holds.
pub(crate) fn write(
    exchange: &Exchange,
    shared: Option<&Receipt>,
    text: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let own = exchange.receipt.as_deref().filter(|_| shared.is_none());
    let out = Out {
        end_user: exchange.caller.end_user.as_deref(),
        tools: &exchange.answer.tools,
        why: own.map(|receipt| Why {
            edits: &receipt.edits,
            losses: &receipt.losses,
            attempts: &receipt.attempts,
            answers: &receipt.answers,
            notes: &receipt.notes,
            choice: receipt.choice.as_deref(),
            error: receipt.error.as_deref(),
        }),
    };
    if out.end_user.is_none() && out.tools.is_empty() && out.why.is_none() {
        return Ok(());
    }
    serde_json::to_writer(text, &out)
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
