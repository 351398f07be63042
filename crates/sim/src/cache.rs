//! Prompt caches: which prefix of a prompt a provider has seen lately, bounded in entries.
//!
//! OpenAI's is automatic, from 1,024 tokens on in steps of 128
//! (<https://developers.openai.com/api/docs/guides/prompt-caching>, 2026-11-22). Anthropic's follows breakpoints, written for
//! five minutes or an hour (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>, 2026-11-22).

use crate::chance::{digest, first8};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Most prefixes remembered; the least recently written go first.
const ENTRIES_MAX: usize = 16_384;
/// Smallest prefix and step of the automatic cache, in tokens.
const AUTOMATIC_TOKENS_MIN: u64 = 1_024;
const AUTOMATIC_STEP: u64 = 128;
/// How long the automatic cache keeps a prefix.
const AUTOMATIC_TTL: Duration = Duration::from_secs(600);
/// How many blocks before a breakpoint are looked at for an older entry.
const LOOK_BACK_BLOCKS: usize = 20;

/// Lifetime of a written prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ttl {
    Minutes5,
    Hour1,
}

/// One block of an Anthropic prompt, in prompt order.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// What the block says, without its cache marker.
    pub(crate) content: Vec<u8>,
    pub(crate) tokens: u64,
    /// The breakpoint on this block, if any.
    pub(crate) mark: Option<Ttl>,
}

/// What the cache did for one prompt, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) read: u64,
    pub(crate) written_5m: u64,
    pub(crate) written_1h: u64,
}

/// The fleet's prompt caches of all vendors and keys.
#[derive(Debug, Default)]
pub(crate) struct PromptCache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    until: HashMap<u64, (Instant, Ttl)>,
    order: VecDeque<u64>,
}

impl Entries {
    fn live(&self, key: u64, now: Instant) -> Option<Ttl> {
        self.until.get(&key).filter(|(until, _)| *until > now).map(|(_, ttl)| *ttl)
    }

    fn keep(&mut self, key: u64, until: Instant, ttl: Ttl) {
        if self.until.insert(key, (until, ttl)).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > ENTRIES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.until.remove(&oldest);
            }
        }
    }
}

impl PromptCache {
    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.entries() = Entries::default();
    }

    /// The automatic cache: tokens of the longest known prefix of `pieces`, and this prompt is known from now on.
    /// `scope` keeps models and keys apart.
    pub(crate) fn automatic<'a>(&self, scope: &[u8], pieces: impl Iterator<Item = &'a [u8]>) -> u64 {
        let now = Instant::now();
        let mut entries = self.entries();
        let (mut hash, mut count, mut known) = (first8(&digest(0, &[scope])), 0u64, 0u64);
        let mut found_gap = false;
        let mut block: Vec<u8> = Vec::new();
        for piece in pieces {
            block.extend_from_slice(piece);
            block.push(0);
            count += 1;
            if count % AUTOMATIC_STEP == 0 {
                hash = first8(&digest(1, &[&hash, &block]));
                block.clear();
                if count >= AUTOMATIC_TOKENS_MIN {
                    let key = u64::from_le_bytes(hash);
                    found_gap |= entries.live(key, now).is_none();
                    known = if found_gap { known } else { count };
                    entries.keep(key, now + AUTOMATIC_TTL, Ttl::Minutes5);
                }
            }
        }
        known
    }

    /// The cache by breakpoints: what is read and written for these blocks. Prefixes under `tokens_min` are not cached.
    pub(crate) fn breakpoints(&self, scope: &[u8], blocks: &[Block], tokens_min: u64) -> Hit {
        let now = Instant::now();
        let mut entries = self.entries();
        let mut hash = first8(&digest(2, &[scope]));
        let mut prefixes: Vec<(u64, u64)> = Vec::with_capacity(blocks.len());
        let mut total = 0;
        for block in blocks {
            hash = first8(&digest(3, &[&hash, &block.content]));
            total += block.tokens;
            prefixes.push((u64::from_le_bytes(hash), total));
        }
        let marks: Vec<usize> =
            (0..blocks.len()).filter(|i| blocks[*i].mark.is_some() && prefixes[*i].1 >= tokens_min).collect();
        let near = |i: usize| marks.iter().any(|m| i <= *m && m - i <= LOOK_BACK_BLOCKS);
        let read_at =
            (0..blocks.len()).rev().find(|i| near(*i) && entries.live(prefixes[*i].0, now).is_some());
        let mut hit = Hit { read: read_at.map_or(0, |i| prefixes[i].1), ..Hit::default() };
        if let Some((key, ttl)) =
            read_at.and_then(|i| Some((prefixes[i].0, entries.live(prefixes[i].0, now)?)))
        {
            // Reading renews an entry for its own lifetime, at no cost.
            entries.keep(key, now + lifetime(ttl), ttl);
        }
        let mut covered = hit.read;
        for mark in marks {
            let (key, tokens) = prefixes[mark];
            let ttl = blocks[mark].mark.unwrap_or(Ttl::Minutes5);
            if tokens > covered {
                match ttl {
                    Ttl::Minutes5 => hit.written_5m += tokens - covered,
                    Ttl::Hour1 => hit.written_1h += tokens - covered,
                }
                covered = tokens;
                entries.keep(key, now + lifetime(ttl), ttl);
            }
        }
        hit
    }
}

