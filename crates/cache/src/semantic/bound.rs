//! How large a share may be, judging by a sample: the exact upper bound for a binomial share.
//!
//! The bound is that of Clopper and Pearson ("The use of confidence or fiducial limits illustrated in the case of the
//! binomial", Biometrika 26, 1934), one-sided at 95 %: the largest share under which so few false cases, or fewer, would
//! still come up in one of twenty samples. It never promises too much, which Wilson's does for shares near zero.

/// How often the true share may lie above the bound.
const ERROR: f64 = 0.05;
/// Halvings of the interval: the bound is good to a billionth.
const STEPS: u32 = 40;

/// The upper 95 % bound of the share of `false_cases` among `cases`; 1 where there is no case.
#[must_use]
pub fn upper_bound(false_cases: u32, cases: u32) -> f64 {
    if cases == 0 || false_cases >= cases {
        return 1.0;
    }
    let (mut low, mut high) = (f64::from(false_cases) / f64::from(cases), 1.0);
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if at_most(false_cases, cases, middle) > ERROR {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The chance of at most `most` cases among `all`, each with that share.
fn at_most(most: u32, all: u32, share: f64) -> f64 {
    let (log_share, log_rest) = (share.ln(), (-share).ln_1p());
    let mut log_ways = 0.0;
    let mut sum = 0.0;
    for cases in 0..=most {
        if cases > 0 {
            log_ways += f64::from(all - cases + 1).ln() - f64::from(cases).ln();
        }
        sum += (log_ways + f64::from(cases) * log_share + f64::from(all - cases) * log_rest).exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_published_tables() {
        // With no false case, the bound has a closed form: 1 - 0.05^(1/n).
        for cases in [1, 10, 100, 298, 299, 1000] {
            let closed = 1.0 - ERROR.powf(1.0 / f64::from(cases));
            assert!((upper_bound(0, cases) - closed).abs() < 1e-8, "{cases}");
        }
        assert!(upper_bound(0, 298) > 0.01 && upper_bound(0, 299) < 0.01);
        // Quantiles of the beta distribution: beta(0.95; k + 1, n - k).
        for (false_cases, cases, bound) in [(1, 10, 0.394_163), (5, 100, 0.102_253), (1, 473, 0.009_992)] {
            assert!(
                (upper_bound(false_cases, cases) - bound).abs() < 2e-5,
                "{false_cases} of {cases}: {}",
                upper_bound(false_cases, cases)
            );
        }
        assert!((upper_bound(0, 0) - 1.0).abs() < f64::EPSILON);
        assert!((upper_bound(3, 3) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn more_cases_narrow_it_and_more_false_ones_widen_it() {
        for cases in 2..300 {
            assert!(upper_bound(1, cases) >= upper_bound(1, cases + 1));
            assert!(upper_bound(0, cases) < upper_bound(1, cases));
        }
    }
}
