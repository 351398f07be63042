//! The conversation behind a handshake: bytes both ways until one side ends it.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use memchr::memmem;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Outcome;
use pilothouse_upstream::Tunnel;
use pilothouse_wire::facts::Facts;
use pilothouse_wire::facts::other::{self, Told};
use pilothouse_wire::frames::{self, Frames};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;

use crate::drain::Place;
use crate::job::Job;
use crate::pipeline::pass::price;

/// Bytes that are on their way in one direction at most.
const BUFFER: usize = 16 * 1024;
/// The client has this long to take its connection over.
const UPGRADE_TIME: Duration = Duration::from_secs(30);
/// A connection on which nothing moves for so long is dead: both sides' libraries ping more often.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// When one side has ended, the other has this long for its last words.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// "Going away" (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// A conversation that is about to begin.
pub(super) struct Session {
    job: Job,
    vendor: Arc<str>,
    /// One for each direction.
    places: [Place; 2],
}

/// How one direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Its sender has ended it.
    Closed,
    /// Its sender broke off.
    Broken,
    /// The reader is gone.
    Unheard,
    /// We are being stopped.
    Stopped,
}

/// When something last moved, in milliseconds since the beginning.
struct Pulse {
    began: Instant,
    last_ms: AtomicU64,
}

impl Pulse {
    fn beat(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now, Relaxed);
    }

    /// Ready when nothing has moved for too long.
    async fn stops(&self) {
        loop {
            let due = self.began + Duration::from_millis(self.last_ms.load(Relaxed)) + IDLE_MAX;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

/// What was heard of the vendor.
#[derive(Default)]
struct Heard {
    told: Told,
    bytes: usize,
    first_us: Option<u64>,
}

impl Heard {
    fn message(&mut self, text: &[u8], elapsed_us: impl FnOnce() -> u64) {
        if self.first_us.is_none() && memmem::find(text, b".delta\"").is_some() {
            self.first_us = Some(elapsed_us());
        }
        if memmem::find(text, b"\"response.done\"").is_none() {
            return;
        }
        let Some(told) = other::read(text).filter(|told| told.event.as_deref() == Some("response.done"))
        else {
            return;
        };
        let Some(usage) = told.usage else { return };
        let all = &mut self.told;
        all.usage = Some(all.usage.unwrap_or_default().plus(&usage));
        all.input_image += told.input_image;
        all.output_image += told.output_image;
        all.cached_other += told.cached_other;
    }
}

impl Session {
    pub(super) const fn new(job: Job, vendor: Arc<str>, places: [Place; 2]) -> Self {
        Self { job, vendor, places }
    }

    /// Carries the conversation to its end, and records it.
    pub(super) async fn run(self, upgrade: OnUpgrade, tunnel: Tunnel) {
        let Self { job, vendor, places: [up_place, down_place] } = self;
        // A client that goes away before it has its connection has cancelled.
        let Ok(Ok(upgraded)) = tokio::time::timeout(UPGRADE_TIME, upgrade).await else { return };
        let (mut from_client, mut to_client) = tokio::io::split(TokioIo::new(upgraded));
        let (mut from_vendor, mut to_vendor) = tokio::io::split(tunnel);
        let pulse = Pulse { began: Instant::now(), last_ms: AtomicU64::new(0) };
        let mut heard = Heard::default();
        let before_us = job.elapsed_us();
        let elapsed = || before_us + u64::try_from(pulse.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mask = [0x50, 0x69, 0x6c, 0x6f];
        let last = frames::close(GOING_AWAY, Some(mask));
        let mut up =
            Box::pin(pump(&mut from_client, &mut to_vendor, &up_place, &pulse, last, |frames, bytes| {
                // Masked: where they end is all that is known.
                frames.push(bytes, |_| {});
            }));
        let last = frames::close(GOING_AWAY, None);
        let hear = |frames: &mut Frames, bytes: &[u8]| {
            heard.bytes += bytes.len();
            frames.push(bytes, |text| heard.message(text, elapsed));
        };
        let mut down = Box::pin(pump(&mut from_vendor, &mut to_client, &down_place, &pulse, last, hear));
        let ended = tokio::select! {
            end = &mut up => {
                let _ = tokio::time::timeout(LAST_WORDS, &mut down).await;
                of_client(end)
            }
            end = &mut down => {
                let _ = tokio::time::timeout(LAST_WORDS, &mut up).await;
                of_vendor(end, &vendor)
            }
            () = pulse.stops() => Err(silent(&vendor)),
        };
        drop((up, down));
        record(job, heard, ended);
    }
}

/// Carries one direction. What passes is shown to `see`, which pushes it through the frames.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    place: &Place,
    pulse: &Pulse,
    last: Vec<u8>,
    mut see: impl FnMut(&mut Frames, &[u8]),
) -> End {
    let mut frames = Frames::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        let stopped = poll_fn(|cx| if place.poll_is_over(cx) { Poll::Ready(()) } else { Poll::Pending });
        let read = tokio::select! {
            biased;
            // Only between two frames may another one stand.
            () = stopped, if frames.is_between() => {
                let _ = to.write_all(&last).await;
                let _ = to.shutdown().await;
                return End::Stopped;
            }
            read = from.read(&mut buffer) => read,
        };
        let bytes = match read {
            Ok(0) => {
                let _ = to.shutdown().await;
                return End::Closed;
            }
            Ok(count) => &buffer[..count],
            Err(_) => {
                let _ = to.shutdown().await;
                return End::Broken;
            }
        };
        pulse.beat();
        see(&mut frames, bytes);
        if to.write_all(bytes).await.is_err() || to.flush().await.is_err() {
            return End::Unheard;
        }
    }
}

/// What the end of the client's direction means.
fn of_client(end: End) -> Result<Outcome, Error> {
    match end {
        // Whoever hangs up has said what it had to say, and the vendor that hears no more has ended too.
        End::Closed | End::Unheard => Ok(Outcome::Complete),
        End::Broken => Ok(Outcome::Cancelled),
        End::Stopped => Err(stopping()),
    }
}

/// What the end of the vendor's direction means.
fn of_vendor(end: End, vendor: &str) -> Result<Outcome, Error> {
    match end {
        End::Closed => Ok(Outcome::Complete),
        End::Unheard => Ok(Outcome::Cancelled),
        End::Broken => {
            Err(Error::new(Kind::Cut, format!("the connection to `{vendor}` broke off; connect again")))
        }
        End::Stopped => Err(stopping()),
    }
}

fn stopping() -> Error {
    Error::new(
        Kind::Overloaded,
        "the gateway is being stopped and this conversation's time is up; connect again",
    )
}

fn silent(vendor: &str) -> Error {
    Error::new(Kind::Timeout, format!("nothing passed between the client and `{vendor}` for ten minutes"))
}

fn record(mut job: Job, heard: Heard, ended: Result<Outcome, Error>) {
    let mut told = heard.told;
    job.gave(heard.bytes);
    if let Some(first_us) = heard.first_us {
        job.note(|exchange| exchange.timings.first_token_us = Some(first_us));
    }
    price(&mut told, false, &mut job);
    let facts = Facts { usage: told.usage, ..Facts::default() };
    match ended {
        Ok(outcome) => job.finish(outcome, facts),
        Err(error) => job.fail(&error, 101, facts),
    }
}
