//! Who used what, and what it cost.

use http::StatusCode;
use pilothouse_store::{By, Slice, Tokens, Totals, UsageQuery};

use super::shape::{Count, Moment, Money, shape};
use super::{Answered, Ask, ledger_failed, reply};

shape! {
    answer
    /// Sums of tokens in disjoint classes; a text where a number would be beyond 64 bits.
    TokenSums {
        /// Input at full price.
        input: Count,
        /// Input served from the vendors' prompt caches.
        cache_read: Count,
        /// Input written to the vendors' prompt caches, kept five minutes.
        cache_write_5m: Count,
        /// Input written to the vendors' prompt caches, kept one hour.
        cache_write_1h: Count,
        /// Input of audio.
        input_audio: Count,
        /// Output that is neither reasoning nor audio.
        output: Count,
        /// Output spent on reasoning.
        reasoning: Count,
        /// Output of audio.
        output_audio: Count,
        /// All input.
        input_total: Count,
        /// All output.
        output_total: Count,
    }
}

shape! {
    answer
    /// Exchanges whose usage comes from the same kind of source.
    SliceView {
        /// How many.
        exchanges: u64,
        /// Their tokens.
        tokens: TokenSums,
        /// How many of them have a known cost.
        priced_exchanges: u64,
        /// The cost of those, and of the answers that were not passed on.
        cost: Money,
        /// Answers that were paid for and not passed on, whose tokens are in these.
        answers_not_passed_on: u64,
    }
}

shape! {
    answer
    /// What is estimated beyond the last usage seen; never part of the other figures.
    EstimateSums {
        /// Exchanges with an estimate.
        exchanges: u64,
        /// Output tokens estimated.
        output_tokens: Count,
        /// The price of those whose price is known.
        cost: Money,
        /// Estimates without a known price.
        cost_unknown_exchanges: u64,
    }
}

shape! {
    answer
    /// What the cache answered.
    CacheSums {
        /// Exchanges that it answered.
        hits: u64,
        /// What those answers had cost when a vendor gave them; never part of the cost.
        saved: Money,
    }
}

shape! {
    answer
    /// Sums over exchanges.
    TotalsView {
        /// The group's name; null for the sum, and for exchanges without one.
        name: Option<String>,
        /// All exchanges.
        exchanges: u64,
        /// Those whose answer arrived whole.
        complete: u64,
        /// Those whose client went away.
        cancelled: u64,
        /// Those that failed.
        failed: u64,
        /// Those that never reached a vendor.
        unsent: u64,
        /// Their tokens, as vendors said.
        tokens: TokenSums,
        /// The known cost.
        cost: Money,
        /// Exchanges that reached a vendor and whose cost is unknown; never counted as zero.
        cost_unknown_exchanges: u64,
        /// Usage of whole answers.
        reported: SliceView,
        /// Usage of answers that were cut or cancelled.
        partial: SliceView,
        /// Exchanges without any usage.
        absent: SliceView,
        /// What is estimated besides.
        estimate: EstimateSums,
        /// Answers that were paid for and not passed on (cheap ones of cascades, streams that were continued): by model, each is in
        /// the row of its own.
        answers_not_passed_on: u64,
        /// What the cache answered.
        cache: CacheSums,
    }
}

shape! {
    answer
    /// Usage and cost by group.
    UsageView {
        /// What the rows are.
        by: &'static str,
        /// The first moment that is counted: an hour's beginning; null for everything.
        since: Option<Moment>,
        /// The first moment that is no longer counted; null for everything.
        until: Option<Moment>,
        /// The groups: by time for days, else the most expensive first; at most 1,000, the rest is in the sum.
        rows: Vec<TotalsView>,
        /// How many groups there are.
        rows_total: usize,
        /// The sum of all groups.
        total: TotalsView,
        /// Exchanges among them whose details were lost.
        details_lost: u64,
    }
}

/// Groups of one answer, at most.
const ROWS_MAX: usize = 1000;

fn tokens(tokens: &Tokens) -> TokenSums {
    TokenSums {
        input: Count(tokens.input),
        cache_read: Count(tokens.cache_read),
        cache_write_5m: Count(tokens.cache_write_5m),
        cache_write_1h: Count(tokens.cache_write_1h),
        input_audio: Count(tokens.input_audio),
        output: Count(tokens.output),
        reasoning: Count(tokens.reasoning),
        output_audio: Count(tokens.output_audio),
        input_total: Count(tokens.input_total()),
        output_total: Count(tokens.output_total()),
    }
}

fn slice(slice: &Slice) -> SliceView {
    SliceView {
        exchanges: slice.exchanges,
        tokens: tokens(&slice.tokens),
        priced_exchanges: slice.priced,
        cost: Money(slice.cost),
        answers_not_passed_on: slice.answers,
    }
}

fn totals(name: Option<String>, totals: &Totals) -> TotalsView {
    TotalsView {
        name,
        exchanges: totals.exchanges,
        complete: totals.complete,
        cancelled: totals.cancelled,
        failed: totals.failed,
        unsent: totals.unsent,
        tokens: tokens(&totals.tokens()),
        cost: Money(totals.cost()),
        cost_unknown_exchanges: totals.cost_unknown,
        reported: slice(&totals.reported),
        partial: slice(&totals.partial),
        absent: slice(&totals.absent),
        estimate: EstimateSums {
            exchanges: totals.estimates,
            output_tokens: Count(totals.estimated_output),
            cost: Money(totals.estimated_cost),
            cost_unknown_exchanges: totals.estimates_unpriced,
        },
        answers_not_passed_on: totals.answers,
        cache: CacheSums { hits: totals.hits, saved: Money(totals.saved) },
    }
}

pub(super) fn show(ask: &Ask) -> Answered {
    let by = ask.query.text("by").and_then(By::parse).unwrap_or(By::Model);
    let at = |name: &str| ask.query.moment(name).map(|at| at.0);
    let query = UsageQuery { by, since: at("since"), until: at("until") };
    let report = ask.ledger()?.usage(&query).map_err(ledger_failed)?;
    let rows_total = report.rows.len();
    let view = UsageView {
        by: by.as_str(),
        since: report.since.map(Moment),
        until: report.until.map(Moment),
        rows: report.rows.into_iter().take(ROWS_MAX).map(|row| totals(row.name, &row.totals)).collect(),
        rows_total,
        total: totals(None, &report.total),
        details_lost: report.details_lost,
    };
    reply(StatusCode::OK, &view)
}
