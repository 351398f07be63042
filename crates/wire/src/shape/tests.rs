//! Shapes of requests of every dialect: what they tell, what they never hold, and how few they are.

use std::collections::HashSet;

use pilothouse_catalog::compat::{self, Action};
use pilothouse_core::shape::{Script, Shape};
use serde_json::{Value as Json, json};

use super::*;

fn shape(dialect: Dialect, body: &Json) -> Shape {
    let text = body.to_string();
    of(dialect, &Head::read(text.as_bytes()).unwrap())
}

fn outline(dialect: Dialect, body: &Json) -> Outline {
    shape(dialect, body).outline()
}

/// Who speaks what, for people.
fn told(outline: &Outline) -> Vec<String> {
    let kinds = outline.turns.kinds();
    kinds
        .map(|turn| format!("{} {}", turn.role.as_str(), turn.blocks.names().collect::<Vec<_>>().join("+")))
        .collect()
}

#[test]
fn a_chat_tells_its_numbers_words_and_turns() {
    let body = json!({
        "model": "gpt-4o", "temperature": 0.7, "max_tokens": 4096, "stop": ["\n", "END"], "seed": 42, "user": "u-1",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "tool_choice": {"type": "function", "function": {"name": "f"}}, "logit_bias": null, "made_up": {"a": 1},
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "https://x"}}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "call_123456789", "function": {"name": "f"}}]},
            {"role": "tool", "tool_call_id": "call_123456789", "content": "4"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters": {}}}],
    });
    let seen = outline(Dialect::OpenaiChat, &body);
    assert_eq!(
        told(&seen),
        ["system text", "user text+image", "assistant tool call", "tool text+tool result"]
    );
    assert_eq!(seen.number("temperature").unwrap().to_string(), "0.7");
    assert_eq!(seen.number("max_tokens").unwrap().to_string(), "4096");
    assert_eq!(seen.values("stop").next(), Some(Value::List(2)));
    assert!(seen.has("seed") && seen.number("seed").is_none() && seen.has("user") && !seen.has("logit_bias"));
    assert_eq!(
        (seen.word("response_format.type"), seen.word("tool_choice.type")),
        (Some("json_schema"), Some("function"))
    );
    assert!(
        seen.schema.is_some() && seen.traits.has(Trait::LongToolIds) && seen.traits.has(Trait::StrictTools)
    );
    assert!(seen.traits.has(Trait::BlankStop), "a line break alone is white space");
    assert_eq!((seen.unknown, seen.media, seen.tools.unwrap().count), (1, 1, 1));
    assert_eq!(
        seen.tool_kinds.iter().filter_map(|kind| member::word(*kind)).collect::<Vec<_>>(),
        ["function"]
    );
}

#[test]
fn messages_and_responses_tell_the_same_things_by_their_own_names() {
    let claude = outline(
        Dialect::AnthropicMessages,
        &json!({
            "model": "m", "max_tokens": 31337, "thinking": {"type": "enabled", "budget_tokens": 2048},
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "4"}]}]},
                {"role": "assistant", "content": "So: "},
            ],
            "tools": [{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}],
            "system": [{"type": "text", "text": "s"}],
        }),
    );
    assert_eq!(
        told(&claude),
        ["instructions text", "user text", "assistant tool call", "user tool result", "assistant text"]
    );
    assert!(claude.traits.has(Trait::EndsWithBlank) && claude.traits.has(Trait::TurnWithoutThinking));
    let limit = claude.number("max_tokens").unwrap();
    assert!(limit.is_rounded && limit.to_string() == "31000");
    assert_eq!(
        (claude.cache_marks, claude.tool_kinds.len(), claude.word("thinking.type")),
        (1, 2, Some("enabled"))
    );

    let responses = outline(
        Dialect::OpenaiResponses,
        &json!({
            "model": "m", "instructions": "i", "reasoning": {"effort": "xhigh"}, "store": false, "include": ["reasoning.encrypted_content", "mine"],
            "input": [
                {"role": "user", "content": "a"},
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "4"},
            ],
        }),
    );
    assert_eq!(
        told(&responses),
        ["instructions text", "user text", "assistant thinking", "assistant tool call", "tool tool result"]
    );
    assert!(responses.traits.has(Trait::UnsealedReasoning));
    let kept: Vec<_> = responses.values("include").collect();
    assert!(matches!(kept.as_slice(), [Value::List(2), Value::Word(_)]), "{kept:?}");
}

