//! How the service reads a request: by its published shapes, as AWS services do.
//!
//! A wrong JSON type is a `SerializationException`; broken constraints are listed together in one `ValidationException`;
//! names count list members from one and are joined as AWS joins them. Wordings as public bug reports give them, read
//! 2026-11-23. The live service lets pass members it does not know; the fleet refuses them, as AWS's own SDKs do before
//! they send: a member that is written wrong would else be ignored and nobody would learn of it.

use super::error::Refusal;
use crate::media;
use serde_json::{Map, Value};

/// What a value must be.
#[derive(Debug)]
pub(crate) enum Shape {
    Text(Limits),
    /// Base64 with at least so many bytes.
    Blob(usize),
    Bool,
    Int {
        min: i64,
    },
    Float {
        min: f64,
        max: f64,
    },
    Enum(&'static [&'static str]),
    /// Any JSON.
    Document,
    List {
        of: &'static Shape,
        min: usize,
        max: usize,
    },
    Map {
        key: &'static Shape,
        value: &'static Shape,
        min: usize,
        max: usize,
    },
    Struct(&'static Members),
    /// A structure of which exactly one member is set.
    Union(&'static Members),
}

/// A pattern as it is published, and as a test.
pub(crate) type Pattern = (&'static str, fn(&str) -> bool);

/// Bounds of a text, and its pattern.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) min: usize,
    pub(crate) max: usize,
    pub(crate) pattern: Option<Pattern>,
}

/// The members of a structure.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) name: &'static str,
    pub(crate) members: &'static [Member],
}

/// A member: its name, its shape, whether it is required.
pub(crate) type Member = (&'static str, &'static Shape, bool);

/// No upper bound.
pub(crate) const ANY: usize = usize::MAX;

/// Refuses a request that does not conform to a shape.
pub(crate) fn refuse(members: &'static Members, request: &Value) -> Result<(), Refusal> {
    let mut reader = Reader { broken: Vec::new() };
    let Some(map) = request.as_object() else {
        return Err(Refusal::serialization(format!("{} can not be converted to an Object", label(request))));
    };
    reader.members(members, map, &Place::default())?;
    match reader.broken.len() {
        0 => Ok(()),
        1 => Err(Refusal::validation(format!("1 validation error detected: {}", reader.broken[0]))),
        n => {
            Err(Refusal::validation(format!("{n} validation errors detected: {}", reader.broken.join("; "))))
        }
    }
}

/// Where a value stands, in the two ways that the service writes places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// `messages.1.member.content`.
    constraint: String,
    /// `messages.0.content`.
    plain: String,
}

impl Place {
    fn member(&self, name: &str) -> Place {
        let join = |at: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        Place { constraint: join(&self.constraint), plain: join(&self.plain) }
    }

    fn item(&self, index: usize) -> Place {
        Place {
            constraint: format!("{}.{}.member", self.constraint, index + 1),
            plain: format!("{}.{index}", self.plain),
        }
    }
}

struct Reader {
    broken: Vec<String>,
}

impl Reader {
    fn members(
        &mut self,
        shape: &'static Members,
        map: &Map<String, Value>,
        at: &Place,
    ) -> Result<(), Refusal> {
        if let Some(unknown) = map.keys().find(|k| !shape.members.iter().any(|(name, ..)| name == k)) {
            let place = at.member(unknown).plain;
            return Err(Refusal::validation(format!(
                "The {} object has no member at {place}. Remove the unexpected key {unknown}, and try again.",
                shape.name
            )));
        }
        for (name, inner, is_required) in shape.members {
            let place = at.member(name);
            match map.get(*name).filter(|v| !v.is_null()) {
                Some(value) => self.value(inner, value, &place)?,
                None if *is_required => self.broken.push(format!(
                    "Value at '{}' failed to satisfy constraint: Member must not be null",
                    place.constraint
                )),
                None => {}
            }
        }
        Ok(())
    }

    fn breaks(&mut self, at: &Place, found: Option<&str>, must: &str) {
        let found = found.map(|f| format!(" '{f}'")).unwrap_or_default();
        self.broken.push(format!(
            "Value{found} at '{}' failed to satisfy constraint: Member must {must}",
            at.constraint
        ));
    }

