//! Whatever is written and whatever is asked: an answer or a fault, within a bound on work.

use proptest::prelude::*;

use super::*;

/// Words out of which expressions are thrown together.
const WORDS: &[&str] = &[
    "tokens",
    "model",
    "stream",
    "time",
    "share",
    "metadata",
    "tags",
    "metadata.tier",
    "metadata['level']",
    "tags[0]",
    "'a'",
    "''",
    "5",
    "0",
    "-1",
    "9223372036854775807",
    "1.5",
    "true",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "in",
    "?",
    ":",
    "int(",
    "string(",
    "double(",
    "size(",
    "has(",
    ".exists(x,",
    ".all(x,",
    ".map(x,",
    ".filter(x,",
    "x",
    ".getHours('UTC')",
    "timestamp(",
    "duration('1h')",
    ".matches('a+')",
    ".contains(",
    "{",
    "//",
    "\"",
    "r'",
    "\u{e9}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn words_thrown_together_never_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..24)) {
        let text = words.join(" ");
        match compiled(&text) {
            Ok(expression) => drop(expression.holds(&sample())),
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{text}: {error:?}"),
        }
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,80}") {
        if let Err(error) = compiled(&text) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{text}: {error:?}");
        }
    }

    #[test]
    fn arithmetic_is_that_of_whole_numbers_or_a_fault(a in any::<i64>(), b in any::<i64>(), c in -50_i64..50) {
        let mut sample = sample();
        sample.tokens = a;
        let b = b.max(-i64::MAX);
        for (sign, expected) in [
            ("+", a.checked_add(b)), ("-", a.checked_sub(b)), ("*", a.checked_mul(b)), ("/", a.checked_div(b)),
            ("%", a.checked_rem(b)),
        ] {
            let expression = compiled(&format!("tokens {sign} {b} > {c}")).unwrap();
            prop_assert_eq!(expression.holds(&sample).ok(), expected.map(|value| value > c), "{} {} {}", a, sign, b);
        }
    }
}

#[test]
fn loops_within_loops_stop_at_the_bound() {
    let list = vec!["1"; 400].join(",");
    let text = format!("[{list}].all(a, [{list}].all(b, a + b + tokens > 1))");
    let expression = compiled(&text).unwrap();
    let fault = expression.holds(&sample()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooMuch);
    assert!(expression.in_words(&fault).contains("takes too much work"));
}

#[test]
fn texts_that_double_stop_at_the_bound() {
    let mut sample = sample();
    sample.model = "x".repeat(60_000);
    let expression = compiled("size(model + model + model + model + model + model + model) > 1").unwrap();
    assert_eq!(expression.holds(&sample).unwrap_err().kind, FaultKind::TooMuch);
    let expression = compiled("model.matches('(x+x+)+y')").unwrap();
    assert_eq!(expression.holds(&sample), Ok(false));
}

#[test]
fn faults_survive_being_written_down() {
    let fault = Fault { kind: FaultKind::Missing, start: 3, end: 9 };
    let text = serde_json::to_string(&fault).unwrap();
    assert_eq!(text, r#"{"kind":"missing","start":3,"end":9}"#);
    assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
}
