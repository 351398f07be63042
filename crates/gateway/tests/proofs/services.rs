//! What models do besides talking: each call reaches its vendor as it came, and its record says what it cost.

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Provenance;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::forms::{form, send, send_chunked};
use crate::harness::http::{End, Got};
use crate::harness::scripted::{Act, LAST_CHUNK, STREAM_HEAD, Scripted, chunk};

/// Both vendors at the fleet, and one that ranks.
const THREE: &str = r#"
[providers.openai]
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-openai"

[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "sk-upstream-anthropic"

[providers.cohere]
rerank_url = "http://FLEET/openai/v2/rerank"
api_key = "sk-upstream-cohere"
"#;

fn post(house: &House, path: &str, body: &Value) -> Got {
    let got = house.post(path, &[], body.to_string().as_bytes());
    assert_eq!((got.status, got.end), (200, End::Whole), "{path}: {}", got.text());
    got
}

fn dollars(micros: i128) -> Cost {
    Cost::Known(PicoUsd(micros * 1_000_000))
}

fn events(got: &Got) -> Vec<Value> {
    let text = got.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn legacy_completions_pass_with_echo_and_logprobs() {
    let house = House::with(THREE);
    let body = json!({"model": "openai/gpt-3.5-turbo-instruct", "prompt": "Say. [[say:one two]]", "echo": true, "logprobs": 2, "max_tokens": 9});
    let got = post(&house, "/v1/completions", &body);
    let answer = got.json();
    assert_eq!(answer["choices"][0]["text"], "Say. [[say:one two]]one two");
    assert!(answer["choices"][0]["logprobs"]["tokens"].as_array().unwrap().len() > 2);
    assert_eq!(house.fleet.last()["path"], "/openai/v1/completions");
    let record = house.record(&got);
    assert_eq!((record.outcome, record.bill.usage.output), (Outcome::Complete, 2));
    assert_eq!(record.bill.usage.input, answer["usage"]["prompt_tokens"].as_u64().unwrap());
    assert!(matches!(record.bill.cost, Cost::Known(PicoUsd(1..))), "{:?}", record.bill.cost);
}

#[test]
fn usage_of_streamed_completions_is_asked_for_and_withheld() {
    let house = House::with(THREE);
    let ask = |options: Value| {
        let mut body = json!({"model": "gpt-3.5-turbo-instruct", "prompt": "Say. [[say:one two three]]", "stream": true});
        if !options.is_null() {
            body["stream_options"] = options;
        }
        post(&house, "/v1/completions", &body)
    };
    let unasked = ask(Value::Null);
    let seen = events(&unasked);
    assert!(
        unasked.text().ends_with("data: [DONE]\n\n")
            && seen.iter().all(|event| event["choices"][0].is_object())
    );
    let text: String = seen.iter().map(|event| event["choices"][0]["text"].as_str().unwrap()).collect();
    assert_eq!(text, "one two three");
    let asked = ask(json!({"include_usage": true}));
    assert_eq!(events(&asked).last().unwrap()["usage"]["completion_tokens"], 3);
    for got in [unasked, asked] {
        let record = house.record(&got);
        assert_eq!((record.bill.provenance, record.bill.usage.output), (Provenance::Reported, 3));
        assert!(record.timings.first_token_us.is_some());
    }
}

#[test]
fn completions_of_a_vendor_without_them_say_what_to_do() {
    let house = House::with(THREE);
    let body = json!({"model": "claude-sonnet-4-5", "prompt": "x"});
    let got = house.post("/v1/completions", &[], body.to_string().as_bytes());
    assert_eq!(got.status, 400);
    let message = got.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("/v1/chat/completions") && message.contains("exactly"), "{message}");
    assert!(house.fleet.log().is_empty());
    assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::BadRequest));
}

