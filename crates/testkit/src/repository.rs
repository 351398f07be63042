//! A repository made by chance and a seed: what `pilothouse scan` is timed on.
//!
//! About a million lines in the mix of a grown monorepo, in every language that the scanner reads. Each language has
//! files from about 1 kB to just under 2 MB, names and texts are drawn anew for every line, and no stretch of
//! [`STRETCH_MAX`] lines is without the id of a model. The same seed gives the same bytes.

mod code;
mod data;
mod draw;
mod program;
mod syntax;
mod words;

use draw::Draw;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The largest distance, in lines, from one id to the next within one file of code, and from file to file.
pub const STRETCH_MAX: usize = 500;

/// So many files each language has at least.
const FILES_MIN: usize = 15;

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The same number makes the same repository.
    pub seed: u64,
    /// Lines of all files that are not ignored, about.
    pub lines: usize,
    /// Bytes of the largest file of each language, about; files of the environment and of images stay small.
    pub file_bytes_max: usize,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { seed: 20_261_123, lines: 1_000_000, file_bytes_max: 1_950_000 }
    }
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Files that are not ignored.
    pub files: usize,
    /// Their lines.
    pub lines: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Ids of models in them, at least.
    pub candidates: usize,
    /// Bytes of files that `.gitignore` names.
    pub ignored_bytes: usize,
    /// Files, lines and bytes by language.
    pub languages: BTreeMap<&'static str, Share>,
}

/// One language's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Files.
    pub files: usize,
    /// Lines.
    pub lines: usize,
    /// Bytes.
    pub bytes: usize,
    /// Bytes of the smallest file.
    pub smallest: usize,
    /// Bytes of the largest file.
    pub largest: usize,
}

/// What one kind of file is: its share of the lines, its place, and what writes it.
struct Kind {
    name: &'static str,
    /// Out of a thousand lines, so many.
    per_mille: usize,
    /// Where its files lie: `$1` is the service, `$2` the file's own name.
    path: &'static str,
    /// The largest file, as a share of [`Plan::file_bytes_max`] in percent: nobody has a Dockerfile of 2 MB.
    largest_percent: usize,
    write: Write,
}

/// Who writes a file.
enum Write {
    Code(&'static syntax::Syntax),
    Data(fn(&mut Draw, usize, &mut Ids) -> String),
}

/// The mix, in lines: more or less what a count over large public monorepos of several services shows, with a floor
/// that gives each language its largest file.
const KINDS: &[Kind] = &[
    code("python", 100, "services/$1/src/$1/$2.py", &syntax::PYTHON),
    code("typescript", 100, "web/packages/$1/src/$2.ts", &syntax::TYPESCRIPT),
    code("javascript", 55, "web/legacy/$1/$2.js", &syntax::JAVASCRIPT),
    code("go", 65, "services/$1/internal/$1/$2.go", &syntax::GO),
    code("rust", 60, "crates/$1/src/$2.rs", &syntax::RUST),
    code("java", 65, "platform/$1/src/main/java/com/example/$1/$2.java", &syntax::JAVA),
    code("kotlin", 55, "mobile/$1/src/main/kotlin/com/example/$1/$2.kt", &syntax::KOTLIN),
    code("csharp", 55, "desktop/$1/$2.cs", &syntax::CSHARP),
    code("ruby", 55, "shop/app/services/$1/$2.rb", &syntax::RUBY),
    code("php", 55, "shop/legacy/$1/$2.php", &syntax::PHP),
    data("yaml", 60, "deploy/$1/$2.yaml", 100, data::yaml),
    data("json", 55, "web/packages/$1/assets/$2.json", 100, data::json),
    data("toml", 40, "config/$1/$2.toml", 100, data::toml),
    data("terraform", 40, "infra/$1/$2.tf", 100, data::terraform),
    data("markdown", 36, "docs/$1/$2.md", 100, data::markdown),
    data("notebook", 36, "research/$1/$2.ipynb", 100, data::notebook),
    data("dotenv", 4, "services/$1/$2.env", 1, data::dotenv),
    data("dockerfile", 4, "services/$1/$2.Dockerfile", 1, data::dockerfile),
];

const fn code(
    name: &'static str,
    per_mille: usize,
    path: &'static str,
    syntax: &'static syntax::Syntax,
) -> Kind {
    Kind { name, per_mille, path, largest_percent: 100, write: Write::Code(syntax) }
}

const fn data(
    name: &'static str,
    per_mille: usize,
    path: &'static str,
    largest_percent: usize,
    write: fn(&mut Draw, usize, &mut Ids) -> String,
) -> Kind {
    Kind { name, per_mille, path, largest_percent, write: Write::Data(write) }
}

/// Says when the next id is due, and which.
pub(crate) struct Ids {
    lines_left: usize,
    given: usize,
}

impl Ids {
    /// An id, if `lines` more lines have brought us to where one is due.
    fn after(&mut self, lines: usize, draw: &mut Draw) -> Option<&'static str> {
        self.lines_left = self.lines_left.saturating_sub(lines);
        if self.lines_left > 0 {
            return None;
        }
        // The margin covers the longest piece that is written between two questions.
        self.lines_left = draw.between(STRETCH_MAX / 4, STRETCH_MAX - 220);
        self.given += 1;
        Some(draw.one_of(words::IDS))
    }
}

