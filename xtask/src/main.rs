//! `cargo xtask`: everything that a developer or the build service does with this repository.
//!
//! Depends on little, so that it compiles in seconds; whatever is heavy is a program that it runs.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are commands: they report to the terminal"
)]

mod args;
mod bench;
mod catalog;
mod chaos;
mod demo;
mod docs;
mod fuzz;
mod golden;
mod scan_quality;
mod test;
mod tidy;
mod tools;
mod walls;
mod workspace;

use std::process::ExitCode;

/// One command: its name, what `--help` says of it, and what runs.
struct Command {
    name: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

/// Every command, in the order in which people meet them.
const COMMANDS: &[Command] = &[
    Command { name: "demo", summary: "build and run the gateway before its simulated fleet", run: demo::run },
    Command {
        name: "test",
        summary: "run every check there is [--only a,b] [--skip a,b] [--list]",
        run: test::run,
    },
    Command {
        name: "walls",
        summary: "compare the crates' dependencies with the allowed list",
        run: walls::run,
    },
    Command { name: "tidy", summary: "check the house rules that no compiler checks", run: tidy::run },
    Command { name: "docs", summary: "build the book and check its links", run: docs::run },
    Command { name: "bench", summary: "measure the gateway as a ratio to nginx [--help]", run: bench::run },
    Command {
        name: "chaos",
        summary: "kill simulated vendors under load [--quick] [--clients N]; fails when a client sees what it must not",
        run: chaos::run,
    },
    Command {
        name: "cascade",
        summary: "cost and right answers of cascades on questions of known difficulty [QUESTIONS]",
        run: bench::cascade,
    },
    Command {
        name: "scan-quality",
        summary: "recall and precision of `pilothouse scan` on the planted corpus [--help]",
        run: scan_quality::run,
    },
    Command {
        name: "catalog",
        summary: "rebuild the bundled catalogue [--from DIR] or check it [--check]",
        run: catalog::run,
    },
    Command {
        name: "fuzz",
        summary: "inputs guided by coverage [--seconds N] [--only a,b] [--jobs N] [--seed S] [--brief] [--blind] [--again FILE] [--keep FILE --as NAME]",
        run: fuzz::run,
    },
    Command {
        name: "golden",
        summary: "rewrite the golden files with what the code prints now",
        run: golden::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("--help", String::as_str);
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        if !matches!(name, "--help" | "-h" | "help") {
            eprintln!("cargo xtask: there is no command {name:?}");
        }
        print_usage();
        return ExitCode::from(if name == "--help" { 0 } else { 2 });
    };
    match (command.run)(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print_usage() {
    println!("cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:12} {}", command.name, command.summary);
    }
}
