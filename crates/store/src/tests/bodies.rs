//! Bodies are kept sealed, within bounds, and go when they are told to.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pilothouse_core::clock::{Clock, UnixMs};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::id::ExchangeId;
use pilothouse_core::secret::Secret;

use super::samples::NOON;
use crate::{
    BODIES_FILE, BodyKey, BodyOptions, BodyReader, BodyRecorder, BodyStore, Erase, KEY_FILE, Kept, StoreError,
};

const PHRASE: &str = "the heron stands in the reeds";
const DAY: u64 = 24 * 3_600_000;

#[derive(Debug)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Relaxed))
    }
}

fn options() -> BodyOptions {
    BodyOptions { clock: Arc::new(Hands(AtomicU64::new(NOON))), ..BodyOptions::default() }
}

fn kept(nth: u64) -> Kept {
    let at = UnixMs(NOON + nth);
    Kept {
        exchange: ExchangeId::new(at, nth.into()),
        at,
        key: "search".into(),
        end_user: Some("ada".into()),
        response: Some(format!("resp_{nth}").into()),
        dialect: Dialect::OpenaiResponses,
        holder: Some("openai".into()),
        status: 200,
        is_stream: true,
        is_whole: true,
        request: Bytes::from(format!("{{\"input\":\"{PHRASE} {nth}\"}}")),
        answer: Bytes::from(format!("data: {PHRASE} {nth}\n\n").repeat(20)),
        lost_part: Bytes::new(),
    }
}

fn put(recorder: &BodyRecorder, kept: Kept) {
    assert!(recorder.reserve(kept.bytes()));
    recorder.put(kept);
}

fn flush(store: &BodyStore) {
    assert!(store.flush(Duration::from_secs(60)), "{:?}", store.recorder().health());
}

fn bodies_of(dir: &Path, nth: u64) -> Option<(Bytes, Bytes)> {
    let reader = BodyReader::open(dir).unwrap()?;
    let found = reader.exchange(kept(nth).exchange, None).unwrap()?;
    Some((found.request, found.answer))
}

fn eventually(mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never came true");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn bodies_are_found_by_exchange_and_by_response_of_the_same_key_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &options()).unwrap();
    let recorder = store.recorder();
    put(&recorder, kept(1));
    // On its way or on the disk, it is found.
    assert_eq!(recorder.find("search", "resp_1").unwrap().unwrap().request, kept(1).request);
    flush(&store);
    let found = recorder.find("search", "resp_1").unwrap().unwrap();
    assert_eq!(*found, Kept { end_user: None, ..kept(1) });
    assert_eq!(recorder.find("other", "resp_1").unwrap(), None);
    assert_eq!(recorder.find("search", "resp_2").unwrap(), None);
    assert_eq!(bodies_of(dir.path(), 1), Some((kept(1).request, kept(1).answer)));
    let lengths = BodyReader::open(dir.path()).unwrap().unwrap().lengths(kept(1).exchange).unwrap();
    assert_eq!(lengths, Some((kept(1).request.len() as u64, kept(1).answer.len() as u64)));
    assert_eq!(bodies_of(dir.path(), 2), None);
}

#[test]
fn nothing_of_a_message_or_a_user_is_on_the_disk_in_plain_text() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &options()).unwrap();
    (0..40).for_each(|nth| put(&store.recorder(), kept(nth)));
    flush(&store);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for word in ["heron", "reeds", "resp_", "ada\""] {
            assert!(!bytes.windows(word.len()).any(|seen| seen == word.as_bytes()), "{word} in {path:?}");
        }
    }
    store.close();
    assert_eq!(bodies_of(dir.path(), 7), Some((kept(7).request, kept(7).answer)));
}

