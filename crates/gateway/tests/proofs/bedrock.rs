//! Bedrock's Converse on either side: bytes that pass, tools across dialects, streams that break, who may call.

use std::time::Duration;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Finish, Outcome};
use pilothouse_core::usage::Provenance;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::four::{FOUR_VENDORS, Speaker};
use crate::harness::frames::{self, Frame};
use crate::harness::http::{End, Got, Stream};
use crate::harness::scripted::{self, Act, LAST_CHUNK, Scripted, chunk};

const WHOLE: &str =
    include_str!("../../../wire/fixtures/bedrock-converse/answers/thinking-and-parallel-tools.json");
const STREAM: &str =
    include_str!("../../../wire/fixtures/bedrock-converse/streams/thinking-and-parallel-tools.sse");
const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nx-amzn-RequestId: 6d0d8f1e\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const PATH: &str = "/model/away%2Fus.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse";

/// Pieces of a stream, and how its transport ends.
fn streamed(messages: &[Vec<u8>], is_whole: bool) -> Act {
    let head = std::iter::once(STREAM_HEAD.as_bytes().to_vec());
    let last = is_whole.then(|| LAST_CHUNK.to_vec());
    Act::Write(head.chain(messages.iter().map(|message| chunk(message))).chain(last).collect())
}

fn whole(body: &str) -> Act {
    Act::Write(vec![scripted::json("200 OK", "x-amzn-RequestId: 6d0d8f1e\r\n", body)])
}

fn house(vendor: &Scripted) -> House {
    House::with(&format!(
        "[providers.away]\ndialect = \"bedrock-converse\"\nbase_url = \"http://{}\"\napi_key = \"bedrock-key\"\n",
        vendor.address
    ))
}

/// The head and the body of a call that the vendor got.
fn request(vendor: &Scripted, at: usize) -> (String, String) {
    let request = vendor.requests().swap_remove(at);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn named<'a>(frames: &'a [Frame], name: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame.name == name).map(|frame| &frame.data).collect()
}

#[test]
fn converse_passes_byte_for_byte_whole_and_streamed() {
    let messages = frames::of_text(STREAM);
    let vendor = Scripted::start(vec![whole(WHOLE), streamed(&messages, true)]);
    let house = house(&vendor);
    let body = "{ \"messages\" : [ {\"role\":\"user\",\"content\":[{\"text\":\"caf\\u00e9 \\/ \\ud83d\\ude00\"}]} ],\r\n \"inferenceConfig\":{\"temperature\":1.0} }\n";
    for (at, suffix) in ["", "-stream"].into_iter().enumerate() {
        let got =
            house.post(&format!("{PATH}{suffix}"), &[("authorization", "Bearer anything")], body.as_bytes());
        assert_eq!((got.status, got.end), (200, End::Whole), "{}", got.text());
        let (head, sent) = request(&vendor, at);
        let line =
            format!("POST /model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse{suffix} HTTP/1.1");
        assert_eq!(head.lines().next(), Some(line.as_str()));
        assert!(head.contains("Bearer bedrock-key") && !head.contains("anything"), "{head}");
        assert_eq!(sent, body);
        assert_eq!(got.header("x-amzn-requestid"), Some("6d0d8f1e"));
        if suffix.is_empty() {
            assert_eq!(got.text(), WHOLE);
        } else {
            assert_eq!(got.header("content-type"), Some("application/vnd.amazon.eventstream"));
            assert_eq!(got.body, messages.concat());
        }
        let record = house.record(&got);
        assert_eq!((record.outcome, record.client_dialect), (Outcome::Complete, Dialect::BedrockConverse));
        assert_eq!(record.answer.finish, Some(Finish::ToolCalls));
        assert_eq!(record.bill.provenance, Provenance::Reported);
        assert_eq!((record.bill.usage.input_total(), record.bill.usage.output_total()), (420, 88));
        let tools: Vec<_> = record.answer.tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(tools, ["get_weather", "get_weather"]);
    }
}

