//! Items as they are written: the same in whole answers, in the events of streams, and in requests.

use pilothouse_core::conversation::{Annotation, Raw, Rest, ToolKind};
use pilothouse_core::dialect::Dialect;

use super::{Kept, write_rest};
use crate::codec::Losses;
use crate::json::Object;

/// One piece of content of an answer's message, as far as it is known.
#[derive(Debug, Default)]
pub(in super::super) struct Text {
    pub(in super::super) text: String,
    /// Annotations as they are written.
    pub(in super::super) annotations: Vec<Raw>,
    /// Token probabilities as they are written.
    pub(in super::super) logprobs: Vec<Raw>,
    /// What only this dialect knows.
    pub(in super::super) rest: Rest,
}

impl Text {
    /// Writes the piece.
    pub(in super::super) fn write(&self, out: &mut Object<'_>) {
        out.text("type", "output_text");
        out.text("text", &self.text);
        write_list(out, "annotations", &self.annotations);
        write_list(out, "logprobs", &self.logprobs);
        write_rest(out, &self.rest);
    }
}

/// Writes raw values as an array.
pub(in super::super) fn write_list(out: &mut Object<'_>, name: &str, values: &[Raw]) {
    let mut list = out.array(name);
    values.iter().for_each(|value| list.raw(value));
}

/// Writes a message with content that is written already, as an array.
pub(in super::super) fn write_message(
    out: &mut Object<'_>,
    id: &str,
    status: &str,
    kept: &Rest,
    content: &[Vec<u8>],
) {
    out.text("id", id);
    out.text("type", "message");
    out.text("status", status);
    out.text("role", "assistant");
    {
        let mut list = out.array("content");
        content.iter().for_each(|piece| list.item().extend_from_slice(piece));
    }
    out.rest(kept);
}

/// A refusal as a piece of content.
pub(in super::super) fn refusal(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 40);
    {
        let mut piece = Object::new(&mut out);
        piece.text("type", "refusal");
        piece.text("refusal", text);
    }
    out
}

/// A call as it is written.
#[derive(Debug)]
pub(in super::super) struct Call<'a> {
    pub(in super::super) id: &'a str,
    pub(in super::super) call_id: &'a str,
    pub(in super::super) name: &'a str,
    pub(in super::super) kind: ToolKind,
    pub(in super::super) arguments: &'a str,
    pub(in super::super) status: &'a str,
    pub(in super::super) kept: &'a Rest,
}

impl Call<'_> {
    /// Writes the call.
    pub(in super::super) fn write(&self, out: &mut Object<'_>) {
        out.text("id", self.id);
        out.text("type", type_of(self.kind));
        out.text("status", self.status);
        out.text(member_of(self.kind), self.arguments);
        out.text("call_id", self.call_id);
        out.text("name", self.name);
        out.rest(self.kept);
    }
}

/// The type of an item that calls a tool of a kind.
pub(in super::super) const fn type_of(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Custom => "custom_tool_call",
        ToolKind::Function | ToolKind::LegacyFunction => "function_call",
    }
}

/// The member that holds what a tool of a kind is called with.
pub(in super::super) const fn member_of(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Custom => "input",
        ToolKind::Function | ToolKind::LegacyFunction => "arguments",
    }
}

/// Reasoning as it is written.
#[derive(Debug)]
pub(in super::super) struct Thought<'a> {
    pub(in super::super) id: Option<&'a str>,
    pub(in super::super) text: &'a str,
    /// Whether the text is the reasoning itself and no summary.
    pub(in super::super) is_plain: bool,
    pub(in super::super) encrypted: Option<&'a str>,
    pub(in super::super) kept: &'a Rest,
}

impl Thought<'_> {
    /// Writes the reasoning.
    pub(in super::super) fn write(&self, out: &mut Object<'_>) {
        out.maybe_text("id", self.id);
        out.text("type", "reasoning");
        {
            let mut list = out.array("summary");
            if !self.is_plain && !self.text.is_empty() {
                write_piece(&mut list.object(), "summary_text", self.text);
            }
        }
        if self.is_plain {
            let mut list = out.array("content");
            write_piece(&mut list.object(), "reasoning_text", self.text);
        }
        out.maybe_text("encrypted_content", self.encrypted);
        out.rest(self.kept);
    }
}

/// Writes a piece of reasoning.
pub(in super::super) fn write_piece(out: &mut Object<'_>, kind: &str, text: &str) {
    out.text("type", kind);
    out.text("text", text);
}

/// The id of an item: its own, else one made from the exchange and the item's place.
pub(in super::super) fn item_id(
    kept: &Kept,
    prefix: &str,
    exchange: impl std::fmt::Display,
    at: usize,
) -> String {
    kept.id.clone().unwrap_or_else(|| format!("{prefix}_{exchange}_{at}"))
}

/// An annotation as this dialect writes it; `start` is where the piece of content begins in the answer's text, and
/// `length` how many characters it has. `None`, with a note, where there is no form for it.
pub(in super::super) fn annotation(
    one: &Annotation,
    start: u64,
    length: u64,
    losses: &mut Losses,
) -> Option<Raw> {
    if one.dialect == Dialect::OpenaiResponses {
        return Some(one.raw.clone());
    }
    let Some(url) = &one.url else {
        losses.drop("citations", "a citation of a document; only web pages can be cited here");
        return None;
    };
    let (from, to) =
        one.span.map_or((0, length), |(from, to)| (from.saturating_sub(start), to.saturating_sub(start)));
    super::super::raw_of(|out| {
        let mut citation = Object::new(out);
        citation.text("type", "url_citation");
        citation.number("start_index", from);
        citation.number("end_index", to);
        citation.text("title", one.title.as_deref().unwrap_or(url));
        citation.text("url", url);
    })
}
