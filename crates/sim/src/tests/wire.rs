//! Every dialect over the wire: plain, streamed, determinism, headers, models, metrics.

use super::client::{
    chat, fleet, gemini, generate, message, post, respond, respond_streamed, send, streamed,
};
use serde_json::{Value, json};

/// Puts a chat stream together again.
fn joined_chat(events: &[Value]) -> (String, Vec<(String, String)>, Option<String>) {
    let (mut text, mut calls, mut finish) = (String::new(), Vec::<(String, String)>::new(), None);
    for choice in events.iter().filter_map(|e| e["choices"].get(0)) {
        text += choice["delta"]["content"].as_str().unwrap_or_default();
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = call["index"].as_u64().unwrap() as usize;
            if let Some(name) = call["function"]["name"].as_str() {
                assert_eq!(index, calls.len());
                calls.push((name.to_owned(), String::new()));
            }
            calls[index].1 += call["function"]["arguments"].as_str().unwrap_or_default();
        }
        finish = choice["finish_reason"].as_str().map(str::to_owned).or(finish);
    }
    (text, calls, finish)
}

fn tools() -> Value {
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}})
    };
    json!([tool("get_weather"), tool("get_time")])
}

#[tokio::test]
async fn a_chat_stream_put_together_equals_the_plain_answer() {
    let fleet = fleet().await;
    for (model, ask) in [("gpt-4o", "What is a keel?"), ("gpt-5.5", "Why do ships float?")] {
        let plain = post(&fleet, "/v1/chat/completions", &chat(model, ask)).await;
        assert_eq!(plain.status, 200, "{}", plain.text());
        let stream = post(&fleet, "/v1/chat/completions", &streamed(chat(model, ask))).await;
        assert!(stream.complete && stream.text().ends_with("data: [DONE]\n\n"));
        let (plain, events) = (plain.json(), stream.events());
        let (text, _, finish) = joined_chat(&events);
        let choice = &plain["choices"][0];
        assert_eq!(
            (json!(text), json!(finish)),
            (choice["message"]["content"].clone(), choice["finish_reason"].clone())
        );
        let usage = &events.last().unwrap()["usage"];
        assert!(usage["completion_tokens"].as_u64() > Some(0));
        assert_eq!(events.last().unwrap()["choices"], json!([]));
        assert!(events[..events.len() - 1].iter().all(|e| e["usage"].is_null()));
        assert_eq!((&plain["usage"], &plain["id"]), (usage, &events[0]["id"]));
        let reasoning = plain["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap();
        assert_eq!(reasoning > 0, model == "gpt-5.5");
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn said_text_is_the_same_plain_and_streamed_in_both_dialects() {
    let fleet = fleet().await;
    let say = "[[say:Ahoy, this is the harbour master.]]";
    let said = "Ahoy, this is the harbour master.";
    let plain = post(&fleet, "/v1/chat/completions", &chat("gpt-4o", say)).await.json();
    assert_eq!(plain["choices"][0]["message"]["content"], said);
    let stream = post(&fleet, "/v1/chat/completions", &streamed(chat("gpt-4o", say))).await;
    assert_eq!(joined_chat(&stream.events()).0, said);
    let plain = post(&fleet, "/v1/messages", &message("claude-opus-4-7", say)).await.json();
    assert_eq!(plain["content"][0]["text"], said);
    let stream = post(&fleet, "/v1/messages", &streamed(message("claude-opus-4-7", say))).await;
    let text: String = stream.events().iter().filter_map(|e| e["delta"]["text"].as_str()).collect();
    assert_eq!(text, said);
    fleet.shutdown().await;
}

#[tokio::test]
async fn parallel_tool_calls_stream_in_fragments_under_their_index() {
    let fleet = fleet().await;
    let mut request = streamed(chat("gpt-4o", "get_weather and get_time for Oslo, please"));
    request["tools"] = tools();
    let got = post(&fleet, "/v1/chat/completions", &request).await;
    let (_, calls, finish) = joined_chat(&got.events());
    let names: Vec<&str> = calls.iter().map(|c| c.0.as_str()).collect();
    assert_eq!(names, ["get_weather", "get_time"]);
    for name in ["stream", "stream_options"] {
        request.as_object_mut().unwrap().remove(name);
    }
    let plain = post(&fleet, "/v1/chat/completions", &request).await.json();
    let ids = got
        .events()
        .iter()
        .filter_map(|e| e["choices"][0]["delta"]["tool_calls"][0]["id"].as_str().map(str::to_owned))
        .collect::<Vec<_>>();
    assert_eq!(
        json!(ids),
        json!(
            plain["choices"][0]["message"]["tool_calls"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| &c["id"])
                .collect::<Vec<_>>()
        )
    );
    assert!(calls.iter().all(|c| c.1 == r#"{"city":"Oslo"}"#), "{calls:?}");
    assert_eq!(finish.as_deref(), Some("tool_calls"));
    fleet.shutdown().await;
}

#[tokio::test]
async fn anthropic_events_follow_their_grammar_with_thinking_text_and_tools() {
    let fleet = fleet().await;
    let mut request = streamed(message("claude-sonnet-4-5", "get_weather and get_time for Oslo, please"));
    request["max_tokens"] = json!(4096);
    request["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    request["tools"] = json!(["get_weather", "get_time"].map(|n| json!({"name": n, "input_schema":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}})));
    let got = post(&fleet, "/v1/messages", &request).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let kinds: Vec<String> = got.events().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!((kinds[0].as_str(), kinds.last().unwrap().as_str()), ("message_start", "message_stop"));
    assert_eq!(kinds[kinds.len() - 2], "message_delta");
    assert!(kinds.contains(&"ping".to_owned()));
    let names: Vec<String> =
        got.text().lines().filter_map(|l| l.strip_prefix("event: ")).map(str::to_owned).collect();
    assert_eq!(names, kinds);
    let events = got.events();
    let mut open = None;
    for event in &events {
        let index = event["index"].as_u64();
        match event["type"].as_str().unwrap() {
            "content_block_start" => assert!(open.replace(index).is_none()),
            "content_block_delta" => assert_eq!(open, Some(index)),
            "content_block_stop" => assert_eq!(open.take(), Some(index)),
            _ => {}
        }
    }
    let of = |kind: &str| events.iter().filter(|e| e["delta"]["type"] == kind).count();
    assert!(of("thinking_delta") > 0 && of("signature_delta") == 1 && of("input_json_delta") > 2);
    let starts: Vec<&Value> = events.iter().filter(|e| e["type"] == "content_block_start").collect();
    let kinds: Vec<&str> = starts.iter().map(|e| e["content_block"]["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["thinking", "tool_use", "tool_use"]);
    assert_eq!(events[events.len() - 2]["delta"]["stop_reason"], "tool_use");
    fleet.shutdown().await;
}

#[tokio::test]
async fn equal_seeds_and_requests_give_equal_bytes() {
    let (one, two) = (fleet().await, fleet().await);
    for (path, request) in [
        ("/v1/chat/completions", streamed(chat("gpt-4o", "Tell me of the sea"))),
        ("/v1/messages", message("claude-opus-4-6", "Tell me of the sea")),
        ("/v1/responses", respond_streamed("gpt-5.5", "Tell me of the sea")),
        ("/v1beta/models/gemini-2.5-pro:streamGenerateContent", generate("Tell me of the sea")),
    ] {
        let (a, b) = (post(&one, path, &request).await, post(&two, path, &request).await);
        assert_eq!(a.text(), b.text());
    }
    let other = crate::start(crate::Options { seed: 2, ..crate::Options::default() }).await.unwrap();
    let request = chat("gpt-4o", "Tell me of the sea");
    let (a, b) = (
        post(&one, "/v1/chat/completions", &request).await,
        post(&other, "/v1/chat/completions", &request).await,
    );
    assert_ne!(a.text(), b.text());
    for fleet in [one, two, other] {
        fleet.shutdown().await;
    }
}

#[tokio::test]
async fn answers_carry_the_headers_of_their_vendor_and_those_to_be_filtered() {
    let fleet = fleet().await;
    let got = post(&fleet, "/openai/v1/chat/completions", &chat("gpt-4o", "hi")).await;
    for name in [
        "x-request-id",
        "openai-processing-ms",
        "openai-organization",
        "set-cookie",
        "x-ratelimit-remaining-tokens",
    ] {
        assert!(got.header(name).is_some(), "{name}");
    }
    let got = post(&fleet, "/anthropic/v1/messages", &message("claude-opus-4-6", "hi")).await;
    for name in
        ["request-id", "anthropic-organization-id", "set-cookie", "anthropic-ratelimit-requests-remaining"]
    {
        assert!(got.header(name).is_some(), "{name}");
    }
    let got = post(&fleet, &gemini("gemini-2.5-pro", "generateContent"), &generate("hi")).await;
    for name in ["server-timing", "x-frame-options", "alt-svc", "x-gemini-service-tier"] {
        assert!(got.header(name).is_some(), "{name}");
    }
    assert!(got.header("set-cookie").is_none());
    fleet.shutdown().await;
}

#[tokio::test]
async fn models_are_listed_in_the_callers_dialect() {
    let fleet = fleet().await;
    let got = send(&fleet, "GET", "/v1/models", &[], "").await.json();
    assert!(got["data"].as_array().unwrap().iter().any(|m| m["id"] == "gpt-5.5" && m["object"] == "model"));
    let version = [("anthropic-version", "2023-06-01")];
    let got = send(&fleet, "GET", "/v1/models?limit=3", &version, "").await.json();
    assert_eq!((got["data"].as_array().unwrap().len(), &got["has_more"]), (3, &json!(true)));
    let got = send(&fleet, "GET", "/v1/models/claude-opus-4-6", &version, "").await.json();
    assert_eq!(got["created_at"], "2026-02-05T00:00:00Z");
    assert_eq!(send(&fleet, "GET", "/v1/models/nonesuch", &[], "").await.status, 404);
    fleet.shutdown().await;
}

#[tokio::test]
async fn wrong_paths_methods_keys_and_bodies_fail_as_at_the_vendor() {
    let fleet = fleet().await;
    let path = "/v1/chat/completions";
    assert_eq!(send(&fleet, "POST", "/v1/nothing", &[], "{}").await.status, 404);
    assert_eq!(send(&fleet, "GET", path, &[], "").await.status, 405);
    let got = send(&fleet, "POST", path, &[("authorization", "Bearer bad-key")], "{}").await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    let got = send(&fleet, "POST", "/v1/messages", &[("x-api-key", "bad-key")], "{}").await;
    assert_eq!((got.status, &got.json()["error"]["type"]), (401, &json!("authentication_error")));
    assert_eq!(send(&fleet, "POST", path, &[], "{not json").await.status, 400);
    let got = post(&fleet, path, &chat("gpt-9", "hi")).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (404, &json!("model_not_found")));
    let got = post(&fleet, "/v1/messages", &message("gpt-4o", "hi")).await;
    assert_eq!((got.status, &got.json()["error"]["type"]), (404, &json!("not_found_error")));
    fleet.shutdown().await;
}

#[tokio::test]
async fn load_models_answer_every_dialect_with_their_numbers() {
    let fleet = fleet().await;
    let got = post(&fleet, "/v1/chat/completions", &streamed(chat("fake-c7", "hi"))).await;
    assert_eq!(got.events().last().unwrap()["usage"]["completion_tokens"], 28);
    let got = post(&fleet, "/v1/messages", &streamed(message("fake-c7-d1-l1", "hi"))).await;
    assert_eq!(got.events().iter().filter(|e| e["type"] == "content_block_delta").count(), 7);
    let got = post(&fleet, "/v1/chat/completions", &chat("fake-k5", "hi")).await;
    assert_eq!(got.json()["usage"]["completion_tokens"], 5);
    let got = post(&fleet, "/v1/responses", &respond_streamed("fake-c7", "hi")).await;
    assert_eq!(got.events().last().unwrap()["response"]["usage"]["output_tokens"], 28);
    let got = post(&fleet, "/v1/responses", &respond("fake-k5", "hi")).await;
    assert_eq!(got.json()["usage"]["output_tokens"], 5);
    let got = post(&fleet, &gemini("fake-c7", "streamGenerateContent"), &generate("hi")).await;
    assert_eq!(got.json()[7]["usageMetadata"]["candidatesTokenCount"], 28);
    let got = post(&fleet, &gemini("fake-k5", "generateContent"), &generate("hi")).await;
    assert_eq!(got.json()["usageMetadata"]["candidatesTokenCount"], 5);
    assert!(
        send(&fleet, "GET", "/metrics", &[], "")
            .await
            .text()
            .contains("vllm:generation_tokens_total{model_name=\"sim\"} 127")
    );
    fleet.shutdown().await;
}
