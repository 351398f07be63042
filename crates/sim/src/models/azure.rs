//! Azure OpenAI's deployments: every model of OpenAI's is deployed under its own name.
//!
//! Deployments: <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/create-resource>; prices of the global
//! standard deployment, which are OpenAI's own:
//! <https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/>, as of 2026-11-22.

use super::Model;
use std::sync::LazyLock;

const SOURCE: &str = "https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/";

/// Every deployment of the fleet.
pub(super) static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| super::openai::MODELS.iter().map(|m| Model { source: SOURCE, ..m.clone() }).collect());
