//! A cascade: a cheap answer is judged, and passed on where it will do; else the strong target answers.
//!
//! Every answer is asked for as any other: with its own reservation, its own retries, its own place in the health of its
//! target. A cheap one waits on trial ([`crate::job::Trial`]) until it has been judged as its client would read it, in the
//! client's dialect. What is not passed on is settled, stands in the receipt and in the bill.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::response;
use http::{HeaderValue, Response};
use http_body_util::BodyExt as _;
use pilothouse_core::conversation::{Answer as Canonical, Choice as Alternative, Content, ToolKind};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Finish, Note, Outcome};
use pilothouse_routing::cascade::{Answer as Judged, Escalation, Judge, Verdict};
use pilothouse_wire::codec::assemble::Assembler;
use pilothouse_wire::framing::Framing;

use super::choose::{Choice, Order, Parts};
use super::onward::Onward;
use super::read::Asked;
use super::{Answer, Around, Done, EXCHANGE, WHOLE_MAX, error_codec};
use crate::answer::{AnswerBody, LateBody};
use crate::endpoints::Call;
use crate::job::{Job, Tested, Trial};
use crate::plan::{Cascade, Plan};
use crate::shared::Worker;
use crate::told::{CONVERSATION, RUN};

/// Whether a call's answer is held back although its client waits for a stream.
pub(super) fn may_be_late(order: &Order, call: Call, asked: &Asked<'_>) -> bool {
    asked.is_stream
        && call == Call::Chat
        && order.cascade.is_some()
        && judged_by(order).is_some_and(|cascade| cascade.buffers_streams)
}

fn judged_by(order: &Order) -> Option<&Cascade> {
    order.route.as_ref()?.cascade.as_ref()
}

/// Answers a streamed call whose answer is judged first. What takes longer than a stream of the route is held at most begins
/// without its answer, with signs of life; what fails afterwards is told as an event.
pub(super) async fn late(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    dialect: Dialect,
    asked: &mut Asked<'_>,
    mut order: Order,
    job: Job,
) -> Answer {
    let (id, every) = (job.id(), job.ping_every());
    let patience = order.route.as_ref().map(|route| route.commit_after).unwrap_or_default();
    let (headers, taken) = (asked.headers.clone(), asked.taken());
    let (shared_worker, plan) = (Arc::clone(worker), Arc::clone(plan));
    let mut making = Box::pin(async move {
        let (conversation, run) = (headers.get(CONVERSATION), headers.get(RUN));
        let mut asked = Asked { headers: &headers, conversation, run, ..taken };
        let around = Around { worker: &shared_worker, plan: &plan, dialect, call: Call::Chat };
        let answer = around.done(&mut asked, &mut order, job).await;
        match asked.keeping.take() {
            Some(keeping) => keeping.wrap(answer),
            None => answer,
        }
    });
    if let Ok(answer) = tokio::time::timeout(patience, &mut making).await {
        return answer;
    }
    let place = worker.shared.drain.enter();
    let mut answer = Response::new(AnswerBody::Late(Box::new(LateBody::new(making, every, dialect, place))));
    let head = answer.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(Framing::of(dialect).content_type()));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(id) = HeaderValue::from_bytes(&id.to_text()) {
        head.insert(EXCHANGE, id);
    }
    answer
}

/// Asks the cheap targets of an order first, and the others where their answers will not do.
pub(super) async fn cascade(
    around: &Around<'_>,
    asked: &mut Asked<'_>,
    order: &mut Order,
    parts: Parts,
    mut job: Job,
) -> Done {
    let route = order.route.clone();
    let Some(cascade) = route.as_ref().and_then(|route| route.cascade.as_ref()) else {
        return around.attempts(asked, order, job).await;
    };
    if let Some(why) = unjudgeable(around, asked, cascade, &parts) {
        job.noted(Note::new("cascade:skip", why));
        return around.attempts(asked, order, job).await;
    }
    // One deadline for all answers together.
    order.until = Onward::of(order, around.plan).deadline;
    let mut cheap = match Cheap::ask(around, asked, order, parts.cheap, job).await {
        Asking::Answered(cheap) => cheap,
        Asking::Nobody(mut job) => {
            escalates(&mut job, &Escalation::NoAnswer);
            return around.attempts(asked, order, job).await;
        }
        Asking::Ended(done) => return done,
    };
    if cheap.is_refused() {
        // The request's own mistake, which the strong target would find too.
        return Done::Answer(cheap.pass());
    }
    let verdict = match (cheap.check(&cascade.judge), parts.partner) {
        (Ok(()), Some(partner)) if cascade.judge.wants_partner() => {
            cheap.compare(around, asked, order, partner, &cascade.judge).await
        }
        (checked, _) => checked,
    };
    match verdict {
        Ok(()) => {
            cheap.notes(Note::new("cascade:pass", &passed(&cascade.judge)));
            Done::Answer(cheap.pass())
        }
        Err(because) => {
            let Some(mut job) = cheap.set_aside(&format!("escalated: {because}")) else {
                return Done::Answer(super::refuse::plain_error(around.dialect, &lost(), None));
            };
            escalates(&mut job, &because);
            around.attempts(asked, order, job).await
        }
    }
}

