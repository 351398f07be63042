//! JSON as Google reads it into messages: names in camel or snake case, enums in any case, one for many, and nothing unknown.
//!
//! Rules: <https://protobuf.dev/programming-guides/json/>; wordings: see `error`. What is read is rewritten in one form, so
//! that the rest of the dialect need not know of the others.

use super::error::Refusal;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::{Map, Value, json};

/// What a field holds.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    /// Base64 in either alphabet, padded or not; rewritten in the standard one.
    Bytes,
    Bool,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    Float,
    /// The type's name and its values.
    Enum(&'static str, &'static [&'static str]),
    Message(&'static Message),
    /// Messages by name.
    Map(&'static Message),
    /// An object of any content.
    Struct,
    /// Any JSON.
    Any,
}

/// One field of a message.
#[derive(Debug)]
pub(super) struct Field {
    /// The camel-case name.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_many: bool,
    /// Whether it is one of the fields of which only one may be set.
    pub(super) is_data: bool,
}

/// A field that holds one value.
pub(super) const fn one(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_many: false, is_data: false }
}

/// A field that holds any number of values.
pub(super) const fn many(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_many: true, is_data: false }
}

/// A field of the message's `data`, of which only one may be set.
pub(super) const fn data(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_many: false, is_data: true }
}

/// A message type.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// Reads a request as a message, or refuses it with every violation.
pub(super) fn read(message: &'static Message, request: &Value) -> Result<Value, Refusal> {
    let mut reader = Reader { violations: Vec::new() };
    let read = reader.message(message, request, "");
    if reader.violations.is_empty() { Ok(read) } else { Err(Refusal::payload(&reader.violations)) }
}

struct Reader {
    violations: Vec<(String, String)>,
}

impl Reader {
    fn unknown(&mut self, name: &str, at: &str, why: &str) {
        let place = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
        let why = format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: {why}");
        self.violations.push((at.to_owned(), why));
    }

    fn invalid(&mut self, at: &str, kind: &str, found: &str) -> Value {
        self.violations.push((at.to_owned(), format!("Invalid value at '{at}' ({kind}), {found}")));
        Value::Null
    }

    fn message(&mut self, message: &'static Message, value: &Value, at: &str) -> Value {
        let Some(map) = value.as_object() else {
            let kind = format!("type.googleapis.com/google.ai.generativelanguage.v1beta.{}", message.name);
            return self.invalid(at, &kind, &value.to_string());
        };
        let mut out = Map::new();
        let mut data: Option<&str> = None;
        for (name, value) in map {
            let Some(field) = message.fields.iter().find(|f| f.name == name || snake(f.name) == *name) else {
                self.unknown(name, at, "Cannot find field.");
                continue;
            };
            if value.is_null() && !matches!(field.kind, Kind::Any) {
                continue;
            }
            if field.is_data && data.replace(field.name).is_some() {
                let found = format!("oneof field 'data' is already set. Cannot set '{}'", field.name);
                self.invalid(at, "oneof", &found);
                continue;
            }
            if let Some(read) = self.field(field, name, value, at) {
                out.insert(field.name.to_owned(), read);
            }
        }
        Value::Object(out)
    }

    fn field(&mut self, field: &'static Field, name: &str, value: &Value, at: &str) -> Option<Value> {
        let inside = join(at, &snake(field.name));
        match (value, field.is_many) {
            (Value::Array(items), true) => {
                let read = items
                    .iter()
                    .enumerate()
                    .map(|(i, v)| self.value(&field.kind, v, &format!("{inside}[{i}]")));
                Some(read.collect())
            }
            // One value stands for a list of one.
            (value, true) => Some(json!([self.value(&field.kind, value, &format!("{inside}[0]"))])),
            (Value::Array(_), false) if !matches!(field.kind, Kind::Any) => {
                self.unknown(name, at, "Proto field is not repeating, cannot start list.");
                None
            }
            (value, false) => Some(self.value(&field.kind, value, &inside)),
        }
    }

