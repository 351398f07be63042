//! Budgets as they stand on disk, for reports from any process, and the reconciling of leases that nobody gave back.

use std::path::{Path, PathBuf};

use pilothouse_core::clock::{Clock, UnixMs};
use pilothouse_core::money::PicoUsd;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::books;
use super::calendar::{Every, Period};
use super::holder::Holder;
use super::rule::{Alert, ScopeKind};
use crate::audit::{self, Entry};
use crate::ends::EndAlert;
use crate::error::StoreError;
use crate::{LEDGER_FILE, schema};

/// One budget in its newest period. The cap is not here: it is the configuration's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetRow {
    /// What it is about.
    pub kind: ScopeKind,
    /// Its name.
    pub scope: String,
    /// How often it starts anew.
    pub every: Every,
    /// The period.
    pub period: Period,
    /// Settled, as far as the leases' holders have noted it: at most a second old while they live.
    pub settled: PicoUsd,
    /// Leased and not settled: it counts as spent for everybody else.
    pub leased: PicoUsd,
    /// Spent beyond what any lease could pay.
    pub over: PicoUsd,
}

/// An alert as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// Its number: later ones are larger.
    pub id: i64,
    /// When it was told.
    pub at: UnixMs,
    /// The first moment of the budget's period.
    pub start: UnixMs,
    /// The share that was met.
    pub alert: Alert,
}

/// An alert of whichever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertEntry {
    /// A share of a budget was met.
    Budget(AlertRow),
    /// A target ends.
    End(EndAlert),
}

/// A lease whose process is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// What its budget is about.
    pub kind: ScopeKind,
    /// The budget's name.
    pub scope: String,
    /// How often the budget starts anew.
    pub every: Every,
    /// The first moment of the lease's period.
    pub start: UnixMs,
    /// The holder's number.
    pub holder: i64,
    /// What was leased, and counts as spent.
    pub granted: PicoUsd,
    /// What the holder had noted as settled: surely spent.
    pub settled: PicoUsd,
}

/// The books of a data folder, open for reports and for reconciling.
#[derive(Debug)]
pub struct BudgetBooks {
    db: Connection,
    dir: PathBuf,
}

impl BudgetBooks {
    /// Opens the books of the data folder `dir`, beside processes that spend.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without a ledger, and what [`super::Budgets::open`] gives.
    pub fn open(dir: &Path, clock: &dyn Clock) -> Result<Self, StoreError> {
        let path = dir.join(LEDGER_FILE);
        if !path.exists() {
            return Err(StoreError::Missing { path });
        }
        Ok(Self { db: schema::open_control(&path, clock)?, dir: dir.to_owned() })
    }

    /// Every budget in its newest period, by kind and name.
    ///
    /// # Errors
    /// Refusals of the database, and damage.
    pub fn rows(&self) -> Result<Vec<BudgetRow>, StoreError> {
        self.read_rows((-1, "", -1), i64::MAX, u32::MAX).map_err(|cause| self.refused(cause))
    }

    /// The budgets, of one kind or of all, behind a place in the order of kind, name and period, each in its newest one; at most `limit`.
    ///
    /// # Errors
    /// Refusals of the database, and damage.
    pub fn page(
        &self,
        kind: Option<ScopeKind>,
        after: Option<(ScopeKind, &str, Every)>,
        limit: u32,
    ) -> Result<Vec<BudgetRow>, StoreError> {
        let kinds = kind.map_or((-1, i64::MAX), |kind| (kind.code(), kind.code()));
        let after =
            after.map_or((kinds.0, "", -1), |(kind, scope, every)| (kind.code(), scope, every.code()));
        self.read_rows(after, kinds.1, limit).map_err(|cause| self.refused(cause))
    }

    /// The alerts below a number, newest first, those about ends of models too; at most `limit`.
    ///
    /// # Errors
    /// Refusals of the database, and damage.
    pub fn alerts(&self, before: Option<i64>, limit: u32) -> Result<Vec<AlertEntry>, StoreError> {
        self.read_alerts(before, limit).map_err(|cause| self.refused(cause))
    }

