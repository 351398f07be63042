//! Keeps an access token fresh: fetched before it is needed again, swapped whole, never waited for while one is valid.
//!
//! A task fetches; calls only look. It starts with the first call that wants a token, because a provider that nobody
//! calls needs none, and ends with its configuration. The time of day decides what is valid, not the timer: a machine
//! that slept finds its token expired, as its issuer does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::{Error, Kind};
use pilothouse_upstream::{Client, Origin};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::grant::{Fetched, Grant, GrantError};
use crate::shared::Shared;

/// A token is replaced this long before it expires, and up to half as much earlier, so that replicas do not ask at once.
const MARGIN_MS: u64 = 60_000;
/// A token is not used in its last moments: the call must arrive before it expires.
const LAST_MOMENTS_MS: u64 = 2_000;
/// A token that was refused is replaced at once only when it is older than this: a younger one was not refused for its age.
const YOUNG_MS: u64 = 30_000;
/// How long a call waits for a token.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Longest sleep of the task: a machine that slept, or a clock that was set, is noticed after it.
const SLEEP_MAX: Duration = Duration::from_secs(30);
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The access tokens of one provider. Dropping it ends the task that fetches them.
pub struct Tokens {
    keeper: Arc<Keeper>,
    /// Which grant they are of: equal for the same one in another configuration.
    fingerprint: [u8; 32],
    _end: DropGuard,
}

/// What the task and the calls share.
struct Keeper {
    provider: Arc<str>,
    grant: Grant,
    origin: Origin,
    current: ArcSwapOption<Token>,
    /// Counts the ends of fetches, good and bad.
    fetches: watch::Sender<u64>,
    /// Why the last fetch failed.
    failed: Mutex<Option<GrantError>>,
    /// A token is wanted now.
    wanted: Notify,
    /// The current token was refused.
    is_refused: AtomicBool,
    is_running: AtomicBool,
    end: CancellationToken,
}

struct Token {
    header: HeaderValue,
    fetched_at: UnixMs,
    replaced_at: UnixMs,
    expires_at: UnixMs,
}

impl Token {
    fn new(fetched: Fetched, now: UnixMs, chance: u64) -> Self {
        let life = fetched.life_seconds * 1000;
        // Of a short life, half: there would be no time left to use it.
        let margin = (MARGIN_MS + chance % (MARGIN_MS / 2)).min(life / 2);
        Self {
            header: fetched.header,
            fetched_at: now,
            replaced_at: UnixMs(now.0 + life - margin),
            expires_at: UnixMs(now.0 + life.saturating_sub(LAST_MOMENTS_MS.min(life / 4))),
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Tokens({:?})", self.keeper.grant)
    }
}

impl Tokens {
    /// The tokens of a provider; none is fetched yet.
    #[must_use]
    pub fn new(provider: Arc<str>, grant: Grant, origin: Origin) -> Self {
        let fingerprint = grant.fingerprint();
        let end = CancellationToken::new();
        let keeper = Keeper {
            provider,
            grant,
            origin,
            current: ArcSwapOption::empty(),
            fetches: watch::Sender::new(0),
            failed: Mutex::new(None),
            wanted: Notify::new(),
            is_refused: AtomicBool::new(false),
            is_running: AtomicBool::new(false),
            end: end.clone(),
        };
        Self { keeper: Arc::new(keeper), fingerprint, _end: end.drop_guard() }
    }

    /// Takes over the token of an earlier configuration, where it is of the same grant.
    pub fn inherit(&self, earlier: &Self) {
        if self.fingerprint == earlier.fingerprint {
            self.keeper.current.store(earlier.keeper.current.load_full());
        }
    }

    /// The header that authorises a call now. Waits only where there is no valid token.
    ///
    /// # Errors
    /// When none came in time, with the reason.
    pub async fn header(&self, shared: &Arc<Shared>) -> Result<HeaderValue, Error> {
        let keeper = &self.keeper;
        keeper.run(shared);
        match keeper.ready(shared.clock.now()) {
            Some(header) => Ok(header),
            // Boxed: waiting is rare, and every call's future would carry its room.
            None => Box::pin(keeper.wait(shared, |keeper| keeper.ready(shared.clock.now()))).await,
        }
    }

    /// Another header than `refused`, which the vendor did not take; `None` where there is none: the token was fresh, or
    /// no other came in time.
    pub async fn instead_of(&self, refused: &HeaderValue, shared: &Arc<Shared>) -> Option<HeaderValue> {
        let keeper = &self.keeper;
        let now = shared.clock.now();
        let other = |keeper: &Keeper| keeper.ready(now).filter(|header| header != refused);
        if let Some(header) = other(keeper) {
            return Some(header);
        }
        let is_young =
            keeper.current.load().as_ref().is_some_and(|token| now.0 < token.fetched_at.0 + YOUNG_MS);
        if is_young {
            return None;
        }
        keeper.is_refused.store(true, Ordering::SeqCst);
        Box::pin(keeper.wait(shared, other)).await.ok()
    }
}

impl Keeper {
    /// The header of the current token, where it is valid. Asks for another where it is time.
    fn ready(&self, now: UnixMs) -> Option<HeaderValue> {
        let current = self.current.load();
        let token = current.as_ref().filter(|token| now < token.expires_at)?;
        if now >= token.replaced_at {
            self.wanted.notify_one();
        }
        Some(token.header.clone())
    }

