//! What the fast path reads of a request: a borrowed view of its top-level members, and edits of its bytes.

use std::borrow::Cow;
use std::ops::Range;

use pilothouse_core::error::{Error, Kind};
use smallvec::SmallVec;

use crate::scan::{self, Members};

/// A borrowed view of a request's body.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    body: &'a [u8],
    members: Cow<'a, Members>,
}

/// Replaces the bytes of `range` in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty to insert before its start.
    pub range: Range<usize>,
    /// The bytes that come.
    pub with: Cow<'static, [u8]>,
}

impl Edit {
    /// Whether a body that parsed still does: what comes is one value, or one member in the place of another, or, where
    /// nothing goes, one member after a comma, or nothing where a member goes.
    fn is_sound(&self) -> bool {
        match self.with.split_first() {
            // A member goes with one of its commas ([`Head::remove`]).
            None => !self.range.is_empty(),
            Some((b',', member)) if self.range.is_empty() => is_member(member),
            _ if self.range.is_empty() => false,
            _ => scan::skip_value(&self.with, 0) == Ok(self.with.len()) || is_member(&self.with),
        }
    }
}

/// Whether a text is one member of an object.
fn is_member(text: &[u8]) -> bool {
    let object = [b"{", text, b"}"].concat();
    scan::members(&object).is_ok_and(|found| found.list.len() == 1)
}

/// Edits of one body, in any order; they never overlap.
pub type Edits = SmallVec<[Edit; 2]>;

impl<'a> Head<'a> {
    /// Reads a request's body.
    ///
    /// # Errors
    /// A 400 that names the place when the body is not one JSON object or names a deciding member twice
    /// (two parsers could then disagree on what was asked).
    pub fn read(body: &'a [u8]) -> Result<Self, Error> {
        let members = scan::members(body).map_err(|error| {
            Error::bad_request("body", format!("the request body is not a JSON object: {error}"))
        })?;
        if let Some(name) = members.first_repeated(body, ["model", "stream", "stream_options"]) {
            return Err(Error::bad_request(name, format!("`{name}` is given twice; give it once")));
        }
        Ok(Self { body, members: Cow::Owned(members) })
    }

    /// A view of a body whose members were found before, by [`Head::into_members`].
    #[must_use]
    pub const fn again(body: &'a [u8], members: Members) -> Self {
        Self { body, members: Cow::Owned(members) }
    }

    /// The same, over members that stay where they are.
    #[must_use]
    pub const fn over(body: &'a [u8], members: &'a Members) -> Self {
        Self { body, members: Cow::Borrowed(members) }
    }

    /// What was found, without the borrow of the body.
    #[must_use]
    pub fn into_members(self) -> Members {
        self.members.into_owned()
    }

