//! Writing changed files so that each is the old one or the new one at every moment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Change, Left, Plan};
use crate::scan::report::files::Disk;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are changed now, as findings name them.
    pub paths: Vec<String>,
    /// Files that are as they were, and why.
    pub left: Vec<Left>,
}

/// Writes every change. One that cannot be written does not keep the others back.
#[must_use]
pub fn write(plan: &Plan, disk: &Disk) -> Written {
    let mut written = Written::default();
    for change in &plan.changes {
        match replace(&disk.place(&change.path), change) {
            Ok(()) => written.paths.push(change.path.clone()),
            Err(reason) => written.left.push(Left { path: change.path.clone(), line: None, reason }),
        }
    }
    written
}

/// The new text goes into a file beside the old one, with its permissions, and takes its name when it is complete.
fn replace(named: &Path, change: &Change) -> Result<(), String> {
    // A link stays one: what it leads to is replaced.
    let place = fs::canonicalize(named).map_err(|error| format!("could not be found again: {error}"))?;
    let permissions =
        fs::metadata(&place).map_err(|error| format!("could not be looked at: {error}"))?.permissions();
    if permissions.readonly() {
        return Err("may not be written; give yourself permission and run again".to_owned());
    }
    let (beside, mut file) =
        beside(&place).map_err(|error| format!("no file could be made beside it: {error}"))?;
    let done = fill(&mut file, change, permissions)
        .map_err(|error| format!("could not be written: {error}"))
        .and_then(|()| is_unchanged(&place, change))
        .and_then(|()| {
            fs::rename(&beside, &place).map_err(|error| format!("could not be replaced: {error}"))
        });
    if done.is_err() {
        // What is left over is ours; that it cannot be removed changes nothing for the user's file.
        let _ = fs::remove_file(&beside);
    }
    done
}

/// Names tried for the new file, in case that one stands there already.
const NAMES_MAX: u32 = 100;

fn beside(place: &Path) -> io::Result<(PathBuf, File)> {
    let folder = place.parent().unwrap_or(Path::new("."));
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for attempt in 0..NAMES_MAX {
        let path = folder.join(format!(".{name}.pilothouse-{}-{attempt}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn fill(file: &mut File, change: &Change, permissions: fs::Permissions) -> io::Result<()> {
    file.write_all(change.after.as_bytes())?;
    file.set_permissions(permissions)?;
    file.sync_all()
}

/// Whether the file is still the one that was read, asked as late as can be.
fn is_unchanged(place: &Path, change: &Change) -> Result<(), String> {
    match fs::read(place) {
        Ok(now) if now == change.before.as_bytes() => Ok(()),
        Ok(_) => Err("has changed since it was read; scan again".to_owned()),
        Err(error) => Err(format!("could not be read again: {error}")),
    }
}

#[cfg(test)]
mod tests;
