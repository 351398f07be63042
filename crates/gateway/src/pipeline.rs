//! The life of an exchange, one phase after the other.

mod admit;
mod attempt;
mod authorise;
mod branch;
mod cascade;
mod choose;
mod continued;
mod count;
mod embed;
mod features;
mod fit;
mod gone;
mod govern;
mod hedge;
mod onward;
mod pass;
mod read;
mod realtime;
mod recall;
mod refuse;
mod relay;
mod resume;
mod retire;
mod translate;
mod turn;
mod vertex;

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response};
use hyper::body::Incoming;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind, Retry};
use pilothouse_core::exchange::Note;
use pilothouse_wire::dialects::holds_foreign_reasoning;
use pilothouse_wire::path::PathCall;

use crate::answer::AnswerBody;
use crate::bodies::BodiesMode;
use crate::endpoints::Call;
use crate::job::Job;
use crate::plan::{Plan, Resolution};
use crate::shared::Worker;
use crate::told::Told;

use onward::Onward;
use read::Asked;

pub use admit::{admit, admit_operator};
pub(crate) use admit::{admit_key, credential};
pub(crate) use authorise::authorise;
use choose::may_call;
pub(crate) use choose::{Choice, outputs as expected_outputs};
pub(crate) use features::{TOKENS_PER_MEDIUM, Told as ToldOfRequest};
pub(crate) use govern::{known_cost, no_money};
pub(crate) use onward::is_of_target;
pub(crate) use pass::{Passing, Settling, pass};
pub(crate) use pilothouse_wire::codec::error_codec;
pub(crate) use read::{end_user, hops};
pub(crate) use realtime::realtime;
pub use refuse::{plain_error, refusal};
pub(crate) use relay::{WHOLE_MAX, passing_headers};
pub(crate) use resume::{Coming, RESUMPTIONS_MAX, Source};
pub(crate) use retire::{Drawing, Retirement, Told as ToldOfDraw, answer_mark, words as brownout_in_words};
pub(crate) use turn::Places;

pub(crate) const EXCHANGE: HeaderName = HeaderName::from_static("x-pilothouse-exchange");
pub(crate) const CHANGED: HeaderName = HeaderName::from_static("x-pilothouse-changed");
pub(crate) const ESTIMATE: HeaderName = HeaderName::from_static("x-pilothouse-estimate");
pub(crate) const HOPS: HeaderName = HeaderName::from_static("x-pilothouse-hops");
const CHANGED_MAX: usize = 1000;

/// An answer on its way to the client.
pub type Answer = Response<AnswerBody>;

/// Takes a request through its life. `by_path` is what the path says, in a dialect whose bodies do not name the model.
#[expect(
    clippy::too_many_arguments,
    reason = "the one place where everything that a request brings comes together"
)]
pub async fn run(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    dialect: Dialect,
    call: Call,
    by_path: Option<&PathCall<'_>>,
    told: &Told<'_>,
    body: Incoming,
    is_loopback: bool,
) -> Answer {
    // Who calls: before a byte of the body is read, so that strangers cannot make us hold any.
    let caller = match admit_key(&worker.shared, plan, told, is_loopback) {
        Ok(caller) => caller,
        Err(error) => return refusal(&worker.shared, dialect, &error, None),
    };
    // What is asked: the body whole, because the model's name decides everything and may stand at its end.
    let body = match read::body(worker, plan, told, body).await {
        Ok(body) => body,
        Err(error) => return refusal(&worker.shared, dialect, &error, None),
    };
    let mut asked = match read::asked(dialect, by_path, told, body, caller) {
        Ok(asked) => asked,
        Err(error) => return refusal(&worker.shared, dialect, &error, None),
    };
    asked.keep(&worker.shared, plan.bodies, dialect);
    branch::follow(&worker.shared, plan, dialect, &mut asked);
    let answer = match &plan.cache {
        None => exchange(worker, plan, dialect, call, &mut asked).await,
        // What was answered before: most plans keep nothing, and their exchanges do not carry its room.
        Some(cache) => Box::pin(recall::exchange(worker, plan, cache, dialect, call, &mut asked)).await,
    };
    match asked.keeping.take() {
        Some(keeping) => keeping.wrap(answer),
        None => answer,
    }
}

