//! What a route's strategies are told of a request: what it needs, how long it is, which conversation it continues.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_routing::affinity::{Chain, Identity, Scope};
use pilothouse_routing::count::{Counter, PrefixCounts, Prefixed};
use pilothouse_routing::{Capability, Conversation, Deadline, Features, Held, Input, Needs};
use pilothouse_tokens::{TextShape, Tokenizer};
use pilothouse_wire::head::Head;
use pilothouse_wire::needs::{self, Survey, Wants};
use pilothouse_wire::scan;
use smallvec::SmallVec;

use super::read::Asked;
use crate::plan::Route;
use crate::shared::Shared;

/// Tokens that a picture, a recording or a page takes, about: what vendors bill for a picture of usual size
/// (<https://platform.openai.com/docs/guides/images-vision>, <https://platform.claude.com/docs/en/build-with-claude/vision>,
/// read 2026-11-23).
pub(crate) const TOKENS_PER_MEDIUM: u64 = 1_000;

/// What a request tells about itself, read once.
pub(crate) struct Told<'a> {
    input: Input,
    needs: Needs,
    output_tokens_max: Option<u64>,
    at: UnixMs,
    deadline: Option<Deadline>,
    conversation: Option<Conversation>,
    /// What the next request of this conversation will be known by.
    pub(super) marks: Marks,
    /// The turns, as they stand in the body.
    turns: SmallVec<[&'a [u8]; 8]>,
    /// What is encoded is no text; then the length alone must do.
    is_text: bool,
    /// The digests of what ends with each of the last turns.
    digests: SmallVec<[u64; 16]>,
}

/// The digests by which a conversation is found again.
pub(super) type Marks = SmallVec<[u64; 2]>;

impl<'a> Told<'a> {
    /// Reads a request for a route.
    pub(super) fn read(shared: &Shared, route: &Route, dialect: Dialect, asked: &'a Asked<'_>) -> Self {
        let head = Head::over(&asked.body, &asked.members);
        let at = shared.clock.now();
        let mut turns = SmallVec::new();
        let survey = asked.survey_turns(dialect, &head, |turn| turns.push(turn));
        let mut told = Self::seen(route, dialect, &head, (survey, turns), asked.is_stream, at);
        let scope = Scope {
            seed: shared.seed(),
            key: &asked.key,
            end_user: asked.end_user.as_deref(),
            route: &route.name,
        };
        let mut chain = Chain::new(&scope, b"");
        told.turns.iter().for_each(|turn| chain.push(turn));
        let (marks, found) = known_by(shared, &scope, dialect, asked, &head, &chain, at);
        told.digests = SmallVec::from_slice(chain.digests());
        let is_in_tool_loop = || needs::is_in_tool_loop(dialect, &head);
        told.conversation = found.map(|(id, held)| Conversation {
            id,
            held: held.map(|held| Held { is_in_tool_loop: is_in_tool_loop(), ..held }),
        });
        told.marks = marks;
        told
    }

    /// Reads a request that continues nothing.
    pub(crate) fn alone(
        route: &Route,
        dialect: Dialect,
        head: &Head<'a>,
        is_stream: bool,
        at: UnixMs,
    ) -> Self {
        let mut turns = SmallVec::new();
        let survey = needs::survey_turns(dialect, head, |turn| turns.push(turn));
        Self::seen(route, dialect, head, (&survey, turns), is_stream, at)
    }

