//! Google's schemas and JSON Schema, each turned into the other.
//!
//! `parameters` and `responseSchema` take a subset of OpenAPI 3.0: upper-case types, `nullable`, no
//! `additionalProperties`, no references, few formats, objects only with properties. What it cannot say goes into
//! `parametersJsonSchema` and `responseJsonSchema`, which take JSON Schema
//! (<https://ai.google.dev/api/caching#Schema>, <https://ai.google.dev/gemini-api/docs/structured-output>, read
//! 2026-11-23).

use pilothouse_core::conversation::Raw;
use serde_json::{Map, Value};

/// Deeper schemas are left as they are: JSON Schema, which this server reads as well.
const DEPTH_MAX: usize = 32;

/// Members that mean the same in both.
const SHARED: [&str; 12] = [
    "description",
    "title",
    "default",
    "required",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
];

/// Formats that Google's own schemas take, by type. Others are refused
/// ("only 'enum' and 'date-time' are supported for STRING type").
const FORMATS: [(&str, &[&str]); 3] =
    [("string", &["date-time"]), ("number", &["float", "double"]), ("integer", &["int32", "int64"])];

/// A JSON schema as Google's own; `None` where that cannot say all of it.
pub(super) fn to_google(schema: &Raw) -> Option<Raw> {
    let value: Value = serde_json::from_str(schema.text()).ok()?;
    Raw::parse(&write(&value, DEPTH_MAX)?.to_string())
}

/// Whether a schema asks for an object without any member: Google refuses one as a function's parameters, where
/// leaving them out says the same.
pub(super) fn is_empty_object(schema: &Raw) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(schema.text()) else { return false };
    let has_members =
        members.get("properties").and_then(Value::as_object).is_some_and(|inner| !inner.is_empty());
    let known = ["type", "properties", "required", "additionalProperties", "$schema"];
    !has_members
        && members.keys().all(|name| known.contains(&name.as_str()))
        && members.get("type").is_none_or(|kind| kind == "object")
        && members.get("additionalProperties").is_none_or(Value::is_boolean)
}

fn write(schema: &Value, depth: usize) -> Option<Value> {
    let members = schema.as_object().filter(|_| depth > 0)?;
    let mut out = Map::new();
    let (kind, nullable) = match members.get("type") {
        Some(Value::String(kind)) => (Some(kind.as_str()), false),
        Some(Value::Array(kinds)) => match kinds.as_slice() {
            [Value::String(kind), Value::String(null)] if null == "null" => (Some(kind.as_str()), true),
            [Value::String(null), Value::String(kind)] if null == "null" => (Some(kind.as_str()), true),
            _ => return None,
        },
        None if members.contains_key("anyOf") => (None, false),
        _ => return None,
    };
    if let Some(kind) = kind {
        if !["string", "number", "integer", "boolean", "array", "object"].contains(&kind) {
            return None;
        }
        out.insert("type".to_owned(), kind.to_ascii_uppercase().into());
    }
    for (name, value) in members {
        match name.as_str() {
            "type" => {}
            "maxProperties" => drop(out.insert(name.clone(), value.clone())),
            shared if SHARED.contains(&shared) => drop(out.insert(name.clone(), value.clone())),
            "format" => {
                let known = FORMATS.iter().find(|(of, _)| Some(*of) == kind)?.1;
                known.contains(&value.as_str()?).then_some(())?;
                out.insert(name.clone(), value.clone());
            }
            "enum" => drop(out.insert(name.clone(), words(value, kind, nullable)?)),
            "items" => drop(out.insert(name.clone(), write(value, depth - 1)?)),
            "anyOf" => {
                let all: Option<Vec<Value>> =
                    value.as_array()?.iter().map(|one| write(one, depth - 1)).collect();
                out.insert(name.clone(), all?.into());
            }
            "properties" => {
                let inner = value.as_object().filter(|inner| !inner.is_empty())?;
                let all: Option<Map<String, Value>> =
                    inner.iter().map(|(name, one)| Some((name.clone(), write(one, depth - 1)?))).collect();
                out.insert(name.clone(), all?.into());
            }
            _ => return None,
        }
    }
    if nullable {
        out.insert("nullable".to_owned(), true.into());
    }
    let is_whole = match kind {
        Some("object") => out.contains_key("properties"),
        Some("array") => out.contains_key("items"),
        _ => true,
    };
    is_whole.then(|| out.into())
}