    fn value(&mut self, shape: &'static Shape, value: &Value, at: &Place) -> Result<(), Refusal> {
        match (shape, value) {
            (Shape::Document, _) | (Shape::Bool, Value::Bool(_)) => {}
            (Shape::Text(limits), Value::String(text)) => self.text(limits, text, at),
            (Shape::Blob(min), Value::String(text)) => match media::decode(text) {
                Some(bytes) if bytes.len() < *min => {
                    self.breaks(at, None, &format!("have length greater than or equal to {min}"));
                }
                Some(_) => {}
                None => return Err(Refusal::serialization(format!("{}: invalid base64 data", at.plain))),
            },
            (Shape::Int { min }, Value::Number(number)) if number.as_i64().is_some() => {
                if number.as_i64() < Some(*min) {
                    let must = format!("have value greater than or equal to {min}");
                    self.breaks(at, Some(&number.to_string()), &must);
                }
            }
            (Shape::Float { min, max }, Value::Number(number)) => {
                let found = number.as_f64().unwrap_or_default();
                let side = match () {
                    () if found < *min => Some(format!("greater than or equal to {min}")),
                    () if found > *max => Some(format!("less than or equal to {max}")),
                    () => None,
                };
                if let Some(side) = side {
                    self.breaks(at, Some(&number.to_string()), &format!("have value {side}"));
                }
            }
            (Shape::Enum(values), Value::String(text)) if values.contains(&text.as_str()) => {}
            (Shape::Enum(values), Value::String(text)) => {
                let must = format!("satisfy enum value set: [{}]", values.join(", "));
                self.breaks(at, Some(text), &must);
            }
            (Shape::List { of, min, max }, Value::Array(items)) => {
                self.length(items.len(), *min, *max, at);
                for (i, item) in items.iter().enumerate() {
                    self.value(of, item, &at.item(i))?;
                }
            }
            (Shape::Map { key, value, min, max }, Value::Object(map)) => {
                self.length(map.len(), *min, *max, at);
                for (name, inner) in map {
                    self.value(key, &Value::String(name.clone()), &at.member(name))?;
                    self.value(value, inner, &at.member(name))?;
                }
            }
            (Shape::Struct(members), Value::Object(map)) => self.members(members, map, at)?,
            (Shape::Union(members), Value::Object(map)) => self.union(members, map, at)?,
            _ => {
                let why = format!("{} can not be converted to {}", label(value), expected(shape));
                return Err(Refusal::serialization(why));
            }
        }
        Ok(())
    }

    fn union(
        &mut self,
        shape: &'static Members,
        map: &Map<String, Value>,
        at: &Place,
    ) -> Result<(), Refusal> {
        self.members(shape, map, at)?;
        if map.values().filter(|v| !v.is_null()).count() == 1 {
            return Ok(());
        }
        let names: Vec<&str> = shape.members.iter().map(|(name, ..)| *name).collect();
        let how = if map.is_empty() { "must set one" } else { "must set only one" };
        Err(Refusal::validation(format!(
            "{} object at {} {how} of the following keys: {}.",
            shape.name,
            at.plain,
            names.join(", ")
        )))
    }

    fn text(&mut self, limits: &Limits, text: &str, at: &Place) {
        let length = text.chars().count();
        self.length(length, limits.min, limits.max, at);
        if let Some((pattern, fits)) = limits.pattern
            && length > 0
            && !fits(text)
        {
            self.breaks(at, Some(text), &format!("satisfy regular expression pattern: {pattern}"));
        }
    }

    fn length(&mut self, length: usize, min: usize, max: usize, at: &Place) {
        if length < min {
            self.breaks(at, None, &format!("have length greater than or equal to {min}"));
        }
        if length > max {
            self.breaks(at, None, &format!("have length less than or equal to {max}"));
        }
    }
}

fn label(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(n) if n.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_) | Shape::Enum(_) => "String",
        Shape::Blob(_) => "Blob",
        Shape::Bool => "Boolean",
        Shape::Int { .. } => "Integer",
        Shape::Float { .. } => "Float",
        Shape::List { .. } => "List",
        Shape::Map { .. } => "Map",
        Shape::Document | Shape::Struct(_) | Shape::Union(_) => "Structure",
    }
}
