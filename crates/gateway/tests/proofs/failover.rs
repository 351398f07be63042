//! Every fault of the fleet at the first target of a route, with another target behind it and without one: what each
//! client sees, what is recorded, and who was asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;

use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_sim::faults;

use crate::faults::{MORE_VENDORS, SAID};
use crate::harness::http::{End, Got};
use crate::harness::reading::{self, Client, Read};
use crate::harness::{BOTH_VENDORS, House};

/// Faults that strike before the model has said a word, besides those of the fleet's own list.
const EARLY: [&str; 5] =
    ["fault-cut-0", "fault-cut-5", "fault-cut-clean-0", "fault-cut-clean-5", "fault-error-event-0"];

/// One way through the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    fault: &'static str,
    client: Client,
    /// The target that fails speaks the client's dialect; the one behind it does not.
    is_same: bool,
    is_stream: bool,
    has_next: bool,
}

/// What came of it.
struct Seen {
    cell: Cell,
    got: Got,
    read: Read,
    record: Exchange,
}

fn names() -> Vec<&'static str> {
    faults().iter().map(|row| row.example).chain(EARLY).collect()
}

/// A model of a vendor that does as it is told.
fn healthy(vendor: &str) -> &'static str {
    match vendor {
        "anthropic" => "claude-opus-4-7",
        "gemini" => "gemini-3.1-pro-preview",
        _ => "gpt-4.1",
    }
}

/// A gateway before a vendor of each dialect, with the routes of these cells.
fn open(cells: &[Cell]) -> House {
    let mut routes = BTreeMap::new();
    for cell in cells {
        routes.insert(cell.route(), cell.targets());
    }
    let routes: String = routes
        .iter()
        .map(|(name, targets)| format!("[routes.\"{name}\"]\ntargets = {targets:?}\n"))
        .collect();
    // Every cell is to see its fault, however often the target has failed before.
    let vendors = format!("{MORE_VENDORS}{BOTH_VENDORS}").replace("base_url", "breaker = false\nbase_url");
    House::with(&format!("{vendors}{routes}"))
}

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for fault in names() {
            for client in Client::FOUR {
                for is_same in [true, false] {
                    for is_stream in [false, true] {
                        cells.extend([false, true].map(|has_next| Self {
                            fault,
                            client,
                            is_same,
                            is_stream,
                            has_next,
                        }));
                    }
                }
            }
        }
        cells
    }

    fn targets(self) -> Vec<String> {
        let (first, next) = (self.client.vendor(self.is_same), self.client.vendor(!self.is_same));
        let first = format!("{first}/{}", self.fault);
        if self.has_next { vec![first, format!("{next}/{}", healthy(next))] } else { vec![first] }
    }

    fn route(self) -> String {
        let vendor = self.client.vendor(self.is_same);
        let next = if self.has_next { self.client.vendor(!self.is_same) } else { "alone" };
        format!("{}.{vendor}.{next}", self.fault)
    }

    /// The fault strikes before the model has said a word. Google's streams begin with one.
    fn is_early(self) -> bool {
        let has_preamble = self.client.vendor(self.is_same) != "gemini";
        EARLY.contains(&self.fault) && (has_preamble || self.fault.ends_with("-0"))
    }

    fn label(self) -> String {
        let mode = if self.is_stream { "stream" } else { "whole" };
        format!("{} of {}, {mode}", self.route(), self.client.name())
    }

    fn play(self, house: &House) -> Got {
        let (model, mark) = (self.route(), self.label());
        let body = self.client.ask(&model, &format!("{mark}. [[say:{SAID}]]"), self.is_stream);
        house.post(&self.client.path_to(&model, self.is_stream), &[], body.to_string().as_bytes())
    }
}

/// Plays the cells of some faults.
fn play(is_wanted: impl Fn(&Cell) -> bool) -> Vec<Seen> {
    let cells: Vec<Cell> = Cell::all().into_iter().filter(is_wanted).collect();
    // Whether a connection that closes early had been used before decides about a retry: those cells get gateways of
    // their own, whose connections are all new.
    let (alone, together): (Vec<Cell>, Vec<Cell>) =
        cells.iter().partition(|cell| cell.fault.starts_with("fault-close"));
    let mut seen = play_together(&together);
    for some in alone.chunks(8) {
        std::thread::scope(|scope| {
            let playing: Vec<_> = some.iter().map(|cell| scope.spawn(|| play_together(&[*cell]))).collect();
            seen.extend(playing.into_iter().flat_map(|one| one.join().unwrap()));
        });
    }
    seen.sort_by_key(|seen| cells.iter().position(|one| *one == seen.cell));
    seen
}

