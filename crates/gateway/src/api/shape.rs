//! What goes over the wire of the administration, as types that know their JSON Schema: one definition makes both.

use std::collections::BTreeMap;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::{Cost, PicoUsd};
use serde::de::{Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// The named schemas of a document.
#[derive(Debug, Default)]
pub(crate) struct Schemas(BTreeMap<&'static str, Value>);

impl Schemas {
    /// A reference to the schema of that name, which is made if it is not there.
    pub(crate) fn named(&mut self, name: &'static str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            // Entered first, so that a schema that refers to itself ends.
            self.0.insert(name, Value::Null);
            let made = make(self);
            self.0.insert(name, made);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    pub(crate) fn into_value(self) -> Value {
        self.0.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect::<Map<_, _>>().into()
    }
}

/// Something with a JSON Schema.
pub(crate) trait Shape {
    /// Whether a request may leave it out.
    const IS_OPTIONAL: bool = false;
    /// Whether an answer may leave it out.
    const MAY_LACK: bool = false;

    /// Its schema; named ones enter `all` and are referred to.
    fn schema(all: &mut Schemas) -> Value;
}

/// A member of an object: its name, what is said of it, its schema, and whether it is always there.
pub(crate) type Member = (&'static str, String, Value, bool);

/// The schema of an object. Objects may gain members; what is there keeps its meaning.
pub(crate) fn object(about: &[&str], members: Vec<Member>) -> Value {
    let required: Vec<&str> = members.iter().filter(|member| member.3).map(|member| member.0).collect();
    let properties: Map<String, Value> =
        members.iter().map(|(name, told, schema, _)| ((*name).to_owned(), described(schema, told))).collect();
    json!({ "type": "object", "description": words(about), "properties": properties, "required": required })
}

/// A schema with what is said of it. Beside a reference other members are allowed since JSON Schema 2019-09.
fn described(schema: &Value, told: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), told.into());
    }
    schema
}

/// The lines of a comment as one text.
pub(crate) fn words(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Defines a type that is answered (`answer`) or asked with (`request`), with its schema. In answers every member is there, `null`
/// where nothing is known; requests may leave optional ones out and have no others.
macro_rules! shape {
    (answer $(#[doc = $about:literal])+ $name:ident { $($(#[doc = $told:literal])+ $field:ident: $kind:ty,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Serialize)]
        pub(crate) struct $name { $($(#[doc = $told])+ pub(crate) $field: $kind,)+ }
        $crate::api::shape::shape!(@schema ($($about),+) $name true { $(($($told),+) $field: $kind,)+ });
    };
    (request $(#[doc = $about:literal])+ $name:ident { $($(#[doc = $told:literal])+ $field:ident: $kind:ty,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $($(#[doc = $told])+ pub(crate) $field: $kind,)+ }
        $crate::api::shape::shape!(@schema ($($about),+) $name false { $(($($told),+) $field: $kind,)+ });
    };
    (change $(#[doc = $about:literal])+ $name:ident { $($(#[doc = $told:literal])+ $field:ident: $kind:ty,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $name { $($(#[doc = $told])+ pub(crate) $field: $kind,)+ }
        $crate::api::shape::shape!(@schema ($($about),+) $name false { $(($($told),+) $field: $kind,)+ });
    };
    (foreign $(#[doc = $about:literal])+ $name:ident of $kept:ty { $($(#[doc = $told:literal])+ $field:ident: $kind:ty,)+ }) => {
        $crate::api::shape::shape!(@schema ($($about),+) $name $kept, true { $(($($told),+) $field: $kind,)+ });
    };
    (@schema ($($about:literal),+) $name:ident $is_answer:literal { $($rest:tt)+ }) => {
        $crate::api::shape::shape!(@schema ($($about),+) $name $name, $is_answer { $($rest)+ });
    };
    (@schema ($($about:literal),+) $name:ident $kept:ty, $is_answer:literal {
        $(($($told:literal),+) $field:ident: $kind:ty,)+
    }) => {
        impl $crate::api::shape::Shape for $kept {
            fn schema(all: &mut $crate::api::shape::Schemas) -> serde_json::Value {
                all.named(stringify!($name), |all| {
                    let members = vec![$((
                        stringify!($field),
                        $crate::api::shape::words(&[$($told),+]),
                        <$kind as $crate::api::shape::Shape>::schema(all),
                        !<$kind as $crate::api::shape::Shape>::MAY_LACK
                            && ($is_answer || !<$kind as $crate::api::shape::Shape>::IS_OPTIONAL),
                    )),+];
                    $crate::api::shape::object(&[$($about),+], members)
                })
            }
        }
    };
}
pub(crate) use shape;

macro_rules! plain {
    ($($kind:ty => $schema:tt),+ $(,)?) => {
        $(impl Shape for $kind {
            fn schema(_: &mut Schemas) -> Value {
                json!($schema)
            }
        })+
    };
}

plain! {
    String => { "type": "string" },
    Box<str> => { "type": "string" },
    std::sync::Arc<str> => { "type": "string" },
    &'static str => { "type": "string" },
    bool => { "type": "boolean" },
    u16 => { "type": "integer", "minimum": 0 },
    u32 => { "type": "integer", "minimum": 0 },
    u64 => { "type": "integer", "minimum": 0 },
    i64 => { "type": "integer" },
    usize => { "type": "integer", "minimum": 0 },
    f64 => { "type": "number" },
    Value => {},
    Moment => { "type": "string", "format": "date-time" },
    Count => { "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$" },
}

impl<T: Shape> Shape for Option<T> {
    const IS_OPTIONAL: bool = true;

    fn schema(all: &mut Schemas) -> Value {
        nullable(T::schema(all))
    }
}

impl<T: Shape> Shape for Box<T> {
    const IS_OPTIONAL: bool = T::IS_OPTIONAL;

    fn schema(all: &mut Schemas) -> Value {
        T::schema(all)
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(all: &mut Schemas) -> Value {
        json!({ "type": "array", "items": T::schema(all) })
    }
}

/// A member of a kept type that is left out where there is nothing to say.
pub(crate) struct Seldom<T>(std::marker::PhantomData<T>);

impl<T: Shape> Shape for Seldom<T> {
    const MAY_LACK: bool = true;

    fn schema(all: &mut Schemas) -> Value {
        T::schema(all)
    }
}

impl Shape for Cost {
    fn schema(_: &mut Schemas) -> Value {
        json!({ "anyOf": [
            { "const": "unknown" },
            {
                "type": "object",
                "properties": { "known": { "type": ["integer", "string"], "pattern": "^-?[0-9]+$" } },
                "required": ["known"],
            },
        ] })
    }
}

fn nullable(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(Value::String(kind)) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        None if schema.as_object().is_some_and(Map::is_empty) => schema,
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// A member of a change: left out it stays, `null` takes it away, a value sets it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Change<T> {
    /// It stays.
    #[default]
    Stays,
    /// It is this from now on.
    Set(Option<T>),
}

impl<T> Change<T> {
    /// Makes the change.
    pub(crate) fn apply(self, to: &mut Option<T>) {
        if let Self::Set(value) = self {
            *to = value;
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Option::deserialize(from).map(Self::Set)
    }
}

impl<T: Shape> Shape for Change<T> {
    const IS_OPTIONAL: bool = true;

    fn schema(all: &mut Schemas) -> Value {
        nullable(T::schema(all))
    }
}

/// A moment, written as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) UnixMs);

impl Moment {
    /// Reads a moment with its offset, or a day, which is meant from its start in UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let moment = whole.parse::<jiff::Timestamp>().ok()?;
        u64::try_from(moment.as_millisecond()).ok().map(|at| Self(UnixMs(at)))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&iso(self.0))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is no moment: write a day (2026-12-31) or a time with its offset (2026-12-31T18:00:00Z)"
            ))
        })
    }
}

/// A moment as RFC 3339 in UTC, such as `2026-11-23T12:00:00.000Z`.
#[must_use]
pub fn iso(at: UnixMs) -> String {
    let moment = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    moment.map_or_else(|| at.0.to_string(), |moment| format!("{moment:.3}"))
}

/// A count that may be beyond what JSON readers keep exactly: then it is a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) u128);

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0) {
            Ok(count) => out.serialize_u64(count),
            Err(_) => out.collect_str(&self.0),
        }
    }
}

/// Money: the exact number of pico-dollars, and the exact decimal number of dollars.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Money(pub(crate) PicoUsd);

impl Money {
    /// A cost, where it is known.
    pub(crate) fn of(cost: Cost) -> Option<Self> {
        cost.known().map(Self)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Both {
            picousd: PicoUsd,
            usd: String,
        }
        Both { picousd: self.0, usd: self.0.to_string() }.serialize(out)
    }
}

impl Shape for Money {
    fn schema(all: &mut Schemas) -> Value {
        all.named("Money", |_| {
            let told = |text: &str| text.to_owned();
            let members = vec![
                (
                    "picousd",
                    told("The exact amount in millionths of a millionth of a US dollar; a text beyond 64 bits."),
                    json!({ "type": ["integer", "string"], "pattern": "^-?[0-9]+$" }),
                    true,
                ),
                ("usd", told("The exact amount in US dollars, as a decimal number."), json!({ "type": "string" }), true),
            ];
            object(&["An amount of money."], members)
        })
    }
}

/// Some of a list, and where the rest begins.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Page<T> {
    /// What was found.
    pub(crate) items: Vec<T>,
    /// Given as `cursor`, it continues behind the last of these; `None` at the end.
    pub(crate) next_cursor: Option<String>,
}

impl<T: Shape> Shape for Page<T> {
    fn schema(all: &mut Schemas) -> Value {
        let told = |text: &str| text.to_owned();
        let members = vec![
            ("items", told("What was found."), Vec::<T>::schema(all), true),
            (
                "next_cursor",
                told("Given as `cursor`, it continues behind the last of these; null at the end."),
                Option::<String>::schema(all),
                true,
            ),
        ];
        object(&["Some of a list, and where the rest begins."], members)
    }
}

/// Defines words, one of which is given or answered.
macro_rules! one_of {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $told:literal])+ $word:ident = $text:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
        pub(crate) enum $name { $($(#[doc = $told])+ #[serde(rename = $text)] $word,)+ }
        impl $crate::api::shape::Shape for $name {
            fn schema(all: &mut $crate::api::shape::Schemas) -> serde_json::Value {
                all.named(stringify!($name), |_| {
                    let about = $crate::api::shape::words(&[$($about),+]);
                    serde_json::json!({ "type": "string", "description": about, "enum": [$($text),+] })
                })
            }
        }
    };
}
pub(crate) use one_of;
