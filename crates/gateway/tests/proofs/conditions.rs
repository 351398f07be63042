//! Conditions on targets: who takes a call by its headers, its labels, its key, its length and the hour, why the others do
//! not, and that a receipt derives the same again.

use pilothouse_core::exchange::Exchange;
use pilothouse_gateway::config::Source;
use pilothouse_gateway::plan;
use pilothouse_gateway::rederive::{environment_of, rederive};
use serde_json::{Value, json};

use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::{BOTH_VENDORS, House, environment};
use crate::routes::refusal_of;

const ROUTE: &str = r#"
[routes.assistant]
targets = [
  { target = "openai/gpt-4.1", when = "tokens > 3000" },
  { target = "anthropic/claude-opus-4-7", when = "metadata.tier == 'gold' || headers['x-tier'] == 'gold'" },
  { target = "openai/gpt-4o", when = "key.team == 'research' && time.getFullYear() >= 2026" },
  "openai/gpt-4o-mini",
]

[keys.notebook]
secret = "env:NOTEBOOK"
team = "research"

[keys.shop]
secret = "env:SHOP"

[teams.research]
"#;

fn house() -> House {
    House::with_secrets(
        &format!("{BOTH_VENDORS}{ROUTE}"),
        &[("NOTEBOOK", "ph-notebook"), ("SHOP", "ph-shop")],
    )
}

fn ask(house: &House, client: Client, key: &str, headers: &[(&str, &str)], text: &str, more: &Value) -> Got {
    let mut body = client.ask("assistant", text, false);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let bearer = format!("Bearer {key}");
    let mut all = vec![("authorization", bearer.as_str())];
    all.extend(headers);
    house.post(client.path(), &all, body.to_string().as_bytes())
}

fn model(record: &Exchange) -> &str {
    record.target.as_ref().map_or("nobody", |target| &target.model)
}

/// Why a target was left out, by the receipt.
fn why_not<'r>(record: &'r Exchange, target: &str) -> &'r str {
    let choice = record.receipt.as_ref().and_then(|receipt| receipt.choice.as_ref()).unwrap();
    choice.removed.iter().find(|one| &*one.target == target).map_or("", |one| &one.why)
}

/// What differs when the choice is made again where nothing of the request is known any more.
fn differences(house: &House, record: &Exchange, change: impl Fn(&str) -> String) -> Vec<String> {
    let folder = house.folder.path();
    let text = change(&std::fs::read_to_string(folder.join("pilothouse.toml")).unwrap());
    let source = Source::parse(text, Some(folder.join("pilothouse.toml"))).unwrap();
    let environment = environment_of(record, &source, environment(folder, &[])).unwrap();
    let listen = ([127, 0, 0, 1], 4141).into();
    let plan = plan::build(&source, &environment, listen, 1, &std::sync::Arc::default()).unwrap();
    rederive(&plan, record).unwrap().differences
}

#[test]
fn length_labels_headers_and_keys_decide_who_takes_a_call() {
    let house = house();
    let long = "one more word of it ".repeat(1_000);
    let gold = json!({"metadata": {"tier": "gold"}});
    let plain = json!({});
    for client in [Client::Openai, Client::Responses] {
        let taken = |key: &str, headers: &[(&str, &str)], text: &str, more: &Value| {
            let got = ask(&house, client, key, headers, text, more);
            assert_eq!(got.status, 200, "{}", got.text());
            model(&house.record(&got)).to_owned()
        };
        assert_eq!(taken("ph-shop", &[], "Hello.", &plain), "gpt-4o-mini");
        assert_eq!(taken("ph-shop", &[], &long, &plain), "gpt-4.1");
        assert_eq!(taken("ph-shop", &[], "Hello.", &gold), "claude-opus-4-7");
        assert_eq!(taken("ph-shop", &[("X-Tier", "gold")], "Hello.", &plain), "claude-opus-4-7");
        assert_eq!(taken("ph-shop", &[("X-Tier", "tin")], "Hello.", &plain), "gpt-4o-mini");
        assert_eq!(taken("ph-notebook", &[], "Hello.", &plain), "gpt-4o");
        assert_eq!(taken("ph-notebook", &[], &long, &gold), "gpt-4.1");
    }
}

