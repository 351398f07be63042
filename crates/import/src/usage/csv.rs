//! Reports as CSV (RFC 4180), record by record, with commas, semicolons or tabs.

use std::io::BufRead;

use super::columns::{Field, origin_of};
use super::{Columns, Entry, Origin, Tokens, Wrong, day_of};
use crate::amount::usd;

/// Longest record, in bytes.
const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// Most columns.
const COLUMNS_MAX: usize = 512;
/// Longest name that is kept, in characters.
const NAME_MAX: usize = 200;

/// Reads a report.
pub(super) fn read(
    input: &mut dyn BufRead,
    columns: &Columns,
    take: &mut dyn FnMut(Entry) -> Result<(), String>,
) -> Result<Origin, Wrong> {
    let mut records = Records { input, line: 1, separator: None };
    let mut fields = Vec::new();
    records.next(&mut fields)?;
    let meanings = columns.of(&fields).map_err(|message| Wrong::at(1, 1, message))?;
    let (width, origin) = (fields.len(), origin_of(&fields));
    while let Some(line) = records.next(&mut fields)? {
        if fields.len() == 1 && fields[0].trim().is_empty() {
            continue;
        }
        if fields.len() != width {
            let message = format!("this record has {} fields, the heading has {width}", fields.len());
            return Err(Wrong::at(line, 1, message));
        }
        let entry = entry(&fields, &meanings, line)?;
        take(entry).map_err(|message| Wrong::at(line, 1, message))?;
    }
    Ok(origin)
}

fn entry(fields: &[String], meanings: &[(usize, Field)], line: usize) -> Result<Entry, Wrong> {
    let mut entry = Entry::default();
    let mut tokens = Tokens::default();
    for (at, field) in meanings {
        let text = fields.get(*at).map_or("", |text| text.trim());
        let wrong = |what: &str| {
            let shown: String = text.chars().filter(|sign| !sign.is_control()).take(40).collect();
            Wrong::at(line, at + 1, format!("`{shown}` in column {} is no {what}", at + 1))
        };
        let name = || (!text.is_empty()).then(|| text.chars().take(NAME_MAX).collect::<String>());
        match field {
            Field::Day => entry.day = day_of(text).ok_or_else(|| wrong("day, such as 2026-11-23"))?,
            Field::Model => entry.model = name(),
            Field::LineItem if entry.model.is_none() => {
                entry.model = name().map(|item| item.split(',').next().unwrap_or_default().to_owned());
            }
            Field::LineItem => {}
            Field::Key => entry.key = name(),
            Field::Project => entry.project = name(),
            Field::Requests if text.is_empty() => {}
            Field::Requests => entry.requests = Some(count(text).ok_or_else(|| wrong("whole number"))?),
            Field::Tokens(_) | Field::Dollars | Field::Cents if text.is_empty() => {}
            Field::Tokens(class) => {
                tokens = tokens.with(*class, Some(count(text).ok_or_else(|| wrong("whole number"))?));
            }
            Field::Dollars => entry.cost = Some(usd(text, false).ok_or_else(|| wrong("amount of dollars"))?),
            Field::Cents => entry.cost = Some(usd(text, true).ok_or_else(|| wrong("amount of cents"))?),
        }
    }
    entry.tokens = tokens.completed();
    Ok(entry)
}

/// A count, perhaps with separators or as a float that is whole.
fn count(text: &str) -> Option<u64> {
    let plain = text.replace([',', '_', ' '], "");
    let plain = plain.strip_suffix(".0").unwrap_or(&plain);
    plain.parse().ok()
}

struct Records<'r> {
    input: &'r mut dyn BufRead,
    line: usize,
    /// What separates fields: told by the heading.
    separator: Option<u8>,
}