fn lost() -> pilothouse_core::error::Error {
    pilothouse_core::error::Error::new(
        pilothouse_core::error::Kind::Internal,
        "the exchange has ended already",
    )
}

fn escalates(job: &mut Job, because: &Escalation) {
    job.noted(Note::new("cascade:escalate", &because.to_string()));
}

/// Why a call's cheap answer could not be judged, where it could not.
fn unjudgeable(
    around: &Around<'_>,
    asked: &Asked<'_>,
    cascade: &Cascade,
    parts: &Parts,
) -> Option<&'static str> {
    if around.call != Call::Chat {
        return Some("only conversations are answered cheaply first");
    }
    if asked.is_stream && !cascade.buffers_streams {
        return Some(
            "a stream cannot be judged before it is passed on; `buffer = true` in the route's cascade holds it",
        );
    }
    if cascade.judge.wants_partner() && parts.partner.is_none() {
        return Some(
            "there is no second cheap target for this request, with whose answer the first one's could agree",
        );
    }
    None
}

/// What a cheap answer has passed.
fn passed(judge: &Judge) -> String {
    let mut passed: Vec<&str> = judge.checks().collect();
    if judge.wants_partner() {
        passed.push("agreement");
    }
    format!("the cheap answer will do: {}", passed.join(", "))
}

/// What came of asking a cheap target.
enum Asking {
    Answered(Box<Cheap>),
    /// It failed, or could not be asked.
    Nobody(Job),
    /// It ended the call.
    Ended(Done),
}

/// A cheap answer that waits for its verdict.
struct Cheap {
    tested: Tested,
    head: response::Parts,
    body: Bytes,
    dialect: Dialect,
    is_stream: bool,
}

impl Cheap {
    async fn ask(
        around: &Around<'_>,
        asked: &mut Asked<'_>,
        order: &Order,
        choice: Choice,
        mut job: Job,
    ) -> Asking {
        let trial = Arc::new(Trial::default());
        job.goes_on_trial(&trial);
        let answer = match Box::pin(around.attempts(asked, &order.before(choice), job)).await {
            Done::Answer(answer) => answer,
            Done::Nobody(mut job) => {
                job.leaves_trial();
                return Asking::Nobody(job);
            }
            Done::Downgrade(route, mut job) => {
                job.leaves_trial();
                return Asking::Ended(Done::Downgrade(route, job));
            }
        };
        let (head, body) = answer.into_parts();
        let body = drained(body).await;
        match trial.take() {
            Some(tested) => {
                let (dialect, is_stream) = (around.dialect, asked.is_stream);
                Asking::Answered(Box::new(Self { tested, head, body, dialect, is_stream }))
            }
            // Nobody else can have ended it.
            None => Asking::Ended(Done::Answer(Response::from_parts(head, AnswerBody::full(body)))),
        }
    }

    /// Whether the target refused the request for a reason that is the request's own.
    fn is_refused(&self) -> bool {
        !self.head.status.is_success()
    }

    /// The answer as it is judged; none where it is not whole.
    fn read(&self) -> Option<Canonical> {
        if self.tested.outcome() != Outcome::Complete {
            return None;
        }
        match self.is_stream {
            true => streamed(self.dialect, &self.body),
            false => error_codec(self.dialect).decode_answer(&self.body).ok(),
        }
    }

    /// Whether every alternative of the answer passes the checks.
    fn check(&self, judge: &Judge) -> Result<(), Escalation> {
        let answer = self.read().filter(|answer| !answer.choices.is_empty()).ok_or(Escalation::NoAnswer)?;
        answer.choices.iter().map(Seen::of).try_for_each(|seen| judge.check(&seen.judged(&seen.calls())))
    }

