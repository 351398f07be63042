//! Tables that are made of tables, and builders that are handed on: what a call gives that only copies, merges or ends
//! what it is called on.

use super::names::is_name;
use super::shape::{Entry, Invocation, Node, Shape, children, field, kind_of, slice, text};
use super::value::{At, Values};
use super::walk::setter_name;

/// Calls without arguments that give what they are called on.
const SAME: &[&str] = &[
    "build",
    "Build",
    "copy",
    "clone",
    "dup",
    "Clone",
    "toBuilder",
    "newBuilder",
    "unwrap",
    "to_h",
    "symbolize_keys",
];

/// Methods that give what they are called on, with what they are given put in.
const WITH: &[&str] = &["merge", "deep_merge", "reverse_merge", "copy", "plus", "with"];

/// Functions that give their tables put together.
const TOGETHER: &[&str] = &["array_merge", "array_replace", "array_merge_recursive", "defu"];

/// Functions of a block in which calls are made on a builder.
const BLOCKS: &[&str] = &["apply", "also", "run", "let", "tap"];

/// How far into a block calls are looked for.
const BLOCK_DEPTH_MAX: usize = 12;

impl<'t> Values<'_, 't, '_> {
    /// What a call gives that only copies or ends what it is called on: `BASE.copy()`, `builder.build()`.
    pub(super) fn handed_on(&self, call: &Invocation<'t>, at: At) -> Option<Node<'t>> {
        let (object, name) = (call.object?, call.name?);
        let shape = (self.walk.grammar.shape)(object, self.walk.source);
        let is_told = call.entries.is_empty() && SAME.contains(&text(name, self.walk.source));
        (is_told && is_name(&shape) && self.is_bound(object, at)).then_some(object)
    }

    /// The members of the tables that a call puts together: `params.merge(top_p: 0.2)`, `Object.assign({}, base, more)`.
    pub(super) fn merged(&self, call: &Invocation<'t>, at: At) -> Option<Vec<Entry<'t>>> {
        let source = self.walk.source;
        let name = text(call.name?, source);
        let is_table = |node: Node<'t>| {
            let shape = (self.walk.grammar.shape)(node, source);
            matches!(shape, Shape::Table { .. }) || (is_name(&shape) && self.is_bound(node, at))
        };
        let all = call.entries.iter().map(spread);
        match call.object {
            Some(object) if name == "assign" && text(object, source) == "Object" => Some(all.collect()),
            None if TOGETHER.contains(&name) => Some(all.collect()),
            Some(object) if WITH.contains(&name) && !call.entries.is_empty() && is_table(object) => {
                let is_given = |entry: &Entry<'t>| entry.name.is_some() || entry.value.is_some_and(is_table);
                let base = Entry::spread(object, Some(object));
                call.entries.iter().all(is_given).then(|| std::iter::once(base).chain(all).collect())
            }
            _ => None,
        }
    }

    fn is_bound(&self, node: Node<'t>, at: At) -> bool {
        self.walk.names.is_bound(at.scope, text(node, self.walk.source), self.walk.grammar)
    }

    /// What a function of one expression or a block sets on the builder that it is given:
    /// `request -> request.modelId("m").temperature(0.5F)`.
    pub(super) fn configured(&self, node: Node<'t>) -> Option<Vec<Entry<'t>>> {
        if !kind_of(node).contains("lambda") || !self.walk.grammar.has_builders {
            return None;
        }
        let given = field(node, "parameters")?;
        let given = text(given, self.walk.source).trim_matches(['(', ')', ' ']);
        let body = field(node, "body")?;
        let mut entries = Vec::new();
        self.chained(body, given, 0, &mut entries);
        (!entries.is_empty()).then_some(entries)
    }

    /// The links of chains of calls that begin with a name, in a body.
    fn chained(&self, node: Node<'t>, given: &str, depth: usize, entries: &mut Vec<Entry<'t>>) {
        let source = self.walk.source;
        let mut links = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next
            && let Shape::Call(call) = (self.walk.grammar.shape)(node, source)
            && links.len() < 64
        {
            next = call.object;
            links.push((node, call));
        }
        if !links.is_empty() {
            if next.is_some_and(|root| text(root, source) == given) {
                entries.extend(links.iter().rev().filter_map(|(node, call)| link(*node, call, source)));
            }
            return;
        }
        if depth < BLOCK_DEPTH_MAX {
            children(node).into_iter().for_each(|child| self.chained(child, given, depth + 1, entries));
        }
    }
}

/// A link of a chain as a member.
fn link<'t>(node: Node<'t>, call: &Invocation<'t>, source: &str) -> Option<Entry<'t>> {
    let (object, name) = (call.object?, call.name?);
    let [only] = &call.entries[..] else { return None };
    let bare = setter_name(text(name, source));
    let end = name.end_byte();
    Some(Entry {
        name: Some((bare.to_owned(), end - bare.len()..end)),
        // From behind what it is called on.
        span: object.end_byte()..node.end_byte(),
        value: only.value,
        is_spread: only.is_spread,
        is_statement: true,
    })
}

fn spread<'t>(entry: &Entry<'t>) -> Entry<'t> {
    let mut entry = entry.clone();
    entry.is_spread |= entry.name.is_none();
    entry
}

/// Whether a function runs a block on what it is called on.
pub(super) fn runs_a_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// Whether statements stand in it that are done with the block.
fn is_block(kind: &str) -> bool {
    ["block", "body", "statements", "if", "else", "when"].iter().any(|word| kind.contains(word))
}

/// What the calls of a block set on the builder that it is run on: `apply { model("m"); if (hot) temperature(1.0) }`.
pub(super) fn block_settings<'t>(
    block: Node<'t>,
    shape: for<'n> fn(Node<'n>, &str) -> Shape<'n>,
    source: &str,
) -> Vec<Entry<'t>> {
    let mut entries = Vec::new();
    let mut stack = vec![(block, 0)];
    while let Some((node, depth)) = stack.pop() {
        for child in children(node) {
            match shape(child, source) {
                Shape::Call(call) if call.object.is_none() => {
                    let (Some(name), [only]) = (call.name, &call.entries[..]) else { continue };
                    let span = child.byte_range();
                    let written = setter_name(slice(source, &name.byte_range()));
                    let end = name.end_byte();
                    let name = only.name.is_none().then(|| (written.to_owned(), end - written.len()..end));
                    let is_statement = true;
                    entries.push(Entry { name, span, value: only.value, is_spread: false, is_statement });
                }
                Shape::Call(_) => {}
                _ if depth < BLOCK_DEPTH_MAX && is_block(kind_of(child)) => stack.push((child, depth + 1)),
                _ => {}
            }
        }
    }
    entries.retain(|entry| entry.name.is_some());
    entries
}
