//! What Google refuses, family by family, and the shapes of its answers.

use crate::Fleet;
use crate::tests::client::{Got, fleet, gemini, generate, post, send};
use serde_json::{Value, json};

const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A request with further fields.
fn with(fields: Value) -> Value {
    let mut request = generate("hello");
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

fn config(fields: Value) -> Value {
    with(json!({ "generationConfig": fields }))
}

async fn ask(fleet: &Fleet, model: &str, request: &Value) -> Got {
    post(fleet, &gemini(model, "generateContent"), request).await
}

async fn accepted(fleet: &Fleet, model: &str, request: &Value) -> Value {
    let got = ask(fleet, model, request).await;
    assert_eq!(got.status, 200, "{request}\n{}", got.text());
    got.json()
}

/// Refused as an invalid argument, with these words in the message.
async fn refused(model: &str, cases: &[(Value, &str)]) {
    let fleet = fleet().await;
    for (request, words) in cases {
        let got = ask(&fleet, model, request).await;
        let error = &got.json()["error"];
        assert_eq!((got.status, &error["code"]), (400, &json!(400)), "{request}\n{}", got.text());
        assert_eq!(error["status"], "INVALID_ARGUMENT");
        assert!(error["message"].as_str().unwrap().contains(words), "{request}\n{error}");
    }
    fleet.shutdown().await;
}

fn tools() -> Value {
    let one = |name: &str| json!({"name": name, "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}});
    json!([{ "functionDeclarations": [one("get_weather"), one("get_time")] }])
}

fn parts(answer: &Value) -> &[Value] {
    answer["candidates"][0]["content"]["parts"].as_array().map_or(&[], Vec::as_slice)
}

fn said(answer: &Value) -> String {
    let shown = parts(answer).iter().filter(|p| p.get("thought").is_none());
    shown.filter_map(|p| p["text"].as_str()).collect()
}

#[tokio::test]
async fn unknown_names_and_wrong_values_are_refused_with_their_place() {
    refused("gemini-2.5-flash", &[
        (with(json!({"thinking": {}})), "Unknown name \"thinking\": Cannot find field."),
        (config(json!({"temprature": 1})), "Unknown name \"temprature\" at 'generation_config': Cannot find field."),
        (config(json!({"temperature": "hot"})), "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\""),
        (json!({"contents": [{"parts": [{"text": "x", "mood": 1}]}]}), "Unknown name \"mood\" at 'contents[0].parts[0]'"),
        (json!({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "@@"}}]}]}), "Base64 decoding failed for \"@@\""),
        (
            with(json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "additionalProperties": false}}]}]})),
            "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters'",
        ),
        (
            with(json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": ["STRING", "NULL"]}}]}]})),
            "Proto field is not repeating, cannot start list.",
        ),
        (with(json!({"toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}})), "FunctionCallingConfig.Mode), \"SOMETIMES\""),
    ])
    .await;
    let fleet = fleet().await;
    let got = ask(&fleet, "gemini-2.5-flash", &with(json!({"a": 1, "b": {}}))).await.json();
    let violations = &got["error"]["details"][0]["fieldViolations"];
    assert_eq!(violations.as_array().unwrap().len(), 2, "{got}");
    let loose = json!({"contents": {"parts": {"text": "hi"}}, "system_instruction": {"parts": {"text": "be brief"}}, "generation_config": {"max_output_tokens": "50"}});
    accepted(&fleet, "gemini-2.5-flash", &loose).await;
    assert_eq!(
        send(&fleet, "POST", &gemini("gemini-2.5-flash", "generateContent"), &[], "{no").await.status,
        400
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn malformed_contents_and_broken_function_loops_are_refused() {
    let user = json!({"role": "user", "parts": [{"text": "x"}]});
    let call = json!({"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]});
    let answer = |name: &str| json!({"role": "user", "parts": [{"functionResponse": {"name": name, "response": {"output": "21 knots"}}}]});
    let of = |contents: Value| json!({ "contents": contents });
    let inline =
        |kind: &str, data: &str| of(json!([{"parts": [{"inlineData": {"mimeType": kind, "data": data}}]}]));
    refused(
        "gemini-2.5-flash",
        &[
            (json!({}), "contents is not specified"),
            (of(json!([{"role": "user", "parts": []}])), "contents.parts must not be empty."),
            (of(json!([{"role": "user", "parts": [{}]}])), "required oneof field 'data'"),
            (
                of(json!([{"role": "assistant", "parts": [{"text": "x"}]}])),
                "Please use a valid role: user, model.",
            ),
            (of(json!([user, call])), "number of function response parts is equal"),
            (of(json!([user, call, user])), "number of function response parts is equal"),
            (
                of(json!([user, answer("f")])),
                "function response turn comes immediately after a function call turn",
            ),
            (of(json!([call, answer("f")])), "function call turn comes immediately after a user turn"),
            (of(json!([user, call, answer("g")])), "Request contains an invalid argument."),
            (of(json!([user, call, answer("")])), "function_response.name: Name cannot be empty."),
            (inline("application/msword", "aGVsbG8="), "Unsupported MIME type: application/msword"),
            (inline("image/png", "aGVsbG8="), "Unable to process input image."),
        ],
    )
    .await;
    let fleet = fleet().await;
    let got = accepted(&fleet, "gemini-2.5-flash", &of(json!([user, call, answer("f")]))).await;
    assert!(said(&got).contains("f returned: 21 knots"), "{got}");
    let got = accepted(&fleet, "gemini-2.5-flash", &inline("image/png", PNG)).await;
    assert!(said(&got).contains("image/png of 70 bytes"), "{got}");
    assert_eq!(got["usageMetadata"]["promptTokensDetails"][1]["modality"], "IMAGE");
    fleet.shutdown().await;
}

#[tokio::test]
async fn signatures_are_required_on_gemini_3_and_checked_everywhere() {
    let fleet = fleet().await;
    let user = generate("get_weather and get_time for Oslo, in parallel")["contents"][0].clone();
    let go_on = |content: &Value, model_parts: &[Value]| {
        let responses: Vec<Value> = model_parts
            .iter()
            .map(|p| json!({"functionResponse": {"name": p["functionCall"]["name"], "id": p["functionCall"]["id"], "response": {"output": "rain"}}}))
            .collect();
        json!({"contents": [user, content, {"role": "user", "parts": responses}], "tools": tools()})
    };
    let model = "gemini-3.1-pro-preview";
    let first = accepted(&fleet, model, &json!({"contents": [user], "tools": tools()})).await;
    let content = first["candidates"][0]["content"].clone();
    let calls = parts(&first);
    assert!(
        calls.len() == 2
            && calls[0]["thoughtSignature"].is_string()
            && calls[1].get("thoughtSignature").is_none()
    );
    assert_ne!(calls[0]["functionCall"]["id"], calls[1]["functionCall"]["id"]);
    assert!(said(&accepted(&fleet, model, &go_on(&content, calls)).await).contains("rain"));
    let edited = |signature: Value| {
        let mut content = content.clone();
        content["parts"][0]["thoughtSignature"] = signature;
        go_on(&content, calls)
    };
    let missing = ask(&fleet, model, &edited(json!(null))).await;
    let message = missing.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(missing.status == 400 && message.contains("`default_api:get_weather` , position 2"), "{message}");
    let forged = ask(&fleet, model, &edited(json!("Zm9yZ2Vk"))).await.json();
    assert_eq!(forged["error"]["message"], "Corrupted thought signature.");
    accepted(&fleet, model, &edited(json!("skip_thought_signature_validator"))).await;
    let other = ask(&fleet, "gemini-3-flash-preview", &go_on(&content, calls)).await.json();
    assert_eq!(other["error"]["message"], "Corrupted thought signature.");
    let mut older = edited(json!(null));
    older["contents"]
        .as_array_mut()
        .unwrap()
        .extend([json!({"role": "model", "parts": [{"text": "rain"}]}), user.clone()]);
    accepted(&fleet, model, &older).await;
    accepted(&fleet, "gemini-2.5-pro", &edited(json!(null))).await;
    let quiet = json!({"contents": [user], "tools": tools(), "generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}});
    let unthought = accepted(&fleet, "gemini-3-flash-preview", &quiet).await;
    assert!(parts(&unthought)[0]["thoughtSignature"].is_string(), "it could not come back otherwise");
    fleet.shutdown().await;
}

#[tokio::test]
async fn thinking_is_taken_as_each_generation_takes_it() {
    let thinking = |fields: Value| config(json!({ "thinkingConfig": fields }));
    refused(
        "gemini-2.5-pro",
        &[
            (thinking(json!({"thinkingLevel": "LOW"})), "Thinking level is not supported for this model."),
            (
                thinking(json!({"thinkingBudget": 0})),
                "Budget 0 is invalid. This model only works in thinking mode.",
            ),
            (thinking(json!({"thinkingBudget": 52_428})), "The thinking budget (52428) is invalid."),
        ],
    )
    .await;
    refused(
        "gemini-3.1-pro-preview",
        &[
            (
                thinking(json!({"thinkingLevel": "MINIMAL"})),
                "Thinking level MINIMAL is not supported for this model.",
            ),
            (
                thinking(json!({"thinkingLevel": "LOW", "thinkingBudget": 100})),
                "only one of thinking budget and thinking level",
            ),
            (thinking(json!({"thinkingBudget": 0})), "only works in thinking mode"),
        ],
    )
    .await;
    let fleet = fleet().await;
    let thoughts = |got: &Value| got["usageMetadata"]["thoughtsTokenCount"].as_u64().unwrap_or(0);
    for (model, fields, thinks, shows) in [
        ("gemini-2.5-flash", json!({}), true, false),
        ("gemini-2.5-flash", json!({"thinkingBudget": 0}), false, false),
        ("gemini-2.5-flash-lite", json!({}), false, false),
        ("gemini-2.5-flash-lite", json!({"thinkingBudget": -1, "includeThoughts": true}), true, true),
        ("gemini-3-flash-preview", json!({"thinking_level": "minimal"}), true, false),
        ("gemini-3.1-pro-preview", json!({"includeThoughts": true}), true, true),
    ] {
        let got = accepted(&fleet, model, &thinking(fields)).await;
        assert_eq!(
            (thoughts(&got) > 0, parts(&got)[0]["thought"] == true),
            (thinks, shows),
            "{model}: {got}"
        );
        let usage = |name: &str| got["usageMetadata"][name].as_u64().unwrap_or(0);
        let sum = usage("promptTokenCount") + usage("candidatesTokenCount") + usage("thoughtsTokenCount");
        assert_eq!(usage("totalTokenCount"), sum);
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn parameters_out_of_range_or_out_of_place_are_refused() {
    refused(
        "gemini-2.5-flash",
        &[
            (config(json!({"temperature": 2.5})), "temperature must be in the range [0.0, 2.0]."),
            (config(json!({"topP": 2})), "top_p must be in the range"),
            (config(json!({"maxOutputTokens": 0})), "max_output_tokens must be positive."),
            (
                config(json!({"maxOutputTokens": 70_000})),
                "supported range is from 1 (inclusive) to 65537 (exclusive)",
            ),
            (
                config(json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]})),
                "the number of stop_sequences must not exceed 5",
            ),
            (config(json!({"responseMimeType": "image/png"})), "allowed mimetypes are"),
            (
                config(json!({"responseSchema": {"type": "STRING"}})),
                "only allowed if response_mime_type is set",
            ),
            (config(json!({"logprobs": 2})), "only be set if response_logprobs is true"),
            (config(json!({"presencePenalty": 1})), "Penalty is not enabled for this model"),
            (config(json!({"responseModalities": ["IMAGE"]})), "combination of response modalities"),
            (
                with(
                    json!({"safetySettings": [{"category": "HARM_CATEGORY_JAILBREAK", "threshold": "OFF"}]}),
                ),
                "element predicate failed",
            ),
            (
                with(json!({"tools": tools(), "generationConfig": {"responseMimeType": "application/json"}})),
                "Function calling with a response mime type: 'application/json' is unsupported",
            ),
        ],
    )
    .await;
    refused(
        "gemini-3.1-pro-preview",
        &[
            (config(json!({"responseLogprobs": true})), "Logprobs is not enabled"),
            (config(json!({"candidateCount": 2})), "Multiple candidates is not enabled"),
        ],
    )
    .await;
    let fleet = fleet().await;
    let got = ask(&fleet, "gemini-2.5-flash", &with(json!({"cachedContent": "cachedContents/x"}))).await;
    assert_eq!((got.status, &got.json()["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    let got = accepted(
        &fleet,
        "gemini-2.5-flash",
        &config(json!({"candidateCount": 2, "responseLogprobs": true, "logprobs": 3})),
    )
    .await;
    assert_eq!((got["candidates"].as_array().unwrap().len(), &got["candidates"][1]["index"]), (2, &json!(1)));
    assert_eq!(
        got["candidates"][0]["logprobsResult"]["topCandidates"][0]["candidates"].as_array().unwrap().len(),
        3
    );
    fleet.shutdown().await;
}

#[tokio::test]
async fn bad_declarations_and_tool_configs_are_refused() {
    let declared = |declarations: Value| with(json!({"tools": [{"functionDeclarations": declarations}]}));
    let schema = |schema: Value| {
        declared(json!([{"name": "f", "parameters": {"type": "OBJECT", "properties": {"x": schema}}}]))
    };
    let mode =
        |fields: Value| with(json!({"tools": tools(), "toolConfig": {"functionCallingConfig": fields}}));
    refused("gemini-2.5-flash", &[
        (declared(json!([{"name": "no spaces"}])), "Invalid function name."),
        (declared(json!([{"name": "f"}, {"name": "f"}])), "Duplicate function declaration found: f"),
        (declared(json!([{"name": "f", "parameters": {"type": "OBJECT"}}])), "parameters.properties: should be non-empty for OBJECT type"),
        (schema(json!({"type": "ARRAY"})), "parameters.properties[x].items: missing field."),
        (schema(json!({"type": "INTEGER", "enum": ["1"]})), "properties[x].enum: only allowed for STRING type"),
        (schema(json!({"type": "STRING", "format": "uuid"})), "only 'enum' and 'date-time' are supported"),
        (
            declared(json!([{"name": "f", "parameters": {"type": "OBJECT", "properties": {"x": {"type": "STRING"}}, "required": ["y"]}}])),
            "parameters.required[0]: property is not defined",
        ),
        (with(json!({"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}})), "set without function_declarations"),
        (mode(json!({"mode": "AUTO", "allowedFunctionNames": ["get_time"]})), "only when function calling mode is ANY"),
        (mode(json!({"mode": "ANY", "allowedFunctionNames": ["dream"]})), "`dream` is not among the declared functions"),
        (
            with(json!({"tools": [{"googleSearch": {}}, {"functionDeclarations": [{"name": "f"}]}]})),
            "Tool use with function calling is unsupported",
        ),
    ])
    .await;
    let fleet = fleet().await;
    let allowed = mode(json!({"mode": "any", "allowed_function_names": ["get_time"]}));
    let got = accepted(&fleet, "gemini-2.5-flash", &allowed).await;
    assert_eq!(parts(&got)[0]["functionCall"]["name"], "get_time");
    let got = accepted(&fleet, "gemini-2.5-flash", &mode(json!({"mode": "NONE"}))).await;
    assert!(!said(&got).is_empty());
    let published = json!([{"name": "f", "parametersJsonSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}]);
    let got = accepted(&fleet, "gemini-2.5-flash", &declared(published)).await;
    assert!(parts(&got)[0]["functionCall"]["args"]["n"].is_i64(), "{got}");
    fleet.shutdown().await;
}

#[tokio::test]
async fn each_ending_has_its_reason() {
    let fleet = fleet().await;
    let finish = |got: &Value| got["candidates"][0]["finishReason"].as_str().unwrap_or("none").to_owned();
    let steer = |words: &str| generate(words);
    let model = "gemini-2.5-flash";
    let short = json!({"contents": [{"parts": [{"text": "[[words:90]]"}]}], "generationConfig": {"maxOutputTokens": 9, "thinkingConfig": {"thinkingBudget": 0}}});
    let got = accepted(&fleet, model, &short).await;
    assert_eq!(
        (finish(&got).as_str(), &got["usageMetadata"]["candidatesTokenCount"]),
        ("MAX_TOKENS", &json!(9))
    );
    let got = accepted(&fleet, model, &steer("[[filter]]")).await;
    assert_eq!((finish(&got).as_str(), parts(&got).len()), ("SAFETY", 0));
    let got = accepted(&fleet, model, &steer("[[refuse]]")).await;
    assert_eq!(
        (finish(&got).as_str(), &got["promptFeedback"]["blockReason"]),
        ("none", &json!("PROHIBITED_CONTENT"))
    );
    let mut bad = steer("get_weather [[badcall]]");
    bad["tools"] = tools();
    let got = accepted(&fleet, model, &bad).await;
    assert_eq!((finish(&got).as_str(), parts(&got).len()), ("MALFORMED_FUNCTION_CALL", 0));
    let mut stop = steer("[[say:one two three]]");
    stop["generationConfig"] = json!({"stopSequences": ["two"]});
    let got = accepted(&fleet, model, &stop).await;
    assert_eq!((finish(&got).as_str(), said(&got).as_str()), ("STOP", "one "));
    let choice = json!({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["red", "blue"]}});
    let got = accepted(&fleet, model, &config(choice)).await;
    assert!(["red", "blue"].contains(&said(&got).as_str()), "{got}");
    let got = accepted(&fleet, model, &with(json!({"tools": [{"googleSearch": {}}]}))).await;
    let usage = |name: &str| got["usageMetadata"][name].as_u64().unwrap();
    let sum = ["promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount"]
        .map(usage);
    assert_eq!(usage("totalTokenCount"), sum.iter().sum::<u64>());
    fleet.shutdown().await;
}

#[tokio::test]
async fn both_streams_put_together_equal_the_plain_answer() {
    let fleet = fleet().await;
    let mut calls = generate("get_weather and get_time for Oslo, in parallel");
    calls["tools"] = tools();
    for model in ["gemini-3.1-pro-preview", "gemini-2.5-flash"] {
        for mut request in [generate("Why do ships float?"), calls.clone(), generate("[[filter]]")] {
            request["generationConfig"] = json!({"thinkingConfig": {"includeThoughts": true}});
            let plain = accepted(&fleet, model, &request).await;
            let got = post(&fleet, &gemini(model, "streamGenerateContent?alt=sse"), &request).await;
            assert!(
                got.text().ends_with("}\r\n\r\n") && got.header("content-type") == Some("text/event-stream")
            );
            let chunks = got.events();
            let list = post(&fleet, &gemini(model, "streamGenerateContent"), &request).await;
            assert!(list.header("content-type").unwrap().starts_with("application/json"));
            assert_eq!(list.json(), json!(chunks));
            let last = chunks.last().unwrap();
            assert_eq!(last["usageMetadata"], plain["usageMetadata"]);
            assert_eq!(last["candidates"][0]["finishReason"], plain["candidates"][0]["finishReason"]);
            assert!(chunks.iter().all(|c| c["responseId"] == plain["responseId"]));
            assert_eq!(chunks.iter().map(said).collect::<String>(), said(&plain));
            let called = |answer: &Value| {
                parts(answer).iter().filter_map(|p| p.get("functionCall").cloned()).collect::<Vec<_>>()
            };
            assert_eq!(chunks.iter().flat_map(called).collect::<Vec<_>>(), called(&plain));
            let signed = |answer: &Value| {
                parts(answer).iter().filter_map(|p| p.get("thoughtSignature").cloned()).collect::<Vec<_>>()
            };
            assert_eq!(chunks.iter().flat_map(signed).collect::<Vec<_>>(), signed(&plain));
            let counts: Vec<u64> =
                chunks.iter().map(|c| c["usageMetadata"]["totalTokenCount"].as_u64().unwrap()).collect();
            assert!(counts.is_sorted(), "{counts:?}");
        }
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn counts_equal_the_usage_and_embeddings_have_the_asked_length() {
    let fleet = fleet().await;
    let model = "gemini-2.5-flash";
    let request = with(json!({"systemInstruction": {"parts": [{"text": "Be brief."}]}, "tools": tools()}));
    let wrapped = json!({ "generateContentRequest": request });
    let counted = post(&fleet, &gemini(model, "countTokens"), &wrapped).await.json();
    let made = accepted(&fleet, model, &request).await;
    assert_eq!(counted["totalTokens"], made["usageMetadata"]["promptTokenCount"]);
    let content = json!({"parts": [{"text": "the deep sea"}]});
    let one = json!({"model": "models/gemini-embedding-001", "content": content, "outputDimensionality": 8});
    let got = post(&fleet, &gemini("gemini-embedding-001", "embedContent"), &one).await.json();
    assert_eq!(
        (got["embedding"]["values"].as_array().unwrap().len(), &got["usageMetadata"]["promptTokenCount"]),
        (8, &json!(3))
    );
    let batch = json!({"requests": [one, one]});
    let got = post(&fleet, &gemini("gemini-embedding-001", "batchEmbedContents"), &batch).await.json();
    assert_eq!(got["embeddings"].as_array().unwrap().len(), 2);
    let strange = json!({"requests": [{"model": "models/other", "content": content}]});
    assert_eq!(
        post(&fleet, &gemini("gemini-embedding-001", "batchEmbedContents"), &strange).await.status,
        400
    );
    for (model, method, request) in [
        ("gemini-2.5-flash", "embedContent", &one),
        ("gemini-embedding-001", "generateContent", &request),
        ("gemini-9", "generateContent", &request),
    ] {
        let got = post(&fleet, &gemini(model, method), request).await;
        assert_eq!((got.status, &got.json()["error"]["status"]), (404, &json!("NOT_FOUND")), "{model}");
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn models_are_listed_in_either_version_and_paths_that_are_not_there_are_a_page() {
    let fleet = fleet().await;
    let key = [("x-goog-api-key", "k")];
    let listed = send(&fleet, "GET", "/v1/models?pageSize=2", &key, "").await.json();
    assert_eq!((listed["models"].as_array().unwrap().len(), &listed["nextPageToken"]), (2, &json!("2")));
    let one = send(&fleet, "GET", "/v1beta/models/gemini-2.5-pro", &key, "").await.json();
    assert_eq!((&one["name"], &one["inputTokenLimit"]), (&json!("models/gemini-2.5-pro"), &json!(1_048_576)));
    assert_eq!(send(&fleet, "GET", "/v1beta/models/nonesuch", &key, "").await.status, 404);
    let got = send(&fleet, "GET", "/v1beta/models/gemini-2.5-pro:generateContent", &key, "").await;
    assert!(got.status == 404 && got.header("content-type").unwrap().starts_with("text/html"));
    for (headers, status) in [([("x-goog-api-key", "bad-k")], 400), ([("authorization", "Bearer k")], 401)] {
        let got =
            send(&fleet, "POST", &gemini("gemini-2.5-pro", "streamGenerateContent"), &headers, "{}").await;
        assert_eq!((got.status, &got.json()[0]["error"]["code"]), (status, &json!(status)));
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn implicit_caches_and_tiers_are_told_where_google_tells_them() {
    let fleet = fleet().await;
    let mut request = generate(&"word ".repeat(1_400));
    request["serviceTier"] = json!("SERVICE_TIER_FLEX");
    assert!(
        accepted(&fleet, "gemini-2.5-flash", &request).await["usageMetadata"]
            .get("cachedContentTokenCount")
            .is_none()
    );
    let again = ask(&fleet, "gemini-2.5-flash", &request).await;
    assert_eq!(again.header("x-gemini-service-tier"), Some("flex"));
    assert!(again.json()["usageMetadata"]["cachedContentTokenCount"].as_u64() >= Some(1_024));
    for _ in 0..2 {
        let pro = accepted(&fleet, "gemini-2.5-pro", &request).await;
        assert!(pro["usageMetadata"].get("cachedContentTokenCount").is_none(), "its shortest is 4,096");
    }
    fleet.shutdown().await;
}
