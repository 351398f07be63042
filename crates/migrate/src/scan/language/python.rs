//! Python.

use super::outline::{Lexis, PYTHON};
use super::shape::{
    Bind, Entry, Grammar, How, Invocation, Node, Role, ScopeKind, Shape, children, field, key, kind_of,
    quoted, text,
};

/// How Python is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |_| tree_sitter_python::LANGUAGE.into(),
    shape,
    role,
    lexis: LEXIS,
    has_builders: false,
    is_trailing_comma_fine: true,
    is_assignment_local: true,
    is_class_visible: false,
};

const LEXIS: &Lexis = &PYTHON;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string" => {
            let prefix = text(node, source).split(['"', '\'']).next().unwrap_or_default();
            quoted(node, source, prefix.contains(['r', 'R']))
        }
        "integer" | "float" => Shape::Number,
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "none" => Shape::Null,
        "unary_operator" => {
            field(node, "argument").map_or(Shape::Other, |argument| match text(node, source).as_bytes() {
                [b'-', ..] => Shape::Negative(argument),
                _ => Shape::Other,
            })
        }
        "list" | "tuple" | "set" | "expression_list" => Shape::List(children(node)),
        "dictionary" => Shape::Table { made_by: None, entries: entries(node, source) },
        "call" => call(node, source),
        "concatenated_string" => Shape::Join(children(node)),
        "binary_operator" if is_merge(node) => {
            let both = sides(node).unwrap_or_default();
            let entries = both.into_iter().map(|side| Entry::spread(side, Some(side))).collect();
            Shape::Table { made_by: None, entries }
        }
        "binary_operator" if is_plus(node) => sides(node).map_or(Shape::Other, Shape::Join),
        "boolean_operator" => sides(node).map_or(Shape::Other, Shape::Choice),
        "conditional_expression" => match children(node)[..] {
            [first, _, last] => Shape::Choice(vec![first, last]),
            _ => Shape::Other,
        },
        "parenthesized_expression" | "await" => {
            children(node).first().map_or(Shape::Other, |inner| Shape::Same(*inner))
        }
        "named_expression" => field(node, "value").map_or(Shape::Other, Shape::Same),
        "interpolation" => field(node, "expression").map_or(Shape::Other, Shape::Same),
        "identifier" => Shape::Name,
        "attribute" => match (field(node, "object"), field(node, "attribute")) {
            (Some(object), Some(name)) => Shape::Path(object, name),
            _ => Shape::Other,
        },
        "comment" => Shape::Comment,
        "comparison_operator" | "subscript" | "binary_operator" => Shape::Operation,
        _ => Shape::Other,
    }
}

fn is_plus(node: Node<'_>) -> bool {
    field(node, "operator").is_some_and(|operator| kind_of(operator) == "+")
}

/// `base | {"temperature": 0.2}`: two dictionaries as one.
fn is_merge(node: Node<'_>) -> bool {
    field(node, "operator").is_some_and(|operator| kind_of(operator) == "|")
        && children(node).iter().any(|side| kind_of(*side) == "dictionary")
}

fn sides<'t>(node: Node<'t>) -> Option<Vec<Node<'t>>> {
    Some(vec![field(node, "left")?, field(node, "right")?])
}

