//! The files of a repository that are worth reading, in a stable order.
//!
//! What git ignores is ignored (`.gitignore`, `.ignore`, `.git/info/exclude`), links are not followed, submodules are
//! walked like folders. Folders of dependencies are left out even if they are committed; see [`DEPENDENCIES`].

use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

/// Which files are walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The biggest file that is read, in bytes.
    pub file_bytes_max: u64,
    /// Whether files that git ignores are walked too.
    pub with_ignored: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { file_bytes_max: 4 * 1024 * 1024, with_ignored: false }
    }
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its path for people: relative to the path that was walked, with `/`.
    pub name: String,
    /// Its path for opening it.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Everything that a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The files, by name.
    pub files: Vec<Found>,
    /// What is left out, with the reason, by name.
    pub skipped: Vec<(String, String)>,
}

/// Folders that package managers and build tools fill: nobody mends a model's name there.
pub const DEPENDENCIES: &[&str] = &[
    "node_modules",
    "site-packages",
    ".venv",
    "__pycache__",
    "bower_components",
    ".tox",
    ".mypy_cache",
    ".terraform",
];

/// Hidden folders that hold what people wrote for machines to act upon.
const HIDDEN: &[&str] = &[
    ".github",
    ".gitlab",
    ".circleci",
    ".devcontainer",
    ".continue",
    ".config",
    ".vscode",
    ".cursor",
    ".claude",
    ".aws",
    ".azure",
    ".buildkite",
    ".husky",
    ".storybook",
    ".well-known",
    ".docker",
    ".helm",
    ".kube",
    ".env.d",
    ".codex",
    ".gemini",
    ".aider",
];

/// Extensions of files that are no text. They are left out without a word.
const BINARY: &[&str] = &[
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "ico",
    "bmp",
    "tiff",
    "pdf",
    "zip",
    "gz",
    "tgz",
    "bz2",
    "xz",
    "zst",
    "7z",
    "rar",
    "tar",
    "jar",
    "war",
    "class",
    "so",
    "dylib",
    "dll",
    "exe",
    "o",
    "a",
    "lib",
    "wasm",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp3",
    "mp4",
    "wav",
    "ogg",
    "webm",
    "mov",
    "avi",
    "flac",
    "parquet",
    "arrow",
    "npy",
    "npz",
    "pt",
    "pth",
    "onnx",
    "safetensors",
    "gguf",
    "bin",
    "pkl",
    "pickle",
    "db",
    "sqlite",
    "sqlite3",
    "pyc",
    "docx",
    "xlsx",
    "pptx",
    "keystore",
    "p12",
    "der",
];

/// Walks `root`, a folder or a file. A file is walked whatever its name; a folder by the rules above.
#[must_use]
pub fn walk(root: &Path, options: &Options) -> Walked {
    walk_until(root, options, &|| false)
}

/// As [`walk`], but asks at each entry whether to give up, and then gives what it has.
#[must_use]
pub fn walk_until(root: &Path, options: &Options, is_over: &dyn Fn() -> bool) -> Walked {
    let mut walked = Walked::default();
    let is_respecting = !options.with_ignored;
    let entries = WalkBuilder::new(root)
        .hidden(false)
        .parents(is_respecting)
        .git_ignore(is_respecting)
        .git_exclude(is_respecting)
        .git_global(false)
        .ignore(is_respecting)
        // A folder that is no checkout (an archive, a container's layer) keeps its rules.
        .require_git(false)
        .follow_links(false)
        .filter_entry(is_wanted)
        .build();
    for entry in entries {
        if is_over() {
            break;
        }
        match entry {
            Ok(entry) => take(root, &entry, options, &mut walked),
            Err(error) => {
                let name = root.to_string_lossy().into_owned();
                walked.skipped.push((name, format!("cannot be walked: {error}")));
            }
        }
    }
    walked.files.sort();
    walked.skipped.sort();
    walked
}

/// Whether an entry is looked at, or a folder entered.
fn is_wanted(entry: &DirEntry) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    if entry.depth() == 0 || !is_folder {
        return true;
    }
    let name = entry.file_name().to_string_lossy();
    let is_hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_ref());
    !is_hidden && !DEPENDENCIES.contains(&name.as_ref())
}

fn take(root: &Path, entry: &DirEntry, options: &Options, walked: &mut Walked) {
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return;
    }
    let path = entry.path();
    let name = name_of(root, path);
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if BINARY.contains(&extension.to_ascii_lowercase().as_str()) {
        return;
    }
    match entry.metadata() {
        Err(error) => walked.skipped.push((name, format!("cannot be read: {error}"))),
        Ok(found) if found.len() > options.file_bytes_max => {
            let reason = format!("{} bytes, more than {}", found.len(), options.file_bytes_max);
            walked.skipped.push((name, reason));
        }
        Ok(found) => walked.files.push(Found { name, path: path.to_owned(), bytes: found.len() }),
    }
}

/// A path for people: relative to what was walked.
fn name_of(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).ok().filter(|rest| !rest.as_os_str().is_empty());
    let shown = relative.unwrap_or_else(|| path.strip_prefix("./").unwrap_or(path));
    shown.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(walked: &Walked) -> Vec<&str> {
        walked.files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn what_git_ignores_and_what_machines_fill_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            (".gitignore", "out/\n*.secret\n"),
            ("b.py", "x"),
            ("a.py", "x"),
            ("out/a.py", "x"),
            ("sub/k.secret", "x"),
            ("sub/.gitignore", "gone.py\n"),
            ("sub/gone.py", "x"),
            (".env.example", "x"),
            (".github/workflows/ci.yml", "x"),
            (".git/config", "x"),
            ("node_modules/m/index.js", "x"),
            ("logo.png", "x"),
            ("big.json", "0123456789"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let options = Options { file_bytes_max: 18, ..Options::default() };
        std::fs::write(folder.path().join("big.json"), "0123456789012345678").expect("written");
        let walked = walk(folder.path(), &options);
        assert_eq!(
            names(&walked),
            [".env.example", ".github/workflows/ci.yml", ".gitignore", "a.py", "b.py", "sub/.gitignore"]
        );
        assert_eq!(walked.skipped, [("big.json".to_owned(), "19 bytes, more than 18".to_owned())]);
        let all = walk(folder.path(), &Options { with_ignored: true, ..options });
        assert!(names(&all).contains(&"out/a.py") && names(&all).contains(&"sub/k.secret"));
    }

    #[test]
    fn a_file_is_walked_by_its_own_name_and_a_missing_one_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.py");
        std::fs::write(&file, "x").expect("written");
        let walked = walk(&file, &Options::default());
        assert!(walked.files.len() == 1 && walked.files[0].name.ends_with("x.py"));
        assert_eq!(walk(&folder.path().join("none"), &Options::default()).skipped.len(), 1);
    }
}
