//! What OpenAI's models do besides talking, and Cohere's and Jina's rerank, which others serve under the same paths.

mod audio;
mod completions;
mod images;
mod moderations;
mod rerank;

use super::error::Refusal;
use crate::answer::Answer;
use crate::models::{self, Found, Model, Rules, Vendor};
use crate::setting::Setting;
use serde_json::Value;

/// A call to a model that is no chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Completions,
    Generations,
    Edits,
    Variations,
    Speech,
    Transcriptions,
    Translations,
    Moderations,
    Rerank,
}

impl Service {
    /// The service at a path.
    pub(crate) fn at(path: &str) -> Option<Service> {
        Some(match path {
            "v1/completions" => Service::Completions,
            "v1/images/generations" => Service::Generations,
            "v1/images/edits" => Service::Edits,
            "v1/images/variations" => Service::Variations,
            "v1/audio/speech" => Service::Speech,
            "v1/audio/transcriptions" => Service::Transcriptions,
            "v1/audio/translations" => Service::Translations,
            "v1/moderations" => Service::Moderations,
            "v1/rerank" | "v2/rerank" => Service::Rerank,
            _ => return None,
        })
    }

    /// Whether requests come as forms.
    fn takes_forms(self) -> bool {
        matches!(self, Service::Edits | Service::Variations | Service::Transcriptions | Service::Translations)
    }

    /// The model that is taken where none is named.
    pub(crate) fn usual_model(self) -> Option<&'static str> {
        match self {
            Service::Moderations => Some("omni-moderation-latest"),
            _ => None,
        }
    }
}

const fn model(id: &'static str, created: u64) -> Model {
    Model {
        id,
        served_as: id,
        made_as: id,
        display: id,
        rules: Rules::Permissive,
        // The catalogue prices them; the fleet's own books count their tokens only.
        prices: &[],
        context_tokens: 16_000,
        output_tokens_max: 4_096,
        word_bytes: 6,
        first_token_ms: 200,
        token_us: 5_000,
        created,
        shutdown: None,
        source: "https://developers.openai.com/api/docs/models",
        as_of: "2026-11-23",
    }
}

/// Every model, and what it does.
static MODELS: &[(&[Service], Model)] = &[
    (&[Service::Completions], model("gpt-3.5-turbo-instruct", 1_692_901_427)),
    (&[Service::Generations, Service::Edits, Service::Variations], model("gpt-image-1", 1_745_517_030)),
    (&[Service::Speech], model("gpt-4o-mini-tts", 1_742_403_959)),
    (&[Service::Transcriptions], model("gpt-4o-transcribe", 1_742_068_463)),
    (&[Service::Transcriptions, Service::Translations], model("whisper-1", 1_677_532_384)),
    (&[Service::Moderations], model("omni-moderation-latest", 1_731_689_265)),
    (&[Service::Rerank], model("rerank-v3.5", 1_733_097_600)),
    (&[Service::Rerank], model("jina-reranker-v3", 1_759_276_800)),
];

/// The model that a service has under a name.
pub(crate) fn find(service: Service, name: &str) -> Option<Found> {
    match models::find(Vendor::OpenAi, name) {
        Some(Found::Real(_)) | None => {}
        faulty => return faulty,
    }
    let (_, model) = MODELS.iter().find(|(services, m)| services.contains(&service) && m.id == name)?;
    Some(Found::Real(model))
}

/// Answers a request, which came as a form or as JSON.
pub(crate) fn answer(
    service: Service,
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    is_form: bool,
) -> Result<Answer, Refusal> {
    if service.takes_forms() && !is_form {
        let message = "We could not parse the body of your request: it must be multipart/form-data.";
        return Err(Refusal::other(415, "invalid_request_error", Some("unsupported_content_type"), message));
    }
    if !service.takes_forms() && is_form {
        let message = "Unsupported content type: 'multipart/form-data'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: multipart/form-data'.";
        return Err(Refusal::other(400, "invalid_request_error", None, message));
    }
    match service {
        Service::Completions => completions::answer(setting, model, request),
        Service::Generations | Service::Edits | Service::Variations => {
            images::answer(service, setting, model, request)
        }
        Service::Speech => audio::speech(setting, model, request),
        Service::Transcriptions | Service::Translations => audio::words(service, setting, model, request),
        Service::Moderations => moderations::answer(setting, model, request),
        Service::Rerank => rerank::answer(setting, model, request),
    }
}

/// Members that a request may have, and no others.
fn check(request: &Value, members: &[crate::shape::Member]) -> Result<(), Refusal> {
    let Some(map) = request.as_object() else {
        return Err(Refusal::other(400, "invalid_request_error", None, "the body must be an object"));
    };
    crate::shape::check(map, members).map_err(|p| Refusal::shape("", p))
}
