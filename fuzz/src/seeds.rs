//! Inputs to begin with: the golden cases of the codecs, and what the targets bring along.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

use crate::targets::TARGETS;

/// A golden case.
pub(crate) struct Seed {
    /// The folder that it lies in: `requests`, `answers`, `streams`, `errors`.
    pub(crate) kind: String,
    /// A name of its own among all of them.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) body: Vec<u8>,
}

/// The golden cases, always in the same order: a seed of chance picks by place.
pub(crate) fn golden(repository: &Path) -> Result<Vec<Seed>> {
    let folder = repository.join("crates/wire/fixtures");
    let mut seeds = Vec::new();
    collect(&folder, "", &mut seeds)?;
    if seeds.is_empty() {
        return Err(Error::other(format!("{} holds no golden case", folder.display())));
    }
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(seeds)
}

fn collect(folder: &Path, before: &str, seeds: &mut Vec<Seed>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, &format!("{before}{name}."), seeds)?;
        } else if path.extension().is_some_and(|ending| ending == "json" || ending == "sse") {
            let kind = before.trim_end_matches('.').rsplit('.').next().unwrap_or_default().to_owned();
            seeds.push(Seed { kind, name: format!("{before}{name}"), body: fs::read(&path)? });
        }
    }
    Ok(())
}

/// Writes the inputs of every target into a folder of its name.
pub(crate) fn write(repository: &Path, folder: &Path) -> Result<()> {
    let golden = golden(repository)?;
    for target in TARGETS {
        let folder = folder.join(target.name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let fitting = golden.iter().filter(|seed| target.seeds.contains(&seed.kind.as_str()));
        for (at, seed) in fitting.enumerate() {
            let mut body = seed.body.clone();
            // What a target draws by chance comes from the last bytes, which cases of one kind have in common.
            body.resize(body.len() + at % 8, b' ');
            fs::write(folder.join(&seed.name), body)?;
        }
        for (at, sample) in target.samples.iter().enumerate() {
            fs::write(folder.join(format!("sample-{at}")), sample)?;
        }
        let found = repository.join("crates/wire/fixtures/found").join(target.name);
        for entry in fs::read_dir(&found).into_iter().flatten() {
            let entry = entry?;
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    Ok(())
}