#[test]
fn equal_bodies_of_one_key_lie_there_once_and_stay_until_the_last_goes() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &options()).unwrap();
    let same = |nth: u64, key: &str| Kept {
        key: key.into(),
        request: Bytes::from_static(b"the same words"),
        answer: Bytes::from_static(b"the same answer"),
        ..kept(nth)
    };
    put(&store.recorder(), same(1, "a"));
    put(&store.recorder(), same(2, "a"));
    put(&store.recorder(), same(3, "b"));
    flush(&store);
    let blobs = || -> i64 {
        let db = rusqlite::Connection::open(dir.path().join(BODIES_FILE)).unwrap();
        db.query_row("SELECT count(*) FROM blob", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(blobs(), 4, "two of each key");
    assert_eq!(store.recorder().erase(&Erase::Exchange(same(1, "a").exchange)).unwrap(), 1);
    assert_eq!((blobs(), bodies_of(dir.path(), 2).is_some()), (4, true));
    assert_eq!(store.recorder().erase(&Erase::Key("a")).unwrap(), 1);
    assert_eq!((blobs(), bodies_of(dir.path(), 3).is_some()), (2, true));
}

#[test]
fn bodies_are_erased_by_exchange_by_response_by_key_and_by_user_also_on_their_way() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &options()).unwrap();
    let recorder = store.recorder();
    let of_user = |nth, user: &str| Kept { end_user: Some(user.into()), ..kept(nth) };
    for nth in 0..4 {
        put(&recorder, of_user(nth, if nth == 3 { "bo" } else { "ada" }));
    }
    assert_eq!(recorder.erase(&Erase::Exchange(kept(0).exchange)).unwrap(), 1);
    assert_eq!(recorder.erase(&Erase::Response { key: "other", id: "resp_1" }).unwrap(), 0);
    assert_eq!(recorder.erase(&Erase::Response { key: "search", id: "resp_1" }).unwrap(), 1);
    flush(&store);
    assert_eq!(BodyReader::erase(dir.path(), &Erase::EndUser("ada"), None).unwrap(), 1);
    assert_eq!(BodyReader::erase(dir.path(), &Erase::EndUser("ada"), None).unwrap(), 0);
    assert!(bodies_of(dir.path(), 3).is_some());
    assert_eq!(BodyReader::erase(dir.path(), &Erase::Key("search"), None).unwrap(), 1);
    assert_eq!(recorder.find("search", "resp_3").unwrap(), None);
}

#[test]
fn what_clients_lost_is_read_back_by_time_and_goes_with_its_exchange() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &options()).unwrap();
    let recorder = store.recorder();
    for nth in 0..3 {
        put(&recorder, Kept { lost_part: Bytes::from(format!("thought {nth}")), ..kept(nth) });
    }
    flush(&store);
    let told = |since| -> Vec<String> {
        let parts = recorder.lost_parts(UnixMs(since)).unwrap();
        parts
            .into_iter()
            .map(|part| format!("{} {}", part.key, String::from_utf8(part.part).unwrap()))
            .collect()
    };
    assert_eq!(told(NOON + 1), ["search thought 1", "search thought 2"]);
    recorder.erase(&Erase::Exchange(kept(1).exchange)).unwrap();
    assert_eq!(told(NOON), ["search thought 0", "search thought 2"]);
}

#[test]
fn a_full_queue_loses_bodies_and_says_how_many() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &BodyOptions { queue_bytes_max: 100, ..options() }).unwrap();
    let recorder = store.recorder();
    assert!(recorder.reserve(60) && !recorder.reserve(60));
    recorder.lose(UnixMs(NOON));
    recorder.lose(UnixMs(NOON + 5));
    recorder.release(60);
    assert!(recorder.reserve(60), "room that is given back can be had again");
    flush(&store);
    assert_eq!(recorder.dropped_total(), 2);
    let gaps = BodyReader::open(dir.path()).unwrap().unwrap().gaps().unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].first_at, gaps[0].last_at, gaps[0].exchanges), (UnixMs(NOON), UnixMs(NOON + 5), 2));
}

