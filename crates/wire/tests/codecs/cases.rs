//! The golden cases: where they are, and how each is run.

use std::fs;
use std::path::{Path, PathBuf};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::{Answer, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Note;
use pilothouse_core::id::ExchangeId;
use pilothouse_wire::codec::assemble::Assembler;
use pilothouse_wire::codec::{AnswerContext, Codec, VendorError, codec};
use pilothouse_wire::framing::Framing;

use super::readers;

/// The dialects that have codecs.
pub(crate) const DIALECTS: [Dialect; 5] = [
    Dialect::OpenaiChat,
    Dialect::AnthropicMessages,
    Dialect::OpenaiResponses,
    Dialect::GeminiGenerate,
    Dialect::BedrockConverse,
];

/// One golden case.
pub(crate) struct Case {
    /// Its file.
    pub(crate) path: PathBuf,
    /// The file's name without its ending.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) body: Vec<u8>,
}

impl Case {
    /// The dialects that the snapshot shows: that of the target which the name gives, else the first two. What a later
    /// dialect makes of a case stands in its own folder.
    pub(crate) fn shown(&self, dialect: Dialect) -> Vec<Dialect> {
        let first = [Dialect::OpenaiChat, Dialect::AnthropicMessages];
        match self.name.split_once('@') {
            Some((_, model)) if speak(model)[0] != dialect => vec![speak(model)[0]],
            _ => first.into_iter().filter(|other| *other != dialect).collect(),
        }
    }

    /// Whether a case that names its target's model is meant for a dialect.
    pub(crate) fn is_meant_for(&self, to: Dialect) -> bool {
        self.name.split_once('@').is_none_or(|(_, model)| speak(model).contains(&to))
    }

    /// The part of the name behind `@`: the target model.
    pub(crate) fn target<'a>(&'a self, otherwise: &'a str) -> &'a str {
        self.name.split_once('@').map_or(otherwise, |(_, model)| model)
    }
}

/// The cases of a dialect and kind (`requests`, `answers`, `streams`, `errors`), in the order of their names.
pub(crate) fn cases(dialect: Dialect, kind: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(dialect.as_str()).join(kind);
    let mut cases: Vec<Case> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json" || ending == "sse"))
        .map(|path| Case {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            body: fs::read(&path).unwrap(),
            path,
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    if kind == "streams" {
        cases.iter_mut().for_each(|case| case.body = framed(dialect, &case.body));
    }
    cases
}

/// A stream as it is on the wire. Fixtures are server-sent events in every dialect, so that people can read them.
pub(crate) fn framed(dialect: Dialect, text: &[u8]) -> Vec<u8> {
    if Framing::of(dialect) == Framing::Sse {
        return text.to_vec();
    }
    readers::framed(text)
}

/// A stream as people can read it.
pub(crate) fn readable(dialect: Dialect, bytes: &[u8]) -> String {
    let framing = Framing::of(dialect);
    if framing == Framing::Sse {
        return String::from_utf8(bytes.to_vec()).unwrap();
    }
    let (mut out, mut at) = (String::new(), 0);
    while let Some(end) = framing.find_end(bytes, at, at).unwrap() {
        let event = framing.parse(&bytes[at..end]).unwrap();
        at = end;
        let name = String::from_utf8_lossy(event.name.unwrap_or_default());
        out.push_str(&format!("event: {name}\ndata: {}\n\n", String::from_utf8_lossy(&event.data)));
    }
    assert_eq!(at, bytes.len(), "half a message");
    out
}

/// The codec of a dialect.
pub(crate) fn of(dialect: Dialect) -> &'static dyn Codec {
    codec(dialect).unwrap()
}

/// Every dialect but this one.
pub(crate) fn others(dialect: Dialect) -> impl Iterator<Item = Dialect> {
    DIALECTS.into_iter().filter(move |other| *other != dialect)
}

/// Every ordered pair of different dialects.
pub(crate) fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    DIALECTS.into_iter().flat_map(|from| others(from).map(move |to| (from, to)))
}

/// The model of a dialect that a case is sent to, if it does not say.
pub(crate) fn usual_target(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::AnthropicMessages => "claude-opus-4-7",
        Dialect::GeminiGenerate => "gemini-3.1-pro-preview",
        Dialect::BedrockConverse => "us.anthropic.claude-opus-4-7-v1:0",
        _ => "gpt-5.5",
    }
}

