//! Gathers the bodies of one exchange while it goes on, and hands them over when it has ended.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{AnswerFacts, Exchange, Outcome, TargetUsed};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::usage::Bill;
use pilothouse_store::{BodyRecorder, Kept};
use pilothouse_wire::continued;

use super::BodiesMode;
use crate::answer::{AnswerBody, Tap, TappedBody};
use crate::pipeline::{Answer, EXCHANGE};
use crate::shared::Shared;

/// Most bytes that are kept of one exchange, so that one cannot take the room of all.
const EXCHANGE_BYTES_MAX: u64 = 48 << 20;

/// What the exchange tells while it is made.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    holder: Mutex<Option<Box<str>>>,
    outcome: OnceLock<Outcome>,
    /// Of the last answer that told it: the one that is passed on ends last.
    lost: Mutex<Option<Vec<u8>>>,
    wants_made: AtomicBool,
    made: OnceLock<Made>,
}

/// What came of an exchange, for whoever gives its answer again.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// Its id.
    pub(crate) exchange: ExchangeId,
    /// The name that it resolved under: another one than its client's where a budget sent it elsewhere.
    pub(crate) asked: Arc<str>,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Who answered.
    pub(crate) target: Option<TargetUsed>,
    /// What the answer told.
    pub(crate) answer: AnswerFacts,
    /// What it cost.
    pub(crate) bill: Bill,
    /// The model was told that it was the last turn of its run: no other call is to have that answer.
    pub(crate) was_last_turn: bool,
}

impl Watch {
    /// What the client may lose of the answer and need back.
    pub(crate) fn lost(&self, part: Vec<u8>) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
    }

    /// A target was chosen. A response of its own dialect is held by itself.
    pub(crate) fn chose(&self, exchange: &Exchange) {
        self.goes_to(exchange.client_dialect, exchange.target.as_ref());
    }

    /// This target's answer is the one that the client gets.
    pub(crate) fn goes_to(&self, client: Dialect, target: Option<&TargetUsed>) {
        let is_own = |dialect| dialect == client && dialect == Dialect::OpenaiResponses;
        let holder = target.filter(|target| is_own(target.dialect));
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) =
            holder.map(|target| Box::from(&*target.vendor));
    }

    /// The exchange has ended.
    pub(crate) fn ended(&self, exchange: &Exchange) {
        let _ = self.outcome.set(exchange.outcome);
        if self.wants_made.load(Relaxed) {
            let _ = self.made.set(Made {
                exchange: exchange.id,
                asked: Arc::clone(&exchange.asked),
                outcome: exchange.outcome,
                target: exchange.target.clone(),
                answer: exchange.answer.clone(),
                bill: exchange.bill,
                was_last_turn: exchange.receipt.as_ref().is_some_and(|receipt| {
                    receipt.edits.iter().any(|note| note.code == pilothouse_wire::last_turn::CODE)
                }),
            });
        }
    }

    /// Somebody wants to know what comes of it.
    pub(crate) fn wants_made(&self) {
        self.wants_made.store(true, Relaxed);
    }

    /// What came of it, once it has ended, where somebody wanted to know.
    pub(crate) fn made(&self) -> Option<&Made> {
        self.made.get()
    }
}

/// The bodies of one exchange in the making. Their bytes are reserved; what is dropped without being handed over gives
/// its room back.
pub(crate) struct Keeping {
    recorder: BodyRecorder,
    mode: BodiesMode,
    watch: Arc<Watch>,
    key: Arc<str>,
    end_user: Option<Box<str>>,
    dialect: Dialect,
    is_stream: bool,
    request: Bytes,
    answer: BytesMut,
    reserved: u64,
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.recorder.release(self.reserved);
    }
}

impl Keeping {
    /// Begins to keep an exchange of the caller with that key. `None` where too much is being kept at the moment, which is
    /// counted.
    #[must_use]
    pub(crate) fn begin(
        shared: &Shared,
        mode: BodiesMode,
        dialect: Dialect,
        key: &Arc<str>,
        end_user: Option<&str>,
        is_stream: bool,
        request: &Bytes,
    ) -> Option<Box<Self>> {
        let recorder = shared.bodies.get()?;
        let reserved = request.len() as u64;
        if reserved > EXCHANGE_BYTES_MAX || !recorder.reserve(reserved) {
            recorder.lose(shared.clock.now());
            return None;
        }
        Some(Box::new(Self {
            recorder: recorder.clone(),
            mode,
            watch: Arc::default(),
            key: Arc::clone(key),
            end_user: end_user.map(Into::into),
            dialect,
            is_stream,
            request: request.clone(),
            answer: BytesMut::new(),
            reserved,
        }))
    }