    /// Waits until `look` finds a header, or a fetch fails for good.
    async fn wait(
        &self,
        shared: &Arc<Shared>,
        look: impl Fn(&Self) -> Option<HeaderValue>,
    ) -> Result<HeaderValue, Error> {
        let mut fetches = self.fetches.subscribe();
        self.wanted.notify_one();
        let waited = timeout(WAIT_MAX, async {
            loop {
                if let Some(header) = look(self) {
                    return Some(header);
                }
                // A refusal stands until the task, which goes on asking, has better news: nobody waits for that.
                let is_refused = self.failure().is_some_and(|error| error.is_final);
                if is_refused || fetches.changed().await.is_err() {
                    return None;
                }
            }
        });
        let found = tokio::select! {
            found = waited => found.ok().flatten(),
            () = shared.drain.ended() => None,
        };
        found.ok_or_else(|| self.error())
    }

    fn failure(&self) -> Option<GrantError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn error(&self) -> Error {
        let (kind, why) = match self.failure() {
            None => (Kind::Timeout, "none came in time".to_owned()),
            Some(GrantError { why, is_final: true }) => (Kind::Vendor, why),
            Some(GrantError { why, is_final: false }) => (Kind::ConnectFailed, why),
        };
        let (name, how) = (&self.provider, self.grant.words());
        let next = "`pilothouse check` shows where its credentials come from";
        Error::new(kind, format!("`{name}` {how}, but got none: {why}; {next}"))
    }

    /// Starts the task, once.
    fn run(self: &Arc<Self>, shared: &Arc<Shared>) {
        if self.is_running.load(Ordering::Relaxed) || self.is_running.swap(true, Ordering::SeqCst) {
            return;
        }
        let (keeper, shared_too) = (Arc::clone(self), Arc::clone(shared));
        shared.tasks.spawn(async move {
            tokio::select! {
                () = keeper.keep(&shared_too) => {}
                () = keeper.end.cancelled() => {}
                () = shared_too.drain.ended() => {}
            }
        });
    }

    /// Fetches whenever it is time, for ever.
    async fn keep(&self, shared: &Shared) {
        // A client of its own: those of the workers belong to their threads.
        let client = Client::new();
        let mut pause = PAUSE_FIRST;
        loop {
            let left = self.time_left(shared.clock.now());
            if !left.is_zero() {
                tokio::select! {
                    () = self.wanted.notified() => {}
                    () = tokio::time::sleep(left.min(SLEEP_MAX)) => {}
                }
                continue;
            }
            let now = shared.clock.now();
            let fetched = self.grant.fetch(&client, &self.origin, now).await;
            let failed = match fetched {
                Ok(fetched) => {
                    self.current.store(Some(Arc::new(Token::new(fetched, now, shared.chance()))));
                    self.is_refused.store(false, Ordering::SeqCst);
                    None
                }
                Err(error) => Some(error),
            };
            let is_failed = failed.is_some();
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
            self.fetches.send_modify(|count| *count += 1);
            if is_failed {
                let jitter = shared.chance() % 512;
                tokio::time::sleep(pause.mul_f64(0.5 + jitter as f64 / 1024.0)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            } else {
                pause = PAUSE_FIRST;
            }
        }
    }

    /// Until the next fetch is due.
    fn time_left(&self, now: UnixMs) -> Duration {
        let current = self.current.load();
        match &*current {
            Some(token) if !self.is_refused.load(Ordering::SeqCst) => {
                Duration::from_millis(token.replaced_at.0.saturating_sub(now.0))
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(life_seconds: u64, chance: u64) -> Token {
        let fetched = Fetched { header: HeaderValue::from_static("Bearer t"), life_seconds };
        Token::new(fetched, UnixMs(1_000_000), chance)
    }

    #[test]
    fn a_token_is_replaced_a_minute_and_some_before_it_expires() {
        for (chance, earlier) in [(0, 0), (29_999, 29_999), (30_000, 0)] {
            let token = token(3600, chance);
            assert_eq!(token.replaced_at.0, 1_000_000 + 3_600_000 - 60_000 - earlier);
            assert_eq!(token.expires_at.0, 1_000_000 + 3_600_000 - 2_000);
        }
    }

    #[test]
    fn a_short_life_leaves_time_to_use_the_token() {
        let token = token(4, 12_345);
        assert_eq!((token.replaced_at.0, token.expires_at.0), (1_002_000, 1_003_000));
    }
}
