//! Exchanges as the ledger has them.

use http::StatusCode;
use pilothouse_core::exchange::{
    Attempt, Caller, Chosen, Exchange, Note, Outcome, Outrun, PaidAnswer, Receipt, Standing, TargetUsed,
    Timings,
};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::Cost;
use pilothouse_core::usage::{Bill, Usage};
use pilothouse_store::Filter;
use serde_json::Value;

use super::query::cursor;
use super::refusal::Refusal;
use super::shape::{Moment, Money, Page, Seldom, shape};
use super::{Answered, Ask, ledger_failed, reply};

shape! {
    foreign
    /// Who called.
    CallerView of Caller {
        /// The name of the key; empty when none is configured.
        key: String,
        /// The program.
        application: String,
        /// The person behind, from the request's user field.
        end_user: Option<String>,
    }
}

shape! {
    foreign
    /// The target that took a call.
    TargetUsedView of TargetUsed {
        /// The provider's name.
        vendor: String,
        /// The model's id on the wire.
        model: String,
        /// The wire format spoken to the vendor.
        dialect: String,
        /// The catalogue's price row that made the cost; null when the price is unknown.
        price: Option<String>,
    }
}

shape! {
    foreign
    /// Token counts in disjoint classes.
    UsageCounts of Usage {
        /// Input at full price.
        input: u64,
        /// Input served from the vendor's prompt cache.
        cache_read: u64,
        /// Input written to the vendor's prompt cache, kept five minutes.
        cache_write_5m: u64,
        /// Input written to the vendor's prompt cache, kept one hour.
        cache_write_1h: u64,
        /// Input of audio.
        input_audio: u64,
        /// Output that is neither reasoning nor audio.
        output: u64,
        /// Output spent on reasoning.
        reasoning: u64,
        /// Output of audio.
        output_audio: u64,
    }
}

shape! {
    foreign
    /// Where the time went, in microseconds after the exchange's start.
    TimingsView of Timings {
        /// Until the last attempt's request had been handed over.
        sent_us: Option<u64>,
        /// Until the answer's headers.
        headers_us: Option<u64>,
        /// Until the first event or byte with model output.
        first_token_us: Option<u64>,
        /// Until the last byte.
        total_us: u64,
    }
}

shape! {
    foreign
    /// One edit, loss or note.
    NoteView of Note {
        /// A code that programs can count.
        code: String,
        /// Words for people; may be empty.
        detail: String,
    }
}

shape! {
    foreign
    /// A call that was cancelled because another one spoke first.
    OutrunView of Outrun {
        /// When it was sent, in microseconds after the exchange's start.
        began_us: u64,
        /// What its vendor may bill, in pico-dollars, by estimate.
        estimated_cost: Cost,
    }
}

shape! {
    foreign
    /// What one answer used and cost, in pico-dollars.
    BillView of Bill {
        /// Its tokens.
        usage: Usage,
        /// `reported`, `partial` or `absent`.
        provenance: String,
        /// Output tokens estimated beyond these.
        estimated_output: u64,
        /// The price of the tokens.
        cost: Cost,
        /// The price of the estimate.
        estimated_cost: Cost,
        /// What the same answer had cost, of one from the cache.
        saved: Seldom<Cost>,
    }
}

shape! {
    foreign
    /// An answer that was paid for and not passed on.
    PaidAnswerView of PaidAnswer {
        /// Who answered.
        target: TargetUsed,
        /// The service tier that was billed.
        tier: Option<String>,
        /// What it used and cost.
        bill: Bill,
        /// What became of it, for people.
        why: String,
        /// When it was there, in microseconds after the exchange's start.
        ended_us: u64,
    }
}

shape! {
    foreign
    /// An attempt that failed.
    AttemptView of Attempt {
        /// The target that was tried.
        target: TargetUsed,
        /// How it failed.
        kind: String,
        /// The vendor's status, if one came.
        status: Option<u16>,
        /// When it had failed, in microseconds after the exchange's start.
        failed_us: u64,
        /// Of a hedge's call that did not fail but was cancelled.
        outrun: Seldom<Outrun>,
    }
}

