//! Which target takes the call, and over which of its surfaces.

use std::sync::Arc;

use pilothouse_catalog::compat::Compat;
use pilothouse_cel::Values;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::{Standing, put_standing};
use pilothouse_core::written::{Said, Split, Text, put, put_list, put_string};
use pilothouse_routing::{AllowList, CascadePlan, Decision, Features, Ranked, Trace};
use pilothouse_wire::codec::Target;
use pilothouse_wire::embeddings::Form;
use pilothouse_wire::path::{
    GeminiMethod, converse_path, invoke_path, may_stand_in_a_path, segment, vendor_path,
    vertex_anthropic_path,
};

use smallvec::SmallVec;

use super::features::{Marks, Told};
use super::onward::Deadline;
use super::read::Asked;
use super::{gone, retire};
use crate::config::CompatMode;
use crate::endpoints::Call;
use crate::plan::{KeyInfo, Naming, Plan, Provider, Resolution, Route, Surface};
use crate::rederive;
use crate::shared::Shared;

/// Bytes of the words that usually tell a choice, and of what fills their holes.
const WORDS_BYTES_USUAL: usize = 768;
const FILLS_BYTES_USUAL: usize = 192;

/// Of so many targets, why each stands where it does are words that choices have in common; of more, no two choices say the
/// same.
const ORDER_SHARED_MAX: usize = 4;

/// The target of one attempt.
#[derive(Clone)]
pub(crate) struct Choice {
    pub(crate) resolution: Arc<Resolution>,
    way: Way,
    pub(crate) is_same_dialect: bool,
    /// What is done about requests that the target would refuse or silently change.
    pub(crate) compat: CompatMode,
    /// Most tokens of output that it may be asked for.
    pub(crate) output_tokens_max: Option<u64>,
}

/// Who takes a call, in the order in which they are asked.
pub(super) struct Order {
    /// The route that was called, where it was one.
    pub(super) route: Option<Arc<Route>>,
    /// Who is asked first.
    pub(super) first: Choice,
    /// Who is asked when those before have failed.
    pub(super) rest: Vec<Choice>,
    /// Why, for the receipt.
    pub(super) chosen: Option<Box<Said>>,
    /// What the next request of the conversation will be known by.
    pub(super) marks: Marks,
    /// Bytes of the request's text, where it holds nothing else.
    pub(super) text_bytes: Option<u64>,
    /// The conversation is known to be between a tool's call and its result.
    pub(super) is_in_tool_loop: bool,
    /// Who answers cheaply before all these, where the answer can be judged.
    pub(super) cascade: Option<Parts>,
    /// How many are left that somebody else asks when these have failed.
    pub(super) spare: usize,
    /// When there must be an answer, where that has been running since before.
    pub(super) until: Option<Deadline>,
}

/// Who answers cheaply in a cascade.
pub(super) struct Parts {
    pub(super) cheap: Choice,
    pub(super) partner: Option<Choice>,
}

/// One of a provider's ways to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The surface at this place.
    Surface(usize),
    /// Its rerank call.
    Rerank,
    /// Its own call for vectors.
    Embed,
}

impl Order {
    /// Each target, with how many are left behind it.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Choice, usize)> {
        let left = (self.spare..=self.rest.len() + self.spare).rev();
        std::iter::once(&self.first).chain(&self.rest).zip(left)
    }

    /// One target before those of this order.
    pub(super) fn before(&self, choice: Choice) -> Self {
        Self {
            route: self.route.clone(),
            first: choice,
            rest: Vec::new(),
            chosen: None,
            marks: Marks::new(),
            text_bytes: None,
            is_in_tool_loop: self.is_in_tool_loop,
            cascade: None,
            spare: 1 + self.rest.len(),
            until: self.until,
        }
    }
}

impl Choice {
    /// A target whose way is known, for a call that passes as it came.
    pub(super) fn passing(resolution: Arc<Resolution>, way: Way) -> Self {
        Self::to(resolution, way, true)
    }

    fn to(resolution: Arc<Resolution>, way: Way, is_same_dialect: bool) -> Self {
        let compat = resolution.target.provider.compat;
        Self { resolution, way, is_same_dialect, compat, output_tokens_max: None }
    }

