//! `pilothouse keys`: minted keys, made and changed while the gateway runs.
//!
//! Keys of the configuration file are not here: they are changed in the file.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use pilothouse_core::clock::{Clock, SystemClock, UnixMs};
use pilothouse_core::money::PicoUsd;
use pilothouse_gateway::access::entropy;
use pilothouse_gateway::plan::terms::check_grants;
use pilothouse_store::budget::{BudgetBooks, ScopeKind};
use pilothouse_store::keys::{
    BudgetGrant, Entropy, FreshSecret, Grants, KeyRow, Keys as Store, NewKey, Role,
};
use pilothouse_store::{LEDGER_FILE, StoreError};
use serde_json::{Value, json};

use super::logs::receipt::money_json;
use super::logs::source::{Span, When, iso, listed, plain, table};

#[cfg(test)]
mod tests;

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

/// What a key is for and what it may.
#[derive(Clone, Debug, Default, clap::Args)]
struct Terms {
    /// Its team, as `[teams.NAME]` of the configuration; an empty one takes it away.
    #[arg(long)]
    team: Option<String>,
    /// Its project, for reports.
    #[arg(long)]
    project: Option<String>,
    /// The application that calls with it, where the caller does not say.
    #[arg(long, value_name = "APPLICATION")]
    app: Option<String>,
    /// What it may do besides calling models: caller, viewer, lead or admin.
    #[arg(long, value_parser = parse_role)]
    role: Option<Role>,
    /// A route or target that it may call, `openai/*` for all of a provider; may be given several times. An empty one allows
    /// everything again.
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// Requests per minute; 0 takes the limit away.
    #[arg(long, value_name = "N")]
    rpm: Option<u64>,
    /// Tokens per minute; 0 takes the limit away.
    #[arg(long, value_name = "N")]
    tpm: Option<u64>,
    /// Calls at once; 0 takes the limit away.
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// A budget in US dollars: 5/hour, 20/day, 500/month, 1000/total; may be given once per period. `none` takes all away.
    #[arg(long, value_name = "USD/PERIOD")]
    budget: Vec<BudgetText>,
    /// The zone whose calendar the budgets follow, such as Europe/Berlin; UTC where not given.
    #[arg(long, value_name = "ZONE", requires = "budget")]
    tz: Option<String>,
    /// What happens to calls that its budgets cannot pay: stop, warn or "downgrade ROUTE".
    #[arg(long, value_name = "WHAT")]
    on_limit: Option<String>,
    /// Shares of its budgets that are told once per period, in per cent: 80,100. `none` takes all away.
    #[arg(long, value_name = "PERCENT,…")]
    alerts: Option<Shares>,
    /// What its budgets set aside before a call: the worst that it can cost, or what is expected.
    #[arg(long, value_name = "worst|expected")]
    reserve: Option<String>,
    /// When it ends: after a length of time (90d), on a day (2026-12-31) or at a moment; `never` takes the end away.
    #[arg(long, value_name = "TIME")]
    expires: Option<End>,
}

/// A budget as people type it.
#[derive(Clone, Debug)]
enum BudgetText {
    None,
    Some(BudgetGrant),
}

impl FromStr for BudgetText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let Some((usd, every)) = text.split_once('/') else {
            return Err(format!("`{text}` is no budget: write dollars and a period, such as 20/day"));
        };
        let grant = BudgetGrant { usd: usd.to_owned(), every: every.to_owned(), ..BudgetGrant::default() };
        check_grants(&Grants { budgets: vec![grant.clone()], ..Grants::default() })?;
        Ok(Self::Some(grant))
    }
}

/// Shares of a cap as people type them, in per cent.
#[derive(Clone, Debug)]
struct Shares(Vec<f64>);

impl FromStr for Shares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let percent = |part: &str| part.trim().trim_end_matches('%').trim().parse().ok();
        let shares: Option<Vec<f64>> = text.split(',').map(percent).collect();
        shares
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no list of shares: write per cents, such as 80,100"))
    }
}

/// The end of a key as people type it.
#[derive(Clone, Copy, Debug)]
enum End {
    Never,
    After(Span),
    At(UnixMs),
}

impl FromStr for End {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "never" => Ok(Self::Never),
            Ok(When::Ago(span)) => Ok(Self::After(span)),
            Ok(When::At(at)) => Ok(Self::At(at)),
            Err(why) => Err(why),
        }
    }
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        format!("use one of {}", names.join(", "))
    })
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

impl Terms {
    /// Changes what was given.
    fn apply(&self, grants: &mut Grants, expires: &mut Option<UnixMs>, now: UnixMs) -> Result<()> {
        let text = |given: &Option<String>, place: &mut Option<String>| {
            if let Some(given) = given {
                *place = Some(given.clone()).filter(|given| !given.is_empty());
            }
        };
        text(&self.team, &mut grants.team);
        text(&self.project, &mut grants.project);
        text(&self.app, &mut grants.application);
        grants.role = self.role.unwrap_or(grants.role);
        if !self.allow.is_empty() {
            grants.allow = self.allow.iter().filter(|name| !name.is_empty()).cloned().collect();
        }
        grants.rpm = self.rpm.or(grants.rpm).filter(|limit| *limit > 0);
        grants.tpm = self.tpm.or(grants.tpm).filter(|limit| *limit > 0);
        grants.concurrency = self.concurrency.or(grants.concurrency).filter(|limit| *limit > 0);
        if !self.budget.is_empty() {
            grants.budgets = self.budgets(&grants.budgets)?;
        }
        self.apply_to_budgets(&mut grants.budgets)?;
        match self.expires {
            None => {}
            Some(End::Never) => *expires = None,
            Some(End::After(span)) => *expires = Some(UnixMs(now.0.saturating_add(span.ms))),
            Some(End::At(at)) if at <= now => bail!("{} is over; give an end that comes", iso(at)),
            Some(End::At(at)) => *expires = Some(at),
        }
        check_grants(grants).map_err(anyhow::Error::msg)
    }

    /// The budgets that were given. What was said of one of the same period before, and is not said anew, stays.
    fn budgets(&self, before: &[BudgetGrant]) -> Result<Vec<BudgetGrant>> {
        let mut budgets: Vec<BudgetGrant> = Vec::new();
        for given in &self.budget {
            let BudgetText::Some(BudgetGrant { usd, every, .. }) = given else { continue };
            if budgets.iter().any(|known| known.every == *every) {
                bail!("two budgets per {every} were given; keep one of them");
            }
            let known = before.iter().find(|known| known.every == *every).cloned().unwrap_or_default();
            let tz = self.tz.clone().or(known.tz);
            budgets.push(BudgetGrant { usd: usd.clone(), every: every.clone(), tz, ..known });
        }
        Ok(budgets)
    }

    /// What is said of all its budgets.
    fn apply_to_budgets(&self, budgets: &mut [BudgetGrant]) -> Result<()> {
        let is_said = self.on_limit.is_some() || self.reserve.is_some() || self.alerts.is_some();
        if budgets.is_empty() && is_said {
            bail!(
                "--on-limit, --alerts and --reserve are about budgets, and the key has none: give it one, such as \
                 `--budget 20/day`"
            );
        }
        for budget in budgets {
            budget.on_limit = self.on_limit.clone().or(budget.on_limit.take());
            budget.reserve = self.reserve.clone().or(budget.reserve.take());
            if let Some(Shares(shares)) = &self.alerts {
                budget.alerts.clone_from(shares);
            }
        }
        Ok(())
    }
}
