//! The work that the gateway's two paths do on the bytes of one call, with nothing around it.

use bytes::Bytes;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::{Request, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::id::ExchangeId;
use pilothouse_wire::codec::{AnswerContext, Target, error_codec};
use pilothouse_wire::facts::{Facts, Scanner};
use pilothouse_wire::framing::Framing;
use pilothouse_wire::head::{self, Edits, Head};
use pilothouse_wire::relay::Relay;

use super::model_of;
use super::rules;

/// What an answer's encoder is told of the call.
pub(crate) fn context() -> AnswerContext<'static> {
    AnswerContext {
        model: "gpt-5.5",
        exchange: ExchangeId::new(UnixMs(1_790_000_000_000), 7),
        created: 1_790_000_000,
        stream_usage: true,
        legacy_functions: false,
        estimated_input: Some(12),
        echoed: None,
    }
}

/// Equal dialects: the head is read, the rules are asked, one value is replaced.
pub(crate) fn relay_request(dialect: Dialect, body: &[u8]) -> usize {
    let Ok(head) = Head::read(body) else { return 0 };
    let findings = pilothouse_wire::compat::check(dialect, rules::of(dialect), &head);
    let edits = Edits::from_iter(head.set_model(model_of(dialect)));
    head::apply(body, &edits).map_or(0, |pieces| pieces.len() + findings.len())
}

/// The canonical request of a body, with what the path says of it.
fn decoded(client: Dialect, body: &[u8]) -> Option<Request> {
    let mut request = error_codec(client).decode_request(body).ok()?;
    if request.model.is_empty() {
        request.model = model_of(client).into();
    }
    Some(request)
}

/// Different dialects: read, written, and held against the target's rules. The new body; empty where it was refused.
pub(crate) fn translate_request(client: Dialect, target: Dialect, body: &[u8]) -> Vec<u8> {
    let Some(request) = decoded(client, body) else { return Vec::new() };
    let to = Target::of(target, model_of(target));
    let Ok(body) = error_codec(target).encode_request(&request, &to, &mut Vec::new()) else {
        return Vec::new();
    };
    let Ok(head) = Head::read(&body) else { return Vec::new() };
    let findings = pilothouse_wire::compat::check(target, rules::of(target), &head);
    std::hint::black_box(findings);
    body
}

/// Equal dialects: the facts are read.
pub(crate) fn relay_answer(dialect: Dialect, body: &[u8]) -> Facts {
    let mut scanner = Scanner::new(dialect, false);
    scanner.whole(body);
    scanner.take()
}

/// Different dialects: the facts are read, and the answer is read and written. The new body.
pub(crate) fn translate_answer(client: Dialect, target: Dialect, body: &[u8]) -> Vec<u8> {
    let facts = relay_answer(target, body);
    std::hint::black_box(facts);
    let Ok(answer) = error_codec(target).decode_answer_of(model_of(target), body) else { return Vec::new() };
    error_codec(client).encode_answer(&answer, &context(), &mut Vec::new())
}

/// Equal dialects: the stream in the chunks that a socket gives, one event each.
pub(crate) fn relay_stream(dialect: Dialect, chunks: &[Bytes]) -> Facts {
    let mut relay = Relay::new(dialect, false);
    for chunk in chunks {
        std::hint::black_box(relay.push(chunk.clone()));
    }
    std::hint::black_box(relay.finish());
    relay.take_facts()
}

/// Different dialects: every event is cut, read for its facts, read for its meaning, and written. The new length.
pub(crate) fn translate_stream(client: Dialect, target: Dialect, chunks: &[Bytes]) -> usize {
    let framing = Framing::of(target);
    let mut scanner = Scanner::new(target, false);
    let mut decoder = error_codec(target).stream_decoder_of(model_of(target));
    let mut encoder = error_codec(client).stream_encoder(&context());
    let mut parts: Vec<StreamPart> = Vec::new();
    let mut length = 0;
    for chunk in chunks {
        let Ok(Some(end)) = framing.find_end(chunk, 0, 0) else { continue };
        std::hint::black_box(scanner.event(&chunk[..end]));
        let Ok(event) = framing.parse(&chunk[..end]) else { continue };
        let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
        if decoder.event(name, &event.data, &mut parts).is_err() {
            return 0;
        }
        // Each event of the vendor's is one write to the client.
        let mut out = Vec::new();
        parts.drain(..).for_each(|part| encoder.part(&part, &mut out));
        length += std::hint::black_box(out).len();
    }
    let mut out = Vec::new();
    encoder.end(&mut out);
    length + out.len()
}
