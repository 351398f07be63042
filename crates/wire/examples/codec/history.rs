//! Calls to measure with: a short chat, a history of about 100 kB with 60 tool turns, an answer, a stream.
//!
//! Everything is made from one conversation in openai-chat's shape, which the codecs write in the other dialects: the
//! same words everywhere, and what a client of each dialect would send.

use bytes::Bytes;
use pilothouse_core::conversation::StreamPart;
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::{Target, error_codec};
use pilothouse_wire::framing::Framing;
use pilothouse_wire::head::Head;

use super::model_of;
use super::rules;
use super::work::context;

/// Turns with a tool call and its result in the long history.
const TOOL_TURNS: usize = 60;
/// Events of text in a stream.
const DELTAS: usize = 96;

/// A stream, cut as a socket gives it: one event a chunk.
pub(crate) struct Stream {
    pub(crate) bytes: Vec<Bytes>,
    pub(crate) events: usize,
}

/// Text of the wanted length with the escapes that source code and prose have.
fn prose(seed: usize, length: usize) -> String {
    const WORDS: [&str; 12] = [
        "the ",
        "harbour ",
        "is ",
        "\\\"quiet\\\" ",
        "and ",
        "ships ",
        "wait;\\n",
        "fn main() {}\\n",
        "caf\u{e9} ",
        "tide ",
        "returns ",
        "slowly, ",
    ];
    let words = (0..).map(|step: usize| WORDS[(seed * 7 + step * 5 + step / 12) % WORDS.len()]);
    let mut text = String::new();
    for word in words {
        if text.len() + word.len() > length {
            return text;
        }
        text.push_str(word);
    }
    text
}

const TOOLS: &str = r#""tools":[{"type":"function","function":{"name":"read_file","description":"Reads a file of the workspace.","parameters":{"type":"object","properties":{"path":{"type":"string","description":"Where it is."},"lines":{"type":"integer"}},"required":["path"]}}},{"type":"function","function":{"name":"search","description":"Looks for words.","parameters":{"type":"object","properties":{"query":{"type":"string"},"kind":{"type":"string","enum":["text","name"]}},"required":["query"]}}}]"#;

/// The short call as a chat client writes it.
fn short_chat() -> String {
    format!(
        r#"{{"model":"gpt-5.5","max_completion_tokens":1024,"reasoning_effort":"low","messages":[{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":"{}"}}]}}"#,
        prose(1, 600)
    )
}

/// The long history as a chat client writes it.
fn long_chat() -> String {
    let mut text = format!(
        r#"{{"model":"gpt-5.5","max_completion_tokens":1024,"reasoning_effort":"low",{TOOLS},"messages":[{{"role":"system","content":"{}"}},{{"role":"user","content":"{}"}}"#,
        prose(0, 4_000),
        prose(1, 600)
    );
    for turn in 0..TOOL_TURNS {
        text.push_str(&format!(
            r#",{{"role":"assistant","content":"{}","tool_calls":[{{"id":"call_{turn:024}","type":"function","function":{{"name":"read_file","arguments":"{{\"path\": \"src/part_{turn}.rs\", \"lines\": {}}}"}}}}]}},{{"role":"tool","tool_call_id":"call_{turn:024}","content":"{}"}}"#,
            prose(turn, 160),
            turn + 20,
            prose(turn * 3, 1_040)
        ));
    }
    text.push_str(&format!(
        r#",{{"role":"assistant","content":"{}"}},{{"role":"user","content":"{}"}}]}}"#,
        prose(2, 300),
        prose(3, 200)
    ));
    text
}

/// A chat body in another dialect.
fn written(dialect: Dialect, chat: &str) -> Vec<u8> {
    if dialect == Dialect::OpenaiChat {
        return chat.as_bytes().to_vec();
    }
    let request = error_codec(Dialect::OpenaiChat).decode_request(chat.as_bytes());
    let target = Target::of(dialect, model_of(dialect));
    let written =
        request.and_then(|request| error_codec(dialect).encode_request(&request, &target, &mut Vec::new()));
    written.unwrap_or_default()
}

