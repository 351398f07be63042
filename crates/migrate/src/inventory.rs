//! Who still hangs on which model: model by key, team, project, route, application and place in the code, with days left,
//! spend, the state of the plan to leave it, and what calls get from its day on.
//!
//! Uses, places and plans come in; lines go out, the nearest end first. *Does not know*: stores, files, the time of day.

mod afterwards;
mod gather;
mod report;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use serde::Serialize;

use crate::plan::{Plan, Standing};

pub use afterwards::{Afterwards, OnDay};
pub use gather::Gather;
pub use report::{markdown, table};

/// What one key, application and name asked for came to at one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Use {
    /// The key's name; empty where there was none.
    pub key: String,
    /// Its team, where it has one.
    pub team: Option<String>,
    /// Its project, where it has one.
    pub project: Option<String>,
    /// The route or model name that was asked for.
    pub route: String,
    /// The program.
    pub application: String,
    /// Calls that it took.
    pub calls: u64,
    /// Calls for it that were refused because it ends.
    pub refused: u64,
    /// Calls for it that others took because it ends: its successor, or the next target of a route.
    pub passed_on: u64,
    /// What is known of the cost of the calls that it took.
    pub spend: PicoUsd,
    /// Calls of which no cost is known.
    pub cost_unknown: u64,
    /// The first of all of them, in milliseconds since 1970.
    pub first_seen: UnixMs,
    /// The last.
    pub last_seen: UnixMs,
}

/// A place in the code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, relative to what was scanned.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// `calls`, `defines`, …
    pub site: &'static str,
}

/// A plan to leave a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanState {
    /// Its file.
    pub file: String,
    /// Where it leads.
    pub to: String,
    /// How far it is.
    pub standing: Standing,
    /// Who accepted it and on which day, where somebody did.
    pub accepted: Option<(String, String)>,
    /// Whether the configuration names it, without which it takes no effect.
    pub is_configured: bool,
}

impl PlanState {
    fn of(plan: &Plan, file: &str, is_configured: bool) -> Self {
        let accepted = plan.accepted.as_ref().map(|accepted| (accepted.by.clone(), accepted.at.clone()));
        let standing = plan.standing();
        Self { file: file.to_owned(), to: plan.to.clone(), standing, accepted, is_configured }
    }
}

/// What the configuration says of a target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// Who is responsible.
    pub owner: Option<String>,
    /// An end of the team's own, before the vendor's.
    pub retires: Option<String>,
    /// Whether the target has a table of its own.
    pub is_configured: bool,
    /// What its calls get from its day on, where that is written.
    pub on_day: Option<OnDay>,
    /// Who follows it, where that is written.
    pub successor: Option<String>,
    /// The plan that is named for it, and its file.
    pub plan: Option<(Plan, String)>,
}

/// One model at one provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The provider's name, or the catalogue's platform where only code names it.
    pub provider: String,
    /// The catalogue's platform of that provider.
    pub platform: String,
    /// The id on the wire.
    pub model: String,
    /// `active`, `scheduled`, `deprecated`, `retired`, or `unknown` where neither catalogue nor configuration knows it.
    pub state: &'static str,
    /// The day under notice on which it stops.
    pub retires: Option<String>,
    /// Days until then; negative after it.
    pub days_left: Option<i64>,
    /// Who is responsible for leaving it.
    pub owner: Option<String>,
    /// What its vendor names instead.
    pub replacement: Vec<String>,
    /// Other platforms that serve it longer, with their day where there is one.
    pub elsewhere: Vec<(String, Option<String>)>,
    /// The plan to leave it.
    pub plan: Option<PlanState>,
    /// What calls get from its day on; `None` for one without an end.
    pub afterwards: Option<Afterwards>,
    /// Calls that it took in the time that was looked at.
    pub calls: u64,
    /// Its share of all calls, in tenths of a percent.
    pub calls_permille: u64,
    /// Calls for it that were refused because it ends.
    pub refused: u64,
    /// Calls for it that others took because it ends.
    pub passed_on: u64,
    /// What is known of their cost.
    pub spend: PicoUsd,
    /// Calls of which no cost is known.
    pub cost_unknown: u64,
    /// The first and the last call.
    pub seen: Option<(UnixMs, UnixMs)>,
    /// How much hangs on it.
    pub blast_radius: BlastRadius,
    /// Who calls it, the most calls first.
    pub uses: Vec<Use>,
    /// Where the code names it, calls first.
    pub places: Vec<Place>,
}

/// How much hangs on a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlastRadius {
    /// Keys; calls without one count as one.
    pub keys: usize,
    /// Teams.
    pub teams: usize,
    /// Projects.
    pub projects: usize,
    /// Names that are asked for: routes and models.
    pub routes: usize,
    /// Programs.
    pub applications: usize,
    /// Places in the code that call it.
    pub sites: usize,
}

/// Everything, the nearest end first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Inventory {
    /// The day for which it holds.
    pub today: String,
    /// The time that was looked at, for people; `None` where there was no ledger.
    pub period: Option<String>,
    /// The folders whose code was read.
    pub scanned: Vec<String>,
    /// Calls of everything.
    pub calls: u64,
    /// A line a model.
    pub lines: Vec<Line>,
}

#[cfg(test)]
mod tests;
