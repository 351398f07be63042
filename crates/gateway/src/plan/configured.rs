//! Where in the file things stand, for those who may read them but must change them there.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use pilothouse_store::StoreError;
use pilothouse_store::keys::{Clash, Keys};
use toml::Spanned;

use super::Plan;
use crate::config::{ConfigError, Diagnostic, Source};

/// Something that the file has by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thing {
    /// `[keys.NAME]`
    Key,
    /// `[teams.NAME]`
    Team,
    /// `[providers.NAME]`
    Provider,
    /// `[routes.NAME]`
    Route,
    /// `[limits.NAME]`
    Limit,
    /// A budget of `[budgets]`: `end_user`, `run`, or a route's by its name.
    Budget,
    /// `[lifecycle."PROVIDER/MODEL"]`
    Lifecycle,
}

/// A line of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: Arc<str>,
    line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

/// What the file has, and where.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    file: Arc<str>,
    lines: HashMap<(Thing, Box<str>), usize>,
    /// The lines of a route's targets and fallbacks, in the order of its candidates.
    targets: HashMap<Box<str>, Vec<usize>>,
    /// The team above each that has one.
    parents: BTreeMap<Box<str>, Box<str>>,
}

impl Configured {
    /// Notes the places of a file.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let file = &source.file;
        let name = source
            .path
            .as_ref()
            .map_or_else(|| "configuration".to_owned(), |path| path.display().to_string());
        let lines = Lines::of(&source.text);
        let mut found = Self { file: name.into(), ..Self::default() };
        found.note(Thing::Key, file.keys.keys(), &lines);
        found.note(Thing::Team, file.teams.keys(), &lines);
        found.note(Thing::Provider, file.providers.keys(), &lines);
        found.note(Thing::Route, file.routes.keys(), &lines);
        found.note(Thing::Limit, file.limits.keys(), &lines);
        found.note(Thing::Lifecycle, file.lifecycle.targets.keys(), &lines);
        found.note(Thing::Budget, file.budgets.routes.keys(), &lines);
        let callers = [("end_user", &file.budgets.end_user), ("run", &file.budgets.run)];
        for (name, section) in
            callers.into_iter().filter_map(|(name, section)| Some((name, section.as_ref()?)))
        {
            found.lines.insert((Thing::Budget, name.into()), lines.line(&section.usd.span()));
        }
        for (name, route) in &file.routes {
            let targets =
                route.targets.iter().map(Spanned::span).chain(route.fallback.iter().map(Spanned::span));
            let places = targets.map(|span| lines.line(&span)).collect();
            found.targets.insert(name.get_ref().as_str().into(), places);
        }
        for (name, team) in &file.teams {
            if let Some(parent) = &team.parent {
                found.parents.insert(name.get_ref().as_str().into(), parent.get_ref().as_str().into());
            }
        }
        found
    }

    fn note<'f>(&mut self, thing: Thing, names: impl Iterator<Item = &'f Spanned<String>>, lines: &Lines) {
        // What was put there by us, and stands in no file, has no span.
        for name in names.filter(|name| !name.span().is_empty()) {
            self.lines.insert((thing, name.get_ref().as_str().into()), lines.line(&name.span()));
        }
    }

    fn at(&self, line: usize) -> Place {
        Place { file: Arc::clone(&self.file), line }
    }

    /// Where something stands; `None` for what the file does not have.
    #[must_use]
    pub fn place(&self, thing: Thing, name: &str) -> Option<Place> {
        self.lines.get(&(thing, Box::from(name))).map(|line| self.at(*line))
    }

    /// Where one of a route's targets stands, by its place among the route's candidates.
    #[must_use]
    pub fn target(&self, route: &str, index: usize) -> Option<Place> {
        self.targets.get(route)?.get(index).map(|line| self.at(*line))
    }

    /// The team above a team.
    #[must_use]
    pub fn parent(&self, team: &str) -> Option<&str> {
        self.parents.get(team).map(AsRef::as_ref)
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    /// The line of a span, from 1.
    fn line(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|end| *end < span.start) + 1
    }
}

