//! The same question in other words: looked for, given or compared, and remembered.

use std::sync::Arc;

use pilothouse_cache::answers::Found;
use pilothouse_cache::key::Key;
use pilothouse_cache::semantic::agreement::{self, Agreement};
use pilothouse_cache::semantic::embedding::Embedding;
use pilothouse_cache::semantic::index::Asked as Remembered;
use pilothouse_cache::semantic::marks::Marks;
use pilothouse_cache::semantic::question;
use pilothouse_cache::semantic::trials::Mode;
use pilothouse_core::conversation::{Answer, Content};
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::assemble::Assembler;
use pilothouse_wire::codec::error_codec;
use pilothouse_wire::framing::Framing;

use super::embedding::{Behalf, embed};
use super::identity::Identity;
use crate::cache::{Kept, Meaning};
use crate::pipeline::read::Asked;
use crate::plan::{Plan, PlanCache, SemanticTerms};
use crate::shared::Worker;

/// Most bytes of an answer whose words are compared.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A question that may be answered by its meaning.
pub(super) struct Wanted {
    worker: Arc<Worker>,
    plan: Arc<Plan>,
    dialect: Dialect,
    pub(super) meaning: Arc<Meaning>,
    group: Key,
    text: String,
    marks: Marks,
    behalf: Behalf,
}

/// What was found for a question, and what will be remembered of it.
pub(super) struct Looked {
    embedding: Embedding,
    /// An answer to the same question in other words.
    pub(super) found: Option<Found<Kept>>,
}

/// What is learned once a question has its answer.
pub(super) struct Learning {
    wanted: Wanted,
    looked: Looked,
}

impl Wanted {
    /// Reads the question of a request; `None` for one that is never answered by its meaning, or while that is off.
    pub(super) fn of(
        worker: &Arc<Worker>,
        plan: &Arc<Plan>,
        cache: &PlanCache,
        terms: &SemanticTerms,
        dialect: Dialect,
        identity: &Identity,
        asked: &Asked<'_>,
    ) -> Option<Self> {
        let meaning = worker.shared.cache.meanings.of(asked.called(), &cache.policy, terms);
        if meaning.mode() == Mode::Off {
            return None;
        }
        let question = question::read(dialect, asked.is_stream, &asked.body).ok()?;
        let marks = Marks::read(&question.text);
        let end_user = asked.end_user.as_deref().unwrap_or_default();
        let group = identity.within(|scope| Key::group(scope, end_user, &question.rest));
        Some(Self {
            worker: Arc::clone(worker),
            plan: Arc::clone(plan),
            dialect,
            meaning,
            group,
            text: question.text,
            marks,
            behalf: Behalf::of(asked),
        })
    }

    /// Whether hits are given now.
    pub(super) fn serves(&self) -> bool {
        self.meaning.mode() == Mode::Serve
    }

    /// Looks for the same question in other words. `None` where it could not be embedded.
    pub(super) async fn look(&self) -> Option<Looked> {
        let texts = [self.text.as_str()];
        let embedding = embed(&self.worker, &self.plan, &self.meaning, &self.behalf, &texts).await?.pop()?;
        let shared = &self.worker.shared;
        let near = self.meaning.nearest(&self.group, &embedding, &self.marks);
        let found = near.and_then(|near| {
            let found = shared.cache.answers.get(&near.key, shared.clock.now());
            let found = found.and_then(|found| super::good_for(found, self.meaning.terms.ttl_ms));
            if found.is_none() {
                self.meaning.forget(&self.group, &near.key);
            }
            found
        });
        Some(Looked { embedding, found })
    }

    /// Whether a hit is given, and not sent to the vendor to be compared.
    pub(super) fn gives(&self) -> bool {
        // The upper 53 bits are all that a double holds.
        let chance = (self.worker.shared.chance() >> 11) as f64 / (1_u64 << 53) as f64;
        self.meaning.gives(chance)
    }

    /// What is learned from it.
    pub(super) fn learns(self, looked: Option<Looked>) -> Option<Box<Learning>> {
        looked.map(|looked| Box::new(Learning { wanted: self, looked }))
    }
}

impl Learning {
    /// For how long answers are given again, in milliseconds.
    pub(super) fn ttl_ms(&self) -> u64 {
        self.wanted.meaning.terms.ttl_ms
    }

    /// The question has its answer: it is remembered, and compared with that of the same question in other words.
    pub(super) fn learn(self, key: Key, kept: &Arc<Kept>) {
        let Self { wanted, looked } = self;
        if !kept.made.answer.tools.is_empty() {
            return;
        }
        if let Some(found) = looked.found {
            wanted.compare(&found.value, kept);
        }
        let asked = Remembered { embedding: looked.embedding, marks: wanted.marks, key };
        wanted.meaning.put(wanted.group, asked);
    }
}

impl Wanted {
    fn compare(&self, before: &Kept, now: &Kept) {
        let (before, now) = (words(self.dialect, before), words(self.dialect, now));
        let Some((before, now)) = before.zip(now) else { return };
        let meaning = Arc::clone(&self.meaning);
        let shared = Arc::clone(&self.worker.shared);
        let similarity_min = meaning.terms.agreement;
        match agreement::compare(&before, &now) {
            Agreement::Same => shared.cache.meanings.judged(&meaning, false),
            Agreement::Differ => shared.cache.meanings.judged(&meaning, true),
            Agreement::ByMeaning if meaning.terms.model.is_none() => {
                let is_false = !agreement::agree(&before, &now, similarity_min);
                shared.cache.meanings.judged(&meaning, is_false);
            }
            Agreement::ByMeaning => {
                let (worker, plan, behalf) =
                    (Arc::clone(&self.worker), Arc::clone(&self.plan), self.behalf.clone());
                // Aside: the client has its answer and waits for nothing.
                shared.tasks.spawn(async move {
                    let both = embed(&worker, &plan, &meaning, &behalf, &[&before, &now]).await;
                    // What could not be compared is no case.
                    if let Some([before, now]) = both.as_deref() {
                        let is_false = before.similarity(now) < similarity_min;
                        worker.shared.cache.meanings.judged(&meaning, is_false);
                    }
                });
            }
        }
    }
}

/// The words of a kept answer; `None` where it cannot be read.
fn words(dialect: Dialect, kept: &Kept) -> Option<String> {
    if kept.body.len() > ANSWER_BYTES_MAX {
        return None;
    }
    let answer = if kept.is_stream {
        streamed(dialect, &kept.body)
    } else {
        error_codec(dialect).decode_answer(&kept.body).ok()
    };
    let mut words = String::new();
    for choice in answer?.choices {
        for part in choice.parts {
            if let Content::Text { text, .. } = part.content {
                words.push_str(&text);
            }
        }
        words.push('\n');
    }
    Some(words)
}

/// The answer that a stream has told.
fn streamed(dialect: Dialect, bytes: &[u8]) -> Option<Answer> {
    let framing = Framing::of(dialect);
    let mut decoder = error_codec(dialect).stream_decoder();
    let mut assembler = Assembler::new(ANSWER_BYTES_MAX);
    let (mut from, mut parts) = (0, Vec::new());
    while let Some(end) = framing.find_end(bytes, from, from).ok()? {
        let event = framing.parse(bytes.get(from..end)?).ok()?;
        if event.has_data {
            let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
            decoder.event(name, &event.data, &mut parts).ok()?;
            parts.drain(..).for_each(|part| assembler.part(&part));
        }
        from = end;
    }
    assembler.finish()
}
