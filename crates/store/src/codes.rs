//! The integers that stand for names on disk. They never change their meaning; new ones are added at the end.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Finish, Outcome};
use pilothouse_core::usage::Provenance;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

/// An integer of any width: an SQLite integer while it fits 64 bits, else decimal text. Never a float.
///
/// Columns that hold it have no type affinity, because a numeric one would turn the text into a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wide(pub(crate) i128);

impl From<u64> for Wide {
    fn from(value: u64) -> Self {
        Self(i128::from(value))
    }
}

impl ToSql for Wide {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match i64::try_from(self.0) {
            Ok(narrow) => Value::Integer(narrow),
            Err(_) => Value::Text(self.0.to_string()),
        }))
    }
}

impl FromSql for Wide {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(narrow) => Ok(Self(narrow.into())),
            ValueRef::Text(_) => {
                value.as_str()?.parse().map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl Wide {
    /// The value as an unsigned 64-bit number.
    pub(crate) fn unsigned(self) -> rusqlite::Result<u64> {
        u64::try_from(self.0).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, i64::MIN))
    }
}

/// The outcome's code: 0 complete, 1 cancelled, else the class of the error.
pub(crate) const fn of_outcome(outcome: Outcome) -> i64 {
    let kind = match outcome {
        Outcome::Complete => return 0,
        Outcome::Cancelled => return 1,
        Outcome::Failed(kind) => kind,
    };
    match kind {
        Kind::BadRequest => 2,
        Kind::Unauthorized => 3,
        Kind::Forbidden => 4,
        Kind::UnknownModel => 5,
        Kind::NotFound => 6,
        Kind::TooLarge => 7,
        Kind::RateLimited => 8,
        Kind::Overloaded => 9,
        Kind::ConnectFailed => 10,
        Kind::Timeout => 11,
        Kind::Cut => 12,
        Kind::BadAnswer => 13,
        Kind::Gone => 14,
        Kind::Vendor => 15,
        Kind::Internal => 16,
    }
}

/// The outcome of that code.
pub(crate) fn outcome(code: i64) -> Option<Outcome> {
    match code {
        0 => Some(Outcome::Complete),
        1 => Some(Outcome::Cancelled),
        _ => Kind::ALL.into_iter().map(Outcome::Failed).find(|one| of_outcome(*one) == code),
    }
}

const fn of_dialect(dialect: Dialect) -> i64 {
    match dialect {
        Dialect::OpenaiChat => 1,
        Dialect::OpenaiEmbeddings => 2,
        Dialect::AnthropicMessages => 3,
        Dialect::GeminiGenerate => 4,
        Dialect::OpenaiResponses => 5,
        Dialect::BedrockConverse => 6,
    }
}

const fn of_finish(finish: Finish) -> i64 {
    match finish {
        Finish::Stop => 1,
        Finish::StopSequence => 2,
        Finish::Length => 3,
        Finish::ContextWindow => 4,
        Finish::ToolCalls => 5,
        Finish::ContentFilter => 6,
        Finish::Refusal => 7,
        Finish::Pause => 8,
        Finish::Other => 9,
    }
}

/// The provenance's code: 0 reported, 1 partial, 2 absent.
pub(crate) const fn of_provenance(provenance: Provenance) -> i64 {
    match provenance {
        Provenance::Reported => 0,
        Provenance::Partial => 1,
        Provenance::Absent => 2,
    }
}

/// The provenance of that code.
pub(crate) const fn provenance(code: i64) -> Option<Provenance> {
    match code {
        0 => Some(Provenance::Reported),
        1 => Some(Provenance::Partial),
        2 => Some(Provenance::Absent),
        _ => None,
    }
}

/// Five small facts in one integer, because each column costs the writer time in every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) client: Dialect,
    pub(crate) target: Option<Dialect>,
    pub(crate) streamed: bool,
    pub(crate) provenance: Provenance,
    pub(crate) finish: Option<Finish>,
}

impl Flags {
    /// Bits 0-7 client dialect, 8-15 target dialect, 16 streamed, 17-18 provenance, 19-26 finish; 0 is none.
    pub(crate) fn pack(self) -> i64 {
        of_dialect(self.client)
            | self.target.map_or(0, of_dialect) << 8
            | i64::from(self.streamed) << 16
            | of_provenance(self.provenance) << 17
            | self.finish.map_or(0, of_finish) << 19
    }

    pub(crate) fn unpack(bits: i64) -> Option<Self> {
        let dialect = |code: i64| Dialect::ALL.into_iter().find(|one| of_dialect(*one) == code);
        let (target, finish) = (bits >> 8 & 0xff, bits >> 19 & 0xff);
        Some(Self {
            client: dialect(bits & 0xff)?,
            target: if target == 0 { None } else { Some(dialect(target)?) },
            streamed: bits >> 16 & 1 == 1,
            provenance: provenance(bits >> 17 & 3)?,
            finish: match finish {
                0 => None,
                code => Some(Finish::ALL.into_iter().find(|one| of_finish(*one) == code)?),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_on_disk_never_change_their_meaning() {
        let outcomes: Vec<String> = (0..17).map(|code| outcome(code).unwrap().as_str().to_owned()).collect();
        assert_eq!(
            outcomes.join(" "),
            "complete cancelled bad_request unauthorized forbidden unknown_model not_found too_large rate_limited \
             overloaded connect_failed timeout cut bad_answer gone vendor internal"
        );
        assert_eq!(outcome(17), None);
        assert_eq!(Dialect::ALL.map(of_dialect), [1, 2, 3, 5, 4, 6]);
        let distinct: std::collections::HashSet<_> = Dialect::ALL.map(of_dialect).into_iter().collect();
        assert_eq!(distinct.len(), Dialect::ALL.len());
        assert_eq!(Finish::ALL.map(of_finish), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(
            (0..3).map(|code| provenance(code).unwrap().as_str()).collect::<Vec<_>>(),
            ["reported", "partial", "absent"]
        );
    }

    #[test]
    fn every_mix_of_flags_survives_packing() {
        for client in Dialect::ALL {
            for target in Dialect::ALL.map(Some).into_iter().chain([None]) {
                for finish in Finish::ALL.map(Some).into_iter().chain([None]) {
                    for (streamed, source) in [(true, 0), (false, 1), (true, 2)] {
                        let provenance = provenance(source).unwrap();
                        let flags = Flags { client, target, streamed, provenance, finish };
                        assert_eq!(Flags::unpack(flags.pack()), Some(flags));
                    }
                }
            }
        }
        assert_eq!(Flags::unpack(0), None);
    }
}
