//! What was answered before: the same request gets the same answer, without a vendor.

mod capture;
mod embedding;
mod identity;
mod meaning;
mod replay;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use pilothouse_cache::answers::Found;
use pilothouse_cache::control::Control;
use pilothouse_cache::flight::{Joined, Landed, Lead};
use pilothouse_cache::key::Key;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind, Retry};

use super::read::Asked;
use super::refuse::{SHOULD_RETRY, recorded};
use super::{Answer, govern};
use crate::bodies::Watch;
use crate::cache::{Kept, Landing, Recalled};
use crate::endpoints::Call;
use crate::plan::{CacheTerms, Plan, PlanCache};
use crate::shared::Worker;

use capture::Capture;
use identity::Identity;
use meaning::Wanted;

/// Tells the client what the cache had for its request.
const CACHE: HeaderName = HeaderName::from_static("x-pilothouse-cache");
/// How long a request waits for an equal one that is under way; then it goes its own way.
const FOLLOW_MAX: Duration = Duration::from_secs(120);

/// A request that may be answered by the cache.
struct Recall<'a> {
    worker: &'a Arc<Worker>,
    plan: &'a Arc<Plan>,
    cache: &'a PlanCache,
    dialect: Dialect,
    call: Call,
    terms: Arc<CacheTerms>,
    control: Control,
    identity: Identity,
    key: Key,
}

/// Answers from the cache, or takes what is asked to its answer, and keeps that.
pub(super) async fn exchange(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    cache: &PlanCache,
    dialect: Dialect,
    call: Call,
    asked: &mut Asked<'_>,
) -> Answer {
    let route = plan.route(asked.called());
    let terms = match route {
        Some(route) => route.cache.as_ref(),
        None => cache.defaults.as_ref(),
    };
    let Some(terms) = terms.filter(|_| call == Call::Chat || call.embeds()) else {
        return super::exchange(worker, plan, dialect, call, asked).await;
    };
    let told = asked.headers.get_all(header::CACHE_CONTROL);
    let control = Control::read(told.iter().filter_map(|value| value.to_str().ok()));
    let at = worker.shared.clock.now();
    let identity = Identity::of(plan, cache, terms, dialect, call, asked, at).filter(|_| !control.no_store);
    let Some(identity) = identity else {
        worker.shared.cache.count(Recalled::Bypass);
        if control.only_if_cached {
            return nothing_kept(worker, dialect, asked);
        }
        return marked(super::exchange(worker, plan, dialect, call, asked).await, Recalled::Bypass);
    };
    let (terms, key) = (Arc::clone(terms), identity.exact());
    let recall = Recall { worker, plan, cache, dialect, call, terms, control, identity, key };
    recall.answer(asked).await
}

