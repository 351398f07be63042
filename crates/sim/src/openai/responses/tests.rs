//! What the Responses API refuses, keeps and goes on from.

use crate::Fleet;
use crate::tests::client::{Got, fleet, post, send};
use serde_json::{Value, json};

const PATH: &str = "/v1/responses";

fn ask(model: &str, input: Value) -> Value {
    json!({ "model": model, "input": input })
}

/// A request with further members.
fn with(model: &str, members: Value) -> Value {
    let mut request = ask(model, json!("hello"));
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    request
}

/// Refused with this status, param and code; null is written as "".
async fn refused(cases: &[(Value, u16, &str, &str)]) {
    let fleet = fleet().await;
    for (request, status, param, code) in cases {
        let got = post(&fleet, PATH, request).await;
        let error = &got.json()["error"];
        assert_eq!(got.status, *status, "{request}\n{}", got.text());
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(error["param"].as_str().unwrap_or_default(), *param, "{request}\n{error}");
        assert_eq!(error["code"].as_str().unwrap_or_default(), *code, "{request}\n{error}");
    }
    fleet.shutdown().await;
}

async fn accepted(fleet: &Fleet, request: &Value) -> Value {
    let got = post(fleet, PATH, request).await;
    assert_eq!(got.status, 200, "{request}\n{}", got.text());
    got.json()
}

fn weather() -> Value {
    json!([{"type": "function", "name": "get_weather", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}])
}

fn message_of(response: &Value) -> &Value {
    response["output"].as_array().unwrap().iter().find(|i| i["type"] == "message").unwrap()
}

