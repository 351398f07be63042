//! The rules by what they find in requests.

use std::collections::HashSet;

use pilothouse_core::dialect::Dialect;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{About, Action, Compat, Fact, Finding, Path, RequestFacts, Rewrite, Seen, rules};
use crate::day;

/// Facts of a parsed body: slow and plain, so that the check is tested alone.
struct Plain(Value);

fn walk(
    value: &Value,
    steps: &[super::Step],
    indices: &mut Vec<usize>,
    see: &mut dyn FnMut(&[usize], Seen<'_>),
) {
    let Some((step, rest)) = steps.split_first() else {
        if !value.is_null() {
            see(indices, Seen::Json(value.to_string().as_bytes()));
        }
        return;
    };
    let Some(inner) = value.get(&*step.name) else { return };
    if !step.is_each {
        return walk(inner, rest, indices, see);
    }
    for (index, item) in inner.as_array().into_iter().flatten().enumerate() {
        indices.push(index);
        walk(item, rest, indices, see);
        indices.pop();
    }
}

impl RequestFacts for Plain {
    fn each_member(&self, see: &mut dyn FnMut(&str)) {
        self.0.as_object().into_iter().flatten().for_each(|(name, _)| see(name));
    }

    fn each_at(&self, path: &Path, see: &mut dyn FnMut(&[usize], Seen<'_>)) {
        walk(&self.0, &path.steps, &mut Vec::new(), see);
    }

    fn tells(&self, fact: Fact) -> Option<bool> {
        (fact == Fact::EndsWithAssistant).then(|| {
            let last = self.0["messages"].as_array().and_then(|list| list.last());
            last.is_some_and(|message| message["role"] == "assistant")
        })
    }
}

fn about(model: &str) -> About<'_> {
    About { model, output_tokens_max: Some(64_000), ..About::default() }
}

fn found(model: &str, dialect: Dialect, body: Value) -> Vec<Finding> {
    Compat::of(&about(model), dialect).check(&Plain(body))
}

fn codes(model: &str, dialect: Dialect, body: Value) -> Vec<&'static str> {
    found(model, dialect, body).iter().map(Finding::code).collect()
}

#[test]
fn every_rule_is_whole_and_has_a_name_of_its_own() {
    let parsed = super::rule::parse(super::rule::TEXT).unwrap();
    assert_eq!(parsed.len(), rules().len());
    assert!(parsed.len() >= 40, "{}", parsed.len());
    let mut names = HashSet::new();
    for rule in rules() {
        assert!(names.insert(&rule.id), "{} stands twice", rule.id);
        assert!(!rule.dialects.is_empty() && !rule.title.is_empty() && !rule.fix.is_empty(), "{}", rule.id);
        assert!(day::start_of(&rule.as_of).is_some(), "{}: {}", rule.id, rule.as_of);
        assert!(rule.evidence.iter().all(|page| page.starts_with("https://")), "{}", rule.id);
        assert!(!rule.evidence.is_empty() && (rule.fact.is_some() || !rule.on.is_empty()), "{}", rule.id);
    }
}

#[test]
fn no_target_has_more_rules_than_fit_their_bits() {
    for dialect in Dialect::ALL {
        let of_dialect = rules().iter().filter(|rule| rule.dialects.contains(&dialect)).count();
        assert!(of_dialect <= 128, "{dialect}: {of_dialect}");
    }
}

#[test]
fn every_rewrite_belongs_to_a_rule() {
    let used: HashSet<Rewrite> = rules()
        .iter()
        .filter_map(|rule| if let Action::Rewrite(rewrite) = rule.action { Some(rewrite) } else { None })
        .collect();
    assert_eq!(used.len(), 14);
}

#[test]
fn old_parameters_of_chat_completions_are_found_for_a_model_that_reasons() {
    let body = json!({"model": "gpt-5.5", "max_tokens": 100, "temperature": 0.2, "stop": ["x"], "n": 1, "messages": []});
    assert_eq!(
        codes("gpt-5.5", Dialect::OpenaiChat, body.clone()),
        ["rename:max_tokens", "drop:temperature", "drop:stop"]
    );
    // The same request is what GPT-4o takes.
    assert_eq!(codes("gpt-4o", Dialect::OpenaiChat, body), [""; 0]);
}

