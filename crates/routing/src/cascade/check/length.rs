//! `length`: the answer is as long as it should be, and was not cut off.

use pilothouse_core::exchange::Finish;
use serde_json::{Map, Value};

use super::{Answer, Check, CheckPlugin, Example};

pub(super) const PLUGIN: CheckPlugin = CheckPlugin {
    name: "length",
    summary: "The answer has between `min` and `max` characters, and did not end at the output limit.",
    judges_tool_calls: true,
    options: &["min", "max"],
    make,
    example: Example {
        options: r#"{"check": "length", "max": 20}"#,
        passes: "Paris",
        fails: "It depends on what is meant.",
    },
};

#[derive(Debug)]
struct Length {
    min: u64,
    max: u64,
}

fn make(options: &Map<String, Value>) -> Result<Box<dyn Check>, String> {
    let number = |name: &str, open: u64| match options.get(name) {
        None => Ok(open),
        Some(value) => value.as_u64().ok_or_else(|| format!("`{name}` is a number of characters")),
    };
    let (min, max) = (number("min", 0)?, number("max", u64::MAX)?);
    if min > max {
        return Err(format!("`min` is {min} and `max` is {max}; no answer could pass"));
    }
    Ok(Box::new(Length { min, max }))
}

impl Check for Length {
    fn check(&self, answer: &Answer<'_>) -> Result<(), String> {
        if matches!(answer.finish, Some(Finish::Length | Finish::ContextWindow)) {
            return Err("the answer ended at a limit".to_owned());
        }
        if !answer.tool_calls.is_empty() {
            // The characters are those of a text for people.
            return Ok(());
        }
        let characters = answer.text.chars().count() as u64;
        if characters < self.min || characters > self.max {
            return Err(format!("the answer has {characters} characters"));
        }
        Ok(())
    }
}
