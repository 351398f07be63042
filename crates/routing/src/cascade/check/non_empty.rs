//! `non-empty`: the answer says something, or calls a tool.

use super::{Answer, Check, CheckPlugin, Example};

pub(super) const PLUGIN: CheckPlugin = CheckPlugin {
    name: "non-empty",
    summary: "The answer has text other than blanks, or calls a tool.",
    judges_tool_calls: true,
    options: &[],
    make: |_| Ok(Box::new(NonEmpty)),
    example: Example { options: r#"{"check": "non-empty"}"#, passes: "Yes.", fails: " \n" },
};

#[derive(Debug)]
struct NonEmpty;

impl Check for NonEmpty {
    fn check(&self, answer: &Answer<'_>) -> Result<(), String> {
        if answer.text.trim().is_empty() && answer.tool_calls.is_empty() {
            return Err("the answer is empty".to_owned());
        }
        Ok(())
    }
}
