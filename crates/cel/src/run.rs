//! Evaluation: one pass over the parts, within a bound on work. Whatever goes wrong is a fault with its place.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ast::Binary;
use crate::node::{Asks, Kind, Macro, Node};
use crate::value::{Value, Values};

/// Most steps of one evaluation: a part is one, and so is the reading of sixteen bytes.
pub const STEPS_MAX: u32 = 20_000;
/// Bytes that are read in one step.
const STEP_BYTES: usize = 16;

/// What could not be evaluated, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Where it begins, in bytes of the expression.
    pub start: u16,
    /// Where it ends.
    pub end: u16,
}

/// Why something could not be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A map has no such key.
    Missing,
    /// A list has no such element.
    OutOfRange,
    /// A number, moment or length of time is too large.
    Overflow,
    /// Division by zero.
    DividesByZero,
    /// A text is no number.
    NoNumber,
    /// A text is no moment, or no length of time.
    NoTime,
    /// A text is neither true nor false.
    NoBool,
    /// It took more steps than one evaluation may.
    TooMuch,
    /// A value was not of the type that was declared.
    Unforeseen,
}

impl fmt::Display for FaultKind {
    /// Behind the part that it is about.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Missing => "is not there",
            Self::OutOfRange => "is outside of the list",
            Self::Overflow => "is too large",
            Self::DividesByZero => "divides by zero",
            Self::NoNumber => "is of a text that is no number",
            Self::NoTime => "is of a text that is no time",
            Self::NoBool => "is of a text that is neither true nor false",
            Self::TooMuch => "is where evaluation stopped, because it takes too much work",
            Self::Unforeseen => "has a value of another type than was declared",
        })
    }
}

/// One evaluation.
pub(crate) struct Run<'v> {
    values: &'v dyn Values,
    /// The elements that macros are at, the outermost first.
    locals: Vec<Value<'v>>,
    steps_left: u32,
}

impl<'v> Run<'v> {
    pub(crate) fn new(values: &'v dyn Values) -> Self {
        Self { values, locals: Vec::new(), steps_left: STEPS_MAX }
    }