/// A turn of a tool loop as an openai-chat client writes it.
fn turn(is_stream: bool, answered: bool) -> Value {
    let ids = ["tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "tooluse_2ZJMlvQmRJ6eAyJE5GIl7Q"];
    let mut messages = vec![json!({"role": "user", "content": "Weather in Oslo and Kiel?"})];
    if answered {
        let call = |id: &str, city: &str| json!({"id": id, "type": "function", "function": {"name": "get_weather", "arguments": json!({"city": city}).to_string()}});
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": [call(ids[0], "Oslo"), call(ids[1], "Kiel")]}));
        messages.extend(ids.map(|id| json!({"role": "tool", "tool_call_id": id, "content": "mild"})));
    }
    let tool =
        json!({"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}});
    json!({"model": format!("away/{MODEL}"), "messages": messages, "tools": [tool], "reasoning_effort": "low", "max_tokens": 9000, "stream": is_stream})
}

#[test]
fn an_openai_client_gets_bedrocks_tool_calls_and_its_thinking_is_kept_over_the_loop() {
    for is_stream in [false, true] {
        let act = || if is_stream { streamed(&frames::of_text(STREAM), true) } else { whole(WHOLE) };
        let vendor = Scripted::start(vec![act()]);
        let house = house(&vendor);
        let got = house.chat(&turn(is_stream, false));
        assert_eq!((got.status, got.end), (200, End::Whole), "{}", got.text());
        let text = got.text();
        for part in [
            "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
            "tooluse_2ZJMlvQmRJ6eAyJE5GIl7Q",
            "get_weather",
            "I will look.",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.ends_with("data: [DONE]\n\n"), is_stream);
        let kind = if is_stream { "text/event-stream" } else { "application/json" };
        assert_eq!(got.header("content-type"), Some(kind));
        let record = house.record(&got);
        assert_eq!(record.target.as_ref().unwrap().dialect, Dialect::BedrockConverse);
        assert_eq!((record.answer.tools.len(), record.bill.usage.total()), (2, 508));

        let got = house.chat(&turn(is_stream, true));
        assert_eq!(got.status, 200, "{}", got.text());
        let (head, body) = request(&vendor, 1);
        let suffix = if is_stream { "converse-stream" } else { "converse" };
        assert!(
            head.starts_with(&format!(
                "POST /model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/{suffix} "
            ))
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        let said = &body["messages"][1]["content"];
        let reasoning =
            json!({"text": "Two cities, two calls.", "signature": "EqoBCkgIARABGAIiQL2UoU0b1OHYi"});
        assert_eq!(said[0]["reasoningContent"]["reasoningText"], reasoning, "{body}");
        assert_eq!(said[1]["toolUse"]["input"], json!({"city": "Oslo"}));
        let results = &body["messages"][2]["content"];
        assert_eq!(results[1]["toolResult"]["toolUseId"], "tooluse_2ZJMlvQmRJ6eAyJE5GIl7Q");
        assert_eq!(body["additionalModelRequestFields"]["thinking"]["type"], "enabled");
        assert!(body.get("model").is_none() && body.get("stream").is_none(), "{body}");
    }
}

/// A question in Bedrock's dialect.
fn ask(text: &str, has_tool: bool) -> Value {
    let mut body = json!({"messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {"maxTokens": 2000}});
    if has_tool {
        let schema =
            json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        body["toolConfig"] =
            json!({"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": schema}}}]});
    }
    body
}

#[test]
fn a_bedrock_client_is_answered_by_every_other_vendor() {
    let house = House::with(FOUR_VENDORS);
    for model in
        ["chat%2Fgpt-4o", "anthropic%2Fclaude-sonnet-4-5", "responses/gpt-5.5", "gemini/gemini-2.5-flash"]
    {
        let body =
            ask("Look. [[tool:weather]] [[args:{\"city\":\"Kiel \\\"am Meer\\\"\"}]]", true).to_string();
        let got = house.post(&format!("/model/{model}/converse"), &[], body.as_bytes());
        assert_eq!(got.status, 200, "{model}: {}", got.text());
        let answer = got.json();
        let blocks = answer["output"]["message"]["content"].as_array().unwrap();
        let called = &blocks.iter().find(|block| block["toolUse"].is_object()).unwrap()["toolUse"];
        assert_eq!(
            (&called["name"], &called["input"]["city"]),
            (&json!("weather"), &json!("Kiel \"am Meer\""))
        );
        assert_eq!(answer["stopReason"], "tool_use", "{model}: {answer}");
        assert_eq!(got.header("x-amzn-requestid"), got.header("x-pilothouse-exchange"));

        let got = house.post(&format!("/model/{model}/converse-stream"), &[], body.as_bytes());
        assert_eq!((got.status, got.end), (200, End::Whole), "{model}: {}", got.text());
        assert_eq!(got.header("content-type"), Some("application/vnd.amazon.eventstream"));
        let frames = frames::read(&got.body);
        let names: Vec<&str> = frames.iter().map(|frame| frame.name.as_str()).collect();
        assert_eq!(
            (names[0], names[names.len() - 2], names[names.len() - 1]),
            ("messageStart", "messageStop", "metadata")
        );
        let input: String = named(&frames, "contentBlockDelta")
            .iter()
            .filter_map(|delta| delta["delta"]["toolUse"]["input"].as_str())
            .collect();
        assert_eq!(
            serde_json::from_str::<Value>(&input).unwrap(),
            json!({"city": "Kiel \"am Meer\""}),
            "{model}"
        );
        assert_eq!(named(&frames, "messageStop")[0]["stopReason"], "tool_use");
        let record = house.record(&got);
        let told = &named(&frames, "metadata")[0]["usage"];
        assert_eq!(told["totalTokens"], record.bill.usage.total(), "{model}");
        assert_eq!((record.client_dialect, record.streamed), (Dialect::BedrockConverse, true));
    }
}

/// The fleet's Bedrock, priced as the fleet prices itself.
fn before_the_fleet() -> House {
    House::with(&format!(
        "{FOUR_VENDORS}\n[providers.bedrock]\ndialect = \"bedrock-converse\"\nbase_url = \"http://FLEET/bedrock\"\napi_key = \"bedrock-key\"\n"
    ))
}

#[test]
fn every_other_client_is_answered_by_a_strict_bedrock_and_billed_as_it_bills() {
    let house = before_the_fleet();
    let text = "Look. [[tool:weather]] [[args:{\"city\":\"Kiel\"}]]";
    for model in ["bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock/us.amazon.nova-pro-v1:0"] {
        for (client, is_stream) in
            Speaker::ALL.into_iter().flat_map(|client| [(client, false), (client, true)])
        {
            let label = format!("{client:?} at {model}, streamed: {is_stream}");
            let got = client.ask(&house, model, "Hello. [[say:Good day to you.]]", is_stream, false);
            assert_eq!((got.status, got.end), (200, End::Whole), "{label}: {}", got.text());
            let heard = client.hear(&got, is_stream);
            assert_eq!(heard.text, "Good day to you.", "{label}: {}", got.text());
            assert!(heard.is_finished && heard.error.is_none(), "{label}: {}", got.text());
            let record = house.record(&got);
            assert_eq!(record.target.as_ref().unwrap().dialect, Dialect::BedrockConverse, "{label}");
            let usage = record.bill.usage;
            assert_eq!(heard.usage, Some((usage.input_total(), usage.output_total())), "{label}");
            let charged: i128 = house.fleet.last()["picousd"].as_str().unwrap().parse().unwrap();
            assert_eq!(
                record.bill.cost.known().map(|cost| cost.0),
                Some(charged),
                "{label}: {:?}",
                record.bill
            );

            let got = client.ask(&house, model, text, is_stream, true);
            assert_eq!(got.status, 200, "{label}: {}", got.text());
            let called = ("weather".to_owned(), json!({"city": "Kiel"}));
            assert_eq!(client.hear(&got, is_stream).tools, [called], "{label}: {}", got.text());
        }
    }
}

/// The fleet refuses a tool loop of Claude's without its signed thinking, and any signature that is not its own.
#[test]
fn signed_thinking_comes_home_to_a_strict_bedrock_from_every_client_that_loops() {
    let house = before_the_fleet();
    let model = "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let text = "Weather? [[tool:weather]] [[think:12]] [[args:{\"city\":\"Kiel\"}]]";
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});

    let tool = json!({"type": "function", "function": {"name": "weather", "parameters": schema}});
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": text}], "tools": [tool], "reasoning_effort": "high", "max_tokens": 8000});
    let got = house.chat(&body);
    assert_eq!(got.status, 200, "{}", got.text());
    let message = got.json()["choices"][0]["message"].clone();
    let call = message["tool_calls"][0].clone();
    let turns = body["messages"].as_array_mut().unwrap();
    turns.push(json!({"role": "assistant", "content": null, "tool_calls": [call]}));
    turns.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "12 degrees"}));
    let got = house.chat(&body);
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(got.header("x-pilothouse-changed").unwrap().contains("restore:thinking"), "{:?}", got.headers);

    let tool = json!({"name": "weather", "input_schema": schema});
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": text}], "tools": [tool], "thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 8000});
    let got = house.message(&body);
    assert_eq!(got.status, 200, "{}", got.text());
    let content = got.json()["content"].clone();
    let blocks = content.as_array().unwrap();
    assert!(blocks[0]["signature"].as_str().is_some_and(|text| !text.contains("pilothouse")), "{content}");
    let id = blocks.iter().find(|block| block["type"] == "tool_use").unwrap()["id"].clone();
    let turns = body["messages"].as_array_mut().unwrap();
    turns.push(json!({"role": "assistant", "content": content}));
    turns.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "12 degrees"}]}));
    let got = house.message(&body);
    assert_eq!(got.status, 200, "{}", got.text());
    // The same history on Anthropic's own platform: the signature is good there too.
    body["model"] = "anthropic/claude-sonnet-4-5".into();
    let sent = house.message(&body);
    assert_eq!(sent.status, 200, "{}", sent.text());
    let told: Value = serde_json::from_str(house.fleet.last()["body"].as_str().unwrap()).unwrap();
    assert_eq!(told["messages"][1]["content"][0]["type"], "thinking", "{}", sent.text());
}

