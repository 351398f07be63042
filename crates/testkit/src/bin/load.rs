//! `load`: one measurement against one server, printed as one line of JSON.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command: its result goes to standard output"
)]

use pilothouse_testkit::load::{Dialect, Mode, Plan, Shape, run};
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "load plain|stream|hold [options]
  --addr HOST:PORT     server                                        (127.0.0.1:4141)
  --dialect NAME       as in the gateway's configuration             (openai-chat)
  --path PATH          if not the dialect's own
  --model NAME         model to ask for                              (fake)
  --key SECRET         client credential                             (sk-bench)
  --header 'N: V'      one more header; may be repeated
  --conns N            connections, one request in flight on each    (16)
  --secs S             length of the window that counts              (2)
  --warm S             time before it                                (0.5)
  --pids A,B           processes to weigh, with their descendants
  --prompt-bytes N     size of the prompt                            (1600)
  --escape-every N     one character in N needs escaping, 0 = none   (0)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plan = match parse(&arguments) {
        Ok(plan) => plan,
        Err(problem) => {
            eprintln!("load: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // One thread: on a machine with two cores the generator must leave one to the server.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("load: cannot start a runtime: {error}");
            return ExitCode::from(2);
        }
    };
    let report = runtime.block_on(run(&plan));
    match serde_json::to_string(&report) {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("load: cannot print the report: {error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn parse(arguments: &[String]) -> Result<Plan, String> {
    let mode = match arguments.first().map(String::as_str) {
        Some("plain") => Mode::Plain,
        Some("stream") => Mode::Stream,
        Some("hold") => Mode::Hold,
        other => return Err(format!("unknown mode {:?}", other.unwrap_or("(none)"))),
    };
    let mut plan = Plan {
        mode,
        address: "127.0.0.1:4141".to_owned(),
        shape: Shape {
            dialect: Dialect::OpenaiChat,
            path: None,
            model: "fake".to_owned(),
            key: "sk-bench".to_owned(),
            headers: Vec::new(),
            prompt_bytes: 1_600,
            escape_every: 0,
        },
        connections: 16,
        window: Duration::from_secs(2),
        warm_up: Duration::from_millis(500),
        pids: Vec::new(),
    };
    let mut rest = arguments.iter().skip(1);
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
        set(&mut plan, name, value)?;
    }
    Ok(plan)
}

fn set(plan: &mut Plan, name: &str, value: &str) -> Result<(), String> {
    let wrong = |_| format!("{name}: {value:?} is not a number");
    match name {
        "--addr" => value.clone_into(&mut plan.address),
        "--dialect" => {
            let known = Dialect::ALL.iter().find(|(name, _)| *name == value);
            plan.shape.dialect = known.ok_or_else(|| format!("unknown dialect {value:?}"))?.1;
        }
        "--path" => plan.shape.path = Some(value.to_owned()),
        "--model" => value.clone_into(&mut plan.shape.model),
        "--key" => value.clone_into(&mut plan.shape.key),
        "--header" => plan.shape.headers.push(value.to_owned()),
        "--conns" => plan.connections = value.parse().map_err(wrong)?,
        "--secs" => plan.window = seconds(value)?,
        "--warm" => plan.warm_up = seconds(value)?,
        "--pids" => plan.pids = value.split(',').map(str::parse).collect::<Result<_, _>>().map_err(wrong)?,
        "--prompt-bytes" => plan.shape.prompt_bytes = value.parse().map_err(wrong)?,
        "--escape-every" => plan.shape.escape_every = value.parse().map_err(wrong)?,
        other => return Err(format!("unknown option {other}")),
    }
    Ok(())
}

fn seconds(value: &str) -> Result<Duration, String> {
    let number: f64 = value.parse().map_err(|_| format!("{value:?} is not a number of seconds"))?;
    Duration::try_from_secs_f64(number).map_err(|error| format!("{value:?}: {error}"))
}
