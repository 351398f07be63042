//! Conditions in the Common Expression Language (<https://github.com/google/cel-spec>, read 2026-11-23): compiled and
//! checked when a configuration is read, evaluated within a bound on work, without a panic.
//!
//! What is there: booleans, integers, doubles, texts, timestamps, durations, lists of these and maps of texts; all
//! operators; `has`, `all`, `exists`, `exists_one`, `map`, `filter`; the standard functions of these types. Types are
//! checked before anything runs, so that a comparison of a number with a text is an error with a place and not a
//! condition that is never true. What is not there (bytes, unsigned integers, messages, map literals, `null`, patterns
//! and zones that are computed) is refused with what to write instead.
//!
//! Why an engine of our own: the public one parses with ANTLR, whose tables and runtime stay in the tree whichever of its
//! parsers is chosen and whose memory grows exponentially with some short texts
//! (<https://github.com/cel-rust/cel-rust/issues/306>, read 2026-11-23); it checks no types, has no bound on the work of an
//! evaluation, and its timestamps bring a second library for time.
//!
//! ```
//! use std::borrow::Cow;
//! use pilothouse_cel::{Declared, Expression, Type, Value, Values};
//!
//! #[derive(Debug)]
//! struct Request { tokens: i64 }
//! impl Values for Request {
//!     fn value(&self, _variable: usize) -> Value<'_> { Value::Int(self.tokens) }
//!     fn entry(&self, _variable: usize, _key: &str) -> Option<Cow<'_, str>> { None }
//!     fn keys(&self, _variable: usize) -> Vec<Cow<'_, str>> { Vec::new() }
//! }
//! const DECLARED: &[Declared] = &[Declared::new("tokens", Type::Int, "the length of the request")];
//!
//! let expression = Expression::compile("tokens > 1000", DECLARED)?;
//! assert_eq!(expression.holds(&Request { tokens: 2000 }), Ok(true));
//! assert!(Expression::compile("tokens > 'many'", DECLARED).is_err());
//! # Ok::<(), pilothouse_cel::CompileError>(())
//! ```

mod ast;
mod check;
mod expression;
mod functions;
mod nearest;
mod node;
mod parse;
mod run;
mod time;
mod token;
mod value;

pub use expression::{CompileError, Declared, Expression, LENGTH_MAX};
pub use run::{Fault, FaultKind, STEPS_MAX};
pub use value::{Scalar, Type, Value, Values};

#[cfg(test)]
mod tests;
