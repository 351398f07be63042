//! What a check may ask of a request, whoever brings it.

use serde::Deserialize;

use super::path::Path;

/// What is known of a member's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// Its JSON text.
    Json(&'a [u8]),
    /// It is there, and its value is made at run time: source code that names a variable.
    Dynamic,
}

/// A view of a request in its target's dialect.
pub trait RequestFacts {
    /// Calls `see` with the name of every top-level member, as the dialect's documents spell it.
    fn each_member(&self, see: &mut dyn FnMut(&str));

    /// Calls `see` for every value that stands at `path`, with the indices of the lists on the way. A value of `null`
    /// counts as absent.
    fn each_at(&self, path: &Path, see: &mut dyn FnMut(&[usize], Seen<'_>));

    /// What the conversation tells; `None` where the view cannot say.
    fn tells(&self, fact: Fact) -> Option<bool>;
}

/// Something about a conversation as a whole, which no single member tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The last turn is the assistant's: the model is asked to continue it (a prefill).
    EndsWithAssistant,
    /// The last turn is the assistant's, and its text ends with white space.
    EndsWithBlank,
    /// System messages stand within the conversation.
    SystemWithin,
    /// More than four blocks carry a cache marker.
    ManyCacheMarks,
    /// A block of text is empty.
    EmptyText,
    /// A tool call's id is not nine letters or digits.
    LongToolIds,
    /// Reasoning items come back without their sealed content although nothing is stored.
    UnsealedReasoning,
    /// A function call of the current turn comes back without the signature that it was given.
    UnsignedCalls,
    /// The thinking budget is not below the output limit.
    BudgetAboveLimit,
    /// The assistant's last turn, which a tool's result answers or which the model is to continue, does not begin with
    /// thinking.
    TurnWithoutThinking,
}
