//! What Anthropic refuses, family by family; and what it accepts next to it.

use crate::tests::client::{fleet, message, post, send, streamed};
use serde_json::{Value, json};

const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PATH: &str = "/v1/messages";

/// A message request with further members.
fn with(model: &str, members: Value) -> Value {
    let mut request = message(model, "hello");
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    request
}

fn talk(model: &str, messages: Value) -> Value {
    json!({"model": model, "max_tokens": 3000, "messages": messages})
}

/// Refused with a message that begins so.
async fn refused(cases: &[(Value, &str)]) {
    let fleet = fleet().await;
    for (request, beginning) in cases {
        let got = post(&fleet, PATH, request).await;
        assert_eq!(got.status, 400, "{request}\n{}", got.text());
        let body = got.json();
        assert_eq!(
            (&body["type"], &body["error"]["type"]),
            (&json!("error"), &json!("invalid_request_error"))
        );
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(beginning), "{request}\n{message}");
    }
    fleet.shutdown().await;
}

async fn accepted(requests: &[Value]) {
    let fleet = fleet().await;
    for request in requests {
        let got = post(&fleet, PATH, request).await;
        assert_eq!(got.status, 200, "{request}\n{}", got.text());
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn unknown_missing_and_mistyped_members_are_refused() {
    let haiku = "claude-haiku-4-5";
    refused(&[
        (with(haiku, json!({"frequency_penalty": 1})), "frequency_penalty: Extra inputs are not permitted"),
        (
            json!({"model": haiku, "messages": [{"role": "user", "content": "x"}]}),
            "max_tokens: Field required",
        ),
        (with(haiku, json!({"max_tokens": 0})), "max_tokens: Input should be greater than or equal to 1"),
        (with(haiku, json!({"max_tokens": 64_001})), "max_tokens: 64001 > 64000, which is the maximum"),
        (with(haiku, json!({"temperature": 1.5})), "temperature: range: 0..1"),
        (with(haiku, json!({"stream": "yes"})), "stream: Input should be a valid boolean"),
        (
            with(haiku, json!({"stop_sequences": [" "]})),
            "stop_sequences: each stop sequence must contain non-whitespace",
        ),
        (with(haiku, json!({"metadata": {"user": "x"}})), "metadata.user: Extra inputs"),
        (
            with(
                haiku,
                json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}),
            ),
            "output_config.format.schema: For 'object' type",
        ),
        (
            with(haiku, json!({"output_config": {"effort": "low"}})),
            "This model does not support the effort parameter",
        ),
        (with(haiku, json!({"thread": {"type": "create"}})), "thread: Extra inputs"),
    ])
    .await;
}

#[tokio::test]
async fn messages_must_have_the_right_roles_and_contents() {
    let haiku = "claude-haiku-4-5";
    let user = json!({"role": "user", "content": "x"});
    refused(&[
        (talk(haiku, json!([])), "messages: at least one message is required"),
        (
            talk(haiku, json!([{"role": "assistant", "content": "x"}])),
            "messages: first message must use the \"user\" role",
        ),
        (talk(haiku, json!([{"role": "system", "content": "x"}])), "messages: Unexpected role \"system\""),
        (talk(haiku, json!([{"role": "tool", "content": "x"}])), "messages.0.role: Input should be"),
        (
            talk(haiku, json!([{"role": "user", "content": ""}])),
            "messages.0: all messages must have non-empty content",
        ),
        (
            talk(haiku, json!([{"role": "user", "content": "x", "name": "n"}])),
            "messages.0.name: Extra inputs",
        ),
        (
            talk(haiku, json!([{"role": "user", "content": [{"type": "text", "text": ""}]}])),
            "messages: text content blocks must be non-empty",
        ),
        (
            talk(haiku, json!([{"role": "user", "content": [{"type": "text", "text": "x", "id": 1}]}])),
            "messages.0.content.0.text.id: Extra inputs",
        ),
        (
            talk(haiku, json!([{"role": "user", "content": [{"type": "image_url"}]}])),
            "messages.0.content.0: Input tag 'image_url' found",
        ),
        (
            talk(haiku, json!([user, {"role": "assistant", "content": "ends "}])),
            "messages: final assistant content cannot end",
        ),
        (
            talk("claude-opus-4-6", json!([user, {"role": "assistant", "content": "{"}])),
            "This model does not support assistant message prefill",
        ),
    ])
    .await;
    accepted(&[
        talk(haiku, json!([user, user, {"role": "assistant", "content": "so"}])),
        talk("claude-opus-5", json!([user, {"role": "assistant", "content": "so"}, {"role": "system", "content": "be brief"}, user])),
    ])
    .await;
}

