//! A body as the rules see it.

use pilothouse_catalog::compat::{Fact, Path, RequestFacts, Seen};
use pilothouse_core::dialect::Dialect;

use super::place::{self, Indices, Place};
use super::turns;
use crate::head::Head;

/// The bytes of a request in its target's dialect.
pub(super) struct BodyFacts<'a> {
    pub(super) dialect: Dialect,
    pub(super) head: &'a Head<'a>,
}

impl RequestFacts for BodyFacts<'_> {
    fn each_member(&self, see: &mut dyn FnMut(&str)) {
        for key in self.head.keys() {
            // Names without escapes are compared as they stand, except where a dialect has two spellings.
            match std::str::from_utf8(key) {
                Ok(plain) if self.dialect != Dialect::GeminiGenerate && !plain.contains('\\') => see(plain),
                _ => {
                    if let Some(name) = place::name_of(key, self.dialect) {
                        see(&name);
                    }
                }
            }
        }
    }

    fn each_at(&self, path: &Path, see: &mut dyn FnMut(&[usize], Seen<'_>)) {
        let body = self.head.body();
        let Some((step, rest)) = path.steps.split_first() else { return };
        let found = self.head.find(|key| place::is_named(key, &step.name, self.dialect));
        let Some((index, member)) = found else { return };
        let top = Place { around: 0..body.len(), index, key: member.key(), value: member.value() };
        place::below(body, top, step, rest, self.dialect, &mut Indices::new(), &mut |indices, place| {
            let value = &body[place.value.clone()];
            if value != b"null" {
                see(indices, Seen::Json(value));
            }
        });
    }

    fn tells(&self, fact: Fact) -> Option<bool> {
        Some(turns::tells(self.head, fact, self.dialect))
    }
}
