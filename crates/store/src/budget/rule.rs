//! What a budget is about, how much it allows, and what happens at its end.

use std::fmt;

use pilothouse_core::money::PicoUsd;

use super::calendar::{Calendar, Every};

/// What a budget counts the spend of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// A virtual key.
    Key,
    /// A team, with all that is below it.
    Team,
    /// A route.
    Route,
    /// An end user, as the caller names one; with whose key, because names of two callers may collide.
    EndUser,
    /// A run of an agent.
    Run,
}

impl ScopeKind {
    /// All of them, in the order of their codes on disk.
    pub const ALL: [Self; 5] = [Self::Key, Self::Team, Self::Route, Self::EndUser, Self::Run];

    /// The word that messages and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Team => "team",
            Self::Route => "route",
            Self::EndUser => "end user",
            Self::Run => "run",
        }
    }

    /// Whether callers bring new ones at any time, so that idle ones must be forgotten.
    pub(super) const fn is_made_by_callers(self) -> bool {
        matches!(self, Self::EndUser | Self::Run)
    }

    /// The code on disk, which never changes its meaning.
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Key => 0,
            Self::Team => 1,
            Self::Route => 2,
            Self::EndUser => 3,
            Self::Run => 4,
        }
    }

    pub(super) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Every {
    /// The code on disk, which never changes its meaning.
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Hour => 0,
            Self::Day => 1,
            Self::Month => 2,
            Self::Total => 3,
        }
    }

    pub(super) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.code() == code)
    }
}

/// What happens to calls that a budget cannot pay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnLimit {
    /// They are refused.
    #[default]
    Stop,
    /// They take another route, of that name.
    Downgrade(Box<str>),
    /// They go on; the spend beyond the limit is counted apart.
    Warn,
}

/// How much is set aside before a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reserve {
    /// The most that the call can cost: the limit holds.
    #[default]
    Worst,
    /// What the call is expected to cost, topped up in steps: the limit may be overshot by one step.
    Expected,
}

/// A cap on money over a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub(super) limit: i64,
    calendar: Calendar,
    /// What happens to calls that it cannot pay.
    pub on_limit: OnLimit,
    /// How much is set aside before a call; the caller's to act on.
    pub reserve: Reserve,
    shares: Vec<u16>,
}

/// Shares of a limit that are told, at most.
pub const SHARES_MAX: usize = 8;

impl Rule {
    /// At most `limit` in each period of `calendar`; calls beyond it are refused.
    ///
    /// # Errors
    /// A sentence, for a limit that is negative or above 9.2 million dollars.
    pub fn new(limit: PicoUsd, calendar: Calendar) -> Result<Self, String> {
        let narrow = limit.as_i64().filter(|limit| *limit >= 0);
        let Some(limit) = narrow else {
            return Err(format!(
                "a budget of ${limit} cannot be kept; write one from 0 to 9,000,000 dollars"
            ));
        };
        let (on_limit, reserve) = (OnLimit::default(), Reserve::default());
        Ok(Self { limit, calendar, on_limit, reserve, shares: Vec::new() })
    }

    /// Tells when so many thousandths of the limit are spent, each once per period.
    ///
    /// # Errors
    /// A sentence, for a share of nothing, for one above ten times the limit, and for more than [`SHARES_MAX`].
    pub fn with_alerts(mut self, per_mille: &[u16]) -> Result<Self, String> {
        if per_mille.len() > SHARES_MAX {
            return Err(format!("{} shares are told apart; at most {SHARES_MAX} can be", per_mille.len()));
        }
        if let Some(share) = per_mille.iter().find(|share| !(1..=10_000).contains(*share)) {
            return Err(format!(
                "a share of {}.{} % is never met; write 0.1 % to 1000 %",
                share / 10,
                share % 10
            ));
        }
        self.shares = per_mille.to_vec();
        self.shares.sort_unstable();
        Ok(self)
    }

    /// The cap.
    #[must_use]
    pub fn limit(&self) -> PicoUsd {
        PicoUsd(self.limit.into())
    }

    /// Its periods.
    #[must_use]
    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The shares of the cap that are told, in thousandths, smallest first.
    #[must_use]
    pub fn alerts(&self) -> &[u16] {
        &self.shares
    }

    pub(super) const fn is_hard(&self) -> bool {
        !matches!(self.on_limit, OnLimit::Warn)
    }

    /// The shares that a spend has met, in thousandths, smallest first.
    pub(super) fn met(&self, spent: i64) -> impl Iterator<Item = u16> {
        let limit = i128::from(self.limit);
        self.shares
            .iter()
            .copied()
            .filter(move |share| i128::from(spent) * 1000 >= limit * i128::from(*share))
    }
}

/// A share of a budget was met; told once per period, whoever spent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What the budget is about.
    pub kind: ScopeKind,
    /// Its name.
    pub scope: Box<str>,
    /// The budget's period.
    pub every: Every,
    /// The share that was met, in thousandths of the limit.
    pub per_mille: u16,
    /// What is spent.
    pub spent: PicoUsd,
    /// The cap.
    pub limit: PicoUsd,
}

impl fmt::Display for Alert {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = format!("{}.{}", self.per_mille / 10, self.per_mille % 10);
        let share = share.trim_end_matches(".0");
        let Self { kind, scope, every, spent, limit, .. } = self;
        let per = match every {
            Every::Total => String::new(),
            every => format!(" a {}", every.as_str()),
        };
        write!(out, "{} `{scope}` has spent ${spent}, {share} % of its ${limit}{per}", kind.as_str())
    }
}