    /// The same with at most so many tokens of output.
    pub(super) fn capped(&self, cap: Option<u64>) -> Self {
        let most = [self.output_tokens_max, cap].into_iter().flatten().min();
        Self { output_tokens_max: most, ..self.clone() }
    }

    /// `provider/model`, for people.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.provider().name, self.resolution.target.model)
    }

    /// The same, as a route has it.
    pub(super) fn on(mut self, route: &Route) -> Self {
        self.compat = route.compat.unwrap_or(self.compat);
        self.output_tokens_max = route.output_tokens_max;
        self
    }

    pub(crate) fn provider(&self) -> &Arc<Provider> {
        &self.resolution.target.provider
    }

    pub(crate) fn surface(&self) -> Option<&Surface> {
        match self.way {
            Way::Surface(at) => self.provider().surfaces.get(at),
            Way::Rerank => self.provider().rerank.as_ref().map(|rerank| &rerank.surface),
            Way::Embed => self.provider().embed.as_ref(),
        }
    }

    /// The form in which it makes vectors, where it does.
    pub(super) fn embedding_form(&self) -> Option<Form> {
        match self.way {
            Way::Embed => Some(Form::Cohere),
            _ => form_of(self.surface()?.dialect, &self.resolution.target.real),
        }
    }

    /// The compatibility rules of the target, where there are any.
    pub(crate) fn rules(&self) -> Option<&Compat> {
        self.resolution.target.rules(self.place()).filter(|rules| !rules.rules().is_empty())
    }

    /// What a codec must know of the target.
    pub(crate) fn codec_target(&self) -> Target<'_> {
        self.resolution.target.codec_target(self.place())
    }

    /// The place of its surface among the provider's.
    const fn place(&self) -> usize {
        match self.way {
            Way::Surface(at) => at,
            Way::Rerank | Way::Embed => 0,
        }
    }

    pub(crate) fn surface_dialect(&self) -> Dialect {
        self.surface().map_or(Dialect::OpenaiChat, |surface| surface.dialect)
    }

    /// The surface speaks for Claude at Vertex AI; see [`super::vertex`].
    pub(crate) fn is_vertex_anthropic(&self) -> bool {
        self.surface().is_some_and(|surface| surface.naming == Naming::VertexAnthropic)
    }

    /// What follows the prepared path in this call: empty for all surfaces but those that name the model there.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] for a name that would lead to another place.
    pub(crate) fn tail(&self, call: Call, is_stream: bool) -> Result<String, Error> {
        let naming = self.surface().map_or(&Naming::Body, |surface| &surface.naming);
        if *naming == Naming::Body {
            return Ok(String::new());
        }
        let model = &self.resolution.target.model;
        if !may_stand_in_a_path(model) {
            return Err(Error::bad_request("model", format!("`{model}` cannot be the name of a model")));
        }
        Ok(match naming {
            Naming::Body => String::new(),
            Naming::GeminiPath => vendor_path(model, gemini_method(call, is_stream)),
            Naming::BedrockPath if call.embeds() => invoke_path(model),
            Naming::BedrockPath => converse_path(model, is_stream),
            // The model to count for stands in the body.
            Naming::VertexAnthropic if call == Call::CountTokens => {
                "/models/count-tokens:rawPredict".to_owned()
            }
            Naming::VertexAnthropic => vertex_anthropic_path(model, is_stream),
            Naming::Deployment { query } => {
                let path = match call {
                    Call::Embeddings | Call::EmbeddingsBatch => "/embeddings",
                    Call::Completions => "/completions",
                    _ => "/chat/completions",
                };
                format!("/{}{path}{query}", segment(model))
            }
        })
    }
}

const fn gemini_method(call: Call, is_stream: bool) -> GeminiMethod {
    match (call, is_stream) {
        // Neither legacy completions nor calls that pass come here: no surface of Google's takes them.
        (Call::Chat | Call::Completions | Call::Pass(_), false) => GeminiMethod::Generate,
        (Call::Chat | Call::Completions | Call::Pass(_), true) => GeminiMethod::Stream,
        (Call::CountTokens, _) => GeminiMethod::CountTokens,
        (Call::Embeddings, _) => GeminiMethod::Embed,
        (Call::EmbeddingsBatch, _) => GeminiMethod::BatchEmbed,
    }
}

