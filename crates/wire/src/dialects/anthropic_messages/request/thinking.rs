//! How effort from another dialect becomes Claude's thinking.
//!
//! | asked effort | models that think adaptively (4.6 and later) | models with a budget (3.7 to 4.5) |
//! | --- | --- | --- |
//! | none | `thinking: disabled` | `thinking: disabled` |
//! | minimal | adaptive, effort low | 1,024 tokens |
//! | low | adaptive, effort low | 2,048 tokens |
//! | medium | adaptive, effort medium | 8,192 tokens |
//! | high | adaptive, effort high | 16,384 tokens |
//! | xhigh | adaptive, effort xhigh, where not known high | 24,576 tokens |
//! | max | adaptive, effort max | 32,000 tokens |
//!
//! A budget stays below the output limit; where fewer than 1,024 tokens would be left, thinking is off. Thinking
//! excludes a forced tool, so that it is off then too.
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>, looked up 2026-11-22.

use pilothouse_core::conversation::{Effort, Request, Role, Thinking, ToolChoice};

use crate::codec::{Losses, Target, ThinkingStyle};
use crate::dialects::note_budget;

/// The least that a budget may be.
const BUDGET_MIN: u64 = 1024;

/// What goes into the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::dialects) struct Plan {
    pub(in crate::dialects) thinking: Option<Switch>,
    pub(in crate::dialects) effort: Option<Effort>,
}

/// `thinking.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialects) enum Switch {
    Off,
    Adaptive,
    Budget(u64),
}

impl Plan {
    /// Whether the model will think.
    pub(in crate::dialects) const fn thinks(&self) -> bool {
        matches!(self.thinking, Some(Switch::Adaptive | Switch::Budget(_)))
    }
}

/// The plan for a request of another dialect, with this output limit.
pub(in crate::dialects) fn plan(
    request: &Request,
    target: &Target<'_>,
    max_tokens: u64,
    losses: &mut Losses,
) -> Plan {
    let quirks = &target.quirks;
    if request.reasoning.thinking == Some(Thinking::Off) {
        let thinking = (quirks.thinking != ThinkingStyle::None).then_some(Switch::Off);
        return Plan { thinking, effort: None };
    }
    let Some(asked) = asked_effort(request) else { return Plan::default() };
    if quirks.thinking == ThinkingStyle::None {
        if asked != Effort::None {
            losses.drop("reasoning_effort", "the model does not think on request");
        }
        return Plan::default();
    }
    if asked == Effort::None {
        return Plan { thinking: Some(Switch::Off), effort: None };
    }
    let effort = quirks.nearest_effort(asked);
    if let Some(given) = effort
        && given != asked
    {
        losses.add("change:reasoning_effort", &format!("{} became {}", asked.as_str(), given.as_str()));
    }
    if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_)))
        || matches!(request.tool_choice, Some(ToolChoice::Allowed { required: true, .. }))
    {
        losses.add("off:thinking", "a forced tool excludes thinking");
        return Plan { thinking: None, effort };
    }
    if quirks.prefill && request.messages.last().is_some_and(|message| message.role == Role::Assistant) {
        losses.add("off:thinking", "an assistant message to continue excludes thinking");
        return Plan { thinking: None, effort };
    }
    match quirks.thinking {
        ThinkingStyle::Either | ThinkingStyle::Adaptive => {
            if let Some(given) = effort {
                note_budget(request, given, losses);
            }
            Plan { thinking: Some(Switch::Adaptive), effort }
        }
        ThinkingStyle::Budget | ThinkingStyle::None => {
            let wanted = match request.reasoning.thinking {
                Some(Thinking::Budget(tokens)) => Some(tokens.max(BUDGET_MIN)),
                _ => budget_of(asked),
            };
            let given = wanted.and_then(|wanted| budget(wanted, max_tokens, losses));
            Plan { thinking: given.map(Switch::Budget), effort }
        }
    }
}

/// The effort that is asked for: by name, or by a number of tokens, as Gemini's clients do.
pub(in crate::dialects) fn asked_effort(request: &Request) -> Option<Effort> {
    match (request.reasoning.effort, &request.reasoning.thinking) {
        (Some(effort), _) => Some(effort),
        (None, Some(Thinking::Budget(..=4096))) => Some(Effort::Low),
        (None, Some(Thinking::Budget(..=12288))) => Some(Effort::Medium),
        (None, Some(Thinking::Budget(_) | Thinking::Adaptive)) => Some(Effort::High),
        (None, _) => None,
    }
}

/// The budget of an effort.
const fn budget_of(asked: Effort) -> Option<u64> {
    match asked {
        Effort::None => None,
        Effort::Minimal => Some(1024),
        Effort::Low => Some(2048),
        Effort::Medium => Some(8192),
        Effort::High => Some(16384),
        Effort::Xhigh => Some(24576),
        Effort::Max => Some(32000),
    }
}

fn budget(wanted: u64, max_tokens: u64, losses: &mut Losses) -> Option<u64> {
    // Half of a small limit stays for the answer itself.
    let given = wanted.min(max_tokens / 2);
    if given < BUDGET_MIN {
        losses.add("off:thinking", "the output limit leaves no room for the smallest budget of 1024 tokens");
        return None;
    }
    if given < wanted {
        losses.add(
            "change:reasoning_effort",
            &format!("a budget of {given} tokens, as the output limit is {max_tokens}"),
        );
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_core::dialect::Dialect;

    fn plan_for(model: &str, effort: Effort, max_tokens: u64) -> (Plan, usize) {
        let mut request = Request::new(Dialect::OpenaiChat, model);
        request.reasoning.effort = Some(effort);
        let target = Target::of(Dialect::AnthropicMessages, model);
        let mut losses = Losses::default();
        let plan = plan(&request, &target, max_tokens, &mut losses);
        (plan, losses.notes().len())
    }

    #[test]
    fn new_models_think_adaptively_and_old_ones_by_budget() {
        let adaptive = |effort| Plan { thinking: Some(Switch::Adaptive), effort: Some(effort) };
        assert_eq!(plan_for("claude-opus-4-7", Effort::Xhigh, 64000), (adaptive(Effort::Xhigh), 0));
        assert_eq!(plan_for("claude-opus-4-6", Effort::Xhigh, 64000), (adaptive(Effort::High), 1));
        let budget = Plan { thinking: Some(Switch::Budget(8192)), effort: None };
        assert_eq!(plan_for("claude-sonnet-4-5", Effort::Medium, 64000), (budget, 0));
        assert_eq!(plan_for("claude-3-5-haiku-20241022", Effort::High, 8192), (Plan::default(), 1));
    }

    #[test]
    fn a_budget_stays_below_the_output_limit() {
        let (small, notes) = plan_for("claude-sonnet-4-5", Effort::High, 4096);
        assert_eq!((small.thinking, notes), (Some(Switch::Budget(2048)), 1));
        let (none, notes) = plan_for("claude-sonnet-4-5", Effort::High, 500);
        assert_eq!((none.thinking, notes), (None, 1));
    }
}
