//! `pilothouse logs`: what happened, newest first, and why one exchange went as it did.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use pilothouse_catalog::Catalog;
use pilothouse_core::clock::{Clock, SystemClock};
use pilothouse_core::exchange::Exchange;
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::Cost;
use pilothouse_gateway::rederive::Rederived;
use pilothouse_store::{Erasure, Filter, Place, Reader, Sealing};
use serde_json::{Value, json};

mod arithmetic;
pub(crate) mod bodies;
mod place;
pub(crate) mod receipt;
mod rederive;
mod roots;
mod seal;
pub(crate) mod source;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

use arithmetic::Line;
use bodies::{Bodies, EraseBodies, KeyChoice};
use receipt::exchange_json;
use source::{Source, When, exchanges, grouped, iso, listed, plain, table, took};

/// Lists recorded exchanges, the newest first.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Logs {
    #[command(subcommand)]
    one: Option<One>,
    #[command(flatten)]
    filter: LogsFilter,
    /// Only from this time on: 30m, 1h, 7d, 2026-11-22 or 2026-11-22T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Only before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum One {
    /// Shows one exchange: who, what, how it ended, the time, the bill, and every change.
    Show {
        /// The id: 26 characters, as in the answer's `x-pilothouse-exchange` header.
        id: ExchangeId,
        /// JSON instead of a receipt for people.
        #[arg(long)]
        json: bool,
        /// The bodies too, where they are kept: what the client sent, and what it got.
        #[arg(long)]
        body: bool,
        #[command(flatten)]
        again: rederive::Again,
        #[command(flatten)]
        choice: KeyChoice,
        #[command(flatten)]
        source: Source,
    },
    /// Erases kept bodies: of exchanges, of a key, or of an end user.
    Erase(EraseBodies),
    /// Checks every receipt against the signed chain of segments; exits with 1 when one is altered or missing.
    Verify(Box<verify::Verify>),
    /// Lists the signed chain; with `--json`, to be kept elsewhere and compared with `logs verify --roots`.
    Roots {
        /// The entries as they are signed, in one JSON document.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        source: Source,
    },
    /// Erases one exchange from the ledger for good: its digest stays, so that the ledger still verifies.
    EraseReceipt {
        /// The id: 26 characters, as in the answer's `x-pilothouse-exchange` header.
        id: ExchangeId,
        /// Why, without anything personal: it stays in the chain.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        key: seal::KeySource,
        #[command(flatten)]
        source: Source,
    },
}

/// Which exchanges; shared with `tail`.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct LogsFilter {
    /// Only those that this model answered, or that asked for this name.
    #[arg(long)]
    model: Option<String>,
    /// Only those of this virtual key.
    #[arg(long)]
    key: Option<String>,
    /// Only those sent to this vendor.
    #[arg(long)]
    vendor: Option<String>,
    /// Only those of this application.
    #[arg(long)]
    app: Option<String>,
    /// Only those that failed.
    #[arg(long)]
    errors: bool,
}

impl LogsFilter {
    /// The same for the store.
    pub(crate) fn to_filter(&self) -> Filter {
        Filter {
            model: self.model.clone(),
            key: self.key.clone(),
            vendor: self.vendor.clone(),
            application: self.app.clone(),
            errors_only: self.errors,
            ..Filter::default()
        }
    }
}