/// Plays cells before one gateway, many at a time.
fn play_together(cells: &[Cell]) -> Vec<Seen> {
    let mut house = open(cells);
    let waiting = Mutex::new(cells.to_vec());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cells.len().min(24) {
            scope.spawn(|| {
                loop {
                    let Some(cell) = waiting.lock().unwrap().pop() else { return };
                    let got = cell.play(&house);
                    done.lock().unwrap().push((cell, got));
                }
            });
        }
    });
    let read = |(cell, got): (Cell, Got)| {
        let read = if cell.is_stream && got.status == 200 {
            reading::stream(cell.client, &got.body)
        } else {
            reading::whole(cell.client, &got)
        };
        Seen { cell, read, record: house.record(&got), got }
    };
    let seen = done.into_inner().unwrap().into_iter().map(read).collect();
    house.stop();
    seen
}

/// The fault's name without its prefix.
fn short(fault: &str) -> &str {
    fault.strip_prefix("fault-").unwrap_or(fault)
}

impl Seen {
    /// Whom the answer came from, in the end.
    fn vendor(&self) -> &str {
        self.record.target.as_ref().map_or("nobody", |target| &target.vendor)
    }

    /// How the attempts before the last one failed.
    fn attempts(&self) -> Vec<(&str, &'static str)> {
        let receipt = self.record.receipt.iter();
        let attempts = receipt.flat_map(|receipt| &receipt.attempts);
        attempts.map(|attempt| (&*attempt.target.vendor, attempt.kind.as_str())).collect()
    }

    /// The model has had its say: what came is an answer, whatever it says.
    fn is_answer(&self) -> bool {
        self.got.status == 200 && self.read.error.is_none() && self.got.end == End::Whole
    }
}

/// What a client sees, in the words that all dialects share.
fn brief(seen: &Seen) -> String {
    let error = seen.read.error.is_some();
    let told = match (seen.got.status, error, seen.got.end) {
        (200, false, End::Whole) if seen.read.unreadable > 0 => "what came, damaged".to_owned(),
        (200, false, End::Whole) => "the answer".to_owned(),
        (200, false, End::Broken) => "a part of the answer; the connection breaks".to_owned(),
        (200, true, End::Broken) => "a part of the answer, an error event; the connection breaks".to_owned(),
        (200, true, End::Whole) => "a part of the answer, an error event".to_owned(),
        (status, ..) => format!("an error with status {status}"),
    };
    if seen.got.header("x-should-retry") == Some("false") {
        return format!("{told}, `x-should-retry: false`");
    }
    told
}

/// What came of a fault, in the ways that differ: the mode, what was seen, and by whom.
fn rows(seen: &[Seen], fault: &str) -> BTreeMap<(bool, bool, String), Vec<String>> {
    let mut rows: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for seen in seen.iter().filter(|seen| seen.cell.fault == fault) {
        let cell = seen.cell;
        let asked = match seen.attempts().len() {
            0 => "1 attempt".to_owned(),
            failed => format!("{} attempts", failed + 1),
        };
        let from = if seen.vendor() == cell.client.vendor(cell.is_same) { "first" } else { "second" };
        let told = format!("{} | {} | {asked} | {from}", brief(seen), seen.record.outcome.as_str());
        let who = format!("{} at {}", cell.client.name(), cell.client.vendor(cell.is_same));
        rows.entry((cell.has_next, cell.is_stream, told)).or_default().push(who);
    }
    rows
}

fn table() -> String {
    let mut out = String::from(
        "# Failover as clients see it\n\n\
         What a client of a route gets when the route's first target fails, for every [fault](faults.md) of the simulated\n\
         fleet and for some that strike before the model has said a word, where the route has this one target and where a\n\
         healthy one stands behind it. A test plays each fault for each client, vendor and mode, and\n\
         writes this page: `cargo xtask golden` renews it. Streams of routes are held until the model has said something;\n\
         until then a failure becomes the next target's answer, or an error with a status of its own. What comes later\n\
         ends as in [the table of faults](faults-seen.md).\n",
    );
    let seen = play(|_| true);
    for fault in names() {
        let _ = write!(
            out,
            "\n## {fault}\n\n| targets | mode | the client sees | recorded | asked | last target | clients |\n\
             | --- | --- | --- | --- | --- | --- | --- |\n"
        );
        for ((has_next, is_stream, told), who) in rows(&seen, fault) {
            let who = if who.len() == 8 { "all".to_owned() } else { who.join(", ") };
            let _ = writeln!(
                out,
                "| {} | {} | {told} | {who} |",
                if has_next { "two" } else { "one" },
                if is_stream { "stream" } else { "whole" },
            );
        }
    }
    out
}

