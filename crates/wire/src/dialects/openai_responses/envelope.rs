//! The response object, which whole answers are and which begins and ends every stream.
//!
//! It repeats what the request asked for. Where the answer comes from another dialect, the client's own request is
//! repeated, and what that leaves out has the values that the vendor's defaults have.

use pilothouse_core::conversation::{Raw, Rest, UsageReport};

use super::item::write_rest;
use super::{COMPLETED, INCOMPLETE};
use crate::codec::usage::write_responses;
use crate::json::{Members, Object};

/// Members that repeat the request, or say what another dialect has no use for.
const ECHOED: [&str; 24] = [
    "background",
    "completed_at",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "frequency_penalty",
];

/// What is left of a response object, those members that repeat the request under names of our own.
pub(super) fn keep(left: Rest) -> Rest {
    let mut rest = Rest::default();
    for (name, value) in left.iter() {
        if ECHOED.contains(&name) {
            rest.push(&format!("@{name}"), value.clone());
        } else {
            rest.push(name, value.clone());
        }
    }
    rest
}

/// How far a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status<'a> {
    /// It is being made.
    InProgress,
    /// It ended: whole, or for this reason before.
    Ended(&'a str),
}

impl Status<'_> {
    /// The word for the whole.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Ended(COMPLETED) => COMPLETED,
            Self::Ended(_) => INCOMPLETE,
        }
    }
}

/// A response as it is written.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) id: &'a str,
    pub(super) model: &'a str,
    pub(super) created: u64,
    pub(super) status: Status<'a>,
    pub(super) output: &'a [Raw],
    pub(super) usage: Option<&'a UsageReport>,
    pub(super) service_tier: Option<&'a str>,
    /// Whether the answer came in this dialect: then `rest` is written and nothing made up.
    pub(super) native: bool,
    pub(super) rest: &'a Rest,
    /// What the client's request said, for answers of another dialect.
    pub(super) echoed: Option<&'a Rest>,
}

impl Envelope<'_> {
    /// Writes the object.
    pub(super) fn write(&self, out: &mut Object<'_>) {
        out.text("id", self.id);
        out.text("object", "response");
        out.number("created_at", self.created);
        out.text("status", self.status.word());
        out.null("error");
        match self.status {
            Status::Ended(reason) if self.status.word() == INCOMPLETE => {
                let mut details = out.object("incomplete_details");
                if reason == INCOMPLETE {
                    details.null("reason");
                } else {
                    details.text("reason", reason);
                }
            }
            _ => out.null("incomplete_details"),
        }
        out.text("model", self.model);
        super::item::write::write_list(out, "output", self.output);
        match self.usage {
            Some(UsageReport { raw: Some(raw), .. }) if self.native => out.raw("usage", raw),
            Some(usage) => write_responses(out.key("usage"), &usage.counts),
            None => out.null("usage"),
        }
        out.maybe_text("service_tier", self.service_tier);
        if self.native {
            write_rest(out, self.rest);
        } else {
            write_echoed(out, self.echoed.unwrap_or(&Rest::EMPTY));
        }
    }
}

/// Members of a request that say where its answer is kept or made. A translated answer is neither stored nor made in
/// the background, whatever was asked.
const UNTRUE: [&str; 4] = ["background", "previous_response_id", "prompt", "store"];

/// The members of a request that its answer says again.
pub(super) fn echoed(body: &[u8]) -> Rest {
    let mut rest = Rest::default();
    let Ok(members) = Members::of_body(body) else { return rest };
    for (name, value) in members.rest().iter() {
        if ECHOED.contains(&name) && !UNTRUE.contains(&name) {
            rest.push(name, value.clone());
        }
    }
    rest
}

/// Writes the members that every response has: what the request said, else what the vendor says where a request sets
/// nothing (<https://github.com/openai/openai-python> 3.54, `Response`, read 2026-11-23).
fn write_echoed(out: &mut Object<'_>, echoed: &Rest) {
    const DEFAULTS: [(&str, &str); 14] = [
        ("background", "false"),
        ("instructions", "null"),
        ("max_output_tokens", "null"),
        ("metadata", "{}"),
        ("parallel_tool_calls", "true"),
        ("previous_response_id", "null"),
        ("reasoning", r#"{"effort":null,"summary":null}"#),
        ("store", "false"),
        ("temperature", "null"),
        ("text", r#"{"format":{"type":"text"}}"#),
        ("tool_choice", r#""auto""#),
        ("tools", "[]"),
        ("top_p", "null"),
        ("truncation", r#""disabled""#),
    ];
    for (name, default) in DEFAULTS {
        match echoed.get(name).filter(|raw| !raw.is_null()) {
            Some(raw) => out.raw(name, raw),
            None => out.key(name).extend_from_slice(default.as_bytes()),
        }
    }
    for (name, value) in echoed.iter().filter(|(name, _)| DEFAULTS.iter().all(|(known, _)| known != name)) {
        out.raw(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translated_answer_says_again_what_was_asked_but_never_that_it_is_stored() {
        let echoed =
            echoed(br#"{"model":"m","input":"a","store":true,"metadata":{"a":"b"},"tools":null,"user":"u"}"#);
        let mut out = Vec::new();
        write_echoed(&mut Object::new(&mut out), &echoed);
        let written: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(written["metadata"], serde_json::json!({ "a": "b" }));
        assert_eq!((&written["store"], &written["user"]), (&false.into(), &"u".into()));
        assert_eq!(written["tools"], serde_json::json!([]));
        assert_eq!(written.get("input"), None);
    }
}
