//! A scan from end to end: files in, findings out, in parallel over files and with bounded memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use pilothouse_catalog::Catalog;

use super::candidates::Candidates;
use super::classify::{FileContext, FileKind};
use super::finding::{Finding, Report, Site};
use super::fix::{Again, Rescan};
use super::names::Names;
use super::source::Reading;
use super::walk::{self, Found};
use super::{format, judge, language, pragma, report, roots};

/// How to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The day for which findings hold, `YYYY-MM-DD`.
    pub today: String,
    /// Which files are walked.
    pub walk: walk::Options,
    /// How many threads read files; 0 for as many as the machine has cores.
    pub threads: usize,
}

impl Options {
    /// The defaults, for a day.
    #[must_use]
    pub fn on(today: &str) -> Self {
        Self { today: today.to_owned(), walk: walk::Options::default(), threads: 0 }
    }
}

/// Scans repositories. Holds what is made once: the catalogue's names and the automaton that looks for them.
#[derive(Clone, Debug)]
pub struct Scanner {
    names: Names,
    candidates: Candidates,
    options: Options,
    /// See [`roots::above`].
    above: Vec<String>,
}

/// What one thread found.
#[derive(Debug, Default)]
struct Part {
    findings: Vec<Finding>,
    skipped: Vec<(String, String)>,
    files_read: u64,
    bytes: u64,
    /// Every model that is called, configured or served.
    models: BTreeSet<(String, String)>,
}

/// What is found in one text.
#[derive(Debug, Default)]
struct Judged {
    again: Again,
    models: BTreeSet<(String, String)>,
}

impl Scanner {
    /// A scanner with the facts of `catalog`.
    #[must_use]
    pub fn new(catalog: Catalog, options: Options) -> Self {
        let names = Names::of(catalog);
        let candidates = Candidates::with(&names);
        Self { names, candidates, options, above: Vec::new() }
    }

    /// Tells what is a test or history by what lies in the folders that are scanned, not by what they lie in.
    #[must_use]
    pub fn of_paths(mut self, paths: &[PathBuf]) -> Self {
        self.above = roots::above(paths);
        self
    }

    /// The names that it knows.
    #[must_use]
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// Scans files and folders. Findings name files as [`roots`] says.
    #[must_use]
    pub fn scan(&self, paths: &[PathBuf]) -> Report {
        self.scan_until(paths, &|| false).unwrap_or_default()
    }

    /// As [`Self::scan`], but asks before each file whether to give up; `None` where it did.
    #[must_use]
    pub fn scan_until(&self, paths: &[PathBuf], is_over: &(dyn Fn() -> bool + Sync)) -> Option<Report> {
        let mut files: Vec<Found> = Vec::new();
        let mut report = Report {
            today: self.options.today.clone(),
            catalogue_as_of: self.names.as_of().to_owned(),
            ..Report::default()
        };
        for path in paths {
            let walked = walk::walk_until(path, &self.options.walk, is_over);
            let naming = roots::Naming::of(path, paths);
            let named = walked.files.into_iter().map(|file| Found { name: naming.name(&file.name), ..file });
            files.extend(named);
            report.skipped.extend(walked.skipped.into_iter().map(|(below, why)| (naming.name(&below), why)));
        }
        files.sort();
        // One file that several of the paths lead to has one name, and may have several ways.
        files.dedup_by(|later, earlier| later.name == earlier.name);
        report.files = files.len() as u64;
        let parts = self.read_all(&files, is_over);
        if is_over() {
            return None;
        }
        for part in parts {
            report.models.extend(part.models);
            report.findings.extend(part.findings);
            report.skipped.extend(part.skipped);
            report.files_read += part.files_read;
            report.bytes += part.bytes;
        }
        let key = |finding: &Finding| {
            let place = &finding.place;
            (place.path.clone(), place.span.start, place.span.end, finding.rule)
        };
        report.findings.sort_by_cached_key(key);
        report.skipped.sort();
        Some(report)
    }

