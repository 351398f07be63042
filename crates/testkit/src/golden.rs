//! Golden files: what an output was when somebody last looked at it and agreed.

use std::path::Path;
use std::{env, fs, io};

/// Compares `actual` with the file at `path`; with `UPDATE_GOLDEN=1` in the environment it writes the file.
///
/// # Errors
/// The difference, as the first line that differs on each side, or the reason why the file could not be read
/// or written; both name the file and the command that renews it.
pub fn check(path: &Path, actual: &str) -> Result<(), String> {
    check_with(path, actual, env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1"))
}

fn check_with(path: &Path, actual: &str, update: bool) -> Result<(), String> {
    if update {
        return write(path, actual).map_err(|error| format!("{}: cannot write: {error}", path.display()));
    }
    let expected = fs::read_to_string(path).map_err(|error| {
        format!("{}: {error}; `cargo xtask golden` writes it, then read what it wrote", path.display())
    })?;
    if expected == actual {
        return Ok(());
    }
    Err(format!(
        "{}: {}; `cargo xtask golden` accepts the new text",
        path.display(),
        difference(&expected, actual)
    ))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// The first line in which two texts differ, both sides.
fn difference(expected: &str, actual: &str) -> String {
    let (mut old, mut new) = (expected.lines(), actual.lines());
    for number in 1.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (was, is) if was == is => {}
            (was, is) => {
                return format!(
                    "line {number}\n  was {}\n  is  {}",
                    was.unwrap_or("(end)"),
                    is.unwrap_or("(end)")
                );
            }
        }
    }
    "the texts differ in their line ends only".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_line_and_both_sides() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.snap");
        check_with(&path, "one\ntwo\n", true).unwrap();
        assert_eq!(check_with(&path, "one\ntwo\n", false), Ok(()));
        let error = check_with(&path, "one\nthree\n", false).unwrap_err();
        assert!(error.contains("line 2\n  was two\n  is  three"), "{error}");
        let error = check_with(&path, "one\r\ntwo\r\n", false).unwrap_err();
        assert!(error.contains("line ends only"), "{error}");
    }

    #[test]
    fn a_missing_golden_file_says_how_to_make_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = check_with(&folder.path().join("none.snap"), "text", false).unwrap_err();
        assert!(error.contains("none.snap") && error.contains("cargo xtask golden"), "{error}");
    }
}