/// The form in which a surface makes a model's vectors, where it does.
fn form_of(dialect: Dialect, model: &str) -> Option<Form> {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => Some(Form::OpenAi),
        Dialect::GeminiGenerate => Some(Form::Gemini),
        Dialect::BedrockConverse => Form::at_bedrock(model),
        Dialect::AnthropicMessages | Dialect::OpenaiResponses => None,
    }
}

/// Chooses the way to vectors: the vendor's own call where a client of OpenAI's form would lose what it can say, then the
/// client's own form, then any other.
fn for_vectors(resolution: Arc<Resolution>, dialect: Dialect, call: Call) -> Result<Choice, Error> {
    let target = &resolution.target;
    let provider = &target.provider;
    let of_client = match dialect {
        Dialect::GeminiGenerate => Form::Gemini,
        _ => Form::OpenAi,
    };
    let forms = || {
        target.surfaces.iter().filter_map(|at| {
            let surface = provider.surfaces.get(*at)?;
            Some((*at, form_of(surface.dialect, &target.real)?))
        })
    };
    let same = forms().find(|(_, form)| *form == of_client);
    let has_own = provider.embed.is_some();
    let (way, form) = match (same, forms().next()) {
        (Some((at, form)), _) if !has_own => (Way::Surface(at), form),
        _ if has_own => (Way::Embed, Form::Cohere),
        (_, Some((at, form))) => (Way::Surface(at), form),
        _ => return Err(no_vectors(&resolution)),
    };
    let is_same_dialect = form == of_client;
    let needs_batch = form == Form::Gemini && (call == Call::EmbeddingsBatch || !is_same_dialect);
    if needs_batch && provider.quirks.iter().any(|quirk| quirk == "no-batch-embeddings") {
        let public = format!(
            "`{}` makes vectors over `embedContent` only, one by one; ask a provider of the Gemini API, such as gemini, or \
             call `:embedContent`",
            provider.name
        );
        return Err(Error::bad_request("model", public));
    }
    Ok(Choice::to(resolution, way, is_same_dialect))
}

fn no_vectors(resolution: &Resolution) -> Error {
    let target = &resolution.target;
    let is_bedrock = target.surfaces.iter().any(|at| {
        target.provider.surfaces.get(*at).is_some_and(|one| one.dialect == Dialect::BedrockConverse)
    });
    let what = if is_bedrock {
        let shown: String = target.real.chars().take(120).collect();
        format!(
            "for `{shown}`: at Bedrock, those of Amazon's titan-embed-text and Cohere's embed models are known; ask for one"
        )
    } else {
        "that this gateway knows; ask another provider for them".to_owned()
    };
    Error::bad_request("model", format!("`{}` has no embeddings {what}", target.provider.name))
}

/// Chooses who takes a call.
///
/// # Errors
/// Where the name leads nowhere, or to nobody who can take this call.
pub(super) fn choose(
    shared: &Shared,
    plan: &Plan,
    dialect: Dialect,
    call: Call,
    asked: &Asked<'_>,
) -> Result<Order, Error> {
    let mut order = match plan.route(asked.called()) {
        Some(route) => of_route(shared, plan, route, dialect, call, asked)?,
        None => of_name(plan, dialect, call, asked)?,
    };
    if plan.lifecycles.is_enforced {
        retire::enforce(shared, plan, dialect, call, asked, &mut order)?;
    }
    Ok(order)
}

/// The order of a name that is no route: one target.
fn of_name(plan: &Plan, dialect: Dialect, call: Call, asked: &Asked<'_>) -> Result<Order, Error> {
    let resolution = plan.resolve(&asked.model)?;
    if let Some(key) = &asked.holder {
        may_call(key, &resolution)?;
    }
    let mut first = of_target(resolution, dialect, call)?;
    first.output_tokens_max = plan.defaults.output_tokens_max();
    Ok(Order {
        route: None,
        first,
        rest: Vec::new(),
        chosen: None,
        marks: Marks::new(),
        text_bytes: None,
        is_in_tool_loop: false,
        cascade: None,
        spare: 0,
        until: None,
    })
}

