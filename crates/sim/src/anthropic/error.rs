//! Anthropic's error shape and the wording of its refusals.
//!
//! Shapes: <https://platform.claude.com/docs/en/api/errors>, and the error types of the Python SDK 2.12; wordings as the live
//! service gives them in public bug reports, read 2026-11-22, e.g. <https://github.com/anthropics/claude-code/issues/4378>
//! (unknown member), <https://github.com/pydantic/pydantic-ai/issues/2075> (missing thinking),
//! <https://github.com/vercel/ai/issues/12296> (prefill), <https://github.com/earendil-works/pi/issues/3297> (thinking kind).

use crate::answer::Answer;
use crate::shape::{Kind, Problem, What};
use serde_json::{Value, json};

/// A refusal in Anthropic's terms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) details: Option<Value>,
}

impl Refusal {
    /// 400 `invalid_request_error`.
    pub(crate) fn bad(message: impl Into<String>) -> Refusal {
        Refusal::other(400, "invalid_request_error", message)
    }

    /// Any other error.
    pub(crate) fn other(status: u16, kind: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, kind, message: message.into(), details: None }
    }

    /// No credential.
    pub(crate) fn no_key() -> Refusal {
        Refusal::other(401, "authentication_error", "x-api-key header is required")
    }

    /// A credential that is not accepted.
    pub(crate) fn wrong_key(bearer: bool) -> Refusal {
        let message = if bearer { "Invalid bearer token" } else { "invalid x-api-key" };
        Refusal::other(401, "authentication_error", message)
    }

    /// The name of no model.
    pub(crate) fn no_model(name: &str) -> Refusal {
        Refusal::other(404, "not_found_error", format!("model: {name}"))
    }

    /// Message threads are not held here; the SDK goes on without.
    pub(crate) fn threads() -> Refusal {
        let message = "This request cannot use `thread`. Send the full conversation without `thread`.";
        Refusal {
            details: Some(json!({ "error_code": "thread_unsupported_request" })),
            ..Refusal::bad(message)
        }
    }

    /// What the provider says with a status that a fault asks for.
    pub(crate) fn fault(status: u16, name: &str) -> Refusal {
        match status {
            404 => Refusal::no_model(name),
            410 => Refusal::other(410, "not_found_error", format!("model: {name} was retired")),
            429 => {
                let message =
                    "This request would exceed your organization's rate limit of 4,000 requests per minute.";
                Refusal::other(429, "rate_limit_error", message)
            }
            529 => Refusal::other(529, "overloaded_error", "Overloaded"),
            _ => Refusal::other(status, "api_error", "Internal server error"),
        }
    }

    /// A member that is wrong; `path` is the object's place, empty at the top.
    pub(crate) fn shape(path: &str, problem: Problem) -> Refusal {
        let at = if path.is_empty() { problem.name } else { format!("{path}.{}", problem.name) };
        let why = match problem.what {
            What::Unknown => "Extra inputs are not permitted".to_owned(),
            What::Missing => "Field required".to_owned(),
            What::Type { expected, .. } => format!("Input should be {}", label(expected)),
            What::Below { kind: Kind::Num { min, max }, .. }
            | What::Above { kind: Kind::Num { min, max }, .. } => {
                format!("range: {min}..{max}")
            }
            What::Below { kind: Kind::Int { min, .. }, .. } => {
                format!("Input should be greater than or equal to {min}")
            }
            What::Above { kind: Kind::Int { max, .. }, .. } => {
                format!("Input should be less than or equal to {max}")
            }
            What::Below { .. } | What::Above { .. } => "Input is out of range".to_owned(),
            What::NotOneOf { allowed, .. } => format!("Input should be {}", listed(allowed)),
        };
        Refusal::bad(format!("{at}: {why}"))
    }

    /// The error object.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        // Anthropic repeats the header's request id here; the fleet's is the same for all refusals of one wording.
        let id = crate::chance::Chance::new(0, &[self.message.as_bytes()]).name(22);
        json!({ "type": "error", "error": error, "request_id": format!("req_01{id}") })
    }

    /// The error as an answer.
    pub(crate) fn answer(&self) -> Answer {
        Answer::json(self.status, &self.body())
    }
}

/// `'a', 'b' or 'c'`.
pub(crate) fn listed(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => format!("'{one}'"),
        [first @ .., last] => format!("'{}' or '{last}'", first.join("', '")),
    }
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::OneOf(_) => "a valid string",
        Kind::Bool => "a valid boolean",
        Kind::Int { .. } => "a valid integer",
        Kind::Num { .. } => "a valid number",
        Kind::List => "a valid list",
        Kind::Object | Kind::TextOrObject => "a valid dictionary",
        Kind::TextOrList => "a valid list",
    }
}
