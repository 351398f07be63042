//! Applies a fault to a finished answer.

use crate::answer::Answer;
use crate::books::Outcome;
use crate::delivery::{Interrupt, Script};
use crate::dialect::{self, Dialect};
use crate::fault::Fault;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::time::Duration;

/// Size of the oversized event's text.
const OVERSIZE_BYTES: usize = 4 << 20;

/// An answer on its way: what to send, and what to wait before the first byte.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    pub(crate) script: Script,
    pub(crate) first: Duration,
    pub(crate) content_type: &'static str,
    pub(crate) gzip: bool,
}

/// The answer as it is, with the pauses of its latency profile.
pub(crate) fn unharmed(answer: &Answer, first: Duration, gap: Duration) -> Sending {
    let length = (!answer.stream).then(|| answer.frames.iter().map(|f| f.len() as u64).sum());
    let script = Script {
        frames: answer.frames.clone().into(),
        gap,
        interrupt: None,
        length,
        outcome: answer.outcome,
    };
    Sending { script, first, content_type: answer.content_type, gzip: false }
}

/// The answer with a fault. Faults that are statuses, or that steer the answer itself, have struck before.
pub(crate) fn strike(fault: Fault, dialect: Dialect, mut answer: Answer) -> Sending {
    let (mut first, mut gap, mut gzip) = (Duration::ZERO, Duration::ZERO, false);
    let mut interrupt = None;
    match fault {
        Fault::Cut { percent } => interrupt = Some((split(&mut answer, percent), Interrupt::Break)),
        Fault::CutClean { percent } => interrupt = Some((split(&mut answer, percent), Interrupt::EndEarly)),
        Fault::Stall { ms, percent } => {
            interrupt = Some((split(&mut answer, percent), Interrupt::Pause(Duration::from_millis(ms))));
        }
        Fault::SlowFirstByte { ms } => first = Duration::from_millis(ms),
        Fault::SlowStream { ms } => gap = Duration::from_millis(ms),
        Fault::ErrorEvent { percent } => error_event(&mut answer, dialect, percent),
        Fault::MalformedJson => malformed_json(&mut answer, dialect),
        Fault::MalformedSse => malformed_lines(&mut answer, dialect),
        Fault::WrongContentType => {
            answer.content_type = "text/html; charset=utf-8";
            answer.outcome = Outcome::Broken;
        }
        Fault::OversizedEvent => oversized(&mut answer, dialect),
        Fault::Gzip => {
            answer.frames = compressed(&answer.frames);
            gzip = true;
        }
        Fault::Status { .. }
        | Fault::Close { .. }
        | Fault::Many { .. }
        | Fault::DuplicateUsage
        | Fault::MissingUsage
        | Fault::Refusal
        | Fault::Empty => {}
    }
    let mut sending = unharmed(&answer, first, gap);
    if matches!(fault, Fault::CutClean { .. }) {
        // A clean end cannot come before an announced length.
        sending.script.length = None;
    }
    sending.script.interrupt = interrupt;
    sending.gzip = gzip;
    sending
}

/// The frame before which a share of the answer is over; a whole body is cut in two there.
fn split(answer: &mut Answer, percent: u8) -> usize {
    if !answer.stream
        && let [body] = answer.frames.as_slice()
    {
        let at = body.len() * usize::from(percent) / 100;
        answer.frames = vec![body.slice(..at), body.slice(at..)];
        return 1;
    }
    answer.frames.len() * usize::from(percent) / 100
}

fn error_event(answer: &mut Answer, dialect: Dialect, percent: u8) {
    let at = split(answer, percent);
    let events = dialect.error_events(at, answer.frames.first());
    answer.frames.truncate(at);
    answer.frames.extend(events);
    answer.outcome = Outcome::Cut;
}

fn malformed_json(answer: &mut Answer, dialect: Dialect) {
    answer.outcome = Outcome::Broken;
    let middle = answer.frames.len() / 2;
    if let Some(frame) = answer.frames.get_mut(middle) {
        // Half an object: the event's last bytes are gone, its end of event is not.
        let tail = if answer.stream { dialect.event_end() } else { b"" };
        *frame = dialect::with_payload(dialect, answer.stream, frame, |whole| {
            [&whole[..whole.len() * 2 / 3], tail].concat()
        });
    }
}

fn malformed_lines(answer: &mut Answer, dialect: Dialect) {
    answer.outcome = Outcome::Broken;
    let noise = Bytes::from_static(b"upstream: the quick brown fox\n");
    if !answer.stream {
        answer.frames = vec![noise];
        return;
    }
    let middle = answer.frames.len() / 2;
    if matches!(dialect, Dialect::GeminiList | Dialect::Converse) {
        answer.frames[middle..].fill(noise);
        return;
    }
    for frame in &mut answer.frames[middle..] {
        // Lines without a field name, and no end of event.
        *frame = Bytes::from(
            String::from_utf8_lossy(frame)
                .replace("event: ", "")
                .replace("data: ", "")
                .replace("\r\n\r\n", "\r\n")
                .replace("\n\n", "\n"),
        );
    }
}

fn oversized(answer: &mut Answer, dialect: Dialect) {
    let middle = if answer.stream { answer.frames.len() / 2 } else { 0 };
    for frame in &mut answer.frames[middle..] {
        let found = |key: &&[u8]| memchr::memmem::find(frame, key).map(|at| at + key.len());
        if dialect.text_keys().iter().any(|key| found(key).is_some()) {
            *frame = dialect::with_payload(dialect, answer.stream, frame, |whole| {
                let found = |key: &&[u8]| memchr::memmem::find(whole, key).map(|at| at + key.len());
                let at = dialect.text_keys().iter().find_map(found).unwrap_or(0);
                [&whole[..at], &vec![b'x'; OVERSIZE_BYTES], &whole[at..]].concat()
            });
            return;
        }
    }
}

/// One gzip stream over all frames, flushed after each, so that events still arrive one by one.
fn compressed(frames: &[Bytes]) -> Vec<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut out = Vec::with_capacity(frames.len() + 1);
    for frame in frames {
        // Writing to memory cannot fail.
        let _ = encoder.write_all(frame).and_then(|()| encoder.flush());
        out.push(Bytes::from(std::mem::take(encoder.get_mut())));
    }
    out.push(Bytes::from(encoder.finish().unwrap_or_default()));
    out
}
