//! Tests of costs: golden invoices of real models, and the rules as properties.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Catalog;

/// 2026-11-22, a Sunday, 12:00 UTC.
const SUNDAY_NOON: UnixMs = UnixMs(1_795_305_600_000 + 12 * 3_600_000);
/// The Monday after, 02:00 UTC: within DeepSeek's peak hours.
const MONDAY_PEAK: UnixMs = UnixMs(1_795_305_600_000 + 26 * 3_600_000);

fn pricing(platform: &str, id: &str) -> Pricing {
    let model =
        Catalog::bundled().model(platform, id).unwrap_or_else(|| panic!("{platform}/{id} has no row"));
    model.pricing().unwrap_or_else(|| panic!("{platform}/{id} has no price"))
}

fn bill(platform: &str, id: &str, usage: Usage, tier: Option<&str>, at: UnixMs) -> String {
    match pricing(platform, id).cost(&usage, tier, at) {
        Cost::Known(amount) => amount.to_string(),
        Cost::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn gpt_5_5_is_billed_by_the_page() {
    let usage =
        Usage { input: 100_000, cache_read: 50_000, output: 10_000, reasoning: 5_000, ..Usage::default() };
    // 0.1 M at $5, 0.05 M at $0.50, 0.015 M at $30.
    assert_eq!(bill("openai", "gpt-5.5", usage, None, SUNDAY_NOON), "0.975");
    assert_eq!(bill("openai", "gpt-5.5", usage, Some("default"), SUNDAY_NOON), "0.975");
    // Half on batch and flex; 2.5 times on priority.
    assert_eq!(bill("openai", "gpt-5.5", usage, Some("flex"), SUNDAY_NOON), "0.4875");
    assert_eq!(bill("openai", "gpt-5.5", usage, Some("batch"), SUNDAY_NOON), "0.4875");
    assert_eq!(bill("openai", "gpt-5.5", usage, Some("priority"), SUNDAY_NOON), "2.4375");
}

#[test]
fn gpt_5_5_above_272k_input_switches_the_whole_request() {
    let at = |input: u64| Usage { input, output: 1_000, ..Usage::default() };
    assert_eq!(bill("openai", "gpt-5.5", at(272_000), None, SUNDAY_NOON), "1.39");
    // 272,001 at $10 a million and 1,000 at $45 a million.
    assert_eq!(bill("openai", "gpt-5.5", at(272_001), None, SUNDAY_NOON), "2.76501");
    assert_eq!(bill("openai", "gpt-5.5", at(272_001), Some("flex"), SUNDAY_NOON), "1.382505");
    // Cached input counts towards the step.
    let cached = Usage { input: 1, cache_read: 272_000, ..Usage::default() };
    assert_eq!(bill("openai", "gpt-5.5", cached, None, SUNDAY_NOON), "0.27201");
    // Priority has no price there: unknown, and not the lower one.
    assert_eq!(bill("openai", "gpt-5.5", at(272_001), Some("priority"), SUNDAY_NOON), "unknown");
}

#[test]
fn claude_bills_cache_writes_by_how_long_they_last() {
    let usage = Usage {
        input: 1_000,
        cache_read: 10_000,
        cache_write_5m: 20_000,
        cache_write_1h: 30_000,
        output: 500,
        ..Usage::default()
    };
    // $5, $0.50, $6.25, $10 and $25 a million.
    assert_eq!(bill("anthropic", "claude-opus-4-7", usage, Some("standard"), SUNDAY_NOON), "0.4475");
    let batch = Usage { cache_write_1h: 0, ..usage };
    assert_eq!(bill("anthropic", "claude-opus-4-7", batch, Some("batch"), SUNDAY_NOON), "0.07375");
    // The feed prices no one-hour write on batch.
    assert_eq!(bill("anthropic", "claude-opus-4-7", usage, Some("batch"), SUNDAY_NOON), "unknown");
    // Anthropic's priority tier is bought in advance and has no price per token.
    assert_eq!(bill("anthropic", "claude-opus-4-7", usage, Some("priority"), SUNDAY_NOON), "unknown");
}

#[test]
fn deepseek_costs_half_outside_its_peak_hours() {
    let usage = Usage { input: 1_000_000, cache_read: 1_000_000, output: 1_000_000, ..Usage::default() };
    assert_eq!(bill("deepseek", "deepseek-v4-pro", usage, None, MONDAY_PEAK), "5.324");
    assert_eq!(bill("deepseek", "deepseek-v4-pro", usage, None, SUNDAY_NOON), "2.662");
    let after_peak = UnixMs(MONDAY_PEAK.0 + 2 * 3_600_000);
    assert_eq!(bill("deepseek", "deepseek-v4-pro", usage, None, after_peak), "2.662");
}

#[test]
fn gemini_switches_at_200k_and_has_its_own_tiers() {
    let usage = |input| Usage { input, output: 1_000, ..Usage::default() };
    assert_eq!(bill("gemini", "gemini-3.1-pro-preview", usage(200_000), None, SUNDAY_NOON), "0.412");
    assert_eq!(bill("gemini", "gemini-3.1-pro-preview", usage(200_001), None, SUNDAY_NOON), "0.818004");
    assert_eq!(
        bill("gemini", "gemini-3.1-pro-preview", usage(1_000), Some("ON_DEMAND"), SUNDAY_NOON),
        "0.014"
    );
    assert_eq!(bill("gemini", "gemini-3.1-pro-preview", usage(1_000), Some("batch"), SUNDAY_NOON), "0.007");
}

#[test]
fn a_price_that_changes_on_a_day_is_billed_by_the_day() {
    let usage = Usage { input: 1_000_000, ..Usage::default() };
    let day = |day: &str| day::start_of(day).expect("a day");
    assert_eq!(bill("gemini", "gemini-3.6-flash", usage, None, day("2026-12-31")), "0.75");
    assert_eq!(bill("gemini", "gemini-3.6-flash", usage, None, day("2027-01-01")), "1.50");
}

#[test]
fn a_model_that_is_given_away_costs_nothing_and_an_unpriced_one_is_unknown() {
    let usage = Usage { input: 5, output: 5, ..Usage::default() };
    assert_eq!(bill("gemini", "gemma-4-31b-it", usage, None, SUNDAY_NOON), "0.00");
    let catalog = Catalog::bundled();
    let bonsai = catalog.model("together", "Prism-ML/Ternary-Bonsai-27B").expect("a row");
    assert!(bonsai.pricing().is_none());
}

#[test]
fn cached_input_without_a_listed_discount_costs_as_much_as_input() {
    // gpt-5.5-pro's page lists no price for cached input.
    let usage = Usage { input: 1_000, cache_read: 1_000, ..Usage::default() };
    assert_eq!(bill("openai", "gpt-5.5-pro", usage, None, SUNDAY_NOON), "0.06");
    // Where any card lists a discount, a card without one is unknown.
    let row = row(&[
        (None, None, &[(Class::Input, 10), (Class::CacheRead, 1)]),
        (Some("batch"), None, &[(Class::Input, 5)]),
    ]);
    let pricing = Pricing::of(&row).expect("prices");
    assert_eq!(pricing.cost(&usage, Some("batch"), SUNDAY_NOON), Cost::Unknown);
}

/// Tier, step, rates.
type Given<'g> = (Option<&'g str>, Option<u64>, &'g [(Class, i128)]);

fn row(cards: &[Given<'_>]) -> Row {
    let cards = cards.iter().map(|(tier, above_tokens, rates)| Card {
        tier: tier.map(str::to_owned),
        above_tokens: *above_tokens,
        rates: rates.iter().map(|(class, price)| (*class, PicoUsd(*price))).collect::<BTreeMap<_, _>>(),
        ..Card::default()
    });
    Row { prices: cards.collect(), ..Row::default() }
}

#[test]
fn a_class_that_no_usage_counts_does_not_shift_the_others() {
    for class in Class::ALL.iter().skip(CLASSES) {
        let row = row(&[(None, None, &[(*class, 7), (Class::Input, 1)])]);
        let pricing = Pricing::of(&row).expect("prices");
        let one = |usage: Usage| pricing.cost(&usage, None, SUNDAY_NOON);
        assert_eq!(one(Usage { input: 3, ..Usage::default() }), Cost::Known(PicoUsd(3)));
        assert_eq!(one(Usage { output: 3, ..Usage::default() }), Cost::Unknown);
        assert_eq!(one(Usage { cache_write_5m: 3, ..Usage::default() }), Cost::Unknown);
    }
}

/// Every class priced by a different power of ten, so that the sum shows which tokens met which price.
fn all_classes() -> Vec<(Class, i128)> {
    Class::ALL
        .into_iter()
        .take(CLASSES)
        .zip(0_u32..)
        .map(|(class, power)| (class, 10_i128.pow(power)))
        .collect()
}

fn any_usage(most: u64) -> impl Strategy<Value = Usage> {
    prop::array::uniform8(0..most).prop_map(
        |[input, cache_read, five, hour, audio, output, reasoning, spoken]| Usage {
            input,
            cache_read,
            cache_write_5m: five,
            cache_write_1h: hour,
            input_audio: audio,
            output,
            reasoning,
            output_audio: spoken,
        },
    )
}

proptest! {
    #[test]
    fn each_class_is_billed_at_its_own_price(usage in any_usage(10)) {
        let pricing = Pricing::of(&row(&[(None, None, &all_classes())])).expect("prices");
        let digits = [usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.input_audio,
            usage.output, usage.reasoning, usage.output_audio];
        let expected: i128 = digits.into_iter().zip(0_u32..).map(|(digit, power)| i128::from(digit) * 10_i128.pow(power)).sum();
        prop_assert_eq!(pricing.cost(&usage, None, SUNDAY_NOON), Cost::Known(PicoUsd(expected)));
    }

    #[test]
    fn costs_of_two_usages_add_up_and_more_tokens_never_cost_less(one in any_usage(1 << 40), two in any_usage(1 << 40)) {
        let pricing = Pricing::of(&row(&[(None, None, &all_classes())])).expect("prices");
        let cost = |usage: &Usage| pricing.cost(usage, None, SUNDAY_NOON).known().expect("known").0;
        prop_assert_eq!(cost(&one) + cost(&two), cost(&one.plus(&two)));
        prop_assert!(cost(&one.plus(&two)) >= cost(&one));
    }

    #[test]
    fn a_step_switches_exactly_above_its_threshold(input in 0_u64..2_000_000, step in 1_u64..1_000_000) {
        let given = row(&[(None, None, &[(Class::Input, 3)]), (None, Some(step), &[(Class::Input, 7)])]);
        let pricing = Pricing::of(&given).expect("prices");
        let price = if input > step { 7 } else { 3 };
        let cost = pricing.cost(&Usage { input, ..Usage::default() }, None, SUNDAY_NOON);
        prop_assert_eq!(cost, Cost::Known(PicoUsd(i128::from(input) * price)));
    }

    #[test]
    fn one_class_without_a_price_makes_the_whole_cost_unknown(usage in any_usage(1_000), missing in 0_usize..CLASSES) {
        let mut rates = all_classes();
        let (class, _) = rates.remove(missing);
        // Reasoning falls back to output by rule; the others have no fallback when a discount is listed somewhere.
        prop_assume!(class != Class::Reasoning && class != Class::CacheRead);
        let pricing = Pricing::of(&row(&[(None, None, &rates)])).expect("prices");
        let tokens = [usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.input_audio,
            usage.output, usage.reasoning, usage.output_audio];
        let known = pricing.cost(&usage, None, SUNDAY_NOON).known().is_some();
        prop_assert_eq!(known, tokens[missing] == 0);
    }

    #[test]
    fn a_tier_without_a_card_is_unknown(tier in "[a-z]{3,9}") {
        prop_assume!(!is_standard(&tier));
        let pricing = Pricing::of(&row(&[(None, None, &all_classes())])).expect("prices");
        prop_assert_eq!(pricing.cost(&Usage { input: 1, ..Usage::default() }, Some(&tier), SUNDAY_NOON), Cost::Unknown);
    }

    #[test]
    fn hostile_counts_do_not_wrap_into_a_small_bill(usage in any_usage(u64::MAX)) {
        let pricing = pricing("openai", "gpt-5.5");
        let cost = pricing.cost(&usage, None, SUNDAY_NOON);
        prop_assert!(cost.known().is_none_or(|amount| amount.0 >= 0));
    }
}
