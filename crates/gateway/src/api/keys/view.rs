//! Keys as they go over the wire, and how those of the file and of the store become that.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_store::budget::ScopeKind;
use pilothouse_store::keys::{BudgetGrant, KeyRow};
use pilothouse_store::limits::Limits;

use crate::api::Ask;
use crate::api::shape::{Change, Moment, one_of, shape};
use crate::plan::terms::Budgeted;
use crate::plan::{KeyInfo, Thing};

one_of! {
    /// Where something is managed.
    Managed {
        /// By the configuration: it is changed there.
        File = "file",
        /// By the store: it is changed here.
        Store = "store",
        /// Made at the first start, and kept in the data folder.
        Generated = "generated",
    }
}

one_of! {
    /// What a key can do now.
    KeyState {
        /// It may call.
        Active = "active",
        /// Its end has come.
        Expired = "expired",
        /// It was ended for good.
        Revoked = "revoked",
    }
}

shape! {
    answer
    /// A budget as a key has it.
    KeyBudget {
        /// The cap in US dollars, as a decimal number.
        usd: String,
        /// `hour`, `day`, `month` or `total`.
        every: String,
        /// The zone whose calendar counts.
        tz: String,
        /// Where the period begins, as in the configuration; null for where it begins by itself.
        anchor: Option<String>,
        /// What happens to calls that it cannot pay: `stop`, `warn` or `downgrade ROUTE`.
        on_limit: String,
        /// What is set aside before a call: `worst` or `expected`.
        reserve: String,
        /// Shares of the cap that are told, in per cent.
        alerts: Vec<f64>,
    }
}

shape! {
    request
    /// A budget for a key.
    GivenBudget {
        /// The cap in US dollars, as a decimal number.
        usd: String,
        /// `hour`, `day`, `month` or `total`; one budget of each.
        every: String,
        /// The zone whose calendar counts, such as `Europe/Berlin`; UTC where left out.
        tz: Option<String>,
        /// Where the period begins: a minute of the hour (`30`), a time of the day (`06:00`), a day of the month (`15`).
        anchor: Option<String>,
        /// What happens to calls that it cannot pay: `stop` (where left out), `warn` or `downgrade ROUTE`.
        on_limit: Option<String>,
        /// What is set aside before a call: the `worst` (where left out), or what is `expected`.
        reserve: Option<String>,
        /// Shares of the cap that are told once per period, in per cent; at most 8.
        alerts: Option<Vec<f64>>,
    }
}

shape! {
    answer
    /// One of a key's secrets. The secret itself is shown once, when it is made.
    SecretView {
        /// Its last characters.
        hint: String,
        /// When it ends; null for never.
        expires: Option<Moment>,
    }
}

shape! {
    answer
    /// A key.
    KeyView {
        /// Its name.
        name: String,
        /// Where it is managed.
        managed_by: Managed,
        /// The line of the configuration that has it, as `FILE:LINE`.
        place: Option<String>,
        /// What it can do now.
        state: KeyState,
        /// The team that it belongs to.
        team: Option<String>,
        /// The project, for reports.
        project: Option<String>,
        /// The application that calls with it, where the caller does not say.
        application: Option<String>,
        /// What it may do besides calling models: `caller`, `viewer`, `lead` or `admin`.
        role: &'static str,
        /// Routes and targets that it may call; everything where there are none.
        allow: Vec<String>,
        /// Requests per minute.
        rpm: Option<u64>,
        /// Tokens per minute.
        tpm: Option<u64>,
        /// Calls at once.
        concurrency: Option<u32>,
        /// Its own budgets; those of its teams hold besides.
        budgets: Vec<KeyBudget>,
        /// When it was made; null for keys that the store does not manage.
        created: Option<Moment>,
        /// When it ends by itself; null for never.
        expires: Option<Moment>,
        /// When it was revoked.
        revoked: Option<Moment>,
        /// Its secrets, the newest first; none for keys that the store does not manage.
        secrets: Vec<SecretView>,
    }
}

shape! {
    answer
    /// A key with its new secret.
    FreshKey {
        /// The key.
        key: KeyView,
        /// The secret, shown this once: the API key of SDKs.
        secret: String,
    }
}

shape! {
    answer
    /// Who asks.
    SelfView {
        /// As audit records name it.
        name: String,
        /// The role: `viewer`, `lead` or `admin`.
        role: &'static str,
        /// The team that a lead changes things of.
        team: Option<String>,
    }
}