fn lifetime(ttl: Ttl) -> Duration {
    match ttl {
        Ttl::Minutes5 => Duration::from_secs(300),
        Ttl::Hour1 => Duration::from_secs(3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(n: usize) -> Vec<Vec<u8>> {
        (0..n).map(|i| format!("w{i}").into_bytes()).collect()
    }

    fn automatic(cache: &PromptCache, scope: &str, words: &[Vec<u8>]) -> u64 {
        cache.automatic(scope.as_bytes(), words.iter().map(Vec::as_slice))
    }

    #[tokio::test(start_paused = true)]
    async fn automatic_prefixes_count_in_steps_from_1024_and_expire() {
        let cache = PromptCache::default();
        assert_eq!(automatic(&cache, "a", &words(1300)), 0);
        assert_eq!(automatic(&cache, "a", &words(1300)), 1280);
        assert_eq!(automatic(&cache, "a", &words(1023)), 0);
        assert_eq!(automatic(&cache, "b", &words(1300)), 0);
        let mut other = words(1300);
        other[1100] = b"changed".to_vec();
        assert_eq!(automatic(&cache, "a", &other), 1024);
        tokio::time::advance(Duration::from_secs(601)).await;
        assert_eq!(automatic(&cache, "a", &words(1300)), 0);
    }

    fn blocks(sizes: &[(u64, Option<Ttl>)]) -> Vec<Block> {
        let block = |(i, (tokens, mark)): (usize, &(u64, Option<Ttl>))| Block {
            content: format!("b{i}").into_bytes(),
            tokens: *tokens,
            mark: *mark,
        };
        sizes.iter().enumerate().map(block).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn breakpoints_write_then_read_and_the_rest_is_written_on_top() {
        let (cache, five, hour) = (PromptCache::default(), Some(Ttl::Minutes5), Some(Ttl::Hour1));
        let first = blocks(&[(1000, hour), (500, None), (500, five)]);
        assert_eq!(
            cache.breakpoints(b"k", &first, 1000),
            Hit { read: 0, written_5m: 1000, written_1h: 1000 }
        );
        assert_eq!(cache.breakpoints(b"k", &first, 1000), Hit { read: 2000, ..Hit::default() });
        let longer = blocks(&[(1000, hour), (500, None), (500, None), (300, five)]);
        assert_eq!(
            cache.breakpoints(b"k", &longer, 1000),
            Hit { read: 2000, written_5m: 300, written_1h: 0 }
        );
        assert_eq!(cache.breakpoints(b"other", &first, 1000).read, 0);
        tokio::time::advance(Duration::from_secs(301)).await;
        assert_eq!(
            cache.breakpoints(b"k", &first, 1000),
            Hit { read: 1000, written_5m: 1000, written_1h: 0 }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_prefix_under_the_models_minimum_is_silently_not_cached() {
        let cache = PromptCache::default();
        let short = blocks(&[(900, Some(Ttl::Minutes5))]);
        assert_eq!(cache.breakpoints(b"k", &short, 1024), Hit::default());
        assert_eq!(cache.breakpoints(b"k", &short, 1024), Hit::default());
    }
}
