//! Thought signatures: who gave one, and which part it stands on.
//!
//! Gemini puts a signature on the first function call of a step, or on the last part of an answer without calls
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>, read 2026-11-23). In the canonical form it is a
//! piece of reasoning without text: before the call that it stands on, or behind any other part. Reasoning of
//! other vendors goes to Gemini's clients with a signature that names its origin, in base64 as the SDKs demand,
//! so that it is told apart when it comes back.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use pilothouse_core::conversation::{Content, Message, Origin, Part, Reasoning, Role};

use super::FAMILY;
use crate::codec::OWN;
use crate::dialects::FOREIGN_SIGNATURE;

/// What Google documents for calls whose signature is not to be had: another model wrote them, or nobody did
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures#faqs>, read 2026-11-23).
pub(super) const PLACEHOLDER: &str = "skip_thought_signature_validator";

/// What Google takes in its place; its SDKs write either as bytes, in base64.
const PLACEHOLDERS: [&str; 2] = [PLACEHOLDER, "context_engineering_is_the_way_to_go"];

/// Whether a signature only says that there is none.
pub(super) fn is_placeholder(signature: &str) -> bool {
    let is_one = |text: &str| PLACEHOLDERS.contains(&text);
    is_one(signature) || (signature.len() < 64 && decoded(signature).as_deref().is_some_and(is_one))
}

/// In the rest of reasoning without text: it came as a thought, not as the signature of another part. Its value is
/// null, so that it is no loss to other dialects.
pub(super) const THOUGHT: &str = "thought";

/// Reads base64 with or without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The reasoning that a signature on the wire stands for, with `text` before it.
pub(super) fn read(text: String, signature: Option<String>) -> Reasoning {
    let google = || Origin::of(FAMILY);
    let Some(signature) = signature.filter(|signature| !signature.is_empty()) else {
        return Reasoning { text, signature: None, redacted: None, origin: google() };
    };
    let Some(foreign) = foreign(&signature) else {
        return Reasoning { text, signature: Some(signature.into()), redacted: None, origin: google() };
    };
    let at = foreign.find([':', '!']).unwrap_or(foreign.len());
    let (family, proof) = foreign.split_at(at);
    let mut one = Reasoning { text, signature: None, redacted: None, origin: Origin::of(family) };
    match proof.split_at_checked(1) {
        Some((":", proof)) => one.signature = Some(proof.into()),
        Some(("!", proof)) => one.redacted = Some(proof.into()),
        _ => {}
    }
    one
}

/// Origin and proof, where the signature is one of ours.
fn foreign(signature: &str) -> Option<String> {
    // The first fifteen bytes of our mark are twenty letters of base64, the same in both alphabets.
    let mark = STANDARD.encode(&FOREIGN_SIGNATURE[..15]);
    if !signature.starts_with(&mark) {
        return None;
    }
    decoded(signature)?.strip_prefix(FOREIGN_SIGNATURE).map(str::to_owned)
}

