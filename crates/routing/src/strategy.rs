//! Strategies: each puts the targets that the constraints left into an order for one exchange, and says why.
//!
//! One trait, one list, one file each: adding a strategy is a file in `strategy/` and a line in [`STRATEGIES`].

mod cascade;
mod cheapest;
mod fastest;
mod fixed;
mod learned;
mod least_loaded;
mod sticky;
mod weighted;

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::candidate::Candidate;
use crate::count::Lengths;
use crate::random::Random;
use crate::reason::Reason;
use crate::request::Features;
use crate::sight::Sight;

pub use learned::{Quality, QualityModel};

/// A target's place among a route's candidates.
pub type Index = u16;

/// A target in its place, with the reason for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// The place among the route's candidates.
    pub index: Index,
    /// Why it stands here.
    pub reason: Reason,
}

/// Targets, the first to be called first.
pub type Order = SmallVec<[Ranked; 4]>;

/// What a strategy orders, and what it may look at.
pub struct Ask<'r, 'c> {
    /// All candidates of the route.
    pub candidates: &'r [Candidate],
    /// Those that the constraints left and that do not stand by, in the order of the list. Never empty.
    pub left: &'r [Index],
    /// The exchange.
    pub features: &'r Features<'r>,
    /// Its length.
    pub lengths: &'r mut Lengths<'c>,
    /// Chance.
    pub random: &'r mut Random,
    /// How the targets have been doing.
    pub sight: &'r Sight,
}

impl<'r> Ask<'r, '_> {
    /// The candidates that are left, with their places.
    pub fn candidates(&self) -> impl Iterator<Item = (Index, &'r Candidate)> + use<'r> {
        let candidates = self.candidates;
        self.left.iter().filter_map(move |index| Some((*index, candidates.get(usize::from(*index))?)))
    }
}

/// Orders the targets of a route.
pub trait Strategy: fmt::Debug + Send + Sync {
    /// Appends every target of `ask.left` to `order`, once each, the best first. The same ask, with the same seed, gives
    /// the same order.
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order);

    /// Whether a conversation that is somewhere may stay there at a user's turn although this would choose otherwise.
    /// Inside of a tool loop it always stays.
    fn holds_conversations(&self) -> bool {
        true
    }

    /// Whether the first targets are the parts of a cascade.
    fn is_cascade(&self) -> bool {
        false
    }
}

/// What a route may set for its strategy. Each strategy takes what it knows.
#[derive(Clone, Default)]
pub struct Settings {
    /// `cascade`: whether two cheap answers are compared.
    pub agreement: bool,
    /// `learned`: the share of the best target's expected quality that is enough, from 0 to 1.
    pub quality: Option<f32>,
    /// `learned`: the model of quality.
    pub quality_model: Option<Arc<dyn QualityModel>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings")
            .field("agreement", &self.agreement)
            .field("quality", &self.quality)
            .field("has_quality_model", &self.quality_model.is_some())
            .finish()
    }
}

/// A strategy's entry on the list.
pub struct Plugin {
    /// The name in configurations.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// When to use it, in a sentence.
    pub when: &'static str,
    /// Makes it.
    ///
    /// # Errors
    /// What is missing or wrong in the settings, and what to do.
    pub make: fn(&Settings) -> Result<Box<dyn Strategy>, String>,
}

/// Every strategy, in the order of the documentation.
pub const STRATEGIES: &[&Plugin] = &[
    &fixed::PLUGIN,
    &weighted::PLUGIN,
    &cheapest::PLUGIN,
    &fastest::PLUGIN,
    &least_loaded::PLUGIN,
    &sticky::PLUGIN,
    &cascade::PLUGIN,
    &learned::PLUGIN,
];

/// The strategy of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Plugin> {
    STRATEGIES.iter().find(|plugin| plugin.name == name).copied()
}

/// The place of the one with the smaller burden of two that chance picks out of the first `among`; the first place where
/// there are not two. Where many gateways, or many calls at once, see the same figures, always taking the best makes a
/// herd of them; two choices do not (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
fn two_choices<B: PartialOrd>(among: usize, burden: impl Fn(usize) -> B, random: &mut Random) -> usize {
    if among < 2 {
        return 0;
    }
    let one = random.below(among);
    let other = (one + 1 + random.below(among - 1)) % among;
    if burden(other) < burden(one) { other } else { one }
}

#[cfg(test)]
mod tests;