#[test]
fn moderations_go_to_the_vendor_of_their_model_or_to_who_has_one() {
    let house = House::with(THREE);
    for body in [
        json!({"input": "violence"}),
        json!({"model": "omni-moderation-latest", "input": ["hello", "violence"]}),
        json!({"model": "openai/omni-moderation-latest", "input": [{"type": "text", "text": "violence"}]}),
    ] {
        let got = post(&house, "/v1/moderations", &body);
        let results = got.json()["results"].as_array().unwrap().clone();
        assert_eq!(results.last().unwrap()["flagged"], true);
        let record = house.record(&got);
        assert_eq!(&*record.target.unwrap().model, "omni-moderation-latest");
        assert_eq!(record.answer.model.as_deref(), Some("omni-moderation-latest"));
    }
    let sent: Value = house.fleet.last()["body"].clone();
    let sent = sent.as_str().map_or(sent.clone(), |text| serde_json::from_str(text).unwrap());
    assert_eq!(sent["model"], "omni-moderation-latest", "{sent}");
    let got = house.post("/v1/moderations", &[], br#"{"model":"claude-sonnet-4-5","input":"x"}"#);
    assert!(got.status == 404 || got.status == 400, "{}", got.text());
}

#[test]
fn ranks_are_billed_by_searches_or_by_tokens() {
    let house = House::with(THREE);
    let documents = json!(["a cat", "a dog and a cat", "rain"]);
    for path in ["/v1/rerank", "/v2/rerank"] {
        let body =
            json!({"model": "cohere/rerank-v3.5", "query": "dog cat", "documents": documents, "top_n": 2});
        let got = post(&house, path, &body);
        let results = got.json()["results"].clone();
        assert_eq!((&results[0]["index"], results.as_array().unwrap().len()), (&json!(1), 2));
        assert_eq!(house.fleet.last()["path"], "/openai/v2/rerank");
        let record = house.record(&got);
        assert_eq!((record.bill.cost, record.bill.provenance), (dollars(2000), Provenance::Reported));
        let notes = record.receipt.unwrap().notes;
        assert!(notes.iter().any(|note| note.code == "count:search" && &*note.detail == "1"), "{notes:?}");
    }
    let body = json!({"model": "cohere/jina-reranker-v3", "query": "cat", "documents": documents, "return_documents": true});
    let got = post(&house, "/v1/rerank", &body);
    assert_eq!(got.json()["results"][0]["document"]["text"], "a cat");
    let record = house.record(&got);
    assert_eq!(record.bill.usage.input, got.json()["usage"]["total_tokens"].as_u64().unwrap());
    let got =
        house.post("/v1/rerank", &[], br#"{"model":"openai/rerank-v3.5","query":"a","documents":["a"]}"#);
    assert_eq!(got.status, 400);
    assert!(got.text().contains("rerank_url"), "{}", got.text());
}

#[test]
fn pictures_are_priced_as_pictures_streamed_or_not() {
    let house = House::with(THREE);
    let mut body =
        json!({"model": "openai/gpt-image-1", "prompt": "a cat on a boat", "quality": "low", "n": 2});
    let got = post(&house, "/v1/images/generations", &body);
    assert_eq!(got.json()["data"].as_array().unwrap().len(), 2);
    assert!(got.body.len() > 100_000, "pictures are large");
    let record = house.record(&got);
    // Five words at 5 dollars a million, two pictures of 272 tokens at 40: the catalogue's prices, by hand.
    assert_eq!((record.bill.usage.input, record.bill.usage.output), (5, 544));
    assert_eq!(record.bill.cost, Cost::Known(PicoUsd(5 * 5_000_000 + 544 * 40_000_000)));
    body["stream"] = true.into();
    body["partial_images"] = 2.into();
    body["n"] = 1.into();
    let got = post(&house, "/v1/images/generations", &body);
    let kinds: Vec<String> =
        events(&got).iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        kinds,
        ["image_generation.partial_image", "image_generation.partial_image", "image_generation.completed"]
    );
    let record = house.record(&got);
    assert_eq!((record.outcome, record.streamed, record.bill.usage.output), (Outcome::Complete, true, 272));
    assert_eq!(record.bill.cost, Cost::Known(PicoUsd(5 * 5_000_000 + 272 * 40_000_000)));
}

#[test]
fn forms_pass_whatever_the_order_of_their_fields_and_however_they_come() {
    let house = House::with(THREE);
    let picture = vec![7; 300_000];
    let image = ("name=\"image[]\"; filename=\"a.png\"", Some("image/png"), &picture[..]);
    let (prompt, model) =
        (("name=\"prompt\"", None, &b"a cat"[..]), ("name=\"model\"", None, &b"openai/gpt-image-1"[..]));
    let size = ("name=\"quality\"", None, &b"high"[..]);
    for fields in [[model, prompt, size, image], [image, prompt, size, model]] {
        let body = form(&fields);
        for got in [
            send(house.address, "/v1/images/edits", &[], &body),
            send_chunked(house.address, "/v1/images/edits", &body, 10_007),
        ] {
            assert_eq!(got.status, 200, "{}", got.text());
            let usage = got.json()["usage"].clone();
            assert_eq!(usage["input_tokens_details"]["image_tokens"], 323, "the picture arrived whole");
            let record = house.record(&got);
            assert_eq!(record.bill.usage.total(), usage["total_tokens"].as_u64().unwrap());
            let cost = 2 * 5_000_000 + 323 * 10_000_000 + 4160 * 40_000_000;
            assert_eq!(record.bill.cost, Cost::Known(PicoUsd(cost)));
            assert!(record.receipt.unwrap().edits.iter().any(|note| note.code == "set:model"));
        }
    }
    let got = send(
        house.address,
        "/v1/images/variations",
        &[],
        &form(&[model, ("name=\"image\"; filename=\"a.png\"", Some("image/png"), &picture)]),
    );
    assert_eq!(got.status, 200, "{}", got.text());
}

#[test]
fn what_is_heard_is_counted_in_tokens_or_in_seconds() {
    let house = House::with(THREE);
    let sound = vec![1; 90_000];
    let file = ("name=\"file\"; filename=\"a.wav\"", Some("audio/wav"), &sound[..]);
    let ask = |path: &str, model: &'static [u8], more: &[crate::harness::forms::Field<'_>]| {
        let mut fields = vec![file, ("name=\"model\"", None, model)];
        fields.extend(more);
        let got = send(house.address, path, &[], &form(&fields));
        assert_eq!((got.status, got.end), (200, End::Whole), "{}", got.text());
        got
    };
    let got = ask("/v1/audio/transcriptions", b"gpt-4o-transcribe", &[]);
    let record = house.record(&got);
    assert_eq!((record.bill.usage.input_audio, record.bill.usage.input), (90, 0));
    assert!(matches!(record.bill.cost, Cost::Known(PicoUsd(1..))));
    let got =
        ask("/v1/audio/transcriptions", b"openai/gpt-4o-transcribe", &[("name=\"stream\"", None, b"true")]);
    assert_eq!(events(&got).last().unwrap()["type"], "transcript.text.done");
    assert_eq!(house.record(&got).bill.usage.input_audio, 90);
    let got = ask("/v1/audio/translations", b"whisper-1", &[]);
    // Ninety seconds at 0.006 dollars a minute.
    assert_eq!(house.record(&got).bill.cost, dollars(9000));
    let got = ask("/v1/audio/transcriptions", b"whisper-1", &[("name=\"response_format\"", None, b"srt")]);
    assert!(got.text().contains("-->") && got.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(house.record(&got).bill.cost, Cost::Unknown, "an answer that counts nothing");
}

#[test]
fn speech_comes_as_sound_or_as_events() {
    let house = House::with(THREE);
    let mut body = json!({"model": "gpt-4o-mini-tts", "input": "one two three four five", "voice": "alloy"});
    let got = post(&house, "/v1/audio/speech", &body);
    assert_eq!((got.header("content-type"), got.body.len()), (Some("audio/mpeg"), 5 * 4096));
    assert_eq!(got.header("content-length"), Some("20480"));
    let record = house.record(&got);
    assert_eq!((record.outcome, record.bill.provenance), (Outcome::Complete, Provenance::Absent));
    body["stream_format"] = "sse".into();
    let got = post(&house, "/v1/audio/speech", &body);
    let record = house.record(&got);
    assert_eq!((record.bill.usage.input, record.bill.usage.output), (5, 20));
    assert_eq!(record.streamed, events(&got).len() == 6);
}

#[test]
fn broken_answers_never_look_whole() {
    let house = House::with(THREE);
    let refused = |model: &str| {
        let body = json!({"model": model, "input": "x"});
        let got = house.post("/v1/moderations", &[], body.to_string().as_bytes());
        (got.status, house.record(&got).outcome)
    };
    assert_eq!(refused("openai/fault-cut-50"), (502, Outcome::Failed(Kind::Cut)));
    assert_eq!(refused("openai/fault-malformed-json"), (502, Outcome::Failed(Kind::BadAnswer)));
    assert_eq!(refused("openai/fault-wrong-content-type"), (502, Outcome::Failed(Kind::BadAnswer)));
    assert_eq!(refused("openai/fault-503"), (503, Outcome::Failed(Kind::Overloaded)));
    assert_eq!(refused("openai/fault-500-once"), (200, Outcome::Complete));
    let body = json!({"model": "openai/fault-cut-50", "input": "one two three four", "voice": "alloy"});
    let got = house.post("/v1/audio/speech", &[], body.to_string().as_bytes());
    assert_eq!((got.status, got.end), (200, End::Broken));
    assert!(got.body.len() < 4 * 4096);
    assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::Cut));
}

