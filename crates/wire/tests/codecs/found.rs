//! What fuzzing once found stays mended, and nothing is wrong with what it begins from.

use std::fs;
use std::path::{Path, PathBuf};

use super::cases::{DIALECTS, cases};
use super::targets::TARGETS;

/// The findings that were kept, by target: `fixtures/found/<target>/<name>`.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/found")
}

#[test]
fn inputs_that_once_broke_a_target_no_longer_do() {
    let (mut count, mut broken) = (0, Vec::new());
    for target in TARGETS {
        let Ok(folder) = fs::read_dir(kept().join(target.name)) else { continue };
        for entry in folder {
            let path = entry.unwrap().path();
            let input = fs::read(&path).unwrap();
            if std::panic::catch_unwind(|| target.run(&input)).is_err() {
                broken.push(path);
            }
            count += 1;
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
    assert!(count > 0, "{} holds no finding", kept().display());
}

#[test]
fn every_kept_finding_belongs_to_a_target() {
    for entry in fs::read_dir(kept()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(TARGETS.iter().any(|target| target.name == name), "there is no target {name:?}");
    }
}

#[test]
fn golden_cases_and_samples_harm_no_target() {
    for target in TARGETS {
        let mut inputs: Vec<Vec<u8>> = target.samples.iter().map(|sample| sample.to_vec()).collect();
        for (dialect, kind) in
            DIALECTS.into_iter().flat_map(|dialect| target.seeds.iter().map(move |kind| (dialect, kind)))
        {
            inputs.extend(cases(dialect, kind).into_iter().map(|case| case.body));
        }
        assert!(!inputs.is_empty(), "{} begins with nothing", target.name);
        inputs.iter().for_each(|input| target.run(input));
    }
}
