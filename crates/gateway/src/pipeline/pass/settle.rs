//! What remains of a call that passed: who holds what it made, and what it cost.

use std::sync::{Arc, PoisonError};

use pilothouse_catalog::{Class, Model};
use pilothouse_core::exchange::{Caller, Note};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Usage;
use pilothouse_wire::facts::Facts;
use pilothouse_wire::facts::other::Told;

use super::super::choose::Choice;
use super::Passing;
use crate::endpoints::{Holding, Pass, Service, Verb};
use crate::job::Job;
use crate::kept::{Holder, Place};
use crate::plan::{Plan, Provider};
use crate::shared::Shared;
use crate::shared::Worker;

/// What must be known at the end of a call.
pub(crate) struct Settling {
    shared: Arc<Shared>,
    plan: Arc<Plan>,
    provider: Arc<Provider>,
    pass: Pass,
    verb: Verb,
    key: Arc<str>,
    /// The id that the call was about.
    id: Option<Box<str>>,
}

impl Settling {
    pub(super) fn new(
        worker: &Worker,
        plan: &Arc<Plan>,
        passing: &Passing<'_>,
        choice: &Choice,
        caller: &Caller,
    ) -> Self {
        Self {
            shared: Arc::clone(&worker.shared),
            plan: Arc::clone(plan),
            provider: Arc::clone(choice.provider()),
            pass: passing.pass,
            verb: passing.verb(),
            key: Arc::clone(&caller.key),
            id: passing.id().map(Into::into),
        }
    }

    /// Puts what the answer told where it belongs, and returns the facts for the record.
    pub(crate) fn settle(&self, mut told: Told, job: &mut Job) -> Facts {
        let is_new = self.remember(&told);
        match self.pass {
            Pass::Held(Holding::Batches) if is_done(&told) => self.bill_batch(&mut told, is_new, job),
            // Making, reading and deleting what a vendor holds is not billed; a film made from another one is.
            Pass::Held(Holding::Videos) if self.verb == Verb::Post => {}
            Pass::Held(_) => job.bills_nothing(),
            Pass::Model(service) => price(&mut told, service == Service::Images, job),
        }
        facts(told)
    }

    /// Remembers who holds what the answer names. True for what was not known before.
    fn remember(&self, told: &Told) -> bool {
        let is_kept = matches!(self.pass, Pass::Held(_) | Pass::Model(Service::Videos));
        let mut holdings = self.shared.holdings.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Verb::Delete, Some(id)) = (self.verb, &self.id) {
            holdings.remove(id);
            return false;
        }
        if !is_kept {
            return false;
        }
        let mut is_new = false;
        for (at, id) in told.id.iter().chain(&told.files).enumerate() {
            let holder = holdings.holder(id, &self.key);
            is_new |= at == 0 && holder == Holder::Unknown;
            if holder != Holder::Others {
                holdings.put(id, Place::new(Arc::clone(&self.provider.name), Arc::clone(&self.key)));
            }
        }
        is_new
    }

    /// A batch is billed by the first call that sees its end. One that had ended before this process began may have been
    /// billed by another: then its cost is not known here, rather than counted twice.
    fn bill_batch(&self, told: &mut Told, is_new: bool, job: &mut Job) {
        let mut holdings = self.shared.holdings.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = told.id.as_deref().is_some_and(|id| holdings.bill_once(id));
        drop(holdings);
        let seconds = self.shared.started_at.seconds();
        let is_old = is_new && told.completed_at.is_none_or(|at| at < seconds);
        if !is_first {
            told.usage = None;
            job.bills_nothing();
        } else if is_old {
            told.usage = None;
            job.noted(Note::new(
                "unknown:usage",
                "this batch ended before the gateway began, and may be recorded",
            ));
        } else if let Some(model) = &told.model {
            // Its tokens are those of its model, at the price of batches.
            if let Ok(resolution) = self.plan.resolve(&format!("{}/{model}", self.provider.name)) {
                let dialect = self.provider.surfaces.first().map(|surface| surface.dialect);
                job.chose(&resolution, dialect.unwrap_or(pilothouse_core::dialect::Dialect::OpenaiChat));
            }
        }
    }
}

