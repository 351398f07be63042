//! Hedging: while the first target keeps silent for longer than it usually does, a second one is asked, within a purse.
//!
//! Whichever speaks first has its answer passed on, and the other call is cancelled. The second call is made as any other:
//! its limits, its reservation and its target's rules are asked; what is new is only that it must also be paid out of the
//! purse before it starts.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::future::{Either, select};
use pilothouse_core::exchange::Note;
use pilothouse_routing::hedge::{Hedge, Silence};
use pilothouse_wire::head::Head;
use pilothouse_wire::needs;
use tokio::time::Instant;

use super::choose::{Choice, Order};
use super::govern;
use super::onward::{Onward, Tried};
use super::read::Asked;
use super::turn::try_enter;
use super::{Answer, Around};
use crate::config::After;
use crate::endpoints::Call;
use crate::job::{Job, Racing};
use crate::plan::Hedging;

/// What came of a call that might be hedged.
pub(super) enum Raced {
    /// Something to pass on.
    Answer(Answer),
    /// Nothing: the job of the first call, and what is known of the second one, where it was made.
    Lost { job: Job, hedge: Option<Box<Failed>> },
}

/// A second call that failed.
pub(super) struct Failed {
    /// The target's place in the order.
    pub(super) nth: usize,
    /// What the client would be told, were nobody left to ask.
    answer: Answer,
    racing: Racing,
}

impl Failed {
    /// Passes its error on, where nobody else is left.
    pub(super) fn into_answer(self, job: Job) -> Answer {
        self.racing.race.won_by_hedge();
        job.gives_up();
        self.answer
    }
}

/// What a call on a route that hedges is made with.
pub(super) struct Race<'a> {
    pub(super) around: &'a super::Around<'a>,
    pub(super) order: &'a Order,
    pub(super) hedging: &'a Hedging,
    pub(super) racing: Racing,
    /// The place of the first call's target in the order.
    pub(super) nth: usize,
}

/// A second call, ready to be made.
struct Second {
    nth: usize,
    choice: Choice,
    job: Job,
}

impl<'a> Race<'a> {
    /// A race for a call that may be hedged: on a route that does, while another target is left.
    pub(super) fn of(
        around: &'a Around<'a>,
        order: &'a Order,
        nth: usize,
        asked: &Asked<'_>,
        job: &mut Job,
    ) -> Option<Box<Self>> {
        let hedging = order.route.as_ref()?.hedging.as_ref()?;
        let has_other = nth < order.rest.len();
        if !has_other || around.call != Call::Chat || job.is_racing() {
            return None;
        }
        // Between a tool's call and its result, two models must not act.
        let head = Head::over(&asked.body, &asked.members);
        if needs::is_in_tool_loop(around.dialect, &head) {
            return None;
        }
        Some(Box::new(Self { around, order, hedging, racing: job.races()?, nth }))
    }

    /// Asks the first target, and a second one when that is late.
    pub(super) async fn run(
        self: Box<Self>,
        asked: &mut Asked<'_>,
        choice: &Choice,
        onward: &Onward,
        job: Job,
    ) -> Raced {
        let mut again = asked.again();
        let began = Instant::now();
        let late = self.late_after(choice, asked.is_stream);
        let mut first = pin!(self.around.attempt(asked, choice, onward, job));
        let Some(late) = late else { return self.alone(first.await, choice) };
        if let Ok(tried) = tokio::time::timeout_at(began + late, first.as_mut()).await {
            return self.alone(tried, choice);
        }
        let prepared = {
            // The first call goes on while the second one is prepared.
            let preparing = pin!(self.second(&again, began, late));
            match select(first.as_mut(), preparing).await {
                Either::Left((tried, _)) => Err(tried),
                Either::Right((second, _)) => Ok(second),
            }
        };
        let second = match prepared {
            Err(tried) => return self.alone(tried, choice),
            Ok(None) => return self.alone(first.await, choice),
            Ok(Some(second)) => second,
        };
        let Second { nth, choice: other, job } = second;
        let onward = onward.for_hedge();
        let second = pin!(self.around.attempt(&mut again, &other, &onward, job));
        match both(first, second, &self.racing).await {
            Ok(answer) => {
                self.goes_to(if self.racing.race.is_won_by_hedge() { &other } else { choice });
                Raced::Answer(answer)
            }
            Err((job, answer)) => {
                let job = job.watches_on(&self.racing.race);
                let hedge =
                    answer.map(|answer| Box::new(Failed { nth, answer: *answer, racing: self.racing }));
                Raced::Lost { job, hedge }
            }
        }
    }

    /// What came of a call that stayed the only one.
    fn alone(&self, tried: Tried, choice: &Choice) -> Raced {
        match tried {
            Ok(answer) => {
                self.goes_to(choice);
                Raced::Answer(answer)
            }
            Err(job) => Raced::Lost { job: job.watches_on(&self.racing.race), hedge: None },
        }
    }

    /// Tells whoever keeps the answer whose it is, before the client reads any of it.
    fn goes_to(&self, choice: &Choice) {
        let target = choice.resolution.target.used(choice.surface_dialect());
        self.racing.race.goes_to(self.around.dialect, target);
    }

