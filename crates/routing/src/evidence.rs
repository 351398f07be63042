//! What a choice was made of, kept so that it can be made again: the request's features, the seed of chance, what was
//! counted, and what was seen of the targets. The route itself, its targets and prices are the configuration's.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::written::{
    Text, put, put_list, put_number, put_own_string, put_string, put_value, put_words,
};
use pilothouse_tokens::{TextShape, Tokenizer};
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;

use crate::candidate::{Capability, Needs};
use crate::count::{Counter, Readings};
use crate::random::Random;
use crate::request::{AllowList, Conversation, Deadline, Features, Held, Input};
use crate::route::{Decision, NoTarget, Route};
use crate::sight::{Seen, Sight, put_some};

/// Most names of an allow-list that are kept.
const ALLOWED_MAX: usize = 64;

/// What a choice was made of, read back. As JSON it is some hundred bytes: what is usual is left out. Each choice on a route
/// writes it, so that [`Trace::put`] does it by hand; what serde would write is what the tests compare it with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(default)]
pub struct Evidence {
    seed: u64,
    at: UnixMs,
    #[cfg_attr(test, serde(skip_serializing_if = "Vec::is_empty"))]
    needs: Vec<Capability>,
    /// Bytes of text, messages, tokens of media.
    input: (u64, u32, u64),
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    output_tokens_max: Option<u64>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    output_tokens_expected: Option<u64>,
    #[cfg_attr(test, serde(skip_serializing_if = "Vec::is_empty"))]
    outputs: Vec<u32>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    service_tier: Option<Box<str>>,
    /// Milliseconds that were left, and whether for the first token only.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    deadline: Option<(u64, bool)>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    allowed: Option<Vec<Box<str>>>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    conversation: Option<(u64, Option<Held>)>,
    #[cfg_attr(test, serde(skip_serializing_if = "Readings::is_empty"))]
    readings: Readings,
    #[cfg_attr(test, serde(skip_serializing_if = "Vec::is_empty"))]
    seen: Vec<Seen>,
    /// The allow-list was longer than what is kept.
    #[cfg_attr(test, serde(skip_serializing_if = "std::ops::Not::not"))]
    is_cut: bool,
}

impl Evidence {
    /// The moment of the choice.
    #[must_use]
    pub const fn at(&self) -> UnixMs {
        self.at
    }

    /// Whether something that the choice was made of was too long to be kept, so that it cannot be made again for sure.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }
}

/// What a choice is made of, while it is made.
#[derive(Debug)]
pub struct Trace {
    seed: u64,
    sight: Sight,
    readings: Readings,
}

impl Trace {
    /// Of a choice on that route, by the chance of a seed.
    #[must_use]
    pub fn of(route: &Route, at: UnixMs, seed: u64) -> Self {
        Self { seed, sight: Sight::of(route.candidates().len(), at), readings: Readings::default() }
    }

    /// Puts it behind a text, as the JSON of an [`Evidence`], with the features that the choice was told.
    pub fn put(&self, json: &mut impl Text, features: &Features<'_>) {
        put_words(json, &["{\"seed\":", ",\"at\":"], &[self.seed, features.at.0]);
        if features.needs != Needs::NONE {
            put(json, ",\"needs\":");
            put_list(json, features.needs.iter(), |json, need| put_string(json, need.as_str()));
        }
        let Input { text_bytes, messages, media_tokens } = features.input;
        let words = [",\"input\":[", ",", ",", "]"];
        put_words(json, &words, &[text_bytes, messages.into(), media_tokens]);
        put_some(json, ",\"output_tokens_max\":", features.output_tokens_max);
        put_some(json, ",\"output_tokens_expected\":", features.output_tokens_expected);
        if features.outputs.iter().any(|tokens| *tokens > 0) {
            put(json, ",\"outputs\":");
            put_list(json, features.outputs, |json, tokens| put_number(json, u64::from(*tokens)));
        }
        put_seldom(json, features);
        if let Some(Conversation { id, held }) = &features.conversation {
            put_words(json, &[",\"conversation\":[", ","], &[*id]);
            match held {
                None => put(json, "null"),
                Some(held) => put_value(json, held),
            }
            put(json, "]");
        }
        if !self.readings.is_empty() {
            put(json, ",\"readings\":");
            put_value(json, &self.readings);
        }
        self.sight.put(json);
        if features.allowed.is_some_and(|allowed| allowed.names().len() > ALLOWED_MAX) {
            put(json, ",\"is_cut\":true");
        }
        put(json, "}");
    }
}

/// Puts what few choices have behind the text of its object.
fn put_seldom(json: &mut impl Text, features: &Features<'_>) {
    if let Some(tier) = features.service_tier {
        put(json, ",\"service_tier\":");
        put_own_string(json, tier);
    }
    if let Some(Deadline { remaining_ms, is_first_token }) = features.deadline {
        put_words(json, &[",\"deadline\":[", ","], &[remaining_ms]);
        put(json, if is_first_token { "true]" } else { "false]" });
    }
    if let Some(allowed) = features.allowed {
        put(json, ",\"allowed\":");
        put_list(json, allowed.names().iter().take(ALLOWED_MAX), |json, name| put_own_string(json, name));
    }
}

/// Answers what was answered before.
struct Told<'e>(&'e Readings);

impl Counter for Told<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        // What estimates make of it is told, too: the shape itself is not asked for.
        self.0.has_shape().then(TextShape::default)
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        self.0.counted(tokenizer)
    }
}

impl Route {
    /// Chooses as [`Route::choose`] does, by the chance of the trace's seed, and leaves in the trace what the choice was made
    /// of.
    ///
    /// # Errors
    /// As [`Route::choose`].
    pub fn choose_traced(
        &self,
        features: &Features<'_>,
        counter: &mut dyn Counter,
        trace: &mut Trace,
    ) -> Result<Decision, NoTarget> {
        let Trace { seed, sight, readings } = trace;
        self.choose_seeing(features, counter, &mut Random::new(*seed), sight, Ok(readings))
    }

    /// Makes a choice again of what it was made of. With the same route, the outcome is the same.
    ///
    /// # Errors
    /// As [`Route::choose`].
    pub fn choose_again(&self, evidence: &Evidence) -> Result<Decision, NoTarget> {
        let allowed = evidence.allowed.as_ref().map(|names| AllowList::new(names.iter().cloned()));
        let (text_bytes, messages, media_tokens) = evidence.input;
        let features = Features {
            at: evidence.at,
            needs: evidence.needs.iter().copied().collect::<Needs>(),
            input: Input { text_bytes, messages, media_tokens },
            output_tokens_max: evidence.output_tokens_max,
            output_tokens_expected: evidence.output_tokens_expected,
            outputs: &evidence.outputs,
            service_tier: evidence.service_tier.as_deref(),
            deadline: evidence
                .deadline
                .map(|(remaining_ms, is_first_token)| Deadline { remaining_ms, is_first_token }),
            allowed: allowed.as_ref(),
            conversation: evidence.conversation.map(|(id, held)| Conversation { id, held }),
            last_user_text: None,
            // What was seen of conditions is in the sight.
            values: None,
        };
        let sight = Sight::again(self.candidates().len(), evidence.at, &evidence.seen);
        let mut counter = Told(&evidence.readings);
        let random = &mut Random::new(evidence.seed);
        self.choose_seeing(&features, &mut counter, random, &sight, Err(&evidence.readings))
    }
}

#[cfg(test)]
mod tests;
