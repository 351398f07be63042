//! What a file does to a table or a builder after it was made: members that later statements set, merge or take away.
//!
//! Found on the way through the tree, kept beside the name that they are done to, and put in its place where a call is
//! given that name. A statement under a condition that asks for the model is left out: it is there because not every
//! model takes the member.

use super::names::{is_name, plain_name};
use super::shape::{Bind, Entry, Invocation, Node, Shape, field, kind_of, slice, text};
use super::walk::{Down, Walk, setter_name};
use crate::scan::source::Span;

/// How far out the conditions are looked for that a statement stands under.
const OUTER_MAX: usize = 64;
/// What takes a member out of a table and gives its value.
pub(super) const TAKERS: [&str; 3] = ["pop", "delete", "remove"];

/// Something that is done to what a name stands for.
#[derive(Clone, Debug)]
pub(super) struct Change<'t> {
    /// The statement.
    pub(super) node: Node<'t>,
    /// The scope that it stands in.
    pub(super) scope: super::names::Scope,
    /// What it does.
    pub(super) what: What<'t>,
}

/// What a statement does to a table.
#[derive(Clone, Debug)]
pub(super) enum What<'t> {
    /// Members are set; those that are spread are put in.
    Set(Vec<Entry<'t>>),
    /// A member is taken away.
    Remove(String),
}

/// What has to hold for a statement to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Under {
    /// Nothing that its table does not stand under too.
    Nothing,
    /// Some condition.
    Condition,
    /// A condition that asks for the model.
    Model,
}

impl<'t> Change<'t> {
    /// What it stands under, beside what `table` stands under.
    pub(super) fn under(&self, table: &Span, source: &str) -> Under {
        let mut under = Under::Nothing;
        let mut outer = self.node.parent();
        for _ in 0..OUTER_MAX {
            let Some(node) = outer else { break };
            if node.start_byte() <= table.start && table.end <= node.end_byte() {
                break;
            }
            if is_conditional(kind_of(node)) {
                under = Under::Condition;
                let asked = field(node, "condition").map_or_else(
                    || text(node, source).lines().next().unwrap_or_default(),
                    |condition| text(condition, source),
                );
                if asked.to_ascii_lowercase().contains("model") {
                    return Under::Model;
                }
            }
            outer = node.parent();
        }
        under
    }

    /// Whether it may be taken away and leave source that parses: something else stands beside it.
    pub(super) fn is_removable(&self) -> bool {
        self.node.parent().is_some_and(|outer| outer.parent().is_none() || outer.named_child_count() > 1)
    }
}

fn is_conditional(kind: &str) -> bool {
    ["if", "elif", "else", "unless", "switch", "case", "when", "match", "except", "catch", "rescue"]
        .iter()
        .any(|word| kind == *word || kind.strip_prefix(word).is_some_and(|rest| rest.starts_with('_')))
}

