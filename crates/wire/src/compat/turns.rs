//! What a conversation as a whole tells, and where: looked for only when a rule of the target asks.
//!
//! Histories are long and the answer is mostly no, so that a fact is asked in this order: what the top-level members
//! tell, a search of the list's bytes for what must stand there, the end of the list from behind, and only then the list.

use std::ops::Range;

use memchr::memmem;
use pilothouse_catalog::compat::Fact;
use pilothouse_core::dialect::Dialect;

use super::behind;
use super::place::{Place, is_named, items, member, members};
use crate::head::Head;
use crate::scan;

/// Most cache markers of one request.
/// <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>, 2026-11-23.
pub(super) const MARKS_MAX: usize = 4;

/// Whether the request's conversation is such.
pub(crate) fn tells(head: &Head<'_>, fact: Fact, dialect: Dialect) -> bool {
    let body = head.body();
    let list = |name: &str| {
        let found = head.find(|key| is_named(key, name, Dialect::OpenaiChat));
        found.map(|(_, member)| member.value())
    };
    let may_hold = |name: &str, text: &[u8]| list(name).is_some_and(|list| may_have(&body[list], text));
    match fact {
        Fact::EndsWithAssistant => {
            list("messages").is_some_and(|list| last_of_assistant(body, list).is_some())
        }
        Fact::EndsWithBlank => list("messages").is_some_and(|list| blank_end_of(body, list).is_some()),
        Fact::SystemWithin => may_hold("messages", b"\"system\"") && !of_role(body, "system").is_empty(),
        Fact::ManyCacheMarks => {
            let name = b"\"cache_control\"";
            memmem::find_iter(body, name).nth(MARKS_MAX).is_some() && cache_marks(body).len() > MARKS_MAX
        }
        Fact::EmptyText => {
            let list = list("messages");
            list.is_some_and(|list| has(&body[list], b"\"\"")) && !empty_texts(body).is_empty()
        }
        Fact::LongToolIds => may_hold("messages", b"\"tool_call") && !long_ids(body).is_empty(),
        Fact::UnsealedReasoning => {
            list("store").is_some_and(|value| &body[value] == b"false")
                && may_hold("input", b"\"reasoning\"")
                && !unsealed(body).is_empty()
        }
        Fact::UnsignedCalls => {
            let calls = |list: &Range<usize>| {
                let list = &body[list.clone()];
                has(list, b"functionCall") || may_have(list, b"function_call")
            };
            list("contents").filter(calls).is_some_and(|list| !unsigned_in(body, list, dialect).is_empty())
        }
        Fact::BudgetAboveLimit => {
            let (thinking, limit) = (list("thinking"), list("max_tokens"));
            thinking
                .zip(limit)
                .and_then(|(thinking, limit)| numbers(body, &thinking, limit))
                .is_some_and(|(budget, limit)| budget >= limit)
        }
        Fact::TurnWithoutThinking => has(body, b"\"assistant\"") && is_thoughtless(body),
    }
}

