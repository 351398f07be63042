//! The platform's errors: in Google's shape, also for what befalls Claude before it is asked.
//!
//! Wordings as public bug reports give them, read 2026-11-23; reasons:
//! <https://cloud.google.com/docs/authentication/troubleshoot-adc>; 429:
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429>.

use crate::gemini::error::Refusal;
use crate::{answer::Answer, anthropic};
use serde_json::json;

const GUIDE: &str = "See https://developers.google.com/identity/sign-in/web/devconsole-project.";
/// The name of the other service's messages in errors, and of this one's.
const PACKAGES: [&str; 2] = ["google.ai.generativelanguage.v1beta", "google.cloud.aiplatform.v1"];

/// 401 for this reason.
pub(crate) fn unauthenticated(reason: &str) -> Refusal {
    let message = match reason {
        "API_KEY" => "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a principal. See https://cloud.google.com/docs/authentication".to_owned(),
        "CREDENTIALS_MISSING" => format!(
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. {GUIDE}"
        ),
        _ => format!(
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. {GUIDE}"
        ),
    };
    let reason = if reason == "API_KEY" { "CREDENTIALS_MISSING" } else { reason };
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": { "service": "aiplatform.googleapis.com" },
    });
    Refusal { details: vec![info], ..Refusal::other(401, "UNAUTHENTICATED", message) }
}

/// The model's resource in a path, from its project to its name.
fn resource(path: &str) -> &str {
    let from = path.find("projects/").map_or(path, |at| &path[at..]);
    from.rsplit_once(':').map_or(from, |(resource, _)| resource)
}

/// The name of no model of a publisher.
fn no_model(resource: &str) -> Refusal {
    let message = format!(
        "Publisher Model `{resource}` was not found or your project does not have access to it. Please ensure you are using a valid model version. For more information, see: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"
    );
    Refusal::other(404, "NOT_FOUND", message)
}

/// What the platform says with a status that a fault asks for: quotas and models are its own, the rest is the maker's.
/// `path` is where the call was sent.
pub(crate) fn fault(
    status: u16,
    retry_after_s: Option<u64>,
    name: &str,
    is_claude: bool,
    path: &str,
) -> Answer {
    match (status, is_claude) {
        (404, _) => no_model(resource(path)).answer(),
        (429, _) => {
            let message = if is_claude {
                format!(
                    "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: anthropic-{name}. Please submit a quota increase request. https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai."
                )
            } else {
                "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.".to_owned()
            };
            let details = Refusal::fault(429, retry_after_s, name).details;
            Refusal { message, details, ..Refusal::fault(429, None, name) }.answer()
        }
        (_, true) => claude_answer(&anthropic::error::Refusal::fault(status, name)),
        _ => Refusal::fault(status, retry_after_s, name).answer(),
    }
}

/// A refusal of the other service in the words of this one.
pub(crate) fn answer(mut refusal: Refusal) -> Answer {
    let reword = |text: &str| text.replace(PACKAGES[0], PACKAGES[1]);
    refusal.message = reword(&refusal.message);
    let details = refusal.details.iter().filter_map(|d| serde_json::from_str(&reword(&d.to_string())).ok());
    refusal.details = details.collect();
    refusal.answer()
}

/// A refusal of Claude's: ids of requests say that they came through here.
pub(crate) fn claude_answer(refusal: &anthropic::error::Refusal) -> Answer {
    let mut body = refusal.body();
    let id = body["request_id"].as_str().unwrap_or_default().replacen("req_01", "req_vrtx_01", 1);
    body["request_id"] = json!(id);
    Answer::json(refusal.status, &body)
}
