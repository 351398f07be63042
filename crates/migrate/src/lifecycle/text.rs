//! Moments as HTTP's headers write them.

use jiff::Timestamp;
use pilothouse_core::clock::UnixMs;

/// The value of `Deprecation`: a date of structured fields (RFC 9745, section 2.1; RFC 9651, section 3.3.7).
#[must_use]
pub fn deprecation(since: UnixMs) -> String {
    format!("@{}", since.seconds())
}

/// A date as HTTP writes it, in the form that `Sunset` has (RFC 8594, section 3; RFC 9110, section 5.6.7).
#[must_use]
pub fn http_date(at: UnixMs) -> String {
    let second = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
