//! What a model server says of its own queue, and what that makes of it: a score, 1.0 of which is saturated.
//!
//! Names of the metrics: vLLM <https://docs.vllm.ai/en/latest/usage/metrics.html>, SGLang
//! <https://docs.sglang.ai/references/production_metrics.html>, llama.cpp
//! <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>, TensorRT-LLM
//! <https://nvidia.github.io/TensorRT-LLM/commands/trtllm-serve.html>; collected 2026-11-22. The score is that of llm-d's
//! utilisation detector (<https://github.com/llm-d/llm-d-inference-scheduler>): five waiting calls, or four fifths of
//! the key-value cache, are a full server.

mod exposition;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use pilothouse_core::clock::UnixMs;
use serde::{Deserialize, Serialize};

/// The largest document that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 4 << 20;
/// Figures older than this say nothing: the server counts as saturated. Three scrapes, one each second.
pub const STALE_MS: u64 = 3_000;
/// Waiting calls at which a server is saturated.
const WAITING_FULL: f32 = 5.0;
/// The share of the key-value cache at which a server is saturated.
const CACHE_FULL: f32 = 0.8;

/// A kind of model server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelServer {
    /// vLLM.
    Vllm,
    /// SGLang.
    Sglang,
    /// llama.cpp's server with `--metrics`.
    LlamaCpp,
    /// `trtllm-serve`.
    TrtLlm,
}

/// The names of a server's metrics; the first that is in the document counts.
struct Names {
    waiting: &'static [&'static str],
    running: &'static [&'static str],
    /// The used share of the key-value cache, from 0 to 1.
    cache: &'static [&'static str],
}

impl ModelServer {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Vllm, Self::Sglang, Self::LlamaCpp, Self::TrtLlm];

    /// The name in configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::LlamaCpp => "llamacpp",
            Self::TrtLlm => "trt-llm",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "llama-cpp" { "llamacpp" } else { name };
        Self::ALL.into_iter().find(|server| server.as_str() == name)
    }

    const fn names(self) -> Names {
        match self {
            Self::Vllm => Names {
                waiting: &["vllm:num_requests_waiting"],
                running: &["vllm:num_requests_running"],
                cache: &["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
            },
            Self::Sglang => Names {
                waiting: &["sglang:num_queue_reqs"],
                running: &["sglang:num_running_reqs"],
                cache: &["sglang:token_usage"],
            },
            Self::LlamaCpp => Names {
                waiting: &["llamacpp:requests_deferred"],
                running: &["llamacpp:requests_processing"],
                // Since 2025 it tells tokens and no share; then the queue alone speaks.
                cache: &["llamacpp:kv_cache_usage_ratio"],
            },
            Self::TrtLlm => Names {
                waiting: &["trtllm_num_requests_waiting"],
                running: &["trtllm_num_requests_running"],
                cache: &["trtllm_kv_cache_utilization"],
            },
        }
    }
}

/// One look at a model server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Calls in its queue.
    pub waiting: u32,
    /// Calls that it computes.
    pub running: u32,
    /// The used share of the key-value cache, from 0 to 1; 0 where it is not told.
    pub cache: f32,
}

/// Why a document tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// It is longer than [`DOCUMENT_BYTES_MAX`].
    TooLong,
    /// A metric is missing: another kind of server, another version, or metrics are off.
    Missing(&'static str),
    /// A metric is not a number within its bounds.
    BadValue(&'static str),
}

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(out, "the metrics are longer than {DOCUMENT_BYTES_MAX} bytes"),
            Self::Missing(name) => write!(
                out,
                "the metrics have no {name}; check `metrics` in the provider's configuration, and that the server exports it"
            ),
            Self::BadValue(name) => write!(out, "{name} is not a number within its bounds"),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads a server's document in the Prometheus text format. Several engines of one server are added up; of the cache the
/// fullest counts, because a call cannot choose its engine. With `model`, lines that name another model are left out.
///
/// # Errors
/// As [`LoadError`] says.
pub fn parse(document: &str, server: ModelServer, model: Option<&str>) -> Result<Sample, LoadError> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(LoadError::TooLong);
    }
    let names = server.names();
    let sum = |names: &[&'static str]| -> Result<u32, LoadError> {
        let (name, found) = exposition::first_of(document, names, model);
        let total = found.fold(None, |sum: Option<f64>, value| Some(sum.unwrap_or(0.0) + value));
        let total = total.ok_or(LoadError::Missing(name))?;
        // Not a number fails both comparisons.
        if (0.0..=1e6).contains(&total) { Ok(total as u32) } else { Err(LoadError::BadValue(name)) }
    };
    let (waiting, running) = (sum(names.waiting)?, sum(names.running)?);
    let (name, found) = exposition::first_of(document, names.cache, model);
    let mut cache = 0.0_f64;
    for value in found {
        if !(0.0..=1.5).contains(&value) {
            return Err(LoadError::BadValue(name));
        }
        cache = cache.max(value);
    }
    Ok(Sample { waiting, running, cache: cache.min(1.0) as f32 })
}

/// The last look at a model server. Readers take no lock.
#[derive(Debug, Default)]
pub struct Gauge {
    /// Waiting above running, 32 bits each.
    calls: AtomicU64,
    /// The moment (48 bits) above the cache's share in 65535ths (16 bits), so that a share has the age of its own look;
    /// 0 before the first.
    looked: AtomicU64,
}

/// How full a target is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// 1.0 and more is saturated.
    pub score: f32,
    /// Whether the server's own figures were fresh enough to use.
    pub is_measured: bool,
}

impl Gauge {
    /// Keeps a look.
    pub fn store(&self, now: UnixMs, sample: Sample) {
        self.calls.store((u64::from(sample.waiting) << 32) | u64::from(sample.running), Ordering::Release);
        let share = (sample.cache.clamp(0.0, 1.0) * f32::from(u16::MAX)) as u64;
        self.looked.store((now.0 << 16) | share, Ordering::Release);
    }

    /// How full the server is, with `in_flight` of our own calls there: those that its last figures cannot contain yet
    /// count as waiting. Without fresh figures it is saturated, by the number of our calls.
    #[must_use]
    pub fn load(&self, now: UnixMs, in_flight: u32) -> Load {
        let looked = self.looked.load(Ordering::Acquire);
        let age = (now.0 & (u64::MAX >> 16)).saturating_sub(looked >> 16);
        if looked == 0 || age > STALE_MS {
            return Load { score: 1.0 + in_flight as f32 / WAITING_FULL, is_measured: false };
        }
        let calls = self.calls.load(Ordering::Acquire);
        let (waiting, running) = ((calls >> 32) as f32, (calls & u64::from(u32::MAX)) as f32);
        let credit = (in_flight as f32 - (waiting + running)).max(0.0);
        let cache = (looked & u64::from(u16::MAX)) as f32 / f32::from(u16::MAX);
        Load { score: ((waiting + credit) / WAITING_FULL).max(cache / CACHE_FULL), is_measured: true }
    }
}

#[cfg(test)]
mod tests;
