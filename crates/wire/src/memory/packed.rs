//! Thinking as text, for an owner who keeps it sealed over a restart.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::{Answer, Content, Origin, Part, Raw, Reasoning};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{KEPT_MS, ThinkingMemory, taken};

#[derive(Serialize, Deserialize)]
struct Turn {
    calls: Vec<Box<str>>,
    parts: Vec<Piece>,
}

#[derive(Serialize, Deserialize)]
struct Piece {
    text: String,
    signature: Option<Box<str>>,
    redacted: Option<Box<str>>,
    family: Box<str>,
    rest: Vec<(String, Box<RawValue>)>,
}

/// What [`ThinkingMemory::remember`] would keep of an answer, as text. `None` where it would keep nothing.
#[must_use]
pub fn pack(answer: &Answer) -> Option<Vec<u8>> {
    let (calls, parts) = taken(answer)?;
    let parts = parts.into_iter().filter_map(|part| {
        let rest = part.rest.iter().filter_map(|(name, raw)| {
            Some((name.to_owned(), RawValue::from_string(raw.text().to_owned()).ok()?))
        });
        let rest = rest.collect();
        let Content::Reasoning(Reasoning { text, signature, redacted, origin }) = part.content else {
            return None;
        };
        Some(Piece { text, signature, redacted, family: origin.family, rest })
    });
    serde_json::to_vec(&Turn { calls, parts: parts.collect() }).ok()
}

impl ThinkingMemory {
    /// Takes back what [`pack`] gave of an answer at `at`, for the key of that name. What is too old by now, or no such
    /// text, is left out.
    pub fn remember_packed(&mut self, key: &str, packed: &[u8], at: UnixMs, now: UnixMs) {
        if at.0.saturating_add(KEPT_MS) <= now.0 {
            return;
        }
        let Ok(Turn { calls, parts }) = serde_json::from_slice::<Turn>(packed) else { return };
        let parts = parts.into_iter().map(|piece| {
            let Piece { text, signature, redacted, family, rest } = piece;
            let origin = Origin { family };
            let mut part = Part::new(Content::Reasoning(Reasoning { text, signature, redacted, origin }));
            for (name, raw) in rest {
                part.rest.push(&name, Raw::from(&*raw));
            }
            part
        });
        if !calls.is_empty() {
            self.put(key, calls, parts.collect(), at);
        }
    }
}
