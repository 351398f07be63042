//! Which members an object may have and of what kind: the part of strictness that both dialects share.
//!
//! The wording of an error belongs to the vendor; this module only says what is wrong and where.

use serde_json::{Map, Value};

/// What a member may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Bool,
    Int { min: i64, max: i64 },
    Num { min: f64, max: f64 },
    List,
    Object,
    TextOrList,
    TextOrObject,
    OneOf(&'static [&'static str]),
}

/// Any integer.
pub(crate) const INT: Kind = Kind::Int { min: i64::MIN, max: i64::MAX };

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
}

/// A member that may be absent.
pub(crate) const fn may(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false, nullable: false }
}

/// A member that may be absent or null.
pub(crate) const fn null(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false, nullable: true }
}

/// A member that must be there.
pub(crate) const fn must(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: true, nullable: false }
}

/// What is wrong with one member.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) name: String,
    pub(crate) what: What,
}

/// The kinds of wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Unknown,
    Missing,
    Type { expected: Kind, found: Box<Value> },
    Below { kind: Kind, found: Box<Value> },
    Above { kind: Kind, found: Box<Value> },
    NotOneOf { allowed: &'static [&'static str], found: String },
}

/// Checks an object against its members: their kinds in the list's order first, then for members that are not on it.
pub(crate) fn check(map: &Map<String, Value>, members: &[Member]) -> Result<(), Problem> {
    for member in members {
        let problem = |what| Problem { name: member.name.to_owned(), what };
        match map.get(member.name) {
            None if member.required => return Err(problem(What::Missing)),
            None => {}
            Some(Value::Null) if member.nullable => {}
            Some(value) => kind(value, member.kind).map_err(problem)?,
        }
    }
    match map.keys().find(|k| !members.iter().any(|m| m.name == *k)) {
        Some(name) => Err(Problem { name: name.clone(), what: What::Unknown }),
        None => Ok(()),
    }
}

fn kind(value: &Value, kind: Kind) -> Result<(), What> {
    let wrong = || What::Type { expected: kind, found: Box::new(value.clone()) };
    let fits = |fits: bool| if fits { Ok(()) } else { Err(wrong()) };
    match kind {
        Kind::Text => fits(value.is_string()),
        Kind::Bool => fits(value.is_boolean()),
        Kind::List => fits(value.is_array()),
        Kind::Object => fits(value.is_object()),
        Kind::TextOrList => fits(value.is_string() || value.is_array()),
        Kind::TextOrObject => fits(value.is_string() || value.is_object()),
        Kind::Int { min, max } => match value.as_i64() {
            None => Err(wrong()),
            Some(n) if n < min => Err(What::Below { kind, found: Box::new(value.clone()) }),
            Some(n) if n > max => Err(What::Above { kind, found: Box::new(value.clone()) }),
            Some(_) => Ok(()),
        },
        Kind::Num { min, max } => match value.as_f64() {
            None => Err(wrong()),
            Some(n) if n < min => Err(What::Below { kind, found: Box::new(value.clone()) }),
            Some(n) if n > max => Err(What::Above { kind, found: Box::new(value.clone()) }),
            Some(_) => Ok(()),
        },
        Kind::OneOf(allowed) => match value.as_str() {
            None => Err(wrong()),
            Some(text) if allowed.contains(&text) => Ok(()),
            Some(text) => Err(What::NotOneOf { allowed, found: text.to_owned() }),
        },
    }
}

/// The member as text; empty if it is absent or no text.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The member's items; none if it is absent or no list.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The member, if it is there and not null.
pub(crate) fn some<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|v| !v.is_null())
}
