//! Every command, one file each, and how they are chosen.

pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod migrate;
pub(crate) mod models;
pub(crate) mod route;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod serve;
pub(crate) mod sim;
pub(crate) mod tail;
pub(crate) mod usage;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pilothouse_core::clock::{Clock as _, SystemClock};

/// One gateway between your applications and every model they use.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything with nothing: a simulated fleet, the gateway before it, and some traffic.
    Demo(demo::Demo),
    /// Run the gateway.
    Serve(serve::Serve),
    /// Validate a configuration.
    Check(check::Check),
    /// Models: what they cost, what they can, when they stop, what replaces them.
    Models(models::Models),
    /// Compatibility rules: what targets refuse or silently change, and what is done about it.
    Rules(rules::Rules),
    /// Source code: where it names models that are about to go, and calls that their models refuse.
    Scan(scan::Scan),
    /// Routes: who would be asked for a request, why, and what would follow when some fail.
    Route(route::Routes),
    /// Leave a model before it is shut down: what recorded requests would meet elsewhere.
    Migrate(migrate::Migrate),
    /// What happened: the latest exchanges, or the receipt of one.
    Logs(logs::Logs),
    /// What happens, live.
    Tail(tail::Tail),
    /// Who spent what.
    Usage(usage::Usage),
    /// Minted keys: make, list, limit, rotate, revoke.
    Keys(keys::Keys),
    /// The configuration: write what the store manages as a part of it.
    Config(config::Config),
    /// Another program's configuration as ours, with a list of what is not in it.
    Import(import::Import),
    /// Run the simulated fleet alone, for anybody's tests.
    Sim(sim::Sim),
}

/// Runs the chosen command.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut notes = std::io::stderr();
    let done = match cli.command {
        Command::Demo(command) => command.run(&mut out),
        Command::Serve(command) => command.run(&mut out),
        Command::Check(command) => command.run(&mut out),
        Command::Models(command) => command.run(&mut out, SystemClock.now()),
        Command::Rules(command) => command.run(&mut out),
        Command::Scan(command) => command.run(&mut out, &mut notes, SystemClock.now()),
        Command::Route(command) => command.run(&mut out, SystemClock.now()),
        Command::Logs(command) => command.run(&mut out, &mut notes),
        Command::Migrate(command) => command.run(&mut out, &mut notes, SystemClock.now()),
        Command::Tail(command) => command.run(&mut out, &mut notes),
        Command::Usage(command) => command.run(&mut out, &mut notes),
        Command::Keys(command) => command.run(&mut out),
        Command::Config(command) => command.run(&mut out, &mut notes),
        Command::Import(command) => command.run(&mut out, &mut notes),
        Command::Sim(command) => command.run(&mut out),
    };
    let flushed = out.flush();
    match done {
        // A reader that had enough (`pilothouse logs | head`) is no failure.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Ok(code) => {
            if flushed.as_ref().is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe) {
                flushed?;
            }
            Ok(code)
        }
        other => other,
    }
}

/// Who runs a command, as audit records name them.
pub(crate) fn user() -> String {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    format!("user {}", user.as_deref().filter(|user| !user.is_empty()).unwrap_or("unknown"))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Tells why a command could not run.
pub(crate) fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "pilothouse: {message}");
}
