//! Names that repeat in every row (keys, applications, models …) as small integers.

use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection};
use rustc_hash::FxHashMap;

/// Names of one kind at most. Applications are named by clients, so without a bound a stranger could fill
/// the table; beyond it a name is kept in its row as text, and its totals go to [`OTHER`].
const NAMES_PER_KIND_MAX: usize = 4096;

/// Longer names are kept in their row as text.
const NAME_BYTES_MAX: usize = 200;

/// The id that stands for nothing: no target, no price.
pub(crate) const NONE: i64 = 0;

/// The id in roll-ups for names beyond the bounds.
pub(crate) const OTHER: i64 = 1;

/// The name with that id.
pub(crate) const OTHER_TEXT: &str = "(other)";

/// What a name names. The numbers are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Key = 1,
    Application = 2,
    Vendor = 3,
    Model = 4,
    Price = 5,
}

const SORTS: usize = 6;

/// A column that holds a name: nothing, its id, or the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot<'a> {
    None,
    Id(i64),
    Text(&'a str),
}

impl ToSql for Slot<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::None => ToSqlOutput::Owned(Value::Null),
            Self::Id(id) => ToSqlOutput::Owned(Value::Integer(*id)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

impl Slot<'_> {
    /// The id under which roll-ups count it.
    pub(crate) const fn group(self) -> i64 {
        match self {
            Self::None => NONE,
            Self::Id(id) => id,
            Self::Text(_) => OTHER,
        }
    }
}

/// All names of the file, for the writer: name to id.
pub(crate) struct Names {
    ids: [FxHashMap<Box<str>, i64>; SORTS],
    next: i64,
}

impl Names {
    pub(crate) fn load(db: &Connection) -> rusqlite::Result<Self> {
        let mut names = Self { ids: Default::default(), next: OTHER + 1 };
        let mut rows = db.prepare("SELECT id, kind, text FROM name")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let (id, kind, text): (i64, u8, Box<str>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            names.next = names.next.max(id + 1);
            if let Some(ids) = names.ids.get_mut(usize::from(kind)) {
                ids.insert(text, id);
            }
        }
        Ok(names)
    }

    /// The slot for a name that is kept in the table, entered when it is new.
    pub(crate) fn enter<'a>(
        &mut self,
        db: &Connection,
        sort: Sort,
        text: &'a str,
    ) -> rusqlite::Result<Slot<'a>> {
        let ids = &mut self.ids[sort as usize];
        if let Some(id) = ids.get(text) {
            return Ok(Slot::Id(*id));
        }
        if text == OTHER_TEXT {
            return Ok(Slot::Id(OTHER));
        }
        if ids.len() >= NAMES_PER_KIND_MAX || text.len() > NAME_BYTES_MAX {
            return Ok(Slot::Text(text));
        }
        let mut insert: CachedStatement<'_> =
            db.prepare_cached("INSERT INTO name (id, kind, text) VALUES (?1, ?2, ?3)")?;
        insert.execute((self.next, sort as i64, text))?;
        ids.insert(text.into(), self.next);
        self.next += 1;
        Ok(Slot::Id(self.next - 1))
    }
}
