//! What pictures, sound and documents count for.
//!
//! A picture's size is read from the head of its file; of what is not in the request (a URL, a file id) the
//! size is unknown, and 1024 x 1024 is taken.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::conversation::Media;

use crate::family::{Family, Reading};

/// How a family counts pictures. Sides in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pictures {
    /// By model and level of detail, see [`OPENAI_TILES`].
    OpenAi,
    /// Tiles of 768 pixels up to Gemini 2.5 (<https://ai.google.dev/gemini-api/docs/tokens>), then 1120 unless
    /// asked otherwise (<https://fastgptplus.com/en/posts/gemini-3-pro-media-resolution-parameter>); read
    /// 2026-11-22.
    Gemini,
    /// Square patches, after shrinking to the most allowed.
    Patches {
        /// The side of a patch.
        side: u64,
        /// The most tokens.
        tokens_max: u64,
    },
}

const UNKNOWN_SIZE: (u64, u64) = (1024, 1024);

/// Base64 digits read in search of a picture's size: enough for a JPEG with a thumbnail before its frame.
const HEAD_DIGITS: usize = 128 << 10;

/// Model name prefix, base tokens, tokens per tile of 512 pixels.
/// By what the API billed for GPT-4 and the o models (<https://community.openai.com/t/1262691>, read
/// 2026-11-22); GPT-5's row could not be checked against a source. Models that are not
/// listed, and those with zeros, count patches.
const OPENAI_TILES: &[(&str, u64, u64)] = &[
    ("gpt-4o-mini", 2833, 5667),
    ("gpt-4o", 85, 170),
    ("gpt-4-1-mini", 0, 0),
    ("gpt-4-1-nano", 0, 0),
    ("gpt-4", 85, 170),
    ("gpt-5-2025", 70, 140),
    ("gpt-5-1", 70, 140),
    ("gpt-5-chat", 70, 140),
    ("gpt-5-", 0, 0),
    ("gpt-5", 70, 140),
    ("o1", 75, 150),
    ("o3", 75, 150),
];

/// Model name prefix, thousandths of tokens per patch of 32 pixels. The GPT-5 rows and the rest as billed in
/// March 2026, which is less than the guide says: <https://community.openai.com/t/1377015>.
const OPENAI_PATCHES: &[(&str, u64)] =
    &[("gpt-4-1-mini", 1620), ("gpt-4-1-nano", 2460), ("o4-mini", 1720), ("gpt-5-nano", 1500), ("", 1200)];

/// The tokens of a picture, and whether its size was known.
pub(crate) fn picture(source: &Media, detail: Option<&str>, reading: &Reading) -> (u64, bool) {
    let size = match source {
        Media::Base64 { data, .. } => size(data),
        _ => None,
    };
    let (width, height) = size.unwrap_or(UNKNOWN_SIZE);
    let tokens = match reading.family.pictures {
        Pictures::OpenAi => openai(width, height, detail, &reading.name),
        Pictures::Patches { side, tokens_max } => patches(width, height, side).min(tokens_max),
        Pictures::Gemini if reading.name.contains("gemini-1") || reading.name.contains("gemini-2") => {
            if width.max(height) <= 384 { 258 } else { 258 * patches(width, height, 768) }
        }
        Pictures::Gemini => 1120,
    };
    (tokens, size.is_some())
}

fn openai(width: u64, height: u64, detail: Option<&str>, name: &str) -> u64 {
    let tiled = OPENAI_TILES.iter().find(|(prefix, ..)| name.starts_with(prefix));
    if let Some(&(_, base, tile)) = tiled.filter(|(_, base, _)| *base > 0) {
        if detail == Some("low") {
            return base;
        }
        let (width, height) = fit(width, height, 2048, 2048);
        let (width, height) = fit(width, height, u64::MAX, 768);
        return base + tile * patches(width, height, 512);
    }
    let rate = OPENAI_PATCHES.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(1200, |row| row.1);
    (patches(width, height, 32).min(1536) * rate).div_ceil(1000)
}

/// Shrinks a size until its long side is at most `long_max` and its short side at most `short_max`.
fn fit(width: u64, height: u64, long_max: u64, short_max: u64) -> (u64, u64) {
    let (long, short) = (width.max(height).max(1), width.min(height).max(1));
    let (above, below) =
        if u128::from(long_max) * u128::from(short) < u128::from(short_max) * u128::from(long) {
            (long_max.min(long), long)
        } else {
            (short_max.min(short), short)
        };
    (width * above / below, height * above / below)
}

fn patches(width: u64, height: u64, side: u64) -> u64 {
    width.div_ceil(side).max(1) * height.div_ceil(side).max(1)
}

/// The tokens of sound: seconds guessed from bytes, at 24 kHz and 16 bits for WAV, 128 kbit/s else.
pub(crate) fn sound(source: &Media, family: &Family) -> u64 {
    let seconds = match source {
        Media::Base64 { media_type, data } => {
            let bytes_per_second = if media_type.contains("wav") { 48_000 } else { 16_000 };
            bytes(data).div_ceil(bytes_per_second)
        }
        _ => 60,
    };
    seconds.saturating_mul(family.sound_tokens)
}

/// The tokens of a binary document: one page guessed for every 50 KB, ten pages where it is not at hand.
pub(crate) fn document(source: &Media, family: &Family) -> u64 {
    let pages = match source {
        Media::Base64 { data, .. } => bytes(data).div_ceil(50_000),
        _ => 10,
    };
    pages.saturating_mul(family.page_tokens)
}

fn bytes(base64: &str) -> u64 {
    base64.len() as u64 / 4 * 3
}

/// Width and height of a PNG, GIF, JPEG or WebP, from the head of its file. Sides are below 2^16 or invalid.
fn size(base64: &str) -> Option<(u64, u64)> {
    let digits = base64.len().min(HEAD_DIGITS) / 4 * 4;
    let head = STANDARD.decode(base64.get(..digits)?).ok()?;
    let (width, height) = match head.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => (be(&head, 18)?, be(&head, 22)?),
        [b'G', b'I', b'F', ..] => (le(&head, 6)?, le(&head, 8)?),
        [0xff, 0xd8, ..] => jpeg(&head)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(&head)?,
        _ => return None,
    };
    (width > 0 && height > 0).then_some((width, height))
}

/// Walks a JPEG's segments to its frame header (ITU-T T.81, B.2.2).
fn jpeg(head: &[u8]) -> Option<(u64, u64)> {
    let mut at = 2;
    while *head.get(at)? == 0xff {
        let marker = *head.get(at + 1)?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((be(head, at + 7)?, be(head, at + 5)?));
        }
        at += 2 + usize::try_from(be(head, at + 2)?).ok()?;
    }
    None
}

/// The three forms of WebP: <https://developers.google.com/speed/webp/docs/riff_container>.
fn webp(head: &[u8]) -> Option<(u64, u64)> {
    match head.get(12..16)? {
        b"VP8X" => Some((le(head, 24)? + 1, le(head, 27)? + 1)),
        b"VP8 " => Some((le(head, 26)? & 0x3fff, le(head, 28)? & 0x3fff)),
        b"VP8L" => {
            let bits = le(head, 21)? | le(head, 23)? << 16;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        _ => None,
    }
}

fn be(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}

fn le(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}
