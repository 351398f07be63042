//! An exchange in the making. However its request ends, finished or dropped, it is recorded once.

mod aside;
mod course;
mod holds;
mod life;
mod meter;
mod paid;
mod race;
mod resumed;
mod seats;
mod trial;

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError};

use http::HeaderValue;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::{
    AnswerFacts, Attempt, Caller, Exchange, Note, Outcome, Receipt, TargetUsed, Timings,
};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use pilothouse_wire::facts::Facts;
use tokio::time::Instant;

use crate::bodies::Watch;
use crate::kept::Place;
use crate::plan::Resolution;
use crate::plan::lifecycle::Life;
use crate::shared::Shared;

use course::Course;
use paid::Others;
use race::Side;
use seats::Seats;

pub(crate) use aside::{Aside, Tells};
pub(crate) use holds::{Accounts, Holds, Purpose, Run};
pub(crate) use meter::Meter;
pub(crate) use race::Racing;
pub(crate) use resumed::SetAside;
pub(crate) use trial::{Tested, Trial};

/// Bytes of text that make one token, about: used only for the labelled estimate of broken-off answers.
/// OpenAI's help centre gives four characters (<https://help.openai.com/en/articles/4936856>, 2026-11-22).
const BYTES_PER_TOKEN: u64 = 4;

/// An exchange in the making. Every level of the pipeline holds it twice, so that it is no larger than a pointer.
pub struct Job(Box<Parts>);

/// What a job consists of.
pub struct Parts {
    shared: Arc<Shared>,
    started: Instant,
    exchange: Option<Box<Exchange>>,
    resolution: Option<Arc<Resolution>>,
    /// A request has left for the vendor, so that a bill may come.
    was_sent: bool,
    /// The vendor bills no such call.
    is_free: bool,
    /// Whoever keeps the answer, and wants to know how it went.
    watch: Option<Arc<Watch>>,
    /// What an exchange on a route has besides.
    course: Option<Box<Course>>,
    /// What an exchange within limits or budgets holds.
    holds: Option<Box<Holds>>,
    /// What few exchanges have.
    rare: Option<Box<Rare>>,
}

/// What few exchanges have: apart, so that all others are small.
#[derive(Default)]
struct Rare {
    /// The cost, where it is not the price of the tokens.
    own_cost: Option<Cost>,
    /// Its places within limits on calls at once.
    seats: Seats,
    /// The first model that was gone, on the way.
    gone: Option<Arc<Resolution>>,
    /// Its part, where two calls race for the exchange.
    side: Option<Side>,
    /// Where it waits for a verdict on its answer, instead of being recorded when that has ended.
    trial: Option<Arc<Trial>>,
    /// What was paid for besides the answer that is passed on.
    others: Option<Others>,
    /// The end of the target that was asked for, where somebody else answers for it.
    life: Option<Arc<Life>>,
    /// What the conversation has drawn, to be found by the answer's id.
    drawn: Option<u64>,
}

