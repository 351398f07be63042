//! Deadlines as an iCalendar file (RFC 5545), so that a team's calendar knows of them.

use std::io::Write;

use anyhow::Result;
use pilothouse_catalog::{Model, Status, day};
use pilothouse_core::clock::UnixMs;

/// Octets of a content line without its break (RFC 5545, 3.1).
const LINE_OCTETS_MAX: usize = 75;

/// A day on which a model stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct End {
    /// `platform/model` or `provider/model`: what the event is known by when the file is read again.
    pub(in crate::commands) name: String,
    /// `YYYY-MM-DD`.
    pub(in crate::commands) day: String,
    /// What follows, for the event's title.
    pub(in crate::commands) next: String,
    /// What else is known of it, in sentences.
    pub(in crate::commands) about: String,
    /// Where that can be read.
    pub(in crate::commands) url: Option<String>,
}

impl End {
    /// The end of a model by its vendor's notice, where that is still ahead. A date without notice is not a deadline.
    pub(in crate::commands) fn of(model: &Model, now: UnixMs) -> Option<Self> {
        let day = model.deadline().filter(|_| model.status(now) == Status::Deprecated)?.to_owned();
        let name = format!("{}/{}", model.platform(), model.id());
        let next = match model.replacement() {
            [] => "no replacement is named".to_owned(),
            names => format!("replaced by {}", names.join(", ")),
        };
        let announced = model.life().and_then(|life| life.announced.as_deref());
        let notice = announced.map(|day| format!("Announced {day}. ")).unwrap_or_default();
        let about = format!("{notice}By the provider's notice: {name} stops on {day}.");
        let url = model.life().and_then(|life| life.source.clone());
        Some(Self { name, day, next, about, url })
    }
}

/// Writes one all-day event for each end.
pub(in crate::commands) fn write(
    ends: impl IntoIterator<Item = End>,
    out: &mut dyn Write,
    now: UnixMs,
) -> Result<()> {
    for fixed in
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Pilothouse//Model catalogue//EN", "CALSCALE:GREGORIAN"]
    {
        line(out, fixed)?;
    }
    for end in ends {
        event(&end, out, now)?;
    }
    line(out, "END:VCALENDAR")
}

fn event(end: &End, out: &mut dyn Write, now: UnixMs) -> Result<()> {
    let End { name, day: date, next, about, url } = end;
    line(out, "BEGIN:VEVENT")?;
    line(out, &format!("UID:{}@models.pilothouse", escaped(name)))?;
    line(out, &format!("DTSTAMP:{}T000000Z", day::of(now).replace('-', "")))?;
    line(out, &format!("DTSTART;VALUE=DATE:{}", date.replace('-', "")))?;
    line(out, &format!("SUMMARY:{}", escaped(&format!("{name} stops: {next}"))))?;
    line(out, &format!("DESCRIPTION:{}", escaped(about)))?;
    if let Some(url) = url {
        line(out, &format!("URL:{url}"))?;
    }
    line(out, "TRANSP:TRANSPARENT")?;
    line(out, "END:VEVENT")
}

/// A text value: backslash, semicolon, comma and line breaks are escaped (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// One content line, folded: what follows a break starts with a space. Never folds inside a character.
fn line(out: &mut dyn Write, text: &str) -> Result<()> {
    let mut used = 0;
    for sign in text.chars() {
        if used + sign.len_utf8() > LINE_OCTETS_MAX {
            out.write_all(b"\r\n ")?;
            used = 1;
        }
        write!(out, "{sign}")?;
        used += sign.len_utf8();
    }
    out.write_all(b"\r\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_at_75_octets_and_unfold_to_themselves() {
        let text = format!("SUMMARY:{}é{}", "x".repeat(66), "y".repeat(200));
        let mut out = Vec::new();
        line(&mut out, &text).expect("written");
        let written = String::from_utf8(out).expect("UTF-8");
        assert!(written.ends_with("\r\n"));
        assert!(written.trim_end().split("\r\n").all(|line| line.len() <= LINE_OCTETS_MAX));
        assert_eq!(written.trim_end_matches("\r\n").replace("\r\n ", ""), text);
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escaped("a,b;c\\d\ne"), "a\\,b\\;c\\\\d\\ne");
    }
}
