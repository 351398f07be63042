//! The chain: entries that each name the one before by its digest, signed one by one.
//!
//! An entry is a short JSON text, kept and signed as it is, so that whoever checks it needs no knowledge of tables.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::id::ExchangeId;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::digest::{self, Digest};
use super::key::{PublicKey, SigningKey};
use crate::form;
use crate::gap::Gap;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// 1 for the first, and one more for each.
    pub(crate) number: u64,
    /// The digest of the entry before; zeros for the first.
    pub(crate) previous: Digest,
    pub(crate) at_ms: UnixMs,
    /// Who signed it.
    pub(crate) key: PublicKey,
    pub(crate) event: Event,
}

/// What an entry tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A server began to record.
    Start(Start),
    /// A segment of receipts was sealed.
    Segment(Segment),
    /// A server stopped with everything sealed.
    End { position: Position },
    /// A segment's receipts were too old to be kept.
    Expired(Expired),
    /// One receipt was erased.
    Erased(Erased),
    /// The oldest entries were too old to be kept.
    Floor(Floor),
}

/// How far the chain covers the ledger after an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The number of the server's start.
    pub(crate) writer: u64,
    /// The row of that writer's first receipt.
    pub(crate) first_row: i64,
    /// The last segment.
    pub(crate) segment: u64,
    /// The last row that is in a segment, or was there before a start.
    pub(crate) last_row: i64,
    /// Hours whose totals changed and are not yet sealed.
    pub(crate) open_hours: Vec<u64>,
    /// The last gap that was told.
    pub(crate) gap: i64,
}

/// How the server before had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum After {
    /// There was none that sealed.
    Nothing,
    CleanEnd,
    Crash,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) after: After,
    /// Receipts that were there and in no segment: recorded before sealing began, or while it was off.
    pub(crate) unsealed: u64,
    /// What the head file knew of and the store did not have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) lost: Option<Lost>,
    pub(crate) position: Position,
}

/// Entries that were once there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) receipts: u64,
}

/// Why a segment was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    Full,
    Time,
    Stop,
    /// After a crash, by the next server.
    Recovered,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) segment: u64,
    pub(crate) why: Why,
    /// The number of its first receipt, counted by its writer from 1.
    pub(crate) first: u64,
    pub(crate) first_row: i64,
    pub(crate) count: u64,
    /// Of these, receipts that were no longer there when the next server sealed them.
    pub(crate) absent: u64,
    pub(crate) root: Digest,
    /// When the earliest and the latest of its exchanges started.
    pub(crate) first_at_ms: UnixMs,
    pub(crate) last_at_ms: UnixMs,
    /// Gaps that are new or grew since the segment before.
    pub(crate) gaps: Vec<GapSeal>,
    /// Totals of hours that are over, by hour since 1970.
    pub(crate) hours: Vec<(u64, Digest)>,
    pub(crate) position: Position,
}

impl Segment {
    pub(crate) const fn last_row(&self) -> i64 {
        self.first_row + self.count as i64 - 1
    }
}

/// A gap record. Wide numbers as text, which every reader of JSON keeps exact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GapSeal {
    pub(crate) id: i64,
    pub(crate) first_at_ms: UnixMs,
    pub(crate) last_at_ms: UnixMs,
    pub(crate) exchanges: u64,
    pub(crate) priced: u64,
    pub(crate) input_tokens: String,
    pub(crate) output_tokens: String,
    pub(crate) cost_picousd: String,
}