fn of_route(
    shared: &Shared,
    plan: &Plan,
    route: &Arc<Route>,
    dialect: Dialect,
    call: Call,
    asked: &Asked<'_>,
) -> Result<Order, Error> {
    let told = Told::read(shared, route, dialect, asked);
    // Who may call the route may call what stands behind it; who may not, what else the key allows.
    let allowed = asked.held_back(&route.name).map(|key| AllowList::new(key.terms.allow.iter().cloned()));
    let outputs = outputs(route);
    let given = route.asks.as_ref().map(|asks| asked.given(dialect, told.features().at, asks));
    let values = given.as_ref().map(|given| given as &dyn Values);
    let features = Features { allowed: allowed.as_ref(), outputs: &outputs, values, ..told.features() };
    let mut trace = Trace::of(&route.chooser, features.at, shared.chance());
    let decided = route.chooser.choose_traced(&features, &mut told.counter(&shared.prefixes), &mut trace);
    let decision = match decided {
        Ok(decision) => decision,
        Err(none) => {
            let way = |resolution| of_target(resolution, dialect, call);
            return gone::instead(shared, plan, route, &told, asked, none, way);
        }
    };
    let mut callable: SmallVec<[&Ranked; 8]> = SmallVec::new();
    let mut refusals = Vec::new();
    let mut cheap = CheapOnes::of(&decision);
    let mut choices = Vec::with_capacity(decision.order.len());
    for ranked in &decision.order {
        let Some(resolution) = route.targets.get(usize::from(ranked.index)) else { continue };
        match of_target(Arc::clone(resolution), dialect, call) {
            Ok(choice) => {
                callable.push(ranked);
                choices.extend(cheap.keep(ranked.index, choice.on(route)));
            }
            Err(error) => refusals.push((ranked.index, error)),
        }
    }
    let chosen = tell(plan, route, asked, (&callable, &decision, &refusals), (&trace, &features));
    if choices.is_empty() {
        // Nobody is left to escalate to.
        choices.extend(cheap.cheap.take());
    }
    let mut choices = choices.into_iter();
    let Some(first) = choices.next() else {
        let refusal = refusals.into_iter().next().map(|(_, error)| error);
        return Err(refusal.unwrap_or_else(|| Error::new(Kind::Internal, "the route has no targets")));
    };
    // Vectors of different models cannot be compared: only another place that serves the same model helps.
    let helps = |one: &Choice| !call.embeds() || one.resolution.target.real == first.resolution.target.real;
    let rest: Vec<Choice> = choices.filter(helps).collect();
    let (marks, text_bytes) = (told.marks.clone(), told.text_bytes());
    Ok(Order {
        text_bytes,
        is_in_tool_loop: told.is_in_tool_loop(),
        route: Some(Arc::clone(route)),
        first,
        rest,
        chosen: Some(chosen),
        marks,
        cascade: cheap.parts(),
        spare: 0,
        until: None,
    })
}

/// What each target of a route is expected to write, by its place; 0 where that is not known.
pub(crate) fn outputs(route: &Route) -> SmallVec<[u32; 8]> {
    route.targets.iter().map(|target| target.output.as_ref().map_or(0, |known| known.tokens())).collect()
}

/// What the receipt says of a choice: the targets that are asked, those that could not take the call or cannot be called in
/// this way, and what it was made of.
fn tell(
    plan: &Plan,
    route: &Route,
    asked: &Asked<'_>,
    (order, decision, refusals): (&[&Ranked], &Decision, &[(u16, Error)]),
    kept: (&Trace, &Features<'_>),
) -> Box<Said> {
    let mut said = Box::new(Said::with_capacity(WORDS_BYTES_USUAL, FILLS_BYTES_USUAL));
    let json = &mut said.split();
    put(json, "{\"strategy\":");
    put_string(json, &route.strategy);
    put_order(json, route, order);
    put_removed(json, route, decision, refusals);
    put(json, ",\"evidence\":");
    rederive::put_kept(json, &plan.edition, asked.branching.as_deref(), kept);
    put(json, "}");
    said
}

/// Puts the targets that are asked behind what is told of a choice, in their order.
fn put_order(json: &mut Split<'_>, route: &Route, order: &[&Ranked]) {
    let put_all = |json: &mut Split<'_>| {
        put(json, ",\"order\":");
        put_list(json, order, |json, ranked| {
            put_standing(json, route.quoted_name(ranked.index), |json| ranked.reason.put(json));
        });
    };
    if order.len() <= ORDER_SHARED_MAX {
        return put_all(json);
    }
    let mut apart = Said::default();
    put_all(&mut apart.split());
    json.own(&apart.text());
}

