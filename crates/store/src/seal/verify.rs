//! Checks the whole ledger against its chain, and says of each receipt what has become of it.

mod chain;
mod receipts;
mod tables;

use std::path::PathBuf;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::id::ExchangeId;
use rusqlite::Connection;
use serde::Serialize;

use super::head::Head;
use super::key::PublicKey;
use super::roots::Roots;
use chain::Chain;

/// Faults that are told one by one; more are only counted.
const FAULTS_TOLD_MAX: usize = 20;

/// What a ledger is checked with; all of it comes from outside of the store.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Who may have signed.
    pub keys: Vec<PublicKey>,
    /// The head file, if it should be compared.
    pub head: Option<PathBuf>,
    /// Entries that were kept elsewhere.
    pub roots: Option<Roots>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is not what was sealed.
    Altered,
    /// It was sealed and is not there, and nothing tells that it was removed.
    Missing,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// In which way.
    pub fault: Fault,
    /// In words.
    pub what: String,
    /// The exchange, where its row still says which.
    pub exchange: Option<ExchangeId>,
    /// The segment.
    pub segment: Option<u64>,
    /// The server's start and the receipt's number.
    pub receipt: Option<(u64, u64)>,
}

/// A server that did not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Crash {
    /// The number of its start.
    pub writer: u64,
    /// The number of its last receipt on disk; what came in the moments after it may be lost.
    pub last_number: u64,
    /// When the next server started.
    pub next_start_at: UnixMs,
}

/// What became of the receipts of a ledger. Every count is of receipts, unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// As they were sealed.
    pub intact: u64,
    /// Never written in detail, with a record that tells how many.
    pub dropped: u64,
    /// Removed by age, with a record.
    pub expired: u64,
    /// Erased, with a record.
    pub erased: u64,
    /// Not as they were sealed, or no longer proven by their seal.
    pub altered: u64,
    /// Sealed and not there, without a record.
    pub missing: u64,
    /// Recorded before sealing began, or while it was off.
    pub not_covered: u64,
    /// At the end, not yet sealed.
    pub tail: u64,
    /// Servers that did not end by themselves, the first twenty.
    pub crashes: Vec<Crash>,
    /// How many there were.
    pub crashes_total: u64,
    /// Sealed segments.
    pub segments: u64,
    /// Entries of the chain.
    pub entries: u64,
    /// Hours whose totals are as they were sealed.
    pub hours: u64,
    /// Hours whose totals are not yet sealed.
    pub hours_open: u64,
    /// When the last segment was sealed.
    pub sealed_at: Option<UnixMs>,
    /// Who signed, as far as they are trusted.
    pub keys: Vec<PublicKey>,
    /// Whether a head file was there to compare with.
    pub has_head: bool,
    /// Entries kept elsewhere that were compared.
    pub roots_compared: u64,
    /// The first twenty things that are wrong.
    pub bad: Vec<Bad>,
    /// How many there are.
    pub bad_total: u64,
}

impl Report {
    /// Whether nothing is altered and nothing is missing.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.bad_total == 0 && self.altered == 0 && self.missing == 0
    }

    fn note(&mut self, bad: Bad) {
        self.bad_total += 1;
        if self.bad.len() < FAULTS_TOLD_MAX {
            self.bad.push(bad);
        }
    }

    fn note_altered(&mut self, what: impl Into<String>) {
        self.note(Bad {
            fault: Fault::Altered,
            what: what.into(),
            exchange: None,
            segment: None,
            receipt: None,
        });
    }

    fn note_missing(&mut self, what: impl Into<String>) {
        self.note(Bad {
            fault: Fault::Missing,
            what: what.into(),
            exchange: None,
            segment: None,
            receipt: None,
        });
    }
}

pub(crate) fn verify(db: &Connection, trust: &Trust) -> rusqlite::Result<Report> {
    // Before the store, so that a server that goes on meanwhile is ahead of its head and not behind.
    let head = trust.head.as_deref().map(Head::read);
    // Everything is looked at as it is at one moment.
    let moment = db.unchecked_transaction()?;
    let mut report = Report::default();
    let mut chain = Chain::walk(&moment, trust, &mut report)?;
    match head {
        None | Some(Ok(None)) => {}
        Some(Err(error)) => report.note_altered(format!("the head file cannot be read ({error})")),
        Some(Ok(Some(head))) => compare_head(&moment, &head, trust, &mut chain, &mut report)?,
    }
    receipts::check(&moment, &chain, &mut report)?;
    tables::check(&moment, &chain, &mut report)?;
    Ok(report)
}

/// Compares the chain with what the head file says of it.
fn compare_head(
    db: &Connection,
    head: &Head,
    trust: &Trust,
    chain: &mut Chain,
    report: &mut Report,
) -> rusqlite::Result<()> {
    report.has_head = true;
    if !head.is_signed(&trust.keys) {
        report.note_altered("the head file has no signature of a trusted key");
        return Ok(());
    }
    let last = chain.last.number;
    if head.entry > last {
        let rows: i64 = db.query_row("SELECT coalesce(max(rowid), 0) FROM exchange", [], |row| row.get(0))?;
        let covered = rows.max(chain.position.last_row);
        report.missing += (head.last_row - covered).max(0).cast_unsigned();
        chain.unproven_until = chain.unproven_until.max(head.last_row);
        report.note_missing(format!(
            "the chain ends at entry {last}, and the head file knows entry {}: its end was cut off, or an older copy \
             of the store was put back",
            head.entry
        ));
    } else if chain::digest_of(db, head.entry)?.is_some_and(|digest| digest != head.digest) {
        report.note_altered(format!("entry {} is not the one that the head file knows", head.entry));
    }
    Ok(())
}
