//! Vendors' own reports of usage and cost, read entry by entry: memory does not grow with the file.
//!
//! | vendor | what | source, read 2026-11-23 |
//! | --- | --- | --- |
//! | OpenAI | pages of `/v1/organization/usage/completions`, `/embeddings` and `/v1/organization/costs` | <https://platform.openai.com/docs/api-reference/usage> |
//! | OpenAI | CSV of the same members, as the dashboard exports it | the same |
//! | Anthropic | pages of `/v1/organizations/usage_report/messages`, `/v1/organizations/cost_report` | <https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages>, <https://platform.claude.com/docs/en/api/admin/cost_report> |
//! | Anthropic | CSV of tokens and of cost, as the console exports it | the same |
//! | OpenRouter | CSV of its activity | <https://openrouter.ai/docs/use-cases/usage-accounting> |
//! | any | CSV whose columns the caller names | |

mod columns;
mod csv;
mod json;

use std::io::BufRead;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pilothouse_core::money::PicoUsd;

use crate::ImportError;

pub use columns::Columns;

/// Classes of tokens that reports tell. They are disjoint, but for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Input at full price, without sound.
    Input,
    /// Input that was read from the prompt cache.
    CacheRead,
    /// Input that was written to the prompt cache for five minutes, or for a time that is not told.
    CacheWrite5m,
    /// Input that was written to the prompt cache for an hour.
    CacheWrite1h,
    /// Input as sound.
    InputAudio,
    /// Output without sound, reasoning among it.
    Output,
    /// Output as sound.
    OutputAudio,
    /// All input together.
    InputTotal,
}

impl Class {
    /// Every class, in the order of their places.
    pub const ALL: [Self; 8] = [
        Self::Input,
        Self::CacheRead,
        Self::CacheWrite5m,
        Self::CacheWrite1h,
        Self::InputAudio,
        Self::Output,
        Self::OutputAudio,
        Self::InputTotal,
    ];

    /// The name in tables and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheRead => "cache_read",
            Self::CacheWrite5m => "cache_write_5m",
            Self::CacheWrite1h => "cache_write_1h",
            Self::InputAudio => "input_audio",
            Self::Output => "output",
            Self::OutputAudio => "output_audio",
            Self::InputTotal => "input_total",
        }
    }
}

/// Tokens by class; `None` where a report does not tell the class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens([Option<u64>; 8]);

impl Tokens {
    /// The tokens of a class.
    #[must_use]
    pub const fn get(&self, class: Class) -> Option<u64> {
        self.0[class as usize]
    }

    /// These with a class told.
    #[must_use]
    pub const fn with(mut self, class: Class, count: Option<u64>) -> Self {
        self.0[class as usize] = count;
        self
    }

    /// These with what follows from them: full-price input of the total, or the total of its parts.
    pub(crate) fn completed(self) -> Self {
        let parts = [Class::CacheRead, Class::CacheWrite5m, Class::CacheWrite1h, Class::InputAudio];
        let apart: u64 = parts.iter().filter_map(|class| self.get(*class)).fold(0, u64::saturating_add);
        match (self.get(Class::Input), self.get(Class::InputTotal)) {
            // Without any part told, the total may hold all of them.
            (None, Some(total)) if parts.iter().any(|class| self.get(*class).is_some()) => {
                self.with(Class::Input, Some(total.saturating_sub(apart)))
            }
            (Some(input), None) => self.with(Class::InputTotal, Some(input.saturating_add(apart))),
            _ => self,
        }
    }
}

/// What a report says of one day, model and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The day in UTC, as `YYYY-MM-DD`.
    pub day: String,
    /// The model, as the vendor calls it there; `None` where the report is not by model.
    pub model: Option<String>,
    /// The vendor's key, by id or name.
    pub key: Option<String>,
    /// The vendor's project or workspace, by id or name.
    pub project: Option<String>,
    /// Requests.
    pub requests: Option<u64>,
    /// Tokens.
    pub tokens: Tokens,
    /// What was billed.
    pub cost: Option<PicoUsd>,
}

/// Whose report a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// OpenRouter's.
    OpenRouter,
    /// Nobody's that is known.
    Other,
}

impl Origin {
    /// The catalogue's vendor.
    #[must_use]
    pub const fn vendor(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("openai"),
            Self::Anthropic => Some("anthropic"),
            Self::OpenRouter => Some("openrouter"),
            Self::Other => None,
        }
    }
}

