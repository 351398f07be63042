//! C#.

use super::outline::{CSHARP, Lexis};
use super::shape::{
    Entry, Grammar, How, Invocation, Node, Role, ScopeKind, Shape, bind, children, choice, field, key,
    kind_of, operation, quoted, quoted_by_signs, same, same_last, signed,
};

/// How C# is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |_| tree_sitter_c_sharp::LANGUAGE.into(),
    shape,
    role,
    lexis: LEXIS,
    has_builders: true,
    is_trailing_comma_fine: false,
    is_assignment_local: false,
    is_class_visible: true,
};

const LEXIS: &Lexis = &CSHARP;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string_literal" => quoted(node, source, false),
        "interpolated_string_expression" => quoted_by_signs(node, source),
        "verbatim_string_literal" | "raw_string_literal" => quoted(node, source, true),
        "integer_literal" | "real_literal" => Shape::Number,
        "prefix_unary_expression" | "postfix_unary_expression" => signed(node, source),
        "boolean_literal" => Shape::Bool(super::shape::text(node, source) == "true"),
        "null_literal" => Shape::Null,
        "initializer_expression"
            if node
                .parent()
                .is_none_or(|parent| !kind_of(parent).ends_with("object_creation_expression")) =>
        {
            initializer(node, None, source)
        }
        "with_expression" => copied(node, source),
        "collection_expression" => Shape::List(children(node)),
        "array_creation_expression" | "implicit_array_creation_expression" => same_last(node),
        "anonymous_object_creation_expression" => anonymous(node, source),
        "object_creation_expression" | "implicit_object_creation_expression" => creation(node, source),
        "invocation_expression" => invocation(node, source),
        "attribute" => attribute(node, source),
        "collection_element"
        | "expression_element"
        | "parenthesized_expression"
        | "await_expression"
        | "argument" => same(node),
        "interpolation" => children(node)
            .into_iter()
            .find(|child| kind_of(*child) != "interpolation_brace")
            .map_or(Shape::Other, Shape::Same),
        "cast_expression" => same_last(node),
        "conditional_expression" => choice(node, "consequence", "alternative"),
        "binary_expression" => operation(node, "+", &["??"]),
        "identifier" | "this" | "generic_name" => Shape::Name,
        "member_access_expression" => {
            match (field(node, "expression").or_else(|| node.child(0)), field(node, "name")) {
                (Some(object), Some(name)) => Shape::Path(object, name),
                _ => Shape::Other,
            }
        }
        "comment" => Shape::Comment,
        "element_access_expression" => Shape::Operation,
        _ => Shape::Other,
    }
}

fn entry<'t>(argument: Node<'t>, source: &str) -> Entry<'t> {
    let value = children(argument).last().copied();
    match (field(argument, "name"), value) {
        (Some(name), value) => Entry::named(argument, key(name, source), value),
        (None, Some(value)) => Entry::positional(value),
        (None, None) => Entry::positional(argument),
    }
}

fn arguments<'t>(list: Option<Node<'t>>, source: &str) -> Vec<Entry<'t>> {
    list.map(children).unwrap_or_default().into_iter().map(|argument| entry(argument, source)).collect()
}

/// `{ Temperature = 0.2f, ["model"] = "m", { "key", 1 }, "item" }`.
fn initializer<'t>(node: Node<'t>, made_by: Option<Node<'t>>, source: &str) -> Shape<'t> {
    let members = children(node);
    let is_table =
        members.iter().any(|member| kind_of(*member) == "assignment_expression" || is_pair(*member));
    if !is_table && (!members.is_empty() || made_by.is_none()) {
        return Shape::List(members);
    }
    let member = |member: Node<'t>| match (field(member, "left"), field(member, "right")) {
        (Some(left), Some(right)) => {
            let (name, span) = key(left, source);
            let bare = name.trim_matches(['[', ']', '"']).to_owned();
            let begin = span.start + name.find(bare.as_str()).unwrap_or(0);
            Entry::named(member, (bare.clone(), begin..begin + bare.len()), Some(right))
        }
        _ => match children(member)[..] {
            [name, value] if is_pair(member) => Entry::named(member, key(name, source), Some(value)),
            _ => Entry::positional(member),
        },
    };
    Shape::Table {
        made_by: made_by.map(|kind| kind.byte_range()),
        entries: members.into_iter().map(member).collect(),
    }
}

/// `options with { Temperature = 0.1f }`.
fn copied<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let parts = children(node);
    let Some((base, rest)) = parts.split_first() else { return Shape::Other };
    let changed = rest.iter().flat_map(|part| match kind_of(*part) {
        "with_initializer" => vec![*part],
        _ => children(*part),
    });
    let mut entries = vec![Entry::spread(*base, Some(*base))];
    entries.extend(changed.filter_map(|part| match children(part)[..] {
        [name, value] => Some(Entry::named(part, key(name, source), Some(value))),
        _ => None,
    }));
    Shape::Table { made_by: None, entries }
}

