//! A look at the folder beside the server that has just started, on a thread of its own.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use pilothouse_catalog::day;
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::scan::glance;

/// How long it may take. What is not found by then is not told.
const PATIENCE: Duration = Duration::from_secs(2);

/// A look that may be going on.
pub(super) struct Glance(Option<Receiver<String>>);

impl Glance {
    /// Begins to look at the folder in which the program runs. Where no thread can be had there is no look.
    pub(super) fn begin(now: UnixMs) -> Self {
        let (found, line) = sync_channel(1);
        let until = Instant::now() + PATIENCE;
        let look = move || {
            if let Some(line) = glance::look(Path::new("."), &day::of(now), &|| Instant::now() >= until) {
                // Nobody waits any more when the server has stopped meanwhile.
                let _ = found.send(line);
            }
        };
        let thread = std::thread::Builder::new().name("glance".into()).spawn(look);
        Self(thread.is_ok().then_some(line))
    }

    /// Tells what was found, once.
    pub(super) fn tell(&mut self, out: &mut dyn Write) {
        let Some(line) = &self.0 else { return };
        match line.try_recv() {
            Err(TryRecvError::Empty) => return,
            // A terminal that is gone is no reason to stop serving.
            Ok(line) => drop(writeln!(out, "  note   {line}").and_then(|()| out.flush())),
            Err(TryRecvError::Disconnected) => {}
        }
        self.0 = None;
    }
}
