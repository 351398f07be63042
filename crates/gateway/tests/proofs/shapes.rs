//! Shapes of requests: recorded of every call whatever its dialect, without a word of it, and enough to judge another model by.

use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::{Role, Trait};
use pilothouse_migrate::lint::{Lint, Mode, Severity, Target};
use pilothouse_store::{Filter, Reader};
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::four::{FOUR_VENDORS, Speaker};

/// What nobody but the caller shall ever read again.
const SECRET: &str = "Zimtstern-4711";

/// A call of that dialect with the secret wherever it may stand and is answered all the same. Not as a tool's name: those that
/// the answer calls are in the ledger as what the answer tells.
fn planted(speaker: Speaker) -> Value {
    let mut body = speaker.body(speaker.model(), SECRET, false, true);
    match speaker {
        Speaker::Chat => {
            body["metadata"] = json!({"room": SECRET});
            body["prompt_cache_key"] = json!(SECRET);
            body["stop"] = json!([SECRET]);
            body["tools"][0]["function"]["description"] = json!(SECRET);
            body["tools"][0]["function"]["parameters"]["properties"][SECRET] = json!({"type": "string"});
        }
        Speaker::Anthropic => {
            body["system"] = json!([{"type": "text", "text": SECRET}]);
            body["stop_sequences"] = json!([SECRET]);
            body["tools"][0]["description"] = json!(SECRET);
        }
        Speaker::Responses => {
            body["instructions"] = json!(SECRET);
            body["metadata"] = json!({"room": SECRET});
        }
        Speaker::Gemini => {
            body["systemInstruction"] = json!({"parts": [{"text": SECRET}]});
            body["generationConfig"] = json!({"stopSequences": [SECRET]});
        }
    }
    body
}

fn post(house: &House, speaker: Speaker, body: &Value) {
    let got = house.post(&speaker.path(speaker.model(), false), &[], body.to_string().as_bytes());
    assert_eq!(got.status, 200, "{speaker:?}: {}", got.text());
}

#[test]
fn every_call_has_a_shape_and_its_words_are_nowhere_on_disk() {
    let mut house = House::with(FOUR_VENDORS);
    for speaker in Speaker::ALL {
        post(&house, speaker, &planted(speaker));
    }
    house.stop();
    let reader = Reader::open(&house.data()).unwrap();
    let rows = reader.exchanges(&Filter { after_rowid: Some(0), ..Filter::default() }).unwrap();
    let dialects: Vec<Dialect> =
        rows.iter().map(|row| row.exchange.shape.as_ref().unwrap().outline().dialect).collect();
    assert_eq!(
        dialects,
        [Dialect::OpenaiChat, Dialect::AnthropicMessages, Dialect::OpenaiResponses, Dialect::GeminiGenerate]
    );
    for row in &rows {
        let outline = row.exchange.shape.as_ref().unwrap().outline();
        assert_eq!(outline.turns.final_turn().unwrap().role, Role::User);
        assert!(outline.tools.is_some() && !outline.traits.has(Trait::IsPartial), "{outline:?}");
    }
    for file in std::fs::read_dir(house.data()).unwrap() {
        let path = file.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let is_there = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!is_there, "the secret is in {}", path.display());
    }
}

#[test]
fn what_was_recorded_is_judged_as_the_fleet_judges_it() {
    let mut house = House::with(FOUR_VENDORS);
    let chat = json!({"model": "gpt-4o", "temperature": 0.2, "max_tokens": 50, "messages": [{"role": "user", "content": "Hi."}]});
    post(&house, Speaker::Chat, &chat);
    let thinking = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 2000, "temperature": 1, "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": "Hi."}],
    });
    post(&house, Speaker::Anthropic, &thinking);
    house.stop();
    let lint = |to: &str| {
        let catalog = Catalog::bundled();
        let mut lint =
            Lint::new(&catalog, Target::find(&catalog, to).unwrap(), Mode::Fix, UnixMs(1_795_348_800_000));
        let rows = Reader::open(&house.data()).unwrap().exchanges(&Filter::default()).unwrap();
        rows.iter().for_each(|row| lint.add(&row.exchange, None));
        lint.finish(None)
    };
    let found = |to: &str, id: &str| {
        let report = lint(to);
        assert_eq!((report.by_shape, report.by_body, report.unseen), (2, 0, 0));
        report.lines.iter().find(|line| line.id == id).map(|line| (line.severity, line.all.exchanges))
    };
    // The other one asks for the temperature that every model takes.
    assert_eq!(found("openai/gpt-5.5", "openai-sampling"), Some((Severity::Mended, 1)));
    assert_eq!(found("openai/gpt-5.5", "openai-max-tokens"), Some((Severity::Mended, 1)));
    assert_eq!(found("anthropic/claude-opus-4-7", "claude-adaptive-thinking"), Some((Severity::Mended, 1)));
}

#[test]
fn a_realistic_mix_of_shapes_takes_fewer_than_two_hundred_bytes_an_exchange() {
    let size = |with_shapes: bool| {
        let folder = tempfile::tempdir().unwrap();
        let ledger =
            pilothouse_store::Ledger::open(folder.path(), pilothouse_store::Options::default()).unwrap();
        let mut house = House::with(FOUR_VENDORS);
        post(&house, Speaker::Chat, &Speaker::Chat.body("gpt-4o", "Hi.", false, false));
        house.stop();
        let one =
            Reader::open(&house.data()).unwrap().exchanges(&Filter::default()).unwrap().remove(0).exchange;
        for nth in 0..3000_u64 {
            let body = mixed(nth);
            let text = body.to_string();
            let head = pilothouse_wire::head::Head::read(text.as_bytes()).unwrap();
            let shape = with_shapes.then(|| pilothouse_wire::shape::of(Dialect::OpenaiChat, &head));
            let id = pilothouse_core::id::ExchangeId::new(one.started_at, nth.into());
            ledger.recorder().record(pilothouse_core::exchange::Exchange { shape, id, ..one.clone() });
        }
        ledger.close().unwrap();
        std::fs::metadata(folder.path().join(pilothouse_store::LEDGER_FILE)).unwrap().len()
    };
    let (with, without) = (size(true), size(false));
    let each = with.saturating_sub(without) / 3000;
    assert!(each < 200, "{each} bytes an exchange");
}

/// The nth request of a mix: questions, agents that go on and on, retrieval of varying length, forms, pictures.
fn mixed(nth: u64) -> Value {
    let count = usize::try_from(nth).unwrap();
    let text =
        |words: usize| json!({"role": "user", "content": "some words that people write ".repeat(1 + words)});
    let tool = json!({"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}});
    match nth % 5 {
        0 => json!({"model": "m", "temperature": 0.2, "max_tokens": 500, "messages": [text(count % 7)]}),
        1 => {
            let mut messages =
                vec![json!({"role": "system", "content": "You fix programs."}), text(count % 30)];
            for round in 0..count % 23 {
                let id = format!("call_{nth}_{round}");
                messages.push(json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": {"name": "read", "arguments": "{}"}}]}));
                messages
                    .push(json!({"role": "tool", "tool_call_id": id, "content": "x".repeat(count % 900)}));
            }
            json!({"model": "m", "stream": true, "tools": [tool], "messages": messages})
        }
        2 => {
            json!({"model": "m", "messages": [json!({"role": "system", "content": "fact ".repeat(count % 4000)}), text(3)], "max_tokens": 1000 + nth})
        }
        3 => {
            json!({"model": "m", "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}, "messages": [text(count % 50)]})
        }
        _ => {
            json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{}", "A".repeat(count % 6000))}}]}]})
        }
    }
}
