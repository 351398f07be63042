//! What expressions mean, what is refused and where, and that nothing makes the engine panic or work without end.

mod language;
mod refusals;
mod robust;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;
use crate::time;

/// A request as tests need it.
#[derive(Debug)]
pub(crate) struct Sample {
    tokens: i64,
    model: String,
    time: &'static str,
    metadata: BTreeMap<String, String>,
}

const DECLARED: &[Declared] = &[
    Declared::new("tokens", Type::Int, "its length"),
    Declared::new("model", Type::Text, "its model"),
    Declared::new("stream", Type::Bool, "whether it is streamed"),
    Declared::new("time", Type::Timestamp, "now"),
    Declared::new("share", Type::Double, "a share"),
    Declared::new("metadata", Type::Map, "its labels").with_key(|key| match key {
        "secret" => Err("secrets are not visible".to_owned()),
        _ => Ok(()),
    }),
    Declared::new("tags", Type::List(Scalar::Text), "its tags"),
];

impl Values for Sample {
    fn value(&self, variable: usize) -> Value<'_> {
        match DECLARED[variable].name {
            "tokens" => Value::Int(self.tokens),
            "model" => Value::Text(Cow::Borrowed(&self.model)),
            "time" => Value::Timestamp(time::moment(self.time).unwrap()),
            "share" => Value::Double(0.25),
            "tags" => Value::List(vec![Value::Text(Cow::Borrowed("eu")), Value::Text(Cow::Borrowed("zdr"))]),
            _ => Value::Bool(true),
        }
    }

    fn entry(&self, _variable: usize, key: &str) -> Option<Cow<'_, str>> {
        self.metadata.get(key).map(|text| Cow::Borrowed(text.as_str()))
    }

    fn keys(&self, _variable: usize) -> Vec<Cow<'_, str>> {
        self.metadata.keys().map(|key| Cow::Borrowed(key.as_str())).collect()
    }
}

pub(crate) fn sample() -> Sample {
    let metadata = [("tier", "gold"), ("level", "7"), ("note", "a b"), ("x-team", "ops")];
    Sample {
        tokens: 1_200,
        model: "assistant".to_owned(),
        // A Monday; in Berlin it is 15:30, in Tokyo 23:30.
        time: "2026-11-23T14:30:15.250Z",
        metadata: metadata.map(|(key, text)| (key.to_owned(), text.to_owned())).into(),
    }
}

pub(crate) fn compiled(text: &str) -> Result<Expression, CompileError> {
    Expression::compile(text, DECLARED)
}
