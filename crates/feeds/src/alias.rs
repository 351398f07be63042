//! Resolves moving names to the dated snapshots behind them.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use pilothouse_catalog::row::Row;

use crate::family::Families;
use crate::{Book, name};

/// Finds the snapshot of every id that has no version of its own.
///
/// Told by hand first; else by the only dated id of the same name; else, of several, by the one whose date of
/// retirement is the same as the name's own.
pub fn resolve(book: &mut Book, families: &Families) -> Result<()> {
    for told in &families.snapshot {
        let snapshot = (told.platform.clone(), told.snapshot.clone());
        ensure!(book.contains_key(&snapshot), "families.toml: {} has no row", told.snapshot);
        let key = (told.platform.clone(), told.id.clone());
        if let Some(row) = book.get_mut(&key) {
            row.snapshot = Some(told.snapshot.clone());
        }
    }
    find(book);
    drop_broken_lines(book);
    Ok(())
}

/// Finds the snapshots of moving names by the ids alone.
pub(crate) fn find(book: &mut Book) {
    let mut found = Vec::new();
    for (key, row) in book.iter() {
        if row.alias_of.is_some() || row.snapshot.is_some() || name::version(&row.id).is_some() {
            continue;
        }
        // On Azure the name is the customer's deployment, whose version they choose themselves.
        let by_deployment = row.platform.starts_with("azure");
        if let Some(snapshot) = snapshot_of(book, row).filter(|_| !by_deployment) {
            found.push((key.clone(), snapshot));
        }
    }
    for (key, snapshot) in found {
        if let Some(row) = book.get_mut(&key) {
            row.snapshot = Some(snapshot);
        }
    }
}

fn snapshot_of(book: &Book, row: &Row) -> Option<String> {
    let dated: Vec<&Row> = book
        .range((row.platform.clone(), row.id.clone())..)
        .take_while(|((platform, id), _)| *platform == row.platform && id.starts_with(&row.id))
        .map(|(_, other)| other)
        .filter(|other| other.alias_of.is_none() && name::without_version(&other.id) == Some(&row.id))
        .collect();
    if let [only] = dated[..] {
        return Some(only.id.clone());
    }
    let ends =
        |row: &Row| row.life.as_ref().and_then(|life| life.retires.clone().or(life.not_before.clone()));
    let end = ends(row)?;
    let mut same = dated.into_iter().filter(|other| ends(other).as_deref() == Some(&end));
    same.next().filter(|_| same.next().is_none()).map(|other| other.id.clone())
}

/// A line that names a row which does not exist helps nobody.
fn drop_broken_lines(book: &mut Book) {
    let rows: BTreeSet<(String, String)> =
        book.iter().filter(|(_, row)| row.alias_of.is_none()).map(|(key, _)| key.clone()).collect();
    book.retain(|(platform, _), row| match &row.alias_of {
        Some(target) => rows.contains(&(platform.clone(), target.clone())),
        None => true,
    });
}
