//! A request's body in one form: members in one order, no white space, and nothing that does not change its answer.

use std::fmt;
use std::ops::Range;

use pilothouse_core::dialect::Dialect;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Integers from here on are not all doubles, so that two of them may read as one.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The members that do not change an answer, by the dialect of the client. What is not listed is part of the key.
///
/// Who asks stands in the key's scope where it matters; what a request is labelled with is for reports; a key of the
/// vendor's own cache changes the price and not the words. OpenAI's Responses repeat `metadata`, `user` and the like in the
/// answer, so that there they count (`openapi.documented.yml` of <https://github.com/openai/openai-openapi>, schema
/// `Response`, read 2026-11-23). Anthropic's `metadata` has an id of the user alone
/// (<https://platform.claude.com/docs/en/api/messages>, read 2026-11-23), Vertex AI's `labels` and Bedrock's
/// `requestMetadata` are for bills and logs
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>, read 2026-11-23).
#[must_use]
pub const fn left_out(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenaiChat => {
            &["stream", "user", "safety_identifier", "metadata", "prompt_cache_key", "prompt_cache_retention"]
        }
        Dialect::OpenaiResponses => &["stream"],
        Dialect::OpenaiEmbeddings => &["user"],
        Dialect::AnthropicMessages => &["stream", "metadata"],
        Dialect::GeminiGenerate => &["labels"],
        Dialect::BedrockConverse => &["requestMetadata"],
    }
}

/// The member that says how a stream is told. It counts where there is a stream.
const STREAM_OPTIONS: &str = "stream_options";

/// The body in one form; equal forms ask for the same. `None` for what is no JSON object in UTF-8, is nested deeper than 127 levels,
/// names a member twice, or holds an integer that not every reader reads alike: such a request is never the same as another.
///
/// Numbers are equal when a reader of doubles reads them alike (`0.5` and `5e-1`), integers when they are the same; `1` and
/// `1.0` are two numbers.
#[must_use]
pub fn canonical(dialect: Dialect, is_stream: bool, body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    // Also what is left out must be text: a vendor refuses what is none.
    let mut reader = serde_json::Deserializer::from_str(std::str::from_utf8(body).ok()?);
    let writing = Writing { out: &mut out, top: Some(Top { left_out: left_out(dialect), is_stream }) };
    writing.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    (out.first() == Some(&b'{')).then_some(out)
}

/// The form of a value that was read already, with the same rules.
pub(crate) fn canonical_of(dialect: Dialect, is_stream: bool, value: &serde_json::Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let top = Some(Top { left_out: left_out(dialect), is_stream });
    Writing { out: &mut out, top }.deserialize(value).ok()?;
    Some(out)
}

/// What holds for the members of the whole body.
#[derive(Clone, Copy)]
struct Top {
    left_out: &'static [&'static str],
    is_stream: bool,
}

impl Top {
    fn leaves_out(self, name: &str) -> bool {
        self.left_out.contains(&name) || (name == STREAM_OPTIONS && !self.is_stream)
    }
}

/// Writes one value: a letter that says what it is, then the value. Each ends where it says, so that no two values that
/// differ are written alike.
struct Writing<'o> {
    out: &'o mut Vec<u8>,
    top: Option<Top>,
}

impl Writing<'_> {
    fn text(&mut self, text: &str) {
        self.out.push(b's');
        self.out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.out.extend_from_slice(text.as_bytes());
    }
}

impl<'de> DeserializeSeed<'de> for Writing<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writing<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.out.push(b'n');
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.out.push(if value { b't' } else { b'f' });
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.out.push(b'u');
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.out.push(b'i');
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if value.abs() >= EXACT_MAX {
            return Err(E::custom("a number that readers read differently"));
        }
        self.out.push(b'd');
        self.out.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        while items.next_element_seed(Writing { out: &mut *self.out, top: None })?.is_some() {}
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.out.push(b'{');
        let start = self.out.len();
        let mut spans: Vec<(String, Range<usize>)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if self.top.is_some_and(|top| top.leaves_out(&name)) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let from = self.out.len();
            self.text(&name);
            members.next_value_seed(Writing { out: &mut *self.out, top: None })?;
            spans.push((name, from..self.out.len()));
        }
        sort(self.out, start, &mut spans).ok_or_else(|| A::Error::custom("a member is named twice"))?;
        self.out.push(b'}');
        Ok(())
    }
}

