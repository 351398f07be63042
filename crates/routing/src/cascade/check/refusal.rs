//! `refusal`: the model did not decline.

use pilothouse_core::exchange::Finish;
use serde_json::{Map, Value};

use super::{Answer, Check, CheckPlugin, Example};

pub(super) const PLUGIN: CheckPlugin = CheckPlugin {
    name: "refusal",
    summary: "The vendor reports no refusal, and the answer does not begin by declining; `phrases` adds such beginnings.",
    judges_tool_calls: true,
    options: &["phrases"],
    make,
    example: Example {
        options: r#"{"check": "refusal"}"#,
        passes: "I can't find a fault in this proof; it is correct.",
        fails: "I'm sorry, but I can't help with that.",
    },
};

/// How answers begin that decline, in small letters with straight apostrophes. Only beginnings: inside of an answer the
/// same words may be a quotation.
const BEGINNINGS: [&str; 14] = [
    "i'm sorry, but i can",
    "i am sorry, but i can",
    "sorry, but i can",
    "sorry, i can",
    "i can't help",
    "i cannot help",
    "i can't assist",
    "i cannot assist",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "as an ai language model",
    "i don't know",
    "i do not know",
];

#[derive(Debug)]
struct Refusal {
    phrases: Vec<String>,
}

fn make(options: &Map<String, Value>) -> Result<Box<dyn Check>, String> {
    let wrong = || "`phrases` is a list of texts".to_owned();
    let given = match options.get("phrases") {
        None => Vec::new(),
        Some(list) => list.as_array().ok_or_else(wrong)?.clone(),
    };
    let own = BEGINNINGS.iter().map(|phrase| Ok((*phrase).to_owned()));
    let given = given.iter().map(|phrase| phrase.as_str().map(str::to_lowercase).ok_or_else(wrong));
    Ok(Box::new(Refusal { phrases: own.chain(given).collect::<Result<_, String>>()? }))
}

impl Check for Refusal {
    fn check(&self, answer: &Answer<'_>) -> Result<(), String> {
        if matches!(answer.finish, Some(Finish::Refusal | Finish::ContentFilter)) {
            return Err("the vendor reports a refusal".to_owned());
        }
        let longest = self.phrases.iter().map(String::len).max().unwrap_or(0);
        let start: String = answer.text.trim_start().chars().take(longest).collect();
        let start = start.to_lowercase().replace('\u{2019}', "'");
        match self.phrases.iter().any(|phrase| start.starts_with(phrase.as_str())) {
            true => Err("the answer begins by declining".to_owned()),
            false => Ok(()),
        }
    }
}
