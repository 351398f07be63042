//! Interfaces that are shut down or will be: `client.beta.assistants`, `/v1/assistants`, packages that are left behind.

use std::sync::{LazyLock, OnceLock};

use pilothouse_catalog::compat::Path;
use pilothouse_catalog::day;
use pilothouse_core::dialect::Dialect;
use serde::Deserialize;

use super::calls::shortened;
use super::requests::Requests;
use crate::scan::classify::FileContext;
use crate::scan::finding::{Confidence, Finding, Rule, Severity, Site};
use crate::scan::names::Names;
use crate::scan::source::{Context, Mention, Span};

const TEXT: &str = include_str!("../../../data/interfaces.toml");

/// Days before the end from which on something blocks.
const NEAR_DAYS: i64 = 90;

/// How bad a use is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Weight {
    /// Calls fail from a day on.
    #[default]
    Blocks,
    /// It goes on for now.
    Tune,
}

/// A member of a request that goes with an interface.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    dialect: Dialect,
    path: Path,
    /// A member that it must have itself.
    #[serde(default)]
    has: Option<String>,
}

/// One interface.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its name, stable: findings and baselines use it.
    pub id: String,
    /// What it is, to be read after "uses".
    pub title: String,
    /// The vendor's name in the catalogue.
    pub vendor: String,
    /// The first day on which calls fail.
    #[serde(default)]
    pub shut: Option<String>,
    #[serde(default)]
    weight: Weight,
    /// What to do, one sentence.
    pub next: String,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    words_near: Vec<String>,
    #[serde(default)]
    near: Vec<String>,
    /// Words of which one must stand in the host of an address that holds a word.
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    member: Option<Mark>,
    #[serde(default)]
    members: Vec<Mark>,
    /// The page that says so.
    pub source: String,
    /// The day on which it was read.
    pub as_of: String,
}

#[derive(Deserialize)]
struct File {
    interface: Vec<Interface>,
}

fn parse(text: &str) -> Result<Vec<Interface>, String> {
    toml::from_str::<File>(text).map(|file| file.interface).map_err(|error| error.to_string())
}

/// Every interface that is known to end. Parsed once, at first use; a test holds that the file parses.
#[must_use]
pub fn all() -> &'static [Interface] {
    static PARSED: OnceLock<Vec<Interface>> = OnceLock::new();
    PARSED.get_or_init(|| parse(TEXT).unwrap_or_default())
}

/// Words that make a file worth reading even if it names no model.
pub static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let words = all().iter().flat_map(|one| one.words.iter().chain(&one.words_near));
    words.map(String::as_str).chain(["\"prompt\": {\"id\"", "prompt={\"id\""]).collect()
});

/// The same, for who asks by a function.
#[must_use]
pub fn words() -> &'static [&'static str] {
    &WORDS
}

/// Findings about interfaces.
#[must_use]
pub fn judge(reading: &Requests<'_>, file: &FileContext<'_>, _names: &Names, today: &str) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    let mut near = Near { file, words: Vec::new() };
    for mention in &reading.mentions {
        let Some(word) = file.text.get(mention.span.clone()) else { continue };
        let Some((interface, is_sure)) = interface_of(word) else { continue };
        if is_sure || near.is_there(interface) {
            out.extend(of_mention(interface, mention, file, today));
        }
    }
    for (_, request) in reading.all() {
        for (interface, mark) in marks().filter(|(_, mark)| mark.dialect == request.dialect) {
            let Some(node) = request.body.at(mark.path.as_str()) else { continue };
            let fits = mark.has.as_ref().is_none_or(|name| node.get(name).is_some());
            if !fits || node.is_absent() || request.vendor.is_none() {
                continue;
            }
            let Some(span) = node.span() else { continue };
            out.push(finding(interface, span, Site::Calls, request.confidence, file, today));
        }
    }
    out.sort_by_key(|finding| finding.place.span.start);
    out.dedup_by(|one, before| one.rule == before.rule && one.place.span == before.place.span);
    out
}

fn marks() -> impl Iterator<Item = (&'static Interface, &'static Mark)> {
    all().iter().flat_map(|one| one.members.iter().chain(&one.member).map(move |mark| (one, mark)))
}

/// The interface that a word means, and whether it means it by itself.
fn interface_of(word: &str) -> Option<(&'static Interface, bool)> {
    let is = |words: &[String]| words.iter().any(|one| one.eq_ignore_ascii_case(word));
    let sure = all().iter().find(|one| is(&one.words)).map(|one| (one, true));
    sure.or_else(|| all().iter().find(|one| is(&one.words_near)).map(|one| (one, false)))
}

/// Which words stand in a file, looked for once each.
struct Near<'f> {
    file: &'f FileContext<'f>,
    words: Vec<(&'static str, bool)>,
}

