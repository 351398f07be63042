//! `pilothouse logs roots`: the chain, to be looked at or to be kept where nobody who can write the store can write.

use std::io::{self, Write};

use pilothouse_store::{Reader, Root, Roots};

use super::source::{grouped, iso};

/// Writes every entry of the chain.
///
/// # Errors
/// What the store says, and refusals of the output.
pub(super) fn run(reader: &Reader, as_json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if !as_json {
        writeln!(
            out,
            "{:>8}  {:<24}  {:<8}  {:>8}  {:>9}  ROOT",
            "ENTRY", "MADE", "KIND", "SEGMENT", "RECEIPTS"
        )?;
        reader.roots(|root| line(out, &root))?;
        return Ok(());
    }
    // Entry by entry: a long chain does not have to fit in memory.
    write!(out, "{{\"format\":\"{}\",\"entries\":[", Roots::FORMAT)?;
    let mut gap = "\n";
    reader.roots(|root| {
        write!(out, "{gap}")?;
        gap = ",\n";
        Ok(serde_json::to_writer(&mut *out, &root)?)
    })?;
    Ok(writeln!(out, "\n]}}")?)
}

fn line(out: &mut dyn Write, root: &Root) -> io::Result<()> {
    let at = root.at.map_or_else(|| "?".to_owned(), iso);
    let kind = if root.kind.is_empty() { "?" } else { root.kind };
    let (segment, count, digest) = match &root.segment {
        Some((segment, count, digest)) => (grouped(segment), grouped(count), digest.as_str()),
        None => ("-".to_owned(), "-".to_owned(), "-"),
    };
    writeln!(out, "{:>8}  {at:<24}  {kind:<8}  {segment:>8}  {count:>9}  {digest}", root.number)
}
