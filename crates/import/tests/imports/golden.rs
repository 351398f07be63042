//! Each folder of `fixtures/litellm`: `input.yaml` becomes `out.toml`, where it has prices `prices.toml`, and `left.txt`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p pilothouse-import --test imports` writes them anew; the diff is for people to read.

use std::fs;
use std::path::{Path, PathBuf};

use pilothouse_import::{Imported, Input, find};

/// The folders of golden cases, with their input.
pub(crate) fn cases() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/litellm");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(path.join("input.yaml")).unwrap();
        (path, text)
    };
    found.into_iter().map(read).collect()
}

/// Imports a text where no variable is set.
pub(crate) fn import(text: &str) -> Imported {
    let input = Input {
        text,
        origin: "input.yaml",
        variables: &|_| None,
        today: "2026-11-23",
        overlay: Some("prices.toml"),
    };
    (find("litellm").unwrap().read)(&input).unwrap_or_else(|error| panic!("{error}"))
}

fn compare(path: &Path, found: Option<&str>) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match found {
            Some(found) => fs::write(path, found).unwrap(),
            None => drop(fs::remove_file(path)),
        }
        return;
    }
    let kept = fs::read_to_string(path).ok();
    assert_eq!(kept.as_deref(), found, "{} is not what is found now", path.display());
}

#[test]
fn every_documented_shape_becomes_what_its_golden_case_says() {
    let cases = cases();
    assert!(cases.len() >= 12, "{}", cases.len());
    for (folder, text) in cases {
        let imported = import(&text);
        let left: String = imported.left.iter().map(|left| format!("{left}\n")).collect();
        compare(&folder.join("out.toml"), Some(&imported.config));
        compare(&folder.join("prices.toml"), imported.overlay.as_deref());
        compare(&folder.join("left.txt"), Some(&left));
    }
}

#[test]
fn no_secret_of_a_file_is_ever_repeated() {
    for (folder, text) in cases() {
        let imported = import(&text);
        let left: String = imported.left.iter().map(ToString::to_string).collect();
        let all = imported.config + &imported.overlay.unwrap_or_default() + &left;
        assert!(!all.to_lowercase().contains("canary"), "{}: {all}", folder.display());
    }
}
