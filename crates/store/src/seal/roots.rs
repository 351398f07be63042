//! The chain outside of the store: exported entries, and a later comparison with them.

use std::io;

use pilothouse_core::clock::UnixMs;
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::digest::{self, Digest};
use super::entry::{COLUMNS, Event, Stored};

/// Names the form of an export, and its version.
const FORMAT: &str = "pilothouse-roots/1";

/// One entry, for people and for export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its number in the chain.
    pub number: u64,
    /// The text that is signed.
    pub entry: String,
    /// The signature, as hexadecimal digits.
    pub signature: String,
    /// What it tells: `start`, `segment`, `end`, `expired`, `erased` or `floor`; empty when it cannot be read.
    pub kind: &'static str,
    /// When it was made.
    pub at: Option<UnixMs>,
    /// Of a segment: its number, how many receipts it has, and its root.
    pub segment: Option<(u64, u64, String)>,
}

pub(crate) fn each(db: &Connection, mut take: impl FnMut(Root) -> io::Result<()>) -> rusqlite::Result<()> {
    let mut select = db.prepare(&format!("SELECT {COLUMNS} FROM chain ORDER BY number"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let stored = Stored::read(row)?;
        let entry = stored.parse();
        let (kind, segment) = entry.as_ref().map_or(("", None), |entry| match &entry.event {
            Event::Start(_) => ("start", None),
            Event::Segment(segment) => {
                ("segment", Some((segment.segment, segment.count, segment.root.to_string())))
            }
            Event::End { .. } => ("end", None),
            Event::Expired(_) => ("expired", None),
            Event::Erased(_) => ("erased", None),
            Event::Floor(_) => ("floor", None),
        });
        take(Root {
            number: stored.number,
            signature: stored.signature.iter().map(|byte| format!("{byte:02x}")).collect(),
            entry: stored.text,
            kind,
            at: entry.map(|entry| entry.at_ms),
            segment,
        })
        .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))?;
    }
    Ok(())
}

/// Entries that were kept elsewhere: the document that `logs roots --json` writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    digests: FxHashMap<u64, Digest>,
}

#[derive(Deserialize)]
struct Document {
    format: String,
    entries: Vec<Exported>,
}

#[derive(Serialize, Deserialize)]
struct Exported {
    number: u64,
    entry: String,
    signature: String,
}

impl Roots {
    /// What such a document begins with, before its entries.
    pub const FORMAT: &'static str = FORMAT;

    /// Reads such a document.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| format!("it is no export of roots: {error}"))?;
        if document.format != FORMAT {
            return Err(format!("its format is `{}`, and this version reads `{FORMAT}`", document.format));
        }
        let digest = |exported: Exported| (exported.number, digest::entry(&exported.entry));
        Ok(Self { digests: document.entries.into_iter().map(digest).collect() })
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    pub(crate) fn get(&self, number: u64) -> Option<Digest> {
        self.digests.get(&number).copied()
    }

    /// Numbers from `first` on that are greater than `last`, or that are not in `seen`'s range.
    pub(crate) fn beyond(&self, last: u64) -> Option<(u64, u64)> {
        let beyond = self.digests.keys().copied().filter(|number| *number > last);
        let (first, end) = (beyond.clone().min()?, beyond.max()?);
        Some((first, end))
    }
}

/// An entry as `logs roots --json` writes it.
impl Serialize for Root {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let (number, entry, signature) = (self.number, self.entry.clone(), self.signature.clone());
        Exported { number, entry, signature }.serialize(out)
    }
}
