//! Streams of text that break off and are continued by another call: spliced without a repeated or lost byte, both calls
//! counted, and told as broken off where nothing may be continued.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Outcome;
use pilothouse_core::usage::Provenance;
use serde_json::{Value, json};

use crate::harness::frames;
use crate::harness::http::{End, Got};
use crate::harness::reading::{self, Client};
use crate::harness::scripted::{self, Act, STREAM_HEAD, Scripted, chunk};
use crate::harness::{BOTH_VENDORS, House};

/// Long enough to be cut in the middle, with white space and characters of several bytes about.
const SAID: &str = "One tide carries the crew out,\n\nand the next one carries — slowly, über allem — the crew home again. \
                    A steady plan keeps the chart dry; a small test measures the current before noon.";

/// Models that continue a text, by the catalogue.
const CONTINUING: &str = "
[[model]]
platform = \"anthropic\"
id = \"fault-cut-50\"
as_of = \"2026-11-23\"
source = \"tests\"
capabilities = { prefill = true }
[[model]]
platform = \"anthropic\"
id = \"talks\"
as_of = \"2026-11-23\"
source = \"tests\"
context_tokens = 100000
output_tokens_max = 5000
capabilities = { prefill = true }
prices = [{ class = \"input\", usd_per_million = \"1\" }, { class = \"output\", usd_per_million = \"2\" }]
";

fn house(more: &str) -> House {
    let house = House::with(BOTH_VENDORS);
    std::fs::write(house.folder.path().join("continuing.toml"), CONTINUING).unwrap();
    let vendors = BOTH_VENDORS
        .replace("[catalog]", "[catalog]\nrefreshed = \"continuing.toml\"")
        // Calls follow each other at once here, and their budget of retries is not what is tested.
        .replace("[providers.anthropic]", "[providers.anthropic]\nbreaker = false");
    house.reload(&format!("{vendors}{more}")).unwrap();
    house
}

/// A gateway before a vendor of Anthropic's dialect that follows a script, and a route to it.
fn scripted(acts: Vec<Act>, more: &str) -> (House, Scripted) {
    let vendor = Scripted::start(acts);
    let provider = format!(
        "[providers.box]\ndialect = \"anthropic-messages\"\nplatform = \"anthropic\"\nbase_url = \"http://{}\"\n\
         [routes.talk]\ntargets = [\"box/talks\"]\n{more}",
        vendor.address
    );
    (house(&provider), vendor)
}

fn event(value: &Value) -> Vec<u8> {
    chunk(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap()).as_bytes())
}

/// A stream of Anthropic's that says `text` in pieces of a few characters; cut before its end, where it is.
fn says(text: &str, input: u64, is_whole: bool) -> Act {
    let usage = json!({"input_tokens": input, "output_tokens": 1});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "talks", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage});
    let mut pieces = vec![STREAM_HEAD.as_bytes().to_vec()];
    pieces.push(event(&json!({"type": "message_start", "message": message})));
    pieces.push(event(
        &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    ));
    let characters: Vec<char> = text.chars().collect();
    for some in characters.chunks(7) {
        let text: String = some.iter().collect();
        pieces.push(event(&json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})));
    }
    if is_whole {
        pieces.push(event(&json!({"type": "content_block_stop", "index": 0})));
        pieces.push(event(
            &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
            "usage": {"output_tokens": 30}}),
        ));
        pieces.push(event(&json!({"type": "message_stop"})));
        pieces.push(scripted::LAST_CHUNK.to_vec());
    }
    Act::Write(pieces)
}

fn ask(house: &House, client: Client, model: &str) -> Got {
    let body = client.ask(model, &format!("{} [[say:{SAID}]]", client.name()), true);
    house.post(&client.path_to(model, true), &[], body.to_string().as_bytes())
}

/// A byte of the text at about that share, where a character begins.
fn at(percent: usize) -> usize {
    (0..=SAID.len() * percent / 100).rev().find(|at| SAID.is_char_boundary(*at)).unwrap()
}