/// Puts the members behind `start` in the order of their names. `None` where two have the same.
fn sort(out: &mut Vec<u8>, start: usize, spans: &mut [(String, Range<usize>)]) -> Option<()> {
    let is_sorted = spans.windows(2).all(|pair| matches!(pair, [one, next] if one.0 < next.0));
    if is_sorted {
        return Some(());
    }
    spans.sort_by(|one, other| one.0.cmp(&other.0));
    if spans.windows(2).any(|pair| matches!(pair, [one, next] if one.0 == next.0)) {
        return None;
    }
    let mut sorted = Vec::with_capacity(out.len() - start);
    for (_, span) in spans {
        sorted.extend_from_slice(out.get(span.clone())?);
    }
    out.truncate(start);
    out.extend_from_slice(&sorted);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn chat(body: &str) -> Option<Vec<u8>> {
        canonical(Dialect::OpenaiChat, false, body.as_bytes())
    }

    #[test]
    fn the_order_of_members_and_white_space_do_not_count() {
        let one = chat(r#"{"model":"m","messages":[{"role":"user","content":"Hi \u00e9"}],"n":1}"#);
        let other = chat(
            "{ \"n\": 1,\n\"messages\": [ {\"content\": \"Hi \u{e9}\", \"role\": \"user\"} ], \"model\": \"m\" }",
        );
        assert_eq!(one, other);
        assert!(one.is_some());
    }

    #[test]
    fn everything_that_may_change_an_answer_counts() {
        let plain = json!({"model": "m", "messages": ["a", "b"], "temperature": 0.5, "seed": 1});
        for (name, value) in [
            ("model", json!("n")),
            ("messages", json!(["b", "a"])),
            ("messages", json!(["ab"])),
            ("messages", json!(["a", "b", []])),
            ("temperature", json!(0.25)),
            ("seed", json!(1.0)),
            ("seed", json!("1")),
            ("seed", json!(null)),
            ("top_p", json!(1)),
            ("n", json!({"stream": true})),
        ] {
            let mut other = plain.clone();
            other[name] = value;
            assert_ne!(chat(&plain.to_string()), chat(&other.to_string()), "{other}");
        }
        assert_eq!(chat("{\"t\":0.5}"), chat("{\"t\":5e-1}"));
    }

    #[test]
    fn what_does_not_change_an_answer_is_left_out_at_the_top_alone() {
        for dialect in Dialect::ALL {
            for name in left_out(dialect) {
                let with = json!({"a": 1, *name: "x"}).to_string();
                let form = |body: &str| canonical(dialect, true, body.as_bytes());
                assert_eq!(form(&with), form("{\"a\":1}"), "{dialect} {name}");
                assert_ne!(form(&json!({"a": {*name: "x"}}).to_string()), form("{\"a\":{}}"));
            }
        }
    }

    #[test]
    fn how_a_stream_is_told_counts_where_there_is_one() {
        let with = br#"{"a":1,"stream_options":{"include_usage":true}}"#;
        let of = |is_stream| canonical(Dialect::OpenaiChat, is_stream, with);
        assert_eq!(of(false), chat("{\"a\":1}"));
        assert_ne!(of(true), chat("{\"a\":1}"));
    }

    #[test]
    fn what_readers_may_read_differently_is_never_the_same() {
        for body in [
            "{\"a\":1,\"a\":1}",
            "{\"a\":{\"b\":1,\"\\u0062\":2}}",
            "{\"seed\":36893488147419103232}",
            "{\"a\":1e300}",
            "[1]",
            "\"a\"",
            "{\"a\":1} x",
            "{\"a\":",
            "",
        ] {
            assert_eq!(chat(body), None, "{body}");
        }
        assert_eq!(chat(&format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200))), None);
        let no_text = b"{\"metadata\":\"\xff\"}";
        assert_eq!(canonical(Dialect::OpenaiChat, false, no_text), None, "also in what is left out");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            "[a-c]{0,3}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::btree_map("[a-d]{1,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The same value with its members the other way round.
    fn turned(value: &Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(items.iter().map(turned).collect()),
            Value::Object(members) => {
                let turned: Map<_, _> =
                    members.iter().rev().map(|(name, value)| (name.clone(), turned(value))).collect();
                Value::Object(turned)
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn forms_are_equal_exactly_where_values_are(one in value(), other in value()) {
            let form = |value: &Value| chat(&json!({"x": value}).to_string()).unwrap();
            prop_assert_eq!(form(&one), form(&turned(&one)));
            prop_assert_eq!(form(&one) == form(&other), one == other, "{} {}", one, other);
            let pretty = serde_json::to_vec_pretty(&json!({"x": one})).unwrap();
            prop_assert_eq!(canonical(Dialect::OpenaiChat, false, &pretty), Some(form(&one)));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = canonical(Dialect::GeminiGenerate, false, &bytes);
        }
    }
}
