//! The life of one call: who asks, for what, with which fault, at what price.

mod ask;
mod received;

use crate::answer::{Answer, Telling};
use crate::azure;
use crate::bedrock;
use crate::books::{Books, Call, Outcome, Served};
use crate::cache::PromptCache;
use crate::chance::digest;
use crate::delivery::{BrokenOff, Delivery, Script};
use crate::dialect::Dialect;
use crate::door::{self, Endpoint};
use crate::fault::Fault;
use crate::headers;
use crate::held::{self, Asking, Cellar, Held};
use crate::load::{self, Load, Renderings};
use crate::metrics;
use crate::models::{self, Found, LOAD_PRICES, Model, Vendor};
use crate::multipart;
use crate::openai::{self, Shelf};
use crate::price;
use crate::setting::Setting;
use crate::steer::Steering;
use crate::strike::{self, Sending};
use crate::struck::Struck;
use crate::voice;
use crate::{Options, vertex};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use received::{load_scan, received, resolve};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Largest request body that is read.
const BODY_BYTES_MAX: usize = 64 << 20;

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Core {
    options: Options,
    books: Arc<Books>,
    cache: PromptCache,
    shelf: Shelf,
    cellar: Cellar,
    /// Conversations that go on behind their calls.
    sessions: TaskTracker,
    renderings: Renderings,
    struck: Mutex<Struck>,
    slots: Arc<Semaphore>,
    waiting: AtomicU64,
    served: AtomicU64,
}

/// One call in line; out of it when dropped, also when its client leaves.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicU64) -> Waiting<'a> {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The machine's time, Unix seconds: what signatures and tokens are measured by, while answers have the fleet's date.
#[expect(
    clippy::disallowed_methods,
    reason = "a client signs with its machine's clock, which this is checked against"
)]
fn wall_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs())
}

/// An answer, or a connection that closes without one.
type Reply = Result<Response<Delivery>, BrokenOff>;

impl Core {
    pub(crate) fn new(options: Options) -> Core {
        Core {
            slots: Arc::new(Semaphore::new(options.slots)),
            options,
            books: Arc::default(),
            cache: PromptCache::default(),
            shelf: Shelf::default(),
            cellar: Cellar::default(),
            sessions: TaskTracker::new(),
            renderings: Renderings::default(),
            struck: Mutex::default(),
            waiting: AtomicU64::new(0),
            served: AtomicU64::new(0),
        }
    }

