//! Vertex AI: each maker's models in their own dialect, Claude's bodies as the cloud wants them.

use super::{GENERATED, MESSAGE, body_of, header_of, ok, path_of, refusal};
use crate::harness::House;
use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::scripted::{Act, STREAM_HEAD, Scripted, chunk};

const PREFIX: &str = "/v1/projects/p1/locations/us-east5";

fn house(vendor: &Scripted) -> House {
    House::with(&format!(
        "[providers.vertex]\nbase_url = \"http://{}/v1/projects/{{project}}/locations/{{region}}\"\nparams = {{ region = \"us-east5\", project = \"p1\" }}\napi_key = \"ya29.static\"\n",
        vendor.address
    ))
}

fn codes(house: &House, got: &Got) -> Vec<String> {
    let receipt = house.record(got).receipt.unwrap();
    receipt.edits.iter().map(|note| note.code.to_string()).collect()
}

#[test]
fn a_claude_request_loses_its_model_and_gains_its_version_and_no_other_byte_changes() {
    let before = r#"{ "max_tokens":5, "model" : "vertex/claude-sonnet-4-5@20250929" ,"messages":[{"role":"user","content":"say \"model\":\"x\""}], "metadata":{"model":"decoy"}}"#;
    let after = r#"{ "max_tokens":5, "anthropic_version":"vertex-2023-10-16" ,"messages":[{"role":"user","content":"say \"model\":\"x\""}], "metadata":{"model":"decoy"}}"#;
    let vendor = Scripted::start(vec![ok(MESSAGE)]);
    let house = house(&vendor);
    let headers = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "context-1m-2025-08-07")];
    let got = house.post("/v1/messages", &headers, before.as_bytes());
    assert_eq!((got.status, got.text().as_str()), (200, MESSAGE));
    let request = &vendor.requests()[0];
    let path = format!("{PREFIX}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict");
    assert_eq!((path_of(request), body_of(request)), (path.as_str(), after));
    assert_eq!(header_of(request, "authorization"), Some("Bearer ya29.static"));
    assert_eq!(header_of(request, "anthropic-beta"), Some("context-1m-2025-08-07"));
    assert_eq!(header_of(request, "anthropic-version"), None, "its place is the body");
    assert_eq!(codes(&house, &got), ["drop:model", "set:anthropic_version"]);
}

#[test]
fn a_version_that_the_client_gave_is_replaced_and_the_model_goes_all_the_same() {
    let before = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[],"model":"vertex/claude-opus-4-7"}"#;
    let after = r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":5,"messages":[]}"#;
    let vendor = Scripted::start(vec![ok(MESSAGE)]);
    let house = house(&vendor);
    assert_eq!(house.post("/v1/messages", &[], before.as_bytes()).status, 200);
    assert_eq!(body_of(&vendor.requests()[0]), after);
}

#[test]
fn a_stream_is_asked_for_by_the_path_as_well() {
    let events = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let vendor = Scripted::start(vec![Act::Write(vec![
        STREAM_HEAD.as_bytes().to_vec(),
        chunk(events.as_bytes()),
        b"0\r\n\r\n".to_vec(),
    ])]);
    let house = house(&vendor);
    let got = house.message(&Client::Anthropic.ask("vertex/claude-opus-4-7", "Hello.", true));
    assert_eq!((got.status, got.text().as_str()), (200, events));
    let request = &vendor.requests()[0];
    assert_eq!(
        path_of(request),
        format!("{PREFIX}/publishers/anthropic/models/claude-opus-4-7:streamRawPredict")
    );
    assert!(body_of(request).contains("\"stream\":true"));
}

#[test]
fn counting_tokens_keeps_the_model_in_the_body() {
    let vendor = Scripted::start(vec![ok("{\"input_tokens\":12}")]);
    let house = house(&vendor);
    let body = r#"{"model":"vertex/claude-opus-4-7","messages":[{"role":"user","content":"Hello."}]}"#;
    let got = house.post("/v1/messages/count_tokens", &[], body.as_bytes());
    assert_eq!((got.status, got.text().as_str()), (200, "{\"input_tokens\":12}"));
    let request = &vendor.requests()[0];
    assert_eq!(path_of(request), format!("{PREFIX}/publishers/anthropic/models/count-tokens:rawPredict"));
    assert_eq!(
        body_of(request),
        r#"{"model":"claude-opus-4-7","messages":[{"role":"user","content":"Hello."}],"anthropic_version":"vertex-2023-10-16"}"#
    );
}

