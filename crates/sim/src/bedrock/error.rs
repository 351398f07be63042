//! AWS's error shape and the wording of Bedrock's refusals.
//!
//! Exceptions and their statuses: the service model of botocore 1.44.5 and
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>; wordings as the live service gives them in
//! public bug reports, read 2026-11-23, e.g. <https://github.com/BerriAI/litellm/issues/15070> (what the model refuses),
//! <https://github.com/langgenius/dify/issues/17545> (no tools), <https://github.com/anomalyco/opencode/issues/47073> (wrong
//! API key), <https://github.com/Aider-AI/aider/issues/1986> (unknown access key),
//! <https://github.com/zed-industries/zed/issues/31815> (unknown member at Nova).

use crate::answer::Answer;
use serde_json::{Value, json};

/// Where the service says that its exceptions come from.
const ORIGIN: &str = ":http://internal.amazon.com/coral/com.amazon.bedrock/";

/// A refusal in AWS's terms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// What stands beside the message.
    rest: Vec<(&'static str, Value)>,
    /// Whether the front door writes `Message` for it, as it does for API keys.
    is_capital: bool,
}

impl Refusal {
    /// Any exception.
    pub(crate) fn other(status: u16, kind: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, kind, message: message.into(), rest: Vec::new(), is_capital: false }
    }

    /// 400 `ValidationException`.
    pub(crate) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::other(400, "ValidationException", message)
    }

    /// 400: JSON of the wrong type.
    pub(crate) fn serialization(message: impl Into<String>) -> Refusal {
        Refusal::other(400, "SerializationException", message)
    }

    /// What the model behind the service refuses.
    pub(crate) fn of_model(message: &str) -> Refusal {
        Refusal::validation(format!("The model returned the following errors: {message}"))
    }

    /// The id of no model.
    pub(crate) fn no_model() -> Refusal {
        Refusal::validation("The provided model identifier is invalid.")
    }

    /// A prompt cache where the model has none.
    pub(crate) fn no_cache() -> Refusal {
        let message = "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.";
        Refusal::other(403, "AccessDeniedException", message)
    }

    /// 403 about the signature.
    pub(crate) fn signature(message: impl Into<String>) -> Refusal {
        Refusal::other(403, "InvalidSignatureException", message)
    }

    /// An API key that is not accepted.
    pub(crate) fn wrong_key() -> Refusal {
        let message = "Authentication failed: Please make sure your API Key is valid.";
        Refusal { is_capital: true, ..Refusal::other(403, "AccessDeniedException", message) }
    }

    /// What the service says with a status that a fault asks for.
    pub(crate) fn fault(status: u16, name: &str) -> Refusal {
        let (kind, message) = match status {
            404 => ("ResourceNotFoundException", "The requested model was not found.".to_owned()),
            410 => (
                "ResourceNotFoundException",
                format!(
                    "The model version {name} has reached the end of its life. Please refer to the AWS documentation for more details."
                ),
            ),
            429 => ("ThrottlingException", "Too many requests, please wait before trying again.".to_owned()),
            503 | 529 => {
                ("ServiceUnavailableException", "Bedrock is unable to process your request.".to_owned())
            }
            _ => (
                "InternalServerException",
                "The system encountered an unexpected error during processing. Try your request again."
                    .to_owned(),
            ),
        };
        Refusal::other(status, kind, message)
    }

    /// The exception that a model of this name always raises: `fault-exception-` and the exception's name.
    pub(crate) fn named(name: &str) -> Option<Refusal> {
        let wanted = name.strip_prefix("fault-exception-")?;
        let (_, status, kind, message) = EXCEPTIONS.iter().find(|(word, ..)| *word == wanted)?;
        let mut refusal = Refusal::other(*status, kind, *message);
        if *kind == "ModelErrorException" {
            refusal.rest = vec![("originalStatusCode", json!(500)), ("resourceName", json!(name))];
        }
        Some(refusal)
    }

    /// The error object.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({});
        body[if self.is_capital { "Message" } else { "message" }] = json!(self.message);
        for (name, value) in &self.rest {
            body[*name] = value.clone();
        }
        body
    }

    /// The error as an answer.
    pub(crate) fn answer(&self) -> Answer {
        let headers = vec![("x-amzn-errortype", format!("{}{ORIGIN}", self.kind))];
        Answer { headers, ..Answer::json(self.status, &self.body()) }
    }
}

/// Exceptions of this service that no other vendor has: the word in a model's name, status, name, message.
pub(crate) const EXCEPTIONS: &[(&str, u16, &str, &str)] = &[
    (
        "access-denied",
        403,
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
    ),
    (
        "model-timeout",
        408,
        "ModelTimeoutException",
        "The request took too long to process. Processing time exceeded the model timeout length.",
    ),
    (
        "model-not-ready",
        429,
        "ModelNotReadyException",
        "The model specified in the request is not ready to serve inference requests. The AWS SDK will automatically retry the operation up to 5 times.",
    ),
    (
        "model-error",
        424,
        "ModelErrorException",
        "The request failed due to an error while processing the model.",
    ),
];

/// Exceptions that end a stream in its middle, chosen by `fault-exception-stream-` and the word: the word, the exception's name
/// in the stream, message.
pub(crate) const STREAM_EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("model-stream-error", "modelStreamErrorException", "An error occurred while streaming the response."),
    ("throttling", "throttlingException", "Too many requests, please wait before trying again."),
    ("unavailable", "serviceUnavailableException", "Bedrock is unable to process your request."),
    ("validation", "validationException", "The model returned an answer that is not valid."),
];

/// The exception that ends the streams of a model of this name, and its payload.
pub(crate) fn in_stream_named(name: &str) -> Option<(&'static str, Value)> {
    let wanted = name.strip_prefix("fault-exception-stream-")?;
    let (_, kind, message) = STREAM_EXCEPTIONS.iter().find(|(word, ..)| *word == wanted)?;
    let mut payload = json!({ "message": message });
    if *kind == "modelStreamErrorException" {
        payload["originalStatusCode"] = json!(500);
        payload["originalMessage"] = json!("Internal server error");
    }
    Some((kind, payload))
}

/// The failure that breaks a stream off in its middle, and its message.
pub(crate) fn in_stream() -> (&'static str, Value) {
    let message = "The system encountered an unexpected error during processing. Try your request again.";
    ("internalServerException", json!({ "message": message }))
}
