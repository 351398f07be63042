//! What the store manages, as sections of a configuration that say the same: minted keys by hash, temporary limits.
//!
//! What is over or was revoked is left out. A key that was rotated brings both secrets while the old one goes on.

use std::fmt::Write as _;

use pilothouse_core::clock::UnixMs;
use pilothouse_store::StoreError;
use pilothouse_store::keys::{BudgetGrant, Grants, KeyRow, Keys, Role, TemporaryLimit};
use pilothouse_store::limits::Limits;

use crate::api::iso;
use crate::config::{File, Key, Source};

/// A section of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The key's or the temporary limit's name.
    pub name: String,
    /// It, as TOML.
    pub text: String,
}

/// Sections of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// `[keys.NAME]`, by name.
    pub keys: Vec<Section>,
    /// `[limits.NAME]`, by name.
    pub limits: Vec<Section>,
    /// What they do not carry, and why.
    pub notes: Vec<String>,
}

impl Exported {
    /// All sections, keys first.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        self.keys.iter().chain(&self.limits)
    }

    /// All sections as one text.
    #[must_use]
    pub fn text(&self) -> String {
        self.sections().map(|section| section.text.as_str()).collect()
    }

    /// Whether a configuration has a section already, and means the same by it.
    #[must_use]
    pub fn is_in(file: &File, section: &Section) -> bool {
        let Ok(own) = Source::parse(section.text.clone(), None) else { return false };
        let (keys, limits) = (&own.file.keys, &own.file.limits);
        let has_key = keys.iter().any(|(name, key)| {
            let has_all = |there: &Key| {
                there.secret == key.secret && (key.previous.is_none() || there.previous == key.previous)
            };
            file.keys.iter().any(|(known, there)| known == name && has_all(there))
        });
        let has_limit = limits
            .iter()
            .any(|(name, limit)| file.limits.iter().any(|(known, there)| known == name && there == limit));
        has_key || has_limit
    }
}

/// Writes every key and every temporary limit of a store that can still be used.
///
/// # Errors
/// Refusals of the database, and damage.
pub fn export(store: &Keys, now: UnixMs) -> Result<Exported, StoreError> {
    let mut exported = Exported::default();
    for row in store.list()? {
        let is_over = row.expires.is_some_and(|end| end <= now);
        if row.revoked.is_some() || is_over {
            let why = if is_over { "has ended" } else { "was revoked" };
            exported.notes.push(format!("the key `{}` {why}", row.name));
            continue;
        }
        let digests = store.digests(&row.name)?;
        let Some((digest, _)) = digests.first() else {
            exported.notes.push(format!("the key `{}` has no secret", row.name));
            continue;
        };
        let previous =
            digests[1..].iter().find_map(|(old, end)| Some((old, (*end).filter(|end| *end > now)?)));
        exported.keys.push(Section { text: key(&row, digest, previous), name: row.name });
    }
    for limit in store.limits()?.into_iter().filter(|limit| limit.until > now) {
        exported.limits.push(Section { text: temporary(&limit), name: limit.name });
    }
    Ok(exported)
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn texts(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn key(row: &KeyRow, digest: &[u8; 32], previous: Option<(&[u8; 32], UnixMs)>) -> String {
    let mut out = String::new();
    let Grants { team, project, application, role, allow, rpm, tpm, concurrency, budgets } = &row.grants;
    // Minted names hold letters, digits, `-`, `_` and `.`: a dot alone needs the quotes.
    let _ = writeln!(out, "[keys.{}]\nsecret = \"sha256:{}\"", quoted(&row.name), hex(digest));
    if let Some((old, end)) = previous {
        let _ = writeln!(out, "previous = {{ secret = \"sha256:{}\", until = {} }}", hex(old), iso(end));
    }
    for (name, value) in [("application", application), ("team", team), ("project", project)] {
        if let Some(value) = value {
            let _ = writeln!(out, "{name} = {}", quoted(value));
        }
    }
    if *role != Role::Caller {
        let _ = writeln!(out, "role = {}", quoted(role.as_str()));
    }
    if let Some(end) = row.expires {
        let _ = writeln!(out, "expires = {}", iso(end));
    }
    if !allow.is_empty() {
        let _ = writeln!(out, "allow = {}", texts(allow));
    }
    let numbers = [("rpm", *rpm), ("tpm", *tpm), ("concurrency", concurrency.map(u64::from))];
    let numbers: Vec<String> =
        numbers.iter().filter_map(|(name, value)| Some(format!("{name} = {}", (*value)?))).collect();
    if !numbers.is_empty() {
        let _ = writeln!(out, "limits = {{ {} }}", numbers.join(", "));
    }
    if !budgets.is_empty() {
        let budgets: Vec<String> = budgets.iter().map(budget).collect();
        let _ = writeln!(out, "budgets = [{}]", budgets.join(", "));
    }
    out.push('\n');
    out
}

fn budget(budget: &BudgetGrant) -> String {
    let BudgetGrant { usd, every, tz, anchor, on_limit, reserve, alerts } = budget;
    let mut out = format!("{{ usd = {}, every = {}", quoted(usd), quoted(every));
    for (name, value) in [("tz", tz), ("anchor", anchor), ("on_limit", on_limit), ("reserve", reserve)] {
        if let Some(value) = value {
            let _ = write!(out, ", {name} = {}", quoted(value));
        }
    }
    if !alerts.is_empty() {
        let shares: Vec<String> = alerts.iter().map(f64::to_string).collect();
        let _ = write!(out, ", alerts = [{}]", shares.join(", "));
    }
    out + " }"
}

fn temporary(limit: &TemporaryLimit) -> String {
    let mut out = String::new();
    let Limits { requests, tokens, concurrency } = limit.limits;
    let _ =
        writeln!(out, "[limits.{}]\n{} = {}", quoted(&limit.name), limit.of.as_str(), quoted(&limit.subject));
    let rates = [("rpm", requests.map(|rate| rate.per_minute)), ("tpm", tokens.map(|rate| rate.per_minute))];
    for (name, value) in rates.into_iter().chain([("concurrency", concurrency.map(u64::from))]) {
        if let Some(value) = value {
            let _ = writeln!(out, "{name} = {value}");
        }
    }
    let _ = writeln!(out, "until = {}\n", iso(limit.until));
    out
}