    fn seen(
        route: &Route,
        dialect: Dialect,
        head: &Head<'a>,
        (survey, turns): (&Survey, SmallVec<[&'a [u8]; 8]>),
        is_stream: bool,
        at: UnixMs,
    ) -> Self {
        let size = survey.size;
        let deadline = route.deadline.map(|all| Deadline {
            remaining_ms: u64::try_from(all.as_millis()).unwrap_or(u64::MAX),
            is_first_token: is_stream,
        });
        Self {
            input: Input {
                text_bytes: size.text_bytes,
                messages: size.messages,
                media_tokens: u64::from(size.media) * TOKENS_PER_MEDIUM,
            },
            needs: needs_of(needs::wants(dialect, head, survey)),
            output_tokens_max: match (survey.output_limit, route.output_tokens_max) {
                (Some(asked), Some(most)) => Some(asked.min(most)),
                (asked, most) => asked.or(most),
            },
            at,
            deadline,
            conversation: None,
            marks: Marks::new(),
            turns,
            is_text: size.media == 0,
            digests: SmallVec::new(),
        }
    }

    /// The same, as strategies are told it.
    pub(crate) fn features(&self) -> Features<'_> {
        Features {
            at: self.at,
            needs: self.needs,
            input: self.input,
            output_tokens_max: self.output_tokens_max,
            deadline: self.deadline,
            conversation: self.conversation,
            ..Features::default()
        }
    }

    /// Whether the conversation is known to be between a tool's call and its result.
    pub(super) fn is_in_tool_loop(&self) -> bool {
        let held = self.conversation.and_then(|conversation| conversation.held);
        held.is_some_and(|held| held.is_in_tool_loop)
    }

    /// Counts its tokens where somebody must, beginning with what was counted of its earlier turns.
    pub(crate) fn counter<'c>(&'c self, counts: &'c PrefixCounts) -> Turns<'c> {
        Turns { turns: if self.is_text { &self.turns } else { &[] }, digests: &self.digests, counts }
    }

    /// Bytes of its text, where it holds nothing else.
    pub(super) fn text_bytes(&self) -> Option<u64> {
        (self.input.media_tokens == 0).then_some(self.input.text_bytes)
    }
}

/// Counts the turns of a request: nothing is read of them until somebody must.
pub(crate) struct Turns<'a> {
    turns: &'a [&'a [u8]],
    digests: &'a [u64],
    counts: &'a PrefixCounts,
}

impl Turns<'_> {
    fn read<T>(&self, ask: impl FnOnce(Prefixed<'_>) -> Option<T>) -> Option<T> {
        let texts: Vec<&str> = self.turns.iter().filter_map(|turn| std::str::from_utf8(turn).ok()).collect();
        ask(Prefixed { texts: &texts, digests: self.digests, counts: self.counts })
    }
}

impl Counter for Turns<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        self.read(|mut texts| texts.shape())
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        self.read(|mut texts| texts.count(tokenizer))
    }
}

/// What a conversation is known by, the surest first: the marks of this turn, and where its last one went.
fn known_by(
    shared: &Shared,
    scope: &Scope<'_>,
    dialect: Dialect,
    asked: &Asked<'_>,
    head: &Head<'_>,
    chain: &Chain,
    at: UnixMs,
) -> (Marks, Option<(u64, Option<Held>)>) {
    let one = |id: u64| {
        let held = shared.conversations.find(id, at).map(|known| known.held);
        (SmallVec::from_slice(&[id]), Some((id, held)))
    };
    let named = asked.conversation.and_then(|value| value.to_str().ok());
    if let Some(id) = named.filter(|id| !id.is_empty()) {
        return one(Identity::Client(id).digest(scope));
    }
    let text = |path: &[&str]| needs::find(head, path, dialect).and_then(scan::text_value);
    if dialect == Dialect::OpenaiResponses {
        if let Some(id) = text(&["conversation", "id"]).or_else(|| text(&["conversation"])) {
            return one(Identity::Vendor(&id).digest(scope));
        }
        if let Some(id) = text(&["previous_response_id"]) {
            return one(Identity::Vendor(&id).digest(scope));
        }
    }
    let is_bare = asked.survey(dialect, head).is_bare;
    if let Some(key) = (!is_bare).then(|| text(&["prompt_cache_key"])).flatten() {
        return one(Identity::CacheKey(&key).digest(scope));
    }
    // What was asked before begins what is asked now; the same words again are another beginning.
    let found = shared.conversations.find_first(chain.prefixes().skip(1), at);
    let whole = chain.whole();
    (SmallVec::from_slice(&[whole]), Some((chain.root(), found.map(|(_, known)| known.held))))
}

fn needs_of(wants: Wants) -> Needs {
    let told = [
        (wants.tools, Capability::Tools),
        (wants.tool_choice, Capability::ToolChoice),
        (wants.image_input, Capability::ImageInput),
        (wants.audio_input, Capability::AudioInput),
        (wants.video_input, Capability::VideoInput),
        (wants.pdf_input, Capability::PdfInput),
        (wants.audio_output, Capability::AudioOutput),
        (wants.json_schema, Capability::JsonSchema),
        (wants.reasoning, Capability::Reasoning),
        (wants.web_search, Capability::WebSearch),
    ];
    told.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, capability)| capability).collect()
}