    /// The whole body.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The names of the top-level members, as they were written.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a [u8]> {
        self.members.list.iter().map(|member| &self.body[member.key()])
    }

    /// Calls `see` with every top-level member's name, as it was written, and where its value stands.
    pub(crate) fn each(&self, mut see: impl FnMut(&'a [u8], Range<usize>)) {
        self.members.list.iter().for_each(|member| see(&self.body[member.key()], member.value()));
    }

    /// The last top-level member whose name, as it was written, `fits`.
    pub(crate) fn find(&self, fits: impl Fn(&[u8]) -> bool) -> Option<(usize, &scan::Member)> {
        let named = |(_, member): &(usize, &scan::Member)| fits(&self.body[member.key()]);
        self.members.list.iter().enumerate().rev().find(named)
    }

    /// The text of a top-level member's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.members.get(self.body, name)
    }

    /// The model that is asked for.
    ///
    /// # Errors
    /// A 400 when it is missing or not a string.
    pub fn model(&self) -> Result<Cow<'a, str>, Error> {
        let value = self
            .get("model")
            .ok_or_else(|| Error::bad_request("model", "you must provide a `model` parameter"))?;
        scan::text_value(value).ok_or_else(|| Error::bad_request("model", "`model` must be a string"))
    }

    /// Whether a stream is asked for.
    ///
    /// # Errors
    /// A 400 when `stream` is neither true, false nor null.
    pub fn stream(&self) -> Result<bool, Error> {
        match self.get("stream") {
            None | Some(b"false" | b"null") => Ok(false),
            Some(b"true") => Ok(true),
            Some(_) => Err(Error::bad_request("stream", "`stream` must be true or false")),
        }
    }

    /// The text of a top-level string member.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(scan::text_value)
    }

    /// A string member of a top-level object member (`metadata.user_id`).
    #[must_use]
    pub fn text_in(&self, name: &str, inner: &str) -> Option<Cow<'a, str>> {
        let object = self.get(name)?;
        let members = scan::members(object).ok()?;
        members.get(object, inner).and_then(scan::text_value)
    }

    /// The edit that names another model.
    #[must_use]
    pub fn set_model(&self, model: &str) -> Option<Edit> {
        let member = self.members.find(self.body, "model")?;
        Some(Edit { range: member.value(), with: quoted(model).into() })
    }

    /// The edit that takes a member away, and the comma that it no longer needs.
    #[must_use]
    pub fn remove(&self, name: &str) -> Option<Edit> {
        let (at, span) = self.place(name)?;
        let list = &self.members.list;
        let range = match (at.checked_sub(1).and_then(|before| list.get(before)), list.get(at + 1)) {
            (_, Some(next)) => span.start..next.key().start - 1,
            (Some(before), None) => before.value().end..span.end,
            (None, None) => span,
        };
        Some(Edit { range, with: Cow::Borrowed(b"") })
    }

    /// The edit that puts a string member in the place of another member.
    #[must_use]
    pub fn replace_with_text(&self, name: &str, by: &str, value: &str) -> Option<Edit> {
        let (_, range) = self.place(name)?;
        Some(Edit { range, with: [quoted(by), vec![b':'], quoted(value)].concat().into() })
    }

    /// The edit that gives a string member another value, or adds it behind the last one. `None` for an empty body.
    #[must_use]
    pub fn set_text(&self, name: &str, value: &str) -> Option<Edit> {
        if let Some(member) = self.members.find(self.body, name) {
            return Some(Edit { range: member.value(), with: quoted(value).into() });
        }
        let at = self.members.list.last()?.value().end;
        let with = [b",", quoted(name).as_slice(), b":", &quoted(value)].concat();
        Some(Edit { range: at..at, with: with.into() })
    }

    /// A member's place among the others, and where it stands, from its key to its value.
    fn place(&self, name: &str) -> Option<(usize, Range<usize>)> {
        let member = self.members.find(self.body, name)?;
        let at = self.members.list.iter().position(|one| one == member)?;
        Some((at, member.key().start - 1..member.value().end))
    }

    /// The edits that name another model where a Gemini request names one: beside what is embedded, in each request of a
    /// batch, or within what is counted. That of a conversation stands in the path alone.
    #[must_use]
    pub fn set_gemini_model(&self, model: &str) -> Edits {
        let is_whole = model.starts_with("models/") || model.starts_with("tunedModels/");
        let name = || if is_whole { quoted(model) } else { quoted(&format!("models/{model}")) };
        let mut edits = Edits::new();
        if let Some(member) = self.members.find(self.body, "model") {
            edits.push(Edit { range: member.value(), with: name().into() });
        }
        let counted = ["generateContentRequest", "generate_content_request"];
        let mut inner = Vec::new();
        if edits.is_empty()
            && let Some(outer) = counted.iter().find_map(|name| self.members.find(self.body, name))
        {
            inner.push(outer.value());
        }
        if let Some(requests) = self.members.find(self.body, "requests") {
            inner.extend(items(self.body, requests.value()));
        }
        for outer in inner {
            let part = &self.body[outer.clone()];
            let Ok(members) = scan::members(part) else { continue };
            let Some(at) = members.find(part, "model").map(scan::Member::value) else { continue };
            edits.push(Edit { range: outer.start + at.start..outer.start + at.end, with: name().into() });
        }
        edits
    }

    /// The edit that asks an openai-chat vendor for a usage chunk, or `None` where the client asks already.
    #[must_use]
    pub fn include_usage(&self) -> Option<Edit> {
        const OPTIONS: &[u8] = br#"{"include_usage":true}"#;
        let Some(member) = self.members.find(self.body, "stream_options") else {
            let at = self.members.close;
            return Some(Edit { range: at..at, with: br#","stream_options":{"include_usage":true}"#.into() });
        };
        let options = &self.body[member.value()];
        let Ok(inner) = scan::members(options) else {
            // null, or something the vendor will refuse by itself.
            return (options == b"null").then(|| Edit { range: member.value(), with: OPTIONS.into() });
        };
        match inner.find(options, "include_usage") {
            Some(known) if &options[known.value()] == b"true" => None,
            Some(known) => {
                let start = member.value().start;
                Some(Edit {
                    range: start + known.value().start..start + known.value().end,
                    with: b"true".into(),
                })
            }
            None if inner.list.is_empty() => Some(Edit { range: member.value(), with: OPTIONS.into() }),
            None => {
                let at = member.value().start + inner.close;
                Some(Edit { range: at..at, with: br#","include_usage":true"#.into() })
            }
        }
    }
}

/// The places of the items of an array; none for what is no array.
fn items(body: &[u8], array: Range<usize>) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let mut at = array.start;
    while at < array.end && matches!(body.get(at), Some(b'[' | b',')) {
        let start = scan::skip_space(body, at + 1);
        let Ok(end) = scan::skip_value(body, start) else { break };
        items.push(start..end);
        at = scan::skip_space(body, end);
    }
    items
}

/// A body in pieces that follow each other.
pub type Pieces<'a> = SmallVec<[&'a [u8]; 5]>;

/// Applies edits: the pieces of the edited body. Every byte outside the edits stays as it is.
///
/// # Errors
/// When an edit is not a value or a member, so that the body would not parse again, or when two overlap:
/// either would be our fault.
pub fn apply<'a>(body: &'a [u8], edits: &'a Edits) -> Result<Pieces<'a>, Error> {
    if !edits.iter().all(Edit::is_sound) {
        return Err(Error::new(Kind::Internal, "an edit of the request would have broken it"));
    }
    let mut in_order: SmallVec<[&Edit; 2]> = edits.iter().collect();
    in_order.sort_by_key(|edit| edit.range.start);
    let mut pieces = Pieces::new();
    let mut at = 0;
    for edit in in_order {
        pieces.push(body.get(at..edit.range.start).ok_or_else(overlapping)?);
        pieces.push(&edit.with);
        at = edit.range.end;
    }
    pieces.push(body.get(at..).ok_or_else(overlapping)?);
    Ok(pieces)
}

fn overlapping() -> Error {
    Error::new(Kind::Internal, "two edits of the request overlap")
}

/// A JSON string with its quotes.
#[must_use]
pub fn quoted(text: &str) -> Vec<u8> {
    let is_plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if is_plain {
        let mut out = Vec::with_capacity(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return out;
    }
    // A string always serializes.
    serde_json::to_vec(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn edited(body: &str, make: impl Fn(&Head<'_>) -> Option<Edit>) -> Value {
        let head = Head::read(body.as_bytes()).unwrap();
        let edits = make(&head).into_iter().collect();
        serde_json::from_slice(&apply(body.as_bytes(), &edits).unwrap().concat()).unwrap()
    }

    #[test]
    fn only_the_model_changes_even_when_the_prompt_holds_a_decoy() {
        let body = r#"{"messages":[{"content":"{\"model\":\"decoy\"}"}], "model" : "a/b" ,"n":1}"#;
        let head = Head::read(body.as_bytes()).unwrap();
        let edit = head.set_model("b").unwrap();
        let edits = SmallVec::from_iter([edit]);
        let out = apply(body.as_bytes(), &edits).unwrap().concat();
        assert_eq!(String::from_utf8(out).unwrap(), body.replace("\"a/b\"", "\"b\""));
    }

    #[test]
    fn usage_is_asked_for_whatever_the_options_say() {
        let ask = |body| edited(body, |head| head.include_usage())["stream_options"].clone();
        let wanted = json!({"include_usage": true});
        assert_eq!(ask(r#"{"model":"m"}"#), wanted);
        assert_eq!(ask(r#"{"model":"m","stream_options":null }"#), wanted);
        assert_eq!(ask(r#"{"model":"m","stream_options":{ }}"#), wanted);
        assert_eq!(ask(r#"{"model":"m","stream_options":{"include_usage": false}}"#), wanted);
        assert_eq!(
            ask(r#"{"stream_options":{"include_obfuscation":false},"model":"m"}"#),
            json!({"include_obfuscation": false, "include_usage": true})
        );
        let asked = r#"{"model":"m","stream_options":{"include_usage":true}}"#;
        assert_eq!(Head::read(asked.as_bytes()).unwrap().include_usage(), None);
    }

    #[test]
    fn a_member_goes_with_one_comma_wherever_it_stands() {
        for (body, wanted) in [
            (r#"{"model":"m","a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1, "model" : "m" ,"b":2}"#, r#"{"a":1, "b":2}"#),
            (r#"{"a":1 , "model":"m" }"#, r#"{"a":1 }"#),
            (r#"{ "model":"m" }"#, r#"{  }"#),
        ] {
            let head = Head::read(body.as_bytes()).unwrap();
            let edits = Edits::from_iter(head.remove("model"));
            let out = apply(body.as_bytes(), &edits).unwrap().concat();
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
        assert_eq!(Head::read(b"{}").unwrap().remove("model"), None);
    }

    #[test]
    fn a_text_is_set_added_or_put_in_the_place_of_another_member() {
        let set = |body| edited(body, |head| head.set_text("v", "x\"y"));
        assert_eq!(set(r#"{"a":1}"#), json!({"a": 1, "v": "x\"y"}));
        assert_eq!(set(r#"{"v":null,"a":1}"#), json!({"a": 1, "v": "x\"y"}));
        let swap = |body| edited(body, |head| head.replace_with_text("model", "v", "x"));
        assert_eq!(swap(r#"{"model":"m"}"#), json!({"v": "x"}));
        assert_eq!(swap(r#"{"a":1,"model":"m","b":2}"#), json!({"a": 1, "v": "x", "b": 2}));
    }

    #[test]
    fn a_member_that_decides_must_not_be_given_twice() {
        assert!(Head::read(br#"{"model":"a","m\u006fdel":"b"}"#).is_err());
    }

    proptest! {
        #[test]
        fn any_model_name_survives_the_edit(name in ".{0,20}") {
            let value = edited(r#"{"model":"x","a":[1]}"#, |head| head.set_model(&name));
            prop_assert_eq!(value, json!({"model": name, "a": [1]}));
        }
    }
}
