//! Choices that are made again: hundreds of exchanges on every strategy, through failures, conversations and keys, come
//! out of their receipts as they went; and where something has changed since, it is told what.

use std::collections::BTreeMap;
use std::path::Path;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;
use pilothouse_gateway::config::Source;
use pilothouse_gateway::plan::{self, Plan};
use pilothouse_gateway::rederive::{Rederived, environment_of, rederive};
use pilothouse_store::{Filter, Reader};
use serde_json::{Value, json};

use crate::harness::reading::Client;
use crate::harness::{BOTH_VENDORS, House, environment};

/// The strategies that routes are served by.
const STRATEGIES: [&str; 7] =
    ["fixed", "weighted", "cheapest", "fastest", "least-loaded", "sticky", "cascade"];
/// Exchanges of each.
const EACH: usize = 60;

fn configuration() -> String {
    let mut text = format!("{BOTH_VENDORS}\n[defaults]\ndeadline = 30\n");
    for strategy in STRATEGIES {
        text += &format!(
            "[routes.{strategy}]\nstrategy = \"{strategy}\"\ntargets = [{{ target = \"openai/gpt-4.1\", weight = 3 }}, \
             \"anthropic/claude-opus-4-7\", \"openai/gpt-4o-mini\", \"openai/fault-500\"]\n\
             fallback = [\"anthropic/claude-haiku-4-5\"]\n"
        );
        if strategy == "cascade" {
            text += "[routes.cascade.cascade]\nchecks = [{ check = \"non-empty\" }]\n";
        }
    }
    text + "[keys.all]\nsecret = \"env:ALL\"\n[keys.some]\nsecret = \"env:SOME\"\n\
           allow = [\"openai/gpt-4.1\", \"openai/gpt-4o-mini\", \"anthropic/*\"]\n"
}

const SECRETS: [(&str, &str); 2] = [("ALL", "ph-all"), ("SOME", "ph-some")];

/// A request like no other, by a number: lengths, caps, conversations and streams vary.
fn request(nth: usize, route: &str) -> (Client, Value, String, &'static str) {
    let client = Client::ALL[nth % Client::ALL.len()];
    let words = "and another word of it ".repeat(1 + (nth * 37) % 90);
    let mut body = client.ask(route, &words, nth.is_multiple_of(3));
    if nth.is_multiple_of(4) && body.get("max_tokens").is_some() {
        body["max_tokens"] = json!(20 + nth);
    }
    (
        client,
        body,
        format!("conversation-{}", nth % 7),
        if nth.is_multiple_of(5) { "ph-some" } else { "ph-all" },
    )
}

fn ran() -> (House, Vec<Exchange>) {
    let mut house = House::with_secrets(&configuration(), &SECRETS);
    for strategy in STRATEGIES {
        for nth in 0..EACH {
            let (client, body, conversation, key) = request(nth, strategy);
            let bearer = format!("Bearer {key}");
            let mut headers = vec![("authorization", bearer.as_str())];
            if nth.is_multiple_of(2) {
                headers.push(("x-pilothouse-conversation", &conversation));
            }
            let got = house.post(client.path(), &headers, body.to_string().as_bytes());
            assert!(got.status < 600, "{}", got.text());
        }
    }
    house.stop();
    let filter = Filter { limit: 10_000, ..Filter::default() };
    let records = Reader::open(&house.data()).unwrap().exchanges(&filter).unwrap();
    (house, records.into_iter().map(|recorded| recorded.exchange).collect())
}

