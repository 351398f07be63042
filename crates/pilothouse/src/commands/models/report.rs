//! Tables for people and JSON for programs.

use std::io::Write;

use anyhow::Result;
use pilothouse_catalog::row::Class;
use pilothouse_catalog::{Model, Status, day};
use pilothouse_core::clock::UnixMs;
use serde_json::json;

use super::{days_left, per_million};

/// No column but the last is wider than this; the rest of a longer text is cut.
const COLUMN_CHARS_MAX: usize = 44;

/// Columns of text, as wide as their widest cell.
struct Table {
    rows: Vec<Vec<String>>,
    /// Columns of numbers stand to the right.
    right: &'static [usize],
}

impl Table {
    fn write(&self, out: &mut dyn Write) -> Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &Vec<String>, column: usize| -> String {
            let text = row.get(column).cloned().unwrap_or_default();
            if column + 1 < columns && text.chars().count() > COLUMN_CHARS_MAX {
                return text.chars().take(COLUMN_CHARS_MAX - 1).chain(['…']).collect();
            }
            text
        };
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0))
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, width) in widths.iter().enumerate() {
                let text = cell(row, column);
                let pad = " ".repeat(width - text.chars().count());
                line += &if self.right.contains(&column) { pad + &text } else { text + &pad };
                line += "  ";
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// What each model is, costs and can hold.
pub(super) fn table(models: &[Model], out: &mut dyn Write, now: UnixMs) -> Result<()> {
    let header = ["PLATFORM", "MODEL", "IN $/M", "OUT $/M", "CONTEXT", "STAGE", "UNTIL", "REPLACED BY"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for model in models {
        let price = |class| per_million(model, class, now).unwrap_or_else(|| "?".to_owned());
        rows.push(vec![
            model.platform().to_owned(),
            model.id().to_owned(),
            price(Class::Input),
            price(Class::Output),
            model.context_tokens().map_or_else(|| "?".to_owned(), tokens),
            model.status(now).as_str().to_owned(),
            until(model, now),
            model.replacement().join(", "),
        ]);
    }
    Table { rows, right: &[2, 3, 4] }.write(out)?;
    let priced = models.iter().filter(|model| model.base_price(Class::Input, now).is_some()).count();
    writeln!(
        out,
        "\n{} models, {priced} with a known price per token; ? is unknown, never free",
        models.len()
    )?;
    Ok(())
}

/// The day of a deadline, or the day before which a model stays.
fn until(model: &Model, now: UnixMs) -> String {
    match (model.status(now), model.deadline(), model.life().and_then(|life| life.not_before.as_deref())) {
        (_, Some(day), _) => day.to_owned(),
        (Status::Scheduled, None, Some(day)) => format!("≥ {day}"),
        _ => String::new(),
    }
}

/// 1048576 as `1.05M`, 200000 as `200k`.
fn tokens(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}k", (count + 500) / 1_000),
        _ => {
            let hundredths = (count + 5_000) / 10_000;
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            format!("{}M", text.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

/// What stops when, what replaces it, and who says so.
pub(super) fn retiring(models: &[Model], days: u32, out: &mut dyn Write, now: UnixMs) -> Result<()> {
    if models.is_empty() {
        writeln!(out, "no model is under notice to stop within {days} days of {}", day::of(now))?;
        return Ok(());
    }
    let header = ["STOPS", "DAYS", "PLATFORM", "MODEL", "SNAPSHOT", "REPLACED BY", "SOURCE"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for model in models {
        let replacement = model.replacement().join(", ");
        rows.push(vec![
            model.deadline().unwrap_or_default().to_owned(),
            days_left(model, now).map(|days| days.to_string()).unwrap_or_default(),
            model.platform().to_owned(),
            model.id().to_owned(),
            model.snapshot().unwrap_or("-").to_owned(),
            if replacement.is_empty() { "(none named)".to_owned() } else { replacement },
            model.life().and_then(|life| life.source.clone()).unwrap_or_default(),
        ]);
    }
    Table { rows, right: &[1] }.write(out)?;
    writeln!(
        out,
        "\n{} models stop within {days} days of {} by their provider's notice; dates without a notice are left out",
        models.len(),
        day::of(now)
    )?;
    Ok(())
}

/// Every fact with its source.
pub(super) fn json(models: &[Model], out: &mut dyn Write, now: UnixMs) -> Result<()> {
    let list: Vec<_> = models.iter().map(|model| object(model, now)).collect();
    serde_json::to_writer_pretty(&mut *out, &json!({ "as_of": day::of(now), "models": list }))?;
    writeln!(out)?;
    Ok(())
}

fn object(model: &Model, now: UnixMs) -> serde_json::Value {
    let row = model.row();
    json!({
        "platform": row.platform,
        "id": row.id,
        "version": row.version,
        "snapshot": model.snapshot(),
        "name": row.name,
        "mode": row.mode,
        "region": row.region,
        "context_tokens": row.context_tokens,
        "input_tokens_max": row.input_tokens_max,
        "output_tokens_max": row.output_tokens_max,
        "modalities": { "input": row.inputs, "output": row.outputs },
        "capabilities": { "yes": row.yes, "no": row.no },
        "reasoning_effort": { "values": row.effort, "default": row.effort_default },
        "licence": row.licence,
        "open_weights": row.open_weights,
        "released": row.released,
        "price_id": model.price_id(),
        "prices_picousd_per_token": model.prices(),
        "prices_picousd_per_unit": row.units,
        "uplifts_permille": row.uplifts,
        "lifecycle": {
            "status": model.status(now).as_str(),
            "deadline": model.deadline(),
            "days_left": days_left(model, now),
            "replacement": model.replacement(),
            "facts": row.life,
        },
        "benchmarks": model.benchmarks(),
        "conflicts": row.conflicts,
        "as_of": row.as_of,
        "source": row.source,
        "feeds": row.feeds,
        "origin": model.origin(),
    })
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn counts_of_tokens_are_short_and_true() {
        for (count, text) in [
            (512, "512"),
            (8_192, "8k"),
            (200_000, "200k"),
            (1_000_000, "1M"),
            (1_048_576, "1.05M"),
            (1_050_000, "1.05M"),
        ] {
            assert_eq!(tokens(count), text, "{count}");
        }
    }
}