/// Writes the repository into `root`, which must not exist or be empty.
///
/// # Errors
/// When a file cannot be written.
pub fn generate(root: &Path, plan: &Plan) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let mut ids = Ids { lines_left: 1, given: 0 };
    write(&root.join(".gitignore"), "dist/\nbuild/\nnode_modules/\n*.min.js\n*.log\n")?;
    // Tools look for this folder before they heed `.gitignore`.
    write(&root.join(".git/HEAD"), "ref: refs/heads/main\n")?;
    for (index, kind) in KINDS.iter().enumerate() {
        let mut draw = Draw::new(plan.seed ^ ((index as u64 + 1) << 32));
        let share = files_of(root, plan, kind, &mut draw, &mut ids)?;
        summary.files += share.files;
        summary.lines += share.lines;
        summary.bytes += share.bytes;
        summary.languages.insert(kind.name, share);
    }
    summary.candidates = ids.given;
    summary.ignored_bytes = build_output(root, plan)?;
    Ok(summary)
}

/// The files of one kind: the largest first, then smaller ones until its share of the lines is written.
fn files_of(root: &Path, plan: &Plan, kind: &Kind, draw: &mut Draw, ids: &mut Ids) -> io::Result<Share> {
    let mut share = Share { smallest: usize::MAX, ..Share::default() };
    let goal = plan.lines * kind.per_mille / 1_000;
    let largest = (plan.file_bytes_max * kind.largest_percent / 100).max(4_000);
    while share.lines < goal || share.files < FILES_MIN {
        let bytes = match share.files {
            0 => largest,
            // The smallest one is asked for, so that it is there in every language.
            1 => 1_000,
            _ => size(draw, largest),
        };
        let text = match &kind.write {
            Write::Code(syntax) => code::file(syntax, draw, bytes, ids),
            Write::Data(write) => write(draw, bytes, ids),
        };
        write(&root.join(path_of(kind, draw, share.files)), &text)?;
        share.files += 1;
        share.lines += text.lines().count();
        share.bytes += text.len();
        share.smallest = share.smallest.min(text.len());
        share.largest = share.largest.max(text.len());
    }
    Ok(share)
}

/// Sizes of files are spread over orders of magnitude: most have a few kB, one in fifty has more than 60.
fn size(draw: &mut Draw, largest: usize) -> usize {
    let bytes = match draw.below(100) {
        0..=54 => draw.between(1_000, 5_000),
        55..=84 => draw.between(5_000, 15_000),
        85..=97 => draw.between(15_000, 60_000),
        _ => draw.between(60_000, 250_000),
    };
    bytes.min(largest)
}

fn path_of(kind: &Kind, draw: &mut Draw, index: usize) -> PathBuf {
    let service = draw.one_of(words::NOUNS);
    let own = format!("{}_{}_{index}", draw.one_of(words::ADJECTIVES), draw.one_of(words::NOUNS));
    PathBuf::from(kind.path.replace("$1", service).replace("$2", &own))
}

/// What a build leaves behind: ignored, and full of ids.
fn build_output(root: &Path, plan: &Plan) -> io::Result<usize> {
    let mut draw = Draw::new(plan.seed ^ 0xD157);
    let mut ids = Ids { lines_left: 1, given: 0 };
    let mut bytes = 0;
    let pieces = [
        ("web/dist/bundle.js", plan.file_bytes_max),
        ("web/node_modules/some-sdk/index.js", plan.file_bytes_max / 4),
        ("web/legacy/vendor.min.js", plan.file_bytes_max / 8),
        ("platform/build/generated/Client.js", plan.file_bytes_max / 2),
    ];
    for (path, size) in pieces {
        let text = code::file(&syntax::JAVASCRIPT, &mut draw, size, &mut ids);
        bytes += text.len();
        write(&root.join(path), &text)?;
    }
    Ok(bytes)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

#[cfg(test)]
mod tests;
