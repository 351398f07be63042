//! Compatibility rules before the strict fleet: what it refuses by its own table is mended, reported, or refused by us.

use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::four::{FOUR_VENDORS, Speaker};
use crate::harness::http::Got;

/// Members that an older client sends: whose dialect, to which model, which members, and the codes of what is changed.
fn old_requests() -> Vec<(Speaker, &'static str, Value, &'static [&'static str])> {
    use Speaker::{Anthropic, Chat, Gemini, Responses};
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}});
    let prefill = json!([{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Well, "}]);
    let system_within =
        json!([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello."}]);
    let call = json!([
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "weather", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "weather", "response": {"result": "mild"}}}]},
    ]);
    let declared = json!([{"functionDeclarations": [{"name": "weather", "description": "Looks it up."}]}]);
    let marked = |count: usize| -> Value {
        let block = json!({"type": "text", "text": "Hello.", "cache_control": {"type": "ephemeral"}});
        json!([{"role": "user", "content": vec![block; count]}])
    };
    vec![
        (Chat, "gpt-5.5", json!({"max_tokens": 100}), &["rename:max_tokens"]),
        (Chat, "gpt-5.5", json!({"temperature": 0.2, "top_p": 0.9}), &["drop:temperature", "drop:top_p"]),
        (
            Chat,
            "gpt-5.5",
            json!({"stop": ["END"], "presence_penalty": 0.5, "logit_bias": {"1": 2}}),
            &["drop:stop", "drop:presence_penalty", "drop:logit_bias"],
        ),
        (
            Chat,
            "gpt-5.5",
            json!({"logprobs": true, "top_logprobs": 2}),
            &["drop:logprobs", "drop:top_logprobs"],
        ),
        (Chat, "gpt-5.5", json!({"reasoning_effort": "minimal"}), &["change:reasoning_effort"]),
        (
            Chat,
            "gpt-5.5",
            json!({"reasoning_effort": "low", "tools": [tool("f")]}),
            &["drop:reasoning_effort"],
        ),
        (Chat, "gpt-5.5", json!({"n": 2}), &["drop:n"]),
        (Chat, "gpt-5.5", json!({"max_completion_tokens": 9_999_999}), &["clamp:max_completion_tokens"]),
        (Chat, "gpt-5.1", json!({"reasoning_effort": "xhigh"}), &["change:reasoning_effort"]),
        (Chat, "gpt-5.4", json!({"reasoning_effort": "low", "temperature": 0.5}), &["drop:temperature"]),
        (Chat, "gpt-5", json!({"reasoning_effort": "none"}), &["change:reasoning_effort"]),
        (
            Chat,
            "o3",
            json!({"parallel_tool_calls": true, "tools": [tool("f")]}),
            &["drop:parallel_tool_calls"],
        ),
        (Chat, "o3", json!({"temperature": 0}), &["drop:temperature"]),
        (Chat, "gpt-4o", json!({"reasoning_effort": "low"}), &["drop:reasoning_effort"]),
        (Chat, "gpt-4o", json!({"stop": ["a1", "b1", "c1", "d1", "e1"]}), &["cut:stop"]),
        (Chat, "gpt-4o", json!({"verbosity": "low"}), &["drop:verbosity"]),
        (Chat, "gpt-4o", json!({"top_logprobs": 2}), &["set:logprobs"]),
        (Chat, "gpt-4o", json!({"stream_options": {"include_usage": true}}), &["drop:stream_options"]),
        (Chat, "gpt-4o", json!({"max_tokens": 5, "max_completion_tokens": 9}), &["drop:max_tokens"]),
        (Responses, "gpt-5.5", json!({"max_tokens": 100}), &["rename:max_tokens"]),
        (Responses, "gpt-5.5", json!({"max_output_tokens": 5}), &["clamp:max_output_tokens"]),
        (
            Responses,
            "gpt-5.5",
            json!({"reasoning_effort": "minimal"}),
            &["change:reasoning_effort", "move:reasoning_effort"],
        ),
        (
            Responses,
            "gpt-5.5",
            json!({"temperature": 0.2, "stop": "x", "n": 1}),
            &["drop:stop", "drop:n", "drop:temperature"],
        ),
        (Responses, "gpt-4.1", json!({"reasoning": {"effort": "low"}}), &["drop:reasoning"]),
        (
            Anthropic,
            "claude-opus-4-7",
            json!({"temperature": 0.2, "top_p": 0.5}),
            &["drop:temperature", "drop:top_p"],
        ),
        (Anthropic, "claude-opus-4-7", json!({"top_k": 5}), &["drop:top_k"]),
        (
            Anthropic,
            "claude-opus-4-7",
            json!({"thinking": {"type": "enabled", "budget_tokens": 1500}}),
            &["change:thinking"],
        ),
        (Anthropic, "claude-opus-4-7", json!({"messages": prefill}), &["add:user_turn"]),
        (Anthropic, "claude-opus-4-7", json!({"messages": system_within}), &["move:system"]),
        (Anthropic, "claude-opus-4-7", json!({"max_tokens": 9_999_999}), &["clamp:max_tokens"]),
        (
            Anthropic,
            "claude-opus-4-7",
            json!({"max_tokens": null, "max_completion_tokens": 90}),
            &["rename:max_completion_tokens"],
        ),
        (Anthropic, "claude-opus-4-7", json!({"max_tokens": null}), &["set:max_tokens"]),
        (
            Anthropic,
            "claude-opus-4-7",
            json!({"user": "u", "n": 1, "seed": 3}),
            &["move:user", "drop:n", "drop:seed"],
        ),
        (Anthropic, "claude-opus-4-7", json!({"messages": marked(5)}), &["drop:cache_control"]),
        (Anthropic, "claude-opus-4-7", json!({"stop_sequences": [" ", "x"]}), &["drop:stop_sequences[]"]),
        (Anthropic, "claude-opus-5-5", json!({"thinking": {"type": "disabled"}}), &["drop:thinking"]),
        (
            Anthropic,
            "claude-opus-5",
            json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}),
            &["set:output_config.effort"],
        ),
        (
            Anthropic,
            "claude-opus-4-6",
            json!({"output_config": {"effort": "xhigh"}}),
            &["change:output_config.effort"],
        ),
        (Anthropic, "claude-sonnet-4-5", json!({"thinking": {"type": "adaptive"}}), &["change:thinking"]),
        (Anthropic, "claude-sonnet-4-5", json!({"temperature": 0.5, "top_p": 0.5}), &["drop:top_p"]),
        (
            Anthropic,
            "claude-sonnet-4-5",
            json!({"thinking": {"type": "enabled", "budget_tokens": 9000}, "max_tokens": 4000}),
            &["change:thinking"],
        ),
        (
            Anthropic,
            "claude-sonnet-4-5",
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 0.5}),
            &["drop:temperature"],
        ),
        (
            Anthropic,
            "claude-sonnet-4-5",
            json!({"output_config": {"effort": "low"}}),
            &["drop:output_config.effort"],
        ),
        (
            Gemini,
            "gemini-3.1-pro-preview",
            json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}),
            &["change:thinkingConfig"],
        ),
        (
            Gemini,
            "gemini-3.1-pro-preview",
            json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 99, "thinkingLevel": "LOW"}}}),
            &["drop:generationConfig.thinkingConfig.thinkingBudget"],
        ),
        (
            Gemini,
            "gemini-3.1-pro-preview",
            json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}}),
            &["change:generationConfig.thinkingConfig.thinkingLevel"],
        ),
        (
            Gemini,
            "gemini-3.1-pro-preview",
            json!({"generationConfig": {"candidateCount": 2, "presencePenalty": 0.5}}),
            &["drop:generationConfig.presencePenalty", "drop:generationConfig.candidateCount"],
        ),
        (
            Gemini,
            "gemini-3.1-pro-preview",
            json!({"contents": call, "tools": declared}),
            &["set:thoughtSignature"],
        ),
        (
            Gemini,
            "gemini-2.5-pro",
            json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}),
            &["change:thinkingConfig"],
        ),
        (
            Gemini,
            "gemini-2.5-pro",
            json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 10}}}),
            &["clamp:generationConfig.thinkingConfig.thinkingBudget"],
        ),
        (
            Gemini,
            "gemini-2.5-flash",
            json!({"generationConfig": {"responseMimeType": "application/json"}, "tools": declared}),
            &["drop:generationConfig.responseMimeType"],
        ),
        (
            Gemini,
            "gemini-2.5-flash",
            json!({"generationConfig": {"stopSequences": ["a1", "b1", "c1", "d1", "e1", "f1"]}}),
            &["cut:generationConfig.stopSequences"],
        ),
    ]
}