    /// What the exchange tells while it is made.
    pub(crate) const fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// Whether the answer can be gone on from: it is kept whatever becomes of it.
    pub(crate) fn is_for_good(&self) -> bool {
        self.mode == BodiesMode::All
    }

    /// Keeps the answer too: at once where it is whole, else while it passes.
    pub(crate) fn wrap(mut self: Box<Self>, answer: Answer) -> Answer {
        let id = answer.headers().get(EXCHANGE).and_then(|id| id.to_str().ok()?.parse().ok());
        let Some(exchange) = id else { return answer };
        let status = answer.status().as_u16();
        let (head, body) = answer.into_parts();
        if let AnswerBody::Full(bytes) = &body {
            if self.take(bytes.as_deref().unwrap_or_default(), exchange) {
                self.finish(exchange, status);
            }
            return Answer::from_parts(head, body);
        }
        let tap = KeepingTap { keeping: Some(self), exchange, status, is_ending: false };
        Answer::from_parts(head, AnswerBody::Tapped(Box::new(TappedBody::new(body, Box::new(tap)))))
    }

    /// Takes bytes of the answer; false where there is no room, which is counted.
    fn take(&mut self, bytes: &[u8], exchange: ExchangeId) -> bool {
        let bytes_in_all = self.reserved + bytes.len() as u64;
        if bytes_in_all > EXCHANGE_BYTES_MAX || !self.recorder.reserve(bytes.len() as u64) {
            self.recorder.lose(exchange.at());
            return false;
        }
        self.reserved = bytes_in_all;
        self.answer.extend_from_slice(bytes);
        true
    }

    /// Hands over what was gathered, where it is to be kept.
    fn finish(self, exchange: ExchangeId, status: u16) {
        let outcome = self.watch.outcome.get().copied();
        let has_failed = status >= 400 || matches!(outcome, Some(Outcome::Failed(_)));
        if self.mode != BodiesMode::All && !has_failed {
            return;
        }
        let is_whole = !has_failed && outcome == Some(Outcome::Complete);
        let response = (is_whole && self.dialect == Dialect::OpenaiResponses)
            .then(|| continued::response_id(&self.answer, self.is_stream))
            .flatten();
        self.put(exchange, status, is_whole, response);
    }

    fn put(mut self, exchange: ExchangeId, status: u16, is_whole: bool, response: Option<String>) {
        let lost = self.watch.lost.lock().unwrap_or_else(PoisonError::into_inner).take().map(Bytes::from);
        let lost_part = lost.filter(|part| self.recorder.reserve(part.len() as u64)).unwrap_or_default();
        // From here on the store gives the room back.
        self.reserved = 0;
        let holder = self.watch.holder.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.recorder.put(Kept {
            exchange,
            at: exchange.at(),
            key: Arc::clone(&self.key),
            end_user: self.end_user.take(),
            response: response.map(Into::into),
            dialect: self.dialect,
            holder: holder.filter(|_| is_whole),
            status,
            is_stream: self.is_stream && status < 400,
            is_whole,
            request: std::mem::take(&mut self.request),
            answer: std::mem::take(&mut self.answer).freeze(),
            lost_part,
        });
    }
}

/// Keeps an answer while it passes.
struct KeepingTap {
    /// `None` when it has been handed over.
    keeping: Option<Box<Keeping>>,
    exchange: ExchangeId,
    status: u16,
    /// The event that ends a response has begun.
    is_ending: bool,
}

impl Tap for KeepingTap {
    fn saw(&mut self, data: &Bytes) -> bool {
        let Some(keeping) = &mut self.keeping else { return false };
        if !keeping.take(data, self.exchange) {
            return false;
        }
        // The client may go on from a response as soon as it reads its end, which is given next.
        if !keeping.is_for_good() || keeping.dialect != Dialect::OpenaiResponses {
            return true;
        }
        self.is_ending |= continued::may_end(data);
        if !self.is_ending || !data.ends_with(b"\n\n") {
            return true;
        }
        let id = continued::response_id(&keeping.answer, keeping.is_stream);
        if id.is_some()
            && let Some(keeping) = self.keeping.take()
        {
            keeping.put(self.exchange, self.status, true, id);
            return false;
        }
        true
    }

    fn ended(mut self: Box<Self>, _is_whole: bool) {
        if let Some(keeping) = self.keeping.take() {
            keeping.finish(self.exchange, self.status);
        }
    }
}
