//! `cargo xtask docs`: builds the book and refuses links that lead nowhere.

use crate::{args::Args, tidy, tools, workspace};
use anyhow::{Result, bail};
use std::process::Command;

/// Builds `docs/` into `docs/book`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    Args::new(arguments).finish()?;
    build()?;
    println!("docs: {}", workspace::root().join("docs/book/index.html").display());
    Ok(())
}

/// Checks links in all Markdown, then renders the book.
pub(crate) fn build() -> Result<()> {
    let findings = tidy::broken_links(&tidy::read()?);
    for finding in &findings {
        eprintln!("error (markdown): {}", finding.text);
    }
    if !findings.is_empty() {
        bail!("{} links lead nowhere", findings.len());
    }
    let mdbook = tools::install(&tools::MDBOOK)?;
    workspace::run(Command::new(mdbook).arg("build").arg(workspace::root().join("docs")))
}
