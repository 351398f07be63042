//! What callers are held to: limits and budgets of keys, of the teams above them, of routes, end users and runs.

mod read;
mod temporary;

#[cfg(test)]
mod tests;

pub(super) use read::expires as moment;
pub(crate) use read::on_limit_text;
pub(crate) use temporary::subject as temporary_subject;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_store::budget::{OnLimit, Reserve, Rule, ScopeKind};
use pilothouse_store::keys::{BudgetGrant, Grants, Role, TemporaryLimit};
use pilothouse_store::limits::{Limits, Subject};
use pilothouse_store::runs::RunLimits;

use crate::config::{Diagnostic, Key, Source};

/// Teams one above the other, at most.
const DEPTH_MAX: usize = 16;

/// A budget that a call is counted in.
#[derive(Clone, Debug, PartialEq)]
pub struct Budgeted {
    /// What it is about.
    pub kind: ScopeKind,
    /// Its name.
    pub scope: Arc<str>,
    /// The cap and its periods.
    pub rule: Arc<Rule>,
}

impl Budgeted {
    /// The same in the words of the configuration, with all that it leaves out.
    #[must_use]
    pub fn words(&self) -> BudgetGrant {
        let (rule, calendar) = (&self.rule, self.rule.calendar());
        BudgetGrant {
            usd: rule.limit().to_string(),
            every: calendar.every().as_str().to_owned(),
            tz: Some(calendar.zone().to_owned()),
            anchor: read::anchor_text(calendar),
            on_limit: Some(on_limit_text(&rule.on_limit)),
            reserve: Some(match rule.reserve {
                Reserve::Worst => "worst".to_owned(),
                Reserve::Expected => "expected".to_owned(),
            }),
            alerts: rule.alerts().iter().map(|share| f64::from(*share) / 10.0).collect(),
        }
    }
}

/// What a key is held to, with all that it inherits.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Its team.
    pub team: Option<Arc<str>>,
    /// Its project, for reports.
    pub project: Option<Arc<str>>,
    /// What it may do besides calling models.
    pub role: Role,
    /// When it ends.
    pub expires: Option<UnixMs>,
    /// Routes and targets that it may call; everything where there are none.
    pub allow: Box<[Box<str>]>,
    /// Whether the model is told before the last turn of a run.
    pub tells_last_turn: bool,
    /// Its limits and those of every team above it; only subjects that have any.
    pub limits: Arc<[Subject]>,
    /// Its budgets and those of every team above it.
    pub budgets: Box<[Budgeted]>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            team: None,
            project: None,
            role: Role::Caller,
            expires: None,
            allow: Box::default(),
            tells_last_turn: true,
            limits: Arc::new([]),
            budgets: Box::default(),
        }
    }
}

impl Terms {
    /// Whether a key that ends has ended.
    #[must_use]
    pub fn is_over(&self, now: UnixMs) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Whether it may call a route or a target (`provider/model`), by the name that was resolved.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        let fits = |allowed: &str| match allowed.strip_suffix("/*") {
            Some(provider) => name.strip_prefix(provider).is_some_and(|rest| rest.starts_with('/')),
            None => allowed == name,
        };
        self.allow.is_empty() || self.allow.iter().any(|allowed| fits(allowed))
    }
}

/// A team as its keys inherit it.
#[derive(Clone, Debug, Default)]
struct TeamTerms {
    /// Itself and every team above it.
    chain: Vec<Box<str>>,
    limits: Vec<Subject>,
    budgets: Vec<Budgeted>,
}

/// The configuration's limits and budgets, made ready.
#[derive(Clone, Debug, Default)]
pub struct Governance {
    /// Each with what it inherits.
    teams: BTreeMap<Box<str>, TeamTerms>,
    /// The budget of each end user.
    pub end_user: Option<Arc<Rule>>,
    /// The budget of each run.
    pub run: Option<Arc<Rule>>,
    /// Budgets of routes, by their names.
    pub routes: BTreeMap<Box<str>, Arc<Rule>>,
    /// Limits of runs.
    pub run_limits: RunLimits,
    /// Limits that are over at a moment.
    pub temporary: Vec<TemporaryLimit>,
    /// The names of all routes, which budgets of minted keys may name.
    route_names: BTreeSet<Box<str>>,
}

impl Governance {
    /// Reads `[teams]`, `[budgets]` and `[runs]`.
    pub fn read(source: &Source, wrong: &mut Vec<Diagnostic>) -> Self {
        let file = &source.file;
        let mut governance = Self::default();
        for name in file.teams.keys() {
            let chain = read::chain(&file.teams, name, wrong);
            let mut terms = TeamTerms::default();
            for (name, team) in chain {
                terms.chain.push(name.into());
                // What is wrong with a team is told once, not by every team below it.
                let mut own = Vec::new();
                let limits = read::limits(&team.limits, &mut own);
                push_limits(&mut terms.limits, "team", name, limits);
                let budgets = team.budget.iter().chain(&team.budgets);
                terms.budgets.extend(read::budgets(budgets, (ScopeKind::Team, name), &mut own));
                wrong.extend(own.into_iter().filter(|found| !wrong.contains(found)).collect::<Vec<_>>());
            }
            governance.teams.insert(name.get_ref().as_str().into(), terms);
        }
        governance.end_user = file.budgets.end_user.as_ref().and_then(|section| read::rule(section, wrong));
        governance.run = file.budgets.run.as_ref().and_then(|section| read::rule(section, wrong));
        for (name, section) in &file.budgets.routes {
            if let Some(rule) = read::rule(section, wrong) {
                governance.routes.insert(name.get_ref().as_str().into(), rule);
            }
        }
        governance.run_limits = read::run_limits(&file.runs, wrong);
        governance.temporary = read::temporary(file, wrong);
        governance.route_names = file.routes.keys().map(|name| name.get_ref().as_str().into()).collect();
        read::check_routes(file, wrong);
        governance
    }

