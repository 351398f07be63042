//! Targets for configuration and text that a scan reads, and for the mending of whatever it finds.
//!
//! The first line of an input is the file's name, which decides how it is read; the rest is the file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use pilothouse_catalog::Catalog;
use pilothouse_migrate::scan::candidates::Candidates;
use pilothouse_migrate::scan::finding::{Finding, Report};
use pilothouse_migrate::scan::fix::{self, Rescan as _};
use pilothouse_migrate::scan::format::{self, Format};
use pilothouse_migrate::scan::{Options, Scanner};

use super::mutate::Chance;
use super::sources;

/// Files of the planted corpus behind their names.
macro_rules! corpus {
    ($($name:literal),+ $(,)?) => {
        &[$(concat!($name, "\n", include_str!(concat!("../../../testkit/corpus/scan/files/", $name))).as_bytes()),+]
    };
}

/// A file of every format of configuration and text.
pub(crate) const TEXTS: &[&[u8]] = corpus![
    "config/app.yaml",
    "config/litellm.yaml",
    "infra/chart/templates/deployment.yaml",
    "infra/compose.yaml",
    "config/settings.toml",
    "config/models.json",
    "config/batch.jsonl",
    "config/messages_body.json",
    "config/production.env",
    "infra/main.tf",
    "infra/Dockerfile",
    "scripts/ask.sh",
    "notebooks/explore.ipynb",
    "docs/guide.md",
    "prompts/summarise.prompty",
    "prompts/system.txt",
];

/// Files in which something can be mended: configuration, and source code of every language.
pub(crate) const MENDED: &[&[u8]] = corpus![
    "config/app.yaml",
    "infra/chart/values.yaml",
    "config/settings.toml",
    "config/request.json",
    "config/messages_body.json",
    "config/production.env",
    "infra/main.tf",
    "infra/Dockerfile",
    "notebooks/explore.ipynb",
    "docs/guide.md",
    "python/claude_agent.py",
    "python/limits.py",
    "python/options.py",
    "typescript/agent.ts",
    "javascript/server.js",
    "go/client.go",
    "rust/assistant.rs",
    "java/Answers.java",
    "kotlin/Answers.kt",
    "csharp/Answers.cs",
    "ruby/answers.rb",
    "php/Answers.php",
];

static CANDIDATES: LazyLock<Candidates> = LazyLock::new(|| Candidates::of(&Catalog::bundled()));
static SCANNER: LazyLock<Scanner> =
    LazyLock::new(|| Scanner::new(Catalog::bundled(), Options::on("2026-11-23")));

/// Whatever is read, each candidate is mentioned once, and all that is told lies within the text.
pub(crate) fn texts(input: &[u8], chance: &mut Chance) {
    let (name, text) = named(input);
    let format = format::format_of(Path::new(&name)).unwrap_or(Format::ALL[chance.below(Format::ALL.len())]);
    let candidates = CANDIDATES.find(text.as_bytes());
    let reading = format::read(format, &text, &candidates);
    sources::hold(&reading, &text, &candidates, &format!("{format:?}"));
}

/// What mends does so at once and for good: the result parses if the file did, nothing that was to be mended is found in
/// it, and there is nothing more to mend.
pub(crate) fn fixes(input: &[u8], _: &mut Chance) {
    let (name, text) = named(input);
    let (name, text) = (name.as_str(), text.as_str());
    let plan = plan(name, text);
    for change in &plan.changes {
        assert_eq!((change.path.as_str(), change.before.as_str()), (name, text));
        assert_ne!(change.after, change.before, "{name}: a change that changes nothing");
        // What did not parse before may after it: what was wrong may have been what is removed.
        let was_whole = does_parse(name, text);
        assert!(
            was_whole != Some(true) || does_parse(name, &change.after) == was_whole,
            "{name}: {}",
            change.after
        );
        let [before, after] =
            [text, &change.after].map(|text| SCANNER.rescan(name, text.as_bytes()).unwrap());
        assert!(before.is_partial || !after.is_partial, "{name} no longer parses: {}", change.after);
        let left: Vec<&Finding> = after.findings.iter().filter(|finding| fix::is_fixable(finding)).collect();
        assert!(left.len() <= plan.left.len(), "{name}: {left:?} in {}", change.after);
        if plan.left.is_empty() {
            assert_eq!(self::plan(name, &change.after).changes, [], "{name}: {}", change.after);
        }
    }
}

/// What would be mended in a file, whose findings and edits lie within it.
fn plan(name: &str, text: &str) -> fix::Plan {
    let report = Report { findings: SCANNER.scan_text(name, text), ..Report::default() };
    for finding in &report.findings {
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits).map(|(span, _)| span);
        for span in edits.chain([&finding.place.span]) {
            assert!(text.get(span.clone()).is_some(), "{name}: {span:?} of {}, {finding:?}", text.len());
        }
    }
    let files = BTreeMap::from([(name.to_owned(), text.as_bytes().to_vec())]);
    fix::plan(&report, &files, &*SCANNER)
}

/// Whether a reader that is not ours takes the file; `None` where no such reader is at hand.
fn does_parse(name: &str, text: &str) -> Option<bool> {
    match format::format_of(Path::new(name))? {
        Format::Json | Format::Notebook => {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
            Some(values.all(|value| value.is_ok()))
        }
        Format::Toml => Some(toml::from_str::<toml::Table>(text).is_ok()),
        _ => None,
    }
}

fn named(input: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(input);
    let (name, text) = text.split_once('\n').unwrap_or(("", &text));
    (name.to_owned(), text.to_owned())
}
