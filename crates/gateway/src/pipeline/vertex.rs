//! Claude at Vertex AI: Anthropic's dialect, but the path names the model, and the body says the version.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai>, and `lib/vertex/_client.py` of
//! <https://github.com/anthropics/anthropic-sdk-python> 2.12, read 2026-11-23. Counting tokens keeps `model`.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::Note;
use pilothouse_wire::codec::VendorError;
use pilothouse_wire::head::{self, Edits, Head};

use super::error_codec;
use super::relay::{ANTHROPIC_VERSION, Extra};
use crate::endpoints::Call;
use crate::job::Job;

const VERSION: &str = "vertex-2023-10-16";

/// The edits that a body in Anthropic's own form needs.
pub(super) fn edits(head: &Head<'_>, call: Call, edits: &mut Edits, job: &mut Job) {
    let drops_model = call == Call::Chat;
    let is_versioned = head.get("anthropic_version").is_some();
    if drops_model && !is_versioned {
        edits.extend(head.replace_with_text("model", "anthropic_version", VERSION));
    } else {
        edits.extend(head.set_text("anthropic_version", VERSION));
        edits.extend(head.remove("model").filter(|_| drops_model));
    }
    if drops_model {
        job.edited(Note::code("drop:model"));
    }
    job.edited(Note::code("set:anthropic_version"));
}

/// A body in Anthropic's own form, as Vertex AI wants it.
pub(super) fn rewritten(body: &[u8], job: &mut Job) -> Result<Vec<u8>, Error> {
    let head = Head::read(body)?;
    let mut made = Edits::new();
    edits(&head, Call::Chat, &mut made, job);
    Ok(head::apply(body, &made)?.concat())
}

/// The error in a refusal's body, and whether it has Anthropic's form. The model's own errors have; those of the cloud
/// before it have Google's, in an array at times.
pub(super) fn error(status: u16, body: &[u8]) -> (VendorError, bool) {
    let is_own = Head::read(body).is_ok_and(|head| head.text("type").as_deref() == Some("error"));
    let dialect = if is_own { Dialect::AnthropicMessages } else { Dialect::GeminiGenerate };
    (error_codec(dialect).decode_error(status, body), is_own)
}

/// Takes the header away whose place is the body.
pub(super) fn headers(extra: &mut Extra) {
    extra.retain(|(name, _)| *name != ANTHROPIC_VERSION);
}
