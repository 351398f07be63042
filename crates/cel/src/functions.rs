//! The functions of the language that need nothing but their arguments. Adding one is a row.
//!
//! Patterns, zones, macros and maps are not here: what they need is made ready when the expression is compiled
//! (`check.rs`).

use std::borrow::Cow;

use jiff::Timestamp;

use crate::run::FaultKind;
use crate::time;
use crate::value::{Type, Value};

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `text.contains(part)`
    Method,
    /// `int(text)`
    Global,
    /// Either.
    Both,
}

/// A function for one list of types.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    /// The types of its arguments; what it is called on comes first.
    pub(crate) takes: &'static [Type],
    pub(crate) gives: Type,
    pub(crate) run: fn(&[Value<'_>]) -> Result<Value<'static>, FaultKind>,
}

type Run = fn(&[Value<'_>]) -> Result<Value<'static>, FaultKind>;

const fn row(name: &'static str, style: Style, takes: &'static [Type], gives: Type, run: Run) -> Function {
    Function { name, style, takes, gives, run }
}

use Style::{Both, Global, Method};
use Type::{Bool, Double, Duration, Int, Text};

/// Every function, by name and types.
pub(crate) const FUNCTIONS: &[Function] = &[
    row("contains", Method, &[Text, Text], Bool, |given| texts(given, |text, part| text.contains(part))),
    row("startsWith", Method, &[Text, Text], Bool, |given| texts(given, |text, part| text.starts_with(part))),
    row("endsWith", Method, &[Text, Text], Bool, |given| texts(given, |text, part| text.ends_with(part))),
    row("lowerAscii", Method, &[Text], Text, |given| rewritten(given, str::to_ascii_lowercase)),
    row("upperAscii", Method, &[Text], Text, |given| rewritten(given, str::to_ascii_uppercase)),
    row("trim", Method, &[Text], Text, |given| rewritten(given, |text| text.trim().to_owned())),
    row("size", Both, &[Text], Int, size),
    row("bool", Global, &[Bool], Bool, same),
    row("bool", Global, &[Text], Bool, to_bool),
    row("int", Global, &[Int], Int, same),
    row("int", Global, &[Double], Int, to_int),
    row("int", Global, &[Text], Int, to_int),
    row("int", Global, &[Type::Timestamp], Int, to_int),
    row("double", Global, &[Double], Double, same),
    row("double", Global, &[Int], Double, to_double),
    row("double", Global, &[Text], Double, to_double),
    row("string", Global, &[Text], Text, same),
    row("string", Global, &[Bool], Text, to_text),
    row("string", Global, &[Int], Text, to_text),
    row("string", Global, &[Double], Text, to_text),
    row("string", Global, &[Type::Timestamp], Text, to_text),
    row("string", Global, &[Duration], Text, to_text),
    row("timestamp", Global, &[Type::Timestamp], Type::Timestamp, same),
    row("timestamp", Global, &[Text], Type::Timestamp, to_timestamp),
    row("timestamp", Global, &[Int], Type::Timestamp, to_timestamp),
    row("duration", Global, &[Duration], Duration, same),
    row("duration", Global, &[Text], Duration, to_duration),
    row("getHours", Method, &[Duration], Int, |given| counted(given, 3_600_000)),
    row("getMinutes", Method, &[Duration], Int, |given| counted(given, 60_000)),
    row("getSeconds", Method, &[Duration], Int, |given| counted(given, 1_000)),
    row("getMilliseconds", Method, &[Duration], Int, |given| counted(given, 1)),
];

fn texts(given: &[Value<'_>], test: fn(&str, &str) -> bool) -> Result<Value<'static>, FaultKind> {
    match given {
        [Value::Text(text), Value::Text(part)] => Ok(Value::Bool(test(text, part))),
        _ => Err(FaultKind::Unforeseen),
    }
}

fn rewritten(given: &[Value<'_>], rewrite: fn(&str) -> String) -> Result<Value<'static>, FaultKind> {
    match given {
        [Value::Text(text)] => Ok(Value::Text(Cow::Owned(rewrite(text)))),
        _ => Err(FaultKind::Unforeseen),
    }
}

fn counted(given: &[Value<'_>], unit_ms: i128) -> Result<Value<'static>, FaultKind> {
    match given {
        [Value::Duration(length)] => {
            i64::try_from(length.as_millis() / unit_ms).map(Value::Int).map_err(|_| FaultKind::Overflow)
        }
        _ => Err(FaultKind::Unforeseen),
    }
}

fn size(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    match given {
        [Value::Text(text)] => {
            i64::try_from(text.chars().count()).map(Value::Int).map_err(|_| FaultKind::Overflow)
        }
        _ => Err(FaultKind::Unforeseen),
    }
}

fn same(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    given.first().map(|value| value.clone().into_owned()).ok_or(FaultKind::Unforeseen)
}

fn to_bool(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    let [Value::Text(text)] = given else { return Err(FaultKind::Unforeseen) };
    match &**text {
        "true" | "True" | "TRUE" | "t" | "1" => Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" | "f" | "0" => Ok(Value::Bool(false)),
        _ => Err(FaultKind::NoBool),
    }
}

fn to_int(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    match given {
        // Every double between these limits is a whole number of 64 bits once its fraction is cut off.
        [Value::Double(value)] if value.abs() < 9_223_372_036_854_774_784.0 => {
            Ok(Value::Int(value.trunc() as i64))
        }
        [Value::Double(_)] => Err(FaultKind::Overflow),
        [Value::Text(text)] => text.parse().map(Value::Int).map_err(|_| FaultKind::NoNumber),
        [Value::Timestamp(at)] => Ok(Value::Int(at.as_second())),
        _ => Err(FaultKind::Unforeseen),
    }
}

fn to_double(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    match given {
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::Text(text)] => text.parse().map(Value::Double).map_err(|_| FaultKind::NoNumber),
        _ => Err(FaultKind::Unforeseen),
    }
}

fn to_text(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    let text = match given {
        [Value::Bool(value)] => value.to_string(),
        [Value::Int(value)] => value.to_string(),
        [Value::Double(value)] => value.to_string(),
        [Value::Timestamp(at)] => at.to_string(),
        [Value::Duration(length)] => {
            let fraction = format!("{:09}", length.subsec_nanos().unsigned_abs());
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            let sign = if length.is_negative() { "-" } else { "" };
            format!("{sign}{}{point}{fraction}s", length.as_secs().unsigned_abs())
        }
        _ => return Err(FaultKind::Unforeseen),
    };
    Ok(Value::Text(Cow::Owned(text)))
}

fn to_timestamp(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    let at = match given {
        [Value::Text(text)] => time::moment(text).ok_or(FaultKind::NoTime)?,
        [Value::Int(seconds)] => Timestamp::from_second(*seconds).map_err(|_| FaultKind::Overflow)?,
        _ => return Err(FaultKind::Unforeseen),
    };
    Ok(Value::Timestamp(at))
}

fn to_duration(given: &[Value<'_>]) -> Result<Value<'static>, FaultKind> {
    match given {
        [Value::Text(text)] => time::length(text).map(Value::Duration).ok_or(FaultKind::NoTime),
        _ => Err(FaultKind::Unforeseen),
    }
}
