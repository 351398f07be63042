//! Tests of waiting for places, on paused time.

use super::*;

const NAME: &str = "box";

fn limit(concurrency: u32, queue: u32) -> Arc<Limit> {
    Limits::default().of(LimitOf::Provider(NAME.into()), Size { concurrency, queue })
}

fn later(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_the_place_that_becomes_free() {
    let limit = limit(1, 4);
    let first = limit.enter(1, later(9)).await.unwrap();
    let waiting = limit.enter(1, later(9));
    let leaving = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        drop(first);
    };
    let (second, ()) = tokio::join!(waiting, leaving);
    let second = second.unwrap();
    let counts = limit.counts();
    assert_eq!((counts.taken, counts.waiting, counts.queued, counts.shed), (1, 0, 1, 0));
    assert_eq!(counts.waited_us, 2_000_000);
    drop(second);
    assert_eq!(limit.counts().taken, 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_when_to_come_again() {
    let limit = limit(1, 4);
    let held = limit.enter(1, later(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(7)).await;
    drop(held);
    let _held = limit.enter(1, later(1)).await.unwrap();
    let full = limit.enter(1, later(3)).await.unwrap_err();
    assert!(full.to_string().contains("no place became free in time; try again in 7 s"), "{full}");
    assert_eq!((limit.counts().waiting, limit.counts().shed), (0, 1));
    assert_eq!(full.into_error().retry, Retry::After(Some(7_000)));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_turns_the_greedy_key_away() {
    let limit = limit(1, 2);
    let place = limit.enter(1, later(9)).await.unwrap();
    let greedy = async {
        let (a, b) = (limit.enter(1, later(5)), limit.enter(1, later(6)));
        let (a, b) = tokio::join!(async { drop(a.await.unwrap()) }, b);
        ((), a, b)
    };
    let modest = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mine = limit.enter(2, later(5)).await;
        mine.map(drop)
    };
    let leaving = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        drop(place);
    };
    let (((), (), shed), modest, ()) = tokio::join!(greedy, modest, leaving);
    let shed = shed.unwrap_err();
    assert!(shed.to_string().contains("takes 1 calls at once, and 2 wait already"), "{shed}");
    assert!(modest.is_ok());
    assert_eq!(limit.counts().taken, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_leaves_the_queue_and_gives_its_place_on() {
    let limit = limit(1, 4);
    let place = limit.enter(1, later(9)).await.unwrap();
    let gone = tokio::time::timeout(Duration::from_secs(1), limit.enter(1, later(9))).await;
    assert!(gone.is_err());
    assert_eq!(limit.counts().waiting, 0);
    drop(place);
    assert!(limit.try_enter().is_ok());
}

#[tokio::test(start_paused = true)]
async fn more_places_wake_those_who_wait() {
    let limit = limit(1, 4);
    let _held = limit.enter(1, later(9)).await.unwrap();
    assert!(limit.try_enter().is_err() && !limit.has_room());
    let raising = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        limit.resize(Size { concurrency: 3, queue: 4 });
    };
    let (a, b, ()) = tokio::join!(limit.enter(1, later(9)), limit.enter(2, later(9)), raising);
    assert!(a.is_ok() && b.is_ok());
    assert_eq!((limit.counts().taken, limit.counts().shed), (3, 0), "trying is no shedding");
}

#[test]
fn a_limit_outlives_its_configuration_while_calls_hold_it() {
    let limits = Limits::default();
    let of = || LimitOf::Route("assistant".into());
    let size = Size { concurrency: 1, queue: 0 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let place = runtime.block_on(async { limits.of(of(), size).try_enter().unwrap() });
    assert!(!limits.of(of(), size).has_room(), "a new plan meets the calls of the one before");
    drop(place);
    let _ = limits.of(LimitOf::Provider(NAME.into()), size);
    assert_eq!(limits.all().len(), 1, "what nobody has is forgotten");
}
