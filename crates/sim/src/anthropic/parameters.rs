//! Top-level parameters: which exist, and which this model refuses.
//!
//! Members: `MessageCreateParams` of the Python SDK 2.12 and <https://platform.claude.com/docs/en/api/messages>, 2026-11-22.
//! Thinking, sampling and effort by model: <https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking>,
//! <https://platform.claude.com/docs/en/build-with-claude/effort> and the migration guide, 2026-11-22.

use super::error::{Refusal, listed};
use crate::models::{AnthropicRules, Model, Rules, Sampling, ThinkingKind};
use crate::shape::{Kind, Member, check, list, may, must, null, some, text};
use serde_json::{Value, json};

const CONSULT: &str =
    "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking";
const CACHE_CONTROL: Member = null("cache_control", Kind::Object);
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Members of a message request.
const MEMBERS: &[Member] = &[
    must("model", Kind::Text),
    must("max_tokens", Kind::Int { min: 1, max: i64::MAX }),
    must("messages", Kind::List),
    CACHE_CONTROL,
    null("container", Kind::TextOrObject),
    null("diagnostics", Kind::Object),
    null("inference_geo", Kind::Text),
    may("metadata", Kind::Object),
    may("output_config", Kind::Object),
    may("service_tier", Kind::OneOf(&["auto", "standard_only"])),
    null("speed", Kind::OneOf(&["standard", "fast"])),
    may("stop_sequences", Kind::List),
    may("stream", Kind::Bool),
    may("system", Kind::TextOrList),
    may("temperature", Kind::Num { min: 0.0, max: 1.0 }),
    may("thinking", Kind::Object),
    may("tool_choice", Kind::Object),
    may("tools", Kind::List),
    may("top_k", Kind::Int { min: 0, max: i64::MAX }),
    may("top_p", Kind::Num { min: 0.0, max: 1.0 }),
];

/// Members that exist only under a beta: the beta's prefix and the member.
const BETA_MEMBERS: &[(&str, &str)] = &[
    ("context-management-", "context_management"),
    ("mcp-client-", "mcp_servers"),
    ("structured-outputs-", "output_format"),
    ("message-threads-", "thread"),
];

/// Members of a token count.
const COUNT_MEMBERS: &[&str] = &[
    "model",
    "messages",
    "cache_control",
    "output_config",
    "speed",
    "system",
    "thinking",
    "tool_choice",
    "tools",
];

/// Refuses a message request's parameters. `beta` is the header's list.
pub(super) fn refuse(model: &Model, request: &Value, beta: &str) -> Result<(), Refusal> {
    let Some(map) = request.as_object() else {
        return Err(Refusal::bad("Input should be a valid dictionary"));
    };
    let allowed = |name: &str| BETA_MEMBERS.iter().any(|(b, m)| *m == name && beta.contains(b));
    if allowed("thread") && map.contains_key("thread") {
        return Err(Refusal::threads());
    }
    let mut map = map.clone();
    map.retain(|name, _| !allowed(name));
    check(&map, MEMBERS).map_err(|p| Refusal::shape("", p))?;
    shared(model, request)?;
    nested(request)?;
    let max_tokens = some(request, "max_tokens").and_then(Value::as_u64).unwrap_or(0);
    if max_tokens > model.output_tokens_max {
        let most = model.output_tokens_max;
        let message = format!(
            "max_tokens: {max_tokens} > {most}, which is the maximum allowed number of output tokens for {}",
            text(request, "model")
        );
        return Err(Refusal::bad(message));
    }
    let Rules::Anthropic(rules) = model.rules else { return Ok(()) };
    thinking(&rules, request, max_tokens)?;
    sampling(&rules, request)?;
    effort(model, &rules, request)
}

/// Refuses a token count's parameters.
pub(super) fn refuse_count(model: &Model, request: &Value) -> Result<(), Refusal> {
    let Some(map) = request.as_object() else {
        return Err(Refusal::bad("Input should be a valid dictionary"));
    };
    if let Some(name) = map.keys().find(|k| !COUNT_MEMBERS.contains(&k.as_str())) {
        return Err(Refusal::bad(format!("{name}: Extra inputs are not permitted")));
    }
    let members: Vec<Member> = MEMBERS.iter().filter(|m| COUNT_MEMBERS.contains(&m.name)).copied().collect();
    check(map, &members).map_err(|p| Refusal::shape("", p))?;
    shared(model, request)
}

