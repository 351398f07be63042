//! Runs end where their limits say, and the model is told before.

use super::*;

const NOW: UnixMs = UnixMs(1_795_348_800_000);

fn call(name: u64, arguments: u64) -> ToolCall {
    ToolCall { name, arguments }
}

fn later(millis: u64) -> UnixMs {
    UnixMs(NOW.0 + millis)
}

/// Notes turns with one call each until one is the last; gives how many there were and why.
fn until_stopped(limits: &RunLimits, calls: impl IntoIterator<Item = ToolCall>) -> (usize, Why) {
    let runs = Runs::new(10, 60_000);
    for (count, call) in calls.into_iter().enumerate() {
        let turn = Turn { cost: PicoUsd(10), calls: &[call] };
        if let Verdict::Stop(why) = runs.note_turn("key", "run", turn, limits, NOW) {
            return (count + 1, why);
        }
    }
    panic!("the run went on");
}

#[test]
fn model_is_told_before_the_last_turn_and_stopped_after_it() {
    let runs = Runs::new(10, 60_000);
    let limits = RunLimits { turns: Some(3), ..RunLimits::default() };
    let note = || runs.note_turn("key", "run", Turn::default(), &limits, NOW);
    assert_eq!(runs.may_begin("key", "run", &limits, NOW), Verdict::Continue);
    assert_eq!([note(), note(), note()], [Verdict::Continue, Verdict::LastTurn, Verdict::Stop(Why::Turns)]);
    assert_eq!(note(), Verdict::Stop(Why::Stopped), "a stopped run stays stopped");
    assert_eq!(runs.may_begin("key", "run", &RunLimits::default(), NOW), Verdict::Stop(Why::Stopped));
    assert_eq!(runs.may_begin("other key", "run", &limits, NOW), Verdict::Continue, "it is another run");
    let single = RunLimits { turns: Some(1), ..RunLimits::default() };
    assert_eq!(runs.may_begin("key", "short", &single, NOW), Verdict::LastTurn);
}

#[test]
fn money_and_time_are_told_one_usual_turn_ahead() {
    let runs = Runs::new(10, 60_000);
    let limits = RunLimits { money: Some(PicoUsd(100)), wall_ms: Some(10_000), ..RunLimits::default() };
    let turn = Turn { cost: PicoUsd(30), calls: &[] };
    let spend = |at| runs.note_turn("key", "spends", turn, &limits, later(at));
    assert_eq!(spend(0), Verdict::Continue);
    assert_eq!(spend(0), Verdict::LastTurn, "after one like these, another would not fit");
    assert_eq!(spend(0), Verdict::LastTurn);
    assert_eq!(spend(0), Verdict::Stop(Why::Money));
    let cheap = Turn::default();
    let idle = |at| runs.note_turn("key", "waits", cheap, &limits, later(at));
    let _ = idle(0);
    assert_eq!(idle(3000), Verdict::Continue);
    assert_eq!(idle(7000), Verdict::LastTurn);
    assert_eq!(idle(10_000), Verdict::Stop(Why::WallTime));
}

#[test]
fn tool_calls_beyond_the_limit_end_the_run() {
    let limits = RunLimits { tool_calls: Some(4), ..RunLimits::default() };
    assert_eq!(until_stopped(&limits, (0..9).map(|n| call(1, n))), (5, Why::ToolCalls));
}

#[test]
fn same_call_again_and_again_ends_the_run_and_other_arguments_do_not() {
    let limits = RunLimits { repeats: Some(3), cycles: Some(3), ..RunLimits::default() };
    assert_eq!(until_stopped(&limits, [call(7, 7); 9]), (4, Why::Repeated));
    let runs = Runs::new(10, 60_000);
    for count in 0..50 {
        let calls = [call(7, count), call(7, count), call(7, count)];
        let turn = Turn { cost: PicoUsd(1), calls: &calls };
        assert_eq!(runs.note_turn("key", "run", turn, &limits, NOW), Verdict::Continue);
    }
}

#[test]
fn cycles_of_two_to_four_calls_are_found_after_the_rounds_that_are_allowed() {
    for rounds in [2, 3, 8] {
        let limits = RunLimits { repeats: Some(100), cycles: Some(rounds), ..RunLimits::default() };
        for length in 2..=4u64 {
            // First something else, so that the cycle does not begin with the run.
            let before = (100..105).map(|n| call(9, n));
            let cycle = (0..).map(|n| call(n % length, 0)).take(100);
            let (count, why) = until_stopped(&limits, before.chain(cycle));
            assert_eq!(why, Why::Cycle { length: u8::try_from(length).unwrap() });
            let expected = 5 + (length * u64::from(rounds) + 1).min(32);
            assert_eq!(count as u64, expected, "{rounds} rounds of {length}");
        }
        let longer = (0..).map(|n| call(n % 5, 0)).take(300);
        let end = [call(77, 77); 101];
        assert_eq!(
            until_stopped(&limits, longer.chain(end)),
            (401, Why::Repeated),
            "five calls are no short cycle"
        );
    }
}

#[test]
fn idle_runs_begin_anew_and_the_map_is_bounded() {
    let runs = Runs::new(100, 60_000);
    let limits = RunLimits { turns: Some(2), ..RunLimits::default() };
    for count in 0..1000u64 {
        let _ = runs.note_turn("key", &format!("run {count}"), Turn::default(), &limits, later(count));
        assert!(runs.len() <= 100);
    }
    let last = |now| runs.note_turn("key", "run 999", Turn::default(), &limits, now);
    assert_eq!(last(later(1000)), Verdict::Stop(Why::Turns), "the newest are kept");
    assert_eq!(last(later(90_000)), Verdict::LastTurn, "forgotten after a minute");
    let first = runs.note_turn("key", "run 0", Turn::default(), &limits, later(90_000));
    assert_eq!(first, Verdict::LastTurn);
    assert!(!runs.is_empty());
}
