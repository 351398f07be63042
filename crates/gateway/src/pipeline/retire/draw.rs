//! What a conversation is known by where it is drawn: the same at every turn, on every machine, after every restart.

use http::HeaderValue;
use pilothouse_core::dialect::Dialect;
use pilothouse_migrate::lifecycle::Draw;
use pilothouse_wire::head::Head;
use pilothouse_wire::{needs, scan};

/// A call whose conversation draws.
pub(crate) struct Drawing<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) head: &'a Head<'a>,
    /// The conversation that its headers name.
    pub(crate) named: Option<&'a HeaderValue>,
    /// The caller's key.
    pub(crate) key: &'a str,
    /// The person behind, if told.
    pub(crate) end_user: Option<&'a str>,
}

/// What a call tells of its conversation's draw.
pub(crate) enum Told {
    /// The draw.
    Draw(Draw),
    /// Only the answer that it goes on from: whoever gave that may know.
    After(String),
}

impl Drawing<'_> {
    /// What the conversation draws for a target, the surest mark first.
    pub(crate) fn of(&self, target: &str) -> Told {
        let text = |path: &[&str]| needs::find(self.head, path, self.dialect).and_then(scan::text_value);
        let of =
            |kind: &[u8], id: &[u8]| Told::Draw(Draw::of(self.scope(target, kind).into_iter().chain([id])));
        let named = self.named.map(|value| value.as_bytes());
        if let Some(id) = named.filter(|id| !id.is_empty()) {
            return of(b"named", id);
        }
        if self.dialect == Dialect::OpenaiResponses {
            if let Some(id) = text(&["conversation", "id"]).or_else(|| text(&["conversation"])) {
                return of(b"vendor", id.as_bytes());
            }
            if let Some(id) = text(&["previous_response_id"]) {
                return Told::After(id.into_owned());
            }
        }
        if let Some(key) = text(&["prompt_cache_key"]) {
            return of(b"cache", key.as_bytes());
        }
        let mut opening: Vec<&[u8]> = Vec::new();
        needs::each_opening_turn(self.dialect, self.head, |turn| opening.push(turn));
        if opening.is_empty() {
            opening.push(self.head.body());
        }
        Told::Draw(Draw::of(self.scope(target, b"opening").into_iter().chain(opening)))
    }

    /// Whose conversation it is, so that one tenant's is never another's.
    fn scope<'p>(&'p self, target: &'p str, kind: &'p [u8]) -> [&'p [u8]; 5] {
        let user = self.end_user.unwrap_or_default();
        [b"brownout", target.as_bytes(), self.key.as_bytes(), user.as_bytes(), kind]
    }
}

/// What the draw of a conversation is found by that goes on from an answer.
pub(crate) fn answer_mark(key: &str, id: &str) -> Draw {
    Draw::of([b"answer".as_slice(), key.as_bytes(), id.as_bytes()])
}
