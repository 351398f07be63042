//! What `logs verify` prints in each state, word by word.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use pilothouse_core::clock::{ManualClock, UnixMs};
use pilothouse_core::exchange::{Caller, Exchange};
use pilothouse_core::id::ExchangeId;
use pilothouse_store::{LEDGER_FILE, Ledger, Options, Reader, Sealing, SigningKey};

use super::super::tests::{LogsLine, NOON, golden, whole};

/// RFC 8032, section 7.1, test 1: a key that everybody knows, so that what is printed is always the same.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

/// A configuration with its key, its ledger, and a clock.
struct House {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl House {
    fn new() -> Self {
        let house =
            Self { dir: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::new(UnixMs(NOON))) };
        fs::write(house.path("pilothouse.toml"), "").unwrap();
        fs::write(house.path(".pilothouse.toml.key"), KEY).unwrap();
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path(".pilothouse")
    }

    fn open(&self) -> Ledger {
        let key = SigningKey::parse(KEY).unwrap();
        let sealing =
            Sealing { segment_rows: 100, ..Sealing::new(key).with_head(self.path(".pilothouse.toml.head")) };
        let options = Options {
            keep_days: Some(90),
            sealing: Some(sealing),
            clock: self.clock.clone(),
            flush_interval: Duration::from_millis(1),
            ..Options::default()
        };
        Ledger::open(&self.data(), options).unwrap()
    }

    fn record(&self, ledger: &Ledger, range: std::ops::Range<u64>) {
        range.for_each(|nth| ledger.recorder().record(nth_call(nth)));
        assert!(ledger.flush(Duration::from_secs(60)));
    }

    fn session(&self, range: std::ops::Range<u64>) {
        let ledger = self.open();
        self.record(&ledger, range);
        ledger.close().unwrap();
    }

    /// The exit status and what is printed.
    fn verify(&self, more: &[&str]) -> (u8, String) {
        let (data, config) = (self.data(), self.path("pilothouse.toml"));
        let place = ["--data", data.to_str().unwrap(), "--config", config.to_str().unwrap()];
        let words = [&["logs", "verify"], &place[..], more].concat();
        let mut out = Vec::new();
        let logs = LogsLine::try_parse_from(words).unwrap().logs;
        let code = logs.run_at(&mut out, &mut Vec::new(), &*self.clock).unwrap();
        let is_sound = code == std::process::ExitCode::SUCCESS;
        (u8::from(!is_sound), String::from_utf8(out).unwrap())
    }

    /// Compares what is printed with the golden file, and the exit status.
    fn expect(&self, name: &str, code: u8) {
        let (found, text) = self.verify(&[]);
        golden(&format!("logs/golden/verify_{name}.txt"), &text);
        assert_eq!(found, code, "{text}");
        let (found, json) = self.verify(&["--json"]);
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((found, &document["is_sound"]), (code, &serde_json::json!(code == 0)));
    }

    fn copy_to(&self, other: &Self) {
        fs::create_dir_all(other.data()).unwrap();
        for entry in fs::read_dir(self.data()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), other.data().join(entry.file_name())).unwrap();
        }
        let head = ".pilothouse.toml.head";
        fs::copy(self.path(head), other.path(head)).unwrap();
    }
}

fn nth_call(nth: u64) -> Exchange {
    let started_at = UnixMs(NOON + nth);
    let end_user = Some(format!("person-{nth:04}").into());
    Exchange {
        id: ExchangeId::new(started_at, nth.into()),
        started_at,
        caller: Caller { end_user, ..whole(1).caller },
        ..whole(1)
    }
}

