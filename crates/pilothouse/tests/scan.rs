//! `pilothouse scan` as a program: the examples of the book, mending, and what continuous integration runs.

#![expect(clippy::unwrap_used, reason = "everything here is test code")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The day of the book's examples.
const TODAY: &str = "2026-11-23";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A command in a folder, with the built program first on the path and nothing of ours in the environment.
fn command(program: &str, folder: &Path) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_pilothouse")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.current_dir(folder).env("PATH", format!("{}:{path}", binary.display()));
    command.env_remove("PILOTHOUSE_DATA").env_remove("PILOTHOUSE_CONFIG");
    command
}

fn scan(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_pilothouse");
    command(program, folder).args(["scan", "--today", TODAY]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn told(output: &Output) -> String {
    format!("{:?}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The example's files in a folder of their own.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("docs/src/scan/example"), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Compares a block of the book with what is printed; writes it anew when that is asked for.
fn block(name: &str, language: &str, printed: &str) {
    let path = root().join("docs/src/scan.md");
    let page = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- scan:begin {name} -->\n"), format!("<!-- scan:end {name} -->"));
    let (head, rest) = page.split_once(&begin).unwrap();
    let (found, tail) = rest.split_once(&end).unwrap();
    let expected = format!("```{language}\n{printed}```\n");
    if found != expected && std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{head}{begin}{expected}{end}{tail}")).unwrap();
        return;
    }
    assert_eq!(found, expected, "scan.md differs; `cargo xtask golden -p pilothouse` writes it anew");
}

#[test]
fn the_outputs_in_the_book_are_those_of_the_program() {
    let folder = example();
    let table = scan(folder.path(), &[]);
    assert_eq!(table.status.code(), Some(1), "{}", told(&table));
    block("table", "text", &format!("$ pilothouse scan\n{}", text(&table.stdout)));
    let diff = scan(folder.path(), &["--fix", "--dry-run"]);
    assert_eq!(diff.status.code(), Some(1), "nothing has changed yet");
    block("diff", "diff", &text(&diff.stdout));
}

#[test]
fn what_is_mended_is_what_the_diff_said_and_a_second_run_has_nothing_to_mend() {
    let (by_patch, by_fix) = (example(), example());
    let diff = scan(by_patch.path(), &["--fix", "--dry-run", "--output", "fix.patch"]);
    assert!(text(&diff.stderr).contains("wrote fix.patch"), "{}", told(&diff));
    assert!(!fs::read_to_string(by_patch.path().join("fix.patch")).unwrap().is_empty());
    let patched = command("git", by_patch.path()).args(["apply", "fix.patch"]).output().unwrap();
    assert!(patched.status.success(), "{}", told(&patched));
    let fixed = scan(by_fix.path(), &["--fix"]);
    assert!(text(&fixed.stderr).contains("mended src/summary.py"), "{}", told(&fixed));
    for file in ["src/triage.py", "src/summary.py", "src/agent.ts", "k8s/values.yaml", "tests/test_triage.py"]
    {
        let read = |folder: &tempfile::TempDir| fs::read_to_string(folder.path().join(file)).unwrap();
        assert_eq!(read(&by_patch), read(&by_fix), "{file}");
    }
    assert_eq!(
        fs::read(root().join("docs/src/scan/example/tests/test_triage.py")).unwrap(),
        fs::read(by_fix.path().join("tests/test_triage.py")).unwrap(),
        "tests are never touched"
    );
    let again = scan(by_fix.path(), &["--fix", "--dry-run"]);
    assert_eq!(text(&again.stdout), "", "{}", told(&again));
}

#[test]
fn a_baseline_accepts_what_is_there_and_not_what_is_new() {
    let folder = example();
    let baseline = ["--baseline", "ci/baseline.json"];
    let missing = scan(folder.path(), &baseline);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("--write-baseline"), "{}", told(&missing));
    let written = scan(folder.path(), &[&baseline[..], &["--write-baseline"]].concat());
    assert_eq!(written.status.code(), Some(0), "{}", told(&written));
    let accepted = scan(folder.path(), &baseline);
    assert_eq!(accepted.status.code(), Some(0), "{}", told(&accepted));
    let file = folder.path().join("src/summary.py");
    let more = fs::read_to_string(&file).unwrap()
        + "\n\nagain = client.messages.create(model=\"claude-3-opus-20240229\", max_tokens=9, messages=[])\n";
    fs::write(&file, format!("# moved down\n{more}")).unwrap();
    let new = scan(folder.path(), &[&baseline[..], &["--json"]].concat());
    assert_eq!(new.status.code(), Some(1), "{}", told(&new));
    let report: Value = serde_json::from_slice(&new.stdout).unwrap();
    assert_eq!(report["summary"]["failing"], 1, "only the new one: lines that moved are known");
}

#[test]
fn a_run_that_cannot_be_made_exits_with_2() {
    let folder = example();
    for arguments in
        [&["nowhere"][..], &["--format", "xml"], &["--data", "nowhere"], &["--today", "2026-13-01"]]
    {
        let refused = scan(folder.path(), arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", told(&refused));
        assert!(!refused.stderr.is_empty());
    }
}

/// The scripts below a key of a YAML file: blocks (`key: |`) and items of a list, as they would be run.
fn scripts(yaml: &str, key: &str) -> Vec<String> {
    let lines: Vec<&str> = yaml.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut scripts = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(value) = line.trim_start().strip_prefix(key) else { continue };
        let below: Vec<&str> =
            lines[index + 1..].iter().take_while(|below| indent(below) > indent(line)).copied().collect();
        match value.trim() {
            "|" => scripts.push(below.iter().map(|line| format!("{}\n", line.trim_start())).collect()),
            "" => scripts.extend(
                below.iter().filter_map(|line| line.trim_start().strip_prefix("- ")).map(str::to_owned),
            ),
            one => scripts.push(one.to_owned()),
        }
    }
    assert!(!scripts.is_empty(), "{key} is not in the file");
    scripts
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What a check must do in a folder with findings, and in one without: what it exits with, and what it prints.
fn checked(run: impl Fn(&Path) -> Output) -> Output {
    let clean = tempfile::tempdir().unwrap();
    fs::write(clean.path().join("a.py"), "MODEL = \"claude-opus-4-7\"\n").unwrap();
    let fine = run(clean.path());
    assert_eq!(fine.status.code(), Some(0), "{}", told(&fine));
    let folder = example();
    let found = run(folder.path());
    assert_eq!(found.status.code(), Some(1), "{}", told(&found));
    found
}

#[test]
fn the_hooks_of_pre_commit_run_and_refuse() {
    let entries = scripts(&read(".pre-commit-hooks.yaml"), "entry:");
    assert_eq!(entries, ["pilothouse scan", "pilothouse scan --fix"]);
    for entry in entries {
        // pre-commit puts the names of the commit's files behind the entry.
        let printed = checked(|folder| {
            let files = if folder.join("a.py").exists() { "a.py" } else { "src/triage.py src/agent.ts" };
            command("sh", folder).args(["-c", &format!("{entry} {files}")]).output().unwrap()
        });
        assert!(text(&printed.stdout).contains("src/agent.ts:"), "{}", told(&printed));
    }
}

#[test]
fn the_steps_of_the_github_action_annotate_summarise_and_refuse() {
    let action = read("deploy/ci/github/action.yml");
    for input in ["paths", "fail-within", "baseline", "sarif"] {
        assert!(
            action.contains(&format!("${{{{ inputs.{input} }}}}")),
            "{input} is handed over as a variable"
        );
    }
    let steps = scripts(&action, "run:");
    assert!(!steps.iter().any(|step| step.contains("${{")), "no input is part of a script");
    let printed = checked(|folder| {
        let mut last = None;
        for step in &steps {
            let mut bash = command("bash", folder);
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step]);
            bash.env("PATHS", ". .")
                .env("FAIL_WITHIN", "")
                .env("BASELINE", "")
                .env("SARIF", "out/scan.sarif");
            bash.env("GITHUB_STEP_SUMMARY", folder.join("summary.md")).env("GITHUB_ACTION_PATH", folder);
            last = Some(bash.output().unwrap());
        }
        let log: Value = serde_json::from_slice(&fs::read(folder.join("out/scan.sarif")).unwrap()).unwrap();
        assert_eq!(log["version"], "2.1.0");
        assert!(fs::read_to_string(folder.join("summary.md")).unwrap().contains("### pilothouse scan"));
        last.unwrap()
    });
    assert!(text(&printed.stdout).starts_with("::error file="), "{}", told(&printed));
}

#[test]
fn the_script_of_the_gitlab_job_keeps_its_artifacts_and_refuses() {
    let job = read("deploy/ci/gitlab.yml");
    let script = scripts(&job, "script:").join("\n");
    for artifact in scripts(&job, "paths:") {
        assert!(script.contains(&artifact), "{artifact} is written");
    }
    checked(|folder| {
        let mut bash = command("bash", folder);
        bash.args(["-eo", "pipefail", "-c", &script]);
        bash.env("PILOTHOUSE_SCAN_PATHS", ".").env("PILOTHOUSE_SCAN_OPTIONS", "--fail-within 1d");
        let done = bash.output().unwrap();
        assert!(folder.join("pilothouse.sarif").exists() && folder.join("pilothouse.md").exists());
        done
    });
}
