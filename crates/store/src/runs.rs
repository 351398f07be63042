//! Runs: limits for agents that are built elsewhere and name their run in a header.
//!
//! A run is known by its key and its id. Each turn says what it cost and which tools the model called; the verdict says
//! whether there may be another. Pure: time is an argument, nothing is on disk, idle runs are forgotten.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use rustc_hash::FxHashMap;

/// Calls that are remembered to find cycles: three rounds of the longest.
const HISTORY: usize = CYCLE_MAX * CYCLE_ROUNDS_MAX;

/// The longest cycle that is looked for, in calls.
const CYCLE_MAX: usize = 4;

/// The shortest: the same call again and again is a repetition, which has a limit of its own.
const CYCLE_MIN: usize = 2;

/// The most rounds that a limit may allow.
const CYCLE_ROUNDS_MAX: usize = 8;

/// What a run may do; what is `None` is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunLimits {
    /// Money in all.
    pub money: Option<PicoUsd>,
    /// Calls of a model.
    pub turns: Option<u32>,
    /// Calls of tools.
    pub tool_calls: Option<u32>,
    /// Milliseconds from the first turn.
    pub wall_ms: Option<u64>,
    /// How often the same tool may be called with the same arguments, one call after another.
    pub repeats: Option<u32>,
    /// How often a cycle of 2 to 4 calls may go round, at most 8.
    pub cycles: Option<u32>,
}

/// A call of a tool: its name, and a hash of its arguments in canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Hash of the tool's name.
    pub name: u64,
    /// Hash of its arguments, white space and the order of members left out.
    pub arguments: u64,
}

/// What a turn did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn<'a> {
    /// What it cost; nothing where that is unknown.
    pub cost: PicoUsd,
    /// The tools that the model called, in order.
    pub calls: &'a [ToolCall],
}

/// Why a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The money is spent.
    Money,
    /// The turns are used up.
    Turns,
    /// The tool calls are used up.
    ToolCalls,
    /// The time is over.
    WallTime,
    /// The same tool was called with the same arguments too often, one call after another.
    Repeated,
    /// The same few calls went round and round.
    Cycle {
        /// How many calls the cycle has.
        length: u8,
    },
    /// The run was stopped before; nothing of it is counted any more.
    Stopped,
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money => out.write_str("the run's money is spent"),
            Self::Turns => out.write_str("the run's turns are used up"),
            Self::ToolCalls => out.write_str("the run's tool calls are used up"),
            Self::WallTime => out.write_str("the run's time is over"),
            Self::Repeated => {
                out.write_str("the same tool was called with the same arguments again and again")
            }
            Self::Cycle { length } => write!(out, "the same {length} tool calls went round and round"),
            Self::Stopped => out.write_str("the run was stopped before"),
        }
    }
}

/// What comes after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There may be another.
    Continue,
    /// There may be one more, and the model should be told so.
    LastTurn,
    /// There is none.
    Stop(Why),
}

/// By key and id.
type Known = FxHashMap<(Arc<str>, Arc<str>), Run>;

/// Runs in memory. Bounded: the one that is idle the longest goes first.
#[derive(Debug)]
pub struct Runs {
    runs: Mutex<Known>,
    runs_max: usize,
    idle_ms: u64,
}

#[derive(Debug)]
struct Run {
    began: UnixMs,
    seen: UnixMs,
    money: PicoUsd,
    turns: u32,
    tool_calls: u32,
    last: Vec<ToolCall>,
    repeats: u32,
    is_stopped: bool,
}

impl Runs {
    /// At most `runs_max` at once; one without a turn for `idle_ms` is forgotten.
    #[must_use]
    pub fn new(runs_max: usize, idle_ms: u64) -> Self {
        Self { runs: Mutex::default(), runs_max: runs_max.max(1), idle_ms }
    }

    /// Whether a run may have a turn now, before it is sent.
    #[must_use]
    pub fn may_begin(&self, key: &str, id: &str, limits: &RunLimits, now: UnixMs) -> Verdict {
        self.with(key, id, now, |run| run.judge(limits, now))
    }

    /// Notes a turn and says what comes after it.
    pub fn note_turn(&self, key: &str, id: &str, turn: Turn<'_>, limits: &RunLimits, now: UnixMs) -> Verdict {
        self.with(key, id, now, |run| {
            if run.is_stopped {
                return Verdict::Stop(Why::Stopped);
            }
            run.turns = run.turns.saturating_add(1);
            run.money += turn.cost;
            for call in turn.calls {
                if let Some(why) = run.note_call(*call, limits) {
                    run.is_stopped = true;
                    return Verdict::Stop(why);
                }
            }
            let verdict = run.judge(limits, now);
            run.is_stopped = matches!(verdict, Verdict::Stop(_));
            verdict
        })
    }