impl GapSeal {
    pub(crate) fn of(id: i64, gap: &Gap) -> Self {
        Self {
            id,
            first_at_ms: gap.first_at,
            last_at_ms: gap.last_at,
            exchanges: gap.exchanges,
            priced: gap.priced,
            input_tokens: gap.input_tokens.to_string(),
            output_tokens: gap.output_tokens.to_string(),
            cost_picousd: gap.cost.0.to_string(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expired {
    pub(crate) segment: u64,
    pub(crate) first_row: i64,
    pub(crate) last_row: i64,
    /// Receipts of the segment, those among them that had been erased included.
    pub(crate) receipts: u64,
    /// Gap records that were removed with it.
    pub(crate) gaps: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Erased {
    pub(crate) row: i64,
    pub(crate) id: ExchangeId,
    /// Its leaf. The salt in it is gone, so that the content cannot be guessed.
    pub(crate) digest: Digest,
    pub(crate) reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Floor {
    /// The first entry that is kept.
    pub(crate) before: u64,
    /// The digest of the last one that is not.
    pub(crate) previous: Digest,
    /// When the first kept entry was made.
    pub(crate) at_ms: UnixMs,
    /// Segments, receipts and dropped receipts that only the removed entries told of, all floors together.
    pub(crate) segments: u64,
    pub(crate) receipts: u64,
    pub(crate) dropped: u64,
}

impl Event {
    /// How far the chain covers the ledger after this entry, if it says so.
    pub(crate) const fn position(&self) -> Option<&Position> {
        match self {
            Self::Start(start) => Some(&start.position),
            Self::Segment(segment) => Some(&segment.position),
            Self::End { position } => Some(position),
            Self::Expired(_) | Self::Erased(_) | Self::Floor(_) => None,
        }
    }
}

/// An entry's place in the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) digest: Digest,
}

/// An entry as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) number: u64,
    pub(crate) text: String,
    pub(crate) signature: Vec<u8>,
}

pub(crate) const COLUMNS: &str = "number, entry, signature";

impl Stored {
    /// Whatever the columns hold: somebody may have changed them.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get::<_, i64>(0)?.cast_unsigned(),
            text: row
                .get_ref(1)?
                .as_bytes()
                .map(|text| String::from_utf8_lossy(text).into())
                .unwrap_or_default(),
            signature: row.get_ref(2)?.as_bytes().map(<[u8]>::to_vec).unwrap_or_default(),
        })
    }

    /// What it says, whoever wrote it.
    pub(crate) fn parse(&self) -> Option<Entry> {
        serde_json::from_str::<Entry>(&self.text).ok().filter(|entry| entry.number == self.number)
    }

    /// Whether whom the entry names has signed it, trusted or not.
    pub(crate) fn is_signed(&self, entry: &Entry) -> bool {
        entry.key.has_signed(&self.text, &self.signature)
    }

    pub(crate) fn digest(&self) -> Digest {
        digest::entry(&self.text)
    }
}

/// The newest entry.
pub(crate) fn last(db: &Connection) -> rusqlite::Result<Option<Link>> {
    let mut select =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM chain ORDER BY number DESC LIMIT 1"))?;
    let newest = select.query_row([], Stored::read).optional()?;
    Ok(newest.map(|stored| Link { number: stored.number, digest: stored.digest() }))
}

/// The newest entry that says how far the chain covers the ledger, and whether the server had ended there.
pub(crate) fn position(db: &Connection) -> rusqlite::Result<Option<(Position, bool)>> {
    let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} FROM chain ORDER BY number DESC"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        // What somebody altered says nothing; verification tells of it.
        let stored = Stored::read(row)?;
        let Some(entry) = stored.parse().filter(|entry| stored.is_signed(entry)) else { continue };
        if let Some(position) = entry.event.position() {
            return Ok(Some((position.clone(), matches!(entry.event, Event::End { .. }))));
        }
    }
    Ok(None)
}

/// A segment as its entry tells it.
pub(crate) struct Sealed {
    pub(crate) at: UnixMs,
    pub(crate) segment: Segment,
    /// The entry fits its signature, whoever signed it.
    pub(crate) is_signed: bool,
}

/// The segment of that entry.
pub(crate) fn segment(db: &Connection, number: i64) -> rusqlite::Result<Option<Sealed>> {
    let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} FROM chain WHERE number = ?1"))?;
    let stored = select.query_row([number], Stored::read).optional()?;
    Ok(stored.and_then(|stored| {
        let entry = stored.parse()?;
        let is_signed = stored.is_signed(&entry);
        match entry.event {
            Event::Segment(segment) => Some(Sealed { at: entry.at_ms, segment, is_signed }),
            _ => None,
        }
    }))
}

/// Appends an entry behind the newest one, or behind `after`, which the store no longer has.
pub(crate) fn append(
    db: &Connection,
    key: &SigningKey,
    at_ms: UnixMs,
    event: Event,
    after: Option<Link>,
) -> rusqlite::Result<Link> {
    let last = match after {
        Some(link) => link,
        None => last(db)?.unwrap_or_default(),
    };
    let entry = Entry { number: last.number + 1, previous: last.digest, at_ms, key: key.public(), event };
    let text = serde_json::to_string(&entry).map_err(|_| form::fault("an entry cannot be written"))?;
    db.prepare_cached("INSERT INTO chain (number, entry, signature) VALUES (?1, ?2, ?3)")?.execute((
        entry.number.cast_signed(),
        &text,
        key.sign(&text).as_slice(),
    ))?;
    Ok(Link { number: entry.number, digest: digest::entry(&text) })
}

/// Does `work` in one transaction that is on disk when this returns, also when the machine loses power after it.
pub(crate) fn durably<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    db.pragma_update(None, "synchronous", "FULL")?;
    let done = Transaction::new_unchecked(db, TransactionBehavior::Immediate).and_then(|step| {
        let done = work(&step)?;
        step.commit()?;
        Ok(done)
    });
    // What is committed is committed: a setting that stays careful is no failure.
    let _ = db.pragma_update(None, "synchronous", "NORMAL");
    done
}
