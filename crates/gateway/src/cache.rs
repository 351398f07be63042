//! Kept answers: the memory that all workers share, and what it tells at `/metrics`.

mod meaning;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use http::HeaderValue;
use pilothouse_cache::answers::Answers;
use pilothouse_cache::flight::Flights;
use pilothouse_core::clock::UnixMs;

use crate::bodies::Made;
use crate::plan::Plan;

pub(crate) use meaning::{Meaning, Meanings};

/// Most requests at one time that others wait for.
const FLIGHTS_MAX: usize = 4_096;
/// Most requests that wait for one.
const FOLLOWERS_MAX: usize = 1_024;

/// An answer that is kept, as the client got it.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its bytes; a stream's with its framing.
    pub(crate) body: Bytes,
    /// Its media type.
    pub(crate) content_type: Option<HeaderValue>,
    /// What was changed and lost on the way to it.
    pub(crate) changed: Option<HeaderValue>,
    /// It is a stream.
    pub(crate) is_stream: bool,
    /// The exchange that it comes from.
    pub(crate) made: Made,
}

impl Kept {
    /// Bytes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let answer = &self.made.answer;
        let texts = [&answer.id, &answer.model, &answer.service_tier].into_iter().flatten();
        let tools: usize = answer.tools.iter().map(|tool| tool.name.len() + 32).sum();
        self.body.len() + texts.map(|text| text.len()).sum::<usize>() + tools + size_of::<Self>()
    }
}

/// What became of a request that might have been answered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recalled {
    /// The same request had been answered.
    Hit,
    /// The same question had been answered in other words.
    SemanticHit,
    /// Nothing fitting was there.
    Miss,
    /// Nothing was looked for.
    Bypass,
}

impl Recalled {
    /// The name in headers and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::SemanticHit => "semantic-hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}

/// What those get that waited for an equal request: its answer, and how it came by that.
pub(crate) type Landing = (Arc<Kept>, Recalled);

/// The memory of kept answers.
#[derive(Debug)]
pub(crate) struct Caches {
    /// The answers.
    pub(crate) answers: Answers<Kept>,
    /// Requests that others wait for.
    pub(crate) flights: Flights<Landing>,
    /// Routes that answer by meaning.
    pub(crate) meanings: Meanings,
    hits: AtomicU64,
    semantic_hits: AtomicU64,
    misses: AtomicU64,
    bypassed: AtomicU64,
    followed: AtomicU64,
}

/// Bytes that a plan gives to kept answers.
pub(crate) fn room(plan: &Plan) -> usize {
    plan.cache.as_ref().map_or(0, |cache| usize::try_from(cache.bytes_max).unwrap_or(usize::MAX))
}

impl Caches {
    /// A memory of so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            answers: Answers::new(bytes_max),
            flights: Flights::new(FLIGHTS_MAX, FOLLOWERS_MAX),
            meanings: Meanings::default(),
            hits: AtomicU64::new(0),
            semantic_hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            bypassed: AtomicU64::new(0),
            followed: AtomicU64::new(0),
        }
    }

    /// Another plan may give more room, or less.
    pub(crate) fn resize(&self, plan: &Plan, now: UnixMs) {
        self.answers.resize(room(plan), now);
        self.meanings.keep_those_of(plan);
    }

    /// Counts what became of a request.
    pub(crate) fn count(&self, recalled: Recalled) {
        match recalled {
            Recalled::Hit => &self.hits,
            Recalled::SemanticHit => &self.semantic_hits,
            Recalled::Miss => &self.misses,
            Recalled::Bypass => &self.bypassed,
        }
        .fetch_add(1, Relaxed);
    }

    /// Counts a request that waited for another one's answer and got it.
    pub(crate) fn followed(&self) {
        self.followed.fetch_add(1, Relaxed);
    }

    /// Adds what Prometheus scrapes.
    pub(crate) fn render(&self, out: &mut String) {
        let name = "pilothouse_cache_requests_total";
        let _ =
            writeln!(out, "# HELP {name} Requests by what the cache had for them.\n# TYPE {name} counter");
        for (recalled, count) in [
            (Recalled::Hit, &self.hits),
            (Recalled::SemanticHit, &self.semantic_hits),
            (Recalled::Miss, &self.misses),
            (Recalled::Bypass, &self.bypassed),
        ] {
            let _ = writeln!(out, "{name}{{result=\"{}\"}} {}", recalled.as_str(), count.load(Relaxed));
        }
        let mut single = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        };
        let help = "Hits that waited for an equal request at the same time.";
        single("pilothouse_cache_followed_total", "counter", help, self.followed.load(Relaxed));
        let help = "Bytes that kept answers take.";
        single("pilothouse_cache_bytes", "gauge", help, self.answers.bytes() as u64);
        single("pilothouse_cache_answers", "gauge", "Answers that are kept.", self.answers.len() as u64);
        let help = "Answers that fell out for want of room.";
        single("pilothouse_cache_evicted_total", "counter", help, self.answers.evicted());
        self.meanings.render(out);
    }
}
