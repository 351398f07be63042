//! An exchange as a row and back, exactly.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{AnswerFacts, Caller, Exchange, TargetUsed};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Bill;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};
use rustc_hash::FxHashMap;

use crate::codes::{self, Flags, Wide};
use crate::extra::{self, Extra};
use crate::names::{Names, Slot, Sort};
use crate::numbers::Numbers;
use crate::rollup::Group;
use crate::totals::Class;

/// The columns of a row, in the order of [`bind`] and [`read`].
pub(crate) const COLUMNS: &str = "rowid, id, started_ms, key, application, asked, vendor, model, price, \
    outcome, flags, status, cost, numbers, answer_id, answer_model, tier, extra";

/// The one statement of the hot table.
pub(crate) fn insert_sql() -> String {
    let places: Vec<String> = (1..=18).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO exchange ({COLUMNS}) VALUES ({})", places.join(", "))
}

/// The names of an exchange, as slots.
struct Named<'a> {
    key: Slot<'a>,
    application: Slot<'a>,
    asked: Slot<'a>,
    vendor: Slot<'a>,
    model: Slot<'a>,
    price: Slot<'a>,
    answer_model: Slot<'a>,
    tier: Slot<'a>,
}

impl<'a> Named<'a> {
    fn of(exchange: &'a Exchange, names: &mut Names, db: &Connection) -> rusqlite::Result<Self> {
        let target = exchange.target.as_ref();
        let mut enter = |sort: Sort, text: Option<&'a str>| match text {
            Some(text) => names.enter(db, sort, text),
            None => Ok(Slot::None),
        };
        Ok(Self {
            key: enter(Sort::Key, Some(&exchange.caller.key))?,
            application: enter(Sort::Application, Some(&exchange.caller.application))?,
            vendor: enter(Sort::Vendor, target.map(|target| &*target.vendor))?,
            model: enter(Sort::Model, target.map(|target| &*target.model))?,
            price: enter(Sort::Price, target.and_then(|target| target.price.as_deref()))?,
            tier: enter(Sort::Tier, exchange.answer.service_tier.as_deref())?,
            // After `model`: most clients ask for the model's own name, which then has an id.
            asked: names.look_up(Sort::Model, &exchange.asked),
            answer_model: match exchange.answer.model.as_deref() {
                Some(model) => names.look_up(Sort::Model, model),
                None => Slot::None,
            },
        })
    }
}

/// Binds an exchange to the statement of [`insert_sql`]; gives the group that its totals belong to.
pub(crate) fn bind(
    insert: &mut Statement<'_>,
    db: &Connection,
    names: &mut Names,
    rowid: i64,
    exchange: &Exchange,
    scratch: &mut Vec<u8>,
) -> rusqlite::Result<Group> {
    let (answer, bill) = (&exchange.answer, &exchange.bill);
    let named = Named::of(exchange, names, db)?;
    let flags = Flags {
        client: exchange.client_dialect,
        target: exchange.target.as_ref().map(|target| target.dialect),
        streamed: exchange.streamed,
        provenance: bill.provenance,
        finish: answer.finish,
    };
    let numbers = Numbers {
        usage: bill.usage,
        timings: exchange.timings,
        request_bytes: exchange.request_bytes,
        answer_bytes: exchange.answer_bytes,
        estimated_output: bill.estimated_output,
    };
    insert.raw_bind_parameter(1, rowid)?;
    insert.raw_bind_parameter(2, exchange.id.0.to_be_bytes().as_slice())?;
    insert.raw_bind_parameter(3, Wide::from(exchange.started_at.0))?;
    insert.raw_bind_parameter(4, named.key)?;
    insert.raw_bind_parameter(5, named.application)?;
    insert.raw_bind_parameter(6, named.asked)?;
    insert.raw_bind_parameter(7, named.vendor)?;
    insert.raw_bind_parameter(8, named.model)?;
    insert.raw_bind_parameter(9, named.price)?;
    insert.raw_bind_parameter(10, codes::of_outcome(exchange.outcome))?;
    insert.raw_bind_parameter(11, flags.pack())?;
    insert.raw_bind_parameter(12, exchange.status)?;
    insert.raw_bind_parameter(13, bill.cost.known().map(|cost| Wide(cost.0)))?;
    insert.raw_bind_parameter(14, numbers.pack().as_slice())?;
    insert.raw_bind_parameter(15, answer.id.as_deref())?;
    insert.raw_bind_parameter(16, named.answer_model)?;
    insert.raw_bind_parameter(17, named.tier)?;
    insert.raw_bind_parameter(18, extra_slot(exchange, names, db, scratch)?)?;
    Ok(Group {
        key: named.key.group(),
        application: named.application.group(),
        vendor: named.vendor.group(),
        model: named.model.group(),
        price: named.price.group(),
        class: Class::of(exchange).code(),
    })
}