impl<'t> Walk<'t, '_> {
    /// `params["temperature"] = 0.2`, `request.temperature = Some(0.2)`.
    pub(super) fn member_set(&mut self, bind: &Bind<'t>, scope: super::names::Scope) {
        let target = bind.target.byte_range();
        let Some((object, name, at)) = member_target(slice(self.source, &target)) else { return };
        if bind.value.is_none() || !self.names.is_bound(scope, object, self.grammar) {
            return;
        }
        let object = object.to_owned();
        let name_span = target.start + at..target.start + at + name.len();
        let name = name.to_owned();
        let node = statement(bind.target, bind.value);
        let entry = Entry {
            name: Some((name, name_span)),
            span: node.byte_range(),
            value: bind.value,
            is_spread: false,
            is_statement: true,
        };
        let change = Change { node, scope, what: What::Set(vec![entry]) };
        self.names.change(scope, &object, change, self.grammar);
    }

    /// `params.update(temperature=0.2)`, `body.put("top_p", 0.9)`, `builder.temperature(0.2);`, `params.pop("top_p")`.
    pub(super) fn method_done(&mut self, node: Node<'t>, call: &Invocation<'t>, down: Down) {
        let Down { scope, holds_statements: is_statement, .. } = down;
        let Some(name) = call.name.map(|name| text(name, self.source)) else { return };
        if name == "assign" && call.object.is_some_and(|object| text(object, self.source) == "Object") {
            if is_statement {
                self.assigned(node, call, scope);
            }
            return;
        }
        // Who takes what a method gives asks something, and changes nothing.
        if !is_statement && !TAKERS.contains(&name) {
            return;
        }
        let Some((root, links)) = self.chain(node, call) else { return };
        let object = plain_name(text(root, self.source));
        if !self.names.is_bound(scope, &object, self.grammar) {
            return;
        }
        let what = match (name, &call.entries[..]) {
            ("pop" | "delete" | "remove" | "Remove" | "except" | "without", [key, ..])
                if links.len() == 1 =>
            {
                self.text_of(key).map(What::Remove)
            }
            ("update" | "merge!" | "putAll" | "deep_merge!" | "update!", entries) if links.len() == 1 => {
                Some(What::Set(entries.iter().map(as_member).collect()))
            }
            (
                "setdefault" | "put" | "set" | "Add" | "insert" | "TryAdd" | "addProperty" | "store",
                [key, value],
            ) if links.len() == 1 => {
                self.text_of(key).map(|name| What::Set(vec![pair(node, name, key, value)]))
            }
            _ if is_statement => self.setters(node, &links).map(What::Set),
            _ => None,
        };
        if let Some(what) = what {
            let node = statement(node, None);
            self.names.change(scope, &object, Change { node, scope, what }, self.grammar);
        }
    }

    /// `Object.assign(options, { temperature: 0.2 })` as a statement.
    fn assigned(&mut self, node: Node<'t>, call: &Invocation<'t>, scope: super::names::Scope) {
        let [first, rest @ ..] = &call.entries[..] else { return };
        let Some(object) = first.value else { return };
        let object = text(object, self.source).to_owned();
        if self.names.is_bound(scope, &object, self.grammar) {
            let what = What::Set(rest.iter().map(as_member).collect());
            self.names.change(scope, &object, Change { node, scope, what }, self.grammar);
        }
    }

    /// The name that a chain of calls begins with, and its calls from the first to the last.
    fn chain(&self, node: Node<'t>, call: &Invocation<'t>) -> Option<(Node<'t>, Vec<Node<'t>>)> {
        let mut links = vec![node];
        let mut object = call.object?;
        for _ in 0..OUTER_MAX {
            match (self.grammar.shape)(object, self.source) {
                Shape::Call(inner) => {
                    links.push(object);
                    object = inner.object?;
                }
                shape if is_name(&shape) => {
                    links.reverse();
                    return Some((object, links));
                }
                _ => return None,
            }
        }
        None
    }

    /// Calls that stand as a statement and set something each.
    fn setters(&self, node: Node<'t>, links: &[Node<'t>]) -> Option<Vec<Entry<'t>>> {
        let setter = |link: &Node<'t>| {
            let Shape::Call(call) = (self.grammar.shape)(*link, self.source) else { return None };
            let name = call.name?;
            let written = text(name, self.source);
            let bare = setter_name(written);
            let [only] = &call.entries[..] else { return None };
            if only.name.is_some() || only.is_spread || !(self.grammar.has_builders || bare != written) {
                return None;
            }
            let end = name.end_byte();
            let span = if links.len() == 1 { statement(node, None).byte_range() } else { end..end };
            Some(Entry {
                name: Some((bare.to_owned(), end - bare.len()..end)),
                span,
                value: only.value,
                is_spread: false,
                is_statement: true,
            })
        };
        let entries: Vec<_> = links.iter().filter_map(setter).collect();
        (!entries.is_empty()).then_some(entries)
    }

    /// The text of an argument, if it is one.
    fn text_of(&self, entry: &Entry<'t>) -> Option<String> {
        let mut node = entry.value?;
        for _ in 0..4 {
            match (self.grammar.shape)(node, self.source) {
                Shape::Text(quoted) => return Some(slice(self.source, &quoted.content).to_owned()),
                Shape::Same(inner) => node = inner,
                Shape::Call(call) => node = call.object?,
                _ => return None,
            }
        }
        None
    }

    /// `delete params.temperature`, `del params["top_p"]`, `unset($params['stop'])`.
    pub(super) fn member_removed(&mut self, node: Node<'t>, scope: super::names::Scope) {
        let written = text(node, self.source);
        let rest = ["delete ", "del ", "unset("].iter().find_map(|word| written.strip_prefix(word));
        let Some(rest) = rest else { return };
        for one in rest.trim_end_matches([';', ')', ' ']).split(',') {
            let Some((object, name, _)) = member_target(one.trim()) else { continue };
            if self.names.is_bound(scope, object, self.grammar) {
                let change = Change { node, scope, what: What::Remove(name.to_owned()) };
                self.names.change(scope, object, change, self.grammar);
            }
        }
    }
}

