//! `repository`: writes the repository that `pilothouse scan` is timed on; prints what it has as one line of JSON.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command: its result goes to standard output"
)]

use pilothouse_testkit::repository::{Plan, generate};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "repository FOLDER [options]
  --lines N            lines of all files that are not ignored, about   (1000000)
  --file-bytes-max N   bytes of each language's largest file, about     (1950000)
  --seed N             the same number makes the same repository        (20261123)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("repository: {problem}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<String, String> {
    let (folder, options) = arguments.split_first().ok_or("name the folder to write into")?;
    let mut plan = Plan::default();
    for pair in options.chunks(2) {
        let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
        let wrong = |_| format!("{name}: {value:?} is not a number");
        match name.as_str() {
            "--lines" => plan.lines = value.parse().map_err(wrong)?,
            "--file-bytes-max" => plan.file_bytes_max = value.parse().map_err(wrong)?,
            "--seed" => plan.seed = value.parse().map_err(wrong)?,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    let root = Path::new(folder);
    if root.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{folder} is not empty; name a folder that does not exist yet"));
    }
    let summary = generate(root, &plan).map_err(|error| format!("cannot write below {folder}: {error}"))?;
    serde_json::to_string(&summary).map_err(|error| error.to_string())
}