    fn read_alerts(&self, before: Option<i64>, limit: u32) -> rusqlite::Result<Vec<AlertEntry>> {
        let mut select = self.db.prepare_cached(
            "SELECT kind, scope, every, id, at_ms, start_ms, per_mille, spent, cap, told FROM alert WHERE id < ?1 \
             ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = select.query_map((before.unwrap_or(i64::MAX), limit), |row| {
            let at = |column| row.get::<_, i64>(column).map(|at| UnixMs(at.cast_unsigned()));
            if let Some(text) = row.get(9)? {
                let ends = Some(at(5)?).filter(|ends| ends.0 > 0);
                let (id, target) = (row.get(3)?, row.get(1)?);
                return Ok(AlertEntry::End(EndAlert { id, at: at(4)?, target, ends, text }));
            }
            let (kind, every) = codes(row.get(0)?, row.get(2)?)?;
            let money = |column| row.get::<_, i64>(column).map(|amount| PicoUsd(amount.into()));
            let scope: String = row.get(1)?;
            let alert = Alert {
                kind,
                scope: scope.into(),
                every,
                per_mille: row.get(6)?,
                spent: money(7)?,
                limit: money(8)?,
            };
            Ok(AlertEntry::Budget(AlertRow { id: row.get(3)?, at: at(4)?, start: at(5)?, alert }))
        })?;
        rows.collect()
    }

    fn read_rows(
        &self,
        after: (i64, &str, i64),
        last_kind: i64,
        limit: u32,
    ) -> rusqlite::Result<Vec<BudgetRow>> {
        let mut select = self.db.prepare_cached(
            "SELECT b.kind, b.scope, b.every, p.start_ms, p.end_ms, p.closed, p.over, b.id FROM budget b \
             JOIN budget_period p ON p.budget = b.id AND p.start_ms = (SELECT max(start_ms) FROM budget_period n \
             WHERE n.budget = b.id AND n.has_begun = 1) WHERE (b.kind, b.scope, b.every) > (?1, ?2, ?3) AND b.kind <= ?4 \
             ORDER BY b.kind, b.scope, b.every LIMIT ?5",
        )?;
        let mut rows = select.query((after.0, after.1, after.2, last_kind, limit))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, every) = codes(row.get(0)?, row.get(2)?)?;
            let (start, end): (i64, i64) = (row.get(3)?, row.get(4)?);
            let (mut settled, mut over): (i128, i128) =
                (row.get::<_, i64>(5)?.into(), row.get::<_, i64>(6)?.into());
            let mut leased = 0i128;
            let mut leases = self.db.prepare_cached(
                "SELECT granted, settled, over FROM budget_lease WHERE budget = ?1 AND start_ms = ?2",
            )?;
            let mut leases = leases.query((row.get::<_, i64>(7)?, start))?;
            while let Some(lease) = leases.next()? {
                let (granted, spent): (i64, i64) = (lease.get(0)?, lease.get(1)?);
                settled += i128::from(spent);
                leased += i128::from(granted - spent);
                over += i128::from(lease.get::<_, i64>(2)?);
            }
            found.push(BudgetRow {
                kind,
                scope: row.get(1)?,
                every,
                period: Period { start: UnixMs(start.cast_unsigned()), end: UnixMs(end.cast_unsigned()) },
                settled: PicoUsd(settled),
                leased: PicoUsd(leased),
                over: PicoUsd(over),
            });
        }
        Ok(found)
    }

    /// Leases whose process is gone. They count as spent.
    ///
    /// # Errors
    /// Refusals of the database, and damage.
    pub fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        let mut orphans = self.read_leases().map_err(|cause| self.refused(cause))?;
        orphans.retain(|orphan| !Holder::is_alive(&self.dir, orphan.holder));
        Ok(orphans)
    }

    fn read_leases(&self) -> rusqlite::Result<Vec<Orphan>> {
        let mut select = self.db.prepare_cached(
            "SELECT b.kind, b.scope, b.every, l.start_ms, l.holder, l.granted, l.settled FROM budget_lease l \
             JOIN budget b ON b.id = l.budget ORDER BY b.kind, b.scope, b.every, l.start_ms, l.holder",
        )?;
        let leases = select.query_map([], |row| {
            let (kind, every) = codes(row.get(0)?, row.get(2)?)?;
            let money = |column| row.get::<_, i64>(column).map(|amount| PicoUsd(amount.into()));
            Ok(Orphan {
                kind,
                scope: row.get(1)?,
                every,
                start: UnixMs(row.get::<_, i64>(3)?.cast_unsigned()),
                holder: row.get(4)?,
                granted: money(5)?,
                settled: money(6)?,
            })
        })?;
        leases.collect()
    }

    /// Books what an orphan really spent and gives the rest of its lease back to the balance. An audit record says who
    /// did it. False when the lease is gone by now or its process lives after all.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a spend below what was noted or above what was leased; refusals of the database.
    pub fn reconcile(
        &mut self,
        orphan: &Orphan,
        spent: PicoUsd,
        actor: &str,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        if spent < orphan.settled || spent > orphan.granted {
            return Err(StoreError::Refused {
                what: format!(
                    "${spent} cannot be the spend of a lease of ${} with ${} settled; give an amount between the two",
                    orphan.granted, orphan.settled
                ),
            });
        }
        if Holder::is_alive(&self.dir, orphan.holder) {
            return Ok(false);
        }
        let path = self.dir.join(LEDGER_FILE);
        reconcile(&mut self.db, &self.dir, orphan, spent, (actor, now))
            .map_err(|cause| schema::refused(&path, "keep the budgets in", cause))
    }

    fn refused(&self, cause: rusqlite::Error) -> StoreError {
        schema::refused(&self.dir.join(LEDGER_FILE), "read", cause)
    }
}

