//! Parts become nodes: names are resolved, types checked, patterns and zones made ready, and what never changes is
//! evaluated once.

mod calls;

use std::borrow::Cow;

use crate::ast::{Ast, Binary, Form};
use crate::expression::{CompileError, Declared};
use crate::nearest::nearest;
use crate::node::{Kind, Node};
use crate::run::Run;
use crate::time::PARTS;
use crate::token::Span;
use crate::value::{Scalar, Type, Value, Values};

/// Checks one expression.
pub(crate) struct Checker<'c> {
    text: &'c str,
    declared: &'c [Declared],
    /// The variables of the macros around, the outermost first.
    locals: Vec<(Box<str>, Scalar)>,
}

/// The values of what names none.
#[derive(Debug)]
struct Nothing;

impl Values for Nothing {
    fn value(&self, _variable: usize) -> Value<'_> {
        Value::Bool(false)
    }

    fn entry(&self, _variable: usize, _key: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn keys(&self, _variable: usize) -> Vec<Cow<'_, str>> {
        Vec::new()
    }
}

impl<'c> Checker<'c> {
    pub(crate) const fn new(text: &'c str, declared: &'c [Declared]) -> Self {
        Self { text, declared, locals: Vec::new() }
    }

    /// Checks a part.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn checked(&mut self, ast: &Ast) -> Result<Node, CompileError> {
        let span = &ast.span;
        let (kind, of) = match &ast.form {
            Form::Null => {
                let message =
                    "there is no `null` here; ask with has(metadata.NAME) whether something is there";
                return Err(CompileError::at(span.clone(), message));
            }
            Form::Bool(value) => (Kind::Constant(Value::Bool(*value)), Type::Bool),
            Form::Int(value) => (Kind::Constant(Value::Int(*value)), Type::Int),
            Form::Double(value) => (Kind::Constant(Value::Double(*value)), Type::Double),
            Form::Text(text) => {
                (Kind::Constant(Value::Text(Cow::Owned(text.clone().into_string()))), Type::Text)
            }
            Form::List(elements) => self.list(elements, span)?,
            Form::Name(name) => self.named(name, span)?,
            Form::Member(of, name) => self.member(of, name, span)?,
            Form::Index(parts) => self.index(&parts[0], &parts[1])?,
            Form::Call { of: Some(of), name, name_span, arguments } => {
                self.method(of, name, name_span, arguments)?
            }
            Form::Call { of: None, name, name_span, arguments } => self.global(name, name_span, arguments)?,
            Form::Not(of) => (Kind::Not(Box::new(self.bool(of)?)), Type::Bool),
            Form::Negate(of) => {
                let of = self.checked(of)?;
                if !of.of.is_number() {
                    return Err(self.is_no(&of, "a number"));
                }
                let is = of.of;
                (Kind::Negate(Box::new(of)), is)
            }
            Form::Binary(operator, parts) => self.binary(*operator, parts, span)?,
            Form::All(parts) => (Kind::All(self.bools(parts)?), Type::Bool),
            Form::Any(parts) => (Kind::Any(self.bools(parts)?), Type::Bool),
            Form::Choose(parts) => self.choose(parts)?,
        };
        folded(Node::new(kind, of, span))
    }

    /// The part of the expression that a node was made of.
    fn shown(&self, span: &Span) -> &'c str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn is_no(&self, node: &Node, wanted: &str) -> CompileError {
        let message =
            format!("`{}` is of type {}, and {wanted} is wanted", self.shown(&node.span()), node.of);
        CompileError::at(node.span(), message)
    }

    fn bool(&mut self, ast: &Ast) -> Result<Node, CompileError> {
        let node = self.checked(ast)?;
        if node.of == Type::Bool { Ok(node) } else { Err(self.is_no(&node, "true or false")) }
    }

    fn bools(&mut self, parts: &[Ast]) -> Result<Vec<Node>, CompileError> {
        parts.iter().map(|part| self.bool(part)).collect()
    }

    fn text(&mut self, ast: &Ast) -> Result<Node, CompileError> {
        let node = self.checked(ast)?;
        if node.of == Type::Text { Ok(node) } else { Err(self.is_no(&node, "a string")) }
    }

    /// The declared map that a part names.
    fn map(&self, ast: &Ast) -> Option<usize> {
        let Form::Name(name) = &ast.form else { return None };
        if self.locals.iter().any(|(local, _)| local == name) {
            return None;
        }
        self.declared.iter().position(|one| one.name == &**name && one.of == Type::Map)
    }

    fn list(&mut self, elements: &[Ast], span: &Span) -> Result<(Kind, Type), CompileError> {
        let nodes = elements.iter().map(|element| self.checked(element)).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = nodes.first() else {
            return Err(CompileError::at(span.clone(), "an empty list holds nothing; write its elements"));
        };
        let Some(scalar) = first.of.scalar() else { return Err(self.is_no(first, "a single value")) };
        match nodes.iter().find(|node| node.of != first.of) {
            Some(other) => Err(self.is_no(other, &format!("{} as in the elements before", first.of))),
            None => Ok((Kind::List(nodes), Type::List(scalar))),
        }
    }

    fn named(&self, name: &str, span: &Span) -> Result<(Kind, Type), CompileError> {
        if let Some(place) = self.locals.iter().rposition(|(local, _)| **local == *name) {
            return Ok((Kind::Local(place), self.locals[place].1.into()));
        }
        match self.declared.iter().position(|one| one.name == name) {
            Some(place) if self.declared[place].of == Type::Map => {
                let message = format!("`{name}` has members; ask for one of them, such as {name}[\"...\"]");
                Err(CompileError::at(span.clone(), message))
            }
            Some(place) => Ok((Kind::Variable(place), self.declared[place].of)),
            None => {
                let names = || self.declared.iter().map(|one| one.name);
                let meant = nearest(name, names().chain(self.locals.iter().map(|(local, _)| &**local)));
                let known = names().collect::<Vec<_>>().join(", ");
                let message = match meant {
                    Some(meant) => format!("there is no variable `{name}`; did you mean `{meant}`?"),
                    None => format!("there is no variable `{name}`; there are {known}"),
                };
                Err(CompileError::at(span.clone(), message))
            }
        }
    }

    /// What a map has under a key; a key that is written down is checked.
    fn key(&mut self, map: usize, key: Node) -> Result<Box<Node>, CompileError> {
        if let Some(text) = key.constant_text() {
            (self.declared[map].key)(text).map_err(|why| CompileError::at(key.span(), why))?;
        }
        Ok(Box::new(key))
    }

    fn constant_key(&mut self, map: usize, name: &str, span: &Span) -> Result<Box<Node>, CompileError> {
        let key = Node::new(Kind::Constant(Value::Text(Cow::Owned(name.to_owned()))), Type::Text, span);
        self.key(map, key)
    }

    fn member(&mut self, of: &Ast, name: &str, span: &Span) -> Result<(Kind, Type), CompileError> {
        let name_span = span.end.saturating_sub(name.len())..span.end;
        if let Some(map) = self.map(of) {
            return Ok((Kind::Entry { map, key: self.constant_key(map, name, &name_span)? }, Type::Text));
        }
        let node = self.checked(of)?;
        let shown = self.shown(&of.span);
        let getter = PARTS.iter().find(|(getter, _)| {
            getter[3..].trim_end_matches('s').eq_ignore_ascii_case(name.trim_end_matches('s'))
        });
        let message = match getter {
            Some((getter, _)) if node.of == Type::Timestamp => {
                format!("write `{shown}.{getter}()`, with a zone in the brackets where it is not to be UTC")
            }
            _ => format!("`{shown}` is of type {} and has no member `{name}`", node.of),
        };
        Err(CompileError::at(name_span, message))
    }

    fn index(&mut self, of: &Ast, index: &Ast) -> Result<(Kind, Type), CompileError> {
        if let Some(map) = self.map(of) {
            let key = self.text(index)?;
            return Ok((Kind::Entry { map, key: self.key(map, key)? }, Type::Text));
        }
        let list = self.checked(of)?;
        let Type::List(scalar) = list.of else { return Err(self.is_no(&list, "a map or a list")) };
        let index = self.checked(index)?;
        if index.of != Type::Int {
            return Err(self.is_no(&index, "the number of an element, from 0,"));
        }
        Ok((Kind::Element(Box::new([list, index])), scalar.into()))
    }

    fn choose(&mut self, parts: &[Ast; 3]) -> Result<(Kind, Type), CompileError> {
        let condition = self.bool(&parts[0])?;
        let (then, otherwise) = (self.checked(&parts[1])?, self.checked(&parts[2])?);
        if then.of != otherwise.of {
            let wanted = format!("{} as before the `:`", then.of);
            return Err(self.is_no(&otherwise, &wanted));
        }
        let of = then.of;
        Ok((Kind::Choose(Box::new([condition, then, otherwise])), of))
    }

    fn binary(
        &mut self,
        operator: Binary,
        parts: &[Ast; 2],
        span: &Span,
    ) -> Result<(Kind, Type), CompileError> {
        if operator == Binary::In
            && let Some(map) = self.map(&parts[1])
        {
            let key = self.text(&parts[0])?;
            return Ok((Kind::HasKey { map, key: self.key(map, key)? }, Type::Bool));
        }
        let (left, right) = (self.checked(&parts[0])?, self.checked(&parts[1])?);
        match result(operator, left.of, right.of) {
            Some(of) => Ok((Kind::Binary(operator, Box::new([left, right])), of)),
            None => {
                let (one, other) = (self.shown(&parts[0].span), self.shown(&parts[1].span));
                let what = format!(
                    "`{one}` is of type {} and `{other}` of type {}, which `{}` does not join",
                    left.of,
                    right.of,
                    operator.sign()
                );
                let message = match instead(operator, (one, left.of), (other, right.of)) {
                    Some(instead) => format!("{what}; write {instead}"),
                    None => what,
                };
                Err(CompileError::at(span.clone(), message))
            }
        }
    }
}

