//! Identifiers: an exchange's id is sortable by time and readable by people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::UnixMs;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The id of one exchange: 48 bits of milliseconds, then 80 bits that make it unique.
///
/// Written as 26 characters of Crockford's base 32 (the ULID layout, in lower case), so ids sort by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u128);

impl ExchangeId {
    /// An id for an exchange that began at `at`; `unique` must differ between exchanges of one millisecond.
    #[must_use]
    pub const fn new(at: UnixMs, unique: u128) -> Self {
        Self(((at.0 as u128) << 80) | (unique & ((1 << 80) - 1)))
    }

    /// When the exchange began.
    #[must_use]
    pub const fn at(self) -> UnixMs {
        UnixMs((self.0 >> 80) as u64)
    }

    /// The 26 characters of the id.
    #[must_use]
    pub fn to_text(self) -> [u8; 26] {
        let mut text = [0; 26];
        let mut value = self.0;
        for place in text.iter_mut().rev() {
            *place = ALPHABET[(value & 31) as usize];
            value >>= 5;
        }
        text
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(std::str::from_utf8(&self.to_text()).unwrap_or_default())
    }
}

impl FromStr for ExchangeId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not an exchange id: 26 characters of 0-9 and a-z without i, l, o, u");
        if text.len() != 26 {
            return Err(wrong());
        }
        let mut value: u128 = 0;
        for (place, byte) in text.bytes().enumerate() {
            let digit = ALPHABET
                .iter()
                .position(|known| *known == byte.to_ascii_lowercase())
                .filter(|digit| place > 0 || *digit < 8)
                .ok_or_else(wrong)?;
            value = (value << 5) | digit as u128;
        }
        Ok(Self(value))
    }
}

impl Serialize for ExchangeId {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ExchangeId {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_survive_text_and_sort_by_time(at in 0u64..1 << 48, unique: u128, later in 1u64..1000) {
            let id = ExchangeId::new(UnixMs(at), unique);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.at(), UnixMs(at));
            let next = ExchangeId::new(UnixMs((at + later) & ((1 << 48) - 1)), 0);
            prop_assert_eq!(next > id, next.at() > id.at());
            prop_assert_eq!(next.to_string() > id.to_string(), next > id);
        }
    }

    #[test]
    fn an_id_that_does_not_fit_128_bits_is_refused() {
        assert!("8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<ExchangeId>().is_err());
        assert!("short".parse::<ExchangeId>().is_err());
    }
}
