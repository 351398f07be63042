//! The fleet's books: what was received, what it cost, and what never arrived.

use super::client::{chat, fleet, gemini, generate, message, post, request, send, streamed};
use crate::Fleet;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

async fn log(fleet: &Fleet, since: u64) -> Value {
    send(fleet, "GET", &format!("/_sim/log?since={since}"), &[], "").await.json()
}

async fn totals(fleet: &Fleet) -> Value {
    send(fleet, "GET", "/_sim/totals", &[], "").await.json()
}

#[tokio::test]
async fn the_log_has_bytes_headers_and_outcome_but_no_credential() {
    let fleet = fleet().await;
    let body = r#"{ "model":"gpt-4o",  "messages":[{"role":"user","content":"hi"}] }"#;
    let headers = [("authorization", "Bearer sk-very-secret"), ("x-mark", "7"), ("cookie", "a=secret-too")];
    send(&fleet, "POST", "/openai/v1/chat/completions?x=1", &headers, body).await;
    let got = log(&fleet, 0).await;
    let entry = &got["entries"][0];
    assert_eq!((&entry["body"], &entry["path"]), (&json!(body), &json!("/openai/v1/chat/completions?x=1")));
    assert_eq!(
        (&entry["headers"]["x-mark"], &entry["outcome"], &entry["status"]),
        (&json!("7"), &json!("completed"), &json!(200))
    );
    assert!(entry["headers"]["authorization"].as_str().unwrap().starts_with("sha256:"));
    assert!(!got.to_string().contains("secret"));
    assert_eq!(log(&fleet, got["last"].as_u64().unwrap()).await["entries"], json!([]));
    send(&fleet, "POST", "/_sim/reset", &[], "").await;
    assert_eq!(log(&fleet, 0).await["entries"], json!([]));
    assert_eq!(totals(&fleet).await, json!({}));
    fleet.shutdown().await;
}

#[tokio::test]
async fn totals_equal_the_sum_of_the_log() {
    let fleet = fleet().await;
    for model in
        ["gpt-4o", "gpt-5.5", "fault-cut-50", "fault-429", "fault-missing-usage", "fault-malformed-json"]
    {
        for ask in ["one", "two [[words:90]]"] {
            post(&fleet, "/v1/chat/completions", &chat(model, ask)).await;
            post(&fleet, "/v1/chat/completions", &streamed(chat(model, ask))).await;
        }
    }
    for model in ["claude-opus-4-7", "claude-haiku-4-5-20251001", "fault-cut-clean-50"] {
        post(&fleet, "/v1/messages", &streamed(message(model, &"word ".repeat(50)))).await;
    }
    let (log, totals) = (log(&fleet, 0).await, totals(&fleet).await);
    let mut sums: BTreeMap<(String, String), (u64, u64, u128, u64)> = BTreeMap::new();
    for entry in log["entries"].as_array().unwrap() {
        let key = |name: &str| entry[name].as_str().unwrap().to_owned();
        let sum = sums.entry((key("vendor"), key("model"))).or_default();
        let counted = entry["outcome"] == "completed" && entry["reported"] == true;
        sum.0 += 1;
        sum.1 += u64::from(counted);
        sum.2 += key("picousd").parse::<u128>().unwrap();
        sum.3 += entry["tokens"].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum::<u64>();
    }
    assert_eq!(sums.len(), 9);
    for ((vendor, model), (requests, completed, picousd, tokens)) in sums {
        let total = &totals[&vendor][&model];
        let all =
            |name: &str| total[name].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum::<u64>();
        assert_eq!(
            (&total["requests"], &total["completed"]),
            (&json!(requests), &json!(completed)),
            "{model}"
        );
        assert_eq!(total["picousd"], picousd.to_string(), "{model}");
        assert_eq!(all("tokens") + all("unfinished_tokens"), tokens, "{model}");
    }
    assert_eq!(
        (&totals["openai"]["fault-cut-50"]["cut"], &totals["openai"]["fault-cut-50"]["picousd"]),
        (&json!(4), &json!("0"))
    );
    assert_eq!(totals["openai"]["fault-missing-usage"]["unreported"], 4);
    assert_eq!(totals["anthropic"]["claude-haiku-4-5"]["completed"], 1);
    fleet.shutdown().await;
}

#[tokio::test]
async fn the_price_of_an_answer_follows_its_own_usage() {
    let fleet = fleet().await;
    let got = post(&fleet, "/v1/messages", &message("claude-opus-4-7", "hello")).await.json();
    let (input, output) =
        (got["usage"]["input_tokens"].as_u64().unwrap(), got["usage"]["output_tokens"].as_u64().unwrap());
    let billed = totals(&fleet).await["anthropic"]["claude-opus-4-7"].clone();
    assert_eq!(billed["picousd"], (input * 5_000_000 + output * 25_000_000).to_string());
    assert_eq!((&billed["tokens"]["input"], &billed["tokens"]["output"]), (&json!(input), &json!(output)));
    fleet.shutdown().await;
}

