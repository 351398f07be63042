//! Whom a route chooses: by cost, by health, by what a request needs, by where its conversation is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pilothouse_core::clock::{Clock, UnixMs};
use pilothouse_core::exchange::{Chosen, Exchange};
use serde_json::{Value, json};

use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::scripted::{self, Act, Scripted};
use crate::harness::{BOTH_VENDORS, House, eventually};

const ANSWER: &str = "{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}";

/// A clock that a test moves.
#[derive(Debug)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::SeqCst))
    }
}

impl Hand {
    /// Noon of 23 November 2026.
    fn at_noon() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1_795_435_200_000)))
    }

    fn pass(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

fn house(routes: &str) -> House {
    House::at(&format!("{BOTH_VENDORS}{routes}"), &[], Hand::at_noon())
}

fn ask(house: &House, model: &str, more: Value) -> Got {
    let mut body = Client::Openai.ask(model, "Hello.", false);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    house.post("/v1/chat/completions", &[], body.to_string().as_bytes())
}

fn record(house: &House, got: &Got) -> Exchange {
    assert_eq!(got.status, 200, "{}", got.text());
    house.record(got)
}

fn model(exchange: &Exchange) -> &str {
    exchange.target.as_ref().map_or("nobody", |target| &target.model)
}

fn chosen(exchange: &Exchange) -> &Chosen {
    exchange.receipt.as_ref().unwrap().choice.as_ref().unwrap()
}

#[test]
fn the_cheapest_target_takes_the_call_and_the_receipt_shows_the_sum() {
    let house = house(
        "[routes.thrifty]\nstrategy = \"cheapest\"\n\
         targets = [\"anthropic/claude-opus-4-7\", \"openai/gpt-4o\", \"openai/gpt-4o-mini\"]\n",
    );
    let exchange = record(&house, &ask(&house, "thrifty", json!({"max_tokens": 100})));
    assert_eq!(model(&exchange), "gpt-4o-mini");
    let chosen = chosen(&exchange);
    assert_eq!(&*chosen.strategy, "cheapest");
    let order: Vec<&str> = chosen.order.iter().map(|standing| &*standing.target).collect();
    assert_eq!(order, ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-opus-4-7"]);
    assert!(chosen.order[0].why.contains("expected to cost $0.0000"), "{}", chosen.order[0].why);
    assert!(chosen.order[0].why.contains("100 out"), "{}", chosen.order[0].why);
}

#[test]
fn a_target_that_lacks_what_a_request_needs_is_left_out_with_the_reason() {
    let gemini =
        "[providers.gemini]\nbase_url = \"http://FLEET/gemini/v1beta\"\napi_key = \"sk-upstream-gemini\"\n";
    let house = house(&format!(
        "{gemini}[routes.hearing]\ntargets = [\"openai/gpt-4.1\", \"gemini/gemini-3.1-pro-preview\"]\n"
    ));
    let sound = json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "input_audio", "input_audio": {"data": "UklGRiQAAABXQVZF", "format": "wav"}},
    ]}]});
    let exchange = record(&house, &ask(&house, "hearing", sound));
    assert_eq!(model(&exchange), "gemini-3.1-pro-preview");
    let removed = &chosen(&exchange).removed[0];
    assert_eq!((&*removed.target, &*removed.why), ("openai/gpt-4.1", "lacks audio_input"));
    let exchange = record(&house, &ask(&house, "hearing", json!({})));
    assert_eq!(model(&exchange), "gpt-4.1", "a text needs no ears");
}

#[test]
fn a_request_that_no_target_can_take_is_refused_with_each_reason() {
    let house = house(
        "[routes.open]\ntargets = [\"openai/gpt-4o\", \"anthropic/claude-opus-4-7\"]\n[routes.open.require]\nopen_weights = true\n",
    );
    let got = ask(&house, "open", json!({}));
    assert_eq!(got.status, 400, "{}", got.text());
    for words in ["no target of `open`", "openai/gpt-4o: ", "anthropic/claude-opus-4-7: ", "weights"] {
        assert!(got.text().contains(words), "{words}: {}", got.text());
    }
    assert!(house.fleet.log().is_empty(), "nobody was asked");
}

