//! Tests of checks, agreement and the judgement of cheap answers.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn says(text: &str) -> Answer<'_> {
    Answer { text, finish: Some(Finish::Stop), tool_calls: &[] }
}

fn judge(checks: &[Value], agreement: Option<Agreement>) -> Judge {
    Judge::new(checks, agreement).expect("a valid judge")
}

#[test]
fn every_check_keeps_its_example_and_is_in_the_book() {
    let page = include_str!("../../../../docs/src/strategies.md");
    let mut names = HashSet::new();
    for plugin in CHECKS {
        assert!(names.insert(plugin.name));
        let options: Value = serde_json::from_str(plugin.example.options).expect("JSON");
        let judge = judge(&[options], None);
        assert_eq!(judge.judge(Some(&says(plugin.example.passes)), None), Verdict::Accept, "{}", plugin.name);
        let verdict = judge.judge(Some(&says(plugin.example.fails)), None);
        let Verdict::Escalate { because: Escalation::Check { check, found, is_partner: false } } = verdict
        else {
            panic!("{}: {verdict:?}", plugin.name)
        };
        assert_eq!(check, plugin.name);
        let leaks = plugin.example.fails.trim().len() > 3 && found.contains(plugin.example.fails.trim());
        assert!(!leaks, "receipts hold no bodies: {found}");
        assert!(page.contains(&format!("| `{}` |", plugin.name)), "{} is not in the book", plugin.name);
    }
}

#[test]
fn every_file_of_the_folder_of_checks_is_on_the_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cascade/check");
    let files: HashSet<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
        .collect();
    assert_eq!(files, CHECKS.iter().map(|plugin| plugin.name.to_owned()).collect());
}

