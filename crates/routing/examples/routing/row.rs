//! What a simulation says: a figure beside the optimum and beside the best choice that never changes.

use std::fmt::Write as _;

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The strategy, or the part.
    pub(crate) name: &'static str,
    /// What is measured, with its unit.
    pub(crate) figure: &'static str,
    /// Ours.
    pub(crate) ours: f64,
    /// That of one who knows everything.
    pub(crate) optimum: f64,
    /// That of the best choice that never changes, or of what stands in its place.
    pub(crate) constant: f64,
    /// What stands in the third column.
    pub(crate) constant_is: &'static str,
    /// The most that ours may be.
    pub(crate) limit: f64,
}

impl Row {
    /// Whether ours is within its limit.
    pub(crate) fn is_met(&self) -> bool {
        self.ours <= self.limit
    }
}

/// The rows as Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = "| | figure | ours | optimum | constant | which is | at most | |\n\
                    | --- | --- | ---: | ---: | ---: | --- | ---: | --- |\n"
        .to_owned();
    for row in rows {
        let verdict = if row.is_met() { "met" } else { "MISSED" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {verdict} |",
            row.name,
            row.figure,
            short(row.ours),
            short(row.optimum),
            short(row.constant),
            row.constant_is,
            short(row.limit)
        );
    }
    text
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The value that `share` of the values are at or below.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::NAN)
}