#[tokio::test]
async fn sampling_parameters_are_refused_by_model() {
    refused(&[
        (
            with("claude-sonnet-4-5", json!({"temperature": 0.5, "top_p": 0.9})),
            "`temperature` and `top_p` cannot both",
        ),
        (with("claude-opus-4-7", json!({"temperature": 0.5})), "`temperature` is deprecated for this model"),
        (with("claude-opus-4-7", json!({"top_k": 5})), "`top_k` is deprecated for this model"),
    ])
    .await;
    accepted(&[
        with("claude-sonnet-4-5", json!({"temperature": 0.5, "top_k": 4})),
        with("claude-opus-4-7", json!({"temperature": 1})),
    ])
    .await;
}

#[tokio::test]
async fn thinking_is_taken_only_as_the_model_takes_it() {
    let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
    let tool = json!([{"name": "f", "input_schema": {"type": "object"}}]);
    let on = |model: &str, more: Value| {
        let mut request = with(model, json!({"max_tokens": 3000, "thinking": enabled(1024)}));
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    refused(&[
        (
            on("claude-sonnet-4-5", json!({"thinking": enabled(1000)})),
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            on("claude-sonnet-4-5", json!({"thinking": enabled(3000)})),
            "`max_tokens` must be greater than `thinking.budget_tokens`",
        ),
        (
            on("claude-sonnet-4-5", json!({"temperature": 0.2})),
            "`temperature` may only be set to 1 when thinking",
        ),
        (
            on("claude-sonnet-4-5", json!({"tools": tool, "tool_choice": {"type": "any"}})),
            "Thinking may not be enabled when tool_choice forces",
        ),
        (
            on("claude-sonnet-4-5", json!({"thinking": {"type": "adaptive"}})),
            "adaptive thinking is not supported",
        ),
        (on("claude-opus-4-7", json!({})), "\"thinking.type.enabled\" is not supported for this model"),
        (
            on("claude-opus-5-5", json!({"thinking": {"type": "disabled"}})),
            "\"thinking.type.disabled\" is not supported",
        ),
        (
            with("claude-opus-5-5", json!({"tools": tool, "tool_choice": {"type": "any"}})),
            "tool_choice.type: 'any' is not supported",
        ),
        (on("claude-opus-4-6", json!({"thinking": {"type": "on"}})), "thinking: Input tag 'on' found"),
    ])
    .await;
    accepted(&[
        on("claude-opus-4-6", json!({})),
        on("claude-opus-4-6", json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}})),
        on("claude-opus-4-7", json!({"thinking": {"type": "adaptive", "display": "summarized"}})),
    ])
    .await;
}

fn tool_turns(results: Value) -> Value {
    let calls = json!([{"type": "text", "text": "I look"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}, {"type": "tool_use", "id": "toolu_2", "name": "f", "input": {}}]);
    let mut request = talk(
        "claude-haiku-4-5",
        json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": calls}]),
    );
    if !results.is_null() {
        request["messages"].as_array_mut().unwrap().push(json!({"role": "user", "content": results}));
    }
    request
}

#[tokio::test]
async fn broken_tool_loops_are_refused_and_whole_ones_answered_with_the_result() {
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "21 knots"});
    let words = json!({"type": "text", "text": "here"});
    let missing = "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after";
    refused(&[
        (tool_turns(Value::Null), missing),
        (tool_turns(json!("no")), missing),
        (tool_turns(json!([result("toolu_1")])), missing),
        (tool_turns(json!([words, result("toolu_1"), result("toolu_2")])), missing),
        (
            tool_turns(json!([result("toolu_1"), result("toolu_2"), result("toolu_3")])),
            "messages.2.content.2: unexpected `tool_use_id`",
        ),
        (
            tool_turns(json!([result("toolu_1"), result("toolu_1"), result("toolu_2")])),
            "messages.2.content.1: each tool_use must have a single result",
        ),
        (
            with("claude-haiku-4-5", json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]})),
            "tools.0.custom.name: String should match",
        ),
        (
            with("claude-haiku-4-5", json!({"tools": [{"name": "a", "input_schema": {"type": "array"}}]})),
            "tools.0.custom.input_schema.type",
        ),
        (
            with(
                "claude-haiku-4-5",
                json!({"tools": [{"name": "a", "input_schema": {"type": "object"}, "parameters": {}}]}),
            ),
            "tools.0.custom.parameters: Extra inputs",
        ),
        (
            with("claude-haiku-4-5", json!({"tool_choice": {"type": "auto"}})),
            "tool_choice: tool_choice may only be specified",
        ),
    ])
    .await;
    let fleet = fleet().await;
    let got =
        post(&fleet, PATH, &tool_turns(json!([result("toolu_1"), result("toolu_2"), words]))).await.json();
    assert!(got["content"][0]["text"].as_str().unwrap().contains("f returned: 21 knots"), "{got}");
    fleet.shutdown().await;
}