#[test]
fn receipts_say_why_a_target_was_not_for_a_call_and_derive_it_again() {
    let mut house = house();
    let got = ask(&house, Client::Openai, "ph-shop", &[("X-Tier", "tin")], "Hello.", &json!({}));
    let record = house.record(&got);
    house.stop();
    assert_eq!(why_not(&record, "openai/gpt-4.1"), "its condition is false: tokens > 3000");
    assert_eq!(
        why_not(&record, "anthropic/claude-opus-4-7"),
        "its condition counts as false, since there is no `metadata.tier`: \
         metadata.tier == 'gold' || headers['x-tier'] == 'gold'"
    );
    assert_eq!(
        why_not(&record, "openai/gpt-4o"),
        "its condition counts as false, since there is no `key.team`: key.team == 'research' && time.getFullYear() >= 2026"
    );
    assert_eq!(differences(&house, &record, str::to_owned), Vec::<String>::new());
    let changed = differences(&house, &record, |text| text.replace("tokens > 3000", "tokens > 4000"));
    assert!(changed[0].contains("tokens > 3000") && changed[0].contains("tokens > 4000"), "{changed:?}");
    let without = differences(&house, &record, |text| text.replace(", when = \"tokens > 3000\"", ""));
    assert!(without.iter().any(|one| one.contains("now `openai/gpt-4.1`")), "{without:?}");
    let receipt = serde_json::to_string(&record.receipt).unwrap();
    assert!(!receipt.contains("tin"), "what a condition looked at is not kept: {receipt}");
}

#[test]
fn a_call_that_no_condition_lets_through_is_told_so_without_the_conditions() {
    let house = House::with(&format!(
        "{BOTH_VENDORS}[routes.assistant]\ntargets = [{{ target = \"openai/gpt-4.1\", when = \"headers['x-plan'] == 'secret-plan'\" }}]\n"
    ));
    let got = ask(&house, Client::Openai, "none", &[], "Hello.", &json!({}));
    assert_eq!(got.status, 400, "{}", got.text());
    assert!(
        got.text().contains("openai/gpt-4.1: it is not for this request, by its condition"),
        "{}",
        got.text()
    );
    assert!(!got.text().contains("secret-plan"));
    let got = ask(&house, Client::Openai, "none", &[("x-plan", "secret-plan")], "Hello.", &json!({}));
    assert_eq!(got.status, 200, "{}", got.text());
}

#[test]
fn conditions_choose_who_a_strategy_orders_and_who_stands_in() {
    let house = House::with(&format!(
        "{BOTH_VENDORS}[routes.assistant]\nstrategy = \"cheapest\"\ntargets = [\"openai/fault-500\", \
         {{ target = \"openai/gpt-4o-mini\", when = \"!stream && !tools\" }}, \"anthropic/claude-opus-4-7\"]\n"
    ));
    let tools =
        json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]});
    let got = ask(&house, Client::Openai, "none", &[], "Hello.", &json!({}));
    assert_eq!(model(&house.record(&got)), "gpt-4o-mini");
    let got = ask(&house, Client::Openai, "none", &[], "Hello.", &tools);
    assert_eq!(model(&house.record(&got)), "claude-opus-4-7", "{}", got.text());
}

