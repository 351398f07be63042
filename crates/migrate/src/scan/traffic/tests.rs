//! Tests of the join with traffic.

use super::*;
use crate::scan::finding::Finding;
use crate::scan::report::tests::{PYTHON, finding};

fn row(key: &str, provider: &str, model: &str, exchanges: u64) -> Row {
    Row {
        key: key.into(),
        provider: provider.into(),
        model: model.into(),
        exchanges,
        cost: PicoUsd(500_000_000_000),
        cost_unknown: 0,
    }
}

fn report() -> Report {
    let mini = Finding {
        model: Some(("openai".into(), "gpt-5-mini".into())),
        ..finding("a.py", PYTHON, "gpt-5-mini")
    };
    Report {
        findings: vec![mini],
        models: [("anthropic".to_owned(), "claude-opus-4-7".to_owned())].into(),
        ..Report::default()
    }
}

fn joined(rows: Vec<Row>) -> Joined {
    join(&report(), &Traffic { period: "a week".into(), rows }, &Catalog::bundled())
}

#[test]
fn calls_keys_and_spend_are_shares_of_all_traffic() {
    let joined = joined(vec![
        row("a", "openai", "gpt-5-mini-2025-08-07", 300),
        row("b", "openai", "gpt-5-mini", 110),
        row("", "openai", "gpt-5-mini", 5),
        row("a", "anthropic", "claude-opus-4-7", 500),
        row("a", "openai", "gpt-4o", 85),
    ]);
    assert_eq!((joined.exchanges, joined.cost.to_string()), (1000, "2.50".to_owned()));
    let [mini] = joined.found.as_slice() else { panic!("{joined:?}") };
    assert_eq!(
        (mini.model.as_str(), mini.exchanges, mini.keys),
        ("gpt-5-mini", 415, 3),
        "an alias and its snapshot are one"
    );
    assert_eq!((mini.percent().as_str(), mini.cost.to_string().as_str()), ("41%", "1.50"));
    let unnamed: Vec<&str> = joined.unnamed.iter().map(|share| share.model.as_str()).collect();
    assert_eq!(unnamed, ["gpt-4o"], "a model that a file names without a finding is named");
}

#[test]
fn a_provider_of_ones_own_is_matched_by_the_model_alone() {
    let joined = joined(vec![row("a", "my-proxy", "gpt-5-mini", 1), row("a", "my-proxy", "qwen-local", 2)]);
    assert_eq!((joined.found.len(), joined.unnamed.len()), (1, 1));
    assert_eq!(
        (joined.unnamed[0].platform.as_str(), joined.unnamed[0].model.as_str()),
        ("my-proxy", "qwen-local")
    );
}

#[test]
fn shares_are_rounded_down_and_never_to_nothing() {
    let share = |exchanges, calls_permille| Share { exchanges, calls_permille, ..Share::default() }.percent();
    assert_eq!(
        [share(1, 0), share(4, 4), share(10, 10), share(410, 415), share(0, 0)],
        ["<0.1%", "0.4%", "1%", "41%", "0%"]
    );
    let nothing = joined(vec![]);
    assert_eq!((nothing.exchanges, nothing.found.len()), (0, 0));
}