#[test]
fn gemini_converse_and_embeddings_tell_the_same_things_by_their_own_names() {
    let gemini = outline(
        Dialect::GeminiGenerate,
        &json!({
            "generation_config": {"max_output_tokens": 100, "thinkingConfig": {"thinkingBudget": -1}, "responseSchema": {"type": "OBJECT"}},
            "contents": [
                {"role": "user", "parts": [{"text": "a"}, {"inline_data": {"mime_type": "audio/wav", "data": "AAAA"}}]},
                {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
            ],
            "tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}],
        }),
    );
    assert_eq!(told(&gemini), ["user text+audio", "assistant tool call", "user tool result"]);
    assert_eq!(gemini.number("generationConfig.maxOutputTokens").unwrap().to_string(), "100");
    assert_eq!(gemini.number("generationConfig.thinkingConfig.thinkingBudget").unwrap().to_string(), "-1");
    assert!(gemini.schema.is_some() && gemini.traits.has(Trait::UnsignedCalls));
    assert_eq!(gemini.tools.unwrap().count, 2);

    let bedrock = outline(
        Dialect::BedrockConverse,
        &json!({
            "inferenceConfig": {"maxTokens": 512, "temperature": 0.5}, "additionalModelRequestFields": {"top_k": 3},
            "system": [{"text": "s"}, {"cachePoint": {"type": "default"}}],
            "messages": [{"role": "user", "content": [{"text": "a"}, {"document": {"format": "pdf", "name": "n", "source": {"bytes": "AAAA"}}}]}],
            "toolConfig": {"tools": [{"toolSpec": {"name": "f"}}], "toolChoice": {"any": {}}},
        }),
    );
    assert_eq!(told(&bedrock), ["instructions text", "user text+document"]);
    assert_eq!(bedrock.number("inferenceConfig.maxTokens").unwrap().to_string(), "512");
    assert!(bedrock.has("toolConfig.toolChoice") && bedrock.has("additionalModelRequestFields.top_k"));
    assert_eq!((bedrock.tools.unwrap().count, bedrock.cache_marks), (1, 1));

    let embeddings =
        outline(Dialect::OpenaiEmbeddings, &json!({"model": "m", "input": ["a", "b"], "dimensions": 256}));
    assert_eq!(told(&embeddings), ["user text"]);
}

#[test]
fn texts_are_told_by_what_they_are_made_of() {
    let of_text = |text: &str| {
        outline(
            Dialect::OpenaiChat,
            &json!({"model": "m", "messages": [{"role": "user", "content": text.repeat(80)}]}),
        )
        .text
    };
    let prose = of_text("The quick brown fox jumps over the lazy dog and runs away. ");
    assert_eq!((prose.foreign, prose.marks, prose.script), (0, 0, Script::Latin));
    let code = of_text("if (a[i] == 0x1f) { b += c[3]; } // 12\n");
    assert_eq!((code.foreign, code.marks), (0, 2));
    for (text, script) in [
        ("快速的棕色狐狸跳过了懒狗。", Script::Han),
        ("Быстрая лиса прыгает через собаку ", Script::Cyrillic),
        ("빠른 갈색 여우가 게으른 개를 뛰어넘는다 ", Script::Hangul),
        ("الثعلب البني السريع يقفز ", Script::Semitic),
        ("तेज़ भूरी लोमड़ी कुत्ते के ऊपर ", Script::Brahmic),
    ] {
        let seen = of_text(text);
        assert_eq!((seen.script, seen.foreign), (script, 3), "{text}");
    }
    assert_eq!(of_text("x").bytes, core::four(120), "the body has 126 bytes");
}

#[test]
fn a_picture_in_the_body_is_no_text() {
    let data = format!("data:image/png;base64,{}", "A".repeat(100_000));
    let seen = outline(
        Dialect::OpenaiChat,
        &json!({"model": "m", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": data}},
        ]}]}),
    );
    assert_eq!((seen.media, seen.text.encoded), (1, 6));
    assert!(core::four_range(seen.text.bytes).1 <= 1024, "{seen:?}");
}