    /// Scans one text under a path, as if it were a file.
    #[must_use]
    pub fn scan_text(&self, path: &str, text: &str) -> Vec<Finding> {
        self.judge(path, text).map(|judged| judged.again.findings).unwrap_or_default()
    }

    fn read_all(&self, files: &[Found], is_over: &(dyn Fn() -> bool + Sync)) -> Vec<Part> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if self.options.threads == 0 { cores } else { self.options.threads };
        // The largest first, so that no thread is left alone with one at the end.
        let mut order: Vec<&Found> = files.iter().collect();
        order.sort_by_key(|file| std::cmp::Reverse(file.bytes));
        let next = AtomicUsize::new(0);
        let work = || {
            let mut part = Part::default();
            let mut buffer = Vec::new();
            while let Some(file) = order.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !is_over()) {
                self.read_file(file, &mut buffer, &mut part);
            }
            part
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads.min(files.len()).max(1)).map(|_| scope.spawn(work)).collect();
            let mut parts = vec![work()];
            parts.extend(others.into_iter().filter_map(|thread| thread.join().ok()));
            parts
        })
    }

    fn read_file(&self, file: &Found, buffer: &mut Vec<u8>, part: &mut Part) {
        use std::io::Read as _;
        buffer.clear();
        let read = std::fs::File::open(&file.path).and_then(|mut open| open.read_to_end(buffer));
        if let Err(error) = read {
            part.skipped.push((file.name.clone(), format!("cannot be read: {error}")));
            return;
        }
        part.bytes += buffer.len() as u64;
        let Ok(text) = std::str::from_utf8(buffer) else {
            part.skipped.push((file.name.clone(), "is not UTF-8 text".to_owned()));
            return;
        };
        if report::is_output(&file.name, text) {
            return;
        }
        if let Some(judged) = self.judge(&file.name, text) {
            part.files_read += 1;
            part.findings.extend(judged.again.findings);
            part.models.extend(judged.models);
        }
    }

    /// The findings of a text; `None` if it holds no candidate.
    fn judge(&self, path: &str, text: &str) -> Option<Judged> {
        let candidates = self.candidates.find(text.as_bytes());
        if candidates.is_empty() {
            return None;
        }
        let first_line = text.lines().next().unwrap_or_default();
        let (kind, reading): (FileKind, Reading) = match language::language_of(Path::new(path), first_line) {
            Some(language) => {
                let mut reading = language::read(language, text, &candidates);
                let bodies = format::bodies(&reading, text, &candidates);
                reading.calls.extend(bodies);
                judge::name_constants(&mut reading, text, &self.names);
                (FileKind::Source(language), reading)
            }
            None => {
                let format = format::format_of(Path::new(path)).unwrap_or(format::Format::Plain);
                (FileKind::Data(format), format::read(format, text, &candidates))
            }
        };
        let own = self.above.iter().find_map(|above| path.strip_prefix(above.as_str())).unwrap_or(path);
        let file = FileContext::below(path, own, text, kind);
        let today = &self.options.today;
        let requests = judge::requests::Requests::of(&reading, &self.names);
        let mut findings = judge::judge(&requests, &file, &self.names, today);
        let site = file.site.unwrap_or(Site::Calls);
        let place = pragma::File { path: &file.path, text: text.as_bytes(), site };
        pragma::apply(&reading.pragmas, place, today, &mut findings);
        let models = judge::mentions::models(&requests, &file, &self.names);
        Some(Judged { again: Again { findings, is_partial: reading.is_partial }, models })
    }
}

impl Rescan for Scanner {
    fn rescan(&self, path: &str, text: &[u8]) -> Option<Again> {
        let text = std::str::from_utf8(text).ok()?;
        // Text without a candidate is clean, and a reader that had parsed it before would again.
        Some(self.judge(path, text).unwrap_or_default().again)
    }
}
