//! What a grammar calls its kinds of nodes and their fields, looked up by number.
//!
//! A tree tells both as text of C, whose length, encoding and place in a list would be found again for each node that is
//! looked at. The tables of the language whose tree was parsed last on a thread are at hand for what is asked of its nodes.

use std::cell::Cell;
use std::sync::OnceLock;

use super::Language;
use super::shape::Node;

/// Names of fields are put into so many places by their letters: a few times as many as any grammar has.
const PLACES: usize = 256;

/// The tables of a grammar.
#[derive(Debug)]
pub(super) struct Kinds {
    kinds: Vec<Kind>,
    /// Names of fields with their numbers, each at the first free place from its own one.
    fields: Vec<Option<(Box<str>, u16)>>,
}

/// What is known of a kind of nodes.
#[derive(Debug)]
struct Kind {
    name: Box<str>,
    /// Whether what stands right in it may be a statement.
    holds_statements: bool,
    /// Whether it is a method's or a function's call.
    is_call: bool,
}

/// For each language, without markup around it and with.
static KINDS: [[OnceLock<Kinds>; 2]; Language::ALL.len()] =
    [const { [const { OnceLock::new() }; 2] }; Language::ALL.len()];

thread_local! {
    static CURRENT: Cell<Option<&'static Kinds>> = const { Cell::new(None) };
}

/// Has what is asked next on this thread be of nodes of this language.
pub(super) fn enter(language: Language, has_markup: bool, grammar: &tree_sitter::Language) {
    let kinds = KINDS
        .get(language as usize)
        .and_then(|both| both.get(usize::from(has_markup)))
        .map(|kinds| kinds.get_or_init(|| Kinds::of(grammar)));
    CURRENT.set(kinds);
}

/// What the grammar calls a node.
pub(super) fn kind_of<'t>(node: Node<'t>) -> &'t str {
    known(node).map_or_else(|| node.kind(), |kind| &kind.name)
}

/// Whether what stands right in a node may be a statement: nothing takes its value.
pub(super) fn holds_statements(node: Node<'_>) -> bool {
    known(node).map_or_else(|| may_hold_statements(node.kind()), |kind| kind.holds_statements)
}

/// Whether a node is a call of a method or a function.
pub(super) fn is_call(node: Node<'_>) -> bool {
    known(node).map_or_else(|| is_call_by_name(node.kind()), |kind| kind.is_call)
}

/// The child of a field.
pub(super) fn field<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    match CURRENT.get() {
        Some(kinds) => node.child_by_field_id(kinds.field(name)?),
        None => node.child_by_field_name(name),
    }
}

/// Nodes of errors have a number beyond the grammar's.
fn known(node: Node<'_>) -> Option<&'static Kind> {
    CURRENT.get()?.kinds.get(usize::from(node.kind_id()))
}

impl Kinds {
    fn of(grammar: &tree_sitter::Language) -> Self {
        let kind = |id: usize| {
            let name = u16::try_from(id).ok().and_then(|id| grammar.node_kind_for_id(id)).unwrap_or_default();
            Kind {
                name: name.into(),
                holds_statements: may_hold_statements(name),
                is_call: is_call_by_name(name),
            }
        };
        let mut own = Self {
            kinds: (0..grammar.node_kind_count()).map(kind).collect(),
            fields: (0..PLACES).map(|_| None).collect(),
        };
        let count = u16::try_from(grammar.field_count()).unwrap_or(u16::MAX);
        for id in 1..=count {
            let Some(name) = grammar.field_name_for_id(id) else { continue };
            if let Some(free) = places(name).find(|place| own.fields.get(*place).is_some_and(Option::is_none))
            {
                own.fields[free] = Some((name.into(), id));
            }
        }
        own
    }

    fn field(&self, name: &str) -> Option<u16> {
        for place in places(name) {
            let (known, id) = self.fields.get(place)?.as_ref()?;
            if **known == *name {
                return Some(*id);
            }
        }
        None
    }
}

/// Where a name may stand, the first place first.
fn places(name: &str) -> impl Iterator<Item = usize> {
    let letter = |at: usize| name.as_bytes().get(at).copied().map_or(0, usize::from);
    let first =
        name.len() * 31 + letter(0) * 7 + letter(name.len() / 2) * 3 + letter(name.len().wrapping_sub(1));
    (0..PLACES).map(move |step| (first + step) % PLACES)
}

fn may_hold_statements(kind: &str) -> bool {
    kind.ends_with("statement")
        || kind.ends_with("statements")
        || kind.contains("block")
        || matches!(
            kind,
            "lambda_literal" | "source_file" | "program" | "module" | "then" | "else" | "if_expression"
        )
}

fn is_call_by_name(kind: &str) -> bool {
    kind.contains("call") || kind.contains("invocation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_fields_of_every_grammar_are_found_by_their_names() {
        for language in Language::ALL {
            for text in ["", "<?php 1;"] {
                let grammar = (language.grammar().parser)(text);
                let kinds = Kinds::of(&grammar);
                assert!(grammar.field_count() < PLACES / 2, "{language:?}");
                for id in 1..=u16::try_from(grammar.field_count()).unwrap() {
                    let name = grammar.field_name_for_id(id).unwrap();
                    assert_eq!(kinds.field(name), grammar.field_id_for_name(name).map(Into::into), "{name}");
                }
                for name in ["", "no_such_field", "nam", "names_"] {
                    assert_eq!(kinds.field(name), None, "{language:?} {name}");
                }
            }
        }
    }

    #[test]
    fn nodes_are_called_what_their_grammar_calls_them() {
        let text = "<?php\nmodel(1, 'a'); $x->y(2); if (1) { f(; }\n";
        for language in Language::ALL {
            let mut parser = tree_sitter::Parser::new();
            let grammar = (language.grammar().parser)(text);
            parser.set_language(&grammar).unwrap();
            enter(*language, text.contains("<?"), &grammar);
            let tree = parser.parse(text, None).unwrap();
            let mut left = vec![tree.root_node()];
            while let Some(node) = left.pop() {
                assert_eq!(kind_of(node), node.kind(), "{language:?}");
                assert_eq!(field(node, "name"), node.child_by_field_name("name"), "{language:?}");
                let mut cursor = node.walk();
                left.extend(node.children(&mut cursor));
            }
        }
    }
}
