//! Answers that are paid for and not passed on. Each settles its own money at once, and all are in the exchange's bill.

use pilothouse_core::exchange::{AnswerFacts, Exchange, Outcome, PaidAnswer, Timings};
use pilothouse_core::money::Cost;
use pilothouse_core::usage::Bill;
use pilothouse_wire::facts::Facts;

use super::{Holds, Job};

/// What was paid for besides the answer that is passed on.
#[derive(Default)]
pub(super) struct Others {
    bill: Bill,
    /// Whether any answer is in the bill.
    has_any: bool,
    /// This job makes another answer for an exchange that has its own.
    is_beside: bool,
    /// A job beside this one is under way.
    is_awaited: bool,
}

impl Job {
    fn others(&self) -> Option<&Others> {
        self.rare.as_ref()?.others.as_ref()
    }

    /// Whether it makes another answer for an exchange that has a job of its own.
    pub(super) fn is_beside(&self) -> bool {
        self.others().is_some_and(|others| others.is_beside)
    }

    /// The bill of the exchange, of which this is the bill of the answer that is passed on.
    pub(super) fn with_others(&self, own: Bill) -> Bill {
        match self.others() {
            None => own,
            // What the other one costs is not told any more.
            Some(others) if others.is_awaited => Bill { cost: Cost::Unknown, ..own.with(&others.bill) },
            Some(others) if others.has_any => own.with(&others.bill),
            Some(_) => own,
        }
    }

    /// An answer is paid for and not passed on: its money is settled, its target's health told, its cost in the bill. The
    /// exchange goes on as if nobody had been asked yet.
    pub(super) fn sets_aside(&mut self, outcome: Outcome, facts: &Facts, why: &str) {
        let Some(exchange) = self.exchange.as_deref() else { return };
        let bill = self.bill(exchange, outcome, facts);
        let target = exchange.target.clone();
        self.answer_settles(&bill);
        self.answer_ends(outcome, &bill);
        if let Some(resolution) = self.resolution.take() {
            resolution.target.metrics.count_tokens(&bill.usage);
        }
        let (tier, ended_us) = (facts.answer.service_tier.clone(), self.elapsed_us());
        if let Some(target) = target {
            let paid = PaidAnswer { target, tier, bill, why: why.into(), ended_us };
            self.receipt(|receipt| receipt.answers.push(paid));
        }
        self.adds(&bill);
        self.tries_again();
        (self.was_sent, self.rare().own_cost) = (false, None);
        self.note(|exchange| {
            (exchange.status, exchange.answer_bytes, exchange.target) = (0, 0, None);
            if let Some(receipt) = &mut exchange.receipt {
                receipt.error = None;
            }
        });
    }

    pub(super) fn adds(&mut self, bill: &Bill) {
        let others = self.rare().others.get_or_insert_default();
        others.bill = if others.has_any { others.bill.with(bill) } else { *bill };
        others.has_any = true;
    }

    /// A job for another answer of the same exchange, in the same budgets.
    pub(crate) fn beside(&mut self) -> Option<Self> {
        let exchange = self.exchange.as_deref()?;
        let exchange = Exchange {
            target: None,
            answer: AnswerFacts::default(),
            bill: Bill::default(),
            timings: Timings::default(),
            status: 0,
            answer_bytes: 0,
            receipt: None,
            ..exchange.clone()
        };
        let holds = self.accounts().map(|accounts| Holds::of(accounts.clone()));
        self.rare().others.get_or_insert_default().is_awaited = true;
        let mut job = Self::of(&self.shared, self.started, exchange);
        job.course = self.course_beside();
        job.holds = holds.map(Box::new);
        job.rare().others = Some(Others { is_beside: true, ..Others::default() });
        Some(job)
    }

    /// Takes over what a job beside this one has paid for.
    pub(crate) fn joins(&mut self, mut beside: Self) {
        self.rare().others.get_or_insert_default().is_awaited = false;
        if let Some(others) = beside.others().filter(|others| others.has_any) {
            let bill = others.bill;
            self.adds(&bill);
        }
        let told = beside.exchange.take().and_then(|exchange| exchange.receipt);
        if let Some(told) = told {
            self.receipt(|receipt| {
                receipt.answers.extend(told.answers);
                receipt.attempts.extend(told.attempts);
                receipt.notes.extend(told.notes);
            });
        }
    }
}