fn ask(house: &House, speaker: Speaker, model: &str, members: &Value, headers: &[(&str, &str)]) -> Got {
    let model = format!("{}/{model}", speaker.vendor());
    let mut body = speaker.body(&model, "Hello.", false, false);
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    house.post(&speaker.path(&model, false), headers, body.to_string().as_bytes())
}

#[test]
fn what_the_vendor_refuses_goes_through_mended_and_the_header_says_how() {
    let house = House::with(FOUR_VENDORS);
    for (speaker, model, members, codes) in old_requests() {
        let label = format!("{speaker:?} {model} {members}");
        let refused = ask(&house, speaker, model, &members, &[("x-pilothouse-compat", "off")]);
        assert!(matches!(refused.status, 400 | 404), "the fleet takes {label}: {}", refused.text());
        let got = ask(&house, speaker, model, &members, &[]);
        assert_eq!(got.status, 200, "{label}: {}", got.text());
        let changed = got.header("x-pilothouse-changed").unwrap_or_default().to_owned();
        for code in codes {
            assert!(changed.contains(code), "{label}: {code} is not in {changed}");
        }
        let record = house.record(&got);
        let edits = &record.receipt.as_ref().unwrap().edits;
        assert!(
            codes.iter().all(|code| edits.iter().any(|note| note.code == *code && !note.detail.is_empty())),
            "{label}: {edits:?}"
        );
    }
}

