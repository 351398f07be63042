//! Every strategy is held to its limit beside a known optimum, for several seeds and without a clock.

#[path = "../examples/routing/cascade.rs"]
mod cascade;
#[path = "../examples/routing/chance.rs"]
mod chance;
#[path = "../examples/routing/cheapest.rs"]
mod cheapest;
#[path = "../examples/routing/fastest.rs"]
mod fastest;
#[path = "../examples/routing/hedging.rs"]
mod hedging;
#[path = "../examples/routing/least_loaded.rs"]
mod least_loaded;
#[path = "../examples/routing/row.rs"]
mod row;
#[path = "../examples/routing/sticky.rs"]
mod sticky;

use row::Row;

const SEEDS: [u64; 3] = [1, 20_261_123, 77];

/// Holds rows to their limits, and the constant choice to being worse.
fn hold(rows: impl IntoIterator<Item = Row>) {
    for row in rows {
        assert!(row.is_met(), "{}", row::table(&[row]));
        assert!(row.ours < row.constant, "the constant choice is as good: {}", row::table(&[row]));
    }
}

#[test]
fn cheapest_costs_at_most_two_percent_more_than_one_who_knows() {
    SEEDS.into_iter().for_each(|seed| hold([cheapest::simulate(seed)]));
}

#[test]
fn fastest_stays_within_fifteen_percent_of_one_who_knows_which_target_is_slow() {
    SEEDS.into_iter().for_each(|seed| hold([fastest::simulate(seed)]));
}

#[test]
fn least_loaded_beats_taking_turns_even_when_metrics_stop() {
    SEEDS.into_iter().for_each(|seed| hold(least_loaded::simulate(seed)));
}

#[test]
fn sticky_moves_one_in_n_when_a_target_leaves() {
    SEEDS.into_iter().for_each(|seed| hold([sticky::simulate(seed)]));
}

#[test]
fn hedging_stays_in_its_bucket_although_slow_calls_are_the_dear_ones() {
    SEEDS.into_iter().for_each(|seed| hold(hedging::simulate(seed)));
}

#[test]
fn cascade_costs_less_than_the_strong_target_and_is_hardly_more_often_wrong() {
    for seed in SEEDS {
        let [cost, wrong] = cascade::simulate(seed);
        assert!(
            cost.is_met() && wrong.is_met(),
            "{}\n{}",
            row::table(&[cost, wrong]),
            cascade::arithmetic(seed)
        );
    }
}
