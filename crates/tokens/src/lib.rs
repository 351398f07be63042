//! How long a text is in tokens: exact where the tokenizer is public, else an estimate that says its error.
//!
//! Pure and bounded: at most [`READ_BYTES_MAX`] of text are read per count, whatever comes in; what is longer
//! is sampled evenly and scaled, and the count says so. Nothing is loaded at start: a table loads with the
//! first count that needs it, and stays.

mod exact;
mod family;
mod media;
mod request;
mod sample;
mod shape;
mod tokenizer;
mod tools;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use pilothouse_core::conversation::Request;

use family::Reading;

pub use tokenizer::{TextShape, Tokenizer};

/// The most bytes of text that one count reads. Of longer input, 16 evenly spaced windows are read.
pub const READ_BYTES_MAX: usize = 1 << 20;

/// A number of tokens, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The tokens.
    pub tokens: u64,
    /// How they were counted, for people: printable ASCII, so it fits an HTTP header.
    /// Such as `exact o200k_base, message overhead estimated` or `estimate anthropic, p95 error 25%`.
    pub how: String,
    /// Whether every token was counted by the model's own public tokenizer and nothing was estimated.
    /// Never so for a whole request: no vendor publishes its chat template as a contract.
    pub is_exact: bool,
}

/// Counts the input tokens of a whole request to `model`: messages, tools, schema, pictures, overhead.
///
/// What surrounds the text follows the rules in the modules `family`, `tools` and `media`, each with its
/// source. Parts and tools that only one dialect knows count as their JSON text.
#[must_use]
pub fn count(request: &Request, model: &str) -> Count {
    let reading = family::read(model);
    let walked = request::walk(request, &reading);
    let text = tally(&walked.texts, &reading);
    let mut how = text.how;
    how.push_str(", message overhead estimated");
    if walked.media_guessed {
        how.push_str(", media guessed");
    }
    Count { tokens: text.tokens.saturating_add(walked.tokens), how, is_exact: false }
}

/// Counts the tokens of `text` for `model`, without any message around it.
#[must_use]
pub fn count_text(text: &str, model: &str) -> Count {
    tally(&[Cow::Borrowed(text)], &family::read(model))
}

/// Estimates the tokens behind `bytes` of text that `model` wrote, for streams that broke off before usage.
///
/// Assumes English prose, as most answers are. Code has up to twice as many tokens per byte, so callers
/// label the number an estimate.
#[must_use]
pub fn estimate_output(bytes: u64, model: &str) -> u64 {
    bytes.saturating_mul(1000).div_ceil(family::read(model).family.prose_millibytes)
}

/// The error of counts for `model` in percent, which 19 of 20 texts of a few hundred tokens or more stay within; `None` where
/// its tokenizer is public and text is counted by it.
#[must_use]
pub fn error_percent(model: &str) -> Option<u32> {
    let reading = family::read(model);
    (!reading.is_sure).then_some(reading.family.error_percent)
}

/// Counts texts together, in thousandths of tokens so that small estimates are not each rounded up.
fn tally(texts: &[Cow<'_, str>], reading: &Reading) -> Count {
    let family = reading.family;
    let mut is_cut = false;
    let sum = sample::sum(texts, |piece| match reading.table {
        Some(table) => {
            let (tokens, is_exact) = exact::count(table, piece);
            is_cut |= !is_exact;
            tokens.saturating_mul(1000)
        }
        None => shape::of(piece).millitokens(&family.weights),
    });
    let mut how = match reading.table {
        Some(table) if reading.is_sure => format!("exact {}", table.name()),
        Some(table) => format!("estimate {} by {}, tokenizer unpublished", family.name, table.name()),
        None => format!("estimate {}, p95 error {}%", family.name, family.error_percent),
    };
    if is_cut {
        how.push_str(", unbroken runs cut");
    }
    if !sum.is_whole {
        how.push_str(", sampled 1 MiB and scaled");
    }
    let is_exact = reading.is_sure && sum.is_whole && !is_cut;
    Count { tokens: sum.millitokens.div_ceil(1000), how, is_exact }
}
