//! Whether a text holds personal data of the kinds that are told by their form.
//!
//! Honest and simple: addresses of e-mail, numbers of telephones, cards and accounts (with their check digits), and long
//! numbers that identify somebody or something. Names, places of living and diagnoses have no form; a route whose questions
//! hold them should not be answered by meaning at all.

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// An address of e-mail.
    Email,
    /// A number of a telephone.
    Phone,
    /// A number of a payment card: 13 to 19 digits with the check digit of ISO/IEC 7812 (Luhn).
    Card,
    /// An international account number (ISO 13616) with its check digits (ISO 7064, modulo 97).
    Iban,
    /// Nine digits or more in one number: social security, tax, passport, order, client.
    LongId,
}

/// Fewest digits of a number that identifies.
const ID_DIGITS_MIN: usize = 9;
/// Digits of a telephone's number, by E.164 at most fifteen.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
const IBAN_LENGTH: std::ops::RangeInclusive<usize> = 15..=34;

/// The first kind of personal data that a text holds.
#[must_use]
pub fn find(text: &str) -> Option<Personal> {
    if text.split_whitespace().any(is_email) {
        return Some(Personal::Email);
    }
    if has_iban(text) {
        return Some(Personal::Iban);
    }
    numbers(text).find_map(|number| {
        let digits: Vec<u32> = number.chars().filter_map(|one| one.to_digit(10)).collect();
        let is_split = digits.len() < number.chars().count();
        if CARD_DIGITS.contains(&digits.len()) && luhn(&digits) {
            Some(Personal::Card)
        } else if PHONE_DIGITS.contains(&digits.len())
            && (number.starts_with('+') || number.contains('(') || (is_split && digits.len() >= 9))
        {
            Some(Personal::Phone)
        } else if digits.len() >= ID_DIGITS_MIN {
            Some(Personal::LongId)
        } else {
            is_local_phone(number).then_some(Personal::Phone)
        }
    })
}

fn is_email(word: &str) -> bool {
    let Some((before, behind)) = word.split_once('@') else { return false };
    let has_name = before.chars().last().is_some_and(|one| one.is_alphanumeric() || "._%+-".contains(one));
    let host = behind.trim_end_matches(|one: char| !one.is_alphanumeric());
    let has_host = host.rsplit_once('.').is_some_and(|(domain, top)| {
        domain.chars().next().is_some_and(char::is_alphanumeric)
            && top.chars().count() >= 2
            && top.chars().all(char::is_alphanumeric)
    });
    has_name && has_host
}

/// Runs of digits with the marks that people put between them.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |one: char| one.is_ascii_digit() || "+-()./ \u{a0}".contains(one);
    text.split(move |one: char| !is_part(one)).map(str::trim).flat_map(apart).filter(|number| {
        // Dates and versions have few digits, prices and ranges a mark of their own.
        number.chars().any(|one| one.is_ascii_digit())
    })
}

/// Two numbers that stand side by side are apart where more than one mark is between them.
fn apart(number: &str) -> impl Iterator<Item = &str> {
    number.split("  ").flat_map(|part| part.split(". ")).flat_map(|part| part.split(" - ")).map(str::trim)
}

/// `555-0123`: three digits, a mark, four digits.
fn is_local_phone(number: &str) -> bool {
    let parts: Vec<&str> = number.split(['-', '.', ' ']).collect();
    let digits =
        |part: &str, count: usize| part.len() == count && part.bytes().all(|one| one.is_ascii_digit());
    matches!(parts.as_slice(), [three, four] if digits(three, 3) && digits(four, 4))
}

/// The check of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

fn has_iban(text: &str) -> bool {
    let words: Vec<&str> = text.split(|one: char| !one.is_ascii_alphanumeric()).collect();
    (0..words.len()).any(|start| {
        let mut joined = String::new();
        words.iter().skip(start).take(10).any(|word| {
            joined.push_str(word);
            is_iban(&joined)
        })
    })
}

/// The check of ISO 7064 (MOD 97-10): the first four characters go to the end, letters become numbers, the rest is 1.
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let [a, b, c, d, ..] = bytes else { return false };
    let has_head =
        a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit();
    if !has_head || !IBAN_LENGTH.contains(&bytes.len()) {
        return false;
    }
    let rest = bytes.iter().skip(4).chain(bytes.iter().take(4)).try_fold(0_u32, |rest, byte| {
        let value = char::from(*byte).to_digit(36)?;
        Some(if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 })
    });
    rest == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_told_by_its_form() {
        for (text, kind) in [
            ("Write to jane.doe+shop@example.co.uk please", Personal::Email),
            ("(mail: bob@example.org)", Personal::Email),
            ("Call me at +49 30 1234567", Personal::Phone),
            ("my number is (415) 555-0132, thanks", Personal::Phone),
            ("ring 555-0123 tonight", Personal::Phone),
            ("0171/2345678 is mine", Personal::Phone),
            ("Pay with 4111 1111 1111 1111.", Personal::Card),
            ("card 5555555555554444", Personal::Card),
            ("to DE89 3704 0044 0532 0130 00 by Friday", Personal::Iban),
            ("GB82WEST12345698765432", Personal::Iban),
            ("order 100200300400", Personal::LongId),
            ("SSN 219099999", Personal::LongId),
        ] {
            assert_eq!(find(text), Some(kind), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        for text in [
            "What is 1,000,000 divided by 12?",
            "Between 2019 and 2024, which of the 27 members grew?",
            "Version 10.15.7 of 2023-11-05",
            "the handle @rust_lang, or user@host",
            "Is 3.14159 enough?",
            "rooms 12 - 14, floor 3",
            "",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
        assert_eq!(
            find("DE89 3704 0044 0532 0130 01"),
            Some(Personal::LongId),
            "not the check digits of an account"
        );
        assert_eq!(find("4111 1111 1111 1112"), Some(Personal::LongId), "nor of a card");
    }
}
