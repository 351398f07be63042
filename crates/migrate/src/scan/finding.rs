//! What a scan found: a place, what is wrong there as of a day, and what to do about it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Everything that a scan found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The day for which it holds, `YYYY-MM-DD`.
    pub today: String,
    /// The day of the newest fact of the catalogue that it was made with.
    pub catalogue_as_of: String,
    /// Findings, by path, then place.
    pub findings: Vec<Finding>,
    /// How many files were walked, how many were read, and how many bytes those have.
    pub files: u64,
    /// Files that held a candidate.
    pub files_read: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be read, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Every model that the files call, configure or serve, platform and id, those with a finding and those without:
    /// what traffic is compared with.
    pub models: BTreeSet<(String, String)>,
}

/// One thing at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule: see [`Rule`].
    pub rule: Rule,
    /// How bad it is on [`Report::today`].
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// Where it stands.
    pub place: Place,
    /// What kind of site that is.
    pub site: Site,
    /// The words at that place: `gpt-5-mini`, `temperature=0.2`, `client.beta.assistants`.
    pub subject: String,
    /// The model it is about, as the catalogue names it: platform and id. `None` for interfaces.
    pub model: Option<(String, String)>,
    /// What is wrong, one sentence: `alias of gpt-5-mini-2025-08-07; retires 2026-12-11 (19 d)`.
    pub message: String,
    /// What to do, one sentence.
    pub next: String,
    /// The day on which it begins to fail: a retirement, or [`Report::today`] or earlier for what is refused already.
    pub due: Option<String>,
    /// Where that can be read.
    pub help: Option<String>,
    /// The model to go to, alive on [`Report::today`] and beyond [`Finding::due`].
    pub replacement: Option<String>,
    /// The edits that mend it, where that is safe to do without a person.
    pub fix: Option<Fix>,
    /// Why it counts no more: a baseline or a comment.
    pub suppressed: Option<Suppression>,
}

/// What takes a finding out of the count. It stays in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Whether the baseline does; else a comment in the file.
    pub is_baseline: bool,
    /// The reason that the comment gives; of a baseline, its file.
    pub reason: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, relative to the path that was scanned, with `/`.
    pub path: Arc<str>,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// From 1.
    pub line: u32,
    /// In characters (Unicode scalar values), from 1.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column behind the end.
    pub end_column: u32,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Listed, and never wrong by itself: a dynamic name, an id that the catalogue does not know, a date without notice.
    Note,
    /// Works, but differently or dearer; or retires in more than 90 days.
    Tune,
    /// Retired, retiring within 90 days, or refused.
    Blocks,
}

/// How sure we are that a finding is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It may be something else.
    Low,
    /// Likely; a value or the client is not known for certain.
    Medium,
    /// The place says it itself.
    High,
}

/// What a site does with what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    /// It calls a model, or configures what calls it.
    Calls,
    /// It defines, lists, prices or serves models: a registry, a proxy's model list, an allow-list.
    Defines,
    /// Text that nothing seems to act upon: comments, prose, messages.
    Opaque,
    /// A test or its data.
    Test,
    /// History: changelogs, recorded answers, notebooks' outputs, lock files, vendored code.
    History,
}

/// What a fix would write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in one sentence.
    pub title: String,
    /// Bytes of the finding's file, and what comes in their place; sorted, not overlapping.
    pub edits: Vec<(Range<usize>, String)>,
}

/// What kind of thing was found. Codes are stable: baselines and suppressions name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// `PH-M001`: a model that is retired.
    ModelRetired,
    /// `PH-M002`: a model under notice, with a date.
    ModelRetiring,
    /// `PH-M003`: a model under notice without a date, or a moving alias whose target changes.
    ModelDeprecated,
    /// `PH-M004`: a name that looks like a model of a vendor and is in no catalogue.
    ModelUnknown,
    /// `PH-M005`: a model's name that is put together at run time.
    ModelDynamic,
    /// `PH-P…`: a parameter that the call's model refuses or changes; the compatibility rule by its id.
    Parameter(&'static str),
    /// `PH-A…`: an interface that is shut down or will be.
    Interface(&'static str),
    /// `PH-C001`: a price in the code that the catalogue contradicts.
    Price,
    /// `PH-C002`: a context or output size in the code that the catalogue contradicts.
    Size,
    /// `PH-I001`: a comment that wants something ignored and cannot: expired, without a reason, not understood.
    Ignore,
}
