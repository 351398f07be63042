//! Every fault of the fleet through the gateway: what each client sees, what is recorded, and what is billed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Provenance;
use pilothouse_sim::faults;
use serde_json::Value;

use crate::harness::http::{End, Got};
use crate::harness::reading::{self, Client, Read};
use crate::harness::{BOTH_VENDORS, House};

/// What the model is told to say, so that a part can be told from the whole.
pub(crate) const SAID: &str =
    "Twice a day the tide turns in the harbour, and twice a day the boats that lie there turn with it.";

/// The vendors whose dialects OpenAI's first and Anthropic's are not.
pub(crate) const MORE_VENDORS: &str = r#"
[providers.responses]
vendor = "openai"
dialect = "openai-responses"
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-responses"

[providers.gemini]
base_url = "http://FLEET/gemini/v1beta"
api_key = "sk-upstream-gemini"
"#;

/// A gateway before a vendor of each dialect.
fn open() -> House {
    House::with(&format!("{MORE_VENDORS}{BOTH_VENDORS}"))
}

/// One way through the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    fault: usize,
    client: Client,
    is_same: bool,
    is_stream: bool,
}

/// What came of it.
struct Seen {
    cell: Cell,
    got: Got,
    read: Read,
    record: Exchange,
    /// The fleet's entries of its calls, in order.
    calls: Vec<Value>,
}

impl Seen {
    fn new(cell: Cell, got: Got, log: &[Value], house: &House) -> Self {
        let read = if cell.is_stream && got.status == 200 {
            reading::stream(cell.client, &got.body)
        } else {
            reading::whole(cell.client, &got)
        };
        let mark = cell.mark();
        let is_its = |entry: &&Value| entry["body"].as_str().is_some_and(|body| body.contains(&mark));
        let calls = log.iter().filter(is_its).cloned().collect();
        Self { cell, read, record: house.record(&got), got, calls }
    }
}

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for fault in 0..faults().len() {
            for client in Client::FOUR {
                for is_same in [true, false] {
                    cells.extend([false, true].map(|is_stream| Self { fault, client, is_same, is_stream }));
                }
            }
        }
        cells
    }

    fn name(self) -> &'static str {
        faults()[self.fault].example
    }

    fn label(self) -> String {
        let (client, vendor) = (self.client.name(), self.client.vendor(self.is_same));
        format!("{} {client} at {vendor}, {}", self.name(), if self.is_stream { "stream" } else { "whole" })
    }

    /// Words that only this cell's request has.
    fn mark(self) -> String {
        format!("cell {}-{:?}-{}-{}.", self.fault, self.client, self.is_same, self.is_stream)
    }

    fn play(self, house: &House) -> Got {
        let model = format!("{}/{}", self.client.vendor(self.is_same), self.name());
        let body = self.client.ask(&model, &format!("{} [[say:{SAID}]]", self.mark()), self.is_stream);
        house.post(&self.client.path_to(&model, self.is_stream), &[], body.to_string().as_bytes())
    }
}

