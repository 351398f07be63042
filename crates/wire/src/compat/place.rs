//! Where the values of a path stand in a body, and edits of the objects and lists around them.

use std::borrow::Cow;
use std::ops::Range;

use pilothouse_catalog::compat::Step;
use pilothouse_core::dialect::Dialect;
use smallvec::SmallVec;

use crate::head::quoted;
use crate::scan;

/// The indices of the lists on the way to a value.
pub(super) type Indices = SmallVec<[usize; 4]>;

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The object or list around it.
    pub(super) around: Range<usize>,
    /// Which member or item of it the value is.
    pub(super) index: usize,
    /// Its name's text without quotes; empty for an item of a list.
    pub(super) key: Range<usize>,
    /// The value.
    pub(crate) value: Range<usize>,
}

/// The items of the list at `list`, in their order; none where it is no list.
pub(crate) fn items(body: &[u8], list: Range<usize>) -> Items<'_> {
    let is_list = body.get(list.start) == Some(&b'[');
    let at = if is_list { scan::skip_space(body, list.start + 1) } else { list.end };
    Items { body, at, end: list.end }
}

/// The items of a list. Each is found when it is asked for.
pub(crate) struct Items<'a> {
    body: &'a [u8],
    at: usize,
    end: usize,
}

impl Iterator for Items<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.at >= self.end || self.body.get(self.at).is_none_or(|byte| *byte == b']') {
            return None;
        }
        let Ok(end) = scan::skip_value(self.body, self.at) else {
            self.at = self.end;
            return None;
        };
        let item = self.at..end;
        self.at = scan::skip_space(self.body, end);
        if self.body.get(self.at) == Some(&b',') {
            self.at = scan::skip_space(self.body, self.at + 1);
        }
        Some(item)
    }
}

/// The members of the object at `object`, with places in the whole body.
pub(super) fn members(body: &[u8], object: Range<usize>) -> Vec<Place> {
    let mut out = Vec::new();
    let at = |range: Range<usize>| object.start + range.start..object.start + range.end;
    let close = scan::each_member(body.get(object.clone()).unwrap_or_default(), |key, value| {
        out.push(Place { around: object.clone(), index: out.len(), key: at(key), value: at(value) });
    });
    if close.is_ok() { out } else { Vec::new() }
}

/// The member of that name.
pub(crate) fn member(body: &[u8], object: Range<usize>, name: &str, dialect: Dialect) -> Option<Place> {
    let text = body.get(object.clone())?;
    let (mut index, mut found) = (0, None);
    let close = scan::each_member(text, |key, value| {
        // Among several the last, as parsers have it.
        if is_named(&text[key.clone()], name, dialect) {
            found = Some((index, key, value));
        }
        index += 1;
    });
    let (index, key, value) = found.filter(|_| close.is_ok())?;
    let at = |range: Range<usize>| object.start + range.start..object.start + range.end;
    Some(Place { around: object.clone(), index, key: at(key), value: at(value) })
}

/// Whether a key is that name. Google reads its members in both spellings, `maxOutputTokens` and `max_output_tokens`.
pub(crate) fn is_named(key: &[u8], name: &str, dialect: Dialect) -> bool {
    // Another spelling is longer: an escape than its letter, an underscore than the capital that it stands for.
    if key.len() <= name.len() {
        return key == name.as_bytes() && (dialect != Dialect::GeminiGenerate || !key.contains(&b'_'));
    }
    let is_plain = |byte: &u8| *byte != b'\\' && (*byte != b'_' || dialect != Dialect::GeminiGenerate);
    !key.iter().all(is_plain) && name_of(key, dialect).is_some_and(|key| key == name)
}

