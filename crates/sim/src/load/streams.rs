//! Streams of load models, rendered event by event.

use super::{Load, PROMPT_TOKENS, Scan};
use crate::bedrock::frames::event as frame;
use crate::dialect::Dialect;
use bytes::Bytes;
use serde_json::json;

/// The events of a stream in a dialect.
pub(super) fn events(dialect: Dialect, scan: &Scan<'_>, load: &Load) -> Vec<Bytes> {
    match dialect {
        Dialect::Chat => chat(scan, load),
        Dialect::Responses => responses(scan, load),
        Dialect::Messages => messages(scan, load),
        Dialect::Converse => converse(load),
        Dialect::Gemini => {
            gemini(scan, load).into_iter().map(|c| Bytes::from(format!("data: {c}\r\n\r\n"))).collect()
        }
        Dialect::GeminiList => {
            let opening = |i: usize| if i == 0 { "[" } else { ",\r\n" };
            let items = gemini(scan, load).into_iter().enumerate();
            let items = items.map(|(i, c)| Bytes::from(format!("{}{c}\n", opening(i))));
            items.chain([Bytes::from_static(b"]\n")]).collect()
        }
    }
}

fn chat(scan: &Scan<'_>, load: &Load) -> Vec<Bytes> {
    let model = scan.model;
    let usage = if scan.usage { r#","usage":null"# } else { "" };
    let event = |delta: &str, finish: &str| {
        Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-fake\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"{model}\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_fake\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]{usage}}}\n\n"
        ))
    };
    let mut frames = vec![event(r#"{"role":"assistant","content":"","refusal":null}"#, "null")];
    frames.extend(
        (1..=load.chunks).map(|i| event(&format!(r#"{{"content":" four tokens {i:04} here"}}"#), "null")),
    );
    frames.push(event("{}", "\"stop\""));
    if scan.usage {
        let output = load.usage(true).output;
        let total = PROMPT_TOKENS + output;
        frames.push(Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-fake\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"{model}\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_fake\",\"choices\":[],\"usage\":{{\"prompt_tokens\":{PROMPT_TOKENS},\"completion_tokens\":{output},\"total_tokens\":{total}}}}}\n\n"
        )));
    }
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    frames
}

fn messages(scan: &Scan<'_>, load: &Load) -> Vec<Bytes> {
    let (model, output) = (scan.model, load.usage(true).output);
    let event = |kind: &str, rest: &str| {
        Bytes::from(format!("event: {kind}\ndata: {{\"type\":\"{kind}\",{rest}}}\n\n"))
    };
    let mut frames = vec![
        event(
            "message_start",
            &format!(
                r#""message":{{"id":"msg_fake","type":"message","role":"assistant","model":"{model}","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":{PROMPT_TOKENS},"output_tokens":1}}}}"#
            ),
        ),
        event("content_block_start", r#""index":0,"content_block":{"type":"text","text":""}"#),
    ];
    frames.extend((1..=load.chunks).map(|i| {
        event(
            "content_block_delta",
            &format!(r#""index":0,"delta":{{"type":"text_delta","text":" four tokens {i:04} here"}}"#),
        )
    }));
    frames.push(event("content_block_stop", r#""index":0"#));
    frames.push(event("message_delta", &format!(r#""delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{{"output_tokens":{output}}}"#)));
    frames.push(Bytes::from_static(b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
    frames
}

fn converse(load: &Load) -> Vec<Bytes> {
    let output = load.usage(true).output;
    let usage = json!({ "inputTokens": PROMPT_TOKENS, "outputTokens": output, "totalTokens": PROMPT_TOKENS + output });
    let delta = |i: u32| json!({ "delta": { "text": format!(" four tokens {i:04} here") }, "contentBlockIndex": 0, "p": "abcd" });
    let mut frames = vec![frame("messageStart", &json!({ "role": "assistant", "p": "abcd" }))];
    frames.extend((1..=load.chunks).map(|i| frame("contentBlockDelta", &delta(i))));
    frames.push(frame("contentBlockStop", &json!({ "contentBlockIndex": 0, "p": "abcd" })));
    frames.push(frame("messageStop", &json!({ "stopReason": "end_turn", "p": "abcd" })));
    frames.push(frame("metadata", &json!({ "usage": usage, "metrics": { "latencyMs": 1 }, "p": "abcd" })));
    frames
}

fn gemini(scan: &Scan<'_>, load: &Load) -> Vec<String> {
    let model = scan.model;
    let chunk = |text: &str, finish: &str, output: u64| {
        let total = PROMPT_TOKENS + output;
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}],"role":"model"}}{finish},"index":0}}],"usageMetadata":{{"promptTokenCount":{PROMPT_TOKENS},"candidatesTokenCount":{output},"totalTokenCount":{total}}},"modelVersion":"{model}","responseId":"fake"}}"#
        )
    };
    let told = |i: u32| super::CHUNK_TOKENS * u64::from(i);
    let mut chunks: Vec<String> =
        (1..=load.chunks).map(|i| chunk(&format!(" four tokens {i:04} here"), "", told(i))).collect();
    chunks.push(chunk("", r#","finishReason":"STOP""#, told(load.chunks)));
    chunks
}

fn responses(scan: &Scan<'_>, load: &Load) -> Vec<Bytes> {
    let (model, output) = (scan.model, load.usage(true).output);
    let total = PROMPT_TOKENS + output;
    let mut frames: Vec<Bytes> = Vec::with_capacity(load.chunks as usize + 8);
    let mut push = |kind: &str, rest: &str| {
        let number = frames.len();
        frames.push(Bytes::from(format!(
            "event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number},{rest}}}\n\n"
        )));
    };
    let response = |status: &str, output: &str, usage: &str| {
        format!(
            r#""response":{{"id":"resp_fake","object":"response","created_at":1767225600,"status":"{status}","error":null,"incomplete_details":null,"instructions":null,"metadata":{{}},"model":"{model}","output":{output},"parallel_tool_calls":true,"service_tier":"default","temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0,"usage":{usage}}}"#
        )
    };
    let item = |status: &str, content: &str| {
        format!(
            r#"{{"id":"msg_fake","type":"message","status":"{status}","role":"assistant","content":{content}}}"#
        )
    };
    let part =
        |text: &str| format!(r#"{{"type":"output_text","text":"{text}","annotations":[],"logprobs":[]}}"#);
    let at = r#""item_id":"msg_fake","output_index":0,"content_index":0"#;
    push("response.created", &response("in_progress", "[]", "null"));
    push("response.in_progress", &response("in_progress", "[]", "null"));
    push("response.output_item.added", &format!(r#""output_index":0,"item":{}"#, item("in_progress", "[]")));
    push("response.content_part.added", &format!(r#"{at},"part":{}"#, part("")));
    let mut text = String::new();
    for i in 1..=load.chunks {
        let delta = format!(" four tokens {i:04} here");
        push("response.output_text.delta", &format!(r#"{at},"delta":"{delta}","logprobs":[]"#));
        text.push_str(&delta);
    }
    push("response.output_text.done", &format!(r#"{at},"text":"{text}","logprobs":[]"#));
    push("response.content_part.done", &format!(r#"{at},"part":{}"#, part(&text)));
    let done = item("completed", &format!("[{}]", part(&text)));
    push("response.output_item.done", &format!(r#""output_index":0,"item":{done}"#));
    let usage = format!(
        r#"{{"input_tokens":{PROMPT_TOKENS},"input_tokens_details":{{"cached_tokens":0,"cache_write_tokens":0}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{total}}}"#
    );
    push("response.completed", &response("completed", &format!("[{done}]"), &usage));
    frames
}