    fn value(&mut self, kind: &'static Kind, value: &Value, at: &str) -> Value {
        let found = value.to_string();
        match kind {
            Kind::Any => value.clone(),
            Kind::Text if value.is_string() => value.clone(),
            Kind::Text => self.invalid(at, "TYPE_STRING", &found),
            Kind::Bool => match value.as_bool().or_else(|| value.as_str()?.parse().ok()) {
                Some(read) => json!(read),
                None => self.invalid(at, "TYPE_BOOL", &found),
            },
            Kind::Int => match whole(value).and_then(|n| i32::try_from(n).ok()) {
                Some(read) => json!(read),
                None => self.invalid(at, "TYPE_INT32", &found),
            },
            Kind::Long => match whole(value) {
                Some(read) => json!(read),
                None => self.invalid(at, "TYPE_INT64", &found),
            },
            Kind::Float => match value.as_f64().or_else(|| value.as_str()?.parse().ok()) {
                Some(read) => json!(read),
                None => self.invalid(at, "TYPE_FLOAT", &found),
            },
            Kind::Bytes => match value.as_str().and_then(decode) {
                Some(bytes) => json!(STANDARD.encode(bytes)),
                None => self.invalid(at, "TYPE_BYTES", &format!("Base64 decoding failed for {found}")),
            },
            Kind::Enum(name, values) => {
                let fits = |v: &&&str| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(v));
                match values.iter().find(fits) {
                    Some(known) => json!(known),
                    None => {
                        let kind = format!("type.googleapis.com/google.ai.generativelanguage.v1beta.{name}");
                        self.invalid(at, &kind, &found)
                    }
                }
            }
            Kind::Message(message) => self.message(message, value, at),
            Kind::Map(message) => match value.as_object() {
                Some(map) => {
                    let read = map.iter().enumerate().map(|(i, (k, v))| {
                        (k.clone(), self.message(message, v, &format!("{at}[{i}].value")))
                    });
                    Value::Object(read.collect())
                }
                None => self.invalid(at, "Map", &found),
            },
            Kind::Struct if value.is_object() => value.clone(),
            Kind::Struct => self.invalid(at, "type.googleapis.com/google.protobuf.Struct", &found),
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// `thoughtSignature` as `thought_signature`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// A whole number, also as text or with a fraction of zero.
fn whole(value: &Value) -> Option<i64> {
    let float = |f: &f64| f.fract() == 0.0 && f.abs() < 9e15;
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .or_else(|| value.as_f64().filter(float).map(|f| f as i64))
}

/// Bytes from base64 in either alphabet, padded or not.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    engine.decode(text.replace('-', "+").replace('_', "/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    static LEAF: Message = Message {
        name: "Leaf",
        fields: &[
            one("maxLength", Kind::Int),
            data("plainText", Kind::Text),
            data("rawBytes", Kind::Bytes),
            one("mood", Kind::Enum("Leaf.Mood", &["GOOD", "BAD"])),
            many("kidsOf", Kind::Message(&LEAF)),
            one("byName", Kind::Map(&LEAF)),
        ],
    };

    fn messages(value: Value) -> Vec<String> {
        let refusal = read(&LEAF, &value).unwrap_err();
        refusal.message.split('\n').map(str::to_owned).collect()
    }

    #[test]
    fn every_spelling_is_read_into_one_form() {
        let spelled = json!({"max_length": "7", "rawBytes": "_-8", "mood": "good", "kids_of": {"maxLength": 2.0}, "byName": {"a": {"mood": "BAD"}}});
        let read = read(&LEAF, &spelled).unwrap();
        assert_eq!(
            read,
            json!({"maxLength": 7, "rawBytes": "/+8=", "mood": "GOOD", "kidsOf": [{"maxLength": 2}], "byName": {"a": {"mood": "BAD"}}})
        );
    }

    #[test]
    fn every_violation_is_named_with_its_place() {
        let found = messages(
            json!({"colour": 1, "kidsOf": [{"max_length": "x"}, {"tone": 1}], "byName": {"a": {"mood": "WILD"}}, "mood": ["GOOD"]}),
        );
        assert_eq!(
            found,
            [
                "Invalid JSON payload received. Unknown name \"colour\": Cannot find field.",
                "Invalid value at 'kids_of[0].max_length' (TYPE_INT32), \"x\"",
                "Invalid JSON payload received. Unknown name \"tone\" at 'kids_of[1]': Cannot find field.",
                "Invalid value at 'by_name[0].value.mood' (type.googleapis.com/google.ai.generativelanguage.v1beta.Leaf.Mood), \"WILD\"",
                "Invalid JSON payload received. Unknown name \"mood\": Proto field is not repeating, cannot start list.",
            ]
        );
        assert!(
            messages(json!({"plainText": "x", "rawBytes": "eA=="}))[0]
                .contains("oneof field 'data' is already set")
        );
        assert!(messages(json!({"maxLength": 3_000_000_000u64}))[0].contains("TYPE_INT32"));
        assert!(messages(json!({"rawBytes": "@@"}))[0].contains("Base64 decoding failed"));
    }
}
