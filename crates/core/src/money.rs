//! Money as an integer number of pico-dollars, so that bills add up to the last digit.
//!
//! One US dollar is 10^12 pico-dollars. A price of $0.01875 per million tokens is 18,750 pico-dollars a
//! token; nano-dollars would have to round it.

use std::fmt;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use crate::written::{into_text, put, put_number};

/// Pico-dollars in one US dollar.
pub const PICOUSD_PER_USD: i128 = 1_000_000_000_000;

/// An amount of money in pico-dollars (10^-12 US dollars).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PicoUsd(pub i128);

impl PicoUsd {
    /// No money at all. Not the same as an unknown amount: see [`Cost::Unknown`].
    pub const ZERO: Self = Self(0);

    /// `units` at `price` each. Saturates, so that a hostile count cannot wrap into a small bill.
    #[must_use]
    pub const fn times(self, units: u64) -> Self {
        Self(self.0.saturating_mul(units as i128))
    }

    /// The amount as a row value; `None` above 9.2 million dollars.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        i64::try_from(self.0).ok()
    }

    /// Parses a decimal number of US dollars, such as `0.01875` or `1.4e-7`, exactly.
    ///
    /// # Errors
    /// A sentence that says what is wrong when the text is not a number or is finer than a pico-dollar.
    pub fn parse_usd(text: &str) -> Result<Self, String> {
        Self::parse_scaled(text, 12)
    }

    /// Parses a decimal number of US dollars per million units into pico-dollars per unit, exactly.
    ///
    /// # Errors
    /// A sentence that says what is wrong when the text is not a number or is finer than a pico-dollar per unit.
    pub fn parse_usd_per_million(text: &str) -> Result<Self, String> {
        Self::parse_scaled(text, 6)
    }

    fn parse_scaled(text: &str, scale: i32) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a decimal number of dollars");
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().map_err(|_| wrong())?),
            None => (text, 0),
        };
        let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if (whole.is_empty() && fraction.is_empty())
            || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        {
            return Err(wrong());
        }
        let digits = format!("{whole}{fraction}");
        let mut value: i128 = digits.trim_start_matches('0').parse().or_else(|error| {
            if digits.bytes().all(|byte| byte == b'0') { Ok(0) } else { Err(format!("{}: {error}", wrong())) }
        })?;
        let fraction_digits = i32::try_from(fraction.len()).map_err(|_| wrong())?;
        let mut shift = scale.saturating_add(exponent).saturating_sub(fraction_digits);
        while shift > 0 && value != 0 {
            value = value.checked_mul(10).ok_or_else(|| format!("`{text}` is too large"))?;
            shift -= 1;
        }
        while shift < 0 && value != 0 {
            if value % 10 != 0 {
                return Err(format!("`{text}` is finer than one pico-dollar a unit"));
            }
            value /= 10;
            shift += 1;
        }
        Ok(Self(if negative { -value } else { value }))
    }
}

impl Add for PicoUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for PicoUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for PicoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl PicoUsd {
    /// Puts it behind a text: dollars with all twelve decimals that matter. Trailing zeros are cut, two decimals always stay.
    pub fn put(self, text: &mut Vec<u8>) {
        const DECIMALS: usize = 12;
        if self.0 < 0 {
            text.push(b'-');
        }
        let amount = self.0.unsigned_abs();
        let per_usd = PICOUSD_PER_USD.unsigned_abs();
        // In 64 bits, where nearly all amounts are: the machine divides those itself.
        let (whole, mut rest) = match u64::try_from(amount) {
            Ok(amount) => (u128::from(amount / per_usd as u64), amount % per_usd as u64),
            Err(_) => (amount / per_usd, (amount % per_usd) as u64),
        };
        match u64::try_from(whole) {
            Ok(whole) => put_number(text, whole),
            Err(_) => put(text, &whole.to_string()),
        }
        let (mut decimals, mut kept) = ([b'0'; DECIMALS], 2);
        for (at, digit) in decimals.iter_mut().enumerate().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            if *digit != b'0' && kept <= at {
                kept = at + 1;
            }
        }
        text.push(b'.');
        text.extend_from_slice(&decimals[..kept]);
    }
}

impl fmt::Display for PicoUsd {
    /// As [`PicoUsd::put`] writes it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.put(&mut text);
        out.pad(&into_text(text))
    }
}

impl Serialize for PicoUsd {
    /// As an integer while it fits 64 bits, else as a decimal string: never as a float.
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.as_i64() {
            Some(value) => out.serialize_i64(value),
            None => out.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for PicoUsd {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Integer(i64),
            Text(String),
        }
        match Form::deserialize(input)? {
            Form::Integer(value) => Ok(Self(value.into())),
            Form::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// What an exchange cost. An unknown price makes the cost unknown, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// No price row fits, or no usage was reported.
    #[default]
    Unknown,
    /// The exact amount by the price rows of the catalogue.
    Known(PicoUsd),
}

impl Cost {
    /// The amount, if it is known.
    #[must_use]
    pub const fn known(self) -> Option<PicoUsd> {
        match self {
            Self::Known(amount) => Some(amount),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_per_million_are_exact_down_to_a_pico_dollar_a_token() {
        assert_eq!(PicoUsd::parse_usd_per_million("0.01875"), Ok(PicoUsd(18_750)));
        assert_eq!(PicoUsd::parse_usd_per_million("5"), Ok(PicoUsd(5_000_000)));
        assert_eq!(PicoUsd::parse_usd("1.4e-07"), Ok(PicoUsd(140_000)));
        assert_eq!(PicoUsd::parse_usd("0"), Ok(PicoUsd::ZERO));
        assert!(PicoUsd::parse_usd("1e-13").is_err());
        for wrong in ["", ".", "-", "1.2.3", "abc", "1e", "NaN", "1e999999999999"] {
            assert!(PicoUsd::parse_usd(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn money_is_shown_with_every_digit_that_matters() {
        assert_eq!(PicoUsd(1_500_000_000_000).to_string(), "1.50");
        assert_eq!(PicoUsd(18_750).to_string(), "0.00000001875");
        assert_eq!(PicoUsd(-1).to_string(), "-0.000000000001");
    }

    proptest! {
        #[test]
        fn shown_money_parses_back_to_itself(amount in any::<i64>()) {
            let money = PicoUsd(i128::from(amount));
            prop_assert_eq!(PicoUsd::parse_usd(&money.to_string()), Ok(money));
        }

        #[test]
        fn money_parser_never_panics(text in ".{0,40}") {
            let _ = PicoUsd::parse_usd(&text);
        }
    }
}
