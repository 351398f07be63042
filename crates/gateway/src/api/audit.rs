//! Who changed what.

use http::StatusCode;
use pilothouse_store::AuditRecord;
use serde_json::Value;

use super::query::cursor;
use super::refusal::Refusal;
use super::shape::{Moment, Page, shape};
use super::{Answered, Ask, reply};

shape! {
    answer
    /// A change that was made.
    AuditView {
        /// Its number: records are numbered without a gap.
        id: i64,
        /// When.
        at: Moment,
        /// Who did it: `admin token`, `key NAME`, `user NAME` of a machine, or `this machine`.
        actor: String,
        /// What was done, such as `key.create`.
        action: String,
        /// To what.
        object: String,
        /// What it was made to be; never a secret.
        detail: Value,
    }
}

pub(super) fn list(ask: &Ask) -> Answered {
    let (before, rows) = (ask.query.cursor_number()?, ask.query.rows());
    let records = ask.keys()?.audit_before(before, rows + 1);
    let records = records.map_err(|error| Refusal::of_store(&error, "the audit"))?;
    let has_more = records.len() > rows as usize;
    let view = |record: AuditRecord| AuditView {
        id: record.id,
        at: Moment(record.at),
        actor: record.actor,
        action: record.action,
        object: record.object,
        detail: record.detail,
    };
    let items: Vec<AuditView> = records.into_iter().map(view).take(rows as usize).collect();
    let next_cursor = items.last().filter(|_| has_more).map(|last| cursor(&last.id.to_string()));
    reply(StatusCode::OK, &Page { items, next_cursor })
}
