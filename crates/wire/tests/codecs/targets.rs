//! What is fuzzed: everything that reads bytes from clients or vendors. One row per target.
//!
//! A target is a function of its input alone, so that every finding is a file: `cargo xtask fuzz` looks for them, and
//! those that were kept run with the other tests. What it needs of chance comes from the input's last bytes.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::StreamPart;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::id::ExchangeId;
use pilothouse_wire::codec::assemble::Assembler;
use pilothouse_wire::codec::freeform::Freeform;
use pilothouse_wire::codec::{AnswerContext, CODECS, Codec, StreamDecoder, Target as Wanted, VendorError};
use pilothouse_wire::dialects::gemini_generate;
use pilothouse_wire::embeddings::{Client, Form as VendorForm};
use pilothouse_wire::framing::Framing;
use pilothouse_wire::sse;

use super::conditions;
use super::foreign;
use super::mutate::Chance;
use super::readers;
use super::remembered;
use super::sources;
use super::texts;

/// How many of an input's last bytes decide what a target draws by chance. The fuzzer can steer it by changing them,
/// and minimising what stands before them leaves it as it was.
const DECIDING: usize = 8;

/// One thing that reads bytes from outside.
pub(crate) struct Target {
    /// Its name: on the command line, and of the folder of its findings.
    pub(crate) name: &'static str,
    /// The folders of golden cases that it begins with.
    pub(crate) seeds: &'static [&'static str],
    /// More inputs to begin with, where no golden case is of its kind.
    pub(crate) samples: &'static [&'static [u8]],
    run: fn(&[u8], &mut Chance),
}

impl Target {
    const fn of(
        name: &'static str,
        seeds: &'static [&'static str],
        samples: &'static [&'static [u8]],
        run: fn(&[u8], &mut Chance),
    ) -> Self {
        Self { name, seeds, samples, run }
    }

    /// Gives it an input. Whatever it does wrong is a panic.
    pub(crate) fn run(&self, input: &[u8]) {
        // FNV-1a (RFC 9923).
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let tail = &input[input.len().saturating_sub(DECIDING)..];
        (self.run)(input, &mut Chance::new(tail.iter().fold(0xcbf2_9ce4_8422_2325, fold)));
    }
}

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    Target::of("requests", &["requests"], &[], requests),
    Target::of("answers", &["answers"], &[], answers),
    Target::of("streams", &["streams"], &[], streams),
    Target::of("errors", &["errors"], &[], errors),
    Target::of("counts", &["requests"], COUNTS, counts),
    Target::of("embeddings", &[], EMBEDDINGS, embeddings),
    Target::of("facts", &["answers", "streams"], &[], readers::facts),
    Target::of("heads", &["requests"], &[], readers::heads),
    Target::of("split_events", &["streams"], &[], readers::split_events),
    Target::of("messages", &["streams"], &[], readers::messages),
    Target::of("message_headers", &[], readers::HEADERS, readers::message_headers),
    Target::of("event_streams", &["streams"], &[], readers::event_streams),
    Target::of("arrays", &["streams"], &[], readers::arrays),
    Target::of("paths", &[], readers::PATHS, readers::paths),
    Target::of("rules", &["requests"], &[], readers::rules),
    Target::of("shapes", &["requests"], &[], readers::shapes),
    Target::of("forms", &[], readers::FORMS, readers::forms),
    Target::of("passing", &["answers"], readers::FRAMES, readers::passing),
    Target::of("imports", &[], foreign::CONFIGURATIONS, foreign::imports),
    Target::of("reports", &[], foreign::REPORTS, foreign::reports),
    Target::of("conditions", &[], conditions::CONDITIONS, conditions::conditions),
    Target::of("canonical", &["requests"], &[], remembered::forms_of_bodies),
    Target::of("questions", &["requests"], remembered::QUESTIONS, remembered::questions),
    Target::of("marks", &[], remembered::TEXTS, remembered::marks),
    Target::of("sources", &[], sources::SOURCES, sources::sources),
    Target::of("texts", &[], texts::TEXTS, texts::texts),
    Target::of("fixes", &[], texts::MENDED, texts::fixes),
];

/// Models whose targets differ in what they take.
const MODELS: [&str; 9] = [
    "gpt-5.5",
    "gpt-4o",
    "claude-opus-4-7",
    "claude-sonnet-4-5",
    "glm-5.1",
    "gemini-2.5-flash",
    "gemini-3.1-pro",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-2-lite-v1:0",
];

fn context() -> AnswerContext<'static> {
    AnswerContext {
        model: "m",
        exchange: ExchangeId::new(UnixMs(0), 0),
        created: 0,
        stream_usage: true,
        legacy_functions: false,
        estimated_input: None,
        echoed: None,
    }
}

fn requests(input: &[u8], chance: &mut Chance) {
    for from in CODECS {
        let _ = from.echoed(input);
        let Ok(mut request) = from.decode_request(input) else { continue };
        for to in CODECS {
            let target = Wanted::of(to.dialect(), MODELS[chance.below(MODELS.len())]);
            if from.dialect() != to.dialect() {
                Freeform::replace(&mut request, to.dialect(), &mut Vec::new());
            }
            if let Ok(body) = to.encode_request(&request, &target, &mut Vec::new()) {
                let again = to.decode_request(&body);
                assert!(again.is_ok(), "{again:?}: {}", String::from_utf8_lossy(&body));
            }
        }
    }
}

fn answers(input: &[u8], chance: &mut Chance) {
    for from in CODECS {
        let model = MODELS[chance.below(MODELS.len())];
        let Ok(answer) = from.decode_answer_of(model, input) else { continue };
        for to in CODECS {
            let body = to.encode_answer(&answer, &context(), &mut Vec::new());
            let again = to.decode_answer(&body);
            assert!(again.is_ok(), "{again:?}: {}", String::from_utf8_lossy(&body));
        }
    }
}