#[test]
fn the_documented_table_of_failover_is_what_clients_see() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/failover-seen.md");
    if let Err(difference) = pilothouse_testkit::golden::check(&path, &table()) {
        panic!("{difference}");
    }
}

#[test]
fn a_failure_before_the_first_word_is_the_next_targets_answer() {
    let early = ["429", "500", "502", "503", "529", "404", "410", "close", "wrong-content-type"];
    let whole = ["cut-50", "cut-clean-50", "malformed-json", "malformed-sse", "error-event-50"];
    let seen = play(|cell| {
        let name = short(cell.fault);
        let is_early = early.contains(&name) || cell.is_early();
        cell.has_next && (is_early || (!cell.is_stream && whole.contains(&name)))
    });
    assert!(seen.len() > 200, "{}", seen.len());
    for seen in seen {
        let label = seen.cell.label();
        assert_eq!(seen.got.status, 200, "{label}: {}", seen.got.text());
        assert!(seen.is_answer(), "{label}: {:?}", seen.read);
        assert_eq!(seen.read.text, SAID, "{label}");
        assert_eq!(seen.vendor(), seen.cell.client.vendor(!seen.cell.is_same), "{label}");
        assert_eq!(seen.attempts().len(), 1, "{label}: {:?}", seen.attempts());
        assert_eq!(seen.record.outcome, Outcome::Complete, "{label}");
    }
}

#[test]
fn a_failure_behind_the_first_word_is_told_and_never_another_targets_answer() {
    let late = ["cut-50", "cut-clean-50", "error-event-50"];
    for seen in play(|cell| cell.is_stream && late.contains(&short(cell.fault))) {
        let label = seen.cell.label();
        assert_eq!(seen.vendor(), seen.cell.client.vendor(seen.cell.is_same), "{label}");
        assert!(seen.read.error.is_some() && !seen.read.is_terminated, "{label}: {:?}", seen.read);
        assert!(SAID.starts_with(&seen.read.text) && seen.read.text != SAID, "{label}");
        assert!(matches!(seen.record.outcome, Outcome::Failed(_)), "{label}");
    }
}

#[test]
fn alone_a_failure_before_the_first_word_is_an_error_with_a_status() {
    for seen in play(|cell| !cell.has_next && cell.is_early()) {
        let label = seen.cell.label();
        assert_ne!(seen.got.status, 200, "{label}: {}", seen.got.text());
        assert!(seen.read.error.is_some(), "{label}: {}", seen.got.text());
        assert_eq!(seen.got.end, End::Whole, "{label}: an error is a whole answer");
        assert!(matches!(seen.record.outcome, Outcome::Failed(_)), "{label}");
    }
}

#[test]
fn what_a_model_answers_is_passed_on_and_no_other_is_asked() {
    let answers = ["refusal", "empty", "gzip", "missing-usage", "duplicate-usage"];
    for seen in play(|cell| answers.contains(&short(cell.fault))) {
        let label = seen.cell.label();
        assert!(seen.is_answer(), "{label}: {}", seen.got.text());
        let first = seen.cell.client.vendor(seen.cell.is_same);
        assert_eq!((seen.vendor(), seen.attempts().len()), (first, 0), "{label}");
    }
}

#[test]
fn every_attempt_is_in_the_receipt_and_the_edits_are_the_last_ones() {
    for seen in play(|cell| cell.has_next && cell.fault == "fault-503") {
        let label = seen.cell.label();
        let first = seen.cell.client.vendor(seen.cell.is_same);
        assert_eq!(seen.attempts(), [(first, "overloaded")], "{label}");
        let receipt = seen.record.receipt.as_ref().unwrap();
        let translations = receipt.edits.iter().filter(|note| note.code == "translate").count();
        assert_eq!(translations, usize::from(seen.cell.is_same), "{label}: {:?}", receipt.edits);
    }
}