/// The type of two types joined; `None` where nothing joins them.
fn result(operator: Binary, left: Type, right: Type) -> Option<Type> {
    use Type::{Bool, Double, Duration, Int, List, Text, Timestamp};
    let is_like = |left: Type, right: Type| left == right || (left.is_number() && right.is_number());
    match operator {
        Binary::Equal | Binary::NotEqual => match (left, right) {
            (List(left), List(right)) => is_like(left.into(), right.into()).then_some(Bool),
            _ => is_like(left, right).then_some(Bool),
        },
        Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
            let has_order = matches!(left, Int | Double | Text | Timestamp | Duration);
            (has_order && is_like(left, right)).then_some(Bool)
        }
        Binary::In => match right {
            List(element) => is_like(left, element.into()).then_some(Bool),
            _ => None,
        },
        Binary::Add => match (left, right) {
            (Int | Double | Text | Duration | List(_), _) if left == right => Some(left),
            (Timestamp, Duration) | (Duration, Timestamp) => Some(Timestamp),
            _ => None,
        },
        Binary::Subtract => match (left, right) {
            (Int | Double | Duration, _) if left == right => Some(left),
            (Timestamp, Duration) => Some(Timestamp),
            (Timestamp, Timestamp) => Some(Duration),
            _ => None,
        },
        Binary::Multiply | Binary::Divide => (left == right && left.is_number()).then_some(left),
        Binary::Remainder => (left == Int && right == Int).then_some(Int),
    }
}

