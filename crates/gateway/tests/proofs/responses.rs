//! A vendor that speaks OpenAI Responses, behind clients that do not.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Finish, Outcome};
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::http::{End, Got};
use crate::harness::scripted::{Act, LAST_CHUNK, STREAM_HEAD, Scripted, chunk};

const WHOLE: &str =
    include_str!("../../../wire/fixtures/openai-responses/answers/reasoning-and-parallel-tools.json");
const STREAM: &str =
    include_str!("../../../wire/fixtures/openai-responses/streams/reasoning-and-parallel-tools.sse");

fn answer(is_stream: bool) -> Act {
    if is_stream {
        let pieces = STREAM.split_inclusive("\n\n").map(|event| chunk(event.as_bytes()));
        let head = std::iter::once(STREAM_HEAD.as_bytes().to_vec());
        Act::Write(head.chain(pieces).chain([LAST_CHUNK.to_vec()]).collect())
    } else {
        Act::Write(vec![crate::harness::scripted::json("200 OK", "", WHOLE)])
    }
}

fn house(vendor: &Scripted) -> House {
    House::with(&format!(
        "[providers.away]\ndialect = \"openai-responses\"\nbase_url = \"http://{}/v1\"\napi_key = \"sk-away\"\n",
        vendor.address
    ))
}

/// The head and the body of a call that the vendor got.
fn request(vendor: &Scripted, at: usize) -> (String, Value) {
    let request = vendor.requests().swap_remove(at);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

/// A turn of a tool loop as an openai-chat client writes it.
fn turn(is_stream: bool, answered: bool) -> Value {
    let call = |id: &str, city: &str| {
        let function = json!({ "name": "get_weather", "arguments": json!({ "city": city }).to_string() });
        json!({ "id": id, "type": "function", "function": function })
    };
    let mut messages = vec![json!({ "role": "user", "content": "Weather in Oslo and Rome?" })];
    if answered {
        let calls = [call("call_oslo_0123456789", "Oslo"), call("call_rome_0123456789", "Rome")];
        messages.push(json!({ "role": "assistant", "content": null, "tool_calls": calls }));
        for id in ["call_oslo_0123456789", "call_rome_0123456789"] {
            messages.push(json!({ "role": "tool", "tool_call_id": id, "content": "mild" }));
        }
    }
    let tool = json!({ "type": "function", "function": { "name": "get_weather", "parameters": { "type": "object" } } });
    json!({ "model": "away/gpt-5.5", "messages": messages, "tools": [tool], "reasoning_effort": "low", "stream": is_stream })
}

fn check_record(house: &House, got: &Got) {
    let record = house.record(got);
    assert_eq!(record.outcome, Outcome::Complete);
    assert_eq!(record.target.unwrap().dialect, Dialect::OpenaiResponses);
    assert_eq!(record.answer.finish, Some(Finish::ToolCalls));
    let usage = record.bill.usage;
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (20, 100, 20, 60));
    let tools: Vec<_> = record.answer.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(tools, ["get_weather", "get_weather"]);
}

#[test]
fn reasoning_returns_to_its_vendor_in_the_tool_loop_of_a_client_that_cannot_carry_it() {
    for is_stream in [false, true] {
        let vendor = Scripted::start(vec![answer(is_stream)]);
        let house = house(&vendor);
        let first = house.chat(&turn(is_stream, false));
        assert_eq!((first.status, first.end), (200, End::Whole), "{}", first.text());
        assert!(first.text().contains("call_rome_0123456789"), "{}", first.text());
        check_record(&house, &first);
        let (head, body) = request(&vendor, 0);
        assert!(head.starts_with("POST /v1/responses HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("Bearer sk-away"), "{head}");
        assert_eq!(body["store"], false);
        assert_eq!(body["include"][0], "reasoning.encrypted_content");

        let second = house.chat(&turn(is_stream, true));
        assert_eq!(second.status, 200, "{}", second.text());
        let (_, body) = request(&vendor, 1);
        let item = &body["input"][1];
        assert_eq!(
            (&item["id"], &item["encrypted_content"]),
            (&json!("rs_a"), &json!("gAAAAABq_enc")),
            "{body}"
        );
        assert_eq!(body["reasoning"]["effort"], "low");
        let receipt = house.record(&second).receipt.unwrap();
        assert!(receipt.edits.iter().any(|note| note.code == "restore:thinking"), "{receipt:?}");
    }
}

#[test]
fn a_loop_whose_reasoning_is_no_longer_held_goes_on_with_its_effort() {
    let vendor = Scripted::start(vec![answer(false)]);
    let house = house(&vendor);
    let got = house.chat(&turn(false, true));
    assert_eq!(got.status, 200, "{}", got.text());
    let (_, body) = request(&vendor, 0);
    assert_eq!(body["reasoning"]["effort"], "low", "{body}");
    let receipt = house.record(&got).receipt.unwrap();
    let mut notes = receipt.edits.iter().chain(&receipt.losses);
    assert!(notes.any(|note| note.code == "drop:thinking"), "{receipt:?}");
}

#[test]
fn a_stream_of_responses_reaches_a_client_of_anthropic_whole() {
    let vendor = Scripted::start(vec![answer(true)]);
    let house = house(&vendor);
    let body = json!({
        "model": "away/gpt-5.5", "max_tokens": 500, "stream": true,
        "messages": [{ "role": "user", "content": "Weather?" }],
    });
    let got = house.message(&body);
    assert_eq!((got.status, got.end), (200, End::Whole), "{}", got.text());
    assert!(got.text().contains("\"stop_reason\":\"tool_use\""), "{}", got.text());
    assert!(got.text().contains("pilothouse-origin-openai:rs_a:gAAAAABq_enc"), "{}", got.text());
    assert!(got.text().trim_end().ends_with("{\"type\":\"message_stop\"}"), "{}", got.text());
    check_record(&house, &got);
}
