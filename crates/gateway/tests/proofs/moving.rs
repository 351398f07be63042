//! A conversation that moves from vendor to vendor, also between a tool's call and its result, in each client's dialect.
//!
//! Every step is a step of `docs/src/moving-conversation.md`, which the first test compares, and writes with UPDATE_GOLDEN=1.

use std::fmt::Write as _;
use std::path::Path;

use pilothouse_core::exchange::{Exchange, Note};
use serde_json::{Value, json};

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
            calls => {
                calls.iter().map(|call| format!("calls `{}` with `{}`", call.name, call.arguments)).collect()
            }
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

/// A turn of which nothing arrives, behind two others, as each dialect writes it; and where it stands.
fn lost_turn(client: Tongue) -> (Value, &'static str) {
    let (mut talk, place) = match client {
        Tongue::Responses => (Talk::new(client), "input[2]"),
        Tongue::Gemini => (Talk::new(client), "contents[3]"),
        // The system's text is a message of its own there.
        Tongue::Chat => (Talk::new(client), "messages[3]"),
        Tongue::Anthropic | Tongue::Bedrock => (Talk::new(client), "messages[2]"),
    };
    talk.ask("Hello.");
    let (said, lost) = match client {
        Tongue::Chat => (
            json!([{"role": "assistant", "content": "Hi."}]),
            json!({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}),
        ),
        Tongue::Responses => (
            json!([{"role": "assistant", "content": "Hi."}]),
            json!({"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}),
        ),
        Tongue::Anthropic => (
            json!([{"role": "assistant", "content": "Hi."}]),
            json!({"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "file-1"}}]}),
        ),
        // Two contents of the model's, as a chat keeps a stream.
        Tongue::Gemini => (
            json!([{"role": "model", "parts": [{"text": "H"}]}, {"role": "model", "parts": [{"text": "i."}]}]),
            json!({"role": "user", "parts": [{"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/a", "mimeType": "image/png"}}]}),
        ),
        Tongue::Bedrock => (
            json!([{"role": "assistant", "content": [{"text": "Hi."}]}]),
            json!({"role": "user", "content": [{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a/b"}}}}]}),
        ),
    };
    talk.history.extend(said.as_array().unwrap().iter().cloned());
    talk.history.push(lost);
    (talk.body("m", false), place)
}

#[test]
fn a_turn_that_cannot_be_carried_is_refused_by_its_place_in_the_clients_own_words() {
    let house = House::with(FIVE_VENDORS);
    for client in Tongue::ALL {
        for vendor in Tongue::ALL.into_iter().filter(|vendor| *vendor != client) {
            // A file id of OpenAI's is good in both of its dialects.
            if matches!(
                (client, vendor),
                (Tongue::Chat, Tongue::Responses) | (Tongue::Responses, Tongue::Chat)
            ) {
                continue;
            }
            let (mut body, place) = lost_turn(client);
            if body.get("model").is_some() {
                body["model"] = vendor.model().into();
            }
            let got = client.post(&house, vendor.model(), &body);
            let label = format!("{client:?} at {vendor:?}: {}", got.text());
            assert_eq!(got.status, 400, "{label}");
            assert!(got.text().contains(&format!("`{place}`")), "{label}");
            if matches!(client, Tongue::Chat | Tongue::Responses) {
                assert_eq!(got.json()["error"]["param"], place, "{label}");
            }
        }
    }
}

#[test]
fn what_only_a_vendor_holds_is_refused_elsewhere_and_never_left_out() {
    let house = House::with(FIVE_VENDORS);
    let held = [
        (Tongue::Responses, "previous_response_id", json!("resp_1")),
        (Tongue::Responses, "conversation", json!({"id": "conv_1"})),
        (Tongue::Responses, "prompt", json!({"id": "pmpt_1"})),
        (Tongue::Responses, "background", json!(true)),
        (
            Tongue::Responses,
            "input",
            json!([{"role": "user", "content": "Go on."}, {"type": "item_reference", "id": "msg_1"}]),
        ),
        (Tongue::Gemini, "cachedContent", json!("cachedContents/1")),
        (Tongue::Gemini, "cached_content", json!("cachedContents/1")),
        (Tongue::Anthropic, "container", json!("container_1")),
        (Tongue::Anthropic, "container", json!({"id": "container_1"})),
        (Tongue::Anthropic, "thread", json!({"type": "auto"})),
        (Tongue::Bedrock, "promptVariables", json!({"city": {"text": "Kiel"}})),
    ];
    for (client, name, value) in held {
        for vendor in Tongue::ALL.into_iter().filter(|vendor| *vendor != client) {
            let mut talk = Talk::new(client);
            talk.ask("Go on.");
            let mut body = talk.body(vendor.model(), false);
            body[name] = value.clone();
            let before = house.fleet.log().len();
            let got = client.post(&house, vendor.model(), &body);
            let label = format!("{name} of {client:?} at {vendor:?}: {}", got.text());
            assert_eq!(got.status, 400, "{label}");
            let says_what_to_do = ["send", "leave"].iter().any(|word| got.text().contains(word));
            assert!(got.text().contains(name) && says_what_to_do, "{label}");
            assert_eq!(house.fleet.log().len(), before, "{label}");
        }
    }
    // Nothing is asked by what is not set.
    let mut talk = Talk::new(Tongue::Responses);
    talk.ask("Go on.");
    let mut body = talk.body(Tongue::Anthropic.model(), false);
    body["previous_response_id"] = Value::Null;
    body["background"] = false.into();
    assert_eq!(Tongue::Responses.post(&house, Tongue::Anthropic.model(), &body).status, 200);
}
