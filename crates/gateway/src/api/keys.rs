//! Keys: listed wherever they are managed, made and changed where the store manages them.

mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use pilothouse_core::clock::UnixMs;
use pilothouse_store::StoreError;
use pilothouse_store::keys::{BudgetGrant, Entropy, FreshSecret, Grants, KeyRow, NewKey, Role};

use super::query::cursor;
use super::refusal::Refusal;
use super::shape::{Change, Moment, Page};
use super::{Answered, Ask, reply};
use crate::access::entropy;
use crate::plan::terms::check_grants;
use crate::plan::{KeyInfo, Thing};
pub(super) use view::{ChangeKey, FreshKey, KeyBudget, KeyView, Managed, MintKey, RotateKey, SelfView};
use view::{GivenBudget, of_file, of_store};

/// How long the old secret of a rotated key goes on, where nobody says: a day.
const OVERLAP_SECONDS: u64 = 86_400;
/// The longest overlap: a year.
const OVERLAP_SECONDS_MAX: u64 = 366 * 86_400;

pub(super) fn myself(ask: &Ask) -> Answered {
    let team = ask.actor.key.as_ref().and_then(|key| key.terms.team.as_deref()).map(str::to_owned);
    let view = SelfView { name: ask.actor.name.clone(), role: ask.actor.role.as_str(), team };
    reply(StatusCode::OK, &view)
}

pub(super) fn list(ask: &Ask) -> Answered {
    let after = ask.query.cursor()?;
    let mut found: BTreeMap<String, KeyView> = BTreeMap::new();
    for key in ask.plan.keys.iter().map(|(_, key)| key) {
        found.insert(key.name.to_string(), of_file(ask, key));
    }
    for row in ask.keys()?.list().map_err(|error| Refusal::of_store(&error, "the keys"))? {
        // The file's comes first where both have a name; loading such a file fails.
        found.entry(row.name.clone()).or_insert_with(|| of_store(&row, ask.now));
    }
    let fits = |view: &KeyView| {
        let is = |name: &str, value: &str| ask.query.text(name).is_none_or(|wanted| wanted == value);
        is("team", view.team.as_deref().unwrap_or_default())
            && is("state", word(&view.state))
            && is("managed_by", word(&view.managed_by))
    };
    let rows = ask.query.rows() as usize;
    let behind = found
        .into_iter()
        .filter(|(name, view)| after.as_ref().is_none_or(|after| name > after) && fits(view));
    let mut items: Vec<KeyView> = behind.map(|(_, view)| view).take(rows + 1).collect();
    let has_more = items.len() > rows;
    items.truncate(rows);
    let next_cursor = items.last().filter(|_| has_more).map(|last| cursor(&last.name));
    reply(StatusCode::OK, &Page { items, next_cursor })
}

/// The word that an enumerated value is written as.
fn word(value: &impl serde::Serialize) -> &'static str {
    const WORDS: [&str; 6] = ["file", "store", "generated", "active", "expired", "revoked"];
    let text = serde_json::to_value(value).unwrap_or_default();
    WORDS.into_iter().find(|word| text == *word).unwrap_or_default()
}

pub(super) fn show(ask: &Ask) -> Answered {
    if let Some(key) = configured(ask, &ask.id) {
        return reply(StatusCode::OK, &of_file(ask, key));
    }
    reply(StatusCode::OK, &of_store(&row(ask, &ask.id)?, ask.now))
}

pub(super) fn mint(ask: &Ask) -> Answered {
    let given: MintKey = ask.body()?;
    let thing = thing(&given.name);
    if let Some(key) = configured(ask, &given.name) {
        return Err(Refusal::managed(thing, ask.plan.configured.place(Thing::Key, &key.name).as_ref()));
    }
    let grants = Grants {
        team: given.team,
        project: given.project,
        application: given.application,
        role: given.role.as_deref().map_or(Ok(Role::Caller), role)?,
        allow: given.allow.unwrap_or_default(),
        rpm: given.rpm,
        tpm: given.tpm,
        concurrency: given.concurrency,
        budgets: granted(given.budgets.unwrap_or_default()),
    };
    check(ask, &grants, given.expires, &thing)?;
    let key = NewKey { name: given.name, expires: given.expires.map(|at| at.0), grants };
    let fresh = ask.keys()?.create(&key, Entropy(random()?), &ask.actor.name, ask.now);
    fresh_key(ask, &key.name, &fresh.map_err(|error| refused(&error, &thing))?, StatusCode::CREATED)
}