#[test]
fn a_stream_of_events_that_is_cut_ends_with_an_error() {
    let event = b"data: {\"type\":\"speech.audio.delta\",\"audio\":\"AAAA\"}\n\n";
    for clean in [true, false] {
        let mut pieces = vec![STREAM_HEAD.as_bytes().to_vec(), chunk(event)];
        if clean {
            pieces.push(LAST_CHUNK.to_vec());
        }
        let vendor = Scripted::start(vec![Act::Write(pieces)]);
        let house = House::with(&format!(
            "[providers.away]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\napi_key = \"sk-away\"\n",
            vendor.address
        ));
        let got = house.post(
            "/v1/audio/speech",
            &[],
            br#"{"model":"away/tts","input":"x","voice":"v","stream_format":"sse"}"#,
        );
        assert_eq!((got.status, got.end), (200, End::Broken), "{clean}");
        assert!(
            got.text().contains("\"error\"") && got.text().contains("speech.audio.delta"),
            "{}",
            got.text()
        );
        assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::Cut));
    }
}

#[test]
fn forms_that_two_readers_might_read_differently_reach_nobody_whole() {
    let house = House::with(THREE);
    let model = ("name=\"model\"", None, &b"whisper-1"[..]);
    let file = ("name=\"file\"; filename=\"a.wav\"", Some("audio/wav"), &b"x"[..]);
    let got = send(house.address, "/v1/audio/transcriptions", &[], &form(&[model, file, model]));
    assert_eq!(got.status, 400, "{}", got.text());
    assert!(got.text().contains("twice"), "{}", got.text());
    let got = send(house.address, "/v1/audio/transcriptions", &[], b"------proof\r\nnothing");
    assert_eq!(got.status, 400, "{}", got.text());
    assert!(house.fleet.log().is_empty());
}