/// What to write instead of two parts that nothing joins.
fn instead(operator: Binary, left: (&str, Type), right: (&str, Type)) -> Option<String> {
    let sign = operator.sign();
    match (left, right) {
        ((one, Type::Text), (other, Type::Int | Type::Double)) => {
            let converts = if right.1 == Type::Int { "int" } else { "double" };
            Some(format!("`{converts}({one}) {sign} {other}`"))
        }
        ((one, Type::Int | Type::Double), (other, Type::Text)) => {
            let converts = if left.1 == Type::Int { "int" } else { "double" };
            Some(format!("`{one} {sign} {converts}({other})`"))
        }
        ((one, Type::Int), (other, Type::Double)) => Some(format!("`double({one}) {sign} {other}`")),
        ((one, Type::Double), (other, Type::Int)) => Some(format!("`{one} {sign} double({other})`")),
        ((one, Type::Timestamp), (other, Type::Text)) => Some(format!("`{one} {sign} timestamp({other})`")),
        ((one, Type::Text), (other, Type::Text)) if operator == Binary::In => {
            Some(format!("`{other}.contains({one})`"))
        }
        _ => None,
    }
}

/// The value of what never changes; whatever else as it is.
fn folded(node: Node) -> Result<Node, CompileError> {
    let is_constant = match &node.kind {
        Kind::Not(of)
        | Kind::Negate(of)
        | Kind::Count(of)
        | Kind::Matches(of, _)
        | Kind::TimePart(of, ..) => of.is_constant(),
        Kind::Binary(_, parts) | Kind::Element(parts) => parts.iter().all(Node::is_constant),
        Kind::Choose(parts) => parts.iter().all(Node::is_constant),
        Kind::Call(_, parts) | Kind::List(parts) | Kind::All(parts) | Kind::Any(parts) => {
            parts.iter().all(Node::is_constant)
        }
        _ => false,
    };
    if !is_constant {
        return Ok(node);
    }
    let value = Run::new(&Nothing).value(&node).map(Value::into_owned);
    match value {
        Ok(value) => Ok(Node::new(Kind::Constant(value), node.of, &node.span())),
        Err(fault) => Err(CompileError::at(node.span(), format!("this {}", fault.kind))),
    }
}
