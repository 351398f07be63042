//! Ruby.

use super::outline::{Lexis, RUBY};
use super::shape::{
    Entry, Grammar, How, Invocation, Node, Quoted, Role, ScopeKind, Shape, bind, bind_lists, children,
    choice, field, key, kind_of, operation, quoted, same, signed, text,
};

/// How Ruby is read.
pub(super) static GRAMMAR: Grammar = Grammar {
    parser: |_| tree_sitter_ruby::LANGUAGE.into(),
    shape,
    role,
    lexis: LEXIS,
    has_builders: true,
    is_trailing_comma_fine: true,
    is_assignment_local: true,
    is_class_visible: true,
};

const LEXIS: &Lexis = &RUBY;

fn shape<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match kind_of(node) {
        "string" => quoted(node, source, text(node, source).starts_with('\'')),
        "bare_string" => Shape::Text(Quoted { content: node.byte_range(), holes: Vec::new(), is_raw: false }),
        "heredoc_body" => heredoc(node),
        "simple_symbol" => {
            let span = node.byte_range();
            Shape::Text(Quoted {
                content: (span.start + 1).min(span.end)..span.end,
                holes: Vec::new(),
                is_raw: true,
            })
        }
        "integer" | "float" => Shape::Number,
        "unary" => signed(node, source),
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "nil" => Shape::Null,
        "array" | "string_array" => Shape::List(children(node)),
        "hash" => Shape::Table { made_by: None, entries: entries(node, source) },
        "call" => call(node, source),
        "chained_string" => Shape::Join(children(node)),
        "conditional" => choice(node, "consequence", "alternative"),
        "binary" => operation(node, "+", &["||", "or"]),
        "parenthesized_statements" | "interpolation" => same(node),
        "identifier" | "constant" | "instance_variable" | "class_variable" | "global_variable" | "self" => {
            Shape::Name
        }
        "scope_resolution" => match (field(node, "scope"), field(node, "name")) {
            (Some(object), Some(name)) => Shape::Path(object, name),
            _ => Shape::Name,
        },
        "comment" => Shape::Comment,
        "element_reference" => environment(node, source),
        _ => Shape::Other,
    }
}

/// A text over several lines, which stands apart from where it is used.
fn heredoc<'t>(node: Node<'t>) -> Shape<'t> {
    let parts = children(node);
    let end = parts
        .last()
        .filter(|last| kind_of(**last) == "heredoc_end")
        .map_or(node.end_byte(), |last| last.start_byte());
    let holes = parts.into_iter().filter(|part| kind_of(*part) == "interpolation").collect();
    Shape::Text(Quoted { content: node.start_byte()..end.max(node.start_byte()), holes, is_raw: false })
}

/// `ENV["MODEL"]` is not known; neither is any other element.
fn environment<'t>(_node: Node<'t>, _source: &str) -> Shape<'t> {
    Shape::Operation
}

fn call<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let Some(name) = field(node, "method") else { return Shape::Other };
    let object = field(node, "receiver");
    let list = field(node, "arguments");
    if let (Some(object), None, None) = (object, list, field(node, "block")) {
        let is_text = kind_of(object) == "string";
        match text(name, source) {
            "freeze" | "to_s" | "to_sym" | "strip" if is_text => return Shape::Same(object),
            "new" => {}
            _ => return Shape::Path(object, name),
        }
    }
    let entries = list.map(|list| entries(list, source)).unwrap_or_default();
    let callee = object.map_or(name.start_byte(), |object| object.start_byte())..name.end_byte();
    Shape::Call(Invocation { object, name: Some(name), callee, entries })
}

fn entries<'t>(node: Node<'t>, source: &str) -> Vec<Entry<'t>> {
    let entry = |child: Node<'t>| match kind_of(child) {
        "pair" => match field(child, "key") {
            // `temperature:` alone takes the variable of that name.
            Some(name) => Entry::named(child, key(name, source), field(child, "value").or(Some(name))),
            None => Entry::positional(child),
        },
        "hash_splat_argument" | "splat_argument" => Entry::spread(child, child.named_child(0)),
        "block_argument" => Entry::spread(child, None),
        _ => Entry::positional(child),
    };
    children(node).into_iter().map(entry).collect()
}

fn role<'t>(node: Node<'t>, _source: &str) -> Role<'t> {
    match kind_of(node) {
        "assignment" => bind_lists(field(node, "left"), field(node, "right"), How::Assigned),
        "operator_assignment" => bind(field(node, "left"), field(node, "right"), How::Changed),
        "optional_parameter" | "keyword_parameter" => match field(node, "value") {
            Some(value) => bind(field(node, "name"), Some(value), How::Default),
            None => bind(field(node, "name"), None, How::Declared),
        },
        "method_parameters" | "block_parameters" | "lambda_parameters" => {
            let names = children(node).into_iter().filter(|child| kind_of(*child) == "identifier");
            Role::Bind(
                names.map(|target| super::shape::Bind { target, value: None, how: How::Declared }).collect(),
            )
        }
        "method" | "singleton_method" => Role::Scope(ScopeKind::Function, field(node, "name")),
        "block" | "do_block" | "lambda" => Role::Scope(ScopeKind::Block, None),
        "class" | "module" => Role::Scope(ScopeKind::Class, field(node, "name")),
        _ => Role::None,
    }
}