impl Job {
    /// Begins an exchange.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, dialect: Dialect, caller: Caller, asked: Arc<str>) -> Self {
        let now = shared.clock.now();
        shared.metrics.in_flight.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let exchange = Exchange {
            id: shared.new_id(now),
            started_at: now,
            caller,
            client_dialect: dialect,
            asked,
            target: None,
            streamed: false,
            outcome: Outcome::Cancelled,
            status: 0,
            answer: AnswerFacts::default(),
            bill: Bill::default(),
            timings: Timings::default(),
            shape: None,
            request_bytes: 0,
            answer_bytes: 0,
            receipt: None,
        };
        Self::of(shared, Instant::now(), exchange)
    }

    /// A job that has nothing but its exchange.
    fn of(shared: &Arc<Shared>, started: Instant, exchange: Exchange) -> Self {
        Self(Box::new(Parts {
            shared: Arc::clone(shared),
            started,
            exchange: Some(Box::new(exchange)),
            resolution: None,
            was_sent: false,
            is_free: false,
            watch: None,
            course: None,
            holds: None,
            rare: None,
        }))
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Tells `watch` of what is chosen from now on, and how the exchange ended.
    pub(crate) fn watched_by(&mut self, watch: &Arc<Watch>) {
        self.watch = Some(Arc::clone(watch));
    }

    /// The exchange's id.
    #[must_use]
    pub fn id(&self) -> pilothouse_core::id::ExchangeId {
        self.exchange.as_ref().map(|exchange| exchange.id).unwrap_or_default()
    }

    /// How often a silent stream of it shows that it lives.
    #[must_use]
    pub fn ping_every(&self) -> std::time::Duration {
        self.shared.ping_every
    }

    /// When it began.
    pub(crate) fn started_at(&self) -> UnixMs {
        self.exchange.as_ref().map_or_else(|| self.shared.clock.now(), |exchange| exchange.started_at)
    }

    /// Seconds since 1970 at its start.
    #[must_use]
    pub fn started_seconds(&self) -> u64 {
        self.exchange.as_ref().map_or(0, |exchange| exchange.started_at.seconds())
    }

    /// Changes what is known of the exchange.
    pub fn note(&mut self, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = &mut self.exchange {
            change(exchange);
        }
    }

    /// Microseconds since the start.
    #[must_use]
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Says which target takes the call, in which dialect.
    pub fn chose(&mut self, resolution: &Arc<Resolution>, dialect: Dialect) {
        self.resolution = Some(Arc::clone(resolution));
        let used = resolution.target.used(dialect).cloned();
        self.note(|exchange| {
            exchange.asked = Arc::clone(&resolution.asked);
            exchange.target = used;
        });
        if let (Some(watch), Some(exchange)) = (&self.watch, &self.exchange) {
            watch.chose(exchange);
        }
    }

    /// The request has left for the vendor.
    pub fn sent(&mut self) {
        self.was_sent = true;
    }

    /// The vendor bills no such call: listing files, say.
    pub fn bills_nothing(&mut self) {
        self.is_free = true;
    }

    /// The cost, where it is not the price of the tokens: of searches, seconds, or tokens of pictures.
    pub fn costs(&mut self, cost: Cost) {
        self.rare().own_cost = Some(cost);
    }

    /// The answer comes from the cache: who made it, and what it had cost.
    pub(crate) fn recalled(&mut self, target: Option<TargetUsed>, saved: Cost) {
        self.note(|exchange| {
            exchange.bill.saved = Some(saved);
            exchange.target = target;
            exchange.status = 200;
        });
    }

    /// What the exchange resolved to.
    #[must_use]
    pub fn resolution(&self) -> Option<&Arc<Resolution>> {
        self.resolution.as_ref()
    }

    /// The answer's head has come.
    pub fn headers(&mut self, status: u16) {
        let now = self.elapsed_us();
        self.note(|exchange| {
            exchange.timings.headers_us = Some(now);
            exchange.status = status;
        });
    }

    /// The first model output has come.
    pub fn first_token(&mut self) {
        let now = self.elapsed_us();
        self.note(|exchange| exchange.timings.first_token_us = Some(now));
        self.target_spoke(now);
    }

    /// Bytes have been handed to the client.
    pub fn gave(&mut self, bytes: usize) {
        self.note(|exchange| exchange.answer_bytes += bytes as u64);
    }

    /// Writes an edit into the receipt.
    pub fn edited(&mut self, note: Note) {
        self.receipt(|receipt| receipt.edits.push(note));
    }

    /// Writes losses into the receipt.
    pub fn lost(&mut self, notes: Vec<Note>) {
        if !notes.is_empty() {
            self.receipt(|receipt| receipt.losses.extend(notes));
        }
    }

    /// Writes a failed attempt into the receipt.
    pub fn attempt_failed(&mut self, kind: Kind, status: Option<u16>) {
        let failed_us = self.elapsed_us();
        let Some(target) = self.exchange.as_ref().and_then(|exchange| exchange.target.clone()) else {
            return;
        };
        self.receipt(|receipt| {
            receipt.attempts.push(Attempt { target, kind, status, failed_us, outrun: None })
        });
    }

    /// Another target is asked: what was edited and lost for the one before holds no more.
    pub fn tries_again(&mut self) {
        self.attempt_settles();
        self.leaves();
        self.note(|exchange| {
            exchange.timings.headers_us = None;
            exchange.timings.first_token_us = None;
            if let Some(receipt) = &mut exchange.receipt {
                receipt.edits.clear();
                receipt.losses.clear();
            }
        });
    }

    /// Writes into the receipt what else happened on the way.
    pub fn noted(&mut self, note: Note) {
        self.receipt(|receipt| receipt.notes.push(note));
    }

    /// Attempts that failed so far.
    #[must_use]
    pub fn failed_attempts(&self) -> usize {
        let receipt = self.exchange.as_ref().and_then(|exchange| exchange.receipt.as_ref());
        receipt.map_or(0, |receipt| receipt.attempts.len())
    }

    /// The codes of edits and losses known so far, for `x-pilothouse-changed`.
    #[must_use]
    pub fn changes(&self) -> Option<HeaderValue> {
        let receipt = self.exchange.as_ref()?.receipt.as_ref()?;
        crate::pipeline::changed_header(&receipt.edits, &receipt.losses)
    }

    fn receipt(&mut self, change: impl FnOnce(&mut Receipt)) {
        self.note(|exchange| change(exchange.receipt.get_or_insert_default()));
    }

    /// Ends the exchange with an error that the client got.
    pub fn fail(self, error: &Error, status: u16, facts: Facts) {
        let (kind, message) = (error.kind, error.public.to_string());
        self.fail_with(kind, &message, status, facts);
    }

    /// Ends the exchange with a failure of that class.
    pub fn fail_with(mut self, kind: Kind, message: &str, status: u16, facts: Facts) {
        self.note(|exchange| exchange.status = status);
        self.receipt(|receipt| receipt.error = Some(message.into()));
        self.end(Outcome::Failed(kind), facts);
    }

    /// Ends the exchange.
    pub fn finish(mut self, outcome: Outcome, facts: Facts) {
        self.end(outcome, facts);
    }

    fn end(&mut self, outcome: Outcome, facts: Facts) {
        if let Some(trial) = self.rare.as_mut().and_then(|rare| rare.trial.take()) {
            // Whoever judges it needs no place at the target.
            self.leaves();
            trial.put(self.handed_over(), outcome, facts);
            return;
        }
        self.meter_ends();
        let total_us = self.elapsed_us();
        let Some(mut exchange) = self.exchange.take() else { return };
        if self.is_beside() {
            // The exchange that it belongs to is recorded, and says that its cost is not known.
            return;
        }
        exchange.outcome = outcome;
        exchange.timings.total_us = total_us;
        if let Some(rare) = &mut self.rare {
            rare.seats = Seats::default();
        }
        if !exchange.streamed && outcome == Outcome::Complete {
            // An answer that comes at once has its first token with its last.
            exchange.timings.first_token_us.get_or_insert(total_us);
        }
        exchange.bill = self.bill(&exchange, outcome, &facts);
        exchange.answer = facts.answer;
        match self.rare.as_mut().and_then(|rare| rare.side.take()) {
            None => self.concludes(exchange),
            Some(side) => self.side_ends(side, exchange),
        }
    }

    /// Settles what the exchange held, and records it with the bill of all that was paid for.
    fn concludes(&mut self, mut exchange: Box<Exchange>) {
        let own = exchange.bill;
        exchange.bill = self.with_others(own);
        self.shared.metrics.in_flight.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        if let Some(watch) = &self.watch {
            watch.ended(&exchange);
        }
        if let Some(resolution) = &self.resolution {
            resolution.target.metrics.count(&exchange, &own.usage);
        }
        if self.holds.is_some() || self.course.is_some() {
            let now = self.shared.clock.now();
            self.holds_end(&mut exchange, &own, now);
            self.course_ends(&exchange, &own, now);
        }
        if exchange.client_dialect == Dialect::OpenaiResponses {
            self.keep(&exchange);
        }
        self.shared.record(exchange);
    }

    /// Remembers who holds a response, for later calls about it. A translated one is held by nobody.
    fn keep(&self, exchange: &Exchange) {
        self.keeps_draw(exchange);
        let target = exchange.target.as_ref().filter(|target| target.dialect == Dialect::OpenaiResponses);
        if let (Some(target), Some(id)) = (target, &exchange.answer.id) {
            let place = Place::new(Arc::clone(&target.vendor), Arc::clone(&exchange.caller.key));
            self.shared.responses.lock().unwrap_or_else(PoisonError::into_inner).put(id, place);
        }
    }

    /// What the exchange used and cost.
    fn bill(&self, exchange: &Exchange, outcome: Outcome, facts: &Facts) -> Bill {
        let is_whole = outcome == Outcome::Complete;
        let has_output = facts.output_bytes > 0 || facts.usage.is_some();
        // A vendor that began to answer, or that we stopped waiting for, may have done the work all the same.
        let was_refused = match outcome {
            Outcome::Failed(Kind::Cut | Kind::BadAnswer | Kind::Timeout) => false,
            Outcome::Failed(_) => exchange.status != 200,
            Outcome::Complete | Outcome::Cancelled => false,
        };
        let own_cost = self.rare.as_ref().and_then(|rare| rare.own_cost);
        if !self.was_sent || self.is_free || (was_refused && !has_output) {
            // Nothing reached the vendor, or it refused: nothing is billed.
            return Bill { cost: Cost::Known(PicoUsd::ZERO), saved: exchange.bill.saved, ..Bill::default() };
        }
        let Some(resolution) = &self.resolution else { return Bill::default() };
        let tier = facts.answer.service_tier.as_deref();
        let price = |usage: &Usage| {
            let pricing = resolution.target.pricing.as_ref();
            pricing.map_or(Cost::Unknown, |pricing| pricing.cost(usage, tier, exchange.started_at))
        };
        if let (Some(cost), true) = (own_cost, is_whole) {
            let usage = facts.usage.unwrap_or_default();
            return Bill { usage, provenance: Provenance::Reported, cost, ..Bill::default() };
        }
        match (facts.usage, is_whole) {
            (Some(usage), true) => {
                Bill { usage, provenance: Provenance::Reported, cost: price(&usage), ..Bill::default() }
            }
            (None, true) => Bill::default(),
            // It never said a word: what it will bill is not known.
            (None, false) if !has_output => Bill::default(),
            (seen, false) => {
                let usage = seen.unwrap_or_default();
                let written = facts.output_bytes.div_ceil(BYTES_PER_TOKEN);
                let estimated_output = written.saturating_sub(usage.output_total());
                let estimated_cost = price(&Usage { output: estimated_output, ..Usage::default() });
                let cost = if seen.is_some() { price(&usage) } else { Cost::Unknown };
                Bill {
                    usage,
                    provenance: Provenance::Partial,
                    estimated_output,
                    cost,
                    estimated_cost,
                    saved: None,
                }
            }
        }
    }
}

impl Deref for Job {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl DerefMut for Job {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

impl Drop for Job {
    /// A job that is dropped was given up by its client.
    fn drop(&mut self) {
        if self.exchange.is_some() {
            self.end(Outcome::Cancelled, Facts::default());
        }
    }
}