#[test]
fn declaration_that_says_nothing_or_nonsense_is_refused_with_what_to_do() {
    for (checks, says) in [
        (vec![], "needs a check or agreement"),
        (vec![json!({"check": "vibes"})], "there are non-empty, length"),
        (vec![json!({"check": "non-empty", "min": 3})], "has no option `min`"),
        (vec![json!({"check": "length", "min": 3, "max": 2})], "no answer could pass"),
        (vec![json!({"check": "regex", "pattern": "("})], "cannot be used"),
        (
            vec![json!({"check": "json-schema", "schema": {"oneOf": []}})],
            "`oneOf` in `schema` is not supported",
        ),
        (vec![json!("regex")], "a table with `check = NAME`"),
    ] {
        let error = Judge::new(&checks, None).expect_err(says);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn failed_or_cut_or_refused_answers_escalate() {
    let judge = judge(&[json!({"check": "length"}), json!({"check": "refusal"})], None);
    let escalates =
        |answer: Option<&Answer<'_>>| matches!(judge.judge(answer, None), Verdict::Escalate { .. });
    assert!(escalates(None));
    assert!(escalates(Some(&Answer { finish: Some(Finish::Length), ..says("half an ans") })));
    assert!(escalates(Some(&Answer { finish: Some(Finish::Refusal), ..says("No.") })));
    assert!(escalates(Some(&says("I\u{2019}m sorry, but I can\u{2019}t do that."))));
    assert!(!escalates(Some(&says("He said: \"I'm sorry, but I can't\", and left."))));
}

#[test]
fn agreement_needs_both_answers_to_pass_and_to_say_the_same() {
    let judge = judge(&[json!({"check": "non-empty"})], Some(Agreement::FinalAnswer));
    assert!(judge.wants_partner());
    let (one, same, other) = (says("6 × 7 = 42\nThe answer is 42."), says("#### 42"), says("So it is 41."));
    assert_eq!(judge.judge(Some(&one), Some(&same)), Verdict::Accept);
    let because = Escalation::Disagreement;
    assert_eq!(judge.judge(Some(&one), Some(&other)), Verdict::Escalate { because });
    assert_eq!(judge.judge(Some(&one), None), Verdict::Escalate { because: Escalation::NoAnswer });
    let empty = judge.judge(Some(&one), Some(&says(" ")));
    let Verdict::Escalate { because: Escalation::Check { is_partner: true, .. } } = empty else {
        panic!("{empty:?}")
    };
}

#[test]
fn tool_calls_agree_by_name_and_by_equal_arguments() {
    let call = |arguments| [("search", arguments)];
    let (one, same, other) = (call("{\"a\":1,\"b\":2}"), call("{ \"b\": 2, \"a\": 1 }"), call("{\"a\":1}"));
    let answer = |tool_calls| Answer { tool_calls, ..Answer::default() };
    assert!(Agreement::Text.holds(&answer(&one), &answer(&same)));
    assert!(!Agreement::Text.holds(&answer(&one), &answer(&other)));
    assert!(!Agreement::Text.holds(&answer(&one), &says("42")));
    assert!(!Agreement::Text.holds(&answer(&one), &answer(&[("find", "{\"a\":1,\"b\":2}")])));
}

#[test]
fn tool_calls_are_judged_by_the_checks_that_can_and_else_escalate() {
    let call = [("search", "{\"a\":1}")];
    let calls = |tool_calls| Answer { tool_calls, finish: Some(Finish::ToolCalls), ..Answer::default() };
    let of_text = judge(&[json!({"check": "regex", "pattern": "^[A-E]$"}), json!({"check": "json"})], None);
    assert_eq!(of_text.check(&calls(&call)), Err(Escalation::ToolCallsUnjudged));
    let of_both = judge(&[json!({"check": "json"}), json!({"check": "length", "min": 50})], None);
    assert_eq!(of_both.check(&calls(&call)), Ok(()), "a text's length says nothing of a call");
    assert_eq!(of_both.check(&calls(&[("search", "{\"a\":")])), Err(Escalation::ArgumentsMalformed));
    let cut = Answer { finish: Some(Finish::Length), ..calls(&call) };
    assert!(matches!(of_both.check(&cut), Err(Escalation::Check { .. })));
    let compared = judge(&[json!({"check": "json"})], Some(Agreement::Text));
    assert_eq!(compared.judge(Some(&calls(&call)), Some(&calls(&call))), Verdict::Accept);
}

#[test]
fn final_answers_are_found_where_models_write_them() {
    for (text, wanted) in [
        ("Reasoning 5, 7.\n#### 1,234", "1234"),
        ("We get \\boxed{\\frac{3}{4}} as wanted", "frac 3 4"),
        ("... 3 apples. The final answer is: **$18.00**", "18"),
        ("**Answer:** B", "b"),
        ("First 12, then 30.\nIn total 42 apples remain.\nThat is all.", "42"),
        ("Paris.", "paris"),
        ("The answer is -3.50 degrees. Note that 7 is not.", "-3.5"),
        ("The answer is 3-4 days", "3 4 days"),
    ] {
        assert_eq!(final_answer(text).as_deref(), Some(wanted), "{text}");
    }
    assert_eq!(final_answer("A long text\nwithout any figure\nat all."), None);
    assert_eq!(final_answer(""), None);
}

#[test]
fn texts_agree_but_for_case_blanks_and_punctuation() {
    let agrees = |one: &str, other: &str| Agreement::Text.holds(&says(one), &says(other));
    assert!(agrees("Yes, it is.", "yes  it is"));
    assert!(!agrees("Yes, it is 3.5", "yes it is 35"));
    assert!(!agrees("-2", "2"));
    assert!(!agrees("...", "!!!"), "nothing agrees with nothing");
}

/// Schemas of the supported subset.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({"type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 3})),
        Just(json!({"type": "number", "maximum": 2, "exclusiveMinimum": 0})),
        Just(json!({"type": "string", "minLength": 1, "maxLength": 2, "pattern": "^[ab]"})),
        Just(json!({"enum": ["a", 1, null, [1], {"a": 1}]})),
        Just(json!({"const": 1.0})),
        Just(json!({"type": "boolean"})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "minItems": 1, "maxItems": 2})),
            (inner.clone(), inner.clone(), any::<bool>()).prop_map(|(a, b, open)| json!({
                "type": "object", "properties": {"a": a, "b": b}, "required": ["a"], "additionalProperties": open,
            })),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| json!({"anyOf": [one, other]})),
            inner.prop_map(|rest| json!({"additionalProperties": rest, "description": "x"})),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        (0..4).prop_map(|number| json!(number)),
        Just(json!(1.0)),
        Just(json!(1.5)),
        "[abc]{0,3}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn schema_check_agrees_with_a_whole_validator(schema in schema(), value in value()) {
        let whole = jsonschema::draft202012::new(&schema).expect("a valid schema").is_valid(&value);
        let judge = judge(&[json!({"check": "json-schema", "schema": schema})], None);
        let ours = judge.check(&says(&value.to_string())).is_ok();
        prop_assert_eq!(ours, whole, "{} against {}", value, schema);
    }

    #[test]
    fn no_text_makes_a_check_or_the_extraction_panic(text in "\\PC{0,200}") {
        let _ = final_answer(&text);
        let _ = normalised(&text);
        for plugin in CHECKS {
            let options: Value = serde_json::from_str(plugin.example.options).expect("JSON");
            let _ = judge(&[options], Some(Agreement::Text)).judge(Some(&says(&text)), Some(&says(&text)));
        }
    }
}