/// Takes what is asked to its answer.
async fn exchange(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    dialect: Dialect,
    call: Call,
    asked: &mut Asked<'_>,
) -> Answer {
    // Who takes it, and who when they fail.
    let mut order = match choose::choose(&worker.shared, plan, dialect, call, asked) {
        Ok(order) => order,
        Err(error) => return refuse::recorded(worker, dialect, asked, error),
    };
    let asked_for = order.first.resolution.asked.clone();
    let mut job = Job::new(&worker.shared, dialect, std::mem::take(&mut asked.caller), asked_for);
    job.note(|exchange| {
        exchange.streamed = asked.is_stream;
        exchange.request_bytes = asked.body.len() as u64;
        exchange.shape = Some(asked.shape(dialect));
    });
    if let Some(watch) = &asked.watch {
        job.watched_by(watch);
    }
    branch::noted(plan, asked, &mut job);
    job.ends_soon(asked.retirement.get());
    if let Some(chosen) = order.chosen.take() {
        let hedging = order.route.as_ref().and_then(|route| route.hedging.clone());
        job.routed(chosen, std::mem::take(&mut order.marks), order.text_bytes, hedging);
    }
    // Within which limits, and out of whose money.
    let route = order.route.as_ref().map(|route| &*route.name);
    match govern::hold(&worker.shared, plan, &govern::Who::asks(asked), route, &mut job) {
        Ok(is_last_turn) => {
            let on_route = order.route.as_ref().is_none_or(|route| route.tells_last_turn);
            asked.is_last_turn = is_last_turn && on_route;
        }
        Err(error) => return refuse::failed(dialect, job, &error),
    }
    if cascade::may_be_late(&order, call, asked) {
        // Boxed: what must be judged whole while its client waits for a stream is rare.
        return Box::pin(cascade::late(worker, plan, dialect, asked, order, job)).await;
    }
    let around = Around { worker, plan, dialect, call };
    around.done(asked, &mut order, job).await
}

/// What came of a call.
enum Done {
    /// Something to pass on.
    Answer(Answer),
    /// No budget pays it; it is to take this route.
    Downgrade(Box<str>, Job),
    /// Nobody is left to ask.
    Nobody(Job),
}

/// What came of turning to one target.
enum Stepped {
    /// The call has ended.
    Done(Done),
    /// It was asked, and another one is to be asked now.
    Failed(Job),
    /// It was not asked.
    PassedOver(Job),
}

/// What is the same for all attempts of a call.
struct Around<'a> {
    worker: &'a Arc<Worker>,
    plan: &'a Plan,
    dialect: Dialect,
    call: Call,
}

