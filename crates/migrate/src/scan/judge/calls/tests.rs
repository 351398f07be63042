//! What the rules find in source code, one case for each rule, and what fixes write.

use std::collections::BTreeSet;

use pilothouse_catalog::compat::{Action, Fact, rules};

use proptest::prelude::*;

use super::edits::apply;
use super::{after_replacement, judge};
use crate::scan::finding::{Confidence, Finding, Rule, Severity};
use crate::scan::judge::requests::Requests;
use crate::scan::judge::snippet::{Snippet, names};

fn judged(imports: &str, text: &str) -> Vec<Finding> {
    Snippet::of(imports, text).judged("app.py", judge)
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    let id = |finding: &Finding| match finding.rule {
        Rule::Parameter(id) => id,
        _ => "",
    };
    findings.iter().map(id).collect()
}

const OPENAI: &str = "openai";
const ANTHROPIC: &str = "anthropic";

/// A call that breaks a rule, and where.
#[derive(serde::Deserialize)]
struct Case {
    rule: String,
    imports: String,
    code: String,
    at: String,
}

/// One call for each rule, as people write it.
fn cases() -> Vec<Case> {
    #[derive(serde::Deserialize)]
    struct File {
        case: Vec<Case>,
    }
    toml::from_str::<File>(include_str!("cases.toml")).unwrap().case
}

