//! What OpenAI refuses, family by family: status, type, code, param; and what it accepts next to it.

use crate::tests::client::{chat, fleet, post};
use serde_json::{Value, json};

const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A chat request with further members.
fn with(model: &str, members: Value) -> Value {
    let mut request = chat(model, "hello");
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    request
}

/// Refused with this param and code; a null code is written as "".
async fn refused(cases: &[(Value, &str, &str)]) {
    let fleet = fleet().await;
    for (request, param, code) in cases {
        let got = post(&fleet, "/v1/chat/completions", request).await;
        let error = &got.json()["error"];
        assert_eq!(got.status, 400, "{request}\n{}", got.text());
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(error["param"].as_str().unwrap_or_default(), *param, "{request}\n{error}");
        assert_eq!(error["code"].as_str().unwrap_or_default(), *code, "{request}\n{error}");
    }
    fleet.shutdown().await;
}

async fn accepted(requests: &[Value]) {
    let fleet = fleet().await;
    for request in requests {
        let got = post(&fleet, "/v1/chat/completions", request).await;
        assert_eq!(got.status, 200, "{request}\n{}", got.text());
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn unknown_members_and_wrong_types_are_refused() {
    refused(&[
        (with("gpt-4o", json!({"thinking": {}})), "", ""),
        (with("gpt-4o", json!({"temperature": "hot"})), "temperature", "invalid_type"),
        (with("gpt-4o", json!({"temperature": 3})), "temperature", "decimal_above_max_value"),
        (with("gpt-4o", json!({"n": 0})), "n", "integer_below_min_value"),
        (with("gpt-4o", json!({"n": 129})), "n", "integer_above_max_value"),
        (with("gpt-4o", json!({"max_tokens": 1.5})), "max_tokens", "invalid_type"),
        (with("gpt-4o", json!({"service_tier": "gold"})), "service_tier", "invalid_value"),
        (with("gpt-4o", json!({"stream_options": {"include_usage": true}})), "stream_options", ""),
        (with("gpt-4o", json!({"top_logprobs": 2})), "top_logprobs", ""),
        (with("gpt-4o", json!({"stop": ["a", "b", "c", "d", "e"]})), "stop", "array_above_max_length"),
        (json!({"model": "gpt-4o"}), "messages", "missing_required_parameter"),
        (json!({"model": "gpt-4o", "messages": []}), "messages", "empty_array"),
        (
            json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "x", "mood": 1}]}),
            "messages[0].mood",
            "unknown_parameter",
        ),
        (
            json!({"model": "gpt-4o", "messages": [{"role": "pilot", "content": "x"}]}),
            "messages[0].role",
            "invalid_value",
        ),
    ])
    .await;
}

#[tokio::test]
async fn reasoning_models_refuse_what_they_do_not_take() {
    refused(&[
        (with("o3", json!({"max_tokens": 10})), "max_tokens", "unsupported_parameter"),
        (with("gpt-5.5", json!({"max_tokens": 10})), "max_tokens", "unsupported_parameter"),
        (with("gpt-5.5", json!({"temperature": 0.2})), "temperature", "unsupported_value"),
        (with("gpt-5", json!({"top_p": 0.5})), "top_p", "unsupported_parameter"),
        (with("gpt-5", json!({"logprobs": true})), "logprobs", "unsupported_parameter"),
        (with("gpt-5.4", json!({"stop": "x"})), "stop", "unsupported_parameter"),
        (with("gpt-5.4", json!({"presence_penalty": 1})), "presence_penalty", "unsupported_parameter"),
        (with("gpt-5.4", json!({"temperature": 0, "reasoning_effort": "high"})), "temperature", "unsupported_value"),
        (with("gpt-5.5", json!({"reasoning_effort": "minimal"})), "reasoning_effort", "unsupported_value"),
        (with("gpt-5", json!({"reasoning_effort": "none"})), "reasoning_effort", "unsupported_value"),
        (with("gpt-5", json!({"reasoning_effort": "huge"})), "reasoning_effort", "invalid_value"),
        (with("gpt-5.5", json!({"n": 2})), "n", "unsupported_value"),
        (with("gpt-4o", json!({"reasoning_effort": "low"})), "", ""),
        (with("gpt-4o", json!({"max_tokens": 20_000})), "max_tokens", "invalid_value"),
        (
            with("gpt-5.5", json!({"reasoning_effort": "low", "tools": [{"type": "function", "function": {"name": "f"}}]})),
            "reasoning_effort",
            "",
        ),
    ])
    .await;
    accepted(&[
        with("gpt-5.4", json!({"temperature": 0.2, "top_p": 0.5, "logprobs": true})),
        with("gpt-5.5", json!({"temperature": 1, "max_completion_tokens": 10, "reasoning_effort": "none"})),
        with("gpt-5", json!({"reasoning_effort": "minimal"})),
        with(
            "gpt-4o",
            json!({"temperature": 0.2, "stop": "x", "presence_penalty": 1, "max_tokens": 9, "n": 2}),
        ),
    ])
    .await;
}