/// Puts those that could not take the call, and those that cannot be called in this way.
fn put_removed(json: &mut Split<'_>, route: &Route, decision: &Decision, refusals: &[(u16, Error)]) {
    let removed = decision.removed.iter().map(|one| (one.index, route.chooser.why_not(one)));
    let refused = refusals.iter().map(|(index, error)| (*index, error.public.to_string()));
    put(json, ",\"removed\":");
    put_list(json, removed.chain(refused), |json, (index, why)| {
        Standing::put(json, &route.standing(index, why));
    });
}

/// Finds the cheap targets of a cascade among those of a choice.
#[derive(Default)]
struct CheapOnes {
    plan: Option<CascadePlan>,
    cheap: Option<Choice>,
    partner: Option<Choice>,
}

impl CheapOnes {
    fn of(decision: &Decision) -> Self {
        Self { plan: decision.cascade, ..Self::default() }
    }

    /// Keeps a cheap target back; gives any other.
    fn keep(&mut self, index: u16, choice: Choice) -> Option<Choice> {
        match self.plan {
            Some(plan) if plan.cheap == index => self.cheap = Some(choice),
            Some(plan) if plan.partner == Some(index) => self.partner = Some(choice),
            _ => return Some(choice),
        }
        None
    }

    fn parts(self) -> Option<Parts> {
        Some(Parts { cheap: self.cheap?, partner: self.partner })
    }
}

/// Whether a key may call a target by the name that was asked for, or by the target's own.
pub(super) fn may_call(key: &KeyInfo, resolution: &Resolution) -> Result<(), Error> {
    if key.terms.allows(&resolution.asked) {
        return Ok(());
    }
    let target = &resolution.target;
    let name = format!("{}/{}", target.provider.name, target.model);
    if key.terms.allows(&name) {
        return Ok(());
    }
    let public = format!(
        "the API key `{}` may not call `{name}`; it may call {}",
        key.name,
        key.terms.allow.join(", ")
    );
    Err(Error::new(Kind::Forbidden, public))
}

/// The way to one target.
pub(super) fn of_target(resolution: Arc<Resolution>, dialect: Dialect, call: Call) -> Result<Choice, Error> {
    if call.embeds() {
        return for_vectors(resolution, dialect, call);
    }
    let provider = &resolution.target.provider;
    let fits = |surface: &Surface| match call {
        Call::Completions => surface.dialect == Dialect::OpenaiChat && !provider.no_completions,
        _ => surface.dialect == dialect,
    };
    // Of the surfaces that serve the model: at a cloud, each maker's models have a dialect of their own.
    let serving = &resolution.target.surfaces;
    let same = serving.iter().copied().find(|at| fits(&provider.surfaces[*at]));
    let surface = match (same, call) {
        (Some(surface), _) => surface,
        (None, Call::Completions) => return Err(no_completions(&provider.name)),
        (None, _) => serving.first().copied().unwrap_or(usize::MAX),
    };
    match provider.surfaces.get(surface) {
        None => return Err(Error::new(Kind::Internal, "the provider has no way to be called")),
        Some(only) if only.dialect == Dialect::OpenaiEmbeddings => {
            let public =
                format!("`{}` makes embeddings only; ask another provider for answers", provider.name);
            return Err(Error::bad_request("model", public));
        }
        Some(_) => {}
    }
    Ok(Choice::to(resolution, Way::Surface(surface), same.is_some()))
}

/// A text to go on with is no conversation: a chat's template would stand around it, and `echo`, `suffix` and `best_of` have
/// no counterpart, so that nothing is translated.
fn no_completions(provider: &str) -> Error {
    let public = format!(
        "`{provider}` has no legacy completions, and a text completion cannot be turned into a chat exactly; send the prompt \
         as a message to /v1/chat/completions, or ask for a model of a provider that has /v1/completions"
    );
    Error::bad_request("model", public)
}