shape! {
    foreign
    /// A target's place in a choice, or why it has none.
    StandingView of Standing {
        /// `PROVIDER/MODEL`.
        target: String,
        /// Why, for people.
        why: String,
    }
}

shape! {
    foreign
    /// Whom a route chose, and why.
    ChosenView of Chosen {
        /// The strategy's name.
        strategy: String,
        /// The targets in the order in which they were to be asked.
        order: Vec<Standing>,
        /// Those that could not take it.
        removed: Vec<Standing>,
        /// What the choice was made of: enough to make it again. Its form is the gateway's own.
        evidence: Seldom<Value>,
    }
}

shape! {
    foreign
    /// Why an exchange went as it did.
    Why of Receipt {
        /// What was changed in the request or answer.
        edits: Vec<Note>,
        /// What the target could not carry.
        losses: Vec<Note>,
        /// Attempts that failed before the one that was passed on.
        attempts: Vec<Attempt>,
        /// What else happened on the way.
        notes: Vec<Note>,
        /// Answers that were paid for and not passed on; the bill holds theirs too.
        answers: Seldom<Vec<PaidAnswer>>,
        /// Whom the route chose; null where the name that was asked for is no route.
        choice: Option<Chosen>,
        /// The message of the error, as the client read it.
        error: Option<String>,
    }
}

shape! {
    answer
    /// A tool that was called.
    ToolView {
        /// Its name.
        name: String,
        /// A hash of its arguments, to tell equal calls from different ones.
        arguments_hash: String,
    }
}

shape! {
    answer
    /// What was seen in the answer.
    AnswerView {
        /// The vendor's id of it.
        id: Option<String>,
        /// The model that the vendor says answered.
        model: Option<String>,
        /// Why it stopped.
        finish: Option<&'static str>,
        /// The service tier that was billed.
        service_tier: Option<String>,
        /// The tools that were called, in order.
        tools: Vec<ToolView>,
    }
}

shape! {
    answer
    /// What is estimated beyond the last usage seen; never part of the other figures.
    EstimateView {
        /// Tokens of output.
        output_tokens: u64,
        /// Their price, where it is known.
        cost: Option<Money>,
    }
}

shape! {
    answer
    /// One exchange.
    ReceiptView {
        /// Its id, also sent to the client as `x-pilothouse-exchange`.
        id: String,
        /// When its request had been read.
        started_at: Moment,
        /// The same in milliseconds since 1970.
        started_at_ms: u64,
        /// Who called.
        caller: Caller,
        /// The wire format of the client.
        client_dialect: String,
        /// The model or route that was asked for.
        asked: String,
        /// Who took it; null when nobody was reached.
        target: Option<TargetUsed>,
        /// Whether the client asked for a stream.
        streamed: bool,
        /// `complete`, `cancelled`, or the class of the error.
        outcome: &'static str,
        /// The HTTP status that the client got.
        status: u16,
        /// What was seen in the answer.
        answer: AnswerView,
        /// Its tokens.
        usage: Usage,
        /// `reported`, `partial` or `absent`.
        usage_provenance: &'static str,
        /// What it cost; null where that is unknown.
        cost: Option<Money>,
        /// What is estimated besides.
        estimate: EstimateView,
        /// What the same answer had cost, of one from the cache; null where that is unknown, and for all others.
        saved: Option<Money>,
        /// Where the time went.
        timings: Timings,
        /// Bytes of the request's body.
        request_bytes: u64,
        /// Bytes of the answer's body.
        answer_bytes: u64,
        /// Why it went so; null when nothing was edited, lost, retried or wrong.
        receipt: Option<Box<Receipt>>,
    }
}

