//! One exchange in full: as a receipt for people and as JSON with stable names.

use std::io::{self, Write};

use pilothouse_core::exchange::{Attempt, Chosen, Exchange, Note, PaidAnswer, TargetUsed};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Usage;
use serde_json::{Value, json};

pub(crate) use pilothouse_gateway::api::exchange_json;

use super::arithmetic::Line;
use super::source::{grouped, iso, plain, took};

/// Money as programs read it: the exact integer and the exact decimal number of dollars; `null` is unknown.
pub(crate) fn money_json(amount: PicoUsd) -> Value {
    json!({ "picousd": amount, "usd": amount.to_string() })
}

/// The classes of a usage with their names, in the order of bills.
fn classes(usage: &Usage) -> [(&'static str, u64); 8] {
    [
        ("input", usage.input),
        ("input from cache", usage.cache_read),
        ("input into cache, 5 min", usage.cache_write_5m),
        ("input into cache, 1 h", usage.cache_write_1h),
        ("audio input", usage.input_audio),
        ("output", usage.output),
        ("reasoning", usage.reasoning),
        ("audio output", usage.output_audio),
    ]
}

fn target_text(target: &TargetUsed) -> String {
    plain(&format!("{}/{} ({})", target.vendor, target.model, target.dialect))
}

fn named(label: &str, name: &str) -> Option<String> {
    (!name.is_empty()).then(|| format!("{label} {}", plain(name)))
}

/// Writes the receipt of an exchange for people: who, what, how it ended, the time, the bill with the `sum`
/// that makes its cost, and why.
///
/// # Errors
/// Refusals of the output.
pub(crate) fn write(out: &mut dyn Write, exchange: &Exchange, sum: Option<&[Line]>) -> io::Result<()> {
    writeln!(out, "exchange {}  {}", exchange.id, iso(exchange.started_at))?;
    let mut fact = |label: &str, parts: Vec<Option<String>>| -> io::Result<()> {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let text = if parts.is_empty() { "-".to_owned() } else { parts.join(" · ") };
        writeln!(out, "  {label:<9}{text}")
    };
    let (caller, answer, timings) = (&exchange.caller, &exchange.answer, &exchange.timings);
    fact(
        "who",
        vec![
            Some(named("key", &caller.key).unwrap_or_else(|| "no key".to_owned())),
            named("application", &caller.application),
            caller.end_user.as_deref().and_then(|user| named("user", user)),
        ],
    )?;
    let how = if exchange.streamed { "streamed" } else { "not streamed" };
    fact(
        "asked",
        vec![Some(plain(&exchange.asked)), Some(exchange.client_dialect.to_string()), Some(how.to_owned())],
    )?;
    let target = exchange.target.as_ref();
    fact("target", vec![Some(target.map_or_else(|| "none was reached".to_owned(), target_text))])?;
    fact(
        "outcome",
        vec![
            Some(exchange.outcome.as_str().to_owned()),
            Some(format!("HTTP {}", exchange.status)),
            answer.finish.map(|finish| format!("finish {}", finish.as_str())),
        ],
    )?;
    fact(
        "answer",
        vec![
            answer.id.as_deref().and_then(|id| named("id", id)),
            answer.model.as_deref().and_then(|model| named("model", model)),
            answer.service_tier.as_deref().and_then(|tier| named("tier", tier)),
        ],
    )?;
    let step = |label: &str, at: Option<u64>| at.map(|us| format!("{label} {}", took(us)));
    fact(
        "time",
        vec![
            step("sent", timings.sent_us),
            step("headers", timings.headers_us),
            step("first token", timings.first_token_us),
            step("total", Some(timings.total_us)),
        ],
    )?;
    fact(
        "bytes",
        vec![
            Some(format!("request {}", grouped(exchange.request_bytes))),
            Some(format!("answer {}", grouped(exchange.answer_bytes))),
        ],
    )?;
    bill(out, exchange, sum)?;
    why(out, exchange)
}

fn bill(out: &mut dyn Write, exchange: &Exchange, sum: Option<&[Line]>) -> io::Result<()> {
    let bill = &exchange.bill;
    writeln!(out, "  {:<9}{}", "usage", bill.provenance.as_str())?;
    for (class, tokens) in classes(&bill.usage).into_iter().filter(|(_, tokens)| *tokens > 0) {
        writeln!(out, "    {class:<24}{:>14}", grouped(tokens))?;
    }
    let total = bill.usage.total();
    if total > 0 {
        writeln!(out, "    {:<24}{:>14}", "all tokens", grouped(total))?;
    }
    let price = exchange.target.as_ref().and_then(|target| target.price.as_deref());
    let cost = match (bill.cost, price) {
        (Cost::Known(amount), Some(price)) => format!("${amount} · by price row {}", plain(price)),
        (Cost::Known(amount), None) => format!("${amount}"),
        (Cost::Unknown, Some(price)) => {
            format!("unknown · price row {} has no sum for this usage", plain(price))
        }
        (Cost::Unknown, None) if exchange.target.is_none() => "nothing: no vendor was reached".to_owned(),
        (Cost::Unknown, None) => "unknown · no price row fits".to_owned(),
    };
    writeln!(out, "  {:<9}{cost}", "cost")?;
    let sum_of = |out: &mut dyn Write, answer: Option<usize>| {
        let lines = sum.unwrap_or_default().iter().filter(|line| line.answer == answer);
        lines.into_iter().try_for_each(|line| {
            writeln!(
                out,
                "    {:<24}{:>14} x ${} per million = ${}",
                line.class,
                grouped(line.tokens),
                line.price_per_million(),
                line.amount()
            )
        })
    };
    sum_of(out, None)?;
    for (place, answer) in exchange.receipt.iter().flat_map(|receipt| &receipt.answers).enumerate() {
        paid(out, answer)?;
        sum_of(out, Some(place))?;
    }
    let is_priced = price.is_some() && bill.cost.known().is_some_and(|cost| cost.0 != 0);
    if sum.is_none() && is_priced {
        writeln!(
            out,
            "    the bundled catalogue has not the prices that made it (an overlay's, or changed since): no arithmetic"
        )?;
    }
    if bill.estimated_output > 0 || bill.estimated_cost != Cost::Unknown {
        let amount = bill.estimated_cost.known();
        writeln!(
            out,
            "  {:<9}{} output tokens beyond the last usage seen, {}; not in the figures above",
            "estimate",
            grouped(bill.estimated_output),
            amount.map_or_else(|| "price unknown".to_owned(), |amount| format!("about ${amount}")),
        )?;
    }
    if let Some(saved) = bill.saved {
        let amount =
            saved.known().map_or_else(|| "an unknown amount".to_owned(), |amount| format!("${amount}"));
        writeln!(out, "  {:<9}{amount} · the answer came from the cache, and no vendor was asked", "saved")?;
    }
    Ok(())
}

fn why(out: &mut dyn Write, exchange: &Exchange) -> io::Result<()> {
    for tool in &exchange.answer.tools {
        writeln!(out, "  {:<9}{} · arguments {:016x}", "tool", plain(&tool.name), tool.arguments_hash)?;
    }
    let Some(receipt) = &exchange.receipt else {
        return writeln!(out, "  {:<9}nothing edited, nothing lost, no other attempt", "changed");
    };
    if let Some(choice) = &receipt.choice {
        chose(out, choice)?;
    }
    let mut notes = |label: &str, notes: &[Note]| {
        notes.iter().try_for_each(|note| {
            let gap = if note.detail.is_empty() { "" } else { " · " };
            writeln!(out, "  {label:<9}{}{gap}{}", plain(&note.code), plain(&note.detail))
        })
    };
    notes("edited", &receipt.edits)?;
    notes("lost", &receipt.losses)?;
    notes("noted", &receipt.notes)?;
    receipt.attempts.iter().try_for_each(|attempt| attempted(out, attempt))?;
    if let Some(error) = &receipt.error {
        writeln!(out, "  {:<9}{}", "error", plain(error))?;
    }
    Ok(())
}

/// An answer that was paid for and not passed on: its part of the bill above, and what became of it.
fn paid(out: &mut dyn Write, answer: &PaidAnswer) -> io::Result<()> {
    let usage = &answer.bill.usage;
    let cost = answer.bill.cost.known().map_or_else(|| "unknown".to_owned(), |cost| format!("${cost}"));
    writeln!(
        out,
        "    of it {cost} for {} in and {} out · {} · {}",
        grouped(usage.input_total()),
        grouped(usage.output_total()),
        target_text(&answer.target),
        plain(&answer.why)
    )
}

/// Whom the route chose, in the order in which they were to be asked, and who could not take it.
fn chose(out: &mut dyn Write, choice: &Chosen) -> io::Result<()> {
    writeln!(out, "  {:<9}by {}", "chose", plain(&choice.strategy))?;
    for (place, standing) in (1..).zip(&choice.order) {
        writeln!(out, "  {:<9}{place}. {} · {}", "", plain(&standing.target), plain(&standing.why))?;
    }
    for standing in &choice.removed {
        writeln!(out, "  {:<9}not {} · {}", "", plain(&standing.target), plain(&standing.why))?;
    }
    Ok(())
}

fn attempted(out: &mut dyn Write, attempt: &Attempt) -> io::Result<()> {
    let status = attempt.status.map_or_else(String::new, |status| format!(" · HTTP {status}"));
    if let Some(outrun) = &attempt.outrun {
        let cost = outrun.estimated_cost.known();
        let cost =
            cost.map_or_else(|| "at an unknown cost".to_owned(), |cost| format!("about ${cost}, estimated"));
        return writeln!(
            out,
            "  {:<9}{} · asked after {}, cancelled after {}: the other call spoke first · {cost}",
            "attempt",
            target_text(&attempt.target),
            took(outrun.began_us),
            took(attempt.failed_us)
        );
    }
    writeln!(
        out,
        "  {:<9}{} · {}{status} · failed after {}",
        "attempt",
        target_text(&attempt.target),
        attempt.kind.as_str(),
        took(attempt.failed_us)
    )
}
