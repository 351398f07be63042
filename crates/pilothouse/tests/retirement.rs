//! A model's end in one run of the program: a day before, the day itself under each policy, and after a plan was accepted;
//! what clients get, and what `migrate status` says before and after.

#![expect(clippy::unwrap_used, clippy::panic, reason = "everything here is test code")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pilothouse_catalog::day;
use pilothouse_core::clock::{Clock as _, SystemClock, UnixMs};
use serde_json::Value;

const DAY_MS: u64 = 86_400_000;
const SECRET: &str = "key-of-the-shop-0123456789";
/// Models that nobody else ends, and who follows them.
const FAILS: &str = "openai/gpt-5.4";
const FOLLOWED: &str = "openai/gpt-5.2";
const DRAFTED: &str = "openai/gpt-5.4-mini";
const NEXT: &str = "openai/gpt-5.5";
/// How often something is looked for that takes effect a moment later: a new configuration, a recorded call.
const LOOKS_MAX: usize = 300;

/// A program that ends with its owner.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    /// Starts it and waits for the line that says where it listens.
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = program(folder, arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map(Result::unwrap).find(|line| line.contains("OPENAI_BASE_URL="));
        let said = said.unwrap_or_else(|| panic!("{arguments:?} did not start"));
        // What it prints later would fill the pipe, and its writer would wait.
        std::thread::spawn(move || lines.for_each(drop));
        let address = said.split("OPENAI_BASE_URL=http://").nth(1).and_then(|rest| rest.split('/').next());
        Self { child, address: address.unwrap().to_owned() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilothouse"));
    command.args(arguments).current_dir(folder);
    command.env_remove("PILOTHOUSE_CONFIG").env_remove("PILOTHOUSE_DATA");
    command
}

/// What came back of a call: status, head, body.
struct Got {
    status: u16,
    head: String,
    body: Value,
}

impl Got {
    fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    fn has(&self, header: &str) -> bool {
        self.head.lines().any(|line| line.eq_ignore_ascii_case(header))
    }
}

/// A gateway before its fleet, with a clock of its own for the dates in its configuration.
struct Scene {
    folder: tempfile::TempDir,
    fleet: Running,
    now: UnixMs,
    gateway: Option<Running>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("plans")).unwrap();
        fs::write(folder.path().join("shop.key"), SECRET).unwrap();
        for (name, from) in [("followed", FOLLOWED), ("drafted", DRAFTED)] {
            let plan = format!(
                "[plan]\nversion = 1\nfrom = \"{from}\"\nto = \"{NEXT}\"\nmade = \"2026-11-23\"\n\
                 catalogue_as_of = \"2026-11-22\"\n\n[[stages]]\nshare = 1.0\n"
            );
            fs::write(folder.path().join(format!("plans/{name}.toml")), plan).unwrap();
        }
        let fleet = Running::start(folder.path(), &["sim", "--listen", "127.0.0.1:0"]);
        Self { folder, fleet, now: SystemClock.now(), gateway: None }
    }

    /// Writes a configuration in which the three models end at a moment; a running gateway takes it up.
    fn ends_at(&self, at: UnixMs, remark: &str) {
        let end = format!("{}T{}Z", day::of(at), time_of(at));
        let table = |target: &str, lines: &str| {
            format!("[lifecycle.\"{target}\"]\nowner = \"harbour-office\"\nretires = {end}\n{lines}\n")
        };
        let text = [
            format!("# {remark}\n[providers.openai]\nbase_url = \"http://{}/v1\"\n", self.fleet.address),
            "api_key = \"any\"\n[teams.support]\n[keys.shop]\nsecret = \"file:shop.key\"\n".to_owned(),
            "team = \"support\"\nproject = \"desk\"\n".to_owned(),
            table(FAILS, &format!("on_retired = \"fail\"\nsuccessor = \"{NEXT}\"")),
            table(FOLLOWED, "on_retired = \"successor\"\nplan = \"plans/followed.toml\""),
            table(DRAFTED, "on_retired = \"successor\"\nplan = \"plans/drafted.toml\""),
        ];
        // As editors do: nobody reads half of it.
        let (new, file) = (self.folder.path().join("new.toml"), self.folder.path().join("pilothouse.toml"));
        fs::write(&new, text.concat()).unwrap();
        fs::rename(new, file).unwrap();
    }

    fn serve(&mut self) {
        let arguments = ["serve", "--workers", "1", "--listen", "127.0.0.1:0"];
        self.gateway = Some(Running::start(self.folder.path(), &arguments));
    }

    fn ask(&self, model: &str) -> Got {
        self.ask_as(SECRET, model)
    }

    fn ask_as(&self, secret: &str, model: &str) -> Got {
        let address = &self.gateway.as_ref().unwrap().address;
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hello."}}]}}"#);
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {secret}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, rest) = text.split_once("\r\n\r\n").unwrap();
        let json = &rest[rest.find('{').unwrap()..=rest.rfind('}').unwrap()];
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Got { status, head: head.to_owned(), body: serde_json::from_str(json).unwrap() }
    }

    /// Asks until an answer has this status, which a new configuration brings about; counts the answers before it.
    fn ask_until(&self, model: &str, status: u16) -> (u64, Got) {
        for before in 0..LOOKS_MAX as u64 {
            let got = self.ask(model);
            if got.status == status {
                return (before, got);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{model} was never answered with {status}");
    }

    fn run(&self, arguments: &[&str]) -> String {
        let done = program(self.folder.path(), arguments).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{arguments:?}: {out}{err}");
        out.into_owned()
    }

    /// What `migrate status` says once so many calls were recorded, for people and for programs.
    fn status(&self, calls: u64) -> (String, Value) {
        let today = day::of(self.now);
        for _ in 0..LOOKS_MAX {
            let json = self.run(&["migrate", "status", "--no-code", "--today", &today, "--json"]);
            let json: Value = serde_json::from_str(&json).unwrap();
            let counted = |line: &Value| {
                ["calls", "refused", "passed_on"].map(|name| line[name].as_u64().unwrap()).iter().sum::<u64>()
            };
            if json["lines"].as_array().unwrap().iter().map(counted).sum::<u64>() == calls {
                let text = self.run(&["migrate", "status", "--no-code", "--today", &today]);
                return (text, json);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{calls} calls were never recorded");
    }
}

fn time_of(at: UnixMs) -> String {
    let seconds = at.0 % DAY_MS / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The line of one model.
fn line<'v>(status: &'v Value, target: &str) -> &'v Value {
    let lines = status["lines"].as_array().unwrap();
    let name = |line: &Value| format!("{}/{}", line["provider"], line["model"]).replace('"', "");
    lines.iter().find(|line| name(line) == target).unwrap_or_else(|| panic!("no {target} in {status:#}"))
}

/// The block of one model.
fn block<'t>(text: &'t str, target: &str) -> &'t str {
    let found = text.split("\n\n").find(|block| block.starts_with(&format!("{target}  ")));
    found.unwrap_or_else(|| panic!("no {target} in {text}"))
}

