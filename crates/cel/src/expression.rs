//! An expression, compiled; and what is wrong with one that cannot be.

use std::fmt;
use std::ops::Range;

use crate::check::Checker;
use crate::node::{Kind, Node};
use crate::parse::parse;
use crate::run::{Fault, FaultKind, Run};
use crate::value::{Type, Value, Values};

/// Longest expression, in bytes.
pub const LENGTH_MAX: usize = 4_096;

/// A variable that expressions may name.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub of: Type,
    /// What it holds, for documents.
    pub about: &'static str,
    /// Says what is against a key that is written down, where it is a map.
    pub key: fn(&str) -> Result<(), String>,
}

impl Declared {
    /// A variable; where it is a map, every key may be asked for.
    #[must_use]
    pub const fn new(name: &'static str, of: Type, about: &'static str) -> Self {
        Self { name, of, about, key: |_| Ok(()) }
    }

    /// The same with a check of the keys that expressions write down.
    #[must_use]
    pub const fn with_key(self, key: fn(&str) -> Result<(), String>) -> Self {
        Self { key, ..self }
    }
}

/// Why an expression cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// Where, in bytes of the expression.
    pub span: Range<usize>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl CompileError {
    pub(crate) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for CompileError {}

/// A condition, ready to be asked.
#[derive(Debug)]
pub struct Expression {
    text: Box<str>,
    node: Node,
}

impl Expression {
    /// Compiles a condition over the declared variables.
    ///
    /// # Errors
    /// What is not of the language, names something unknown, compares what cannot be compared, is no condition, or is one
    /// that never changes; with its place.
    pub fn compile(text: &str, declared: &[Declared]) -> Result<Self, CompileError> {
        if text.len() > LENGTH_MAX {
            let message = format!("a condition has at most {LENGTH_MAX} bytes, and this one {}", text.len());
            return Err(CompileError::at(0..text.len(), message));
        }
        if text.trim().is_empty() {
            return Err(CompileError::at(0..text.len(), "an empty condition; leave it out, or write one"));
        }
        let ast = parse(text)?;
        let node = Checker::new(text, declared).checked(&ast)?;
        if node.of != Type::Bool {
            let message = format!(
                "a condition is true or false, and this is of type {}; compare it with something",
                node.of
            );
            return Err(CompileError::at(ast.span, message));
        }
        if let Kind::Constant(Value::Bool(value)) = node.kind {
            let message = format!("this is always {value}; name a variable, or leave the condition out");
            return Err(CompileError::at(ast.span, message));
        }
        Ok(Self { text: text.into(), node })
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// What could not be evaluated: whoever asks takes that for false, and says why.
    pub fn holds(&self, values: &dyn Values) -> Result<bool, Fault> {
        match Run::new(values).value(&self.node)? {
            Value::Bool(holds) => Ok(holds),
            // The types were checked when it was compiled.
            _ => Err(self.node.fault(FaultKind::Unforeseen)),
        }
    }

    /// The whole numbers that a variable is compared with, for whoever can say cheaply on which side of them it lies; `None`
    /// where the condition asks something else of it.
    #[must_use]
    pub fn limits(&self, variable: usize) -> Option<Vec<i64>> {
        let mut limits = Vec::new();
        self.node.limits(variable, &mut limits).then_some(limits)
    }

    /// The condition as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What could not be evaluated, in words.
    #[must_use]
    pub fn in_words(&self, fault: &Fault) -> String {
        let part = self.text.get(usize::from(fault.start)..usize::from(fault.end)).unwrap_or(&self.text);
        match fault.kind {
            FaultKind::Missing => format!("there is no `{part}`"),
            kind => format!("`{part}` {kind}"),
        }
    }
}
