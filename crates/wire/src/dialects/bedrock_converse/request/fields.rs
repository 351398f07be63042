//! `additionalModelRequestFields`: what a model's own API takes and Converse has no member for.
//!
//! Claude takes `thinking` (`reasoning_config` in Bedrock's older pages), `top_k`, and `output_config`, as
//! Anthropic's own API does: <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>.
//! Nova takes `inferenceConfig.topK` and `reasoningConfig`:
//! <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>. OpenAI's open models take
//! `reasoning_effort`: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html>. Read
//! 2026-11-23.

use pilothouse_core::conversation::{Effort, Request, Thinking};
use pilothouse_core::error::Error;
use serde_json::Number;
use serde_json::value::RawValue;

use super::super::FAMILY;
use super::decode::keep;
use super::{FIELD, FIELDS, is_nova};
use crate::codec::{Losses, Target, ThinkingStyle};
use crate::dialects::anthropic_messages::thinking::{Plan, Switch, asked_effort};
use crate::dialects::note_budget;
use crate::json::{Members, Object, Path, as_text};

/// Reads what other dialects can say too; the whole is kept.
pub(super) fn read(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    // A document may be any JSON value.
    let Some(mut fields) = Members::of(raw) else {
        request.rest.push("additionalModelRequestFields", raw.into());
        return Ok(());
    };
    request.rest.push(FIELDS, raw.into());
    for name in ["thinking", "reasoning_config"] {
        if let Some(mut thinking) = fields.peek(name).and_then(Members::of) {
            read_thinking(&mut thinking, &path.member(name), request)?;
            if !thinking.is_empty() {
                keep(&mut request.rest, &format!("{FIELD}{name}."), thinking.rest());
            }
            fields.take(name);
        }
    }
    if let Some(number) = fields.peek("top_k").and_then(number) {
        fields.take("top_k");
        request.sampling.top_k = Some(number);
    }
    let in_nova = fields.peek("inferenceConfig").and_then(Members::of);
    if let Some(mut nova) = in_nova
        && let Some(number) = nova.take("topK").and_then(number)
    {
        request.sampling.top_k = Some(number);
        fields.take("inferenceConfig");
        keep(&mut request.rest, &format!("{FIELD}inferenceConfig."), nova.rest());
    }
    read_efforts(&mut fields, request);
    keep(&mut request.rest, FIELD, fields.rest());
    Ok(())
}

fn number(raw: &RawValue) -> Option<Number> {
    serde_json::from_str(raw.get()).ok()
}

fn read_thinking(thinking: &mut Members<'_>, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let Some(kind) = thinking.text("type", path)? else { return Ok(()) };
    request.reasoning.display = thinking.word("display", path)?;
    request.reasoning.thinking = Some(match kind.as_str() {
        "disabled" => Thinking::Off,
        "adaptive" => Thinking::Adaptive,
        "enabled" => match thinking.count("budget_tokens", path)? {
            Some(tokens) => Thinking::Budget(tokens),
            None => Thinking::Adaptive,
        },
        other => Thinking::Other(other.into()),
    });
    Ok(())
}

/// Takes the effort, by whichever name a family has for it.
fn read_efforts(fields: &mut Members<'_>, request: &mut Request) {
    let effort = |raw: &RawValue| as_text(raw).and_then(|word| Effort::parse(&word));
    if let Some(asked) = fields.peek("reasoning_effort").and_then(effort) {
        fields.take("reasoning_effort");
        request.reasoning.effort = Some(asked);
    }
    if let Some(mut config) = fields.peek("output_config").and_then(Members::of)
        && let Some(asked) = config.take("effort").and_then(effort)
    {
        fields.take("output_config");
        request.reasoning.effort = Some(asked);
        keep(&mut request.rest, &format!("{FIELD}output_config."), config.rest());
    }
    if let Some(mut config) = fields.peek("reasoningConfig").and_then(Members::of) {
        match config.take("type").and_then(as_text).as_deref() {
            Some("enabled") => {
                let asked = config.take("maxReasoningEffort").and_then(effort);
                request.reasoning.effort = asked.or(request.reasoning.effort);
                if request.reasoning.effort.is_none() {
                    request.reasoning.thinking = Some(Thinking::Adaptive);
                }
            }
            Some("disabled") => request.reasoning.thinking = Some(Thinking::Off),
            _ => return,
        }
        fields.take("reasoningConfig");
        keep(&mut request.rest, &format!("{FIELD}reasoningConfig."), config.rest());
    }
}

