//! Words that several forms share: counts, days, and text that no terminal obeys.

use super::View;
use crate::scan::finding::{Report, Suppression};
use crate::scan::traffic::Share;
use crate::scan::verdict::Counts;

/// A number with the thing that is counted, in the plural where there is more than one, or none.
pub(super) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// Text without what a terminal obeys or what turns the direction of writing around.
pub(super) fn plain(text: &str) -> String {
    let is_unsafe = |one: char| {
        one.is_control()
            || matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.chars().map(|one| if is_unsafe(one) { '\u{fffd}' } else { one }).collect()
}

/// A path as a relative reference of a URI (RFC 3986, section 3.3): what is not unreserved is percent-encoded,
/// separators stay.
pub(super) fn encoded_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// `5 blocking, 2 tuning, 1 unknown id`.
pub(super) fn sums(counts: &Counts) -> String {
    let mut sums = format!(
        "{} blocking, {} tuning, {}",
        counts.blocking,
        counts.tuning,
        counted(counts.unknown, "unknown id")
    );
    if counts.notes > 0 {
        sums += &format!(", {}", counted(counts.notes, "note"));
    }
    sums
}

/// `120 files`, and how many of them could not be read.
pub(super) fn files(report: &Report) -> String {
    counted(usize::try_from(report.files).unwrap_or(usize::MAX), "file")
}

/// What is only counted: `12 in tests, 1 in history, 2 ignored`. `None` where there is nothing.
pub(super) fn folded(counts: &Counts) -> Option<String> {
    let parts: Vec<String> = [
        (counts.tests, "in tests"),
        (counts.opaque, "in text"),
        (counts.history, "in history"),
        (counts.suppressed, "ignored"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, place)| format!("{count} {place}"))
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Whether it fails, and when it will.
pub(super) fn verdict(view: &View<'_>) -> String {
    let today = &view.report.today;
    let within = match view.terms.fail_within_days {
        0 => format!("as of today ({today})"),
        days => format!("within {} of {today}", counted(usize::try_from(days).unwrap_or(usize::MAX), "day")),
    };
    match (&view.verdict.begins_to_fail, view.verdict.failing.len()) {
        (None, 0) => format!("nothing fails {within}"),
        (Some((day, days)), 0) => {
            format!("nothing fails {within}; this commit begins to fail on {day} ({days} d)")
        }
        (_, 1) => format!("1 call fails {within}"),
        (_, failing) => format!("{failing} calls fail {within}"),
    }
}

/// Why a finding does not count.
pub(super) fn suppression(suppression: &Suppression) -> String {
    let by = if suppression.is_baseline { "baseline" } else { "comment" };
    let until = suppression.until.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
    format!("{by}{until}, {}", plain(&suppression.reason))
}

/// What is known to have been spent.
pub(super) fn spend(share: &Share) -> String {
    match share.cost_unknown {
        0 => format!("${}", share.cost),
        all if all == share.exchanges => "cost unknown".to_owned(),
        some => format!("${} and {some} calls of unknown cost", share.cost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references_and_control_characters_are_shown() {
        assert_eq!(encoded_path("src/my file#1.py"), "src/my%20file%231.py");
        assert_eq!(encoded_path("ä:b"), "%C3%A4%3Ab");
        assert_eq!(plain("a\u{1b}[31mb\u{202e}"), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!((counted(1, "file"), counted(0, "file")), ("1 file".to_owned(), "0 files".to_owned()));
    }
}
