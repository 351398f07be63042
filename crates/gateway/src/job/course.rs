//! The course of an exchange over a route's targets: who was chosen, how each does, where the conversation then is.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Fault, Kind};
use pilothouse_core::exchange::{Exchange, Note, Outcome};
use pilothouse_core::usage::{Bill, Provenance};
use pilothouse_core::written::Said;
use pilothouse_routing::affinity::{Identity, Scope};
use pilothouse_routing::health::Absence;
use pilothouse_routing::{CallInFlight, Ended, Held, TargetId};
use smallvec::SmallVec;

use super::Job;
use crate::pipeline::Choice;
use crate::plan::{Hedging, Resolution};

/// Vendors keep no prefix in their caches that is shorter than this
/// (<https://platform.openai.com/docs/guides/prompt-caching>,
/// <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>, read 2026-11-23).
const CACHED_TOKENS_MIN: u64 = 1_024;

/// What a job on a route carries besides.
pub(super) struct Course {
    /// What the next turn of the conversation will be known by.
    marks: SmallVec<[u64; 2]>,
    /// Bytes of the request's text, where it holds nothing else.
    text_bytes: Option<u64>,
    /// The call under way.
    call: Option<CallInFlight>,
    /// When it began, in microseconds after the exchange's start.
    began_us: u64,
    /// Where what it cost pays for hedges.
    hedging: Option<Hedging>,
}

impl Course {
    /// The same for another call of the exchange, which pays for no hedges.
    pub(super) fn again(&self) -> Self {
        let marks = self.marks.clone();
        Self { marks, text_bytes: self.text_bytes, call: None, began_us: 0, hedging: None }
    }

    /// When its call began, in microseconds after the exchange's start.
    pub(super) const fn began_us(&self) -> u64 {
        self.began_us
    }
}

impl Job {
    /// A route has chosen.
    pub(crate) fn routed(
        &mut self,
        chosen: Box<Said>,
        marks: SmallVec<[u64; 2]>,
        text_bytes: Option<u64>,
        hedging: Option<Hedging>,
    ) {
        self.receipt(|receipt| receipt.chosen = Some(chosen));
        self.course = Some(Box::new(Course { marks, text_bytes, call: None, began_us: 0, hedging }));
    }

    /// Turns to a target of the route.
    ///
    /// # Errors
    /// The milliseconds for which its breaker still lets nothing pass.
    pub(crate) fn turns_to(&mut self, choice: &Choice, is_on_route: bool) -> Result<(), u64> {
        if !is_on_route {
            return Ok(());
        }
        let now = self.shared.clock.now();
        let target = &choice.resolution.target;
        let credential = u32::try_from(target.provider.credential()).unwrap_or(u32::MAX);
        let stones = &target.health.tombstones;
        target.health.retries.called();
        let began = if stones.may_call(credential, now) {
            target.health.begin(now)
        } else {
            Err(stones.buried_ms(credential, now).unwrap_or_default())
        };
        let now_us = self.elapsed_us();
        let Some(course) = &mut self.course else { return Ok(()) };
        course.began_us = now_us;
        let (call, result) = match began {
            Ok(call) => (Some(call), Ok(())),
            Err(rests_ms) => (None, Err(rests_ms)),
        };
        course.call = call;
        result
    }

    /// A target is passed over, for that reason.
    pub(crate) fn passed_over(&mut self, choice: &Choice, why: &str) {
        self.turns_away();
        self.noted(Note::new("pass-over", &format!("{} {why}", choice.name())));
    }

    /// The target that it turned to is not called after all.
    pub(crate) fn turns_away(&mut self) {
        self.leaves();
        if let Some(course) = &mut self.course {
            course.call = None;
        }
    }

    /// Another call to the same target begins, where its breaker lets it.
    pub(super) fn begins_again(&mut self) {
        let now = self.shared.clock.now();
        let call = self.resolution.as_ref().and_then(|resolution| resolution.target.health.begin(now).ok());
        self.turn_begins();
        if let Some(course) = &mut self.course {
            course.call = call;
        }
    }

    /// The call begins now: until then it has waited for a place.
    pub(crate) fn turn_begins(&mut self) {
        let now_us = self.elapsed_us();
        if let Some(course) = &mut self.course {
            course.began_us = now_us;
        }
    }

    /// The first model output of the call under way has come.
    pub(super) fn target_spoke(&mut self, now_us: u64) {
        let now = self.shared.clock.now();
        if let Some(course) = &mut self.course
            && let Some(call) = &mut course.call
        {
            call.first_token(now, now_us.saturating_sub(course.began_us));
        }
    }

    /// The call under way has failed.
    pub(crate) fn target_failed(&mut self, kind: Kind, status: Option<u16>, retry_after_ms: Option<u64>) {
        let now = self.shared.clock.now();
        self.bury(kind, status);
        if let Some(call) = self.course.as_mut().and_then(|course| course.call.take()) {
            call.end(now, ended_by(kind, status, retry_after_ms));
        }
    }

    /// An answer has ended that is not passed on: what it tells of its target is learned all the same.
    pub(super) fn answer_ends(&mut self, outcome: Outcome, own: &Bill) {
        let (now, now_us) = (self.shared.clock.now(), self.elapsed_us());
        let Some(course) = &mut self.course else { return };
        let Some(call) = course.call.take() else { return };
        let ended = match outcome {
            Outcome::Complete => Ended::Answered {
                total_us: now_us.saturating_sub(course.began_us),
                output_tokens: own.usage.output_total(),
            },
            Outcome::Cancelled => Ended::Cancelled,
            Outcome::Failed(kind) => ended_by(kind, None, None),
        };
        call.end(now, ended);
        let expected = self.resolution.as_ref().and_then(|resolution| resolution.output.as_ref());
        if let (Some(expected), Provenance::Reported) = (expected, own.provenance) {
            expected.learn(own.usage.output_total());
        }
    }