/// The text that stands in base64. The Python SDK writes bytes in the alphabet for URLs.
fn decoded(signature: &str) -> Option<String> {
    let plain: String = signature
        .chars()
        .map(|one| match one {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    String::from_utf8(LENIENT.decode(plain).ok()?).ok()
}

/// The signature on the wire for a piece of reasoning; `None` where it needs none.
pub(super) fn write(one: &Reasoning) -> Option<String> {
    let family = &one.origin.family;
    if &**family == FAMILY && one.redacted.is_none() {
        return one.signature.as_deref().map(str::to_owned);
    }
    let tagged = match (&one.signature, &one.redacted) {
        (_, Some(redacted)) => format!("{FOREIGN_SIGNATURE}{family}!{redacted}"),
        (Some(signature), None) => format!("{FOREIGN_SIGNATURE}{family}:{signature}"),
        (None, None) if family.is_empty() => return None,
        (None, None) => format!("{FOREIGN_SIGNATURE}{family}"),
    };
    Some(STANDARD.encode(tagged))
}

/// The signature alone, where a piece of reasoning is nothing but Gemini's own.
pub(super) fn bare(part: &Part) -> Option<&str> {
    match &part.content {
        Content::Reasoning(Reasoning { text, signature: Some(signature), redacted: None, origin })
            if text.is_empty() && &*origin.family == FAMILY && has_nothing_else(part) =>
        {
            Some(signature)
        }
        _ => None,
    }
}

/// Whether a part is no more than its content; what another codec keeps of the item that it stood in says nothing here.
fn has_nothing_else(part: &Part) -> bool {
    part.rest.iter().all(|(name, _)| name.starts_with(OWN))
}

/// Whether nothing on the wire said whose a thought is, or proved it.
pub(super) fn is_unmarked(one: &Reasoning) -> bool {
    &*one.origin.family == FAMILY && one.signature.is_none() && one.redacted.is_none()
}

/// Joins the pieces in which a stream gave an answer: the SDKs' chats keep every chunk as a content of the model's
/// own. Consecutive contents of the model become one, text that was cut goes together again, and so does a thought
/// of another vendor, whose first piece tells whose it is and whose last has the proof.
pub(super) fn join(messages: &mut Vec<Message>) {
    let mut joined: Vec<Message> = Vec::with_capacity(messages.len());
    for mut message in std::mem::take(messages) {
        let pieces = std::mem::take(&mut message.parts);
        let is_piece = |one: &Message| one.role == Role::Assistant && one.rest.is_empty();
        let goes_on = is_piece(&message) && joined.last().is_some_and(is_piece);
        if !goes_on {
            joined.push(message);
        }
        let Some(whole) = joined.last_mut() else { continue };
        for (at, part) in pieces.into_iter().enumerate() {
            let is_cut = goes_on && at == 0;
            let last = whole.parts.last_mut();
            if let Some(part) = text_joined_to(last.filter(|_| is_cut), part, is_cut)
                && let Some(part) = joined_to(whole.parts.last_mut(), part)
            {
                whole.parts.push(part);
            }
        }
    }
    *messages = joined;
}

/// Adds text to the text that a chunk cut off before it; gives any other part back. Empty text, with which streams
/// end, says nothing behind a cut.
fn text_joined_to(before: Option<&mut Part>, part: Part, is_cut: bool) -> Option<Part> {
    let Content::Text { text, .. } = &part.content else { return Some(part) };
    if is_cut && text.is_empty() && part.rest.is_empty() {
        return None;
    }
    match before {
        Some(Part { content: Content::Text { text: open, .. }, rest, .. })
            if rest.is_empty() && part.rest.is_empty() =>
        {
            open.push_str(text);
            None
        }
        _ => Some(part),
    }
}

/// Adds a piece to the open thought of another vendor that stands before it; gives it back where it is none.
fn joined_to(before: Option<&mut Part>, part: Part) -> Option<Part> {
    let Some(Content::Reasoning(open)) = before.map(|part| &mut part.content) else { return Some(part) };
    let is_open = &*open.origin.family != FAMILY && open.signature.is_none() && open.redacted.is_none();
    match part.content {
        Content::Reasoning(piece)
            if is_open
                && piece.redacted.is_none()
                && (piece.origin == open.origin || (is_unmarked(&piece) && !piece.text.is_empty())) =>
        {
            open.text.push_str(&piece.text);
            open.signature = piece.signature;
            None
        }
        _ => Some(part),
    }
}

/// Where the bare signatures among the parts of one message go.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    /// The signature of the part at each place.
    on: Vec<Option<&'a str>>,
    /// Whether the part at each place is a signature that stands on another.
    moved: Vec<bool>,
}

impl<'a> Places<'a> {
    /// Finds the part of each bare signature: the call right behind it; else the next call that has none, as
    /// signatures that were held in memory come before everything; else the text right before it.
    pub(super) fn of(parts: &[&'a Part]) -> Self {
        let mut places = Self { on: vec![None; parts.len()], moved: vec![false; parts.len()] };
        let is_call =
            |at: usize| parts.get(at).is_some_and(|part| matches!(part.content, Content::ToolCall(_)));
        let is_text = |at: usize| matches!(parts[at].content, Content::Text { .. });
        for (at, part) in parts.iter().enumerate() {
            if let Some(signature) = bare(part)
                && is_call(at + 1)
            {
                places.put(at, at + 1, signature);
            }
        }
        for (at, part) in parts.iter().enumerate() {
            let Some(signature) = bare(part).filter(|_| !places.moved[at]) else { continue };
            let call = (at + 1..parts.len()).find(|other| is_call(*other) && places.on[*other].is_none());
            let before = at.checked_sub(1).filter(|other| is_text(*other) && places.on[*other].is_none());
            // Parallel calls: only the first of them has one.
            let call =
                call.filter(|_| !parts[..at].iter().any(|part| matches!(part.content, Content::ToolCall(_))));
            if let Some(to) = call.or(before) {
                places.put(at, to, signature);
            }
        }
        places
    }

    fn put(&mut self, from: usize, to: usize, signature: &'a str) {
        self.on[to] = Some(signature);
        self.moved[from] = true;
    }

    /// The signature that the part at that place gets.
    pub(super) fn on(&self, at: usize) -> Option<&'a str> {
        self.on.get(at).copied().flatten()
    }

    /// Whether the part at that place stands on another and is not written itself.
    pub(super) fn is_moved(&self, at: usize) -> bool {
        self.moved.get(at).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_core::conversation::{ToolCall, ToolKind};
    use proptest::prelude::*;

    fn signed(signature: &str) -> Part {
        Part::new(Content::Reasoning(read(String::new(), Some(signature.to_owned()))))
    }

    fn call() -> Part {
        let call =
            ToolCall { id: "".into(), name: "f".into(), arguments: "{}".into(), kind: ToolKind::Function };
        Part::new(Content::ToolCall(call))
    }

    fn placed(parts: &[Part]) -> Vec<Option<String>> {
        let parts: Vec<&Part> = parts.iter().collect();
        let places = Places::of(&parts);
        (0..parts.len())
            .filter(|at| !places.is_moved(*at))
            .map(|at| places.on(at).map(str::to_owned))
            .collect()
    }

    #[test]
    fn signatures_find_the_part_that_they_stood_on() {
        let a = || Some("a".to_owned());
        let b = || Some("b".to_owned());
        assert_eq!(placed(&[signed("a"), call(), call()]), [a(), None]);
        assert_eq!(placed(&[Part::text("t"), signed("a")]), [a()]);
        assert_eq!(placed(&[Part::text("t"), signed("a"), signed("b"), call()]), [a(), b()]);
        // Put back by the memory, before everything.
        assert_eq!(placed(&[signed("a"), Part::text("t"), call(), call()]), [None, a(), None]);
        // On nothing that is left: a part of its own.
        assert_eq!(placed(&[signed("a")]), [None]);
    }

    proptest! {
        #[test]
        fn reasoning_of_any_origin_survives_a_client_of_gemini(
            text: String, proof in ".{1,30}", family in "[a-z]{1,9}", kind in 0usize..3, urls: bool,
        ) {
            let proof: Option<Box<str>> = Some(proof.into());
            let (signature, redacted) = match kind {
                0 => (proof, None),
                1 => (None, proof),
                _ => (None, None),
            };
            prop_assume!(family != FAMILY || redacted.is_none());
            let one = Reasoning { text, signature, redacted, origin: Origin::of(&family) };
            let mut wire = write(&one);
            if urls {
                wire = wire.map(|text| text.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned());
            }
            prop_assert_eq!(read(one.text.clone(), wire), one);
        }
    }

    #[test]
    fn pieces_of_another_vendors_thought_join_across_contents() {
        let piece = |text: &str, wire: Option<&str>| {
            Part::new(Content::Reasoning(read(text.to_owned(), wire.map(|tag| STANDARD.encode(tag)))))
        };
        let model = |parts| Message::new(Role::Assistant, parts);
        let mut messages = vec![
            Message::new(Role::User, vec![Part::text("q")]),
            model(vec![piece("h", Some("pilothouse-origin-anthropic"))]),
            model(vec![piece("m", None)]),
            model(vec![piece("", Some("pilothouse-origin-anthropic:c2ln")), Part::text("a")]),
        ];
        join(&mut messages);
        assert_eq!(messages.len(), 2);
        let Content::Reasoning(whole) = &messages[1].parts[0].content else { panic!("{messages:?}") };
        assert_eq!((whole.text.as_str(), whole.signature.as_deref()), ("hm", Some("c2ln")));
        assert_eq!(messages[1].parts[1..], [Part::text("a")]);
    }

    #[test]
    fn an_answer_that_a_chat_keeps_chunk_by_chunk_becomes_one_turn() {
        let model = |part| Message::new(Role::Assistant, vec![part]);
        let mut messages = vec![
            model(Part::text("I lo")),
            model(Part::text("ok.")),
            model(call()),
            model(call()),
            model(Part::text("")),
            Message::new(Role::User, vec![Part::text("and?")]),
        ];
        join(&mut messages);
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0].parts, [Part::text("I look."), call(), call()]);
    }

    #[test]
    fn googles_own_signatures_stay_as_they_are() {
        let one = read(String::new(), Some("CvQBAVSoXO8w==".to_owned()));
        assert_eq!((&*one.origin.family, one.signature.as_deref()), (FAMILY, Some("CvQBAVSoXO8w==")));
        assert_eq!(write(&one).as_deref(), Some("CvQBAVSoXO8w=="));
    }
}
