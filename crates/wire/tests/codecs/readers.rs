//! What is fuzzed below the codecs: scanners, framing, paths, forms, and the edits of rules.

use bytes::Bytes;
use pilothouse_catalog::compat::{About, Compat};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::{SHAPE_BYTES_MAX, Shape};
use pilothouse_wire::cap::cap_output;
use pilothouse_wire::codec::codec;
use pilothouse_wire::dialects::gemini_generate;
use pilothouse_wire::facts::Scanner;
use pilothouse_wire::frames::Frames;
use pilothouse_wire::head::Head;
use pilothouse_wire::multipart::Form;
use pilothouse_wire::path::{ConverseCall, GeminiCall, converse_path, vendor_path};
use pilothouse_wire::relay::Relay;
use pilothouse_wire::sieve::Sieve;
use pilothouse_wire::{compat, eventstream, facts as told, shape, sse};

use super::mutate::Chance;

/// What is read of an answer while it passes, of any dialect; the same however the bytes arrive.
pub(crate) fn facts(input: &[u8], chance: &mut Chance) {
    let _ = told::other::read(input);
    for dialect in Dialect::ALL {
        let _ = Scanner::new(dialect, false).whole(input);
        let is_hidden = chance.below(2) == 0;
        let whole = passed(dialect, is_hidden, input, &mut || usize::MAX);
        assert_eq!(passed(dialect, is_hidden, input, &mut || 1 + chance.below(200)), whole);
    }
}

/// What a client gets of a stream whose bytes arrive in pieces of these sizes, and what is read of it.
fn passed(
    dialect: Dialect,
    is_hidden: bool,
    wire: &[u8],
    sizes: &mut dyn FnMut() -> usize,
) -> (Vec<u8>, bool, String) {
    let mut relay = Relay::new(dialect, is_hidden);
    let (mut out, mut at) = (Vec::new(), 0);
    while at < wire.len() {
        let next = at.saturating_add(sizes()).min(wire.len());
        out.extend_from_slice(&relay.push(Bytes::copy_from_slice(&wire[at..next])));
        at = next;
    }
    out.extend_from_slice(&relay.finish());
    (out, relay.is_malformed(), format!("{:?}", relay.take_facts()))
}

pub(crate) fn heads(input: &[u8], _: &mut Chance) {
    if let Ok(head) = Head::read(input) {
        let _ = (head.model().is_ok(), head.stream().is_ok(), head.text("service_tier"));
    }
}

/// Whatever is taken for a shape is packed as it was; a request has one that survives packing, and it has a bound.
pub(crate) fn shapes(input: &[u8], _: &mut Chance) {
    let mut seen: Vec<_> = Shape::from_bytes(input).into_iter().collect();
    if let Ok(head) = Head::read(input) {
        seen.extend(Dialect::ALL.map(|dialect| shape::of(dialect, &head)));
    }
    for shape in seen {
        assert!(shape.as_bytes().len() <= SHAPE_BYTES_MAX);
        assert_eq!(shape.outline().pack(), shape);
    }
}

/// Events are the same however the bytes arrive.
pub(crate) fn split_events(input: &[u8], chance: &mut Chance) {
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
    assert_eq!(events_held(input, &mut || 1 + chance.below(50)), events_held(input, &mut || usize::MAX));
}

