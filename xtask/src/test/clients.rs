//! The steps with real SDKs: the README's examples, and the matrix of clients in `tests/clients`.
//!
//! Python packages live in `.tools/python`, Node packages beside their lock file; both are pinned, both are
//! ignored by git. Nothing is skipped for want of a tool: the step says what to install, and fails.

use crate::bench::process::{Running, free_address};
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const REQUIREMENTS: &str = "tests/clients/python/requirements.txt";
const NODE: &str = "tests/clients/node";
const MATRIX: &str = "tests/clients/run.py";
const EXAMPLES: &str = "docs/examples";

/// Runs the matrix: every client through the gateway to the simulated fleet.
pub(super) fn matrix() -> Result<String> {
    let root = workspace::root();
    if !root.join(MATRIX).is_file() {
        bail!("{MATRIX} is missing");
    }
    let binary = workspace::build("pilothouse", "pilothouse", "dev")?;
    let (python, node) = (python()?, node()?);
    let mut command = Command::new(python);
    command.arg(MATRIX).current_dir(&root);
    command.env("PILOTHOUSE_BIN", &binary).env("NODE", node);
    let text = workspace::watch(&mut command)?;
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
    let (python, node) = (python()?, node()?);
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
            Some("sh") => program(Path::new("bash"), file),
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

/// The interpreter of a virtual environment with the pinned packages, made or renewed when they changed.
fn python() -> Result<PathBuf> {
    workspace::need("python3", "python3")?;
    let root = workspace::root();
    let home = root.join(".tools/python");
    let interpreter = home.join("bin/python");
    let wanted = std::fs::read_to_string(root.join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let stamp = home.join("requirements.installed");
    if interpreter.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(interpreter);
    }
    println!("installing Python packages into .tools/python");
    let make = || workspace::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    if make().is_err() {
        workspace::install_package("python3-venv")?;
        make()?;
    }
    let mut install = Command::new(&interpreter);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    workspace::run(install.arg(root.join(REQUIREMENTS)))?;
    std::fs::write(stamp, wanted)?;
    Ok(interpreter)
}

/// The node program, after the locked packages have been installed where they changed.
fn node() -> Result<PathBuf> {
    workspace::need("node", "nodejs")?;
    workspace::need("npm", "npm")?;
    let home = workspace::root().join(NODE);
    let wanted = std::fs::read_to_string(home.join("package-lock.json"))
        .with_context(|| format!("{NODE}/package-lock.json"))?;
    let stamp = home.join("node_modules/.installed-lock");
    if !std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("installing Node packages into {NODE}/node_modules");
        workspace::run(
            Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&home),
        )?;
        std::fs::write(stamp, wanted)?;
    }
    Ok(PathBuf::from("node"))
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
