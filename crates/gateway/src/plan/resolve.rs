//! From the name that a client sends to the target that takes the call.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use pilothouse_catalog::compat::{About, Compat};
use pilothouse_catalog::{Model, Pricing};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::TargetUsed;

use pilothouse_routing::health::breaker::BreakerSettings;
use pilothouse_routing::output::ExpectedOutput;
use pilothouse_routing::{Health, HealthSettings};
use pilothouse_wire::codec::{Quirks, family_of, rules_of};

use smallvec::SmallVec;

use super::lifecycle::Life;
use super::{Plan, Provider};
use crate::concurrency::Limit;
use crate::metrics::TargetMetrics;

/// Most names that are remembered; a client that invents names cannot fill the memory.
const REMEMBERED_MAX: usize = 4096;

/// Most names that one list of callable models holds.
const CALLABLE_MAX: usize = 5000;

/// Vendor and model that can take a call.
#[derive(Debug)]
pub struct Target {
    /// The provider.
    pub provider: Arc<Provider>,
    /// The model's id on the wire.
    pub model: Arc<str>,
    /// The model's id in the catalogue: another one where the customer names the model (deployments).
    pub real: Arc<str>,
    /// The indices of the provider's surfaces that may take it, the preferred one first.
    pub surfaces: Vec<usize>,
    /// Its price, where known.
    pub pricing: Option<Pricing>,
    /// What the catalogue says of the model.
    pub known: Option<Model>,
    /// The most tokens of output that it says of it: each call asks for them.
    pub output_tokens_max: Option<u64>,
    /// Its end, where anybody said that it has one.
    pub life: Option<Arc<Life>>,
    /// The limits on calls at once that it is under: its own, then its provider's.
    pub limits: SmallVec<[Arc<Limit>; 1]>,
    /// What it accepts, per surface of the provider.
    fits: Vec<Fit>,
    /// What records say of it, per dialect of the provider's surfaces.
    used: Vec<TargetUsed>,
    /// What `/metrics` says of it.
    pub metrics: Arc<TargetMetrics>,
    /// How it has been doing, for the routes that have it.
    pub health: Arc<Health>,
}

/// What a target accepts over one of its provider's surfaces.
#[derive(Debug)]
struct Fit {
    rules: Compat,
    quirks: Quirks,
}

/// What a name resolved to.
#[derive(Debug)]
pub struct Resolution {
    /// The name, as records keep it.
    pub asked: Arc<str>,
    /// The target.
    pub target: Target,
    /// Whether the name differs from the model's id, so that the body must be edited.
    pub is_renamed: bool,
    /// How long its answers are expected to be, where it is the target of a route.
    pub output: Option<Arc<ExpectedOutput>>,
}

impl Target {
    /// What a codec must know of it.
    #[must_use]
    pub fn codec_target(&self, surface: usize) -> pilothouse_wire::codec::Target<'_> {
        pilothouse_wire::codec::Target {
            model: &self.model,
            family: family_of(&self.real),
            max_output_tokens: self.output_tokens_max,
            quirks: self.fits.get(surface).map(|fit| fit.quirks.clone()).unwrap_or_default(),
        }
    }

    /// The compatibility rules of one of the provider's surfaces.
    #[must_use]
    pub fn rules(&self, surface: usize) -> Option<&Compat> {
        self.fits.get(surface).map(|fit| &fit.rules)
    }

    /// What records say of it.
    #[must_use]
    pub fn used(&self, dialect: Dialect) -> Option<&TargetUsed> {
        self.used.iter().find(|used| used.dialect == dialect).or_else(|| self.used.first())
    }
}

/// The health of a target that never rests, however it does.
fn restless() -> Arc<Health> {
    let breaker = BreakerSettings {
        error_share: f32::INFINITY,
        failures_in_row: u32::MAX,
        rest_ms: 0,
        rest_ms_max: 0,
        ..BreakerSettings::default()
    };
    Arc::new(Health::new(HealthSettings { breaker, ..HealthSettings::default() }))
}