    /// The value of a part.
    pub(crate) fn value(&mut self, node: &'v Node) -> Result<Value<'v>, Fault> {
        self.spend(node, 0)?;
        match &node.kind {
            Kind::Constant(value) => Ok(value.borrowed()),
            Kind::Variable(variable) => Ok(self.values.value(*variable)),
            Kind::Local(place) => {
                let value =
                    self.locals.get(*place).cloned().ok_or_else(|| node.fault(FaultKind::Unforeseen))?;
                self.spend(node, value.weight())?;
                Ok(value)
            }
            Kind::Entry { map, key } => {
                let key = self.text(key)?;
                let found = self.values.entry(*map, &key).ok_or_else(|| node.fault(FaultKind::Missing))?;
                Ok(Value::Text(found))
            }
            Kind::HasKey { map, key } => {
                let key = self.text(key)?;
                Ok(Value::Bool(self.values.entry(*map, &key).is_some()))
            }
            Kind::Keys(map) => {
                let keys = Value::List(self.values.keys(*map).into_iter().map(Value::Text).collect());
                self.spend(node, keys.weight())?;
                Ok(keys)
            }
            Kind::List(parts) => {
                parts.iter().map(|part| self.value(part)).collect::<Result<_, _>>().map(Value::List)
            }
            Kind::Element(parts) => self.element(node, parts),
            Kind::Not(of) => Ok(Value::Bool(!self.bool(of)?)),
            Kind::Negate(of) => negated(self.value(of)?).map_err(|kind| node.fault(kind)),
            Kind::All(parts) => self.joined(parts, false),
            Kind::Any(parts) => self.joined(parts, true),
            Kind::Choose(parts) => {
                let [condition, then, otherwise] = &**parts;
                let chosen = if self.bool(condition)? { then } else { otherwise };
                self.value(chosen)
            }
            Kind::Binary(operator, parts) => {
                let (left, right) = (self.value(&parts[0])?, self.value(&parts[1])?);
                self.spend(node, left.weight() + right.weight())?;
                binary(*operator, left, right).map_err(|kind| node.fault(kind))
            }
            Kind::Call(function, parts) => {
                let given: Vec<_> = parts.iter().map(|part| self.value(part)).collect::<Result<_, _>>()?;
                self.spend(node, given.iter().map(Value::weight).sum())?;
                (function.run)(&given).map_err(|kind| node.fault(kind))
            }
            Kind::Count(list) => match self.value(list)? {
                Value::List(elements) => Ok(Value::Int(elements.len() as i64)),
                _ => Err(node.fault(FaultKind::Unforeseen)),
            },
            Kind::Matches(text, pattern) => {
                let text = self.text(text)?;
                // Linear in the text, times the pattern, which is bounded when it is compiled.
                self.spend(node, text.len().saturating_mul(4))?;
                Ok(Value::Bool(pattern.is_match(&text)))
            }
            Kind::TimePart(of, part, zone) => match self.value(of)? {
                Value::Timestamp(at) => Ok(Value::Int(part.read(at, zone))),
                _ => Err(node.fault(FaultKind::Unforeseen)),
            },
            Kind::Macro(of) => self.each(node, of),
        }
    }

    fn spend(&mut self, node: &Node, bytes: usize) -> Result<(), Fault> {
        let steps = u32::try_from(1 + bytes / STEP_BYTES).unwrap_or(u32::MAX);
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                // What follows is not evaluated either, though another part could decide without this one.
                self.steps_left = 0;
                Err(node.fault(FaultKind::TooMuch))
            }
        }
    }

    fn bool(&mut self, node: &'v Node) -> Result<bool, Fault> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            _ => Err(node.fault(FaultKind::Unforeseen)),
        }
    }

    fn text(&mut self, node: &'v Node) -> Result<Cow<'v, str>, Fault> {
        match self.value(node)? {
            Value::Text(text) => Ok(text),
            _ => Err(node.fault(FaultKind::Unforeseen)),
        }
    }

    fn element(&mut self, node: &'v Node, parts: &'v [Node; 2]) -> Result<Value<'v>, Fault> {
        let (Value::List(list), Value::Int(at)) = (self.value(&parts[0])?, self.value(&parts[1])?) else {
            return Err(node.fault(FaultKind::Unforeseen));
        };
        let found = usize::try_from(at).ok().and_then(|at| list.into_iter().nth(at));
        found.ok_or_else(|| node.fault(FaultKind::OutOfRange))
    }

    /// Parts that one of them can decide, whatever is wrong with the others.
    fn joined(&mut self, parts: &'v [Node], decides: bool) -> Result<Value<'v>, Fault> {
        let mut fault = None;
        for part in parts {
            match self.bool(part) {
                Ok(value) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(one) => fault = fault.or(Some(one)),
            }
        }
        fault.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn each(&mut self, node: &'v Node, of: &'v Macro) -> Result<Value<'v>, Fault> {
        let Value::List(elements) = self.value(&of.list)? else {
            return Err(node.fault(FaultKind::Unforeseen));
        };
        let (mut fault, mut found, mut kept) = (None, 0, Vec::new());
        for element in elements {
            self.locals.push(element);
            let value = self.value(&of.each);
            let element = self.locals.pop();
            match (of.asks, value) {
                (Asks::All, Ok(Value::Bool(false))) => return Ok(Value::Bool(false)),
                (Asks::Exists, Ok(Value::Bool(true))) => return Ok(Value::Bool(true)),
                // Another element may decide.
                (Asks::All | Asks::Exists, Err(one)) => fault = fault.or(Some(one)),
                (_, Err(fault)) => return Err(fault),
                (Asks::Map, Ok(value)) => kept.push(value),
                (Asks::Filter, Ok(Value::Bool(true))) => kept.extend(element),
                (Asks::ExistsOne, Ok(Value::Bool(true))) => found += 1,
                (_, Ok(Value::Bool(_))) => {}
                (_, Ok(_)) => return Err(node.fault(FaultKind::Unforeseen)),
            }
        }
        match of.asks {
            Asks::All => fault.map_or(Ok(Value::Bool(true)), Err),
            Asks::Exists => fault.map_or(Ok(Value::Bool(false)), Err),
            Asks::ExistsOne => Ok(Value::Bool(found == 1)),
            Asks::Filter | Asks::Map => Ok(Value::List(kept)),
        }
    }
}

fn negated(value: Value<'_>) -> Result<Value<'_>, FaultKind> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or(FaultKind::Overflow),
        Value::Double(value) => Ok(Value::Double(-value)),
        _ => Err(FaultKind::Unforeseen),
    }
}

