//! What is read back of the file of bodies.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::id::ExchangeId;
use rusqlite::{Connection, OptionalExtension};

use super::file::File;
use super::sealing::{Address, Sealer};
use super::{BodyGap, Kept, LostPart};
use crate::error::StoreError;
use crate::schema::refused;

/// What clients lost of answers is read back of so many at most.
const LOST_PARTS_MAX: i64 = 4096;

impl File {
    /// The exchanges whose bodies were lost, oldest first.
    pub(crate) fn gaps(&self) -> rusqlite::Result<Vec<BodyGap>> {
        let at = |row: &rusqlite::Row<'_>, column| row.get(column).map(i64::unsigned_abs);
        self.db
            .prepare_cached("SELECT first_ms, last_ms, exchanges FROM gap ORDER BY id")?
            .query_map([], |row| {
                Ok(BodyGap {
                    first_at: UnixMs(at(row, 0)?),
                    last_at: UnixMs(at(row, 1)?),
                    exchanges: at(row, 2)?,
                })
            })?
            .collect()
    }

    /// The bodies of an exchange, or of one caller's response.
    pub(crate) fn find(&self, which: &Which<'_>, sealer: &Sealer) -> Result<Option<Kept>, StoreError> {
        let (column, value, known) = match which {
            Which::Exchange(id) => ("exchange", id.0.to_be_bytes().to_vec(), None),
            Which::Response { key, id } => ("response", sealer.response_tag(key, id).to_vec(), Some(*id)),
        };
        let read = || -> rusqlite::Result<Option<(Kept, [Packed; 2])>> {
            // Row and bodies of one moment: they may be removed between two statements.
            let moment = self.db.unchecked_transaction()?;
            let mut select = moment.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM body WHERE {column} = ?1 ORDER BY at_ms DESC LIMIT 1"
            ))?;
            let found = select.query_row([&value], |row| read_row(row, known)).optional()?;
            let Some((kept, [request, answer])) = found else { return Ok(None) };
            Ok(Some((kept, [packed(&moment, &request)?, packed(&moment, &answer)?])))
        };
        let Some((mut kept, bodies)) = read().map_err(|cause| refused(&self.path, "read", cause))? else {
            return Ok(None);
        };
        let [request, answer] = bodies;
        kept.request = self.opened(sealer, request)?.into();
        kept.answer = self.opened(sealer, answer)?.into();
        Ok(Some(kept))
    }

    fn opened(&self, sealer: &Sealer, (address, length, sealed): Packed) -> Result<Vec<u8>, StoreError> {
        sealer
            .open(&address, length, sealed)
            .map_err(|cause| StoreError::Damaged { path: self.path.clone(), what: cause.to_string() })
    }

    /// What clients lost of answers since `since`, oldest first; of many the newest.
    pub(crate) fn lost_parts(&self, since: UnixMs, sealer: &Sealer) -> Result<Vec<LostPart>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(String, UnixMs, Packed)>> {
            let mut select = self.db.prepare_cached(
                "SELECT key, at_ms, address, length, sealed FROM body JOIN blob ON address = lost_part \
                 WHERE lost_part IS NOT NULL AND at_ms >= ?1 ORDER BY at_ms DESC LIMIT ?2",
            )?;
            select
                .query_map([since.0.cast_signed(), LOST_PARTS_MAX], |row| {
                    let packed = (row.get(2)?, row.get::<_, i64>(3)?.unsigned_abs(), row.get(4)?);
                    Ok((row.get(0)?, UnixMs(row.get::<_, i64>(1)?.unsigned_abs()), packed))
                })?
                .collect()
        };
        let found = read().map_err(|cause| refused(&self.path, "read", cause))?;
        let opened = found.into_iter().rev().map(|(key, at, packed)| {
            Ok(LostPart { key: key.into(), at, part: self.opened(sealer, packed)? })
        });
        opened.collect()
    }

    /// Whether an exchange's bodies are kept, and how long they are in bytes: request, answer. Needs no key.
    pub(crate) fn lengths(&self, id: ExchangeId) -> Result<Option<(u64, u64)>, StoreError> {
        self.db
            .query_row(
                "SELECT (SELECT length FROM blob WHERE address = request), \
                 (SELECT length FROM blob WHERE address = answer) FROM body WHERE exchange = ?1",
                [id.0.to_be_bytes()],
                |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs())),
            )
            .optional()
            .map_err(|cause| refused(&self.path, "read", cause))
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    Exchange(ExchangeId),
    Response { key: &'a str, id: &'a str },
}

const COLUMNS: &str =
    "exchange, at_ms, key, dialect, holder, status, streamed, whole, request, answer, response";

/// An address, the length of the content, and the content as it lies there.
type Packed = (Address, u64, Vec<u8>);

fn packed(db: &Connection, address: &Address) -> rusqlite::Result<Packed> {
    db.prepare_cached("SELECT length, sealed FROM blob WHERE address = ?1")?
        .query_row([address], |row| Ok((*address, row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))
}

fn read_row(row: &rusqlite::Row<'_>, response: Option<&str>) -> rusqlite::Result<(Kept, [Address; 2])> {
    let dialect: String = row.get(3)?;
    let dialect = Dialect::parse(&dialect).ok_or_else(|| {
        let what = "a dialect that this version does not know".into();
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, what)
    })?;
    let kept = Kept {
        exchange: ExchangeId(u128::from_be_bytes(row.get(0)?)),
        at: UnixMs(row.get::<_, i64>(1)?.unsigned_abs()),
        key: row.get::<_, String>(2)?.into(),
        end_user: None,
        response: response.map(Into::into),
        dialect,
        holder: row.get::<_, Option<String>>(4)?.map(Into::into),
        status: row.get(5)?,
        is_stream: row.get(6)?,
        is_whole: row.get(7)?,
        request: Vec::new().into(),
        answer: Vec::new().into(),
        lost_part: Vec::new().into(),
    };
    Ok((kept, [row.get(8)?, row.get(9)?]))
}