impl Records<'_> {
    /// Reads the next record; its first line, or `None` at the end.
    fn next(&mut self, fields: &mut Vec<String>) -> Result<Option<usize>, Wrong> {
        fields.clear();
        let start = self.line;
        let Some(record) = self.record()? else { return Ok(None) };
        let separator = *self.separator.get_or_insert_with(|| separator_of(&record));
        let mut field = Vec::new();
        let mut at = 0;
        let mut is_quoted = false;
        while let Some(byte) = record.get(at).copied() {
            at += 1;
            match byte {
                b'"' if is_quoted && record.get(at) == Some(&b'"') => {
                    field.push(b'"');
                    at += 1;
                }
                b'"' if is_quoted || field.is_empty() => is_quoted = !is_quoted,
                byte if byte == separator && !is_quoted => {
                    fields.push(text_of(std::mem::take(&mut field)));
                    if fields.len() >= COLUMNS_MAX {
                        return Err(Wrong::at(start, 1, format!("more than {COLUMNS_MAX} columns")));
                    }
                }
                byte => field.push(byte),
            }
        }
        if is_quoted {
            return Err(Wrong::at(start, 1, "a quote is opened here and never closed".to_owned()));
        }
        fields.push(text_of(field));
        Ok(Some(start))
    }

    /// The bytes of the next record: up to a line's end that is not within quotes.
    fn record(&mut self) -> Result<Option<Vec<u8>>, Wrong> {
        let mut record = Vec::new();
        let mut quotes = 0_usize;
        loop {
            let before = record.len();
            let room = u64::try_from(RECORD_BYTES_MAX + 1 - before).unwrap_or(0);
            let mut part = std::io::Read::take(&mut *self.input, room);
            let read =
                part.read_until(b'\n', &mut record).map_err(|error| Wrong::of_input(self.line, &error))?;
            if record.len() > RECORD_BYTES_MAX {
                let message =
                    format!("a record has more than {RECORD_BYTES_MAX} bytes; is a quote not closed?");
                return Err(Wrong::at(self.line, 1, message));
            }
            quotes += record[before..].iter().filter(|byte| **byte == b'"').count();
            let has_end = record.last() == Some(&b'\n');
            self.line += usize::from(has_end);
            if read == 0 && record.is_empty() {
                return Ok(None);
            }
            if read == 0 || !has_end || quotes.is_multiple_of(2) {
                while matches!(record.last(), Some(b'\n' | b'\r')) {
                    record.pop();
                }
                return Ok(Some(record));
            }
        }
    }
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What separates the heading's fields: the one of the three that stands there most often.
fn separator_of(heading: &[u8]) -> u8 {
    let count = |sign: &u8| heading.iter().filter(|byte| *byte == sign).count();
    b";\t,".iter().max_by_key(|sign| count(sign)).copied().unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let mut input = text.as_bytes();
        let mut records = Records { input: &mut input, line: 1, separator: None };
        let (mut found, mut fields) = (Vec::new(), Vec::new());
        while records.next(&mut fields).is_ok_and(|line| line.is_some()) {
            found.push(fields.clone());
        }
        found
    }

    #[test]
    fn quotes_hold_separators_lines_and_quotes() {
        assert_eq!(
            all("a,b\r\n\"x,1\",\"two\nlines \"\"q\"\"\"\n"),
            [["a", "b"], ["x,1", "two\nlines \"q\""]]
        );
        assert_eq!(all("a;b\n1,5;2\n"), [["a", "b"], ["1,5", "2"]]);
        assert_eq!(all("a\tb\n1\t"), [["a", "b"], ["1", ""]]);
    }

    #[test]
    fn a_record_that_never_ends_is_refused() {
        let mut input = std::io::BufReader::new(std::io::repeat(b'"'));
        let mut records = Records { input: &mut input, line: 1, separator: None };
        let refusal = records.next(&mut Vec::new()).err().map(|wrong| wrong.message);
        assert!(refusal.is_some_and(|message| message.contains("more than 1048576 bytes")));
    }
}