fn reconcile(
    db: &mut Connection,
    dir: &Path,
    orphan: &Orphan,
    spent: PicoUsd,
    (actor, now): (&str, UnixMs),
) -> rusqlite::Result<bool> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let key = (orphan.kind.code(), &orphan.scope, orphan.every.code());
    let stored: Option<i64> = transaction
        .query_row("SELECT id FROM budget WHERE kind = ?1 AND scope = ?2 AND every = ?3", key, |row| {
            row.get(0)
        })
        .optional()?;
    let Some(stored) = stored else { return Ok(false) };
    let lease = (stored, orphan.start.0.cast_signed(), orphan.holder);
    let over: Option<i64> = transaction
        .query_row(
            "DELETE FROM budget_lease WHERE budget = ?1 AND start_ms = ?2 AND holder = ?3 RETURNING over",
            lease,
            |row| row.get(0),
        )
        .optional()?;
    let Some(over) = over else { return Ok(false) };
    books::book(&transaction, stored, orphan.start, spent.as_i64().unwrap_or(i64::MAX), over)?;
    audit::write(
        &transaction,
        &Entry {
            at: now,
            actor,
            action: "budget.reconcile",
            object: &format!("{} {}", orphan.kind.as_str(), orphan.scope),
            detail: serde_json::json!({
                "every": orphan.every.as_str(), "holder": orphan.holder, "leased": orphan.granted, "spent": spent,
            }),
        },
    )?;
    transaction.commit()?;
    Holder::bury(db, dir, orphan.holder)?;
    Ok(true)
}

fn codes(kind: i64, every: i64) -> rusqlite::Result<(ScopeKind, Every)> {
    let unknown = |column: usize| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Integer,
            "a code that this version does not know".into(),
        )
    };
    Ok((
        ScopeKind::from_code(kind).ok_or_else(|| unknown(0))?,
        Every::from_code(every).ok_or_else(|| unknown(2))?,
    ))
}
