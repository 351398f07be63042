//! Prices as decimal text into whole pico-dollars.
//!
//! Feeds are written by programs that count in binary fractions, so they hold artefacts such as
//! `1.4999999999999998e-07` for $0.15 a million. Those lie within a millionth of a pico-dollar of the true
//! price; the nearest whole pico-dollar removes them. A price that is really finer (a pixel, a currency
//! conversion) loses less than half a pico-dollar a unit.

use anyhow::{Context, Result, ensure};
use pilothouse_core::money::PicoUsd;

/// Dollars per unit, to the nearest pico-dollar.
pub(crate) fn usd(text: &str) -> Result<PicoUsd> {
    nearest(text, 12)
}

/// Dollars per million units, to the nearest pico-dollar a unit.
pub(crate) fn usd_per_million(text: &str) -> Result<PicoUsd> {
    nearest(text, 6)
}

fn nearest(text: &str, scale: i32) -> Result<PicoUsd> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().with_context(|| text.to_owned())?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = whole.chars().chain(fraction.chars()).filter(|sign| *sign != '_').collect();
    ensure!(
        digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty(),
        "`{text}` is not a price"
    );
    // Digits before the point once the number is counted in pico-dollars.
    let kept = i32::try_from(digits.len())? - i32::try_from(fraction.len())? + exponent + scale;
    let value: i128 = match usize::try_from(kept) {
        Err(_) => 0,
        Ok(kept) if kept >= digits.len() => format!("{digits}{}", "0".repeat(kept - digits.len())).parse()?,
        Ok(kept) => {
            let up = digits.as_bytes()[kept] >= b'5';
            format!("0{}", &digits[..kept]).parse::<i128>()? + i128::from(up)
        }
    };
    ensure!(value < i128::from(i64::MAX), "`{text}` is too large for a price");
    Ok(PicoUsd(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pico(text: &str) -> i128 {
        usd(text).expect(text).0
    }

    #[test]
    fn binary_artefacts_become_the_price_that_was_meant() {
        assert_eq!(pico("1.4999999999999998e-07"), 150_000);
        assert_eq!(pico("2.9999900000000002e-06"), 2_999_990);
        assert_eq!(pico("1.5000020000000002e-05"), 15_000_020);
        assert_eq!(pico("6.429000000000001e-06"), 6_429_000);
    }

    #[test]
    fn exact_prices_stay_exact() {
        for (text, price) in
            [("5e-06", 5_000_000), ("0.04", 40_000_000_000), ("0.0", 0), ("0", 0), ("3", 3_000_000_000_000)]
        {
            assert_eq!(pico(text), price, "{text}");
        }
        assert_eq!(usd_per_million("0.01875").expect("a price").0, 18_750);
        assert_eq!(usd_per_million("1_000").expect("a price").0, 1_000_000_000);
    }

    #[test]
    fn prices_finer_than_a_pico_dollar_go_to_the_nearest() {
        assert_eq!(pico("1.59263611e-07"), 159_264);
        assert_eq!(pico("4e-13"), 0);
        assert_eq!(pico("6e-13"), 1);
        assert_eq!(pico("4e-14"), 0);
    }

    #[test]
    fn what_is_not_a_price_is_refused() {
        for wrong in ["", "-1", "abc", "1e", "1e9", "NaN", "true"] {
            assert!(usd(wrong).is_err(), "{wrong}");
        }
    }
}
