//! Every client before every vendor of the five dialects: a tool loop with thinking and a further question, whole and streamed.
//!
//! Nothing is refused by the strict fleet, what is told arrives as it was told, and what is lost stands in a table.

use std::fmt::Write as _;
use std::path::Path;

use pilothouse_core::exchange::{Exchange, Note};
use serde_json::Value;

use crate::harness::House;
use crate::harness::talk::{FIVE_VENDORS, Talk, Tongue, told};

const QUESTIONS: [&str; 2] = [
    "What is the weather and the time in Kiel? [[tools:2]] [[think:9]]",
    "And is that warm? [[notools]] [[think:5]]",
];

/// What was changed and what was lost, as codes in order.
fn codes(record: &Exchange) -> String {
    let Some(receipt) = &record.receipt else { return "-".to_owned() };
    let told = |notes: &[Note]| {
        let mut codes: Vec<&str> = notes.iter().map(|note| &*note.code).collect();
        codes.retain(|code| !matches!(*code, "translate" | "set:model"));
        codes.sort_unstable();
        if codes.is_empty() { "-".to_owned() } else { codes.join(" ") }
    };
    format!("{} | {}", told(&receipt.edits), told(&receipt.losses))
}

/// The last call that the fleet got, in whose dialect it was.
fn arrived(house: &House) -> (Tongue, Value) {
    let entry = house.fleet.last();
    let body = serde_json::from_str(entry["body"].as_str().unwrap()).unwrap();
    (Tongue::of_path(entry["path"].as_str().unwrap()), body)
}

/// Three turns with one vendor; what was changed and lost in each.
fn three_turns(house: &House, client: Tongue, vendor: Tongue, is_stream: bool) -> Vec<String> {
    let mut talk = Talk::new(client);
    let mut rows = Vec::new();
    let mut turn = |talk: &mut Talk| {
        let sent = talk.body(vendor.model(), is_stream);
        let (got, said) = talk.go_on(house, vendor.model(), is_stream);
        let (tongue, body) = arrived(house);
        assert_eq!(tongue, vendor);
        assert_eq!(told(vendor, &body), told(client, &sent), "{client:?} at {vendor:?}: {body}");
        rows.push(codes(&house.record(&got)));
        said
    };
    talk.ask(QUESTIONS[0]);
    let said = turn(&mut talk);
    let names: Vec<&str> = said.calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["weather", "clock"], "{client:?} at {vendor:?}, streamed: {is_stream}");
    talk.answer(&said.calls, |call| format!("The {} is fine.", call.name));
    let said = turn(&mut talk);
    assert!(said.calls.is_empty() && !said.text.is_empty(), "{client:?} at {vendor:?}: {said:?}");
    talk.ask(QUESTIONS[1]);
    let said = turn(&mut talk);
    assert!(!said.text.is_empty(), "{client:?} at {vendor:?}: {said:?}");
    rows
}

#[test]
fn three_turns_of_every_client_at_every_vendor_lose_exactly_what_the_table_says() {
    let mut table = String::from(
        "# client at vendor: turn: what was changed | what was lost. Written by UPDATE_GOLDEN=1; each line is to be read.\n",
    );
    for client in Tongue::ALL {
        let house = House::with(FIVE_VENDORS);
        for vendor in Tongue::ALL {
            let whole = three_turns(&house, client, vendor, false);
            let streamed = three_turns(&house, client, vendor, true);
            let _ = writeln!(table, "\n{} at {}", client.name(), vendor.name());
            for (turn, (whole, streamed)) in whole.iter().zip(&streamed).enumerate() {
                let _ = writeln!(table, "  {}: {whole}", turn + 1);
                if whole != streamed {
                    let _ = writeln!(table, "  {}, streamed: {streamed}", turn + 1);
                }
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/losses.txt");
    pilothouse_testkit::golden::check(&path, &table).unwrap();
}
