//! A request as routing sees it: what it needs, how long it is, how long it may take. No text; headers only
//! where a condition asks for one.

use pilothouse_cel::Values;
use pilothouse_core::clock::UnixMs;
use serde::{Deserialize, Serialize};

use crate::candidate::{Needs, TargetId};

/// Output tokens that are expected where neither the ledger nor the caller says anything. A guess between a chat's
/// sentence and an agent's file; it is the same for every target, so it moves orders of price little.
pub const OUTPUT_TOKENS_GUESS: u64 = 500;

/// What is known of one exchange before a target is chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features<'a> {
    /// The moment of the choice: for prices, notices, breakers and decay.
    pub at: UnixMs,
    /// What the request needs.
    pub needs: Needs,
    /// How long it is.
    pub input: Input,
    /// The most output tokens that the caller, the route and the key allow.
    pub output_tokens_max: Option<u64>,
    /// Output tokens that the ledger expects of such an exchange.
    pub output_tokens_expected: Option<u64>,
    /// The same of each target on this route, by its place among the route's; 0 or nothing where that is not known.
    pub outputs: &'a [u32],
    /// The service tier that is asked for, if any.
    pub service_tier: Option<&'a str>,
    /// How long the answer may take.
    pub deadline: Option<Deadline>,
    /// What the caller's key may use; `None` is everything.
    pub allowed: Option<&'a AllowList>,
    /// The conversation that this exchange continues.
    pub conversation: Option<Conversation>,
    /// The last thing that the user said, for models of quality.
    pub last_user_text: Option<&'a str>,
    /// What conditions are about; without it, none holds.
    pub values: Option<&'a dyn Values>,
}

impl Features<'_> {
    /// Output tokens to price: the ledger's expectation, else a guess; never more than the cap.
    #[must_use]
    pub fn output_tokens(&self) -> u64 {
        let expected = self.output_tokens_expected.unwrap_or(OUTPUT_TOKENS_GUESS);
        self.output_tokens_max.map_or(expected, |max| expected.min(max))
    }
}

/// The length of a request, as far as it can be told without a tokenizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Bytes of text: messages, tools, schemas. A token has at least one byte, so this bounds their tokens.
    pub text_bytes: u64,
    /// Messages: each has some tokens around it.
    pub messages: u32,
    /// Tokens of pictures, sound and documents, by the sizes that the request tells.
    pub media_tokens: u64,
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Milliseconds that are left.
    pub remaining_ms: u64,
    /// Whether it is the first token that must have come by then, and not the whole answer.
    pub is_first_token: bool,
}

/// A conversation that is known from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// What it is known by, the same at every turn: [`crate::affinity::Identity::digest`] or
    /// [`crate::affinity::Chain::root`].
    pub id: u64,
    /// Where its last exchange went, if that is remembered.
    pub held: Option<Held>,
}

/// What a conversation has with the target of its last exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// That target.
    pub target: TargetId,
    /// Tokens of the prefix that the vendor's prompt cache should still hold.
    pub cached_tokens: u64,
    /// Whether the model waits for the result of a tool that it called.
    pub is_in_tool_loop: bool,
}

/// The targets that a key may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Box<[Box<str>]>);

impl AllowList {
    /// A list of names: `openai/gpt-5.5`, or all of a provider's as `openai/*`. An empty list allows nothing.
    pub fn new<N: Into<Box<str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The names on it.
    #[must_use]
    pub const fn names(&self) -> &[Box<str>] {
        &self.0
    }

    /// Whether a target is on it.
    #[must_use]
    pub fn allows(&self, target: &str) -> bool {
        self.0.iter().any(|entry| match entry.strip_suffix('*') {
            Some(start) => target.starts_with(start),
            None => **entry == *target,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_list_knows_names_and_whole_providers() {
        let list = AllowList::new(["openai/*", "anthropic/claude-opus-5"]);
        assert!(list.allows("openai/gpt-5.5") && list.allows("anthropic/claude-opus-5"));
        assert!(!list.allows("anthropic/claude-opus-5-fast") && !list.allows("openai-eu/gpt-5.5"));
        assert!(!AllowList::default().allows("openai/gpt-5.5"));
    }

    #[test]
    fn expected_output_is_never_above_the_cap() {
        let mut features = Features { output_tokens_max: Some(100), ..Features::default() };
        assert_eq!(features.output_tokens(), 100);
        features.output_tokens_expected = Some(20);
        assert_eq!(features.output_tokens(), 20);
        features.output_tokens_max = None;
        features.output_tokens_expected = None;
        assert_eq!(features.output_tokens(), OUTPUT_TOKENS_GUESS);
    }
}