#[test]
fn a_bedrock_client_gets_the_bytes_of_a_strict_bedrock() {
    let house = before_the_fleet();
    let path = "/model/bedrock%2Fus.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream";
    let got = house.post(path, &[], ask("Hello. [[say:Good day to you.]]", false).to_string().as_bytes());
    assert_eq!((got.status, got.end), (200, End::Whole), "{}", got.text());
    let frames = frames::read(&got.body);
    let text: String = named(&frames, "contentBlockDelta")
        .iter()
        .filter_map(|delta| delta["delta"]["text"].as_str())
        .collect();
    assert_eq!((text.as_str(), frames.last().unwrap().name.as_str()), ("Good day to you.", "metadata"));
    let record = house.record(&got);
    assert_eq!((record.outcome, record.bill.provenance), (Outcome::Complete, Provenance::Reported));
}

#[test]
fn a_cut_stream_ends_with_an_exception_and_a_broken_transport() {
    let messages = frames::of_text(STREAM);
    for (cut, is_clean) in [(4, true), (4, false), (1, true)] {
        // The last message that arrives is half a message where the transport breaks.
        let mut arrived = messages[..cut].to_vec();
        if !is_clean {
            arrived.push(messages[cut][..30].to_vec());
        }
        let vendor = Scripted::start(vec![streamed(&arrived, is_clean)]);
        let house = house(&vendor);
        let got = house.post(&format!("{PATH}-stream"), &[], ask("Hi.", false).to_string().as_bytes());
        assert_eq!((got.status, got.end), (200, End::Broken));
        let frames = frames::read(&got.body);
        assert_eq!(frames.len(), cut + 1);
        let last = frames.last().unwrap();
        assert_eq!((last.class.as_str(), last.name.as_str()), ("exception", "modelStreamErrorException"));
        assert!(last.data["message"].as_str().unwrap().contains("away"), "{last:?}");
        assert!(matches!(house.record(&got).outcome, Outcome::Failed(_)));

        let got = house.chat(&turn(true, false));
        assert_eq!(got.end, End::Broken);
        assert!(got.text().contains("\"error\"") && !got.text().contains("[DONE]"), "{}", got.text());
    }
}

