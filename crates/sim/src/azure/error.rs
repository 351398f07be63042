//! Azure's error shape, for what its front door refuses; what the model refuses has OpenAI's.
//!
//! Wordings as public bug reports give them, read 2026-11-23, e.g. <https://github.com/compl-ai/compl-ai/issues/20> (content
//! filter), <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/quota> (rate limits).

use super::filter;
use crate::answer::Answer;
use serde_json::json;

fn refused(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": { "code": code, "message": message } }))
}

/// No key, or one that is not accepted.
pub(crate) fn wrong_key() -> Answer {
    let message = "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.";
    refused(401, "401", message)
}

/// A token that has ended.
pub(crate) fn ended_token() -> Answer {
    let message = "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.";
    refused(401, "Unauthorized", message)
}

/// The name of no deployment.
pub(crate) fn no_deployment() -> Answer {
    let message = "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.";
    refused(404, "DeploymentNotFound", message)
}

/// A path that is not there: also one with a version that does not exist, or without any.
pub(crate) fn not_found() -> Answer {
    refused(404, "404", "Resource not found")
}

/// A version that the undated API does not have.
pub(crate) fn wrong_version() -> Answer {
    refused(400, "BadRequest", "API version not supported")
}

/// A deployment that cannot do this.
pub(super) fn wrong_operation(operation: &str, model: &str) -> Answer {
    let message = format!(
        "The {operation} operation does not work with the specified model, {model}. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993."
    );
    refused(400, "OperationNotSupported", &message)
}

/// A prompt that the content filter stops.
pub(super) fn blocked() -> Answer {
    let message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766";
    let error = json!({
        "message": message,
        "type": null,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": filter::prompt_results(true),
        },
    });
    Answer::json(400, &json!({ "error": error }))
}

/// What the front door says with a status that a fault asks for.
pub(crate) fn fault(status: u16, retry_after_s: Option<u64>) -> Answer {
    let (code, message): (&str, String) = match status {
        404 => return no_deployment(),
        410 => (
            "ModelDeprecated",
            "The model has been deprecated and is no longer available. Please deploy another model."
                .to_owned(),
        ),
        429 => (
            "429",
            format!(
                "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after {} seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.",
                retry_after_s.unwrap_or(1)
            ),
        ),
        503 | 529 => (
            "ServiceUnavailable",
            "The service is temporarily unable to process your request. Please try again later.".to_owned(),
        ),
        _ => (
            "InternalServerError",
            "The server had an error while processing your request. Sorry about that!".to_owned(),
        ),
    };
    let mut answer = refused(status, code, &message);
    if let Some(seconds) = retry_after_s {
        answer.headers.push(("retry-after-ms", (seconds * 1_000).to_string()));
    }
    answer
}
