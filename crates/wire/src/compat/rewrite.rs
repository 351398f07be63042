//! The edits that take more than one step.

mod ids;
mod thinking;

use pilothouse_catalog::compat::{Finding, Rewrite};
use pilothouse_core::dialect::Dialect;

use super::edit::Edited;
use super::place::{self, items, member, push, remove};
use super::{splice, turns};
use crate::head::quoted;
use crate::scan;

/// The output limit of a model that the catalogue does not know: what every Claude since 3.5 writes.
const LIMIT_USUAL: u64 = 4096;
/// What the person says where the model does not go on by itself.
const GO_ON: &[u8] = br#"{"role":"user","content":"Continue."}"#;
/// The same as Bedrock writes it.
const GO_ON_IN_BLOCKS: &[u8] = br#"{"role":"user","content":[{"text":"Continue."}]}"#;
/// What Google takes where a call was made without it.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>, read 2026-11-23.
const STAND_IN: &[u8] = br#""skip_thought_signature_validator""#;

/// Makes a rewrite. False where there is nothing of it any more.
pub(super) fn make(edited: &mut Edited<'_>, rewrite: Rewrite, finding: &Finding) -> bool {
    match rewrite {
        Rewrite::AdaptiveThinking => thinking::adaptive(edited),
        Rewrite::BudgetThinking => thinking::budget(edited),
        Rewrite::BudgetWithinLimit => thinking::within_limit(edited),
        Rewrite::LevelToBudget => thinking::level_to_budget(edited, finding),
        Rewrite::BudgetToLevel => thinking::budget_to_level(edited, finding),
        Rewrite::SetOutputLimit => {
            let limit = edited.compat.output_tokens_max().unwrap_or(LIMIT_USUAL);
            finding.path().is_some_and(|path| edited.set(path, &limit.into()))
        }
        Rewrite::AddUserTurn => {
            let list = member(&edited.body, 0..edited.body.len(), "messages", edited.dialect);
            let is_bedrock = edited.dialect == Dialect::BedrockConverse;
            list.is_some_and(|list| {
                push(&mut edited.body, list.value, if is_bedrock { GO_ON_IN_BLOCKS } else { GO_ON });
                true
            })
        }
        Rewrite::TrimEnd => trim_end(edited),
        Rewrite::HoistSystem => hoist_system(edited),
        Rewrite::KeepFourCacheMarks => keep_four(edited),
        Rewrite::DropEmptyText => remove_all(edited, turns::empty_texts),
        Rewrite::DropUnsealedReasoning => remove_all(edited, turns::unsealed),
        Rewrite::NineLetterToolIds => ids::shorten(edited),
        Rewrite::StandInSignatures => stand_in(edited),
    }
}

/// Removes what `find` finds, from the last to the first, so that places stay true.
fn remove_all(edited: &mut Edited<'_>, find: impl Fn(&[u8]) -> Vec<place::Place>) -> bool {
    let found = find(&edited.body);
    found.iter().rev().for_each(|place| remove(&mut edited.body, place));
    !found.is_empty()
}

fn trim_end(edited: &mut Edited<'_>) -> bool {
    let Some(text) = turns::blank_end(&edited.body) else { return false };
    let Some(words) = scan::text_value(&edited.body[text.clone()]).map(|words| words.trim_end().to_owned())
    else {
        return false;
    };
    edited.body.splice(text, quoted(&words));
    true
}

/// Moves system messages to the top, behind what stands there, as blocks.
fn hoist_system(edited: &mut Edited<'_>) -> bool {
    let found = turns::of_role(&edited.body, "system");
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for (_, message) in &found {
        let Some(content) = member(&edited.body, message.clone(), "content", edited.dialect) else {
            continue;
        };
        blocks.extend(blocks_of(&edited.body, content.value));
    }
    let Some(list) = member(&edited.body, 0..edited.body.len(), "messages", edited.dialect) else {
        return false;
    };
    // Only instructions: the vendor asks for a turn of the person's, and says so itself.
    if found.len() == items(&edited.body, list.value.clone()).count() {
        return false;
    }
    for (index, value) in found.iter().rev() {
        let key = value.start..value.start;
        remove(
            &mut edited.body,
            &place::Place { around: list.value.clone(), index: *index, key, value: value.clone() },
        );
    }
    let standing = member(&edited.body, 0..edited.body.len(), "system", edited.dialect);
    let mut all = standing.map(|place| blocks_of(&edited.body, place.value)).unwrap_or_default();
    all.extend(blocks);
    let text = [b"[", all.join(&b',').as_slice(), b"]"].concat();
    let steps = pilothouse_catalog::compat::Path::parse("system").map(|path| path.steps).unwrap_or_default();
    place::set(&mut edited.body, &steps, edited.dialect, &text)
}

/// Content as blocks: a text becomes one.
fn blocks_of(body: &[u8], content: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    match body.get(content.start) {
        Some(b'"') => vec![[br#"{"type":"text","text":"#, &body[content], b"}"].concat()],
        Some(b'[') => items(body, content).map(|item| body[item].to_vec()).collect(),
        _ => Vec::new(),
    }
}

/// Removes markers until four are left: the oldest turns' first, then those of tools and instructions.
fn keep_four(edited: &mut Edited<'_>) -> bool {
    let marks = turns::cache_marks(&edited.body);
    let turns =
        member(&edited.body, 0..edited.body.len(), "messages", edited.dialect).map(|place| place.value);
    let in_turns = |mark: &&place::Place| {
        turns.as_ref().is_some_and(|turns| turns.start <= mark.key.start && mark.value.end <= turns.end)
    };
    let (old, standing): (Vec<_>, Vec<_>) = marks.iter().partition(in_turns);
    let extra = marks.len().saturating_sub(turns::MARKS_MAX);
    let mut going: Vec<_> = old.into_iter().chain(standing).take(extra).collect();
    going.sort_by_key(|mark| std::cmp::Reverse(mark.key.start));
    going.iter().for_each(|mark| remove(&mut edited.body, mark));
    !going.is_empty()
}

fn stand_in(edited: &mut Edited<'_>) -> bool {
    let parts = turns::unsigned(&edited.body, edited.dialect);
    for part in parts.iter().rev() {
        match member(&edited.body, part.clone(), "thoughtSignature", edited.dialect) {
            Some(null) => splice(&mut edited.body, vec![(null.value, STAND_IN.to_vec())]),
            None => place::insert(&mut edited.body, part.clone(), "thoughtSignature", STAND_IN),
        }
    }
    !parts.is_empty()
}