/// Makes sure that nothing of the store has a name or a secret that the file has: neither may shadow the other.
///
/// # Errors
/// Each clash with its line.
pub(crate) fn check_clashes(source: &Source, plan: &Plan, store: &Keys) -> Result<(), ConfigError> {
    let failed = |error: StoreError| {
        source.error(vec![Diagnostic { span: None, message: format!("minted keys cannot be read: {error}") }])
    };
    // What another process changed a moment ago counts.
    store.refresh().map_err(failed)?;
    let mut clashes = store.clashes(plan.keys.digests()).map_err(failed)?;
    // A key with two secrets clashes once by its name.
    let mut told = Vec::new();
    clashes.retain(|clash| {
        let is_new = !told.contains(clash);
        told.push(clash.clone());
        is_new
    });
    let file = &source.file;
    let mut wrong: Vec<Diagnostic> = clashes
        .into_iter()
        .map(|clash| match clash {
            Clash::Name(name) => {
                let span = file.keys.keys().find(|key| *key.get_ref() == name).map(Spanned::span);
                let message = format!(
                    "a minted key is called `{name}` too: rename this one, or take the minted one out of the store with \
                     `pilothouse config export --remove`"
                );
                Diagnostic { span: span.filter(|span| !span.is_empty()), message }
            }
            Clash::Secret { minted, configured } => {
                let section = file.keys.iter().find(|(key, _)| *key.get_ref() == configured);
                let message = format!(
                    "the minted key `{minted}` has the same secret: give this one another, or take the minted one out of the \
                     store with `pilothouse config export --remove`"
                );
                Diagnostic { span: section.map(|(_, key)| key.secret.span()), message }
            }
        })
        .collect();
    for limit in store.limits().map_err(failed)? {
        if let Some(name) = file.limits.keys().find(|name| *name.get_ref() == limit.name) {
            let message = format!(
                "a temporary limit of the store is called `{}` too: rename this one, or end the other \
                 (`pilothouse config export --remove`)",
                limit.name
            );
            wrong.push(Diagnostic::at(name.span(), message));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(source.error(wrong)) }
}

/// What a look into the store beside a configuration came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreLook {
    /// There is no store yet, and so nothing that could clash.
    Nothing,
    /// Nothing of the store has a name or a secret of the file. What else should be known of its keys, a sentence each.
    Compared(Vec<String>),
    /// The store could not be read, for this reason.
    Unread(String),
}

/// Looks into the store of a data folder for what clashes with a configuration, without changing anything.
///
/// # Errors
/// Each clash with its line.
pub fn look_into_store(source: &Source, plan: &Plan, data_dir: &Path) -> Result<StoreLook, ConfigError> {
    let store = match Keys::look(data_dir) {
        Ok(store) => store,
        Err(StoreError::Missing { .. }) => return Ok(StoreLook::Nothing),
        Err(error) => return Ok(StoreLook::Unread(error.to_string())),
    };
    if let Err(error) = store.list().and_then(|_| store.limits()) {
        return Ok(StoreLook::Unread(error.to_string()));
    }
    check_clashes(source, plan, &store)?;
    let mut notes = Vec::new();
    let index = store.index();
    for key in index.keys() {
        let (name, grants) = (&key.name, &key.grants);
        if let Err(why) = plan.governance.minted_terms(name, key.expires, grants) {
            notes.push(format!("the minted key `{name}` cannot call: {why}"));
        }
        if let Some(why) = plan.governance.missing_route(grants) {
            notes.push(format!(
                "a budget of the minted key `{name}` stops calls instead of taking a route: {why}"
            ));
        }
    }
    notes.sort();
    Ok(StoreLook::Compared(notes))
}
