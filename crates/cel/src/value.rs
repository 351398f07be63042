//! What expressions are about: types, values, and where the values of variables come from.

use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// A type that can stand in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A number with a fraction.
    Double,
    /// A text.
    Text,
    /// A moment.
    Timestamp,
    /// A length of time.
    Duration,
}

/// The type of a part of an expression, known before anything is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A number with a fraction.
    Double,
    /// A text.
    Text,
    /// A moment.
    Timestamp,
    /// A length of time.
    Duration,
    /// Values of one type.
    List(Scalar),
    /// Texts by their keys. Only a variable has this type.
    Map,
}

impl Type {
    /// As an element of a list; lists hold no lists and no maps.
    #[must_use]
    pub const fn scalar(self) -> Option<Scalar> {
        match self {
            Self::Bool => Some(Scalar::Bool),
            Self::Int => Some(Scalar::Int),
            Self::Double => Some(Scalar::Double),
            Self::Text => Some(Scalar::Text),
            Self::Timestamp => Some(Scalar::Timestamp),
            Self::Duration => Some(Scalar::Duration),
            Self::List(_) | Self::Map => None,
        }
    }

    /// Whether it is a number, which can be compared with any other.
    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }
}

impl From<Scalar> for Type {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Bool => Self::Bool,
            Scalar::Int => Self::Int,
            Scalar::Double => Self::Double,
            Scalar::Text => Self::Text,
            Scalar::Timestamp => Self::Timestamp,
            Scalar::Duration => Self::Duration,
        }
    }
}

impl fmt::Display for Type {
    /// The language's own names.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => out.write_str("bool"),
            Self::Int => out.write_str("int"),
            Self::Double => out.write_str("double"),
            Self::Text => out.write_str("string"),
            Self::Timestamp => out.write_str("timestamp"),
            Self::Duration => out.write_str("duration"),
            Self::List(of) => write!(out, "list of {}", Self::from(*of)),
            Self::Map => out.write_str("map"),
        }
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'v> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text.
    Text(Cow<'v, str>),
    /// A moment.
    Timestamp(Timestamp),
    /// A length of time.
    Duration(SignedDuration),
    /// Values of one type.
    List(Vec<Value<'v>>),
}

impl Value<'_> {
    /// The same, borrowed from this one.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Timestamp(at) => Value::Timestamp(*at),
            Self::Duration(length) => Value::Duration(*length),
            Self::List(values) => Value::List(values.iter().map(Value::borrowed).collect()),
        }
    }

    /// The same, of its own.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Double(value) => Value::Double(value),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Timestamp(at) => Value::Timestamp(at),
            Self::Duration(length) => Value::Duration(length),
            Self::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
        }
    }

    /// About how many bytes somebody must look at who reads it.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(values) => values.iter().map(|value| 16 + value.weight()).sum(),
            _ => 0,
        }
    }
}

/// Gives variables their values, and only those that an expression comes to.
pub trait Values: fmt::Debug {
    /// The value of a variable that is no map, by its place among the declared ones; of the declared type.
    fn value(&self, variable: usize) -> Value<'_>;

    /// The text of a map under a key; `None` where there is none.
    fn entry(&self, variable: usize, key: &str) -> Option<Cow<'_, str>>;

    /// The keys of a map.
    fn keys(&self, variable: usize) -> Vec<Cow<'_, str>>;
}
