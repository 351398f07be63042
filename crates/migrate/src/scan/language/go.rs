//! Go.

use super::outline::{GO, Lexis};
use super::shape::{
    Entry, Grammar, How, Invocation, Node, Role, ScopeKind, Shape, bind, bind_lists, children, field, key,
    kind_of, operation, quoted, same, signed, text,
};

/// How Go is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |_| tree_sitter_go::LANGUAGE.into(),
    shape,
    role,
    lexis: LEXIS,
    has_builders: false,
    is_trailing_comma_fine: true,
    is_assignment_local: false,
    is_class_visible: true,
};

const LEXIS: &Lexis = &GO;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "interpreted_string_literal" => quoted(node, source, false),
        "raw_string_literal" => quoted(node, source, true),
        "int_literal" | "float_literal" => Shape::Number,
        "unary_expression" => signed(node, source),
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "nil" => Shape::Null,
        "composite_literal" => literal(node, source),
        "literal_value" if node.parent().is_none_or(|parent| kind_of(parent) != "composite_literal") => {
            table_or_list(node, None, source)
        }
        "literal_element" | "parenthesized_expression" => same(node),
        "expression_list" if node.named_child_count() == 1 => same(node),
        "call_expression" => call(node, source),
        "type_conversion_expression" => field(node, "operand").map_or(Shape::Other, Shape::Same),
        "binary_expression" => operation(node, "+", &[]),
        "identifier" | "package_identifier" | "field_identifier" | "type_identifier" => Shape::Name,
        "selector_expression" => match (field(node, "operand"), field(node, "field")) {
            (Some(object), Some(name)) => Shape::Path(object, name),
            _ => Shape::Other,
        },
        "comment" => Shape::Comment,
        "index_expression" => Shape::Operation,
        _ => Shape::Other,
    }
}

fn literal<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let Some(body) = field(node, "body") else { return Shape::Other };
    let made_by = field(node, "type")
        .filter(|kind| !matches!(kind_of(*kind), "map_type" | "slice_type" | "array_type"));
    table_or_list(body, made_by, source)
}

/// `T{Key: value}` is a table, `[]T{one, two}` a list.
fn table_or_list<'t>(body: Node<'t>, made_by: Option<Node<'t>>, source: &str) -> Shape<'t> {
    let elements = children(body);
    let is_keyed = elements.iter().any(|element| kind_of(*element) == "keyed_element");
    if !is_keyed && (made_by.is_none() || !elements.is_empty()) {
        return Shape::List(elements);
    }
    let entries =
        elements.into_iter().map(|element| match (field(element, "key"), field(element, "value")) {
            (Some(name), Some(value)) => Entry::named(element, key(name, source), Some(value)),
            _ => Entry::positional(element),
        });
    Shape::Table { made_by: made_by.map(|kind| kind.byte_range()), entries: entries.collect() }
}

fn call<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let (Some(function), Some(arguments)) = (field(node, "function"), field(node, "arguments")) else {
        return Shape::Other;
    };
    let argument = |child: Node<'t>| match kind_of(child) {
        "variadic_argument" => Entry::spread(child, child.named_child(0)),
        _ => Entry::positional(child),
    };
    let entries: Vec<_> = children(arguments).into_iter().map(argument).collect();
    let (object, name) = match kind_of(function) {
        "selector_expression" => (field(function, "operand"), field(function, "field")),
        "identifier" => (None, Some(function)),
        _ => (Some(function), None),
    };
    // The first of what is given that is not empty.
    if text(function, source) == "cmp.Or" {
        return Shape::Choice(entries.iter().filter_map(|entry| entry.value).collect());
    }
    Shape::Call(Invocation { object, name, callee: function.byte_range(), entries })
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    match kind_of(node) {
        "short_var_declaration" => bind_lists(field(node, "left"), field(node, "right"), How::Declared),
        "assignment_statement" => bind_lists(field(node, "left"), field(node, "right"), How::Assigned),
        "range_clause" => bind_lists(field(node, "left"), field(node, "right"), How::Each),
        "const_spec" | "var_spec" => {
            let mut cursor = node.walk();
            let names: Vec<_> =
                node.children_by_field_name("name", &mut cursor).filter(Node::is_named).collect();
            let values = field(node, "value").map(children).unwrap_or_default();
            let one = |(at, target): (usize, &Node<'t>)| super::shape::Bind {
                target: *target,
                value: values.get(at).copied(),
                how: How::Declared,
            };
            Role::Bind(names.iter().enumerate().map(one).collect())
        }
        "parameter_declaration" => bind(field(node, "name"), None, How::Declared),
        "function_declaration" | "method_declaration" | "func_literal" => {
            Role::Scope(ScopeKind::Function, field(node, "name"))
        }
        "block" => Role::Scope(ScopeKind::Block, None),
        _ => Role::None,
    }
}
