//! The counts of an exchange that no query selects by, packed together.
//!
//! First a word of eight bytes, the low ones first: four bits for the width of each count in bytes, in the order
//! of [`Numbers::counts`], from bit 60 on which times happened, and in bit 63 whether the answer came from the cache.
//! Then the bytes of each count, the low ones first, and what the cache saved. A count that is zero takes none, and neither packing nor unpacking looks at single bytes.

use pilothouse_core::exchange::Timings;
use pilothouse_core::money::Cost;
use pilothouse_core::usage::Usage;

use crate::packing::{Unpacker, put_cost};

/// Counts of one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) usage: Usage,
    pub(crate) timings: Timings,
    pub(crate) request_bytes: u64,
    pub(crate) answer_bytes: u64,
    pub(crate) estimated_output: u64,
    /// What the cache saved, where the answer came from there.
    pub(crate) saved: Option<Cost>,
}

/// How many counts there are.
const COUNTS: usize = 15;

/// Bytes of the largest count.
const COUNT_BYTES: usize = 8;

/// Bytes of the control word, bits of it for each count's width, and where it says which times happened.
const CONTROL: usize = 8;
const WIDTH_BITS: u32 = 4;
const PRESENT_AT: u32 = WIDTH_BITS * COUNTS as u32;
const SAVED_AT: u32 = PRESENT_AT + 3;

impl Numbers {
    /// The most usual first, so that the rare ones fall away as trailing zeros. Absent times are zero here.
    fn counts(&self) -> [u64; COUNTS] {
        let (usage, timings) = (&self.usage, &self.timings);
        [
            usage.input,
            usage.output,
            timings.total_us,
            self.request_bytes,
            self.answer_bytes,
            timings.sent_us.unwrap_or(0),
            timings.headers_us.unwrap_or(0),
            timings.first_token_us.unwrap_or(0),
            usage.cache_read,
            usage.reasoning,
            usage.cache_write_5m,
            usage.cache_write_1h,
            self.estimated_output,
            usage.input_audio,
            usage.output_audio,
        ]
    }

    /// Which times happened: bit 0 sent, 1 headers, 2 first token.
    fn present(&self) -> u64 {
        let Timings { sent_us, headers_us, first_token_us, .. } = self.timings;
        u64::from(sent_us.is_some())
            | u64::from(headers_us.is_some()) << 1
            | u64::from(first_token_us.is_some()) << 2
    }

    pub(crate) fn pack(&self, out: &mut Vec<u8>) {
        // Whole words are written, each over what the one before it does not need.
        let mut bytes = [0; CONTROL + COUNTS * COUNT_BYTES];
        let mut control = self.present() << PRESENT_AT | u64::from(self.saved.is_some()) << SAVED_AT;
        let mut end = CONTROL;
        for (place, count) in self.counts().iter().enumerate() {
            // No branch on zero: without one the loop is unrolled and a third cheaper.
            let width = COUNT_BYTES - count.leading_zeros() as usize / 8;
            control |= (width as u64) << (WIDTH_BITS as usize * place);
            if let Some(word) = bytes.get_mut(end..end + COUNT_BYTES) {
                word.copy_from_slice(&count.to_le_bytes());
            }
            end += width;
        }
        if let Some(first) = bytes.first_chunk_mut() {
            *first = control.to_le_bytes();
        }
        out.extend_from_slice(bytes.get(..end).unwrap_or_default());
        if let Some(saved) = self.saved {
            put_cost(out, saved);
        }
    }