impl Recall<'_> {
    async fn answer(&self, asked: &mut Asked<'_>) -> Answer {
        let shared = &self.worker.shared;
        let is_exact = self.terms.exact_ms.is_some();
        if let Some(found) = self.found(asked) {
            return self.replay(asked, &found, Recalled::Hit);
        }
        if self.control.only_if_cached {
            shared.cache.count(Recalled::Miss);
            return nothing_kept(self.worker, self.dialect, asked);
        }
        if !is_exact || !self.control.may_recall() {
            return self.ask(asked, None).await;
        }
        let lead = match shared.cache.flights.join(self.key) {
            Joined::Leads(lead) => Some(lead),
            Joined::Apart => None,
            Joined::Follows(follow) => match tokio::time::timeout(self.patience(asked), follow).await {
                Ok(Landed::Answered((kept, recalled))) if self.may_have(asked, &kept) => {
                    shared.cache.followed();
                    let found = Found { value: kept, age_ms: 0, left_ms: 0 };
                    return self.replay(asked, &found, recalled);
                }
                Ok(Landed::Leads(lead)) => Some(lead),
                Ok(Landed::Answered(_) | Landed::Apart) | Err(_) => None,
            },
        };
        self.ask(asked, lead).await
    }

    /// How long it waits for an equal request.
    fn patience(&self, asked: &Asked<'_>) -> Duration {
        let deadline = match self.plan.route(asked.called()) {
            Some(route) => route.deadline,
            None => self.plan.deadline(),
        };
        deadline.map_or(FOLLOW_MAX, |deadline| deadline.min(FOLLOW_MAX))
    }

    /// What is kept for the request and may be given to who asks.
    fn found(&self, asked: &Asked<'_>) -> Option<Found<Kept>> {
        if !self.control.may_recall() {
            return None;
        }
        let shared = &self.worker.shared;
        let found = shared.cache.answers.get(&self.key, shared.clock.now())?;
        good_for(found, self.terms.exact_ms?).filter(|found| self.fits(asked, found))
    }

    /// Whether a kept answer is what the client wants and may have.
    fn fits(&self, asked: &Asked<'_>, found: &Found<Kept>) -> bool {
        self.control.fits(found.age_ms, found.left_ms) && self.may_have(asked, &found.value)
    }

    /// Whether the caller's key may call what made the answer: keys of one team may differ in that.
    fn may_have(&self, asked: &Asked<'_>, kept: &Kept) -> bool {
        let Some(key) = &asked.holder else { return true };
        let target = kept.made.target.as_ref();
        let name = target.map(|target| format!("{}/{}", target.vendor, target.model));
        asked.held_back(asked.called()).is_none() || name.is_some_and(|name| key.terms.allows(&name))
    }

    /// Answers by meaning, or takes what is asked to its answer, which is kept.
    async fn ask(&self, asked: &mut Asked<'_>, lead: Option<Lead<Landing>>) -> Answer {
        let &Self { worker, plan, dialect, call, .. } = self;
        let semantic =
            self.terms.semantic.as_ref().filter(|_| self.control.may_recall() && call == Call::Chat);
        let wanted = semantic
            .and_then(|terms| Wanted::of(worker, plan, self.cache, terms, dialect, &self.identity, asked));
        let mut looked = None;
        let serves = wanted.as_ref().is_some_and(Wanted::serves);
        if let Some(wanted) = wanted.as_ref().filter(|_| serves) {
            looked = wanted.look().await;
            let found = looked.as_ref().and_then(|looked| looked.found.as_ref());
            if let Some(found) = found.filter(|found| self.fits(asked, found) && wanted.gives()) {
                if let Some(lead) = lead {
                    lead.land(Some(&(Arc::clone(&found.value), Recalled::SemanticHit)));
                }
                return self.replay(asked, found, Recalled::SemanticHit);
            }
        }
        let recalled = if self.control.may_recall() { Recalled::Miss } else { Recalled::Bypass };
        worker.shared.cache.count(recalled);
        let mut capture = self.capture(asked, lead);
        let asking = super::exchange(worker, plan, dialect, call, asked);
        let answer = match &wanted {
            // Nobody waits for what is only observed: the vendor is asked at the same time.
            Some(wanted) if !serves => {
                let (answer, found) = futures_util::future::join(asking, wanted.look()).await;
                looked = found;
                answer
            }
            _ => asking.await,
        };
        // The model was told that a run is in its last turn, which no other request is.
        // Nor is an answer good for others that somebody else gave while this one's target was tried without.
        let is_without = asked.retirement.get().is_some_and(|retirement| retirement.is_without);
        capture.is_for_once = asked.is_last_turn || is_without;
        capture.learning = wanted.and_then(|wanted| wanted.learns(looked));
        marked(capture.wrap(answer), recalled)
    }

    /// What keeps the answer, once it is there.
    fn capture(&self, asked: &mut Asked<'_>, lead: Option<Lead<Landing>>) -> Capture {
        let shared = &self.worker.shared;
        let watch = Arc::clone(asked.watch.get_or_insert_with(Arc::<Watch>::default));
        watch.wants_made();
        Capture {
            shared: Arc::clone(shared),
            watch,
            key: self.key,
            name: asked.called().into(),
            ttl_ms: self.terms.exact_ms.unwrap_or_default(),
            is_stream: asked.is_stream,
            embeds: self.call.embeds(),
            lead,
            is_for_once: false,
            learning: None,
            room: shared.cache.answers.answer_max(),
        }
    }

    fn replay(&self, asked: &mut Asked<'_>, found: &Found<Kept>, recalled: Recalled) -> Answer {
        self.worker.shared.cache.count(recalled);
        replay::replay(self.worker, self.plan, self.dialect, asked, found, recalled)
    }
}

/// A kept answer, where it is not older than that: what is kept for long may be good for one use and not for another.
fn good_for(found: Found<Kept>, ttl_ms: u64) -> Option<Found<Kept>> {
    let left_ms = ttl_ms.checked_sub(found.age_ms).filter(|left| *left > 0)?;
    Some(Found { left_ms: left_ms.min(found.left_ms), ..found })
}

/// Says what the cache had for a request.
fn marked(mut answer: Answer, recalled: Recalled) -> Answer {
    answer.headers_mut().insert(CACHE, HeaderValue::from_static(recalled.as_str()));
    answer
}

/// The answer to who wants nothing but what is kept, where nothing is: 504, as RFC 9111 has it in section 5.2.1.7.
fn nothing_kept(worker: &Worker, dialect: Dialect, asked: &mut Asked<'_>) -> Answer {
    let public = "nothing that fits is kept for this request, and `only-if-cached` forbids to ask a vendor; send it without";
    let error = Error { retry: Retry::Never, ..Error::new(Kind::Timeout, public) };
    let mut answer = recorded(worker, dialect, asked, error);
    answer.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    marked(answer, Recalled::Miss)
}
