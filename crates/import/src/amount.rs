//! Amounts of money as other programs write them: with exponents, in cents, with more decimals than money has.

use pilothouse_core::money::PicoUsd;

/// A number without an exponent: `1.5e-07` is `0.00000015`. None for anything else, and for what no amount of money has.
pub(crate) fn decimal(text: &str) -> Option<String> {
    /// Places that a point is moved by at most.
    const MOVED_MAX: i32 = 30;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty()
        || digits.len() > 40
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
        || exponent.abs() > MOVED_MAX
    {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let padded = if point <= 0 {
        format!("0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?))
    } else {
        let point = usize::try_from(point).ok()?;
        let missing = point.saturating_sub(digits.len());
        let digits = digits + &"0".repeat(missing);
        format!("{}.{}", &digits[..point], &digits[point..])
    };
    let (whole, fraction) = padded.split_once('.')?;
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

/// An amount in dollars, or in cents, to the nearest pico-dollar. `None` for what is no number, and for amounts beyond
/// a trillion dollars.
pub(crate) fn usd(text: &str, is_in_cents: bool) -> Option<PicoUsd> {
    /// Decimals of a pico-dollar.
    const DECIMALS: usize = 12;
    let text = text.trim().trim_start_matches('$').replace(',', "");
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let digits = decimal(digits.strip_prefix('+').unwrap_or(digits))?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let decimals = if is_in_cents { DECIMALS - 2 } else { DECIMALS };
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let rounds_up = fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5');
    if whole.len() > 12 {
        return None;
    }
    let pico: i128 = format!("{whole}{kept}").parse().ok()?;
    let pico = pico + i128::from(rounds_up);
    Some(PicoUsd(if is_negative { -pico } else { pico }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_lose_their_exponents_and_nothing_else() {
        for (given, wanted) in [
            ("1.5e-07", Some("0.00000015")),
            ("3e-6", Some("0.000003")),
            ("0.000421", Some("0.000421")),
            ("1e3", Some("1000")),
            ("12.50", Some("12.5")),
            (".5", Some("0.5")),
            ("0", Some("0")),
            ("-1", None),
            ("1e99", None),
            ("", None),
            ("nan", None),
        ] {
            assert_eq!(decimal(given).as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn amounts_are_rounded_to_the_pico_dollar() {
        let pico = |text, is_in_cents| usd(text, is_in_cents).map(|amount| amount.0);
        assert_eq!(pico("0.06", false), Some(60_000_000_000));
        assert_eq!(pico("0.0009720000000000001", false), Some(972_000_000));
        assert_eq!(pico("0.0000000000005", false), Some(1));
        assert_eq!(pico("123.45", true), Some(1_234_500_000_000));
        assert_eq!(pico("-1.5e-3", false), Some(-1_500_000_000));
        assert_eq!(pico("$1,234.5", false), Some(1_234_500_000_000_000));
        assert_eq!([pico("", false), pico("x", false), pico("9999999999999", false)], [None; 3]);
    }
}
