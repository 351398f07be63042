//! The edits of the rules, on bytes.

use pilothouse_catalog::Catalog;
use pilothouse_catalog::compat::{About, Action, Compat, rules};
use pilothouse_core::dialect::Dialect;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn target(vendor: &str, dialect: Dialect, model: &str) -> Compat {
    let catalog = Catalog::bundled();
    let known = catalog.vendor(vendor);
    let quirks = known.map(|vendor| vendor.quirks.clone()).unwrap_or_default();
    Compat::of(
        &About { vendor, quirks: &quirks, model, output_tokens_max: Some(64_000), known: None },
        dialect,
    )
}

fn fitted(compat: &Compat, dialect: Dialect, body: &str) -> (String, Vec<String>) {
    let head = Head::read(body.as_bytes()).unwrap();
    let findings = check(dialect, compat, &head);
    let (body, notes) = apply(dialect, compat, body.as_bytes(), &findings).unwrap();
    (String::from_utf8(body).unwrap(), notes.iter().map(|note| note.code.to_string()).collect())
}

/// What a request becomes for a model of its maker.
fn becomes(model: &str, body: &str) -> (String, String) {
    let dialect = match model {
        claude if claude.starts_with("claude") => Dialect::AnthropicMessages,
        gemini if gemini.starts_with("gemini") => Dialect::GeminiGenerate,
        _ => Dialect::OpenaiChat,
    };
    let (body, notes) = fitted(&target("", dialect, model), dialect, body);
    (body, notes.join(" "))
}

#[test]
fn what_no_rule_is_about_stays_byte_for_byte() {
    let body = r#"{ "model":"gpt-5.5" ,"max_tokens" : 100, "messages":[ {"role":"user","content":"\u0041 \"max_tokens\":1"} ],
        "temperature":0.20,"x":1.0e2 }"#;
    let (out, notes) = becomes("gpt-5.5", body);
    assert_eq!(
        out,
        r#"{ "model":"gpt-5.5" ,"max_completion_tokens" : 100, "messages":[ {"role":"user","content":"\u0041 \"max_tokens\":1"} ],
        "x":1.0e2 }"#
    );
    assert_eq!(notes, "rename:max_tokens drop:temperature");
}