    /// Takes all bytes that are left. `None` for bytes that [`Numbers::pack`] does not write.
    pub(crate) fn unpack(input: Unpacker<'_>) -> Option<Self> {
        let (control, rest) = input.0.split_first_chunk()?;
        let control = u64::from_le_bytes(*control);
        // A whole word is read for each count, so that there are bytes behind the last one.
        let mut bytes = [0; (COUNTS + 1) * COUNT_BYTES];
        let len = rest.len().min(COUNTS * COUNT_BYTES);
        bytes.get_mut(..len)?.copy_from_slice(rest.get(..len)?);
        let (mut counts, mut at) = ([0; COUNTS], 0);
        let mut widths = control & ((1 << PRESENT_AT) - 1);
        while widths != 0 {
            let place = widths.trailing_zeros() / WIDTH_BITS;
            let width = (widths >> (WIDTH_BITS * place) & 0xf) as usize;
            widths &= !(0xf << (WIDTH_BITS * place));
            let word = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
            let unused = 8 * COUNT_BYTES.checked_sub(width)?;
            *counts.get_mut(place as usize)? = word << unused >> unused;
            at += width;
        }
        if at > len {
            return None;
        }
        let saved = match control >> SAVED_AT {
            0 => None,
            _ => Some(Unpacker(rest.get(at..)?).cost()?),
        };
        let present = control >> PRESENT_AT;
        // What a later version adds behind the counts means nothing to this one.
        let time = |bit: u8, count: u64| (present >> bit & 1 == 1).then_some(count);
        let [input, output, total_us, request_bytes, answer_bytes, sent, headers, first_token, rest @ ..] =
            counts;
        let [cache_read, reasoning, cache_write_5m, cache_write_1h, estimated_output, audio @ ..] = rest;
        let [input_audio, output_audio] = audio;
        Some(Self {
            usage: Usage {
                input,
                cache_read,
                cache_write_5m,
                cache_write_1h,
                input_audio,
                output,
                reasoning,
                output_audio,
            },
            timings: Timings {
                sent_us: time(0, sent),
                headers_us: time(1, headers),
                first_token_us: time(2, first_token),
                total_us,
            },
            request_bytes,
            answer_bytes,
            estimated_output,
            saved,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_core::money::PicoUsd;
    use proptest::prelude::*;

    fn packed(numbers: &Numbers) -> Vec<u8> {
        let mut bytes = Vec::new();
        numbers.pack(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn counts_survive_packing(counts in proptest::array::uniform12(any::<u64>()), zeros in any::<u16>(), times in any::<[Option<u64>; 3]>(), saved: Option<Option<i64>>) {
            let count = |place: usize| if zeros >> place & 1 == 1 { 0 } else { counts[place] >> (counts[place] % 64) };
            let numbers = Numbers {
                usage: Usage {
                    input: count(0), cache_read: count(1), cache_write_5m: count(2), cache_write_1h: count(3),
                    input_audio: count(4), output: count(5), reasoning: count(6), output_audio: count(7),
                },
                timings: Timings { sent_us: times[0], headers_us: times[1], first_token_us: times[2], total_us: count(8) },
                request_bytes: count(9),
                answer_bytes: count(10),
                estimated_output: count(11),
                saved: saved.map(|cost| cost.map_or(Cost::Unknown, |cost| Cost::Known(PicoUsd(cost.into())))),
            };
            prop_assert_eq!(Numbers::unpack(Unpacker(&packed(&numbers))), Some(numbers));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Numbers::unpack(Unpacker(&bytes));
        }
    }

    #[test]
    fn absent_is_not_zero_and_the_largest_count_fits() {
        let nothing = Numbers::default();
        assert_eq!(packed(&nothing), [0; CONTROL]);
        let zero = Numbers { timings: Timings { sent_us: Some(0), ..Timings::default() }, ..nothing };
        assert_eq!(Numbers::unpack(Unpacker(&packed(&zero))), Some(zero));
        let most = Numbers {
            timings: Timings { first_token_us: Some(u64::MAX), total_us: u64::MAX, ..Timings::default() },
            answer_bytes: u64::MAX,
            ..nothing
        };
        assert_eq!(Numbers::unpack(Unpacker(&packed(&most))), Some(most));
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let numbers = Numbers {
            request_bytes: 300,
            usage: Usage { output_audio: 5, ..Usage::default() },
            ..Numbers::default()
        };
        let mut bytes = packed(&numbers);
        bytes.extend([7, 0x81, 1, 0, 9, 9, 9, 9, 9, 9]);
        assert_eq!(Numbers::unpack(Unpacker(&bytes)), Some(numbers));
        assert_eq!(
            Numbers::unpack(Unpacker(&[2, 0, 0, 0, 0, 0, 0, 0, 7])),
            None,
            "cut in the middle of a count"
        );
        assert_eq!(Numbers::unpack(Unpacker(&[9; 40])), None, "a count of nine bytes");
    }
}