fn is_pair(member: Node<'_>) -> bool {
    kind_of(member) == "initializer_expression" && member.named_child_count() == 2
}

/// `new { model = "m", messages }`: names and values stand side by side.
fn anonymous<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let mut entries = Vec::new();
    let parts = children(node);
    let mut rest = parts.iter().copied().peekable();
    while let Some(name) = rest.next() {
        let is_named = name.next_sibling().is_some_and(|sign| kind_of(sign) == "=");
        let value = if is_named { rest.next() } else { Some(name) };
        let mut entry = Entry::named(name, key(name, source), value);
        entry.span.end = value.map_or(entry.span.end, |value| value.end_byte());
        entries.push(entry);
    }
    Shape::Table { made_by: None, entries }
}

fn creation<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let of_kind = |kind: &str| children(node).into_iter().find(|child| kind_of(*child) == kind);
    let made_by = field(node, "type").or_else(|| declared_type(node));
    let list = field(node, "arguments").or_else(|| of_kind("argument_list"));
    let initial = field(node, "initializer").or_else(|| of_kind("initializer_expression"));
    let given = arguments(list, source);
    match (initial, given.is_empty()) {
        (Some(initial), true) => {
            initializer(initial, made_by.filter(|kind| kind_of(*kind) != "generic_name"), source)
        }
        (initial, _) => {
            let mut entries = given;
            if let Some(Shape::Table { entries: members, .. }) =
                initial.map(|initial| initializer(initial, None, source))
            {
                entries.extend(members);
            }
            let callee = made_by.map_or(node.start_byte()..node.start_byte() + 3, |kind| kind.byte_range());
            Shape::Call(Invocation { object: None, name: made_by, callee, entries })
        }
    }
}

/// `ChatClient client = new("m", key)`: the type stands before the name.
fn declared_type<'t>(node: Node<'t>) -> Option<Node<'t>> {
    let declarator = node.parent().filter(|parent| kind_of(*parent) == "variable_declarator")?;
    field(declarator.parent()?, "type")
}

fn invocation<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let Some(function) = field(node, "function") else { return Shape::Other };
    let (object, name) = match kind_of(function) {
        "member_access_expression" => {
            (field(function, "expression").or_else(|| function.child(0)), field(function, "name"))
        }
        "conditional_access_expression" => (
            field(function, "condition"),
            children(function).last().and_then(|binding| field(*binding, "name")),
        ),
        "identifier" | "generic_name" => (None, Some(function)),
        _ => (Some(function), None),
    };
    let entries = arguments(field(node, "arguments"), source);
    Shape::Call(Invocation { object, name, callee: function.byte_range(), entries })
}

fn attribute<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let Some(name) = field(node, "name") else { return Shape::Other };
    let list = children(node).into_iter().find(|child| kind_of(*child) == "attribute_argument_list");
    Shape::Call(Invocation {
        object: None,
        name: Some(name),
        callee: name.byte_range(),
        entries: arguments(list, source),
    })
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    // A value without a field of its own stands last, behind the name.
    let last = || {
        children(node)
            .last()
            .copied()
            .filter(|last| Some(*last) != field(node, "name") && Some(*last) != field(node, "type"))
    };
    match kind_of(node) {
        "variable_declarator" => bind(field(node, "name"), last(), How::Declared),
        "property_declaration" => bind(field(node, "name"), field(node, "value"), How::Declared),
        "enum_member_declaration" => bind(field(node, "name"), field(node, "value"), How::Declared),
        "parameter" => match last() {
            Some(value) => bind(field(node, "name"), Some(value), How::Default),
            None => bind(field(node, "name"), None, How::Declared),
        },
        "assignment_expression"
            if node.parent().is_none_or(|parent| kind_of(parent) != "initializer_expression") =>
        {
            let is_plain =
                field(node, "operator").or_else(|| node.child(1)).is_none_or(|sign| kind_of(sign) == "=");
            bind(
                field(node, "left"),
                field(node, "right"),
                if is_plain { How::Assigned } else { How::Changed },
            )
        }
        "foreach_statement" => bind(field(node, "left"), field(node, "right"), How::Each),
        "method_declaration"
        | "constructor_declaration"
        | "local_function_statement"
        | "lambda_expression" => Role::Scope(ScopeKind::Function, field(node, "name")),
        "class_declaration"
        | "struct_declaration"
        | "record_declaration"
        | "enum_declaration"
        | "interface_declaration" => Role::Scope(ScopeKind::Class, field(node, "name")),
        "block" => Role::Scope(ScopeKind::Block, None),
        _ => Role::None,
    }
}
