//! JSON schemas: an instance that conforms to one, and the strict subset that providers ask for.

use crate::chance::Chance;
use serde_json::{Map, Value, json};

/// Deepest nesting that is generated or checked; recursive schemas end here.
const DEPTH_MAX: usize = 12;

/// A value that conforms to `schema`. Text in `hint` (the user's words) fills place-like properties.
pub(crate) fn instance(schema: &Value, chance: &mut Chance, hint: &str) -> Value {
    Maker { root: schema, chance, hint }.make(schema, "value", 0)
}

struct Maker<'a> {
    root: &'a Value,
    chance: &'a mut Chance,
    hint: &'a str,
}

impl<'a> Maker<'a> {
    fn make(&mut self, schema: &'a Value, name: &str, depth: usize) -> Value {
        let Some(map) = schema.as_object() else { return json!("yes") };
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|p| self.root.pointer(p));
            return found.map_or(Value::Null, |s| self.make(s, name, depth + 1));
        }
        if let Some(value) = map.get("const") {
            return value.clone();
        }
        if let Some(values) = map.get("enum").and_then(Value::as_array).filter(|v| !v.is_empty()) {
            return values[self.chance.below(values.len())].clone();
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(options) = map.get(key).and_then(Value::as_array) {
                // Prefer what is not null, and near the bottom what ends a recursion.
                let wanted = |s: &&Value| (s.get("type") == Some(&json!("null"))) == (depth > DEPTH_MAX / 2);
                let option = options.iter().find(wanted).or_else(|| options.first());
                return option.map_or(Value::Null, |s| self.make(s, name, depth + 1));
            }
        }
        if let Some(all) = map.get("allOf").and_then(Value::as_array) {
            return self.all_of(map, all, name, depth);
        }
        self.typed(map, name, depth)
    }

    fn all_of(&mut self, map: &'a Map<String, Value>, all: &'a [Value], name: &str, depth: usize) -> Value {
        let mut merged = self.typed(map, name, depth);
        for part in all {
            match (&mut merged, self.make(part, name, depth + 1)) {
                (Value::Object(into), Value::Object(from)) => into.extend(from),
                (into, from) => *into = from,
            }
        }
        merged
    }

    fn typed(&mut self, map: &'a Map<String, Value>, name: &str, depth: usize) -> Value {
        let kind = match map.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).find(|k| *k != "null").unwrap_or("null")
            }
            _ if map.contains_key("properties") => "object",
            _ if map.contains_key("items") => "array",
            _ => "string",
        };
        match kind {
            "object" => self.object(map, depth),
            "array" => self.array(map, name, depth),
            "integer" => json!(self.number(map).ceil() as i64),
            "number" => json!(self.number(map)),
            "boolean" => json!(self.chance.below(2) == 0),
            "null" => Value::Null,
            _ => json!(self.text(map, name)),
        }
    }

    fn object(&mut self, map: &'a Map<String, Value>, depth: usize) -> Value {
        let mut out = Map::new();
        let required: Vec<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if let Some(properties) = map.get("properties").and_then(Value::as_object) {
            for (name, schema) in properties {
                // Optional members are given too, but not where a recursion must end.
                if required.contains(&name.as_str()) || (depth < 3 && required.is_empty()) {
                    out.insert(name.clone(), self.make(schema, name, depth + 1));
                }
            }
        }
        Value::Object(out)
    }

    fn array(&mut self, map: &'a Map<String, Value>, name: &str, depth: usize) -> Value {
        let bound = |key: &str| map.get(key).and_then(Value::as_u64).map(|n| n.min(64) as usize);
        let (min, max) = (bound("minItems").unwrap_or(0), bound("maxItems").unwrap_or(64));
        let shallow = if depth > DEPTH_MAX / 2 { 0 } else { 2 };
        let length = shallow.max(min).min(max.max(min));
        let items = map.get("items");
        let mut out: Vec<Value> = Vec::with_capacity(length);
        for _ in 0..length {
            let made = items.map_or(json!("item"), |s| self.make(s, name.trim_end_matches('s'), depth + 1));
            out.push(made);
        }
        if map.get("uniqueItems") == Some(&json!(true)) {
            let mut unique: Vec<Value> = Vec::new();
            out.into_iter().for_each(|v| {
                if !unique.contains(&v) {
                    unique.push(v)
                }
            });
            return Value::Array(unique);
        }
        Value::Array(out)
    }

    fn number(&mut self, map: &Map<String, Value>) -> f64 {
        let bound = |key: &str| map.get(key).and_then(Value::as_f64);
        let low = bound("minimum").or(bound("exclusiveMinimum").map(|v| v + 1.0));
        let high = bound("maximum").or(bound("exclusiveMaximum").map(|v| v - 1.0));
        let (low, high) = match (low, high) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => (low, low + 40.0),
            (None, Some(high)) => (high - 40.0, high),
            (None, None) => (1.0, 41.0),
        };
        let span = (high - low).clamp(0.0, 1e6);
        let value = low + (self.chance.below(span as usize + 1) as f64).min(span);
        match bound("multipleOf").filter(|step| *step > 0.0) {
            Some(step) => (value / step).ceil() * step,
            None => value,
        }
    }

    fn text(&mut self, map: &Map<String, Value>, name: &str) -> String {
        let mut text = match map.get("format").and_then(Value::as_str) {
            Some("date") => "2026-11-22".to_owned(),
            Some("date-time") => "2026-11-22T12:00:00Z".to_owned(),
            Some("time") => "12:00:00Z".to_owned(),
            Some("email") => "pilot@example.com".to_owned(),
            Some("uri" | "url") => "https://example.com/page".to_owned(),
            Some("uuid") => "0b7e5a52-1c1d-4a2f-8c3d-5f6071829304".to_owned(),
            Some("ipv4") => "192.0.2.7".to_owned(),
            _ => self.named(name),
        };
        let bound = |key: &str| map.get(key).and_then(Value::as_u64).map(|n| n.min(10_000) as usize);
        while text.chars().count() < bound("minLength").unwrap_or(0) {
            text.push('x');
        }
        bound("maxLength").map_or(text.clone(), |max| text.chars().take(max).collect())
    }

    /// A plausible value for a property of this name.
    fn named(&mut self, name: &str) -> String {
        let name = name.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
        if has(&["city", "location", "place", "country", "destination", "origin"]) {
            return proper_noun(self.hint)
                .unwrap_or_else(|| self.chance.pick(&["Paris", "Oslo", "Lisbon", "Kyoto"]).to_owned());
        }
        if has(&["unit"]) {
            return "celsius".to_owned();
        }
        if has(&["date", "day"]) {
            return "2026-11-23".to_owned();
        }
        if has(&["email"]) {
            return "pilot@example.com".to_owned();
        }
        if has(&["name", "author", "person"]) {
            return self.chance.pick(&["Ada", "Grace", "Alan", "Edsger"]).to_owned();
        }
        if has(&["query", "question", "search", "prompt", "text", "expression"]) {
            let words: Vec<&str> = self.hint.split_whitespace().take(6).collect();
            return if words.is_empty() { "weather tomorrow".to_owned() } else { words.join(" ") };
        }
        self.chance.pick(&["harbour", "lantern", "compass", "anchor", "beacon"]).to_owned()
    }
}

