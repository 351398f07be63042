//! What the clients saw in each phase, and whether the promises were kept.

use super::call::Seen;
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::time::Duration;

/// What became of the calls that ended in a phase.
#[derive(Default)]
pub(super) struct Tally {
    answered: u64,
    told: u64,
    broken: BTreeMap<String, u64>,
    times_ms: Vec<u64>,
}

/// A phase of the scenario.
pub(super) struct Phase {
    pub(super) name: String,
    /// How long a vendor that came back took to be asked again.
    pub(super) back: Option<Duration>,
    pub(super) tally: Tally,
}

impl Tally {
    /// Counts a call.
    pub(super) fn count(&mut self, seen: Seen, took: Duration) {
        self.times_ms.push(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        match seen {
            Seen::Answered => self.answered += 1,
            Seen::Told => self.told += 1,
            Seen::Broken(why) => *self.broken.entry(why).or_default() += 1,
        }
    }

    fn calls(&self) -> u64 {
        self.answered + self.told + self.failed()
    }

    fn failed(&self) -> u64 {
        self.broken.values().sum()
    }

    fn p95_ms(&self) -> u64 {
        let mut times = self.times_ms.clone();
        times.sort_unstable();
        times.get(times.len() * 95 / 100).copied().unwrap_or(0)
    }
}

/// The phases as a table, and in which ways calls failed.
pub(super) fn table(phases: &[Phase]) -> String {
    let mut text = format!(
        "{:18} {:>6} {:>9} {:>17} {:>8} {:>8} {:>14}\n",
        "phase", "calls", "answered", "told after commit", "failed", "p95", "asked again"
    );
    for Phase { name, back, tally } in phases {
        let back = back.map_or_else(|| "-".to_owned(), |back| format!("{:.1} s", back.as_secs_f64()));
        text.push_str(&format!(
            "{name:18} {:>6} {:>9} {:>17} {:>8} {:>5} ms {back:>14}\n",
            tally.calls(),
            tally.answered,
            tally.told,
            tally.failed(),
            tally.p95_ms()
        ));
    }
    for (why, count) in phases.iter().flat_map(|phase| &phase.tally.broken) {
        text.push_str(&format!("  {count} times: {why}\n"));
    }
    text
}

/// Whether the promises were kept, in a sentence.
///
/// # Errors
/// Which were not.
pub(super) fn verdict(phases: &[Phase]) -> Result<String> {
    let sum = |of: fn(&Tally) -> u64| phases.iter().map(|phase| of(&phase.tally)).sum::<u64>();
    let (calls, told, failed) = (sum(Tally::calls), sum(|tally| tally.told), sum(Tally::failed));
    if failed > 0 {
        bail!("{failed} of {calls} calls failed in a way that clients must not see");
    }
    if let Some(idle) = phases.iter().find(|phase| phase.tally.answered == 0) {
        bail!("no call was answered in the phase \"{}\", so that it says nothing", idle.name);
    }
    let back = phases.iter().filter_map(|phase| phase.back).max().unwrap_or_default();
    Ok(format!(
        "{calls} calls, none failed before the model's first word; {told} were told behind it; killed vendors were asked again \
         {:.1} s after they came back",
        back.as_secs_f64()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(seen: &[Seen]) -> Phase {
        let mut tally = Tally::default();
        seen.iter().for_each(|seen| tally.count(seen.clone(), Duration::from_millis(5)));
        Phase { name: "all are well".to_owned(), back: None, tally }
    }

    #[test]
    fn one_failed_call_breaks_the_promise() {
        assert!(verdict(&[phase(&[Seen::Answered, Seen::Told])]).is_ok());
        let broken = phase(&[Seen::Answered, Seen::Broken("status 502".to_owned())]);
        assert!(table(std::slice::from_ref(&broken)).contains("1 times: status 502"));
        assert!(verdict(&[broken]).unwrap_err().to_string().starts_with("1 of 2 calls failed"));
    }

    #[test]
    fn a_phase_without_an_answer_proves_nothing() {
        assert!(verdict(&[phase(&[])]).is_err());
    }
}