/// A request with a secret wherever somebody may write what they like.
fn planted(secret: &str) -> [(Dialect, Json); 5] {
    let name = secret;
    let user = json!({"role": "user", "name": name, "content": secret});
    [
        (
            Dialect::OpenaiChat,
            json!({
                "model": secret, "user": name, "safety_identifier": name, "metadata": {secret: secret}, "stop": [secret], secret: secret,
                "prompt_cache_key": name, "service_tier": name, "temperature": secret, "tool_choice": {"type": "function", "function": {"name": name}},
                "tools": [{"type": secret, "function": {"name": name, "description": secret, "parameters": {"properties": {secret: {}}}}}],
                "response_format": {"type": secret, "json_schema": {"name": name, "schema": {secret: secret}}}, "logit_bias": {secret: 1},
                "messages": [user, {"role": secret, "content": [{"type": secret, "text": secret}]},
                    {"role": "assistant", "tool_calls": [{"id": secret, "function": {"name": name, "arguments": secret}}]}],
            }),
        ),
        (
            Dialect::OpenaiResponses,
            json!({
                "model": secret, "instructions": secret, "previous_response_id": secret, "include": [secret], "reasoning": {secret: secret, "effort": secret},
                "input": [{"type": secret, "content": secret}, {"type": "function_call_output", "call_id": secret, "output": secret}],
                "text": {"format": {"type": secret, "schema": {secret: secret}}},
            }),
        ),
        (
            Dialect::AnthropicMessages,
            json!({
                "model": secret, "metadata": {"user_id": name}, "system": secret, "stop_sequences": [secret], "container": secret,
                "messages": [user, {"role": "assistant", "content": [{"type": "thinking", "thinking": secret, "signature": secret},
                    {"type": "tool_use", "id": secret, "name": name, "input": {secret: secret}}]}],
                "tools": [{"name": name, "type": secret, "description": secret, "input_schema": {secret: secret}}],
            }),
        ),
        (
            Dialect::GeminiGenerate,
            json!({
                "systemInstruction": {"parts": [{"text": secret}]}, "labels": {secret: secret}, "cachedContent": secret,
                "generationConfig": {"stopSequences": [secret], "responseMimeType": secret, secret: secret},
                "contents": [{"role": secret, "parts": [{"text": secret}, {secret: secret}, {"inlineData": {"mimeType": secret, "data": secret}}]}],
            }),
        ),
        (
            Dialect::BedrockConverse,
            json!({
                "messages": [{"role": "user", "content": [{"text": secret}, {"toolUse": {"toolUseId": secret, "name": name, "input": secret}}]}],
                "requestMetadata": {secret: secret}, "additionalModelRequestFields": {secret: secret, "thinking": {"type": secret}},
                "toolConfig": {"tools": [{"toolSpec": {"name": name}}], "toolChoice": {"tool": {"name": name}}},
            }),
        ),
    ]
}

#[test]
fn nothing_that_people_write_is_in_a_shape() {
    for secret in ["Hunter2-Hunter2", "tool", "4929123412341234"] {
        for (dialect, body) in planted(secret) {
            let shape = shape(dialect, &body);
            let text = shape.as_bytes();
            assert!(
                !text.windows(4).any(|window| secret.as_bytes().windows(4).any(|part| part == window)),
                "{dialect}"
            );
        }
    }
    // Numbers where people may write what they like are not kept either.
    let of_number = |number: u64| {
        shape(Dialect::OpenaiChat, &json!({"model": "m", "seed": number, "user": number, "messages": []}))
    };
    assert_eq!(of_number(4_929_123_412_341_234), of_number(7_777_777_777_777_777));
    // Others keep two digits.
    let limit = outline(Dialect::OpenaiChat, &json!({"model": "m", "max_tokens": 4_929_123_412_341_234_u64}));
    assert_eq!(limit.number("max_tokens").unwrap().digits, 49);
}

