//! Why the administration refuses something: one shape for every error, with the thing, the reason and the next step.

use http::{HeaderValue, StatusCode, header};
use pilothouse_core::error::{Error, Kind};
use pilothouse_store::StoreError;

use super::shape::shape;
use crate::plan::Place;

shape! {
    answer
    /// Why a request was refused.
    Problem {
        /// A word that programs can tell errors by.
        code: &'static str,
        /// What the error is about.
        thing: String,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        next_step: String,
        /// The line of the configuration that has it, as `FILE:LINE`; null where none has.
        place: Option<String>,
    }
}

shape! {
    answer
    /// An error.
    Failure {
        /// What went wrong.
        error: Problem,
    }
}

/// A refusal: its status, and what is said.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) problem: Box<Problem>,
    /// The methods that a path takes, where another one was used.
    pub(super) allow: Option<String>,
}

/// Every status that a refusal can have, with its code and what it means.
pub(super) const STATUSES: [(u16, &str, &str); 10] = [
    (400, "invalid", "The request cannot be understood or asks for what cannot be."),
    (401, "unauthorized", "No credential came with the request, or none that is known."),
    (403, "forbidden", "The role or the team of the credential does not allow it."),
    (404, "not_found", "There is no such thing."),
    (405, "method_not_allowed", "The path takes other methods."),
    (
        409,
        "conflict",
        "It stands against what is there: a name that is taken, or something that the configuration manages.",
    ),
    (413, "too_large", "The body is larger than the administration takes."),
    (415, "unsupported_media_type", "The body is not `application/json`."),
    (500, "internal", "The store cannot be read or written."),
    (503, "busy", "Too many questions to the administration are being answered."),
];

impl Refusal {
    pub(super) fn new(
        status: u16,
        thing: impl Into<String>,
        reason: impl Into<String>,
        next_step: &str,
    ) -> Self {
        let code = STATUSES.iter().find(|known| known.0 == status).map_or("internal", |known| known.1);
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            problem: Box::new(Problem {
                code,
                thing: thing.into(),
                reason: reason.into(),
                next_step: next_step.to_owned(),
                place: None,
            }),
            allow: None,
        }
    }

    /// Something is wrong with a part of the request.
    pub(super) fn invalid(thing: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(400, thing, reason, "correct it; /api/v1/openapi.json describes what is taken")
    }

    /// Something that the configuration manages, and that is changed there only.
    pub(super) fn managed(thing: impl Into<String>, place: Option<&Place>) -> Self {
        let (reason, step) = match place {
            Some(place) => (
                format!("it is managed by the configuration, at {place}"),
                "change it in that file, which is read again by itself",
            ),
            None => (
                "it was generated at the first start".to_owned(),
                "write a `[keys.NAME]` section to replace it",
            ),
        };
        let mut refusal = Self::new(409, thing, reason, step);
        refusal.problem.place = place.map(ToString::to_string);
        refusal
    }

    /// What the pipeline refuses, in this shape.
    pub(super) fn of(error: &Error, thing: &str) -> Self {
        let status = match error.kind {
            Kind::Unauthorized => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            _ => 400,
        };
        let (reason, step) = error.public.split_once("; ").unwrap_or((&error.public, ""));
        Self::new(status, thing, reason, step)
    }

    /// What the store refuses about something.
    pub(super) fn of_store(error: &StoreError, thing: &str) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Refused { .. } => {
                let (reason, step) = text.rsplit_once("; ").unwrap_or((&text, "look at it, then ask again"));
                Self::new(409, thing, reason, step)
            }
            _ => Self::new(
                500,
                thing,
                text.as_str(),
                "look at the machine's disk; `pilothouse check` and the log say more",
            ),
        }
    }

    pub(super) fn into_answer(self) -> crate::pipeline::Answer {
        let body = Failure { error: *self.problem };
        let mut answer = super::answer(self.status, &body);
        let headers = answer.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(allow) = self.allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        answer
    }
}