    /// Asks a second cheap target, and compares what it says.
    async fn compare(
        &mut self,
        around: &Around<'_>,
        asked: &mut Asked<'_>,
        order: &Order,
        partner: Choice,
        judge: &Judge,
    ) -> Result<(), Escalation> {
        let beside = self.tested.job().and_then(Job::beside).ok_or(Escalation::NoAnswer)?;
        let (verdict, beside) = match Self::ask(around, asked, order, partner, beside).await {
            Asking::Answered(other) => {
                let verdict = self.agrees(&other, judge);
                let why = match &verdict {
                    Ok(()) => "agreed with the answer that was passed on".to_owned(),
                    Err(because) => format!("compared: {because}"),
                };
                (verdict, other.set_aside(&why))
            }
            Asking::Nobody(job) => (Err(Escalation::NoAnswer), Some(job)),
            Asking::Ended(_) => (Err(Escalation::NoAnswer), None),
        };
        if let (Some(job), Some(beside)) = (self.tested.job(), beside) {
            job.joins(beside);
        }
        verdict
    }

    fn agrees(&self, other: &Self, judge: &Judge) -> Result<(), Escalation> {
        let first = |answer: Option<Canonical>| answer?.choices.first().map(Seen::of);
        let (one, other) = (first(self.read()), first(other.read()));
        let (one_calls, other_calls) = (calls_of(one.as_ref()), calls_of(other.as_ref()));
        let one = one.as_ref().map(|seen| seen.judged(&one_calls));
        let other = other.as_ref().map(|seen| seen.judged(&other_calls));
        match judge.judge(one.as_ref(), other.as_ref()) {
            Verdict::Accept => Ok(()),
            Verdict::Escalate { because } => Err(because),
        }
    }

    fn notes(&mut self, note: Note) {
        if let Some(job) = self.tested.job() {
            job.noted(note);
        }
    }

    /// Passes it on as it came: a stream as the events that it was.
    fn pass(self) -> Answer {
        self.tested.pass();
        Response::from_parts(self.head, AnswerBody::full(self.body))
    }

    fn set_aside(self, why: &str) -> Option<Job> {
        self.tested.set_aside(why)
    }
}

/// One alternative of an answer, put together for the judge.
struct Seen {
    text: String,
    finish: Option<Finish>,
    calls: Vec<(String, String)>,
}

impl Seen {
    fn of(choice: &Alternative) -> Self {
        let mut seen = Self { text: String::new(), finish: choice.finish, calls: Vec::new() };
        let mut refusal = choice.refusal.clone();
        for part in &choice.parts {
            match &part.content {
                Content::Text { text, .. } => seen.text.push_str(text),
                Content::Refusal { text } => refusal.get_or_insert_default().push_str(text),
                Content::ToolCall(call) => {
                    let arguments = match call.kind {
                        // Free text is no JSON, and need not be.
                        ToolKind::Custom => serde_json::Value::from(call.arguments.as_str()).to_string(),
                        ToolKind::Function | ToolKind::LegacyFunction => call.arguments.clone(),
                    };
                    seen.calls.push((call.name.to_string(), arguments));
                }
                _ => {}
            }
        }
        if let Some(words) = refusal {
            seen.finish = Some(Finish::Refusal);
            if seen.text.is_empty() {
                seen.text = words;
            }
        }
        seen
    }

    fn calls(&self) -> Vec<(&str, &str)> {
        self.calls.iter().map(|(name, arguments)| (name.as_str(), arguments.as_str())).collect()
    }

    fn judged<'s>(&'s self, calls: &'s [(&'s str, &'s str)]) -> Judged<'s> {
        Judged { text: &self.text, finish: self.finish, tool_calls: calls }
    }
}

fn calls_of(seen: Option<&Seen>) -> Vec<(&str, &str)> {
    seen.map(Seen::calls).unwrap_or_default()
}

/// A body, gathered whole. What is longer than any answer is let go of, and its exchange has then broken off.
async fn drained(mut body: AnswerBody) -> Bytes {
    if let AnswerBody::Full(bytes) = &mut body {
        return bytes.take().unwrap_or_default();
    }
    let mut gathered = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            gathered.extend_from_slice(&data);
        }
        if gathered.len() > WHOLE_MAX {
            break;
        }
    }
    gathered.freeze()
}

/// A stream, put together into the answer that it is.
fn streamed(dialect: Dialect, body: &[u8]) -> Option<Canonical> {
    let framing = Framing::of(dialect);
    let mut decoder = error_codec(dialect).stream_decoder();
    let (mut assembler, mut parts, mut from) = (Assembler::new(WHOLE_MAX), Vec::new(), 0);
    while let Some(end) = framing.find_end(body, from, from).ok()? {
        let event = framing.parse(&body[from..end]).ok()?;
        if event.has_data {
            let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
            decoder.event(name, &event.data, &mut parts).ok()?;
        }
        from = end;
    }
    decoder.finish().ok()?;
    parts.iter().for_each(|part| assembler.part(part));
    assembler.finish()
}
