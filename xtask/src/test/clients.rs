//! The steps with real SDKs: the README's examples, the matrix of clients in `tests/clients`, and their types.
//!
//! Their packages are pinned and kept where `tests/clients/environments.py` says, ignored by git. Nothing is
//! skipped for want of a tool: the step says what to install, and fails.

use crate::bench::process::{Running, free_address};
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const CLIENTS: &str = "tests/clients";
const NODE: &str = "tests/clients/node";
const MATRIX: &str = "tests/clients/run.py";
const TYPES: &str = "tests/clients/types/check.py";
const EXAMPLES: &str = "docs/examples";

/// Runs the matrix: every client through the gateway to the simulated fleet.
pub(super) fn matrix() -> Result<String> {
    let root = workspace::root();
    if !root.join(MATRIX).is_file() {
        bail!("{MATRIX} is missing");
    }
    let binary = workspace::build("pilothouse", "pilothouse", "dev")?;
    let (python, _) = environments()?;
    let mut command = Command::new(python);
    command.arg(MATRIX).current_dir(&root).env("PILOTHOUSE_BIN", &binary);
    let text = workspace::watch(&mut command)?;
    Ok(from_summary(&text))
}

/// Checks the golden cases against the types of the SDKs.
pub(super) fn types() -> Result<String> {
    let mut command = Command::new(python("agents")?);
    let text = workspace::watch(command.arg(TYPES).current_dir(workspace::root()))?;
    Ok(from_summary(&text))
}

/// What a program printed from its line `summary` on; its last line if there is none.
fn from_summary(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_title = |line: &&str| line.trim().trim_end_matches(':').eq_ignore_ascii_case("summary");
    match lines.iter().rposition(is_title) {
        Some(index) => lines[index + 1..].iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n"),
        None => lines.last().copied().unwrap_or_default().to_owned(),
    }
}

/// Runs every file in `docs/examples` against `pilothouse demo`; each must end well and print something.
pub(super) fn examples() -> Result<String> {
    let root = workspace::root();
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(root.join(EXAMPLES)).context(EXAMPLES)? {
        files.push(entry?.path());
    }
    files.sort();
    let binary = workspace::build("pilothouse", "pilothouse", "dev")?;
    let (python, node) = environments()?;
    let folder = workspace::target().join("examples");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let demo = start_demo(&binary, &folder)?;
    let mut done = 0;
    for file in &files {
        let mut command = match file.extension().and_then(|ending| ending.to_str()) {
            Some("py") => program(&python, file),
            Some("mjs") => program(&node, &beside_packages(file)?),
            // Only the last command's status would count without it.
            Some("sh") => {
                let mut command = Command::new("bash");
                command.arg("-e").arg(file);
                command
            }
            _ => continue,
        };
        point_at(&mut command, &demo.address);
        let text = workspace::watch(command.current_dir(&root))?;
        if text.trim().is_empty() {
            bail!("{} printed nothing", file.display());
        }
        done += 1;
    }
    match done {
        0 => bail!("{EXAMPLES} holds no example"),
        done => Ok(format!("{done} examples of the README")),
    }
}

fn program(interpreter: &Path, file: &Path) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(file);
    command
}

/// What the README tells the reader to set; the SDKs read these themselves.
fn point_at(command: &mut Command, address: &str) {
    command.env("OPENAI_BASE_URL", format!("http://{address}/v1")).env("OPENAI_API_KEY", "any");
    command.env("ANTHROPIC_BASE_URL", format!("http://{address}")).env("ANTHROPIC_API_KEY", "any");
    for proxy in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command.env("PILOTHOUSE", format!("http://{address}"));
}

fn start_demo(binary: &Path, folder: &Path) -> Result<Running> {
    let address = free_address()?;
    let command = [&*binary.to_string_lossy(), "demo", "--listen", &address].map(str::to_owned);
    let began = Instant::now();
    let mut demo = Running::start("demo", &address, folder, &command)?;
    demo.wait_ready("/readyz", began, folder)?;
    Ok(demo)
}

/// Node looks for packages above the file that imports them: a copy is put where it finds ours.
fn beside_packages(file: &Path) -> Result<PathBuf> {
    let folder = workspace::root().join(NODE).join("node_modules/.examples");
    std::fs::create_dir_all(&folder)?;
    let copy = folder.join(file.file_name().context("an example without a name")?);
    std::fs::copy(file, &copy)?;
    Ok(copy)
}

/// The pinned Python interpreter and the node program, their packages installed or renewed where they changed.
fn environments() -> Result<(PathBuf, PathBuf)> {
    workspace::need("node", "nodejs")?;
    workspace::need("npm", "npm")?;
    Ok((python("python")?, ask("e.node()")?))
}

/// The interpreter of one of the Python environments.
fn python(name: &str) -> Result<PathBuf> {
    workspace::need("python3", "python3")?;
    let call = format!("e.python('{name}')");
    // Debian keeps the module that makes virtual environments in a package of its own.
    ask(&call).or_else(|_| workspace::install_package("python3-venv").and_then(|()| ask(&call)))
}

/// What a function of `tests/clients/environments.py` names.
fn ask(call: &str) -> Result<PathBuf> {
    let mut command = Command::new("python3");
    command.args(["-c", &format!("import environments as e; print({call})")]);
    let answer = workspace::output(command.current_dir(workspace::root().join(CLIENTS)))?;
    let line = answer.lines().last().context("tests/clients/environments.py named no program")?;
    Ok(PathBuf::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_is_what_follows_its_title() {
        let text = "cell 1 ok\nSummary:\n  openai 2.1 (Python)\n  280 cells, 12 impossible\n";
        assert_eq!(from_summary(text), "openai 2.1 (Python)\n280 cells, 12 impossible");
        assert_eq!(from_summary("a\nb\n"), "b");
    }
}
