//! Tests of tombstones.

use super::*;

const NOT_FOUND_TO_3: Absence = Absence::NotFound { credential: 3 };

#[test]
fn one_credential_that_is_told_not_found_buries_only_its_own_pair() {
    let stones = Tombstones::default();
    assert!(!stones.absent(NOT_FOUND_TO_3, UnixMs(1000)));
    assert_eq!(stones.target_buried_ms(UnixMs(1000)), None);
    assert_eq!(stones.buried_ms(3, UnixMs(1000)), Some(BURIED_MS));
    assert!(stones.may_call(4, UnixMs(1000)) && !stones.may_call(3, UnixMs(1000)));
}

#[test]
fn second_credential_a_410_or_the_list_bury_the_target() {
    let now = UnixMs(5);
    let stones = Tombstones::default();
    assert!(!stones.absent(NOT_FOUND_TO_3, now) && !stones.absent(NOT_FOUND_TO_3, now));
    assert!(stones.absent(Absence::NotFound { credential: 4 }, now));
    assert_eq!(stones.target_buried_ms(now), Some(BURIED_MS));
    for absence in [Absence::Gone, Absence::Unlisted] {
        let stones = Tombstones::default();
        assert!(stones.absent(absence, now));
        assert!(!stones.may_call(0, now));
    }
}

#[test]
fn expired_stone_is_probed_by_one_call_and_lies_twice_as_long_when_it_finds_nothing() {
    let stones = Tombstones::default();
    let mut now = 0;
    stones.absent(Absence::Gone, UnixMs(now));
    for lies in [2 * BURIED_MS, 4 * BURIED_MS] {
        now += stones.target_buried_ms(UnixMs(now)).expect("buried");
        assert!(stones.may_call(0, UnixMs(now)));
        assert!(!stones.may_call(0, UnixMs(now)) && !stones.may_call(1, UnixMs(now)), "one probe only");
        stones.absent(Absence::Gone, UnixMs(now));
        assert_eq!(stones.target_buried_ms(UnixMs(now)), Some(lies));
    }
}

#[test]
fn stone_never_lies_longer_than_its_bound() {
    let stones = Tombstones::default();
    let mut now = 0;
    for _ in 0..40 {
        stones.absent(Absence::Gone, UnixMs(now));
        let left = stones.target_buried_ms(UnixMs(now)).expect("buried");
        assert!(left <= BURIED_MS_MAX);
        now += left;
    }
}

#[test]
fn answer_lifts_the_stones_that_it_disproves() {
    let stones = Tombstones::default();
    stones.absent(NOT_FOUND_TO_3, UnixMs(0));
    stones.absent(Absence::NotFound { credential: 4 }, UnixMs(0));
    stones.present(4);
    assert!(stones.may_call(4, UnixMs(1)) && stones.may_call(9, UnixMs(1)));
    assert!(!stones.may_call(3, UnixMs(1)), "that credential may still not see it");
    stones.present(3);
    assert!(stones.may_call(3, UnixMs(1)));
}

#[test]
fn probe_that_never_reports_does_not_bury_for_ever() {
    let stones = Tombstones::default();
    stones.absent(Absence::Gone, UnixMs(0));
    assert!(stones.may_call(0, UnixMs(BURIED_MS)));
    assert!(!stones.may_call(0, UnixMs(BURIED_MS + PROBE_MS - 1)));
    assert!(stones.may_call(0, UnixMs(BURIED_MS + PROBE_MS)));
}