fn said(response: &Value) -> String {
    message_of(response)["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn unknown_moved_and_mistyped_parameters_are_refused() {
    refused(&[
        (with("gpt-4o", json!({"thinking": {}})), 400, "thinking", "unknown_parameter"),
        (json!({"model": "gpt-4o", "messages": []}), 400, "", "unsupported_parameter"),
        (with("gpt-4o", json!({"response_format": {}})), 400, "", "unsupported_parameter"),
        (with("gpt-4o", json!({"reasoning_effort": "low"})), 400, "", "unsupported_parameter"),
        (with("gpt-4o", json!({"temperature": 3})), 400, "temperature", "decimal_above_max_value"),
        (
            with("gpt-4o", json!({"max_output_tokens": 15})),
            400,
            "max_output_tokens",
            "integer_below_min_value",
        ),
        (with("gpt-4o", json!({"max_output_tokens": 20_000})), 400, "max_output_tokens", "invalid_value"),
        (with("gpt-4o", json!({"input": 7})), 400, "input", "invalid_type"),
        (with("gpt-4o", json!({"include": ["everything"]})), 400, "include[0]", "invalid_value"),
        (with("gpt-4o", json!({"reasoning": {"power": 1}})), 400, "reasoning.power", "unknown_parameter"),
        (with("gpt-4o", json!({"stream_options": {}})), 400, "stream_options", ""),
        (with("gpt-4o", json!({"service_tier": "gold"})), 400, "service_tier", "invalid_value"),
        (with("gpt-4o", json!({"metadata": {"a": 1}})), 400, "metadata.a", "invalid_type"),
        (with("gpt-4o", json!({"background": true, "store": false})), 400, "background", ""),
        (with("gpt-4o", json!({"conversation": "conv_1"})), 404, "conversation", ""),
        (json!({"model": "gpt-4o"}), 400, "input", "missing_required_parameter"),
        (json!({"input": "x"}), 400, "model", "missing_required_parameter"),
        (ask("gpt-9", json!("x")), 404, "", "model_not_found"),
        (ask("text-embedding-3-small", json!("x")), 400, "model", ""),
    ])
    .await;
}

#[tokio::test]
async fn each_model_refuses_what_it_does_not_take() {
    refused(&[
        (with("gpt-5.5", json!({"temperature": 0.2})), 400, "temperature", ""),
        (with("o3", json!({"top_p": 0.2})), 400, "top_p", ""),
        (
            with("gpt-5.5", json!({"reasoning": {"effort": "minimal"}})),
            400,
            "reasoning.effort",
            "unsupported_value",
        ),
        (
            with("gpt-5.5-pro", json!({"reasoning": {"effort": "low"}})),
            400,
            "reasoning.effort",
            "unsupported_value",
        ),
        (with("gpt-5.5", json!({"include": ["message.output_text.logprobs"]})), 400, "include", ""),
        (
            with("gpt-4o", json!({"reasoning": {"effort": "low"}})),
            400,
            "reasoning.effort",
            "unsupported_parameter",
        ),
        (
            with("gpt-4o", json!({"reasoning": {"summary": "auto"}})),
            400,
            "reasoning.summary",
            "unsupported_parameter",
        ),
        (with("gpt-4o", json!({"include": ["reasoning.encrypted_content"]})), 400, "include", ""),
        (with("gpt-4o", json!({"text": {"verbosity": "low"}})), 400, "text.verbosity", "unsupported_value"),
        (
            with("o3", json!({"parallel_tool_calls": false})),
            400,
            "parallel_tool_calls",
            "unsupported_parameter",
        ),
    ])
    .await;
    let fleet = fleet().await;
    let effort = json!({"reasoning": {"effort": "high"}, "tools": weather()});
    accepted(&fleet, &with("gpt-5.5", effort)).await;
    accepted(&fleet, &with("gpt-5.5", json!({"temperature": 0.2, "reasoning": {"effort": "none"}}))).await;
    let pro = accepted(&fleet, &ask("gpt-5.5-pro", json!("hello"))).await;
    assert_eq!(pro["reasoning"]["effort"], "high");
    assert!(pro["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    fleet.shutdown().await;
}

#[tokio::test]
async fn malformed_items_and_parts_are_refused_with_their_place() {
    let user = |content: Value| ask("gpt-4o", json!([{"role": "user", "content": content}]));
    let item = |item: Value| ask("gpt-4o", json!([item]));
    refused(&[
        (user(json!([{"type": "text", "text": "x"}])), 400, "input[0].content[0]", "invalid_value"),
        (user(json!([{"type": "input_image"}])), 400, "input[0].content[0].image_url", "missing_required_parameter"),
        (
            user(json!([{"type": "input_image", "image_url": "data:image/png;base64,@@"}])),
            400,
            "input[0].content[0].image_url",
            "invalid_base64",
        ),
        (user(json!([{"type": "input_text", "text": "x", "mood": 1}])), 400, "input[0].content[0].mood", "unknown_parameter"),
        (item(json!({"role": "pilot", "content": "x"})), 400, "input[0].role", "invalid_value"),
        (item(json!({"role": "user"})), 400, "input[0].content", "missing_required_parameter"),
        (
            item(json!({"role": "assistant", "content": [{"type": "input_text", "text": "x"}]})),
            400,
            "input[0].content[0]",
            "invalid_value",
        ),
        (item(json!({"type": "function_call", "call_id": "c", "name": "f"})), 400, "input[0].arguments", "missing_required_parameter"),
        (
            item(json!({"type": "function_call", "id": "call_1", "call_id": "c", "name": "f", "arguments": "{}"})),
            400,
            "input[0].id",
            "invalid_value",
        ),
        (
            item(json!({"type": "function_call_output", "call_id": "c".repeat(65), "output": "x"})),
            400,
            "input[0].call_id",
            "string_above_max_length",
        ),
        (item(json!({"type": "reasoning", "id": "rs_1"})), 400, "input[0].summary", "missing_required_parameter"),
        (item(json!({"type": "memory"})), 400, "input[0]", "invalid_value"),
    ])
    .await;
}

#[tokio::test]
async fn broken_tool_loops_are_refused_and_whole_ones_answered_with_the_result() {
    let user = json!({"role": "user", "content": "weather?"});
    let call = json!({"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"});
    let result = json!({"type": "function_call_output", "call_id": "call_1", "output": "21 knots"});
    refused(&[
        (ask("gpt-4o", json!([user, call])), 400, "input", ""),
        (ask("gpt-4o", json!([user, result])), 400, "input", ""),
    ])
    .await;
    let fleet = fleet().await;
    let got = accepted(&fleet, &ask("gpt-4o", json!([user, call, result]))).await;
    assert!(said(&got).contains("f returned: 21 knots"), "{got}");
    fleet.shutdown().await;
}

#[tokio::test]
async fn bad_tools_choices_and_formats_are_refused() {
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let tool = |members: Value| with("gpt-4o", json!({"tools": [members]}));
    let format = |format: Value| with("gpt-4o", json!({"text": {"format": format}}));
    refused(&[
        (
            tool(json!({"type": "function", "function": {"name": "f"}})),
            400,
            "tools[0].name",
            "missing_required_parameter",
        ),
        (tool(json!({"type": "function", "name": "no spaces"})), 400, "tools[0].name", "invalid_value"),
        (
            tool(json!({"type": "function", "name": "f", "strict": true, "parameters": open})),
            400,
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        (tool(json!({"type": "teleport"})), 400, "tools[0].type", "invalid_value"),
        (with("gpt-4o", json!({"tool_choice": "required"})), 400, "tool_choice", ""),
        (
            with("gpt-4o", json!({"tools": weather(), "tool_choice": {"type": "function", "name": "g"}})),
            400,
            "tool_choice",
            "",
        ),
        (
            format(json!({"type": "json_schema", "schema": open})),
            400,
            "text.format.name",
            "missing_required_parameter",
        ),
        (
            format(json!({"type": "json_schema", "name": "s", "strict": true, "schema": open})),
            400,
            "text.format.schema",
            "invalid_json_schema",
        ),
        (format(json!({"type": "json_object"})), 400, "input", ""),
    ])
    .await;
    let fleet = fleet().await;
    let got = accepted(&fleet, &with("gpt-4o", json!({"tools": weather(), "tool_choice": "required"}))).await;
    assert_eq!(
        (&got["tools"][0]["strict"], &got["output"][0]["name"]),
        (&json!(true), &json!("get_weather"))
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn sealed_reasoning_returns_unchanged_or_is_refused() {
    let fleet = fleet().await;
    let members = json!({"store": false, "include": ["reasoning.encrypted_content"], "tools": weather(), "input": "get_weather in Oslo"});
    let first = accepted(&fleet, &with("gpt-5.5", members.clone())).await;
    let (thought, call) = (first["output"][0].clone(), first["output"][1].clone());
    assert!(thought["encrypted_content"].as_str().unwrap().starts_with("gAAAA"));
    assert_eq!(call["arguments"], r#"{"city":"Oslo"}"#);
    let result = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "rain"});
    let user = json!({"role": "user", "content": "get_weather in Oslo"});
    let go_on = |items: Value| {
        let mut request = with("gpt-5.5", members.clone());
        request["input"] = items;
        request
    };
    let last = accepted(&fleet, &go_on(json!([user, thought, call, result]))).await;
    assert!(said(&last).contains("rain"), "{last}");
    let mut forged = thought.clone();
    forged["encrypted_content"] = json!("gAAAAABforged");
    let mut moved = thought.clone();
    moved["id"] = json!("rs_other");
    let mut bare = thought.clone();
    bare.as_object_mut().unwrap().remove("encrypted_content");
    for (items, status, code, words) in [
        (json!([user, forged, call, result]), 400, "invalid_encrypted_content", "could not be verified"),
        (json!([user, moved, call, result]), 400, "invalid_encrypted_content", "rs_other"),
        (json!([user, bare, call, result]), 404, "", "`store` is set to false"),
        (json!([user, call, result, thought]), 400, "", "without its required following item"),
    ] {
        let got = post(&fleet, PATH, &go_on(items)).await;
        let error = &got.json()["error"];
        assert_eq!((got.status, error["code"].as_str().unwrap_or_default()), (status, code), "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_stored_call_comes_back_with_the_reasoning_that_led_to_it() {
    let fleet = fleet().await;
    let first =
        accepted(&fleet, &with("gpt-5.5", json!({"tools": weather(), "input": "get_weather in Oslo"}))).await;
    let (thought, call) = (&first["output"][0], &first["output"][1]);
    let user = json!({"role": "user", "content": "get_weather in Oslo"});
    let result = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "rain"});
    let got = post(&fleet, PATH, &ask("gpt-5.5", json!([user, call, result]))).await;
    let message = got.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with(&format!(
            "without its required 'reasoning' item: '{}'.",
            thought["id"].as_str().unwrap()
        )),
        "{message}"
    );
    accepted(&fleet, &ask("gpt-5.5", json!([user, thought, call, result]))).await;
    let references =
        json!([user, {"type": "item_reference", "id": thought["id"]}, {"id": call["id"]}, result]);
    assert!(said(&accepted(&fleet, &ask("gpt-5.5", references)).await).contains("rain"));
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_response_goes_on_from_a_kept_one_of_the_same_caller_only() {
    let fleet = fleet().await;
    let first =
        accepted(&fleet, &with("gpt-4o", json!({"input": "get_weather in Oslo", "tools": weather()}))).await;
    let call = &first["output"][0];
    let result = json!([{"type": "function_call_output", "call_id": call["call_id"], "output": "rain"}]);
    let next = json!({"model": "gpt-4o", "previous_response_id": first["id"], "input": result});
    let got = accepted(&fleet, &next).await;
    assert!(said(&got).contains("get_weather returned: rain"), "{got}");
    assert!(got["usage"]["input_tokens"].as_u64() > first["usage"]["output_tokens"].as_u64());
    let other = send(&fleet, "POST", PATH, &[("authorization", "Bearer sk-other")], &next.to_string()).await;
    assert_eq!((other.status, &other.json()["error"]["code"]), (400, &json!("previous_response_not_found")));
    let unstored = accepted(&fleet, &with("gpt-4o", json!({"store": false}))).await;
    let got = post(&fleet, PATH, &with("gpt-4o", json!({"previous_response_id": unstored["id"]}))).await;
    assert_eq!(got.json()["error"]["code"], "previous_response_not_found");
    fleet.shutdown().await;
}

async fn kept(fleet: &Fleet, method: &str, path: &str) -> Got {
    send(fleet, method, &format!("{PATH}/{path}"), &[], "").await
}

#[tokio::test]
async fn kept_responses_are_read_listed_and_deleted() {
    let fleet = fleet().await;
    let input = json!([{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]);
    let made = accepted(&fleet, &ask("gpt-4o", input)).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(kept(&fleet, "GET", id).await.json(), made);
    let items = kept(&fleet, "GET", &format!("{id}/input_items?limit=1")).await.json();
    assert_eq!((&items["data"][0]["content"][0]["text"], &items["has_more"]), (&json!("two"), &json!(true)));
    let after = items["last_id"].as_str().unwrap();
    let rest = kept(&fleet, "GET", &format!("{id}/input_items?after={after}")).await.json();
    assert_eq!((&rest["data"][0]["content"][0]["text"], &rest["has_more"]), (&json!("one"), &json!(false)));
    assert_eq!(kept(&fleet, "POST", &format!("{id}/cancel")).await.status, 400);
    assert_eq!(kept(&fleet, "PUT", id).await.status, 405);
    assert_eq!(kept(&fleet, "DELETE", id).await.json()["deleted"], true);
    assert_eq!(kept(&fleet, "GET", id).await.status, 404);
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_background_response_is_queued_then_read_or_cancelled() {
    let fleet = fleet().await;
    for (input, cancels) in [("one", false), ("two", true)] {
        let queued = accepted(&fleet, &with("gpt-4o", json!({"background": true, "input": input}))).await;
        assert_eq!((&queued["status"], &queued["usage"]), (&json!("queued"), &json!(null)));
        let id = queued["id"].as_str().unwrap();
        if cancels {
            assert_eq!(kept(&fleet, "POST", &format!("{id}/cancel")).await.json()["status"], "cancelled");
        }
        let ended = kept(&fleet, "GET", id).await.json();
        assert_eq!(ended["status"], if cancels { "cancelled" } else { "completed" });
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn limits_filters_and_refusals_end_a_response_in_their_own_way() {
    let fleet = fleet().await;
    let long = with("gpt-4o", json!({"max_output_tokens": 16, "input": "[[words:60]]"}));
    let got = accepted(&fleet, &long).await;
    assert_eq!(
        (&got["status"], &got["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
    assert_eq!(
        (&got["usage"]["output_tokens"], &message_of(&got)["status"]),
        (&json!(16), &json!("incomplete"))
    );
    let got = accepted(&fleet, &ask("gpt-4o", json!("[[filter]]"))).await;
    assert_eq!(got["incomplete_details"]["reason"], "content_filter");
    let got = accepted(&fleet, &ask("gpt-4o", json!("[[refuse]]"))).await;
    assert_eq!(
        (&got["status"], &message_of(&got)["content"][0]["type"]),
        (&json!("completed"), &json!("refusal"))
    );
    let got = accepted(&fleet, &ask("gpt-4o", json!("[[empty]]"))).await;
    assert_eq!(got["output"], json!([]));
    fleet.shutdown().await;
}

#[tokio::test]
async fn counted_input_equals_what_a_response_reports() {
    let fleet = fleet().await;
    let request =
        with("gpt-5.5", json!({"instructions": "Be brief.", "tools": weather(), "input": "How is Oslo?"}));
    let counted = post(&fleet, "/v1/responses/input_tokens", &request).await.json();
    let made = accepted(&fleet, &request).await;
    assert_eq!(counted["input_tokens"], made["usage"]["input_tokens"]);
    let got = post(&fleet, "/v1/responses/input_tokens", &with("gpt-5.5", json!({"stream": true}))).await;
    assert_eq!(got.json()["error"]["param"], "stream");
    fleet.shutdown().await;
}

#[tokio::test]
async fn an_input_over_the_window_is_refused_or_truncated() {
    let long = "word ".repeat(128_100);
    let input = json!([{"role": "user", "content": long}, {"role": "user", "content": "hello"}]);
    refused(&[(ask("gpt-4o-mini", input.clone()), 400, "input", "context_length_exceeded")]).await;
    let fleet = fleet().await;
    let mut request = ask("gpt-4o-mini", input);
    request["truncation"] = json!("auto");
    assert!(accepted(&fleet, &request).await["usage"]["input_tokens"].as_u64() < Some(20));
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_repeated_long_input_is_read_from_the_cache() {
    let fleet = fleet().await;
    let request = ask("gpt-4o", json!("word ".repeat(1_400)));
    let cached = |got: Value| got["usage"]["input_tokens_details"]["cached_tokens"].as_u64().unwrap();
    assert_eq!(cached(accepted(&fleet, &request).await), 0);
    assert!(cached(accepted(&fleet, &request).await) >= 1_024);
    fleet.shutdown().await;
}