fn prefill_of(request: &str) -> String {
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let last = body["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["role"], "assistant", "{body}");
    last["content"][0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_cut_stream_is_continued_without_a_repeated_or_lost_byte() {
    for client in Client::FOUR {
        // Behind white space: "out,\n\n" ends the first part.
        let first = SAID.find("and the next").unwrap();
        let second = at(70);
        let (trimmed, space) = (SAID[..first].trim_end().len(), first);
        assert!(trimmed < space);
        let acts = vec![
            says(&SAID[..first], 40, false),
            says(&SAID[trimmed..second], 50, false),
            says(&SAID[SAID[..second].trim_end().len()..], 60, true),
        ];
        let (house, vendor) = scripted(acts, "resume = true\n");
        let got = ask(&house, client, "talk");
        let read = reading::stream(client, &got.body);
        let label = client.name();
        assert_eq!((got.status, got.end), (200, End::Whole), "{label}");
        assert_eq!((read.text.as_str(), read.error.as_ref()), (SAID, None), "{label}: {}", got.text());
        assert!(read.is_terminated, "{label}");
        let requests = vendor.requests();
        assert_eq!(requests.len(), 3, "{label}");
        assert_eq!(prefill_of(&requests[1]), SAID[..trimmed], "{label}: no white space at its end");
        assert_eq!(prefill_of(&requests[2]), SAID[..second].trim_end(), "{label}");
        let record = house.record(&got);
        assert_eq!(record.outcome, Outcome::Complete, "{label}");
        // Both calls that broke off had told their input; the last one told all.
        assert_eq!(record.bill.usage.input, 40 + 50 + 60, "{label}: {:?}", record.bill);
        assert_eq!(record.bill.provenance, Provenance::Partial, "{label}");
        assert!(
            record.bill.estimated_output > 0 && record.bill.cost.known().is_some(),
            "{label}: {:?}",
            record.bill
        );
        let receipt = record.receipt.unwrap();
        assert_eq!(receipt.answers.len(), 2, "{label}");
        assert_eq!(
            receipt.notes.iter().filter(|note| note.code == "resume").count(),
            2,
            "{label}: {:?}",
            receipt.notes
        );
    }
}

#[test]
fn a_stream_is_continued_twice_and_then_told_to_have_broken_off() {
    let (house, vendor) = scripted(vec![says("So far, so good", 10, false)], "resume = true\n");
    let got = ask(&house, Client::Openai, "talk");
    let read = reading::stream(Client::Openai, &got.body);
    assert_eq!(vendor.calls(), 3);
    assert_eq!(read.text, "So far, so good".repeat(3));
    assert!(read.error.is_some() && !read.is_terminated && got.end == End::Broken, "{read:?}");
    let record = house.record(&got);
    assert!(matches!(record.outcome, Outcome::Failed(_)));
    assert_eq!(record.bill.usage.input, 30, "{:?}", record.bill);
}

#[test]
fn what_may_not_be_continued_breaks_off_as_ever() {
    // A route that does not say so; a model that the catalogue does not know to continue; an answer of a given form; a
    // beginning of the client's own.
    let cases = [("", json!({})), ("resume = true\n", json!({"response_format": {"type": "json_object"}}))];
    for (more, members) in cases {
        let (house, vendor) = scripted(vec![says("So far, so good", 10, false)], more);
        let mut body = Client::Openai.ask("talk", "Hello.", true);
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let got = house.chat(&body);
        let read = reading::stream(Client::Openai, &got.body);
        assert_eq!(
            (vendor.calls(), read.text.as_str()),
            (1, "So far, so good"),
            "{more}{members}: {}",
            got.text()
        );
        assert!(read.error.is_some() && got.end == End::Broken, "{more}{members}: {read:?}");
    }
    let house = house("[routes.other]\ntargets = [\"openai/fault-cut-50\"]\nresume = true\n");
    let got = ask(&house, Client::Openai, "other");
    assert_eq!(house.fleet.log().len(), 1);
    assert!(reading::stream(Client::Openai, &got.body).error.is_some());
}

#[test]
fn a_second_call_that_comes_to_nothing_leaves_the_first_ones_ending() {
    let refusal = scripted::json(
        "500 Internal Server Error",
        "",
        "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"no\"}}",
    );
    let (house, vendor) =
        scripted(vec![says("So far", 10, false), Act::Write(vec![refusal])], "resume = true\n");
    let got = ask(&house, Client::Anthropic, "talk");
    let read = reading::stream(Client::Anthropic, &got.body);
    assert_eq!((vendor.calls(), read.text.as_str(), got.end), (2, "So far", End::Broken));
    assert!(read.error.is_some_and(|(_, said)| said.contains("`box`")));
    let record = house.record(&got);
    assert_eq!(record.bill.usage.input, 10, "a refusal is not billed: {:?}", record.bill);
}

#[test]
fn the_strict_fleet_takes_what_continues_a_text_and_goes_on_from_it() {
    let house = house("[routes.talk]\ntargets = [\"anthropic/fault-cut-50\"]\nresume = true\n");
    for client in [Client::Openai, Client::Anthropic] {
        let before = house.fleet.log().len();
        let got = ask(&house, client, "talk");
        let read = reading::stream(client, &got.body);
        let log = house.fleet.log();
        let statuses: Vec<_> = log[before..].iter().map(|entry| entry["status"].as_u64()).collect();
        assert_eq!(statuses, [Some(200); 3], "{}", client.name());
        // Half, half of the rest, half of that: what has come begins the answer exactly.
        assert!(SAID.starts_with(&read.text), "{}: {:?}", client.name(), read.text);
        assert!(read.text.len() * 10 > SAID.len() * 7, "{}: {:?}", client.name(), read.text);
        assert!(read.error.is_some() && !read.is_terminated);
        let told = house.record(&got).bill;
        let billed: u64 = log[before..].iter().map(|entry| entry["tokens"]["input"].as_u64().unwrap()).sum();
        assert_eq!(told.usage.input, billed, "the inputs of all three calls");
    }
}

/// Goes on from a text, as the catalogue and its rules know it.
const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// Bedrock's stream that says `text` in pieces of a few characters. Only a whole one tells what it used.
fn says_as_bedrock(text: &str, input: u64, is_whole: bool) -> Act {
    let mut pieces = vec![BEDROCK_HEAD.as_bytes().to_vec()];
    let mut tell = |name: &str, data: Value| {
        pieces.push(chunk(&frames::write("event", name, data.to_string().as_bytes())));
    };
    tell("messageStart", json!({"role": "assistant"}));
    let characters: Vec<char> = text.chars().collect();
    for some in characters.chunks(7) {
        let text: String = some.iter().collect();
        tell("contentBlockDelta", json!({"delta": {"text": text}, "contentBlockIndex": 0}));
    }
    if is_whole {
        tell("contentBlockStop", json!({"contentBlockIndex": 0}));
        tell("messageStop", json!({"stopReason": "end_turn"}));
        let usage = json!({"inputTokens": input, "outputTokens": 30, "totalTokens": input + 30});
        tell("metadata", json!({"usage": usage, "metrics": {"latencyMs": 7}}));
        pieces.push(scripted::LAST_CHUNK.to_vec());
    }
    Act::Write(pieces)
}

const BEDROCK_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";

/// A gateway before a vendor of Bedrock's dialect that follows a script, and a route to it.
fn scripted_bedrock(acts: Vec<Act>) -> (House, Scripted) {
    let vendor = Scripted::start(acts);
    let provider = format!(
        "[providers.box]\ndialect = \"bedrock-converse\"\nplatform = \"bedrock\"\nbase_url = \"http://{}\"\n\
         api_key = \"bedrock-key\"\n[routes.talk]\ntargets = [\"box/{CLAUDE}\"]\nresume = true\n",
        vendor.address
    );
    (house(&provider), vendor)
}

/// The same, ended by an exception inside the stream.
fn says_and_errs(text: &str) -> Act {
    let Act::Write(mut pieces) = says_as_bedrock(text, 40, false) else { unreachable!() };
    let payload = json!({"message": "The system encountered an unexpected error during processing. Try your request again."});
    pieces.push(chunk(&frames::write(
        "exception",
        "internalServerException",
        payload.to_string().as_bytes(),
    )));
    pieces.push(scripted::LAST_CHUNK.to_vec());
    Act::Write(pieces)
}

/// The last message that Bedrock was sent, and how many tokens it may write.
fn bedrock_prefill(request: &str) -> (Value, u64) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let path = format!("/model/{}/converse-stream", CLAUDE.replace(':', "%3A"));
    assert!(head.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    let limit = body["inferenceConfig"]["maxTokens"].as_u64().unwrap();
    (body["messages"].as_array().unwrap().last().unwrap().clone(), limit)
}

#[test]
fn a_cut_event_stream_of_bedrock_is_continued_for_every_client() {
    for client in Client::FOUR {
        let label = client.name();
        let first = SAID.find("and the next").unwrap();
        let trimmed = SAID[..first].trim_end().len();
        let second = at(70);
        let acts = vec![
            says_as_bedrock(&SAID[..first], 40, false),
            says_as_bedrock(&SAID[trimmed..second], 50, false),
            says_as_bedrock(&SAID[SAID[..second].trim_end().len()..], 60, true),
        ];
        let (house, vendor) = scripted_bedrock(acts);
        let mut body = client.ask("talk", "Tell me.", true);
        match client {
            Client::Openai => body["max_completion_tokens"] = 400.into(),
            Client::Anthropic => body["max_tokens"] = 400.into(),
            Client::Responses => body["max_output_tokens"] = 400.into(),
            Client::Gemini => body["generationConfig"] = json!({"maxOutputTokens": 400}),
        }
        let got = house.post(&client.path_to("talk", true), &[], body.to_string().as_bytes());
        let read = reading::stream(client, &got.body);
        assert_eq!((got.status, got.end), (200, End::Whole), "{label}: {}", got.text());
        assert_eq!((read.text.as_str(), read.error.as_ref()), (SAID, None), "{label}: {}", got.text());
        assert!(read.is_terminated, "{label}");
        let requests = vendor.requests();
        assert_eq!(requests.len(), 3, "{label}");
        let said = |text: &str| json!({"role": "assistant", "content": [{"text": text}]});
        let (begun, less) = bedrock_prefill(&requests[1]);
        assert_eq!(begun, said(&SAID[..trimmed]), "{label}: no white space at its end");
        let (more, least) = bedrock_prefill(&requests[2]);
        assert_eq!(more, said(SAID[..second].trim_end()), "{label}");
        assert!(least < less && less < 400, "{label}: what was written counts: {less}, then {least}");
        let record = house.record(&got);
        assert_eq!(record.outcome, Outcome::Complete, "{label}");
        assert_eq!(record.target.as_ref().unwrap().dialect, Dialect::BedrockConverse, "{label}");
        // Bedrock tells what a call has used at its end only, so that those of the first two are estimated.
        assert_eq!(
            (record.bill.usage.input, record.bill.usage.output),
            (60, 30),
            "{label}: {:?}",
            record.bill
        );
        assert_eq!(record.bill.provenance, Provenance::Partial, "{label}");
        assert!(record.bill.estimated_output > 0, "{label}: {:?}", record.bill);
        let receipt = record.receipt.unwrap();
        assert_eq!(receipt.answers.len(), 2, "{label}");
        let resumed = receipt.notes.iter().filter(|note| note.code == "resume").count();
        assert_eq!(resumed, 2, "{label}: {:?}", receipt.notes);
    }
}

#[test]
fn a_bedrock_client_reads_one_event_stream_of_a_continued_answer() {
    let first = at(40);
    let acts = vec![
        says_and_errs(&SAID[..first]),
        says_as_bedrock(&SAID[SAID[..first].trim_end().len()..], 60, true),
    ];
    let (house, vendor) = scripted_bedrock(acts);
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Tell me."}]}], "inferenceConfig": {"maxTokens": 400}});
    let got = house.post("/model/talk/converse-stream", &[], body.to_string().as_bytes());
    assert_eq!((got.status, got.end, vendor.calls()), (200, End::Whole, 2), "{}", got.text());
    let frames = frames::read(&got.body);
    let count = |name: &str| frames.iter().filter(|frame| frame.name == name).count();
    assert_eq!(["messageStart", "messageStop", "metadata"].map(count), [1, 1, 1]);
    let text: String = frames.iter().filter_map(|frame| frame.data["delta"]["text"].as_str()).collect();
    assert_eq!(text, SAID);
}

#[test]
fn the_strict_fleets_bedrock_goes_on_from_what_it_is_given() {
    // A name of the fleet's that breaks off, told as the Claude that it stands for.
    let house = house(&format!(
        "[providers.bedrock]\ndialect = \"bedrock-converse\"\nplatform = \"bedrock\"\nbase_url = \"http://FLEET/bedrock\"\n\
         api_key = \"ABSK-upstream-bedrock\"\nbreaker = false\ndeployments = {{ fault-cut-50 = \"{CLAUDE}\" }}\n\
         [routes.talk]\ntargets = [\"bedrock/fault-cut-50\"]\nresume = true\n"
    ));
    for client in Client::FOUR {
        let before = house.fleet.log().len();
        let got = ask(&house, client, "talk");
        let read = reading::stream(client, &got.body);
        let log = house.fleet.log();
        let statuses: Vec<_> = log[before..].iter().map(|entry| entry["status"].as_u64()).collect();
        assert_eq!(statuses, [Some(200); 3], "{}: {}", client.name(), got.text());
        assert!(SAID.starts_with(&read.text), "{}: {:?}", client.name(), read.text);
        assert!(read.text.len() * 10 > SAID.len() * 7, "{}: {:?}", client.name(), read.text);
        assert!(read.error.is_some() && !read.is_terminated, "{}", client.name());
    }
}
