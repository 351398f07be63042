//! Programs that the checks need, at pinned versions, installed beside the clone and never into it.

use crate::workspace;
use anyhow::Result;
use std::path::PathBuf;

/// A program published as a crate.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Licences, bans and sources of dependencies.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// The book.
pub(crate) const MDBOOK: Tool = Tool { name: "mdbook", version: "0.5.4" };

/// The path of the tool, installed first where it is missing.
pub(crate) fn install(tool: &Tool) -> Result<PathBuf> {
    let root = workspace::cache()?.join("tools").join(format!("{}-{}", tool.name, tool.version));
    let binary = root.join("bin").join(tool.name);
    if binary.is_file() {
        return Ok(binary);
    }
    println!("installing {} {} into {}", tool.name, tool.version, root.display());
    let mut command = workspace::cargo();
    // Built for debugging: these run for seconds, and an optimised build takes minutes longer.
    command.args(["install", "--locked", "--debug", "--root"]).arg(&root);
    command.arg(format!("{}@{}", tool.name, tool.version));
    command.env("CARGO_TARGET_DIR", workspace::cache()?.join("tools/target"));
    workspace::run(&mut command)?;
    Ok(binary)
}
