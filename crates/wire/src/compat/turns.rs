//! What a conversation as a whole tells, and where: looked for only when a rule of the target asks.

use std::ops::Range;

use memchr::memmem;
use pilothouse_catalog::compat::Fact;
use pilothouse_core::dialect::Dialect;

use super::place::{Place, items, member, members};
use crate::scan;

/// Most cache markers of one request.
/// <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>, 2026-11-23.
pub(super) const MARKS_MAX: usize = 4;

/// Whether the body's conversation is such.
pub(super) fn tells(body: &[u8], fact: Fact, dialect: Dialect) -> bool {
    match fact {
        Fact::EndsWithAssistant => last_of_assistant(body).is_some(),
        Fact::EndsWithBlank => blank_end(body).is_some(),
        Fact::SystemWithin => has(body, b"\"system\"") && !of_role(body, "system").is_empty(),
        Fact::ManyCacheMarks => {
            let name = b"\"cache_control\"";
            memmem::find_iter(body, name).nth(MARKS_MAX).is_some() && cache_marks(body).len() > MARKS_MAX
        }
        Fact::EmptyText => has(body, b"\"\"") && !empty_texts(body).is_empty(),
        Fact::LongToolIds => has(body, b"\"tool_call") && !long_ids(body).is_empty(),
        Fact::UnsealedReasoning => has(body, b"\"reasoning\"") && !unsealed(body).is_empty(),
        Fact::UnsignedCalls => {
            (has(body, b"functionCall") || has(body, b"function_call")) && !unsigned(body, dialect).is_empty()
        }
        Fact::TurnWithoutThinking => has(body, b"\"assistant\"") && is_thoughtless(body),
        Fact::BudgetAboveLimit => budget_and_limit(body).is_some_and(|(budget, limit)| budget >= limit),
    }
}

fn has(body: &[u8], text: &[u8]) -> bool {
    memmem::find(body, text).is_some()
}

fn whole(body: &[u8]) -> Range<usize> {
    scan::skip_space(body, 0)..body.len()
}

/// The value of a top-level member.
fn top(body: &[u8], name: &str) -> Option<Range<usize>> {
    member(body, whole(body), name, Dialect::OpenaiChat).map(|place| place.value)
}

/// The value of a member of an object.
fn inner(body: &[u8], object: &Range<usize>, name: &str) -> Option<Range<usize>> {
    member(body, object.clone(), name, Dialect::OpenaiChat).map(|place| place.value)
}

fn is_text(body: &[u8], value: Option<Range<usize>>, wanted: &str) -> bool {
    value.and_then(|value| scan::text_value(&body[value])).is_some_and(|text| text == wanted)
}

/// The messages, in order.
pub(super) fn messages(body: &[u8]) -> Vec<Range<usize>> {
    top(body, "messages").map(|list| items(body, list)).unwrap_or_default()
}

fn last_of_assistant(body: &[u8]) -> Option<Range<usize>> {
    let last = messages(body).pop()?;
    is_text(body, inner(body, &last, "role"), "assistant").then_some(last)
}

/// The text at the end of the assistant's last turn, where it ends with white space.
pub(super) fn blank_end(body: &[u8]) -> Option<Range<usize>> {
    let content = inner(body, &last_of_assistant(body)?, "content")?;
    let text = if body.get(content.start) == Some(&b'"') {
        content
    } else {
        let last = items(body, content).pop()?;
        is_text(body, inner(body, &last, "type"), "text").then(|| inner(body, &last, "text"))??
    };
    let words = scan::text_value(&body[text.clone()])?;
    (words.trim_end() != words && !words.trim().is_empty()).then_some(text)
}

/// The messages of a role, with their indices.
pub(super) fn of_role(body: &[u8], role: &str) -> Vec<(usize, Range<usize>)> {
    let list = messages(body).into_iter().enumerate();
    list.filter(|(_, message)| is_text(body, inner(body, message, "role"), role)).collect()
}

/// Every member `cache_control`, in the order of the body.
pub(super) fn cache_marks(body: &[u8]) -> Vec<Place> {
    let mut found = Vec::new();
    for place in members(body, whole(body)) {
        match &body[place.key.clone()] {
            b"cache_control" => found.push(place),
            // Blocks carry markers; what tools take and what was given to them may have members of any name.
            b"system" | b"messages" | b"tools" => marks_below(body, place.value, 0, &mut found),
            _ => {}
        }
    }
    found
}

/// How deep blocks stand: messages, message, content, block, its own content, block.
const BLOCKS_DEEP: usize = 6;

