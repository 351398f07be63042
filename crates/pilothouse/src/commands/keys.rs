//! `pilothouse keys`: minted keys, made and changed while the gateway runs.
//!
//! Keys of the configuration file are not here: they are changed in the file.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use pilothouse_core::clock::{Clock, SystemClock, UnixMs};
use pilothouse_core::money::PicoUsd;
use pilothouse_gateway::access::entropy;
use pilothouse_store::budget::{BudgetBooks, ScopeKind};
use pilothouse_store::keys::{BudgetGrant, Entropy, FreshSecret, Grants, KeyRow, Keys as Store, NewKey};
use pilothouse_store::{LEDGER_FILE, StoreError};
use serde_json::{Value, json};

use super::logs::receipt::money_json;
use super::logs::source::{Span, iso, listed, plain, table};

mod terms;

#[cfg(test)]
mod tests;

use terms::Terms;

/// Makes, lists and ends keys that callers authenticate with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    action: Action,
    /// The data folder with the keys.
    #[arg(long, global = true, value_name = "DIR", env = "PILOTHOUSE_DATA", default_value = "./.pilothouse")]
    data: PathBuf,
    /// One JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Make a key. Its secret is shown this once.
    Create {
        /// Its name: distinct, and shown in reports.
        name: String,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// Every minted key with what it may and what it has spent.
    List,
    /// End a key, at once and for good.
    Revoke {
        /// Its name.
        name: String,
    },
    /// Give a key a new secret, shown this once.
    Rotate {
        /// Its name.
        name: String,
        /// How long the old secret goes on: 0, 30m, 1h, 7d.
        #[arg(long, value_name = "LENGTH", default_value = "1d", value_parser = parse_overlap)]
        overlap: Span,
    },
    /// Change what a key may; what is not given stays.
    Limit {
        /// Its name.
        name: String,
        #[command(flatten)]
        terms: Box<Terms>,
    },
}

fn parse_overlap(text: &str) -> Result<Span, String> {
    if text == "0" { Ok(Span { ms: 0 }) } else { text.parse() }
}

impl Keys {
    /// Runs the command.
    ///
    /// # Errors
    /// What the store refuses, and why.
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<ExitCode> {
        self.run_as(out, &super::user(), &SystemClock)
    }

    fn run_as(self, out: &mut dyn Write, actor: &str, clock: &dyn Clock) -> Result<ExitCode> {
        let file = self.data.join(LEDGER_FILE);
        // Only making a key makes a store: a wrong `--data` is said, not filled.
        if !matches!(self.action, Action::Create { .. }) && !file.exists() {
            return Err(StoreError::Missing { path: file }.into());
        }
        let (store, now) = (Store::open(&self.data, clock)?, clock.now());
        match &self.action {
            Action::Create { name, terms } => {
                let mut key = NewKey { name: name.clone(), expires: None, grants: Grants::default() };
                terms.apply(&mut key.grants, &mut key.expires, now)?;
                let fresh = store.create(&key, Entropy(entropy()?), actor, now)?;
                self.show_secret(out, name, &fresh)?;
            }
            Action::Rotate { name, overlap } => {
                let fresh = store.rotate(name, overlap.ms, Entropy(entropy()?), actor, now)?;
                self.show_secret(out, name, &fresh)?;
            }
            Action::Revoke { name } => {
                store.revoke(name, actor, now)?;
                self.confirm(out, name, "revoked")?;
            }
            Action::Limit { name, terms } => {
                let Some(row) = store.list()?.into_iter().find(|row| row.name == *name) else {
                    bail!("there is no minted key `{name}`; `pilothouse keys list` shows those there are");
                };
                let (mut grants, mut expires) = (row.grants, row.expires);
                terms.apply(&mut grants, &mut expires, now)?;
                store.update(name, &grants, expires, actor, now)?;
                self.confirm(out, name, "changed")?;
            }
            Action::List => return self.list(out, &store, now, clock),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show_secret(&self, out: &mut dyn Write, name: &str, fresh: &FreshSecret) -> Result<()> {
        let secret = fresh.secret.reveal();
        if self.json {
            writeln!(out, "{:#}", json!({ "name": name, "secret": secret, "hint": fresh.hint }))?;
        } else {
            writeln!(out, "{secret}   (the key `{name}`, shown this once: the API key of your SDKs)")?;
        }
        Ok(())
    }

    fn confirm(&self, out: &mut dyn Write, name: &str, done: &str) -> Result<()> {
        if self.json {
            writeln!(out, "{:#}", json!({ "name": name, "done": done }))?;
        } else {
            writeln!(out, "{done} the key `{name}`; a running gateway follows within seconds")?;
        }
        Ok(())
    }

    fn list(&self, out: &mut dyn Write, store: &Store, now: UnixMs, clock: &dyn Clock) -> Result<ExitCode> {
        let rows = store.list()?;
        let budgets = BudgetBooks::open(&self.data, clock)?.rows().context("the budgets cannot be read")?;
        let spent = |name: &str| -> Vec<(String, PicoUsd)> {
            let own = budgets.iter().filter(|row| row.kind == ScopeKind::Key && row.scope == name);
            own.map(|row| (row.every.as_str().to_owned(), row.settled + row.over)).collect()
        };
        listed(if self.json {
            let keys: Vec<Value> = rows.iter().map(|row| as_json(row, &spent(&row.name), now)).collect();
            writeln!(out, "{:#}", json!({ "keys": keys })).map_err(Into::into)
        } else {
            let headings = ["key", "state", "team", "role", "secrets", "limits", "budgets", "spent"];
            let cells: Vec<_> = rows.iter().map(|row| as_cells(row, &spent(&row.name), now)).collect();
            table(out, &headings, &cells).map_err(Into::into)
        })
    }
}

/// What a key can do now.
fn state(row: &KeyRow, now: UnixMs) -> &'static str {
    match (row.revoked, row.expires) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        _ => "active",
    }
}

