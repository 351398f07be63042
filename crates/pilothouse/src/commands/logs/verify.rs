//! `pilothouse logs verify`: what has become of every receipt, checked with a key from outside of the store.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use pilothouse_store::{Bad, Fault, PublicKey, Report, Roots, Trust};
use serde_json::{Value, json};

use super::seal::KeySource;
use super::source::{Source, grouped, iso, plain};

#[cfg(test)]
mod tests;

/// Checks every receipt against the signed chain. Exits with 1 when something is altered or missing.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Verify {
    /// Also compare with roots that were kept elsewhere: a file of `pilothouse logs roots --json`.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Trust this key (`ed25519:…`), too: one that was replaced, or where the private half is not at hand. May be
    /// repeated.
    #[arg(long, value_name = "KEY")]
    trust: Vec<PublicKey>,
    /// Print the public half of the signing key, and check nothing.
    #[arg(long)]
    public_key: bool,
    /// One JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    key: KeySource,
    #[command(flatten)]
    source: Source,
}

impl Verify {
    /// Runs the check: the report to `out`, notes for people to `notes`.
    ///
    /// # Errors
    /// When there is no key to check with, or no ledger to read.
    pub(crate) fn run(self, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<ExitCode> {
        if self.public_key {
            let public = self.key.sealing(&self.source.data)?.key.public();
            match self.json {
                true => writeln!(out, "{:#}", json!({ "public_key": public }))?,
                false => writeln!(out, "{public}")?,
            }
            return Ok(ExitCode::SUCCESS);
        }
        let trust = self.trust()?;
        let reader = self.source.open(notes)?;
        let report = reader.verify(&trust)?;
        if self.json {
            writeln!(out, "{:#}", report_json(&report))?;
        } else {
            write_report(out, &report)?;
        }
        Ok(ExitCode::from(u8::from(!report.is_sound())))
    }

    fn trust(&self) -> anyhow::Result<Trust> {
        let mut keys = self.trust.clone();
        match self.key.sealing(&self.source.data) {
            Ok(sealing) => keys.insert(0, sealing.key.public()),
            // Who checks for others has their public key only.
            Err(_) if !keys.is_empty() => {}
            Err(error) => {
                return Err(error.context(
                    "no key to check with: trust the public key that you know with `--trust ed25519:…`, or",
                ));
            }
        }
        let roots = self.roots.as_ref().map(|path| {
            let name = path.display();
            let text = std::fs::read_to_string(path).with_context(|| format!("could not read {name}"))?;
            Roots::parse(&text).map_err(|what| anyhow::anyhow!("could not read {name}: {what}"))
        });
        Ok(Trust { keys, head: Some(self.key.head(&self.source.data)?), roots: roots.transpose()? })
    }
}

/// The report as JSON. Names are added over time, never changed.
fn report_json(report: &Report) -> Value {
    let mut document = json!(report);
    document["is_sound"] = json!(report.is_sound());
    document
}

/// The report for people.
fn write_report(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let sealed = match report.sealed_at {
        Some(at) => {
            let plural = if report.segments == 1 { "" } else { "s" };
            format!("as sealed, in {} segment{plural}, the last of {}", grouped(report.segments), iso(at))
        }
        None => "as sealed; no segment is sealed yet".to_owned(),
    };
    let mut line =
        |name: &str, count: u64, what: &str| writeln!(out, "{name:<12}{:>13}  {what}", grouped(count));
    line("intact", report.intact, &sealed)?;
    for (name, count, what) in [
        ("altered", report.altered, "not as sealed, or no longer proven"),
        ("missing", report.missing, "sealed and gone, with no record of it"),
    ] {
        line(name, count, what)?;
    }
    for (name, count, what) in [
        ("dropped", report.dropped, "never written in detail: a gap record tells of them"),
        ("expired", report.expired, "removed by age: their roots are kept for 400 days"),
        ("erased", report.erased, "erased one by one: their digests are kept"),
        ("not covered", report.not_covered, "recorded before sealing began, or while it was off"),
        ("tail", report.tail, "not yet sealed"),
    ] {
        if count > 0 {
            line(name, count, what)?;
        }
    }
    line("hours", report.hours, "with totals as sealed")?;
    for crash in &report.crashes {
        writeln!(
            out,
            "crash       the server of start {} did not stop by itself: what came in the moments after its receipt {} \
             is lost, if anything did (next start {})",
            crash.writer,
            grouped(crash.last_number),
            iso(crash.next_start_at)
        )?;
    }
    report.bad.iter().try_for_each(|bad| writeln!(out, "{}", bad_text(bad)))?;
    let more = report.bad_total - report.bad.len() as u64;
    if more > 0 {
        writeln!(out, "            and {} more", grouped(more))?;
    }
    verdict(out, report)
}

fn bad_text(bad: &Bad) -> String {
    let fault = match bad.fault {
        Fault::Altered => "ALTERED",
        Fault::Missing => "MISSING",
    };
    let mut parts = Vec::new();
    parts.extend(bad.receipt.map(|(writer, number)| format!("receipt {writer}.{number}")));
    parts.extend(bad.segment.map(|segment| format!("segment {segment}")));
    parts.extend(bad.exchange.map(|id| format!("exchange {id}")));
    let place = if parts.is_empty() { String::new() } else { format!("{}: ", parts.join(", ")) };
    format!("{fault:<12}{place}{}", plain(&bad.what))
}

fn verdict(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.entries == 0 {
        return writeln!(
            out,
            "nothing is sealed in this ledger yet: `pilothouse serve` with a configuration file seals what it records"
        );
    }
    let mut notes = Vec::new();
    if !report.has_head {
        notes.push("no head file was there: a chain cut at its end would not be noticed".to_owned());
    }
    if report.roots_compared > 0 {
        notes.push(format!("{} entries are those kept elsewhere", grouped(report.roots_compared)));
    }
    let keys: Vec<String> = report.keys.iter().map(ToString::to_string).collect();
    if !keys.is_empty() {
        notes.push(format!("signed by {}", keys.join(", ")));
    }
    notes.iter().try_for_each(|note| writeln!(out, "note        {note}"))?;
    if report.is_sound() {
        writeln!(out, "sound       nothing is altered and nothing is missing")
    } else {
        writeln!(out, "NOT SOUND   keep a copy of this ledger as it is, and compare with a backup")
    }
}
