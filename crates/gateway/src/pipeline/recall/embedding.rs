//! Embeddings of questions and answers: the built-in ones, or those of a model, asked for as any client would ask.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use pilothouse_cache::semantic::embedding::Embedding;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Caller;
use serde::Deserialize;

use crate::answer::AnswerBody;
use crate::cache::Meaning;
use crate::endpoints::Call;
use crate::pipeline::read::Asked;
use crate::plan::{KeyInfo, Plan};
use crate::shared::Worker;

/// How long a request waits for an embedding; then it is answered by its words alone.
const EMBED_MAX: Duration = Duration::from_secs(2);
/// The application that embeddings are recorded under.
const APPLICATION: &str = "pilothouse-cache";

/// For whom something is embedded: whose call it was pays for it.
#[derive(Clone)]
pub(super) struct Behalf {
    key: Arc<str>,
    end_user: Option<Box<str>>,
    holder: Option<Arc<KeyInfo>>,
    hops: u32,
}

impl Behalf {
    pub(super) fn of(asked: &Asked<'_>) -> Self {
        // The route says which model embeds, whatever the key may call itself; and what the cache asks is no request of the
        // key's. It counts in its budgets.
        let holder = asked.holder.as_ref().map(|holder| {
            let mut holder = KeyInfo::clone(holder);
            holder.terms.allow = Box::default();
            holder.terms.limits = Arc::new([]);
            Arc::new(holder)
        });
        Self { key: Arc::clone(&asked.key), end_user: asked.end_user.clone(), holder, hops: asked.hops }
    }
}

/// The directions of texts, as the route has them; `None` where one has none, or none could be had in time.
pub(super) async fn embed(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    meaning: &Meaning,
    behalf: &Behalf,
    texts: &[&str],
) -> Option<Vec<Embedding>> {
    let Some(model) = &meaning.terms.model else {
        return texts.iter().map(|text| Embedding::hashed(text)).collect();
    };
    let clock = &worker.shared.clock;
    if !meaning.may_embed(clock.now()) {
        return None;
    }
    let _slot = meaning.slots.try_acquire().ok()?;
    let asking = Box::pin(ask(worker, plan, model, behalf, texts));
    let embeddings = tokio::time::timeout(EMBED_MAX, asking).await.ok().flatten();
    meaning.embedded(embeddings.is_some(), clock.now());
    embeddings
}

/// The answer to a call for vectors, as far as it is read.
#[derive(Deserialize)]
struct Vectors {
    data: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    index: usize,
    embedding: Vec<f32>,
}

/// Asks a model, through the same phases as any exchange: limits of its target, budgets, failover, the record.
async fn ask(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    model: &Arc<str>,
    behalf: &Behalf,
    texts: &[&str],
) -> Option<Vec<Embedding>> {
    let body = serde_json::json!({ "model": &**model, "input": texts, "encoding_format": "float" });
    let caller = Caller {
        key: Arc::clone(&behalf.key),
        application: APPLICATION.into(),
        end_user: behalf.end_user.clone(),
    };
    let holder = behalf.holder.clone();
    let mut asked = Asked::ours(&worker.shared, plan, Bytes::from(body.to_string()), caller, holder).ok()?;
    asked.hops = behalf.hops;
    let dialect = Dialect::OpenaiEmbeddings;
    let answer = crate::pipeline::exchange(worker, plan, dialect, Call::Embeddings, &mut asked).await;
    let (head, body) = answer.into_parts();
    let AnswerBody::Full(Some(bytes)) = body else { return None };
    let mut vectors: Vectors =
        serde_json::from_slice(&bytes).ok().filter(|_| head.status == StatusCode::OK)?;
    vectors.data.sort_by_key(|vector| vector.index);
    if vectors.data.len() != texts.len() {
        return None;
    }
    vectors.data.iter().map(|vector| Embedding::of(&vector.embedding)).collect()
}
