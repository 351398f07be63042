//! `regex`: the answer matches a pattern, or must not. The engine takes linear time, whatever the pattern.

use ::regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{Answer, Check, CheckPlugin, Example};

pub(super) const PLUGIN: CheckPlugin = CheckPlugin {
    name: "regex",
    summary: "The answer matches `pattern`; with `not = true` it must not.",
    judges_tool_calls: false,
    options: &["pattern", "not"],
    make,
    example: Example { options: r#"{"check": "regex", "pattern": "^[A-E]$"}"#, passes: "C", fails: "C or D" },
};

/// The most memory that a compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;

#[derive(Debug)]
struct Matches {
    pattern: Regex,
    is_negated: bool,
}

fn make(options: &Map<String, Value>) -> Result<Box<dyn Check>, String> {
    let pattern = options.get("pattern").and_then(Value::as_str).ok_or("`pattern` is missing")?;
    let is_negated = match options.get("not") {
        None => false,
        Some(value) => value.as_bool().ok_or("`not` is true or false")?,
    };
    let pattern = RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| format!("`pattern` cannot be used: {error}"))?;
    Ok(Box::new(Matches { pattern, is_negated }))
}

impl Check for Matches {
    fn check(&self, answer: &Answer<'_>) -> Result<(), String> {
        match (self.pattern.is_match(answer.text.trim()), self.is_negated) {
            (true, false) | (false, true) => Ok(()),
            (false, false) => Err("the answer does not match the pattern".to_owned()),
            (true, true) => Err("the answer matches the refused pattern".to_owned()),
        }
    }
}
