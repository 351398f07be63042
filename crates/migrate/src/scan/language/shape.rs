//! What a node of a syntax tree is to us, in one vocabulary for all languages: texts, numbers, tables, calls, names.
//!
//! A language says it with two functions, [`Grammar::shape`] for expressions and [`Grammar::role`] for what names things
//! and opens scopes; everything behind them is shared.

use super::outline::Lexis;

pub(super) use super::kinds::{field, kind_of};
use crate::scan::source::Span;

/// A node of a syntax tree.
pub(super) type Node<'t> = tree_sitter::Node<'t>;

/// How a language is read.
pub(super) struct Grammar {
    /// Its grammar.
    pub(super) parser: fn(text: &str) -> tree_sitter::Language,
    /// What an expression is.
    pub(super) shape: for<'t> fn(Node<'t>, &str) -> Shape<'t>,
    /// What a statement or declaration does with names.
    pub(super) role: for<'t> fn(Node<'t>, &str) -> Role<'t>,
    /// Its strings and comments, for finding parts of a file without parsing all of it.
    pub(super) lexis: &'static Lexis,
    /// Whether requests are made by chains of calls: `X.builder().model("m").build()`.
    pub(super) has_builders: bool,
    /// Whether a comma may stand behind the last argument.
    pub(super) is_trailing_comma_fine: bool,
    /// Whether an assignment makes a name of the function that it stands in, whatever outer blocks have.
    pub(super) is_assignment_local: bool,
    /// Whether a class's names are visible in its methods without `self` or the class's name.
    pub(super) is_class_visible: bool,
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum Shape<'t> {
    /// A string, with what is put into it.
    Text(Quoted<'t>),
    /// A number.
    Number,
    /// A number behind a minus.
    Negative(Node<'t>),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Null,
    /// Several values in order.
    List(Vec<Node<'t>>),
    /// Named values.
    Table {
        /// The type that it is written with: `openai.ChatCompletionNewParams`.
        made_by: Option<Span>,
        /// Its members.
        entries: Vec<Entry<'t>>,
    },
    /// A call.
    Call(Invocation<'t>),
    /// One of these becomes the value.
    Choice(Vec<Node<'t>>),
    /// These together become the value.
    Join(Vec<Node<'t>>),
    /// The value of this.
    Same(Node<'t>),
    /// A name.
    Name,
    /// A name within something: `object.name`.
    Path(Node<'t>, Node<'t>),
    /// A comment.
    Comment,
    /// Text for people.
    Prose,
    /// A comparison or another operation whose operands are not its value.
    Operation,
    /// Anything else.
    Other,
}

/// A string as it is written.
#[derive(Debug)]
pub(super) struct Quoted<'t> {
    /// What stands between the quotes.
    pub(super) content: Span,
    /// What is put in at run time, in order.
    pub(super) holes: Vec<Node<'t>>,
    /// Whether backslashes stand for themselves.
    pub(super) is_raw: bool,
}

/// A call as it is written.
#[derive(Debug)]
pub(super) struct Invocation<'t> {
    /// What the method is called on.
    pub(super) object: Option<Node<'t>>,
    /// The function's or method's name; `None` if it is computed.
    pub(super) name: Option<Node<'t>>,
    /// Where the name ends that the call begins with.
    pub(super) callee: Span,
    /// Its arguments.
    pub(super) entries: Vec<Entry<'t>>,
}

/// An argument or a member.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    /// Its name and where that stands, unless it has none.
    pub(super) name: Option<(String, Span)>,
    /// All of it, without what separates it from the next.
    pub(super) span: Span,
    /// Its value.
    pub(super) value: Option<Node<'t>>,
    /// Whether the members of the value are put in its place.
    pub(super) is_spread: bool,
    /// Whether it is a statement of its own and not followed by a comma.
    pub(super) is_statement: bool,
}

impl<'t> Entry<'t> {
    /// Without a name.
    pub(super) fn positional(value: Node<'t>) -> Self {
        Self {
            name: None,
            span: value.byte_range(),
            value: Some(value),
            is_spread: false,
            is_statement: false,
        }
    }

    /// With a name.
    pub(super) fn named(whole: Node<'t>, name: (String, Span), value: Option<Node<'t>>) -> Self {
        Self { name: Some(name), span: whole.byte_range(), value, is_spread: false, is_statement: false }
    }

    /// What is spread.
    pub(super) fn spread(whole: Node<'t>, value: Option<Node<'t>>) -> Self {
        Self { name: None, span: whole.byte_range(), value, is_spread: true, is_statement: false }
    }
}

/// What a statement or declaration does with names.
#[derive(Debug)]
pub(super) enum Role<'t> {
    /// It gives names to values.
    Bind(Vec<Bind<'t>>),
    /// Its names are its own.
    Scope(ScopeKind, Option<Node<'t>>),
    /// A string that documents what it stands in.
    Docstring,
    /// Neither.
    None,
}

/// Whose names a scope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKind {
    /// A file.
    File,
    /// A class, an enum, an implementation.
    Class,
    /// A function.
    Function,
    /// A block that has names of its own.
    Block,
}

/// A name that is given to a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bind<'t> {
    /// The name, or `self.name`.
    pub(super) target: Node<'t>,
    /// The value, where there is one to be seen.
    pub(super) value: Option<Node<'t>>,
    /// What the value is to the name.
    pub(super) how: How,
}

/// What a value is to the name that it is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A declaration: the name is new in its block.
    Declared,
    /// An assignment, perhaps to a name of an outer block.
    Assigned,
    /// The value of a parameter that is not given.
    Default,
    /// One of the values of a list.
    Each,
    /// Something is done to it: `+=`.
    Changed,
}

/// Named children, without comments.
pub(super) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra()).collect()
}

