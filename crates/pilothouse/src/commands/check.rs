//! `pilothouse check`: validates a configuration without starting anything.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use pilothouse_gateway::config::Source;
use pilothouse_gateway::metrics::Metrics;
use pilothouse_gateway::plan::{self, Environment};
use serde_json::json;

/// Validate a configuration.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG", default_value = "pilothouse.toml")]
    config: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let built = Source::read(&self.config).and_then(|source| {
            let environment = Environment::of_process(&source);
            let listen = plan::listen_address(&source)?;
            plan::build(&source, &environment, listen, 1, &Arc::new(Metrics::default()))
        });
        match built {
            Ok(plan) => {
                let names: Vec<&str> = plan.providers.iter().map(|provider| &*provider.name).collect();
                if self.json {
                    writeln!(out, "{}", json!({"ok": true, "providers": names, "problems": []}))?;
                } else {
                    let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                    writeln!(out, "{} is good; providers: {list}", self.config.display())?;
                    if let Some(warnings) = &plan.warnings {
                        writeln!(out, "{warnings}")?;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                if self.json {
                    let problems: Vec<_> = error
                        .problems
                        .iter()
                        .map(|problem| {
                            let place = problem.place.as_ref();
                            json!({
                                "line": place.map(|place| place.0),
                                "column": place.map(|place| place.1),
                                "message": problem.message,
                            })
                        })
                        .collect();
                    writeln!(out, "{}", json!({"ok": false, "file": self.config, "problems": problems}))?;
                } else {
                    writeln!(out, "{error}")?;
                }
                Ok(ExitCode::from(1))
            }
        }
    }
}
