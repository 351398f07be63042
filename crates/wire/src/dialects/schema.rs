//! What the vendors ask of JSON schemas that an answer must follow.
//!
//! OpenAI's strict mode wants every object closed and every property required:
//! <https://platform.openai.com/docs/guides/structured-outputs>. Anthropic wants every object closed:
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>. Both looked up 2026-11-22.

use pilothouse_core::conversation::Raw;
use serde_json::{Map, Value};

/// Whether OpenAI's strict mode takes the schema.
pub(crate) fn is_strict(schema: &Raw) -> bool {
    serde_json::from_str::<Value>(schema.text()).is_ok_and(|schema| strict(&schema))
}

fn strict(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            let fits = properties(members).is_none_or(|properties| {
                let required = members.get("required").and_then(Value::as_array);
                let all = properties
                    .keys()
                    .all(|name| required.is_some_and(|list| list.iter().any(|one| one == name)));
                all && members.get("additionalProperties") == Some(&Value::Bool(false))
            });
            fits && members.values().all(strict)
        }
        Value::Array(items) => items.iter().all(strict),
        _ => true,
    }
}

/// The schema with every object closed; `None` when it is so already, or is no schema.
pub(crate) fn closed(schema: &Raw) -> Option<Raw> {
    let mut value: Value = serde_json::from_str(schema.text()).ok()?;
    let mut changed = false;
    close(&mut value, &mut changed);
    changed.then(|| Raw::parse(&value.to_string())).flatten()
}

fn close(schema: &mut Value, changed: &mut bool) {
    match schema {
        Value::Object(members) => {
            if properties(members).is_some()
                && members.get("additionalProperties") != Some(&Value::Bool(false))
            {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
                *changed = true;
            }
            members.values_mut().for_each(|member| close(member, changed));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, changed)),
        _ => {}
    }
}

/// The properties, where the members are those of an object's schema.
fn properties(members: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let is_object = match members.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => false,
    };
    members.get("properties").and_then(Value::as_object).filter(|_| is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_at_every_depth() {
        let open = r#"{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"type":{"type":"string"}}}}},"required":["a"]}"#;
        let open = Raw::parse(open).unwrap();
        assert!(!is_strict(&open));
        let shut = closed(&open).unwrap();
        assert_eq!(shut.text().matches("\"additionalProperties\":false").count(), 2);
        assert_eq!(closed(&shut), None);
    }

    #[test]
    fn a_property_that_is_not_required_is_not_strict() {
        let schema = |required| {
            Raw::parse(&format!(
                r#"{{"type":"object","properties":{{"a":{{"type":"string"}},"b":{{"type":"string"}}}},"required":{required},"additionalProperties":false}}"#
            ))
            .unwrap()
        };
        assert!(is_strict(&schema(r#"["a","b"]"#)));
        assert!(!is_strict(&schema(r#"["a"]"#)));
    }
}
