//! The other form of a stream: one JSON array that grows, for clients that did not ask for `alt=sse`.

use crate::sse::{Event, Oversized, Reader};

/// Turns a stream of events into the growing array that Google sends without `alt=sse`.
///
/// Works on the bytes of events, so that it serves passing and translated streams alike. Events of errors become
/// items too, as with Google; the array is then left open, so that no client takes a part for the whole.
#[derive(Debug, Default)]
pub struct ArrayFrame {
    events: Reader,
    has_begun: bool,
}

impl ArrayFrame {
    /// The media type of the array.
    pub const CONTENT_TYPE: &'static str = "application/json; charset=UTF-8";

    /// Takes the next bytes of the stream of events, however they are split, and adds to `out` what the client
    /// gets now. Empty lines and comments become white space, which keeps a silent connection alive.
    ///
    /// # Errors
    /// [`Oversized`] when an event does not end within the bound of events.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Oversized> {
        let before = out.len();
        let Self { events, has_begun } = self;
        events.push(chunk, |event| {
            item(&event, has_begun, out);
            Ok(())
        })?;
        if out.len() == before && !chunk.is_empty() && chunk.iter().all(u8::is_ascii_whitespace) {
            out.push(b'\n');
        }
        Ok(())
    }

    /// Takes an event that the stream ended without its empty line, and ends the array. For answers that are whole.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        let Self { events, has_begun } = self;
        // Nothing that is done here can fail.
        let _ = events.finish(|event| {
            item(&event, has_begun, out);
            Ok::<(), Oversized>(())
        });
        if !std::mem::replace(&mut self.has_begun, true) {
            out.push(b'[');
        }
        out.push(b']');
    }
}

fn item(event: &Event<'_>, has_begun: &mut bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if std::mem::replace(has_begun, true) { b",\r\n" } else { b"[" });
    out.extend_from_slice(&event.data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn framed(wire: &str, cuts: &[usize]) -> Vec<u8> {
        let (mut frame, mut out, mut at) = (ArrayFrame::default(), Vec::new(), 0);
        let mut sizes = cuts.iter().copied().chain(std::iter::repeat(usize::MAX));
        while at < wire.len() {
            let next = at.saturating_add(sizes.next().unwrap_or(1).max(1)).min(wire.len());
            frame.push(&wire.as_bytes()[at..next], &mut out).unwrap();
            at = next;
        }
        frame.end(&mut out);
        out
    }

    proptest! {
        #[test]
        fn the_array_holds_every_event_however_the_stream_is_split(
            texts in prop::collection::vec(any::<String>(), 0..5), cuts in prop::collection::vec(1usize..9, 0..40),
        ) {
            let items: Vec<Value> = texts.iter().map(|text| serde_json::json!({ "text": text })).collect();
            let wire: String = items.iter().map(|item| format!("data: {item}\r\n\r\n\n: ping\n\n")).collect();
            let found: Vec<Value> = serde_json::from_slice(&framed(&wire, &cuts)).unwrap();
            prop_assert_eq!(found, items);
        }
    }

    #[test]
    fn a_sign_of_life_is_white_space_in_the_array() {
        let (mut frame, mut out) = (ArrayFrame::default(), Vec::new());
        frame.push(b"\n", &mut out).unwrap();
        frame.push(b"data: {}\n\n", &mut out).unwrap();
        frame.push(b"\n", &mut out).unwrap();
        frame.end(&mut out);
        assert_eq!(out, b"\n[{}\n]");
    }
}
