//! Calling the target: attempts, backoff, credentials.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;
use pilothouse_upstream::{Failure, Head, Phase, Request};
use pilothouse_wire::codec::kind_of_status;
use pilothouse_wire::headers;

use super::authorise::{authorise, renew};
use super::choose::Choice;
use crate::endpoints::Call;
use crate::job::Tells;
use crate::plan::{Live, Provider, Surface};
use crate::shared::Worker;

/// Longest pause that a vendor may ask for before another attempt of ours; beyond it the client decides.
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// The receipt's words for it. It is no attempt: the vendor had closed the connection before it read the request.
const REPLACED: &str = "the vendor had closed a kept connection; the request went over a fresh one";
const PAUSE_FIRST: Duration = Duration::from_millis(200);

/// What is sent.
pub(super) struct Outgoing<'a> {
    pub(super) call: Call,
    /// What follows the prepared path in this call; see [`Choice::tail`].
    pub(super) tail: &'a str,
    pub(super) extra: &'a [(HeaderName, HeaderValue)],
    /// The body, in pieces that follow each other.
    pub(super) body: &'a [&'a [u8]],
    /// Attempts that the client's SDK has made already.
    pub(super) sdk_retries: u32,
    /// Further attempts after the first, where the provider does not decide.
    pub(super) retries: Option<u32>,
    /// They are bounded by a share of the target's load besides: on a route, others can take the call.
    pub(super) is_on_route: bool,
}

/// Sends a call until an attempt brings something to pass on: an answer, or an error that another attempt
/// would not mend. Each failed attempt is in the receipt.
pub(super) async fn send(
    worker: &Worker,
    choice: &Choice,
    outgoing: &Outgoing<'_>,
    job: &mut impl Tells,
) -> Result<pilothouse_upstream::Answer, Error> {
    let provider = choice.provider();
    let surface =
        choice.surface().ok_or_else(|| Error::new(Kind::Internal, "the provider has no way to be called"))?;
    // The SDK's retries and ours must not multiply: what it has spent, we do not spend again.
    let mut retries = outgoing.retries.unwrap_or(provider.retries).saturating_sub(outgoing.sdk_retries);
    let mut tried = Tried::default();
    let mut pause = PAUSE_FIRST;
    let keep = match outgoing.call {
        Call::Pass(_) => headers::passes_down_with_files,
        Call::Embeddings | Call::EmbeddingsBatch => headers::passes_down_with_tokens,
        _ => headers::passes_down,
    };
    loop {
        let credential = provider.credential();
        let (head, live) = prepared(surface, credential, outgoing.call).ok_or_else(|| {
            Error::bad_request("model", format!("`{}` does not have this call", provider.name))
        })?;
        let mut request = Request { head, tail: outgoing.tail, extra: outgoing.extra, body: outgoing.body };
        let authorised = match live {
            None => None,
            // Boxed: few providers ask for it, and every exchange's future would carry its room.
            Some(live) => Some(Box::pin(authorise(live, &surface.origin, &request, &worker.shared)).await?),
        };
        request.extra = authorised.as_deref().unwrap_or(outgoing.extra);
        job.sent();
        let mut stale = 0;
        let sent = worker.client.send(&surface.origin, &request, keep, &mut stale).await;
        if stale > 0 {
            job.noted(Note::new("replace:connection", REPLACED));
        }
        let asked_pause = match sent {
            Ok(answer) => {
                let status = answer.status;
                if tried.goes_on(worker, provider, credential, status, live.zip(authorised.as_deref())).await
                {
                    job.attempt_failed(Kind::Vendor, Some(status.as_u16()));
                    continue;
                }
                if !is_worth_repeating(status) || retries == 0 || !may_repeat(worker, choice, outgoing) {
                    return Ok(answer);
                }
                let asked = asked_pause(&answer.headers);
                if asked.is_some_and(|asked| asked > PAUSE_MAX) {
                    return Ok(answer);
                }
                job.attempt_failed(kind_of_status(status.as_u16(), ""), Some(status.as_u16()));
                asked
            }
            Err(failure) => {
                let is_safe = is_safe_to_repeat(provider, &failure);
                if retries == 0 || !is_safe || !may_repeat(worker, choice, outgoing) {
                    return Err(failure.into_error(&provider.name));
                }
                job.attempt_failed(failure.kind(), None);
                None
            }
        };
        retries -= 1;
        // Boxed: a timer inside would make every exchange's future larger, and this is rare.
        let pause_now = jittered(worker, pause).max(asked_pause.unwrap_or_default());
        Box::pin(tokio::time::sleep(pause_now)).await;
        pause *= 2;
    }
}

/// Whether the target's budget of retries has one left: a vendor in trouble is not asked by everybody again.
fn may_repeat(worker: &Worker, choice: &Choice, outgoing: &Outgoing<'_>) -> bool {
    let is_bounded = outgoing.is_on_route && choice.provider().has_breaker;
    !is_bounded || choice.resolution.target.health.retries.take(worker.shared.clock.now())
}

/// The credentials that were refused in one call.
#[derive(Default)]
struct Tried {
    refused: usize,
    is_renewed: bool,
}

impl Tried {
    /// Whether a call that came back with `status` goes on with another credential. `made` is the one that was made for
    /// the attempt: a token may be taken back before its time, and is replaced once; of several keys each is tried.
    async fn goes_on(
        &mut self,
        worker: &Worker,
        provider: &Provider,
        credential: usize,
        status: StatusCode,
        made: Option<(&Live, &[(HeaderName, HeaderValue)])>,
    ) -> bool {
        if status == StatusCode::UNAUTHORIZED
            && let (Some((live, refused)), false) = (made, self.is_renewed)
        {
            self.is_renewed = true;
            return Box::pin(renew(live, refused, &worker.shared)).await.is_some();
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            && self.refused + 1 < provider.credentials()
            && provider.next_credential(credential)
        {
            self.refused += 1;
            return true;
        }
        false
    }
}

/// Between half and all of a pause, so that clients do not come back in step.
fn jittered(worker: &Worker, pause: Duration) -> Duration {
    let jitter = worker.shared.chance() % 512;
    pause.mul_f64(0.5 + jitter as f64 / 1024.0)
}

/// The prepared head of a call, and what makes its credential where that is made call by call.
fn prepared(surface: &Surface, credential: usize, call: Call) -> Option<(&Head, Option<&Live>)> {
    let heads = surface.credentials.get(credential)?;
    Some((heads.get(call)?, heads.live.as_ref()))
}

/// Whether a call that failed on the way may be sent again.
fn is_safe_to_repeat(provider: &Provider, failure: &Failure) -> bool {
    failure.is_safe_to_retry()
        || (provider.retry_after_timeout && *failure == Failure::Timeout(Phase::FirstByte))
}

/// Statuses after which the same request may succeed soon.
fn is_worth_repeating(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 529)
}

/// The pause that a vendor asks for.
pub(super) fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|millis| millis / 1000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}
