//! Compatibility rules: what a target refuses, renames or silently changes, as data with evidence.
//!
//! One table, `data/rules.toml`, and one pure check over it. Who asks brings a view of a request: the gateway one of
//! the bytes on their way to a vendor, later readers one of a call in source code or of recorded traffic. A rule names
//! members of the **target's** dialect, so that it holds for what a client sent and for what an encoder wrote alike.

mod compiled;
mod facts;
mod path;
mod rule;
mod select;
mod told;

use pilothouse_core::dialect::Dialect;

pub use compiled::{About, Compat, Finding};
pub use facts::{Fact, RequestFacts, Seen};
pub use path::{Path, Step};
pub use rule::{Action, Class, Rewrite, Rule, Test};
pub use select::Selector;

/// Every rule, in the order in which they are applied.
#[must_use]
pub fn rules() -> &'static [Rule] {
    rule::all()
}

/// What of a request `about` would refuse or silently change.
///
/// Who asks often for one target compiles it once: [`Compat::of`].
#[must_use]
pub fn check(about: &About<'_>, dialect: Dialect, facts: &dyn RequestFacts) -> Vec<Finding> {
    Compat::of(about, dialect).check(facts)
}

#[cfg(test)]
mod tests;