/// What both calls check: tools and their choice.
fn shared(model: &Model, request: &Value) -> Result<(), Refusal> {
    super::tools::refuse(model, request)?;
    cache_control(request, "cache_control")
}

fn nested(request: &Value) -> Result<(), Refusal> {
    if let Some(map) = some(request, "metadata").and_then(Value::as_object) {
        check(map, &[null("user_id", Kind::Text)]).map_err(|p| Refusal::shape("metadata", p))?;
    }
    for (i, stop) in list(request, "stop_sequences").iter().enumerate() {
        match stop.as_str() {
            None => return Err(Refusal::bad(format!("stop_sequences.{i}: Input should be a valid string"))),
            Some(stop) if stop.trim().is_empty() => {
                return Err(Refusal::bad("stop_sequences: each stop sequence must contain non-whitespace"));
            }
            Some(_) => {}
        }
    }
    let Some(config) = some(request, "output_config") else { return Ok(()) };
    if let Some(map) = config.as_object() {
        check(map, &[null("effort", Kind::OneOf(EFFORTS)), null("format", Kind::Object)])
            .map_err(|p| Refusal::shape("output_config", p))?;
    }
    let Some(format) = some(config, "format") else { return Ok(()) };
    if let Some(map) = format.as_object() {
        check(map, &[must("type", Kind::OneOf(&["json_schema"])), must("schema", Kind::Object)])
            .map_err(|p| Refusal::shape("output_config.format", p))?;
    }
    closed(&format["schema"], 0).map_err(|why| Refusal::bad(format!("output_config.format.schema: {why}")))
}

