//! Tests of the hedging bucket.

use super::*;
use proptest::prelude::*;

const LATE: Silence = Silence {
    waited_us: 3_000_000,
    first_token_p95_us: Some(2_000_000),
    is_in_tool_loop: false,
    has_other_target: true,
    reserve: Some(PicoUsd(1_000)),
};

fn filled(spend: i128) -> HedgeBucket {
    let bucket = HedgeBucket::new(PicoUsd(1_000_000));
    bucket.settled(PicoUsd(spend));
    bucket
}

#[test]
fn hedge_needs_its_whole_reservation_in_the_bucket() {
    let bucket = filled(39_999);
    assert_eq!(bucket.level(), PicoUsd(1_999));
    assert_eq!(bucket.ask(&LATE), Hedge::Go { reserved: PicoUsd(1_000) });
    assert_eq!(bucket.ask(&LATE), Hedge::TooDear);
    bucket.settle(PicoUsd(1_000), PicoUsd(400));
    assert_eq!(bucket.ask(&LATE), Hedge::Go { reserved: PicoUsd(1_000) });
    assert_eq!(
        bucket.ask(&Silence { reserve: None, ..LATE }),
        Hedge::TooDear,
        "an unknown price is never zero"
    );
}

#[test]
fn hedge_waits_for_the_percentile_and_never_doubles_a_tool_loop() {
    let bucket = filled(1_000_000);
    let ask = |silence: Silence| bucket.ask(&silence);
    assert_eq!(ask(Silence { is_in_tool_loop: true, ..LATE }), Hedge::InToolLoop);
    assert_eq!(ask(Silence { waited_us: 1_999_999, ..LATE }), Hedge::TooEarly);
    assert_eq!(ask(Silence { first_token_p95_us: None, ..LATE }), Hedge::Unmeasured);
    assert_eq!(ask(Silence { has_other_target: false, ..LATE }), Hedge::NoTarget);
    assert_eq!(bucket.level(), PicoUsd(50_000), "asking costs nothing");
}

#[test]
fn bucket_holds_no_more_than_its_size() {
    assert_eq!(filled(i128::MAX).level(), PicoUsd(1_000_000));
}

proptest! {
    #[test]
    fn hedges_never_cost_more_than_their_share(
        steps in proptest::collection::vec((0_i128..10_000, 0_i128..2_000, 0_u8..101), 1..300),
    ) {
        let bucket = HedgeBucket::new(PicoUsd(i128::MAX / 1000));
        let (mut spend, mut hedged) = (0_i128, 0_i128);
        for (cost, reserve, used_percent) in steps {
            bucket.settled(PicoUsd(cost));
            spend += cost;
            if let Hedge::Go { reserved } = bucket.ask(&Silence { reserve: Some(PicoUsd(reserve)), ..LATE }) {
                let cost = PicoUsd(reserved.0 * i128::from(used_percent.min(100)) / 100);
                bucket.settle(reserved, cost);
                hedged += cost.0;
            }
            prop_assert!(hedged * 100 <= spend * SHARE_PERCENT);
        }
    }
}
