//! Tests of the advice on hand-made calls and small files.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{AnswerFacts, Caller, Outcome, TargetUsed, Timings};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::Cost;
use pilothouse_core::usage::{Bill, Provenance, Usage};

use super::*;
use crate::plan::Plan;
use crate::scan::Options;

const APP: &str = "from openai import OpenAI\nclient = OpenAI()\nclient.chat.completions.create(\n    model=\"gpt-4.1\",\n    temperature=0.2,\n    max_tokens=400,\n    messages=[{\"role\": \"user\", \"content\": \"x\"}],\n)\n";

fn now() -> UnixMs {
    day::start_of("2026-11-23").expect("a day")
}

fn scanner() -> Scanner {
    Scanner::new(Catalog::bundled(), Options::on("2026-11-23"))
}

fn exchange(model: &str) -> Exchange {
    Exchange {
        id: ExchangeId::new(now(), 1),
        started_at: now(),
        caller: Caller { key: "shop".into(), application: "desk".into(), end_user: None },
        client_dialect: Dialect::OpenaiChat,
        asked: model.into(),
        target: Some(TargetUsed {
            vendor: "openai".into(),
            model: model.into(),
            dialect: Dialect::OpenaiChat,
            price: None,
        }),
        streamed: false,
        outcome: Outcome::Complete,
        status: 200,
        answer: AnswerFacts::default(),
        bill: Bill {
            usage: Usage { input: 1_000, cache_read: 500, output: 200, ..Usage::default() },
            provenance: Provenance::Reported,
            cost: Cost::Known(PicoUsd(4_000_000_000)),
            ..Bill::default()
        },
        timings: Timings::default(),
        shape: None,
        request_bytes: 4000,
        answer_bytes: 700,
        receipt: None,
    }
}

fn advice(from: &str, to: Option<&str>, calls: usize) -> Advice {
    let catalog = Catalog::bundled();
    let mut adviser = Adviser::new(&catalog, from, to, now()).expect("known names");
    let scanner = scanner();
    let findings = scanner.scan_text("src/app.py", APP);
    adviser.add_source(Source { path: "src/app.py".into(), text: APP.into(), findings });
    let body = br#"{"model":"gpt-4.1","temperature":0.2,"messages":[{"role":"user","content":"x"}]}"#;
    for _ in 0..calls {
        adviser.add(&exchange("gpt-4.1"), Some(body));
        adviser.add(&exchange("gpt-5.5"), Some(body));
    }
    adviser.finish(&scanner, Some(now()))
}

#[test]
fn the_vendors_own_word_stands_first_and_calls_of_other_models_do_not_count() {
    let advice = advice("gpt-4.1", None, 10);
    assert_eq!((advice.exchanges, advice.retires.as_deref()), (10, Some("2027-01-14")));
    let first = &advice.candidates[0];
    assert!(first.because[0].starts_with("named by the vendor"), "{first:?}");
    assert!(advice.candidates.len() > 1 && advice.candidates.len() <= CANDIDATES_MAX);
    assert!(advice.candidates.iter().all(|one| one.name != "openai/gpt-4.1"));
}

#[test]
fn what_the_new_model_refuses_is_told_of_code_and_of_traffic() {
    let advice = advice("gpt-4.1", Some("openai/gpt-5.5"), 10);
    let [candidate] = advice.candidates.as_slice() else { panic!("{:?}", advice.candidates) };
    let rules: Vec<(u32, &str)> = candidate.code.iter().map(|one| (one.line, one.rule.as_str())).collect();
    assert!(rules.contains(&(5, "PH-P-openai-sampling")), "{rules:?}");
    assert!(rules.contains(&(6, "PH-P-openai-max-tokens")), "{rules:?}");
    let report = candidate.traffic.as_ref().expect("traffic");
    assert_eq!((report.exchanges, report.by_body), (10, 10));
    assert!(report.lines.iter().any(|line| line.place.contains("temperature")), "{:?}", report.lines);
    assert!(candidate.cache_loss.is_some_and(|loss| loss.0 > 0));
}

#[test]
fn a_longer_life_on_another_platform_is_told_in_days() {
    let advice = advice("gpt-4.1", None, 0);
    let azure = advice.platforms.iter().find(|one| one.platform.starts_with("azure"));
    if let Some(days) = azure.and_then(|one| one.buys_days) {
        assert!(days > 0);
    }
    assert!(advice.candidates.iter().all(|one| one.traffic.is_none()));
    assert!(table(&advice).contains("no recorded calls"));
}

#[test]
fn the_plan_reads_back_with_its_evidence_and_is_accepted_only_by_a_person() {
    let advice = advice("gpt-4.1", Some("openai/gpt-5.5"), 3);
    let plan = advice.plan(None).expect("a plan");
    let mut read = Plan::read(&plan.to_toml(), "plan.toml").expect("reads back");
    assert_eq!((read.from.as_str(), read.to.as_str()), ("openai/gpt-4.1", "openai/gpt-5.5"));
    assert!(!read.is_accepted() && !read.is_edited());
    for name in ["sites", "rules", "traffic", "candidates"] {
        assert!(read.evidence.contains_key(name), "{name}");
    }
    assert_eq!(read.stages.len(), 5);
    read.accept("ada", now());
    assert!(Plan::read(&read.to_toml(), "plan.toml").expect("reads").is_accepted());
}

#[test]
fn markdown_for_reviewers_has_every_place_and_every_task() {
    let advice = advice("gpt-4.1", Some("openai/gpt-5.5"), 3);
    let text = markdown(&advice);
    assert!(text.contains("`src/app.py:4:") && text.contains("PH-P-openai-max-tokens"), "{text}");
    assert!(text.contains("- [ ] "), "{text}");
}

#[test]
fn a_name_that_nobody_knows_is_answered_with_names_near_it() {
    let catalog = Catalog::bundled();
    let error = Adviser::new(&catalog, "gpt-5-minii", None, now()).err().expect("unknown");
    assert!(error.to_string().contains("gpt-5-mini"), "{error}");
}
