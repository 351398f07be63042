//! An expression as it is evaluated: names resolved, types known, patterns and zones ready.

use jiff::tz::TimeZone;
use regex::Regex;

use crate::ast::Binary;
use crate::functions::Function;
use crate::run::{Fault, FaultKind};
use crate::time::Part;
use crate::token::Span;
use crate::value::{Type, Value};

/// A part of an expression.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) of: Type,
    start: u16,
    end: u16,
}

/// What a part does.
#[derive(Debug)]
pub(crate) enum Kind {
    Constant(Value<'static>),
    /// A declared variable that is no map.
    Variable(usize),
    /// The variable of a macro, by how many macros stand around it.
    Local(usize),
    /// The text of a map.
    Entry {
        map: usize,
        key: Box<Node>,
    },
    /// Whether a map has a key.
    HasKey {
        map: usize,
        key: Box<Node>,
    },
    /// The keys of a map.
    Keys(usize),
    List(Vec<Node>),
    Element(Box<[Node; 2]>),
    Not(Box<Node>),
    Negate(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Choose(Box<[Node; 3]>),
    Binary(Binary, Box<[Node; 2]>),
    Call(&'static Function, Vec<Node>),
    /// How many elements a list has.
    Count(Box<Node>),
    Matches(Box<Node>, Box<Regex>),
    TimePart(Box<Node>, Part, Box<TimeZone>),
    Macro(Box<Macro>),
}

/// A question about each element of a list.
#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) asks: Asks,
    pub(crate) list: Node,
    /// What is evaluated for each, with the element as the innermost local.
    pub(crate) each: Node,
}

/// What a macro makes of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Node {
    pub(crate) fn new(kind: Kind, of: Type, span: &Span) -> Self {
        // An expression's length is bounded far below this.
        let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Self { kind, of, start: place(span.start), end: place(span.end) }
    }

    /// Something that could not be evaluated here.
    pub(crate) const fn fault(&self, kind: FaultKind) -> Fault {
        Fault { kind, start: self.start, end: self.end }
    }

    pub(crate) fn span(&self) -> Span {
        usize::from(self.start)..usize::from(self.end)
    }

    pub(crate) const fn is_constant(&self) -> bool {
        matches!(self.kind, Kind::Constant(_))
    }

    /// What it is made of.
    fn parts(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Constant(_) | Kind::Variable(_) | Kind::Local(_) | Kind::Keys(_) => Vec::new(),
            Kind::Entry { key: of, .. }
            | Kind::HasKey { key: of, .. }
            | Kind::Not(of)
            | Kind::Negate(of)
            | Kind::Count(of)
            | Kind::Matches(of, _)
            | Kind::TimePart(of, ..) => vec![of],
            Kind::Element(parts) | Kind::Binary(_, parts) => parts.iter().collect(),
            Kind::Choose(parts) => parts.iter().collect(),
            Kind::List(parts) | Kind::All(parts) | Kind::Any(parts) | Kind::Call(_, parts) => {
                parts.iter().collect()
            }
            Kind::Macro(of) => vec![&of.list, &of.each],
        }
    }

    /// Gathers the whole numbers that a variable is compared with; false where something else is asked of it.
    pub(crate) fn limits(&self, variable: usize, limits: &mut Vec<i64>) -> bool {
        let is_it = |node: &Self| matches!(&node.kind, Kind::Variable(is) if *is == variable);
        if is_it(self) {
            return false;
        }
        if let Kind::Binary(operator, parts) = &self.kind
            && operator.compares()
            && let Some(at) = parts.iter().position(is_it)
            && let Kind::Constant(Value::Int(limit)) = parts[1 - at].kind
        {
            limits.push(limit);
            return true;
        }
        self.parts().into_iter().all(|part| part.limits(variable, limits))
    }

    /// The text, where it is one that is written down.
    pub(crate) fn constant_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Constant(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}