#[test]
fn the_model_and_not_the_client_decides_which_dialect_is_spoken() {
    let openai = Client::Openai.path();
    let anthropic = Client::Anthropic.path();
    let google = |model: &str| format!("/v1beta/models/vertex/{model}:generateContent");
    let contents = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "Hello."}]}]});
    let (claude, gemini) = ("claude-opus-4-7", "gemini-2.5-flash");
    let for_claude = [
        (openai.to_owned(), Client::Openai.ask("vertex/claude-opus-4-7", "Hello.", false)),
        (anthropic.to_owned(), Client::Anthropic.ask("vertex/claude-opus-4-7", "Hello.", false)),
        (google(claude), contents.clone()),
    ];
    for (path, body) in for_claude {
        let vendor = Scripted::start(vec![ok(MESSAGE)]);
        let house = house(&vendor);
        let got = house.post(&path, &[], body.to_string().as_bytes());
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        let request = &vendor.requests()[0];
        assert_eq!(path_of(request), format!("{PREFIX}/publishers/anthropic/models/{claude}:rawPredict"));
        let sent: serde_json::Value = serde_json::from_str(body_of(request)).unwrap();
        assert_eq!(
            (sent.get("model"), &sent["anthropic_version"]),
            (None, &"vertex-2023-10-16".into()),
            "{path}"
        );
        assert!(sent["messages"].is_array() && header_of(request, "anthropic-version").is_none(), "{path}");
        assert!(codes(&house, &got).contains(&"set:anthropic_version".to_owned()));
    }
    let for_gemini = [
        (openai.to_owned(), Client::Openai.ask("vertex/gemini-2.5-flash", "Hello.", false)),
        (anthropic.to_owned(), Client::Anthropic.ask("vertex/gemini-2.5-flash", "Hello.", false)),
        (google(gemini), contents),
    ];
    for (path, body) in for_gemini {
        let vendor = Scripted::start(vec![ok(GENERATED)]);
        let house = house(&vendor);
        let got = house.post(&path, &[], body.to_string().as_bytes());
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        let request = &vendor.requests()[0];
        assert_eq!(path_of(request), format!("{PREFIX}/publishers/google/models/{gemini}:generateContent"));
        assert!(body_of(request).contains("\"contents\""), "{path}");
    }
}

#[test]
fn models_of_other_makers_go_to_the_openai_endpoint() {
    let vendor = Scripted::start(vec![ok(super::CHAT)]);
    let house = house(&vendor);
    let body = Client::Openai.ask("vertex/meta/llama-3.3-70b-instruct-maas", "Hello.", false);
    assert_eq!(house.chat(&body).status, 200);
    assert_eq!(path_of(&vendor.requests()[0]), format!("{PREFIX}/endpoints/openapi/chat/completions"));
}

#[test]
fn a_refusal_of_the_cloud_reaches_a_claude_client_in_its_own_form() {
    let google = r#"[{"error":{"code":403,"message":"Permission denied on resource project p1.","status":"PERMISSION_DENIED"}}]"#;
    let own =
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: Field required"}}"#;
    for (status, body) in [("403 Forbidden", google), ("400 Bad Request", own)] {
        for client in Client::ALL {
            let vendor = Scripted::start(vec![refusal(status, body)]);
            let house = house(&vendor);
            let ask = client.ask("vertex/claude-opus-4-7", "Hello.", false).to_string();
            let got = house.post(client.path(), &[], ask.as_bytes());
            assert_eq!(got.status.to_string(), status[..3], "{}", got.text());
            let error = &got.json()["error"];
            assert!(error["message"].is_string() && error["type"].is_string(), "{}", got.text());
            let words = error["message"].as_str().unwrap();
            assert!(words.contains("project p1") || words.contains("Field required"), "{words}");
        }
    }
}