#[test]
fn a_stream_that_lost_only_its_usage_is_whole_where_the_transport_says_so() {
    let mut messages = frames::of_text(STREAM);
    messages.pop();
    for (is_clean, end) in [(true, End::Whole), (false, End::Broken)] {
        let vendor = Scripted::start(vec![streamed(&messages, is_clean)]);
        let house = house(&vendor);
        let got = house.post(&format!("{PATH}-stream"), &[], ask("Hi.", false).to_string().as_bytes());
        assert_eq!(got.end, end);
        let record = house.record(&got);
        assert_eq!(record.outcome == Outcome::Complete, is_clean);
        assert_ne!(record.bill.provenance, Provenance::Reported);
    }
}

#[test]
fn an_exception_of_the_vendor_reaches_every_client_as_its_own_error() {
    let mut messages = frames::of_text(STREAM)[..3].to_vec();
    messages.push(frames::write("exception", "throttlingException", br#"{"message":"Too many tokens."}"#));
    let vendor = Scripted::start(vec![streamed(&messages, true)]);
    let house = house(&vendor);
    let got = house.post(&format!("{PATH}-stream"), &[], ask("Hi.", false).to_string().as_bytes());
    assert_eq!((got.body.clone(), got.end), (messages.concat(), End::Broken));
    assert!(matches!(house.record(&got).outcome, Outcome::Failed(kind) if kind.as_str() == "rate_limited"));

    let got = house.chat(&turn(true, false));
    assert!(got.text().contains("Too many tokens.") && !got.text().contains("[DONE]"), "{}", got.text());
    assert_eq!(got.end, End::Broken);
}

#[test]
fn a_damaged_message_is_passed_to_nobody() {
    let mut messages = frames::of_text(STREAM)[..4].to_vec();
    let place = messages[3].len() - 10;
    messages[3][place] ^= 1;
    let vendor = Scripted::start(vec![streamed(&messages, true)]);
    let house = house(&vendor);
    let got = house.post(&format!("{PATH}-stream"), &[], ask("Hi.", false).to_string().as_bytes());
    let frames = frames::read(&got.body);
    assert_eq!((frames.len(), frames[3].class.as_str(), got.end), (4, "exception", End::Broken));
    let got = house.chat(&turn(true, false));
    assert!(got.text().contains("checksum"), "{}", got.text());
}

/// A message of a picture is larger than what is held: it passes as it comes, and nothing of ours may follow half of it.
#[test]
fn a_large_message_passes_as_it_comes_and_is_never_followed_when_it_breaks_off() {
    let data = json!({"contentBlockIndex": 0, "delta": {"text": "x".repeat(300_000)}}).to_string();
    let large = frames::write("event", "contentBlockDelta", data.as_bytes());
    let mut messages = frames::of_text(STREAM);
    messages.insert(1, large.clone());
    let pieces: Vec<Vec<u8>> = messages.concat().chunks(50_000).map(<[u8]>::to_vec).collect();
    let vendor =
        Scripted::start(vec![streamed(&pieces, true), streamed(&[large[..200_000].to_vec()], false)]);
    let house = house(&vendor);
    let path = format!("{PATH}-stream");
    let got = house.post(&path, &[], ask("Hi.", false).to_string().as_bytes());
    assert_eq!((got.body.len(), got.end), (messages.concat().len(), End::Whole));
    assert_eq!(got.body, messages.concat());
    let got = house.post(&path, &[], ask("Hi.", false).to_string().as_bytes());
    assert_eq!((got.body.as_slice(), got.end), (&large[..200_000], End::Broken));
}

#[test]
fn a_silent_stream_shows_a_bedrock_client_that_it_lives() {
    let vendor = Scripted::start(vec![Act::Hold(vec![scripted::STREAM_HEAD.as_bytes().to_vec()])]);
    let configuration = format!(
        "[providers.away]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\napi_key = \"k\"\n",
        vendor.address
    );
    let house = House::pinging(&configuration, Duration::from_millis(20));
    let body = ask("Hi.", false).to_string();
    let mut stream =
        Stream::open(house.address, "POST", "/model/away%2Fm/converse-stream", &[], body.as_bytes());
    stream.until("ping");
    let first = frames::read(&stream.body[..stream.body.len() / whole_pings(&stream.body)]);
    assert_eq!((first[0].class.as_str(), first[0].name.as_str()), ("event", "ping"));
}

/// How many pings there are, of one length each.
fn whole_pings(body: &[u8]) -> usize {
    let length = u32::from_be_bytes(body[..4].try_into().unwrap()) as usize;
    assert_eq!(body.len() % length, 0);
    body.len() / length
}

#[test]
fn errors_have_the_names_that_amazons_sdks_read() {
    let refused = scripted::json(
        "429 Too Many Requests",
        "x-amzn-ErrorType: ThrottlingException\r\n",
        "{\"message\":\"Slow down.\"}",
    );
    let vendor = Scripted::start(vec![Act::Write(vec![refused])]);
    let house = House::with(&format!(
        "{FOUR_VENDORS}\n[providers.away]\ndialect = \"bedrock-converse\"\nbase_url = \"http://{}\"\napi_key = \"k\"\n",
        vendor.address
    ));
    let check = |got: &Got, status: u16, name: &str| {
        assert_eq!((got.status, got.header("x-amzn-errortype")), (status, Some(name)), "{}", got.text());
        assert!(got.json()["message"].as_str().is_some_and(|text| !text.is_empty()), "{}", got.text());
    };
    let body = ask("Hi.", false).to_string();
    check(&house.post(PATH, &[], body.as_bytes()), 429, "ThrottlingException");
    check(
        &house.post("/model/chat%2Ffault-404/converse", &[], body.as_bytes()),
        404,
        "ResourceNotFoundException",
    );
    check(&house.post("/model/nobody%2Fm/converse", &[], body.as_bytes()), 404, "ResourceNotFoundException");
    check(&house.post("/model/chat%2Fgpt-4o/converse", &[], b"{}"), 400, "ValidationException");
    check(&house.post("/model/chat%2Fgpt-4o/invoke", &[], b"{}"), 404, "ResourceNotFoundException");
    check(&house.post("/model/%2E%2E/converse", &[], body.as_bytes()), 404, "ResourceNotFoundException");
    let got = house.chat(&turn(false, false));
    assert_eq!((got.status, got.header("x-amzn-errortype")), (429, None), "{}", got.text());
}

#[test]
fn a_signed_call_is_admitted_by_its_access_key_id_and_else_told_to_send_a_key() {
    let vendor = Scripted::start(vec![whole(WHOLE), whole(WHOLE)]);
    let house = House::with(&format!(
        "[providers.away]\ndialect = \"bedrock-converse\"\nbase_url = \"http://{}\"\napi_key = \"k\"\n[keys.app]\nsecret = \"ph-app\"\n",
        vendor.address
    ));
    let body = ask("Hi.", false).to_string();
    let signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00";
    for (authorization, words) in [
        (signed, "AWS_BEARER_TOKEN_BEDROCK"),
        ("Bearer wrong", "not one that is configured"),
        ("Basic x", "no API key"),
    ] {
        for path in [PATH, "/model/m/invoke"] {
            let got = house.post(path, &[("authorization", authorization)], body.as_bytes());
            assert_eq!((got.status, got.header("x-amzn-errortype")), (403, Some("AccessDeniedException")));
            assert!(got.text().contains(words), "{}", got.text());
        }
    }
    assert_eq!(vendor.calls(), 0);
    for authorization in ["Bearer ph-app", &signed.replace("AKIDEXAMPLE", "ph-app")] {
        let got = house.post(PATH, &[("authorization", authorization)], body.as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
    }
    // The vendor gets its own credential, and nothing of the signature.
    assert!(vendor.requests().iter().all(|request| !request.contains("AWS4") && !request.contains("ph-app")));
}
