//! Targets that end: what clients of each dialect see before the day, in brownouts, on the day and after it, with time moved.

mod brownouts;
mod day;
mod told;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pilothouse_catalog::day as calendar;
use pilothouse_core::clock::{Clock, UnixMs};
use pilothouse_core::exchange::Exchange;
use pilothouse_migrate::plan::{Plan, Stage};
use serde_json::Value;

use crate::harness::House;
use crate::harness::http::Got;
use crate::harness::talk::{FIVE_VENDORS, Talk, Tongue};

/// A model that its vendor ends on 2026-12-11, by the bundled catalogue, and the one that it names instead.
const DYING: &str = "openai/gpt-5-mini";
const NEXT: &str = "openai/gpt-5.6-terra";
const TABLE: &str = "[lifecycle.\"openai/gpt-5-mini\"]\n";

/// A clock that a test moves.
#[derive(Debug)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::SeqCst))
    }
}

/// The first moment of a day, and so many hours.
fn hour(day: &str, hours: u64) -> UnixMs {
    UnixMs(calendar::start_of(day).unwrap().0 + hours * 3_600_000)
}

/// A gateway, its clock, and the plans beside its configuration.
struct Scene {
    house: House,
    clock: Arc<Hand>,
}

impl Scene {
    /// Opens it on a day with more than the providers in its configuration.
    fn on(day: &str, more: &str) -> Self {
        let clock = Arc::new(Hand(AtomicU64::new(hour(day, 12).0)));
        let house = House::at(FIVE_VENDORS, &[], Arc::<Hand>::clone(&clock));
        std::fs::create_dir(house.folder.path().join("plans")).unwrap();
        let scene = Self { house, clock };
        scene.put("accepted.toml", &accepted());
        scene.put("draft.toml", &draft());
        let edited = accepted().to_toml().replace("share = 0.05", "share = 0.5");
        std::fs::write(scene.house.folder.path().join("plans/changed.toml"), edited).unwrap();
        scene.house.reload(&format!("{FIVE_VENDORS}{more}")).unwrap_or_else(|error| panic!("{error}"));
        scene
    }

    fn put(&self, name: &str, plan: &Plan) {
        std::fs::write(self.house.folder.path().join("plans").join(name), plan.to_toml()).unwrap();
    }

    fn move_to(&self, at: UnixMs) {
        self.clock.0.store(at.0, Ordering::SeqCst);
    }

    /// Asks once, in the words of a dialect.
    fn ask(&self, tongue: Tongue, model: &str, text: &str, is_stream: bool) -> Got {
        self.ask_as("", tongue, model, text, is_stream)
    }

    /// The same with a key.
    fn ask_as(&self, key: &str, tongue: Tongue, model: &str, text: &str, is_stream: bool) -> Got {
        let mut talk = Talk::new(tongue);
        talk.ask(text);
        let body = talk.body(model, is_stream);
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        let headers = if key.is_empty() { &headers[..0] } else { &headers[..] };
        self.house.post(&tongue.path_of(model, is_stream), headers, body.to_string().as_bytes())
    }

    /// The models that the fleet was asked for since the last question.
    fn asked(&self) -> Vec<String> {
        let log = self.house.fleet.log();
        log.iter().filter_map(|entry| entry["model"].as_str().map(str::to_owned)).collect()
    }

    fn record(&self, got: &Got) -> Exchange {
        self.house.record(got)
    }
}

fn draft() -> Plan {
    let mut plan = Plan::new("gpt-5-mini", "gpt-5.6-terra", "2026-11-23", "2026-11-22");
    plan.stages.push(Stage { share: 0.05, after: None, guards: Vec::new() });
    plan
}

fn accepted() -> Plan {
    let mut plan = draft();
    plan.accept("m.k.", hour("2026-11-24", 9));
    plan
}

fn values<'a>(got: &'a Got, name: &str) -> Vec<&'a str> {
    got.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

/// The sentence of an error, wherever the dialect has it.
fn sentence(got: &Got) -> String {
    let body: Value = got.json();
    [&body["error"]["message"], &body["message"]]
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or_else(|| panic!("{}", got.text()))
        .to_owned()
}

fn notes(record: &Exchange, code: &str) -> Vec<String> {
    let receipt = record.receipt.as_ref();
    let notes = receipt.map(|receipt| receipt.notes.as_slice()).unwrap_or_default();
    notes.iter().filter(|note| note.code == code).map(|note| note.detail.to_string()).collect()
}