fn extra_slot<'a>(
    exchange: &Exchange,
    names: &mut Names,
    db: &Connection,
    scratch: &'a mut Vec<u8>,
) -> rusqlite::Result<Slot<'a>> {
    let written = extra::write(exchange, scratch);
    let Some(shared) = written.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?
    else {
        return Ok(Slot::None);
    };
    let text = std::str::from_utf8(scratch).map_err(|error| rusqlite::Error::Utf8Error(18, error))?;
    // Calls of one route are edited alike, and a row with an id is half as long as one with the text.
    if shared { names.enter(db, Sort::Change, text) } else { Ok(Slot::Text(text)) }
}

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

/// Reads a row of [`COLUMNS`] as its rowid and its exchange.
pub(crate) fn read(row: &Row<'_>, texts: &Texts) -> rusqlite::Result<(i64, Exchange)> {
    let name = |column: usize| text(row, texts, column);
    let id: [u8; 16] = row.get(1)?;
    let flags = Flags::unpack(row.get(10)?).ok_or_else(|| wrong(10, "unknown flags"))?;
    let numbers = Numbers::unpack(row.get_ref(13)?.as_blob()?).ok_or_else(|| wrong(13, "unknown counts"))?;
    let mut extra = match name(17)? {
        None => Extra::default(),
        Some(text) => Extra::parse(&text).map_err(|error| wrong(17, &error.to_string()))?,
    };
    let receipt = extra.take_receipt();
    let target = match (flags.target, name(6)?, name(7)?) {
        (Some(dialect), Some(vendor), Some(model)) => {
            Some(TargetUsed { vendor, model, dialect, price: name(8)? })
        }
        _ => None,
    };
    let known = |cost: Option<PicoUsd>| cost.map_or(Cost::Unknown, Cost::Known);
    let exchange = Exchange {
        id: ExchangeId(u128::from_be_bytes(id)),
        started_at: UnixMs(row.get::<_, Wide>(2)?.unsigned()?),
        caller: Caller {
            key: name(3)?.unwrap_or_default(),
            application: name(4)?.unwrap_or_default(),
            end_user: extra.end_user,
        },
        client_dialect: flags.client,
        asked: name(5)?.unwrap_or_default(),
        target,
        streamed: flags.streamed,
        outcome: codes::outcome(row.get(9)?).ok_or_else(|| wrong(9, "an unknown outcome"))?,
        status: row.get(11)?,
        answer: AnswerFacts {
            id: row.get(14)?,
            model: name(15)?.map(|model| (*model).into()),
            finish: flags.finish,
            service_tier: name(16)?.map(|tier| (*tier).into()),
            tools: extra.tools,
        },
        bill: Bill {
            usage: numbers.usage,
            provenance: flags.provenance,
            estimated_output: numbers.estimated_output,
            cost: known(row.get::<_, Option<Wide>>(12)?.map(|cost| PicoUsd(cost.0))),
            estimated_cost: known(extra.estimated_cost),
        },
        timings: numbers.timings,
        request_bytes: numbers.request_bytes,
        answer_bytes: numbers.answer_bytes,
        receipt,
    };
    Ok((row.get(0)?, exchange))
}
