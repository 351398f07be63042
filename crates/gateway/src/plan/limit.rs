//! Limits on calls at once, as a configuration has them: of providers, of targets, of routes.

use std::collections::HashMap;
use std::sync::Arc;

use toml::Spanned;

use super::Plan;
use crate::concurrency::{Limit, LimitOf, Size};
use crate::config::{self, Diagnostic, Source};
use crate::metrics::Metrics;

/// More calls at once than any server takes.
const CONCURRENCY_MAX: u32 = 1_000_000;

/// The limits of a plan.
#[derive(Debug, Default)]
pub(crate) struct PlannedLimits {
    planned: Vec<(Arc<Limit>, Size)>,
    /// By `provider/model`, the model as it stands on the wire.
    targets: HashMap<String, Arc<Limit>>,
    routes: HashMap<String, Arc<Limit>>,
}

impl PlannedLimits {
    /// Begins to add to them.
    pub(super) const fn making<'a>(
        &'a mut self,
        metrics: &'a Metrics,
        wrong: &'a mut Vec<Diagnostic>,
    ) -> Making<'a> {
        Making { limits: self, metrics, wrong }
    }

    /// The limit of a target of its own.
    pub(super) fn of_target(&self, provider: &str, model: &str) -> Option<&Arc<Limit>> {
        // Most configurations have none, and then nothing is put together.
        if self.targets.is_empty() {
            return None;
        }
        self.targets.get(&format!("{provider}/{model}"))
    }

    /// The limit of a route.
    pub(super) fn of_route(&self, name: &str) -> Option<&Arc<Limit>> {
        self.routes.get(name)
    }

    /// Gives every limit the size that it has in this plan. Until then calls are held to the plan before, so that a
    /// configuration that is wrong changes nothing.
    pub(super) fn put_in_force(&self) {
        self.planned.iter().for_each(|(limit, size)| limit.resize(*size));
    }
}

/// The limits of a plan in the making.
pub(super) struct Making<'a> {
    limits: &'a mut PlannedLimits,
    metrics: &'a Metrics,
    /// What is wrong with the configuration.
    pub(super) wrong: &'a mut Vec<Diagnostic>,
}

impl Making<'_> {
    /// The limit of a provider.
    pub(super) fn of_provider(&mut self, name: &str, section: &config::Provider) -> Option<Arc<Limit>> {
        let size = self.size(section.concurrency.as_ref(), section.queue.as_ref())?;
        Some(self.add(LimitOf::Provider(name.into()), size))
    }

    /// The limits of routes, and of their targets. A name that leads nowhere is told where routes are made.
    pub(super) fn of_routes(&mut self, plan: &Plan, source: &Source) {
        for (name, section) in &source.file.routes {
            if let Some(size) = self.size(section.concurrency.as_ref(), section.queue.as_ref()) {
                let limit = self.add(LimitOf::Route(name.get_ref().as_str().into()), size);
                self.limits.routes.insert(name.get_ref().clone(), limit);
            }
            for given in &section.targets {
                self.of_target(plan, given);
            }
        }
    }

    fn of_target(&mut self, plan: &Plan, given: &Spanned<config::RouteTarget>) {
        let at = |number: Option<u32>| number.map(|number| Spanned::new(given.span(), number));
        let table = given.get_ref();
        let Some(size) = self.size(at(table.concurrency).as_ref(), at(table.queue).as_ref()) else { return };
        let Ok((provider, model)) = plan.locate(&table.target) else { return };
        let name = format!("{}/{}", provider.name, provider.named(model).0);
        let known = self.limits.planned.iter().find(|(limit, _)| match limit.of() {
            LimitOf::Target(other) => **other == *name,
            _ => false,
        });
        match known {
            Some((_, other)) if *other != size => {
                let message = format!(
                    "`{name}` has another `concurrency` or `queue` in another place; a model has one limit, whichever route \
                     calls it"
                );
                self.wrong.push(Diagnostic::at(given.span(), message));
            }
            Some(_) => {}
            None => {
                let limit = self.add(LimitOf::Target(name.as_str().into()), size);
                self.limits.targets.insert(name, limit);
            }
        }
    }

    fn add(&mut self, of: LimitOf, size: Size) -> Arc<Limit> {
        let limit = self.metrics.limits.of(of, size);
        self.limits.planned.push((Arc::clone(&limit), size));
        limit
    }

    fn size(&mut self, concurrency: Option<&Spanned<u32>>, queue: Option<&Spanned<u32>>) -> Option<Size> {
        let Some(given) = concurrency else {
            if let Some(queue) = queue {
                let message = "`queue` is of calls that wait for a place: give `concurrency` beside it";
                self.wrong.push(Diagnostic::at(queue.span(), message));
            }
            return None;
        };
        let concurrency = *given.get_ref();
        let queue = queue.map_or(concurrency.saturating_mul(2), |queue| *queue.get_ref());
        if !(1..=CONCURRENCY_MAX).contains(&concurrency) || queue > 2 * CONCURRENCY_MAX {
            let message =
                format!("`concurrency` is a number from 1 to {CONCURRENCY_MAX}, `queue` up to twice that");
            self.wrong.push(Diagnostic::at(given.span(), message));
            return None;
        }
        Some(Size { concurrency, queue })
    }
}