fn as_cells(row: &KeyRow, spent: &[(String, PicoUsd)], now: UnixMs) -> Vec<String> {
    let grants = &row.grants;
    let state = match (state(row, now), row.expires) {
        ("active", Some(end)) => format!("until {}", &iso(end)[..16]),
        (state, _) => state.to_owned(),
    };
    let limits = [
        grants.rpm.map(|rpm| format!("{rpm} rpm")),
        grants.tpm.map(|tpm| format!("{tpm} tpm")),
        grants.concurrency.map(|most| format!("{most} at once")),
    ];
    let budgets: Vec<String> = grants.budgets.iter().map(budget_cell).collect();
    let spent: Vec<String> = spent.iter().map(|(every, amount)| format!("{amount}/{every}")).collect();
    let secrets: Vec<String> = row.secrets.iter().map(|(hint, _)| format!("…{hint}")).collect();
    vec![
        row.name.clone(),
        state,
        plain(grants.team.as_deref().unwrap_or_default()),
        grants.role.as_str().to_owned(),
        secrets.join(" "),
        limits.into_iter().flatten().collect::<Vec<_>>().join(" "),
        budgets.join(" "),
        spent.join(" "),
    ]
}

/// A budget as a table has room for it: what it does at the cap, where it does not stop.
fn budget_cell(budget: &BudgetGrant) -> String {
    match budget.on_limit.as_deref().filter(|word| *word != "stop") {
        Some(word) => format!("{}/{} ({word})", budget.usd, budget.every),
        None => format!("{}/{}", budget.usd, budget.every),
    }
}

fn as_json(row: &KeyRow, spent: &[(String, PicoUsd)], now: UnixMs) -> Value {
    let secrets = row.secrets.iter();
    let secrets: Vec<Value> =
        secrets.map(|(hint, end)| json!({ "hint": hint, "expires": end.map(iso) })).collect();
    let spent = spent.iter().map(|(every, amount)| (every.clone(), money_json(*amount)));
    json!({
        "name": row.name,
        "state": state(row, now),
        "created": iso(row.created),
        "expires": row.expires.map(iso),
        "revoked": row.revoked.map(iso),
        "secrets": secrets,
        "grants": row.grants,
        "spent": spent.collect::<serde_json::Map<String, Value>>(),
    })
}
