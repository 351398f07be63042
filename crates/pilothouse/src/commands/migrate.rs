//! `pilothouse migrate`: leaving a model before it is shut down.

mod lint;
mod plan;
mod recorded;
mod sources;
mod status;

use std::io::Write;
use std::process::ExitCode;

use pilothouse_core::clock::UnixMs;

/// Leave a model before it is shut down.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    step: Step,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Step {
    /// What another model would make of recorded requests: refused, changed, silently different. Spends no tokens.
    Lint(Box<lint::Lint>),
    /// A plan to leave a model: where to go, what would break, what it would cost.
    Plan(Box<plan::Plan>),
    /// Accept a plan, so that it takes effect.
    Accept(plan::Accept),
    /// Who still hangs on which model: calls, keys, teams, code, days left, plans, what calls get on the day.
    Status(Box<status::Status>),
}

impl Migrate {
    /// Runs the step: what it found to `out`, notes for people to `notes`.
    ///
    /// # Errors
    /// What the step says.
    pub(crate) fn run(
        self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<ExitCode> {
        match self.step {
            Step::Lint(lint) => lint.run(out, notes, now),
            Step::Plan(plan) => plan.run(out, notes, now),
            Step::Accept(accept) => accept.run(out, now),
            Step::Status(status) => status.run(out, notes, now),
        }
    }
}