/// Whether a batch has come to its end
/// (<https://github.com/openai/openai-openapi>, `Batch.status`; Anthropic's `processing_status`; read 2026-11-23).
fn is_done(told: &Told) -> bool {
    matches!(told.status.as_deref(), Some("completed" | "expired" | "cancelled" | "ended"))
}

fn facts(told: Told) -> Facts {
    let mut facts = Facts { usage: told.usage, ..Facts::default() };
    facts.answer.id = told.id.map(Into::into);
    facts.answer.model = told.model.map(Into::into);
    if told.completed_at.is_some() && told.usage.is_some() {
        facts.answer.service_tier = Some("batch".into());
    }
    facts
}

/// Prices what has a price of its own.
pub(in crate::pipeline) fn price(told: &mut Told, is_pictures: bool, job: &mut Job) {
    let known = job.resolution().and_then(|resolution| resolution.target.known.clone());
    if let Some(cost) = own_cost(is_pictures, told, known.as_ref(), job) {
        job.costs(cost);
    }
}

/// The cost of what is not counted in tokens, or whose tokens have prices of their own. `None` where the usual price of
/// tokens holds.
fn own_cost(is_pictures: bool, told: &mut Told, known: Option<&Model>, job: &mut Job) -> Option<Cost> {
    if let Some((unit, thousandths)) = told.units {
        let count = thousandths as f64 / 1000.0;
        job.noted(Note::new(format!("count:{unit}"), &format!("{count}")));
        return Some(known.map_or(Cost::Unknown, |known| of_units(known, unit, thousandths)));
    }
    let usage = told.usage?;
    if is_pictures && told.output_image == 0 {
        // Answers of the first picture models do not say that all their output is pictures.
        told.output_image = usage.output;
    }
    let has_pictures = told.input_image > 0 || told.output_image > 0;
    (has_pictures || told.cached_other > 0)
        .then(|| known.map_or(Cost::Unknown, |known| of_pictures(known, told, &usage)))
}

fn of_units(known: &Model, unit: &str, thousandths: u64) -> Cost {
    let fits = known.row().units.iter().find(|price| {
        let is_output = price.side == Some(pilothouse_catalog::Side::Output);
        price.unit == unit && price.when.is_none() && price.tier.is_none() && !is_output
    });
    fits.map_or(Cost::Unknown, |price| {
        Cost::Known(PicoUsd(price.price.0.saturating_mul(i128::from(thousandths)) / 1000))
    })
}

/// The price of tokens some of which are pictures', by the base card.
fn of_pictures(known: &Model, told: &Told, usage: &Usage) -> Cost {
    let base = known.row().prices.iter().find(|card| {
        card.tier.is_none()
            && card.above_tokens.is_none()
            && card.window.is_none()
            && card.from.is_none()
            && card.to.is_none()
    });
    let Some(card) = base else { return Cost::Unknown };
    let parts = [
        (Class::Input, usage.input - told.input_image),
        (Class::InputImage, told.input_image),
        (Class::CacheRead, usage.cache_read - told.cached_other),
        (Class::CacheReadAudio, told.cached_other),
        (Class::InputAudio, usage.input_audio),
        (Class::Output, usage.output - told.output_image),
        (Class::OutputImage, told.output_image),
        (Class::Reasoning, usage.reasoning),
        (Class::OutputAudio, usage.output_audio),
    ];
    let mut total = 0_i128;
    for (class, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        let Some(rate) = card.rates.get(&class) else { return Cost::Unknown };
        total = total.saturating_add(rate.0.saturating_mul(i128::from(count)));
    }
    Cost::Known(PicoUsd(total))
}
