//! Answers questions about the ledger from any process, while a server writes or without one.

use std::io;
use std::path::{Path, PathBuf};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::id::ExchangeId;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::LEDGER_FILE;
use crate::callers::{self, Caller};
use crate::codes::{self, Wide};
use crate::daily::{self, Daily};
use crate::error::StoreError;
use crate::gap::{self, Gap};
use crate::row::{self, Texts};
use crate::schema::{self, MIGRATIONS};
use crate::seal::place::{self, Place};
use crate::seal::roots::{self, Root};
use crate::seal::verify::{self, Report, Trust};
use crate::usage::{self, UsageQuery, UsageReport};
use crate::zone::ZONE_BITS;

/// The rows of an id, which is what their details begin with.
const HAS_ID: &str = "substr(detail, 1, 16) = ?1";

/// A read-only view of a data folder's ledger. It sees what is on disk: a server's records of a moment ago.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    path: PathBuf,
}

/// Which exchanges are asked for; what is `None` does not restrict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Started at this moment or later.
    pub since: Option<UnixMs>,
    /// Started before this moment.
    pub until: Option<UnixMs>,
    /// Of this virtual key.
    pub key: Option<String>,
    /// Answered by this model, or asked for under this name.
    pub model: Option<String>,
    /// Sent to this vendor.
    pub vendor: Option<String>,
    /// Of this application.
    pub application: Option<String>,
    /// Ended so.
    pub outcome: Option<Outcome>,
    /// Failed, in whatever way.
    pub errors_only: bool,
    /// At most so many.
    pub limit: usize,
    /// Recorded after this row, oldest first. Without it the newest come first.
    pub after_rowid: Option<i64>,
    /// Recorded before this row.
    pub before_rowid: Option<i64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            key: None,
            model: None,
            vendor: None,
            application: None,
            outcome: None,
            errors_only: false,
            limit: 50,
            after_rowid: None,
            before_rowid: None,
        }
    }
}

/// An exchange with its place in the order of recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Grows with every exchange that is recorded; for [`Filter::after_rowid`].
    pub rowid: i64,
    /// The exchange.
    pub exchange: Exchange,
}

/// How large the ledger is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Exchanges with details.
    pub exchanges: u64,
    /// When the earliest and the latest of them started.
    pub span: Option<(UnixMs, UnixMs)>,
    /// Exchanges whose details were lost, by the gap records.
    pub lost: u64,
    /// Bytes of the file, without what waits in its write-ahead log.
    pub file_bytes: u64,
    /// The schema's version.
    pub schema_version: u32,
}