/// The short call of a client of the dialect.
pub(crate) fn short_request(dialect: Dialect) -> Vec<u8> {
    written(dialect, &short_chat())
}

/// The long history of a client of the dialect.
pub(crate) fn long_request(dialect: Dialect) -> Vec<u8> {
    written(dialect, &long_chat())
}

/// The body after the rules have mended it, so that nothing is left for them.
pub(crate) fn mended(dialect: Dialect, body: Vec<u8>) -> Vec<u8> {
    let rules = rules::of(dialect);
    let Ok(head) = Head::read(&body) else { return body };
    let findings = pilothouse_wire::compat::check(dialect, rules, &head);
    match pilothouse_wire::compat::apply(dialect, rules, &body, &findings) {
        Ok((mended, _)) => mended,
        Err(_) => body,
    }
}

const USAGE: &str = r#""usage":{"prompt_tokens":120,"completion_tokens":96,"total_tokens":216,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":0}}"#;

/// An answer of a vendor of the dialect: two kilobytes of text and a tool call.
pub(crate) fn answer(dialect: Dialect) -> Vec<u8> {
    let chat = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"gpt-5.5","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}","tool_calls":[{{"id":"call_1","type":"function","function":{{"name":"search","arguments":"{{\"query\":\"tide\"}}"}}}}]}},"finish_reason":"tool_calls"}}],{USAGE}}}"#,
        prose(5, 2_000)
    );
    if dialect == Dialect::OpenaiChat {
        return chat.into_bytes();
    }
    let answer = error_codec(Dialect::OpenaiChat).decode_answer(chat.as_bytes());
    answer
        .map(|answer| error_codec(dialect).encode_answer(&answer, &context(), &mut Vec::new()))
        .unwrap_or_default()
}

/// A stream of a vendor of the dialect: deltas of text, a tool call in pieces, the usage.
pub(crate) fn stream(dialect: Dialect) -> Stream {
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-5.5\",\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let mut chat = chunk(r#""role":"assistant","content":"""#, "null");
    (0..DELTAS)
        .for_each(|step| chat.push_str(&chunk(&format!(r#""content":"{} ""#, prose(step, 12)), "null")));
    chat.push_str(&chunk(r#""tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"search","arguments":""}}]"#, "null"));
    for piece in ["{\\\"query\\\"", ":\\\"ti", "de\\\"}"] {
        chat.push_str(&chunk(
            &format!(r#""tool_calls":[{{"index":0,"function":{{"arguments":"{piece}"}}}}]"#),
            "null",
        ));
    }
    chat.push_str(&chunk("", "\"tool_calls\""));
    chat.push_str(&format!("data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-5.5\",\"choices\":[],{USAGE}}}\n\ndata: [DONE]\n\n"));
    let bytes =
        if dialect == Dialect::OpenaiChat { chat.into_bytes() } else { rewritten(dialect, chat.as_bytes()) };
    let bytes = cut(Framing::of(dialect), &Bytes::from(bytes));
    Stream { events: bytes.len(), bytes }
}

/// A chat stream in another dialect.
fn rewritten(dialect: Dialect, chat: &[u8]) -> Vec<u8> {
    let mut decoder = error_codec(Dialect::OpenaiChat).stream_decoder();
    let mut encoder = error_codec(dialect).stream_encoder(&context());
    let (mut parts, mut out): (Vec<StreamPart>, Vec<u8>) = (Vec::new(), Vec::new());
    for raw in cut(Framing::Sse, &Bytes::copy_from_slice(chat)) {
        let event = pilothouse_wire::sse::parse(&raw);
        if decoder.event(None, &event.data, &mut parts).is_err() {
            break;
        }
        parts.drain(..).for_each(|part| encoder.part(&part, &mut out));
    }
    encoder.end(&mut out);
    out
}

fn cut(framing: Framing, bytes: &Bytes) -> Vec<Bytes> {
    let (mut all, mut at) = (Vec::new(), 0);
    while let Ok(Some(end)) = framing.find_end(bytes, at, at) {
        all.push(bytes.slice(at..end));
        at = end;
    }
    all
}
