//! An exchange whose stream broke off and was continued by another call: both are paid for, and both are in the receipt.

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Note, Outcome, PaidAnswer};
use pilothouse_core::usage::{Bill, Usage};
use pilothouse_store::budget::Reservation;
use pilothouse_wire::facts::Facts;

use super::{Job, Purpose};

/// Money for a call that continues a stream, and for what; nothing where no budget counts it.
pub(crate) type SetAside = Option<(Reservation, Purpose)>;

impl Job {
    /// Sets money aside for a call that continues the stream. `None` where a budget cannot pay it.
    pub(crate) fn sets_aside_more(&self, input: u64, output: u64) -> Option<SetAside> {
        let Some((accounts, budgets)) = self.accounts().zip(self.shared.budgets.get()) else {
            return Some(None);
        };
        let now = self.shared.clock.now();
        let pricing = self.resolution.as_ref()?.target.pricing.as_ref()?;
        let usage = Usage { input, output, ..Usage::default() };
        let most = pricing.cost(&usage, None, now).known()?;
        let reservation = budgets.reserve(accounts, most, now).ok()?;
        Some(Some((reservation, Purpose::GoingOn { input, output })))
    }

    /// The stream has broken off, and another call goes on with it: what the first one was is settled and told. The usage
    /// that the client is told with that of the second one.
    pub(crate) fn goes_on(
        &mut self,
        facts: &Facts,
        set_aside: SetAside,
        why: &str,
        text_bytes: usize,
    ) -> Usage {
        let broke_off = Outcome::Failed(Kind::Cut);
        let Some(exchange) = self.exchange.as_deref() else { return Usage::default() };
        let bill = self.bill(exchange, broke_off, facts);
        let target = exchange.target.clone();
        self.answer_settles(&bill);
        self.answer_ends(broke_off, &bill);
        if let Some(resolution) = &self.resolution {
            resolution.target.metrics.count_tokens(&bill.usage);
        }
        let (tier, ended_us) = (facts.answer.service_tier.clone(), self.elapsed_us());
        if let Some(target) = target {
            let why =
                format!("it broke off behind {text_bytes} bytes of text ({why}), and another call went on");
            let paid = PaidAnswer { target, tier, bill, why: why.into(), ended_us };
            self.receipt(|receipt| receipt.answers.push(paid));
        }
        self.noted(Note::new("resume", &format!("went on behind {text_bytes} bytes of text: {why}")));
        self.adds(&bill);
        if let Some((reservation, purpose)) = set_aside {
            self.reserves(reservation, purpose);
        }
        self.begins_again();
        told(&bill)
    }
}

/// What a client is told of a call that broke off.
fn told(bill: &Bill) -> Usage {
    Usage { output: bill.usage.output + bill.estimated_output, ..bill.usage }
}