/// All cells, played once for all tests of this file.
fn seen() -> &'static [Seen] {
    static SEEN: OnceLock<Vec<Seen>> = OnceLock::new();
    SEEN.get_or_init(|| {
        let mut house = open();
        let cells = Cell::all();
        // Whether a connection that closes early had been used before decides about a retry: those cells get
        // gateways of their own, whose connections are all new.
        let (alone, together): (Vec<Cell>, Vec<Cell>) =
            cells.iter().partition(|cell| cell.name().starts_with("fault-close"));
        let waiting = Mutex::new(together);
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..24 {
                scope.spawn(|| {
                    loop {
                        let Some(cell) = waiting.lock().unwrap().pop() else { return };
                        let got = cell.play(&house);
                        done.lock().unwrap().push((cell, got));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap();
        done.sort_by_key(|(cell, _)| cells.iter().position(|one| one == cell));
        let log = house.fleet.log();
        let mut seen: Vec<Seen> =
            done.into_iter().map(|(cell, got)| Seen::new(cell, got, &log, &house)).collect();
        house.stop();
        seen.extend(alone.into_iter().map(|cell| {
            let house = open();
            let got = cell.play(&house);
            Seen::new(cell, got, &house.fleet.log(), &house)
        }));
        seen
    })
}

fn of(fault: &str) -> Vec<&'static Seen> {
    let found: Vec<_> = seen().iter().filter(|seen| seen.cell.name() == fault).collect();
    assert_eq!(found.len(), 16, "{fault} has a cell for each client, path and mode");
    found
}

/// What a client is told, in a line that people read.
fn told(seen: &Seen) -> String {
    let (read, got) = (&seen.read, &seen.got);
    let mut parts: Vec<String> = Vec::new();
    let text = match read.text.as_str() {
        "" => None,
        text if text == SAID => Some("the whole text".to_owned()),
        text if SAID.starts_with(text) => Some("a part of the text".to_owned()),
        text if text.len() > 1_000_000 => Some("a text of 4 MiB".to_owned()),
        text if text.starts_with("tick") => Some(format!("{} words", text.split(' ').count())),
        text => Some(format!("“{text}”")),
    };
    parts.extend(text);
    if !read.refusal.is_empty() {
        parts.push(format!("refusal “{}”", read.refusal));
    }
    if read.unreadable > 0 {
        parts.push("bytes that are not JSON".to_owned());
    }
    if let Some(finish) = &read.finish {
        parts.push(format!("finish `{finish}`"));
    }
    if got.status == 200 {
        parts.push(if read.usage.is_some() { "usage" } else { "no usage" }.to_owned());
    }
    if let Some((kind, message)) = &read.error {
        parts.push(format!("error `{kind}`: {}", message.replace('|', "\\|")));
    }
    for name in ["retry-after", "x-should-retry"] {
        if let Some(value) = got.header(name) {
            parts.push(format!("`{name}: {value}`"));
        }
    }
    if seen.cell.is_stream && got.status == 200 {
        parts.push(if read.is_terminated { "terminator" } else { "no terminator" }.to_owned());
    }
    if got.end == End::Broken {
        parts.push("the connection breaks".to_owned());
    }
    parts.join("; ")
}

fn table() -> String {
    let mut out = String::from(
        "# Faults as clients see them\n\n\
         What a client gets when its vendor fails, for every [fault](faults.md) of the simulated fleet. A test plays each\n\
         fault through the gateway, for each kind of client, vendor and mode, and writes this page: `cargo xtask golden`\n\
         renews it. *Recorded* is the outcome in the ledger, *usage* where its token counts come from, *calls* how many\n\
         the vendor got. A stream that fails after it has begun ends with an error event in the client's dialect, and then\n\
         the connection breaks: no client can take a part for the whole.\n",
    );
    for (index, row) in faults().iter().enumerate() {
        let _ = write!(
            out,
            "\n## {}\n\n{}.\n\n| client | vendor | mode | status | the client sees | recorded | usage | calls |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n",
            row.example, row.effect
        );
        for seen in seen().iter().filter(|seen| seen.cell.fault == index) {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                seen.cell.client.name(),
                seen.cell.client.vendor(seen.cell.is_same),
                if seen.cell.is_stream { "stream" } else { "whole" },
                seen.got.status,
                told(seen),
                seen.record.outcome.as_str(),
                seen.record.bill.provenance.as_str(),
                seen.calls.len(),
            );
        }
    }
    out
}

#[test]
fn the_documented_table_of_faults_is_what_clients_see() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/faults-seen.md");
    if let Err(difference) = pilothouse_testkit::golden::check(&path, &table()) {
        panic!("{difference}");
    }
}

#[test]
fn a_truncated_stream_is_never_reported_as_success() {
    for fault in [
        "fault-cut-50",
        "fault-cut-clean-50",
        "fault-error-event-50",
        "fault-malformed-json",
        "fault-malformed-sse",
    ] {
        for seen in of(fault).into_iter().filter(|seen| seen.cell.is_stream) {
            let label = seen.cell.label();
            assert_eq!(seen.got.status, 200, "{label}: the stream had begun");
            assert!(!seen.read.is_terminated, "{label}: no terminator");
            assert!(seen.read.error.is_some(), "{label}: an error event in the dialect: {}", seen.got.text());
            assert_eq!(seen.read.after_end, 0, "{label}: nothing follows the error");
            // A response that failed is told as such by OpenAI, which is an end that its SDKs know.
            let is_told = label.starts_with("fault-error-event-50 openai-responses at responses");
            let end = if is_told { End::Whole } else { End::Broken };
            assert_eq!(seen.got.end, end, "{label}: the transport breaks");
            assert!(matches!(seen.record.outcome, Outcome::Failed(_)), "{label}: {:?}", seen.record.outcome);
            assert_eq!(seen.record.bill.provenance, Provenance::Partial, "{label}");
            assert_eq!(seen.calls.len(), 1, "{label}: an answer that has begun is never asked for again");
        }
    }
}

