//! Histories with everything that only their own dialect has, sent to every other vendor: signed thinking, server tools,
//! citations, pictures, cache markers, instructions in the middle, the beginning of an answer.

use std::fmt::Write as _;
use std::path::Path;

use pilothouse_core::exchange::Note;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::talk::{FIVE_VENDORS, Talk, Tongue};

/// A picture of one pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PICTURE: &str = "https://example.com/harbour.png";
/// What the application says in the middle, the person at the end, and the model has begun to answer.
const WORDS: [&str; 3] = ["Answer in one word.", "What is in the picture?", "A ship"];

/// What follows the tool loop of each dialect.
fn rest_of_history(client: Tongue) -> Value {
    let [instruction, question, begun] = WORDS;
    match client {
        Tongue::Chat => json!([
            {"role": "developer", "content": instruction},
            {"role": "user", "name": "ada", "content": [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}}]},
            {"role": "assistant", "content": begun},
        ]),
        Tongue::Responses => json!([
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "harbour"}},
            {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": "I looked.",
                "annotations": [{"type": "url_citation", "start_index": 0, "end_index": 8, "url": "https://example.com", "title": "Example"}]}]},
            {"role": "developer", "content": instruction},
            {"role": "user", "content": [{"type": "input_text", "text": question}, {"type": "input_image", "image_url": PICTURE, "detail": "low"}]},
            {"role": "assistant", "content": begun},
        ]),
        Tongue::Anthropic => json!([
            {"role": "user", "content": "Look it up."},
            {"role": "assistant", "content": [
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "harbour"}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                {"type": "text", "text": "I looked.", "citations": [{"type": "web_search_result_location", "url": "https://example.com", "title": "Example", "cited_text": "x", "encrypted_index": "e"}]},
            ]},
            {"role": "user", "content": [{"type": "text", "text": question, "cache_control": {"type": "ephemeral"}}, {"type": "image", "source": {"type": "url", "url": PICTURE}}]},
            {"role": "system", "content": instruction},
            {"role": "assistant", "content": begun},
        ]),
        Tongue::Gemini => json!([
            {"role": "user", "parts": [{"text": "Count them."}]},
            {"role": "model", "parts": [{"executableCode": {"language": "PYTHON", "code": "1+1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}, {"text": "Two."}]},
            {"role": "user", "parts": [{"text": question}, {"fileData": {"mimeType": "image/png", "fileUri": PICTURE}}]},
            {"role": "model", "parts": [{"text": begun}]},
        ]),
        Tongue::Bedrock => json!([
            {"role": "user", "content": [{"text": "Look it up."}]},
            {"role": "assistant", "content": [{"citationsContent": {"content": [{"text": "I looked."}], "citations": [{"title": "Example", "location": {"web": {"url": "https://example.com"}}}]}}]},
            {"role": "user", "content": [{"text": question}, {"cachePoint": {"type": "default"}}, {"image": {"format": "png", "source": {"bytes": PNG}}}]},
            {"role": "assistant", "content": [{"text": begun}]},
        ]),
    }
}

/// A history that began with a tool loop at a vendor of the client's own dialect.
fn history(house: &House, client: Tongue) -> Talk {
    let mut talk = Talk::new(client);
    talk.ask("What is the weather in Kiel? [[tools:1]] [[think:9]]");
    let (_, said) = talk.go_on(house, client.model(), false);
    assert_eq!(said.calls.len(), 1, "{client:?}");
    talk.answer(&said.calls, |_| "Fine.".to_owned());
    talk.go_on(house, client.model(), false);
    talk.history.extend(rest_of_history(client).as_array().unwrap().iter().cloned());
    talk
}

fn codes(notes: &[Note]) -> String {
    let mut codes: Vec<&str> = notes.iter().map(|note| &*note.code).collect();
    codes.retain(|code| !matches!(*code, "translate" | "set:model"));
    codes.sort_unstable();
    if codes.is_empty() { "-".to_owned() } else { codes.join(" ") }
}

#[test]
fn a_history_with_everything_of_its_dialect_is_taken_by_every_other_vendor() {
    let house = House::with(FIVE_VENDORS);
    let mut table = String::from(
        "# client at vendor: what was changed | what was lost of a history with everything. Written by UPDATE_GOLDEN=1; each line is to be read.\n",
    );
    for client in Tongue::ALL {
        let talk = history(&house, client);
        let _ = writeln!(table);
        for vendor in Tongue::ALL.into_iter().filter(|vendor| *vendor != client) {
            for is_stream in [false, true] {
                let body = talk.body(vendor.model(), is_stream);
                let got = talk.send(&house, vendor.model(), is_stream, &body);
                let label = format!("{client:?} at {vendor:?}");
                let entry = house.fleet.last();
                let arrived = entry["body"].as_str().unwrap();
                for words in WORDS.iter().filter(|words| body.to_string().contains(**words)) {
                    assert!(arrived.contains(*words), "{label}: {words}: {arrived}");
                }
                let receipt = house.record(&got).receipt.unwrap();
                let has_picture = arrived.contains(PICTURE) || arrived.contains(PNG);
                let says_so = receipt
                    .losses
                    .iter()
                    .any(|note| note.code.starts_with("drop:image") && note.code != "drop:image.detail");
                assert!(has_picture != says_so, "{label}: {receipt:?}: {arrived}");
                assert!(!arrived.contains("pilothouse"), "{label}: {arrived}");
                if !is_stream {
                    let (changed, lost) = (codes(&receipt.edits), codes(&receipt.losses));
                    let _ = writeln!(table, "{} at {}: {changed} | {lost}", client.name(), vendor.name());
                }
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/histories.txt");
    pilothouse_testkit::golden::check(&path, &table).unwrap();
}
