//! Interleaved rounds: within each round every row measures its base and the gateway next to each other.

use super::field::Field;
use super::rows::{Call, Figure, Row};
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) rounds: u32,
    pub(crate) seconds: f64,
}

/// What the load generator reports; its fields are described at `pilothouse_testkit::load::Report`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Report {
    pub(crate) completed: u64,
    pub(crate) cpu_us_per_answer: Option<f64>,
    pub(crate) p50_ms: f64,
    pub(crate) first_p50_ms: f64,
    pub(crate) events_per_answer: f64,
    pub(crate) resident_kib_peak: u64,
    pub(crate) streams_started: u64,
    pub(crate) bad: u64,
    pub(crate) errors: u64,
    pub(crate) sample: Option<String>,
}

/// One row in one round.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) base: Option<Report>,
    pub(crate) ours: Report,
}

/// A row with what was measured of it, or why nothing was.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) row: Row,
    pub(crate) rounds: Vec<Round>,
    pub(crate) skipped: Option<String>,
}

impl Measured {
    /// The row's figure, once per round.
    pub(crate) fn figures(&self) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| figure(self.row.figure, round)).collect()
    }

    /// A figure of one side, once per round.
    pub(crate) fn side(&self, ours: bool) -> Vec<f64> {
        let report = |round: &Round| if ours { Some(round.ours.clone()) } else { round.base.clone() };
        let value = |report: Report| match self.row.figure {
            Figure::CpuRatio => report.cpu_us_per_answer,
            Figure::TimeRatio | Figure::AddedMs => Some(report.p50_ms),
            Figure::FirstRatio | Figure::AddedFirstMs => Some(report.first_p50_ms),
            Figure::ResidentMib => Some(report.resident_kib_peak as f64 / 1_024.0),
        };
        self.rounds.iter().filter_map(report).filter_map(value).collect()
    }
}

fn figure(figure: Figure, round: &Round) -> Option<f64> {
    let base = round.base.as_ref();
    match figure {
        Figure::CpuRatio => Some(round.ours.cpu_us_per_answer? / base?.cpu_us_per_answer?),
        Figure::TimeRatio => Some(round.ours.p50_ms / base?.p50_ms),
        Figure::FirstRatio => Some(round.ours.first_p50_ms / base?.first_p50_ms),
        Figure::AddedMs => Some(round.ours.p50_ms - base?.p50_ms),
        Figure::AddedFirstMs => Some(round.ours.first_p50_ms - base?.first_p50_ms),
        Figure::ResidentMib => Some(round.ours.resident_kib_peak as f64 / 1_024.0),
    }
}

/// Measures all rows, `observe` told before and after each call.
pub(crate) fn measure(
    field: &Field,
    load: &Path,
    rows: &[Row],
    pace: Pace,
    observe: &mut dyn FnMut(&Call, bool) -> Result<()>,
) -> Result<Vec<Measured>> {
    let mut all: Vec<Measured> = rows.iter().map(|row| prepare(field, row)).collect();
    for number in 0..pace.rounds {
        println!("round {} of {}", number + 1, pace.rounds);
        for measured in all.iter_mut().filter(|measured| measured.skipped.is_none()) {
            // Who goes first changes from round to round: what the machine drifts by hits both sides alike.
            let round = one_round(field, load, &measured.row, pace, number % 2 == 1, observe)?;
            let value = figure(measured.row.figure, &round);
            let text = value.map_or_else(|| "nothing measured".to_owned(), |value| format!("{value:.3}"));
            println!("  {:<64} {text}{}", measured.row.name, measured.row.figure.unit());
            measured.rounds.push(round);
        }
    }
    Ok(all)
}

fn prepare(field: &Field, row: &Row) -> Measured {
    let parties = [Some(row.ours.party), row.base.map(|base| base.party)];
    let missing = parties.into_iter().flatten().find(|party| field.party(*party).is_none());
    let skipped = missing.map(|party| format!("{party:?} does not run in this setting"));
    Measured { row: row.clone(), rounds: Vec::new(), skipped }
}

fn one_round(
    field: &Field,
    load: &Path,
    row: &Row,
    pace: Pace,
    ours_first: bool,
    observe: &mut dyn FnMut(&Call, bool) -> Result<()>,
) -> Result<Round> {
    let mut run = |call: &Call| -> Result<Report> {
        observe(call, true)?;
        let report = one_call(field, load, call, pace)?;
        observe(call, false)?;
        Ok(report)
    };
    let Some(base) = row.base else { return Ok(Round { base: None, ours: run(&row.ours)? }) };
    if ours_first {
        let ours = run(&row.ours)?;
        return Ok(Round { base: Some(run(&base)?), ours });
    }
    let base = run(&base)?;
    Ok(Round { base: Some(base), ours: run(&row.ours)? })
}

/// One run of the load generator; an answer that is refused or incomplete ends the benchmark.
pub(crate) fn one_call(field: &Field, load: &Path, call: &Call, pace: Pace) -> Result<Report> {
    let party = field.party(call.party).context("the party does not run")?;
    let model = field.model(call);
    let held = call.mode == "hold";
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"]).arg(load).arg(call.mode);
    command.args([
        "--addr",
        &party.address,
        "--dialect",
        call.dialect,
        "--model",
        &model,
        "--key",
        field.key(),
    ]);
    for line in field.headers(call.party) {
        command.args(["--header", line]);
    }
    command.args([
        "--conns",
        &call.connections.to_string(),
        "--prompt-bytes",
        &call.prompt_bytes.to_string(),
    ]);
    command.args(["--escape-every", &call.escape_every.to_string()]);
    command.args(["--secs", &pace.seconds.max(if held { 3.0 } else { 0.1 }).to_string()]);
    // Streams last half a second: the warm-up spreads their starts and fills the field with unequal phases.
    command.args([
        "--warm",
        if held {
            "2"
        } else if call.model == "fake" {
            "0.4"
        } else {
            "0.8"
        },
    ]);
    if party.pid() > 0 {
        command.args(["--pids", &party.pid().to_string()]);
    }
    let line = workspace_output(&mut command)?;
    let report: Report =
        serde_json::from_str(&line).with_context(|| format!("the generator printed {line:?}"))?;
    let started = if held { report.streams_started } else { report.completed };
    let wanted = if held { call.connections as u64 } else { 1 };
    if report.bad + report.errors > 0 || started < wanted {
        bail!(
            "{}: {} bad answers, {} errors, {started} good ones with {} events each: {}",
            party.name,
            report.bad,
            report.errors,
            report.events_per_answer,
            report.sample.unwrap_or_else(|| "no example".to_owned())
        );
    }
    Ok(report)
}

fn workspace_output(command: &mut Command) -> Result<String> {
    crate::workspace::output(command).map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(cpu: f64, p50: f64) -> Report {
        Report { cpu_us_per_answer: Some(cpu), p50_ms: p50, resident_kib_peak: 2_048, ..Report::default() }
    }

    #[test]
    fn figures_compare_the_two_sides_of_one_round() {
        let round = Round { base: Some(report(10.0, 0.2)), ours: report(12.0, 0.25) };
        assert_eq!(figure(Figure::CpuRatio, &round), Some(1.2));
        assert_eq!(figure(Figure::TimeRatio, &round), Some(1.25));
        assert!((figure(Figure::AddedMs, &round).unwrap() - 0.05).abs() < 1e-9);
        assert_eq!(figure(Figure::ResidentMib, &round), Some(2.0));
        let alone = Round { base: None, ours: report(12.0, 0.25) };
        assert_eq!(figure(Figure::CpuRatio, &alone), None);
    }
}