/// What a reader hands over of events whose bytes arrive in pieces of these sizes: their names and data.
fn events_held(wire: &[u8], sizes: &mut dyn FnMut() -> usize) -> Vec<(Option<Vec<u8>>, Vec<u8>)> {
    let (mut reader, mut events, mut at) = (sse::Reader::default(), Vec::new(), 0);
    let mut keep = |event: sse::Event<'_>| {
        events.push((event.name.map(<[u8]>::to_vec), event.data.into_owned()));
        Ok::<(), sse::Oversized>(())
    };
    while at < wire.len() {
        let next = at.saturating_add(sizes()).min(wire.len());
        reader.push(&wire[at..next], &mut keep).unwrap();
        at = next;
    }
    reader.finish(&mut keep).unwrap();
    events
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
pub(crate) fn messages(input: &[u8], chance: &mut Chance) {
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

/// Headers of every type, as they stand in a message.
pub(crate) const HEADERS: &[&[u8]] = &[
    b"\x0b:event-type\x07\x00\x11contentBlockDelta\x0d:message-type\x07\x00\x05event{}",
    b"\x0f:exception-type\x07\x00\x13throttlingException",
    b"\x01a\x00\x01b\x01\x01c\x02\x07\x01d\x03\x00\x07\x01e\x04\x00\x00\x00\x07",
    b"\x01f\x05\x00\x00\x00\x00\x00\x00\x00\x07\x01g\x06\x00\x02hi\x01h\x08\x00\x00\x00\x00\x00\x00\x00\x07",
    b"\x01i\x090123456789abcdef",
];

/// A message whose lengths and checksums are right, whatever its headers are: no chance finds a checksum.
pub(crate) fn message_headers(input: &[u8], chance: &mut Chance) {
    let headers = input.len() - chance.below(input.len().min(16) + 1);
    let total = input.len() + 16;
    let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut raw = [word(total), word(headers)].concat();
    raw.extend(crc32fast::hash(&raw).to_be_bytes());
    raw.extend_from_slice(input);
    raw.extend(crc32fast::hash(&raw).to_be_bytes());
    assert_eq!(eventstream::find_end(&raw, 0), Ok(Some(total)));
    let Ok(message) = eventstream::Message::parse(&raw) else { return };
    assert_eq!(message.payload, &input[headers..]);
    // What is read of the headers covers them, and a name that is there is found.
    let _ = message.headers().count();
    let _ = (message.text(":event-type"), message.text(":message-type"));
}

/// A stream as Amazon frames it: what its server-sent events say, in messages.
pub(crate) fn framed(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(end) = sse::find_end(text, at, at) {
        let event = sse::parse(&text[at..end]);
        at = end;
        let name = event.name.map(String::from_utf8_lossy).unwrap_or_default();
        if name.ends_with("Exception") {
            eventstream::write_exception(&mut out, &name, &event.data);
        } else {
            eventstream::write_event(&mut out, &name, &event.data);
        }
    }
    out
}

/// A stream of messages passes as it came up to what is damaged, however its bytes arrive, and the same is read of it.
pub(crate) fn event_streams(input: &[u8], chance: &mut Chance) {
    let wire = framed(input);
    let whole = passed(Dialect::BedrockConverse, false, &wire, &mut || usize::MAX);
    assert_eq!(passed(Dialect::BedrockConverse, false, &wire, &mut || 1 + chance.below(200)), whole);
    assert!(wire.starts_with(&whole.0));
    let mut decoder = codec(Dialect::BedrockConverse).unwrap().stream_decoder();
    let (mut reader, mut parts) = (eventstream::Reader::default(), Vec::new());
    let read = reader.push(&wire, |message| {
        let _ = decoder.event(message.text(":event-type"), message.payload, &mut parts);
        Ok::<(), eventstream::Damaged>(())
    });
    assert_eq!(read, Ok(()));
}

/// Calls of both dialects that name their model in the path.
pub(crate) const PATHS: &[&[u8]] = &[
    b"/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
    b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprovisioned-model%2Fa/converse",
    b"/v1beta/models/gemini-3.1-pro:streamGenerateContent?alt=sse&key=a",
    b"/v1/models/gemini-2.5-flash:countTokens",
    b"/v1beta/tunedModels/mine:generateContent?%24alt=json%3Benum-encoding%3Dint",
    b"/v1beta/models/text-embedding-004:batchEmbedContents",
];

pub(crate) fn paths(input: &[u8], _: &mut Chance) {
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

/// The array of a stream is the same however the bytes arrive.
pub(crate) fn arrays(input: &[u8], chance: &mut Chance) {
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
pub(crate) fn rules(input: &[u8], chance: &mut Chance) {
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
        let capped = cap_output(dialect, &body, 100, chance.below(2) == 0);
        let capped = capped.map_or(body, |(capped, _)| capped);
        assert!(!is_json || serde_json::from_slice::<serde_json::Value>(&capped).is_ok());
    }
}

/// Forms; each one's delimiter is what stands behind its first two bytes.
pub(crate) const FORMS: &[&[u8]] = &[
    b"--0123456789\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--0123456789\r\n\
      Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n\
      RIFF\r\n--01234\r\n--0123456789--\r\n",
    b"--aaaaaaaaaa\r\ncontent-disposition:form-data;name=model\r\n\r\n\r\n--aaaaaaaaaa--",
];

/// A form's field is the same however the bytes arrive.
pub(crate) fn forms(input: &[u8], chance: &mut Chance) {
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

/// Frames of a WebSocket: masked text, one in parts with a ping between, a long one, a close.
pub(crate) const FRAMES: &[&[u8]] = &[
    b"\x81\x85\x01\x02\x03\x04igmhn\x01\x02{\"\x89\x00\x80\x03a\"}\x88\x02\x03\xe8",
    b"\x81\x7e\x00\x10{\"type\":\"error\"}\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x02hi",
];

/// WebSocket frames and long answers give the same however the bytes arrive.
pub(crate) fn passing(input: &[u8], chance: &mut Chance) {
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