#[test]
fn what_is_wrong_with_a_condition_is_shown_at_its_own_column() {
    let refusal = refusal_of(
        "[routes.a]\ntargets = [\n  { target = \"openai/gpt-4.1\", when = \"tokens > 5 && metdata.tier == \\\"gold\\\"\" },\n]\n",
    );
    assert!(refusal.contains("there is no variable `metdata`; did you mean `metadata`?"), "{refusal}");
    let lines: Vec<&str> = refusal.lines().collect();
    let (shown, caret) = (lines[lines.len() - 2], lines[lines.len() - 1]);
    let start = caret.find('^').unwrap();
    assert_eq!(&shown[start..start + caret.matches('^').count()], "metdata", "{refusal}");
    let cases = [
        ("tokens > '5'", "write `tokens > int('5')`"),
        ("headers.authorization == 'x'", "credentials such as `authorization` are not visible"),
        ("headers['X-Tier'] == 'gold'", "names of headers are in lower case here; write \\\"x-tier\\\""),
        ("true", "this is always true"),
        ("tokens", "a condition is true or false"),
        ("time.getHours('Mars/Base') > 1", "there is no time zone `Mars/Base`"),
    ];
    for (when, words) in cases {
        let refusal = refusal_of(&format!(
            "[routes.a]\ntargets = [{{ target = \"openai/gpt-4.1\", when = \"{when}\" }}]\n"
        ));
        assert!(refusal.contains(&words.replace('\\', "")), "{when}\n{refusal}");
        assert!(refusal.contains("pilothouse.toml:"), "the place is named: {refusal}");
    }
}

const BRANCHES: &str = r#"
[routes.assistant]
targets = ["openai/gpt-4o-mini"]

[[routes.assistant.branches]]
when = "tokens > 3000"
route = "long"

[[routes.assistant.branches]]
when = "has(metadata.tier)"
route = "paying"

[routes.long]
strategy = "weighted"
targets = ["openai/gpt-4.1"]

[routes.paying]
targets = ["anthropic/claude-haiku-4-5"]

[[routes.paying.branches]]
when = "metadata.tier == 'gold' && model == 'assistant'"
route = "gold"

[routes.gold]
targets = [{ target = "anthropic/claude-opus-4-7", when = "model == 'assistant'" }]

[keys.some]
secret = "env:SOME"
allow = ["assistant"]
"#;

fn branched() -> House {
    House::with_secrets(&format!("{BOTH_VENDORS}{BRANCHES}"), &[("SOME", "ph-some")])
}

fn notes(record: &Exchange) -> Vec<String> {
    let notes = record.receipt.iter().flat_map(|receipt| &receipt.notes);
    notes.filter(|note| note.code == "branch").map(|note| note.detail.to_string()).collect()
}

#[test]
fn branches_lead_to_the_route_that_takes_a_call_and_their_end_is_the_route_itself() {
    let mut house = branched();
    let long = "one more word of it ".repeat(1_000);
    let tier = |tier: &str| json!({"metadata": {"tier": tier}});
    let cases = [
        ("Hello.", json!({}), "gpt-4o-mini", "assistant"),
        (long.as_str(), tier("gold"), "gpt-4.1", "long"),
        ("Hello.", tier("tin"), "claude-haiku-4-5", "paying"),
        ("Hello.", tier("gold"), "claude-opus-4-7", "gold"),
    ];
    let mut records = Vec::new();
    for (text, more, taken, route) in &cases {
        // The key may call the route that it names; where that leads is the operator's business.
        let got = ask(&house, Client::Openai, "ph-some", &[], text, more);
        assert_eq!(got.status, 200, "{}", got.text());
        let record = house.record(&got);
        assert_eq!((model(&record), &*record.asked), (*taken, *route));
        records.push(record);
    }
    let straight = house.post(
        Client::Openai.path(),
        &[("authorization", "Bearer ph-some")],
        Client::Openai.ask("gold", "Hello.", false).to_string().as_bytes(),
    );
    assert_eq!(straight.status, 403, "the key is led there, and may not call it: {}", straight.text());
    assert!(straight.text().contains("the key may not use it"), "{}", straight.text());
    house.stop();
    assert_eq!(
        notes(&records[3]),
        [
            "not long, its condition is false: tokens > 3000",
            "paying takes it, its condition is true: has(metadata.tier)",
            "gold takes it, its condition is true: metadata.tier == 'gold' && model == 'assistant'",
        ]
    );
    for record in &records {
        assert_eq!(differences(&house, record, str::to_owned), Vec::<String>::new(), "{:?}", notes(record));
    }
    let elsewhere = |text: &str| text.replace("route = \"long\"", "route = \"gold\"");
    let changed = differences(&house, &records[1], elsewhere);
    assert_eq!(changed[0], "`long` took the call; now `gold` does");
    let more = |text: &str| {
        text.replace(
            "[routes.long]",
            "[[routes.assistant.branches]]\nwhen = \"stream\"\nroute = \"long\"\n[routes.long]",
        )
    };
    let unknown = differences(&house, &records[0], more);
    assert_eq!(unknown, ["nothing is known of a condition that `assistant` has now"]);
}

