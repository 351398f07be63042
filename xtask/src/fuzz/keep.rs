//! Findings: files in `fuzz/found/<target>`, and those that are kept as tests in the golden cases.

use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Where kept findings lie, by target; `crates/wire/tests/codecs/found.rs` runs them.
const KEPT: &str = "crates/wire/fixtures/found";

/// Makes a finding one of the golden cases: a test from now on.
pub(super) fn keep(file: &Path, name: Option<&str>) -> Result<PathBuf> {
    let target = target_of(file)?;
    let own = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.unwrap_or(&own);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(fits) {
        bail!("{name:?} is no name of a case: lower-case letters, digits and hyphens, saying what was wrong");
    }
    let folder = workspace::root().join(KEPT).join(&target);
    let kept = folder.join(name);
    if kept.exists() {
        bail!("there is a case {name:?} of {target} already; give another name with --as");
    }
    fs::create_dir_all(&folder)?;
    fs::copy(file, &kept).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(kept)
}

/// The target that a finding is of: the folder that it lies in.
pub(super) fn target_of(file: &Path) -> Result<String> {
    if !file.is_file() {
        bail!("{} is no file", file.display());
    }
    let file = file.canonicalize()?;
    let folder =
        file.parent().and_then(Path::file_name).context("a finding lies in the folder of its target")?;
    Ok(folder.to_string_lossy().into_owned())
}
