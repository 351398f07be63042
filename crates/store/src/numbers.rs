//! The counts of an exchange that no query selects by, packed into one column.
//!
//! Each column costs the writer about 15 ns a row, and an exchange has fourteen such counts. They are written
//! as variable-length integers (seven bits a byte, the low ones first, the high bit set on all but the last)
//! in the order of [`Numbers`]; trailing zeros are left out, so that later versions can add counts at the end.

use pilothouse_core::exchange::Timings;
use pilothouse_core::usage::Usage;

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

/// A `u64` takes at most ten bytes; one that may be absent is one larger, which takes no more.
const BYTES_MAX: usize = COUNTS * 10;

/// Packed counts.
pub(crate) struct Packed {
    bytes: [u8; BYTES_MAX],
    len: usize,
}

impl Packed {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Numbers {
    /// The most usual first, so that the rare ones fall away as trailing zeros. Absent is 0, else one more.
    fn counts(&self) -> [u128; COUNTS] {
        let (usage, timings) = (&self.usage, &self.timings);
        let maybe = |count: Option<u64>| count.map_or(0, |count| u128::from(count) + 1);
        [
            usage.input.into(),
            usage.output.into(),
            timings.total_us.into(),
            self.request_bytes.into(),
            self.answer_bytes.into(),
            maybe(timings.sent_us),
            maybe(timings.headers_us),
            maybe(timings.first_token_us),
            usage.cache_read.into(),
            usage.reasoning.into(),
            usage.cache_write_5m.into(),
            usage.cache_write_1h.into(),
            self.estimated_output.into(),
            usage.input_audio.into(),
            usage.output_audio.into(),
        ]
    }

    pub(crate) fn pack(&self) -> Packed {
        let mut packed = Packed { bytes: [0; BYTES_MAX], len: 0 };
        let mut len = 0;
        for mut count in self.counts() {
            let zero = count == 0;
            while count > 0x7f {
                packed.bytes[len] = count as u8 | 0x80;
                len += 1;
                count >>= 7;
            }
            packed.bytes[len] = count as u8;
            len += 1;
            if !zero {
                packed.len = len;
            }
        }
        packed
    }

    /// `None` for bytes that [`Numbers::pack`] does not write.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut counts = [0u128; COUNTS];
        let (mut place, mut shift) = (0, 0);
        for byte in bytes {
            // Counts that a later version adds at the end mean nothing to this one.
            let Some(count) = counts.get_mut(place) else { break };
            *count |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                (place, shift) = (place + 1, 0);
            } else {
                shift += 7;
            }
            if shift > 63 {
                return None;
            }
        }
        if shift != 0 {
            return None;
        }
        let count = |place: usize| u64::try_from(counts[place]).ok();
        let maybe = |place: usize| match counts[place] {
            0 => Some(None),
            count => u64::try_from(count - 1).ok().map(Some),
        };
        Some(Self {
            usage: Usage {
                input: count(0)?,
                output: count(1)?,
                cache_read: count(8)?,
                reasoning: count(9)?,
                cache_write_5m: count(10)?,
                cache_write_1h: count(11)?,
                input_audio: count(13)?,
                output_audio: count(14)?,
            },
            timings: Timings {
                total_us: count(2)?,
                sent_us: maybe(5)?,
                headers_us: maybe(6)?,
                first_token_us: maybe(7)?,
            },
            request_bytes: count(3)?,
            answer_bytes: count(4)?,
            estimated_output: count(12)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            prop_assert_eq!(Numbers::unpack(numbers.pack().as_slice()), Some(numbers));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Numbers::unpack(&bytes);
        }
    }

    #[test]
    fn absent_is_not_zero_and_the_largest_count_fits() {
        let nothing = Numbers::default();
        assert!(nothing.pack().as_slice().is_empty());
        let zero = Numbers { timings: Timings { sent_us: Some(0), ..Timings::default() }, ..nothing };
        assert_eq!(Numbers::unpack(zero.pack().as_slice()), Some(zero));
        let most = Numbers {
            timings: Timings { first_token_us: Some(u64::MAX), total_us: u64::MAX, ..Timings::default() },
            answer_bytes: u64::MAX,
            ..nothing
        };
        assert_eq!(Numbers::unpack(most.pack().as_slice()), Some(most));
    }

    #[test]
    fn counts_of_a_later_version_are_passed_over() {
        let numbers = Numbers {
            request_bytes: 300,
            usage: Usage { output_audio: 5, ..Usage::default() },
            ..Numbers::default()
        };
        let mut bytes = numbers.pack().as_slice().to_vec();
        bytes.extend([7, 0x81, 1]);
        assert_eq!(Numbers::unpack(&bytes), Some(numbers));
        assert_eq!(Numbers::unpack(&[0x80]), None, "cut in the middle of a count");
    }
}