impl Around<'_> {
    /// Takes a call to its answer, whatever it is.
    async fn done(&self, asked: &mut Asked<'_>, order: &mut choose::Order, job: Job) -> Answer {
        let Self { worker, plan, dialect, call } = *self;
        match self.answer(asked, order, job).await {
            Done::Answer(answer) => answer,
            Done::Nobody(job) => {
                refuse::failed(dialect, job, &Error::new(Kind::Internal, "no target is left to ask"))
            }
            Done::Downgrade(route, mut job) => {
                // A budget's word for calls that it cannot pay: another route, once.
                asked.model = route.into();
                branch::follow(&worker.shared, plan, dialect, asked);
                let mut order = match choose::choose(&worker.shared, plan, dialect, call, asked) {
                    Ok(order) => order,
                    Err(error) => return refuse::failed(dialect, job, &error),
                };
                job.noted(Note::new("downgrade", &asked.model));
                match Box::pin(self.answer(asked, &mut order, job)).await {
                    Done::Answer(answer) => answer,
                    Done::Downgrade(_, job) | Done::Nobody(job) => {
                        let public = "no budget can pay this call, nor the route that it was to take instead";
                        let error = Error { retry: Retry::Never, ..Error::new(Kind::RateLimited, public) };
                        refuse::failed(dialect, job, &error)
                    }
                }
            }
        }
    }

    /// Asks cheaply first, where the order says so; else one target after the other.
    async fn answer(&self, asked: &mut Asked<'_>, order: &mut choose::Order, mut job: Job) -> Done {
        // One place on the route, however many answers are made for it.
        let onward = Onward::of(order, self.plan);
        order.until = onward.deadline;
        if let Err(error) = turn::enter_route(order, asked, &onward, &mut job).await {
            return Done::Answer(refuse::failed(self.dialect, job, &error));
        }
        match order.cascade.take() {
            None => self.attempts(asked, order, job).await,
            // Boxed: most routes are no cascades, and every exchange's future would carry its room.
            Some(parts) => Box::pin(cascade::cascade(self, asked, order, parts, job)).await,
        }
    }

    /// Asks one target after the other, until there is something to pass on: before that, a failure is invisible.
    async fn attempts(&self, asked: &mut Asked<'_>, order: &choose::Order, mut job: Job) -> Done {
        let onward = Onward::of(order, self.plan);
        let (mut failed, mut hedged) = (0, None::<Box<hedge::Failed>>);
        for (nth, (choice, left)) in order.each().enumerate() {
            if hedged.as_ref().is_some_and(|hedged| hedged.nth == nth) {
                continue;
            }
            // Behind the last one stands what follows a model that is gone, where that is allowed.
            let left = left + usize::from(self.may_succeed(order, &job));
            let step = turn::Step { order, nth, left, failed };
            let onward = Onward { may_follow: self.may_be_followed(order, choice), ..onward };
            match self.step(asked, step, choice, &onward, &mut hedged, job).await {
                Stepped::Done(done) => return done,
                Stepped::Failed(lost) => {
                    failed += 1;
                    job = lost;
                    job.tries_again();
                }
                Stepped::PassedOver(passed) => job = passed,
            }
        }
        if let Some(hedged) = hedged {
            return Done::Answer(hedged.into_answer(job));
        }
        // Where somebody else asks those that are left, nothing is final yet.
        if let Some(gone) = job.gone().filter(|_| order.spare == 0).cloned() {
            let step = turn::Step { order, nth: order.rest.len() + 1, left: 0, failed };
            return Box::pin(self.follow(asked, step, &gone, &onward, job)).await;
        }
        Done::Nobody(job)
    }

    /// Turns to one target: room, money, the call.
    async fn step(
        &self,
        asked: &mut Asked<'_>,
        step: turn::Step<'_>,
        choice: &Choice,
        onward: &Onward,
        hedged: &mut Option<Box<hedge::Failed>>,
        mut job: Job,
    ) -> Stepped {
        let (shared, dialect) = (&self.worker.shared, self.dialect);
        // Whether it rests, or has no room.
        match turn::turn_to(shared, step, choice, asked, onward, &mut job).await {
            Ok(true) => {}
            Ok(false) => return Stepped::PassedOver(job),
            Err(error) => return Stepped::Done(Done::Answer(refuse::failed(dialect, job, &error))),
        }
        let capped;
        let mut choice = choice;
        let reserved = match self.call {
            // Counting costs nothing.
            Call::CountTokens => Ok(None),
            _ => govern::reserve(shared, dialect, asked, choice, &mut job).await,
        };
        match reserved {
            Ok(None) => {}
            Ok(cap) => {
                capped = choice.capped(cap);
                choice = &capped;
            }
            Err(refused) if step.left > 0 => {
                job.turns_away();
                job.noted(Note::new("pass-over", &refused.error.public));
                return Stepped::PassedOver(job);
            }
            Err(govern::NoMoney { downgrade: Some(route), .. }) => {
                return Stepped::Done(Done::Downgrade(route, job));
            }
            Err(refused) => {
                return Stepped::Done(Done::Answer(refuse::failed(dialect, job, &refused.error)));
            }
        }
        let onward = onward.before(step.left, step.order);
        match hedge::Race::of(self, step.order, step.nth, asked, &mut job) {
            None => match self.attempt(asked, choice, &onward, job).await {
                Ok(answer) => Stepped::Done(Done::Answer(answer)),
                Err(lost) => Stepped::Failed(lost),
            },
            // Boxed: two calls at once are larger than one, and few routes make them.
            Some(race) => match Box::pin(race.run(asked, choice, &onward, job)).await {
                hedge::Raced::Answer(answer) => Stepped::Done(Done::Answer(answer)),
                hedge::Raced::Lost { job, hedge } => {
                    *hedged = hedge;
                    Stepped::Failed(job)
                }
            },
        }
    }

    /// Asks what follows a model that is gone, or tells the client.
    async fn follow(
        &self,
        asked: &mut Asked<'_>,
        step: turn::Step<'_>,
        gone: &Arc<Resolution>,
        onward: &Onward,
        mut job: Job,
    ) -> Done {
        let dialect = self.dialect;
        let choice = match self.after_gone(asked, step.order, gone, &mut job) {
            Ok(choice) => choice,
            Err(error) => return Done::Answer(refuse::failed(dialect, job, &error)),
        };
        // Whatever comes of it is told as it is: there is no third generation.
        let onward = Onward { minds_gone: false, ..*onward };
        match self.step(asked, step, &choice, &onward, &mut None, job).await {
            Stepped::Done(done) => done,
            Stepped::Failed(job) | Stepped::PassedOver(job) => {
                let error = Error::new(Kind::Internal, "no target is left to ask");
                Done::Answer(refuse::failed(dialect, job, &error))
            }
        }
    }

    /// Asks one target.
    async fn attempt(
        &self,
        asked: &mut Asked<'_>,
        choice: &Choice,
        onward: &Onward,
        mut job: Job,
    ) -> onward::Tried {
        let Self { worker, plan, dialect, call } = *self;
        job.chose(&choice.resolution, choice.surface_dialect());
        // What was said before, where it is kept here and the target does not hold it.
        if plan.bodies != BodiesMode::Off && (dialect, call) == (Dialect::OpenaiResponses, Call::Chat) {
            let went_on = Box::pin(continued::go_on(worker, plan, asked, choice, &mut job)).await;
            if let Err(error) = went_on {
                return onward.lost(dialect, job, &error);
            }
        }
        if call == Call::CountTokens && !choice.is_same_dialect {
            return Ok(Box::pin(count::estimate(dialect, asked, choice, job)).await);
        }
        if call.embeds() && !choice.is_same_dialect {
            return Ok(Box::pin(embed::embed(worker, dialect, call, asked, choice, job)).await);
        }
        // Equal dialects: the client's bytes, but for the edits listed. Else, and where the conversation holds reasoning of
        // another vendor, which must not be shown to this one: through the canonical form.
        // So do streams that may have to be continued: only what was understood can be.
        let resumes = || onward.resumes && asked.is_stream && resume::can_resume(choice);
        let is_apart =
            || plan.debug.force_translate || holds_foreign_reasoning(dialect, &asked.body) || resumes();
        if choice.is_same_dialect && !(call == Call::Chat && is_apart()) {
            relay::relay(worker, dialect, call, asked, choice, onward, job).await
        } else {
            // Boxed: the way between dialects is larger than the fast path, which must not carry it.
            Box::pin(translate::translate(worker, dialect, asked, choice, onward, job)).await
        }
    }
}

