//! Where things are, and running other programs so that a failure says what to do.

use anyhow::{Context as _, Result, bail};
use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where tools and downloads are kept between runs: never inside the clone, so that a clean clone stays clean.
pub(crate) fn cache() -> Result<PathBuf> {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = named("PILOTHOUSE_CACHE")
        .or_else(|| named("XDG_CACHE_HOME").map(|base| base.join("pilothouse")))
        .or_else(|| named("HOME").map(|home| home.join(".cache/pilothouse")))
        .context("no cache folder: set PILOTHOUSE_CACHE")?;
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Cargo's target folder, wherever the environment or the configuration puts it.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Builds one binary and returns its path.
pub(crate) fn build(package: &str, binary: &str, profile: &str) -> Result<PathBuf> {
    run(cargo().args(["build", "--package", package, "--bin", binary, "--profile", profile]))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target().join(folder).join(binary))
}

/// Runs a command with our own input and output; anything but success is an error that quotes it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", words(command)))?;
    if status.success() {
        return Ok(());
    }
    bail!("{} ended with {status}", words(command))
}

/// Runs a command and returns what it printed; its errors go into ours.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command.output().with_context(|| format!("cannot run {}", words(command)))?;
    if !done.status.success() {
        let errors = String::from_utf8_lossy(&done.stderr);
        bail!("{} ended with {}\n{}", words(command), done.status, errors.trim_end());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Whether a program can be started at all.
pub(crate) fn has(program: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// Makes sure that a program is there; installs its Debian package where that is possible.
pub(crate) fn need(program: &str, package: &str) -> Result<()> {
    if has(program) {
        return Ok(());
    }
    install_package(package).with_context(|| format!("{program} is missing"))?;
    match has(program) {
        true => Ok(()),
        false => bail!("{package} was installed but there is still no {program}"),
    }
}

/// Installs a Debian package as root with apt-get; says what to do where that is not possible.
pub(crate) fn install_package(package: &str) -> Result<()> {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !(root && has("apt-get")) {
        bail!("install it (Debian: apt-get install {package})");
    }
    println!("installing the package {package}");
    let install = || {
        let mut command = Command::new("apt-get");
        command.args(["install", "--yes", "--no-install-recommends", package]);
        output(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    if install().is_err() {
        output(Command::new("apt-get").arg("update"))?;
        install()?;
    }
    Ok(())
}

/// Files that belong to the repository, as paths from its root: what git tracks and what it would, in order.
pub(crate) fn files() -> Result<Vec<String>> {
    let mut command = Command::new("git");
    command.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listing = output(&mut command)?;
    let mut files: Vec<String> = listing.lines().map(str::to_owned).collect();
    files.retain(|path| root().join(path).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

fn words(command: &Command) -> String {
    let mut text = format!("`{}", command.get_program().to_string_lossy());
    for argument in command.get_args().take(12) {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    if command.get_args().len() > 12 {
        text.push_str(" …");
    }
    text.push('`');
    text
}

/// Runs a command, passes on what it prints while it prints it, and returns that too.
pub(crate) fn watch(command: &mut Command) -> Result<String> {
    // One pipe for both streams keeps their order; the shell joins them.
    let mut joined = Command::new("sh");
    joined.args(["-c", "exec \"$@\" 2>&1", "sh"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        joined.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => joined.env(name, value),
            None => joined.env_remove(name),
        };
    }
    let mut child =
        joined.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {}", words(command)))?;
    let mut seen = String::new();
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).split(b'\n')) {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        seen.push_str(&line);
        seen.push('\n');
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(seen);
    }
    bail!("{} ended with {status}", words(command))
}
