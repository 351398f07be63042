//! The data folder: who may write in it, and what the writing server says about itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use pilothouse_core::clock::UnixMs;
use serde::{Deserialize, Serialize};

use crate::LEDGER_FILE;
use crate::error::StoreError;

const LOCK_FILE: &str = "ledger.lock";
const SERVER_FILE: &str = "server.json";

/// What a running server says about itself, in `server.json` of its data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Its process id.
    pub pid: u32,
    /// Where it listens, such as `http://127.0.0.1:4141`.
    pub url: String,
    /// When it started, in milliseconds since 1970.
    pub started: UnixMs,
}

impl ServerInfo {
    /// Writes it into the data folder, whole or not at all.
    ///
    /// # Errors
    /// The operating system's refusal, with the file's path.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(SERVER_FILE);
        let fresh = dir.join("server.json.new");
        let write = || -> io::Result<()> {
            let mut file =
                private(OpenOptions::new().write(true).create(true).truncate(true)).open(&fresh)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|cause| StoreError::failed(&path, "write", cause))
    }

    /// The server that writes to this folder now. `None` when there is none: a file that a dead server left
    /// behind does not count, because the lock that it held is free.
    ///
    /// # Errors
    /// The operating system's refusal, or a file that is not a server's.
    pub fn read(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(SERVER_FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(StoreError::failed(&path, "read", cause)),
        };
        if !Lock::is_held(dir) {
            return Ok(None);
        }
        serde_json::from_slice(&text).map(Some).map_err(|cause| StoreError::failed(&path, "read", cause))
    }

    /// Removes it, when the server ends. No error if it is not there.
    ///
    /// # Errors
    /// The operating system's refusal, with the file's path.
    pub fn remove(dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(SERVER_FILE);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::failed(&path, "remove", cause))
            }
            _ => Ok(()),
        }
    }
}

/// What a data folder shows of a ledger, without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// The ledger is there.
    Present,
    /// A server has recorded here, and its ledger is gone.
    Lost,
    /// Nobody has recorded here.
    Absent,
}

impl Trace {
    /// What the data folder `dir` shows. A file that exists but cannot be looked at counts as present: opening
    /// it tells what is wrong.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        match fs::metadata(dir.join(LEDGER_FILE)) {
            Ok(metadata) if metadata.len() > 0 => Self::Present,
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Self::Present
            }
            // The lock's file stays for good: it was made by the first server that recorded here.
            _ if dir.join(LOCK_FILE).exists() => Self::Lost,
            _ => Self::Absent,
        }
    }
}

/// The right to write in a data folder; given up when dropped, and by the system when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(LOCK_FILE);
        let failed = |cause: io::Error| StoreError::failed(&path, "lock", cause);
        let file = private(OpenOptions::new().write(true).create(true)).open(&path).map_err(failed)?;
        // A command that asks whether a server runs holds the lock for a moment: try more than once.
        for attempt in 0..5 {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if attempt < 4 => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(cause)) => return Err(failed(cause)),
            }
        }
        let server = ServerInfo::read(dir).unwrap_or(None);
        Err(StoreError::Busy { dir: dir.to_owned(), server })
    }

    /// Whether some process holds the right to write in this folder.
    fn is_held(dir: &Path) -> bool {
        let Ok(file) = File::open(dir.join(LOCK_FILE)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// Makes the data folder, for its owner only, unless it is there.
pub(crate) fn make(dir: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|cause| StoreError::failed(dir, "make the folder", cause))
}

/// Makes the ledger's file, for its owner only, unless it is there. SQLite gives its side files the same mode.
pub(crate) fn make_file(path: &Path) -> Result<(), StoreError> {
    private(OpenOptions::new().append(true).create(true))
        .open(path)
        .map(drop)
        .map_err(|cause| StoreError::failed(path, "make", cause))
}

pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
