//! What was answered before: the same request gets the same answer, without a vendor.

mod capture;
mod identity;
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
use crate::cache::{Kept, Recalled};
use crate::endpoints::Call;
use crate::plan::{CacheTerms, Plan, PlanCache};
use crate::shared::Worker;

use capture::Capture;
use identity::Identity;

/// Tells the client what the cache had for its request.
const CACHE: HeaderName = HeaderName::from_static("x-pilothouse-cache");
/// How long a request waits for an equal one that is under way; then it goes its own way.
const FOLLOW_MAX: Duration = Duration::from_secs(120);

/// A request that may be answered by the cache.
struct Recall<'a> {
    worker: &'a Arc<Worker>,
    plan: &'a Arc<Plan>,
    dialect: Dialect,
    call: Call,
    terms: Arc<CacheTerms>,
    control: Control,
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
    let route = plan.route(&asked.model);
    let terms = match route {
        Some(route) => route.cache.as_ref(),
        None => cache.defaults.as_ref(),
    };
    let Some(terms) = terms.filter(|_| call == Call::Chat || call.embeds()) else {
        return super::exchange(worker, plan, dialect, call, asked).await;
    };
    let told = asked.headers.get_all(header::CACHE_CONTROL);
    let control = Control::read(told.iter().filter_map(|value| value.to_str().ok()));
    let identity = Identity::of(cache, terms, dialect, call, asked).filter(|_| !control.no_store);
    let Some(key) = identity.as_ref().map(Identity::exact) else {
        worker.shared.cache.count(Recalled::Bypass);
        if control.only_if_cached {
            return nothing_kept(worker, dialect, asked);
        }
        return marked(super::exchange(worker, plan, dialect, call, asked).await, Recalled::Bypass);
    };
    let recall = Recall { worker, plan, dialect, call, terms: Arc::clone(terms), control, key };
    recall.answer(asked).await
}

impl Recall<'_> {
    async fn answer(&self, asked: &mut Asked<'_>) -> Answer {
        let shared = &self.worker.shared;
        let is_exact = self.terms.exact_ms.is_some();
        if let Some(found) = self.found(asked).filter(|_| is_exact) {
            return self.replay(asked, &found, Recalled::Hit);
        }
        if self.control.only_if_cached {
            shared.cache.count(Recalled::Miss);
            return nothing_kept(self.worker, self.dialect, asked);
        }
        if !is_exact || !self.control.may_recall() {
            let recalled = if self.control.may_recall() { Recalled::Miss } else { Recalled::Bypass };
            return self.ask(asked, None, recalled).await;
        }
        let lead = match shared.cache.flights.join(self.key) {
            Joined::Leads(lead) => Some(lead),
            Joined::Apart => None,
            Joined::Follows(follow) => match tokio::time::timeout(self.patience(asked), follow).await {
                Ok(Landed::Answered(kept)) if self.may_have(asked, &kept) => {
                    shared.cache.followed();
                    let found = Found { value: kept, age_ms: 0, left_ms: 0 };
                    return self.replay(asked, &found, Recalled::Hit);
                }
                Ok(Landed::Leads(lead)) => Some(lead),
                Ok(Landed::Answered(_) | Landed::Apart) | Err(_) => None,
            },
        };
        self.ask(asked, lead, Recalled::Miss).await
    }

    /// How long it waits for an equal request.
    fn patience(&self, asked: &Asked<'_>) -> Duration {
        let deadline = match self.plan.route(&asked.model) {
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
        let fits = self.control.fits(found.age_ms, found.left_ms) && self.may_have(asked, &found.value);
        fits.then_some(found)
    }

    /// Whether the caller's key may call what made the answer: keys of one team may differ in that.
    fn may_have(&self, asked: &Asked<'_>, kept: &Kept) -> bool {
        let Some(key) = &asked.holder else { return true };
        let target = kept.made.target.as_ref();
        let name = target.map(|target| format!("{}/{}", target.vendor, target.model));
        key.terms.allows(&asked.model) || name.is_some_and(|name| key.terms.allows(&name))
    }

    /// Takes what is asked to its answer, which is kept.
    async fn ask(&self, asked: &mut Asked<'_>, lead: Option<Lead<Arc<Kept>>>, recalled: Recalled) -> Answer {
        let Self { worker, plan, dialect, call, .. } = *self;
        worker.shared.cache.count(recalled);
        let watch = Arc::clone(asked.watch.get_or_insert_with(Arc::<Watch>::default));
        watch.wants_made();
        let capture = Capture {
            shared: Arc::clone(&worker.shared),
            watch,
            key: self.key,
            ttl_ms: self.terms.exact_ms.unwrap_or_default(),
            embeds: call.embeds(),
            lead,
            room: worker.shared.cache.answers.answer_max(),
        };
        let answer = super::exchange(worker, plan, dialect, call, asked).await;
        marked(capture.wrap(answer), recalled)
    }

    fn replay(&self, asked: &mut Asked<'_>, found: &Found<Kept>, recalled: Recalled) -> Answer {
        self.worker.shared.cache.count(recalled);
        replay::replay(self.worker, self.plan, self.dialect, asked, found, recalled)
    }
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