#[test]
fn branches_that_lead_nowhere_or_in_a_circle_are_refused_where_they_stand() {
    let branch =
        |from: &str, to: &str| format!("[[routes.{from}.branches]]\nwhen = \"stream\"\nroute = \"{to}\"\n");
    let route = |name: &str| format!("[routes.{name}]\ntargets = [\"openai/gpt-4.1\"]\n");
    let (a, b, c) = (route("a"), route("b"), route("c"));
    let refusal = refusal_of(&format!("{a}{}", branch("a", "x")));
    assert!(refusal.contains("there is no route `x`; a branch leads to a route"), "{refusal}");
    let refusal = refusal_of(&format!("{a}{}", branch("a", "a")));
    assert!(refusal.contains("this leads in a circle: a → a;"), "{refusal}");
    let refusal =
        refusal_of(&format!("{a}{}{b}{}{c}{}", branch("a", "b"), branch("b", "c"), branch("c", "a")));
    assert!(refusal.contains("this leads in a circle: a → b → c → a;"), "{refusal}");
    let fine = format!("{a}{}{}{b}{}{c}", branch("a", "b"), branch("a", "c"), branch("b", "c"));
    assert_eq!(refusal_of(&fine), "");
    let refusal = refusal_of(&format!("{a}[[routes.a.branches]]\nwhen = \"streem\"\nroute = \"a\"\n"));
    assert!(refusal.contains("did you mean `stream`?"), "{refusal}");
    let refusal = refusal_of(&format!("{a}[[routes.a.branches]]\nroute = \"a\"\n"));
    assert!(refusal.contains("missing field `when`"), "{refusal}");
}

#[test]
fn kept_answers_are_not_given_to_calls_of_other_conditions() {
    let house = House::with(&format!(
        "{BOTH_VENDORS}[routes.assistant]\ndefaults.cache = {{ exact = \"10m\" }}\ntargets = [\n  \
         {{ target = \"anthropic/claude-opus-4-7\", when = \"headers['x-tier'] == 'gold'\" }},\n  \"openai/gpt-4o-mini\",\n]\n"
    ));
    let recalled = |headers: &[(&str, &str)]| {
        let got = ask(&house, Client::Openai, "none", headers, "Hello.", &json!({}));
        assert_eq!(got.status, 200, "{}", got.text());
        (got.header("x-pilothouse-cache").unwrap().to_owned(), model(&house.record(&got)).to_owned())
    };
    let is = |cache: &str, model: &str| (cache.to_owned(), model.to_owned());
    assert_eq!(recalled(&[]), is("miss", "gpt-4o-mini"));
    assert_eq!(recalled(&[("x-tier", "gold")]), is("miss", "claude-opus-4-7"));
    assert_eq!(recalled(&[("x-tier", "gold"), ("x-note", "other")]), is("hit", "claude-opus-4-7"));
    assert_eq!(recalled(&[("x-tier", "tin")]), is("hit", "gpt-4o-mini"));
}