#[test]
fn members_go_with_the_comma_that_they_leave() {
    for (body, out) in [
        (r#"{"stop":"x"}"#, "{}"),
        (r#"{"stop":"x","n":1}"#, r#"{"n":1}"#),
        (r#"{"a":1,"stop":"x"}"#, r#"{"a":1}"#),
        (r#"{"a":1,"stop":"x","top_p":0.5,"logit_bias":{}}"#, r#"{"a":1}"#),
        (r#"{"stop":"x","top_p":0.5,"a":1,"logit_bias":{},"b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"st\u006fp":"x","a":1}"#, r#"{"a":1}"#),
    ] {
        assert_eq!(becomes("gpt-5.5", body).0, out, "{body}");
    }
}

#[test]
fn a_limit_is_capped_before_it_is_renamed() {
    let (out, notes) = becomes("gpt-5.5", r#"{"max_tokens":999999}"#);
    assert_eq!(
        (out.as_str(), notes.as_str()),
        (r#"{"max_completion_tokens":64000}"#, "clamp:max_tokens rename:max_tokens")
    );
    let (out, _) = becomes("gpt-5.5", r#"{"max_tokens":5,"max_completion_tokens":7}"#);
    assert_eq!(out, r#"{"max_completion_tokens":7}"#);
}

#[test]
fn efforts_become_the_nearest_that_the_model_knows() {
    assert_eq!(becomes("gpt-5.5", r#"{"reasoning_effort":"minimal"}"#).0, r#"{"reasoning_effort":"none"}"#);
    assert_eq!(becomes("gpt-5.5", r#"{"reasoning_effort":"max"}"#).0, r#"{"reasoning_effort":"xhigh"}"#);
    // A word that nobody knows is the vendor's to refuse.
    assert_eq!(becomes("gpt-5.5", r#"{"reasoning_effort":"much"}"#).0, r#"{"reasoning_effort":"much"}"#);
}

#[test]
fn claudes_budget_becomes_an_effort_and_back() {
    let old =
        r#"{"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":5000},"temperature":1,"top_k":4}"#;
    let (out, notes) = becomes("claude-opus-4-7", old);
    assert_eq!(
        out,
        r#"{"max_tokens":9000,"thinking":{"type":"adaptive"},"temperature":1,"output_config":{"effort":"medium"}}"#
    );
    assert_eq!(notes, "change:thinking drop:top_k");
    let new =
        r#"{"max_tokens":9000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low","format":{}}}"#;
    let (out, notes) = becomes("claude-sonnet-4-5", new);
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
    assert_eq!(out["output_config"], json!({"format": {}}));
    assert_eq!(notes, "change:thinking drop:output_config.effort");
}

#[test]
fn a_budget_shrinks_below_the_output_limit_or_goes() {
    let of = |limit: u64| {
        let body =
            format!(r#"{{"max_tokens":{limit},"thinking":{{"type":"enabled","budget_tokens":8000}}}}"#);
        becomes("claude-sonnet-4-5", &body).0
    };
    assert_eq!(of(4000), r#"{"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000}}"#);
    assert_eq!(of(500), r#"{"max_tokens":500}"#);
    assert_eq!(of(9000), r#"{"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":8000}}"#);
}

#[test]
fn a_prefill_gets_a_turn_behind_it_or_loses_its_blank_end() {
    let body =
        r#"{"max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b: "}]}"#;
    let (out, notes) = becomes("claude-opus-4-7", body);
    let ends = r#"{"role":"assistant","content":"b: "},{"role":"user","content":"Continue."}]}"#;
    assert!(out.ends_with(ends), "{out}");
    assert_eq!(notes, "add:user_turn");
    let (out, notes) = becomes("claude-sonnet-4-5", body);
    assert!(out.ends_with(r#"{"role":"assistant","content":"b:"}]}"#), "{out}");
    assert_eq!(notes, "trim:messages");
}

#[test]
fn instructions_within_the_conversation_go_to_the_top() {
    let body = r#"{"max_tokens":9,"system":"S","messages":[{"role":"system","content":"T"},{"role":"user","content":"a"},{"role":"system","content":[{"type":"text","text":"U"}]}]}"#;
    let (out, notes) = becomes("claude-opus-4-7", body);
    assert_eq!(
        out,
        r#"{"max_tokens":9,"system":[{"type":"text","text":"S"},{"type":"text","text":"T"},{"type":"text","text":"U"}],"messages":[{"role":"user","content":"a"}]}"#
    );
    assert_eq!(notes, "move:system");
    assert_eq!(becomes("claude-opus-5", body).1, "");
}

#[test]
fn four_cache_markers_are_left_and_the_oldest_turns_lose_theirs() {
    let mark = json!({"type": "ephemeral"});
    let turn = |role: &str, text: &str| json!({"role": role, "content": [{"type": "text", "text": text, "cache_control": mark}]});
    let body = json!({
        "max_tokens": 9,
        "system": [{"type": "text", "text": "s", "cache_control": mark}],
        "tools": [{"name": "t", "input_schema": {"properties": {"cache_control": {}}}, "cache_control": mark}],
        "messages": [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d"), turn("user", "e")],
    });
    let (out, notes) = becomes("claude-opus-4-7", &body.to_string());
    let out: Value = serde_json::from_str(&out).unwrap();
    let marked: Vec<bool> =
        (0..5).map(|at| out["messages"][at]["content"][0].get("cache_control").is_some()).collect();
    assert_eq!(marked, [false, false, false, true, true]);
    assert!(
        out["system"][0].get("cache_control").is_some() && out["tools"][0].get("cache_control").is_some()
    );
    assert!(out["tools"][0]["input_schema"]["properties"].get("cache_control").is_some());
    assert_eq!(notes, "drop:cache_control");
}

#[test]
fn the_text_editor_gets_the_name_and_the_version_of_its_model() {
    let body = r#"{"max_tokens":9,"tools":[{"name":"str_replace_editor","input_schema":{}},{"type":"text_editor_20250124","name":"str_replace_editor"}]}"#;
    let (out, notes) = becomes("claude-sonnet-4-5", body);
    assert_eq!(
        out,
        r#"{"max_tokens":9,"tools":[{"name":"str_replace_editor","input_schema":{}},{"type":"text_editor_20250728","name":"str_replace_based_edit_tool"}]}"#
    );
    assert_eq!(notes, "set:tools[].name set:tools[].type");
}

#[test]
fn empty_texts_and_blank_stops_go() {
    let body = r#"{"max_tokens":9,"stop_sequences":["\n","x"," "],"messages":[{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"a"},{"type":"text","text":""}]}]}"#;
    let (out, notes) = becomes("claude-opus-4-7", body);
    assert_eq!(
        out,
        r#"{"max_tokens":9,"stop_sequences":["x"],"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}"#
    );
    assert_eq!(notes, "drop:stop_sequences[] drop:stop_sequences[] drop:empty_text");
}

#[test]
fn gemini_reads_both_spellings() {
    let body = r#"{"contents":[],"generation_config":{"temperature":0.1,"max_output_tokens":99999,"thinkingConfig":{"thinking_budget":0}}}"#;
    let (out, notes) = becomes("gemini-3.1-pro-preview", body);
    assert_eq!(
        out,
        r#"{"contents":[],"generation_config":{"max_output_tokens":64000,"thinkingConfig":{"thinkingLevel":"LOW"}}}"#
    );
    assert_eq!(
        notes,
        "clamp:generationConfig.maxOutputTokens drop:generationConfig.temperature change:thinkingConfig"
    );
    let (out, _) =
        becomes("gemini-2.5-pro", r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH"}}}"#);
    assert_eq!(out, r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":24576}}}"#);
}

#[test]
fn calls_without_a_signature_get_googles_stand_in_in_the_current_turn_only() {
    let call = |name: &str| json!({"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}}, {"functionCall": {"name": "second", "args": {}}}]});
    let given =
        |name: &str| json!({"role": "user", "parts": [{"functionResponse": {"name": name, "response": {}}}]});
    let ask = json!({"role": "user", "parts": [{"text": "go"}]});
    let body = json!({"contents": [ask, call("old"), given("old"), ask, call("new"), given("new")]});
    let (out, notes) = becomes("gemini-3.1-pro-preview", &body.to_string());
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["contents"][4]["parts"][0]["thoughtSignature"], "skip_thought_signature_validator");
    assert!(out["contents"][4]["parts"][1].get("thoughtSignature").is_none());
    assert!(out["contents"][1]["parts"][0].get("thoughtSignature").is_none());
    assert_eq!(notes, "set:thoughtSignature");
}

#[test]
fn the_responses_api_gets_what_chat_completions_calls_otherwise() {
    let dialect = Dialect::OpenaiResponses;
    let body = r#"{"model":"gpt-5.5","messages":[{"role":"user","content":"a"}],"max_tokens":5,"reasoning_effort":"minimal","verbosity":"low","seed":1,"text":{"format":{"type":"text"}}}"#;
    let (out, notes) = fitted(&target("openai", dialect, "gpt-5.5"), dialect, body);
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        out,
        json!({"model": "gpt-5.5", "input": [{"role": "user", "content": "a"}], "max_output_tokens": 5,
            "reasoning": {"effort": "none"}, "text": {"format": {"type": "text"}, "verbosity": "low"}})
    );
    assert_eq!(notes.len(), 6, "{notes:?}");
    let items = r#"{"store":false,"input":[{"type":"reasoning","id":"rs_1","summary":[]},{"type":"reasoning","encrypted_content":"x"}]}"#;
    let (out, notes) = fitted(&target("openai", dialect, "gpt-5.5"), dialect, items);
    assert_eq!(out, r#"{"store":false,"input":[{"type":"reasoning","encrypted_content":"x"}]}"#);
    assert_eq!(notes, ["drop:reasoning"]);
}

#[test]
fn mistral_gets_ids_of_nine_letters_that_still_meet() {
    let body = json!({"seed": 1, "messages": [
        {"role": "developer", "content": "be kind"},
        {"role": "assistant", "tool_calls": [{"id": "call_abcdef", "function": {"arguments": "{\"id\":\"call_abcdef\"}"}}, {"id": "abc123XYZ"}]},
        {"role": "tool", "tool_call_id": "call_abcdef", "content": "x"},
    ]});
    let (out, notes) = fitted(
        &target("mistral", Dialect::OpenaiChat, "mistral-large-latest"),
        Dialect::OpenaiChat,
        &body.to_string(),
    );
    let out: Value = serde_json::from_str(&out).unwrap();
    let id = out["messages"][1]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && out["messages"][2]["tool_call_id"] == id, "{out}");
    assert_eq!(out["messages"][1]["tool_calls"][1]["id"], "abc123XYZ");
    assert_eq!((&out["messages"][0]["role"], &out["random_seed"]), (&json!("system"), &json!(1)));
    assert_eq!(notes, ["set:messages[].role", "rename:seed", "change:tool_call_id"]);
}

#[test]
fn a_refusal_names_the_rule_and_the_fix() {
    let compat = target("openai", Dialect::OpenaiChat, "gpt-5.5");
    let body = br#"{"model":"gpt-5.5","max_tokens":1}"#;
    let findings = check(Dialect::OpenaiChat, &compat, &Head::read(body).unwrap());
    let error = refusal(&findings[0], "gpt-5.5");
    assert_eq!(error.param.as_deref(), Some("max_tokens"));
    assert!(
        error.public.contains("openai-max-tokens") && error.public.contains("Send `max_completion_tokens`"),
        "{}",
        error.public
    );
}

/// Bodies made of the members that rules are about.
fn body() -> impl Strategy<Value = Value> {
    let names: Vec<String> =
        rules().iter().flat_map(|rule| rule.on.iter().map(|path| path.first().to_owned())).collect();
    let inner: Vec<String> =
        rules().iter().flat_map(|rule| rule.on.iter().map(|path| path.last().to_owned())).collect();
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(0)),
        Just(json!(0.5)),
        Just(json!(1)),
        Just(json!(999_999)),
        Just(json!("max")),
        Just(json!("enabled")),
        Just(json!("adaptive")),
        Just(json!(" ")),
        Just(json!("assistant")),
        Just(json!(["a", "b", " ", "d", "e", "f"])),
        Just(json!([{"type": "text_editor_20250124", "name": "x", "role": "developer"}])),
        Just(
            json!([{"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "a"}]}, {"role": "system", "content": "s"}, {"role": "assistant", "content": "b "}])
        ),
    ];
    let object = prop::collection::btree_map(prop::sample::select(inner), leaf.clone(), 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()));
    prop::collection::btree_map(prop::sample::select(names), prop_oneof![2 => leaf, 1 => object], 0..10)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn what_was_mended_is_found_no_more(
        body in body(),
        (vendor, model) in prop::sample::select(vec![
            ("openai", "gpt-5.5"), ("openai", "gpt-5.4"), ("openai", "gpt-5"), ("openai", "o3"), ("openai", "gpt-4o"), ("mistral", "mistral-large"),
            ("groq", "llama-3.3"), ("anthropic", "claude-opus-4-7"), ("anthropic", "claude-sonnet-4-6"), ("anthropic", "claude-sonnet-4-5"),
            ("anthropic", "claude-opus-5-5"), ("gemini", "gemini-3.1-pro-preview"), ("gemini", "gemini-2.5-flash"),
        ]),
        dialect in prop::sample::select(vec![Dialect::OpenaiChat, Dialect::OpenaiResponses, Dialect::AnthropicMessages, Dialect::GeminiGenerate]),
        pretty: bool,
    ) {
        let compat = target(vendor, dialect, model);
        let mut text = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) }.unwrap();
        // One mend may uncover another (a member that moved has a range of its own); three rounds end it.
        for _ in 0..3 {
            let (next, _) = fitted(&compat, dialect, &text);
            serde_json::from_str::<Value>(&next).unwrap();
            text = next;
        }
        let left = check(dialect, &compat, &Head::read(text.as_bytes()).unwrap());
        let left: Vec<_> = left.iter().filter(|finding| !matches!(finding.rule.action, Action::Rewrite(_))).map(|finding| finding.code()).collect();
        prop_assert!(left.is_empty(), "{left:?} in {text}");
    }
}
