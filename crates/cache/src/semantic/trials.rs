//! Whether hits by meaning are right: measured before the first is given, and ever after.
//!
//! While it observes, every would-be hit goes to the vendor all the same, and the two answers are compared. It serves only
//! when the upper bound of the share of false hits is below the limit; then a sample of the hits goes to the vendor still.
//! When the bound of the newest cases rises above the limit, it is off until the configuration changes.

use std::collections::VecDeque;

use super::bound::upper_bound;

/// Newest cases that count: what was true of a model long ago says little of it now.
const CASES_MAX: usize = 2_000;

/// What is required of hits by meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// The share of false hits that must not be reached, by its upper 95 % bound.
    pub false_hits_max: f64,
    /// The share of hits that go to the vendor all the same once it serves.
    pub sample: f64,
    /// Whether it may ever do more than observe.
    pub may_serve: bool,
}

/// What is done with hits by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Would-be hits go to the vendor, and are compared.
    Observe,
    /// Hits are given.
    Serve,
    /// Too many were false: nothing is looked for.
    Off,
}

impl Mode {
    /// The name in metrics and receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Serve => "serve",
            Self::Off => "off",
        }
    }
}

/// What changed with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// From now on hits are given.
    Serves,
    /// It has switched itself off.
    SwitchedOff,
}

/// The cases of one route.
#[derive(Clone, Debug)]
pub struct Trials {
    terms: Terms,
    mode: Mode,
    /// The newest cases, the oldest first: whether each was false.
    cases: VecDeque<bool>,
    false_cases: u32,
}

impl Trials {
    /// Begins to observe.
    #[must_use]
    pub const fn new(terms: Terms) -> Self {
        Self { terms, mode: Mode::Observe, cases: VecDeque::new(), false_cases: 0 }
    }

    /// What is done now.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Cases that count now.
    #[must_use]
    pub fn cases(&self) -> u32 {
        u32::try_from(self.cases.len()).unwrap_or(u32::MAX)
    }

    /// Those among them that were false.
    #[must_use]
    pub const fn false_cases(&self) -> u32 {
        self.false_cases
    }

    /// The upper 95 % bound of the share of false hits.
    #[must_use]
    pub fn bound(&self) -> f64 {
        upper_bound(self.false_cases, self.cases())
    }

    /// Whether a hit is given, and not sent to the vendor to be compared. `chance` is between 0 and 1.
    #[must_use]
    pub fn gives(&self, chance: f64) -> bool {
        self.mode == Mode::Serve && chance >= self.terms.sample
    }

    /// A hit was compared with what the vendor said.
    pub fn judged(&mut self, is_false: bool) -> Option<Change> {
        if self.mode == Mode::Off {
            return None;
        }
        self.cases.push_back(is_false);
        self.false_cases += u32::from(is_false);
        if self.cases.len() > CASES_MAX {
            self.false_cases -= u32::from(self.cases.pop_front() == Some(true));
        }
        let is_proven = self.bound() < self.terms.false_hits_max;
        match self.mode {
            Mode::Observe if is_proven && self.terms.may_serve => {
                self.mode = Mode::Serve;
                Some(Change::Serves)
            }
            Mode::Serve if !is_proven => {
                self.mode = Mode::Off;
                Some(Change::SwitchedOff)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { false_hits_max: 0.01, sample: 0.02, may_serve: true };

    /// The number of cases after which something changes.
    fn until_change(trials: &mut Trials, is_false: bool) -> Option<(u32, Change)> {
        (1..=5_000).find_map(|nth| trials.judged(is_false).map(|change| (nth, change)))
    }

    #[test]
    fn it_serves_when_the_bound_is_below_the_limit_and_not_one_case_sooner() {
        let mut trials = Trials::new(TERMS);
        assert!(!trials.gives(0.9));
        assert_eq!(until_change(&mut trials, false), Some((299, Change::Serves)));
        assert!(trials.bound() < 0.01);
        assert!(trials.gives(0.02) && !trials.gives(0.019), "one in fifty is compared still");
    }

    #[test]
    fn a_false_case_while_it_observes_means_that_it_needs_more_of_them() {
        let mut trials = Trials::new(TERMS);
        trials.judged(true);
        assert_eq!(until_change(&mut trials, false), Some((472, Change::Serves)));
    }

    #[test]
    fn it_switches_itself_off_and_stays_off() {
        let mut trials = Trials::new(TERMS);
        assert!(until_change(&mut trials, false).is_some());
        assert_eq!(trials.judged(true), Some(Change::SwitchedOff));
        assert_eq!((trials.mode(), trials.gives(1.0)), (Mode::Off, false));
        assert_eq!(until_change(&mut trials, false), None);
    }

    #[test]
    fn whoever_may_not_serve_observes_for_ever() {
        let mut trials = Trials::new(Terms { may_serve: false, ..TERMS });
        assert_eq!(until_change(&mut trials, false), None);
        assert_eq!(trials.mode(), Mode::Observe);
    }

    #[test]
    fn old_cases_count_no_more() {
        let mut trials = Trials::new(Terms { false_hits_max: 0.5, ..TERMS });
        for _ in 0..10 {
            trials.judged(true);
        }
        for _ in 0..CASES_MAX {
            trials.judged(false);
        }
        assert_eq!((trials.cases() as usize, trials.false_cases()), (CASES_MAX, 0));
    }
}