/// Whether a text may stand in these bytes, as a name or a whole value: as it is, or with letters written as `\u00XX`.
fn may_have(bytes: &[u8], text: &[u8]) -> bool {
    has(bytes, text) || has(bytes, b"\\u00")
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
pub(super) fn messages(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    top(body, "messages").into_iter().flat_map(|list| items(body, list))
}

fn last_of_assistant(body: &[u8], messages: Range<usize>) -> Option<Range<usize>> {
    let last = behind::items(body, messages).next()?;
    is_text(body, inner(body, &last, "role"), "assistant").then_some(last)
}

/// The text at the end of the assistant's last turn, where it ends with white space.
pub(super) fn blank_end(body: &[u8]) -> Option<Range<usize>> {
    blank_end_of(body, top(body, "messages")?)
}

fn blank_end_of(body: &[u8], messages: Range<usize>) -> Option<Range<usize>> {
    let content = inner(body, &last_of_assistant(body, messages)?, "content")?;
    let text = if body.get(content.start) == Some(&b'"') {
        content
    } else {
        let last = behind::items(body, content).next()?;
        is_text(body, inner(body, &last, "type"), "text").then(|| inner(body, &last, "text"))??
    };
    let words = scan::text_value(&body[text.clone()])?;
    (words.trim_end() != words && !words.trim().is_empty()).then_some(text)
}

/// The messages of a role, with their indices.
pub(super) fn of_role(body: &[u8], role: &str) -> Vec<(usize, Range<usize>)> {
    let list = messages(body).enumerate();
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
            items(body, value).for_each(|item| marks_below(body, item, depth + 1, found));
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
        let blocks: Vec<_> = items(body, content.clone()).collect();
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
            items(body, calls).for_each(|call| look(inner(body, &call, "id")));
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
    items(body, list.clone()).enumerate().filter(|(_, one)| is_unsealed(one)).map(item).collect()
}

/// Gemini's parts with the first function call of each step of the current turn, where it has no signature.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>, read 2026-11-23.
pub(super) fn unsigned(body: &[u8], dialect: Dialect) -> Vec<Range<usize>> {
    top(body, "contents").map(|list| unsigned_in(body, list, dialect)).unwrap_or_default()
}

fn unsigned_in(body: &[u8], contents: Range<usize>, dialect: Dialect) -> Vec<Range<usize>> {
    let part_has = |part: &Range<usize>, name: &str| {
        member(body, part.clone(), name, dialect).is_some_and(|place| &body[place.value] != b"null")
    };
    let parts_of = |content: &Range<usize>| {
        inner(body, content, "parts").into_iter().flat_map(|parts| items(body, parts))
    };
    let is_model = |content: &Range<usize>| is_text(body, inner(body, content, "role"), "model");
    let asks = |content: &Range<usize>| {
        !is_model(content) && parts_of(content).any(|part| !part_has(&part, "functionResponse"))
    };
    // The current turn begins behind the last that asks.
    let mut turn: Vec<_> = behind::items(body, contents).take_while(|content| !asks(content)).collect();
    turn.reverse();
    let mut found = Vec::new();
    let mut has_called = false;
    for content in &turn {
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
    let spoken: Vec<_> = messages(body).filter(|one| role(one).as_deref() != Some("system")).collect();
    let is_assistant = |message: &Range<usize>| role(message).as_deref() == Some("assistant");
    let first_block = |message: &Range<usize>| {
        inner(body, message, "content").and_then(|content| items(body, content).next())
    };
    let Some(last) = spoken.iter().rposition(is_assistant) else { return false };
    let first = spoken[..last].iter().rposition(|one| !is_assistant(one)).map_or(0, |before| before + 1);
    let is = |block: &Range<usize>, kind: &str, own: &str| {
        body.get(block.start) == Some(&b'{')
            && (is_text(body, inner(body, block, "type"), kind) || inner(body, block, own).is_some())
    };
    let answers = spoken
        .get(last + 1)
        .is_none_or(|next| first_block(next).is_some_and(|block| is(&block, "tool_result", "toolResult")));
    let begins = first_block(&spoken[first]).is_some_and(|block| {
        is(&block, "thinking", "reasoningContent") || is(&block, "redacted_thinking", "reasoningContent")
    });
    answers && !begins
}

/// Claude's thinking budget and the output limit.
pub(super) fn budget_and_limit(body: &[u8]) -> Option<(u64, u64)> {
    numbers(body, &top(body, "thinking")?, top(body, "max_tokens")?)
}

fn numbers(body: &[u8], thinking: &Range<usize>, limit: Range<usize>) -> Option<(u64, u64)> {
    let number = |value: Range<usize>| std::str::from_utf8(&body[value]).ok()?.parse::<u64>().ok();
    Some((number(inner(body, thinking, "budget_tokens")?)?, number(limit)?))
}