#[test]
fn a_cut_answer_that_is_no_stream_is_an_error_and_never_asked_for_again() {
    for fault in ["fault-cut-50", "fault-cut-clean-50", "fault-malformed-json", "fault-malformed-sse"] {
        for seen in of(fault).into_iter().filter(|seen| !seen.cell.is_stream) {
            let label = seen.cell.label();
            assert_eq!(seen.got.status, 502, "{label}");
            assert!(seen.read.error.is_some(), "{label}");
            assert!(
                matches!(seen.record.outcome, Outcome::Failed(Kind::Cut | Kind::BadAnswer)),
                "{label}: {:?}",
                seen.record.outcome
            );
            assert_eq!(seen.calls.len(), 1, "{label}: the vendor may have billed it");
            assert_eq!(seen.record.bill.cost, Cost::Unknown, "{label}: so it is not free");
        }
    }
}

#[test]
fn an_error_in_the_middle_of_a_stream_says_what_the_vendor_said() {
    for seen in of("fault-error-event-50").into_iter().filter(|seen| seen.cell.is_stream) {
        let (_, message) = seen.read.error.as_ref().unwrap();
        let vendor = seen.cell.client.vendor(seen.cell.is_same);
        let wanted = match vendor {
            "openai" => "Sorry about that",
            "responses" => "An error occurred while processing your request",
            "gemini" => "The model is overloaded",
            _ => "Overloaded",
        };
        assert!(message.contains(wanted), "{}: {message}", seen.cell.label());
    }
}

#[test]
fn a_fault_that_strikes_once_is_mended_before_the_client_sees_it() {
    for fault in ["fault-429-once", "fault-500-once", "fault-529-once"] {
        for seen in of(fault) {
            let label = seen.cell.label();
            assert_eq!((seen.got.status, seen.read.text.as_str()), (200, SAID), "{label}");
            assert_eq!(seen.record.outcome, Outcome::Complete, "{label}");
            assert_eq!(seen.calls.len(), 2, "{label}");
            let receipt = seen.record.receipt.as_ref().unwrap();
            assert_eq!(receipt.attempts.len(), 1, "{label}: the failed attempt is in the receipt");
            let status: u16 = fault[6..9].parse().unwrap();
            assert_eq!(receipt.attempts[0].status, Some(status), "{label}");
        }
    }
}

#[test]
fn statuses_that_stay_are_tried_three_times_and_then_passed_on_in_the_dialect() {
    for (fault, status) in [("fault-429", 429), ("fault-500", 500), ("fault-503", 503), ("fault-529", 529)] {
        for seen in of(fault) {
            let label = seen.cell.label();
            // Each dialect has its own status for a vendor without capacity.
            let told = match (seen.cell.is_same, seen.cell.client, status) {
                (false, Client::Anthropic, 503 | 529) => 529,
                (false, _, 529) => 503,
                _ => status,
            };
            assert_eq!(seen.got.status, told, "{label}");
            assert_eq!(seen.calls.len(), 3, "{label}: two retries");
            assert_eq!(seen.got.header("x-should-retry"), Some("false"), "{label}: they are spent");
            assert!(seen.read.error.is_some(), "{label}");
            assert_eq!(seen.record.bill.cost, Cost::Known(PicoUsd::ZERO), "{label}: refusals are free");
        }
    }
}

