//! Who administers, and what of: the admin token, a key with a role, or whoever is on this machine while there is neither.

use std::sync::Arc;

use pilothouse_store::keys::{Grants, Role as KeyRole};

use super::refusal::Refusal;
use crate::endpoints::Role;
use crate::pipeline;
use crate::plan::{KeyInfo, Plan, digest_of};
use crate::shared::Shared;
use crate::told::Told;

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    /// As audit records name it.
    pub(super) name: String,
    pub(super) role: KeyRole,
    /// The key that it came with; `None` for the admin token and for this machine.
    pub(super) key: Option<Arc<KeyInfo>>,
}

impl Actor {
    /// Finds out who asks.
    pub(super) fn of(
        shared: &Shared,
        plan: &Plan,
        told: &Told<'_>,
        is_loopback: bool,
    ) -> Result<Self, Refusal> {
        let all = |name: &str| Self { name: name.to_owned(), role: KeyRole::Admin, key: None };
        let has_keys = !(plan.keys.is_empty() && shared.minted.is_empty());
        if plan.admin.is_none() && !has_keys && is_loopback {
            // As for calls: without keys, who is on this machine needs none, and whatever is sent is dropped.
            return Ok(all("this machine"));
        }
        let unauthorized = |reason: &str| unauthorized(shared, plan, is_loopback, reason);
        let Some(digest) = pipeline::credential(told).map(digest_of) else {
            return Err(unauthorized("no credential was sent"));
        };
        if plan.admin == Some(digest) {
            return Ok(all("admin token"));
        }
        let now = shared.clock.now();
        let key = match plan.keys.find_digest(&digest) {
            Some(key) => Some(Arc::clone(key)),
            None => {
                shared.minted.find(plan, &digest, now).map_err(|error| Refusal::of(&error, "the API key"))?
            }
        };
        match key {
            Some(key) if key.terms.is_over(now) => Err(unauthorized("the API key has ended")),
            Some(key) => Ok(Self { name: format!("key {}", key.name), role: key.terms.role, key: Some(key) }),
            None => Err(unauthorized("the credential is not one that is known here")),
        }
    }

    /// Whether its role suffices for an endpoint.
    pub(super) fn may(&self, role: Role) -> Result<(), Refusal> {
        let least = match role {
            Role::Anyone | Role::Caller => KeyRole::Caller,
            Role::Viewer => KeyRole::Viewer,
            Role::Lead => KeyRole::Lead,
            Role::Admin | Role::Operator => KeyRole::Admin,
        };
        if self.role >= least {
            return Ok(());
        }
        let reason = format!("it has the role `{}`, and this takes `{}`", self.role.as_str(), least.as_str());
        let step = format!(
            "use a key with that role, or the admin token; whoever runs this gateway gives a key its role: `role = \"{0}\"` in \
             [keys.NAME], or `pilothouse keys limit NAME --role {0}` for a minted one",
            least.as_str()
        );
        Err(Refusal::new(403, self.name.clone(), reason, &step))
    }

    /// Whether it may change what belongs to a team: an admin everything, a lead what is of its team or below it.
    pub(super) fn may_change(&self, plan: &Plan, team: Option<&str>, thing: &str) -> Result<(), Refusal> {
        if self.role == KeyRole::Admin {
            return Ok(());
        }
        let own = self.key.as_ref().and_then(|key| key.terms.team.as_deref());
        if let (Some(own), Some(team)) = (own, team)
            && plan.governance.is_within(team, own)
        {
            return Ok(());
        }
        let reason = match (own, team) {
            (None, _) => "a lead changes what belongs to its team, and this one has none".to_owned(),
            (Some(own), None) => {
                format!("it belongs to no team, and a lead of `{own}` changes what belongs to that one")
            }
            (Some(own), Some(team)) => format!("it belongs to the team `{team}`, which is not below `{own}`"),
        };
        Err(Refusal::new(403, thing, reason, "ask an admin, or name a team below your own"))
    }

    /// Whether it may give a key such terms: nobody gives more than they have.
    pub(super) fn may_grant(&self, plan: &Plan, grants: &Grants, thing: &str) -> Result<(), Refusal> {
        self.may_change(plan, grants.team.as_deref(), thing)?;
        let forbid = |reason: String| Err(Refusal::new(403, thing, reason, "give less, or ask an admin"));
        if grants.role > self.role {
            return forbid(format!(
                "the role `{}` is above `{}`, which is yours",
                grants.role.as_str(),
                self.role.as_str()
            ));
        }
        let Some(own) =
            self.key.as_ref().filter(|key| self.role < KeyRole::Admin && !key.terms.allow.is_empty())
        else {
            return Ok(());
        };
        if grants.allow.is_empty() {
            return forbid(
                "your own key is held to a list of what it may call (`allow`), so the new one needs one"
                    .to_owned(),
            );
        }
        let is_own =
            |name: &&String| own.terms.allows(name) || own.terms.allow.iter().any(|known| **known == ***name);
        match grants.allow.iter().find(|name| !is_own(name)) {
            Some(name) => forbid(format!("your own key may not call `{name}`")),
            None => Ok(()),
        }
    }
}

/// Whether anybody at all may administer with a credential.
fn has_administrator(shared: &Shared, plan: &Plan) -> bool {
    let may = |role: KeyRole| role >= KeyRole::Viewer;
    plan.admin.is_some()
        || plan.keys.iter().any(|(_, key)| may(key.terms.role))
        || shared.minted.index().keys().any(|key| may(key.grants.role))
}

/// Refuses whoever cannot show who they are. Where nobody could, this machine is told how to make a credential; others learn only how
/// one is given in general.
fn unauthorized(shared: &Shared, plan: &Plan, is_loopback: bool, reason: &str) -> Refusal {
    if is_loopback && !has_administrator(shared, plan) {
        let reason = format!(
            "{reason}, and there is none yet that may administer: there are keys, but none with a role, and no admin token"
        );
        let data =
            shared.api.data_dir.get().map(|dir| format!(" --data {}", dir.display())).unwrap_or_default();
        let step = format!(
            "make one on this machine with `pilothouse keys create NAME --role admin{data}`, or put `admin_token = \"env:NAME\"` under \
             [server], or `role = \"admin\"` into a [keys.NAME]; each works within seconds, without a restart (but what `env:` names \
             must be set when the gateway starts); then send it as `Authorization: Bearer KEY`"
        );
        return Refusal::new(401, "the request", reason, &step);
    }
    let step = "send the admin token, or a key whose role is viewer, lead or admin, as `Authorization: Bearer KEY`; whoever runs this \
                gateway gives the first with `admin_token` in [server], the second with `role` in [keys.NAME] or with `pilothouse \
                keys create NAME --role ROLE`";
    Refusal::new(401, "the request", reason, step)
}
