//! What `pilothouse keys` is told of a key, and how that changes what stands in the store.

use std::str::FromStr;

use anyhow::{Result, bail};
use pilothouse_core::clock::UnixMs;
use pilothouse_gateway::plan::terms::check_grants;
use pilothouse_store::keys::{BudgetGrant, Grants, Role};

use super::super::logs::source::{Span, When, iso};

/// What a key is for and what it may.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Terms {
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

impl Terms {
    /// Changes what was given.
    pub(super) fn apply(&self, grants: &mut Grants, expires: &mut Option<UnixMs>, now: UnixMs) -> Result<()> {
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
