//! Laws that hold for every golden case and for generated conversations.

use pilothouse_core::conversation::{
    Answer, Content, Message, Origin, Part, Request, Role, ToolCall, ToolKind, ToolResult,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::Target;
use proptest::prelude::*;
use serde_json::Value;

use super::cases::{
    DIALECTS, assemble, cases, context, decode_stream, encode_stream, of, others, pairs, small_request,
    usual_target,
};

/// An answer as far as streams and whole answers must agree: arguments by what they mean, not how they are spaced.
fn meaning(answer: &Answer) -> Value {
    let mut answer = answer.clone();
    if let Some(usage) = &mut answer.usage {
        usage.raw = None;
    }
    answer.choices.iter_mut().for_each(|choice| respace(&mut choice.parts));
    if answer.dialect == Dialect::GeminiGenerate {
        answer.choices.iter_mut().for_each(|choice| join_texts(&mut choice.parts));
    }
    answer.choices.iter_mut().for_each(|choice| name_origins(&mut choice.parts));
    answer.choices.sort_by_key(|choice| choice.index);
    // `stop_details: null` is on every answer that has none.
    let mut value = serde_json::to_value(&answer).unwrap();
    drop_nulls(&mut value);
    value
}

/// Writes arguments in one way, as only what they mean matters.
fn respace(parts: &mut [Part]) {
    for part in parts {
        let Content::ToolCall(call) = &mut part.content else { continue };
        if call.arguments.is_empty() {
            call.arguments.push_str("{}");
        }
        if let Ok(value) = serde_json::from_str::<Value>(&call.arguments) {
            call.arguments = value.to_string();
        }
    }
}

/// Reads whose reasoning it is from a signature that says so: Bedrock's streams tell it only at the end of a block.
fn name_origins(parts: &mut [Part]) {
    for part in parts {
        let Content::Reasoning(one) = &mut part.content else { continue };
        let tag = one.signature.as_deref().and_then(|text| text.strip_prefix("pilothouse-origin-"));
        let Some(tag) = tag.map(str::to_owned) else { continue };
        let (family, proof) = match tag.split_once(':') {
            Some((family, proof)) => (family, Some(proof.into())),
            None => (tag.as_str(), None),
        };
        (one.origin, one.signature) = (Origin::of(family), proof);
    }
}

/// Joins texts that stand beside each other: Gemini's streams do not tell where one ends.
fn join_texts(parts: &mut Vec<Part>) {
    parts.dedup_by(|later, before| match (&later.content, &mut before.content) {
        (Content::Text { text, annotations }, Content::Text { text: all, annotations: cited })
            if later.rest.is_empty() =>
        {
            all.push_str(text);
            cited.extend(annotations.iter().cloned());
            true
        }
        _ => false,
    });
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(drop_nulls);
            members.retain(|_, value| {
                !value.is_null() && value.as_object().is_none_or(|inner| !inner.is_empty())
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Cases that come both whole and streamed.
fn twins(dialect: Dialect) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let streams = cases(dialect, "streams");
    let twins: Vec<_> = cases(dialect, "answers")
        .into_iter()
        .filter_map(|whole| {
            let stream = streams.iter().find(|stream| stream.name == whole.name)?;
            Some((whole.name, whole.body, stream.body.clone()))
        })
        .collect();
    assert!(twins.len() >= 5, "{dialect} has only {} answers that also come as a stream", twins.len());
    twins
}

#[test]
fn a_stream_adds_up_to_the_answer_that_comes_whole() {
    for dialect in DIALECTS {
        for (name, whole, stream) in twins(dialect) {
            let whole = of(dialect).decode_answer(&whole).unwrap();
            let (parts, error) = decode_stream(dialect, &stream);
            assert_eq!(error, None, "{name}");
            assert_eq!(meaning(&assemble(&parts)), meaning(&whole), "{dialect} {name}");
        }
    }
}

#[test]
fn a_stream_adds_up_to_the_whole_answer_in_every_other_dialect_too() {
    for (dialect, to) in pairs() {
        for (name, whole, stream) in twins(dialect) {
            let mut whole = of(dialect).decode_answer(&whole).unwrap();
            let is_late = |one| matches!(one, Dialect::OpenaiResponses | Dialect::BedrockConverse);
            if is_late(dialect) && to != Dialect::BedrockConverse {
                // Their streams tell the tier at their end, where the others have told it at their start.
                whole.service_tier = None;
            }
            let whole = of(to).encode_answer(&whole, &context(), &mut Vec::new());
            let whole = of(to).decode_answer(&whole).unwrap();
            let (parts, _) = decode_stream(dialect, &stream);
            let (bytes, _) = encode_stream(to, &parts, None, &context());
            let (parts, error) = decode_stream(to, &bytes);
            assert_eq!(error, None, "{name}");
            assert_eq!(meaning(&assemble(&parts)), meaning(&whole), "{dialect} to {to} {name}");
        }
    }
}

#[test]
fn a_stream_that_is_read_and_written_in_its_own_dialect_says_the_same() {
    for dialect in DIALECTS {
        for case in cases(dialect, "streams") {
            let (parts, error) = decode_stream(dialect, &case.body);
            if error.is_some() {
                continue;
            }
            let (bytes, _) = encode_stream(dialect, &parts, None, &context());
            let (again, error) = decode_stream(dialect, &bytes);
            assert_eq!(error, None, "{}", case.name);
            assert_eq!(meaning(&assemble(&again)), meaning(&assemble(&parts)), "{dialect} {}", case.name);
        }
    }
}

#[test]
fn an_answer_that_is_written_in_its_own_dialect_reads_back_the_same() {
    for dialect in DIALECTS {
        for case in cases(dialect, "answers") {
            let answer = of(dialect).decode_answer(&case.body).unwrap();
            let mut losses = Vec::new();
            let body = of(dialect).encode_answer(&answer, &context(), &mut losses);
            assert_eq!(
                meaning(&of(dialect).decode_answer(&body).unwrap()),
                meaning(&answer),
                "{}",
                case.name
            );
            let usage = answer.usage.map(|usage| usage.counts);
            let back = of(dialect).decode_answer(&body).unwrap().usage.map(|usage| usage.counts);
            assert_eq!(back, usage, "{}", case.name);
        }
    }
}

#[test]
fn a_request_that_is_written_in_its_own_dialect_reads_back_the_same() {
    for dialect in DIALECTS {
        for case in cases(dialect, "requests") {
            let Ok(mut request) = of(dialect).decode_request(&case.body) else { continue };
            let target = Target::of(dialect, &request.model);
            let mut losses = Vec::new();
            let body = of(dialect).encode_request(&request, &target, &mut losses).unwrap_or_default();
            if body.is_empty() || losses.iter().any(|note| note.code == "drop:reasoning") {
                assert!(
                    [
                        "thread-refused",
                        "thinking-of-another-vendor",
                        "reasoning-of-another-vendor",
                        "reasoning-of-claude-returns",
                    ]
                    .contains(&case.name.split('@').next().unwrap()),
                    "{}",
                    case.name
                );
                continue;
            }
            let mut back = of(dialect).decode_request(&body).unwrap();
            for request in [&mut back, &mut request] {
                request.messages.iter_mut().for_each(|message| respace(&mut message.parts));
            }
            let (back, before) =
                (serde_json::to_value(&back).unwrap(), serde_json::to_value(&request).unwrap());
            assert_eq!(back, before, "{dialect} {}", case.name);
        }
    }
}

#[test]
fn usage_keeps_its_totals_across_dialects() {
    for dialect in DIALECTS {
        for case in cases(dialect, "answers") {
            let answer = of(dialect).decode_answer(&case.body).unwrap();
            let before = answer.usage.as_ref().unwrap().counts;
            for to in others(dialect) {
                let body = of(to).encode_answer(&answer, &context(), &mut Vec::new());
                let after = of(to).decode_answer(&body).unwrap().usage.unwrap().counts;
                assert_eq!(after.input_total(), before.input_total(), "{to} {}", case.name);
                assert_eq!(after.output_total(), before.output_total(), "{to} {}", case.name);
                assert_eq!(after.cache_read, before.cache_read, "{to} {}", case.name);
            }
        }
    }
}

/// The words of each dialect for why an answer ended, and those that call tools.
fn finish_words(dialect: Dialect) -> (&'static [&'static str], &'static [&'static str]) {
    match dialect {
        Dialect::AnthropicMessages => (
            &[
                "end_turn",
                "max_tokens",
                "stop_sequence",
                "pause_turn",
                "refusal",
                "model_context_window_exceeded",
            ],
            &["tool_use"],
        ),
        Dialect::GeminiGenerate => (
            &["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"],
            &["STOP"],
        ),
        Dialect::BedrockConverse => (
            &[
                "end_turn",
                "max_tokens",
                "stop_sequence",
                "guardrail_intervened",
                "content_filtered",
                "model_context_window_exceeded",
            ],
            &["tool_use"],
        ),
        Dialect::OpenaiResponses => {
            (&["completed", "max_output_tokens", "content_filter", "refusal"], &["function_call"])
        }
        _ => (&["stop", "length", "content_filter"], &["tool_calls", "function_call"]),
    }
}

/// A whole answer of a dialect that ended so, with a call or without.
fn ended(dialect: Dialect, word: &str, calls: bool) -> String {
    match (dialect, calls) {
        (Dialect::AnthropicMessages, false) => {
            format!(r#"{{"content":[{{"type":"text","text":"a"}}],"stop_reason":"{word}"}}"#)
        }
        (Dialect::AnthropicMessages, true) => format!(
            r#"{{"content":[{{"type":"tool_use","id":"t","name":"f","input":{{}}}}],"stop_reason":"{word}"}}"#
        ),
        (Dialect::BedrockConverse, calls) => {
            let block = if calls {
                r#"{"toolUse":{"toolUseId":"t","name":"f","input":{}}}"#
            } else {
                r#"{"text":"a"}"#
            };
            format!(
                r#"{{"output":{{"message":{{"role":"assistant","content":[{block}]}}}},"stopReason":"{word}"}}"#
            )
        }
        (Dialect::GeminiGenerate, false) => {
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}},"finishReason":"{word}"}}]}}"#
            )
        }
        (Dialect::GeminiGenerate, true) => format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"f"}}}}]}},"finishReason":"{word}"}}]}}"#
        ),
        (Dialect::OpenaiResponses, true) => {
            r#"{"status":"completed","output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}"#.to_owned()
        }
        (Dialect::OpenaiResponses, false) => ended_response(word),
        (_, false) => format!(r#"{{"choices":[{{"message":{{"content":"a"}},"finish_reason":"{word}"}}]}}"#),
        (_, true) => format!(
            r#"{{"choices":[{{"message":{{"tool_calls":[{{"id":"t","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}},"finish_reason":"{word}"}}]}}"#
        ),
    }
}