pub(super) fn change(ask: &Ask) -> Answered {
    let given: ChangeKey = ask.body()?;
    let thing = thing(&ask.id);
    may_touch(ask, &thing)?;
    // What is refused inside of the change leaves it as it was.
    let mut inside = Ok(());
    let amend = |grants: &mut Grants, expires: &mut Option<UnixMs>| {
        inside = amend(ask, given, grants, expires, &thing);
        match &inside {
            Ok(()) => Ok(()),
            Err(refusal) => Err(StoreError::Refused { what: refusal.problem.reason.clone() }),
        }
    };
    let changed = ask.keys()?.amend(&ask.id, amend, &ask.actor.name, ask.now);
    inside?;
    changed.map_err(|error| refused(&error, &thing))?;
    follow(ask);
    show(ask)
}

fn amend(
    ask: &Ask,
    given: ChangeKey,
    grants: &mut Grants,
    expires: &mut Option<UnixMs>,
    thing: &str,
) -> Result<(), Refusal> {
    // As it stands now: another change may have come between.
    may_touch_one_of(ask, grants, thing)?;
    let ends = match &given.expires {
        Change::Set(end) => *end,
        Change::Stays => None,
    };
    given.team.apply(&mut grants.team);
    given.project.apply(&mut grants.project);
    given.application.apply(&mut grants.application);
    if let Change::Set(word) = given.role {
        grants.role = word.as_deref().map_or(Ok(Role::Caller), role)?;
    }
    if let Change::Set(allow) = given.allow {
        grants.allow = allow.unwrap_or_default();
    }
    given.rpm.apply(&mut grants.rpm);
    given.tpm.apply(&mut grants.tpm);
    given.concurrency.apply(&mut grants.concurrency);
    if let Change::Set(budgets) = given.budgets {
        grants.budgets = granted(budgets.unwrap_or_default());
    }
    check(ask, grants, ends, thing)?;
    if let Change::Set(end) = given.expires {
        *expires = end.map(|end| end.0);
    }
    Ok(())
}

pub(super) fn revoke(ask: &Ask) -> Answered {
    let thing = thing(&ask.id);
    may_touch(ask, &thing)?;
    ask.keys()?.revoke(&ask.id, &ask.actor.name, ask.now).map_err(|error| refused(&error, &thing))?;
    show(ask)
}

pub(super) fn rotate(ask: &Ask) -> Answered {
    let given: RotateKey = ask.body()?;
    let thing = thing(&ask.id);
    may_touch(ask, &thing)?;
    let overlap = given.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    if overlap > OVERLAP_SECONDS_MAX {
        return Err(Refusal::invalid(
            "`overlap_seconds`",
            format!("it is at most {OVERLAP_SECONDS_MAX}, a year"),
        ));
    }
    let fresh = ask.keys()?.rotate(&ask.id, overlap * 1000, Entropy(random()?), &ask.actor.name, ask.now);
    fresh_key(ask, &ask.id, &fresh.map_err(|error| refused(&error, &thing))?, StatusCode::OK)
}

fn fresh_key(ask: &Ask, name: &str, fresh: &FreshSecret, status: StatusCode) -> Answered {
    follow(ask);
    let key = of_store(&row(ask, name)?, ask.now);
    reply(status, &FreshKey { key, secret: fresh.secret.reveal().to_owned() })
}

/// Budgets that a key now has are opened where there were none. The change stands if that fails; the follower of keys tries
/// again.
fn follow(ask: &Ask) {
    if let Ok(data_dir) = ask.data_dir() {
        let _ = ask.shared.open_budgets(data_dir);
    }
}

fn random() -> Result<[u8; 32], Refusal> {
    entropy().map_err(|error| Refusal::new(500, "the secret", error.to_string(), "look at the machine"))
}