fn fit(about: &About<'_>, dialect: Dialect) -> Fit {
    let rules = Compat::of(about, dialect);
    let telling = rules_of(dialect);
    let quirks = if telling == dialect {
        Quirks::by(&rules, dialect, about.model)
    } else {
        Quirks::by(&Compat::of(about, telling), dialect, about.model)
    };
    Fit { rules, quirks }
}

impl Plan {
    /// Resolves a name: a route, which leads to its first target, then `<provider>/<model>`, then a bare name at the provider that lists it, then at its native
    /// vendor, then at any configured provider that has it. Among several, the first in the file takes it.
    ///
    /// # Errors
    /// [`Kind::UnknownModel`], naming the nearest names and what is missing.
    pub fn resolve(&self, asked: &str) -> Result<Arc<Resolution>, Error> {
        if let Some(first) = self.route(asked).and_then(|route| route.targets.first()) {
            return Ok(Arc::clone(first));
        }
        if let Some(known) = self.resolved.read().unwrap_or_else(PoisonError::into_inner).get(asked) {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.resolve_afresh(asked)?);
        let mut resolved = self.resolved.write().unwrap_or_else(PoisonError::into_inner);
        if resolved.len() < REMEMBERED_MAX {
            resolved.insert(asked.into(), Arc::clone(&found));
        }
        Ok(found)
    }

    fn resolve_afresh(&self, asked: &str) -> Result<Resolution, Error> {
        self.resolve_for(asked, asked)
    }

    /// Resolves the name of a target that stands behind the name that was asked for.
    ///
    /// # Errors
    /// As [`Plan::resolve`].
    pub(super) fn resolve_for(&self, asked: &str, target: &str) -> Result<Resolution, Error> {
        self.locate(target).map(|(provider, model)| self.resolution(asked, provider, model))
    }