    /// What a key of the file is held to.
    pub fn terms(&self, name: &str, key: &Key, wrong: &mut Vec<Diagnostic>) -> Terms {
        let mut terms = Terms {
            project: key.project.as_deref().map(Into::into),
            role: read::role(key.role.as_ref(), wrong),
            expires: key.expires.as_ref().and_then(|given| read::expires(given, wrong)),
            allow: key.allow.iter().map(|name| name.get_ref().as_str().into()).collect(),
            tells_last_turn: key.last_turn_note.unwrap_or(true),
            ..Terms::default()
        };
        let mut limits = Vec::new();
        push_limits(&mut limits, "key", name, read::limits(&key.limits, wrong));
        let mut budgets = read::budgets(key.budget.iter().chain(&key.budgets), (ScopeKind::Key, name), wrong);
        if let Some(team) = &key.team {
            match self.teams.get(team.get_ref().as_str()) {
                Some(inherited) => {
                    terms.team = Some(team.get_ref().as_str().into());
                    limits.extend(inherited.limits.iter().cloned());
                    budgets.extend(inherited.budgets.iter().cloned());
                }
                None => wrong.push(Diagnostic::at(team.span(), read::no_team(team.get_ref(), &self.names()))),
            }
        }
        terms.limits = limits.into();
        terms.budgets = budgets.into();
        terms
    }

    /// What a minted key is held to.
    ///
    /// # Errors
    /// A sentence: its team is not in the configuration, or a budget cannot be read. Such a key must not call.
    pub fn minted_terms(
        &self,
        name: &str,
        expires: Option<UnixMs>,
        grants: &Grants,
    ) -> Result<Terms, String> {
        let mut limits = Vec::new();
        push_limits(&mut limits, "key", name, read::granted_limits(grants));
        let mut budgets = Vec::new();
        for grant in &grants.budgets {
            let mut rule = read::granted_rule(grant)?;
            // A route that went away since: what the budget cannot pay stops, as if it named none.
            if matches!(&rule.on_limit, OnLimit::Downgrade(route) if !self.route_names.contains(route)) {
                rule.on_limit = OnLimit::Stop;
            }
            budgets.push(Budgeted { kind: ScopeKind::Key, scope: name.into(), rule: Arc::new(rule) });
        }
        if let Some(team) = &grants.team {
            let inherited =
                self.teams.get(team.as_str()).ok_or_else(|| read::no_team(team, &self.names()))?;
            limits.extend(inherited.limits.iter().cloned());
            budgets.extend(inherited.budgets.iter().cloned());
        }
        Ok(Terms {
            team: grants.team.as_deref().map(Into::into),
            project: grants.project.as_deref().map(Into::into),
            role: grants.role,
            expires,
            allow: grants.allow.iter().map(|name| name.as_str().into()).collect(),
            tells_last_turn: true,
            limits: limits.into(),
            budgets: budgets.into(),
        })
    }

    /// The route that a budget of a minted key turns to and that is not in the configuration, as a sentence.
    #[must_use]
    pub fn missing_route(&self, grants: &Grants) -> Option<String> {
        let rules = grants.budgets.iter().filter_map(|grant| read::granted_rule(grant).ok());
        let mut routes = rules.filter_map(|rule| match rule.on_limit {
            OnLimit::Downgrade(route) => Some(route),
            OnLimit::Stop | OnLimit::Warn => None,
        });
        let missing = routes.find(|route| !self.route_names.contains(route))?;
        Some(format!("there is no route `{missing}`; add `[routes.{missing}]`, or name one that there is"))
    }

    /// Whether a team is `above`, or below it.
    #[must_use]
    pub fn is_within(&self, team: &str, above: &str) -> bool {
        self.teams.get(team).is_some_and(|terms| terms.chain.iter().any(|name| **name == *above))
    }

    /// Every team with its own limits and budgets, without what it inherits; by name.
    pub fn own_terms(&self) -> impl Iterator<Item = (&str, Limits, Vec<&Budgeted>)> {
        self.teams.iter().map(|(name, terms)| {
            let subject = format!("team {name}");
            let limits = terms.limits.iter().find(|found| *found.name == *subject);
            let is_own = |budget: &&Budgeted| budget.kind == ScopeKind::Team && *budget.scope == **name;
            let budgets = terms.budgets.iter().filter(is_own).collect();
            (&**name, limits.map(|found| found.limits).unwrap_or_default(), budgets)
        })
    }

    /// The limits of a minted key itself.
    #[must_use]
    pub fn granted_limits(grants: &Grants) -> Limits {
        read::granted_limits(grants)
    }

    /// Whether a team has a budget.
    pub(super) fn has_team_budgets(&self) -> bool {
        self.teams.values().any(|team| !team.budgets.is_empty())
    }

    fn names(&self) -> Vec<&str> {
        self.teams.keys().map(AsRef::as_ref).collect()
    }
}

/// Checks a budget of a minted key before it is written.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn check_grants(grants: &Grants) -> Result<(), String> {
    grants.budgets.iter().try_for_each(|grant| read::granted_rule(grant).map(drop))
}

fn push_limits(limits: &mut Vec<Subject>, kind: &str, name: &str, found: Limits) {
    if !found.is_empty() {
        limits.push(Subject { name: format!("{kind} {name}").into(), limits: found });
    }
}
