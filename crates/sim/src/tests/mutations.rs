//! Requests with one value replaced: each is answered or refused in its dialect, and nothing breaks the fleet.

use super::client::{fleet, gemini, post};
use crate::chance::Chance;
use serde_json::{Value, json};

/// What takes the place of a value.
pub(crate) fn replacements() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("é[[words:3]]"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"type": "x", "name": ["y"]}),
    ]
}

/// The places of all values in a request, as JSON pointers.
pub(crate) fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| places(v, &format!("{at}/{k}"), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| places(v, &format!("{at}/{i}"), out)),
        _ => {}
    }
}

fn responses() -> Value {
    json!({
        "model": "gpt-5.5",
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "https://a/b"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "r"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "y", "annotations": []}]},
            {"role": "user", "content": "f again"},
        ],
        "tools": [{"type": "function", "name": "f", "strict": false, "parameters": {"type": "object", "properties": {"a": {"type": "array", "items": {"enum": ["b"]}}}}}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "text": {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "max_output_tokens": 100,
        "stream": true,
        "stream_options": {"include_obfuscation": false},
        "truncation": "auto",
        "metadata": {"a": "b"},
    })
}

fn content() -> Value {
    json!({
        "contents": [
            {"role": "user", "parts": [{"text": "x"}, {"fileData": {"mimeType": "image/png", "fileUri": "https://a/b"}}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}, "thoughtSignature": "skip_thought_signature_validator"}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"output": "r"}}}]},
            {"role": "model", "parts": [{"text": "y", "thought": true}, {"executableCode": {"language": "PYTHON", "code": "1"}}]},
            {"role": "user", "parts": [{"text": "f again"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["b"]}}}, "required": ["a"]}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "generationConfig": {"temperature": 1, "topK": 3, "maxOutputTokens": 50, "stopSequences": ["z"], "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": true},
            "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
        "serviceTier": "flex",
    })
}

#[tokio::test]
async fn every_mutated_request_is_answered_or_refused_and_the_fleet_goes_on() {
    let fleet = fleet().await;
    let mut chance = Chance::new(1, &[b"mutations"]);
    let stream = gemini("gemini-3.1-pro-preview", "streamGenerateContent?alt=sse");
    for (path, base) in [("/v1/responses".to_owned(), responses()), (stream, content())] {
        let whole = post(&fleet, &path, &base).await;
        assert_eq!(whole.status, 200, "{}", whole.text());
        let mut all = Vec::new();
        places(&base, "", &mut all);
        let (mut refused, mut answered) = (0, 0);
        for place in all {
            let replacements = replacements();
            for _ in 0..3 {
                let mut request = base.clone();
                *request.pointer_mut(&place).unwrap() =
                    replacements[chance.below(replacements.len())].clone();
                let got = post(&fleet, &path, &request).await;
                match got.status {
                    200 => answered += 1,
                    400 | 404 => {
                        assert!(got.json()["error"]["message"].is_string(), "{request}");
                        refused += 1;
                    }
                    status => panic!("{status}: {request}\n{}", got.text()),
                }
            }
        }
        assert!(refused > 60 && answered > 10, "{refused} refused, {answered} answered");
    }
    fleet.shutdown().await;
}