#[tokio::test]
async fn responses_and_gemini_are_billed_by_their_own_usage() {
    let fleet = fleet().await;
    let got = post(&fleet, "/v1/responses", &json!({"model": "gpt-5.5", "input": "hello"})).await.json();
    let usage = |name: &str| got["usage"][name].as_u64().unwrap();
    let billed = totals(&fleet).await["openai"]["gpt-5.5"].clone();
    let due = usage("input_tokens") * 5_000_000 + usage("output_tokens") * 30_000_000;
    assert_eq!(billed["picousd"], due.to_string());
    assert_eq!(billed["tokens"]["reasoning"], got["usage"]["output_tokens_details"]["reasoning_tokens"]);
    let mut request = generate("hello");
    request["serviceTier"] = json!("priority");
    let path = gemini("gemini-3-flash-preview", "streamGenerateContent?alt=sse&key=secret-key");
    let chunks = send(&fleet, "POST", &path, &[("authorization", "")], &request.to_string()).await.events();
    let usage = |name: &str| chunks.last().unwrap()["usageMetadata"][name].as_u64().unwrap();
    let output = usage("candidatesTokenCount") + usage("thoughtsTokenCount");
    let billed = totals(&fleet).await["gemini"]["gemini-3-flash-preview"].clone();
    assert_eq!(billed["picousd"], (usage("promptTokenCount") * 900_000 + output * 5_400_000).to_string());
    assert_eq!(billed["tokens"]["reasoning"], usage("thoughtsTokenCount"));
    let log = log(&fleet, 0).await;
    assert!(log["entries"][1]["path"].as_str().unwrap().contains("key=sha256:"), "{log}");
    assert!(!log.to_string().contains("secret-key"));
    let background = json!({"model": "gpt-4o", "input": "hello", "background": true});
    post(&fleet, "/v1/responses", &background).await;
    assert_eq!(totals(&fleet).await["openai"]["gpt-4o"]["unreported"], 1);
    fleet.shutdown().await;
}

#[tokio::test]
async fn calls_beyond_the_slots_wait_and_the_metrics_show_them() {
    let fleet = crate::start(crate::Options { slots: 1, ..crate::Options::default() }).await.unwrap();
    let stalled = streamed(chat("fault-stall-60000-50", "hello")).to_string();
    let mut first = request(&fleet, "POST", "/v1/chat/completions", &[], &stalled).await;
    first.read_exact(&mut [0; 20]).await.unwrap();
    let mut second =
        request(&fleet, "POST", "/v1/chat/completions", &[], &chat("gpt-4o", "hello").to_string()).await;
    let line = |name: &str, value: u8| format!("vllm:{name}{{model_name=\"sim\"}} {value}");
    let wanted =
        [line("num_requests_running", 1), line("num_requests_waiting", 1), line("kv_cache_usage_perc", 1)];
    let mut page = String::new();
    for _ in 0..500 {
        page = send(&fleet, "GET", "/metrics", &[], "").await.text();
        if page.contains(&wanted[1]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(wanted.iter().all(|w| page.contains(w)), "{page}");
    drop(first);
    let mut answer = Vec::new();
    second.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_and_counted_apart() {
    let fleet = fleet().await;
    for (model, body) in [
        ("fault-slow-stream-50", streamed(chat("fault-slow-stream-50", "hello"))),
        ("fault-stall-60000-50", streamed(chat("fault-stall-60000-50", "hello"))),
        ("fake-c1000-d50", streamed(chat("fake-c1000-d50", "hello"))),
        ("fault-slow-first-byte-60000", chat("fault-slow-first-byte-60000", "hello")),
    ] {
        let mut stream = request(&fleet, "POST", "/v1/chat/completions", &[], &body.to_string()).await;
        if !model.contains("first-byte") {
            stream.read_exact(&mut [0; 20]).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(stream);
        let mut counted = json!(null);
        for _ in 0..500 {
            counted = totals(&fleet).await["openai"][model].clone();
            if counted["client_gone"] == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(
            (&counted["client_gone"], &counted["completed"], &counted["picousd"]),
            (&json!(1), &json!(0), &json!("0")),
            "{model}"
        );
        assert!(counted["unfinished_tokens"]["input"].as_u64() > Some(0));
    }
    fleet.shutdown().await;
}