/// The words of an enumeration: Google takes text only, and says by `nullable` that there may be none.
fn words(value: &Value, kind: Option<&str>, nullable: bool) -> Option<Value> {
    let list = value.as_array().filter(|_| kind == Some("string"))?;
    let words: Vec<Value> = list.iter().filter(|one| one.is_string()).cloned().collect();
    let others = list.len() - words.len();
    let nulls = list.iter().filter(|one| one.is_null()).count();
    (others == usize::from(nullable) && nulls == others && !words.is_empty()).then(|| words.into())
}

/// Google's schema as JSON Schema, and whether the way back leads to the same schema.
pub(super) fn from_google(schema: &Raw) -> (Raw, bool) {
    let Ok(value) = serde_json::from_str::<Value>(schema.text()) else { return (schema.clone(), false) };
    let read = read(&value, DEPTH_MAX);
    let is_same = write(&read, DEPTH_MAX).is_some_and(|back| back == with_upper_types(&value, DEPTH_MAX));
    (Raw::parse(&read.to_string()).unwrap_or_else(|| schema.clone()), is_same)
}

fn read(schema: &Value, depth: usize) -> Value {
    let Some(members) = schema.as_object().filter(|_| depth > 0) else { return schema.clone() };
    let get = |camel: &str, snake: &str| members.get(camel).or_else(|| members.get(snake));
    let nullable = members.get("nullable") == Some(&Value::Bool(true));
    let mut out = Map::new();
    if let Some(kind) = members.get("type").and_then(Value::as_str).map(str::to_ascii_lowercase)
        && kind != "type_unspecified"
    {
        let both = || Value::from(vec![Value::from(kind.as_str()), Value::from("null")]);
        out.insert("type".to_owned(), if nullable && kind != "null" { both() } else { kind.as_str().into() });
    }
    for (name, value) in members {
        match name.as_str() {
            "type" | "nullable" | "propertyOrdering" | "property_ordering" | "example" => {}
            "format" if value == "enum" => {}
            "enum" if nullable => {
                let mut words = value.as_array().cloned().unwrap_or_default();
                words.push(Value::Null);
                out.insert(name.clone(), words.into());
            }
            "items" => drop(out.insert(name.clone(), read(value, depth - 1))),
            "anyOf" | "any_of" => {
                let mut list: Vec<Value> =
                    value.as_array().into_iter().flatten().map(|one| read(one, depth - 1)).collect();
                if nullable && members.get("type").is_none() {
                    list.push(serde_json::json!({ "type": "null" }));
                }
                out.insert("anyOf".to_owned(), list.into());
            }
            "properties" => drop(out.insert(
                name.clone(),
                properties(value, get("propertyOrdering", "property_ordering"), depth),
            )),
            _ => drop(out.insert(camel(name), number(value))),
        }
    }
    out.into()
}

/// Properties in the order that Google's `propertyOrdering` gives.
fn properties(value: &Value, order: Option<&Value>, depth: usize) -> Value {
    let Some(inner) = value.as_object() else { return value.clone() };
    let first = order.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut out = Map::new();
    for name in first.chain(inner.keys().map(String::as_str)) {
        if let Some(one) = inner.get(name)
            && !out.contains_key(name)
        {
            out.insert(name.to_owned(), read(one, depth - 1));
        }
    }
    out.into()
}

/// A member's name in camelCase, which JSON Schema has too.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raised = false;
    for letter in name.chars() {
        match letter {
            '_' if !out.is_empty() => raised = true,
            letter if raised => {
                out.push(letter.to_ascii_uppercase());
                raised = false;
            }
            letter => out.push(letter),
        }
    }
    out
}

/// Google writes 64-bit numbers as text (`"minItems": "1"`).
fn number(value: &Value) -> Value {
    value.as_str().and_then(|text| text.parse::<u64>().ok()).map_or_else(|| value.clone(), Value::from)
}

