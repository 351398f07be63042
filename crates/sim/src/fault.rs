//! Faults chosen by model name, so that they work through any gateway: the one list that parsing, docs and tests share.

/// One fault as users see it.
#[derive(Clone, Copy, Debug)]
pub struct FaultRow {
    /// The name's pattern; `<…>` stands for a number.
    pub pattern: &'static str,
    /// A model name that follows the pattern and that the price overlay lists.
    pub example: &'static str,
    /// What the client of the fleet sees.
    pub effect: &'static str,
}

const fn row(pattern: &'static str, example: &'static str, effect: &'static str) -> FaultRow {
    FaultRow { pattern, example, effect }
}

const FAULTS: &[FaultRow] = &[
    row(
        "fault-cut-<percent>",
        "fault-cut-50",
        "the connection breaks after that share of the answer, streamed or not",
    ),
    row(
        "fault-cut-clean-<percent>",
        "fault-cut-clean-50",
        "the answer ends properly after that share, without its terminator",
    ),
    row(
        "fault-stall-<ms>-<percent>",
        "fault-stall-300-50",
        "silence for that long after that share, then the rest",
    ),
    row(
        "fault-slow-first-byte-<ms>",
        "fault-slow-first-byte-300",
        "nothing, not even headers, for that long",
    ),
    row("fault-slow-stream-<ms>", "fault-slow-stream-20", "that long between any two events"),
    row("fault-many-<chunks>", "fault-many-400", "a stream of that many text events"),
    row("fault-429", "fault-429", "429 in the dialect's shape, without Retry-After"),
    row("fault-429-retry-after-<seconds>", "fault-429-retry-after-2", "429 with Retry-After"),
    row(
        "fault-429-once",
        "fault-429-once",
        "429 with Retry-After 0 for the first attempt of a body, then an answer",
    ),
    row("fault-500", "fault-500", "500"),
    row("fault-500-once", "fault-500-once", "500 for the first attempt of a body, then an answer"),
    row("fault-502", "fault-502", "502 with an HTML body, as a proxy gives"),
    row("fault-503", "fault-503", "503"),
    row("fault-529", "fault-529", "529 overloaded"),
    row("fault-529-once", "fault-529-once", "529 for the first attempt of a body, then an answer"),
    row("fault-404", "fault-404", "404: the model does not exist"),
    row("fault-410", "fault-410", "410: the model was retired"),
    row("fault-close", "fault-close", "the connection closes before any byte"),
    row("fault-close-once", "fault-close-once", "the same for the first attempt of a body, then an answer"),
    row(
        "fault-error-event-<percent>",
        "fault-error-event-50",
        "an error event in the stream after that share, then the end; 500 if not streamed",
    ),
    row(
        "fault-malformed-json",
        "fault-malformed-json",
        "JSON that does not parse: the body, or one event of the stream",
    ),
    row(
        "fault-malformed-sse",
        "fault-malformed-sse",
        "a stream whose lines are not server-sent events; a body that is not JSON if not streamed",
    ),
    row(
        "fault-duplicate-usage",
        "fault-duplicate-usage",
        "usage is reported twice with equal numbers; adding them up doubles the bill",
    ),
    row("fault-missing-usage", "fault-missing-usage", "no usage anywhere"),
    row("fault-wrong-content-type", "fault-wrong-content-type", "a good answer labelled text/html"),
    row("fault-oversized-event", "fault-oversized-event", "one event, or the body, holds 4 MiB of text"),
    row("fault-refusal", "fault-refusal", "the model refuses, in the dialect's shape"),
    row("fault-empty", "fault-empty", "a good answer with no content"),
    row("fault-gzip", "fault-gzip", "a good answer compressed with gzip although nobody asked"),
];

/// Every fault, in the order of the documentation.
#[must_use]
pub fn faults() -> &'static [FaultRow] {
    FAULTS
}

