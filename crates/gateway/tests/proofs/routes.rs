//! Names that applications call: who takes them, in which order, within which bounds.

use std::collections::BTreeMap;

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;
use serde_json::{Value, json};

use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::scripted::{self, Act, STREAM_HEAD, Scripted, chunk};
use crate::harness::{BOTH_VENDORS, House};

fn house(routes: &str) -> House {
    House::with(&format!("{BOTH_VENDORS}{routes}"))
}

fn ask(house: &House, client: Client, model: &str, more: &Value) -> Got {
    let mut body = client.ask(model, "Hello.", false);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    house.post(client.path(), &[], body.to_string().as_bytes())
}

pub(crate) fn refusal_of(routes: &str) -> String {
    let path = std::path::PathBuf::from("pilothouse.toml");
    let text =
        format!("{BOTH_VENDORS}{routes}").replace("FLEET", "127.0.0.1:1").replace("overlay", "# overlay");
    let source = match pilothouse_gateway::config::Source::parse(text, Some(path)) {
        Ok(source) => source,
        Err(error) => return error.to_string(),
    };
    let environment = crate::harness::environment(std::path::Path::new("."), &[]);
    let metrics = std::sync::Arc::default();
    let listen = ([127, 0, 0, 1], 4141).into();
    match pilothouse_gateway::plan::build(&source, &environment, listen, 1, &metrics) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_route_is_called_by_its_name_and_recorded_under_it() {
    let house = house("[routes.assistant]\ntargets = [\"openai/gpt-4.1\"]\n");
    for client in Client::ALL {
        let got = ask(&house, client, "assistant", &json!({}));
        assert_eq!(got.status, 200, "{}", got.text());
        let record = house.record(&got);
        assert_eq!((&*record.asked, &*record.target.unwrap().model), ("assistant", "gpt-4.1"));
        assert_eq!(house.fleet.last()["model"], "gpt-4.1");
    }
    let listed = house.get("/v1/models", &[]).json();
    assert_eq!(listed["data"][0]["id"], "assistant", "routes stand first");
    assert_eq!(house.get("/v1/models/assistant", &[]).json()["id"], "assistant");
}

#[test]
fn names_beside_routes_lead_where_they_did_and_a_route_goes_before_a_model() {
    let house = house("[routes.\"gpt-4.1\"]\ntargets = [\"anthropic/claude-opus-4-7\"]\n");
    let taken = |model: &str| {
        let got = ask(&house, Client::Openai, model, &json!({}));
        house.record(&got).target.map(|target| target.model.to_string())
    };
    assert_eq!(taken("gpt-4.1").as_deref(), Some("claude-opus-4-7"));
    assert_eq!(taken("openai/gpt-4.1").as_deref(), Some("gpt-4.1"));
    assert_eq!(taken("gpt-4o").as_deref(), Some("gpt-4o"));
}

#[test]
fn a_weighted_route_shares_its_calls_by_weight() {
    let house = house(
        "[routes.shared]\nstrategy = \"weighted\"\ntargets = [{ target = \"openai/gpt-4.1\", weight = 3 }, \
         \"openai/gpt-4o\", { target = \"openai/gpt-4o-mini\", weight = 0 }]\n",
    );
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..300 {
        let got = ask(&house, Client::Openai, "shared", &json!({}));
        assert_eq!(got.status, 200, "{}", got.text());
    }
    for entry in house.fleet.log() {
        *taken.entry(entry["model"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    // Three in four; a share below 60 % or above 90 % has a chance below one in a million.
    assert!((180..270).contains(&taken["gpt-4.1"]), "{taken:?}");
    assert_eq!(taken.values().sum::<u32>(), 300);
    assert!(!taken.contains_key("gpt-4o-mini"), "a weight of nothing takes nothing: {taken:?}");
}

#[test]
fn fallbacks_are_asked_in_their_order_when_every_target_has_failed() {
    let house = house(
        "[routes.last]\ntargets = [\"openai/fault-500\", \"openai/fault-503\"]\n\
         fallback = [\"openai/fault-429\", \"openai/gpt-4.1\"]\n",
    );
    let got = ask(&house, Client::Openai, "last", &json!({}));
    assert_eq!(got.status, 200, "{}", got.text());
    let asked: Vec<String> =
        house.fleet.log().iter().map(|entry| entry["model"].as_str().unwrap().to_owned()).collect();
    assert_eq!(asked, ["fault-500", "fault-503", "fault-429", "gpt-4.1"]);
    let kinds: Vec<Kind> =
        house.record(&got).receipt.unwrap().attempts.iter().map(|attempt| attempt.kind).collect();
    assert_eq!(kinds, [Kind::Vendor, Kind::Overloaded, Kind::RateLimited]);
}

#[test]
fn a_request_that_every_vendor_would_refuse_is_asked_once() {
    let house = house("[routes.both]\ntargets = [\"openai/gpt-4.1\", \"anthropic/claude-opus-4-7\"]\n");
    let got = ask(&house, Client::Openai, "both", &json!({"temperature": "hot"}));
    assert_eq!(got.status, 400, "{}", got.text());
    assert_eq!(house.fleet.log().len(), 1, "a mistake of the client's is the same mistake elsewhere");
}

#[test]
fn a_prompt_that_is_too_long_for_one_model_goes_to_the_next() {
    let refusal = "{\"error\":{\"message\":\"This model's maximum context length is 8 tokens.\",\"type\":\"invalid_request_error\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}";
    let vendor = Scripted::start(vec![Act::Write(vec![scripted::json("400 Bad Request", "", refusal)])]);
    let house = house(&format!(
        "[providers.small]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n\
         [routes.long]\ntargets = [\"small/m\", \"openai/gpt-4.1\"]\n",
        vendor.address
    ));
    let got = ask(&house, Client::Openai, "long", &json!({}));
    assert_eq!((got.status, vendor.calls()), (200, 1), "{}", got.text());
}

#[test]
fn output_is_limited_by_the_route_and_the_receipt_says_so() {
    let house = house(
        "[defaults]\nmax_output_tokens = 900\n\
         [routes.short]\ntargets = [\"openai/gpt-5.5\"]\n[routes.short.defaults]\nmax_output_tokens = 100\n\
         [routes.claude]\ntargets = [\"anthropic/claude-opus-4-7\"]\n[routes.claude.defaults]\nmax_output_tokens = 100\n",
    );
    let sent = |client: Client, model: &str, more: Value| {
        let got = ask(&house, client, model, &more);
        assert_eq!(got.status, 200, "{}", got.text());
        let receipt = house.record(&got).receipt;
        let codes: Vec<String> =
            receipt.iter().flat_map(|it| &it.edits).map(|note| note.code.to_string()).collect();
        let body: Value = serde_json::from_str(house.fleet.last()["body"].as_str().unwrap()).unwrap();
        (body, codes.join(" "))
    };
    let (body, codes) = sent(Client::Openai, "short", json!({}));
    assert_eq!(body["max_completion_tokens"], 100);
    assert!(codes.contains("set:max_completion_tokens"), "{codes}");
    let (body, codes) = sent(Client::Openai, "short", json!({"max_tokens": 5000}));
    assert_eq!((&body["max_completion_tokens"], &body["max_tokens"]), (&json!(100), &Value::Null), "{codes}");
    let (body, codes) = sent(Client::Openai, "short", json!({"max_completion_tokens": 50}));
    assert_eq!(body["max_completion_tokens"], 50, "{codes}");
    let (body, codes) = sent(Client::Anthropic, "claude", json!({}));
    assert_eq!(body["max_tokens"], 100);
    assert!(codes.contains("clamp:max_tokens"), "{codes}");
    let (body, codes) = sent(Client::Openai, "claude", json!({"max_tokens": 5000}));
    assert_eq!(body["max_tokens"], 100);
    assert!(codes.contains("clamp:max_output_tokens"), "{codes}");
    let (body, _) = sent(Client::Openai, "openai/gpt-4.1", json!({"max_tokens": 5000}));
    assert_eq!(body["max_tokens"], 900, "the defaults of the file hold for names that are no routes");
}

#[test]
fn one_deadline_bounds_all_attempts_of_a_call() {
    let silent = Scripted::start(vec![Act::Silence]);
    let house = house(&format!(
        "[providers.silent]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n\
         [routes.late]\ntargets = [\"silent/m\", \"openai/gpt-4.1\"]\n[routes.late.defaults]\ndeadline = 0.4\n",
        silent.address
    ));
    for is_stream in [false, true] {
        let body = Client::Openai.ask("late", "Hello.", is_stream).to_string();
        let got = house.post("/v1/chat/completions", &[], body.as_bytes());
        assert_eq!(got.status, 504, "{}", got.text());
        assert!(got.text().contains("deadline of 0.4 s"), "{}", got.text());
        assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::Timeout));
    }
    assert!(house.fleet.log().is_empty(), "nobody else is asked when the time is up");
}

#[test]
fn a_stream_that_lives_but_says_nothing_goes_to_the_client_after_a_while() {
    let role = b"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n";
    let vendor = Scripted::start(vec![Act::Hold(vec![STREAM_HEAD.as_bytes().to_vec(), chunk(role)])]);
    let house = house(&format!(
        "[providers.slow]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\ntimeouts = {{ between_chunks = 1.5 }}\n\
         [routes.patient]\ntargets = [\"slow/m\", \"openai/gpt-4.1\"]\ncommit_after = 0.3\n",
        vendor.address
    ));
    let body = Client::Openai.ask("patient", "Hello.", true).to_string();
    let got = house.post("/v1/chat/completions", &[], body.as_bytes());
    assert_eq!(got.status, 200, "the stream was committed");
    assert!(
        got.text().contains("\"role\":\"assistant\"") && got.text().contains("\"error\""),
        "{}",
        got.text()
    );
    assert!(house.fleet.log().is_empty(), "what was committed is not asked for elsewhere");
}

#[test]
fn an_answer_that_only_another_place_can_give_is_asked_there_with_its_own_edits() {
    let vendor = Scripted::start(vec![Act::Write(vec![scripted::json("503 Busy", "", "{}")]); 4]);
    let house = house(&format!(
        "[providers.near]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n\
         [routes.moved]\ntargets = [\"near/m\", \"anthropic/claude-opus-4-7\"]\n",
        vendor.address
    ));
    let got = ask(&house, Client::Openai, "moved", &json!({"temperature": 0.5}));
    assert_eq!(got.status, 200, "{}", got.text());
    let changed = got.header("x-pilothouse-changed").unwrap();
    assert_eq!(changed.matches("translate").count(), 1, "{changed}");
    assert!(changed.contains("drop:temperature"), "{changed}");
}

#[test]
fn what_is_wrong_with_a_route_is_said_with_its_place() {
    let cases = [
        ("[routes.a]\n", "a route needs `targets`"),
        ("[routes.a]\ntargets = [\"nobody/x\"]\n", "does not exist"),
        (
            "[routes.a]\nstrategy = \"learned\"\ntargets = [\"openai/gpt-4o\"]\n",
            "`learned` needs a model of quality",
        ),
        (
            "[routes.a]\nstrategy = \"luck\"\ntargets = [\"openai/gpt-4.1\"]\n",
            "`luck` is no strategy; one of fixed",
        ),
        ("[routes.a]\ntargets = [{ target = \"openai/gpt-4.1\", wait = 1 }]\n", "unknown field `wait`"),
        ("[routes.a]\ntargets = [{ target = \"openai/gpt-4.1\", weight = -1 }]\n", "invalid value"),
        ("[routes.a]\ntargets = [\"openai/gpt-4.1\", \"gpt-4.1\"]\n", "twice"),
        (
            "[routes.a]\ntargets = [\"openai/gpt-4.1\"]\n[routes.a.require]\nusd_max = -1\n",
            "an amount in dollars",
        ),
        ("[routes.a]\ntargets = [\"openai/gpt-4.1\"]\nretries = 9\n", "retries must be 0, 1 or 2"),
        (
            "[routes.a]\ntargets = [\"openai/gpt-4.1\"]\ncommit_after = 0\n",
            "commit_after is a number of seconds",
        ),
        (
            "[routes.a]\ntargets = [\"openai/gpt-4.1\"]\n[routes.a.defaults]\nmax_output_tokens = 0\n",
            "must be above 0",
        ),
        ("[defaults]\ndeadline = -2\n", "deadline is a number of seconds"),
    ];
    for (routes, words) in cases {
        let refusal = refusal_of(routes);
        assert!(refusal.contains(words), "{routes}\n{refusal}");
        assert!(refusal.contains("pilothouse.toml:"), "the place is named: {refusal}");
    }
}

#[test]
fn the_examples_of_the_book_are_configurations_that_load() {
    let pages =
        [include_str!("../../../../docs/src/routes.md"), include_str!("../../../../docs/src/strategies.md")];
    let examples: Vec<&str> = pages
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()))
        .collect();
    assert!(!examples.is_empty());
    let keys = [("OPENAI_API_KEY", "sk-a"), ("ANTHROPIC_API_KEY", "sk-b")];
    for example in examples {
        let source = pilothouse_gateway::config::Source::parse(example.to_owned(), None)
            .unwrap_or_else(|error| panic!("{error}"));
        let environment = crate::harness::environment(std::path::Path::new("."), &keys);
        let metrics = std::sync::Arc::default();
        let plan = pilothouse_gateway::plan::build(
            &source,
            &environment,
            ([127, 0, 0, 1], 4141).into(),
            1,
            &metrics,
        );
        assert!(plan.is_ok_and(|plan| !plan.routes.is_empty()));
    }
}
