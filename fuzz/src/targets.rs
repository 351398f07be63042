//! What is fuzzed: everything that reads bytes from clients or vendors. One line per target.

use bytes::Bytes;
use pilothouse_catalog::compat::{About, Compat};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::StreamPart;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::id::ExchangeId;
use pilothouse_wire::codec::assemble::Assembler;
use pilothouse_wire::codec::{AnswerContext, CODECS, Target, VendorError};
use pilothouse_wire::dialects::gemini_generate;
use pilothouse_wire::facts::Scanner;
use pilothouse_wire::frames::Frames;
use pilothouse_wire::framing::Framing;
use pilothouse_wire::head::Head;
use pilothouse_wire::multipart::Form;
use pilothouse_wire::path::{ConverseCall, GeminiCall, converse_path, vendor_path};
use pilothouse_wire::relay::Relay;
use pilothouse_wire::sieve::Sieve;
use pilothouse_wire::{compat, eventstream, sse};

use crate::mutate::Chance;

/// A target: reads an input, and may draw chance of its own.
pub(crate) type Run = fn(&[u8], &mut Chance);

/// Every target.
pub(crate) const TARGETS: &[Run] = &[
    requests,
    answers,
    streams,
    errors,
    facts,
    heads,
    split_events,
    messages,
    paths,
    counts,
    arrays,
    rules,
    forms,
    passing,
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

fn requests(input: &[u8], _: &mut Chance) {
    for from in CODECS {
        let Ok(request) = from.decode_request(input) else { continue };
        for to in CODECS {
            for model in [
                "gpt-5.5",
                "gpt-4o",
                "claude-opus-4-7",
                "claude-sonnet-4-5",
                "glm-5.1",
                "gemini-2.5-flash",
                "gemini-3.1-pro",
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "amazon.nova-2-lite-v1:0",
            ] {
                let target = Target::of(to.dialect(), model);
                if let Ok(body) = to.encode_request(&request, &target, &mut Vec::new()) {
                    assert!(to.decode_request(&body).is_ok(), "{}", String::from_utf8_lossy(&body));
                }
            }
        }
    }
}

fn answers(input: &[u8], _: &mut Chance) {
    for from in CODECS {
        let Ok(answer) = from.decode_answer(input) else { continue };
        for to in CODECS {
            let body = to.encode_answer(&answer, &context(), &mut Vec::new());
            assert!(to.decode_answer(&body).is_ok(), "{}", String::from_utf8_lossy(&body));
        }
    }
}

fn streams(input: &[u8], _: &mut Chance) {
    for from in CODECS {
        let mut decoder = from.stream_decoder();
        let mut parts: Vec<StreamPart> = Vec::new();
        let (mut at, mut error) = (0, None);
        while let Some(end) = sse::find_end(input, at, at) {
            let event = sse::parse(&input[at..end]);
            at = end;
            let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
            if let Err(found) = decoder.event(name, &event.data, &mut parts) {
                error = Some(*found);
                break;
            }
        }
        let error = error.or_else(|| decoder.finish().err().map(|error| VendorError::from(&error)));
        let mut assembler = Assembler::new(1 << 16);
        parts.iter().for_each(|part| assembler.part(part));
        for to in CODECS {
            let mut encoder = to.stream_encoder(&context());
            let mut out = Vec::new();
            parts.iter().for_each(|part| encoder.part(part, &mut out));
            match &error {
                Some(error) => out.extend(to.encode_stream_error(error)),
                None => encoder.end(&mut out),
            }
            match Framing::of(to.dialect()) {
                Framing::Sse => assert!(std::str::from_utf8(&out).is_ok()),
                Framing::EventStream => assert!(whole_messages(&out).is_ok_and(|(_, end)| end == out.len())),
            }
        }
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

/// What is read of an answer while it passes, of any dialect, whole and in pieces.
fn facts(input: &[u8], chance: &mut Chance) {
    for dialect in Dialect::ALL {
        let _ = Scanner::new(dialect, false).whole(input);
        let mut relay = Relay::new(dialect, chance.below(2) == 0);
        let mut at = 0;
        while at < input.len() {
            let next = (at + 1 + chance.below(200)).min(input.len());
            let _ = relay.push(Bytes::copy_from_slice(&input[at..next]));
            at = next;
        }
        let _ = (relay.finish(), relay.take_facts());
    }
}

fn heads(input: &[u8], _: &mut Chance) {
    if let Ok(head) = Head::read(input) {
        let _ = (head.model().is_ok(), head.stream().is_ok(), head.text("service_tier"));
    }
}

/// Events are the same however the bytes arrive.
fn split_events(input: &[u8], chance: &mut Chance) {
    let mut whole = Vec::new();
    let mut at = 0;
    while let Some(end) = sse::find_end(input, at, at) {
        whole.push(end);
        at = end;
    }
    let (mut split, mut from, mut seen, mut resume) = (Vec::new(), 0, 0, 0);
    while seen < input.len() {
        seen = (seen + 1 + chance.below(50)).min(input.len());
        while let Some(end) = sse::find_end(&input[..seen], from, resume) {
            split.push(end);
            from = end;
            resume = end;
        }
        resume = seen.max(from);
    }
    assert_eq!(split, whole);
}

/// How many messages a stream holds, and where the last of them ends.
fn whole_messages(bytes: &[u8]) -> Result<(usize, usize), eventstream::Damaged> {
    let (mut count, mut at) = (0, 0);
    while let Some(end) = eventstream::find_end(bytes, at)? {
        eventstream::Message::parse(&bytes[at..end])?;
        (count, at) = (count + 1, end);
    }
    Ok((count, at))
}

/// Messages of an event stream are the same however the bytes arrive, and whatever is damaged is found.
fn messages(input: &[u8], chance: &mut Chance) {
    let _ = whole_messages(input);
    let mut wire = Vec::new();
    for piece in input.chunks(1 + chance.below(300)).take(20) {
        if chance.below(4) == 0 {
            let name = String::from_utf8_lossy(&piece[..piece.len().min(40)]).into_owned();
            eventstream::write(&mut wire, &[(&name, &name)], piece);
        } else {
            eventstream::write_event(&mut wire, "contentBlockDelta", piece);
        }
    }
    let read = |wire: &[u8], chance: &mut Chance| {
        let (mut reader, mut count, mut at) = (eventstream::Reader::default(), 0, 0);
        while at < wire.len() {
            let next = (at + 1 + chance.below(200)).min(wire.len());
            reader.push(&wire[at..next], |_| {
                count += 1;
                Ok::<(), eventstream::Damaged>(())
            })?;
            at = next;
        }
        Ok::<_, eventstream::Damaged>((count, reader.is_between()))
    };
    let whole = whole_messages(&wire).map(|(count, _)| (count, true));
    assert_eq!(read(&wire, chance), whole);
    if !wire.is_empty() {
        let at = chance.below(wire.len());
        wire[at] ^= 1 << chance.below(8);
        assert!(read(&wire, chance).is_err());
    }
}

fn paths(input: &[u8], _: &mut Chance) {
    let text = String::from_utf8_lossy(input);
    let name: String = text.chars().take(60).collect();
    if !name.is_empty() {
        let again = converse_path(&name, true);
        assert!(ConverseCall::parse(&again).is_some_and(|call| call.is_ok_and(|call| call.model == name)));
    }
    let _ = ConverseCall::parse(&text);
    let (path, query) = text.split_once('?').unwrap_or((&text, ""));
    if let Some(Ok(call)) = GeminiCall::parse(path, query) {
        let again = format!("/v1beta{}", vendor_path(&call.model, call.method));
        let (path, _) = again.split_once('?').unwrap_or((&again, ""));
        assert!(GeminiCall::parse(path, "").is_some_and(|call| call.is_ok()), "{again}");
    }
}

fn counts(input: &[u8], _: &mut Chance) {
    let _ = gemini_generate::decode_count(input);
    let Ok(request) = gemini_generate::decode_count_request(input) else { return };
    let target = Target::of(Dialect::GeminiGenerate, "gemini-3.1-pro");
    if let Ok(body) = gemini_generate::encode_count_request(&request, &target, &mut Vec::new()) {
        assert!(gemini_generate::decode_count_request(&body).is_ok(), "{}", String::from_utf8_lossy(&body));
    }
}

/// The array of a stream is the same however the bytes arrive.
fn arrays(input: &[u8], chance: &mut Chance) {
    let (mut frame, mut whole) = (gemini_generate::ArrayFrame::default(), Vec::new());
    if frame.push(input, &mut whole).is_err() {
        return;
    }
    frame.end(&mut whole);
    let (mut frame, mut split, mut at) = (gemini_generate::ArrayFrame::default(), Vec::new(), 0);
    while at < input.len() {
        let next = (at + 1 + chance.below(50)).min(input.len());
        if frame.push(&input[at..next], &mut split).is_err() {
            return;
        }
        at = next;
    }
    frame.end(&mut split);
    let solid = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    assert_eq!(solid(&split), solid(&whole));
}

/// Targets that rules are about, with their vendors.
const RULED: [(&str, &str); 9] = [
    ("openai", "gpt-5.5"),
    ("openai", "gpt-4o"),
    ("openai", "o3"),
    ("mistral", "mistral-large-latest"),
    ("groq", "llama-3.3-70b-versatile"),
    ("anthropic", "claude-opus-4-7"),
    ("anthropic", "claude-sonnet-4-5"),
    ("gemini", "gemini-3.1-pro-preview"),
    ("bedrock", "us.anthropic.claude-opus-4-7-v1:0"),
];

/// What parses still does after the rules have mended it, and what no rule is about stays as it was.
fn rules(input: &[u8], chance: &mut Chance) {
    let Ok(head) = Head::read(input) else { return };
    let is_json = serde_json::from_slice::<serde_json::Value>(input).is_ok();
    let (vendor, model) = RULED[chance.below(RULED.len())];
    for dialect in Dialect::ALL {
        let rules =
            Compat::of(&About { vendor, model, output_tokens_max: Some(100), ..About::default() }, dialect);
        let findings = compat::check(dialect, &rules, &head);
        let Ok((body, notes)) = compat::apply(dialect, &rules, input, &findings) else {
            // What is no JSON need not become any.
            assert!(!is_json, "{}", String::from_utf8_lossy(input));
            continue;
        };
        assert!(!is_json || serde_json::from_slice::<serde_json::Value>(&body).is_ok());
        assert!(!notes.is_empty() || body == input);
    }
}

/// A form's field is the same however the bytes arrive.
fn forms(input: &[u8], chance: &mut Chance) {
    let boundary = input.get(2..12).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("x");
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let read = |sizes: &mut dyn FnMut() -> usize| {
        let mut form = Form::new(&content_type, "model")?;
        let mut at = 0;
        while at < input.len() {
            let next = (at + sizes()).min(input.len());
            form.push(&input[at..next]).ok()?;
            at = next;
        }
        form.finish().ok()?;
        Some(form.found().cloned().map(|field| format!("{field:?}")))
    };
    let whole = read(&mut || usize::MAX / 2);
    assert_eq!(read(&mut || 1 + chance.below(40)), whole);
}

/// WebSocket frames and long answers give the same however the bytes arrive.
fn passing(input: &[u8], chance: &mut Chance) {
    let (mut once, mut told) = (Frames::default(), Vec::new());
    once.push(input, |text| told.push(text.to_vec()));
    let (mut frames, mut split) = (Frames::default(), Vec::new());
    let (mut sieve, mut whole) = (Sieve::default(), Sieve::default());
    whole.push(input);
    let mut at = 0;
    while at < input.len() {
        let next = (at + 1 + chance.below(60)).min(input.len());
        frames.push(&input[at..next], |text| split.push(text.to_vec()));
        sieve.push(&input[at..next]);
        at = next;
    }
    assert_eq!(split, told);
    assert_eq!(sieve.kept(), whole.kept());
}
