//! The counts of an exchange that no query selects by, packed together.
//!
//! A byte that says which times are there, then the counts in the order of [`Numbers::counts`]; trailing zeros
//! are left out, so that later versions can add counts at the end.

use pilothouse_core::exchange::Timings;
use pilothouse_core::usage::Usage;

use crate::packing::{Unpacker, put_count};

/// Counts of one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) usage: Usage,
    pub(crate) timings: Timings,
    pub(crate) request_bytes: u64,
    pub(crate) answer_bytes: u64,
    pub(crate) estimated_output: u64,
}

/// How many counts there are.
const COUNTS: usize = 15;

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
    fn present(&self) -> u8 {
        let Timings { sent_us, headers_us, first_token_us, .. } = self.timings;
        u8::from(sent_us.is_some())
            | u8::from(headers_us.is_some()) << 1
            | u8::from(first_token_us.is_some()) << 2
    }

    pub(crate) fn pack(&self, out: &mut Vec<u8>) {
        out.push(self.present());
        let mut end = out.len();
        for count in self.counts() {
            put_count(out, count);
            if count != 0 {
                end = out.len();
            }
        }
        out.truncate(end);
    }

    /// Takes all bytes that are left. `None` for bytes that [`Numbers::pack`] does not write.
    pub(crate) fn unpack(mut input: Unpacker<'_>) -> Option<Self> {
        let present = input.byte()?;
        let mut counts = [0; COUNTS];
        for count in &mut counts {
            if input.is_empty() {
                break;
            }
            *count = input.count()?;
        }
        // Counts that a later version adds at the end mean nothing to this one.
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(numbers: &Numbers) -> Vec<u8> {
        let mut bytes = Vec::new();
        numbers.pack(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn counts_survive_packing(counts in proptest::array::uniform12(any::<u64>()), zeros in any::<u16>(), times in any::<[Option<u64>; 3]>()) {
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
        assert_eq!(packed(&nothing), [0]);
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
    fn counts_of_a_later_version_are_passed_over() {
        let numbers = Numbers {
            request_bytes: 300,
            usage: Usage { output_audio: 5, ..Usage::default() },
            ..Numbers::default()
        };
        let mut bytes = packed(&numbers);
        bytes.extend([7, 0x81, 1]);
        assert_eq!(Numbers::unpack(Unpacker(&bytes)), Some(numbers));
        assert_eq!(Numbers::unpack(Unpacker(&[0, 0x80])), None, "cut in the middle of a count");
    }
}