/// Writes the fields that a request of another dialect asks for.
pub(super) fn write(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    plan: &Plan,
    losses: &mut Losses,
) {
    let top_k = top_k(request, target, plan, losses);
    let effort = own_effort(request, target, losses);
    let is_nova = is_nova(target.model);
    if plan.thinking.is_none() && top_k.is_none() && effort.is_none() {
        return;
    }
    let mut fields = body.object("additionalModelRequestFields");
    if let Some(switch) = plan.thinking {
        write_switch(&mut fields.object("thinking"), switch, request, target);
    }
    match (top_k, is_nova) {
        (Some(number), true) => fields.object("inferenceConfig").number("topK", number),
        (Some(number), false) => fields.number("top_k", number),
        (None, _) => {}
    }
    match (effort, is_nova) {
        (Some(effort), true) => {
            let mut config = fields.object("reasoningConfig");
            config.text("type", "enabled");
            config.text("maxReasoningEffort", effort.as_str());
        }
        (Some(effort), false) => fields.text("reasoning_effort", effort.as_str()),
        (None, _) => {}
    }
}

fn write_switch(out: &mut Object<'_>, switch: Switch, request: &Request, target: &Target<'_>) {
    match switch {
        Switch::Off => out.text("type", "disabled"),
        Switch::Adaptive => {
            out.text("type", "adaptive");
            // These models show their thinking only where they are asked to.
            let shown = target.quirks.thinking == ThinkingStyle::Adaptive;
            out.maybe_text("display", request.reasoning.display.as_deref().filter(|_| shown));
        }
        Switch::Budget(tokens) => {
            out.text("type", "enabled");
            out.number("budget_tokens", tokens);
        }
    }
}

fn top_k<'r>(
    request: &'r Request,
    target: &Target<'_>,
    plan: &Plan,
    losses: &mut Losses,
) -> Option<&'r Number> {
    let asked = request.sampling.top_k.as_ref()?;
    let is_claude = target.family == FAMILY;
    let why = match () {
        () if is_claude && !target.quirks.sampling => "the model takes no sampling parameters",
        () if is_claude && plan.thinks() => "thinking excludes sampling parameters",
        () if is_claude || is_nova(target.model) => return Some(asked),
        () => "this dialect has no such member",
    };
    losses.drop("top_k", why);
    None
}

/// The effort for a model that is no Claude: its plan says nothing.
fn own_effort(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Option<Effort> {
    if target.family == FAMILY || request.reasoning.thinking == Some(Thinking::Off) {
        return None;
    }
    let asked = asked_effort(request)?;
    // Nova does not reason unless it is asked to.
    if asked == Effort::None && (target.quirks.efforts.is_empty() || is_nova(target.model)) {
        return None;
    }
    let Some(given) = target.quirks.nearest_effort(asked) else {
        losses.drop("reasoning_effort", "the model does not think on request");
        return None;
    };
    note_budget(request, given, losses);
    if given == Effort::High && is_nova(target.model) && sets_limits(request) {
        losses.add(
            "change:reasoning_effort",
            &format!("{} became medium: a high effort excludes limits and sampling here", asked.as_str()),
        );
        return Some(Effort::Medium);
    }
    if given != asked {
        losses.add("change:reasoning_effort", &format!("{} became {}", asked.as_str(), given.as_str()));
    }
    Some(given)
}

/// Whether a request sets what Nova refuses beside a high effort: the limit, and sampling
/// (<https://github.com/UKGovernmentBEIS/inspect_ai/issues/3767>, reported by Amazon, read 2026-11-23).
fn sets_limits(request: &Request) -> bool {
    let sampling = &request.sampling;
    request.output_limit.is_some()
        || [&sampling.temperature, &sampling.top_p, &sampling.top_k].iter().any(|set| set.is_some())
}
