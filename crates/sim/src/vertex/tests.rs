//! Vertex over its wire: both publishers, what is different from the makers' own services, tokens that end.

use super::token::service_account;
use super::token::tests::{assertion, good};
use crate::tests::client::{Got, fleet, generate, post, send};
use crate::{Fleet, Options, faults, start};
use serde_json::{Value, json};

fn google(model: &str, method: &str) -> String {
    format!("/vertex/v1/projects/p/locations/us-central1/publishers/google/models/{model}:{method}")
}

fn anthropic(model: &str, method: &str) -> String {
    format!("/vertex/v1/projects/p/locations/global/publishers/anthropic/models/{model}:{method}")
}

/// A message for Claude with further members.
fn message(said: &str, members: Value) -> Value {
    let mut out = json!({
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 1_000,
        "messages": [{ "role": "user", "content": said }],
    });
    for (name, value) in members.as_object().unwrap() {
        out[name] = value.clone();
    }
    out
}

async fn claude(fleet: &Fleet, model: &str, request: &Value) -> Got {
    let method = if request["stream"] == true { "streamRawPredict" } else { "rawPredict" };
    post(fleet, &anthropic(model, method), request).await
}

#[tokio::test]
async fn claude_wants_its_version_in_the_body_and_its_model_in_the_path() {
    let fleet = fleet().await;
    let got = claude(&fleet, "claude-sonnet-4-5@20250929", &message("hello", json!({}))).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let body = got.json();
    assert_eq!(body["model"], "claude-sonnet-4-5-20250929");
    assert!(body["id"].as_str().unwrap().starts_with("msg_vrtx_01"), "{body}");
    let mut bare = message("hello", json!({}));
    bare.as_object_mut().unwrap().shift_remove("anthropic_version");
    for (request, why) in [
        (bare, "anthropic_version: Field required"),
        (
            message("x", json!({"anthropic_version": "2023-06-01"})),
            "anthropic_version: Input should be 'vertex-2023-10-16'",
        ),
        (message("x", json!({"model": "claude-sonnet-4-5"})), "model: Extra inputs are not permitted"),
        (
            message("x", json!({"anthropic_beta": ["oauth-2025-04-20"]})),
            "Unexpected value(s) `oauth-2025-04-20` for the `anthropic-beta` header.",
        ),
        (
            message("x", json!({"anthropic_beta": ["oauth-2025-04-20"]})),
            "Unexpected value(s) `oauth-2025-04-20` for the `anthropic-beta` header.",
        ),
        (message("x", json!({"colour": 1})), "colour: Extra inputs are not permitted"),
        (message("x", json!({"temperature": 0.5, "top_p": 0.5})), "cannot both be specified"),
    ] {
        let got = claude(&fleet, "claude-sonnet-4-5@20250929", &request).await;
        let error = got.json();
        assert!(got.status == 400 && error["error"]["message"].as_str().unwrap().contains(why), "{error}");
        assert!(error["request_id"].as_str().unwrap().starts_with("req_vrtx_01"));
    }
    let got = claude(&fleet, "claude-opus-4-7", &message("x", json!({"temperature": 0.5}))).await;
    assert!(got.text().contains("deprecated for this model"));
    for (model, path) in [
        ("claude-9", anthropic("claude-9", "rawPredict")),
        ("gemini-2.5-pro", anthropic("gemini-2.5-pro", "rawPredict")),
    ] {
        let got = post(&fleet, &path, &message("x", json!({}))).await;
        assert_eq!((got.status, &got.json()["error"]["status"]), (404, &json!("NOT_FOUND")), "{model}");
        assert!(got.text().contains("Publisher Model `projects/"));
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn claude_streams_and_counts_as_it_answers() {
    let fleet = fleet().await;
    let plain =
        claude(&fleet, "claude-haiku-4-5@20251001", &message("Why do ships float?", json!({}))).await.json();
    let got =
        claude(&fleet, "claude-haiku-4-5@20251001", &message("Why do ships float?", json!({"stream": true})))
            .await;
    assert!(got.header("content-type").unwrap().starts_with("text/event-stream"));
    let text: String =
        got.events().iter().filter_map(|e| e["delta"]["text"].as_str().map(str::to_owned)).collect();
    assert_eq!(text, plain["content"][0]["text"].as_str().unwrap());
    let count = json!({
        "anthropic_version": "vertex-2023-10-16",
        "model": "claude-haiku-4-5@20251001",
        "messages": [{ "role": "user", "content": "Why do ships float?" }],
    });
    let counted = post(&fleet, &anthropic("count-tokens", "rawPredict"), &count).await;
    assert_eq!(counted.json()["input_tokens"], plain["usage"]["input_tokens"], "{}", counted.text());
    let totals = send(&fleet, "GET", "/_sim/totals", &[], "").await.json();
    assert_eq!(totals["vertex"]["claude-haiku-4-5"]["completed"], 3);
    fleet.shutdown().await;
}

#[tokio::test]
async fn gemini_wants_roles_and_answers_in_the_platforms_words() {
    let fleet = fleet().await;
    let model = "gemini-2.5-flash";
    let got = post(&fleet, &google(model, "generateContent"), &generate("Why do ships float?")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let plain = got.json();
    assert_eq!(plain["usageMetadata"]["trafficType"], "ON_DEMAND");
    assert_eq!(plain["createTime"], "2026-11-22T00:00:00.512345Z");
    assert!(got.header("x-gemini-service-tier").is_none());
    let chunks =
        post(&fleet, &google(model, "streamGenerateContent?alt=sse"), &generate("Why do ships float?"))
            .await
            .events();
    assert_eq!(chunks.last().unwrap()["usageMetadata"], plain["usageMetadata"]);
    let counted = post(&fleet, &google(model, "countTokens"), &generate("Why do ships float?")).await.json();
    assert_eq!(counted["totalTokens"], plain["usageMetadata"]["promptTokenCount"]);
    let mut labelled = generate("x");
    labelled["labels"] = json!({"team": "sea"});
    labelled["generation_config"] = json!({"audio_timestamp": true});
    assert_eq!(post(&fleet, &google(model, "generateContent"), &labelled).await.status, 200);
    let part = |part: Value| json!({"contents": [{"role": "user", "parts": [part]}]});
    for (request, why) in [
        (json!({"contents": [{"parts": [{"text": "x"}]}]}), "Please use a valid role: user, model."),
        (
            json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}], "store": true}),
            "Unknown name \"store\"",
        ),
        (
            part(json!({"text": "x", "part_metadata": {}})),
            "Unknown name \"partMetadata\" at 'contents.parts'",
        ),
        (part(json!({"text": 1})), "TYPE_STRING"),
        (json!({"contents": "x", "labels": {"a": 1}}), "labels"),
        (json!({"contents": 5}), "google.cloud.aiplatform.v1.Content"),
    ] {
        let got = post(&fleet, &google(model, "generateContent"), &request).await;
        assert!(
            got.status == 400 && got.json()["error"]["message"].as_str().unwrap().contains(why),
            "{why}: {}",
            got.text()
        );
    }
    for (path, status) in [
        (google("claude-opus-4-7", "generateContent"), 404),
        (google("gemini-9", "generateContent"), 404),
        (google("gemini-2.5-pro", "embedContent"), 404),
        ("/vertex/v1/models/gemini-2.5-pro:generateContent".to_owned(), 404),
    ] {
        assert_eq!(post(&fleet, &path, &generate("x")).await.status, status, "{path}");
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn only_access_tokens_that_have_not_ended_are_taken() {
    let fleet = fleet().await;
    let path = google("gemini-2.5-flash", "generateContent");
    let body = generate("x").to_string();
    for (header, reason, why) in [
        (("x-goog-api-key", "k"), "CREDENTIALS_MISSING", "API keys are not supported by this API."),
        (("authorization", "Basic x"), "CREDENTIALS_MISSING", "missing required authentication credential"),
        (
            ("authorization", "Bearer sk-test"),
            "ACCESS_TOKEN_TYPE_UNSUPPORTED",
            "invalid authentication credentials",
        ),
    ] {
        let got = send(&fleet, "POST", &path, &[header], &body).await;
        let error = got.json()["error"].clone();
        assert_eq!(
            (got.status, &error["status"], &error["details"][0]["reason"]),
            (401, &json!("UNAUTHENTICATED"), &json!(reason))
        );
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_signed_assertion_buys_a_token_until_it_ends() {
    let now_s = 1_795_348_800;
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}",
        assertion(&good(now_s))
    );
    let early = start(Options { signing_time_s: Some(now_s), ..Options::default() }).await.unwrap();
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let got = send(&early, "POST", "/vertex/token?expires_in=5", &kind, &form).await;
    assert_eq!((got.status, &got.json()["expires_in"]), (200, &json!(5)), "{}", got.text());
    let bearer = format!("Bearer {}", got.json()["access_token"].as_str().unwrap());
    let body = generate("x").to_string();
    let path = google("gemini-2.5-flash", "generateContent");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(send(&early, "POST", &path, &headers, &body).await.status, 200);
    let log = send(&early, "GET", "/_sim/log", &[], "").await.text();
    assert!(log.contains("/vertex/token") && !log.contains(form.as_str()), "assertions are not kept");
    early.shutdown().await;
    let late = start(Options { signing_time_s: Some(now_s + 5), ..Options::default() }).await.unwrap();
    let got = send(&late, "POST", &path, &headers, &body).await;
    assert_eq!(
        (got.status, &got.json()["error"]["details"][0]["reason"]),
        (401, &json!("ACCESS_TOKEN_EXPIRED"))
    );
    let got = send(&late, "POST", "/vertex/token", &kind, "grant_type=password").await;
    assert_eq!((got.status, &got.json()["error"]), (400, &json!("unsupported_grant_type")));
    late.shutdown().await;
}

#[test]
fn the_key_file_names_its_token_endpoint() {
    let file: Value = serde_json::from_str(&service_account("http://127.0.0.1:4199/vertex/token")).unwrap();
    assert_eq!(file["token_uri"], "http://127.0.0.1:4199/vertex/token");
    assert!(file["private_key"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
}

#[tokio::test]
async fn statuses_are_the_platforms_for_quotas_and_the_makers_for_the_rest() {
    let fleet = fleet().await;
    for row in faults()
        .iter()
        .filter(|r| r.effect.starts_with(|c: char| c.is_ascii_digit()) && !r.example.contains("502"))
    {
        let status: u16 = row.example.split('-').nth(1).unwrap().parse().unwrap();
        let got = claude(&fleet, row.example, &message("hello", json!({}))).await;
        assert_eq!(got.status, status, "{}", row.example);
        let is_googles = got.json()["error"]["status"].is_string();
        assert_eq!(is_googles, matches!(status, 404 | 429), "{}", got.text());
        let got = post(&fleet, &google(row.example, "generateContent"), &generate("hello")).await;
        assert_eq!((got.status, got.json()["error"]["status"].is_string()), (status, true));
    }
    fleet.shutdown().await;
}
