//! The answers of one exchange, each with what it used: the one that was passed on, and those that were paid for besides (a cheap
//! answer of a cascade that would not do, a stream that broke off and was continued). Each is counted at its own target.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use pilothouse_core::exchange::{Exchange, PaidAnswer};
use pilothouse_core::money::{Cost, PicoUsd};

use crate::detail::Detail;
use crate::extra::Extra;
use crate::totals::{Class, End, Sums, Tokens};

/// How a list of such answers begins in the text of [`crate::extra`]. Inside of a text its quotes would be escaped.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"answers\":["));

/// An answer that was paid for and not passed on.
pub(crate) struct Part {
    /// It, with its target.
    pub(crate) answer: PaidAnswer,
    /// Where its usage comes from.
    pub(crate) class: Class,
    /// What it used and cost; it is no exchange of its own.
    pub(crate) sums: Sums,
}

/// The answers in a row's text that were paid for and not passed on. Most rows have none, and are not read for it.
pub(crate) fn answers_of(extra: &[u8]) -> Vec<PaidAnswer> {
    let has_any = !extra.is_empty() && MARK.find(extra).is_some();
    let text = std::str::from_utf8(extra).ok().filter(|_| has_any);
    text.and_then(|text| Extra::parse(text).ok()).map(|extra| extra.answers()).unwrap_or_default()
}

/// The sums of an exchange's own answer, and its other ones.
pub(crate) fn of(exchange: &Exchange) -> (Sums, Vec<Part>) {
    let answers = exchange.receipt.as_ref().map(|receipt| receipt.answers.clone()).unwrap_or_default();
    split(Detail::of(exchange).sums(), answers)
}

/// Takes what other answers used out of the sums of their exchange, whose bill holds theirs too. A bill that does not is left whole.
pub(crate) fn split(whole: Sums, answers: Vec<PaidAnswer>) -> (Sums, Vec<Part>) {
    if answers.is_empty() {
        return (whole, Vec::new());
    }
    let parts: Vec<Part> = answers.into_iter().map(Part::of).collect();
    match without(whole, &parts) {
        Some(own) => (own, parts),
        None => (whole, Vec::new()),
    }
}

impl Part {
    fn of(answer: PaidAnswer) -> Self {
        let bill = &answer.bill;
        let sums = Sums {
            answers: 1,
            cost: bill.cost.known().unwrap_or_default(),
            tokens: Tokens::from(&bill.usage),
            estimated_output: bill.estimated_output.into(),
            estimated_cost: bill.estimated_cost.known().unwrap_or_default(),
            ..Sums::default()
        };
        // Whatever became of the exchange, this answer did not end with its client.
        let class = Class { provenance: bill.provenance, end: End::Complete };
        Self { class, sums, answer }
    }
}

/// What is left of an exchange without these answers; `None` where they are not within it.
fn without(mut whole: Sums, parts: &[Part]) -> Option<Sums> {
    let is_priced = whole.priced > 0;
    let has_estimate = whole.estimates_priced > 0;
    for Part { sums, answer, .. } in parts {
        whole.tokens = whole.tokens.without(&sums.tokens)?;
        whole.estimated_output = whole.estimated_output.checked_sub(sums.estimated_output)?;
        // The cost of a whole is unknown where that of a part is, and then only the parts have one.
        if is_priced {
            whole.cost = less(whole.cost, answer.bill.cost)?;
        }
        if has_estimate {
            whole.estimated_cost = less(whole.estimated_cost, Cost::Known(sums.estimated_cost))?;
        }
    }
    Some(whole)
}

fn less(whole: PicoUsd, part: Cost) -> Option<PicoUsd> {
    let left = PicoUsd(whole.0.checked_sub(part.known()?.0)?);
    (left.0 >= 0).then_some(left)
}