/// The plan of a configuration, as it is read for making an exchange's choice again where no secret is set.
fn plan_for(exchange: &Exchange, folder: &Path, text: &str) -> Plan {
    let source = Source::parse(text.to_owned(), Some(folder.join("pilothouse.toml"))).unwrap();
    let environment = environment_of(exchange, &source, environment(folder, &[])).unwrap();
    let listen = ([127, 0, 0, 1], 4141).into();
    plan::build(&source, &environment, listen, 1, &std::sync::Arc::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_choice_comes_out_of_its_receipt_again() {
    let (house, records) = ran();
    let text = std::fs::read_to_string(house.folder.path().join("pilothouse.toml")).unwrap();
    let mut plan = None;
    let mut same: BTreeMap<String, usize> = BTreeMap::new();
    let mut orders = std::collections::BTreeSet::new();
    for record in &records {
        let Some(choice) = record.receipt.as_ref().and_then(|receipt| receipt.choice.as_ref()) else {
            continue;
        };
        let plan = plan.get_or_insert_with(|| plan_for(record, house.folder.path(), &text));
        let again = rederive(plan, record).unwrap();
        assert!(again.is_same, "{}: {:#?}\nof {choice:#?}", record.asked, again.differences);
        assert!(!again.config_has_changed && !again.catalog_has_changed && !again.is_cut);
        *same.entry(record.asked.to_string()).or_default() += 1;
        orders.insert(choice.order.iter().map(|one| one.target.to_string()).collect::<Vec<_>>());
    }
    assert_eq!(same.len(), STRATEGIES.len(), "{same:?}");
    assert!(same.values().all(|count| *count >= EACH * 9 / 10), "{same:?}");
    assert!(orders.len() > 8, "choices that never differ prove little: {orders:?}");
}

fn differences(record: &Exchange, house: &House, change: impl Fn(&str) -> String) -> Rederived {
    let text = std::fs::read_to_string(house.folder.path().join("pilothouse.toml")).unwrap();
    rederive(&plan_for(record, house.folder.path(), &change(&text)), record).unwrap()
}

#[test]
fn what_has_changed_since_is_told_with_what_it_changes() {
    let mut house = House::with(&format!(
        "{BOTH_VENDORS}\n[routes.r]\ntargets = [\"openai/gpt-4.1\", \"anthropic/claude-opus-4-7\"]\n"
    ));
    let body = Client::Openai.ask("r", "Hello.", false).to_string();
    let got = house.post(Client::Openai.path(), &[], body.as_bytes());
    let record = house.record(&got);
    let bare = house.post(
        Client::Openai.path(),
        &[],
        Client::Openai.ask("openai/gpt-4.1", "Hello.", false).to_string().as_bytes(),
    );
    let bare = house.record(&bare);
    house.stop();
    let same = differences(&record, &house, str::to_owned);
    assert!(same.is_same && !same.config_has_changed);
    let comment = differences(&record, &house, |text| format!("# a comment\n{text}"));
    assert!(comment.is_same && comment.config_has_changed, "another text that chooses the same");
    let turned = differences(&record, &house, |text| {
        text.replace(
            "[\"openai/gpt-4.1\", \"anthropic/claude-opus-4-7\"]",
            "[\"anthropic/claude-opus-4-7\", \"openai/gpt-4.1\"]",
        )
    });
    assert!(!turned.is_same && turned.config_has_changed);
    assert_eq!(
        turned.differences[0],
        "place 1 was `openai/gpt-4.1` (its place in the list); now `anthropic/claude-opus-4-7` (its place in the list)"
    );
    let cheap = differences(&record, &house, |text| {
        format!("{text}[routes.r.require]\nusd_per_million_input_max = 0\n")
    });
    assert!(cheap.differences[0].contains("no target of `r` can take this request"), "{cheap:?}");
    let text = std::fs::read_to_string(house.folder.path().join("pilothouse.toml")).unwrap();
    let without = plan_for(&record, house.folder.path(), text.split("[routes.r]").next().unwrap());
    assert!(rederive(&without, &record).unwrap_err().contains("has no route `r` any more"));
    assert!(rederive(&without, &bare).unwrap_err().contains("was no route"));
    let old = {
        let mut old = record.clone();
        old.receipt.as_mut().unwrap().choice.as_mut().unwrap().evidence = None;
        old
    };
    assert!(rederive(&without, &old).unwrap_err().contains("an earlier version"));
    assert!(record.started_at > UnixMs(0));
}
