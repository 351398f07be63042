//! What a model would make of recorded traffic: every recorded request against the rules of another model, without a token spent.
//!
//! A request is looked at by its body where that is kept, else by its [shape](pilothouse_core::shape), which every exchange
//! has. [`Lint`] takes exchanges one by one and holds sums by route, key and application; [`Report`] writes them down.

mod carried;
mod check;
mod facts;
mod report;
mod sums;
mod target;
mod tokens;

use std::collections::{HashMap, HashSet};

use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Exchange;
use pilothouse_core::shape::{Outline, Shape};

pub use check::{Found, Severity, Source};
pub use report::table;
pub use sums::{Cell, Estimate, Group, Line, Of, Range, Report, Traffic};
pub use target::{Target, UnknownTarget};
pub use tokens::{Ratio, ratio};

use check::Checked;
use sums::Sums;

/// Shapes whose findings are remembered; beyond so many the memory begins anew.
const REMEMBERED_MAX: usize = 20_000;

/// What the gateway does about what it can mend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It mends and tells: `compat = "fix-and-report"`.
    #[default]
    Fix,
    /// It refuses, or sends as it is: `compat = "strict"` or `"off"`, and clients that call the vendor themselves.
    AsSent,
}

/// A check of traffic in the making.
pub struct Lint {
    target: Target,
    mode: Mode,
    now: UnixMs,
    known: HashMap<Shape, Checked>,
    ratios: HashMap<(String, u8), Ratio>,
    /// The rules that hold for the models that traffic goes to now.
    held: HashMap<String, HashSet<&'static str>>,
    catalog: Catalog,
    sums: Sums,
}

impl Lint {
    /// A check against a target. Prices are those of `now`.
    #[must_use]
    pub fn new(catalog: &Catalog, target: Target, mode: Mode, now: UnixMs) -> Self {
        Self {
            target,
            mode,
            now,
            known: HashMap::new(),
            ratios: HashMap::new(),
            held: HashMap::new(),
            catalog: catalog.clone(),
            sums: Sums::default(),
        }
    }

    /// Whether the exchange is one that another model can take: a conversation, not yet the target's own.
    #[must_use]
    pub fn takes(&self, exchange: &Exchange) -> bool {
        exchange.client_dialect != Dialect::OpenaiEmbeddings
    }

    /// Adds an exchange, with its request's body where that is kept.
    pub fn add(&mut self, exchange: &Exchange, body: Option<&[u8]>) {
        if !self.takes(exchange) {
            self.sums.others += 1;
            return;
        }
        if exchange.target.as_ref().is_some_and(|used| self.target.is(&used.vendor, &used.model)) {
            self.sums.already += 1;
            return;
        }
        let by_body = body.and_then(|body| check::body(&self.target, exchange.client_dialect, body));
        let (checked, source, outline) = match (by_body, &exchange.shape) {
            (Some(checked), shape) => (checked, Source::Body, shape.as_ref().map(Shape::outline)),
            (None, Some(shape)) => {
                let outline = shape.outline();
                (self.by_shape(shape, &outline), Source::Shape, Some(outline))
            }
            (None, None) => {
                self.sums.unseen += 1;
                return;
            }
        };
        if let Some((dialect, _)) = self.target.dialect_for(exchange.client_dialect) {
            self.sums.goes(exchange.client_dialect, dialect);
        }
        let ratio = self.ratio(exchange, outline.as_ref());
        let mut found = checked.found;
        // What is so with the model of today is no difference.
        let held = self.held(exchange);
        found.retain(|one| one.severity != Severity::Silent || !held.contains(&*one.id));
        found.extend(check::limits(&self.target, exchange, &ratio));
        for one in &mut found {
            one.severity = one.severity.under(self.mode);
        }
        let then = tokens::price(&self.target, exchange, &ratio, self.now);
        self.sums.add(exchange, source, &found, (&ratio, then));
    }

    fn held(&mut self, exchange: &Exchange) -> &HashSet<&'static str> {
        let model = exchange.target.as_ref().map_or(&*exchange.asked, |used| &*used.model);
        let catalog = &self.catalog;
        self.held.entry(model.to_owned()).or_insert_with(|| {
            Target::find(catalog, model).map(|target| target.rule_ids()).unwrap_or_default()
        })
    }

    fn by_shape(&mut self, shape: &Shape, outline: &Outline) -> Checked {
        if let Some(known) = self.known.get(shape) {
            return known.clone();
        }
        if self.known.len() >= REMEMBERED_MAX {
            self.known.clear();
        }
        let checked = check::shape(&self.target, outline);
        self.known.insert(shape.clone(), checked.clone());
        checked
    }

    /// How many tokens of the target one token of the exchange's own model is.
    fn ratio(&mut self, exchange: &Exchange, outline: Option<&Outline>) -> Ratio {
        let model = exchange.target.as_ref().map_or(&*exchange.asked, |used| &*used.model);
        let kind = outline.map_or(0, |outline| tokens::kind(&outline.text));
        let target = &self.target;
        *self
            .ratios
            .entry((model.to_owned(), kind))
            .or_insert_with(|| ratio(model, target.wire_id(), outline.map(|outline| outline.text).as_ref()))
    }

    /// What was found in all.
    #[must_use]
    pub fn finish(self, since: Option<UnixMs>) -> Report {
        self.sums.finish(&self.target, self.mode, since)
    }
}

#[cfg(test)]
mod tests;