/// A fault with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Cut { percent: u8 },
    CutClean { percent: u8 },
    Stall { ms: u64, percent: u8 },
    SlowFirstByte { ms: u64 },
    SlowStream { ms: u64 },
    Many { chunks: usize },
    Status { status: u16, retry_after_s: Option<u64>, once: bool },
    Close { once: bool },
    ErrorEvent { percent: u8 },
    MalformedJson,
    MalformedSse,
    DuplicateUsage,
    MissingUsage,
    WrongContentType,
    OversizedEvent,
    Refusal,
    Empty,
    Gzip,
}

/// Longest pause that a name can ask for: ten minutes, the longest default deadline of the SDKs.
const PAUSE_MS_MAX: u64 = 600_000;
/// Most events that a name can ask for.
const CHUNKS_MAX: usize = 100_000;

impl Fault {
    /// Reads a model name; `None` if it names no fault.
    pub(crate) fn parse(name: &str) -> Option<Fault> {
        let parts: Vec<&str> = name.strip_prefix("fault-")?.split('-').collect();
        let percent = |text: &str| text.parse::<u8>().ok().filter(|p| *p <= 100);
        let ms = |text: &str| text.parse::<u64>().ok().filter(|ms| *ms <= PAUSE_MS_MAX);
        let status = |text: &str| {
            text.parse::<u16>().ok().filter(|s| matches!(s, 404 | 410 | 429 | 500 | 502 | 503 | 529))
        };
        Some(match parts.as_slice() {
            ["cut", share] => Fault::Cut { percent: percent(share)? },
            ["cut", "clean", share] => Fault::CutClean { percent: percent(share)? },
            ["stall", pause, share] => Fault::Stall { ms: ms(pause)?, percent: percent(share)? },
            ["slow", "first", "byte", pause] => Fault::SlowFirstByte { ms: ms(pause)? },
            ["slow", "stream", pause] => Fault::SlowStream { ms: ms(pause)? },
            ["many", chunks] => Fault::Many { chunks: chunks.parse().ok().filter(|c| *c <= CHUNKS_MAX)? },
            ["close"] => Fault::Close { once: false },
            ["close", "once"] => Fault::Close { once: true },
            ["error", "event", share] => Fault::ErrorEvent { percent: percent(share)? },
            ["malformed", "json"] => Fault::MalformedJson,
            ["malformed", "sse"] => Fault::MalformedSse,
            ["duplicate", "usage"] => Fault::DuplicateUsage,
            ["missing", "usage"] => Fault::MissingUsage,
            ["wrong", "content", "type"] => Fault::WrongContentType,
            ["oversized", "event"] => Fault::OversizedEvent,
            ["refusal"] => Fault::Refusal,
            ["empty"] => Fault::Empty,
            ["gzip"] => Fault::Gzip,
            [code] => Fault::Status { status: status(code)?, retry_after_s: None, once: false },
            [code, "once"] => Fault::Status { status: status(code)?, retry_after_s: Some(0), once: true },
            [code, "retry", "after", seconds] => Fault::Status {
                status: status(code)?,
                retry_after_s: Some(seconds.parse().ok().filter(|s| *s <= 3600)?),
                once: false,
            },
            _ => return None,
        })
    }

    /// Whether the fault strikes only the first attempt of a body.
    pub(crate) fn once(self) -> bool {
        matches!(self, Fault::Status { once: true, .. } | Fault::Close { once: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_listed_example_parses_to_a_fault_of_its_own() {
        let mut seen = HashSet::new();
        for row in faults() {
            let fault = Fault::parse(row.example).unwrap_or_else(|| panic!("{} does not parse", row.example));
            assert!(seen.insert(format!("{fault:?}")), "{} is another's twin", row.example);
            assert_eq!(row.pattern.contains('<'), row.pattern != row.example, "{}", row.pattern);
        }
    }

    #[test]
    fn numbers_out_of_bounds_name_no_fault() {
        for name in
            ["fault-cut-101", "fault-stall-600001-50", "fault-many-100001", "fault-418", "fault-", "cut-50"]
        {
            assert_eq!(Fault::parse(name), None, "{name}");
        }
    }
}
