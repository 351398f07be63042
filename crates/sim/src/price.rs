//! What an answer costs at the fleet's own prices, in integer pico-dollars.

/// A token class that has a price of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Input,
    CacheRead,
    CacheWrite5m,
    CacheWrite1h,
    Output,
}

impl Class {
    /// The name in the price overlay.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::Input => "input",
            Class::CacheRead => "cache_read",
            Class::CacheWrite5m => "cache_write_5m",
            Class::CacheWrite1h => "cache_write_1h",
            Class::Output => "output",
        }
    }
}

/// One price: US dollars per million tokens of a class, under a condition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price {
    pub(crate) class: Class,
    /// Decimal dollars per million tokens, as the provider writes it.
    pub(crate) usd: &'static str,
    /// When the request's whole input exceeds this, the row replaces the base row for the whole request.
    pub(crate) above: Option<u64>,
    /// Service tier in the *answer* that this row is for; `None` is the standard tier.
    pub(crate) tier: Option<&'static str>,
}

/// A base price.
pub(crate) const fn p(class: Class, usd: &'static str) -> Price {
    Price { class, usd, above: None, tier: None }
}

/// A price for requests whose input exceeds `above` tokens.
pub(crate) const fn long(class: Class, usd: &'static str, above: u64) -> Price {
    Price { class, usd, above: Some(above), tier: None }
}

/// A price in a service tier.
pub(crate) const fn tier(class: Class, usd: &'static str, tier: &'static str) -> Price {
    Price { class, usd, above: None, tier: Some(tier) }
}

/// A price in a service tier for requests whose input exceeds `above` tokens.
pub(crate) const fn tier_long(class: Class, usd: &'static str, tier: &'static str, above: u64) -> Price {
    Price { class, usd, above: Some(above), tier: Some(tier) }
}

impl Price {
    /// Pico-dollars per token: dollars per million times 10^12 / 10^6. At most six decimals are read; more are no price.
    pub(crate) fn picousd_per_token(&self) -> Option<u64> {
        let (whole, fraction) = self.usd.split_once('.').unwrap_or((self.usd, ""));
        if fraction.len() > 6 {
            return None;
        }
        let fraction = format!("{fraction:0<6}");
        Some(whole.parse::<u64>().ok()? * 1_000_000 + fraction.parse::<u64>().ok()?)
    }
}

/// Tokens of one answer in disjoint classes: `input` has no cached ones, `output` includes reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write_5m: u64,
    pub(crate) cache_write_1h: u64,
    pub(crate) output: u64,
    /// Of `output`, the tokens spent on reasoning.
    pub(crate) reasoning: u64,
}

impl Usage {
    /// Everything the prompt held, cached or not.
    pub(crate) fn input_total(&self) -> u64 {
        self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h
    }

    /// Adds another answer's tokens.
    pub(crate) fn add(&mut self, other: &Usage) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
        self.reasoning += other.reasoning;
    }
}

/// The cost in pico-dollars. A class without a price of its own is billed as plain input (caches) or not at all.
pub(crate) fn cost(prices: &[Price], usage: &Usage, answer_tier: Option<&str>) -> u128 {
    let total = usage.input_total();
    let of = |class: Class| rate(prices, class, total, answer_tier);
    let plain = of(Class::Input).unwrap_or(0);
    let sum = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
    sum(usage.input, plain)
        + sum(usage.cache_read, of(Class::CacheRead).unwrap_or(plain))
        + sum(usage.cache_write_5m, of(Class::CacheWrite5m).unwrap_or(plain))
        + sum(usage.cache_write_1h, of(Class::CacheWrite1h).unwrap_or(plain))
        + sum(usage.output, of(Class::Output).unwrap_or(0))
}

/// The price in force for a class: the tier's row before the standard one, the long-context row before the base row.
fn rate(prices: &[Price], class: Class, total_input: u64, answer_tier: Option<&str>) -> Option<u64> {
    let find = |tier: Option<&str>| {
        let rows = || prices.iter().filter(move |r| r.class == class && r.tier == tier);
        let long = rows().filter(|r| r.above.is_some_and(|a| total_input > a)).max_by_key(|r| r.above);
        long.or_else(|| rows().find(|r| r.above.is_none())).and_then(Price::picousd_per_token)
    };
    let tier = answer_tier.filter(|t| matches!(*t, "batch" | "flex" | "priority"));
    tier.and_then(|t| find(Some(t))).or_else(|| find(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &[Price] = &[
        p(Class::Input, "5"),
        p(Class::CacheRead, "0.5"),
        p(Class::Output, "30"),
        long(Class::Input, "10", 272_000),
        tier(Class::Input, "2.5", "flex"),
        tier(Class::Output, "15", "flex"),
    ];

    #[test]
    fn price_text_becomes_whole_pico_dollars_per_token() {
        assert_eq!(p(Class::Input, "5").picousd_per_token(), Some(5_000_000));
        assert_eq!(p(Class::Input, "0.0375").picousd_per_token(), Some(37_500));
        assert_eq!(p(Class::Input, "0.00000001").picousd_per_token(), None);
    }

    #[test]
    fn long_context_and_tier_rows_replace_the_base_row() {
        let small = Usage { input: 1000, cache_read: 1000, output: 10, ..Usage::default() };
        assert_eq!(cost(ROWS, &small, None), 1000 * 5_000_000 + 1000 * 500_000 + 10 * 30_000_000);
        let large = Usage { input: 272_001, ..Usage::default() };
        assert_eq!(cost(ROWS, &large, Some("default")), 272_001 * 10_000_000);
        assert_eq!(cost(ROWS, &small, Some("flex")), 1000 * 2_500_000 + 1000 * 500_000 + 10 * 15_000_000);
    }
}