impl Reader {
    /// Opens the ledger of the data folder `dir` for reading.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Newer`], [`StoreError::Older`], [`StoreError::NotALedger`], and
    /// refusals of the system.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(LEDGER_FILE);
        Ok(Self { db: schema::open_reader(&path, MIGRATIONS)?, path })
    }

    /// The file that is read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The exchanges that fit the filter: the newest first, or with `after_rowid` the oldest first.
    ///
    /// # Errors
    /// A refusal of the database, or rows that do not make exchanges.
    pub fn exchanges(&self, filter: &Filter) -> Result<Vec<Recorded>, StoreError> {
        self.select(filter).map_err(|cause| self.wrong(cause))
    }

    /// The exchange of that id, if it is recorded and its details are still kept.
    ///
    /// # Errors
    /// A refusal of the database, or a row that does not make an exchange.
    pub fn exchange(&self, id: ExchangeId) -> Result<Option<Exchange>, StoreError> {
        self.find(id).map(|found| found.map(|(_, exchange)| exchange)).map_err(|cause| self.wrong(cause))
    }

    /// Where the receipt of that exchange is in the chain; `None` when nothing is known of the exchange.
    ///
    /// # Errors
    /// A refusal of the database, or a row that does not make an exchange.
    pub fn place(&self, id: ExchangeId) -> Result<Option<Place>, StoreError> {
        let find = || match self.find(id)? {
            Some((row, _)) => place::of_row(&self.db, row).map(Some),
            None => place::of_erased(&self.db, id),
        };
        find().map_err(|cause| self.wrong(cause))
    }

    /// Checks every receipt against the chain, the chain against its signatures, and totals, gaps and blocks against
    /// both. Reads everything once; memory does not grow with the number of receipts.
    ///
    /// # Errors
    /// A refusal of the database. What is wrong with the ledger is no error but part of the report.
    pub fn verify(&self, trust: &Trust) -> Result<Report, StoreError> {
        verify::verify(&self.db, trust).map_err(|cause| self.wrong(cause))
    }

    /// Gives every entry of the chain, the oldest first.
    ///
    /// # Errors
    /// A refusal of the database, or what `take` refuses.
    pub fn roots(&self, take: impl FnMut(Root) -> io::Result<()>) -> Result<(), StoreError> {
        roots::each(&self.db, take).map_err(|cause| self.wrong(cause))
    }

    /// Usage and cost by group, and in all; sums of whole hours, gaps included.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn usage(&self, query: &UsageQuery) -> Result<UsageReport, StoreError> {
        usage::report(&self.db, query).map_err(|cause| self.wrong(cause))
    }

    /// Who called a target from `since` on, rounded down to its hour: keys and applications, the busiest first.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn callers(&self, vendor: &str, model: &str, since: UnixMs) -> Result<Vec<Caller>, StoreError> {
        callers::read(&self.db, (vendor, model), since).map_err(|cause| self.wrong(cause))
    }

    /// Gives what each key used of each target on each day from `since` on and before `until`, the oldest day first; both
    /// are rounded to whole hours. Exchanges that reached no vendor are left out. Memory holds one day.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn daily(
        &self,
        since: Option<UnixMs>,
        until: Option<UnixMs>,
        mut take: impl FnMut(Daily),
    ) -> Result<(), StoreError> {
        daily::each(&self.db, since, until, &mut take).map_err(|cause| self.wrong(cause))
    }

    /// The gaps that reach into the time from `since` on, oldest first.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn gaps(&self, since: Option<UnixMs>) -> Result<Vec<Gap>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Gap>> {
            let sql = format!("SELECT {} FROM gap WHERE last_ms >= ?1 ORDER BY id", gap::COLUMNS);
            let mut select = self.db.prepare_cached(&sql)?;
            let since = Wide::from(since.unwrap_or_default().0);
            select.query_map([since], gap::read)?.collect()
        };
        read().map_err(|cause| self.wrong(cause))
    }

    /// The last row that is recorded; 0 when there is none.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn last_rowid(&self) -> Result<i64, StoreError> {
        self.db
            .query_row("SELECT coalesce(max(last_row), 0) FROM zone", [], |row| row.get(0))
            .map_err(|cause| self.wrong(cause))
    }

    /// How large the ledger is.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let read = || -> rusqlite::Result<Stats> {
            let count = |row: &rusqlite::Row<'_>| row.get::<_, Wide>(0)?.unsigned();
            let moment = |value: Option<Wide>| value.map(|at| at.unsigned().map(UnixMs)).transpose();
            let sql = "SELECT coalesce(sum(rows), 0), min(min_ms), max(max_ms) FROM zone WHERE rows > 0";
            let (exchanges, span) = self.db.query_row(sql, [], |row| {
                Ok((count(row)?, moment(row.get(1)?)?.zip(moment(row.get(2)?)?)))
            })?;
            Ok(Stats {
                exchanges,
                span,
                lost: self.db.query_row("SELECT coalesce(sum(exchanges), 0) FROM gap", [], count)?,
                file_bytes: self.db.query_row(
                    "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                    [],
                    count,
                )?,
                schema_version: self.db.query_row("SELECT max(version) FROM schema", [], |row| row.get(0))?,
            })
        };
        read().map_err(|cause| self.wrong(cause))
    }

    /// Checks the whole file, which takes a while on a large one; the problems that were found.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut check = self.db.prepare("PRAGMA integrity_check")?;
            let lines: rusqlite::Result<Vec<String>> = check.query_map([], |row| row.get(0))?.collect();
            Ok(lines?.into_iter().filter(|line| line != "ok").collect())
        };
        read().map_err(|cause| self.wrong(cause))
    }

    fn wrong(&self, cause: rusqlite::Error) -> StoreError {
        match cause {
            rusqlite::Error::FromSqlConversionFailure(_, _, what) => {
                StoreError::Damaged { path: self.path.clone(), what: format!("a row has {what}") }
            }
            cause => schema::refused(&self.path, "read", cause),
        }
    }

    fn select(&self, filter: &Filter) -> rusqlite::Result<Vec<Recorded>> {
        // Rows and names of one moment: a name may be entered between two statements.
        let moment = self.db.unchecked_transaction()?;
        let texts = row::load_texts(&moment)?;
        let mut asked = Conditions::default();
        asked.time(&moment, filter)?;
        asked.names(filter, &texts);
        if let Some(outcome) = filter.outcome {
            asked.add("outcome = ?", [Value::Integer(codes::of_outcome(outcome))]);
        }
        if filter.errors_only {
            asked.add("outcome > ?", [Value::Integer(codes::of_outcome(Outcome::Cancelled))]);
        }
        let order = if filter.after_rowid.is_some() { "ASC" } else { "DESC" };
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {} FROM {} WHERE {} ORDER BY exchange.rowid {order} LIMIT {limit}",
            row::COLUMNS,
            row::TABLES,
            asked.sql()
        );
        let mut select = moment.prepare(&sql)?;
        let rows = select.query_map(params_from_iter(&asked.values), |row| row::read(row, &texts))?;
        rows.map(|row| row.map(|(rowid, exchange)| Recorded { rowid, exchange })).collect()
    }

    fn find(&self, id: ExchangeId) -> rusqlite::Result<Option<(i64, Exchange)>> {
        let moment = self.db.unchecked_transaction()?;
        let texts = row::load_texts(&moment)?;
        let bytes = id.0.to_be_bytes();
        // The id says when the exchange began, which leaves few blocks to look at; only a foreign id that
        // says something else makes us look at all of them.
        let mut near = moment.prepare_cached(&format!(
            "SELECT {} FROM zone CROSS JOIN {} WHERE exchange.rowid >= zone.zone << {ZONE_BITS} \
             AND exchange.rowid < (zone.zone + 1) << {ZONE_BITS} \
             AND min_ms <= ?2 AND max_ms >= ?2 AND {HAS_ID}",
            row::COLUMNS,
            row::TABLES
        ))?;
        let found = near
            .query_row((bytes.as_slice(), Wide::from(id.at().0)), |row| row::read(row, &texts))
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
        let mut all =
            moment.prepare_cached(&format!("SELECT {} FROM {} WHERE {HAS_ID}", row::COLUMNS, row::TABLES))?;
        all.query_row([bytes.as_slice()], |row| row::read(row, &texts)).optional()
    }
}

