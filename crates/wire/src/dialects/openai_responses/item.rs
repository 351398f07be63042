//! Items, which requests and answers are lists of: what is read of each, and what is kept of it.
//!
//! What a part cannot hold of its item (its id, its state, members that nobody knows) is kept in the part's rest
//! under [`ITEM`], which no other dialect reads. Ids of reasoning matter elsewhere too: OpenAI's encryption is
//! bound to the item's id ("Encrypted content item_id did not match the target item id",
//! <https://github.com/maximhq/bifrost/issues/5186>, read 2026-11-23). So the signature of a piece of reasoning is
//! its id and its encrypted content, with a colon between them.

pub(super) mod write;

use pilothouse_core::conversation::{Origin, Raw, Reasoning, Rest, ToolCall, ToolKind};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::{kept, raw_of};
use crate::codec::{ITEM, OWN};
use crate::json::{Members, Object, Path};

/// What the encrypted content begins with that we made of another vendor's proof.
const SEAL: &str = "pilothouse-origin-";
/// Kept beside reasoning whose text is no summary but the reasoning itself (open-weight models).
pub(super) const PLAIN_REASONING: &str = "@@reasoning_text";
/// Names that begin so are never written.
const NEVER: &str = "@@";

/// Keeps what is left of an item.
pub(super) fn keep(left: Members<'_>) -> Rest {
    let (left, mut rest) = (left.rest(), Rest::default());
    if !left.is_empty()
        && let Some(raw) = raw_of(|out| Object::new(out).rest(&left))
    {
        rest.push(ITEM, raw);
    }
    rest
}

/// What was kept of an item: its id, and its other members.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Kept {
    pub(super) id: Option<String>,
    pub(super) rest: Rest,
}

impl Kept {
    /// Reads back what [`keep`] kept.
    pub(super) fn of(rest: &Rest) -> Self {
        let Some(mut members) = rest.get(ITEM).and_then(kept) else { return Self::default() };
        let id = members.text("id", &Path::Root).ok().flatten();
        Self { id, rest: members.rest() }
    }
}

/// Writes members that were kept, those under a name of our own by the name that they had.
pub(super) fn write_rest(out: &mut Object<'_>, rest: &Rest) {
    for (name, value) in rest.iter().filter(|(name, _)| !name.starts_with(NEVER)) {
        out.raw(name.strip_prefix(OWN).unwrap_or(name), value);
    }
}

/// Reads a call of a function or of a custom tool; the type is taken already.
pub(super) fn read_call(
    members: &mut Members<'_>,
    kind: ToolKind,
    path: &Path<'_>,
) -> Result<ToolCall, Error> {
    let text = if kind == ToolKind::Custom { "input" } else { "arguments" };
    Ok(ToolCall {
        id: members.word("call_id", path)?.unwrap_or_default(),
        name: members.needed_text("name", path)?.into(),
        arguments: members.text(text, path)?.unwrap_or_default(),
        kind,
    })
}

/// The kind of tool that an item of a type calls, if it calls one that the client runs.
pub(super) fn kind_of_call(kind: &str) -> Option<ToolKind> {
    match kind {
        "function_call" => Some(ToolKind::Function),
        "custom_tool_call" => Some(ToolKind::Custom),
        _ => None,
    }
}

/// Reads reasoning; the type is taken already. `family` is whose it is where it carries no seal of ours.
pub(super) fn read_reasoning(
    mut members: Members<'_>,
    family: &str,
    path: &Path<'_>,
) -> Result<(Reasoning, Rest), Error> {
    let summary = texts(members.array("summary", path)?, &path.member("summary"))?;
    let content = texts(members.array("content", path)?, &path.member("content"))?;
    let encrypted = members.text("encrypted_content", path)?;
    let id = members.peek("id").and_then(crate::json::as_text).unwrap_or_default();
    let plain = summary.is_empty() && !content.is_empty();
    let text = if plain { content.concat() } else { summary.join(PARAGRAPH) };
    let mut reasoning = Reasoning { text, signature: None, redacted: None, origin: Origin::of(family) };
    if let Some(encrypted) = encrypted.filter(|text| !text.is_empty()) {
        unseal(&encrypted, &id, &mut reasoning);
    }
    let mut rest = keep(members);
    if plain {
        mark(&mut rest, PLAIN_REASONING);
    }
    Ok((reasoning, rest))
}

