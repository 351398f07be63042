//! The durable side of budgets: who has leased how much of which period.
//!
//! What stands here for a lease is never less than what its holder has in memory: a grant is on disk before it
//! is in memory, and what goes back leaves memory first. A holder writes the whole amount of its own lease,
//! never a difference, so a commit of which nobody knows whether it happened can be repeated.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use rusqlite::{Connection, OptionalExtension, Row};
use rustc_hash::FxHashSet;

use super::account::{Slot, after};
use super::calendar::{Every, Period};
use super::rule::{Alert, Rule, ScopeKind};

/// A wish that could not be paid is seen by other holders for so long.
const WISH_MS: u64 = 5_000;

/// What a holder asks of one account: to note where it stands, and to have more.
pub(super) struct Ask {
    pub(super) stored: Option<i64>,
    pub(super) kind: ScopeKind,
    pub(super) scope: Arc<str>,
    pub(super) rule: Arc<Rule>,
    pub(super) slot: Slot,
    /// How much more would be good to have; 0 to note only.
    pub(super) want: i64,
    /// How much of it somebody is waiting for.
    pub(super) need: i64,
    /// Whether the period has not begun yet.
    pub(super) is_ahead: bool,
    pub(super) now: UnixMs,
}

/// What the store says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) stored: i64,
    /// The period that is open; not always the one that was asked for.
    pub(super) period: Period,
    pub(super) granted: i64,
    /// Granted, settled and over as they stand on disk now.
    pub(super) sums: (i64, i64, i64),
    /// What nobody has leased after this; below zero when the limit was lowered under what is leased.
    pub(super) unleased: i64,
    pub(super) alerts: Vec<Alert>,
}

/// One period as it stands on disk.
struct Open {
    period: Period,
    closed: i64,
    over: i64,
    alerted: u16,
}

/// Leases of one period.
#[derive(Default)]
struct Leases {
    /// Granted, settled, over.
    mine: Option<(i64, i64, i64)>,
    others: i64,
    others_spent: i64,
    holders: usize,
}

fn ms(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixMs> {
    row.get::<_, i64>(column).map(|at| UnixMs(at.cast_unsigned()))
}

fn stored_ms(at: UnixMs) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// Notes where a holder stands and leases it more, within the caller's transaction.
pub(super) fn serve(db: &Connection, holder: i64, ask: &Ask) -> rusqlite::Result<Answer> {
    let stored = match ask.stored {
        Some(stored) => stored,
        None => enter(db, ask.kind, &ask.scope, ask.rule.calendar().every())?,
    };
    let open = open_period(db, stored, ask)?;
    let leases = leases(db, stored, open.period.start, holder)?;
    // Of another period than the one asked for, and of one that is fetched ahead, this holder may have a lease already.
    let is_same = open.period.start == ask.slot.period.start && !ask.is_ahead;
    let before = if is_same { ask.slot.sums() } else { leases.mine.unwrap_or_default() };
    let balance = i128::from(ask.rule.limit)
        - i128::from(open.closed)
        - i128::from(leases.others)
        - i128::from(before.0);
    let balance = i64::try_from(balance).unwrap_or(i64::MIN);
    let granted = grant(balance, ask, leases.holders == 0);
    let sums = (before.0 + granted, before.1, before.2);
    if leases.mine.is_some() && sums == (0, 0, 0) {
        // A holder without a lease is none: the others need not share with it.
        delete_lease(db, (stored, open.period.start, holder))?;
    } else if leases.mine.unwrap_or_default() != sums {
        write_lease(db, (stored, open.period.start, holder), sums)?;
    }
    if granted < ask.need && leases.holders > 0 {
        wish(db, (stored, open.period.start, holder), ask.now)?;
    }
    let spent = [open.closed, open.over, leases.others_spent, sums.1, sums.2];
    let spent = spent.into_iter().fold(0i64, i64::saturating_add);
    let alerts = alert(db, stored, &open, ask, spent)?;
    Ok(Answer { stored, period: open.period, granted, sums, unleased: balance - granted, alerts })
}

fn write_lease(
    db: &Connection,
    (stored, start, holder): (i64, UnixMs, i64),
    (granted, settled, over): (i64, i64, i64),
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO budget_lease (budget, start_ms, holder, granted, settled, over) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (budget, start_ms, holder) DO UPDATE SET \
         granted = excluded.granted, settled = excluded.settled, over = excluded.over",
    )?
    .execute((stored, stored_ms(start), holder, granted, settled, over))
    .map(drop)
}

fn delete_lease(db: &Connection, (stored, start, holder): (i64, UnixMs, i64)) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM budget_lease WHERE budget = ?1 AND start_ms = ?2 AND holder = ?3")?
        .execute((stored, stored_ms(start), holder))
}

/// Alone, a holder gets what it wants. With others it gets at most half of what is left, so that near the end all
/// still have a part, unless somebody waits for more.
fn grant(balance: i64, ask: &Ask, is_alone: bool) -> i64 {
    if balance <= 0 {
        return 0;
    }
    let want = ask.want.max(ask.need);
    if is_alone { want.min(balance) } else { want.min(balance / 2).max(ask.need.min(balance)) }
}

