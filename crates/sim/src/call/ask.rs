//! Hands a call to its vendor's part of the fleet.

use crate::answer::Answer;
use crate::bedrock::error::Refusal;
use crate::door::Endpoint;
use crate::models::{Model, Vendor};
use crate::setting::Setting;
use crate::{anthropic, azure, bedrock, gemini, multipart, openai, vertex, voice};
use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;

/// The answer before faults and pauses.
pub(super) fn ask(
    vendor: Vendor,
    endpoint: &Endpoint,
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
    parts: &Parts,
) -> Answer {
    match (vendor, endpoint) {
        (Vendor::OpenAi, _) => {
            let made = match endpoint {
                Endpoint::Service(service) => {
                    let is_form = multipart::boundary(&parts.headers).is_some();
                    openai::services::answer(*service, setting, model, request, is_form)
                }
                Endpoint::Embeddings => openai::embed(setting, model, request),
                Endpoint::Responses => openai::responses::create(setting, model, request),
                Endpoint::InputTokens => openai::responses::count_tokens(setting, model, request),
                _ => openai::chat(setting, model, request),
            };
            made.unwrap_or_else(|refusal| refusal.answer())
        }
        (Vendor::Anthropic, Endpoint::CountTokens) => {
            anthropic::count_tokens(setting, model, request).unwrap_or_else(|refusal| refusal.answer())
        }
        (Vendor::Anthropic, _) => anthropic::messages(setting, model, request, &betas(&parts.headers))
            .unwrap_or_else(|refusal| refusal.answer()),
        (Vendor::Gemini, Endpoint::Gemini(method, _)) => {
            gemini::call(setting, model, *method, request).unwrap_or_else(|refusal| refusal.answer())
        }
        (Vendor::Bedrock, Endpoint::Bedrock(operation, name)) => match Refusal::named(name) {
            Some(refusal) => refusal.answer(),
            None => {
                bedrock::call(setting, model, *operation, request).unwrap_or_else(|refusal| refusal.answer())
            }
        },
        (Vendor::Bedrock, Endpoint::Messages) => {
            anthropic::messages(setting, model, request, &betas(&parts.headers))
                .unwrap_or_else(|refusal| refusal.answer())
        }
        (Vendor::Bedrock, Endpoint::CountTokens) => {
            anthropic::count_tokens(setting, model, request).unwrap_or_else(|refusal| refusal.answer())
        }
        (Vendor::Bedrock, Endpoint::Chat) => {
            openai::chat(setting, model, request).unwrap_or_else(|refusal| refusal.answer())
        }
        (Vendor::Vertex, Endpoint::Gemini(method, _)) => {
            vertex::content(setting, model, *method, request).unwrap_or_else(vertex::error::answer)
        }
        (Vendor::Vertex, Endpoint::RawPredict(name)) => {
            let is_count = name == vertex::COUNTER;
            vertex::claude(setting, model, request, is_count, &betas(&parts.headers))
                .unwrap_or_else(|refusal| vertex::error::claude_answer(&refusal))
        }
        (Vendor::Azure, _) => azure::call(setting, model, endpoint, request),
        _ => voice::unknown_path(vendor, parts),
    }
}

/// The beta header's list.
fn betas(headers: &HeaderMap) -> String {
    let listed = headers.get_all("anthropic-beta").iter().filter_map(|v| v.to_str().ok());
    listed.collect::<Vec<_>>().join(",")
}