/// The schema with its types in upper case: the server takes both.
fn with_upper_types(schema: &Value, depth: usize) -> Value {
    let Some(members) = schema.as_object().filter(|_| depth > 0) else { return schema.clone() };
    let each = |value: &Value| with_upper_types(value, depth - 1);
    let out: Map<String, Value> = members
        .iter()
        .map(|(name, value)| {
            let value = match (name.as_str(), value) {
                ("type", Value::String(kind)) => kind.to_ascii_uppercase().into(),
                ("items", value) => each(value),
                ("anyOf", Value::Array(list)) => list.iter().map(each).collect(),
                ("properties", Value::Object(inner)) => {
                    inner.iter().map(|(name, one)| (name.clone(), each(one))).collect::<Map<_, _>>().into()
                }
                (_, value) => value.clone(),
            };
            (name.clone(), value)
        })
        .collect();
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn google(schema: &Value) -> Option<Value> {
        to_google(&Raw::parse(&schema.to_string()).unwrap())
            .map(|raw| serde_json::from_str(raw.text()).unwrap())
    }

    fn back(schema: &Value) -> (Value, bool) {
        let (raw, is_same) = from_google(&Raw::parse(&schema.to_string()).unwrap());
        (serde_json::from_str(raw.text()).unwrap(), is_same)
    }

    #[test]
    fn a_plain_schema_becomes_googles_with_upper_case_types() {
        let schema = json!({ "type": "object", "properties": {
            "city": { "type": ["string", "null"], "description": "Where" },
            "unit": { "type": "string", "enum": ["c", "f"] },
            "days": { "type": "array", "items": { "type": "integer", "format": "int32" }, "maxItems": 3 },
        }, "required": ["city"] });
        let found = google(&schema).unwrap();
        assert_eq!(found["type"], "OBJECT");
        assert_eq!(
            found["properties"]["city"],
            json!({ "type": "STRING", "description": "Where", "nullable": true })
        );
        assert_eq!(found["properties"]["days"]["items"]["type"], "INTEGER");
        assert_eq!(back(&found), (schema, true));
    }

    #[test]
    fn what_googles_schema_cannot_say_stays_json_schema() {
        for schema in [
            json!({ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": false }),
            json!({ "type": "object", "properties": {} }),
            json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/a" } }, "$defs": {} }),
            json!({ "type": "string", "format": "email" }),
            json!({ "type": ["string", "integer"] }),
            json!({ "type": "integer", "enum": [1, 2] }),
            json!({ "const": 1 }),
            json!({ "type": "array" }),
            json!(true),
        ] {
            assert_eq!(google(&schema), None, "{schema}");
        }
    }

    #[test]
    fn googles_own_members_become_what_json_schema_has() {
        let schema = json!({ "type": "OBJECT", "properties": {
            "b": { "type": "STRING", "format": "enum", "enum": ["x"], "nullable": true },
            "a": { "any_of": [{ "type": "NUMBER" }], "nullable": true },
        }, "propertyOrdering": ["a", "b"], "minProperties": "1", "example": {} });
        let (found, is_same) = back(&schema);
        assert_eq!(
            found,
            json!({ "type": "object", "properties": {
            "a": { "anyOf": [{ "type": "number" }, { "type": "null" }] },
            "b": { "type": ["string", "null"], "enum": ["x", null] },
        }, "minProperties": 1 })
        );
        assert_eq!(found["properties"].as_object().unwrap().keys().next().unwrap(), "a");
        assert!(!is_same);
    }

    #[test]
    fn an_object_without_members_is_told_from_one_that_takes_any() {
        let empty = |schema: Value| is_empty_object(&Raw::parse(&schema.to_string()).unwrap());
        assert!(empty(json!({ "type": "object", "properties": {} })) && empty(json!({})));
        assert!(!empty(json!({ "type": "object", "additionalProperties": { "type": "string" } })));
        assert!(!empty(json!({ "type": "string" })) && !empty(json!({ "anyOf": [] })));
    }

    fn schema() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!({ "type": "string" })),
            Just(json!({ "type": "boolean", "description": "d" })),
            Just(json!({ "type": ["integer", "null"], "minimum": 1 })),
            Just(json!({ "type": "string", "enum": ["a", "b"] })),
            Just(json!({ "type": ["string", "null"], "enum": ["a", null] })),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
                prop::collection::vec(inner.clone(), 1..3).prop_map(|list| json!({ "anyOf": list })),
                prop::collection::btree_map("[a-c]{1,2}", inner, 1..4)
                    .prop_map(|map| json!({ "type": "object", "properties": map })),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_schema_that_google_can_say_comes_back_the_same(schema in schema()) {
            let there = google(&schema).unwrap();
            prop_assert_eq!(back(&there), (schema, true));
        }

        #[test]
        fn hostile_schemas_never_panic(text in "[\\[\\]{}\":,a-z]{0,40}") {
            if let Some(raw) = Raw::parse(&text) {
                let _ = (to_google(&raw), from_google(&raw), is_empty_object(&raw));
            }
        }
    }
}
