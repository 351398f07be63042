//! An expression as it was written: its parts, each with its place.

use crate::token::Span;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ast {
    pub(crate) form: Form,
    pub(crate) span: Span,
    /// Parts within parts, this one included: what bounds the recursion of everything that walks it.
    pub(crate) depth: usize,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    List(Vec<Ast>),
    Name(Box<str>),
    Member(Box<Ast>, Box<str>),
    Index(Box<[Ast; 2]>),
    Call {
        of: Option<Box<Ast>>,
        name: Box<str>,
        name_span: Span,
        arguments: Vec<Ast>,
    },
    Not(Box<Ast>),
    Negate(Box<Ast>),
    Binary(Binary, Box<[Ast; 2]>),
    /// Joined by `&&`.
    All(Vec<Ast>),
    /// Joined by `||`.
    Any(Vec<Ast>),
    Choose(Box<[Ast; 3]>),
}

/// An operator between two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    /// Whether it says how two values stand to one another.
    pub(crate) const fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }

    /// As it is written.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}
