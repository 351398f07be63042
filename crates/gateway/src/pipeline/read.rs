//! What is asked: the whole body within bounds, and a borrowed look at its head.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Caller;
use pilothouse_core::shape::Shape;
use pilothouse_wire::head::Head;
use pilothouse_wire::needs::{self, Survey};
use pilothouse_wire::path::PathCall;
use pilothouse_wire::scan::Members;

use crate::bodies::{BodiesMode, Keeping, Watch};
use crate::config::CompatMode;
use crate::given::{Given, Read};
use crate::plan::{Asks, Branching, KeyInfo, Plan};
use crate::shared::{Shared, Worker};
use crate::told::{Told, number};

use super::Retirement;

const END_USER_MAX: usize = 128;
/// Most gateways of ours that a request may pass.
const HOPS_MAX: u32 = 8;

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

/// What a client asks.
pub(crate) struct Asked<'h> {
    pub(crate) body: Held,
    pub(crate) headers: &'h HeaderMap,
    /// The conversation and the run of an agent that its headers name.
    pub(super) conversation: Option<&'h HeaderValue>,
    pub(super) run: Option<&'h HeaderValue>,
    /// Where the body's members stand.
    pub(crate) members: Members,
    pub(crate) model: String,
    pub(crate) is_stream: bool,
    /// How often the client's SDK has tried already.
    pub(crate) sdk_retries: u32,
    pub(crate) hops: u32,
    /// What the caller wants done about requests that the target would refuse.
    pub(crate) compat: Option<CompatMode>,
    pub(crate) caller: Caller,
    /// The name of the caller's key.
    pub(crate) key: Arc<str>,
    /// The caller's key, where it has one.
    pub(crate) holder: Option<Arc<KeyInfo>>,
    /// The person behind, as the request names it.
    pub(crate) end_user: Option<Box<str>>,
    /// The body as the client sent it, where another one stands in its place.
    pub(crate) as_sent: Option<Bytes>,
    /// Who wants to know what comes of the exchange.
    pub(crate) watch: Option<Arc<Watch>>,
    /// The model is to be told that this turn of its run is the last one.
    pub(crate) is_last_turn: bool,
    /// What is kept of the exchange, where bodies are.
    pub(crate) keeping: Option<Box<Keeping>>,
    /// What came of the branches of the route that was asked for, where it has any.
    pub(super) branching: Option<Box<Branching>>,
    /// Told by each call of the exchange, where its answer is kept to be gone on from.
    pub(crate) kept: Option<Arc<Watch>>,
    /// What one pass over the body tells, once somebody has asked.
    pub(super) survey: OnceLock<Survey>,
    /// The shape of the request, where that pass has told it too.
    pub(super) shape: OnceLock<Shape>,
    /// What became of the call because a target ends.
    pub(super) retirement: OnceLock<Arc<Retirement>>,
}

impl Asked<'static> {
    /// A call that nobody sent: the gateway asks a model itself, on behalf of a caller, without a stream.
    ///
    /// # Errors
    /// [`Kind::Overloaded`] where too much is held at the moment.
    pub(super) fn ours(
        shared: &Arc<Shared>,
        plan: &Plan,
        body: Bytes,
        caller: Caller,
        holder: Option<Arc<KeyInfo>>,
    ) -> Result<Self, Error> {
        let head = Head::read(&body)?;
        let (model, members) = (head.model()?.into_owned(), head.into_members());
        let mut held = Held::nothing(shared);
        held.replace(body, plan.inflight_bytes_max)?;
        Ok(Self {
            body: held,
            headers: &NO_HEADERS,
            conversation: None,
            run: None,
            members,
            model,
            is_stream: false,
            sdk_retries: 0,
            hops: 0,
            compat: None,
            key: Arc::clone(&caller.key),
            holder,
            end_user: caller.end_user.clone(),
            caller,
            as_sent: None,
            is_last_turn: false,
            keeping: None,
            kept: None,
            watch: None,
            branching: None,
            survey: OnceLock::new(),
            shape: OnceLock::new(),
            retirement: OnceLock::new(),
        })
    }
}

