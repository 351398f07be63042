//! What a client says of caching, in `Cache-Control` (RFC 9111, section 5.2.1).

/// What a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Nothing that was kept is given, and nothing is kept (`no-store`).
    pub no_store: bool,
    /// Nothing that was kept is given (`no-cache`); the new answer takes its place.
    pub no_cache: bool,
    /// Only what was kept is given, or nothing (`only-if-cached`).
    pub only_if_cached: bool,
    /// Nothing older is given, in seconds (`max-age`).
    pub max_age_s: Option<u64>,
    /// Nothing is given that ends before, in seconds (`min-fresh`).
    pub min_fresh_s: Option<u64>,
}

impl Control {
    /// Reads the values of all such headers. What is not known is passed over, and so is a number that is none; of two
    /// numbers the stricter one counts. Nothing stale is ever given, so that `max-stale` changes nothing.
    #[must_use]
    pub fn read<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut control = Self::default();
        for directive in values.into_iter().flat_map(|value| value.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = || value.trim().trim_matches('"').parse::<u64>().ok();
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => control.no_store = true,
                "no-cache" => control.no_cache = true,
                "only-if-cached" => control.only_if_cached = true,
                "max-age" => control.max_age_s = least(control.max_age_s, seconds()),
                "min-fresh" => control.min_fresh_s = control.min_fresh_s.max(seconds()),
                _ => {}
            }
        }
        control
    }

    /// Whether something kept may be given at all.
    #[must_use]
    pub fn may_recall(&self) -> bool {
        !self.no_store && !self.no_cache && self.max_age_s != Some(0)
    }

    /// Whether an answer of that age may be given that is good for so long yet.
    #[must_use]
    pub fn fits(&self, age_ms: u64, left_ms: u64) -> bool {
        let is_young = self.max_age_s.is_none_or(|most| age_ms <= most.saturating_mul(1000));
        let is_fresh = self.min_fresh_s.is_none_or(|least| left_ms >= least.saturating_mul(1000));
        self.may_recall() && is_young && is_fresh
    }
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_whatever_their_case_and_number() {
        let control =
            Control::read(["Max-Age=60, NO-CACHE", "max-age=30,min-fresh = \"5\", x=y, max-age=soon"]);
        assert_eq!((control.max_age_s, control.min_fresh_s), (Some(30), Some(5)));
        assert!(control.no_cache && !control.no_store && !control.only_if_cached);
        assert_eq!(Control::read([]), Control::default());
        assert!(Control::read(["no-store, only-if-cached"]).only_if_cached);
    }

    #[test]
    fn an_answer_fits_by_its_age_and_by_what_is_left_of_its_time() {
        let fits = |text: &str, age, left| Control::read([text]).fits(age, left);
        assert!(fits("", 1 << 40, 0));
        assert!(fits("max-age=10", 10_000, 1) && !fits("max-age=10", 10_001, 1));
        assert!(fits("min-fresh=5", 0, 5_000) && !fits("min-fresh=5", 0, 4_999));
        assert!(!fits("no-cache", 0, 1) && !fits("no-store", 0, 1) && !fits("max-age=0", 0, 1));
        assert!(fits("max-stale=10", 5, 5));
    }
}
