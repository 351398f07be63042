//! The tools of a request: how many, of which kinds, and a digest. Each thread remembers the last few, because an
//! application offers the same ones again and again, and their schemas are longer than most questions.

use std::cell::RefCell;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::{Tools, few, four, member};
use smallvec::SmallVec;

use crate::walk::Walk;

/// Definitions that a thread remembers, by the low bits of their digests.
const REMEMBERED: usize = 16;
/// Kinds of tools that are told.
const KINDS_MAX: usize = 8;

/// What was read of tools.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) tools: Tools,
    /// As words of the list, each once, in the order in which they first stand.
    pub(super) kinds: SmallVec<[u8; 4]>,
    /// Marks for the vendor's cache.
    pub(super) marks: usize,
    /// A tool is to be called by its schema.
    pub(super) is_strict: bool,
}

thread_local! {
    static KNOWN: RefCell<[Option<(u64, Dialect, Seen)>; REMEMBERED]> = const { RefCell::new([const { None }; REMEMBERED]) };
}

/// Reads the list of tools.
pub(super) fn read(dialect: Dialect, text: &[u8]) -> Seen {
    let digest = digest(text);
    KNOWN.with_borrow_mut(|known| {
        let slot = &mut known[digest as usize % REMEMBERED];
        if let Some((_, _, seen)) = slot.as_ref().filter(|(one, of, _)| (*one, *of) == (digest, dialect)) {
            return seen.clone();
        }
        let seen = look(dialect, text, digest);
        *slot = Some((digest, dialect, seen.clone()));
        seen
    })
}

fn look(dialect: Dialect, text: &[u8], digest: u64) -> Seen {
    let mut seen = Seen::default();
    let mut count = 0_usize;
    // What does not go on as JSON is counted as far as it goes.
    let _ = Walk::new(text).array(|walk| {
        let mut kind = None;
        let is_by_key = matches!(dialect, Dialect::GeminiGenerate | Dialect::BedrockConverse);
        walk.object(|walk, name| {
            let value = walk.skip()?;
            if value == b"null" {
                return Ok(());
            }
            match name {
                b"type" => {
                    kind = value.get(1..value.len().saturating_sub(1)).and_then(member::find_word).or(kind);
                }
                b"cache_control" | b"cachePoint" => seen.marks += 1,
                b"strict" => seen.is_strict |= value == b"true",
                // Chat Completions has it within the function.
                b"function" | b"toolSpec" => seen.is_strict |= says_strict(value),
                b"functionDeclarations" | b"function_declarations" => {
                    let mut inner = 0_usize;
                    Walk::new(value).array(|walk| {
                        inner += 1;
                        walk.skip().map(drop)
                    })?;
                    count += inner.saturating_sub(1);
                    kind = member::find_word(b"functionDeclarations");
                }
                _ => {}
            }
            if is_by_key && kind.is_none() {
                kind = member::find_word(name);
            }
            Ok(())
        })?;
        count += 1;
        // A tool of Anthropic's without a type is the caller's own.
        let kind =
            kind.or_else(|| member::find_word(b"custom").filter(|_| dialect == Dialect::AnthropicMessages));
        if let Some(kind) = kind.filter(|kind| !seen.kinds.contains(kind) && seen.kinds.len() < KINDS_MAX) {
            seen.kinds.push(kind);
        }
        Ok(())
    });
    seen.tools = Tools { count: few(count), bytes: four(text.len() as u64), digest: short(digest) };
    seen
}

fn says_strict(value: &[u8]) -> bool {
    let mut is_strict = false;
    let _ = Walk::new(value).object(|walk, name| {
        is_strict |= walk.skip()? == b"true" && name == b"strict";
        Ok(())
    });
    is_strict
}

/// A digest that tells equal texts from others, eight bytes at a time; no secret, and never compared between versions.
pub(super) fn digest(text: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = text.as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let hash = words.iter().fold(text.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
    let hash = mix(hash, u64::from_le_bytes(last));
    let hash = (hash ^ hash >> 32).wrapping_mul(FACTOR);
    hash ^ hash >> 29
}

/// The digest as it is kept.
pub(super) const fn short(digest: u64) -> u32 {
    (digest >> 32) as u32
}
