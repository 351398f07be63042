//! The measurement's result, as one flat JSON object.

use super::{Mode, Plan, Tally, Window};
use serde::{Deserialize, Serialize};

/// What one measurement found. Times in milliseconds unless the name says otherwise.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// `plain`, `stream` or `hold`.
    pub mode: String,
    /// Connections that were asked for.
    pub connections: usize,
    /// Good answers that ended inside the window.
    pub completed: u64,
    /// Length of the window.
    pub seconds: f64,
    /// Answers per second; no claim of capacity, all parties share the cores.
    pub per_second: f64,
    /// Processor time of the weighed processes per answer, in microseconds. For streams the window's share of
    /// an answer is counted by its events, so that streams cut by the window's ends weigh what they were.
    pub cpu_us_per_answer: Option<f64>,
    /// Cores that the weighed processes kept busy.
    pub cpu_cores: f64,
    /// Cores that this generator kept busy.
    pub generator_cores: f64,
    /// Median time to the last byte.
    pub p50_ms: f64,
    /// 99th percentile of it.
    pub p99_ms: f64,
    /// Median time to the first event with text (streams).
    pub first_p50_ms: f64,
    /// 99th percentile of it.
    pub first_p99_ms: f64,
    /// Events with text in each answer, on average.
    pub events_per_answer: f64,
    /// Mean size of an answer's body in bytes.
    pub bytes_per_answer: f64,
    /// Largest resident memory of the weighed processes inside the window, KiB.
    pub resident_kib_peak: u64,
    /// Streams that had a first event with text, warm-up included.
    pub streams_started: u64,
    /// Answers that were refused or incomplete.
    pub bad: u64,
    /// Connections that failed.
    pub errors: u64,
    /// The first thing that went wrong, in words.
    pub sample: Option<String>,
}

pub(super) fn make(plan: &Plan, window: &Window, mut all: Tally, streams_started: u64) -> Report {
    all.total_us.sort_unstable();
    all.first_us.sort_unstable();
    let completed = all.total_us.len();
    let each = |sum: u64| if completed == 0 { 0.0 } else { sum as f64 / completed as f64 };
    let events_per_answer = each(all.events);
    let answers = match plan.mode {
        Mode::Plain => completed as f64,
        Mode::Stream if events_per_answer > 0.0 => window.events as f64 / events_per_answer,
        Mode::Stream | Mode::Hold => 0.0,
    };
    Report {
        mode: format!("{:?}", plan.mode).to_ascii_lowercase(),
        connections: plan.connections,
        completed: completed as u64,
        seconds: window.seconds,
        per_second: answers / window.seconds,
        cpu_us_per_answer: (answers > 0.0 && window.cpu_ns > 0)
            .then(|| window.cpu_ns as f64 / 1_000.0 / answers),
        cpu_cores: window.cpu_ns as f64 / 1e9 / window.seconds,
        generator_cores: window.generator_cpu_ns as f64 / 1e9 / window.seconds,
        p50_ms: percentile_ms(&all.total_us, 0.50),
        p99_ms: percentile_ms(&all.total_us, 0.99),
        first_p50_ms: percentile_ms(&all.first_us, 0.50),
        first_p99_ms: percentile_ms(&all.first_us, 0.99),
        events_per_answer,
        bytes_per_answer: each(all.bytes),
        resident_kib_peak: window.resident_kib_peak,
        streams_started,
        bad: all.bad,
        errors: all.errors,
        sample: all.sample,
    }
}

/// A percentile of sorted microseconds, in milliseconds; 0 when nothing was measured.
fn percentile_ms(sorted_us: &[u64], share: f64) -> f64 {
    let Some(last) = sorted_us.len().checked_sub(1) else { return 0.0 };
    let index = (last as f64 * share).round() as usize;
    sorted_us[index.min(last)] as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_of_few_values_takes_one_of_them() {
        assert_eq!(percentile_ms(&[], 0.5), 0.0);
        assert_eq!(percentile_ms(&[1_000, 2_000, 9_000], 0.5), 2.0);
        assert_eq!(percentile_ms(&[1_000, 2_000, 9_000], 0.99), 9.0);
    }
}