    /// How many runs are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with(&self, key: &str, id: &str, now: UnixMs, act: impl FnOnce(&mut Run) -> Verdict) -> Verdict {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (Arc::from(key), Arc::from(id));
        if !runs.contains_key(&name) {
            self.make_room(&mut runs, now);
        }
        let run = runs.entry(name).or_insert_with(|| Run::new(now));
        if now.0.saturating_sub(run.seen.0) > self.idle_ms {
            *run = Run::new(now);
        }
        run.seen = run.seen.max(now);
        act(run)
    }

    fn make_room(&self, runs: &mut Known, now: UnixMs) {
        if runs.len() < self.runs_max {
            return;
        }
        runs.retain(|_, run| now.0.saturating_sub(run.seen.0) <= self.idle_ms);
        if runs.len() < self.runs_max {
            return;
        }
        // A part at once, so that a full map is not searched for every new run.
        let mut seen: Vec<UnixMs> = runs.values().map(|run| run.seen).collect();
        let part = (self.runs_max / 16).min(seen.len() - 1);
        let (_, bound, _) = seen.select_nth_unstable(part);
        let bound = *bound;
        let mut left = part + 1;
        runs.retain(|_, run| {
            let goes = left > 0 && run.seen <= bound;
            left -= usize::from(goes);
            !goes
        });
    }
}

impl Run {
    fn new(now: UnixMs) -> Self {
        Self {
            began: now,
            seen: now,
            money: PicoUsd::ZERO,
            turns: 0,
            tool_calls: 0,
            last: Vec::new(),
            repeats: 0,
            is_stopped: false,
        }
    }

    /// Counts a tool call; why it is one too many in a loop, if it is.
    fn note_call(&mut self, call: ToolCall, limits: &RunLimits) -> Option<Why> {
        self.tool_calls = self.tool_calls.saturating_add(1);
        self.repeats = if self.last.last() == Some(&call) { self.repeats.saturating_add(1) } else { 1 };
        if self.last.len() == HISTORY {
            self.last.remove(0);
        }
        self.last.push(call);
        if limits.repeats.is_some_and(|most| self.repeats > most) {
            return Some(Why::Repeated);
        }
        let rounds = usize::try_from(limits.cycles?).unwrap_or(usize::MAX).min(CYCLE_ROUNDS_MAX);
        let length = (CYCLE_MIN..=CYCLE_MAX).find(|length| self.goes_round(*length, rounds))?;
        Some(Why::Cycle { length: u8::try_from(length).unwrap_or(u8::MAX) })
    }

    /// Whether the last calls are more than `rounds` of a cycle of that length: `rounds` whole ones and the first call of
    /// the next, so that the limit is met by the call that goes beyond it.
    fn goes_round(&self, length: usize, rounds: usize) -> bool {
        // The last round's end is not needed to know; with it, the longest cycle fits the history too.
        let needed = (length * rounds + 1).min(HISTORY);
        let Some(start) = self.last.len().checked_sub(needed) else { return false };
        let calls = &self.last[start..];
        let is_period = calls.iter().zip(&calls[length..]).all(|(earlier, later)| earlier == later);
        // One call that repeats has every period, and so has a cycle of two the period of four.
        let is_shortest = calls[..length].iter().any(|call| *call != calls[0]);
        is_period && is_shortest
    }

    fn judge(&self, limits: &RunLimits, now: UnixMs) -> Verdict {
        if self.is_stopped {
            return Verdict::Stop(Why::Stopped);
        }
        let passed = now.0.saturating_sub(self.began.0);
        if limits.money.is_some_and(|most| self.money >= most) {
            return Verdict::Stop(Why::Money);
        }
        if limits.turns.is_some_and(|most| self.turns >= most) {
            return Verdict::Stop(Why::Turns);
        }
        if limits.tool_calls.is_some_and(|most| self.tool_calls > most) {
            return Verdict::Stop(Why::ToolCalls);
        }
        if limits.wall_ms.is_some_and(|most| passed >= most) {
            return Verdict::Stop(Why::WallTime);
        }
        if self.is_nearly_over(limits, passed) { Verdict::LastTurn } else { Verdict::Continue }
    }

    /// Whether one more turn like those before would meet a limit.
    fn is_nearly_over(&self, limits: &RunLimits, passed_ms: u64) -> bool {
        let turns = u64::from(self.turns.max(1));
        let is_last = limits.turns.is_some_and(|most| self.turns + 1 >= most);
        let has_no_call = limits.tool_calls.is_some_and(|most| self.tool_calls >= most);
        let per_turn = PicoUsd(self.money.0 / i128::from(turns));
        let is_poor =
            self.turns > 0 && limits.money.is_some_and(|most| self.money + per_turn + per_turn > most);
        let is_late = self.turns > 0
            && limits.wall_ms.is_some_and(|most| passed_ms.saturating_add(passed_ms / turns * 2) > most);
        is_last || has_no_call || is_poor || is_late
    }
}