#[test]
fn uploads_beyond_their_bounds_are_refused_in_the_dialect() {
    let house = House::with(&format!("[server]\nbody_bytes_max = 4000\nupload_bytes_max = 60000\n{THREE}"));
    let model = ("name=\"model\"", None, &b"whisper-1"[..]);
    let sound = vec![1; 50_000];
    fn file(bytes: &[u8]) -> crate::harness::forms::Field<'_> {
        ("name=\"file\"; filename=\"a.wav\"", Some("audio/wav"), bytes)
    }
    let path = "/v1/audio/transcriptions";
    let got = send(house.address, path, &[], &form(&[model, file(&sound)]));
    assert_eq!(got.status, 200, "an upload may be larger than a body: {}", got.text());
    let got = send(house.address, path, &[], &form(&[file(&sound), model]));
    assert_eq!(got.status, 413);
    assert!(got.text().contains("before the file"), "{}", got.text());
    let large = vec![1; 80_000];
    let got = send(house.address, path, &[], &form(&[model, file(&large)]));
    assert_eq!(
        (got.status, got.json()["error"]["message"].as_str().unwrap().contains("upload_bytes_max")),
        (413, true)
    );
    let got = send_chunked(house.address, path, &form(&[model, file(&large)]), 8_000);
    assert_eq!(got.status, 413, "{}", got.text());
    assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::TooLarge));
}

#[test]
fn what_is_not_listed_does_not_pass() {
    let house = House::with(THREE);
    for (method, path) in [
        ("GET", "/v1/fine_tuning/jobs"),
        ("GET", "/v1/organization/users"),
        ("GET", "/v1/files/..%2fmodels"),
        ("GET", "/v1/files/../organization"),
        ("POST", "/v1/vector_stores"),
        ("GET", "/p/openai/v1/organization/users"),
    ] {
        let got = crate::harness::http::call(house.address, method, path, &[], b"{}");
        assert_eq!(got.status, 404, "{method} {path}: {}", got.text());
    }
    assert_eq!(house.get("/v1/images/edits", &[]).status, 405);
    assert!(house.fleet.log().is_empty());
}
