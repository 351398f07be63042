//! Files, uploads and batches: they lie with a vendor, and later calls find their way there.

use pilothouse_core::exchange::Outcome;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Provenance;
use serde_json::{Value, json};

use crate::harness::forms::{form, send};
use crate::harness::http::{End, Got, call};
use crate::harness::scripted::{Act, Scripted};
use crate::harness::{BOTH_VENDORS, House};

/// Two accounts at OpenAI, one at Anthropic, and two who call.
fn two_accounts() -> House {
    let keys = "[keys.a]\nsecret = \"env:A\"\n[keys.b]\nsecret = \"env:B\"\n";
    let second = "[providers.second]\nvendor = \"openai\"\nbase_url = \"http://FLEET/openai/v1\"\napi_key = \"sk-second\"\n";
    House::with_secrets(&format!("{BOTH_VENDORS}\n{second}\n{keys}"), &[("A", "key-of-a"), ("B", "key-of-b")])
}

const A: (&str, &str) = ("authorization", "Bearer key-of-a");
const B: (&str, &str) = ("authorization", "Bearer key-of-b");

fn upload(house: &House, path: &str, headers: &[(&str, &str)], content: &[u8]) -> Got {
    let file = ("name=\"file\"; filename=\"in.jsonl\"", Some("application/jsonl"), content);
    send(house.address, path, headers, &form(&[("name=\"purpose\"", None, b"batch"), file]))
}

fn id(got: &Got) -> String {
    assert_eq!(got.status, 200, "{}", got.text());
    got.json()["id"].as_str().unwrap().to_owned()
}