#[test]
fn a_shape_depends_on_kinds_not_on_what_is_said() {
    for ((dialect, one), (_, other)) in planted("secret one").into_iter().zip(planted("anotherone")) {
        let mut shapes = [outline(dialect, &one), outline(dialect, &other)];
        for seen in &mut shapes {
            // A digest differs where a definition does.
            seen.schema = None;
            if let Some(tools) = &mut seen.tools {
                (tools.digest, tools.bytes) = (0, 0);
            }
        }
        let [one, other] = shapes;
        assert_eq!(one, other, "{dialect}");
    }
}

#[test]
fn a_thousand_calls_of_one_application_have_few_shapes() {
    let mut shapes = HashSet::new();
    let mut bytes = 0;
    for nth in 0..1000_usize {
        let rounds = nth % 37;
        let mut messages = vec![
            json!({"role": "system", "content": "You fix programs. ".repeat(40)}),
            json!({"role": "user", "content": "Why does this not work? ".repeat(1 + nth % 90)}),
        ];
        for round in 0..rounds {
            let text = if round % 3 == 0 { json!("I look at it.") } else { Json::Null };
            let call = json!({"id": format!("call_{nth}_{round}"), "type": "function", "function": {"name": "read", "arguments": "{}"}});
            messages.push(json!({"role": "assistant", "content": text, "tool_calls": [call]}));
            messages.push(json!({"role": "tool", "tool_call_id": format!("call_{nth}_{round}"), "content": "line of a file\n".repeat(nth % 50)}));
        }
        let body = json!({"model": "m", "temperature": 0.2, "max_tokens": 4096, "stream": true, "messages": messages,
            "tools": [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]});
        let shape = shape(Dialect::OpenaiChat, &body);
        bytes = bytes.max(shape.as_bytes().len());
        shapes.insert(shape);
    }
    assert!(shapes.len() <= 48, "{} shapes", shapes.len());
    assert!(bytes <= 80, "{bytes} bytes");
}

#[test]
fn every_member_and_word_that_a_rule_asks_for_can_be_in_a_shape() {
    // Told by turns, tools and traits instead.
    let apart = [
        "messages[].role",
        "messages[].name",
        "tools[].type",
        "tools[].name",
        "tools[].functionDeclarations",
        "tools",
    ];
    for rule in compat::rules() {
        let tests = rule
            .on
            .iter()
            .map(|path| (path, &rule.test))
            .chain(rule.when.iter().map(|when| (&when.member, &when.test)));
        for (path, test) in tests {
            let name = path.as_str().trim_end_matches("[]");
            if apart.contains(&path.as_str()) {
                continue;
            }
            let id = member::id(name).unwrap_or_else(|| panic!("{}: {path} is no member of shapes", rule.id));
            let words = test.is.iter().chain(&test.not).flatten().filter_map(Json::as_str);
            let nearest = match &rule.action {
                Action::Nearest(words) => words.as_slice(),
                _ => &[],
            };
            for word in words.chain(nearest.iter().map(String::as_str)) {
                assert!(
                    member::find_word(word.as_bytes()).is_some(),
                    "{}: `{word}` is no word of shapes",
                    rule.id
                );
                // A schema is no word, whatever the rule says of its siblings.
                let is_told = MEMBERS[usize::from(id)].keeps == Keeps::Value || name.ends_with("Schema");
                assert!(is_told, "{}: {path} has no value in shapes", rule.id);
            }
            let asks_number = test.above.is_some()
                || test.below.is_some()
                || test.above_output_max
                || test.longer.is_some();
            assert!(!asks_number || MEMBERS[usize::from(id)].keeps == Keeps::Value, "{}: {path}", rule.id);
        }
    }
}

#[test]
fn what_is_no_request_has_a_shape_that_says_so() {
    let seen = |text: &str| of(Dialect::OpenaiChat, &Head::read(text.as_bytes()).unwrap()).outline();
    assert!(seen(r#"{"model":"m","messages":[{"role" "user"}]}"#).traits.has(Trait::IsPartial));
    assert!(!seen(r#"{"model":"m","messages":7}"#).traits.has(Trait::IsPartial));
    assert_eq!(seen("{}").turns.count, 0);
}