/// What stands between two parts of a summary when they become one text.
pub(super) const PARAGRAPH: &str = "\n\n";

fn texts(list: Option<Vec<&RawValue>>, path: &Path<'_>) -> Result<Vec<String>, Error> {
    list.unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(at, raw)| {
            let at = path.item(at);
            Ok(Members::read(raw, &at)?.text("text", &at)?.unwrap_or_default())
        })
        .collect()
}

/// Notes something of a part that is not written.
pub(super) fn mark(rest: &mut Rest, name: &str) {
    if let Some(raw) = Raw::parse("true") {
        rest.push(name, raw);
    }
}

/// Takes encrypted content apart: into another vendor's proof where we sealed one, else into a signature.
pub(super) fn unseal(encrypted: &str, id: &str, into: &mut Reasoning) {
    let Some(sealed) = encrypted.strip_prefix(SEAL) else {
        // An id with a colon in it is none of OpenAI's; it stays with the item only.
        let id = if id.contains(':') { "" } else { id };
        into.signature = Some(format!("{id}:{encrypted}").into());
        return;
    };
    let mut pieces = sealed.splitn(3, ':');
    into.origin = Origin::of(pieces.next().unwrap_or_default());
    match (pieces.next(), pieces.next()) {
        (Some("signed"), Some(proof)) => into.signature = Some(proof.into()),
        (Some("redacted"), Some(data)) => into.redacted = Some(data.into()),
        _ => {}
    }
}

/// The encrypted content that carries reasoning of another dialect through a client of this one.
pub(super) fn seal(origin: &Origin, signature: Option<&str>, redacted: Option<&str>) -> String {
    let family = &origin.family;
    match (signature, redacted) {
        (_, Some(data)) => format!("{SEAL}{family}:redacted:{data}"),
        (Some(proof), None) => format!("{SEAL}{family}:signed:{proof}"),
        (None, None) => format!("{SEAL}{family}"),
    }
}

/// A signature of this dialect as the item's id and the encrypted content.
pub(super) fn split_signature(signature: &str) -> (Option<&str>, &str) {
    match signature.split_once(':') {
        Some(("", encrypted)) => (None, encrypted),
        Some((id, encrypted)) => (Some(id), encrypted),
        None => (None, signature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_proof_of_another_vendor_comes_out_as_it_was_sealed(
            family in "[a-z]{0,9}", proof in ".{1,40}", redacted: bool,
        ) {
            let origin = Origin::of(&family);
            let (signature, data) = if redacted { (None, Some(&*proof)) } else { (Some(&*proof), None) };
            let mut read = Reasoning { text: String::new(), signature: None, redacted: None, origin: Origin::of("x") };
            unseal(&seal(&origin, signature, data), "rs_1", &mut read);
            prop_assert_eq!(read.origin, origin);
            prop_assert_eq!((read.signature.as_deref(), read.redacted.as_deref()), (signature, data));
        }

        #[test]
        fn encrypted_content_keeps_the_id_that_it_is_bound_to(id in "rs_[a-z0-9]{1,20}", content in "[A-Za-z0-9_:=-]{1,40}") {
            let mut read = Reasoning { text: String::new(), signature: None, redacted: None, origin: Origin::of("openai") };
            unseal(&content, &id, &mut read);
            prop_assert_eq!(split_signature(read.signature.as_deref().unwrap()), (Some(&*id), &*content));
        }
    }
}
