//! What stands behind the question mark: only what an operation knows, each of its kind, each once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::shape::Moment;

/// Rows of a page, at most.
pub(super) const ROWS_MAX: u64 = 200;
/// Rows of a page where nobody says.
const ROWS: u64 = 50;
/// Bytes of a value, at most.
const VALUE_BYTES_MAX: usize = 1024;

/// What a parameter takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A moment, or a day.
    Moment,
    /// `true` or `false`.
    Flag,
    /// One of these.
    Word(&'static [&'static str]),
    /// How many rows.
    Rows,
}

/// A parameter of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
}

/// How many rows of a list.
pub(super) const LIMIT: Parameter =
    Parameter { name: "limit", about: "How many rows, at most.", kind: Kind::Rows };
/// Where a list goes on.
pub(super) const CURSOR: Parameter =
    Parameter { name: "cursor", about: "The `next_cursor` of the page before.", kind: Kind::Text };

impl Kind {
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string", "maxLength": VALUE_BYTES_MAX }),
            Self::Moment => json!({ "type": "string", "description": "RFC 3339, or a day." }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::Rows => json!({ "type": "integer", "minimum": 1, "maximum": ROWS_MAX, "default": ROWS }),
        }
    }

    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Text => Ok(()),
            Self::Moment if Moment::parse(value).is_some() => Ok(()),
            Self::Moment => {
                Err("it is a day (2026-12-31) or a time with its offset (2026-12-31T18:00:00Z)".to_owned())
            }
            Self::Flag if matches!(value, "true" | "false") => Ok(()),
            Self::Flag => Err("it is `true` or `false`".to_owned()),
            Self::Word(words) if words.contains(&value) => Ok(()),
            Self::Word(words) => Err(format!("it is one of {}", words.join(", "))),
            Self::Rows if value.parse().is_ok_and(|rows: u64| (1..=ROWS_MAX).contains(&rows)) => Ok(()),
            Self::Rows => Err(format!("it is a number from 1 to {ROWS_MAX}")),
        }
    }
}

/// The parameters of one request, checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads what stands behind the question mark.
    pub(super) fn read(text: &str, known: &[Parameter]) -> Result<Self, Refusal> {
        let mut found = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let thing = |name: &str| format!("the parameter `{}`", name.chars().take(80).collect::<String>());
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                return Err(Refusal::invalid(thing(name), "it is not percent-encoded UTF-8"));
            };
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
                let reason = match names.as_slice() {
                    [] => "nothing is taken here".to_owned(),
                    names => format!("it is not taken here; there are {}", names.join(", ")),
                };
                return Err(Refusal::invalid(thing(&name), reason));
            };
            if value.len() > VALUE_BYTES_MAX {
                return Err(Refusal::invalid(
                    thing(&name),
                    format!("it is longer than {VALUE_BYTES_MAX} bytes"),
                ));
            }
            parameter.kind.check(&value).map_err(|reason| Refusal::invalid(thing(&name), reason))?;
            if found.text(parameter.name).is_some() {
                return Err(Refusal::invalid(thing(&name), "it is given twice"));
            }
            found.0.push((parameter.name, value));
        }
        Ok(found)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn moment(&self, name: &str) -> Option<Moment> {
        self.text(name).and_then(Moment::parse)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// How many rows are asked for.
    pub(super) fn rows(&self) -> u32 {
        let rows = self.text(LIMIT.name).and_then(|rows| rows.parse().ok());
        u32::try_from(rows.unwrap_or(ROWS)).unwrap_or(u32::MAX)
    }

    /// Where the list goes on: what [`cursor`] was made of.
    pub(super) fn cursor(&self) -> Result<Option<String>, Refusal> {
        let Some(text) = self.text(CURSOR.name) else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        place.map(Some).ok_or_else(bad_cursor)
    }

    /// The same where places are numbers.
    pub(super) fn cursor_number(&self) -> Result<Option<i64>, Refusal> {
        let Some(place) = self.cursor()? else { return Ok(None) };
        place.parse().map(Some).map_err(|_| bad_cursor())
    }
}

fn bad_cursor() -> Refusal {
    Refusal::new(400, "the parameter `cursor`", "it is not one that was given here", "begin without one")
}

/// A place in a list, as clients carry it. They must not read anything into it.
pub(super) fn cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) =
                    (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
                u8::try_from(high * 16 + low).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Parameter] = &[
        LIMIT,
        CURSOR,
        Parameter { name: "since", about: "", kind: Kind::Moment },
        Parameter { name: "key", about: "", kind: Kind::Text },
    ];

    #[test]
    fn parameters_are_known_well_formed_and_given_once() {
        let query = Query::read("limit=7&key=a%2Fb+c&since=2026-11-23", KNOWN).unwrap();
        assert_eq!((query.rows(), query.text("key")), (7, Some("a/b c")));
        assert_eq!(query.moment("since").map(|at| at.0.0), Some(1_795_392_000_000));
        for wrong in
            ["limit=0", "limit=201", "limit=x", "limits=1", "key=%f", "key=%ff", "since=today", "key=a&key=a"]
        {
            assert_eq!(Query::read(wrong, KNOWN).unwrap_err().status, 400, "{wrong}");
        }
        assert_eq!(Query::read("", KNOWN).unwrap().rows(), 50);
    }

    #[test]
    fn cursor_comes_back_as_it_was_made() {
        let text = format!("cursor={}", cursor("key \u{1f} ü"));
        assert_eq!(Query::read(&text, KNOWN).unwrap().cursor().unwrap().as_deref(), Some("key \u{1f} ü"));
        assert_eq!(Query::read("cursor=!!", KNOWN).unwrap().cursor().unwrap_err().status, 400);
        assert_eq!(Query::read(&text, KNOWN).unwrap().cursor_number().unwrap_err().status, 400);
    }
}