#[test]
fn a_price_ceiling_and_a_date_of_retirement_leave_targets_out() {
    let clock = Hand::at_noon();
    let house = House::at(
        &format!(
            "{BOTH_VENDORS}[routes.cheap]\ntargets = [\"anthropic/claude-opus-4-7\", \"openai/gpt-4o-mini\"]\n\
             [routes.cheap.require]\nusd_per_million_output_max = 5\n\
             [routes.dying]\ntargets = [\"anthropic/claude-sonnet-4-5\", \"openai/gpt-4o-mini\"]\n"
        ),
        &[],
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    let exchange = record(&house, &ask(&house, "cheap", json!({})));
    assert_eq!(model(&exchange), "gpt-4o-mini");
    assert!(chosen(&exchange).removed[0].why.contains('$'), "{:?}", chosen(&exchange).removed);
    assert_eq!(model(&record(&house, &ask(&house, "dying", json!({})))), "claude-sonnet-4-5");
    clock.pass(8 * 24 * 3_600_000);
    let exchange = record(&house, &ask(&house, "dying", json!({})));
    assert_eq!(model(&exchange), "gpt-4o-mini", "on the day it stops it is not asked any more");
    assert!(chosen(&exchange).removed[0].why.contains("retired"), "{:?}", chosen(&exchange).removed);
}

#[test]
fn a_target_that_fails_again_and_again_rests_and_comes_back_by_probes() {
    let clock = Hand::at_noon();
    let mut acts = vec![Act::Write(vec![scripted::json("500 Oops", "", "{}")]); 5];
    acts.push(Act::Write(vec![scripted::json("200 OK", "", ANSWER)]));
    let vendor = Scripted::start(acts);
    let house = House::at(
        &format!(
            "{BOTH_VENDORS}[providers.shaky]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n\
             [routes.mended]\ntargets = [\"shaky/m\", \"openai/gpt-4o-mini\"]\n",
            vendor.address
        ),
        &[],
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    for nth in 1..=5 {
        let exchange = record(&house, &ask(&house, "mended", json!({})));
        assert_eq!((model(&exchange), vendor.calls()), ("gpt-4o-mini", nth));
    }
    let exchange = record(&house, &ask(&house, "mended", json!({})));
    assert_eq!((model(&exchange), vendor.calls()), ("gpt-4o-mini", 5), "it rests, and is not asked");
    assert!(chosen(&exchange).removed[0].why.contains("failing"), "{:?}", chosen(&exchange).removed);
    clock.pass(6_000);
    for _ in 0..3 {
        let exchange = record(&house, &ask(&house, "mended", json!({})));
        assert_eq!(model(&exchange), "m", "a probe went well, and so do the next ones");
    }
}

#[test]
fn a_vendor_that_asks_for_a_pause_gets_it() {
    let clock = Hand::at_noon();
    let limited = scripted::json(
        "429 Too Many Requests",
        "retry-after: 30\r\n",
        "{\"error\":{\"message\":\"Later.\"}}",
    );
    let vendor = Scripted::start(vec![
        Act::Write(vec![limited]),
        Act::Write(vec![scripted::json("200 OK", "", ANSWER)]),
    ]);
    let house = House::at(
        &format!(
            "{BOTH_VENDORS}[providers.busy]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n\
             [routes.calm]\ntargets = [\"busy/m\", \"openai/gpt-4o-mini\"]\n[routes.only]\ntargets = [\"busy/m\"]\n",
            vendor.address
        ),
        &[],
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    assert_eq!(model(&record(&house, &ask(&house, "calm", json!({})))), "gpt-4o-mini");
    clock.pass(29_000);
    assert_eq!(model(&record(&house, &ask(&house, "calm", json!({})))), "gpt-4o-mini");
    let refused = ask(&house, "only", json!({}));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
    assert_eq!(vendor.calls(), 1);
    clock.pass(1_500);
    assert_eq!(model(&record(&house, &ask(&house, "calm", json!({})))), "m");
}

#[test]
fn a_model_that_its_vendor_does_not_have_is_not_asked_for_again_for_a_while() {
    let clock = Hand::at_noon();
    let house = House::at(
        &format!("{BOTH_VENDORS}[routes.gone]\ntargets = [\"openai/fault-410\", \"openai/gpt-4o-mini\"]\n"),
        &[],
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    let asked =
        |house: &House| house.fleet.log().iter().filter(|entry| entry["model"] == "fault-410").count();
    for _ in 0..3 {
        assert_eq!(model(&record(&house, &ask(&house, "gone", json!({})))), "gpt-4o-mini");
    }
    assert_eq!(asked(&house), 1, "one 410 is enough, and the vendor is not dead for it");
    clock.pass(11 * 60 * 1000);
    assert_eq!(model(&record(&house, &ask(&house, "gone", json!({})))), "gpt-4o-mini");
    assert_eq!(asked(&house), 2, "the stone expires and is probed");
}

#[test]
fn a_conversation_stays_within_a_tool_loop_and_new_ones_are_shared() {
    let house = house(
        "[routes.mixed]\nstrategy = \"weighted\"\ntargets = [\"openai/gpt-4o\", \"openai/gpt-4.1\", \"openai/gpt-4o-mini\"]\n",
    );
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]);
    let mut homes = std::collections::BTreeSet::new();
    for nth in 0..12 {
        let mut turns = vec![json!({"role": "user", "content": format!("Conversation {nth}: look around.")})];
        let first = record(&house, &ask(&house, "mixed", json!({"messages": turns, "tools": tools})));
        let home = model(&first).to_owned();
        for step in 0..4 {
            let id = format!("call_{nth}_{step}");
            turns.push(json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
            ]}));
            turns.push(json!({"role": "tool", "tool_call_id": id, "content": "a harbour"}));
            let next = record(&house, &ask(&house, "mixed", json!({"messages": turns, "tools": tools})));
            assert_eq!(model(&next), home, "{nth}, {step}: {:?}", chosen(&next).order);
        }
        homes.insert(home);
    }
    // All twelve at one target has a chance of one in 177,147.
    assert!(homes.len() > 1, "{homes:?}");
}