fn enter(db: &Connection, kind: ScopeKind, scope: &str, every: Every) -> rusqlite::Result<i64> {
    let key = (kind.code(), scope, every.code());
    db.prepare_cached("INSERT INTO budget (kind, scope, every) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute(key)?;
    db.prepare_cached("SELECT id FROM budget WHERE kind = ?1 AND scope = ?2 AND every = ?3")?
        .query_row(key, |row| row.get(0))
}

/// The newest period that has begun, or the next where that one is over.
fn open_period(db: &Connection, stored: i64, ask: &Ask) -> rusqlite::Result<Open> {
    let newest = db
        .prepare_cached(
            "SELECT start_ms, end_ms, closed, over, alerted FROM budget_period \
             WHERE budget = ?1 AND has_begun = 1 ORDER BY start_ms DESC LIMIT 1",
        )?
        .query_row([stored], read_period)
        .optional()?;
    let mut period = ask.slot.period;
    if let Some(newest) = newest {
        // A clock that went back, or one that lags behind another process's, opens no period again.
        if period.start <= newest.period.start || (!ask.is_ahead && ask.now.0 < newest.period.end.0) {
            return Ok(newest);
        }
        period = after(&newest.period, period);
    }
    db.prepare_cached(
        "INSERT INTO budget_period (budget, start_ms, end_ms, has_begun) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (budget, start_ms) DO UPDATE SET has_begun = max(has_begun, excluded.has_begun)",
    )?
    .execute((stored, stored_ms(period.start), stored_ms(period.end), !ask.is_ahead))?;
    db.prepare_cached(
        "SELECT start_ms, end_ms, closed, over, alerted FROM budget_period \
         WHERE budget = ?1 AND start_ms = ?2",
    )?
    .query_row((stored, stored_ms(period.start)), read_period)
}

fn read_period(row: &Row<'_>) -> rusqlite::Result<Open> {
    Ok(Open {
        period: Period { start: ms(row, 0)?, end: ms(row, 1)? },
        closed: row.get(2)?,
        over: row.get(3)?,
        alerted: row.get(4)?,
    })
}

/// Lets the other holders know that somebody waits for what they may have to spare.
fn wish(db: &Connection, (stored, start, holder): (i64, UnixMs, i64), now: UnixMs) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO budget_wish (budget, start_ms, holder, at_ms) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (budget, start_ms, holder) DO UPDATE SET at_ms = excluded.at_ms",
    )?
    .execute((stored, stored_ms(start), holder, stored_ms(now)))
    .map(drop)
}

/// The accounts and periods of which some other holder lacks a lease.
pub(super) fn wishes(
    db: &Connection,
    holder: i64,
    now: UnixMs,
) -> rusqlite::Result<FxHashSet<(i64, UnixMs)>> {
    let since = stored_ms(UnixMs(now.0.saturating_sub(WISH_MS)));
    let mut select = db.prepare_cached(
        "SELECT budget, start_ms FROM budget_wish WHERE holder <> ?1 AND at_ms BETWEEN ?2 AND ?3 LIMIT 4096",
    )?;
    let found = select.query_map((holder, since, stored_ms(now)), |row| Ok((row.get(0)?, ms(row, 1)?)))?;
    found.collect()
}

fn leases(db: &Connection, stored: i64, start: UnixMs, holder: i64) -> rusqlite::Result<Leases> {
    let mut select = db.prepare_cached(
        "SELECT holder, granted, settled, over FROM budget_lease WHERE budget = ?1 AND start_ms = ?2",
    )?;
    let mut rows = select.query((stored, stored_ms(start)))?;
    let mut found = Leases::default();
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(0)? == holder {
            found.mine = Some((row.get(1)?, row.get(2)?, row.get(3)?));
            continue;
        }
        found.holders += 1;
        found.others = found.others.saturating_add(row.get(1)?);
        found.others_spent = found.others_spent.saturating_add(row.get(2)?).saturating_add(row.get(3)?);
    }
    Ok(found)
}

/// The largest share that is met and was not told yet: telling it tells the smaller ones.
fn alert(db: &Connection, stored: i64, open: &Open, ask: &Ask, spent: i64) -> rusqlite::Result<Vec<Alert>> {
    let met: Vec<u16> = ask.rule.met(spent).filter(|share| *share > open.alerted).collect();
    let Some(largest) = met.last() else { return Ok(Vec::new()) };
    db.prepare_cached("UPDATE budget_period SET alerted = ?3 WHERE budget = ?1 AND start_ms = ?2")?
        .execute((stored, stored_ms(open.period.start), *largest))?;
    for share in &met {
        write_alert(db, open, ask, *share, spent)?;
    }
    let told = |per_mille| Alert {
        kind: ask.kind,
        scope: ask.scope.as_ref().into(),
        every: ask.rule.calendar().every(),
        per_mille,
        spent: PicoUsd(spent.into()),
        limit: ask.rule.limit(),
    };
    Ok(met.into_iter().map(told).collect())
}