/// The text of a node.
pub(super) fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    slice(source, &node.byte_range())
}

/// A part of the source; empty where it is none.
pub(super) fn slice<'s>(source: &'s str, span: &Span) -> &'s str {
    source.get(span.clone()).unwrap_or_default()
}

/// The name of a key: a word as it is written, a string without its quotes.
pub(super) fn key(node: Node<'_>, source: &str) -> (String, Span) {
    let span = node.byte_range();
    let written = slice(source, &span);
    let inner =
        written.trim_start_matches([':', '\'', '"', '`', '@']).trim_end_matches(['\'', '"', '`', ':']);
    let begin = span.start + written.find(inner).unwrap_or(0);
    (inner.to_owned(), begin..begin + inner.len())
}

/// A string node: its content lies between its first and its last child; children that are neither content nor an escape
/// are put in at run time.
pub(super) fn quoted<'t>(node: Node<'t>, source: &str, is_raw: bool) -> Shape<'t> {
    let last = node.child_count().checked_sub(1).and_then(|last| node.child(last));
    let content = match (node.child(0), last) {
        (Some(first), Some(last)) if first != last && !is_content(first) && !is_content(last) => {
            first.end_byte()..last.start_byte().max(first.end_byte())
        }
        _ => between_quotes(&node.byte_range(), source),
    };
    let holes =
        children(node).into_iter().filter(|child| !is_content(*child) && child.start_byte() >= content.start);
    let holes = holes.filter(|child| child.end_byte() <= content.end).collect();
    Shape::Text(Quoted { content, holes, is_raw })
}

/// A string whose quotes are no nodes of their own.
pub(super) fn quoted_by_signs<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    let content = between_quotes(&node.byte_range(), source);
    let is_hole = |child: &Node<'t>| kind_of(*child) == "interpolation";
    Shape::Text(Quoted {
        content,
        holes: children(node).into_iter().filter(is_hole).collect(),
        is_raw: false,
    })
}