impl Asked<'_> {
    /// Begins to keep the bodies of the exchange, where that is asked for and the client does not refuse it.
    pub(super) fn keep(&mut self, shared: &Shared, mode: BodiesMode, dialect: Dialect) {
        if mode == BodiesMode::Off || self.members.get(&self.body, "store") == Some(b"false") {
            return;
        }
        let end_user = self.caller.end_user.as_deref();
        let keeping = Keeping::begin(shared, mode, dialect, &self.key, end_user, self.is_stream, &self.body);
        let Some(keeping) = keeping else { return };
        self.watch = Some(Arc::clone(keeping.watch()));
        self.kept = self.watch.clone().filter(|_| keeping.is_for_good());
        self.keeping = Some(keeping);
    }

    /// What one pass over the body tells.
    pub(super) fn survey(&self, dialect: Dialect, head: &Head<'_>) -> &Survey {
        self.survey.get_or_init(|| needs::survey(dialect, head))
    }

    /// The same, and calls `see` with each turn, in order: in the same pass, if nobody has asked before.
    pub(super) fn survey_turns<'a>(
        &self,
        dialect: Dialect,
        head: &Head<'a>,
        see: impl FnMut(&'a [u8]),
    ) -> &Survey {
        if let Some(known) = self.survey.get() {
            needs::each_turn(dialect, head, see);
            return known;
        }
        let (survey, shape) = needs::survey_and_shape(dialect, head, see);
        self.shape.get_or_init(|| shape);
        self.survey.get_or_init(|| survey)
    }

    /// What is recorded of the request, whether bodies are kept or not.
    pub(super) fn shape(&self, dialect: Dialect) -> Shape {
        let of = || pilothouse_wire::shape::of(dialect, &Head::over(&self.body, &self.members));
        self.shape.get().cloned().unwrap_or_else(of)
    }

    /// The same for another call beside the first one, which holds the body's bytes against their bound.
    pub(super) fn again(&self) -> Self {
        Self {
            body: Held { bytes: self.body.bytes.clone(), shared: Arc::clone(&self.body.shared), counted: 0 },
            headers: self.headers,
            conversation: self.conversation,
            run: self.run,
            members: self.members.clone(),
            model: self.model.clone(),
            is_stream: self.is_stream,
            sdk_retries: self.sdk_retries,
            hops: self.hops,
            compat: self.compat,
            caller: self.caller.clone(),
            key: Arc::clone(&self.key),
            holder: self.holder.clone(),
            end_user: self.end_user.clone(),
            as_sent: self.as_sent.clone(),
            is_last_turn: self.is_last_turn,
            keeping: None,
            kept: self.kept.clone(),
            watch: None,
            branching: self.branching.clone(),
            survey: self.survey.clone(),
            shape: OnceLock::new(),
            retirement: self.retirement.clone(),
        }
    }

    /// Takes what is asked away, without its headers, for what outlives the request's own task.
    pub(super) fn taken(&mut self) -> Asked<'static> {
        let nothing = Held::nothing(&self.body.shared);
        Asked {
            body: std::mem::replace(&mut self.body, nothing),
            headers: &NO_HEADERS,
            conversation: None,
            run: None,
            members: std::mem::take(&mut self.members),
            model: std::mem::take(&mut self.model),
            is_stream: self.is_stream,
            sdk_retries: self.sdk_retries,
            hops: self.hops,
            compat: self.compat,
            caller: std::mem::take(&mut self.caller),
            key: Arc::clone(&self.key),
            holder: self.holder.clone(),
            end_user: self.end_user.take(),
            as_sent: self.as_sent.take(),
            is_last_turn: self.is_last_turn,
            keeping: self.keeping.take(),
            kept: self.kept.take(),
            watch: self.watch.take(),
            branching: self.branching.take(),
            survey: std::mem::take(&mut self.survey),
            shape: std::mem::take(&mut self.shape),
            retirement: self.retirement.clone(),
        }
    }

    /// The name that leads to whom takes the call: the one that was asked for, or the route that a branch leads to.
    pub(super) fn called(&self) -> &str {
        self.branching.as_ref().map_or(&self.model, |branching| &branching.to)
    }

    /// The caller's key, where it may not call a route as such: who may call the one that was asked for may call whichever
    /// takes the call.
    pub(super) fn held_back(&self, route: &str) -> Option<&Arc<KeyInfo>> {
        self.holder.as_ref().filter(|key| !key.terms.allows(route) && !self.came_by_branch(key))
    }

    fn came_by_branch(&self, key: &KeyInfo) -> bool {
        self.branching.is_some() && key.terms.allows(&self.model)
    }

    /// The call as conditions that ask this see it.
    pub(super) fn given<'g>(&'g self, dialect: Dialect, at: UnixMs, asks: &'g Asks) -> Given<'g> {
        let head = Head::over(&self.body, &self.members);
        Given {
            at,
            dialect,
            survey: *self.survey(dialect, &head),
            head,
            headers: self.headers,
            model: &self.model,
            is_stream: self.is_stream,
            end_user: self.end_user.as_deref(),
            key: self.holder.as_deref(),
            limits: asks.token_limits.as_deref(),
            read: Read::default(),
        }
    }

    /// Puts another body in the place of the one that there is.
    pub(super) fn rewrite(&mut self, body: Bytes, plan: &Plan) -> Result<(), Error> {
        self.body.replace(body, plan.inflight_bytes_max)?;
        self.members = Head::read(&self.body)?.into_members();
        (self.survey, self.shape) = (OnceLock::new(), OnceLock::new());
        Ok(())
    }
}