/// Alerts that are kept; the oldest beyond are forgotten.
pub(crate) const ALERTS_KEPT: i64 = 10_000;

/// Keeps an alert in the transaction that says it was told: it is neither lost nor told twice.
fn write_alert(db: &Connection, open: &Open, ask: &Ask, per_mille: u16, spent: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO alert (at_ms, kind, scope, every, start_ms, per_mille, spent, cap) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        stored_ms(ask.now),
        ask.kind.code(),
        &*ask.scope,
        ask.rule.calendar().every().code(),
        stored_ms(open.period.start),
        per_mille,
        spent,
        ask.rule.limit,
    ))?;
    db.prepare_cached("DELETE FROM alert WHERE id <= ?1")?
        .execute([db.last_insert_rowid() - ALERTS_KEPT])
        .map(drop)
}

/// Takes a lease back: `spent` of it is spent for good, the rest is the balance's again.
pub(super) fn close(
    db: &Connection,
    holder: i64,
    stored: i64,
    slot: &Slot,
    spent: i64,
) -> rusqlite::Result<()> {
    let deleted = delete_lease(db, (stored, slot.period.start, holder))?;
    // Without a row it was closed before: by a commit that seemed to fail, or by its end (see `lapse`).
    if deleted == 0 && slot.granted > 0 {
        return Ok(());
    }
    book(db, stored, slot.period.start, spent, slot.over)
}

/// Adds to what is spent for good. In Rust, because SQLite would turn a sum that overflows into a float.
pub(super) fn book(
    db: &Connection,
    stored: i64,
    start: UnixMs,
    spent: i64,
    over: i64,
) -> rusqlite::Result<()> {
    let key = (stored, stored_ms(start));
    let before = db
        .prepare_cached("SELECT closed, over FROM budget_period WHERE budget = ?1 AND start_ms = ?2")?
        .query_row(key, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let Some((closed, over_before)) = before else { return Ok(()) };
    db.prepare_cached("UPDATE budget_period SET closed = ?3, over = ?4 WHERE budget = ?1 AND start_ms = ?2")?
        .execute((key.0, key.1, closed.saturating_add(spent), over_before.saturating_add(over)))
        .map(drop)
}

/// How long after its period's end a lease that nobody gave back is booked as spent.
const LAPSE_MS: u64 = 24 * 3_600_000;

/// Rows of runs that are kept; the oldest beyond are forgotten.
const RUNS_MAX: i64 = 1_000_000;

/// Leases whose period is long over are booked as spent, and old periods are forgotten. Never the newest of a budget:
/// a clock that was ahead for a while must find it.
pub(super) fn lapse(db: &Connection, now: UnixMs) -> rusqlite::Result<()> {
    let before = stored_ms(UnixMs(now.0.saturating_sub(LAPSE_MS)));
    let mut select = db.prepare_cached(
        "SELECT l.budget, l.start_ms, l.holder, l.granted, l.over FROM budget_lease l \
         JOIN budget_period p ON p.budget = l.budget AND p.start_ms = l.start_ms WHERE p.end_ms < ?1 LIMIT 256",
    )?;
    let lapsed = select.query_map([before], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            ms(row, 1)?,
            row.get::<_, i64>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, i64>(4)?,
        ))
    })?;
    for lease in lapsed.collect::<rusqlite::Result<Vec<_>>>()? {
        let (stored, start, holder, granted, over) = lease;
        delete_lease(db, (stored, start, holder))?;
        book(db, stored, start, granted, over)?;
    }
    db.prepare_cached(
        "DELETE FROM budget_period WHERE end_ms < ?1 AND ?1 - end_ms > 40 * (end_ms - start_ms) AND start_ms < \
         (SELECT max(start_ms) FROM budget_period n WHERE n.budget = budget_period.budget AND n.has_begun = 1) \
         AND NOT EXISTS (SELECT 1 FROM budget_lease l WHERE l.budget = budget_period.budget \
         AND l.start_ms = budget_period.start_ms)",
    )?
    .execute([before])?;
    db.prepare_cached("DELETE FROM budget_wish WHERE at_ms < ?1")?.execute([before])?;
    forget_runs(db)
}

fn forget_runs(db: &Connection) -> rusqlite::Result<()> {
    let run = ScopeKind::Run.code();
    let old = "SELECT id FROM budget WHERE kind = ?1 AND id < (SELECT max(id) FROM budget) - ?2 AND id NOT IN \
               (SELECT budget FROM budget_lease)";
    db.prepare_cached(&format!("DELETE FROM budget_period WHERE budget IN ({old})"))?
        .execute((run, RUNS_MAX))?;
    db.prepare_cached(&format!("DELETE FROM budget WHERE id IN ({old})"))?.execute((run, RUNS_MAX)).map(drop)
}