/// Overwrites a text wherever it stands in the file, as somebody with an editor would.
fn overwrite(file: &Path, text: &str, with: &str) {
    let mut bytes = fs::read(file).unwrap();
    let places: Vec<usize> = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, part)| *part == text.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + with.len()].copy_from_slice(with.as_bytes());
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_sound_ledger_says_so_with_its_tail_and_its_key() {
    let house = House::new();
    let ledger = house.open();
    house.record(&ledger, 0..230);
    for _ in 0..2000 {
        if house.verify(&["--json"]).1.contains("\"segments\": 2") {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    house.expect("tail", 0);
    ledger.close().unwrap();
    house.expect("intact", 0);
}

#[test]
fn an_altered_receipt_is_told_with_its_exchange() {
    let house = House::new();
    house.session(0..230);
    overwrite(&house.data().join(LEDGER_FILE), "person-0017", "person-9917");
    house.expect("altered", 1);
}

#[test]
fn what_an_older_copy_lacks_is_missing() {
    let house = House::new();
    house.session(0..110);
    let older = House::new();
    house.copy_to(&older);
    house.session(110..230);
    fs::copy(house.path(".pilothouse.toml.head"), older.path(".pilothouse.toml.head")).unwrap();
    older.expect("missing", 1);
}

#[test]
fn erased_and_expired_receipts_are_told_and_sound() {
    let house = House::new();
    house.session(0..230);
    let id = nth_call(17).id.to_string();
    let (data, config) = (house.data(), house.path("pilothouse.toml"));
    let erase = |reason: &str| {
        let words =
            ["logs", "erase-receipt", &id, "--reason", reason, "--data", data.to_str().unwrap(), "--config"];
        let words = [&words[..], &[config.to_str().unwrap()]].concat();
        let mut out = Vec::new();
        let done =
            LogsLine::try_parse_from(words).unwrap().logs.run_at(&mut out, &mut Vec::new(), &*house.clock);
        done.map(|_| String::from_utf8(out).unwrap())
    };
    assert!(erase("request 4711").unwrap().contains("is erased; its digest"));
    assert!(erase("request 4711").unwrap_err().to_string().contains("it may be erased"));
    house.expect("erased", 0);
    let show =
        LogsLine::try_parse_from(["logs", "show", &id, "--data", data.to_str().unwrap()]).unwrap().logs;
    let told = show.run_at(&mut Vec::new(), &mut Vec::new(), &*house.clock).unwrap_err().to_string();
    assert!(told.contains("was erased at 2026-11-22T12:00:00.000Z: request 4711"), "{told}");
    house.clock.advance(91 * 24 * 3_600_000);
    let ledger = house.open();
    for _ in 0..2000 {
        if Reader::open(&house.data()).unwrap().stats().unwrap().exchanges == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    ledger.close().unwrap();
    house.expect("expired", 0);
}

#[test]
fn a_crash_is_told_and_sound() {
    let house = House::new();
    let ledger = house.open();
    house.record(&ledger, 0..37);
    // What is on disk at this moment is what a killed server leaves.
    let killed = House::new();
    house.copy_to(&killed);
    ledger.close().unwrap();
    killed.session(37..50);
    killed.expect("crash", 0);
}

#[test]
fn a_ledger_from_before_sealing_is_told_as_not_covered() {
    let house = House::new();
    let options = Options { keep_days: None, ..Options::default() };
    let ledger = Ledger::open(&house.data(), options).unwrap();
    house.record(&ledger, 0..30);
    ledger.close().unwrap();
    house.expect("unsealed", 0);
    house.session(30..50);
    house.expect("not_covered", 0);
}

#[test]
fn the_docs_show_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_to_string(root.join("../../docs/src/receipts.md")).unwrap();
    for name in ["intact", "altered", "missing", "tail", "crash", "erased", "expired", "not_covered"] {
        let golden = root.join(format!("src/commands/logs/golden/verify_{name}.txt"));
        assert!(docs.contains(&fs::read_to_string(golden).unwrap()), "receipts.md shows another `{name}`");
    }
}

#[test]
fn roots_kept_elsewhere_are_compared() {
    let house = House::new();
    house.session(0..110);
    let data = house.data();
    let words = ["logs", "roots", "--json", "--data", data.to_str().unwrap()];
    let mut out = Vec::new();
    LogsLine::try_parse_from(words).unwrap().logs.run_at(&mut out, &mut Vec::new(), &*house.clock).unwrap();
    let kept = house.path("kept.json");
    fs::write(&kept, &out).unwrap();
    house.session(110..120);
    let (code, text) = house.verify(&["--roots", kept.to_str().unwrap()]);
    assert!(code == 0 && text.contains("4 entries are those kept elsewhere"), "{text}");
    let altered = String::from_utf8(out).unwrap().replacen("\\\"count\\\":100", "\\\"count\\\":101", 1);
    fs::write(&kept, altered).unwrap();
    let (code, text) = house.verify(&["--roots", kept.to_str().unwrap()]);
    assert!(code == 1 && text.contains("entry 2 is not the one that was kept elsewhere"), "{text}");
}
