//! Google's error shape and the wording of its refusals.
//!
//! Shape: <https://cloud.google.com/apis/design/errors>; wordings as the live service gives them in public bug reports, read
//! 2026-11-23, e.g. <https://github.com/google-gemini/gemini-cli/issues/13972> (unknown name),
//! <https://github.com/continuedev/continue/issues/8516> (wrong key), <https://github.com/google-gemini/gemini-cli/issues/8437>
//! (rate limit), <https://github.com/harry0703/MoneyPrinterTurbo/issues/739> (unknown model).

use crate::answer::Answer;
use serde_json::{Value, json};

/// A refusal in Google's terms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    /// The canonical code's name.
    pub(crate) status: &'static str,
    pub(crate) message: String,
    pub(crate) details: Vec<Value>,
}

impl Refusal {
    /// 400 `INVALID_ARGUMENT`.
    pub(crate) fn bad(message: impl Into<String>) -> Refusal {
        Refusal::other(400, "INVALID_ARGUMENT", message)
    }

    /// Any other error.
    pub(crate) fn other(code: u16, status: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, status, message: message.into(), details: Vec::new() }
    }

    /// 400 about a field of the request, which is named with its place in snake case.
    pub(crate) fn field(at: &str, why: &str) -> Refusal {
        Refusal::bad(format!("* GenerateContentRequest.{at}: {why}\n"))
    }

    /// 400 about JSON that is not the message that is expected: place (empty at the top) and description of each violation.
    pub(crate) fn payload(violations: &[(String, String)]) -> Refusal {
        let message = violations.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>().join("\n");
        let listed = violations.iter().map(|(field, why)| match field.as_str() {
            "" => json!({ "description": why }),
            field => json!({ "field": field, "description": why }),
        });
        let details = json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed.collect::<Value>() });
        Refusal { details: vec![details], ..Refusal::bad(message) }
    }

    /// A body that is no JSON.
    pub(crate) fn not_json() -> Refusal {
        let why = "Invalid JSON payload received. Unexpected token.\n\n^".to_owned();
        Refusal::payload(&[(String::new(), why)])
    }

    /// Neither a key nor another identity.
    pub(crate) fn no_key() -> Refusal {
        let message = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";
        Refusal::other(403, "PERMISSION_DENIED", message)
    }

    /// An API key where an OAuth token belongs.
    pub(crate) fn no_token() -> Refusal {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
        let details = error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED");
        Refusal { details: vec![details], ..Refusal::other(401, "UNAUTHENTICATED", message) }
    }

    /// A key that is not accepted: 400, not 401.
    pub(crate) fn wrong_key() -> Refusal {
        let message = "API key not valid. Please pass a valid API key.";
        let localized = json!({
            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US",
            "message": message,
        });
        Refusal { details: vec![error_info("API_KEY_INVALID"), localized], ..Refusal::bad(message) }
    }

    /// The name of no model, or of one that cannot do this.
    pub(crate) fn no_model(name: &str, method: &str) -> Refusal {
        let message = format!(
            "models/{name} is not found for API version v1beta, or is not supported for {method}. Call ModelService.ListModels to see the list of available models and their supported methods."
        );
        Refusal::other(404, "NOT_FOUND", message)
    }

    /// What the provider says with a status that a fault asks for. It has no `Retry-After`: the time stands in the details.
    pub(crate) fn fault(status: u16, retry_after_s: Option<u64>, name: &str) -> Refusal {
        match status {
            404 => Refusal::no_model(name, "generateContent"),
            410 => {
                let message = format!(
                    "This model models/{name} is no longer available. Please update your code to use a newer model for the latest features and improvements."
                );
                Refusal::other(410, "NOT_FOUND", message)
            }
            429 => Refusal {
                details: quota(retry_after_s, name),
                ..Refusal::other(429, "RESOURCE_EXHAUSTED", exhausted(retry_after_s))
            },
            503 | 529 => Refusal {
                details: retry_after_s.map(retry_info).into_iter().collect(),
                ..Refusal::other(status, "UNAVAILABLE", "The model is overloaded. Please try again later.")
            },
            _ => {
                let message = "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting";
                let details = retry_after_s.map(retry_info).into_iter().collect();
                Refusal { details, ..Refusal::other(status, "INTERNAL", message) }
            }
        }
    }

    /// The error object.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message, "status": self.status });
        if !self.details.is_empty() {
            error["details"] = json!(self.details);
        }
        json!({ "error": error })
    }

    /// The error as an answer.
    pub(crate) fn answer(&self) -> Answer {
        Answer { content_type: super::JSON, ..Answer::json(self.code, &self.body()) }
    }
}

fn error_info(reason: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": { "service": "generativelanguage.googleapis.com" },
    })
}

fn retry_info(seconds: u64) -> Value {
    json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s") })
}

fn exhausted(retry_after_s: Option<u64>) -> String {
    match retry_after_s {
        None => "Resource has been exhausted (e.g. check quota).".to_owned(),
        Some(seconds) => format!(
            "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. \nPlease retry in {seconds}s."
        ),
    }
}

/// Which quota is used up, and when to try again; nothing where the provider names no time either.
fn quota(retry_after_s: Option<u64>, name: &str) -> Vec<Value> {
    let Some(seconds) = retry_after_s else { return Vec::new() };
    let violation = json!({
        "quotaMetric": "generativelanguage.googleapis.com/generate_requests_per_model",
        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
        "quotaDimensions": { "location": "global", "model": name },
        "quotaValue": "60",
    });
    vec![
        json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation] }),
        retry_info(seconds),
    ]
}