/// For strings that the grammar does not take apart: a prefix of letters and signs, quotes, and as many at the end.
fn between_quotes(span: &Span, source: &str) -> Span {
    let written = slice(source, span);
    let inner = written.trim_start_matches(|sign: char| !matches!(sign, '"' | '\'' | '`'));
    let Some(quote) = inner.chars().next() else { return span.clone() };
    let run = inner.chars().take_while(|sign| *sign == quote).count();
    let width = if run >= 3 { 3 } else { 1 };
    let begin = span.start + written.len() - inner.len() + width;
    let end = span.start + written.trim_end_matches('#').len();
    begin.min(span.end)..end.saturating_sub(width).max(begin.min(span.end))
}

fn is_content(node: Node<'_>) -> bool {
    let kind = kind_of(node);
    kind.ends_with("content") || kind.ends_with("fragment") || kind.contains("escape")
}
/// The sides of an operation.
pub(super) fn sides<'t>(node: Node<'t>) -> Option<Vec<Node<'t>>> {
    Some(vec![field(node, "left")?, field(node, "right")?])
}

/// The value of the first child.
pub(super) fn same<'t>(node: Node<'t>) -> Shape<'t> {
    children(node).first().map_or(Shape::Other, |inner| Shape::Same(*inner))
}

/// The value of the last child, of a cast for example.
pub(super) fn same_last<'t>(node: Node<'t>) -> Shape<'t> {
    children(node).last().map_or(Shape::Other, |inner| Shape::Same(*inner))
}

/// A number with a sign.
pub(super) fn signed<'t>(node: Node<'t>, source: &str) -> Shape<'t> {
    match (children(node).last(), text(node, source).as_bytes()) {
        (Some(inner), [b'-', ..]) => Shape::Negative(*inner),
        (Some(inner), [b'&' | b'*', ..]) => Shape::Same(*inner),
        // `value!!` and `value!` say that there is one.
        (Some(inner), [.., b'!']) => Shape::Same(*inner),
        _ => Shape::Operation,
    }
}

/// An operation of two sides: which operators join texts, and which give a default.
pub(super) fn operation<'t>(node: Node<'t>, joins: &str, defaults: &[&str]) -> Shape<'t> {
    let Some(both) = sides(node) else { return Shape::Other };
    let operator = field(node, "operator").or_else(|| node.child(1)).map(|operator| kind_of(operator));
    match operator {
        Some(sign) if sign == joins => Shape::Join(both),
        Some(sign) if defaults.contains(&sign) => Shape::Choice(both),
        _ => Shape::Operation,
    }
}

/// A choice of two fields; either may be missing.
pub(super) fn choice<'t>(node: Node<'t>, yes: &str, no: &str) -> Shape<'t> {
    let both: Vec<_> = [yes, no].iter().filter_map(|name| field(node, name)).collect();
    if both.is_empty() { Shape::Other } else { Shape::Choice(both) }
}

/// One name that is given to a value.
pub(super) fn bind<'t>(target: Option<Node<'t>>, value: Option<Node<'t>>, how: How) -> Role<'t> {
    match target {
        Some(target) => Role::Bind(vec![Bind { target, value, how }]),
        None => Role::None,
    }
}

/// Names and values that stand side by side: `a, b := 1, 2`. A single value for several names belongs to the first.
pub(super) fn bind_lists<'t>(names: Option<Node<'t>>, values: Option<Node<'t>>, how: How) -> Role<'t> {
    let list = |node: Option<Node<'t>>| match node {
        Some(node) if kind_of(node).ends_with("_list") => children(node),
        Some(node) => vec![node],
        None => Vec::new(),
    };
    let (names, values) = (list(names), list(values));
    let value = |at: usize| if how == How::Each { values.first().copied() } else { values.get(at).copied() };
    Role::Bind(
        names
            .iter()
            .enumerate()
            .map(|(at, target)| Bind { target: *target, value: value(at), how })
            .collect(),
    )
}
