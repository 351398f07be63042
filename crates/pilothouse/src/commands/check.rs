//! `pilothouse check`: validates a configuration without starting anything.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use pilothouse_gateway::config::{ConfigError, Signing, Source};
use pilothouse_gateway::metrics::Metrics;
use pilothouse_gateway::plan::{self, Environment, Plan, StoreLook, Tie};
use serde_json::{Value, json};

/// Most ties that are listed; their number is told in any case.
const TIES_SHOWN_MAX: usize = 20;

/// Validate a configuration.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG", default_value = "pilothouse.toml")]
    config: PathBuf,
    /// The data folder whose minted keys and temporary limits must not have names of the file; the configuration's where not
    /// given. It is only read.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA")]
    data: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What stands in the store beside the configuration.
struct Stored {
    data: PathBuf,
    look: StoreLook,
}

impl Check {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let built = Source::read(&self.config).and_then(|source| {
            let environment = Environment::of_process(&source);
            let listen = plan::listen_address(&source)?;
            Signing::of(&source)?;
            let plan = plan::build(&source, &environment, listen, 1, &Arc::new(Metrics::default()))?;
            let data = self.data.clone().unwrap_or_else(|| source.data_dir());
            let look = plan::look_into_store(&source, &plan, &data)?;
            Ok((plan, Stored { data, look }))
        });
        match built {
            Ok((plan, stored)) => {
                if self.json {
                    writeln!(out, "{}", good_json(&plan, &stored))?;
                } else {
                    write_good(out, &self.config, &plan)?;
                    write_stored(out, &stored)?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                if self.json {
                    writeln!(out, "{}", bad_json(&self.config, &error))?;
                } else {
                    writeln!(out, "{error}")?;
                }
                Ok(ExitCode::from(1))
            }
        }
    }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.providers.iter().map(|provider| &*provider.name).collect()
}

fn write_good(out: &mut dyn Write, path: &Path, plan: &Plan) -> io::Result<()> {
    let names = names(plan);
    let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    writeln!(out, "{} is good; providers: {list}", path.display())?;
    if let Some(warnings) = &plan.warnings {
        writeln!(out, "{warnings}")?;
    }
    for (name, words) in authentication(plan) {
        writeln!(out, "  {name} {words}")?;
    }
    write_ties(out, &plan.ties())
}

/// How the calls of providers are authorised, or what that lacks, where it is not simply the vendor's own key.
fn authentication(plan: &Plan) -> impl Iterator<Item = (&str, &str)> {
    plan.providers.iter().filter_map(|provider| Some((&*provider.name, provider.authentication.as_deref()?)))
}

/// Tells what the store has against the configuration, where there is anything to tell.
fn write_stored(out: &mut dyn Write, Stored { data, look }: &Stored) -> io::Result<()> {
    match look {
        StoreLook::Nothing => Ok(()),
        StoreLook::Compared(notes) => {
            notes.iter().try_for_each(|note| writeln!(out, "in the store of {}: {note}", data.display()))
        }
        StoreLook::Unread(why) => writeln!(
            out,
            "not compared with the store of {}, so that a name that both have is only found by `pilothouse serve`: {why}",
            data.display()
        ),
    }
}

/// Tells of names that only the order of the file decides: whoever moves a section would move their calls.
fn write_ties(out: &mut dyn Write, ties: &[Tie]) -> io::Result<()> {
    let Some(first) = ties.first() else { return Ok(()) };
    writeln!(
        out,
        "{} that several providers could take; the one that stands first in the file does:",
        if ties.len() == 1 { "1 model name".to_owned() } else { format!("{} model names", ties.len()) }
    )?;
    for tie in ties.iter().take(TIES_SHOWN_MAX) {
        writeln!(out, "  {}: {} takes it before {}", tie.name, tie.taker, tie.others.join(", "))?;
    }
    if ties.len() > TIES_SHOWN_MAX {
        writeln!(out, "  and {} more", ties.len() - TIES_SHOWN_MAX)?;
    }
    let pins: Vec<String> = pins(first).map(|pin| format!("`{pin}`")).collect();
    writeln!(
        out,
        "to choose yourself, ask with the provider's name before the model's: {}",
        pins.join(" or ")
    )
}

/// The names that say which provider is meant, that of the taker first.
fn pins(tie: &Tie) -> impl Iterator<Item = String> {
    [&tie.taker].into_iter().chain(&tie.others).map(|provider| format!("{provider}/{}", tie.name))
}

fn stored_json(Stored { data, look }: &Stored) -> Value {
    let (state, notes, reason) = match look {
        StoreLook::Nothing => ("none", [].as_slice(), None),
        StoreLook::Compared(notes) => ("compared", notes.as_slice(), None),
        StoreLook::Unread(why) => ("unread", [].as_slice(), Some(why)),
    };
    json!({ "data": data, "state": state, "notes": notes, "reason": reason })
}

fn good_json(plan: &Plan, stored: &Stored) -> Value {
    let ties = plan.ties();
    let shown: Vec<Value> = ties
        .iter()
        .take(TIES_SHOWN_MAX)
        .map(|tie| {
            let pins: Vec<String> = pins(tie).collect();
            json!({ "name": tie.name, "taker": &*tie.taker, "others": tie.others, "pins": pins })
        })
        .collect();
    json!({
        "ok": true,
        "providers": names(plan),
        "authentication": authentication(plan).collect::<BTreeMap<_, _>>(),
        "problems": [],
        "ties": { "count": ties.len(), "first": shown },
        "store": stored_json(stored),
    })
}

fn bad_json(path: &Path, error: &ConfigError) -> Value {
    let problems: Vec<Value> = error
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
    json!({ "ok": false, "file": path, "problems": problems })
}

#[cfg(test)]
mod tests;
