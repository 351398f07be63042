//! Shapes are judged as bodies are, sums add up, and what a shape cannot tell is said to be uncertain.

use std::collections::BTreeSet;
use std::path::Path;

use pilothouse_core::exchange::{AnswerFacts, Caller, Outcome, TargetUsed, Timings};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use pilothouse_wire::head::Head;
use serde_json::{Value, json};

use super::*;

/// Models of every vendor and generation, with the names of their vendors.
const TARGETS: [&str; 12] = [
    "openai/gpt-5.5",
    "openai/gpt-5.1",
    "openai/gpt-4o",
    "openai/o3",
    "anthropic/claude-opus-4-7",
    "anthropic/claude-sonnet-4-5",
    "anthropic/claude-opus-4-6",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-2.5-pro",
    "gemini/gemini-3.1-pro-preview",
    "mistral/mistral-large-latest",
    "deepseek/deepseek-chat",
];

fn target(name: &str) -> Target {
    Target::find(&Catalog::bundled(), name).unwrap()
}

fn shape(dialect: Dialect, body: &str) -> Shape {
    pilothouse_wire::shape::of(dialect, &Head::read(body.as_bytes()).unwrap())
}

fn exchange(nth: u64, application: &str, dialect: Dialect, body: Option<&Value>) -> Exchange {
    Exchange {
        id: ExchangeId::new(UnixMs(1_795_348_800_000 + nth), nth.into()),
        started_at: UnixMs(1_795_348_800_000 + nth),
        caller: Caller { key: "web".into(), application: application.into(), end_user: None },
        client_dialect: dialect,
        asked: "assistant".into(),
        target: Some(TargetUsed { vendor: "openai".into(), model: "gpt-4o".into(), dialect, price: None }),
        streamed: false,
        outcome: Outcome::Complete,
        status: 200,
        answer: AnswerFacts::default(),
        bill: Bill {
            usage: Usage { input: 900, cache_read: 100, output: 200, ..Usage::default() },
            provenance: Provenance::Reported,
            cost: Cost::Known(PicoUsd(4_375_000_000)),
            ..Bill::default()
        },
        timings: Timings::default(),
        shape: body.map(|body| shape(dialect, &body.to_string())),
        request_bytes: 4000,
        answer_bytes: 700,
        receipt: None,
    }
}

fn lint(to: &str, mode: Mode, exchanges: &[Exchange]) -> Report {
    let mut lint = Lint::new(&Catalog::bundled(), target(to), mode, UnixMs(1_795_348_800_000));
    exchanges.iter().for_each(|exchange| lint.add(exchange, None));
    lint.finish(None)
}

/// The names of what was found, with their severities.
fn ids(report: &Report) -> Vec<(&str, Severity)> {
    report.lines.iter().map(|line| (line.id.as_str(), line.severity)).collect()
}

fn told(found: &[Found]) -> BTreeSet<(String, String)> {
    found.iter().map(|one| (one.id.to_string(), one.place.to_string())).collect()
}

#[test]
fn a_shape_is_judged_as_the_body_that_it_was_made_of() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/fixtures");
    let mut compared = 0;
    for dialect in Dialect::ALL {
        let folder = fixtures.join(dialect.as_str()).join("requests");
        let Ok(files) = std::fs::read_dir(folder) else { continue };
        for file in files
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        {
            let body = std::fs::read_to_string(&file).unwrap();
            if Head::read(body.as_bytes()).is_err() {
                continue;
            }
            for name in TARGETS {
                let target = target(name);
                let Some(by_body) = check::body(&target, dialect, body.as_bytes()) else { continue };
                let by_shape = check::shape(&target, &shape(dialect, &body).outline());
                // What a shape cannot tell it says so, and may be wrong about.
                let certain: Vec<Found> =
                    by_shape.found.iter().filter(|one| one.is_certain).cloned().collect();
                let (wanted, all) = (told(&by_body.found), told(&by_shape.found));
                let place = format!("{} for {name}", file.display());
                assert!(wanted.is_subset(&all), "{place}: the body has {wanted:?}, its shape {all:?}");
                assert!(
                    told(&certain).is_subset(&wanted),
                    "{place}: the body has {wanted:?}, its shape {certain:?}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared} pairs of a request and a model");
}

#[test]
fn what_is_mended_is_refused_without_a_gateway_that_mends() {
    let body = json!({"model": "m", "temperature": 0.2, "max_tokens": 100, "messages": [{"role": "user", "content": "a"}]});
    let calls = [exchange(1, "desk", Dialect::OpenaiChat, Some(&body))];
    let mended = lint("openai/gpt-5.5", Mode::Fix, &calls);
    let names = ids(&mended);
    assert!(
        names.contains(&("openai-sampling", Severity::Mended))
            && names.contains(&("openai-max-tokens", Severity::Mended)),
        "{names:?}"
    );
    assert!(names.contains(&("openai-default-effort", Severity::Silent)), "{names:?}");
    assert!(!mended.is_refused());
    let as_sent = lint("openai/gpt-5.5", Mode::AsSent, &calls);
    assert!(ids(&as_sent).contains(&("openai-sampling", Severity::Refused)) && as_sent.is_refused());
}

#[test]
fn a_call_in_another_dialect_is_judged_as_it_would_be_sent() {
    let body = json!({"model": "m", "temperature": 0.2, "n": 2, "stop": ["END"], "logit_bias": {"1": 2}, "user": "u",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]});
    // Anthropic has an address for clients of OpenAI, too: a provider that is configured without it is asked here.
    let claude = target("anthropic/claude-opus-4-7").speaking(Dialect::AnthropicMessages).unwrap();
    let mut lint = Lint::new(&Catalog::bundled(), claude, Mode::Fix, UnixMs(0));
    lint.add(&exchange(1, "desk", Dialect::OpenaiChat, Some(&body)), None);
    let report = lint.finish(None);
    assert_eq!(report.ways.keys().collect::<Vec<_>>(), ["openai-chat -> anthropic-messages"]);
    let names = ids(&report);
    assert!(names.contains(&("claude-sampling", Severity::Mended)), "{names:?}");
    assert!(
        names.contains(&("dialect:n", Severity::LeftOut))
            && names.contains(&("dialect:logit_bias", Severity::LeftOut)),
        "{names:?}"
    );
    assert!(
        !names
            .iter()
            .any(|(id, _)| id.contains("system") || id.contains("output-limit") || id.contains("user")),
        "{names:?}"
    );
    assert!(!report.is_refused());
}

#[test]
fn what_a_model_lacks_and_what_does_not_fit_is_refused() {
    let picture = json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]});
    let names: Vec<&str> = vec!["openai/gpt-4", "deepseek/deepseek-chat"];
    let blind = names.into_iter().find(|name| {
        Target::find(&Catalog::bundled(), name).is_ok_and(|target| {
            target
                .model()
                .is_some_and(|model| model.capability("image_input") == pilothouse_catalog::Support::No)
        })
    });
    let call = exchange(1, "desk", Dialect::OpenaiChat, Some(&picture));
    let report = lint(blind.unwrap(), Mode::Fix, std::slice::from_ref(&call));
    assert!(ids(&report).contains(&("capability:image_input", Severity::Refused)) && report.is_refused());

    let mut long = call;
    long.bill.usage.input = 3_000_000;
    let report = lint("openai/gpt-5.5", Mode::Fix, &[long]);
    assert!(ids(&report).contains(&("limit:context", Severity::Refused)), "{:?}", ids(&report));
}

