//! The last turn of a run: the model is told, in the dialect of its vendor, at the end of what it is sent.

use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::http::Got;
use crate::harness::talk::{FIVE_VENDORS, Talk, Tongue};

/// Runs of two turns.
const RUNS: &str = "[runs]\nturns = 2\n";
const SAID: &str = "this is the last turn of this run";

fn send(house: &House, talk: &Talk, model: &str, body: &Value, run: &str) -> Got {
    let path = talk.tongue.path_of(model, false);
    let got = house.post(&path, &[("x-pilothouse-run", run)], body.to_string().as_bytes());
    assert_eq!(got.status, 200, "{} at {model}: {}\nfor {body}", talk.tongue.name(), got.text());
    got
}

/// What the fleet got last.
fn sent(house: &House) -> String {
    house.fleet.last()["body"].to_string()
}

fn changed(got: &Got) -> &str {
    got.header("x-pilothouse-changed").unwrap_or_default()
}

#[test]
fn model_of_every_dialect_is_told_before_the_last_turn_also_behind_results_of_tools() {
    let house = House::with(&format!("{FIVE_VENDORS}{RUNS}"));
    for client in Tongue::ALL {
        for vendor in Tongue::ALL {
            let (model, run) = (vendor.model(), format!("{}-{}", client.name(), vendor.name()));
            let mut talk = Talk::new(client);
            talk.ask("Use weather for Oslo. [[tools:1]] [[tool:weather]] [[args:{\"city\":\"Oslo\"}]]");
            let first = send(&house, &talk, model, &talk.body(model, false), &run);
            assert!(!changed(&first).contains("add:last-turn"), "{run}: {}", changed(&first));
            assert!(!sent(&house).contains(SAID), "{run}");
            let said = client.hear(&first, false);
            talk.keep(&said);
            talk.answer(&said.calls, |_| "4 degrees".to_owned());
            let last = send(&house, &talk, model, &talk.body(model, false), &run);
            assert!(changed(&last).contains("add:last-turn"), "{run}: {}", changed(&last));
            let text = sent(&house);
            assert!(text.matches(SAID).count() == 1, "{run}: {text}");
            let edits = house.record(&last).receipt.unwrap().edits;
            assert!(edits.iter().any(|edit| edit.code == "add:last-turn"), "{run}: {edits:?}");
            let over = house.post(
                &client.path_of(model, false),
                &[("x-pilothouse-run", &run)],
                talk.body(model, false).to_string().as_bytes(),
            );
            assert_eq!(over.status, 429, "{run}: the run is over");
        }
    }
}

#[test]
fn key_and_route_may_leave_the_note_out() {
    let routes = "[routes.told]\ntargets = [\"chat/gpt-5.1\"]\n[routes.untold]\ntargets = [\"chat/gpt-5.1\"]\nlast_turn_note = false\n\
         [keys.quiet]\nsecret = \"env:QUIET_KEY\"\nlast_turn_note = false\n[keys.plain]\nsecret = \"env:PLAIN_KEY\"\n";
    let keys = [("QUIET_KEY", "sk-quiet-application"), ("PLAIN_KEY", "sk-plain-application")];
    let house = House::with_secrets(&format!("{FIVE_VENDORS}[runs]\nturns = 1\n{routes}"), &keys);
    for (nth, (route, key, is_told)) in [
        ("told", "sk-plain-application", true),
        ("untold", "sk-plain-application", false),
        ("told", "sk-quiet-application", false),
        ("chat/gpt-5.1", "sk-plain-application", true),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"model": route, "messages": [{"role": "user", "content": "Hello."}]}).to_string();
        let authorization = format!("Bearer {key}");
        let run = format!("run-{nth}");
        let headers = [("authorization", authorization.as_str()), ("x-pilothouse-run", run.as_str())];
        let got = house.post("/v1/chat/completions", &headers, body.as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(changed(&got).contains("add:last-turn"), is_told, "{route}, {key}: {}", changed(&got));
        assert_eq!(sent(&house).contains(SAID), is_told, "{route}, {key}");
    }
}

#[test]
fn call_without_a_run_and_the_first_of_many_turns_are_left_as_they_are() {
    let house = House::with(&format!("{FIVE_VENDORS}{RUNS}"));
    let body =
        json!({"model": "chat/gpt-5.1", "messages": [{"role": "user", "content": "Hello."}]}).to_string();
    for headers in [vec![], vec![("x-pilothouse-run", "one")]] {
        let got = house.post("/v1/chat/completions", &headers, body.as_bytes());
        assert!(!changed(&got).contains("add:last-turn"), "{}", changed(&got));
        assert!(!sent(&house).contains(SAID));
    }
}
