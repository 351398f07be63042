//! Which target takes the call, and over which of its surfaces.

use std::sync::Arc;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_wire::path::{GeminiMethod, converse_path, may_stand_in_a_path, vendor_path};

use super::read::Asked;
use crate::endpoints::Call;
use crate::plan::{Plan, Provider, Resolution, Surface};

/// The target of one exchange.
pub(crate) struct Choice {
    pub(crate) resolution: Arc<Resolution>,
    surface: usize,
    pub(crate) is_same_dialect: bool,
}

impl Choice {
    pub(crate) fn provider(&self) -> &Arc<Provider> {
        &self.resolution.target.provider
    }

    pub(crate) fn surface(&self) -> Option<&Surface> {
        self.provider().surfaces.get(self.surface)
    }

    pub(crate) fn surface_dialect(&self) -> Dialect {
        self.surface().map_or(Dialect::OpenaiChat, |surface| surface.dialect)
    }

    /// What follows the prepared path in this call: empty for all dialects but Google's and Bedrock's, which name the
    /// model there.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] for a name that would lead to another place.
    pub(crate) fn tail(&self, call: Call, is_stream: bool) -> Result<String, Error> {
        let dialect = self.surface_dialect();
        if !matches!(dialect, Dialect::GeminiGenerate | Dialect::BedrockConverse) {
            return Ok(String::new());
        }
        let model = &self.resolution.target.model;
        if !may_stand_in_a_path(model) {
            return Err(Error::bad_request("model", format!("`{model}` cannot be the name of a model")));
        }
        if dialect == Dialect::BedrockConverse {
            return Ok(converse_path(model, is_stream));
        }
        let method = match (call, is_stream) {
            (Call::Chat, false) => GeminiMethod::Generate,
            (Call::Chat, true) => GeminiMethod::Stream,
            (Call::CountTokens, _) => GeminiMethod::CountTokens,
            (Call::Embeddings, _) => GeminiMethod::Embed,
        };
        Ok(vendor_path(model, method))
    }
}

/// Chooses the target.
pub(super) fn choose(plan: &Plan, dialect: Dialect, call: Call, asked: &Asked<'_>) -> Result<Choice, Error> {
    let resolution = plan.resolve(&asked.model)?;
    let provider = &resolution.target.provider;
    let wanted = match (call, dialect) {
        (Call::Embeddings, Dialect::OpenaiEmbeddings) => Dialect::OpenaiChat,
        _ => dialect,
    };
    let same = provider.surfaces.iter().position(|surface| surface.dialect == wanted);
    let surface = match (same, call) {
        (Some(surface), _) => surface,
        (None, Call::Embeddings) => {
            let style = if dialect == Dialect::GeminiGenerate { "Google" } else { "OpenAI" };
            return Err(Error::bad_request(
                "model",
                format!("`{}` has no {style}-style embeddings; ask another provider for them", provider.name),
            ));
        }
        (None, _) => 0,
    };
    if provider.surfaces.is_empty() {
        return Err(Error::new(Kind::Internal, "the provider has no way to be called"));
    }
    Ok(Choice { resolution, surface, is_same_dialect: same.is_some() })
}
