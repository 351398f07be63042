//! Which target takes the call, and over which of its surfaces.

use std::sync::Arc;

use pilothouse_catalog::compat::Compat;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_wire::codec::Target;
use pilothouse_wire::path::{
    GeminiMethod, converse_path, may_stand_in_a_path, segment, vendor_path, vertex_anthropic_path,
};

use super::read::Asked;
use crate::endpoints::Call;
use crate::plan::{Naming, Plan, Provider, Resolution, Surface};

/// The target of one exchange.
pub(crate) struct Choice {
    pub(crate) resolution: Arc<Resolution>,
    way: Way,
    pub(crate) is_same_dialect: bool,
}

/// One of a provider's ways to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The surface at this place.
    Surface(usize),
    /// Its rerank call.
    Rerank,
}

impl Choice {
    /// A target whose way is known, for a call that passes as it came.
    pub(super) const fn passing(resolution: Arc<Resolution>, way: Way) -> Self {
        Self { resolution, way, is_same_dialect: true }
    }

    pub(crate) fn provider(&self) -> &Arc<Provider> {
        &self.resolution.target.provider
    }

    pub(crate) fn surface(&self) -> Option<&Surface> {
        match self.way {
            Way::Surface(at) => self.provider().surfaces.get(at),
            Way::Rerank => self.provider().rerank.as_ref().map(|rerank| &rerank.surface),
        }
    }

    /// The compatibility rules of the target, where there are any.
    pub(crate) fn rules(&self) -> Option<&Compat> {
        self.resolution.target.rules(self.place()).filter(|rules| !rules.rules().is_empty())
    }

    /// What a codec must know of the target.
    pub(crate) fn codec_target(&self) -> Target<'_> {
        self.resolution.target.codec_target(self.place())
    }

    /// The place of its surface among the provider's.
    const fn place(&self) -> usize {
        match self.way {
            Way::Surface(at) => at,
            Way::Rerank => 0,
        }
    }

    pub(crate) fn surface_dialect(&self) -> Dialect {
        self.surface().map_or(Dialect::OpenaiChat, |surface| surface.dialect)
    }

    /// The surface speaks for Claude at Vertex AI; see [`super::vertex`].
    pub(crate) fn is_vertex_anthropic(&self) -> bool {
        self.surface().is_some_and(|surface| surface.naming == Naming::VertexAnthropic)
    }

    /// What follows the prepared path in this call: empty for all surfaces but those that name the model there.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] for a name that would lead to another place.
    pub(crate) fn tail(&self, call: Call, is_stream: bool) -> Result<String, Error> {
        let naming = self.surface().map_or(&Naming::Body, |surface| &surface.naming);
        if *naming == Naming::Body {
            return Ok(String::new());
        }
        let model = &self.resolution.target.model;
        if !may_stand_in_a_path(model) {
            return Err(Error::bad_request("model", format!("`{model}` cannot be the name of a model")));
        }
        Ok(match naming {
            Naming::Body => String::new(),
            Naming::GeminiPath => vendor_path(model, gemini_method(call, is_stream)),
            Naming::BedrockPath => converse_path(model, is_stream),
            // The model to count for stands in the body.
            Naming::VertexAnthropic if call == Call::CountTokens => {
                "/models/count-tokens:rawPredict".to_owned()
            }
            Naming::VertexAnthropic => vertex_anthropic_path(model, is_stream),
            Naming::Deployment { query } => {
                let path = match call {
                    Call::Embeddings => "/embeddings",
                    Call::Completions => "/completions",
                    _ => "/chat/completions",
                };
                format!("/{}{path}{query}", segment(model))
            }
        })
    }
}

const fn gemini_method(call: Call, is_stream: bool) -> GeminiMethod {
    match (call, is_stream) {
        // Neither legacy completions nor calls that pass come here: no surface of Google's takes them.
        (Call::Chat | Call::Completions | Call::Pass(_), false) => GeminiMethod::Generate,
        (Call::Chat | Call::Completions | Call::Pass(_), true) => GeminiMethod::Stream,
        (Call::CountTokens, _) => GeminiMethod::CountTokens,
        (Call::Embeddings, _) => GeminiMethod::Embed,
    }
}

/// Chooses the target.
pub(super) fn choose(plan: &Plan, dialect: Dialect, call: Call, asked: &Asked<'_>) -> Result<Choice, Error> {
    let resolution = plan.resolve(&asked.model)?;
    let provider = &resolution.target.provider;
    let fits = |surface: &Surface| match (call, dialect) {
        (Call::Embeddings, Dialect::OpenaiEmbeddings) => {
            matches!(surface.dialect, Dialect::OpenaiChat | Dialect::OpenaiEmbeddings)
        }
        (Call::Completions, _) => surface.dialect == Dialect::OpenaiChat && !provider.no_completions,
        _ => surface.dialect == dialect,
    };
    // Of the surfaces that serve the model: at a cloud, each maker's models have a dialect of their own.
    let serving = &resolution.target.surfaces;
    let same = serving.iter().copied().find(|at| fits(&provider.surfaces[*at]));
    let surface = match (same, call) {
        (Some(surface), _) => surface,
        (None, Call::Embeddings) => {
            let style = if dialect == Dialect::GeminiGenerate { "Google" } else { "OpenAI" };
            return Err(Error::bad_request(
                "model",
                format!("`{}` has no {style}-style embeddings; ask another provider for them", provider.name),
            ));
        }
        (None, Call::Completions) => return Err(no_completions(&provider.name)),
        (None, _) => serving.first().copied().unwrap_or(usize::MAX),
    };
    match provider.surfaces.get(surface) {
        None => return Err(Error::new(Kind::Internal, "the provider has no way to be called")),
        Some(only) if only.dialect == Dialect::OpenaiEmbeddings && call != Call::Embeddings => {
            let public =
                format!("`{}` makes embeddings only; ask another provider for answers", provider.name);
            return Err(Error::bad_request("model", public));
        }
        Some(_) => {}
    }
    Ok(Choice { resolution, way: Way::Surface(surface), is_same_dialect: same.is_some() })
}

/// A text to go on with is no conversation: a chat's template would stand around it, and `echo`, `suffix` and `best_of` have
/// no counterpart, so that nothing is translated.
fn no_completions(provider: &str) -> Error {
    let public = format!(
        "`{provider}` has no legacy completions, and a text completion cannot be turned into a chat exactly; send the prompt \
         as a message to /v1/chat/completions, or ask for a model of a provider that has /v1/completions"
    );
    Error::bad_request("model", public)
}
