//! Tests of the queue: its bound, its order, its fairness.

use super::*;
use proptest::prelude::*;

fn waits<T>(entry: Entry<T>) -> bool {
    matches!(entry, Entry::Queued { shed: None })
}

#[test]
fn within_a_key_the_earliest_deadline_is_next() {
    let mut queue = Queue::new(1, 10);
    assert_eq!(queue.enter(1, UnixMs(99), "first", UnixMs(0)), Entry::Admitted("first"));
    for (deadline, name) in [(50, "late"), (20, "early"), (30, "middle"), (20, "early too")] {
        assert!(waits(queue.enter(1, UnixMs(deadline), name, UnixMs(0))));
    }
    let order: Vec<_> = (0..4).filter_map(|_| queue.leave(UnixMs(1)).admitted).collect();
    assert_eq!(order, ["early", "early too", "middle", "late"]);
    assert_eq!((queue.taken(), queue.waiting()), (1, 0));
}

#[test]
fn key_with_one_ticket_does_not_wait_for_a_key_with_many() {
    let mut queue = Queue::new(1, 1000);
    let _ = queue.enter(1, UnixMs(1000), 0, UnixMs(0));
    for number in 1..500 {
        assert!(waits(queue.enter(1, UnixMs(1000), number, UnixMs(0))));
    }
    (0..100).for_each(|_| drop(queue.leave(UnixMs(1))));
    // Its deadline is later than all others, and still it is among the next two.
    assert!(waits(queue.enter(2, UnixMs(9000), 9999, UnixMs(1))));
    let next: Vec<_> = (0..2).filter_map(|_| queue.leave(UnixMs(1)).admitted).collect();
    assert!(next.contains(&9999), "{next:?}");
}

#[test]
fn tickets_whose_deadline_has_passed_are_handed_back_and_not_admitted() {
    let mut queue = Queue::new(1, 10);
    let _ = queue.enter(1, UnixMs(100), 'a', UnixMs(0));
    let _ = queue.enter(1, UnixMs(10), 'b', UnixMs(0));
    let _ = queue.enter(1, UnixMs(40), 'c', UnixMs(0));
    assert_eq!(queue.leave(UnixMs(20)), Freed { admitted: Some('c'), expired: vec!['b'] });
    let _ = queue.enter(1, UnixMs(40), 'd', UnixMs(20));
    assert_eq!(queue.leave(UnixMs(50)), Freed { admitted: None, expired: vec!['d'] });
    assert_eq!((queue.taken(), queue.waiting()), (0, 0));
    let _ = queue.enter(1, UnixMs(100), 'e', UnixMs(50));
    assert_eq!(queue.enter(1, UnixMs(50), 'f', UnixMs(50)), Entry::Shed('f'));
}

#[test]
fn full_queue_sheds_from_the_key_that_fills_it() {
    let mut queue = Queue::new(1, 4);
    let _ = queue.enter(1, UnixMs(100), 0, UnixMs(0));
    for number in 1..=4 {
        assert!(waits(queue.enter(1, UnixMs(100 + number), number, UnixMs(0))));
    }
    // The greedy key's newcomer goes, another key's does not: the greedy one's latest goes for it.
    assert_eq!(queue.enter(1, UnixMs(200), 5, UnixMs(0)), Entry::Shed(5));
    assert_eq!(queue.enter(2, UnixMs(300), 6, UnixMs(0)), Entry::Queued { shed: Some(4) });
    assert_eq!(queue.enter(2, UnixMs(300), 7, UnixMs(0)), Entry::Queued { shed: Some(3) });
    // Now both have two: who wants more pays itself, unless its deadline is nearer than that of one it has.
    assert_eq!(queue.enter(2, UnixMs(400), 8, UnixMs(0)), Entry::Shed(8));
    assert_eq!(queue.enter(2, UnixMs(10), 9, UnixMs(0)), Entry::Queued { shed: Some(7) });
    assert_eq!(queue.waiting(), 4);
}