/// A positional argument is a table whose members are put in.
fn as_member<'t>(entry: &Entry<'t>) -> Entry<'t> {
    let mut entry = entry.clone();
    entry.is_spread |= entry.name.is_none();
    entry
}

fn pair<'t>(node: Node<'t>, name: String, key: &Entry<'t>, value: &Entry<'t>) -> Entry<'t> {
    Entry {
        name: Some((name, key.span.clone())),
        span: statement(node, None).byte_range(),
        value: value.value,
        is_spread: false,
        is_statement: true,
    }
}

/// The statement that an expression is: what begins with it and ends with it, or with a sign behind it.
fn statement<'t>(first: Node<'t>, last: Option<Node<'t>>) -> Node<'t> {
    let end = last.unwrap_or(first).end_byte() + 1;
    let mut node = first;
    while let Some(outer) = node.parent()
        && outer.parent().is_some()
        && outer.start_byte() == first.start_byte()
        && outer.end_byte() <= end
        && !kind_of(outer).contains("block")
        && !kind_of(outer).ends_with("statements")
        && !kind_of(outer).ends_with("body")
    {
        node = outer;
    }
    node
}

/// The object, the name and where the name begins of `object["name"]`, `object[:name]`, `object->name`, `object.name`.
fn member_target(written: &str) -> Option<(&str, &str, usize)> {
    let is_word = |name: &str| {
        !name.is_empty() && name.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, '_' | '-'))
    };
    if let Some(inner) = written.strip_suffix(']') {
        let open = inner.rfind('[')?;
        let key = inner.get(open + 1..)?.trim();
        let name = key.trim_matches(['"', '\'', '`']).trim_start_matches(':');
        // A number or a variable is no member that can be told.
        let is_text = key != name;
        let at = open + 1 + inner.get(open + 1..)?.find(name)?;
        return (is_text && is_word(name)).then_some((written.get(..open)?.trim_end(), name, at));
    }
    let (at, width) = match (written.rfind('.'), written.rfind("->")) {
        (Some(dot), arrow) if arrow.is_none_or(|arrow| arrow < dot) => (dot, 1),
        (_, Some(arrow)) => (arrow, 2),
        _ => return None,
    };
    let name = written.get(at + width..)?;
    let object = written.get(..at)?.trim_end_matches(['?', '!']);
    (is_word(name) && !object.is_empty()).then_some((object, name, at + width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_assignments_tell_object_and_member() {
        for (written, told) in [
            ("params[\"temperature\"]", Some(("params", "temperature", 8))),
            ("$params['top_p']", Some(("$params", "top_p", 9))),
            ("params[:stop]", Some(("params", "stop", 8))),
            ("self.options.model", Some(("self.options", "model", 13))),
            ("$this->options['model']", Some(("$this->options", "model", 16))),
            ("request.Temperature", Some(("request", "Temperature", 8))),
            ("items[0]", None),
            ("items[index]", None),
            ("name", None),
        ] {
            assert_eq!(member_target(written), told, "{written}");
        }
    }

    #[test]
    fn kinds_of_nodes_tell_conditions() {
        for kind in ["if_statement", "if", "else_clause", "switch_case", "match_arm", "elif_clause"] {
            assert!(is_conditional(kind), "{kind}");
        }
        assert!(!is_conditional("expression_statement") && !is_conditional("identifier"));
    }
}
