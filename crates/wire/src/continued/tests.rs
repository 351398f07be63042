//! Earlier turns are put before a question as items that any vendor can be asked with.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn turn<'a>(request: &'a [u8], answer: &'a [u8]) -> Turn<'a> {
    Turn { request, answer, is_stream: false, is_own: false }
}

fn read(items: &[Box<RawValue>]) -> Value {
    items.iter().map(|item| serde_json::from_str::<Value>(item.get()).unwrap()).collect()
}

const ANSWER: &str = r#"{"id":"resp_1","object":"response","status":"completed","output":[
    {"type":"reasoning","id":"rs_1","summary":[],"status":null},
    {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAA"},
    {"type":"reasoning","id":"rs_3","summary":[],"encrypted_content":"pilothouse-origin-anthropic:signed:abc"},
    {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{}","status":"completed"},
    {"type":"web_search_call","id":"ws_1","status":"completed"},
    {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Ahoy"}]}]}"#;

#[test]
fn items_leave_behind_what_binds_them_to_their_vendor() {
    let request = br#"{"model":"m","input":"Hello \"you\"","instructions":"gone"}"#;
    let mut notes = Vec::new();
    let items = items_of(&turn(request, ANSWER.as_bytes()), &mut notes).unwrap();
    let wanted = json!([
        {"role": "user", "content": "Hello \"you\""},
        {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "pilothouse-origin-anthropic:signed:abc"},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Ahoy"}]},
    ]);
    assert_eq!(read(&items), wanted);
    assert_eq!(
        notes.iter().map(|note| &*note.code).collect::<Vec<_>>(),
        ["drop:reasoning", "drop:reasoning"]
    );
}

#[test]
fn a_vendors_own_sealed_reasoning_returns_to_it() {
    let mut notes = Vec::new();
    let own = Turn { is_own: true, ..turn(b"{\"input\":[]}", ANSWER.as_bytes()) };
    let items = read(&items_of(&own, &mut notes).unwrap());
    let ids: Vec<&Value> = items.as_array().unwrap().iter().filter_map(|item| item.get("id")).collect();
    assert_eq!(ids, ["rs_2", "rs_3", "ws_1"]);
    assert_eq!(notes.len(), 1);
}

#[test]
fn the_last_event_of_a_stream_is_its_response() {
    let text = ANSWER.replace('\n', " ");
    let stream = format!(
        "event: response.created\ndata: {{\"type\":\"response.created\",\"response\":{{\"id\":\"resp_1\",\"status\":\"in_progress\"}}}}\n\n\
         event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"delta\":\"\\\"response\\\" response.completed\\\"\"}}\n\n\
         event: response.completed\ndata: {{\"type\":\"response.completed\",\"response\":{text}}}\n\n"
    );
    assert_eq!(response_of(stream.as_bytes(), true).unwrap(), text.as_bytes());
    assert_eq!(response_id(stream.as_bytes(), true).as_deref(), Some("resp_1"));
    assert_eq!(response_id(ANSWER.as_bytes(), false).as_deref(), Some("resp_1"));
    let cut = &stream[..stream.len() - 30];
    assert_eq!(response_id(cut.as_bytes(), true), None);
    assert!(may_end(stream.as_bytes()) && !may_end(&stream.as_bytes()[..90]));
}

#[test]
fn what_did_not_end_or_is_held_elsewhere_is_not_gone_on_from() {
    for status in ["queued", "in_progress", "failed", "cancelled"] {
        let answer = format!("{{\"id\":\"resp_1\",\"status\":\"{status}\",\"output\":[]}}");
        assert_eq!(response_id(answer.as_bytes(), false), None);
        let got = items_of(&turn(b"{\"input\":\"a\"}", answer.as_bytes()), &mut Vec::new());
        assert_eq!(got.unwrap_err(), Unfit::Unfinished);
    }
    for held in [r#"{"input":"a","conversation":"conv_1"}"#, r#"{"prompt":{"id":"pmpt_1"}}"#] {
        let got = items_of(&turn(held.as_bytes(), ANSWER.as_bytes()), &mut Vec::new());
        assert_eq!(got.unwrap_err(), Unfit::HeldElsewhere);
    }
}

#[test]
fn what_was_said_before_stands_before_what_is_asked_now() {
    let before = items_of(&turn(b"{\"input\":\"a\"}", ANSWER.as_bytes()), &mut Vec::new()).unwrap();
    let count = before.len();
    for (body, own) in [
        (r#"{"model":"m","previous_response_id":"resp_1","input":"b","x": [1, 2]}"#, 1),
        (
            r#"{"input":[{"role":"user","content":"b"},{"type":"item","a":1}],"model":"m","previous_response_id":"resp_1","x": [1, 2]}"#,
            2,
        ),
        (r#"{"previous_response_id":"resp_1","model":"m","x": [1, 2]}"#, 0),
        (r#"{"input":null,"model":"m","previous_response_id":"resp_1","x": [1, 2]}"#, 0),
    ] {
        let out = joined(body.as_bytes(), &before).unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["input"].as_array().unwrap().len(), count + own, "{value}");
        assert_eq!((&value["model"], value.get(PREVIOUS)), (&json!("m"), None), "{value}");
        assert!(String::from_utf8(out).unwrap().contains("\"x\": [1, 2]"), "every other byte stays");
    }
    let empty = joined(br#"{"model":"m","previous_response_id":"r"}"#, &[]).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&empty).unwrap(), json!({"model": "m", "input": []}));
    assert!(joined(br#"{"model":"m","input":7}"#, &before).is_err());
}

#[test]
fn input_is_listed_with_an_id_for_each_item() {
    let listed: Value = serde_json::from_slice(&listed(
        br#"{"input":[{"role":"user","content":"a"},{"type":"function_call_output","id":"fo_1","call_id":"c","output":"x"}]}"#,
        "01",
    ))
    .unwrap();
    assert_eq!(
        listed["data"][0],
        json!({"id": "item_01_0", "type": "message", "role": "user", "content": "a"})
    );
    assert_eq!((&listed["first_id"], &listed["last_id"]), (&json!("item_01_0"), &json!("fo_1")));
    assert_eq!(listed["has_more"], false);
    let text: Value = serde_json::from_slice(&super::listed(br#"{"input":"a"}"#, "01")).unwrap();
    assert_eq!(text["data"][0]["content"], "a");
}

#[test]
fn what_a_request_goes_on_from_is_a_text_that_is_not_empty() {
    assert_eq!(previous_of(br#"{"previous_response_id":"resp_1"}"#).as_deref(), Some("resp_1"));
    for body in [
        r#"{"previous_response_id":null}"#,
        r#"{"previous_response_id":""}"#,
        r#"{"previous_response_id":7}"#,
        "[]",
    ] {
        assert_eq!(previous_of(body.as_bytes()), None, "{body}");
    }
}

/// Bodies that are nearly what they should be.
fn nearly(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6);
    (changes, any::<proptest::sample::Index>(), any::<bool>()).prop_map(move |(changes, cut, is_cut)| {
        let mut bytes = text.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

const REQUEST: &str = r#"{"model":"m","previous_response_id":"resp_0","input":[{"role":"user","content":"a"},{"type":"reasoning","summary":[]}]}"#;

proptest! {
    #[test]
    fn damaged_bodies_never_panic_and_what_is_joined_is_json(
        request in nearly(REQUEST), answer in nearly(ANSWER), now in nearly(REQUEST), is_stream: bool,
    ) {
        let _ = (response_id(&answer, is_stream), previous_of(&request), listed(&request, "01"));
        let turn = Turn { request: &request, answer: &answer, is_stream, is_own: false };
        if let Ok(before) = items_of(&turn, &mut Vec::new())
            && let Ok(body) = joined(&now, &before)
        {
            // Bytes that are no text, and half a surrogate pair in an escape, go on as they came.
            let is_text = |body: &[u8]| serde_json::from_slice::<Value>(body).is_ok();
            if [&request, &answer, &now].into_iter().all(|body| is_text(body)) {
                let value: Value = serde_json::from_slice(&body).unwrap();
                prop_assert!(value["input"].is_array());
            }
        }
    }
}