shape! {
    request
    /// A key that is to be made.
    MintKey {
        /// Its name: 1 to 64 letters, digits, `-`, `_` or `.`, distinct for good.
        name: String,
        /// The team that it belongs to.
        team: Option<String>,
        /// The project, for reports.
        project: Option<String>,
        /// The application that calls with it, where the caller does not say.
        application: Option<String>,
        /// `caller` (where left out), `viewer`, `lead` or `admin`.
        role: Option<String>,
        /// Routes and targets that it may call; everything where left out.
        allow: Option<Vec<String>>,
        /// Requests per minute.
        rpm: Option<u64>,
        /// Tokens per minute.
        tpm: Option<u64>,
        /// Calls at once.
        concurrency: Option<u32>,
        /// Its budgets.
        budgets: Option<Vec<GivenBudget>>,
        /// When it ends by itself.
        expires: Option<Moment>,
    }
}

shape! {
    change
    /// What changes of a key: what is left out stays, null takes away.
    ChangeKey {
        /// The team that it belongs to.
        team: Change<String>,
        /// The project, for reports.
        project: Change<String>,
        /// The application that calls with it.
        application: Change<String>,
        /// `caller`, `viewer`, `lead` or `admin`.
        role: Change<String>,
        /// Routes and targets that it may call.
        allow: Change<Vec<String>>,
        /// Requests per minute.
        rpm: Change<u64>,
        /// Tokens per minute.
        tpm: Change<u64>,
        /// Calls at once.
        concurrency: Change<u32>,
        /// All its budgets.
        budgets: Change<Vec<GivenBudget>>,
        /// When it ends by itself.
        expires: Change<Moment>,
    }
}

shape! {
    request
    /// How a key gets a new secret.
    RotateKey {
        /// For how many seconds the old secret goes on; a day where left out, 0 ends it now.
        overlap_seconds: Option<u64>,
    }
}

impl KeyBudget {
    /// A budget of the configuration.
    pub(crate) fn of(budget: &Budgeted) -> Self {
        Self::granted(budget.words())
    }

    /// A budget as the store has it, with what it leaves out.
    fn granted(grant: BudgetGrant) -> Self {
        let BudgetGrant { usd, every, tz, anchor, on_limit, reserve, alerts } = grant;
        let or = |given: Option<String>, otherwise: &str| given.unwrap_or_else(|| otherwise.to_owned());
        let (tz, on_limit, reserve) = (or(tz, "UTC"), or(on_limit, "stop"), or(reserve, "worst"));
        Self { usd, every, tz, anchor, on_limit, reserve, alerts }
    }
}

fn state(revoked: Option<UnixMs>, expires: Option<UnixMs>, now: UnixMs) -> KeyState {
    match (revoked, expires) {
        (Some(_), _) => KeyState::Revoked,
        (None, Some(end)) if end <= now => KeyState::Expired,
        _ => KeyState::Active,
    }
}

pub(super) fn of_store(row: &KeyRow, now: UnixMs) -> KeyView {
    let grants = &row.grants;
    let secret =
        |(hint, end): &(String, Option<UnixMs>)| SecretView { hint: hint.clone(), expires: end.map(Moment) };
    KeyView {
        name: row.name.clone(),
        managed_by: Managed::Store,
        place: None,
        state: state(row.revoked, row.expires, now),
        team: grants.team.clone(),
        project: grants.project.clone(),
        application: grants.application.clone(),
        role: grants.role.as_str(),
        allow: grants.allow.clone(),
        rpm: grants.rpm,
        tpm: grants.tpm,
        concurrency: grants.concurrency,
        budgets: grants.budgets.iter().cloned().map(KeyBudget::granted).collect(),
        created: Some(Moment(row.created)),
        expires: row.expires.map(Moment),
        revoked: row.revoked.map(Moment),
        secrets: row.secrets.iter().map(secret).collect(),
    }
}

pub(super) fn of_file(ask: &Ask, key: &KeyInfo) -> KeyView {
    let (terms, text) = (&key.terms, |text: &Arc<str>| text.to_string());
    let own = format!("key {}", key.name);
    let limits = terms.limits.iter().find(|subject| *subject.name == *own);
    let Limits { requests, tokens, concurrency } = limits.map(|subject| subject.limits).unwrap_or_default();
    let budgets = terms.budgets.iter().filter(|budget| budget.kind == ScopeKind::Key);
    let place = ask.plan.configured.place(Thing::Key, &key.name);
    KeyView {
        name: key.name.to_string(),
        managed_by: if place.is_some() { Managed::File } else { Managed::Generated },
        place: place.map(|place| place.to_string()),
        state: state(None, terms.expires, ask.now),
        team: terms.team.as_ref().map(text),
        project: terms.project.as_ref().map(text),
        application: key.application.as_ref().map(text),
        role: terms.role.as_str(),
        allow: terms.allow.iter().map(|name| name.to_string()).collect(),
        rpm: requests.map(|rate| rate.per_minute),
        tpm: tokens.map(|rate| rate.per_minute),
        concurrency,
        budgets: budgets.map(KeyBudget::of).collect(),
        created: None,
        expires: terms.expires.map(Moment),
        revoked: None,
        secrets: Vec::new(),
    }
}