fn call<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let (Some(function), Some(arguments)) = (field(node, "function"), field(node, "arguments")) else {
        return Shape::Other;
    };
    let entries = match kind_of(arguments) {
        "argument_list" => entries(arguments, source),
        _ => vec![Entry::positional(arguments)],
    };
    if text(function, source) == "dict" {
        // A dictionary that is given comes first, with its members.
        let entries = entries
            .into_iter()
            .map(|entry| Entry { is_spread: entry.is_spread || entry.name.is_none(), ..entry });
        return Shape::Table { made_by: None, entries: entries.collect() };
    }
    // `partial(client.messages.create, model="m")`: what is called, now or later, is what is handed over.
    let called = text(function, source).rsplit('.').next().unwrap_or_default();
    let handed = entries.iter().position(|entry| entry.name.is_none() && entry.value.is_some_and(is_method));
    if let ("partial" | "to_thread" | "submit" | "run_sync" | "run_in_executor", Some(at)) = (called, handed)
        && let Some(method) = entries.get(at).and_then(|entry| entry.value)
    {
        return Shape::Call(Invocation {
            object: field(method, "object"),
            name: field(method, "attribute"),
            callee: method.byte_range(),
            entries: entries.into_iter().skip(at + 1).collect(),
        });
    }
    let (object, name) = match kind_of(function) {
        "attribute" => (field(function, "object"), field(function, "attribute")),
        "identifier" => (None, Some(function)),
        _ => (Some(function), None),
    };
    Shape::Call(Invocation { object, name, callee: function.byte_range(), entries })
}

fn is_method(node: Node<'_>) -> bool {
    kind_of(node) == "attribute"
}

fn entries<'t>(node: Node<'t>, source: &str) -> Vec<Entry<'t>> {
    children(node).into_iter().map(|child| entry(child, source)).collect()
}

fn entry<'t>(node: Node<'t>, source: &str) -> Entry<'t> {
    let (name, value) = match kind_of(node) {
        "keyword_argument" => (field(node, "name"), field(node, "value")),
        "pair" => (field(node, "key"), field(node, "value")),
        "dictionary_splat" | "list_splat" => return Entry::spread(node, children(node).first().copied()),
        _ => return Entry::positional(node),
    };
    match name {
        Some(name) => Entry::named(node, key(name, source), value),
        None => Entry::positional(node),
    }
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    match kind_of(node) {
        "assignment" => bind(field(node, "left"), field(node, "right"), How::Assigned),
        "augmented_assignment" => bind(field(node, "left"), field(node, "right"), How::Changed),
        "named_expression" => bind(field(node, "name"), field(node, "value"), How::Assigned),
        "default_parameter" | "typed_default_parameter" => {
            bind(field(node, "name"), field(node, "value"), How::Default)
        }
        "for_statement" | "for_in_clause" => bind(field(node, "left"), field(node, "right"), How::Each),
        "as_pattern" => {
            let target = field(node, "alias").and_then(|alias| alias.named_child(0));
            bind(target, node.named_child(0), How::Assigned)
        }
        "parameters" | "lambda_parameters" => {
            let plain = |child: &Node<'t>| {
                matches!(kind_of(*child), "identifier" | "typed_parameter" | "dictionary_splat_pattern")
            };
            let target = |child: Node<'t>| {
                if kind_of(child) == "identifier" { Some(child) } else { child.named_child(0) }
            };
            let given = children(node).into_iter().filter(plain).filter_map(target);
            Role::Bind(given.map(|target| Bind { target, value: None, how: How::Declared }).collect())
        }
        "function_definition" | "lambda" => Role::Scope(ScopeKind::Function, field(node, "name")),
        "class_definition" => Role::Scope(ScopeKind::Class, field(node, "name")),
        "expression_statement" if node.named_child_count() == 1 => match node.named_child(0) {
            Some(only) if matches!(kind_of(only), "string" | "concatenated_string") => Role::Docstring,
            _ => Role::None,
        },
        _ => Role::None,
    }
}

fn bind<'t>(target: Option<Node<'t>>, value: Option<Node<'t>>, how: How) -> Role<'t> {
    let (Some(target), Some(value)) = (target, value) else { return Role::None };
    if kind_of(target) != "pattern_list" {
        return Role::Bind(vec![Bind { target, value: Some(value), how }]);
    }
    let (names, values) = (children(target), children(value));
    let is_paired = kind_of(value) == "expression_list" && names.len() == values.len();
    let value = |at: usize| if is_paired { values.get(at).copied() } else { None };
    Role::Bind(
        names.iter().enumerate().map(|(at, name)| Bind { target: *name, value: value(at), how }).collect(),
    )
}