/// A request body whose bytes count against the bound on bytes in flight while it lives.
pub(crate) struct Held {
    bytes: Bytes,
    shared: Arc<Shared>,
    counted: u64,
}

impl std::ops::Deref for Held {
    type Target = Bytes;
    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

impl Held {
    /// Nothing yet.
    pub(super) fn nothing(shared: &Arc<Shared>) -> Self {
        Self { bytes: Bytes::new(), shared: Arc::clone(shared), counted: 0 }
    }

    /// How many bytes count.
    pub(super) const fn counted(&self) -> u64 {
        self.counted
    }

    /// Lets go of the bytes: they are not needed any more.
    pub(crate) fn release(&mut self) {
        self.shared.held_bytes.fetch_sub(std::mem::take(&mut self.counted), Relaxed);
        self.bytes = Bytes::new();
    }

    /// Holds other bytes in their place.
    pub(super) fn replace(&mut self, bytes: Bytes, max: u64) -> Result<(), Error> {
        self.release();
        self.grow(bytes.len() as u64, max)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Counts more bytes, which somebody else may hold.
    pub(super) fn grow(&mut self, by: u64, max: u64) -> Result<(), Error> {
        self.counted += by;
        if self.shared.held_bytes.fetch_add(by, Relaxed) + by > max {
            return Err(Error::new(
                Kind::Overloaded,
                "too many request bytes are in flight; try again in a moment",
            ));
        }
        Ok(())
    }
}

/// Reads a request's body.
pub(super) async fn body(
    worker: &Worker,
    plan: &Plan,
    told: &Told<'_>,
    mut incoming: Incoming,
) -> Result<Held, Error> {
    if told.content_encoding.is_some_and(|encoding| encoding != "identity") {
        // A compressed body would have to be unpacked to be judged; no SDK sends one.
        return Err(Error::bad_request("content-encoding", "request bodies must not be compressed"));
    }
    let too_large = || {
        let max = plan.body_bytes_max;
        Error::new(
            Kind::TooLarge,
            format!("the request body exceeds {max} bytes; raise body_bytes_max in [server]"),
        )
    };
    let length = number::<u64>(told.content_length);
    if length.is_some_and(|length| length > plan.body_bytes_max) {
        return Err(too_large());
    }
    let mut held = Held::nothing(&worker.shared);
    let mut many: Option<BytesMut> = None;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| {
            Error::new(Kind::BadRequest, "the request body broke off before its end").because(error)
        })?;
        let Ok(data) = frame.into_data() else { continue };
        held.grow(data.len() as u64, plan.inflight_bytes_max)?;
        if held.counted > plan.body_bytes_max {
            return Err(too_large());
        }
        if held.bytes.is_empty() && many.is_none() {
            // Small bodies come in one piece and are never copied.
            held.bytes = data;
            if incoming.is_end_stream() {
                break;
            }
            continue;
        }
        let gathered = many.get_or_insert_with(|| {
            let expected = length.unwrap_or(0).min(plan.body_bytes_max);
            let mut gathered = BytesMut::with_capacity(usize::try_from(expected).unwrap_or(0).max(64 * 1024));
            gathered.extend_from_slice(&held.bytes);
            gathered
        });
        gathered.extend_from_slice(&data);
    }
    if let Some(gathered) = many {
        held.bytes = gathered.freeze();
    }
    Ok(held)
}