impl Near<'_> {
    fn is_there(&mut self, interface: &'static Interface) -> bool {
        interface.near.iter().any(|word| {
            if let Some((_, is_there)) = self.words.iter().find(|(known, _)| known == word) {
                return *is_there;
            }
            let is_there = holds(self.file.text, word);
            self.words.push((word, is_there));
            is_there
        })
    }
}

/// Whether a word stands in a text, in letters of any case.
fn holds(text: &str, word: &str) -> bool {
    let Some(first) = word.bytes().next() else { return false };
    let ends = [first.to_ascii_lowercase(), first.to_ascii_uppercase()];
    memchr::memchr2_iter(ends[0], ends[1], text.as_bytes()).any(|at| {
        text.as_bytes()
            .get(at..at + word.len())
            .is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
    })
}

fn of_mention(
    interface: &'static Interface,
    mention: &Mention,
    file: &FileContext<'_>,
    today: &str,
) -> Option<Finding> {
    let word = file.text.get(mention.span.clone())?;
    let is_path = word.starts_with('/');
    // The path of somebody else's server.
    if let Some((_, behind)) = mention.text.split_once("://")
        && !interface.hosts.is_empty()
    {
        let host = behind.split(['/', '?']).next().unwrap_or("").to_ascii_lowercase();
        let is_made = host.is_empty() || host.contains(['{', '$', '%']);
        if is_path && !is_made && !interface.hosts.iter().any(|known| host.contains(known.as_str())) {
            return None;
        }
    }
    if is_path && is_own_route(mention, file.text) {
        return None;
    }
    let is_name = word.contains('.') && !is_path && !word.contains('=');
    let (site, confidence) = match mention.context {
        Context::Comment | Context::Prose => (Site::Opaque, Confidence::Low),
        // A sentence that names a function calls nothing.
        Context::WithinText if is_name => (Site::Opaque, Confidence::Low),
        Context::Code | Context::Value | Context::Url | Context::Key => (Site::Calls, Confidence::High),
        Context::WithinText | Context::Dynamic => (Site::Calls, Confidence::Medium),
    };
    let is_partial =
        if is_path && !mention.text.contains("://") { Confidence::Medium } else { Confidence::High };
    Some(finding(interface, mention.span.clone(), site, confidence.min(is_partial), file, today))
}

/// Whether a path is one that this program itself serves: `app.get("/v1/assistants", …)`, `@router.post("/v1/threads")`.
fn is_own_route(mention: &Mention, text: &str) -> bool {
    const SERVERS: [&str; 12] =
        ["app", "router", "server", "mux", "api", "r", "e", "bp", "blueprint", "routes", "engine", "fastify"];
    const VERBS: [&str; 16] = [
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "all",
        "use",
        "route",
        "handle",
        "handlefunc",
        "mapget",
        "mappost",
        "any",
        "mount",
        "nest",
        "group",
    ];
    let Some(before) = text.get(..mention.text_span.start) else { return false };
    let before = before.trim_end_matches(['"', '\'', '`']).trim_end();
    let Some(callee) = before.strip_suffix('(') else { return false };
    let name = callee.rsplit(|letter: char| !letter.is_alphanumeric() && !"._".contains(letter)).next();
    let callee = name.unwrap_or_default().to_ascii_lowercase();
    let mut words = callee.split('.');
    let is_server = words.next().is_some_and(|first| SERVERS.contains(&first));
    is_server && words.next_back().is_some_and(|last| VERBS.contains(&last))
}

fn finding(
    interface: &'static Interface,
    span: Span,
    site: Site,
    confidence: Confidence,
    file: &FileContext<'_>,
    today: &str,
) -> Finding {
    let site = file.site.unwrap_or(site);
    let days =
        interface.shut.as_deref().zip(day::start_of(today)).and_then(|(shut, at)| day::days_until(shut, at));
    let severity = match (site, interface.weight, days) {
        (Site::Opaque, ..) => Severity::Note,
        (_, Weight::Blocks, Some(days)) if days <= NEAR_DAYS => Severity::Blocks,
        _ => Severity::Tune,
    };
    let when = match (interface.shut.as_deref(), days) {
        (Some(shut), Some(days)) if days > 0 => format!("; shut down on {shut} ({days} d)"),
        (Some(shut), _) => format!("; shut down since {shut}"),
        (None, _) => String::new(),
    };
    let subject = shortened(file.text.get(span.clone()).unwrap_or(""));
    Finding {
        rule: Rule::Interface(&interface.id),
        severity,
        confidence,
        place: file.place(span),
        site,
        message: format!("{subject} uses {}{when}", interface.title),
        subject,
        model: None,
        next: interface.next.clone(),
        // What goes on for now fails no run, on its day neither.
        due: interface.shut.clone().filter(|_| interface.weight == Weight::Blocks),
        help: Some(interface.source.clone()),
        replacement: None,
        fix: None,
        suppressed: None,
    }
}

/// The interface of that name.
#[must_use]
pub fn interface(id: &str) -> Option<&'static Interface> {
    all().iter().find(|one| one.id == id)
}

#[cfg(test)]
mod tests;