/// The dialects of a model that a case names as its target.
fn speak(model: &str) -> &'static [Dialect] {
    match model {
        gemini if gemini.starts_with("gemini") => &[Dialect::GeminiGenerate],
        bedrock
            if ["us.", "amazon.", "openai.", "deepseek."].iter().any(|start| bedrock.starts_with(start)) =>
        {
            &[Dialect::BedrockConverse]
        }
        claude if claude.starts_with("claude") => &[Dialect::AnthropicMessages],
        _ => &[Dialect::OpenaiChat, Dialect::OpenaiResponses],
    }
}

/// The smallest body of a request in a dialect.
pub(crate) fn small_request(dialect: Dialect) -> serde_json::Value {
    match dialect {
        Dialect::GeminiGenerate => {
            serde_json::json!({ "contents": [{ "role": "user", "parts": [{ "text": "a" }] }] })
        }
        Dialect::BedrockConverse => {
            serde_json::json!({ "messages": [{ "role": "user", "content": [{ "text": "a" }] }] })
        }
        Dialect::OpenaiResponses => serde_json::json!({
            "model": "m", "max_output_tokens": 5,
            "input": [{ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "a" }] }],
        }),
        _ => serde_json::json!({
            "model": "m", "max_tokens": 5,
            "messages": [{ "role": "user", "content": [{ "type": "text", "text": "a" }] }],
        }),
    }
}

/// A client's call that is the same in every test.
pub(crate) fn context() -> AnswerContext<'static> {
    AnswerContext {
        model: "assistant",
        exchange: ExchangeId::new(UnixMs(1_790_000_000_000), 0x5EED),
        created: 1_790_000_000,
        stream_usage: true,
        legacy_functions: false,
        estimated_input: Some(17),
        echoed: None,
    }
}

/// What a stream means: its steps, and the error that it ended with.
pub(crate) fn decode_stream(dialect: Dialect, bytes: &[u8]) -> (Vec<StreamPart>, Option<VendorError>) {
    let mut decoder = of(dialect).stream_decoder();
    let (mut parts, mut at) = (Vec::new(), 0);
    let framing = Framing::of(dialect);
    while let Some(end) = framing.find_end(bytes, at, at).unwrap() {
        let event = framing.parse(&bytes[at..end]).unwrap();
        at = end;
        if !event.has_data {
            continue;
        }
        let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
        if let Err(error) = decoder.event(name, &event.data, &mut parts) {
            return (parts, Some(*error));
        }
    }
    let error = decoder.finish().err().map(|error| VendorError::from(&error));
    (parts, error)
}

/// The bytes that a client of a dialect gets for a stream, and what is lost.
pub(crate) fn encode_stream(
    dialect: Dialect,
    parts: &[StreamPart],
    error: Option<&VendorError>,
    context: &AnswerContext<'_>,
) -> (Vec<u8>, Vec<Note>) {
    let mut encoder = of(dialect).stream_encoder(context);
    let mut out = Vec::new();
    for part in parts {
        encoder.part(part, &mut out);
    }
    match error {
        Some(error) => out.extend(of(dialect).encode_stream_error(error)),
        None => encoder.end(&mut out),
    }
    (out, encoder.losses())
}

/// The answer that a stream adds up to.
pub(crate) fn assemble(parts: &[StreamPart]) -> Answer {
    let mut assembler = Assembler::new(1 << 24);
    parts.iter().for_each(|part| assembler.part(part));
    assembler.finish().unwrap()
}