fn lines(count: usize) -> Vec<u8> {
    let line = |at: usize| {
        let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello."}]});
        json!({"custom_id": at.to_string(), "method": "POST", "url": "/v1/chat/completions", "body": body})
            .to_string()
    };
    (0..count).map(line).collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn a_file_is_found_again_where_it_was_put() {
    let house = two_accounts();
    let made = id(&upload(&house, "/p/second/v1/files", &[A], b"{}\n"));
    assert_ne!(made, id(&upload(&house, "/v1/files", &[A], b"{}\n")));
    let got = house.get(&format!("/v1/files/{made}"), &[A]);
    assert_eq!((got.status, &got.json()["bytes"]), (200, &json!(3)), "{}", got.text());
    let got = house.get(&format!("/v1/files/{made}/content"), &[A]);
    assert_eq!((got.text().as_str(), got.end), ("{}\n", End::Whole));
    assert!(got.header("content-disposition").unwrap().contains("in.jsonl"));
    let record = house.record(&got);
    assert_eq!(&*record.target.unwrap().vendor, "second");
    assert_eq!((record.bill.cost, record.outcome), (Cost::Known(PicoUsd::ZERO), Outcome::Complete));
    let listed = house.get("/v1/files", &[A, ("x-pilothouse-provider", "second")]);
    assert_eq!(listed.json()["data"].as_array().unwrap().len(), 1, "each account has its own");
    let gone = call(house.address, "DELETE", &format!("/v1/files/{made}"), &[A], b"");
    assert_eq!(gone.json()["deleted"], true);
    assert_eq!(
        house.get(&format!("/v1/files/{made}"), &[A, ("x-pilothouse-provider", "second")]).status,
        404
    );
}

#[test]
fn a_file_of_one_key_is_nothing_to_another() {
    let house = two_accounts();
    let made = id(&upload(&house, "/v1/files", &[A], b"{}\n"));
    let before = house.fleet.log().len();
    for headers in [vec![B], vec![B, ("x-pilothouse-provider", "openai")]] {
        assert_eq!(house.get(&format!("/v1/files/{made}"), &headers).status, 404);
    }
    assert_eq!(house.get(&format!("/v1/files/{made}"), &[]).status, 401);
    assert_eq!(house.fleet.log().len(), before, "nobody was asked");
    let sent = house.fleet.last().to_string();
    assert!(!sent.contains("key-of-a") && !sent.contains("x-pilothouse-provider"), "{sent}");
}

#[test]
fn a_provider_that_is_not_there_is_named() {
    let house = House::open();
    for path in ["/p/nobody/v1/files", "/p/nobody/v1/batches"] {
        let got = house.get(path, &[]);
        assert_eq!(got.status, 404);
        assert!(got.text().contains("openai"), "{}", got.text());
    }
    let got = house.post(
        "/p/openai/v1/chat/completions",
        &[],
        br#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}"#,
    );
    assert_eq!(got.status, 200, "the same address serves chats: {}", got.text());
    let got = house.post(
        "/p/anthropic/v1/chat/completions",
        &[],
        br#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hi"}]}"#,
    );
    assert_eq!(&*house.record(&got).target.unwrap().vendor, "anthropic");
}

#[test]
fn a_batch_goes_where_its_file_lies_and_is_billed_once() {
    let house = two_accounts();
    let file = id(&upload(&house, "/p/second/v1/files", &[A], &lines(3)));
    let body = json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let made = house.post("/v1/batches", &[A], body.to_string().as_bytes());
    assert_eq!(&*house.record(&made).target.unwrap().vendor, "second");
    let batch = id(&made);
    let look = || house.get(&format!("/v1/batches/{batch}"), &[A]);
    let working = look();
    assert_eq!(working.json()["status"], "in_progress");
    assert_eq!(house.record(&working).bill.cost, Cost::Known(PicoUsd::ZERO));
    let done = look();
    assert_eq!(done.json()["status"], "completed", "{}", done.text());
    let record = house.record(&done);
    assert_eq!((record.bill.usage.input, record.bill.usage.output), (300, 30));
    assert_eq!(record.bill.provenance, Provenance::Reported);
    assert_eq!(
        (&*record.target.unwrap().model, record.answer.service_tier.as_deref()),
        ("gpt-4o", Some("batch"))
    );
    let again = house.record(&look());
    assert_eq!((again.bill.usage.total(), again.bill.cost), (0, Cost::Known(PicoUsd::ZERO)));
    let output = done.json()["output_file_id"].as_str().unwrap().to_owned();
    let results = house.get(&format!("/v1/files/{output}/content"), &[A]);
    assert_eq!(results.text().lines().count(), 3, "the results lie where the batch does: {}", results.text());
    assert_eq!(house.get(&format!("/v1/files/{output}"), &[B]).status, 404);
    let cancelled = house.post(&format!("/v1/batches/{batch}/cancel"), &[A], b"");
    assert_eq!(cancelled.json()["status"], "cancelling");
}

#[test]
fn uploads_in_parts_become_a_file() {
    let house = House::open();
    let body =
        json!({"filename": "a.bin", "purpose": "batch", "bytes": 700_000, "mime_type": "application/jsonl"});
    let made = id(&house.post("/v1/uploads", &[], body.to_string().as_bytes()));
    let part = |bytes: &[u8]| {
        let body = form(&[("name=\"data\"; filename=\"part\"", Some("application/octet-stream"), bytes)]);
        id(&send(house.address, &format!("/v1/uploads/{made}/parts"), &[], &body))
    };
    let parts = [part(&vec![1; 600_000]), part(&vec![2; 100_000])];
    let body = json!({"part_ids": parts}).to_string();
    let done = house.post(&format!("/v1/uploads/{made}/complete"), &[], body.as_bytes());
    assert_eq!(done.json()["status"], "completed", "{}", done.text());
    let file = done.json()["file"]["id"].as_str().unwrap().to_owned();
    let content = house.get(&format!("/v1/files/{file}/content"), &[]);
    assert!(content.body == [vec![1; 600_000], vec![2; 100_000]].concat());
    assert_eq!(content.header("content-length"), Some("700000"));
}

#[test]
fn anthropics_files_and_batches_are_told_apart_by_its_version() {
    let house = House::open();
    let version = ("anthropic-version", "2023-06-01");
    let beta = ("anthropic-beta", "files-api-2025-04-14");
    let file = ("name=\"file\"; filename=\"a.pdf\"", Some("application/pdf"), &b"%PDF"[..]);
    let got = send(house.address, "/v1/files", &[version, beta], &form(&[file]));
    let made = id(&got);
    assert_eq!(
        (&got.json()["type"], house.fleet.last()["path"].as_str()),
        (&json!("file"), Some("/anthropic/v1/files"))
    );
    assert_eq!(house.get(&format!("/v1/files/{made}"), &[version, beta]).json()["size_bytes"], 4);
    let refused = house.get("/v1/files", &[version]);
    assert_eq!((refused.status, &refused.json()["type"]), (400, &json!("error")), "the vendor's own words");
    let request =
        json!({"custom_id": "1", "params": {"model": "claude-sonnet-4-5", "max_tokens": 5, "messages": []}});
    let body = json!({"requests": [request]}).to_string();
    let batch = id(&house.post("/v1/messages/batches", &[version], body.as_bytes()));
    let look = || house.get(&format!("/v1/messages/batches/{batch}"), &[version]);
    assert_eq!(house.record(&look()).bill.cost, Cost::Known(PicoUsd::ZERO));
    let ended = house.record(&look());
    assert_eq!(
        (ended.bill.cost, ended.bill.provenance),
        (Cost::Unknown, Provenance::Absent),
        "unknown, never zero"
    );
    let results = house.get(&format!("/v1/messages/batches/{batch}/results"), &[version]);
    assert!(results.text().contains("succeeded"), "{}", results.text());
    assert_eq!(house.get("/v1/messages/batches/a%2fb", &[version]).status, 404);
}

#[test]
fn a_download_passes_as_it_comes_and_a_cut_one_is_seen() {
    let content = vec![b'x'; 3_000_000];
    let head = |length: usize| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes()
    };
    for (announced, end) in [(3_000_000, End::Whole), (3_000_001, End::Broken)] {
        let mut pieces = vec![head(announced)];
        pieces.extend(content.chunks(90_000).map(<[u8]>::to_vec));
        let vendor = Scripted::start(vec![Act::Write(pieces)]);
        let house = House::with(&format!(
            "[providers.away]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n",
            vendor.address
        ));
        let got = house.get("/v1/files/file-1/content?x=1&key=secret", &[("range", "bytes=0-")]);
        assert_eq!((got.status, got.end, got.body.len()), (200, end, 3_000_000));
        let sent = vendor.requests().swap_remove(0);
        assert!(
            sent.starts_with("GET /v1/files/file-1/content?x=1 HTTP/1.1\r\n")
                && sent.contains("range: bytes=0-"),
            "{sent}"
        );
        assert!(!sent.contains("secret"), "{sent}");
        let outcome = house.record(&got).outcome;
        assert_eq!(outcome == Outcome::Complete, end == End::Whole, "{outcome:?}");
    }
}

#[test]
fn what_makes_something_is_not_repeated() {
    let refusal = crate::harness::scripted::json("500 Oops", "", "{\"error\":{\"message\":\"no\"}}");
    let vendor = Scripted::start(vec![Act::Write(vec![refusal])]);
    let house = House::with(&format!(
        "[providers.away]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n",
        vendor.address
    ));
    let got = house.post("/v1/batches", &[], br#"{"input_file_id":"file-1"}"#);
    assert_eq!((got.status, vendor.calls()), (500, 1));
    let _: Value = got.json();
}
