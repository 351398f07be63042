//! Rows as they are on disk, read back for their digests: exactly what readers would show, and nothing trusted.

use pilothouse_core::id::ExchangeId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use rustc_hash::FxHashMap;

use super::digest::{self, Digest, FormColumns};
use crate::codes::Wide;
use crate::row::{self, Texts};

/// Forms whose digests are remembered at most.
const FORMS_MAX: usize = 16_384;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) rowid: i64,
    /// 0 where the column holds no time.
    pub(crate) started_ms: u64,
    /// The id that its details begin with.
    pub(crate) id: Option<ExchangeId>,
    /// `None`: the row is not one that a writer writes.
    pub(crate) leaf: Option<Digest>,
}

/// What is known of a form.
#[derive(Clone, Copy)]
struct Known {
    digest: Digest,
    /// It has words of receipts, whose holes its rows fill.
    is_told: bool,
}

/// Reads rows in order, with the digests of their forms.
pub(crate) struct Rows<'db> {
    db: &'db Connection,
    texts: Texts,
    forms: FxHashMap<i64, Option<Known>>,
}

impl<'db> Rows<'db> {
    pub(crate) fn new(db: &'db Connection) -> rusqlite::Result<Self> {
        Ok(Self { db, texts: row::load_texts(db)?, forms: FxHashMap::default() })
    }

    /// Gives each row from `first` to `last`, in order.
    pub(crate) fn each(
        &mut self,
        (first, last): (i64, i64),
        mut take: impl FnMut(Seen),
    ) -> rusqlite::Result<()> {
        let mut select = self.db.prepare_cached(
            "SELECT rowid, started_ms, form, detail, extra FROM exchange \
             WHERE rowid >= ?1 AND rowid <= ?2 ORDER BY rowid",
        )?;
        let mut rows = select.query((first, last))?;
        while let Some(row) = rows.next()? {
            take(self.seen(row)?);
        }
        Ok(())
    }

    fn seen(&mut self, row: &Row<'_>) -> rusqlite::Result<Seen> {
        let started = row.get::<_, Wide>(1).and_then(Wide::unsigned).ok();
        let form = match row.get_ref(2)? {
            ValueRef::Integer(id) => self.form(id)?,
            _ => None,
        };
        let detail = match row.get_ref(3)? {
            ValueRef::Blob(bytes) => Some(bytes),
            _ => None,
        };
        let extra = match row.get_ref(4)? {
            ValueRef::Null => Some(None),
            ValueRef::Text(text) if form.is_some_and(|form| !form.is_told) => Some(Some(text)),
            ValueRef::Blob(fills) if form.is_some_and(|form| form.is_told) => Some(Some(fills)),
            _ => None,
        };
        let id = detail.and_then(|bytes| bytes.first_chunk()).map(|id| ExchangeId(u128::from_be_bytes(*id)));
        let leaf = match (started, form, detail, extra) {
            (Some(started), Some(form), Some(detail), Some(extra)) => {
                Some(digest::leaf(started, &form.digest, detail, extra))
            }
            _ => None,
        };
        Ok(Seen { rowid: row.get(0)?, started_ms: started.unwrap_or_default(), id, leaf })
    }

    fn form(&mut self, id: i64) -> rusqlite::Result<Option<Known>> {
        if let Some(known) = self.forms.get(&id) {
            return Ok(*known);
        }
        let mut select = self.db.prepare_cached(
            "SELECT key, application, asked, vendor, model, price, answer_model, tier, changes, \
             outcome, flags, status, shape, receipt FROM form WHERE id = ?1",
        )?;
        let texts = &self.texts;
        let known = select.query_row([id], |row| Ok(form_known(row, texts))).optional()?.flatten();
        if self.forms.len() >= FORMS_MAX {
            self.forms.clear();
        }
        self.forms.insert(id, known);
        Ok(known)
    }
}

fn form_known(row: &Row<'_>, texts: &Texts) -> Option<Known> {
    let mut columns = FormColumns { texts: [None; 9], codes: [0; 3], shape: None, receipt: None };
    for (slot, column) in columns.texts.iter_mut().zip(0..) {
        *slot = match row.get_ref(column).ok()? {
            ValueRef::Null => None,
            ValueRef::Text(text) => Some(std::str::from_utf8(text).ok()?),
            ValueRef::Integer(id) => Some(&**texts.get(&id)?),
            _ => return None,
        };
    }
    for (slot, column) in columns.codes.iter_mut().zip(9..) {
        *slot = row.get_ref(column).ok()?.as_i64().ok()?;
    }
    columns.shape = row.get_ref(12).ok()?.as_blob_or_null().ok()?;
    columns.receipt = row.get_ref(13).ok()?.as_str_or_null().ok()?;
    Some(Known { digest: digest::form(&columns), is_told: columns.receipt.is_some() })
}