fn binary<'v>(operator: Binary, left: Value<'v>, right: Value<'v>) -> Result<Value<'v>, FaultKind> {
    let is =
        |test: fn(Ordering) -> bool| order(&left, &right).map(|order| Value::Bool(order.is_some_and(test)));
    match operator {
        Binary::Equal => Ok(Value::Bool(equal(&left, &right))),
        Binary::NotEqual => Ok(Value::Bool(!equal(&left, &right))),
        Binary::Less => is(Ordering::is_lt),
        Binary::LessOrEqual => is(Ordering::is_le),
        Binary::Greater => is(Ordering::is_gt),
        Binary::GreaterOrEqual => is(Ordering::is_ge),
        Binary::In => match right {
            Value::List(elements) => Ok(Value::Bool(elements.iter().any(|element| equal(&left, element)))),
            _ => Err(FaultKind::Unforeseen),
        },
        Binary::Add => added(left, right),
        Binary::Subtract => subtracted(&left, &right),
        Binary::Multiply | Binary::Divide | Binary::Remainder => multiplied(operator, &left, &right),
    }
}

fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Bool(left), Value::Bool(right)) => left == right,
        _ => matches!(order(left, right), Ok(Some(Ordering::Equal))),
    }
}

/// How two values stand to one another; `None` for what is no number.
fn order(left: &Value<'_>, right: &Value<'_>) -> Result<Option<Ordering>, FaultKind> {
    Ok(match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Double(right)) => whole_and_fraction(*left, *right),
        (Value::Double(left), Value::Int(right)) => whole_and_fraction(*right, *left).map(Ordering::reverse),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        _ => return Err(FaultKind::Unforeseen),
    })
}

/// Exact, although not every whole number of 64 bits is a double.
fn whole_and_fraction(whole: i64, other: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if other.is_nan() {
        None
    } else if other >= BEYOND {
        Some(Ordering::Less)
    } else if other < -BEYOND {
        Some(Ordering::Greater)
    } else {
        let floor = other.floor();
        Some(whole.cmp(&(floor as i64)).then(if other > floor { Ordering::Less } else { Ordering::Equal }))
    }
}

fn added<'v>(left: Value<'v>, right: Value<'v>) -> Result<Value<'v>, FaultKind> {
    let some = |value: Option<Value<'v>>| value.ok_or(FaultKind::Overflow);
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => some(left.checked_add(right).map(Value::Int)),
        (Value::Double(left), Value::Double(right)) => Ok(Value::Double(left + right)),
        (Value::Text(left), Value::Text(right)) => Ok(Value::Text(left + right)),
        (Value::List(mut left), Value::List(right)) => {
            left.extend(right);
            Ok(Value::List(left))
        }
        (Value::Duration(left), Value::Duration(right)) => some(left.checked_add(right).map(Value::Duration)),
        (Value::Timestamp(at), Value::Duration(length)) | (Value::Duration(length), Value::Timestamp(at)) => {
            some(at.checked_add(length).ok().map(Value::Timestamp))
        }
        _ => Err(FaultKind::Unforeseen),
    }
}

fn subtracted(left: &Value<'_>, right: &Value<'_>) -> Result<Value<'static>, FaultKind> {
    let value = match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.checked_sub(*right).map(Value::Int),
        (Value::Double(left), Value::Double(right)) => Some(Value::Double(left - right)),
        (Value::Duration(left), Value::Duration(right)) => left.checked_sub(*right).map(Value::Duration),
        (Value::Timestamp(at), Value::Duration(length)) => at.checked_sub(*length).ok().map(Value::Timestamp),
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            Some(Value::Duration(left.duration_since(*right)))
        }
        _ => return Err(FaultKind::Unforeseen),
    };
    value.ok_or(FaultKind::Overflow)
}

fn multiplied(operator: Binary, left: &Value<'_>, right: &Value<'_>) -> Result<Value<'static>, FaultKind> {
    let value = match (operator, left, right) {
        (Binary::Divide | Binary::Remainder, Value::Int(_), Value::Int(0)) => {
            return Err(FaultKind::DividesByZero);
        }
        (Binary::Multiply, Value::Int(left), Value::Int(right)) => left.checked_mul(*right).map(Value::Int),
        (Binary::Divide, Value::Int(left), Value::Int(right)) => left.checked_div(*right).map(Value::Int),
        (Binary::Remainder, Value::Int(left), Value::Int(right)) => left.checked_rem(*right).map(Value::Int),
        (Binary::Multiply, Value::Double(left), Value::Double(right)) => Some(Value::Double(left * right)),
        (Binary::Divide, Value::Double(left), Value::Double(right)) => Some(Value::Double(left / right)),
        _ => return Err(FaultKind::Unforeseen),
    };
    value.ok_or(FaultKind::Overflow)
}