    /// One call, from its head to the start of its answer.
    pub(crate) async fn call(&self, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        let (vendor, endpoint) = door::find(&parts.method, &parts.uri, &parts.headers);
        if let Some(answer) = self.own(&endpoint, &parts) {
            return Ok(plain(answer));
        }
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return Ok(self.refused(vendor, voice::too_large(vendor), None));
        };
        let body = body.to_bytes();
        let now_s = self.options.signing_time_s.unwrap_or_else(wall_s);
        if endpoint == Endpoint::Token {
            return Ok(self.token(vendor, &parts, &body, now_s));
        }
        let admitted = door::admit(vendor, &parts, &body, self.options.seed, now_s);
        if admitted.is_ok()
            && let Some(scan) = load_scan(&endpoint, &body)
            && let Some(reply) = self.load(vendor, &endpoint, scan).await
        {
            return Ok(reply);
        }
        let call = Call::logged(&self.books, received(&parts, body.clone()));
        let caller = match admitted {
            Ok(caller) => caller,
            Err(answer) => {
                let answer = Dialect::of(vendor, &endpoint).error(*answer);
                return Ok(self.refused(vendor, answer, Some(call)));
            }
        };
        let answer = match &endpoint {
            Endpoint::Models => Answer::json(200, &voice::list(vendor, &parts)),
            Endpoint::Model(name) => voice::one(vendor, name),
            Endpoint::Held(what) => self.held(vendor, &caller, what, &parts, &body),
            Endpoint::Realtime => return Ok(self.realtime(&parts, call)),
            Endpoint::Kept(what) => voice::kept(&self.shelf, &caller, what, &parts),
            Endpoint::WrongMethod => voice::wrong_method(vendor, &parts),
            Endpoint::WrongVersion => azure::error::wrong_version(),
            Endpoint::Unknown => voice::unknown_path(vendor, &parts),
            _ => return self.model_call(vendor, &endpoint, &caller, &parts, &body, call).await,
        };
        Ok(self.refused(vendor, answer, Some(call)))
    }

    /// Files, uploads and batches.
    fn held(&self, vendor: Vendor, caller: &str, what: &Held, parts: &Parts, body: &Bytes) -> Answer {
        let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        // Files have left their beta with the version that Anthropic's SDKs 2.x send (seen on the wire, November 2026).
        let is_later = header("anthropic-version") >= "2026";
        let beta = if is_later { held::FILES_BETA } else { header("anthropic-beta") };
        let asking = Asking {
            vendor,
            caller,
            method: &parts.method,
            beta,
            seed: self.options.seed,
            now_s: self.options.now_s,
            body,
            boundary: multipart::boundary(&parts.headers),
        };
        self.cellar.answer(what, &asking)
    }

    /// A conversation over a WebSocket, which goes on behind its handshake.
    fn realtime(&self, parts: &Parts, call: Call) -> Response<Delivery> {
        let (model, response) = match openai::realtime::handshake(parts) {
            Ok(shaken) => shaken,
            Err(answer) => return self.refused(Vendor::OpenAi, *answer, Some(call)),
        };
        let seed = self.options.seed;
        if let Some(upgrade) = parts.extensions.get::<hyper::upgrade::OnUpgrade>().cloned() {
            self.sessions.spawn(async move {
                if let Ok(io) = upgrade.await {
                    openai::realtime::talk(hyper_util::rt::TokioIo::new(io), &model, seed).await;
                }
            });
        }
        let script = Script::whole(Bytes::new(), Outcome::Completed);
        response.map(|()| Delivery::new(Script { length: None, ..script }, Some(call), None))
    }

    /// An access token for what is itself a credential, and is not kept.
    fn token(&self, vendor: Vendor, parts: &Parts, body: &Bytes, now_s: u64) -> Response<Delivery> {
        let hidden = Bytes::from(door::hashed(&String::from_utf8_lossy(body)));
        let call = Call::logged(&self.books, received(parts, hidden));
        let (seed, query) = (self.options.seed, parts.uri.query().unwrap_or_default());
        let answer = if vendor == Vendor::Azure {
            azure::token::grant(seed, now_s, query, body)
        } else {
            let host = parts.headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
            vertex::token::grant(seed, now_s, host, parts.uri.path(), query, body)
        };
        self.refused(vendor, answer, Some(call))
    }

    /// The fleet's own pages, open to anybody.
    fn own(&self, endpoint: &Endpoint, parts: &Parts) -> Option<Answer> {
        match endpoint {
            Endpoint::Log => {
                let query = parts.uri.query().unwrap_or_default();
                let since =
                    query.split('&').find_map(|q| q.strip_prefix("since=")?.parse().ok()).unwrap_or(0);
                Some(Answer::json(200, &self.books.log(since)))
            }
            Endpoint::Totals => Some(Answer::json(200, &self.books.totals())),
            Endpoint::Reset => {
                self.books.reset();
                self.cache.clear();
                self.shelf.clear();
                self.cellar.clear();
                *self.struck.lock().unwrap_or_else(PoisonError::into_inner) = Struck::default();
                Some(Answer::json(200, &json!({ "reset": true })))
            }
            Endpoint::Health => Some(Answer::json(200, &json!({ "status": "ok" }))),
            Endpoint::Metrics => {
                let (prompt_tokens, generation_tokens) = self.books.token_counts();
                let load = metrics::Load {
                    running: (self.options.slots - self.slots.available_permits()) as u64,
                    waiting: self.waiting.load(Ordering::Relaxed),
                    slots: self.options.slots as u64,
                    prompt_tokens,
                    generation_tokens,
                };
                let frames = vec![Bytes::from(metrics::page(&load))];
                Some(Answer {
                    content_type: "text/plain; version=0.0.4",
                    frames,
                    ..Answer::json(200, &Value::Null)
                })
            }
            _ => None,
        }
    }

    /// A load model's answer, if the body names one.
    async fn load(
        &self,
        vendor: Vendor,
        endpoint: &Endpoint,
        scan: load::Scan<'_>,
    ) -> Option<Response<Delivery>> {
        let dialect = Dialect::of(vendor, endpoint);
        let load = Load::parse(scan.model)?;
        let frames = self.renderings.frames(dialect, &scan, &load);
        let usage = load.usage(scan.stream);
        let served = Served {
            vendor,
            model: scan.model.to_owned(),
            status: 200,
            stream: scan.stream,
            usage,
            picousd: price::cost(LOAD_PRICES, &usage, None),
            reported: true,
        };
        let length = (!scan.stream).then(|| frames.iter().map(|f| f.len() as u64).sum());
        let gap = Duration::from_millis(u64::from(load.gap_ms));
        let script = Script { frames, gap, interrupt: None, length, outcome: Outcome::Completed };
        let call = Call::unlogged(&self.books, served);
        if load.first_byte_ms > 0 {
            tokio::time::sleep(Duration::from_millis(u64::from(load.first_byte_ms))).await;
        }
        let mut response = Response::new(Delivery::new(script, Some(call), None));
        let kind = match dialect {
            _ if !scan.stream => "application/json",
            Dialect::GeminiList => "application/json",
            Dialect::Converse => bedrock::frames::CONTENT_TYPE,
            _ => "text/event-stream; charset=utf-8",
        };
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Some(response)
    }

    /// A call to a model: fault, answer, books, pauses.
    async fn model_call(
        &self,
        vendor: Vendor,
        endpoint: &Endpoint,
        caller: &str,
        parts: &Parts,
        body: &Bytes,
        mut call: Call,
    ) -> Reply {
        let dialect = Dialect::of(vendor, endpoint);
        let (request, name, found) = match resolve(vendor, endpoint, parts, body) {
            Ok(found) => found,
            Err(answer) => return Ok(self.refused(vendor, dialect.error(*answer), Some(call))),
        };
        let (model, fault) = match found {
            Found::Real(model) => (model, None),
            Found::Fault(model, fault) => (model, Some(fault)),
            Found::Load => (&models::LOADED, None),
        };
        let fault = fault.filter(|f| !f.once() || self.strikes_first(endpoint, body));
        // Without a stream there is no event to fail in: the same failure is a status.
        let fault = match fault {
            Some(Fault::ErrorEvent { .. }) if !dialect.streams(endpoint, &request) => {
                Some(Fault::Status { status: 500, retry_after_s: None, once: false })
            }
            other => other,
        };
        let counted = if model.source == models::INVENTED { name.clone() } else { model.id.to_owned() };
        match fault {
            Some(Fault::Close { .. }) => {
                call.serve(served(vendor, &counted, model, &Answer::json(500, &Value::Null), true));
                call.close(Outcome::Cut);
                return Err(BrokenOff);
            }
            Some(Fault::Status { status, retry_after_s, .. }) => {
                let answer =
                    voice::status_fault(vendor, dialect, status, retry_after_s, &name, parts.uri.path());
                call.serve(served(vendor, &counted, model, &answer, true));
                return Ok(self.refused(vendor, dialect.error(answer), Some(call)));
            }
            _ => {}
        }
        let telling = match fault {
            Some(Fault::DuplicateUsage) => Telling::Twice,
            Some(Fault::MissingUsage) => Telling::Never,
            _ => Telling::Once,
        };
        let setting = Setting {
            seed: self.options.seed,
            now_s: self.options.now_s,
            caller,
            cache: &self.cache,
            shelf: &self.shelf,
            name: &name,
            telling,
            is_vertex: vendor == Vendor::Vertex,
            force: fault.and_then(forced),
        };
        let answer = ask::ask(vendor, endpoint, &setting, model, &request, parts);
        call.serve(served(vendor, &counted, model, &answer, telling != Telling::Never && answer.is_told));
        if answer.status >= 400 {
            return Ok(self.refused(vendor, dialect.error(answer), Some(call)));
        }
        self.send(vendor, dialect, model, fault, answer, call).await
    }

    /// Waits for a slot and for the first byte's time, then starts the answer.
    async fn send(
        &self,
        vendor: Vendor,
        dialect: Dialect,
        model: &Model,
        fault: Option<Fault>,
        answer: Answer,
        call: Call,
    ) -> Reply {
        let waiting = Waiting::new(&self.waiting);
        let slot = self.slots.clone().acquire_owned().await.ok();
        drop(waiting);
        let scaled =
            |us: u64| Duration::from_micros((us as f64 * self.options.latency_scale.max(0.0)) as u64);
        let (status, extra) = (answer.status, answer.headers.clone());
        let sending = match fault {
            Some(fault) => strike::strike(fault, dialect, answer),
            None => strike::unharmed(&answer, scaled(model.first_token_ms * 1_000), scaled(model.token_us)),
        };
        if !sending.first.is_zero() {
            tokio::time::sleep(sending.first).await;
        }
        let Sending { script, content_type, gzip, .. } = sending;
        let seq = call.seq();
        let mut response = Response::new(Delivery::new(script, Some(call), slot));
        self.head(&mut response, vendor, status, content_type, &extra, seq);
        if gzip {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(response)
    }

    fn strikes_first(&self, endpoint: &Endpoint, body: &Bytes) -> bool {
        let key = digest(0, &[format!("{endpoint:?}").as_bytes(), body]);
        self.struck.lock().unwrap_or_else(PoisonError::into_inner).first(key)
    }

    /// An answer without faults or pauses.
    fn refused(&self, vendor: Vendor, answer: Answer, call: Option<Call>) -> Response<Delivery> {
        let body = Bytes::from(answer.frames.concat());
        let seq = call.as_ref().map_or_else(|| self.served.fetch_add(1, Ordering::Relaxed), Call::seq);
        let mut response = Response::new(Delivery::new(Script::whole(body, answer.outcome), call, None));
        self.head(&mut response, vendor, answer.status, answer.content_type, &answer.headers, seq);
        response
    }

    fn head(
        &self,
        response: &mut Response<Delivery>,
        vendor: Vendor,
        status: u16,
        content_type: &'static str,
        extra: &[(&'static str, String)],
        seq: u64,
    ) {
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let map = response.headers_mut();
        map.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers::add(map, vendor, self.options.seed, seq);
        for (name, value) in extra {
            if let Ok(value) = HeaderValue::from_str(value) {
                map.insert(*name, value);
            }
        }
    }
}

fn plain(answer: Answer) -> Response<Delivery> {
    let script = Script::whole(Bytes::from(answer.frames.concat()), answer.outcome);
    let mut response = Response::new(Delivery::new(script, None, None));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    response
}

fn served(vendor: Vendor, counted: &str, model: &Model, answer: &Answer, reported: bool) -> Served {
    Served {
        vendor,
        model: counted.to_owned(),
        status: answer.status,
        stream: answer.stream,
        usage: answer.usage,
        picousd: price::cost(model.prices, &answer.usage, answer.tier.as_deref()),
        reported,
    }
}

/// Steering that a fault forces on the answer.
fn forced(fault: Fault) -> Option<Steering> {
    let steering = match fault {
        Fault::Refusal => Steering { refuse: true, ..Steering::default() },
        Fault::Empty => Steering { empty: true, ..Steering::default() },
        Fault::Many { chunks } => Steering {
            say: Some("tick".to_owned() + &" tick".repeat(chunks.saturating_sub(1))),
            ..Steering::default()
        },
        _ => return None,
    };
    Some(steering)
}
