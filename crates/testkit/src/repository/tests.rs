//! What the timing rests upon: the mix, the sizes, the ids, and that a seed decides everything.

use super::*;
use std::collections::HashMap;

fn small() -> Plan {
    Plan { lines: 40_000, file_bytes_max: 60_000, ..Plan::default() }
}

fn texts(root: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found
                    .push((path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

fn is_ignored(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["dist/", "build/", "node_modules/", ".min.js", ".git"].iter().any(|part| text.contains(part))
}

#[test]
fn same_seed_makes_the_same_bytes_and_another_does_not() {
    let folders = [(), (), ()].map(|()| tempfile::tempdir().unwrap());
    let plan = Plan { lines: 3_000, file_bytes_max: 8_000, ..Plan::default() };
    let first = generate(folders[0].path(), &plan).unwrap();
    assert_eq!(first, generate(folders[1].path(), &plan).unwrap());
    assert_eq!(texts(folders[0].path()), texts(folders[1].path()));
    generate(folders[2].path(), &Plan { seed: 7, ..plan }).unwrap();
    assert_ne!(texts(folders[0].path()), texts(folders[2].path()));
}

#[test]
fn every_language_has_small_files_and_its_largest() {
    let folder = tempfile::tempdir().unwrap();
    let plan = small();
    let summary = generate(folder.path(), &plan).unwrap();
    assert!(summary.lines >= plan.lines && summary.lines < plan.lines * 3, "{summary:?}");
    for (name, share) in &summary.languages {
        assert!(share.smallest < 6_000, "{name}: {share:?}");
        if !["dotenv", "dockerfile"].contains(name) {
            assert!(
                share.largest >= plan.file_bytes_max && share.largest < plan.file_bytes_max * 5 / 4,
                "{name}: {share:?}"
            );
        }
    }
    assert!(summary.ignored_bytes > plan.file_bytes_max);
}

#[test]
fn no_stretch_of_a_file_is_without_an_id() {
    let folder = tempfile::tempdir().unwrap();
    let summary = generate(folder.path(), &small()).unwrap();
    assert!(summary.candidates * STRETCH_MAX >= summary.lines, "{summary:?}");
    for (path, text) in texts(folder.path()).iter().filter(|(path, _)| !is_ignored(path)) {
        let mut since = 0;
        for line in text.lines() {
            since = if words::IDS.iter().any(|id| line.contains(id)) { 0 } else { since + 1 };
            assert!(since <= STRETCH_MAX, "{}: {since} lines without an id", path.display());
        }
    }
}

#[test]
fn lines_are_drawn_anew_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), &small()).unwrap();
    let texts = texts(folder.path());
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let lines = texts.iter().filter(|(path, _)| !is_ignored(path)).flat_map(|(_, text)| text.lines());
    // Ends of blocks and the frame of a notebook are the same everywhere.
    for line in lines.map(str::trim).filter(|line| line.len() > 30) {
        *counts.entry(line).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let once = counts.values().filter(|count| **count == 1).count();
    assert!(once * 100 > all * 85, "{once} of {all} long lines stand alone");
}

#[test]
fn braces_of_code_and_json_are_balanced() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), &small()).unwrap();
    for (path, text) in texts(folder.path()) {
        let name = path.to_string_lossy();
        if name.ends_with(".json") || name.ends_with(".ipynb") {
            serde_json::from_str::<serde_json::Value>(&text)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        if [".ts", ".js", ".go", ".rs", ".java", ".kt", ".cs", ".php"].iter().any(|end| name.ends_with(end)) {
            for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
                assert_eq!(text.matches(open).count(), text.matches(close).count(), "{name}: {open}{close}");
            }
        }
    }
}