#[test]
fn what_depends_on_the_effort_is_looked_up_there() {
    let with = |effort: Value| json!({"temperature": 0.2, "reasoning_effort": effort});
    assert_eq!(codes("gpt-5.5", Dialect::OpenaiChat, with(json!("none"))), [""; 0]);
    assert_eq!(codes("gpt-5.5", Dialect::OpenaiChat, with(Value::Null)), ["drop:temperature"]);
    assert_eq!(codes("gpt-5.4", Dialect::OpenaiChat, with(Value::Null)), [""; 0]);
    assert_eq!(codes("gpt-5.4", Dialect::OpenaiChat, with(json!("low"))), ["drop:temperature"]);
    assert_eq!(
        codes("gpt-5", Dialect::OpenaiChat, with(json!("xhigh"))),
        ["change:reasoning_effort", "drop:temperature"]
    );
}

#[test]
fn the_catalogues_word_on_a_capability_overrules_the_name() {
    let body = json!({"temperature": 0.2, "max_tokens": 1});
    let platform = crate::Catalog::bundled();
    let opus = platform.model("anthropic", "claude-opus-4-7").unwrap();
    let known = About { model: "somebody-elses-name", known: Some(&opus), ..About::default() };
    let rules = Compat::of(&known, Dialect::AnthropicMessages);
    let found: Vec<_> = rules.check(&Plain(body)).iter().map(Finding::code).collect();
    assert_eq!(found, ["drop:temperature"]);
}

#[test]
fn limits_are_those_of_the_catalogue() {
    let body = json!({"max_tokens": 100_000, "messages": [{"role": "user"}]});
    assert_eq!(codes("claude-opus-4-7", Dialect::AnthropicMessages, body), ["clamp:max_tokens"]);
    assert_eq!(
        codes("claude-opus-4-7", Dialect::AnthropicMessages, json!({"messages": []})),
        ["set:max_tokens"]
    );
}

#[test]
fn siblings_in_lists_are_compared_with_each_other() {
    let body = json!({"max_tokens": 1, "tools": [
        {"name": "mine", "input_schema": {}},
        {"type": "text_editor_20250728", "name": "str_replace_editor"},
        {"type": "text_editor_20250124", "name": "str_replace_based_edit_tool"},
    ]});
    let found = found("claude-sonnet-4-5", Dialect::AnthropicMessages, body);
    let places: Vec<_> = found.iter().map(Finding::place).collect();
    assert_eq!(places, ["tools[1].type", "tools[2].type"]);
    assert_eq!(found[0].code(), "set:tools[].name");
}

#[test]
fn a_prefill_is_found_where_the_model_does_not_continue_it() {
    let body = json!({"max_tokens": 1, "messages": [{"role": "user"}, {"role": "assistant"}]});
    assert_eq!(codes("claude-sonnet-4-6", Dialect::AnthropicMessages, body.clone()), ["add:user_turn"]);
    assert_eq!(codes("claude-sonnet-4-5", Dialect::AnthropicMessages, body), [""; 0]);
}

#[test]
fn the_nearest_word_is_the_next_lower_one() {
    let words = Action::Nearest(["low", "high"].map(String::from).to_vec());
    assert_eq!(words.nearest("medium"), Some("low"));
    assert_eq!(words.nearest("max"), Some("high"));
    assert_eq!(words.nearest("none"), Some("low"));
    assert_eq!(words.nearest("MINIMAL"), Some("low"));
    assert_eq!(words.nearest("enormous"), None);
}

#[test]
fn servers_are_known_by_their_vendor_and_its_quirks() {
    let body =
        json!({"max_completion_tokens": 5, "seed": 1, "messages": [{"role": "developer"}, {"role": "user"}]});
    let quirks = ["max-tokens-only".to_owned()];
    let mistral = About { vendor: "mistral", quirks: &quirks, model: "mistral-large", ..About::default() };
    let found = Compat::of(&mistral, Dialect::OpenaiChat).check(&Plain(body.clone()));
    let codes: Vec<_> = found.iter().map(Finding::code).collect();
    assert_eq!(codes, ["rename:max_completion_tokens", "set:messages[].role", "rename:seed"]);
    assert_eq!(found[1].place(), "messages[0].role");
    let other = About { vendor: "", model: "mistral-large", ..About::default() };
    assert!(Compat::of(&other, Dialect::OpenaiChat).check(&Plain(body)).is_empty());
}

proptest! {
    #[test]
    fn no_body_makes_the_check_panic(
        names in prop::collection::vec(prop::sample::select(vec![
            "max_tokens", "temperature", "reasoning", "thinking", "tools", "messages", "generationConfig", "stop", "output_config",
        ]), 0..6),
        value in prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!("x")), Just(json!([{"type": 1}])), Just(json!({"type": "enabled"}))],
        model in prop::sample::select(vec!["gpt-5.5", "claude-opus-4-7", "gemini-3.1-pro-preview", "o3", "llama"]),
    ) {
        let body: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
        for dialect in Dialect::ALL {
            let _ = found(model, dialect, Value::Object(body.clone()));
        }
    }
}
