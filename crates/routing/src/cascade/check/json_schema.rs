//! `json-schema`: the answer is JSON that follows a schema.
//!
//! A subset of JSON Schema 2020-12 (<https://json-schema.org/draft/2020-12>), the one that vendors' structured outputs
//! have in common. A keyword outside of it is an error when the configuration is read: a check that silently left
//! something out would pass answers that it must not.

use ::regex::Regex;
use serde_json::{Map, Value};

use super::json::read;
use super::{Answer, Check, CheckPlugin, Example};

pub(super) const PLUGIN: CheckPlugin = CheckPlugin {
    name: "json-schema",
    summary: "The answer is JSON that follows `schema`, within a stated subset of JSON Schema.",
    judges_tool_calls: false,
    options: &["schema"],
    make: |options| {
        let schema = options.get("schema").ok_or("`schema` is missing")?;
        Ok(Box::new(Follows(compile(schema, 0)?)))
    },
    example: Example {
        options: r#"{"check": "json-schema", "schema": {"type": "object", "required": ["a"]}}"#,
        passes: "{\"a\": 1}",
        fails: "{\"b\": 1}",
    },
};

/// Deeper schemas are refused, so that neither reading nor checking can exhaust the stack.
const DEPTH_MAX: usize = 32;
/// Keywords that say nothing about validity.
const ANNOTATIONS: [&str; 8] =
    ["$schema", "$id", "$comment", "title", "description", "default", "examples", "format"];

#[derive(Debug)]
struct Follows(Schema);

impl Check for Follows {
    fn check(&self, answer: &Answer<'_>) -> Result<(), String> {
        self.0.check(&read(answer.text)?)
    }
}

