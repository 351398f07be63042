//! A row read back as its exchange, exactly.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{AnswerFacts, Caller, Exchange, TargetUsed};
use pilothouse_core::shape::Shape;
use pilothouse_core::usage::Bill;
use pilothouse_core::written::join;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use rustc_hash::FxHashMap;

use crate::codes::{self, Flags, Wide};
use crate::detail::Detail;
use crate::extra::Extra;

/// The columns that make an exchange, in the order of [`read`].
pub(crate) const COLUMNS: &str = "exchange.rowid, started_ms, detail, extra, key, application, asked, vendor, \
    model, price, outcome, flags, status, answer_model, tier, changes, shape, receipt";

/// Where they are. The rows decide the order, never their forms.
pub(crate) const TABLES: &str = "exchange CROSS JOIN form ON form.id = exchange.form";

/// The names behind the ids, for readers.
pub(crate) type Texts = FxHashMap<i64, Arc<str>>;

/// Reads every name; a few thousand at most.
pub(crate) fn load_texts(db: &Connection) -> rusqlite::Result<Texts> {
    let mut select = db.prepare_cached("SELECT id, text FROM name")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?.into())))?;
    rows.collect()
}

/// What a row lacks when it does not make an exchange.
fn wrong(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Integer, what.into())
}

fn text(row: &Row<'_>, texts: &Texts, column: usize) -> rusqlite::Result<Option<Arc<str>>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(id) => {
            texts.get(&id).cloned().map(Some).ok_or_else(|| wrong(column, "an unknown name"))
        }
        other => Ok(Some(other.as_str()?.into())),
    }
}

/// The text of a column as [`crate::extra`] wrote it.
fn extra(row: &Row<'_>, column: usize) -> rusqlite::Result<Extra> {
    row.get_ref(column)?.as_str_or_null()?.map_or_else(|| Ok(Extra::default()), |text| parsed(column, text))
}

fn parsed(column: usize, text: &str) -> rusqlite::Result<Extra> {
    Extra::parse(text).map_err(|error| wrong(column, &error.to_string()))
}

/// The text of an exchange's own, put together where its form has the words of it.
fn own_extra(row: &Row<'_>, column: usize, words: usize) -> rusqlite::Result<Extra> {
    let Some(words) = row.get_ref(words)?.as_str_or_null()? else { return extra(row, column) };
    let fills = row.get_ref(column)?.as_blob_or_null()?.unwrap_or_default();
    let text = join(words.as_bytes(), fills)
        .ok_or_else(|| wrong(column, "what does not belong into its receipt's words"))?;
    parsed(column, &text)
}

/// Reads a row of [`COLUMNS`] as its rowid and its exchange.
pub(crate) fn read(row: &Row<'_>, texts: &Texts) -> rusqlite::Result<(i64, Exchange)> {
    let name = |column: usize| text(row, texts, column);
    let detail = Detail::unpack(row.get_ref(2)?.as_blob()?).ok_or_else(|| wrong(2, "unknown details"))?;
    let flags = Flags::unpack(row.get(11)?).ok_or_else(|| wrong(11, "unknown flags"))?;
    let (mut own, mut shared) = (own_extra(row, 3, 17)?, extra(row, 15)?);
    let target = match (flags.target, name(7)?, name(8)?) {
        (Some(dialect), Some(vendor), Some(model)) => {
            Some(TargetUsed { vendor, model, dialect, price: name(9)? })
        }
        _ => None,
    };
    let numbers = detail.numbers;
    let exchange = Exchange {
        id: detail.id,
        started_at: UnixMs(row.get::<_, Wide>(1)?.unsigned()?),
        caller: Caller {
            key: name(4)?.unwrap_or_default(),
            application: name(5)?.unwrap_or_default(),
            end_user: own.end_user.take(),
        },
        client_dialect: flags.client,
        asked: row.get(6)?,
        target,
        streamed: flags.streamed,
        outcome: codes::outcome(row.get(10)?).ok_or_else(|| wrong(10, "an unknown outcome"))?,
        status: row.get(12)?,
        answer: AnswerFacts {
            id: detail.answer_id.map(Box::from),
            model: row.get(13)?,
            finish: flags.finish,
            service_tier: row.get(14)?,
            tools: std::mem::take(&mut own.tools),
        },
        bill: Bill {
            usage: numbers.usage,
            provenance: flags.provenance,
            estimated_output: numbers.estimated_output,
            cost: detail.cost,
            estimated_cost: detail.estimated_cost,
            saved: numbers.saved,
        },
        timings: numbers.timings,
        shape: match row.get_ref(16)?.as_blob_or_null()? {
            // A later version may pack shapes in another way; the rest of the row is still known.
            Some(bytes) => Shape::from_bytes(bytes),
            None => None,
        },
        request_bytes: numbers.request_bytes,
        answer_bytes: numbers.answer_bytes,
        receipt: own.take_receipt().or_else(|| shared.take_receipt()),
    };
    Ok((row.get(0)?, exchange))
}