#[test]
fn a_conversation_that_the_client_names_stays_with_its_target() {
    let house = house(
        "[routes.named]\nstrategy = \"sticky\"\ntargets = [\"openai/gpt-4o\", \"openai/gpt-4.1\", \"openai/gpt-4o-mini\"]\n",
    );
    let mut homes = std::collections::BTreeSet::new();
    for nth in 0..8 {
        let id = format!("conversation-{nth}");
        let of = |text: &str| {
            let body = Client::Openai.ask("named", text, false).to_string();
            let headers = [("x-pilothouse-conversation", id.as_str())];
            let exchange = record(&house, &house.post("/v1/chat/completions", &headers, body.as_bytes()));
            model(&exchange).to_owned()
        };
        let home = of("One.");
        assert_eq!((of("Two."), of("Three.")), (home.clone(), home.clone()));
        homes.insert(home);
    }
    assert!(homes.len() > 1, "{homes:?}");
}

/// Tokens of output that the first target of a choice was priced with.
fn priced_with(exchange: &Exchange) -> u64 {
    let why = &chosen(exchange).order[0].why;
    let (before, _) = why.rsplit_once(" out").unwrap_or_else(|| panic!("{why}"));
    before.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{why}"))
}

#[test]
fn cheapest_prices_the_answers_that_this_route_has_and_remembers_them_over_a_restart() {
    const ROUTES: &str = "[routes.short]\nstrategy = \"cheapest\"\ntargets = [\"openai/gpt-4o-mini\", \"openai/gpt-4o\"]\n\
                          [routes.other]\nstrategy = \"cheapest\"\ntargets = [\"openai/gpt-4o-mini\", \"openai/gpt-4o\"]\n";
    let mut house = house(ROUTES);
    let brief = json!({"messages": [{"role": "user", "content": "Briefly. [[words:6]]"}]});
    let first = record(&house, &ask(&house, "short", brief.clone()));
    assert_eq!(priced_with(&first), 500, "nobody knows yet");
    let length = first.bill.usage.output_total();
    assert!(length < 20, "{length}");
    for _ in 0..40 {
        record(&house, &ask(&house, "short", brief.clone()));
    }
    let learned = priced_with(&record(&house, &ask(&house, "short", brief.clone())));
    // Forty-one answers against the ten that the guess weighs.
    let wanted = (500 * 10 + length * 41) / 51;
    assert!(learned.abs_diff(wanted) <= 1, "{learned}, and not {wanted}");
    let other = priced_with(&record(&house, &ask(&house, "other", brief.clone())));
    assert_eq!(other, 500, "what one route learns is its own");
    house.restart(&format!("{BOTH_VENDORS}{ROUTES}"), &[], Hand::at_noon());
    eventually("the ledger has been read", || {
        let exchange = record(&house, &ask(&house, "other", brief.clone()));
        (priced_with(&exchange) == length).then_some(())
    });
}
