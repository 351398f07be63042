//! How much to think, from one way of saying it to another.
//!
//! The steps between budgets and efforts are those of the codecs
//! (`dialects/anthropic_messages/request/thinking.rs`): up to 4,096 tokens are low, up to 12,288 medium, more is high.

use pilothouse_catalog::compat::{Finding, Path};
use serde_json::{Value, json};

use crate::compat::edit::Edited;
use crate::compat::place::{self, Place};
use crate::compat::turns;
use crate::scan;

/// The least budget that Claude takes.
/// <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>, 2026-11-22.
const BUDGET_MIN: u64 = 1024;

fn at(edited: &Edited<'_>, path: &str) -> Option<Place> {
    place::locate(&edited.body, &Path::parse(path)?.steps, &[], edited.dialect)
}

fn number(edited: &Edited<'_>, path: &str) -> Option<i64> {
    std::str::from_utf8(&edited.body[at(edited, path)?.value]).ok()?.parse().ok()
}

fn text(edited: &Edited<'_>, path: &str) -> Option<String> {
    scan::text_value(&edited.body[at(edited, path)?.value]).map(std::borrow::Cow::into_owned)
}

fn set(edited: &mut Edited<'_>, path: &str, value: &Value) -> bool {
    Path::parse(path).is_some_and(|path| edited.set(&path, value))
}

fn remove(edited: &mut Edited<'_>, path: &str) -> bool {
    let found = at(edited, path);
    found.is_some_and(|found| {
        place::remove(&mut edited.body, &found);
        true
    })
}

const fn effort_of(budget: i64) -> &'static str {
    match budget {
        ..=4096 => "low",
        4097..=12_288 => "medium",
        _ => "high",
    }
}

const fn budget_of(effort: &str) -> u64 {
    match effort.as_bytes() {
        b"low" => 2048,
        b"medium" => 8192,
        b"xhigh" => 24_576,
        b"max" => 32_000,
        _ => 16_384,
    }
}

/// `{type: enabled, budget_tokens: n}` becomes `{type: adaptive}` and an effort.
pub(super) fn adaptive(edited: &mut Edited<'_>) -> bool {
    let budget = number(edited, "thinking.budget_tokens");
    remove(edited, "thinking.budget_tokens");
    if let Some(budget) = budget
        && at(edited, "output_config.effort").is_none()
    {
        set(edited, "output_config.effort", &json!(effort_of(budget)));
    }
    set(edited, "thinking.type", &json!("adaptive"))
}

/// `{type: adaptive}` becomes a budget: that of the effort, below the output limit.
pub(super) fn budget(edited: &mut Edited<'_>) -> bool {
    let wanted = text(edited, "output_config.effort").map_or(16_384, |effort| budget_of(&effort));
    let limit = number(edited, "max_tokens").and_then(|limit| u64::try_from(limit).ok()).unwrap_or(u64::MAX);
    let given = wanted.min(limit / 2);
    if given < BUDGET_MIN {
        return remove(edited, "thinking");
    }
    let shown = text(edited, "thinking.display").is_some_and(|display| display == "omitted");
    let mut thinking = json!({ "type": "enabled", "budget_tokens": given });
    if shown {
        thinking["display"] = json!("omitted");
    }
    set(edited, "thinking", &thinking)
}

/// A budget that is not below the output limit becomes half of it; where that is too little, thinking goes.
pub(super) fn within_limit(edited: &mut Edited<'_>) -> bool {
    let Some((budget, limit)) = turns::budget_and_limit(&edited.body) else { return false };
    if budget < limit {
        return false;
    }
    if limit / 2 < BUDGET_MIN {
        remove(edited, "thinking")
    } else {
        set(edited, "thinking.budget_tokens", &json!(limit / 2))
    }
}

const CONFIG: &str = "generationConfig.thinkingConfig";

/// Gemini's level becomes a budget, where none is given.
pub(super) fn level_to_budget(edited: &mut Edited<'_>, finding: &Finding) -> bool {
    let Some(level) = finding.path().and_then(|path| text(edited, path.as_str())) else { return false };
    let taken = at(edited, &format!("{CONFIG}.thinkingBudget")).is_some();
    let is_gone = remove(edited, &format!("{CONFIG}.thinkingLevel"));
    let budget = match level.to_ascii_lowercase().as_str() {
        "minimal" => 512,
        "low" => 1024,
        "medium" => 8192,
        "high" => 24_576,
        _ => return is_gone,
    };
    is_gone && (taken || set(edited, &format!("{CONFIG}.thinkingBudget"), &json!(budget)))
}

/// Gemini's budget becomes the lowest level: only a budget that switches thinking off is refused.
pub(super) fn budget_to_level(edited: &mut Edited<'_>, finding: &Finding) -> bool {
    let Some(budget) = finding.path().and_then(|path| number(edited, path.as_str())) else { return false };
    let level = effort_of(budget).to_ascii_uppercase();
    remove(edited, &format!("{CONFIG}.thinkingBudget"))
        && set(edited, &format!("{CONFIG}.thinkingLevel"), &json!(level))
}