#[test]
fn statuses_that_another_attempt_cannot_mend_are_passed_on_at_once() {
    for (fault, status, kind) in [("fault-404", 404, Kind::UnknownModel), ("fault-410", 410, Kind::Gone)] {
        for seen in of(fault) {
            let label = seen.cell.label();
            assert_eq!((seen.got.status, seen.calls.len()), (status, 1), "{label}");
            assert_eq!(seen.got.header("x-should-retry"), None, "{label}");
            let Outcome::Failed(recorded) = seen.record.outcome else { panic!("{label} did not fail") };
            assert!(recorded == kind || recorded == Kind::Vendor, "{label}: {recorded:?}");
        }
    }
}

#[test]
fn errors_have_the_shape_of_the_clients_own_dialect() {
    for seen in seen().iter().filter(|seen| seen.got.status != 200) {
        let body = seen.got.json();
        let label = seen.cell.label();
        assert!(body["error"]["message"].is_string(), "{label}: {body}");
        let is_google = seen.cell.client == Client::Gemini;
        assert_eq!(body["error"]["type"].is_string(), !is_google, "{label}: {body}");
        assert_eq!(body["error"]["status"].is_string(), is_google, "{label}: {body}");
        match seen.cell.client {
            Client::Openai | Client::Responses => {
                assert!(body["error"].get("code").is_some(), "{label}: {body}");
                assert!(body.get("type").is_none(), "{label}: {body}");
            }
            Client::Anthropic => assert_eq!(body["type"], "error", "{label}: {body}"),
            Client::Gemini => assert_eq!(body["error"]["code"], seen.got.status, "{label}: {body}"),
        }
    }
}

#[test]
fn usage_is_counted_once_however_often_it_is_told() {
    for fault in ["fault-duplicate-usage", "fault-gzip", "fault-stall-300-50", "fault-many-400"] {
        for seen in of(fault) {
            let label = seen.cell.label();
            let bill = &seen.record.bill;
            assert_eq!(bill.provenance, Provenance::Reported, "{label}");
            let tokens = &seen.calls[0]["tokens"];
            assert_eq!(Some(bill.usage.input), tokens["input"].as_u64(), "{label}");
            assert_eq!(Some(bill.usage.cache_read), tokens["cache_read"].as_u64(), "{label}");
            assert_eq!(Some(bill.usage.output_total()), tokens["output"].as_u64(), "{label}");
            let told = seen.read.usage.map(|(_, output)| output);
            if told.is_some() {
                assert_eq!(told, tokens["output"].as_u64(), "{label}: the client is told the same");
            }
        }
    }
}

#[test]
fn an_answer_without_usage_is_recorded_as_absent_and_never_as_free() {
    for seen in of("fault-missing-usage") {
        let label = seen.cell.label();
        assert_eq!((seen.got.status, seen.record.outcome), (200, Outcome::Complete), "{label}");
        assert_eq!(seen.record.bill.provenance, Provenance::Absent, "{label}");
        assert_eq!(seen.record.bill.cost, Cost::Unknown, "{label}");
    }
}

#[test]
fn every_answer_that_is_recorded_as_complete_arrived_whole() {
    let mut complete: BTreeMap<&str, usize> = BTreeMap::new();
    for seen in seen().iter().filter(|seen| seen.record.outcome == Outcome::Complete) {
        let label = seen.cell.label();
        *complete.entry(seen.cell.name()).or_default() += 1;
        assert_eq!((seen.got.status, seen.got.end), (200, End::Whole), "{label}");
        assert_eq!((seen.read.unreadable, seen.read.error.as_ref()), (0, None), "{label}");
        assert!(!seen.cell.is_stream || seen.read.is_terminated, "{label}");
        assert!(seen.read.finish.is_some(), "{label}");
    }
    assert!(complete.len() >= 10, "the pages of this test would be empty: {complete:?}");
}

#[test]
fn a_connection_that_closes_before_any_byte_is_tried_again_only_if_it_had_been_used_before() {
    for seen in of("fault-close-once") {
        assert_eq!((seen.got.status, seen.calls.len()), (502, 1), "{}: a fresh one", seen.cell.label());
    }
    let house = House::open();
    let ask = |model: &str, text: &str| house.chat(&Client::Openai.ask(model, text, false));
    assert_eq!(ask("openai/fault-many-3", "Warm the connection.").status, 200);
    let got = ask("openai/fault-close-once", "Close it.");
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(house.fleet.log().len(), 3, "the good call, the closed one, and its second attempt");
}
