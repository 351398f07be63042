//! A call's body as the compatibility rules see it.

use pilothouse_catalog::compat::{Fact, Path, RequestFacts, Seen, Step};
use serde_json::Value as Json;

use super::surfaces::wire::{Body, Node, Shape};

/// Most cache markers that a request may have (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>).
const CACHE_MARKS_MAX: usize = 4;

/// The view that rules have of a body.
#[derive(Clone, Copy, Debug)]
pub struct CallFacts<'b, 'c> {
    /// The body.
    pub body: &'b Body<'c>,
}

impl<'b, 'c> CallFacts<'b, 'c> {
    /// The node that a finding is about: a member by its path and the indices of lists, or what tells a fact.
    #[must_use]
    pub fn node(&self, path: &Path, indices: &[usize]) -> Option<&'b Node<'c>> {
        let mut nodes = self.body.members.as_slice();
        let mut indices = indices.iter();
        let mut found = None;
        for step in &path.steps {
            let node = nodes.iter().find(|node| *node.name == *step.name)?;
            let node = if step.is_each { node.items().get(*indices.next()?)? } else { node };
            nodes = members(node);
            found = Some(node);
        }
        found
    }

    /// Where a fact shows.
    #[must_use]
    pub fn node_of(&self, fact: Fact) -> Option<&'b Node<'c>> {
        match fact {
            Fact::EndsWithAssistant | Fact::EndsWithBlank => self.turns().last(),
            Fact::SystemWithin => self.turns().iter().find(|turn| role(turn) == Some("system")),
            Fact::EmptyText => self.turns().iter().find(|turn| has_empty_text(turn)),
            Fact::LongToolIds => self.turns().iter().find(|turn| has_long_id(turn)),
            Fact::BudgetAboveLimit => self.body.at("thinking.budget_tokens"),
            Fact::ManyCacheMarks => self.body.at("messages"),
            Fact::UnsealedReasoning | Fact::UnsignedCalls | Fact::TurnWithoutThinking => None,
        }
    }

    /// The turns of the conversation, as far as they are written down.
    fn turns(&self) -> &'b [Node<'c>] {
        let named = |name: &str| self.body.at(name).map(Node::items).filter(|items| !items.is_empty());
        named("messages").or_else(|| named("contents")).unwrap_or_default()
    }

    fn number(&self, path: &str) -> Option<f64> {
        match &self.body.at(path)?.shape {
            Shape::Plain(value) => value.as_f64(),
            _ => None,
        }
    }
}

impl RequestFacts for CallFacts<'_, '_> {
    fn each_member(&self, see: &mut dyn FnMut(&str)) {
        self.body.members.iter().filter(|node| !node.is_absent()).for_each(|node| see(&node.name));
    }

    fn each_at(&self, path: &Path, see: &mut dyn FnMut(&[usize], Seen<'_>)) {
        walk(&self.body.members, &path.steps, &mut Vec::new(), see);
    }

    fn tells(&self, fact: Fact) -> Option<bool> {
        let turns = self.turns();
        Some(match fact {
            Fact::EndsWithAssistant => {
                let role = role(turns.last()?)?;
                role == "assistant" || role == "model"
            }
            Fact::EndsWithBlank => {
                let last = turns.last()?;
                role(last)? == "assistant" && last_text(last)?.ends_with(char::is_whitespace)
            }
            Fact::SystemWithin => turns.iter().any(|turn| role(turn) == Some("system")),
            Fact::ManyCacheMarks => {
                let mut marks = 0;
                self.body.members.iter().for_each(|node| count_marks(node, &mut marks));
                marks > CACHE_MARKS_MAX
            }
            Fact::EmptyText => turns.iter().any(has_empty_text),
            Fact::LongToolIds => turns.iter().any(has_long_id),
            Fact::BudgetAboveLimit => {
                let (budget, limit) = (self.number("thinking.budget_tokens")?, self.number("max_tokens")?);
                budget >= limit
            }
            Fact::UnsealedReasoning | Fact::UnsignedCalls | Fact::TurnWithoutThinking => return None,
        })
    }
}

fn members<'b, 'c>(node: &'b Node<'c>) -> &'b [Node<'c>] {
    match &node.shape {
        Shape::Table(members) => members,
        _ => &[],
    }
}

fn walk(
    nodes: &[Node<'_>],
    steps: &[Step],
    indices: &mut Vec<usize>,
    see: &mut dyn FnMut(&[usize], Seen<'_>),
) {
    let Some((step, rest)) = steps.split_first() else { return };
    let Some(node) = nodes.iter().find(|node| *node.name == *step.name) else { return };
    if !step.is_each {
        return arrive(node, rest, indices, see);
    }
    for (index, item) in node.items().iter().enumerate() {
        indices.push(index);
        arrive(item, rest, indices, see);
        indices.pop();
    }
}

fn arrive(node: &Node<'_>, rest: &[Step], indices: &mut Vec<usize>, see: &mut dyn FnMut(&[usize], Seen<'_>)) {
    if !rest.is_empty() {
        return walk(members(node), rest, indices, see);
    }
    match &node.shape {
        Shape::Dynamic => see(indices, Seen::Dynamic),
        _ if node.is_absent() => {}
        _ => see(indices, Seen::Json(node.json().to_string().as_bytes())),
    }
}

fn role<'b>(turn: &'b Node<'_>) -> Option<&'b str> {
    turn.get("role")?.text()
}

/// The text that a turn ends with.
fn last_text<'b>(turn: &'b Node<'_>) -> Option<&'b str> {
    let content = turn.get("content")?;
    content.text().or_else(|| content.items().last()?.get("text")?.text())
}

/// The node of that text.
#[must_use]
pub fn last_text_node<'b, 'c>(turn: &'b Node<'c>) -> Option<&'b Node<'c>> {
    let content = turn.get("content")?;
    if content.text().is_some() { Some(content) } else { content.items().last()?.get("text") }
}

fn has_empty_text(turn: &Node<'_>) -> bool {
    let blocks = turn.get("content").map(Node::items).unwrap_or_default();
    let is_text = |block: &&Node<'_>| block.get("type").and_then(Node::text) == Some("text");
    blocks.iter().filter(is_text).any(|block| block.get("text").and_then(Node::text) == Some(""))
}

fn has_long_id(turn: &Node<'_>) -> bool {
    let calls = turn.get("tool_calls").map(Node::items).unwrap_or_default();
    let own = turn.get("tool_call_id").and_then(Node::text);
    let ids = calls.iter().filter_map(|call| call.get("id").and_then(Node::text)).chain(own);
    ids.into_iter().any(|id| id.len() != 9 || !id.chars().all(|letter| letter.is_ascii_alphanumeric()))
}

fn count_marks(node: &Node<'_>, marks: &mut usize) {
    if node.name == "cache_control" && !matches!(node.shape, Shape::Plain(Json::Null)) {
        *marks += 1;
    }
    node.items().iter().chain(members(node)).for_each(|inner| count_marks(inner, marks));
}
