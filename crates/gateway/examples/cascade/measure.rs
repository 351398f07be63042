//! Asks the fleet's quiz over each route, and reads what it cost out of the ledger.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use pilothouse_core::exchange::Exchange;
use pilothouse_core::money::PicoUsd;
use pilothouse_core::usage::Usage;
use pilothouse_gateway::config::Source;
use pilothouse_gateway::plan::Environment;
use pilothouse_gateway::server::{Options, Server};
use pilothouse_routing::cascade::final_answer;
use pilothouse_sim::Question;
use pilothouse_store::{Filter, Reader};
use serde_json::{Value, json};

/// The routes: always the cheap one, always the strong one, a cascade by declared checks, and one by agreement too.
const ROUTES: [&str; 4] = ["always-cheap", "always-strong", "checks", "agreement"];

const CONFIGURATION: &str = r##"
[providers.openai]
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-openai"
[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "sk-upstream-anthropic"
[catalog]
overlay = "prices.toml"

[routes.always-cheap]
targets = ["openai/gpt-4o-mini"]
[routes.always-strong]
targets = ["anthropic/claude-opus-4-7"]
[routes.checks]
strategy = "cascade"
targets = ["openai/gpt-4o-mini", "anthropic/claude-opus-4-7"]
[routes.checks.cascade]
checks = [{ check = "refusal" }, { check = "regex", pattern = "[0-9]" }]
[routes.agreement]
strategy = "cascade"
targets = ["openai/gpt-4o-mini", "openai/gpt-4.1-mini", "anthropic/claude-opus-4-7"]
[routes.agreement.cascade]
checks = [{ check = "refusal" }]
agreement = "final-answer"
"##;

/// How long the ledger may take to hold what has been answered.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of all questions over all routes.
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// What the fleet has billed by its own books, in pico-dollars.
    pub(crate) billed: i128,
    prices: BTreeMap<String, (PicoUsd, PicoUsd)>,
}

/// What came of all questions over one route.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) route: &'static str,
    pub(crate) asked: usize,
    pub(crate) right: usize,
    pub(crate) escalated: usize,
    pub(crate) cost: PicoUsd,
    /// By target: answers, tokens in, tokens out, cost.
    by_target: BTreeMap<String, (u64, u64, u64, PicoUsd)>,
}

/// Asks so many questions over each route.
///
/// # Errors
/// What could not be started or read.
pub(crate) fn run(seed: u64, count: usize) -> Result<Report, String> {
    let questions = pilothouse_sim::questions(seed, count);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let fleet =
        runtime.block_on(pilothouse_sim::start(pilothouse_sim::Options { seed, ..Default::default() }));
    let fleet = fleet.map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = gateway(folder.path(), fleet.addr())?;
    let mut rows = Vec::new();
    for route in ROUTES {
        let mut row = Row { route, asked: questions.len(), ..Row::default() };
        for question in &questions {
            row.right += usize::from(is_right(server.address(), route, question)?);
        }
        rows.push(row);
    }
    for exchange in recorded(&server, ROUTES.len() * questions.len())? {
        if let Some(row) = rows.iter_mut().find(|row| *row.route == *exchange.asked) {
            row.add(&exchange)?;
        }
    }
    let prices = prices(&server, &rows)?;
    let billed = billed(&json_of(&call(fleet.addr(), "GET", "/_sim/totals", "")?)?);
    server.stop(|| true).map_err(|error| error.to_string())?;
    runtime.shutdown_background();
    Ok(Report { rows, billed, prices })
}

fn gateway(folder: &Path, fleet: SocketAddr) -> Result<Server, String> {
    let write =
        |name: &str, text: &str| std::fs::write(folder.join(name), text).map_err(|error| error.to_string());
    write("prices.toml", &pilothouse_sim::catalog_overlay())?;
    write("pilothouse.toml", &CONFIGURATION.replace("FLEET", &fleet.to_string()))?;
    let source = Source::read(&folder.join("pilothouse.toml")).map_err(|error| error.to_string())?;
    let mut options = Options::new(source);
    options.environment = Environment { folder: folder.to_owned(), ..Environment::default() };
    options.listen = Some(([127, 0, 0, 1], 0).into());
    options.workers = Some(1);
    options.data_dir = Some(folder.join("data"));
    Server::start(options).map_err(|error| error.to_string())
}

/// Whether a route answers a question rightly.
fn is_right(gateway: SocketAddr, route: &str, question: &Question) -> Result<bool, String> {
    let turns = json!([{"role": "user", "content": question.text}]);
    let answer = call(
        gateway,
        "POST",
        "/v1/chat/completions",
        &json!({"model": route, "messages": turns}).to_string(),
    )?;
    let answer = json_of(&answer)?;
    let text =
        answer["choices"][0]["message"]["content"].as_str().ok_or_else(|| format!("no answer: {answer}"))?;
    Ok(final_answer(text) == Some(question.answer.to_string()))
}

/// One call on a connection of its own: the body of its answer.
fn call(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<String, String> {
    let mut socket = TcpStream::connect(address).map_err(|error| error.to_string())?;
    let request = format!(
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no end of its head")?;
    Ok(body.to_owned())
}

fn json_of(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))
}