impl ReceiptView {
    fn of(exchange: &Exchange) -> Self {
        let (answer, bill) = (&exchange.answer, &exchange.bill);
        let text = |text: &str| text.to_owned();
        let tool = |tool: &pilothouse_core::exchange::ToolUse| ToolView {
            name: tool.name.to_string(),
            // As text: a program that reads numbers as floats would round it.
            arguments_hash: format!("{:016x}", tool.arguments_hash),
        };
        Self {
            id: exchange.id.to_string(),
            started_at: Moment(exchange.started_at),
            started_at_ms: exchange.started_at.0,
            caller: exchange.caller.clone(),
            client_dialect: exchange.client_dialect.to_string(),
            asked: exchange.asked.to_string(),
            target: exchange.target.clone(),
            streamed: exchange.streamed,
            outcome: exchange.outcome.as_str(),
            status: exchange.status,
            answer: AnswerView {
                id: answer.id.as_deref().map(text),
                model: answer.model.as_deref().map(text),
                finish: answer.finish.map(pilothouse_core::exchange::Finish::as_str),
                service_tier: answer.service_tier.as_deref().map(text),
                tools: answer.tools.iter().map(tool).collect(),
            },
            usage: bill.usage,
            usage_provenance: bill.provenance.as_str(),
            cost: Money::of(bill.cost),
            estimate: EstimateView {
                output_tokens: bill.estimated_output,
                cost: Money::of(bill.estimated_cost),
            },
            saved: bill.saved.and_then(Money::of),
            timings: exchange.timings,
            request_bytes: exchange.request_bytes,
            answer_bytes: exchange.answer_bytes,
            receipt: exchange.receipt.clone(),
        }
    }
}

/// An exchange as JSON, as the administration and the command line write it. Names are added over time, never changed.
#[must_use]
pub fn exchange_json(exchange: &Exchange) -> Value {
    serde_json::to_value(ReceiptView::of(exchange)).unwrap_or_default()
}

pub(super) fn list(ask: &Ask) -> Answered {
    let text = |name: &str| ask.query.text(name).map(str::to_owned);
    let outcome = ask.query.text("outcome").map(|word| {
        Outcome::parse(word).ok_or_else(|| {
            let reason =
                format!("`{word}` is no outcome; there are complete, cancelled, and the classes of errors");
            Refusal::invalid("the parameter `outcome`", reason)
        })
    });
    let rows = ask.query.rows() as usize;
    let filter = Filter {
        since: ask.query.moment("since").map(|at| at.0),
        until: ask.query.moment("until").map(|at| at.0),
        key: text("key"),
        model: text("model"),
        vendor: text("vendor"),
        application: text("application"),
        outcome: outcome.transpose()?,
        errors_only: ask.query.flag("errors_only"),
        limit: rows + 1,
        before_rowid: ask.query.cursor_number()?,
        ..Filter::default()
    };
    let found = ask.ledger()?.exchanges(&filter).map_err(ledger_failed)?;
    let has_more = found.len() > rows;
    let next_cursor =
        found.get(rows.saturating_sub(1)).filter(|_| has_more).map(|last| cursor(&last.rowid.to_string()));
    let items = found.iter().take(rows).map(|row| ReceiptView::of(&row.exchange)).collect();
    reply(StatusCode::OK, &Page { items, next_cursor })
}

pub(super) fn show(ask: &Ask) -> Answered {
    let thing = format!("the exchange `{}`", ask.id);
    let id: ExchangeId = ask.id.parse().map_err(|why: String| Refusal::invalid(&thing, why))?;
    let found = ask.ledger()?.exchange(id).map_err(ledger_failed)?;
    let missing = || {
        Refusal::new(
            404,
            &thing,
            "it is not recorded, or its details are not kept any more",
            "GET /api/v1/receipts lists those there are",
        )
    };
    reply(StatusCode::OK, &ReceiptView::of(&found.ok_or_else(missing)?))
}
