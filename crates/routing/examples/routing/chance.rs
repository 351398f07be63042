//! Distributions of the simulations, from a seeded generator.

use pilothouse_routing::Random;

/// A number around zero with spread one (the sum of twelve uniform ones less six).
pub(crate) fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| random.unit()).sum::<f64>() - 6.0
}

/// A number whose logarithm is normal; `median` in any unit, `spread` of the logarithm.
pub(crate) fn lognormal(random: &mut Random, median: f64, spread: f64) -> f64 {
    median * (spread * normal(random)).exp()
}

/// The time to the next of `per_second` events a second, in seconds.
pub(crate) fn until_next(random: &mut Random, per_second: f64) -> f64 {
    -(1.0 - random.unit()).ln() / per_second
}
