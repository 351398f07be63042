//! A conversation that moves from vendor to vendor, also between a tool's call and its result, in each client's dialect.
//!
//! Every step is a step of `docs/src/moving-conversation.md`, which the first test compares, and writes with UPDATE_GOLDEN=1.

use std::fmt::Write as _;
use std::path::Path;

use pilothouse_core::exchange::{Exchange, Note};
use serde_json::Value;

use crate::harness::House;
use crate::harness::talk::{FIVE_VENDORS, Talk, Tongue, told};

/// What happens in a step: the person speaks, or the tool gives its result.
enum Step {
    Ask(&'static str),
    Result(&'static str),
}

/// The way of the conversation: the model that each step goes to, and what is new in it.
const WAY: [(Tongue, Step); 9] = [
    (
        Tongue::Responses,
        Step::Ask(
            "How is the weather in Kiel? [[tools:1]] [[tool:weather]] [[args:{\"city\":\"Kiel\"}]] [[think:9]] [[say:12 degrees, with rain.]]",
        ),
    ),
    (Tongue::Anthropic, Step::Result("12 degrees, rain")),
    (
        Tongue::Anthropic,
        Step::Ask(
            "And in Oslo? [[tools:1]] [[tool:weather]] [[args:{\"city\":\"Oslo\"}]] [[think:9]] [[say:Colder: 3 degrees.]]",
        ),
    ),
    (Tongue::Anthropic, Step::Result("3 degrees, clear")),
    (
        Tongue::Gemini,
        Step::Ask(
            "What time is it there? [[tools:1]] [[tool:clock]] [[args:{\"zone\":\"Europe/Oslo\"}]] [[think:9]] [[say:Half past nine.]]",
        ),
    ),
    (Tongue::Gemini, Step::Result("09:30")),
    (
        Tongue::Gemini,
        Step::Ask(
            "And in Lima? [[tools:1]] [[tool:clock]] [[args:{\"zone\":\"America/Lima\"}]] [[think:9]] [[say:Half past three at night.]]",
        ),
    ),
    (Tongue::Bedrock, Step::Result("03:30")),
    (Tongue::Responses, Step::Ask("Which city is coldest? [[notools]] [[think:9]] [[say:Oslo.]]")),
];

/// One step as it went.
struct Went {
    record: Exchange,
    answer: String,
}

fn moved(house: &House, client: Tongue, is_stream: bool) -> Vec<Went> {
    let mut talk = Talk::new(client);
    let mut calls = Vec::new();
    let mut went = Vec::new();
    for (at, (vendor, step)) in WAY.iter().enumerate() {
        let label = format!("step {} of {client:?} at {vendor:?}, streamed: {is_stream}", at + 1);
        match step {
            Step::Ask(text) => talk.ask(text),
            Step::Result(text) => talk.answer(&calls, |_| (*text).to_owned()),
        }
        let sent = talk.body(vendor.model(), is_stream);
        let (got, said) = talk.go_on(house, vendor.model(), is_stream);
        let entry = house.fleet.last();
        let body = entry["body"].as_str().unwrap();
        // What only one vendor can read is shown to that one alone, whose fleet verifies it.
        for mark in ["pilothouse", "cGlsb3Rob3VzZS1vcmln", "cGlsb3Rob3VzZS10ZXh0"] {
            assert!(!body.contains(mark), "{label}: {body}");
        }
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(told(*vendor, &body), told(client, &sent), "{label}: {body}");
        let answer = match said.calls.as_slice() {
            [] => said.text.clone(),
            calls => calls.iter().map(|call| format!("calls `{}` with `{}`", call.name, call.arguments)).collect(),
        };
        let is_called = matches!(step, Step::Ask(text) if text.contains("[[tools:1]] [[tool:"));
        assert_eq!(said.calls.len(), usize::from(is_called), "{label}: {}", got.text());
        calls = said.calls;
        went.push(Went { record: house.record(&got), answer });
    }
    went
}

/// Notes as a list: codes, with their words where they have any.
fn listed(notes: &[Note]) -> String {
    let kept: Vec<String> = notes
        .iter()
        .filter(|note| !matches!(&*note.code, "translate" | "set:model"))
        .map(|note| match &*note.detail {
            "" => format!("`{}`", note.code),
            words => format!("`{}` ({words})", note.code),
        })
        .collect();
    if kept.is_empty() { "nothing".to_owned() } else { kept.join("; ") }
}

/// The words of a step without the fleet's orders.
fn plain(text: &str) -> &str {
    text.split(" [[").next().unwrap()
}

fn transcript(steps: &[Went]) -> String {
    let mut page = String::new();
    for (at, ((vendor, step), went)) in WAY.iter().zip(steps).enumerate() {
        let receipt = went.record.receipt.as_deref().cloned().unwrap_or_default();
        let new = match step {
            Step::Ask(text) => format!("the person: {}", plain(text)),
            Step::Result(text) => format!("the tool: {text}"),
        };
        let _ = write!(
            page,
            "\n{}. **`{}`**, in {}\n   - {new}\n   - the model: {}\n   - changed: {}\n   - lost: {}\n",
            at + 1,
            vendor.model(),
            vendor.name(),
            went.answer,
            listed(&receipt.edits),
            listed(&receipt.losses),
        );
    }
    page
}

/// The codes of every step in one row per client.
fn row(steps: &[Went]) -> String {
    let codes = steps.iter().map(|went| {
        let Some(receipt) = &went.record.receipt else { return String::new() };
        let mut codes: Vec<String> = receipt
            .edits
            .iter()
            .chain(&receipt.losses)
            .filter(|note| !matches!(&*note.code, "translate" | "set:model"))
            .map(|note| format!("`{}`", note.code))
            .collect();
        codes.sort_unstable();
        codes.join(" ")
    });
    codes.map(|codes| format!(" {codes} |")).collect()
}

const HEAD: &str = "# A conversation that moves

One conversation, its model changed from step to step: OpenAI, Anthropic, Google, Amazon and OpenAI again, with tools and with
thinking in every step; twice the model changes between a tool's call and its result. The application speaks one dialect and
sends its whole history each time; only the model's name in its request is new. This page is written by a test that runs the
gateway before the [simulated fleet](sim.md), which refuses what the vendors refuse, signatures of others included; nothing is
refused. The codes are those of [Dialects and losses](dialects.md); renaming the model and the translation itself, which every
step has, are left out.

## From an application of OpenAI Responses
";

#[test]
fn a_conversation_moves_between_vendors_as_the_page_in_the_manual_tells() {
    let house = House::with(FIVE_VENDORS);
    let mut page = HEAD.to_owned();
    page.push_str(&transcript(&moved(&house, Tongue::Responses, false)));
    page.push_str("\n## The same from every dialect\n\nWhat was changed and lost in each step, the answers being the same:\n\n| client |");
    for (at, (vendor, _)) in WAY.iter().enumerate() {
        let _ = write!(page, " {}. {} |", at + 1, vendor.model().split('/').next().unwrap());
    }
    let _ = write!(page, "\n|---|{}\n", "---|".repeat(WAY.len()));
    for client in Tongue::ALL {
        let _ = writeln!(page, "| `{}` |{}", client.name(), row(&moved(&house, client, false)));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/moving-conversation.md");
    pilothouse_testkit::golden::check(&path, &page).unwrap();
}

#[test]
fn a_streamed_conversation_moves_between_vendors_and_is_refused_by_none() {
    let house = House::with(FIVE_VENDORS);
    for client in Tongue::ALL {
        let last = moved(&house, client, true).pop().unwrap();
        assert_eq!(last.answer, "Oslo.", "{client:?}");
    }
}