/// A compiled schema.
#[derive(Debug, Default)]
struct Schema {
    /// `false` as a schema: nothing is valid.
    is_never: bool,
    types: Option<Vec<Type>>,
    /// `enum`, and `const` as one of it.
    values: Option<Vec<Value>>,
    properties: Vec<(String, Schema)>,
    required: Vec<String>,
    other_properties: Option<Box<Schema>>,
    items: Option<Box<Schema>>,
    items_min: Option<u64>,
    items_max: Option<u64>,
    length_min: Option<u64>,
    length_max: Option<u64>,
    pattern: Option<Regex>,
    least: Option<Bound>,
    most: Option<Bound>,
    any_of: Vec<Schema>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bound {
    value: f64,
    is_exclusive: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    fn parse(name: &Value) -> Result<Self, String> {
        Ok(match name.as_str().unwrap_or_default() {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return Err(format!("`type` cannot be {name}")),
        })
    }

    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            // 1.0 is an integer there: <https://json-schema.org/understanding-json-schema/reference/numeric>.
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::String => value.is_string(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

fn compile(schema: &Value, depth: usize) -> Result<Schema, String> {
    if depth > DEPTH_MAX {
        return Err(format!("`schema` is more than {DEPTH_MAX} levels deep"));
    }
    let keywords = match schema {
        Value::Bool(is_any) => return Ok(Schema { is_never: !is_any, ..Schema::default() }),
        Value::Object(keywords) => keywords,
        _ => return Err("a schema is an object, true or false".to_owned()),
    };
    let mut compiled = Schema::default();
    for (keyword, value) in keywords {
        compiled.read(keyword, value, depth)?;
    }
    Ok(compiled)
}

impl Schema {
    fn read(&mut self, keyword: &str, value: &Value, depth: usize) -> Result<(), String> {
        let wrong = || format!("`{keyword}` cannot be {value}");
        let count = || value.as_u64().ok_or_else(wrong).map(Some);
        let number =
            |is_exclusive| value.as_f64().ok_or_else(wrong).map(|value| Some(Bound { value, is_exclusive }));
        let list = || value.as_array().ok_or_else(wrong);
        match keyword {
            "type" => {
                let names = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
                self.types = Some(names.iter().map(Type::parse).collect::<Result<_, _>>()?);
            }
            "enum" => self.values = Some(list()?.clone()),
            "const" => self.values = Some(vec![value.clone()]),
            "properties" => self.properties = properties(value.as_object().ok_or_else(wrong)?, depth)?,
            "required" => {
                let name = |name: &Value| name.as_str().map(str::to_owned).ok_or_else(wrong);
                self.required = list()?.iter().map(name).collect::<Result<_, _>>()?;
            }
            "additionalProperties" => self.other_properties = Some(Box::new(compile(value, depth + 1)?)),
            "items" => self.items = Some(Box::new(compile(value, depth + 1)?)),
            "minItems" => self.items_min = count()?,
            "maxItems" => self.items_max = count()?,
            "minLength" => self.length_min = count()?,
            "maxLength" => self.length_max = count()?,
            "pattern" => {
                let pattern = value.as_str().ok_or_else(wrong)?;
                self.pattern = Some(Regex::new(pattern).map_err(|error| format!("`pattern`: {error}"))?);
            }
            "minimum" => self.least = tighter(self.least, number(false)?, |new, old| new > old),
            "exclusiveMinimum" => self.least = tighter(self.least, number(true)?, |new, old| new >= old),
            "maximum" => self.most = tighter(self.most, number(false)?, |new, old| new < old),
            "exclusiveMaximum" => self.most = tighter(self.most, number(true)?, |new, old| new <= old),
            "anyOf" => {
                self.any_of = list()?.iter().map(|one| compile(one, depth + 1)).collect::<Result<_, _>>()?;
            }
            known if ANNOTATIONS.contains(&known) => {}
            _ => {
                return Err(format!(
                    "`{keyword}` in `schema` is not supported; check it with `regex`, or leave it out"
                ));
            }
        }
        Ok(())
    }

    /// Whether a value follows it; the error names the place, never the value.
    fn check(&self, value: &Value) -> Result<(), String> {
        let fail = |what: &str| Err(format!("the JSON does not follow the schema: {what}"));
        if self.is_never {
            return fail("a member that may not be there");
        }
        if self.types.as_ref().is_some_and(|types| !types.iter().any(|one| one.is_of(value))) {
            return fail("`type`");
        }
        if self.values.as_ref().is_some_and(|values| !values.iter().any(|one| equal(one, value))) {
            return fail("`enum` or `const`");
        }
        if !self.any_of.is_empty() && !self.any_of.iter().any(|one| one.check(value).is_ok()) {
            return fail("`anyOf`");
        }
        match value {
            Value::Object(members) => self.check_object(members),
            Value::Array(items) => self.check_array(items),
            Value::String(text) => self.check_text(text),
            Value::Number(number) => self.check_number(number.as_f64().unwrap_or(f64::NAN)),
            _ => Ok(()),
        }
    }

    fn check_object(&self, members: &Map<String, Value>) -> Result<(), String> {
        if let Some(missing) = self.required.iter().find(|name| !members.contains_key(*name)) {
            return Err(format!("the JSON lacks `{missing}`"));
        }
        for (name, value) in members {
            match self.properties.iter().find(|(known, _)| known == name) {
                Some((_, schema)) => schema.check(value)?,
                None => self.other_properties.as_ref().map_or(Ok(()), |schema| schema.check(value))?,
            }
        }
        Ok(())
    }

    fn check_array(&self, items: &[Value]) -> Result<(), String> {
        within(items.len() as u64, self.items_min, self.items_max, "items")?;
        match &self.items {
            Some(schema) => items.iter().try_for_each(|item| schema.check(item)),
            None => Ok(()),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), String> {
        within(text.chars().count() as u64, self.length_min, self.length_max, "characters")?;
        match &self.pattern {
            Some(pattern) if !pattern.is_match(text) => {
                Err("the JSON does not follow the schema: `pattern`".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn check_number(&self, number: f64) -> Result<(), String> {
        let is_low = |bound: Bound| number < bound.value || (bound.is_exclusive && number == bound.value);
        let is_high = |bound: Bound| number > bound.value || (bound.is_exclusive && number == bound.value);
        if self.least.is_some_and(is_low) || self.most.is_some_and(is_high) {
            return Err("the JSON does not follow the schema: a number is outside of its bounds".to_owned());
        }
        Ok(())
    }
}

fn properties(members: &Map<String, Value>, depth: usize) -> Result<Vec<(String, Schema)>, String> {
    members.iter().map(|(name, schema)| Ok((name.clone(), compile(schema, depth + 1)?))).collect()
}

fn tighter(old: Option<Bound>, new: Option<Bound>, is_tighter: fn(f64, f64) -> bool) -> Option<Bound> {
    match (old, new) {
        (Some(old), Some(new)) if !is_tighter(new.value, old.value) => Some(old),
        (old, new) => new.or(old),
    }
}

fn within(count: u64, min: Option<u64>, max: Option<u64>, of: &str) -> Result<(), String> {
    if min.is_some_and(|min| count < min) || max.is_some_and(|max| count > max) {
        return Err(format!("the JSON does not follow the schema: {count} {of}"));
    }
    Ok(())
}

/// Equality as JSON Schema has it: 1 and 1.0 are one number.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => one == other,
    }
}
