//! Kotlin.

use super::outline::{KOTLIN, Lexis};
use super::shape::{
    Entry, Grammar, How, Invocation, Node, Role, ScopeKind, Shape, bind, children, field, key, kind_of,
    operation, quoted, same, sides, signed, text,
};

/// How Kotlin is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |_| tree_sitter_kotlin_ng::LANGUAGE.into(),
    shape,
    role,
    lexis: LEXIS,
    has_builders: true,
    is_trailing_comma_fine: true,
    is_assignment_local: false,
    is_class_visible: true,
};

const LEXIS: &Lexis = &KOTLIN;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string_literal" => quoted(node, source, false),
        "multiline_string_literal" => quoted(node, source, true),
        "number_literal" | "float_literal" => Shape::Number,
        "unary_expression" => signed(node, source),
        "boolean_literal" => Shape::Bool(text(node, source) == "true"),
        "identifier" => match text(node, source) {
            "true" => Shape::Bool(true),
            "false" => Shape::Bool(false),
            "null" => Shape::Null,
            _ => Shape::Name,
        },
        "this_expression" => Shape::Name,
        "collection_literal" => Shape::List(children(node)),
        "call_expression" => call(node, source),
        "parenthesized_expression" | "as_expression" | "interpolation" => same(node),
        "if_expression" => {
            let condition = field(node, "condition");
            let branches: Vec<_> =
                children(node).into_iter().filter(|child| Some(*child) != condition).collect();
            Shape::Choice(branches)
        }
        "block" if node.named_child_count() == 1 => same(node),
        "binary_expression" => match sides(node) {
            // A map and more of it.
            Some(both) if both.iter().any(|side| text(*side, source).starts_with("mapOf(")) => {
                let entries = both.into_iter().map(|side| Entry::spread(side, Some(side))).collect();
                Shape::Table { made_by: None, entries }
            }
            _ => operation(node, "+", &["?:"]),
        },
        "navigation_expression" => match children(node)[..] {
            [object, name] => Shape::Path(object, name),
            _ => Shape::Other,
        },
        "line_comment" | "block_comment" | "multiline_comment" => Shape::Comment,
        "index_expression" | "indexing_expression" => Shape::Operation,
        _ => Shape::Other,
    }
}

fn call<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let parts = children(node);
    let Some(function) = parts.first().copied() else { return Shape::Other };
    let arguments = parts.iter().find(|part| kind_of(**part) == "value_arguments");
    let arguments: Vec<_> = arguments.map(|list| children(*list)).unwrap_or_default();
    let mut entries: Vec<_> = arguments.iter().filter_map(|argument| entry(*argument, source)).collect();
    let lambda = parts
        .iter()
        .find(|part| kind_of(**part) == "annotated_lambda")
        .and_then(|lambda| lambda.named_child(0));
    entries.extend(lambda.map(|lambda| settings(lambda, source)).unwrap_or_default());
    let (object, name) = match (kind_of(function), &children(function)[..]) {
        ("navigation_expression", [object, name]) => (Some(*object), Some(*name)),
        ("identifier", _) => (None, Some(function)),
        _ => (Some(function), None),
    };
    match name.map(|name| text(name, source)) {
        Some("mapOf" | "mutableMapOf" | "buildJsonObject") if object.is_none() => Shape::Table {
            made_by: None,
            entries: arguments.iter().filter_map(|argument| pair(*argument, source)).collect(),
        },
        Some("listOf" | "arrayOf" | "mutableListOf" | "setOf") if object.is_none() => {
            Shape::List(entries.iter().filter_map(|entry| entry.value).collect())
        }
        _ => Shape::Call(Invocation { object, name, callee: function.byte_range(), entries }),
    }
}

fn entry<'t>(argument: Node<'t>, source: &str) -> Option<Entry<'t>> {
    match children(argument)[..] {
        [name, value] if kind_of(name) == "identifier" => {
            Some(Entry::named(argument, key(name, source), Some(value)))
        }
        [value] => {
            let mut entry = Entry::positional(value);
            entry.is_spread = text(argument, source).starts_with('*');
            Some(entry)
        }
        _ => None,
    }
}

/// `"model" to "m"` in `mapOf(…)`.
fn pair<'t>(argument: Node<'t>, source: &str) -> Option<Entry<'t>> {
    let infix = argument.named_child(0)?;
    match children(infix)[..] {
        [name, to, value] if text(to, source) == "to" => {
            Some(Entry::named(argument, key(name, source), Some(value)))
        }
        _ => None,
    }
}

/// What a builder's block sets: `chatCompletionRequest { model = ModelId("m"); temperature = 0.2 }`.
fn settings<'t>(lambda: Node<'t>, source: &str) -> Vec<Entry<'t>> {
    let setting = |statement: Node<'t>| {
        let (left, right) = (field(statement, "left")?, field(statement, "right")?);
        let is_plain = kind_of(statement) == "assignment" && kind_of(left) == "identifier";
        is_plain
            .then(|| Entry { is_statement: true, ..Entry::named(statement, key(left, source), Some(right)) })
    };
    let mut entries: Vec<_> = children(lambda).into_iter().filter_map(setting).collect();
    entries.extend(super::merges::block_settings(lambda, shape, source));
    entries
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    let after = |kind: &str| {
        let all = children(node);
        let at = all.iter().position(|child| kind_of(*child) == kind)?;
        all.get(at + 1..)
            .and_then(|rest| rest.iter().rfind(|child| !kind_of(**child).ends_with("type")))
            .copied()
    };
    let name_of = |kind: &str| children(node).into_iter().find(|child| kind_of(*child) == kind);
    match kind_of(node) {
        "property_declaration" => {
            let target = name_of("variable_declaration").and_then(|declared| declared.named_child(0));
            bind(
                target,
                after("variable_declaration").filter(|value| kind_of(*value) != "getter"),
                How::Declared,
            )
        }
        "class_parameter" => bind(name_of("identifier"), after("identifier"), How::Default),
        "parameter" => {
            let is_default = node.next_sibling().is_some_and(|sign| kind_of(sign) == "=");
            let value = if is_default { node.next_named_sibling() } else { None };
            bind(node.named_child(0), value, if is_default { How::Default } else { How::Declared })
        }
        "assignment" => {
            let is_plain = field(node, "operator").is_none_or(|operator| kind_of(operator) == "=");
            bind(
                field(node, "left"),
                field(node, "right"),
                if is_plain { How::Assigned } else { How::Changed },
            )
        }
        "for_statement" => bind(
            name_of("variable_declaration"),
            after("variable_declaration").and_then(|_| node.named_child(1)),
            How::Each,
        ),
        "function_declaration" | "anonymous_function" | "lambda_literal" | "secondary_constructor" => {
            Role::Scope(ScopeKind::Function, field(node, "name"))
        }
        "class_declaration" | "object_declaration" => Role::Scope(ScopeKind::Class, field(node, "name")),
        "block" => Role::Scope(ScopeKind::Block, None),
        _ => Role::None,
    }
}