fn streams(input: &[u8], chance: &mut Chance) {
    for from in CODECS {
        let decoder = from.stream_decoder_of(MODELS[chance.below(MODELS.len())]);
        let (parts, error) = events_read(decoder, input);
        let mut assembler = Assembler::new(1 << 16);
        parts.iter().for_each(|part| assembler.part(part));
        let _ = assembler.finish();
        for to in CODECS {
            written(*to, &parts, error.as_ref());
        }
    }
}

/// What server-sent events mean, and the error that they end with.
fn events_read(
    mut decoder: Box<dyn StreamDecoder + Send>,
    input: &[u8],
) -> (Vec<StreamPart>, Option<VendorError>) {
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(end) = sse::find_end(input, at, at) {
        let event = sse::parse(&input[at..end]);
        at = end;
        let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
        if let Err(found) = decoder.event(name, &event.data, &mut parts) {
            return (parts, Some(*found));
        }
    }
    let error = decoder.finish().err().map(|error| VendorError::from(&error));
    (parts, error)
}

/// A stream is written in a dialect, and what was written can be read.
fn written(codec: &dyn Codec, parts: &[StreamPart], error: Option<&VendorError>) {
    let mut encoder = codec.stream_encoder(&context());
    let mut out = Vec::new();
    parts.iter().for_each(|part| encoder.part(part, &mut out));
    match error {
        Some(error) => out.extend(codec.encode_stream_error(error)),
        None => encoder.end(&mut out),
    }
    let framing = Framing::of(codec.dialect());
    let mut decoder = codec.stream_decoder();
    let (mut at, mut again, mut failed) = (0, Vec::new(), None);
    while let Ok(Some(end)) = framing.find_end(&out, at, at) {
        let Ok(event) = framing.parse(&out[at..end]) else { break };
        at = end;
        let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
        failed = failed.or_else(|| decoder.event(name, &event.data, &mut again).err());
    }
    assert_eq!(at, out.len(), "no whole events: {}", String::from_utf8_lossy(&out));
    if error.is_none() {
        let whole = failed.is_none() && decoder.finish().is_ok();
        assert!(whole, "{failed:?}: {}", String::from_utf8_lossy(&out));
    }
}

fn errors(input: &[u8], chance: &mut Chance) {
    let status = u16::try_from(200 + chance.below(400)).unwrap_or(500);
    for from in CODECS {
        let error = from.decode_error(status, input);
        for to in CODECS {
            assert!(to.error_status(&error) >= 400);
            let body = to.encode_error(&error, None);
            assert!(!to.decode_error(to.error_status(&error), &body).message.is_empty());
        }
    }
}

/// Counts of tokens, and one question for them in each of its two forms.
const COUNTS: &[&[u8]] = &[
    br#"{"totalTokens":31,"promptTokensDetails":[{"modality":"TEXT","tokenCount":31}]}"#,
    br#"{"contents":[{"role":"user","parts":[{"text":"How many?"}]}]}"#,
    br#"{"generateContentRequest":{"model":"models/gemini-3.1-pro","contents":[{"parts":[{"text":"a"}]}]}}"#,
];

fn counts(input: &[u8], _: &mut Chance) {
    let _ = gemini_generate::decode_count(input);
    let Ok(request) = gemini_generate::decode_count_request(input) else { return };
    let target = Wanted::of(Dialect::GeminiGenerate, "gemini-3.1-pro");
    if let Ok(body) = gemini_generate::encode_count_request(&request, &target, &mut Vec::new()) {
        assert!(gemini_generate::decode_count_request(&body).is_ok(), "{}", String::from_utf8_lossy(&body));
    }
}

/// What is asked for vectors, and what vendors answer.
const EMBEDDINGS: &[&[u8]] = &[
    br#"{"model":"text-embedding-3-small","input":["one","two"],"dimensions":3,"encoding_format":"base64"}"#,
    br#"{"content":{"parts":[{"text":"one"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":3}"#,
    br#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"one"}]},"title":"t"}]}"#,
    br#"{"data":[{"index":0,"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":2,"total_tokens":2}}"#,
    br#"{"embeddings":[{"values":[0.1,0.2]}],"usageMetadata":{"promptTokenCount":4}}"#,
    br#"{"embeddings":{"float":[[0.1,0.2]]},"meta":{"billed_units":{"input_tokens":3}}}"#,
    br#"{"embedding":[0.1,0.2],"inputTextTokenCount":3,"embeddingsByType":{"float":[0.1,0.2]}}"#,
];

/// Vendors' forms of calls for vectors.
const FORMS: [VendorForm; 5] = [
    VendorForm::OpenAi,
    VendorForm::Gemini,
    VendorForm::Cohere,
    VendorForm::BedrockCohere,
    VendorForm::BedrockTitan,
];

fn embeddings(input: &[u8], _: &mut Chance) {
    for form in FORMS {
        let _ = form.decode(input, 1);
    }
    for client in [Client::OpenAi, Client::GeminiOne, Client::GeminiBatch] {
        let Ok(asked) = client.read(input, "text-embedding-3-small") else { continue };
        assert!(!asked.texts.is_empty());
        for form in FORMS {
            let body = form.encode(&asked, &asked.texts, "m");
            let json = serde_json::from_slice::<serde_json::Value>(&body);
            assert!(json.is_ok(), "{json:?}: {}", String::from_utf8_lossy(&body));
            let _ = form.notes(&asked);
        }
    }
}
