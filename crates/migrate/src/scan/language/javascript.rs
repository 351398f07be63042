//! JavaScript and TypeScript, with JSX.

use super::outline::{JAVASCRIPT, Lexis};
use super::shape::{
    Bind, Entry, Grammar, How, Invocation, Node, Quoted, Role, ScopeKind, Shape, children, field, key,
    kind_of, quoted, text,
};

/// How JavaScript is read.
pub(super) static JAVASCRIPT_GRAMMAR: Grammar = grammar(|_| tree_sitter_javascript::LANGUAGE.into());
/// How TypeScript is read.
pub(super) static TYPESCRIPT_GRAMMAR: Grammar =
    grammar(|_| tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into());
/// How TypeScript with JSX is read.
pub(super) static TSX_GRAMMAR: Grammar = grammar(|_| tree_sitter_typescript::LANGUAGE_TSX.into());

const LEXIS: &Lexis = &JAVASCRIPT;

const fn grammar(parser: fn(&str) -> tree_sitter::Language) -> Grammar {
    Grammar {
        parser,
        shape,
        role,
        lexis: LEXIS,
        has_builders: false,
        is_trailing_comma_fine: true,
        is_assignment_local: false,
        is_class_visible: false,
    }
}

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string" => quoted(node, source, false),
        "template_string" => template(node),
        "jsx_text" => Shape::Prose,
        "number" => Shape::Number,
        "unary_expression" => {
            field(node, "argument").map_or(Shape::Other, |argument| match text(node, source).as_bytes() {
                [b'-', ..] => Shape::Negative(argument),
                _ => Shape::Other,
            })
        }
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "null" | "undefined" => Shape::Null,
        "array" => Shape::List(children(node)),
        "object" => Shape::Table { made_by: None, entries: entries(node, source) },
        "call_expression" => call(node, source, "function"),
        "new_expression" => call(node, source, "constructor"),
        "jsx_opening_element" | "jsx_self_closing_element" => element(node, source),
        "binary_expression" => binary(node),
        "ternary_expression" => match (field(node, "consequence"), field(node, "alternative")) {
            (Some(yes), Some(no)) => Shape::Choice(vec![yes, no]),
            _ => Shape::Other,
        },
        "parenthesized_expression"
        | "await_expression"
        | "as_expression"
        | "satisfies_expression"
        | "non_null_expression"
        | "jsx_expression"
        | "literal_type"
        | "template_substitution" => children(node).first().map_or(Shape::Other, |inner| Shape::Same(*inner)),
        "identifier" | "shorthand_property_identifier" | "property_identifier" | "this" => Shape::Name,
        "member_expression" => match (field(node, "object"), field(node, "property")) {
            (Some(object), Some(name)) => Shape::Path(object, name),
            _ => Shape::Other,
        },
        "comment" | "html_comment" => Shape::Comment,
        "subscript_expression" => Shape::Operation,
        _ => Shape::Other,
    }
}

/// Its holes are its substitutions; what they hold may be a constant, which is looked up by the name within.
fn template<'t>(node: Node<'t>) -> Shape<'t> {
    let span = node.byte_range();
    let holes =
        children(node).into_iter().filter(|child| kind_of(*child) == "template_substitution").collect();
    let end = span.end.saturating_sub(1).max(span.start);
    Shape::Text(Quoted { content: (span.start + 1).min(end)..end, holes, is_raw: false })
}

fn binary<'t>(node: Node<'t>) -> Shape<'t> {
    let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else { return Shape::Other };
    match field(node, "operator").map(|operator| kind_of(operator)) {
        Some("+") => Shape::Join(vec![left, right]),
        Some("??" | "||") => Shape::Choice(vec![left, right]),
        _ => Shape::Operation,
    }
}

fn call<'t>(node: Node<'t>, source: &str, callee: &str) -> Shape<'t> {
    let Some(function) = field(node, callee) else { return Shape::Other };
    let arguments = field(node, "arguments");
    let entries = match arguments {
        Some(arguments) if kind_of(arguments) == "arguments" => entries(arguments, source),
        Some(template) => vec![Entry::positional(template)],
        None => Vec::new(),
    };
    let (object, name) = match kind_of(function) {
        "member_expression" => (field(function, "object"), field(function, "property")),
        "identifier" | "import" | "super" => (None, Some(function)),
        _ => (Some(function), None),
    };
    Shape::Call(Invocation { object, name, callee: function.byte_range(), entries })
}