#[tokio::test]
async fn models_of_other_endpoints_are_refused() {
    let fleet = fleet().await;
    for (model, status) in [("gpt-5.5-pro", 404), ("text-embedding-3-small", 403), ("claude-opus-4-7", 404)] {
        assert_eq!(post(&fleet, "/v1/chat/completions", &chat(model, "x")).await.status, status, "{model}");
    }
    fleet.shutdown().await;
}

fn loop_of(messages: Value) -> Value {
    json!({"model": "gpt-4o", "messages": messages})
}

#[tokio::test]
async fn broken_tool_loops_are_refused_and_whole_ones_answered_with_the_result() {
    let user = json!({"role": "user", "content": "x"});
    let call = json!({"role": "assistant", "content": null, "tool_calls":
        [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let result = json!({"role": "tool", "tool_call_id": "call_1", "content": "21 knots"});
    let other = json!({"role": "tool", "tool_call_id": "call_2", "content": "r"});
    refused(&[
        (loop_of(json!([user, call])), "messages.[2].role", ""),
        (loop_of(json!([user, call, user])), "messages.[2].role", ""),
        (loop_of(json!([user, result])), "messages.[1].role", ""),
        (loop_of(json!([user, call, other])), "messages.[2].role", ""),
        (loop_of(json!([{"role": "assistant", "content": null}])), "messages[0].content", ""),
    ])
    .await;
    let fleet = fleet().await;
    let got = post(&fleet, "/v1/chat/completions", &loop_of(json!([user, call, result]))).await.json();
    let text = got["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("f returned: 21 knots"), "{text}");
    fleet.shutdown().await;
}

#[tokio::test]
async fn bad_tools_choices_and_schemas_are_refused() {
    let tool = |name: &str, parameters: Value, strict: bool| json!([{"type": "function", "function": {"name": name, "parameters": parameters, "strict": strict}}]);
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let partial = json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"], "additionalProperties": false});
    let format = |schema: Value, strict: bool| json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": strict}}});
    let parameters = "tools[0].function.parameters";
    refused(&[
        (with("gpt-4o", json!({"tools": tool("no spaces", json!({}), false)})), "tools[0].function.name", "invalid_value"),
        (with("gpt-4o", json!({"tools": tool("f", open.clone(), true)})), parameters, "invalid_function_parameters"),
        (with("gpt-4o", json!({"tools": tool("f", partial, true)})), parameters, "invalid_function_parameters"),
        (with("gpt-4o", json!({"tools": tool("f", json!({"type": "string"}), false)})), parameters, "invalid_function_parameters"),
        (with("gpt-4o", json!({"tools": []})), "tools", "empty_array"),
        (with("gpt-4o", json!({"tool_choice": "auto"})), "tool_choice", ""),
        (with("gpt-4o", json!({"parallel_tool_calls": true})), "parallel_tool_calls", ""),
        (
            with("gpt-4o", json!({"tools": tool("f", open.clone(), false), "tool_choice": {"type": "function", "function": {"name": "g"}}})),
            "tool_choice",
            "",
        ),
        (with("gpt-4o", format(open.clone(), true)), "response_format", ""),
        (with("gpt-4o", json!({"response_format": {"type": "json_object"}})), "messages", ""),
        (with("gpt-4o", json!({"response_format": {"type": "xml"}})), "response_format.type", "invalid_value"),
    ])
    .await;
    accepted(&[
        with("gpt-4o", format(open, false)),
        with("gpt-4o", json!({"tools": tool("f", json!({}), false)})),
    ])
    .await;
}

#[tokio::test]
async fn images_and_files_are_checked_and_named_in_the_answer() {
    let parts = |part: Value| json!({"model": "gpt-4o", "messages": [{"role": "user", "content": [{"type": "text", "text": "what is it"}, part]}]});
    let image = |url: &str| parts(json!({"type": "image_url", "image_url": {"url": url}}));
    let data = |kind: &str| format!("data:{kind};base64,{PNG}");
    refused(&[
        (image("data:image/png;base64,@@@"), "messages[0].content[1].image_url.url", "invalid_base64"),
        (image(&data("image/tiff")), "", "invalid_image_format"),
        (image("data:image/png;base64,aGVsbG8="), "", "invalid_image_format"),
        (parts(json!({"type": "video"})), "messages[0].content[1].type", "invalid_value"),
        (parts(json!({"type": "file", "file": {"file_data": data("text/csv")}})), "messages[0].content[1].file.file_data", "unsupported_file"),
        (
            json!({"model": "gpt-4o", "messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://a/b"}}]}]}),
            "messages[0]",
            "invalid_value",
        ),
    ])
    .await;
    let fleet = fleet().await;
    let got = post(&fleet, "/v1/chat/completions", &image(&data("image/png"))).await.json();
    assert!(
        got["choices"][0]["message"]["content"].as_str().unwrap().contains("image/png of 70 bytes"),
        "{got}"
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_prompt_over_the_window_is_refused_and_a_full_answer_ends_at_its_limit() {
    let mut long = chat("gpt-4o-mini", "");
    long["messages"][0]["content"] = json!("word ".repeat(128_100));
    refused(&[(long, "messages", "context_length_exceeded")]).await;
    let fleet = fleet().await;
    let got = post(&fleet, "/v1/chat/completions", &with("gpt-4o", json!({"max_tokens": 5}))).await.json();
    assert_eq!(
        (&got["choices"][0]["finish_reason"], &got["usage"]["completion_tokens"]),
        (&json!("length"), &json!(5))
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn schemas_tiers_and_refusals_come_in_their_own_members() {
    let fleet = fleet().await;
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let format = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": true, "schema": schema}}});
    let got = post(&fleet, "/v1/chat/completions", &with("gpt-5.5", format)).await.json();
    let value: Value =
        serde_json::from_str(got["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
    assert!(value["n"].is_i64());
    let got = post(&fleet, "/v1/chat/completions", &chat("gpt-4o", "[[refuse]]")).await.json();
    let message = &got["choices"][0]["message"];
    assert!(message["content"].is_null() && message["refusal"].is_string());
    for (asked, served) in [("auto", "default"), ("flex", "flex"), ("priority", "priority")] {
        let got = post(&fleet, "/v1/chat/completions", &with("gpt-5.5", json!({"service_tier": asked})))
            .await
            .json();
        assert_eq!(got["service_tier"], served);
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_repeated_long_prompt_is_read_from_the_cache_in_steps_of_128() {
    let fleet = fleet().await;
    let request = chat("gpt-4o", &"word ".repeat(1_400));
    let cached = |got: Value| got["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap();
    assert_eq!(cached(post(&fleet, "/v1/chat/completions", &request).await.json()), 0);
    let again = cached(post(&fleet, "/v1/chat/completions", &request).await.json());
    assert!(again >= 1_024 && again % 128 == 0, "{again}");
    fleet.shutdown().await;
}
