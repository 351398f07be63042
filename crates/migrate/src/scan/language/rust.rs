//! Rust.

use super::outline::{Lexis, RUST};
use super::shape::{
    Entry, Grammar, How, Invocation, Node, Role, ScopeKind, Shape, bind, children, field, key, kind_of,
    operation, quoted, same, signed, text,
};

/// How Rust is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |_| tree_sitter_rust::LANGUAGE.into(),
    shape,
    role,
    lexis: LEXIS,
    has_builders: true,
    is_trailing_comma_fine: true,
    is_assignment_local: false,
    is_class_visible: false,
};

const LEXIS: &Lexis = &RUST;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string_literal" => quoted(node, source, false),
        "raw_string_literal" => quoted(node, source, true),
        "integer_literal" | "float_literal" => Shape::Number,
        "unary_expression" => signed(node, source),
        "boolean_literal" => Shape::Bool(text(node, source) == "true"),
        "array_expression" | "tuple_expression" => Shape::List(children(node)),
        "struct_expression" => literal(node, source),
        "call_expression" => call(node, source),
        "macro_invocation" => invocation(node, source),
        "token_tree" => tokens(node, source),
        "if_expression" => {
            let branches =
                [field(node, "consequence"), field(node, "alternative")].into_iter().flatten().collect();
            Shape::Choice(branches)
        }
        "else_clause"
        | "parenthesized_expression"
        | "await_expression"
        | "try_expression"
        | "type_cast_expression" => same(node),
        "block" if node.named_child_count() == 1 => same(node),
        "reference_expression" => field(node, "value").map_or(Shape::Other, Shape::Same),
        "binary_expression" => operation(node, "+", &[]),
        "identifier" | "self" | "type_identifier" | "field_identifier" if text(node, source) != "None" => {
            Shape::Name
        }
        "identifier" => Shape::Null,
        "field_expression" => match (field(node, "value"), field(node, "field")) {
            (Some(object), Some(name)) => Shape::Path(object, name),
            _ => Shape::Other,
        },
        "scoped_identifier" => match (field(node, "path"), field(node, "name")) {
            (Some(object), Some(name)) => Shape::Path(object, name),
            _ => Shape::Name,
        },
        "line_comment" | "block_comment" => Shape::Comment,
        "index_expression" => Shape::Operation,
        _ => Shape::Other,
    }
}

fn literal<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let (Some(name), Some(body)) = (field(node, "name"), field(node, "body")) else { return Shape::Other };
    let entry = |child: Node<'t>| match kind_of(child) {
        "field_initializer" => {
            match (field(child, "field").or_else(|| child.named_child(0)), field(child, "value")) {
                (Some(name), value) => Entry::named(child, key(name, source), value),
                (None, _) => Entry::positional(child),
            }
        }
        "shorthand_field_initializer" => Entry::named(child, key(child, source), child.named_child(0)),
        "base_field_initializer" => Entry::spread(child, child.named_child(0)),
        _ => Entry::positional(child),
    };
    Shape::Table {
        made_by: Some(name.byte_range()),
        entries: children(body).into_iter().map(entry).collect(),
    }
}

fn call<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let (Some(function), Some(arguments)) = (field(node, "function"), field(node, "arguments")) else {
        return Shape::Other;
    };
    let entries: Vec<_> = children(arguments).into_iter().map(Entry::positional).collect();
    let (object, name) = match kind_of(function) {
        "field_expression" => (field(function, "value"), field(function, "field")),
        "scoped_identifier" => (None, field(function, "name")),
        "identifier" => (None, Some(function)),
        _ => (Some(function), None),
    };
    // What the environment has, or else this.
    if let (Some("unwrap_or" | "unwrap_or_else"), Some(default)) =
        (name.map(|name| text(name, source)), entries.first())
    {
        let closure = default.value.and_then(|value| field(value, "body"));
        return Shape::Choice(closure.or(default.value).into_iter().collect());
    }
    Shape::Call(Invocation { object, name, callee: function.byte_range(), entries })
}

/// `json!({…})` is the table in it, `vec![…]` the list; what `format!` makes has its text as a part.
fn invocation<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let (Some(name), Some(tree)) = (field(node, "macro"), children(node).last().copied()) else {
        return Shape::Other;
    };
    let inner = children(tree);
    match (text(name, source).rsplit("::").next().unwrap_or_default(), &inner[..]) {
        ("json", [only]) => Shape::Same(*only),
        ("vec", _) => tokens(tree, source),
        ("format", [first]) => Shape::Same(*first),
        ("format", [_, ..]) => Shape::Join(inner),
        ("concat", _) => Shape::Join(inner),
        _ => {
            let entries = inner.into_iter().map(Entry::positional).collect();
            Shape::Call(Invocation { object: None, name: Some(name), callee: name.byte_range(), entries })
        }
    }
}

/// Tokens that a macro is given, as the object or array that they look like.
fn tokens<'t>(tree: Node<'t>, source: &str) -> Shape<'t> {
    let mut cursor = tree.walk();
    let all: Vec<_> = tree.children(&mut cursor).filter(|child| !child.is_extra()).collect();
    let inner = all.get(1..all.len().saturating_sub(1)).unwrap_or_default();
    let mut items = inner.split(|token| kind_of(*token) == "," || text(*token, source) == ",");
    match all.first().map(|open| kind_of(*open)) {
        Some("[") => Shape::List(items.filter_map(|item| item.first().copied()).collect()),
        Some("{") => Shape::Table {
            made_by: None,
            entries: items.by_ref().filter_map(|item| token_entry(item, source)).collect(),
        },
        _ => Shape::Other,
    }
}

fn token_entry<'t>(item: &[Node<'t>], source: &str) -> Option<Entry<'t>> {
    let [name, colon, rest @ ..] = item else { return None };
    if text(*colon, source) != ":" {
        return None;
    }
    let value = match rest {
        [only] => Some(*only),
        _ => None,
    };
    let mut entry = Entry::named(*name, key(*name, source), value);
    entry.span.end = rest.last().map_or(entry.span.end, |last| last.end_byte());
    Some(entry)
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    match kind_of(node) {
        "let_declaration" => bind(field(node, "pattern"), field(node, "value"), How::Declared),
        "const_item" | "static_item" => bind(field(node, "name"), field(node, "value"), How::Declared),
        "assignment_expression" => bind(field(node, "left"), field(node, "right"), How::Assigned),
        "compound_assignment_expr" => bind(field(node, "left"), field(node, "right"), How::Changed),
        "parameter" => bind(field(node, "pattern"), None, How::Declared),
        "closure_parameters" => {
            let names = children(node).into_iter().filter(|child| kind_of(*child) == "identifier");
            Role::Bind(
                names.map(|target| super::shape::Bind { target, value: None, how: How::Declared }).collect(),
            )
        }
        "for_expression" => bind(field(node, "pattern"), field(node, "value"), How::Each),
        "function_item" | "closure_expression" => Role::Scope(ScopeKind::Function, field(node, "name")),
        "impl_item" => Role::Scope(ScopeKind::Class, field(node, "type")),
        "mod_item" | "trait_item" => Role::Scope(ScopeKind::Block, None),
        "block" => Role::Scope(ScopeKind::Block, None),
        _ => Role::None,
    }
}