/// Structured output takes only schemas whose objects are closed.
fn closed(schema: &Value, depth: usize) -> Result<(), String> {
    let Some(map) = schema.as_object().filter(|_| depth < 12) else { return Ok(()) };
    if text(schema, "type") == "object" && map.get("additionalProperties") != Some(&json!(false)) {
        return Err("For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned());
    }
    let groups = ["properties", "$defs", "definitions"].iter().filter_map(|g| map.get(*g)?.as_object());
    groups
        .flat_map(|g| g.values())
        .chain(map.get("items"))
        .chain(list(schema, "anyOf"))
        .try_for_each(|s| closed(s, depth + 1))
}

/// Checks the cache marker of an object; `at` is the marker's place.
pub(super) fn cache_control(object: &Value, at: &str) -> Result<(), Refusal> {
    let Some(map) = some(object, "cache_control").and_then(Value::as_object) else { return Ok(()) };
    let members = [must("type", Kind::OneOf(&["ephemeral"])), may("ttl", Kind::OneOf(&["5m", "1h"]))];
    check(map, &members).map_err(|p| Refusal::shape(&format!("{at}.ephemeral"), p))
}

/// Whether thinking is on for this request.
pub(super) fn thinks(rules: &AnthropicRules, request: &Value) -> bool {
    match request.get("thinking").map(|t| text(t, "type")) {
        Some("disabled") => false,
        Some(_) => true,
        None => rules.thinks_by_default,
    }
}

fn thinking(rules: &AnthropicRules, request: &Value, max_tokens: u64) -> Result<(), Refusal> {
    let config = request.get("thinking").unwrap_or(&Value::Null);
    if let Some(map) = config.as_object() {
        let kind = text(config, "type");
        let display = null("display", Kind::OneOf(&["summarized", "omitted"]));
        let members: &[Member] = match kind {
            "enabled" => &[
                must("type", Kind::Text),
                must("budget_tokens", Kind::Int { min: 1024, max: i64::MAX }),
                display,
            ],
            "adaptive" => &[must("type", Kind::Text), display],
            "disabled" => &[must("type", Kind::Text)],
            _ => {
                let message = format!(
                    "thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'"
                );
                return Err(Refusal::bad(message));
            }
        };
        check(map, members).map_err(|p| Refusal::shape(&format!("thinking.{kind}"), p))?;
        kind_fits(rules, request, kind)?;
        if kind == "enabled" && config["budget_tokens"].as_u64().unwrap_or(0) >= max_tokens {
            return Err(Refusal::bad(format!(
                "`max_tokens` must be greater than `thinking.budget_tokens`. {CONSULT}#max-tokens-and-context-window-size"
            )));
        }
    }
    if !thinks(rules, request) || config.is_null() {
        return Ok(());
    }
    if matches!(text(&request["tool_choice"], "type"), "any" | "tool") {
        return Err(Refusal::bad("Thinking may not be enabled when tool_choice forces tool use."));
    }
    let value = |name: &str| some(request, name).and_then(Value::as_f64);
    if rules.sampling == Sampling::None {
        return Ok(());
    }
    if value("temperature").is_some_and(|t| t != 1.0) {
        return Err(Refusal::bad(format!(
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. {CONSULT}#important-considerations-when-using-extended-thinking"
        )));
    }
    if value("top_p").is_some_and(|p| p < 0.95) {
        return Err(Refusal::bad(format!(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode. {CONSULT}#important-considerations-when-using-extended-thinking"
        )));
    }
    if value("top_k").is_some() {
        return Err(Refusal::bad(format!(
            "`top_k` must be unset when thinking is enabled or in adaptive mode. {CONSULT}#important-considerations-when-using-extended-thinking"
        )));
    }
    Ok(())
}

fn kind_fits(rules: &AnthropicRules, request: &Value, kind: &str) -> Result<(), Refusal> {
    match (rules.thinking, kind) {
        (ThinkingKind::Budget, "adaptive") => {
            Err(Refusal::bad("adaptive thinking is not supported on this model"))
        }
        (ThinkingKind::Adaptive | ThinkingKind::Always, "enabled") => Err(Refusal::bad(
            "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        )),
        (ThinkingKind::Always, "disabled") => Err(Refusal::bad(
            "\"thinking.type.disabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        )),
        (_, "disabled")
            if rules.thinks_by_default
                && matches!(text(&request["output_config"], "effort"), "xhigh" | "max") =>
        {
            Err(Refusal::bad(
                "\"thinking.type.disabled\" is not supported with \"output_config.effort\" above \"high\" for this model.",
            ))
        }
        _ => Ok(()),
    }
}

fn sampling(rules: &AnthropicRules, request: &Value) -> Result<(), Refusal> {
    let has = |name: &str| some(request, name).is_some();
    if rules.sampling == Sampling::None {
        let changed =
            |name: &str| some(request, name).is_some_and(|v| name == "top_k" || v.as_f64() != Some(1.0));
        return match ["temperature", "top_p", "top_k"].into_iter().find(|n| changed(n)) {
            Some(name) => Err(Refusal::bad(format!("`{name}` is deprecated for this model."))),
            None => Ok(()),
        };
    }
    if has("temperature") && has("top_p") {
        return Err(Refusal::bad(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ));
    }
    Ok(())
}

fn effort(model: &Model, rules: &AnthropicRules, request: &Value) -> Result<(), Refusal> {
    let effort = text(&request["output_config"], "effort");
    let allowed: &[&str] = match rules.thinking {
        ThinkingKind::Budget if model.made_as != "claude-opus-4-5" => &[],
        ThinkingKind::Budget => &EFFORTS[..3],
        ThinkingKind::Either => &["low", "medium", "high", "max"],
        ThinkingKind::Adaptive | ThinkingKind::Always => EFFORTS,
    };
    if effort.is_empty() || allowed.contains(&effort) {
        return Ok(());
    }
    if allowed.is_empty() {
        return Err(Refusal::bad("This model does not support the effort parameter."));
    }
    Err(Refusal::bad(format!(
        "output_config.effort: this model does not support '{effort}'. Supported values: {}",
        listed(allowed)
    )))
}

/// Refuses a prompt that does not fit the model's window.
pub(super) fn refuse_length(model: &Model, prompt_tokens: u64) -> Result<(), Refusal> {
    let window = model.context_tokens;
    if prompt_tokens > window {
        return Err(Refusal::bad(format!("prompt is too long: {prompt_tokens} tokens > {window} maximum")));
    }
    Ok(())
}