fn assert_says(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

/// The status a day before: who calls, and what calls get from the day on.
fn assert_told_before(scene: &Scene, tomorrow: &str) {
    let (text, json) = scene.status(5);
    let end = format!("retires {tomorrow} (1 d)");
    let shop = "key shop, team support, project desk, asks for openai/gpt-5.4: 2 calls";
    let minted = "key bot, team support, project relevance, asks for openai/gpt-5.4: 1 call";
    assert_says(
        block(&text, FAILS),
        &[&end, "3 calls", "2 keys; 1 team; 2 projects", shop, minted, "from its day on calls are refused\n"],
    );
    let accepted = "plan: plans/followed.toml to openai/gpt-5.5, accepted by ada on ";
    assert_says(block(&text, FOLLOWED), &[&end, accepted, "from its day on openai/gpt-5.5 answers instead"]);
    let next = "draft; next: pilothouse migrate accept plans/drafted.toml";
    let then = "from its day on calls are refused, because nobody has accepted plans/drafted.toml yet";
    assert_says(block(&text, DRAFTED), &[next, then]);
    let fails = line(&json, FAILS);
    assert_eq!((&fails["days_left"], &fails["state"]), (&1.into(), &"deprecated".into()));
    let today = day::of(scene.now);
    let calendar = scene.run(&["migrate", "status", "--no-code", "--today", &today, "--ics"]);
    let start = format!("DTSTART;VALUE=DATE:{}", tomorrow.replace('-', ""));
    let events = [
        &start,
        "SUMMARY:openai/gpt-5.4 stops: calls are refused",
        "SUMMARY:openai/gpt-5.2 stops: openai/gpt-5.5 answers instead",
        "Owner: harbour-office.",
    ];
    assert_says(&calendar.replace("\r\n ", ""), &events);
}

/// The status after it. Calls that were asked before a new configuration was in force were answered by the model itself
/// (`early`), or refused (`still_refused`).
fn assert_told_after(scene: &Scene, early: u64, still_refused: u64) {
    let (text, json) = scene.status(9 + early + still_refused);
    let ended = format!("retired {}", day::of(UnixMs(scene.now.0 - 1000)));
    let refused = "since its day calls are refused; so far 1 refused";
    assert_says(block(&text, FAILS), &[&ended, refused, "1 refused, $"]);
    let instead = "since its day openai/gpt-5.5 answers instead; so far";
    assert_says(block(&text, FOLLOWED), &[&format!("{instead} 1 answered by others")]);
    let both = format!("{instead} {} refused, 1 answered by others", 1 + still_refused);
    assert_says(block(&text, DRAFTED), &["accepted by grace on ", &both]);
    let counts = |target: &str| {
        ["calls", "refused", "passed_on"].map(|name| line(&json, target)[name].as_u64().unwrap())
    };
    assert_eq!(counts(FAILS), [3 + early, 1, 0]);
    assert_eq!((counts(FOLLOWED), counts(DRAFTED)), ([1, 0, 1], [1, 1 + still_refused, 1]));
    let succeeded = serde_json::json!({ "what": "succeeded", "by": NEXT });
    assert_eq!(line(&json, FOLLOWED)["afterwards"], succeeded);
    assert_eq!(
        (&line(&json, FAILS)["state"], &json["today"]),
        (&"retired".into(), &day::of(scene.now).into())
    );
}

#[test]
fn one_run_goes_from_the_day_before_through_the_day_to_an_accepted_plan() {
    let mut scene = Scene::new();
    scene.run(&["migrate", "accept", "plans/followed.toml", "--by", "ada"]);
    let minted = ["keys", "create", "bot", "--team", "support", "--project", "relevance", "--json"];
    let minted: Value = serde_json::from_str(&scene.run(&minted)).unwrap();

    // The day before: everybody is answered, and told.
    let tomorrow = UnixMs(scene.now.0 + DAY_MS);
    scene.ends_at(tomorrow, "ends tomorrow");
    scene.serve();
    let bot = scene.ask_as(minted["secret"].as_str().unwrap(), FAILS);
    for got in [FAILS, FAILS, FOLLOWED, DRAFTED].map(|model| scene.ask(model)).iter().chain([&bot]) {
        assert_eq!(got.status, 200, "{}", got.body);
        assert_says(&got.head.to_ascii_lowercase(), &["sunset: ", "rel=\"successor-version\""]);
    }
    assert_told_before(&scene, &day::of(tomorrow));

    // The day itself, under each policy.
    scene.ends_at(UnixMs(scene.now.0 - 1000), "ended");
    let (early, refused) = scene.ask_until(FAILS, 410);
    assert_says(refused.message(), &["`openai/gpt-5.4` has retired", NEXT, "owner: harbour-office"]);
    assert!(refused.head.to_ascii_lowercase().contains("sunset: "), "{}", refused.head);
    let followed = scene.ask(FOLLOWED);
    assert_eq!(followed.status, 200, "{}", followed.body);
    let link = "link: </v1/models/openai/gpt-5.5>; rel=\"successor-version\"";
    assert!(followed.has(link), "{}", followed.head);
    let undecided = scene.ask(DRAFTED);
    assert_eq!(undecided.status, 410, "{}", undecided.body);
    assert_says(undecided.message(), &["its plan `plans/drafted.toml` does not count"]);

    // Somebody accepts the other plan, and its successor answers.
    scene.run(&["migrate", "accept", "plans/drafted.toml", "--by", "grace"]);
    scene.ends_at(UnixMs(scene.now.0 - 1000), "ended, with both plans");
    let (still_refused, _) = scene.ask_until(DRAFTED, 200);
    assert_told_after(&scene, early, still_refused);
}