    /// What a job beside this one carries.
    pub(super) fn course_beside(&self) -> Option<Box<Course>> {
        let course = self.course.as_ref()?;
        Some(Box::new(Course {
            marks: SmallVec::new(),
            text_bytes: course.text_bytes,
            call: None,
            began_us: course.began_us,
            hedging: None,
        }))
    }

    /// A vendor that says it does not have the model is not asked for it, for a while.
    fn bury(&self, kind: Kind, status: Option<u16>) {
        let Some(target) = self.resolution.as_ref().map(|resolution| &resolution.target) else { return };
        if let Some(absence) = absence(kind, status, target.provider.credential())
            && target.provider.has_breaker
        {
            target.health.tombstones.absent(absence, self.shared.clock.now());
        }
    }

    /// The target that was chosen is gone.
    pub(crate) fn is_gone(&mut self, status: u16, said: &str) {
        let resolution = self.resolution.clone();
        if let Some(resolution) = &resolution {
            self.shared.ends.says_gone(&resolution.target, status, said, self.shared.clock.now());
        }
        let gone = &mut self.rare().gone;
        if gone.is_none() {
            *gone = resolution;
        }
    }

    /// The first model that was gone, on the way.
    pub(crate) fn gone(&self) -> Option<&Arc<Resolution>> {
        self.rare.as_ref()?.gone.as_ref()
    }

    /// Whether the catalogue knows that the target's model ends.
    pub(crate) fn is_known_to_end(&self) -> bool {
        let now = self.shared.clock.now();
        self.resolution.as_ref().is_some_and(|resolution| resolution.target.is_known_to_end(now))
    }

    /// The exchange has ended: its target's health is told, and where the conversation is.
    pub(super) fn course_ends(&mut self, exchange: &Exchange, own: &Bill, now: UnixMs) {
        let Some(mut course) = self.course.take() else { return };
        if let (Some(hedging), Some(cost)) = (&course.hedging, exchange.bill.cost.known()) {
            hedging.purse.bucket.fill(cost, hedging.share_parts);
        }
        let Some(call) = course.call.take() else { return };
        let usage = &own.usage;
        let ended = match exchange.outcome {
            Outcome::Complete => Ended::Answered {
                total_us: exchange.timings.total_us.saturating_sub(course.began_us),
                output_tokens: usage.output_total(),
            },
            Outcome::Cancelled => Ended::Cancelled,
            Outcome::Failed(kind) => {
                ended_by(kind, Some(exchange.status).filter(|status| *status != 200), None)
            }
        };
        call.end(now, ended);
        if let Outcome::Failed(kind) = exchange.outcome {
            self.bury(kind, Some(exchange.status));
        }
        if exchange.outcome != Outcome::Complete {
            return;
        }
        if let Some(known) = self.resolution.as_ref().map(|resolution| &resolution.target) {
            let credential = u32::try_from(known.provider.credential()).unwrap_or(u32::MAX);
            known.health.tombstones.present(credential);
            if let Some(expected) = self.resolution.as_ref().and_then(|resolution| resolution.output.as_ref())
                && own.provenance == Provenance::Reported
            {
                expected.learn(usage.output_total());
            }
            if let (Some(bytes), Provenance::Reported) = (course.text_bytes, own.provenance) {
                known.health.calibration.learn(now, bytes, usage.input_total());
            }
        }
        let Some(target) = &exchange.target else { return };
        let input_tokens = usage.input_total();
        let held = Held {
            target: TargetId::of_parts(&target.vendor, &target.model),
            cached_tokens: if input_tokens >= CACHED_TOKENS_MIN { input_tokens } else { 0 },
            is_in_tool_loop: false,
        };
        for mark in &course.marks {
            self.shared.conversations.store(*mark, held, now);
        }
        if let (Dialect::OpenaiResponses, Some(id)) = (exchange.client_dialect, &exchange.answer.id) {
            let scope = Scope {
                seed: self.shared.seed(),
                key: &exchange.caller.key,
                end_user: exchange.caller.end_user.as_deref(),
                route: &exchange.asked,
            };
            self.shared.conversations.store(Identity::Vendor(id).digest(&scope), held, now);
        }
    }
}

/// What a refusal tells of whether the vendor has the model.
fn absence(kind: Kind, status: Option<u16>, credential: usize) -> Option<Absence> {
    match (kind, status) {
        (_, Some(410)) => Some(Absence::Gone),
        (Kind::Gone, _) | (_, Some(404)) => {
            Some(Absence::NotFound { credential: u32::try_from(credential).unwrap_or(u32::MAX) })
        }
        _ => None,
    }
}

/// What a failure tells of the target.
fn ended_by(kind: Kind, status: Option<u16>, retry_after_ms: Option<u64>) -> Ended {
    match (kind, status) {
        (Kind::RateLimited, _) => Ended::Limited { retry_after_ms },
        // The credential or the account is ours, and the next call would fare no better.
        (_, Some(401..=403)) => Ended::Failed,
        (Kind::Vendor, Some(400..=499)) => Ended::Refused,
        (Kind::Gone | Kind::TooLarge, _) => Ended::Refused,
        (kind, _) if kind.fault() == Fault::Upstream => Ended::Failed,
        _ => Ended::Refused,
    }
}
