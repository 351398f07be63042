//! Declared tests of an answer: one trait, one list, one file each.

mod json;
mod json_schema;
mod length;
mod non_empty;
mod refusal;
mod regex;

use std::fmt;

use serde_json::{Map, Value};

use super::Answer;

/// A test of an answer. Deterministic, without I/O, in time that grows at most linearly with the text.
pub trait Check: fmt::Debug + Send + Sync {
    /// Whether the answer passes.
    ///
    /// # Errors
    /// What is wrong with it, without its text: receipts hold no bodies.
    fn check(&self, answer: &Answer<'_>) -> Result<(), String>;
}

/// A check, or what is wrong with its options.
pub type MadeCheck = Result<Box<dyn Check>, String>;

/// A check's entry on the list.
#[derive(Debug)]
pub struct CheckPlugin {
    /// The name in configurations.
    pub name: &'static str,
    /// What it tests, in a sentence.
    pub summary: &'static str,
    /// Whether it can judge an answer that calls tools; others are about text.
    pub judges_tool_calls: bool,
    /// The names of its options.
    pub options: &'static [&'static str],
    /// Makes it of its options.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub make: fn(&Map<String, Value>) -> MadeCheck,
    /// Options, an answer that passes and one that fails: what the documentation shows and the conformance test runs.
    pub example: Example,
}

/// An example of a check.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The check as JSON.
    pub options: &'static str,
    /// An answer's text that passes.
    pub passes: &'static str,
    /// One that fails.
    pub fails: &'static str,
}

/// Every check.
pub const CHECKS: &[&CheckPlugin] = &[
    &non_empty::PLUGIN,
    &length::PLUGIN,
    &refusal::PLUGIN,
    &regex::PLUGIN,
    &json::PLUGIN,
    &json_schema::PLUGIN,
];

/// Makes the check that a declaration asks for.
pub(super) fn make(declared: &Value) -> Result<(&'static CheckPlugin, Box<dyn Check>), String> {
    let names = || CHECKS.iter().map(|plugin| plugin.name).collect::<Vec<_>>().join(", ");
    let Some(options) = declared.as_object() else {
        return Err(format!("a check is a table with `check = NAME`; the names are {}", names()));
    };
    let name = options.get("check").and_then(Value::as_str).unwrap_or_default();
    let plugin = CHECKS
        .iter()
        .copied()
        .find(|plugin| plugin.name == name)
        .ok_or_else(|| format!("there is no check `{name}`; there are {}", names()))?;
    let strange = options.keys().find(|key| *key != "check" && !plugin.options.contains(&key.as_str()));
    if let Some(key) = strange {
        return Err(format!(
            "the check `{name}` has no option `{key}`; it has {}",
            plugin.options.join(", ")
        ));
    }
    let check = (plugin.make)(options).map_err(|why| format!("the check `{name}`: {why}"))?;
    Ok((plugin, check))
}