/// How many gateways a request has passed.
///
/// # Errors
/// [`Kind::BadRequest`] where it goes round in circles.
pub(crate) fn hops(told: &Told<'_>) -> Result<u32, Error> {
    let hops = number(told.hops).unwrap_or(0);
    if hops >= HOPS_MAX {
        return Err(Error::new(
            Kind::BadRequest,
            "this request has passed eight gateways: one of them is configured to call itself; check base_url",
        ));
    }
    Ok(hops)
}

/// How often the client's SDK has tried already.
pub(super) fn sdk_retries(told: &Told<'_>) -> u32 {
    number(told.sdk_retries).unwrap_or(0)
}

/// The model's name as it is looked up: at the provider that the caller names beside it, where it does.
pub(super) fn named(model: &str, told: &Told<'_>) -> String {
    match told.provider.and_then(|provider| provider.to_str().ok()) {
        Some(provider) if model.split_once('/').is_none_or(|(first, _)| first != provider) => {
            format!("{provider}/{model}")
        }
        _ => model.to_owned(),
    }
}

/// Reads the head of what is asked.
pub(super) fn asked<'h>(
    dialect: Dialect,
    by_path: Option<&PathCall<'_>>,
    told: &Told<'h>,
    body: Held,
    (mut caller, holder): (Caller, Option<Arc<KeyInfo>>),
) -> Result<Asked<'h>, Error> {
    let hops = hops(told)?;
    let (model, is_stream, end_user, members) = {
        let head = Head::read(&body)?;
        let end_user = end_user(dialect, &head);
        let (model, is_stream) = match by_path {
            Some(call) => (named(&call.model, told), call.is_stream),
            None => (named(&head.model()?, told), dialect != Dialect::OpenaiEmbeddings && head.stream()?),
        };
        (model, is_stream, end_user, head.into_members())
    };
    caller.end_user.clone_from(&end_user);
    let sdk_retries = sdk_retries(told);
    let key = Arc::clone(&caller.key);
    let compat = told.compat.map(compat).transpose()?;
    Ok(Asked {
        compat,
        body,
        members,
        headers: told.all,
        conversation: told.conversation,
        run: told.run,
        model,
        is_stream,
        sdk_retries,
        hops,
        caller,
        key,
        holder,
        end_user,
        as_sent: None,
        is_last_turn: false,
        watch: None,
        keeping: None,
        branching: None,
        kept: None,
        survey: OnceLock::new(),
        shape: OnceLock::new(),
        retirement: OnceLock::new(),
    })
}

/// The person behind, as a request names it.
pub(crate) fn end_user(dialect: Dialect, head: &Head<'_>) -> Option<Box<str>> {
    let named = match dialect {
        Dialect::AnthropicMessages => head.text_in("metadata", "user_id"),
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::OpenaiResponses => {
            head.text("safety_identifier").or_else(|| head.text("user"))
        }
        // Google's and Bedrock's requests name nobody.
        Dialect::GeminiGenerate | Dialect::BedrockConverse => None,
    };
    named.map(|user| user.chars().take(END_USER_MAX).collect::<String>().into_boxed_str())
}

/// What a caller wants done about requests that the target would refuse.
fn compat(value: &HeaderValue) -> Result<CompatMode, Error> {
    value.to_str().ok().and_then(CompatMode::parse).ok_or_else(|| {
        let names = CompatMode::NAMES.join(", ");
        Error::bad_request(
            "x-pilothouse-compat",
            format!("the header `x-pilothouse-compat` is one of {names}"),
        )
    })
}