/// A whole answer of openai-responses, where a refusal is a part and a reason makes the answer incomplete.
fn ended_response(word: &str) -> String {
    let (part, said) = if word == "refusal" { ("refusal", "refusal") } else { ("output_text", "text") };
    let status = match word {
        "refusal" | "completed" => r#""status":"completed""#.to_owned(),
        reason => format!(r#""status":"incomplete","incomplete_details":{{"reason":"{reason}"}}"#),
    };
    format!(r#"{{{status},"output":[{{"type":"message","content":[{{"type":"{part}","{said}":"a"}}]}}]}}"#)
}

#[test]
fn every_finish_of_any_dialect_has_a_word_in_the_others() {
    use pilothouse_core::exchange::Finish;
    let has_ended_badly =
        |finish| !matches!(finish, Finish::Stop | Finish::StopSequence | Finish::Pause | Finish::ToolCalls);
    for dialect in DIALECTS {
        let (plain, calling) = finish_words(dialect);
        let words = plain.iter().map(|word| (word, false)).chain(calling.iter().map(|word| (word, true)));
        for (word, calls) in words {
            let answer = of(dialect).decode_answer(ended(dialect, word, calls).as_bytes()).unwrap();
            let finish = answer.choices[0].finish.unwrap();
            assert_ne!(finish, Finish::Other, "{word}");
            assert_eq!(finish == Finish::ToolCalls, calls, "{word}");
            for to in others(dialect) {
                let there = of(to).encode_answer(&answer, &context(), &mut Vec::new());
                let there = of(to).decode_answer(&there).unwrap().choices[0].finish.unwrap();
                assert_eq!(
                    has_ended_badly(there),
                    has_ended_badly(finish),
                    "{word} became {there:?} in {to}"
                );
                assert_eq!(there == Finish::ToolCalls, calls, "{word} became {there:?} in {to}");
            }
        }
    }
}

#[test]
fn every_error_keeps_its_words_and_is_one_in_every_dialect() {
    for dialect in DIALECTS {
        for case in cases(dialect, "errors") {
            let status = case.name.rsplit_once('.').unwrap().1.parse().unwrap();
            let error = of(dialect).decode_error(status, &case.body);
            for to in DIALECTS {
                let there = of(to).error_status(&error);
                let back = of(to).decode_error(there, &of(to).encode_error(&error, None));
                assert!(there >= 400, "{to} {}", case.name);
                assert_eq!(back.message, error.message, "{to} {}", case.name);
                let event = of(to).encode_stream_error(&error);
                let (_, told) = decode_stream(to, &event);
                assert_eq!(told.unwrap().message, error.message, "{to} {}", case.name);
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    // Neither empty nor white space alone, which Anthropic refuses.
    "[a-zA-Zäß🎉\"\\\\\n{}]{1,40}x"
}

fn turn() -> impl Strategy<Value = Vec<Message>> {
    let said = (any::<bool>(), proptest::collection::vec(text(), 1..3)).prop_map(|(user, texts)| {
        let role = if user { Role::User } else { Role::Assistant };
        vec![Message::new(role, texts.into_iter().map(Part::text).collect())]
    });
    let called =
        proptest::collection::vec(("[a-z_]{1,12}", text(), text(), any::<bool>()), 1..4).prop_map(|calls| {
            let (mut parts, mut results) = (Vec::new(), Vec::new());
            for (at, (name, argument, result, is_error)) in calls.into_iter().enumerate() {
                let id: Box<str> = format!("call_{at}_{name}").into();
                let arguments = serde_json::json!({ "q": argument }).to_string();
                let call =
                    ToolCall { id: id.clone(), name: name.into(), arguments, kind: ToolKind::Function };
                parts.push(Part::new(Content::ToolCall(call)));
                let result =
                    ToolResult { call_id: id, name: None, parts: vec![Part::text(result)], is_error };
                results.push(Part::new(Content::ToolResult(result)));
            }
            vec![Message::new(Role::Assistant, parts), Message::new(Role::User, results)]
        });
    prop_oneof![3 => said, 1 => called]
}

fn request() -> impl Strategy<Value = Request> {
    (proptest::collection::vec(turn(), 1..6), any::<bool>()).prop_map(|(turns, stream)| {
        let mut request = Request::new(Dialect::OpenaiEmbeddings, "m");
        request.messages.push(Message::new(Role::User, vec![Part::text("begin")]));
        request.messages.extend(turns.into_iter().flatten());
        request.messages.push(Message::new(Role::User, vec![Part::text("end")]));
        request.stream = stream;
        request
    })
}

/// All that is said and called, in order, by speaker.
fn said(request: &Request) -> Vec<(bool, String)> {
    let mut said = Vec::new();
    for message in &request.messages {
        let assistant = message.role == Role::Assistant;
        for part in &message.parts {
            said.push((
                assistant,
                match &part.content {
                    Content::Text { text, .. } => text.clone(),
                    Content::ToolCall(call) => {
                        let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
                        format!("{} {} {arguments}", call.id, call.name)
                    }
                    Content::ToolResult(result) => {
                        let Content::Text { text, .. } = &result.parts[0].content else {
                            panic!("{result:?}")
                        };
                        format!("{} {}", result.call_id, text.trim_start_matches("[tool failed] "))
                    }
                    other => panic!("{other:?}"),
                },
            ));
        }
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// A conversation that goes through any two dialects still says the same, and every call keeps its id, name
    /// and arguments.
    #[test]
    fn conversations_survive_every_pair_of_dialects(request in request()) {
        let before = said(&request);
        for first in DIALECTS {
            for second in others(first) {
                let mut current = request.clone();
                for dialect in [first, second] {
                    let target = Target::of(dialect, usual_target(dialect));
                    let body = of(dialect).encode_request(&current, &target, &mut Vec::new()).unwrap();
                    current = of(dialect).decode_request(&body).unwrap();
                    prop_assert_eq!(said(&current), before.clone(), "{} to {}", first, second);
                }
            }
        }
    }

    #[test]
    fn unknown_members_survive_in_the_same_dialect(
        name in "x_[a-z]{1,8}", text in any::<String>(), number in any::<i64>(),
    ) {
        let value = serde_json::json!({ "deep": [text, number, null, { "more": true }] });
        for dialect in DIALECTS {
            let (list, parts) = match dialect {
                Dialect::GeminiGenerate => ("contents", "parts"),
                Dialect::OpenaiResponses => ("input", "content"),
                _ => ("messages", "content"),
            };
            let mut body = small_request(dialect);
            body[&name] = value.clone();
            body[list][0][&name] = value.clone();
            body[list][0][parts][0][&name] = value.clone();
            let request = of(dialect).decode_request(body.to_string().as_bytes()).unwrap();
            let target = Target::of(dialect, "m");
            let back = of(dialect).encode_request(&request, &target, &mut Vec::new()).unwrap();
            let back: Value = serde_json::from_slice(&back).unwrap();
            prop_assert_eq!(back, body);
        }
    }

    #[test]
    fn what_another_dialect_does_not_know_is_always_noted(name in "zz_[a-z]{1,8}") {
        for dialect in DIALECTS {
            let mut body = small_request(dialect);
            body[&name] = 1.into();
            let request = of(dialect).decode_request(body.to_string().as_bytes()).unwrap();
            for to in others(dialect) {
                let mut losses = Vec::new();
                let there = of(to).encode_request(&request, &Target::of(to, "m"), &mut losses).unwrap();
                prop_assert!(!String::from_utf8(there).unwrap().contains(&name));
                prop_assert!(losses.iter().any(|note| note.code == format!("drop:{name}")), "{:?}", losses);
            }
        }
    }
}

/// Calls as (id, name, argument, where its arguments' text is cut, whose turn each piece is).
fn streamed_calls() -> impl Strategy<Value = (Vec<(String, String, Value)>, Vec<usize>, usize)> {
    // Long enough for Gemini's answers, whose short ids are widened for other dialects.
    let call = ("[a-z0-9]{12,20}", "[a-z_]{1,12}", any::<String>());
    (proptest::collection::vec(call, 1..6), proptest::collection::vec(0usize..1000, 0..40), 1usize..12)
        .prop_map(|(calls, turns, piece)| {
            let calls = calls.into_iter().enumerate().map(|(at, (id, name, text))| {
                (format!("call_{at}{id}"), name, serde_json::json!({ "q": [text, at] }))
            });
            (calls.collect(), turns, piece)
        })
}

/// An OpenAI stream of parallel calls whose pieces alternate as `turns` say.
fn alternating(calls: &[(String, String, Value)], turns: &[usize], piece: usize) -> Vec<u8> {
    let mut pieces: Vec<Vec<String>> = calls
        .iter()
        .map(|(_, _, arguments)| {
            let letters: Vec<char> = arguments.to_string().chars().collect();
            letters.chunks(piece).rev().map(|chunk| chunk.iter().collect()).collect()
        })
        .collect();
    let mut out = Vec::new();
    let mut push = |delta: Value, finish: Option<&str>| {
        let chunk = serde_json::json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5.5",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        });
        out.extend_from_slice(format!("data: {chunk}\n\n").as_bytes());
    };
    for (index, (id, name, _)) in calls.iter().enumerate() {
        let function = serde_json::json!({ "name": name, "arguments": "" });
        push(
            serde_json::json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": function }] }),
            None,
        );
    }
    let mut turns = turns.iter();
    while pieces.iter().any(|left| !left.is_empty()) {
        let open: Vec<usize> = (0..pieces.len()).filter(|at| !pieces[*at].is_empty()).collect();
        let index = open[turns.next().copied().unwrap_or(0) % open.len()];
        let arguments = pieces[index].pop().unwrap();
        push(
            serde_json::json!({ "tool_calls": [{ "index": index, "function": { "arguments": arguments } }] }),
            None,
        );
    }
    push(serde_json::json!({}), Some("tool_calls"));
    out.extend_from_slice(b"data: [DONE]\n\n");
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn parallel_calls_keep_their_order_ids_names_and_arguments(
        (calls, turns, piece) in streamed_calls(),
    ) {
        let stream = alternating(&calls, &turns, piece);
        let (parts, error) = decode_stream(Dialect::OpenaiChat, &stream);
        prop_assert_eq!(error, None);
        for dialect in DIALECTS {
            let (bytes, losses) = encode_stream(dialect, &parts, None, &context());
            prop_assert!(losses.is_empty(), "{:?}", losses);
            let (parts, error) = decode_stream(dialect, &bytes);
            prop_assert_eq!(error, None);
            let found: Vec<_> = assemble(&parts).choices[0]
                .parts
                .iter()
                .map(|part| match &part.content {
                    Content::ToolCall(call) => {
                        let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
                        (call.id.to_string(), call.name.to_string(), arguments)
                    }
                    other => panic!("{other:?}"),
                })
                .collect();
            prop_assert_eq!(&found, &calls);
        }
    }
}