#[test]
fn a_disk_that_refuses_loses_bodies_with_a_gap_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &options()).unwrap();
    let recorder = store.recorder();
    let db = rusqlite::Connection::open(dir.path().join(BODIES_FILE)).unwrap();
    db.execute_batch("CREATE TRIGGER no BEFORE INSERT ON body BEGIN SELECT raise(ABORT, 'no'); END").unwrap();
    put(&recorder, kept(1));
    eventually(|| recorder.dropped_total() == 1);
    eventually(|| recorder.health().last_error.is_none_or(|error| error.contains("bodies.sqlite")));
    db.execute_batch("DROP TRIGGER no").unwrap();
    put(&recorder, kept(2));
    flush(&store);
    assert_eq!((bodies_of(dir.path(), 1), bodies_of(dir.path(), 2).is_some()), (None, true));
    let gaps = BodyReader::open(dir.path()).unwrap().unwrap().gaps().unwrap();
    assert_eq!(gaps.iter().map(|gap| gap.exchanges).sum::<u64>(), 1);
}

#[test]
fn old_bodies_go_by_themselves_also_where_nothing_more_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &options()).unwrap();
    put(&store.recorder(), kept(1));
    put(&store.recorder(), kept(29 * DAY));
    flush(&store);
    store.close();
    // Another day, with bodies switched off: no key is needed to remove them.
    std::fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
    let clock = Arc::new(Hands(AtomicU64::new(NOON + 31 * DAY)));
    let store = BodyStore::open(dir.path(), &BodyOptions { clock, may_write: false, ..options() }).unwrap();
    let lengths = |nth| BodyReader::open(dir.path()).unwrap().unwrap().lengths(kept(nth).exchange).unwrap();
    eventually(|| lengths(1).is_none());
    assert!(lengths(29 * DAY).is_some());
    assert_eq!(store.recorder().find("search", "resp_1").unwrap(), None);
}

#[test]
fn beyond_the_bound_on_bytes_the_oldest_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = BodyStore::open(dir.path(), &BodyOptions { bytes_max: 300_000, ..options() }).unwrap();
    let recorder = store.recorder();
    for nth in 0..300 {
        // Noise does not compress.
        let mut state: u64 = nth;
        let mut noise = || {
            state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            (state >> 40) as u8
        };
        let noise: Vec<u8> = (0..20_000).map(|_| noise()).collect();
        put(&recorder, Kept { answer: noise.into(), ..kept(nth) });
    }
    flush(&store);
    assert_eq!(recorder.dropped_total(), 0);
    eventually(|| recorder.health().bytes <= 300_000);
    eventually(|| std::fs::metadata(dir.path().join(BODIES_FILE)).unwrap().len() < 1_000_000);
    assert_eq!(bodies_of(dir.path(), 0), None);
    assert!(bodies_of(dir.path(), 299).is_some());
}

#[test]
fn a_lost_or_wrong_key_is_said_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let given = |secret: &str| BodyOptions {
        key: Some(BodyKey::of_secret(&Secret::new(secret)).unwrap()),
        ..options()
    };
    let secret = "a secret of more than thirty-two characters";
    let store = BodyStore::open(dir.path(), &given(secret)).unwrap();
    put(&store.recorder(), kept(1));
    store.close();
    assert!(!dir.path().join(KEY_FILE).exists(), "a key that was given is not written down");
    for wrong in [options(), given("another secret of more than thirty-two")] {
        let error = BodyStore::open(dir.path(), &wrong).unwrap_err();
        assert!(matches!(error, StoreError::WrongBodyKey { .. }), "{error}");
        assert!(error.to_string().contains("bodies_key"), "{error}");
    }
    assert!(!dir.path().join(KEY_FILE).exists());
    let reader = BodyReader::open(dir.path()).unwrap().unwrap();
    let key = BodyKey::of_secret(&Secret::new(secret)).unwrap();
    assert_eq!(reader.exchange(kept(1).exchange, Some(&key)).unwrap().unwrap().request, kept(1).request);
}

#[test]
fn another_file_is_not_taken_for_bodies() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(BODIES_FILE);
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    assert!(matches!(BodyStore::open(dir.path(), &options()), Err(StoreError::NotALedger { .. })));
    std::fs::remove_file(&path).unwrap();
    BodyStore::open(dir.path(), &options()).unwrap().close();
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(BodyStore::open(dir.path(), &options()), Err(StoreError::Newer { .. })));
}