/// Reads a report; each entry is given to `take`. Returns whose report it is, as far as its form tells.
///
/// # Errors
/// [`ImportError`] with the place of what cannot be read, also when `take` refuses an entry with a reason.
pub fn read(
    input: &mut dyn BufRead,
    origin: &str,
    columns: &Columns,
    take: &mut dyn FnMut(Entry) -> Result<(), String>,
) -> Result<Origin, ImportError> {
    let wrong = |place: Wrong| ImportError {
        origin: origin.to_owned(),
        line: place.line,
        column: place.column,
        message: place.message,
    };
    let first = first_byte(input).map_err(wrong)?;
    match first {
        Some(b'{' | b'[') if columns.is_empty() => json::read(input, take).map_err(wrong),
        Some(_) => csv::read(input, columns, take).map_err(wrong),
        None => Err(wrong(Wrong::at(1, 1, "the file is empty".to_owned()))),
    }
}

/// A mistake with its place.
pub(crate) struct Wrong {
    line: usize,
    column: usize,
    message: String,
}

impl Wrong {
    fn at(line: usize, column: usize, message: String) -> Self {
        Self { line: line.max(1), column: column.max(1), message }
    }

    fn of_input(line: usize, error: &std::io::Error) -> Self {
        Self::at(line, 1, format!("the file cannot be read ({error})"))
    }
}

/// The first byte that is no white space, which stays where it is. A mark of the byte order is passed over.
fn first_byte(input: &mut dyn BufRead) -> Result<Option<u8>, Wrong> {
    let buffer = input.fill_buf().map_err(|error| Wrong::of_input(1, &error))?;
    if buffer.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let buffer = input.fill_buf().map_err(|error| Wrong::of_input(1, &error))?;
    Ok(buffer.iter().copied().find(|byte| !byte.is_ascii_whitespace()))
}

/// The day of a moment as reports write it: seconds since 1970, RFC 3339, or a day.
fn day_of(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok().map(day_at);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(day_at(moment));
    }
    // Midnights without a zone are the vendor's, which is UTC.
    text.get(..10)?.parse::<Date>().ok().map(|day| day.to_string())
}

fn day_at(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).date().to_string()
}

/// A model's name without what differs between a vendor's reports and its wire: case, separators, the date of a
/// snapshot.
#[must_use]
pub fn model_key(name: &str) -> String {
    let name = name.trim();
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let mut parts: Vec<&str> =
        name.split([' ', '.', '_', '-', '@', '(', ')']).filter(|part| !part.is_empty()).collect();
    let is_number =
        |part: &str, digits: usize| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
    let count = parts.len();
    if count > 3
        && is_number(parts[count - 3], 4)
        && is_number(parts[count - 2], 2)
        && is_number(parts[count - 1], 2)
    {
        parts.truncate(count - 3);
    } else if count > 1 && parts.last().is_some_and(|part| is_number(part, 8) || *part == "latest") {
        parts.pop();
    }
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_any_of_their_names() {
        for (one, other) in [
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
            ("claude-3-5-sonnet-latest", "Claude 3.5 Sonnet 2024-10-22"),
            ("anthropic/claude-opus-4.7", "claude-opus-4-7"),
        ] {
            assert_eq!(model_key(one), model_key(other), "{one} {other}");
        }
        assert_ne!(model_key("gpt-4o"), model_key("gpt-4o-mini"));
        assert_ne!(model_key("claude-opus-4-7"), model_key("claude-opus-4-6"));
    }

    #[test]
    fn days_are_read_in_every_form_that_reports_have() {
        for text in [
            "1730419200",
            "2024-11-01T00:00:00Z",
            "2024-11-01",
            "2024-11-01T23:59:59+00:00",
            "2024-11-01 10:00:00",
        ] {
            assert_eq!(day_of(text).as_deref(), Some("2024-11-01"), "{text}");
        }
        assert_eq!([day_of("yesterday"), day_of(""), day_of("99999999999999999")], [None, None, None]);
    }

    #[test]
    fn a_total_and_its_parts_make_each_other() {
        let told = Tokens::default().with(Class::InputTotal, Some(1000)).with(Class::CacheRead, Some(800));
        assert_eq!(told.completed().get(Class::Input), Some(200));
        let told = Tokens::default().with(Class::Input, Some(5)).with(Class::CacheWrite1h, Some(3));
        assert_eq!(told.completed().get(Class::InputTotal), Some(8));
        let told = Tokens::default().with(Class::InputTotal, Some(7));
        assert_eq!(told.completed().get(Class::Input), None, "what it holds is not told");
    }
}