/// The conditions of a query, with their values in order.
#[derive(Default)]
struct Conditions {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn add<const N: usize>(&mut self, sql: &str, values: [Value; N]) {
        self.parts.push(sql.to_owned());
        self.values.extend(values);
    }

    fn sql(&self) -> String {
        if self.parts.is_empty() { "1".to_owned() } else { self.parts.join(" AND ") }
    }

    /// By time and by row; the blocks bound the rows that are looked at.
    fn time(&mut self, db: &Connection, filter: &Filter) -> rusqlite::Result<()> {
        if let Some(after) = filter.after_rowid {
            self.add("exchange.rowid > ?", [Value::Integer(after)]);
        }
        if let Some(before) = filter.before_rowid {
            self.add("exchange.rowid < ?", [Value::Integer(before)]);
        }
        let mut blocks = Vec::new();
        for (limit, block, row) in
            [(filter.since, "max_ms >= ?", "started_ms >= ?"), (filter.until, "min_ms < ?", "started_ms < ?")]
        {
            if let Some(limit) = limit {
                self.add(row, [value(limit)]);
                blocks.push((block, value(limit)));
            }
        }
        if blocks.is_empty() {
            return Ok(());
        }
        let (conditions, limits): (Vec<&str>, Vec<Value>) = blocks.into_iter().unzip();
        let sql = format!("SELECT min(zone), max(zone) FROM zone WHERE {}", conditions.join(" AND "));
        let (first, last): (Option<i64>, Option<i64>) =
            db.query_row(&sql, params_from_iter(limits), |row| Ok((row.get(0)?, row.get(1)?)))?;
        // No block at all: an empty range of rows.
        let (first, last) = first.zip(last).unwrap_or((1, 0));
        self.add(
            "exchange.rowid >= ? AND exchange.rowid < ?",
            [Value::Integer(first << ZONE_BITS), Value::Integer((last + 1) << ZONE_BITS)],
        );
        Ok(())
    }

    fn names(&mut self, filter: &Filter, texts: &Texts) {
        for (column, wanted) in
            [("key", &filter.key), ("vendor", &filter.vendor), ("application", &filter.application)]
        {
            if let Some(text) = wanted {
                let one = self.one_of(column, text, texts);
                self.parts.push(one);
            }
        }
        if let Some(text) = &filter.model {
            let answered = self.one_of("model", text, texts);
            self.add(&format!("({answered} OR asked = ?)"), [Value::Text(text.clone())]);
        }
    }

    /// A column that holds a name's id, or the text itself.
    fn one_of(&mut self, column: &str, text: &str, texts: &Texts) -> String {
        let ids = texts.iter().filter(|(_, known)| &***known == text).map(|(id, _)| Value::Integer(*id));
        let before = self.values.len();
        self.values.extend(ids);
        self.values.push(Value::Text(text.to_owned()));
        format!("{column} IN ({})", vec!["?"; self.values.len() - before].join(", "))
    }
}

fn value(at: UnixMs) -> Value {
    i64::try_from(at.0).map_or_else(|_| Value::Text(at.0.to_string()), Value::Integer)
}