/// All exchanges, as soon as so many stand in the ledger.
fn recorded(server: &Server, count: usize) -> Result<Vec<Exchange>, String> {
    let filter = Filter { limit: usize::MAX >> 1, ..Filter::default() };
    let begun = Instant::now();
    loop {
        let reader = Reader::open(server.data_dir()).map_err(|error| error.to_string())?;
        let found = reader.exchanges(&filter).map_err(|error| error.to_string())?;
        if found.len() >= count {
            return Ok(found.into_iter().map(|one| one.exchange).collect());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("only {} of {count} exchanges were recorded", found.len()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a million tokens of input and of output cost at each target.
fn prices(server: &Server, rows: &[Row]) -> Result<BTreeMap<String, (PicoUsd, PicoUsd)>, String> {
    let mut prices = BTreeMap::new();
    for name in rows.iter().flat_map(|row| row.by_target.keys()) {
        let resolution = server.plan().resolve(name).map_err(|error| error.to_string())?;
        let pricing = resolution.target.pricing.as_ref().ok_or_else(|| format!("`{name}` has no price"))?;
        let of = |usage: Usage| {
            pricing.cost(&usage, None, server.shared().clock.now()).known().unwrap_or_default()
        };
        let input = of(Usage { input: 1, ..Usage::default() }).times(1_000_000);
        let output = of(Usage { output: 1, ..Usage::default() }).times(1_000_000);
        prices.insert(name.clone(), (input, output));
    }
    Ok(prices)
}

/// Every sum of the fleet's books.
fn billed(totals: &Value) -> i128 {
    match totals {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(text) if name == "picousd" => text.parse().unwrap_or(0),
                _ => billed(value),
            })
            .sum(),
        _ => 0,
    }
}

impl Row {
    fn add(&mut self, exchange: &Exchange) -> Result<(), String> {
        let cost = exchange.bill.cost.known().ok_or("an exchange has no known cost")?;
        self.cost += cost;
        let mut own = (exchange.bill.usage.input_total(), exchange.bill.usage.output_total(), cost);
        let receipt = exchange.receipt.as_deref();
        for answer in receipt.iter().flat_map(|receipt| &receipt.answers) {
            let usage = &answer.bill.usage;
            let part =
                (usage.input_total(), usage.output_total(), answer.bill.cost.known().unwrap_or_default());
            own = (own.0 - part.0, own.1 - part.1, PicoUsd(own.2.0 - part.2.0));
            self.answered(&format!("{}/{}", answer.target.vendor, answer.target.model), part);
        }
        let has_escalated = |note: &&pilothouse_core::exchange::Note| note.code == "cascade:escalate";
        self.escalated += receipt.iter().flat_map(|receipt| &receipt.notes).filter(has_escalated).count();
        let target = exchange.target.as_ref().ok_or("an exchange has no target")?;
        self.answered(&format!("{}/{}", target.vendor, target.model), own);
        Ok(())
    }

    fn answered(&mut self, target: &str, (input, output, cost): (u64, u64, PicoUsd)) {
        let sum = self.by_target.entry(target.to_owned()).or_default();
        *sum = (sum.0 + 1, sum.1 + input, sum.2 + output, sum.3 + cost);
    }
}

impl Report {
    /// The row of that route.
    pub(crate) fn row(&self, route: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.route == route)
    }

    /// Cost and quality, a line for each route.
    pub(crate) fn table(&self) -> String {
        let strong =
            self.row("always-strong").map_or((1.0, 1.0), |row| (row.cost.0 as f64, row.right as f64));
        let mut out = String::from(
            "| route | right | of always strong's | escalated | cost | of always strong's |\n| --- | ---: | ---: | ---: | ---: | ---: |",
        );
        for row in &self.rows {
            let share = |part: usize| 100.0 * part as f64 / row.asked as f64;
            let _ = write!(
                out,
                "\n| {} | {} of {} ({:.1} %) | {:.1} % | {:.1} % | ${} | {:.1} % |",
                row.route,
                row.right,
                row.asked,
                share(row.right),
                100.0 * row.right as f64 / strong.1,
                share(row.escalated),
                row.cost,
                100.0 * row.cost.0 as f64 / strong.0,
            );
        }
        out
    }

    /// How each cost comes about: answers, tokens and prices by target.
    pub(crate) fn arithmetic(&self) -> String {
        let mut out = String::new();
        for row in &self.rows {
            let _ = writeln!(out, "{}: {} questions", row.route, row.asked);
            for (target, (answers, input, output, cost)) in &row.by_target {
                let (per_input, per_output) = self.prices.get(target).copied().unwrap_or_default();
                let _ = writeln!(
                    out,
                    "  {answers} answers of {target}: {input} in x ${per_input} + {output} out x ${per_output} per million = ${cost}"
                );
            }
        }
        let all: i128 = self.rows.iter().map(|row| row.cost.0).sum();
        let _ = write!(
            out,
            "all four: ${} in the ledger, ${} in the fleet's own books",
            PicoUsd(all),
            PicoUsd(self.billed)
        );
        out
    }
}