#[tokio::test]
async fn thinking_comes_back_only_as_it_was_signed_and_leads_its_tool_loop() {
    let fleet = fleet().await;
    for (model, thinking) in [
        ("claude-sonnet-4-5", json!({"type": "enabled", "budget_tokens": 1024})),
        ("claude-opus-4-7", json!({"type": "adaptive"})),
    ] {
        let mut request = talk(model, json!([{"role": "user", "content": "How fast is it in Oslo?"}]));
        request["thinking"] = thinking;
        request["tools"] = json!([{"name": "speed", "input_schema": {"type": "object"}}]);
        let first = post(&fleet, PATH, &request).await.json();
        assert_eq!(first["content"][0]["type"], "thinking", "{first}");
        assert_eq!(first["content"][0]["thinking"] == "", model == "claude-opus-4-7");
        let result =
            json!([{"type": "tool_result", "tool_use_id": first["content"][1]["id"], "content": "9 knots"}]);
        let again = |content: Value| {
            let mut next = request.clone();
            let messages = next["messages"].as_array_mut().unwrap();
            messages.extend([
                json!({"role": "assistant", "content": content}),
                json!({"role": "user", "content": result}),
            ]);
            next
        };
        let whole = post(&fleet, PATH, &again(first["content"].clone())).await;
        assert_eq!(whole.status, 200, "{}", whole.text());
        let mut forged = first["content"].clone();
        forged[0]["thinking"] = json!("I thought something else");
        let got = post(&fleet, PATH, &again(forged)).await;
        assert!(
            got.text().contains("messages.1.content.0: Invalid `signature` in `thinking` block"),
            "{}",
            got.text()
        );
        let got = post(&fleet, PATH, &again(json!([first["content"][1]]))).await;
        let expected =
            got.text().contains("Expected `thinking` or `redacted_thinking`, but found `tool_use`");
        assert_eq!(expected, model == "claude-sonnet-4-5", "{}", got.text());
        let mut elsewhere = again(first["content"].clone());
        elsewhere["model"] =
            json!(if model == "claude-opus-4-7" { "claude-opus-4-8" } else { "claude-haiku-4-5" });
        assert!(post(&fleet, PATH, &elsewhere).await.text().contains("Invalid `signature`"));
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn images_and_documents_are_checked_and_named_in_the_answer() {
    let part = |block: Value| {
        talk(
            "claude-haiku-4-5",
            json!([{"role": "user", "content": [block, {"type": "text", "text": "what"}]}]),
        )
    };
    let image = |kind: &str, data: &str| {
        part(json!({"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}))
    };
    refused(&[
        (image("image/tiff", PNG), "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'"),
        (image("image/jpeg", PNG), "messages.0.content.0.image.source.base64.media_type: The image was specified"),
        (image("image/png", "@@"), "messages.0.content.0.image.source.base64: invalid base64 data"),
        (image("image/png", "aGVsbG8="), "Could not process image"),
        (part(json!({"type": "image", "source": {"type": "path"}})), "messages.0.content.0.image.source: Input tag 'path'"),
        (part(json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PNG}})), "messages.0.content.0.document.source.base64.data: The PDF"),
    ])
    .await;
    let fleet = fleet().await;
    let got = post(&fleet, PATH, &image("image/png", PNG)).await.json();
    assert!(got["content"][0]["text"].as_str().unwrap().contains("image/png of 70 bytes"), "{got}");
    fleet.shutdown().await;
}

#[tokio::test]
async fn cache_markers_are_limited_and_their_tokens_written_then_read() {
    let marked = |n: usize, ttl: &str| -> Value {
        let block = json!({"type": "text", "text": "word ".repeat(1_200), "cache_control": {"type": "ephemeral", "ttl": ttl}});
        json!({"system": vec![block; n]})
    };
    let mut mixed = with("claude-sonnet-4-5", marked(1, "5m"));
    mixed["messages"][0]["content"] =
        json!([{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]);
    refused(&[
        (
            with("claude-sonnet-4-5", marked(5, "5m")),
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (
            with("claude-sonnet-4-5", marked(1, "9m")),
            "system.0.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
        ),
        (mixed, "a ttl='1h' cache_control block must not come after"),
    ])
    .await;
    let fleet = fleet().await;
    for (ttl, name) in [("5m", "ephemeral_5m_input_tokens"), ("1h", "ephemeral_1h_input_tokens")] {
        let model = if ttl == "5m" { "claude-sonnet-4-5" } else { "claude-sonnet-4-6" };
        let first = post(&fleet, PATH, &with(model, marked(1, ttl))).await.json();
        let written = first["usage"]["cache_creation"][name].as_u64().unwrap();
        assert!(written >= 1_200, "{first}");
        assert_eq!(first["usage"]["cache_creation_input_tokens"], json!(written));
        let second = post(&fleet, PATH, &with(model, marked(1, ttl))).await.json();
        assert_eq!(second["usage"]["cache_read_input_tokens"], json!(written));
        assert_eq!(second["usage"]["cache_creation_input_tokens"], json!(0));
        assert_eq!(second["usage"]["input_tokens"], first["usage"]["input_tokens"]);
    }
    // Under this model's minimum nothing is cached, and nothing is said.
    let short = post(&fleet, PATH, &with("claude-haiku-4-5", marked(1, "5m"))).await.json();
    assert_eq!(short["usage"]["cache_creation_input_tokens"], 0);
    fleet.shutdown().await;
}

#[tokio::test]
async fn token_counts_equal_the_usage_of_the_same_message() {
    let fleet = fleet().await;
    let mut request = with(
        "claude-opus-4-6",
        json!({"system": "be brief", "tools": [{"name": "f", "input_schema": {"type": "object"}}]}),
    );
    let used = post(&fleet, PATH, &request).await.json()["usage"]["input_tokens"].clone();
    let map = request.as_object_mut().unwrap();
    map.remove("max_tokens");
    let counted = post(&fleet, "/v1/messages/count_tokens", &request).await.json();
    assert_eq!(counted, json!({ "input_tokens": used }));
    request["max_tokens"] = json!(5);
    assert_eq!(post(&fleet, "/v1/messages/count_tokens", &request).await.status, 400);
    fleet.shutdown().await;
}

#[tokio::test]
async fn threads_under_their_beta_are_refused_with_the_code_that_the_sdk_reads() {
    let fleet = fleet().await;
    let request = with("claude-opus-4-7", json!({"thread": {"type": "create"}}));
    let beta = [("anthropic-beta", "message-threads-2026-08-12")];
    let got = send(&fleet, "POST", PATH, &beta, &request.to_string()).await;
    assert_eq!(
        (got.status, &got.json()["error"]["details"]["error_code"]),
        (400, &json!("thread_unsupported_request"))
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn every_stop_reason_is_reachable() {
    let fleet = fleet().await;
    let ask = |request: Value| {
        let fleet = &fleet;
        async move { post(fleet, PATH, &request).await.json() }
    };
    let haiku = "claude-haiku-4-5";
    assert_eq!(ask(with(haiku, json!({}))).await["stop_reason"], "end_turn");
    assert_eq!(ask(with(haiku, json!({"max_tokens": 3}))).await["stop_reason"], "max_tokens");
    let mut stopped = message(haiku, "[[say:one two three]]");
    stopped["stop_sequences"] = json!(["two"]);
    let got = ask(stopped).await;
    assert_eq!((&got["stop_reason"], &got["stop_sequence"]), (&json!("stop_sequence"), &json!("two")));
    let got = ask(message(haiku, "[[refuse]]")).await;
    assert_eq!(
        (&got["stop_reason"], &got["content"], &got["stop_details"]["type"]),
        (&json!("refusal"), &json!([]), &json!("refusal"))
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_stream_put_together_equals_the_plain_message() {
    let fleet = fleet().await;
    let request = with("claude-sonnet-4-6", json!({"max_tokens": 4000, "thinking": {"type": "adaptive"}}));
    let plain = post(&fleet, PATH, &request).await.json();
    let events = post(&fleet, PATH, &streamed(request)).await.events();
    let sum = |kind: &str, member: &str| -> String {
        events
            .iter()
            .filter(|e| e["delta"]["type"] == kind)
            .filter_map(|e| e["delta"][member].as_str())
            .collect()
    };
    assert_eq!(sum("thinking_delta", "thinking"), plain["content"][0]["thinking"].as_str().unwrap());
    assert_eq!(sum("signature_delta", "signature"), plain["content"][0]["signature"].as_str().unwrap());
    assert_eq!(sum("text_delta", "text"), plain["content"][1]["text"].as_str().unwrap());
    let last = &events[events.len() - 2];
    assert_eq!(last["usage"]["output_tokens"], plain["usage"]["output_tokens"]);
    assert_eq!(last["delta"]["stop_reason"], plain["stop_reason"]);
    assert_eq!(events[0]["message"]["id"], plain["id"]);
    fleet.shutdown().await;
}
