//! The program itself, started where its ledger is, was, or never has been.

#![expect(clippy::unwrap_used, reason = "everything here is test code")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CONFIGURATION: &str =
    "[providers.box]\ndialect = \"openai-chat\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";

fn serve(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilothouse"));
    command.args(["serve", "--workers", "1", "--listen", "127.0.0.1:0"]).args(more).current_dir(folder);
    command.env_remove("PILOTHOUSE_CONFIG").env_remove("PILOTHOUSE_DATA");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the gateway, stops it as soon as it is ready, and returns what it printed until then.
fn run(folder: &Path, more: &[&str]) -> String {
    let mut child = serve(folder, more).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = String::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        printed.push_str(&line);
        printed.push('\n');
        if line.starts_with("  use ") {
            break;
        }
    }
    let is_told = Command::new("kill").arg(child.id().to_string()).status().unwrap().success();
    lines.for_each(drop);
    let code = child.wait().unwrap().code();
    assert!(is_told && code == Some(0), "{code:?}: {printed}");
    printed
}

fn refused(folder: &Path, more: &[&str]) -> String {
    let Output { status, stderr, .. } = serve(folder, more).output().unwrap();
    assert_eq!(status.code(), Some(2));
    String::from_utf8(stderr).unwrap()
}

#[test]
fn a_ledger_that_is_gone_stops_the_start_until_somebody_says_that_a_new_one_may_begin() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pilothouse.toml"), CONFIGURATION).unwrap();
    assert!(run(folder.path(), &[]).contains("a new one begins there"));
    assert!(!run(folder.path(), &[]).contains("a new one begins"), "the second start goes on with it");
    let data = folder.path().join(".pilothouse");
    std::fs::remove_dir_all(&data).unwrap();
    let told = refused(folder.path(), &[]);
    for part in ["ledger", "is missing", "/.pilothouse when", "--data DIR", "pilothouse serve --new-ledger"] {
        assert!(told.contains(part), "`{part}` is not in: {told}");
    }
    assert!(!data.exists(), "nothing was begun");
    assert!(run(folder.path(), &["--new-ledger"]).contains("a new one begins there"));
    assert!(!run(folder.path(), &[]).contains("a new one begins"));
}

#[test]
fn what_a_server_records_is_sealed_with_a_key_beside_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pilothouse.toml"), CONFIGURATION).unwrap();
    let key = "made ./.pilothouse.toml.key, which seals receipts";
    assert!(run(folder.path(), &[]).contains(key));
    assert!(!run(folder.path(), &[]).contains(key), "once");
    let elsewhere = tempfile::tempdir().unwrap();
    let data = folder.path().join(".pilothouse");
    let verify_in = |place: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pilothouse"));
        command.args(["logs", "verify", "--data"]).arg(&data).args(more).current_dir(place);
        command.env_remove("PILOTHOUSE_CONFIG").env_remove("PILOTHOUSE_DATA");
        let Output { status, stdout, stderr } = command.output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    };
    let verify = |more: &[&str]| verify_in(folder.path(), more);
    let (code, out, _) = verify(&[]);
    assert!(code == Some(0) && out.contains("nothing is altered and nothing is missing"), "{code:?}: {out}");
    let (code, public, _) = verify(&["--public-key"]);
    assert!(code == Some(0) && public.starts_with("ed25519:") && out.contains(public.trim()), "{public}");
    // The store alone, which somebody else holds with our public key.
    let (code, _, err) = verify_in(elsewhere.path(), &[]);
    assert!(code == Some(2) && err.contains("--trust"), "{code:?}: {err}");
    let (code, out, _) = verify_in(elsewhere.path(), &["--trust", public.trim()]);
    assert!(code == Some(0) && out.contains("no head file was there"), "{code:?}: {out}");
    // A new ledger is not the old one's end.
    std::fs::remove_dir_all(&data).unwrap();
    assert!(run(folder.path(), &["--new-ledger"]).contains("is put aside as"));
    assert_eq!(verify(&[]).0, Some(0));
}

#[test]
fn without_a_configuration_file_nothing_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["--no-discover"]);
    std::fs::remove_dir_all(folder.path().join(".pilothouse")).unwrap();
    run(folder.path(), &["--no-discover"]);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".pilothouse"], "no note where there is no configuration");
}