fn marks_below(body: &[u8], value: Range<usize>, depth: usize, found: &mut Vec<Place>) {
    if depth > BLOCKS_DEEP {
        return;
    }
    match body.get(value.start) {
        Some(b'[') => {
            items(body, value).into_iter().for_each(|item| marks_below(body, item, depth + 1, found));
        }
        Some(b'{') => {
            for place in members(body, value) {
                match &body[place.key.clone()] {
                    b"cache_control" if &body[place.value.clone()] != b"null" => found.push(place),
                    b"content" => marks_below(body, place.value, depth + 1, found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Empty blocks of text that stand beside others: (message, block).
pub(super) fn empty_texts(body: &[u8]) -> Vec<Place> {
    let mut found = Vec::new();
    for message in messages(body) {
        let Some(content) = inner(body, &message, "content") else { continue };
        let blocks = items(body, content.clone());
        let is_empty = |block: &Range<usize>| {
            body.get(block.start) == Some(&b'{')
                && is_text(body, inner(body, block, "type"), "text")
                && is_text(body, inner(body, block, "text"), "")
        };
        let empty: Vec<usize> = (0..blocks.len()).filter(|index| is_empty(&blocks[*index])).collect();
        if empty.len() < blocks.len() {
            found.extend(empty.into_iter().map(|index| {
                let value = blocks[index].clone();
                Place { around: content.clone(), index, key: value.start..value.start, value }
            }));
        }
    }
    found
}

/// Ids of tool calls that are not nine letters or digits, where they are made and where they are answered.
pub(super) fn long_ids(body: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut look = |value: Option<Range<usize>>| {
        let Some(value) = value else { return };
        let is_short = scan::text_value(&body[value.clone()])
            .is_some_and(|id| id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if !is_short && body.get(value.start) == Some(&b'"') {
            found.push(value);
        }
    };
    for message in messages(body) {
        look(inner(body, &message, "tool_call_id"));
        if let Some(calls) = inner(body, &message, "tool_calls") {
            items(body, calls).iter().for_each(|call| look(inner(body, call, "id")));
        }
    }
    found
}

/// Reasoning items of a request that stores nothing, without what they were sealed with.
pub(super) fn unsealed(body: &[u8]) -> Vec<Place> {
    let stores_nothing = top(body, "store").is_some_and(|value| &body[value] == b"false");
    let Some(list) = top(body, "input").filter(|_| stores_nothing) else { return Vec::new() };
    let is_unsealed = |item: &Range<usize>| {
        body.get(item.start) == Some(&b'{')
            && is_text(body, inner(body, item, "type"), "reasoning")
            && inner(body, item, "encrypted_content").is_none_or(|value| &body[value] == b"null")
    };
    let item = |(index, value): (usize, Range<usize>)| Place {
        around: list.clone(),
        index,
        key: value.start..value.start,
        value,
    };
    items(body, list.clone()).into_iter().enumerate().filter(|(_, one)| is_unsealed(one)).map(item).collect()
}

/// Gemini's parts with the first function call of each step of the current turn, where it has no signature.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>, read 2026-11-23.
pub(super) fn unsigned(body: &[u8], dialect: Dialect) -> Vec<Range<usize>> {
    let part_has = |part: &Range<usize>, name: &str| {
        member(body, part.clone(), name, dialect).is_some_and(|place| &body[place.value] != b"null")
    };
    let contents = top(body, "contents").map(|list| items(body, list)).unwrap_or_default();
    let parts_of = |content: &Range<usize>| {
        inner(body, content, "parts").map(|parts| items(body, parts)).unwrap_or_default()
    };
    let is_model = |content: &Range<usize>| is_text(body, inner(body, content, "role"), "model");
    let asks = |content: &Range<usize>| {
        !is_model(content) && parts_of(content).iter().any(|part| !part_has(part, "functionResponse"))
    };
    let begin = contents.iter().rposition(asks).map_or(0, |at| at + 1);
    let mut found = Vec::new();
    let mut has_called = false;
    for content in &contents[begin..] {
        if !is_model(content) {
            has_called = false;
            continue;
        }
        for part in parts_of(content) {
            if part_has(&part, "functionCall") {
                if !has_called && !part_has(&part, "thoughtSignature") {
                    found.push(part);
                }
                has_called = true;
            }
        }
    }
    found
}

/// Whether the assistant's last turn begins with something else than thinking, where a tool's result answers it or the
/// model is to continue it. Blocks are Anthropic's, or Bedrock's.
fn is_thoughtless(body: &[u8]) -> bool {
    let role = |message: &Range<usize>| {
        inner(body, message, "role").and_then(|value| scan::text_value(&body[value]))
    };
    // The vendor reads consecutive messages of one speaker as one turn; instructions in between are of no speaker.
    let spoken: Vec<_> =
        messages(body).into_iter().filter(|one| role(one).as_deref() != Some("system")).collect();
    let is_assistant = |message: &Range<usize>| role(message).as_deref() == Some("assistant");
    let blocks = |message: &Range<usize>| {
        inner(body, message, "content").map(|content| items(body, content)).unwrap_or_default()
    };
    let Some(last) = spoken.iter().rposition(is_assistant) else { return false };
    let first = spoken[..last].iter().rposition(|one| !is_assistant(one)).map_or(0, |before| before + 1);
    let is = |block: &Range<usize>, kind: &str, own: &str| {
        body.get(block.start) == Some(&b'{')
            && (is_text(body, inner(body, block, "type"), kind) || inner(body, block, own).is_some())
    };
    let answers = spoken
        .get(last + 1)
        .is_none_or(|next| blocks(next).first().is_some_and(|block| is(block, "tool_result", "toolResult")));
    let begins = blocks(&spoken[first]).first().is_some_and(|block| {
        is(block, "thinking", "reasoningContent") || is(block, "redacted_thinking", "reasoningContent")
    });
    answers && !begins
}

/// Claude's thinking budget and the output limit.
pub(super) fn budget_and_limit(body: &[u8]) -> Option<(u64, u64)> {
    let number = |value: Range<usize>| std::str::from_utf8(&body[value]).ok()?.parse::<u64>().ok();
    let budget = inner(body, &top(body, "thinking")?, "budget_tokens")?;
    Some((number(budget)?, number(top(body, "max_tokens")?)?))
}
