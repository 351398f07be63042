//! Writing down what a scan found: for people, for programs, and for the places where code is reviewed.
//!
//! Every form is a pure function of a [`Report`] and its [`Verdict`].
//! What stands in a repository is not to be trusted with a terminal, a comment of a pull request or a workflow's log:
//! each form escapes what it prints for where it is read.

pub mod files;
pub mod github;
pub mod json;
pub mod lines;
pub mod markdown;
pub mod rules;
pub mod sarif;
pub mod table;
mod words;

use super::baseline::Entry;
use super::finding::{Finding, Report, Severity, Site};
use super::traffic::Joined;
use super::verdict::{Terms, Verdict};

/// A form in which a scan is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code-scanning services and editors.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// A comment of a pull request.
    Markdown,
}

impl Format {
    /// Every form, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Sarif, Self::Github, Self::Markdown];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Markdown => "markdown",
        }
    }

    /// The form of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Writes a scan down; the text ends with a line's end.
    #[must_use]
    pub fn write(self, view: &View<'_>, files: &dyn files::Files, style: table::Style) -> String {
        match self {
            Self::Table => table::table(view, style),
            Self::Json => format!("{:#}\n", json::json(view)),
            Self::Sarif => format!("{:#}\n", sarif::sarif(view, files)),
            Self::Github => github::github(view),
            Self::Markdown => markdown::markdown(view),
        }
    }
}

/// Whether a file is what a scan wrote: a report, a baseline, a patch. It names the very models that were found, and nobody
/// calls them from there.
#[must_use]
pub fn is_output(path: &str, text: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let head: String = text.chars().take(HEAD_CHARS).collect();
    matches!(extension, "sarif" | "patch" | "diff")
        || head.starts_with(markdown::MARK)
        || head.contains("\"pilothouse_baseline\":")
        || (head.contains("\"today\":") && head.contains("\"catalogue_as_of\":"))
}

/// By so much of its beginning an output is known.
const HEAD_CHARS: usize = 120;

/// All that a form writes down.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What was found.
    pub report: &'a Report,
    /// What it comes to.
    pub verdict: &'a Verdict,
    /// By which terms.
    pub terms: Terms,
    /// What is listed one by one.
    pub selection: Selection,
    /// Recorded traffic beside it, where there is any.
    pub traffic: Option<&'a Joined>,
    /// Entries of the baseline that match nothing any more.
    pub stale: &'a [Entry],
}

impl View<'_> {
    /// One line: what there is, and whether it fails.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("{}; {}", words::sums(&self.verdict.counts), words::verdict(self))
    }
}

/// Which findings a form lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Also what stands in tests, history and text that nothing acts upon, and what is suppressed.
    pub is_all: bool,
    /// Also names that are put together at run time.
    pub is_dynamic: bool,
}

impl Selection {
    /// Whether a finding is listed one by one. The others are counted.
    #[must_use]
    pub fn lists(self, finding: &Finding) -> bool {
        if finding.rule == super::finding::Rule::ModelDynamic && !self.is_dynamic && !self.is_all {
            return false;
        }
        self.is_all || (is_live(finding.site) && finding.suppressed.is_none())
    }

    /// The findings that are listed, in the report's order.
    pub fn of(self, report: &Report) -> impl Iterator<Item = &Finding> {
        report.findings.iter().filter(move |finding| self.lists(finding))
    }
}

/// Whether something acts upon what stands at such a site.
#[must_use]
pub const fn is_live(site: Site) -> bool {
    matches!(site, Site::Calls | Site::Defines)
}

/// The word for a severity in every form for programs.
#[must_use]
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocks => "blocks",
        Severity::Tune => "tune",
        Severity::Note => "note",
    }
}

/// The word for a site in every form for programs.
#[must_use]
pub const fn site(site: Site) -> &'static str {
    match site {
        Site::Calls => "calls",
        Site::Defines => "defines",
        Site::Opaque => "opaque",
        Site::Test => "test",
        Site::History => "history",
    }
}

/// The word for a confidence in every form for programs.
#[must_use]
pub const fn confidence(confidence: super::finding::Confidence) -> &'static str {
    use super::finding::Confidence;
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

#[cfg(test)]
pub(crate) mod tests;
