//! Needs and lengths of requests, told from their bytes.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn of(dialect: Dialect, body: &Value) -> (Wants, Size, bool) {
    let text = body.to_string();
    let head = Head::read(text.as_bytes()).unwrap();
    let (mut seen, mut turns) = (Vec::new(), Vec::new());
    let survey = survey_turns(dialect, &head, |turn| seen.push(turn));
    each_turn(dialect, &head, |turn| turns.push(turn));
    assert_eq!(seen, turns, "the turns on the way");
    seen.clear();
    let (again, shape) = survey_and_shape(dialect, &head, |turn| seen.push(turn));
    assert_eq!((seen, again), (turns, survey), "in one pass with the shape");
    assert_eq!(shape, shape::of(dialect, &head));
    (wants(dialect, &head, &survey), survey.size, is_in_tool_loop(dialect, &head))
}

#[test]
fn a_plain_question_needs_nothing() {
    for (dialect, body) in [
        (Dialect::OpenaiChat, json!({"messages": [{"role": "user", "content": "Hi"}], "tools": []})),
        (Dialect::OpenaiResponses, json!({"input": "Hi", "reasoning": null})),
        (Dialect::AnthropicMessages, json!({"messages": [{"role": "user", "content": "Hi"}]})),
        (Dialect::GeminiGenerate, json!({"contents": [{"parts": [{"text": "Hi"}]}]})),
        (Dialect::BedrockConverse, json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})),
    ] {
        let (wants, size, is_in_loop) = of(dialect, &body);
        assert_eq!((wants, is_in_loop), (Wants::default(), false), "{dialect}");
        assert_eq!((size.messages, size.media), (1, 0), "{dialect}");
    }
}

#[test]
fn tools_and_forced_tools_are_seen_in_every_dialect() {
    let tool = json!([{"name": "a"}]);
    for (dialect, body) in [
        (Dialect::OpenaiChat, json!({"messages": [], "tools": tool, "tool_choice": "required"})),
        (Dialect::OpenaiResponses, json!({"input": "", "tools": tool, "tool_choice": "required"})),
        (Dialect::AnthropicMessages, json!({"messages": [], "tools": tool, "tool_choice": {"type": "any"}})),
        (
            Dialect::GeminiGenerate,
            json!({"contents": [], "tools": tool, "tool_config": {"function_calling_config": {"mode": "ANY"}}}),
        ),
        (
            Dialect::BedrockConverse,
            json!({"messages": [], "toolConfig": {"tools": tool, "toolChoice": {"any": {}}}}),
        ),
    ] {
        let (wants, ..) = of(dialect, &body);
        assert!(wants.tools && wants.tool_choice, "{dialect}: {wants:?}");
    }
    let (wants, ..) = of(Dialect::OpenaiChat, &json!({"messages": [], "tools": tool, "tool_choice": "auto"}));
    assert!(wants.tools && !wants.tool_choice);
}

#[test]
fn schemas_thinking_and_speech_are_seen_where_each_dialect_has_them() {
    let schema = json!({"type": "json_schema", "schema": {}});
    let (wants, ..) = of(
        Dialect::OpenaiChat,
        &json!({"messages": [], "response_format": schema, "reasoning_effort": "high", "audio": {"voice": "a"}}),
    );
    assert!(wants.json_schema && wants.reasoning && wants.audio_output);
    let (wants, ..) = of(
        Dialect::OpenaiResponses,
        &json!({"input": "", "text": {"format": schema}, "reasoning": {"effort": "low"}}),
    );
    assert!(wants.json_schema && wants.reasoning);
    let (wants, ..) = of(
        Dialect::AnthropicMessages,
        &json!({"messages": [], "output_config": {"format": schema}, "thinking": {"type": "adaptive"}}),
    );
    assert!(wants.json_schema && wants.reasoning);
    let (wants, ..) =
        of(Dialect::AnthropicMessages, &json!({"messages": [], "thinking": {"type": "disabled"}}));
    assert!(!wants.reasoning);
    let (wants, ..) = of(
        Dialect::GeminiGenerate,
        &json!({"contents": [], "generationConfig": {"responseSchema": {"type": "OBJECT"}, "thinkingConfig": {"thinkingLevel": "low"}}}),
    );
    assert!(wants.json_schema && wants.reasoning);
}

#[test]
fn media_are_seen_and_their_bytes_are_no_text() {
    let data = "A".repeat(9000);
    let url = format!("data:image/png;base64,{data}");
    for (dialect, body) in [
        (
            Dialect::OpenaiChat,
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}),
        ),
        (
            Dialect::AnthropicMessages,
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}]}]}),
        ),
        (
            Dialect::GeminiGenerate,
            json!({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}]}),
        ),
    ] {
        let (wants, size, _) = of(dialect, &body);
        assert!(wants.image_input && !wants.audio_input && !wants.pdf_input, "{dialect}: {wants:?}");
        assert_eq!(size.media, 1, "{dialect}");
        assert!(size.text_bytes < 300, "{dialect}: {size:?}");
    }
}

#[test]
fn a_request_that_brings_a_tools_result_is_within_a_tool_loop() {
    let user = json!({"role": "user", "content": "Hi"});
    for (dialect, body) in [
        (
            Dialect::OpenaiChat,
            json!({"messages": [user, {"role": "tool", "content": "1", "tool_call_id": "c"}]}),
        ),
        (
            Dialect::OpenaiResponses,
            json!({"input": [user, {"type": "function_call_output", "call_id": "c", "output": "1"}]}),
        ),
        (
            Dialect::AnthropicMessages,
            json!({"messages": [user, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]}]}),
        ),
        (
            Dialect::GeminiGenerate,
            json!({"contents": [user, {"parts": [{"functionResponse": {"name": "a"}}]}]}),
        ),
        (
            Dialect::BedrockConverse,
            json!({"messages": [user, {"role": "user", "content": [{"toolResult": {"toolUseId": "c"}}]}]}),
        ),
    ] {
        assert!(of(dialect, &body).2, "{dialect}");
    }
    assert!(
        !of(Dialect::OpenaiChat, &json!({"messages": [{"role": "tool"}, user]})).2,
        "the user has spoken since"
    );
}

fn any_turn() -> impl Strategy<Value = Value> {
    let text =
        prop_oneof![Just("Hi"), Just(""), Just("a \"role\" in words"), Just("data:image/png;base64,AAAA")];
    let leaf = prop_oneof![text.prop_map(Value::from), Just(Value::Null), Just(json!(7))];
    let name = prop::sample::select(vec![
        "role",
        "type",
        "content",
        "parts",
        "text",
        "image_url",
        "cache_control",
        "x",
    ]);
    let members = move |value: BoxedStrategy<Value>| {
        prop::collection::vec((name.clone(), value), 0..4).prop_map(|members| {
            Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        })
    };
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![members(inner.clone().boxed()), prop::collection::vec(inner, 0..4).prop_map(Value::from)]
    })
}

proptest! {
    #[test]
    fn one_pass_tells_what_two_passes_tell(
        turns in prop::collection::vec(any_turn(), 0..5),
        dialect in prop::sample::select(vec![
            Dialect::OpenaiChat, Dialect::OpenaiResponses, Dialect::AnthropicMessages,
            Dialect::GeminiGenerate, Dialect::BedrockConverse, Dialect::OpenaiEmbeddings,
        ]),
        is_list in any::<bool>(),
    ) {
        let list = if is_list { Value::from(turns) } else { turns.into_iter().next().unwrap_or_default() };
        of(dialect, &json!({"messages": list, "input": list, "contents": list, "tools": [{"cache_control": {}}]}));
    }
}