    /// How long the first target may keep silent; `None` while it is not known how long it usually does.
    fn late_after(&self, choice: &Choice, is_stream: bool) -> Option<Duration> {
        let health = &choice.resolution.target.health;
        let usual_us = match (self.hedging.after, is_stream) {
            (After::Fixed(after), _) => return Some(after),
            (After::P95, true) => health.first_token_p95_us(),
            // An answer that is no stream comes at once, with its last word.
            (After::P95, false) => health.total_p95_us(),
        };
        usual_us.map(Duration::from_micros)
    }

    /// Prepares a second call, where somebody can take it and it can be paid.
    async fn second(&self, asked: &Asked<'_>, began: Instant, late: Duration) -> Option<Second> {
        let mut why = Hedge::NoTarget;
        for (nth, (choice, _)) in self.order.each().enumerate().skip(self.nth + 1) {
            match self.prepare(nth, choice, asked, began, late).await {
                Ok(second) => return Some(second),
                Err(Hedge::NoTarget) => {}
                Err(refused) => why = refused,
            }
        }
        self.hedging.purse.denied.fetch_add(1, Relaxed);
        let waited = began.elapsed().as_millis();
        let words = match why {
            Hedge::TooDear => "the hedging purse cannot pay a second call",
            _ => "no other target can take it now",
        };
        self.racing.race.noted(Note::new("no-hedge", &format!("{waited} ms without a word; {words}")));
        None
    }

    async fn prepare(
        &self,
        nth: usize,
        choice: &Choice,
        asked: &Asked<'_>,
        began: Instant,
        late: Duration,
    ) -> Result<Second, Hedge> {
        let Around { worker, dialect, .. } = *self.around;
        let shared = &worker.shared;
        let Ok(places) = try_enter(choice) else { return Err(Hedge::NoTarget) };
        let most = govern::most(shared, dialect, asked, choice);
        let purse = &self.hedging.purse;
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let silence = Silence {
            waited_us: micros(began.elapsed().max(late)),
            first_token_p95_us: Some(micros(late)),
            is_in_tool_loop: false,
            has_other_target: true,
            reserve: most.as_ref().map(|most| most.cost),
        };
        let mut job = self.racing.hedge();
        if job.turns_to(choice, true).is_err() {
            job.dissolves();
            return Err(Hedge::NoTarget);
        }
        let (reserved, most) = match (purse.bucket.ask(&silence), most) {
            (Hedge::Go { reserved }, Some(most)) => (reserved, most),
            (refused, _) => {
                job.dissolves();
                return Err(refused);
            }
        };
        let capped = choice.capped(most.cap);
        // From here on, whatever becomes of the call gives back what it did not cost: it may be dropped while it waits.
        self.racing.race.staked(purse, reserved, most.input_tokens);
        let cap = match govern::reserve(shared, dialect, asked, &capped, &mut job).await {
            Ok(cap) => cap,
            Err(_) => {
                self.racing.race.unstaked();
                job.dissolves();
                return Err(Hedge::TooDear);
            }
        };
        job.takes(places);
        let detail = format!(
            "{} asked after {} ms without a word, with ${reserved} of the hedging purse",
            choice.name(),
            began.elapsed().as_millis()
        );
        self.racing.race.noted(Note::new("hedge", &detail));
        Ok(Second { nth, choice: capped.capped(cap), job })
    }
}

/// Waits for the first of two calls that has something to pass on. The other one is cancelled by being dropped.
///
/// # Errors
/// The first call's job, and what the second one would have told the client, where both failed.
async fn both(
    mut first: std::pin::Pin<&mut impl Future<Output = Tried>>,
    mut second: std::pin::Pin<&mut impl Future<Output = Tried>>,
    racing: &Racing,
) -> Result<Answer, (Job, Option<Box<Answer>>)> {
    let (failed, kept) = match select(first.as_mut(), second.as_mut()).await {
        Either::Left((Ok(answer), _)) => return Ok(answer),
        Either::Left((Err(job), _)) => (Some(job), None),
        Either::Right((tried, _)) => (None, Some(tried)),
    };
    match (failed, kept) {
        // The first one has failed: the second one is all there is.
        (Some(job), _) => match heard(second.await) {
            Ok(answer) => {
                racing.race.won_by_hedge();
                job.gives_up();
                Ok(answer)
            }
            Err(answer) => Err((job, answer)),
        },
        (None, Some(tried)) => match heard(tried) {
            Ok(answer) => {
                racing.race.won_by_hedge();
                Ok(answer)
            }
            // A hedge that fails is no loss: the first one may yet speak.
            Err(answer) => first.await.map_err(|job| (job, answer)),
        },
        (None, None) => first.await.map_err(|job| (job, None)),
    }
}

/// The answer of a second call, where it is one.
fn heard(tried: Tried) -> Result<Answer, Option<Box<Answer>>> {
    match tried {
        Ok(answer) if answer.status().is_success() => Ok(answer),
        Ok(refusal) => Err(Some(Box::new(refusal))),
        Err(job) => {
            job.gives_up();
            Err(None)
        }
    }
}
