//! `learned`: the cheapest target whose expected quality is enough, by a model that somebody supplies.
//!
//! Here is only the seam: who expects what of whom is a [`QualityModel`], and without one there is no such strategy.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Ask, Index, Order, Plugin, Ranked, Strategy};
use crate::candidate::Candidate;
use crate::price::expected_cost;
use crate::reason::Reason;
use crate::request::Features;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "learned",
    summary: "The cheapest target whose expected quality is within a share of the best one's.",
    when: "A model of quality has been trained on evaluations of one's own traffic.",
    make: |settings| {
        let model = settings.quality_model.clone().ok_or(
            "the strategy `learned` needs a model of quality, and this installation has none; use `cascade` or `cheapest`",
        )?;
        let enough = settings.quality.unwrap_or(0.95);
        if !(0.0..=1.0).contains(&enough) {
            return Err(format!("`quality` is {enough}; it is a share of the best target's, from 0 to 1"));
        }
        Ok(Box::new(Learned { model, enough }))
    },
};

/// The quality that is expected of a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// The expectation, from 0 to 1.
    pub expected: f32,
    /// The end of its confidence interval that speaks against the target.
    pub low: f32,
}

/// Expects a quality of targets for an exchange. Pure and quick: it is asked on the request's path.
pub trait QualityModel: Send + Sync {
    /// What is expected of a target; `None` where nothing is known of it.
    fn quality(&self, features: &Features<'_>, candidate: &Candidate) -> Option<Quality>;
}

struct Learned {
    model: Arc<dyn QualityModel>,
    enough: f32,
}

impl fmt::Debug for Learned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Learned").field("enough", &self.enough).finish_non_exhaustive()
    }
}

impl Strategy for Learned {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        let mut found: SmallVec<[(Index, Option<Quality>, Reason); 16]> = SmallVec::new();
        for (index, candidate) in ask.candidates() {
            let quality = self.model.quality(ask.features, candidate);
            let tokens = ask.lengths.estimate(candidate).likely;
            let cost = expected_cost(candidate, ask.features, tokens).known();
            let reason = quality
                .map_or(Reason::Listed, |quality| Reason::Quality { expected: quality.expected, cost });
            found.push((index, quality, reason));
        }
        let best =
            found.iter().filter_map(|(_, quality, _)| Some(quality.as_ref()?.expected)).fold(0.0, f32::max);
        // Good enough by the low end, so that luck is not taken for quality; then by price; the rest by quality.
        let key = |(_, quality, reason): &(Index, Option<Quality>, Reason)| {
            let is_enough = quality.is_some_and(|quality| quality.low >= best * self.enough);
            let cost = match reason {
                Reason::Quality { cost: Some(cost), .. } if is_enough => cost.0,
                _ => i128::MAX,
            };
            (!is_enough, cost, -quality.map_or(0.0, |quality| quality.expected))
        };
        found.sort_by(|one, other| {
            let (one, other) = (key(one), key(other));
            (one.0, one.1).cmp(&(other.0, other.1)).then(one.2.total_cmp(&other.2))
        });
        order.extend(found.into_iter().map(|(index, _, reason)| Ranked { index, reason }));
    }
}
