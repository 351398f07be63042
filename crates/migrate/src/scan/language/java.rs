//! Java.

use super::outline::{JAVA, Lexis};
use super::shape::{
    Entry, Grammar, How, Invocation, Node, Role, ScopeKind, Shape, bind, children, choice, field, key,
    kind_of, operation, quoted, same, same_last, signed, text,
};

/// How Java is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |_| tree_sitter_java::LANGUAGE.into(),
    shape,
    role,
    lexis: LEXIS,
    has_builders: true,
    is_trailing_comma_fine: false,
    is_assignment_local: false,
    is_class_visible: true,
};

const LEXIS: &Lexis = &JAVA;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string_literal" => quoted(node, source, false),
        "decimal_integer_literal" | "decimal_floating_point_literal" | "hex_integer_literal" => Shape::Number,
        "unary_expression" => signed(node, source),
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "null_literal" => Shape::Null,
        "array_initializer" | "element_value_array_initializer" => Shape::List(children(node)),
        "array_creation_expression" => field(node, "value").map_or(Shape::Other, Shape::Same),
        "method_invocation" => invocation(node, source),
        "object_creation_expression" => creation(node),
        "annotation" => annotation(node, source),
        "enum_constant" => arguments(node, field(node, "name")),
        "parenthesized_expression" => same(node),
        "cast_expression" => same_last(node),
        "ternary_expression" => choice(node, "consequence", "alternative"),
        "binary_expression" => operation(node, "+", &[]),
        "identifier" | "this" | "type_identifier" => Shape::Name,
        "field_access" => match (field(node, "object"), field(node, "field")) {
            (Some(object), Some(name)) => Shape::Path(object, name),
            _ => Shape::Other,
        },
        "line_comment" | "block_comment" => Shape::Comment,
        "array_access" => Shape::Operation,
        _ => Shape::Other,
    }
}

fn positional<'t>(node: Node<'t>) -> Vec<Entry<'t>> {
    field(node, "arguments").map(children).unwrap_or_default().into_iter().map(Entry::positional).collect()
}

fn invocation<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let Some(name) = field(node, "name") else { return Shape::Other };
    let object = field(node, "object");
    let entries = positional(node);
    let callee = object.map_or(name.start_byte(), |object| object.start_byte())..name.end_byte();
    match (object.map(|object| text(object, source)), text(name, source)) {
        (Some("Map"), "of") => Shape::Table { made_by: None, entries: pairs(&entries, source) },
        (Some("List" | "Arrays" | "Set"), "of" | "asList") => {
            Shape::List(entries.iter().filter_map(|entry| entry.value).collect())
        }
        _ => Shape::Call(Invocation { object, name: Some(name), callee, entries }),
    }
}

/// `Map.of("model", "m", "temperature", 1)`.
fn pairs<'t>(entries: &[Entry<'t>], source: &str) -> Vec<Entry<'t>> {
    let pair = |pair: &[Entry<'t>]| match pair {
        [Entry { value: Some(name), span: first, .. }, Entry { value: Some(value), span: last, .. }] => {
            let mut entry = Entry::named(*name, key(*name, source), Some(*value));
            entry.span = first.start..last.end;
            Some(entry)
        }
        _ => None,
    };
    entries.chunks(2).filter_map(pair).collect()
}

fn creation<'t>(node: Node<'t>) -> Shape<'t> {
    arguments(node, field(node, "type"))
}

fn arguments<'t>(node: Node<'t>, name: Option<Node<'t>>) -> Shape<'t> {
    let Some(name) = name else { return Shape::Other };
    if kind_of(node) == "enum_constant" && field(node, "arguments").is_none() {
        return Shape::Other;
    }
    Shape::Call(Invocation {
        object: None,
        name: Some(name),
        callee: name.byte_range(),
        entries: positional(node),
    })
}

fn annotation<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let (Some(name), Some(arguments)) = (field(node, "name"), field(node, "arguments")) else {
        return Shape::Other;
    };
    let entry = |child: Node<'t>| match field(child, "key") {
        Some(name) => Entry::named(child, key(name, source), field(child, "value")),
        None => Entry::positional(child),
    };
    let entries = children(arguments).into_iter().map(entry).collect();
    Shape::Call(Invocation { object: None, name: Some(name), callee: name.byte_range(), entries })
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    match kind_of(node) {
        "variable_declarator" => bind(field(node, "name"), field(node, "value"), How::Declared),
        "resource" => bind(field(node, "name"), field(node, "value"), How::Declared),
        "assignment_expression" => bind(field(node, "left"), field(node, "right"), How::Assigned),
        "enhanced_for_statement" => bind(field(node, "name"), field(node, "value"), How::Each),
        "formal_parameter" => bind(field(node, "name"), None, How::Declared),
        "method_declaration" | "constructor_declaration" | "lambda_expression" => {
            Role::Scope(ScopeKind::Function, field(node, "name"))
        }
        "class_declaration" | "interface_declaration" | "enum_declaration" | "record_declaration" => {
            Role::Scope(ScopeKind::Class, field(node, "name"))
        }
        "block" => Role::Scope(ScopeKind::Block, None),
        _ => Role::None,
    }
}