/// `<Chat model="m" temperature={0.2} />` is a call of `Chat`.
fn element<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let Some(name) = field(node, "name") else { return Shape::Other };
    let mut cursor = node.walk();
    let attributes: Vec<_> = node.children_by_field_name("attribute", &mut cursor).collect();
    let entries = attributes.into_iter().map(|attribute| match attribute.named_child(0) {
        Some(name) if kind_of(attribute) == "jsx_attribute" => {
            let mut entry = Entry::named(attribute, key(name, source), attribute.named_child(1));
            entry.is_statement = true;
            entry
        }
        Some(spread) => Entry::spread(attribute, spread.named_child(0)),
        None => Entry::positional(attribute),
    });
    Shape::Call(Invocation {
        object: None,
        name: Some(name),
        callee: name.byte_range(),
        entries: entries.collect(),
    })
}

fn entries<'t>(node: Node<'t>, source: &str) -> Vec<Entry<'t>> {
    children(node).into_iter().map(|child| entry(child, source)).collect()
}

fn entry<'t>(node: Node<'t>, source: &str) -> Entry<'t> {
    match kind_of(node) {
        "pair" => match field(node, "key") {
            Some(name) => Entry::named(node, key(name, source), field(node, "value")),
            None => Entry::positional(node),
        },
        "shorthand_property_identifier" => Entry::named(node, key(node, source), Some(node)),
        "method_definition" => match field(node, "name") {
            Some(name) => Entry::named(node, key(name, source), None),
            None => Entry::positional(node),
        },
        "spread_element" => Entry::spread(node, node.named_child(0)),
        _ => Entry::positional(node),
    }
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    match kind_of(node) {
        "variable_declarator" | "enum_assignment" => {
            bind(field(node, "name"), field(node, "value"), How::Declared)
        }
        "type_alias_declaration" => bind(field(node, "name"), field(node, "value"), How::Declared),
        "public_field_definition" => bind(field(node, "name"), field(node, "value"), How::Declared),
        "field_definition" => bind(field(node, "property"), field(node, "value"), How::Declared),
        "assignment_expression" => bind(field(node, "left"), field(node, "right"), How::Assigned),
        "augmented_assignment_expression" => bind(field(node, "left"), field(node, "right"), How::Changed),
        "required_parameter" | "optional_parameter" => match field(node, "value") {
            Some(value) => bind(field(node, "pattern"), Some(value), How::Default),
            None => bind(field(node, "pattern"), None, How::Declared),
        },
        "assignment_pattern" | "object_assignment_pattern" => {
            bind(field(node, "left"), field(node, "right"), How::Default)
        }
        "shorthand_property_identifier_pattern" => {
            let is_default =
                node.parent().is_some_and(|parent| kind_of(parent) == "object_assignment_pattern");
            if is_default { Role::None } else { bind(Some(node), None, How::Declared) }
        }
        "pair_pattern" => match field(node, "value") {
            Some(value) if kind_of(value) == "identifier" => bind(Some(value), None, How::Declared),
            _ => Role::None,
        },
        "formal_parameters" => {
            let names = children(node).into_iter().filter(|child| kind_of(*child) == "identifier");
            Role::Bind(names.map(|target| Bind { target, value: None, how: How::Declared }).collect())
        }
        "for_in_statement" => bind(field(node, "left"), field(node, "right"), How::Each),
        "function_declaration"
        | "function_expression"
        | "arrow_function"
        | "method_definition"
        | "generator_function_declaration"
        | "generator_function" => Role::Scope(ScopeKind::Function, field(node, "name")),
        "class_declaration" | "class" | "abstract_class_declaration" | "enum_declaration" => {
            Role::Scope(ScopeKind::Class, field(node, "name"))
        }
        "statement_block" => Role::Scope(ScopeKind::Block, None),
        _ => Role::None,
    }
}

fn bind<'t>(target: Option<Node<'t>>, value: Option<Node<'t>>, how: How) -> Role<'t> {
    match target {
        Some(target) if !matches!(kind_of(target), "object_pattern" | "array_pattern") => {
            Role::Bind(vec![Bind { target, value, how }])
        }
        _ => Role::None,
    }
}
