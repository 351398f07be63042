//! What texts are made of, from a few of their bytes: enough to know prose from code and one writing system from another.

use pilothouse_core::shape::{Script, Text};

/// Places of one text that are looked at, at most; a text of fewer than so many times [`STEP_MIN`] bytes has fewer.
const PLACES: usize = 32;
/// Bytes between two places, at least.
const STEP_MIN: usize = 64;

/// Letters, spaces and the like of ASCII.
const PLAIN: u8 = 0;
/// Digits and punctuation of ASCII.
const MARK: u8 = 1;
/// The first script; the others follow in the order of their numbers.
const SCRIPT: u8 = 2;
/// A byte within a character, whose first byte stands before it.
const WITHIN: u8 = 0xff;
/// Kinds of bytes.
const KINDS: usize = SCRIPT as usize + Script::ALL.len();

/// The kind of each byte, by the leading bytes of the scripts' blocks in UTF-8.
/// <https://www.unicode.org/charts/>, read 2026-11-23.
static KIND: [u8; 256] = {
    let mut kinds = [PLAIN; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            // A backslash in JSON is mostly half of a line break.
            b'0'..=b'9' | b'!'..=b'/' | b':'..=b'@' | b'[' | b']'..=b'`' | b'{'..=b'~' => MARK,
            0..=0x7f => PLAIN,
            0x80..=0xbf => WITHIN,
            0xc0..=0xc2 | 0xe2 | 0xee | 0xf0..=0xff => SCRIPT + Script::Symbols as u8,
            0xc3..=0xcc => SCRIPT + Script::Latin as u8,
            0xcd..=0xd6 => SCRIPT + Script::Cyrillic as u8,
            0xd7..=0xdf => SCRIPT + Script::Semitic as u8,
            0xe0 | 0xe1 => SCRIPT + Script::Brahmic as u8,
            0xe3..=0xe9 | 0xef => SCRIPT + Script::Han as u8,
            0xea..=0xed => SCRIPT + Script::Hangul as u8,
        };
        byte += 1;
    }
    kinds
};

/// The sum of what was sampled: bytes of each kind, about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample([u64; KINDS]);

impl Sample {
    /// Samples a text, which is JSON's or plain.
    pub(super) fn add(&mut self, text: &[u8]) {
        let step = (text.len() / PLACES).max(STEP_MIN);
        let mut at = step.min(text.len()) / 2;
        while let Some(byte) = text.get(at) {
            let kind = match KIND[usize::from(*byte)] {
                WITHIN => leading(text, at),
                kind => kind,
            };
            // A kind is always one of the counted: what leads is never within.
            if let Some(sum) = self.0.get_mut(usize::from(kind)) {
                *sum += step as u64;
            }
            at += step;
        }
    }

    /// What it tells, in steps.
    pub(super) fn told(&self) -> Text {
        let (ascii, foreign) = self.0.split_at(usize::from(SCRIPT));
        let [plain, marks] = [ascii[usize::from(PLAIN)], ascii[usize::from(MARK)]];
        let (mut script, mut most, mut outside) = (Script::Latin, 0, 0_u64);
        for (one, sum) in Script::ALL.iter().zip(foreign) {
            outside += sum;
            if *sum > most {
                (script, most) = (*one, *sum);
            }
        }
        let all = plain + marks + outside;
        let foreign = match 16 * outside / all.max(1) {
            0 => 0,
            1..4 => 1,
            4..8 => 2,
            _ => 3,
        };
        Text {
            foreign,
            // A stray sign in a plain text is no property of the application.
            script: if foreign == 0 { Script::Latin } else { script },
            marks: match 100 * marks / (plain + marks).max(1) {
                0..10 => 0,
                10..25 => 1,
                _ => 2,
            },
            ..Text::default()
        }
    }
}

/// The kind of the character that the byte at `at` is within.
#[cold]
fn leading(text: &[u8], at: usize) -> u8 {
    let before = text.get(at.saturating_sub(3)..at).unwrap_or_default();
    let kinds = before.iter().rev().map(|byte| KIND[usize::from(*byte)]);
    kinds.into_iter().find(|kind| *kind != WITHIN).unwrap_or(SCRIPT + Script::Symbols as u8)
}