fn thing(name: &str) -> String {
    format!("the key `{}`", name.chars().take(80).collect::<String>())
}

/// What the store refuses, with a place for its words about commands.
fn refused(error: &StoreError, thing: &str) -> Refusal {
    let mut refusal = Refusal::of_store(error, thing);
    if refusal.problem.reason.contains("cannot name a key") {
        refusal.status = StatusCode::BAD_REQUEST;
        refusal.problem.code = "invalid";
    }
    refusal
}

/// The key of that name in the configuration.
fn configured<'a>(ask: &'a Ask, name: &str) -> Option<&'a Arc<KeyInfo>> {
    ask.plan.keys.iter().map(|(_, key)| key).find(|key| *key.name == *name)
}

/// The minted key of that name.
fn row(ask: &Ask, name: &str) -> Result<KeyRow, Refusal> {
    let rows = ask.keys()?.list().map_err(|error| Refusal::of_store(&error, "the keys"))?;
    let found = rows.into_iter().find(|row| row.name == name);
    found.ok_or_else(|| {
        Refusal::new(404, thing(name), "there is no such key", "GET /api/v1/keys lists those there are")
    })
}

/// Whether the key of the path may be changed here, and by whom asks.
fn may_touch(ask: &Ask, thing: &str) -> Result<(), Refusal> {
    if configured(ask, &ask.id).is_some() {
        return Err(Refusal::managed(thing, ask.plan.configured.place(Thing::Key, &ask.id).as_ref()));
    }
    may_touch_one_of(ask, &row(ask, &ask.id)?.grants, thing)
}

/// Whether a key of such terms may be changed by whom asks.
fn may_touch_one_of(ask: &Ask, grants: &Grants, thing: &str) -> Result<(), Refusal> {
    ask.actor.may_change(&ask.plan, grants.team.as_deref(), thing)?;
    if grants.role > ask.actor.role {
        let reason = format!("its role `{}` is above yours", grants.role.as_str());
        return Err(Refusal::new(403, thing, reason, "ask an admin"));
    }
    Ok(())
}

fn role(word: &str) -> Result<Role, Refusal> {
    Role::parse(word).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        Refusal::invalid("`role`", format!("`{word}` is none of {}", names.join(", ")))
    })
}

fn granted(budgets: Vec<GivenBudget>) -> Vec<BudgetGrant> {
    let grant = |given: GivenBudget| {
        let GivenBudget { usd, every, tz, anchor, on_limit, reserve, alerts } = given;
        BudgetGrant { usd, every, tz, anchor, on_limit, reserve, alerts: alerts.unwrap_or_default() }
    };
    budgets.into_iter().map(grant).collect()
}

/// Whether terms can be kept, and may be given by whom asks.
fn check(ask: &Ask, grants: &Grants, expires: Option<Moment>, thing: &str) -> Result<(), Refusal> {
    if let Some(end) = expires.filter(|end| end.0 <= ask.now) {
        return Err(Refusal::invalid("`expires`", format!("{} is over", super::iso(end.0))));
    }
    let none = [("rpm", grants.rpm), ("tpm", grants.tpm), ("concurrency", grants.concurrency.map(u64::from))];
    if let Some((name, _)) = none.into_iter().find(|(_, limit)| *limit == Some(0)) {
        return Err(Refusal::invalid(
            format!("`{name}`"),
            "a limit of 0 lets nothing through: leave it out, or revoke the key",
        ));
    }
    check_grants(grants).map_err(|why| Refusal::invalid("`budgets`", why))?;
    for (place, budget) in grants.budgets.iter().enumerate() {
        if grants.budgets[..place].iter().any(|known| known.every == budget.every) {
            return Err(Refusal::invalid("`budgets`", format!("there are two per {}", budget.every)));
        }
    }
    if let Some(why) = ask.plan.governance.missing_route(grants) {
        return Err(Refusal::invalid("`budgets`", why));
    }
    ask.plan.governance.minted_terms("", None, grants).map_err(|why| Refusal::invalid("`team`", why))?;
    ask.actor.may_grant(&ask.plan, grants, thing)
}