/// A key as the dialect's documents spell it.
pub(crate) fn name_of(key: &[u8], dialect: Dialect) -> Option<Cow<'_, str>> {
    let name = scan::string_of(key)?;
    if dialect != Dialect::GeminiGenerate || !name.contains('_') {
        return Some(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut pieces = name.split('_');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let mut letters = piece.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    Some(out.into())
}

/// Calls `see` for every value at `steps` below the object at `object`, with the indices of the lists on the way.
pub(super) fn each(
    body: &[u8],
    object: Range<usize>,
    steps: &[Step],
    dialect: Dialect,
    see: &mut dyn FnMut(&[usize], &Place),
) {
    descend(body, object, steps, dialect, &mut Indices::new(), see);
}

fn descend(
    body: &[u8],
    object: Range<usize>,
    steps: &[Step],
    dialect: Dialect,
    indices: &mut Indices,
    see: &mut dyn FnMut(&[usize], &Place),
) {
    let Some((step, rest)) = steps.split_first() else { return };
    let Some(found) = member(body, object, &step.name, dialect) else { return };
    below(body, found, step, rest, dialect, indices, see);
}

/// Goes on from a member that was found.
pub(super) fn below(
    body: &[u8],
    found: Place,
    step: &Step,
    rest: &[Step],
    dialect: Dialect,
    indices: &mut Indices,
    see: &mut dyn FnMut(&[usize], &Place),
) {
    if !step.is_each {
        if rest.is_empty() {
            see(indices, &found);
        } else {
            descend(body, found.value, rest, dialect, indices, see);
        }
        return;
    }
    for (index, item) in items(body, found.value.clone()).enumerate() {
        indices.push(index);
        if rest.is_empty() {
            let start = item.start;
            see(indices, &Place { around: found.value.clone(), index, key: start..start, value: item });
        } else {
            descend(body, item, rest, dialect, indices, see);
        }
        indices.pop();
    }
}

/// The value at `steps` with these indices.
pub(crate) fn locate(body: &[u8], steps: &[Step], indices: &[usize], dialect: Dialect) -> Option<Place> {
    let mut found = None;
    each(body, 0..body.len(), steps, dialect, &mut |at, place| {
        if at == indices {
            found = Some(place.clone());
        }
    });
    found
}

/// Takes a member or an item away, with the comma that it leaves behind.
pub(super) fn remove(body: &mut Vec<u8>, place: &Place) {
    let is_item = place.key.is_empty();
    let siblings: Vec<Range<usize>> = if is_item {
        items(body, place.around.clone()).collect()
    } else {
        // From the quote before the name to the end of the value.
        let whole = |place: Place| place.key.start - 1..place.value.end;
        members(body, place.around.clone()).into_iter().map(whole).collect()
    };
    let Some(own) = siblings.get(place.index).cloned() else { return };
    let range =
        match (siblings.get(place.index + 1), place.index.checked_sub(1).and_then(|at| siblings.get(at))) {
            (Some(next), _) => own.start..next.start,
            (None, Some(last)) => last.end..own.end,
            (None, None) => own,
        };
    body.drain(range);
}

/// Adds a member at the end of the object at `object`.
pub(super) fn insert(body: &mut Vec<u8>, object: Range<usize>, name: &str, value: &[u8]) {
    let last = members(body, object.clone()).pop();
    let at = last.as_ref().map_or_else(|| scan::skip_space(body, object.start) + 1, |last| last.value.end);
    let mut text = Vec::with_capacity(name.len() + value.len() + 4);
    if last.is_some() {
        text.push(b',');
    }
    text.extend_from_slice(&quoted(name));
    text.push(b':');
    text.extend_from_slice(value);
    body.splice(at..at, text);
}

/// Adds an item at the end of the list at `list`.
pub(super) fn push(body: &mut Vec<u8>, list: Range<usize>, value: &[u8]) {
    let last = items(body, list.clone()).last();
    let at = last.as_ref().map_or(list.start + 1, |last| last.end);
    let comma: &[u8] = if last.is_some() { b"," } else { b"" };
    body.splice(at..at, [comma, value].concat());
}

/// Sets a value, with the objects on the way to it. False where something else stands in the way.
pub(crate) fn set(body: &mut Vec<u8>, steps: &[Step], dialect: Dialect, value: &[u8]) -> bool {
    let mut object = scan::skip_space(body, 0)..body.len();
    for (number, step) in steps.iter().enumerate() {
        let is_last = number + 1 == steps.len();
        match member(body, object.clone(), &step.name, dialect) {
            Some(found) if is_last => {
                body.splice(found.value, value.iter().copied());
                return true;
            }
            Some(found) if body.get(found.value.start) == Some(&b'{') => object = found.value,
            Some(found) if &body[found.value.clone()] == b"null" => {
                body.splice(found.value.clone(), *b"{}");
                object = found.value.start..found.value.start + 2;
            }
            Some(_) => return false,
            None => {
                let wrapped = steps[number + 1..].iter().rev().fold(value.to_vec(), |inner, step| {
                    [b"{", quoted(&step.name).as_slice(), b":", inner.as_slice(), b"}"].concat()
                });
                insert(body, object, &step.name, &wrapped);
                return true;
            }
        }
    }
    false
}