impl Logs {
    /// Runs the command: lists to `out`, notes for people to `notes`.
    ///
    /// # Errors
    /// When there is no ledger to read, or no exchange of that id.
    pub(crate) fn run(self, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<ExitCode> {
        self.run_at(out, notes, &SystemClock)
    }

    fn run_at(
        self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        clock: &dyn Clock,
    ) -> anyhow::Result<ExitCode> {
        match self.one {
            Some(One::Show { id, json, body, again, choice, source }) => {
                let reader = source.open(notes)?;
                let bodies = Bodies::find(&source.data, id, body, &choice)?;
                return show(&reader, id, &bodies, &again, json, out);
            }
            Some(One::Erase(erase)) => return listed(erase.run(out)),
            Some(One::Verify(verify)) => return verify.run(out, notes),
            Some(One::Roots { json, source }) => return listed(roots::run(&source.open(notes)?, json, out)),
            Some(One::EraseReceipt { id, reason, key, source }) => {
                let sealing = key.sealing(&source.data)?;
                return listed(erase_receipt(&source, id, &reason, &sealing, clock, out));
            }
            None => {}
        }
        let now = clock.now();
        let filter = Filter {
            since: self.since.map(|since| since.from(now)),
            until: self.until.map(|until| until.from(now)),
            limit: self.limit,
            ..self.filter.to_filter()
        };
        let reader = self.source.open(notes)?;
        listed(list(&reader, &filter, self.json, out))
    }
}

fn show(
    reader: &Reader,
    id: ExchangeId,
    bodies: &Bodies,
    again: &rederive::Again,
    as_json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let place = reader.place(id)?;
    if let Some(Place::Erased { at, reason }) = &place {
        bail!("exchange {id} was erased at {}: {}", iso(*at), plain(reason));
    }
    let exchange = reader.exchange(id)?.with_context(|| {
        format!(
            "no exchange {id} in {}: it may be too old to be kept, or be on another server; \
             `pilothouse logs` lists what is there",
            reader.path().display()
        )
    })?;
    let again = again.find(&exchange)?;
    let differs = again.as_ref().is_some_and(|again| !again.is_same);
    let code = if differs { ExitCode::from(1) } else { ExitCode::SUCCESS };
    let written =
        || -> anyhow::Result<()> { write_one(out, &exchange, place, bodies, again.as_ref(), as_json) };
    listed(written()).map(|_| code)
}

/// Writes an exchange, and what is known beside it.
fn write_one(
    out: &mut dyn Write,
    exchange: &Exchange,
    place: Option<Place>,
    bodies: &Bodies,
    again: Option<&Rederived>,
    as_json: bool,
) -> anyhow::Result<()> {
    let sum = arithmetic::of(&Catalog::bundled(), exchange);
    if as_json {
        let mut document = exchange_json(exchange);
        if let Some(again) = again {
            document["rederived"] = serde_json::to_value(again)?;
        }
        document["cost_arithmetic"] = sum.map_or(Value::Null, |sum| sum.iter().map(Line::json).collect());
        document["bodies"] = bodies.json();
        document["seal"] = place.as_ref().map_or(Value::Null, place::json);
        return Ok(writeln!(out, "{document:#}")?);
    }
    receipt::write(out, exchange, sum.as_deref())?;
    again.map_or(Ok(()), |again| rederive::write(out, again))?;
    place.map_or(Ok(()), |place| place::write(out, &place))?;
    Ok(bodies.write(out)?)
}

fn erase_receipt(
    source: &Source,
    id: ExchangeId,
    reason: &str,
    sealing: &Sealing,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match pilothouse_store::erase(&source.data, id, reason, sealing, clock)? {
        Erasure::Done { digest, .. } => {
            Ok(writeln!(out, "exchange {id} is erased; its digest {digest} stays in the chain")?)
        }
        Erasure::Unknown => bail!(
            "no exchange {id} in {}: it may be erased, too old to be kept, or on another server; `pilothouse logs` \
             lists what is there",
            source.data.display()
        ),
    }
}

fn list(reader: &Reader, filter: &Filter, as_json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let found = reader.exchanges(filter)?;
    let lost = reader.gaps(filter.since)?;
    if as_json {
        let exchanges: Vec<Value> = found.iter().map(|row| exchange_json(&row.exchange)).collect();
        return Ok(writeln!(out, "{:#}", json!({ "exchanges": exchanges, "gaps": lost }))?);
    }
    if found.is_empty() {
        return Ok(writeln!(out, "{}", nothing(reader)?)?);
    }
    table(out, &HEADINGS, &found.iter().map(|row| cells(&row.exchange)).collect::<Vec<_>>())?;
    for gap in lost {
        writeln!(
            out,
            "gap: {} between {} and {} with totals but without details",
            exchanges(gap.exchanges),
            iso(gap.first_at),
            iso(gap.last_at)
        )?;
    }
    Ok(())
}

/// What to say when nothing fits.
fn nothing(reader: &Reader) -> anyhow::Result<String> {
    let stats = reader.stats()?;
    Ok(match stats.span {
        None => "nothing is recorded yet: send a request through Pilothouse, then look again".to_owned(),
        Some((first, last)) => format!(
            "none of {} recorded ({} to {}) fits: widen --since or drop a filter",
            exchanges(stats.exchanges),
            iso(first),
            iso(last)
        ),
    })
}

/// The headings of the list, shared with `tail`.
pub(crate) const HEADINGS: [&str; 10] =
    ["TIME", "ID", "KEY", "APP", "TARGET", "OUTCOME", ">IN", ">OUT", ">COST USD", ">TOOK"];

/// An exchange as a row of the list.
pub(crate) fn cells(exchange: &Exchange) -> Vec<String> {
    let text = |name: &str| if name.is_empty() { "-".to_owned() } else { plain(name) };
    let target = exchange.target.as_ref().map_or_else(
        || format!("({})", plain(&exchange.asked)),
        |target| plain(&format!("{}/{}", target.vendor, target.model)),
    );
    let usage = &exchange.bill.usage;
    // An estimate is marked by the mark of what is only partly known.
    let partial = if exchange.bill.estimated_output > 0 { "+" } else { "" };
    vec![
        iso(exchange.started_at),
        exchange.id.to_string(),
        text(&exchange.caller.key),
        text(&exchange.caller.application),
        target,
        format!("{} {}", exchange.status, exchange.outcome.as_str()),
        grouped(usage.input_total()),
        format!("{}{partial}", grouped(usage.output_total())),
        match (exchange.bill.cost, &exchange.target) {
            (Cost::Known(cost), _) => cost.to_string(),
            (Cost::Unknown, Some(_)) => "?".to_owned(),
            (Cost::Unknown, None) => "-".to_owned(),
        },
        took(exchange.timings.total_us),
    ]
}
