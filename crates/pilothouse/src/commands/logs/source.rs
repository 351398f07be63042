//! Which ledger a reading command reads, and the times that people type and read.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use pilothouse_core::clock::UnixMs;
use pilothouse_store::{Reader, ServerInfo};

/// Where to read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Source {
    /// The data folder with the ledger.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA", default_value = "./.pilothouse")]
    pub(crate) data: PathBuf,
}

impl Source {
    /// Opens the ledger and notes which one it is, and whether a server writes to it now.
    ///
    /// # Errors
    /// What the store says when it cannot be read.
    pub(crate) fn open(&self, notes: &mut dyn Write) -> anyhow::Result<Reader> {
        let reader = Reader::open(&self.data)?;
        let file = reader.path().display();
        // Who serves is a courtesy: a file that cannot be understood is no reason not to read the ledger.
        match ServerInfo::read(&self.data).unwrap_or(None) {
            Some(server) => {
                writeln!(notes, "reading {file}, where {} (pid {}) records", server.url, server.pid)?
            }
            None => writeln!(notes, "reading {file}; no server records into it now")?,
        }
        Ok(reader)
    }
}

/// A length of time as people type it: `90s`, `30m`, `1h`, `7d`, `2w`, or several of them (`1h30m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Milliseconds.
    pub(crate) ms: u64,
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not a length of time: use numbers with s, m, h, d or w, such as 30m, 1h, 7d")
        };
        let mut rest = text.trim();
        let mut ms: u64 = 0;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.find(|digit: char| !digit.is_ascii_digit()).ok_or_else(wrong)?;
            let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            let unit_ms = match rest.as_bytes().get(digits) {
                Some(b's') => 1000,
                Some(b'm') => 60_000,
                Some(b'h') => 3_600_000,
                Some(b'd') => 24 * 3_600_000,
                Some(b'w') => 7 * 24 * 3_600_000,
                _ => return Err(wrong()),
            };
            ms = count.checked_mul(unit_ms).and_then(|part| ms.checked_add(part)).ok_or_else(wrong)?;
            rest = rest.get(digits + 1..).unwrap_or_default();
        }
        Ok(Self { ms })
    }
}

/// A moment as people type it: a length of time ago (`7d`), a day (`2026-11-22`, from its start in UTC) or a
/// full time (`2026-11-22T12:00:00Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Ago(Span),
    At(UnixMs),
}

impl When {
    /// The moment, seen from `now`.
    pub(crate) const fn from(self, now: UnixMs) -> UnixMs {
        match self {
            Self::Ago(span) => UnixMs(now.0.saturating_sub(span.ms)),
            Self::At(at) => at,
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(span) = text.parse() {
            return Ok(Self::Ago(span));
        }
        let day = || text.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
        let at = text.parse::<Timestamp>().ok().or_else(|| day().map(|midnight| midnight.timestamp()));
        at.and_then(|at| u64::try_from(at.as_millisecond()).ok()).map(|ms| Self::At(UnixMs(ms))).ok_or_else(|| {
            format!("`{text}` is not a time: use a length such as 30m, 1h or 7d, a day such as 2026-11-22, or 2026-11-22T12:00:00Z")
        })
    }
}

/// A moment in UTC with milliseconds, such as `2026-11-22T12:00:00.000Z`.
pub(crate) fn iso(at: UnixMs) -> String {
    let moment = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| format!("{} ms after 1970", at.0), |moment| format!("{moment:.3}"))
}

/// A count with separators: `12,345,678`.
pub(crate) fn grouped(count: impl fmt::Display) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of exchanges: `1 exchange`, `1,234 exchanges`.
pub(crate) fn exchanges(count: u64) -> String {
    format!("{} exchange{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Microseconds as people read them: `420 us`, `1.25 ms`, `3.10 s`.
pub(crate) fn took(us: u64) -> String {
    match us {
        0..1000 => format!("{us} us"),
        1000..1_000_000 => format!("{}.{:02} ms", us / 1000, us % 1000 / 10),
        _ => format!("{}.{:02} s", us / 1_000_000, us % 1_000_000 / 10_000),
    }
}

/// Text without control characters: clients choose names, and a terminal obeys what it is shown.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect()
}

/// Rows in columns as wide as their widest cell; a heading that begins with `>` is set to the right.
///
/// # Errors
/// Refusals of the output.
pub(crate) fn table(out: &mut dyn Write, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let title = |heading: &str| heading.strip_prefix('>').unwrap_or(heading).to_owned();
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(title(heading).len())
        })
        .collect();
    let mut line = |cells: &[String]| -> io::Result<()> {
        let mut text = String::new();
        for ((cell, width), heading) in cells.iter().zip(&widths).zip(headings) {
            let gap = if text.is_empty() { "" } else { "  " };
            let padded =
                if heading.starts_with('>') { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            text.push_str(gap);
            text.push_str(&padded);
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&headings.iter().map(|heading| title(heading)).collect::<Vec<_>>())?;
    rows.iter().try_for_each(|row| line(row))
}

/// The result of a command whose reader may go away first (`| head`): that is no failure.
///
/// # Errors
/// Everything but a closed pipe.
pub(crate) fn listed(written: anyhow::Result<()>) -> anyhow::Result<std::process::ExitCode> {
    let closed = |error: &anyhow::Error| {
        let cause = error.downcast_ref::<io::Error>();
        cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    };
    match written {
        Err(error) if !closed(&error) => Err(error),
        _ => Ok(std::process::ExitCode::SUCCESS),
    }
}
