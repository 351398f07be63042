//! OpenAI's error shape and the wording of its refusals.
//!
//! Shapes and codes: <https://developers.openai.com/api/docs/guides/error-codes>; wordings as the live service gives them in
//! public bug reports, read 2026-11-22, e.g. <https://github.com/tailcallhq/forgecode/issues/1081> (unsupported parameter),
//! <https://github.com/nashsu/llm_wiki/issues/336> (unknown argument), <https://github.com/FoundationAgents/OpenManus/issues/744>
//! (tool message without a call).

use crate::answer::Answer;
use crate::shape::{Kind, Problem, What};
use serde_json::{Value, json};

/// A refusal in OpenAI's terms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) kind: &'static str,
    pub(crate) param: Option<String>,
    pub(crate) code: Option<&'static str>,
}

impl Refusal {
    /// 400 about a parameter.
    pub(crate) fn bad(param: impl Into<String>, code: &'static str, message: impl Into<String>) -> Refusal {
        let param = Some(param.into());
        Refusal {
            status: 400,
            message: message.into(),
            kind: "invalid_request_error",
            param,
            code: Some(code),
        }
    }

    /// The same without a code.
    pub(crate) fn plain(param: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal { code: None, ..Refusal::bad(param, "", message) }
    }

    /// Any other error.
    pub(crate) fn other(
        status: u16,
        kind: &'static str,
        code: Option<&'static str>,
        message: impl Into<String>,
    ) -> Refusal {
        Refusal { status, message: message.into(), kind, param: None, code }
    }

    /// The name of no model.
    pub(crate) fn no_model(name: &str) -> Refusal {
        let message = format!("The model `{name}` does not exist or you do not have access to it.");
        Refusal::other(404, "invalid_request_error", Some("model_not_found"), message)
    }

    /// No bearer token.
    pub(crate) fn no_key() -> Refusal {
        let message = "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys.";
        Refusal::other(401, "invalid_request_error", None, message)
    }

    /// A key that is not accepted; the answer names its ends.
    pub(crate) fn wrong_key(key: &str) -> Refusal {
        let tail: String = key.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        let message = format!(
            "Incorrect API key provided: bad-****{tail}. You can find your API key at https://platform.openai.com/account/api-keys."
        );
        Refusal::other(401, "invalid_request_error", Some("invalid_api_key"), message)
    }

    /// What the provider says with a status that a fault asks for.
    pub(crate) fn fault(status: u16, name: &str) -> Refusal {
        match status {
            404 => Refusal::no_model(name),
            410 => {
                let message = format!(
                    "The model `{name}` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations"
                );
                Refusal::other(410, "invalid_request_error", Some("model_not_found"), message)
            }
            429 => {
                let message = format!(
                    "Rate limit reached for {name} in organization org-sim on requests per min (RPM): Limit 60, Used 60, Requested 1. Please try again in 1s."
                );
                Refusal::other(429, "requests", Some("rate_limit_exceeded"), message)
            }
            503 | 529 => {
                let message = "The engine is currently overloaded, please try again later";
                Refusal::other(status, "server_error", None, message)
            }
            _ => {
                let message = "The server had an error while processing your request. Sorry about that!";
                Refusal::other(status, "server_error", None, message)
            }
        }
    }

    /// A parameter that this model does not take.
    pub(crate) fn unsupported(param: &str) -> Refusal {
        let message = format!("Unsupported parameter: '{param}' is not supported with this model.");
        Refusal::bad(param, "unsupported_parameter", message)
    }

    /// A member that is wrong; `path` is the object's place, empty at the top.
    pub(crate) fn shape(path: &str, problem: Problem) -> Refusal {
        let at = if path.is_empty() { problem.name } else { format!("{path}.{}", problem.name) };
        match problem.what {
            What::Unknown if path.is_empty() => {
                let message = format!("Unrecognized request argument supplied: {at}");
                Refusal::other(400, "invalid_request_error", None, message)
            }
            What::Unknown => Refusal::bad(&at, "unknown_parameter", format!("Unknown parameter: '{at}'.")),
            What::Missing => Refusal::bad(
                &at,
                "missing_required_parameter",
                format!("Missing required parameter: '{at}'."),
            ),
            What::Type { expected, found } => Refusal::kind(&at, label(expected), &found),
            What::Below { kind, found } => Refusal::range(&at, kind, &found, true),
            What::Above { kind, found } => Refusal::range(&at, kind, &found, false),
            What::NotOneOf { allowed, found } => Refusal::not_one_of(&at, allowed, &found),
        }
    }

    /// A value of the wrong JSON type.
    pub(crate) fn kind(at: &str, expected: &str, found: &Value) -> Refusal {
        let message =
            format!("Invalid type for '{at}': expected {expected}, but got {} instead.", found_label(found));
        Refusal::bad(at, "invalid_type", message)
    }

    /// A text outside a closed list.
    pub(crate) fn not_one_of(at: &str, allowed: &[&str], found: &str) -> Refusal {
        let message = format!("Invalid value: '{found}'. Supported values are: {}.", listed(allowed));
        Refusal::bad(at, "invalid_value", message)
    }

    fn range(at: &str, kind: Kind, found: &Value, below: bool) -> Refusal {
        let (noun, min, max) = match kind {
            Kind::Num { min, max } => ("decimal", min.to_string(), max.to_string()),
            Kind::Int { min, max } => ("integer", min.to_string(), max.to_string()),
            _ => ("value", String::new(), String::new()),
        };
        let (side, sign, bound, code) = match (noun, below) {
            ("decimal", true) => ("below minimum", ">=", min, "decimal_below_min_value"),
            ("decimal", false) => ("above maximum", "<=", max, "decimal_above_max_value"),
            (_, true) => ("below minimum", ">=", min, "integer_below_min_value"),
            (_, false) => ("above maximum", "<=", max, "integer_above_max_value"),
        };
        let message = format!(
            "Invalid '{at}': {noun} {side} value. Expected a value {sign} {bound}, but got {found} instead."
        );
        Refusal::bad(at, code, message)
    }

    /// The error object.
    pub(crate) fn body(&self) -> Value {
        json!({ "error": { "message": self.message, "type": self.kind, "param": self.param, "code": self.code } })
    }

    /// The error as an answer.
    pub(crate) fn answer(&self) -> Answer {
        Answer::json(self.status, &self.body())
    }
}

/// `'a', 'b', and 'c'`.
pub(crate) fn listed(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => format!("'{one}'"),
        [a, b] => format!("'{a}' and '{b}'"),
        [first @ .., last] => format!("'{}', and '{last}'", first.join("', '")),
    }
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a string",
        Kind::Bool => "a boolean",
        Kind::Int { .. } => "an integer",
        Kind::Num { .. } => "a decimal",
        Kind::List => "an array",
        Kind::Object => "an object",
        Kind::TextOrList => "one of a string or array of objects",
        Kind::TextOrObject => "one of a string or object",
        Kind::OneOf(_) => "a string",
    }
}

fn found_label(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
