//! The examples of the chapter on the administration, run as they stand: each request, then what it is answered.

use serde_json::Value;

use super::admin;
use crate::harness::{BOTH_VENDORS, House};

const CHAPTER: &str = include_str!("../../../../../docs/src/admin-api.md");

/// The contents of the chapter's blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    let parts = CHAPTER.split(begin.as_str()).skip(1);
    parts.map(|part| part.split_once("```").unwrap().0).collect()
}

/// Whether an answer has everything that the example shows; `…` stands for anything.
fn shows(example: &Value, answer: &Value) -> Result<(), String> {
    match (example, answer) {
        (Value::Object(wanted), Value::Object(found)) => wanted.iter().try_for_each(|(name, wanted)| {
            let found = found.get(name).ok_or_else(|| format!("there is no `{name}`"))?;
            shows(wanted, found).map_err(|why| format!("{name}: {why}"))
        }),
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            wanted.iter().zip(found).try_for_each(|(wanted, found)| shows(wanted, found))
        }
        (Value::String(wanted), Value::String(found)) if wanted.ends_with('…') => {
            let begin = wanted.trim_end_matches('…');
            if found.starts_with(begin) {
                Ok(())
            } else {
                Err(format!("{found} does not begin with {begin}"))
            }
        }
        _ if example == answer => Ok(()),
        _ => Err(format!("{answer} is not {example}")),
    }
}

#[test]
fn each_example_of_the_chapter_is_answered_as_it_says() {
    let configuration = format!("{BOTH_VENDORS}{}", blocks("toml")[0]);
    let secrets = [
        ("PILOTHOUSE_ADMIN", "pha-admin-token"),
        ("BATCH_KEY", "sk-batch"),
        ("DASHBOARD_KEY", "sk-dashboard"),
    ];
    let house = House::with_secrets(&configuration, &secrets);
    let examples = blocks("http");
    assert!(examples.len() >= 20 && examples.len().is_multiple_of(2), "{}", examples.len());
    for pair in examples.chunks(2) {
        let (line, body) = pair[0].split_once('\n').unwrap();
        let (method, path) = line.split_once(' ').unwrap();
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        let (status, answer) = pair[1].split_once('\n').unwrap();
        let got = admin(&house, method, path, &body);
        assert_eq!(format!("HTTP/1.1 {}", got.status), status, "{line}: {}", got.text());
        let example: Value = serde_json::from_str(answer).unwrap();
        shows(&example, &got.json()).unwrap_or_else(|why| panic!("{line}: {why}\n{:#}", got.json()));
    }
}