#[test]
fn under_strict_the_refusal_names_the_rule_and_the_fix_and_nothing_is_sent() {
    let house = House::with(&format!("compat = \"strict\"\n{FOUR_VENDORS}"));
    for (speaker, model, members, _) in old_requests() {
        let label = format!("{speaker:?} {model} {members}");
        let got = ask(&house, speaker, model, &members, &[]);
        assert_eq!(got.status, 400, "{label}: {}", got.text());
        let text = got.text();
        assert!(text.contains("(rule ") && text.contains("compat = "), "{label}: {text}");
    }
    assert_eq!(house.fleet.log().len(), 0);
    let clean = ask(&house, Speaker::Chat, "gpt-5.5", &json!({"max_completion_tokens": 100}), &[]);
    assert_eq!(clean.status, 200, "{}", clean.text());
}

#[test]
fn a_translated_request_is_refused_under_strict_for_what_its_encoder_would_leave_out() {
    let house = House::with(FOUR_VENDORS);
    let members = json!({"temperature": 0.2, "max_tokens": 90});
    let post = |mode: &str| {
        let mut body = Speaker::Chat.body("anthropic/claude-opus-4-7", "Hello.", false, false);
        body["temperature"] = members["temperature"].clone();
        body["max_tokens"] = members["max_tokens"].clone();
        house.post("/v1/chat/completions", &[("x-pilothouse-compat", mode)], body.to_string().as_bytes())
    };
    let strict = post("strict");
    assert_eq!(strict.status, 400, "{}", strict.text());
    assert!(strict.text().contains("claude-sampling"), "{}", strict.text());
    let mended = post("fix-and-report");
    assert_eq!(mended.status, 200, "{}", mended.text());
    assert!(mended.header("x-pilothouse-changed").unwrap().contains("drop:temperature"));
}

#[test]
fn a_mode_that_nobody_knows_is_refused_with_those_that_are() {
    let house = House::with(FOUR_VENDORS);
    let got = ask(&house, Speaker::Chat, "gpt-5.5", &json!({}), &[("x-pilothouse-compat", "loose")]);
    assert_eq!(got.status, 400);
    assert!(got.text().contains("fix-and-report, strict, off"), "{}", got.text());
}

#[test]
fn a_provider_may_have_a_mode_of_its_own() {
    let configuration = FOUR_VENDORS.replace("[providers.chat]", "[providers.chat]\ncompat = \"off\"");
    let house = House::with(&format!("compat = \"strict\"\n{configuration}"));
    let old = json!({"max_tokens": 100});
    let passed = ask(&house, Speaker::Chat, "gpt-5.5", &old, &[]);
    assert!(passed.status == 400 && !passed.text().contains("(rule "), "{}", passed.text());
    assert_eq!(house.fleet.log().len(), 1);
}
