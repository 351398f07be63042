//! Bedrock over its wire: what it refuses, in which words; what it answers, and as which frames.

mod faults;
mod frames;
mod published;
mod signed;

use crate::Fleet;
use crate::tests::client::{Got, fleet, post, send};
use frames::events;
use serde_json::{Value, json};

const SONNET: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
const OPUS: &str = "anthropic.claude-opus-4-7";
const NOVA: &str = "amazon.nova-pro-v1:0";
const OSS: &str = "openai.gpt-oss-120b-1:0";

/// The path of an operation of a model.
pub(super) fn path(model: &str, operation: &str) -> String {
    format!("/bedrock/model/{model}/{operation}")
}

/// A request with one user text.
pub(super) fn ask(said: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "text": said }] }] })
}

/// The same with further members.
fn with(said: &str, members: Value) -> Value {
    let mut out = ask(said);
    for (name, value) in members.as_object().unwrap() {
        out[name] = value.clone();
    }
    out
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tool =
        |name: &str| json!({"toolSpec": {"name": name, "description": "d", "inputSchema": {"json": schema}}});
    json!({ "tools": [tool("get_weather"), tool("get_time")] })
}

async fn converse(fleet: &Fleet, model: &str, request: &Value) -> Got {
    post(fleet, &path(model, "converse"), request).await
}

async fn accepted(fleet: &Fleet, model: &str, request: &Value) -> Value {
    let got = converse(fleet, model, request).await;
    assert_eq!(got.status, 200, "{model}: {}\n{request}", got.text());
    got.json()
}

fn content(answer: &Value) -> &Vec<Value> {
    answer["output"]["message"]["content"].as_array().unwrap()
}

fn said(answer: &Value) -> String {
    content(answer).iter().filter_map(|b| b["text"].as_str()).collect()
}

/// Each request is refused with 400 and words that hold these.
async fn refused(model: &str, cases: &[(Value, &str)]) {
    let fleet = fleet().await;
    for (request, why) in cases {
        let got = converse(&fleet, model, request).await;
        let message = got.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(got.status == 400 && message.contains(why), "{why}: {} {message}", got.status);
        assert!(got.header("x-amzn-errortype").unwrap().contains("Exception:http://internal.amazon.com/"));
    }
    fleet.shutdown().await;
}

fn turns(list: &[(&str, Value)]) -> Value {
    let messages = list.iter().map(|(role, content)| json!({"role": role, "content": content}));
    json!({ "messages": messages.collect::<Vec<_>>() })
}

fn call(id: &str) -> Value {
    json!([{"toolUse": {"toolUseId": id, "name": "get_weather", "input": {"city": "Oslo"}}}])
}

fn result(id: &str) -> Value {
    json!([{"toolResult": {"toolUseId": id, "content": [{"text": "mild"}]}}])
}

