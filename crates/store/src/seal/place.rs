//! Where one receipt is in the chain, for whoever looks at one exchange.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::id::ExchangeId;
use rusqlite::{Connection, OptionalExtension};

use super::entry::{self, Sealed};
use super::start;

/// What the chain says about one receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is in a sealed segment.
    Sealed {
        /// The number of the server's start, counted from 1.
        writer: u64,
        /// The receipt's number, counted by that server from 1.
        number: u64,
        /// The segment.
        segment: u64,
        /// When the segment was sealed.
        at: UnixMs,
    },
    /// It is numbered, and its segment is not yet sealed.
    Open {
        /// The number of the server's start, counted from 1.
        writer: u64,
        /// The receipt's number, counted by that server from 1.
        number: u64,
    },
    /// It was recorded before sealing began, or while it was off.
    NotCovered,
    /// It was erased; its digest stays in its segment.
    Erased {
        /// When.
        at: UnixMs,
        /// Why, as whoever erased it said.
        reason: String,
    },
}

/// The place of a row that is there.
pub(crate) fn of_row(db: &Connection, row: i64) -> rusqlite::Result<Place> {
    let number: Option<i64> = db
        .query_row(
            "SELECT entry FROM leaves WHERE first_row <= ?1 AND last_row >= ?1 ORDER BY first_row DESC LIMIT 1",
            [row],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(Sealed { at, segment, .. }) =
        number.map(|number| entry::segment(db, number)).transpose()?.flatten()
    {
        let offset = row.saturating_sub(segment.first_row).cast_unsigned();
        return Ok(Place::Sealed {
            writer: segment.position.writer,
            number: segment.first.saturating_add(offset),
            segment: segment.segment,
            at,
        });
    }
    Ok(match entry::position(db)? {
        Some((position, false)) if row > position.last_row => Place::Open {
            writer: position.writer,
            number: row.saturating_sub(position.first_row).saturating_add(1).cast_unsigned(),
        },
        _ => Place::NotCovered,
    })
}

/// The place of an exchange that is not there; `None` if it was not erased either.
pub(crate) fn of_erased(db: &Connection, id: ExchangeId) -> rusqlite::Result<Option<Place>> {
    let found = start::erasure(db, id)?;
    Ok(found.map(|(at, erased)| Place::Erased { at, reason: erased.reason }))
}
