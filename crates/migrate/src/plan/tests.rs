//! Plans as people write, accept and change them.

use pilothouse_catalog::day;
use proptest::prelude::*;

use super::*;

const TEXT: &str = r#"
[plan]
version = 1
from = "gpt-5-mini"
to = "gpt-5.6-terra"
made = "2026-11-23"
catalogue_as_of = "2026-11-22"

[[sites]]
path = "src/triage.py"   # the one that matters
line = 14

[[rules]]
id = "PH-P002"
fires = 3

[traffic]
calls = 1200
share = 0.41
first = 2026-11-01

[[candidates]]
model = "gpt-5.6-terra"
score = 0.93

[[stages]]
share = 0.05
after = "1h"
guards = ["error+0.5pp", "p95+20%"]

[[stages]]
share = 1.0
after = "2d"
"#;

fn plan() -> Plan {
    Plan::read(TEXT, "plans/x.toml").unwrap()
}

fn accepted() -> Plan {
    let mut plan = plan();
    plan.accept("m.k.", day::start_of("2026-11-24").unwrap());
    plan
}

#[test]
fn a_plan_is_written_and_read_without_loss() {
    let mut plan = plan();
    assert_eq!(plan.evidence["sites"][0]["line"].as_integer(), Some(14));
    assert_eq!(plan.stages[1].share, 1.0);
    plan.accept("m.k.", day::start_of("2026-11-24").unwrap());
    let again = Plan::read(&plan.to_toml(), "plans/x.toml").unwrap();
    assert!(again.is_accepted() && !again.is_edited());
    assert_eq!((&again.evidence, &again.stages), (&plan.evidence, &plan.stages));
    assert_eq!((again.digest(), &again.accepted), (plan.digest(), &plan.accepted));
    assert_eq!(again.to_toml(), plan.to_toml());
}

#[test]
fn nobody_has_accepted_a_new_plan() {
    assert_eq!(plan().standing(), Standing::Draft);
    assert!(plan().why_not_accepted().unwrap().contains("nobody has accepted"));
    assert_eq!(accepted().why_not_accepted(), None);
}

#[test]
fn a_plan_changed_after_it_was_accepted_is_not_accepted_and_says_so() {
    let text = accepted().to_toml().replace("to = \"gpt-5.6-terra\"", "to = \"gpt-5.6-luna\"");
    let plan = Plan::read(&text, "plans/x.toml").unwrap();
    assert_eq!((plan.standing(), plan.is_accepted(), plan.is_edited()), (Standing::Changed, false, true));
    let why = plan.why_not_accepted().unwrap();
    assert!(why.contains("changed after m.k. accepted it on 2026-11-24"), "{why}");
    assert!(why.contains("accept it again"), "{why}");
}

#[test]
fn comments_blank_lines_and_the_order_of_tables_change_nothing() {
    let text = accepted().to_toml();
    let (head, accepted) = text.split_at(text.find("[accepted]").unwrap());
    let moved = format!("# looked at twice\n{accepted}\n\n{head}# the end\n");
    assert!(Plan::read(&moved, "x").unwrap().is_accepted());
}

#[test]
fn what_a_person_adds_to_the_evidence_is_part_of_what_is_accepted() {
    let text = format!("{}\n[why]\nnobody = \"asked\"\n", accepted().to_toml());
    assert_eq!(Plan::read(&text, "x").unwrap().standing(), Standing::Changed);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases = [
        ("version = 1", "version = 2", (3, 11), "only those of version 1"),
        ("to = \"gpt-5.6-terra\"", "to = \"\"", (5, 6), "names a model"),
        ("made = \"2026-11-23\"", "made = \"yesterday\"", (6, 8), "is a day"),
        ("to = \"gpt-5.6-terra\"", "to = \"gpt-5-mini\"", (2, 1), "another model"),
        ("share = 1.0", "share = 0.05", (31, 1), "more than the one before"),
        ("after = \"2d\"", "after = \"soon\"", (31, 1), "`after` is a time"),
        ("from = \"gpt-5-mini\"", "frm = \"gpt-5-mini\"", (4, 1), "unknown field `frm`"),
        ("[[rules]]", "[[rules", (13, 8), "unclosed"),
    ];
    for (old, new, place, words) in cases {
        let error = Plan::read(&TEXT.replacen(old, new, 1), "plans/x.toml").unwrap_err();
        assert_eq!((error.line, error.column), place, "{new}: {error}");
        assert!(error.message.contains(words), "{new}: {error}");
        assert!(error.to_string().starts_with("plans/x.toml:"), "{error}");
    }
}

#[test]
fn a_file_without_a_plan_is_refused() {
    let error = Plan::read("[[stages]]\nshare = 0.5\n", "x").unwrap_err();
    assert!(error.message.contains("missing field `plan`"), "{error}");
}

proptest! {
    /// Whatever value is changed, the acceptance is lost; and what only looks different keeps it.
    #[test]
    fn any_changed_value_takes_the_acceptance_back(calls in 0i64..5_000, share in 0.0f64..1.0, name in "[ -~]{0,12}") {
        let mut plan = accepted();
        let traffic = plan.evidence["traffic"].as_table_mut().unwrap();
        let same = calls == 1200 && share == 0.41 && name.is_empty();
        traffic.insert("calls".into(), calls.into());
        traffic.insert("share".into(), share.into());
        if !name.is_empty() {
            traffic.insert("note".into(), name.into());
        }
        prop_assert_eq!(plan.is_accepted(), same);
        let again = Plan::read(&plan.to_toml(), "x").unwrap();
        prop_assert_eq!(again.is_accepted(), same);
    }

    /// No text makes reading fail in another way than with a place.
    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "(\\[plan\\]\n)?[ -~\n]{0,200}") {
        if let Err(error) = Plan::read(&text, "x") {
            prop_assert!(error.line >= 1 && error.column >= 1);
        }
    }
}
