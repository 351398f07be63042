//! Targets for conditions: what operators write, and what requests give it to look at.
//!
//! They stand here and not beside their crate, because the list of targets is one.

use std::borrow::Cow;

use pilothouse_cel::{Declared, Expression, Scalar, Type, Value, Values};

use super::mutate::Chance;

/// Conditions, with every form of the language; behind a line break stands what a call holds.
pub(crate) const CONDITIONS: &[&[u8]] = &[
    b"tokens > 100000 && stream || !(model in ['a', 'b'])\ngold",
    b"metadata.tier == 'gold' || headers['x-tier'].matches('^(g|s)[a-z]+$')\ngold",
    b"time.getHours('Europe/Berlin') < 6 ? tokens % 7 == 3 : share * 2.5 >= -1e3\n",
    b"time > timestamp('2026-12-01T00:00:00Z') - duration('1h30m') && int(metadata.tier) + 0x1f > 5\n17",
    b"tags.exists(a, tags.all(b, a + b != 'x')) && metadata.filter(k, size(k) > 2).map(k, k + '!') == ['tier!']\nx",
    b"has(metadata.tier) && 'x' in metadata && [1, 2][tokens] == 1 // \xc3\xa9\n",
    b"string(tokens).startsWith(\"\\u00e9\\x41\\101\") && r'\\d'.contains(model.lowerAscii().trim())\n",
];

/// What a call holds: the same text wherever one is asked for.
#[derive(Debug)]
struct Call<'t>(&'t str);

const VARIABLES: &[Declared] = &[
    Declared::new("tokens", Type::Int, "a number"),
    Declared::new("share", Type::Double, "a fraction"),
    Declared::new("stream", Type::Bool, "a truth"),
    Declared::new("model", Type::Text, "a text"),
    Declared::new("time", Type::Timestamp, "a moment"),
    Declared::new("tags", Type::List(Scalar::Text), "texts"),
    Declared::new("metadata", Type::Map, "texts"),
    Declared::new("headers", Type::Map, "texts"),
];

impl Values for Call<'_> {
    fn value(&self, variable: usize) -> Value<'_> {
        let text = || Value::Text(Cow::Borrowed(self.0));
        match VARIABLES[variable].of {
            Type::Int => Value::Int(self.0.parse().unwrap_or(self.0.len() as i64)),
            Type::Double => Value::Double(self.0.parse().unwrap_or(0.5)),
            Type::Text => text(),
            Type::Timestamp => Value::Timestamp(self.0.parse().unwrap_or_default()),
            Type::List(_) => Value::List(vec![text(), Value::Text(Cow::Borrowed("b")), text()]),
            _ => Value::Bool(self.0.len().is_multiple_of(2)),
        }
    }

    fn entry(&self, _variable: usize, key: &str) -> Option<Cow<'_, str>> {
        (!key.starts_with('x')).then_some(Cow::Borrowed(self.0))
    }

    fn keys(&self, _variable: usize) -> Vec<Cow<'_, str>> {
        self.0.split(' ').map(Cow::Borrowed).collect()
    }
}

/// Whatever is written, it compiles or its mistake has a place; whatever it is asked about, it is true, false or a fault
/// with a place, and the same when it is asked again.
pub(crate) fn conditions(input: &[u8], _: &mut Chance) {
    let text = String::from_utf8_lossy(input);
    let (written, held) = text.split_once('\n').unwrap_or((&text, ""));
    match Expression::compile(written, VARIABLES) {
        Ok(expression) => {
            let found = expression.holds(&Call(held));
            assert_eq!(found, expression.holds(&Call(held)), "{written}");
            if let Err(fault) = found {
                assert!(!expression.in_words(&fault).is_empty());
                let part = written.get(usize::from(fault.start)..usize::from(fault.end));
                assert!(part.is_some_and(|part| !part.is_empty()), "{written}: {fault:?}");
            }
            if let Some(limits) = expression.limits(0) {
                assert!(limits.len() <= written.len(), "{limits:?}");
            }
        }
        Err(error) => {
            assert!(written.get(error.span.clone()).is_some(), "{written}: {error:?}");
            assert!(!error.message.is_empty());
        }
    }
}
