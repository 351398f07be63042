//! Which target takes the call, and over which of its surfaces.

use std::sync::Arc;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};

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
}

/// Chooses the target.
pub(super) fn choose(plan: &Plan, dialect: Dialect, call: Call, asked: &Asked<'_>) -> Result<Choice, Error> {
    let resolution = plan.resolve(&asked.model)?;
    let provider = &resolution.target.provider;
    let wanted = if call == Call::Embeddings { Dialect::OpenaiChat } else { dialect };
    let same = provider.surfaces.iter().position(|surface| surface.dialect == wanted);
    let surface = match (same, call) {
        (Some(surface), _) => surface,
        (None, Call::Embeddings) => {
            return Err(Error::bad_request(
                "model",
                format!("`{}` has no OpenAI-style embeddings; ask another provider for them", provider.name),
            ));
        }
        (None, _) => 0,
    };
    if provider.surfaces.is_empty() {
        return Err(Error::new(Kind::Internal, "the provider has no way to be called"));
    }
    Ok(Choice { resolution, surface, is_same_dialect: same.is_some() })
}
