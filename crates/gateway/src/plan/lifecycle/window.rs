//! From what a brownout's section says of time to the window that it holds in.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::lifecycle::Window;
use toml::Spanned;
use toml::value::Datetime;

use crate::config::{BrownoutSection, Diagnostic};

/// One end of a window.
enum Edge {
    Moment(UnixMs),
    Time(Time),
}

/// The window of a brownout; `None` where it holds always. What is wrong is added to `wrong`.
pub(super) fn window(section: &BrownoutSection, wrong: &mut Vec<Diagnostic>) -> Option<Window> {
    let before = wrong.len();
    let zone = section.tz.as_ref().map_or(TimeZone::UTC, |given| zone(given, wrong));
    let mut edge = |given: &Option<Spanned<Datetime>>| {
        let given = given.as_ref()?;
        let edge = edge(given.get_ref(), &zone);
        if edge.is_none() {
            let message = format!(
                "`{}` is no moment; write a day (2026-12-01), a moment (2026-12-01T09:00:00) or a time of every day (09:00:00)",
                given.get_ref()
            );
            wrong.push(Diagnostic::at(given.span(), message));
        }
        edge
    };
    let (from, to) = (edge(&section.from), edge(&section.to));
    if wrong.len() > before {
        return None;
    }
    let found = match (from, to) {
        (None, None) => return None,
        (Some(Edge::Time(from)), Some(Edge::Time(to))) => Ok(Window::Daily { from, to, zone }),
        (Some(Edge::Time(_)), _) | (_, Some(Edge::Time(_))) => {
            Err("a time of every day needs both `from` and `to` as times, such as 09:00:00 and 09:30:00")
        }
        (from, to) => Ok(Window::Once { from: moment(from), to: moment(to) }),
    };
    let is_empty = match &found {
        Ok(Window::Once { from: Some(from), to: Some(to) }) => from >= to,
        Ok(Window::Daily { from, to, .. }) => from == to,
        _ => false,
    };
    let found = if is_empty { Err("this window ends before it begins; write a later `to`") } else { found };
    match (found, section.to.as_ref().or(section.from.as_ref())) {
        (Ok(window), _) => Some(window),
        (Err(why), given) => {
            wrong.push(Diagnostic { span: given.map(Spanned::span), message: why.into() });
            None
        }
    }
}

fn moment(edge: Option<Edge>) -> Option<UnixMs> {
    match edge {
        Some(Edge::Moment(at)) => Some(at),
        _ => None,
    }
}

fn zone(given: &Spanned<String>, wrong: &mut Vec<Diagnostic>) -> TimeZone {
    TimeZone::get(given.get_ref()).unwrap_or_else(|_| {
        let message = format!(
            "`{}` is no time zone; write one of the IANA database, such as `Europe/Berlin` or `UTC`",
            given.get_ref()
        );
        wrong.push(Diagnostic::at(given.span(), message));
        TimeZone::UTC
    })
}

fn edge(given: &Datetime, zone: &TimeZone) -> Option<Edge> {
    let text = given.to_string();
    let at = match (given.date, given.offset) {
        (None, _) => return Some(Edge::Time(text.parse().ok()?)),
        (Some(_), Some(_)) => text.parse::<jiff::Timestamp>().ok()?,
        (Some(_), None) if given.time.is_none() => {
            let day: jiff::civil::Date = text.parse().ok()?;
            day.to_zoned(zone.clone()).ok()?.timestamp()
        }
        (Some(_), None) => text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp(),
    };
    u64::try_from(at.as_millisecond()).ok().map(|at| Edge::Moment(UnixMs(at)))
}
