//! A ledger that can be checked: what is untouched verifies, and what is touched is told.

mod keeping;
mod tampering;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pilothouse_core::clock::{ManualClock, UnixMs};
use pilothouse_core::exchange::Exchange;
use rusqlite::Connection;

use super::samples::NOON;
use crate::recorder::{Recorder, Shared};
use crate::retention::Retention;
use crate::schema::{self, MIGRATIONS};
use crate::seal::sealer::Sealer;
use crate::writer::Writer;
use crate::{LEDGER_FILE, Ledger, Options, Reader, Report, Sealing, SigningKey, Trust};

/// A data folder, and apart from it the folder with the key and the head file.
struct House {
    data: tempfile::TempDir,
    safe: tempfile::TempDir,
    clock: Arc<ManualClock>,
    segment_rows: usize,
    keep_days: Option<u32>,
}

impl House {
    fn new(segment_rows: usize) -> Self {
        Self {
            data: tempfile::tempdir().unwrap(),
            safe: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(UnixMs(NOON))),
            segment_rows,
            keep_days: None,
        }
    }

    fn head(&self) -> PathBuf {
        self.safe.path().join("head")
    }

    fn sealing(&self) -> Sealing {
        let (key, _) = SigningKey::read_or_make(&self.safe.path().join("key")).unwrap();
        Sealing { segment_rows: self.segment_rows, ..Sealing::new(key).with_head(self.head()) }
    }

    fn options(&self) -> Options {
        Options {
            keep_days: self.keep_days,
            sealing: Some(self.sealing()),
            clock: self.clock.clone(),
            flush_interval: std::time::Duration::from_millis(1),
            ..Options::default()
        }
    }

    /// A server with its own thread.
    fn open(&self) -> Ledger {
        Ledger::open(self.data.path(), self.options()).unwrap()
    }

    /// A writer that runs only when it is told to; dropped, it ends like a process that is killed.
    fn writer(&self) -> Still {
        self.writer_with(Some(self.sealing()))
    }

    fn writer_with(&self, sealing: Option<Sealing>) -> Still {
        let path = self.data.path().join(LEDGER_FILE);
        let db = schema::open_writer(&path, MIGRATIONS, &*self.clock).unwrap();
        let sealer = sealing.map(|sealing| Sealer::start(&db, sealing, self.clock.clone()).unwrap());
        let shared = Arc::new(Shared::new(100_000));
        let retention = Retention::new(self.keep_days, self.clock.clone());
        let writer = Writer::new(db, path, Arc::clone(&shared), retention, sealer).unwrap();
        Still { writer, recorder: Recorder { shared } }
    }

    /// Records these and ends cleanly.
    fn session(&self, exchanges: impl IntoIterator<Item = Exchange>) {
        let mut still = self.writer();
        still.record(exchanges);
        still.writer.end();
    }

    fn trust(&self) -> Trust {
        Trust { keys: vec![self.sealing().key.public()], head: Some(self.head()), roots: None }
    }

    fn report(&self) -> Report {
        self.report_with(&self.trust())
    }

    fn report_with(&self, trust: &Trust) -> Report {
        Reader::open(self.data.path()).unwrap().verify(trust).unwrap()
    }

    /// What somebody with a database tool has.
    fn db(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.data.path().join(LEDGER_FILE)
    }

    /// Does something to the file that no writer does.
    fn tamper(&self, sql: &str) -> usize {
        self.db().execute(sql, []).unwrap()
    }

    /// A copy of everything, to be put back.
    fn copy(&self) -> Copy {
        let db = self.db();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        Copy { ledger: fs::read(self.file()).unwrap(), head: fs::read(self.head()).unwrap() }
    }

    fn put_back(&self, copy: &Copy) {
        for side in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.data.path().join(format!("{LEDGER_FILE}{side}")));
        }
        fs::write(self.file(), &copy.ledger).unwrap();
        fs::write(self.head(), &copy.head).unwrap();
    }
}

struct Copy {
    ledger: Vec<u8>,
    head: Vec<u8>,
}

struct Still {
    writer: Writer,
    recorder: Recorder,
}

impl Still {
    /// Records these and puts them on disk; seals what is due.
    fn record(&mut self, exchanges: impl IntoIterator<Item = Exchange>) {
        exchanges.into_iter().for_each(|exchange| self.recorder.record(exchange));
        while self.writer.flush() {}
        self.writer.seal();
        assert_eq!(self.recorder.health().last_error, None);
    }
}

/// Whether these bytes are anywhere in the files of a folder.
fn holds(dir: &Path, needle: &[u8]) -> bool {
    let files = fs::read_dir(dir).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(needle.len()).any(|part| part == needle))
}