/// The first capitalised word that does not begin the text: most often the place that is asked about.
fn proper_noun(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).skip(1);
    let upper = |w: &&str| w.len() > 2 && w.starts_with(|c: char| c.is_ascii_uppercase());
    words.filter(upper).map(str::to_owned).next()
}

/// Why a schema is outside the strict subset: objects must close themselves and require every member.
///
/// Rules: <https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas>, read 2026-11-22. The text is
/// the provider's, with the place in its tuple form.
pub(crate) fn strict_violation(schema: &Value) -> Option<String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        let found = schema.get("type").map_or("None".to_owned(), |t| t.to_string().replace('"', "'"));
        return Some(format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: {found}'."));
    }
    violation(schema, &mut Vec::new(), 0)
}

fn violation(schema: &Value, path: &mut Vec<String>, depth: usize) -> Option<String> {
    let map = schema.as_object()?;
    if depth > DEPTH_MAX {
        return None;
    }
    if map.get("type").and_then(Value::as_str) == Some("object") || map.contains_key("properties") {
        let context = || match path.as_slice() {
            [] => "()".to_owned(),
            [one] => format!("('{one}',)"),
            many => format!("('{}')", many.join("', '")),
        };
        if map.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Some(format!(
                "In context={}, 'additionalProperties' is required to be supplied and to be false.",
                context()
            ));
        }
        let required: Vec<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let members = map.get("properties").and_then(Value::as_object);
        if let Some(missing) =
            members.into_iter().flatten().map(|(n, _)| n).find(|n| !required.contains(&n.as_str()))
        {
            return Some(format!(
                "In context={}, 'required' is required to be supplied and to be an array including every key in properties. Missing '{missing}'.",
                context()
            ));
        }
    }
    for group in ["properties", "$defs", "definitions"] {
        for (name, child) in map.get(group).and_then(Value::as_object).into_iter().flatten() {
            path.extend([group.to_owned(), name.clone()]);
            if let Some(found) = violation(child, path, depth + 1) {
                return Some(found);
            }
            path.truncate(path.len() - 2);
        }
    }
    if let Some(items) = map.get("items") {
        path.push("items".to_owned());
        if let Some(found) = violation(items, path, depth + 1) {
            return Some(found);
        }
        path.pop();
    }
    for (index, child) in map.get("anyOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
        path.extend(["anyOf".to_owned(), index.to_string()]);
        if let Some(found) = violation(child, path, depth + 1) {
            return Some(found);
        }
        path.truncate(path.len() - 2);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_conform_to_their_schemas() {
        let schemas = [
            json!({"type": "object", "properties": {"city": {"type": "string", "minLength": 12}, "n": {"type": "integer", "minimum": 3, "multipleOf": 5},
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 3}, "kind": {"const": 7}}, "required": ["city", "n", "tags", "kind"], "additionalProperties": false}),
            json!({"$defs": {"node": {"type": "object", "properties": {"v": {"type": "number", "exclusiveMinimum": 0.5, "maximum": 9},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["v", "next"], "additionalProperties": false}}, "$ref": "#/$defs/node"}),
            json!({"type": "array", "items": {"type": ["string", "null"], "maxLength": 3}, "maxItems": 1}),
            json!({"allOf": [{"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}, {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}]}),
            json!({"type": "object", "properties": {"when": {"type": "string", "format": "date-time"}, "id": {"type": "string", "format": "uuid"}}}),
            json!({"type": "array", "uniqueItems": true, "items": {"type": "boolean"}}),
        ];
        for schema in &schemas {
            let validator = jsonschema::validator_for(schema).unwrap();
            for seed in 0..20 {
                let value = instance(schema, &mut Chance::new(seed, &[b"s"]), "How is Paris?");
                assert!(validator.is_valid(&value), "{schema}\n{value}");
            }
        }
    }

    #[test]
    fn strictness_is_checked_in_every_corner_of_a_schema() {
        let closed = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        assert_eq!(strict_violation(&closed(json!({"a": {"type": "string"}}), json!(["a"]))), None);
        let open = json!({"type": "object", "properties": {}});
        for inner in [
            open.clone(),
            json!({"type": "array", "items": open}),
            json!({"anyOf": [{"type": "null"}, open]}),
        ] {
            let found = strict_violation(&closed(json!({"a": inner}), json!(["a"]))).unwrap();
            assert!(
                found.contains("('properties', 'a'") && found.contains("'additionalProperties' is required"),
                "{found}"
            );
        }
        let mut defs = closed(json!({}), json!([]));
        defs["$defs"] = json!({"d": closed(json!({"x": {}}), json!([]))});
        assert!(strict_violation(&defs).unwrap().contains("Missing 'x'"));
        assert!(strict_violation(&json!({"type": "array"})).unwrap().contains("got 'type: 'array''"));
    }
}