/// The headers that every answer to an exchange has.
fn stamp(answer: &mut Answer, job: &Job) {
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::from_bytes(&job.id().to_text()) {
        headers.insert(EXCHANGE, id);
    }
    if let Some(changed) = job.changes() {
        headers.insert(CHANGED, changed);
    }
    // What ends is told whoever answers for it; what lives costs nothing here.
    if let Some(life) = job.life() {
        life.stamp(headers);
    }
}

/// The codes of notes with their counts, in at most a kilobyte.
pub(crate) fn changed_header(edits: &[Note], losses: &[Note]) -> Option<HeaderValue> {
    // The usual answer has none, or one whose code stands in the program.
    match (edits, losses) {
        ([], []) => return None,
        ([Note { code: Cow::Borrowed(code), .. }], [])
            if code.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            return Some(HeaderValue::from_static(code));
        }
        _ => {}
    }
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for note in edits.iter().chain(losses) {
        match counted.iter_mut().find(|(code, _)| *code == note.code) {
            Some((_, count)) => *count += 1,
            None => counted.push((&note.code, 1)),
        }
    }
    let mut out = String::new();
    for (index, (code, count)) in counted.iter().enumerate() {
        let item = if *count > 1 { format!("{code}*{count}") } else { (*code).to_owned() };
        if out.len() + item.len() + 2 > CHANGED_MAX {
            out.push_str(&format!(", +{} more", counted.len() - index));
            break;
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&item);
    }
    HeaderValue::from_str(&out).ok()
}
