//! What follows a model that its vendor has retired.

use pilothouse_catalog::{Catalog, Status};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::Error;

use super::{Plan, Provider, Resolution, Target};

/// Most steps from a model to the one that replaces it in the end.
const STEPS_MAX: usize = 16;

impl Target {
    /// Whether the catalogue knows that the model ends: it has been retired, or another one is named in its stead.
    pub(crate) fn is_known_to_end(&self, now: UnixMs) -> bool {
        let known = self.known.as_ref();
        let is_announced = self.life.as_ref().is_some_and(|life| life.cycle.is_announced);
        is_announced
            || known
                .is_some_and(|model| model.status(now) == Status::Retired || !model.replacement().is_empty())
    }

    /// `provider/model`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.provider.name, self.model)
    }
}

impl Plan {
    /// The name, at the same provider, of the model that follows one that is gone, as of `now`: what its vendor names
    /// instead, and where that has been retired too, what follows that.
    pub(crate) fn successor(&self, gone: &Target, now: UnixMs) -> Option<String> {
        match &gone.life {
            Some(life) if life.is_configured => life.successor.as_deref().map(str::to_owned),
            _ => self.successor_of(&gone.provider, (&gone.model, &gone.real), now),
        }
    }

    /// The same, for a provider's model by its name on the wire and in the catalogue, as its vendor has it.
    pub(super) fn successor_of(
        &self,
        provider: &Provider,
        (wire, real): (&str, &str),
        now: UnixMs,
    ) -> Option<String> {
        let id = alive(&self.catalog, &provider.platform, real, now)?;
        let (next, _) = provider.named(&id);
        (next != wire).then(|| format!("{}/{next}", provider.name))
    }

    /// The target that takes a call instead, under the name that was asked for.
    ///
    /// # Errors
    /// As [`Plan::resolve`].
    pub(crate) fn stand_in(&self, asked: &str, successor: &str) -> Result<Resolution, Error> {
        self.resolve_for(asked, successor)
    }
}

/// The first model behind `id` that is not retired, breadth first: a vendor's first word counts most.
fn alive(catalog: &Catalog, platform: &str, id: &str, now: UnixMs) -> Option<String> {
    let mut seen = vec![id.to_owned()];
    let mut at = 0;
    while at < seen.len().min(STEPS_MAX) {
        let model = catalog.model(platform, &seen[at]);
        if let Some(model) = &model {
            if at > 0 && model.status(now) != Status::Retired {
                return Some(seen.swap_remove(at));
            }
            for next in model.replacement() {
                if !seen.contains(next) {
                    seen.push(next.clone());
                }
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_348_800_000);

    fn catalog(rows: &[(&str, &str)]) -> Catalog {
        let rows: String = rows
            .iter()
            .map(|(id, life)| {
                format!(
                    "[[model]]\nplatform = \"openai\"\nid = \"{id}\"\nas_of = \"2026-11-23\"\nsource = \"tests\"\n\
                     lifecycle = {{ {life} }}\n"
                )
            })
            .collect();
        Catalog::bundled().with_overlay(&rows, "tests").unwrap()
    }

    #[test]
    fn the_chain_of_successors_ends_at_a_model_that_lives() {
        let catalog = catalog(&[
            ("one", "retires = 2025-01-01, replacement = [\"two\"]"),
            ("two", "retires = 2026-01-01, replacement = [\"nobody-knows\", \"three\"]"),
            ("three", "retires = 2027-01-01, replacement = [\"four\"]"),
        ]);
        assert_eq!(alive(&catalog, "openai", "one", NOW).as_deref(), Some("three"));
        assert_eq!(alive(&catalog, "openai", "three", NOW), None, "nobody knows what follows it");
    }

    #[test]
    fn successors_that_name_each_other_lead_nowhere() {
        let catalog = catalog(&[
            ("one", "retires = 2025-01-01, replacement = [\"two\"]"),
            ("two", "retires = 2025-01-01, replacement = [\"one\", \"two\"]"),
        ]);
        assert_eq!(alive(&catalog, "openai", "one", NOW), None);
    }
}