#[test]
fn sums_are_by_route_key_and_application_with_examples() {
    let hot = json!({"model": "m", "temperature": 0.2, "messages": [{"role": "user", "content": "a"}]});
    let plain = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
    let mut calls: Vec<Exchange> =
        (0..7).map(|nth| exchange(nth, "desk", Dialect::OpenaiChat, Some(&hot))).collect();
    calls.extend((7..10).map(|nth| exchange(nth, "crawler", Dialect::OpenaiChat, Some(&plain))));
    calls.push(exchange(10, "old", Dialect::OpenaiChat, None));
    calls.push(exchange(11, "vectors", Dialect::OpenaiEmbeddings, None));
    let mut there = exchange(12, "desk", Dialect::OpenaiChat, Some(&hot));
    there.target.as_mut().unwrap().model = "gpt-5.5".into();
    calls.push(there);
    let report = lint("openai/gpt-5.5", Mode::Fix, &calls);
    assert_eq!((report.exchanges, report.by_shape, report.by_body), (10, 10, 0));
    assert_eq!((report.unseen, report.others, report.already), (1, 1, 1));
    let line = report.lines.iter().find(|line| line.id == "openai-sampling").unwrap();
    assert_eq!(
        (line.all.exchanges, line.all.cost, line.all.examples.len()),
        (7, PicoUsd(7 * 4_375_000_000), 3)
    );
    assert_eq!(line.groups.len(), 1);
    assert_eq!((&*line.groups[0].group.application, line.groups[0].sums.exchanges), ("desk", 7));
    assert_eq!(report.traffic.iter().map(|one| one.sums.exchanges).sum::<u64>(), 10);
    assert_eq!((report.traffic[0].sums.changed, report.traffic[1].sums.silent), (7, 3));
    let estimate = &report.estimate;
    assert_eq!((estimate.exchanges, estimate.input_tokens, estimate.cached_tokens), (10, 10_000, 1_000));
    assert!(
        estimate.target_cost.low <= estimate.target_cost.about
            && estimate.target_cost.about <= estimate.target_cost.high
    );
    let text = table(&report, &|at| at.0.to_string());
    assert!(
        text.contains("10 exchanges: 0 by their bodies, 10 by their shapes; 1 recorded without a shape"),
        "{text}"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["lines"][0]["groups"][0]["application"], "desk");
}

#[test]
fn a_kept_body_is_read_before_its_shape() {
    let body = json!({"model": "m", "max_tokens": 31_999, "messages": [{"role": "user", "content": "a"}]});
    let call = exchange(1, "desk", Dialect::OpenaiChat, Some(&body));
    let mut lint = Lint::new(&Catalog::bundled(), target("openai/gpt-5.5"), Mode::Fix, UnixMs(0));
    lint.add(&call, Some(body.to_string().as_bytes()));
    // Where the target does not speak its dialect, the bytes are not those that would be sent.
    lint.add(
        &exchange(2, "desk", Dialect::GeminiGenerate, Some(&json!({"contents": []}))),
        Some(b"{\"contents\":[]}"),
    );
    let report = lint.finish(None);
    assert_eq!((report.by_body, report.by_shape), (1, 1));
}

#[test]
fn a_model_of_the_same_tokenizer_costs_no_other_tokens() {
    assert_eq!(ratio("gpt-4o", "gpt-4o-mini", None), Ratio { per_mille: 1000, error_percent: 0 });
    let other = ratio("gpt-4o", "claude-opus-4-7", None);
    assert!(other.per_mille > 1000 && other.error_percent >= 10, "{other:?}");
    let (low, about, high) = other.range(1000);
    assert!(low < about && about < high);
}

#[test]
fn a_name_that_is_no_model_is_refused_with_names_near_it() {
    let error = Target::find(&Catalog::bundled(), "openai/gpt-5.55").unwrap_err().to_string();
    assert!(
        error.contains("gpt-5.55") && error.contains("pilothouse models") && error.contains("near"),
        "{error}"
    );
}