#[tokio::test]
async fn members_of_the_wrong_shape_are_refused_by_their_place() {
    let config = |fields: Value| with("x", json!({ "inferenceConfig": fields }));
    let content = |block: Value| turns(&[("user", json!([block]))]);
    refused(NOVA, &[
        (with("x", json!({"model": "y"})), "has no member at model"),
        (content(json!({"type": "text", "text": "x"})), "has no member at messages.0.content.0.type"),
        (content(json!({})), "ContentBlock object at messages.0.content.0 must set one of the following keys: text, image"),
        (content(json!({"text": "x", "cachePoint": {"type": "default"}})), "must set only one of the following keys"),
        (json!({"messages": "x"}), "STRING_VALUE can not be converted to List"),
        (content(json!({"text": 1})), "NUMBER_VALUE can not be converted to String"),
        (json!({"messages": [{"content": [{"text": "x"}]}]}), "1 validation error detected: Value at 'messages.1.member.role' failed to satisfy constraint: Member must not be null"),
        (json!({"messages": [{"role": "tool", "content": [{"text": "x"}]}]}), "Value 'tool' at 'messages.1.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant, system]"),
        (config(json!({"maxTokens": 0})), "Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"),
        (config(json!({"temperature": 1.5})), "Member must have value less than or equal to 1"),
        (config(json!({"temperature": -1, "topP": 2})), "2 validation errors detected"),
        (config(json!({"topK": 3})), "has no member at inferenceConfig.topK"),
        (with("x", json!({"toolConfig": {"tools": []}})), "Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        (with("x", json!({"requestMetadata": {"a": "b;c"}})), "satisfy regular expression pattern"),
        (turns(&[("user", json!([{"text": "x"}])), ("assistant", call("a b")), ("user", result("a b"))]), "Value 'a b' at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+"),
        (content(json!({"image": {"format": "png", "source": {"bytes": "@@"}}})), "invalid base64 data"),
    ]).await;
}

#[tokio::test]
async fn conversations_that_the_service_refuses_never_reach_a_model() {
    let text = |t: &str| json!([{ "text": t }]);
    let tooled = |mut request: Value| {
        request["toolConfig"] = tools();
        request
    };
    let document =
        |name: &str| json!({"document": {"format": "txt", "name": name, "source": {"bytes": "aGk="}}});
    refused(NOVA, &[
        (json!({}), "must start with a user message"),
        (turns(&[("assistant", text("x")), ("user", text("y"))]), "must start with a user message"),
        (turns(&[("user", text("x")), ("user", text("y"))]), "must alternate between user and assistant roles"),
        (turns(&[("user", json!([]))]), "The content field in the Message object at messages.0 is empty."),
        (turns(&[("user", text(" "))]), "The text field in the ContentBlock object at messages.0.content.0 is blank."),
        (turns(&[("user", call("a"))]), "toolUse block at messages.0.content.0 can only be used in assistant messages"),
        (turns(&[("user", text("x")), ("assistant", call("a")), ("user", result("a"))]), "The toolConfig field must be defined when using toolUse and toolResult content blocks."),
        (tooled(turns(&[("user", text("x")), ("assistant", call("a")), ("user", text("y"))])), "Expected toolResult blocks at messages.2.content for the following Ids: a"),
        (tooled(turns(&[("user", result("a"))])), "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn."),
        (tooled(turns(&[("user", text("x")), ("assistant", json!([{"toolUse": {"toolUseId": "a", "name": "f", "input": "{}"}}])), ("user", result("a"))])), "messages.1.content.0.toolUse.input is invalid. Provide a json object"),
        (tooled(turns(&[("user", text("x")), ("assistant", call("a")), ("user", json!([{"toolResult": {"toolUseId": "a", "content": [], "status": "error"}}]))])), "cannot be empty when status value is error"),
        (turns(&[("user", json!([{"text": "x"}, document("a_b.txt")]))]), "The document file name can only contain alphanumeric"),
        (turns(&[("user", json!([{"text": "x"}, document("a"), document("a")]))]), "duplicate document names"),
        (turns(&[("user", json!([document("a")]))]), "A text block must be included"),
        (with("x", json!({"toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "string"}}}}]}})), "inputSchema.json.type must be one of the following: object."),
        (with("x", json!({"toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "$defs": {}}}}}]}})), "Malformed input request: #/toolConfig/tools/0/toolSpec/inputSchema/json: extraneous key [$defs] is not permitted"),
        (with("x", json!({"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"}})), "The guardrail identifier or version provided in the request does not exist."),
        (with("x", json!({"promptVariables": {"a": {"text": "b"}}})), "promptVariables"),
        (with("x", json!({"inferenceConfig": {"maxTokens": 20_000}})), "The maximum tokens you requested exceeds the model limit of 10000."),
        (with("x", json!({"additionalModelRequestFields": {"top_k": 5}})), "Malformed input request: #: extraneous key [top_k] is not permitted"),
        (with("x", json!({"additionalModelRequestFields": {"inferenceConfig": {"topK": 500}}})), "topK"),
    ]).await;
}

#[tokio::test]
async fn each_claude_refuses_what_its_maker_says_it_refuses() {
    let config = |fields: Value| with("x", json!({ "inferenceConfig": fields }));
    let native = |fields: Value| with("x", json!({ "additionalModelRequestFields": fields }));
    let says = "The model returned the following errors: ";
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 2_000}});
    refused(SONNET, &[
        (config(json!({"temperature": 0.5, "topP": 0.9})), &format!("{says}`temperature` and `top_p` cannot both be specified for this model.")),
        (native(json!({"anthropic_beta": ["mcp-client-2025-11-20"]})), &format!("{says}invalid beta flag")),
        (native(json!({"colour": 1})), &format!("{says}colour: Extra inputs are not permitted")),
        (native(json!({"max_tokens": 5})), "The additional field max_tokens conflicts with an existing field."),
        (native(json!({"thinking": {"type": "enabled", "budget_tokens": 100}})), "greater than or equal to 1024"),
        (with("x", json!({"inferenceConfig": {"temperature": 0.2}, "additionalModelRequestFields": budget.clone()})), "`temperature` may only be set to 1 when thinking is enabled"),
        (native(json!("x")), "The format of the additionalModelRequestFields field is invalid."),
        (turns(&[("user", json!([{"text": "x"}])), ("assistant", json!([{"reasoningContent": {"reasoningText": {"text": "hm", "signature": "Zm9yZ2Vk"}}}, {"text": "y"}])), ("user", json!([{"text": "z"}]))]), "Invalid `signature` in `thinking` block"),
        (turns(&[("user", json!([{"text": "x"}, {"image": {"format": "jpeg", "source": {"bytes": "iVBORw0KGgo="}}}]))]), "the image appears to be a image/png image"),
        (turns(&[("user", json!([{"cachePoint": {"type": "default"}}, {"text": "x"}]))]), "has no content before it"),
    ]).await;
    refused(OPUS, &[
        (config(json!({"temperature": 0.5})), "`temperature` is deprecated for this model."),
        (config(json!({"topP": 0.5})), "`top_p` is deprecated for this model."),
        (native(budget), "\"thinking.type.enabled\" is not supported for this model."),
        (turns(&[("user", json!([{"text": "x"}])), ("assistant", json!([{"text": "The"}]))]), "does not support assistant message prefill"),
        (with("x", json!({"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}"}}}}})), "outputConfig.textFormat"),
    ]).await;
}

#[tokio::test]
async fn models_paths_and_operations_that_are_not_there_have_awss_words() {
    let fleet = fleet().await;
    let got = converse(&fleet, "anthropic.claude-9", &ask("x")).await;
    assert_eq!(
        (got.status, got.json()),
        (400, json!({"message": "The provided model identifier is invalid."}))
    );
    let got = post(&fleet, "/bedrock/model/amazon.nova-pro-v1:0/dream", &ask("x")).await;
    assert_eq!((got.status, got.header("x-amzn-errortype")), (404, Some("UnknownOperationException")));
    let got = send(&fleet, "POST", &path(NOVA, "converse"), &[], "{").await;
    assert_eq!(got.status, 400);
    assert!(got.header("x-amzn-errortype").unwrap().starts_with("SerializationException"));
    let cached = turns(&[("user", json!([{"text": "x"}, {"cachePoint": {"type": "default"}}]))]);
    let got = converse(&fleet, OSS, &cached).await;
    assert!(got.status == 403 && got.text().contains("did not allow prompt caching"), "{}", got.text());
    for name in
        ["arn:aws:bedrock:us-east-1::foundation-model%2Famazon.nova-pro-v1%3A0", "us.amazon.nova-pro-v1%3A0"]
    {
        accepted(&fleet, name, &ask("x")).await;
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn usage_is_counted_apart_from_what_the_cache_read_and_wrote() {
    let fleet = fleet().await;
    let system = json!([{"text": "word ".repeat(1_400)}, {"cachePoint": {"type": "default"}}]);
    let request = with("hello", json!({ "system": system }));
    let first = accepted(&fleet, SONNET, &request).await["usage"].clone();
    let again = accepted(&fleet, SONNET, &request).await["usage"].clone();
    let count = |usage: &Value, name: &str| usage[name].as_u64().unwrap();
    assert!(count(&first, "cacheWriteInputTokens") >= 1_400 && count(&first, "cacheReadInputTokens") == 0);
    assert_eq!(first["cacheWriteInputTokens"], again["cacheReadInputTokens"]);
    assert_eq!(first["cacheDetails"][0]["ttl"], "5m");
    for usage in [&first, &again] {
        let sum = ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"]
            .map(|n| count(usage, n));
        assert_eq!(count(usage, "totalTokens"), sum.iter().sum::<u64>());
    }
    let totals = send(&fleet, "GET", "/_sim/totals", &[], "").await.json();
    let billed = &totals["bedrock"]["us.anthropic.claude-sonnet-4-5-20250929-v1:0"];
    assert_eq!(
        (&billed["completed"], &billed["tokens"]["cache_read"]),
        (&json!(2), &again["cacheReadInputTokens"])
    );
    let due = |u: &Value| {
        count(u, "inputTokens") * 3_000_000
            + count(u, "outputTokens") * 15_000_000
            + count(u, "cacheReadInputTokens") * 300_000
            + count(u, "cacheWriteInputTokens") * 3_750_000
    };
    assert_eq!(billed["picousd"], (due(&first) + due(&again)).to_string());
    let counted =
        post(&fleet, &path(SONNET, "count-tokens"), &json!({"input": {"converse": request}})).await.json();
    assert_eq!(
        counted["inputTokens"].as_u64().unwrap(),
        count(&again, "inputTokens") + count(&again, "cacheReadInputTokens")
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn thinking_comes_signed_and_goes_back_to_its_maker_on_every_platform() {
    let fleet = fleet().await;
    let thinking =
        json!({"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2_000}}});
    let mut request = with("get_weather in Oslo", thinking);
    request["toolConfig"] = tools();
    let first = accepted(&fleet, SONNET, &request).await;
    assert_eq!(first["stopReason"], "tool_use");
    let [reasoning, call] = content(&first).as_slice() else { panic!("{first}") };
    let thought = &reasoning["reasoningContent"]["reasoningText"];
    let id = call["toolUse"]["toolUseId"].as_str().unwrap();
    assert!(id.starts_with("tooluse_") && call["toolUse"]["input"]["city"].is_string());
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(first["output"]["message"].clone());
    messages.push(json!({"role": "user", "content": result(id)}));
    let second = accepted(&fleet, SONNET, &request).await;
    assert!(said(&second).contains("The tool get_weather returned: mild"), "{second}");
    let other = converse(&fleet, "anthropic.claude-haiku-4-5-20251001-v1:0", &request).await;
    assert!(other.text().contains("Invalid `signature`"), "{}", other.text());
    let block = json!({"type": "thinking", "thinking": thought["text"], "signature": thought["signature"]});
    let native = json!({"model": "claude-sonnet-4-5", "max_tokens": 3_000, "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [block, {"type": "text", "text": "y"}]},
        {"role": "user", "content": "z"},
    ]});
    assert_eq!(post(&fleet, "/v1/messages", &native).await.status, 200);
    let redacted = with(
        "[[redact]]",
        json!({"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2_000}}}),
    );
    let got = accepted(&fleet, SONNET, &redacted).await;
    let kept = json!({"messages": [redacted["messages"][0], got["output"]["message"], {"role": "user", "content": [{"text": "on"}]}]});
    assert!(content(&got)[0]["reasoningContent"]["redactedContent"].is_string());
    accepted(&fleet, SONNET, &kept).await;
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_stream_put_together_equals_the_plain_answer() {
    let fleet = fleet().await;
    let mut calls = ask("get_weather and get_time, in parallel");
    calls["toolConfig"] = tools();
    let cited = ask("[[cite]] Why do ships float?");
    for model in [SONNET, OPUS, NOVA, OSS] {
        for request in
            [ask("Why do ships float?"), calls.clone(), cited.clone(), ask("[[filter]]"), ask("[[refuse]]")]
        {
            let plain = accepted(&fleet, model, &request).await;
            let got = post(&fleet, &path(model, "converse-stream"), &request).await;
            assert_eq!(got.header("content-type"), Some("application/vnd.amazon.eventstream"));
            let made = frames::put_together(&events(&got.body));
            assert_eq!(made["content"], plain["output"]["message"]["content"], "{model}");
            assert_eq!((&made["stopReason"], &made["usage"]), (&plain["stopReason"], &plain["usage"]));
        }
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn each_ending_and_each_asked_field_is_told() {
    let fleet = fleet().await;
    let short = with("[[words:90]]", json!({"inferenceConfig": {"maxTokens": 9}}));
    let got = accepted(&fleet, NOVA, &short).await;
    assert_eq!((&got["stopReason"], &got["usage"]["outputTokens"]), (&json!("max_tokens"), &json!(9)));
    let stopped = with(
        "[[say:one two three]]",
        json!({
            "inferenceConfig": {"stopSequences": ["two"]},
            "additionalModelResponseFieldPaths": ["/stop_sequence", "/none"],
            "serviceTier": {"type": "flex"},
        }),
    );
    let got = accepted(&fleet, SONNET, &stopped).await;
    assert_eq!((&got["stopReason"], said(&got).as_str()), (&json!("stop_sequence"), "one "));
    assert_eq!(got["additionalModelResponseFields"], json!({"stop_sequence": "two"}));
    assert_eq!(got["serviceTier"], json!({"type": "default"}));
    assert_eq!(accepted(&fleet, NOVA, &stopped).await["serviceTier"], json!({"type": "flex"}));
    assert_eq!(accepted(&fleet, NOVA, &ask("[[filter]]")).await["stopReason"], "content_filtered");
    let mut bad = ask("get_weather [[badcall]]");
    bad["toolConfig"] = tools();
    let got = accepted(&fleet, NOVA, &bad).await;
    assert_eq!((&got["stopReason"], content(&got).len()), (&json!("malformed_tool_use"), 0));
    let got = accepted(&fleet, OSS, &ask("hello")).await;
    let thought = &content(&got)[0]["reasoningContent"]["reasoningText"];
    assert!(thought["text"].is_string() && thought.get("signature").is_none(), "{got}");
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let formed = with(
        "x",
        json!({"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema.to_string()}}}}}),
    );
    let got = said(&accepted(&fleet, SONNET, &formed).await);
    assert!(serde_json::from_str::<Value>(&got).unwrap()["n"].is_i64(), "{got}");
    fleet.shutdown().await;
}

#[tokio::test]
async fn every_mutated_request_is_answered_or_refused_and_the_fleet_goes_on() {
    let base = json!({
        "messages": [
            {"role": "user", "content": [{"text": "x"}, {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}, {"cachePoint": {"type": "default", "ttl": "5m"}}]},
            {"role": "assistant", "content": [{"text": "y"}, {"toolUse": {"toolUseId": "a", "name": "get_weather", "input": {"city": "Oslo"}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [{"json": {"t": 4}}, {"text": "mild"}], "status": "success"}}]},
            {"role": "assistant", "content": [{"citationsContent": {"content": [{"text": "z"}], "citations": [{"title": "t", "location": {"documentChar": {"start": 0, "end": 1}}}]}}]},
            {"role": "user", "content": [{"text": "get_time"}, {"document": {"format": "md", "name": "Notes", "source": {"text": "hi"}}}]},
        ],
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "inferenceConfig": {"maxTokens": 50, "stopSequences": ["q"]},
        "toolConfig": {"tools": tools()["tools"], "toolChoice": {"auto": {}}},
        "additionalModelRequestFields": {"top_k": 5},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "requestMetadata": {"a": "b"},
        "serviceTier": {"type": "default"},
    });
    let fleet = fleet().await;
    let mut chance = crate::chance::Chance::new(1, &[b"mutations"]);
    accepted(&fleet, SONNET, &base).await;
    let mut all = Vec::new();
    crate::tests::mutations::places(&base, "", &mut all);
    let (mut refused, mut answered) = (0, 0);
    for place in all {
        for _ in 0..3 {
            let replacements = crate::tests::mutations::replacements();
            let mut request = base.clone();
            *request.pointer_mut(&place).unwrap() = replacements[chance.below(replacements.len())].clone();
            let got = post(&fleet, &path(SONNET, "converse-stream"), &request).await;
            match got.status {
                200 => answered += usize::from(!events(&got.body).is_empty()),
                400 => {
                    assert!(got.json()["message"].is_string(), "{request}");
                    refused += 1;
                }
                status => panic!("{status}: {request}\n{}", got.text()),
            }
        }
    }
    assert!(refused > 60 && answered > 10, "{refused} refused, {answered} answered");
    fleet.shutdown().await;
}

#[tokio::test]
async fn the_makers_own_apis_serve_their_models_under_bedrocks_names() {
    let fleet = fleet().await;
    let (messages, chat) = ("/bedrock/anthropic/v1/messages", "/bedrock/openai/v1/chat/completions");
    let message = |model: &str| crate::tests::client::message(model, "hello");
    let asked = |model: &str| crate::tests::client::chat(model, "hello");
    for (path, request, status) in [
        (messages, message(OPUS), 200),
        (messages, message(NOVA), 404),
        (messages, message("fault-529"), 529),
        (chat, asked(OSS), 200),
        (chat, asked(OPUS), 404),
        (
            "/bedrock/anthropic/v1/messages/count_tokens",
            json!({"model": OPUS, "messages": message(OPUS)["messages"]}),
            200,
        ),
    ] {
        let got = post(&fleet, path, &request).await;
        assert_eq!(got.status, status, "{path} {}", got.text());
        assert!(status == 200 || got.json()["error"]["message"].is_string());
    }
    let mut sampled = message(OPUS);
    sampled["temperature"] = json!(0.5);
    assert!(post(&fleet, messages, &sampled).await.text().contains("deprecated for this model"));
    let totals = send(&fleet, "GET", "/_sim/totals", &[], "").await.json();
    assert_eq!(totals["bedrock"][OPUS]["completed"], 2);
    fleet.shutdown().await;
}