#[test]
fn every_rule_that_source_code_can_break_is_found_at_the_parameter() {
    let mut missed = Vec::new();
    for case in cases() {
        let found = judged(&case.imports, &case.code);
        match found.iter().find(|finding| ids(&[(*finding).clone()]) == [case.rule.as_str()]) {
            Some(finding) if case.code[finding.place.span.clone()] == case.at => {}
            Some(finding) => {
                missed.push(format!("{} at {}", case.rule, &case.code[finding.place.span.clone()]))
            }
            None => missed.push(format!("{}: {:?}", case.rule, ids(&found))),
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_rule_has_a_case_or_cannot_be_told_from_source_code() {
    let cases: BTreeSet<String> = cases().into_iter().map(|case| case.rule).collect();
    let is_told = |fact: Option<Fact>| {
        !matches!(fact, Some(Fact::UnsealedReasoning | Fact::UnsignedCalls | Fact::TurnWithoutThinking))
    };
    let catalog = pilothouse_catalog::Catalog::bundled();
    let is_had = |quirk: &String| catalog.vendors().iter().any(|vendor| vendor.has_quirk(quirk));
    let without: Vec<&str> = rules()
        .iter()
        .filter(|rule| rule.quirk.as_ref().is_none_or(is_had))
        .filter(|rule| rule.action != Action::Advise && is_told(rule.fact))
        .map(|rule| rule.id.as_str())
        .filter(|id| !cases.contains(*id))
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn what_a_fix_writes_is_not_found_again() {
    let mut fixed = 0;
    for case in cases() {
        let found = judged(&case.imports, &case.code);
        let hit = found.iter().find(|finding| ids(&[(*finding).clone()]) == [case.rule.as_str()]);
        let Some(fix) = hit.and_then(|one| one.fix.clone()) else { continue };
        let mended = apply(&case.code, &fix.edits);
        let again = judged(&case.imports, &mended);
        assert!(!ids(&again).contains(&case.rule.as_str()), "{}: {mended}", case.rule);
        fixed += 1;
    }
    // Those without are the ones that a person must decide.
    assert!(fixed >= 85, "{fixed} of {} are mended", cases().len());
}

#[test]
fn parameters_of_another_vendors_call_are_never_blamed() {
    for (imports, text) in [
        // The model of the one call is not that of the other.
        (
            "openai anthropic",
            "a = Anthropic()\no = OpenAI()\na.messages.create(model=\"claude-opus-4-7\", max_tokens=9)\no.chat.completions.create(model=\"gpt-5.4\", temperature=0.3)",
        ),
        ("openai", "create(model=\"gpt-5\", temperature=0.2)"),
        ("openai", "Sensor(model=\"o3\", temperature=21.5)"),
        ("twilio", "client.messages.create(body=\"hi\", to=\"+1\")"),
        (
            "openai mistralai",
            "m = Mistral()\nm.chat.complete(model=\"mistral-large-latest\", temperature=0.7)",
        ),
    ] {
        assert_eq!(ids(&judged(imports, text)), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn what_a_server_at_an_unknown_address_takes_never_blocks() {
    let text = "c = OpenAI(base_url=\"http://localhost:4000/v1\")\nc.chat.completions.create(model=\"gpt-5\", temperature=0.2)";
    let found = judged(OPENAI, text);
    assert_eq!((found[0].severity, found[0].confidence), (Severity::Tune, Confidence::Low));
    assert!(found[0].fix.is_none());
    let text = "c = OpenAI(base_url=\"https://openrouter.ai/api/v1\")\nc.chat.completions.create(model=\"openai/gpt-5\", temperature=0.2)";
    assert_eq!(judged(OPENAI, text)[0].severity, Severity::Tune);
}

#[test]
fn a_value_made_at_run_time_blocks_only_where_nearly_every_value_would() {
    let text = "openai.chat.completions.create(model=\"gpt-5\", temperature=heat)";
    let found = judged(OPENAI, text);
    assert_eq!((found[0].severity, found[0].confidence), (Severity::Blocks, Confidence::Medium));
    for text in [
        "openai.chat.completions.create(model=\"gpt-5\", reasoning_effort=effort)",
        "openai.chat.completions.create(model=\"gpt-5\", max_completion_tokens=most)",
        "openai.chat.completions.create(model=\"gpt-5\", temperature=None)",
        "openai.chat.completions.create(model=\"gpt-5\", temperature=1)",
        "openai.chat.completions.create(model=\"gpt-5.4\", temperature=0.2)",
    ] {
        assert_eq!(ids(&judged(OPENAI, text)), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn a_library_that_obeys_a_rule_in_its_newest_release_makes_it_less_sure() {
    let found = judged("langchain_openai", "ChatOpenAI(model=\"gpt-5\", temperature=0.2)");
    assert_eq!((found[0].severity, found[0].confidence), (Severity::Blocks, Confidence::Medium));
    assert!(found[0].next.contains("newest releases"), "{}", found[0].next);
    assert!(judged("langchain_openai", "ChatOpenAI(model=\"o3\", max_tokens=9)").is_empty());
}

#[test]
fn a_missing_member_is_missed_only_where_nothing_else_could_bring_it() {
    for text in [
        "c = Anthropic()\nc.messages.create(model=\"claude-opus-4-7\", **rest)",
        "requests.post(\"https://api.anthropic.com/v1/messages\", json={\"model\": \"claude-opus-4-7\"})",
    ] {
        assert_eq!(ids(&judged("anthropic requests", text)), Vec::<&str>::new(), "{text}");
    }
}

/// The call as it is after `from` became `to`, with its parameters; `None` where a person must decide.
fn replaced(imports: &str, text: &str, from: &str, to: &str) -> Option<String> {
    let snippet = Snippet::of(imports, text);
    let at = text.find(from).unwrap();
    let mention = at..at + from.len();
    let names = names();
    let requests = Requests::of(&snippet.reading, &names);
    let mut edits = after_replacement(&requests, &mention, to, &snippet.file("app.py"), &names)?;
    edits.push((mention, to.to_owned()));
    edits.sort_by_key(|(span, _)| span.start);
    Some(apply(text, &edits))
}

#[test]
fn what_the_new_model_refuses_goes_with_the_old_one() {
    let text = "openai.chat.completions.create(model=\"gpt-4o\", messages=turns, max_tokens=500, temperature=0.2, stop=[\"END\"])";
    assert_eq!(
        replaced(OPENAI, text, "gpt-4o", "gpt-5.5").unwrap(),
        "openai.chat.completions.create(model=\"gpt-5.5\", messages=turns, max_completion_tokens=500)"
    );
    let text = "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9000, temperature=1, thinking={\"type\": \"enabled\", \"budget_tokens\": 2048})";
    assert_eq!(
        replaced(ANTHROPIC, text, "claude-sonnet-4-5", "claude-opus-4-7").unwrap(),
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9000, temperature=1, thinking={\"type\": \"adaptive\"}, output_config={\"effort\": \"low\"})"
    );
    let text = "generateText({model: openai(\"gpt-4o\"), temperature: 0.2})";
    assert_eq!(
        replaced("ai @ai-sdk/openai", text, "gpt-4o", "gpt-5.5").unwrap(),
        "generateText({model: openai(\"gpt-5.5\"), temperature: 0.2})"
    );
}

#[test]
fn a_model_is_not_replaced_where_a_person_must_decide() {
    let text = "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, messages=[{\"role\": \"assistant\", \"content\": \"{\"}])";
    assert_eq!(replaced(ANTHROPIC, text, "claude-sonnet-4-5", "claude-opus-4-7"), None);
}

#[test]
fn other_calls_of_the_file_stay_as_they_are() {
    let text = "openai.chat.completions.create(model=\"gpt-4o\", temperature=0.2)\nopenai.chat.completions.create(model=\"gpt-4.1\", temperature=0.2)";
    let after = replaced(OPENAI, text, "gpt-4o", "gpt-5.5").unwrap();
    assert!(after.ends_with("model=\"gpt-4.1\", temperature=0.2)"), "{after}");
    assert_eq!(after.matches("temperature").count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_replaced_call_is_taken_by_its_new_model(
        picked in proptest::collection::btree_set(0_usize..9, 0..9),
        new in proptest::sample::select(vec!["gpt-5.5", "gpt-5", "gpt-5.4", "o3"]),
    ) {
        let all = ["max_tokens=500", "temperature=0.2", "top_p=0.9", "stop=[\"END\"]", "presence_penalty=0.5", "logprobs=True", "logit_bias={\"5\": 1}", "n=2", "messages=turns"];
        let arguments: Vec<&str> = picked.iter().map(|at| all[*at]).collect();
        let text = format!("openai.chat.completions.create(model=\"gpt-4o\", {})", arguments.join(", "));
        let after = replaced(OPENAI, &text, "gpt-4o", new).unwrap();
        let blocking: Vec<Finding> = judged(OPENAI, &after).into_iter().filter(|one| one.severity == Severity::Blocks).collect();
        prop_assert!(blocking.is_empty(), "{after}: {:?}", ids(&blocking));
    }
}
