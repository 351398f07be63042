//! The table that `cargo xtask bench` prints, and whether each promise is kept.

use super::measure::Measured;
use super::stats::{half_range, median, quantile};

/// How a figure stands against its gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The median is at or below the gate.
    Met,
    /// The median is above, but a quarter of the rounds are not: inside the noise, which counts as met.
    InNoise,
    /// Neither.
    Missed,
    /// Nothing is promised.
    Reported,
    /// Not measured, with the reason elsewhere.
    Skipped,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::InNoise => "met (inside the noise)",
            Verdict::Missed => "MISSED",
            Verdict::Reported => "reported",
            Verdict::Skipped => "skipped",
        }
    }
}

/// One printed line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) ours: String,
    pub(crate) figure: String,
    pub(crate) gate: String,
    pub(crate) verdict: Verdict,
    /// Why it was skipped, or what else the reader should know.
    pub(crate) note: String,
}

/// Judges values, one per round, against a gate.
pub(crate) fn judge(values: &[f64], gate: Option<f64>) -> Verdict {
    let (Some(gate), Some(middle)) = (gate, median(values)) else {
        return if values.is_empty() { Verdict::Skipped } else { Verdict::Reported };
    };
    let quarter = quantile(values, 0.25).unwrap_or(middle);
    match () {
        () if middle <= gate => Verdict::Met,
        () if values.len() >= 3 && quarter <= gate => Verdict::InNoise,
        () => Verdict::Missed,
    }
}

/// The line of a measured row.
pub(crate) fn line(measured: &Measured) -> Line {
    let row = &measured.row;
    let values = measured.figures();
    let unit = row.figure.unit();
    let side =
        |ours| median(&measured.side(ours)).map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    Line {
        name: row.name.to_string(),
        base: if row.base.is_some() { side(false) } else { "-".to_owned() },
        ours: side(true),
        figure: spread(&values, unit),
        gate: limits(row.goal, row.gate, unit),
        verdict: judge(&values, row.gate),
        note: measured.skipped.clone().unwrap_or_default(),
    }
}

/// The line of a plain list of values, such as start times.
pub(crate) fn simple(name: &str, values: &[f64], unit: &str, gate: Option<f64>) -> Line {
    Line {
        name: name.to_owned(),
        base: "-".to_owned(),
        ours: "-".to_owned(),
        figure: spread(values, unit),
        gate: limits(None, gate, unit),
        verdict: judge(values, gate),
        note: String::new(),
    }
}

/// A line that is met or not.
pub(crate) fn yes_or_no(name: &str, met: bool) -> Line {
    Line { verdict: if met { Verdict::Met } else { Verdict::Missed }, ..simple(name, &[], "", None) }
}

fn spread(values: &[f64], unit: &str) -> String {
    match median(values) {
        None => "-".to_owned(),
        Some(middle) if values.len() < 2 => format!("{middle:.3}{unit}"),
        Some(middle) => format!("{middle:.3}{unit} ± {:.3}", half_range(values)),
    }
}

fn limits(goal: Option<f64>, gate: Option<f64>, unit: &str) -> String {
    match (goal, gate) {
        (Some(goal), Some(gate)) => format!("{goal:.2} (gate {gate:.2}){unit}"),
        (None, Some(gate)) => format!("{gate}{unit}"),
        (Some(goal), None) => format!("goal {goal}{unit}"),
        _ => "-".to_owned(),
    }
}

/// The whole table as Markdown.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut text =
        "| row | base | ours | figure, median ± half the range | limit | |\n|---|--:|--:|--:|--:|---|\n"
            .to_owned();
    for line in lines {
        let verdict = match line.note.as_str() {
            "" => line.verdict.text().to_owned(),
            note => format!("{}: {note}", line.verdict.text()),
        };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {verdict} |\n",
            line.name, line.base, line.ours, line.figure, line.gate
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lucky_round_does_not_meet_a_gate() {
        assert_eq!(judge(&[1.0, 1.1, 1.2, 1.1, 1.1], Some(1.15)), Verdict::Met);
        assert_eq!(judge(&[1.1, 1.14, 1.2, 1.2, 1.3], Some(1.15)), Verdict::InNoise);
        assert_eq!(judge(&[1.0, 1.2, 1.2, 1.2, 1.3], Some(1.15)), Verdict::Missed);
        assert_eq!(judge(&[1.0], None), Verdict::Reported);
        assert_eq!(judge(&[], Some(1.0)), Verdict::Skipped);
    }

    #[test]
    fn table_prints_the_reason_of_a_skipped_row() {
        let skipped =
            Line { note: "no such thing yet".to_owned(), ..simple("HTTP/2 upstream", &[], "", None) };
        let text = table(&[skipped, simple("size", &[12.5], " MB", Some(40.0))]);
        assert!(text.contains("| HTTP/2 upstream | - | - | - | - | skipped: no such thing yet |"), "{text}");
        assert!(text.contains("| 12.500 MB | 40 MB | met |"), "{text}");
    }
}
