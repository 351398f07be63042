//! PHP, within markup and alone.

use super::outline::{Lexis, PHP};
use super::shape::{
    Bind, Entry, Grammar, How, Invocation, Node, Quoted, Role, ScopeKind, Shape, bind, children, choice,
    field, key, kind_of, operation, quoted, same, same_last, signed, text,
};

/// How PHP is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |text| match text.contains("<?") {
        true => tree_sitter_php::LANGUAGE_PHP.into(),
        false => tree_sitter_php::LANGUAGE_PHP_ONLY.into(),
    },
    shape,
    role,
    lexis: LEXIS,
    has_builders: true,
    is_trailing_comma_fine: true,
    is_assignment_local: true,
    is_class_visible: false,
};

const LEXIS: &Lexis = &PHP;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string" => quoted(node, source, true),
        "encapsed_string" => quoted(node, source, false),
        "heredoc" | "nowdoc" => field(node, "value").map_or(Shape::Other, heredoc),
        "integer" | "float" => Shape::Number,
        "unary_op_expression" => signed(node, source),
        "boolean" => Shape::Bool(text(node, source).eq_ignore_ascii_case("true")),
        "null" => Shape::Null,
        "text" => Shape::Prose,
        "array_creation_expression" => array(node, source),
        "array_element_initializer" | "argument" | "parenthesized_expression" => same_last(node),
        "cast_expression" => same_last(node),
        "function_call_expression" | "object_creation_expression" | "attribute" => function(node, source),
        "member_call_expression" | "nullsafe_member_call_expression" => method(node, "object", source),
        "scoped_call_expression" => method(node, "scope", source),
        "conditional_expression" => choice(node, "body", "alternative"),
        "binary_expression" => operation(node, ".", &["??", "?:", "||"]),
        "variable_name" | "name" | "qualified_name" => Shape::Name,
        "member_access_expression"
        | "nullsafe_member_access_expression"
        | "scoped_property_access_expression" => {
            match (field(node, "object").or_else(|| field(node, "scope")), field(node, "name")) {
                (Some(object), Some(name)) => Shape::Path(object, name),
                _ => Shape::Other,
            }
        }
        "class_constant_access_expression" => match children(node)[..] {
            [object, name] => Shape::Path(object, name),
            _ => Shape::Other,
        },
        "expression_statement" => Shape::Other,
        "clone_expression" => same(node),
        "comment" => Shape::Comment,
        "subscript_expression" => Shape::Operation,
        _ => Shape::Other,
    }
}

fn heredoc<'t>(body: Node<'t>) -> Shape<'t> {
    let is_hole =
        |part: &Node<'t>| !matches!(kind_of(*part), "string_content" | "escape_sequence" | "nowdoc_string");
    let holes = children(body).into_iter().filter(is_hole).collect();
    Shape::Text(Quoted { content: body.byte_range(), holes, is_raw: false })
}

/// `['model' => 'm', ...$more]` is a table, `['a', 'b']` a list.
fn array<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let element = |element: Node<'t>| match children(element)[..] {
        [name, value] => Entry::named(element, key(name, source), Some(value)),
        [only] if kind_of(only) == "variadic_unpacking" => Entry::spread(element, only.named_child(0)),
        [only] => Entry::positional(only),
        _ => Entry::positional(element),
    };
    let elements = children(node);
    let entries: Vec<_> = elements.into_iter().map(element).collect();
    match entries.iter().any(|entry| entry.name.is_some() || entry.is_spread) {
        true => Shape::Table { made_by: None, entries },
        false => Shape::List(entries.iter().filter_map(|entry| entry.value).collect()),
    }
}

fn arguments<'t>(node: Node<'t>, source: &str) -> Vec<Entry<'t>> {
    let of_kind = || children(node).into_iter().find(|child| kind_of(*child) == "arguments");
    let list = field(node, "arguments").or_else(|| field(node, "parameters")).or_else(of_kind);
    let entry = |argument: Node<'t>| match (field(argument, "name"), children(argument).last()) {
        (Some(name), value) => Entry::named(argument, key(name, source), value.copied()),
        (None, Some(only)) if kind_of(*only) == "variadic_unpacking" => {
            Entry::spread(argument, only.named_child(0))
        }
        (None, Some(only)) => Entry::positional(*only),
        (None, None) => Entry::positional(argument),
    };
    list.map(children).unwrap_or_default().into_iter().map(entry).collect()
}

fn function<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let Some(name) = field(node, "function").or_else(|| children(node).first().copied()) else {
        return Shape::Other;
    };
    Shape::Call(Invocation {
        object: None,
        name: Some(name),
        callee: name.byte_range(),
        entries: arguments(node, source),
    })
}

fn method<'t>(node: Node<'t>, object: &str, source: &str) -> Shape<'t> {
    let (Some(object), Some(name)) = (field(node, object), field(node, "name")) else { return Shape::Other };
    let callee = object.start_byte()..name.end_byte();
    Shape::Call(Invocation {
        object: Some(object),
        name: Some(name),
        callee,
        entries: arguments(node, source),
    })
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    match kind_of(node) {
        "assignment_expression" => bind(field(node, "left"), field(node, "right"), How::Assigned),
        "augmented_assignment_expression" => bind(field(node, "left"), field(node, "right"), How::Changed),
        "const_element" => match children(node)[..] {
            [target, value] => bind(Some(target), Some(value), How::Declared),
            _ => Role::None,
        },
        "enum_case" => bind(field(node, "name"), field(node, "value"), How::Declared),
        // `$this->model` is the property `$model`.
        "property_element" => {
            let target = field(node, "name").map(|name| name.named_child(0).unwrap_or(name));
            bind(target, field(node, "default_value"), How::Declared)
        }
        "simple_parameter" | "property_promotion_parameter" => match field(node, "default_value") {
            Some(value) => bind(field(node, "name"), Some(value), How::Default),
            None => bind(field(node, "name"), None, How::Declared),
        },
        "foreach_statement" => match children(node)[..] {
            [list, target, ..] => Role::Bind(vec![Bind { target, value: Some(list), how: How::Each }]),
            _ => Role::None,
        },
        "function_definition" | "method_declaration" | "anonymous_function" | "arrow_function" => {
            Role::Scope(ScopeKind::Function, field(node, "name"))
        }
        "class_declaration" | "enum_declaration" | "trait_declaration" | "interface_declaration" => {
            Role::Scope(ScopeKind::Class, field(node, "name"))
        }
        _ => Role::None,
    }
}
