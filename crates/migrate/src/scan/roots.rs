//! How files are named in a report: so that the name can be opened from where the scan was started, and says no more
//! than was typed.
//!
//! One absolute path is the root of all names. Else names begin with the path as it was typed: `src/triage.py` for
//! `pilothouse scan src`, which is what annotations and an editor's terminal want.

use std::path::{Component, Path, PathBuf};

/// What names of a scan of `paths` are relative to; empty is the folder in which the program runs.
#[must_use]
pub fn root(paths: &[PathBuf]) -> PathBuf {
    match paths {
        [path] if path.is_absolute() && path.is_dir() => path.clone(),
        [path] if path.is_absolute() => path.parent().map(Path::to_path_buf).unwrap_or_default(),
        _ => PathBuf::new(),
    }
}

/// How files below one of the paths are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The path as it was typed, without what [`root`] gives.
    typed: String,
    is_file: bool,
}

impl Naming {
    /// Of `path`, which is one of `paths`.
    #[must_use]
    pub fn of(path: &Path, paths: &[PathBuf]) -> Self {
        let root = root(paths);
        let typed = path.strip_prefix(&root).ok().filter(|_| !root.as_os_str().is_empty()).unwrap_or(path);
        // `./src` is `src`; what leads upward stays.
        let typed: PathBuf = typed.components().filter(|part| *part != Component::CurDir).collect();
        Self { typed: typed.to_string_lossy().into_owned(), is_file: path.is_file() }
    }

    /// The name of the file that is called `below` there; not looked at where the path is the file itself.
    #[must_use]
    pub fn name(&self, below: &str) -> String {
        match self.typed.as_str() {
            typed if self.is_file => typed.to_owned(),
            "" => below.to_owned(),
            folder => format!("{}/{below}", folder.trim_end_matches('/')),
        }
    }
}

/// What stands before the last folder of each path as it was typed: whoever scans `tests/fixtures/shop` means the shop,
/// and `src tests` says that the second are tests. The longest first.
#[must_use]
pub fn above(paths: &[PathBuf]) -> Vec<String> {
    let folders = paths.iter().filter(|path| path.is_dir());
    let mut above: Vec<String> = folders
        .filter_map(|path| {
            let typed = Naming::of(path, paths).typed;
            let at = typed.trim_end_matches('/').rfind('/')?;
            typed.get(..=at).map(str::to_owned)
        })
        .collect();
    above.sort_by_key(|folder| std::cmp::Reverse(folder.len()));
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &Path, below: &str, paths: &[PathBuf]) -> String {
        Naming::of(path, paths).name(below)
    }

    #[test]
    fn names_begin_with_what_was_typed() {
        let here = [PathBuf::from(".")];
        assert_eq!((root(&here), name(&here[0], "src/a.py", &here)), (PathBuf::new(), "src/a.py".into()));
        let two = [PathBuf::from("./src/"), PathBuf::from("../other")];
        assert_eq!(name(&two[0], "a.py", &two), "src/a.py");
        assert_eq!(name(&two[1], "a.py", &two), "../other/a.py");
    }

    #[test]
    fn folders_above_what_was_typed_say_nothing_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("tests/shop");
        std::fs::create_dir_all(&deep).expect("folders");
        let both = [deep.clone(), folder.path().join("tests")];
        let here = format!("{}/", folder.path().display());
        assert_eq!(above(&both), [format!("{here}tests/"), here]);
        assert_eq!(above(&[deep]), Vec::<String>::new(), "one absolute path is the root");
    }

    #[test]
    fn one_absolute_path_is_the_root_and_several_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.py");
        std::fs::write(&file, "").expect("a file");
        let alone = [folder.path().to_path_buf()];
        assert_eq!((root(&alone), name(&alone[0], "a.py", &alone)), (folder.path().into(), "a.py".into()));
        let one_file = [file.clone()];
        assert_eq!((root(&one_file), name(&file, "a.py", &one_file)), (folder.path().into(), "a.py".into()));
        let both = [folder.path().to_path_buf(), PathBuf::from("src")];
        assert_eq!(root(&both), PathBuf::new());
        assert_eq!(name(&both[0], "a.py", &both), file.to_string_lossy());
    }
}