#[test]
fn withdrawn_ticket_leaves_its_place_to_others() {
    let mut queue = Queue::new(1, 2);
    let _ = queue.enter(1, UnixMs(100), 0, UnixMs(0));
    let _ = queue.enter(1, UnixMs(50), 1, UnixMs(0));
    let _ = queue.enter(1, UnixMs(60), 2, UnixMs(0));
    assert_eq!(queue.withdraw(1, |ticket| *ticket == 1), Some(1));
    assert_eq!(queue.withdraw(1, |ticket| *ticket == 1), None);
    assert_eq!(queue.leave(UnixMs(1)).admitted, Some(2));
}

#[test]
fn resized_queue_lets_more_in_and_takes_nobodys_place_away() {
    let mut queue = Queue::new(2, 4);
    for name in ['a', 'b', 'c', 'd'] {
        let _ = queue.enter(1, UnixMs(100), name, UnixMs(0));
    }
    queue.resize(1, 4);
    assert_eq!((queue.taken(), queue.waiting(), queue.has_room()), (2, 2, false));
    assert_eq!(queue.leave(UnixMs(1)).admitted, None, "one too many had a place");
    queue.resize(3, 4);
    let let_in = [queue.admit(UnixMs(1)).admitted, queue.admit(UnixMs(1)).admitted];
    assert_eq!((let_in, queue.has_room()), ([Some('c'), Some('d')], false));
    assert_eq!(queue.admit(UnixMs(1)).admitted, None);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter { key: u64, patience: u64 },
    Leave,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u64..5, 1_u64..200).prop_map(|(key, patience)| Step::Enter { key, patience }),
        Just(Step::Leave),
        (0_u64..40).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn bound_holds_and_every_ticket_comes_back_exactly_once(steps in proptest::collection::vec(step(), 1..300)) {
        let mut queue = Queue::new(3, 8);
        let (mut now, mut given, mut running, mut back) = (UnixMs(0), 0_u32, 0_u32, Vec::new());
        for step in steps {
            match step {
                Step::Wait(wait) => now.0 += wait,
                Step::Enter { key, patience } => {
                    given += 1;
                    match queue.enter(key, UnixMs(now.0 + patience), given, now) {
                        Entry::Admitted(ticket) => { running += 1; back.push(ticket); }
                        Entry::Queued { shed } => back.extend(shed),
                        Entry::Shed(ticket) => back.push(ticket),
                    }
                }
                Step::Leave if running > 0 => {
                    running -= 1;
                    let freed = queue.leave(now);
                    running += u32::from(freed.admitted.is_some());
                    back.extend(freed.admitted);
                    back.extend(freed.expired);
                }
                Step::Leave => {}
            }
            prop_assert!(queue.waiting() <= 8 && queue.taken() <= 3 && queue.taken() == running);
        }
        while running > 0 {
            running -= 1;
            let freed = queue.leave(now);
            running += u32::from(freed.admitted.is_some());
            back.extend(freed.admitted);
            back.extend(freed.expired);
        }
        back.sort_unstable();
        prop_assert!(back.iter().copied().eq(1..=given), "{back:?}");
        prop_assert!(queue.lanes.is_empty() && queue.next.is_empty());
    }

    #[test]
    fn keys_that_keep_waiting_are_served_alike(counts in proptest::collection::vec(5_usize..30, 2..6)) {
        let mut queue = Queue::new(1, 1000);
        let _ = queue.enter(99, UnixMs(1000), 99, UnixMs(0));
        for (key, count) in (0_u64..).zip(&counts) {
            for number in 0..*count {
                let _ = queue.enter(key, UnixMs(100 + number as u64), key, UnixMs(0));
            }
        }
        // While every lane still waits, none is more than one ahead of another.
        let mut served = vec![0_usize; counts.len()];
        for _ in 0..counts.len() * 5 {
            let key = queue.leave(UnixMs(1)).admitted.expect("tickets wait");
            served[key as usize] += 1;
            let (most, least) = (served.iter().max().unwrap(), served.iter().min().unwrap());
            prop_assert!(most - least <= 1, "{served:?}");
        }
    }
}
