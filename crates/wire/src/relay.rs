//! Passes a stream on event by event: facts are read, one unasked event may be withheld, the rest is untouched.

use bytes::{Bytes, BytesMut};
use pilothouse_core::dialect::Dialect;

use crate::eventstream::Damaged;
use crate::facts::{Facts, Scanner};
use crate::framing::Framing;
use crate::sse::EVENT_MAX;

/// An event that has not ended is held up to this size, so that a broken stream can be ended between two
/// events. A larger one (an image in base64) is passed on as it comes.
const HELD_MAX: usize = 64 * 1024;

/// The relay of one stream.
#[derive(Debug)]
pub struct Relay {
    scanner: Scanner,
    framing: Framing,
    held: BytesMut,
    looked: usize,
    /// Bytes of an event that is being passed on before its end.
    passing: Option<Passing>,
    has_output: bool,
    is_oversized: bool,
    is_malformed: bool,
}

#[derive(Debug, Default)]
struct Passing {
    /// The event's bytes for the scanner, until they exceed [`EVENT_MAX`].
    copy: Vec<u8>,
    looked: usize,
}

impl Relay {
    /// A relay for a stream of `dialect`. With `hide_usage`, the usage-only chunk is withheld.
    #[must_use]
    pub fn new(dialect: Dialect, hide_usage: bool) -> Self {
        Self {
            scanner: Scanner::new(dialect, hide_usage),
            framing: Framing::of(dialect),
            held: BytesMut::new(),
            looked: 0,
            passing: None,
            has_output: false,
            is_oversized: false,
            is_malformed: false,
        }
    }

    /// Takes the next bytes and returns what the client gets now; empty while an event is incomplete.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        if self.is_malformed || self.is_oversized {
            return Bytes::new();
        }
        if self.passing.is_some() {
            return self.pass(chunk);
        }
        let buf = if self.held.is_empty() {
            chunk
        } else {
            self.held.extend_from_slice(&chunk);
            self.held.split().freeze()
        };
        let resume = std::mem::take(&mut self.looked);
        self.cut(buf, resume)
    }

    /// Cuts `buf` into events; what has not ended is held.
    fn cut(&mut self, buf: Bytes, mut resume: usize) -> Bytes {
        let mut from = 0;
        let mut withheld: Option<BytesMut> = None;
        let mut kept_from = 0;
        while let Some(end) = self.find_end(&buf, from, resume) {
            let seen = self.scanner.event(&buf[from..end]);
            self.has_output |= seen.has_output;
            if seen.is_malformed {
                // The client gets what came before; the damaged event and what follows it are not for anybody.
                self.is_malformed = true;
                break;
            }
            if seen.is_unasked {
                let out = withheld.get_or_insert_with(BytesMut::new);
                out.extend_from_slice(&buf[kept_from..from]);
                kept_from = end;
            }
            from = end;
            resume = end;
        }
        let rest = if self.is_malformed || self.is_oversized { &[] } else { &buf[from..] };
        if rest.len() > HELD_MAX {
            self.passing = Some(Passing { copy: rest.to_vec(), looked: rest.len() });
            from = buf.len();
        } else if !rest.is_empty() {
            self.held.extend_from_slice(rest);
            self.looked = rest.len();
        }
        match withheld {
            None => buf.slice(..from),
            Some(mut out) => {
                out.extend_from_slice(&buf[kept_from..from]);
                out.freeze()
            }
        }
    }

    /// The end of the first event; what cannot be cut is damaged, and nothing behind it can be read.
    fn find_end(&mut self, buf: &[u8], from: usize, resume: usize) -> Option<usize> {
        match self.framing.find_end(buf, from, resume) {
            Ok(end) => end,
            Err(Damaged::Oversized) => {
                self.is_oversized = true;
                None
            }
            Err(_) => {
                self.is_malformed = true;
                None
            }
        }
    }

    /// Passes on the bytes of a large event until it ends.
    fn pass(&mut self, chunk: Bytes) -> Bytes {
        let Some(mut passing) = self.passing.take() else { return chunk };
        let before = passing.copy.len();
        passing.copy.extend_from_slice(&chunk);
        let Some(end) = self.find_end(&passing.copy, 0, passing.looked) else {
            passing.looked = passing.copy.len();
            if passing.copy.len() > EVENT_MAX {
                // No SDK could read such an event; the exchange fails rather than hold it.
                self.is_oversized = true;
            }
            self.passing = Some(passing);
            return chunk;
        };
        let seen = self.scanner.event(&passing.copy[..end]);
        self.has_output |= seen.has_output;
        self.is_malformed |= seen.is_malformed;
        let ended = end.saturating_sub(before).min(chunk.len());
        let rest = self.cut(chunk.slice(ended..), 0);
        if ended + rest.len() == chunk.len() {
            return chunk;
        }
        let mut out = BytesMut::with_capacity(ended + rest.len());
        out.extend_from_slice(&chunk[..ended]);
        out.extend_from_slice(&rest);
        out.freeze()
    }

    /// Takes what is left when the stream has ended cleanly. A last event without its blank line is handed on
    /// if it is the terminator; half an event never is.
    pub fn finish(&mut self) -> Bytes {
        let held = self.held.split().freeze();
        let was_terminated = self.facts().is_terminated;
        if !held.is_empty() {
            self.scanner.event(&held);
        }
        if self.facts().is_terminated && !was_terminated { held } else { Bytes::new() }
    }

    /// What must stand before an event of ours: the end of the event that the client's stream stands inside, nothing
    /// where it stands between two. `None` where no event can follow, so that the stream can only break off.
    #[must_use]
    pub const fn interruption(&self) -> Option<&'static [u8]> {
        if self.passing.is_some() { self.framing.interruption() } else { Some(&[]) }
    }

    /// Whether an event grew beyond what anybody could read.
    #[must_use]
    pub const fn is_oversized(&self) -> bool {
        self.is_oversized
    }

    /// Whether an event was damaged: what has been given is all that can be.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// Whether nothing can be missing behind what came, however the transport ends: the vendor's terminator has come,
    /// or its error.
    #[must_use]
    pub const fn has_last_word(&self) -> bool {
        let facts = self.scanner.facts();
        (facts.is_terminated && self.scanner.has_terminator()) || facts.error.is_some()
    }

    /// Whether model output has been seen.
    #[must_use]
    pub const fn has_output(&self) -> bool {
        self.has_output
    }

    /// What is known of the answer so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        self.scanner.facts()
    }

    /// Takes what is known of the answer.
    #[must_use]
    pub fn take_facts(&mut self) -> Facts {
        self.scanner.take()
    }
}