    /// Where a name leads: the provider, and the model's id there. Nothing is remembered or counted.
    ///
    /// # Errors
    /// As [`Plan::resolve`].
    pub fn locate<'a>(&'a self, asked: &'a str) -> Result<(&'a Arc<Provider>, &'a str), Error> {
        if let Some(first) = self.route(asked).and_then(|route| route.targets.first()) {
            let target = &first.target;
            return Ok((&target.provider, &target.model));
        }
        if let Some((name, model)) = asked.split_once('/')
            && let Some(provider) = self.provider(name)
            && !model.is_empty()
        {
            return Ok((provider, model));
        }
        self.bare(asked).map(|provider| (provider, asked)).ok_or_else(|| self.unknown(asked))
    }

    /// The provider of that name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.iter().find(|provider| &*provider.name == name)
    }

    /// The provider that a bare name belongs to.
    fn bare(&self, model: &str) -> Option<&Arc<Provider>> {
        self.takers(model).into_iter().next()
    }

    /// The providers that a bare name may belong to, in the order of the file: the first one takes it. Those that
    /// list it come before the vendor that makes it, and that one before all others.
    pub(super) fn takers(&self, model: &str) -> Vec<&Arc<Provider>> {
        let that = |fits: &dyn Fn(&Provider) -> bool| -> Vec<&Arc<Provider>> {
            self.providers.iter().filter(|provider| fits(provider)).collect()
        };
        let listing = that(&|provider| provider.models.iter().any(|known| known == model));
        if !listing.is_empty() {
            return listing;
        }
        let platforms = self.catalog.platforms_of(model);
        let maker =
            self.catalog.native_platform(model).filter(|maker| platforms.iter().any(|it| it == maker));
        let making = that(&|provider| Some(provider.platform.as_str()) == maker);
        if !making.is_empty() {
            return making;
        }
        that(&|provider| platforms.contains(&provider.platform))
    }

    /// What a call resolves to that names no model: the provider, and the service's name where others have a model's.
    #[must_use]
    pub fn unnamed(&self, provider: &Arc<Provider>, service: &str) -> Arc<Resolution> {
        Arc::new(self.resolution(service, provider, service))
    }

    fn resolution(&self, asked: &str, provider: &Arc<Provider>, model: &str) -> Resolution {
        let (wire, real) = provider.named(model);
        let row = self.catalog.model(&provider.platform, real);
        let pricing = row.as_ref().and_then(Model::pricing);
        let price: Option<Arc<str>> = pricing.as_ref().and(row.as_ref()).map(|row| row.price_id().into());
        let model: Arc<str> = wire.into();
        let used = provider
            .surfaces
            .iter()
            .map(|surface| TargetUsed {
                vendor: Arc::clone(&provider.name),
                model: Arc::clone(&model),
                dialect: surface.dialect,
                price: price.clone(),
            })
            .collect();
        let about = About {
            vendor: &provider.vendor,
            quirks: &provider.quirks,
            model: real,
            output_tokens_max: row.as_ref().and_then(Model::output_tokens_max),
            known: row.as_ref(),
        };
        let output_tokens_max = about.output_tokens_max;
        let metrics = self.metrics.target(&provider.name, &model);
        let health = if provider.has_breaker { Arc::clone(&metrics.health) } else { restless() };
        let limits = self.limits.of_target(&provider.name, &model).into_iter().chain(&provider.limit);
        let target = Target {
            health,
            limits: limits.cloned().collect(),
            fits: provider.surfaces.iter().map(|surface| fit(&about, surface.dialect)).collect(),
            provider: Arc::clone(provider),
            metrics,
            life: self.life(provider, (wire, real), row.as_ref()),
            known: row,
            output_tokens_max,
            surfaces: provider.surfaces_for(real),
            real: if wire == real { Arc::clone(&model) } else { real.into() },
            model: Arc::clone(&model),
            pricing,
            used,
        };
        Resolution { asked: asked.into(), is_renamed: asked != &*model, output: None, target }
    }

    fn unknown(&self, asked: &str) -> Error {
        let shown: String = asked.chars().take(120).collect();
        let mut sentence = format!("the model `{shown}` does not exist or no configured provider has it");
        let platforms = self.catalog.platforms_of(asked);
        if let Some(vendor) = platforms
            .iter()
            .find_map(|platform| self.catalog.vendors().iter().find(|vendor| vendor.platform == *platform))
        {
            let key = vendor.key_env.first().map_or_else(String::new, |name| format!(" (set {name})"));
            sentence.push_str(&format!(
                "; `{}` serves it: configure [providers.{}]{key}",
                vendor.title, vendor.name
            ));
        } else {
            let mut names = self.callable().iter().map(|(name, _)| name.as_str());
            let near = self.catalog.nearest(asked, &mut names, 3);
            if !near.is_empty() {
                sentence.push_str(&format!("; near it: {}", near.join(", ")));
            }
        }
        Error { param: Some("model".into()), ..Error::new(Kind::UnknownModel, sentence) }
    }

    /// Names that can be called now, with the provider that takes them: routes, those that providers list and those that
    /// the catalogue has of their platforms, at most 5,000 (`CALLABLE_MAX`).
    #[must_use]
    pub fn callable(&self) -> &[(String, Arc<Provider>)] {
        // A scan of the whole catalogue: once per configuration, not once per question.
        self.callable.get_or_init(|| {
            let mut seen = HashSet::new();
            let listed = self.providers.iter().flat_map(|provider| provider.models.iter().cloned());
            let is_served =
                |model: &Model| self.providers.iter().any(|provider| provider.platform == model.platform());
            let known = self.catalog.models().filter(is_served).map(|model| model.id().to_owned());
            let mut routes: Vec<String> = self.routes.keys().map(|name| (**name).to_owned()).collect();
            routes.sort_unstable();
            let names = routes.into_iter().chain(listed).chain(known);
            let names = names.filter(|name| seen.insert(name.clone()));
            names
                .filter_map(|name| {
                    self.locate(&name).ok().map(|(provider, _)| Arc::clone(provider)).map(|it| (name, it))
                })
                .take(CALLABLE_MAX)
                .collect()
        })
    }
}
