//! The response object, which whole answers are and which begins and ends every stream.
//!
//! It repeats what the request asked for. Where the answer comes from another dialect that is not known here, so
//! that the members which clients must find are there with the values that the vendor's defaults have.

use pilothouse_core::conversation::{Raw, Rest, UsageReport};

use super::item::write_rest;
use super::{COMPLETED, INCOMPLETE};
use crate::codec::usage::write_responses;
use crate::json::Object;

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
            write_defaults(out);
        }
    }
}

/// The members that every response has, as they are where a request sets nothing
/// (<https://github.com/openai/openai-python> 3.54, `Response`, read 2026-11-23).
fn write_defaults(out: &mut Object<'_>) {
    out.flag("background", false);
    out.null("instructions");
    out.null("max_output_tokens");
    drop(out.object("metadata"));
    out.flag("parallel_tool_calls", true);
    out.null("previous_response_id");
    {
        let mut reasoning = out.object("reasoning");
        reasoning.null("effort");
        reasoning.null("summary");
    }
    out.flag("store", false);
    out.null("temperature");
    out.object("text").object("format").text("type", "text");
    out.text("tool_choice", "auto");
    drop(out.array("tools"));
    out.null("top_p");
    out.text("truncation", "disabled");
    out.null("user");
}
