//! Deadlines as an iCalendar file (RFC 5545), so that a team's calendar knows of them.

use std::io::Write;

use anyhow::Result;
use pilothouse_catalog::{Model, Status, day};
use pilothouse_core::clock::UnixMs;

/// Octets of a content line without its break (RFC 5545, 3.1).
const LINE_OCTETS_MAX: usize = 75;

/// Writes one all-day event for each deadline that is still ahead. A date without notice is not a deadline.
pub(in crate::commands) fn write(models: &[Model], out: &mut dyn Write, now: UnixMs) -> Result<()> {
    for fixed in
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Pilothouse//Model catalogue//EN", "CALSCALE:GREGORIAN"]
    {
        line(out, fixed)?;
    }
    for model in models.iter().filter(|model| model.status(now) == Status::Deprecated) {
        if let Some(deadline) = model.deadline() {
            event(model, deadline, out, now)?;
        }
    }
    line(out, "END:VCALENDAR")
}

fn event(model: &Model, deadline: &str, out: &mut dyn Write, now: UnixMs) -> Result<()> {
    let name = format!("{}/{}", model.platform(), model.id());
    let replacement = match model.replacement() {
        [] => "no replacement is named".to_owned(),
        names => format!("replaced by {}", names.join(", ")),
    };
    let announced = model.life().and_then(|life| life.announced.as_deref());
    let notice = announced.map(|day| format!("Announced {day}. ")).unwrap_or_default();
    line(out, "BEGIN:VEVENT")?;
    line(out, &format!("UID:{}@models.pilothouse", escaped(&name)))?;
    line(out, &format!("DTSTAMP:{}T000000Z", day::of(now).replace('-', "")))?;
    line(out, &format!("DTSTART;VALUE=DATE:{}", deadline.replace('-', "")))?;
    line(out, &format!("SUMMARY:{}", escaped(&format!("{name} stops: {replacement}"))))?;
    line(
        out,
        &format!(
            "DESCRIPTION:{}",
            escaped(&format!("{notice}By the provider's notice: {name} stops on {deadline}."))
        ),
    )?;
    if let Some(source) = model.life().and_then(|life| life.source.as_deref()) {
        line(out, &format!("URL:{source}"))?;
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
