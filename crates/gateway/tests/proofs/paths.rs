//! The two paths make one exchange: passed through and forced through the codec, everything but the bytes is equal.

use serde_json::{Value, json};

use crate::harness::reading::{self, Client, Read};
use crate::harness::{BOTH_VENDORS, House};

fn tool(name: &str) -> (Value, Value) {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    (
        json!({"type": "function", "function": {"name": name, "description": "Looks it up.", "parameters": schema}}),
        json!({"name": name, "description": "Looks it up.", "input_schema": schema}),
    )
}

/// Requests whose answers do not depend on how they are written.
fn corpus(client: Client) -> Vec<(&'static str, Value)> {
    let model = if client == Client::Openai { "gpt-4o" } else { "claude-sonnet-4-5" };
    let ask = |text: &str| client.ask(model, text, false);
    let mut requests = vec![
        ("plain", ask("Hello. [[say:Good day to you.]]")),
        ("letters", ask("Hello. [[say:Grüße 😀 \"quoted\" \\ back / slash\ttab]]")),
        ("refusal", ask("Something bad. [[refuse]]")),
        ("empty", ask("Nothing. [[empty]]")),
    ];
    let mut limited = ask("Long. [[say:one two three four five six seven eight nine ten eleven twelve]]");
    limited["max_tokens"] = 5.into();
    requests.push(("cut by the limit", limited));
    let mut stopped = ask("Stop. [[say:one two STOP three]]");
    stopped[if client == Client::Openai { "stop" } else { "stop_sequences" }] = json!(["STOP"]);
    requests.push(("stop sequence", stopped));
    let tools: Vec<Value> = ["weather", "news"]
        .map(tool)
        .into_iter()
        .map(|(openai, anthropic)| if client == Client::Openai { openai } else { anthropic })
        .collect();
    for (name, text) in [
        ("one tool", "Look. [[tool:weather]] [[args:{\"city\":\"Kiel \\\"am Meer\\\"\"}]]"),
        ("two tools", "Look at both. [[tools:2]] [[args:{\"city\":\"Ålesund\"}]]"),
        ("tools offered, none called", "Just say. [[say:No need to look.]]"),
    ] {
        let mut body = ask(text);
        body["tools"] = tools.clone().into();
        requests.push((name, body));
    }
    let mut turns = ask("And now? [[say:Now too.]]");
    let said = json!([{"role": "user", "content": "Before?"}, {"role": "assistant", "content": "Before."},
        {"role": "user", "content": "And now? [[say:Now too.]]"}]);
    turns["messages"] = said;
    requests.push(("three turns", turns));
    requests
}

/// Whatever does not depend on ids and times.
fn facts(house: &House, client: Client, body: &Value, is_stream: bool) -> (Read, String) {
    let mut body = body.clone();
    if is_stream {
        body["stream"] = true.into();
        if client == Client::Openai {
            body["stream_options"] = json!({"include_usage": true});
        }
    }
    let got = house.post(client.path(), &[], body.to_string().as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    let mut read = if is_stream { reading::stream(client, &got.body) } else { reading::whole(client, &got) };
    // A stream says so, an answer need not.
    read.is_terminated = true;
    let record = house.record(&got);
    let answer = &record.answer;
    let recorded = format!(
        "{:?} {} {:?} {:?} {:?} {:?} {:?}",
        record.outcome,
        record.status,
        record.bill,
        answer.finish,
        answer.model,
        answer.service_tier,
        answer.tools
    );
    (read, recorded)
}

#[test]
fn both_paths_make_the_same_exchange_streamed_and_not() {
    // Prompts this short are never cached, so that one call leaves nothing behind for the next.
    let houses = [false, true].map(|forced| {
        (forced, House::with(&format!("{BOTH_VENDORS}\n[debug]\nforce_translate = {forced}\n")))
    });
    for client in Client::ALL {
        for (name, body) in corpus(client) {
            let mut seen = Vec::new();
            for (forced, house) in &houses {
                for is_stream in [false, true] {
                    seen.push((forced, is_stream, facts(house, client, &body, is_stream)));
                }
            }
            for (forced, is_stream, facts) in &seen[1..] {
                assert_eq!(*facts, seen[0].2, "{client:?}, {name}: forced {forced}, streamed {is_stream}");
            }
            assert!(name != "two tools" || seen[0].2.0.tools.len() == 2, "the corpus tells something");
        }
    }
}

#[test]
fn forcing_is_seen_in_the_receipt() {
    let house = House::with(&format!("{BOTH_VENDORS}\n[debug]\nforce_translate = true\n"));
    let got = house.chat(&Client::Openai.ask("gpt-4o", "Hello.", false));
    let receipt = house.record(&got).receipt.unwrap();
    assert!(receipt.edits.iter().any(|note| note.code == "translate"), "{receipt:?}");
}
