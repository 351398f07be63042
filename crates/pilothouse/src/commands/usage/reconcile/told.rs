//! How a comparison is told: a table with what explains its differences, or one JSON document.

use std::io::Write;

use pilothouse_core::money::PicoUsd;
use pilothouse_import::usage::Class;
use serde_json::{Map, Value, json};

use super::super::super::logs::receipt::money_json;
use super::super::super::logs::source::{exchanges, grouped, plain, table};
use super::super::count_json;
use super::compare::{Books, Figure, Ours, Pair, Place, Verdict};

/// What was compared.
pub(super) struct Scope<'a> {
    pub(super) first: &'a str,
    pub(super) last: &'a str,
    pub(super) vendors: &'a [String],
    /// A share from 0 to 1.
    pub(super) tolerance: f64,
}

/// Writes the table: each figure that differs, or with `is_all` each one; then the sums, and what explains them.
pub(super) fn write(
    out: &mut dyn Write,
    books: &Books,
    scope: &Scope<'_>,
    is_all: bool,
) -> anyhow::Result<()> {
    writeln!(
        out,
        "{} to {} (UTC), {}: the report beside the ledger",
        scope.first,
        scope.last,
        scope.vendors.join(", ")
    )?;
    let mut rows = Vec::new();
    let mut agreeing = 0_u64;
    for (place, pair) in &books.rows {
        let verdict = pair.verdict(scope.tolerance);
        if verdict == Verdict::Agrees && !is_all {
            agreeing += 1;
            continue;
        }
        for figure in pair.figures() {
            if is_all || figure.difference() != 0 {
                rows.push(cells(place, &figure, verdict.as_str()));
            }
        }
    }
    let total = books.total();
    let sum = Place { day: "TOTAL".to_owned(), ..Place::default() };
    rows.extend(total.figures().iter().map(|figure| cells(&sum, figure, "")));
    let headings = ["DAY", "MODEL", "PROVIDER", "WHAT", ">THEIRS", ">OURS", ">DIFFERENCE", ">%", "VERDICT"];
    table(out, &headings, &rows)?;
    if agreeing > 0 {
        writeln!(
            out,
            "  agrees   {} of {} rows (--all shows them)",
            grouped(agreeing),
            grouped(books.rows.len())
        )?;
    }
    if books.elsewhere > 0 {
        writeln!(
            out,
            "  others   {} entries of keys or projects that no --map names",
            grouped(books.elsewhere)
        )?;
    }
    explain(out, &total)
}

fn cells(place: &Place, figure: &Figure, verdict: &str) -> Vec<String> {
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { plain(text) };
    let model = if place.day == "TOTAL" { String::new() } else { or(&place.model, "(not by model)") };
    let larger = figure.theirs.max(figure.ours).max(1);
    let share = figure.difference() as f64 / larger as f64 * 100.0;
    let shown = |value: i128| match figure.class {
        None => PicoUsd(value).to_string(),
        Some(_) if value < 0 => format!("-{}", grouped(value.unsigned_abs())),
        Some(_) => grouped(value),
    };
    let difference = match figure.difference() {
        more if more > 0 => format!("+{}", shown(more)),
        other => shown(other),
    };
    vec![
        place.day.clone(),
        model,
        plain(&place.provider),
        figure.class.map_or("usd", Class::as_str).to_owned(),
        shown(figure.theirs),
        shown(figure.ours),
        difference,
        format!("{share:+.1}"),
        verdict.to_owned(),
    ]
}

/// What the ledger does not know of the answers, and what the report says of it.
fn explain(out: &mut dyn Write, total: &Pair) -> anyhow::Result<()> {
    let ours = total.ours.unwrap_or_default();
    let cancelled = ours.cancelled;
    if cancelled.exchanges > 0 {
        writeln!(
            out,
            "  cancel   {} by their clients: {} output tokens seen, about {} more estimated, about ${}",
            exchanges(cancelled.exchanges),
            grouped(cancelled.tokens().output_total()),
            grouped(cancelled.estimated_output),
            cancelled.estimated_cost
        )?;
    }
    let absent = ours.all.absent;
    if absent.exchanges > 0 {
        writeln!(out, "  unknown  {} without any usage", exchanges(absent.exchanges))?;
    }
    if ours.all.cost_unknown > 0 {
        writeln!(out, "  unpriced {}: what they cost is not in our sum", exchanges(ours.all.cost_unknown))?;
    }
    if let Some(beyond) = total.billed_beyond() {
        let estimated = ours.all.estimated_output;
        writeln!(
            out,
            "  beyond   at most {} output tokens were billed after the last that we saw of cut and cancelled answers; \
             we estimated {} ({} off)",
            grouped(beyond),
            grouped(estimated),
            grouped(beyond.abs_diff(estimated))
        )?;
    }
    Ok(())
}

/// The comparison as JSON. Names are added over time, never changed.
pub(super) fn document(books: &Books, scope: &Scope<'_>) -> Value {
    let rows: Vec<Value> = books
        .rows
        .iter()
        .map(|(place, pair)| {
            let mut row = pair_json(pair);
            row.insert("day".to_owned(), json!(place.day));
            let model = (!place.model.is_empty()).then_some(&place.model);
            row.insert("model".to_owned(), json!(model));
            row.insert("provider".to_owned(), json!((!place.provider.is_empty()).then_some(&place.provider)));
            row.insert("verdict".to_owned(), json!(pair.verdict(scope.tolerance).as_str()));
            Value::Object(row)
        })
        .collect();
    json!({
        "first_day": scope.first,
        "last_day": scope.last,
        "vendors": scope.vendors,
        "tolerance_percent": scope.tolerance * 100.0,
        "rows": rows,
        "total": pair_json(&books.total()),
        "entries_elsewhere": books.elsewhere,
    })
}

fn pair_json(pair: &Pair) -> Map<String, Value> {
    let figures: Map<String, Value> = pair
        .figures()
        .iter()
        .map(|figure| {
            let value = |value: i128| match figure.class {
                None => money_json(PicoUsd(value)),
                Some(_) => {
                    i64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value))
                }
            };
            let sides = json!({
                "theirs": value(figure.theirs),
                "ours": value(figure.ours),
                "difference": value(figure.difference()),
            });
            (figure.class.map_or("cost", Class::as_str).to_owned(), sides)
        })
        .collect();
    let mut row = Map::new();
    let theirs = pair.theirs.as_ref();
    row.insert("names".to_owned(), json!(theirs.map(|theirs| &theirs.names)));
    row.insert("requests".to_owned(), json!(theirs.and_then(|theirs| theirs.requests)));
    row.insert("figures".to_owned(), Value::Object(figures));
    row.insert("ledger".to_owned(), json!(pair.ours.as_ref().map(ours_json)));
    row.insert("billed_beyond_output_tokens".to_owned(), json!(pair.billed_beyond().map(count_json)));
    row
}

fn ours_json(ours: &Ours) -> Value {
    json!({
        "exchanges": ours.all.exchanges,
        "cost_unknown_exchanges": ours.all.cost_unknown,
        "partial_exchanges": ours.all.partial.exchanges,
        "absent_exchanges": ours.all.absent.exchanges,
        "estimated_output_tokens": count_json(ours.all.estimated_output),
        "estimated_cost": money_json(ours.all.estimated_cost),
        "cancelled": {
            "exchanges": ours.cancelled.exchanges,
            "output_tokens": count_json(ours.cancelled.tokens().output_total()),
            "estimated_output_tokens": count_json(ours.cancelled.estimated_output),
            "estimated_cost": money_json(ours.cancelled.estimated_cost),
        },
    })
}
