//! Writes Gemini's parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::conversation::{
    Content, Media, Part, Raw, Reasoning, Rest, ToolCall, ToolKind, ToolResult,
};

use super::super::signature::THOUGHT;
use super::super::{FAMILY, ids, signature};
use super::{is_structure, type_of_name};
use crate::codec::Losses;
use crate::dialects::openai_chat::part::{document_text, search_result_text};
use crate::json::{Array, Object};

/// Writes parts, and notes what they cannot hold.
pub(in super::super) struct Writer<'a> {
    /// Whether the conversation came in this dialect: then what only it knows is written back.
    pub native: bool,
    /// Whose signatures the target accepts.
    pub family: &'a str,
    /// Whether a function's result may hold pictures and files (Gemini 3 and later:
    /// <https://ai.google.dev/gemini-api/docs/function-calling#multimodal>, read 2026-11-23).
    pub results_hold_media: bool,
}

impl Writer<'_> {
    /// Whether anything of a part arrives.
    pub(in super::super) fn carries(&self, part: &Part) -> bool {
        if self.native {
            return !matches!(&part.content, Content::Reasoning(one) if !self.takes_back(one));
        }
        match &part.content {
            Content::Text { text, .. } | Content::Refusal { text } => !text.is_empty(),
            Content::Image { source, .. } | Content::Audio { source } | Content::File { source, .. } => {
                !matches!(source, Media::FileId(_))
            }
            Content::ToolCall(_) | Content::ToolResult(_) => true,
            Content::Reasoning(one) => self.takes_back(one),
            Content::Unknown { kind, raw } => search_result_text(kind, raw).is_some(),
        }
    }

    /// Reasoning goes back to its origin only: a thought that Gemini showed as it came, with a signature or without.
    fn takes_back(&self, one: &Reasoning) -> bool {
        let says = one.signature.is_some() || !one.text.is_empty();
        &*one.origin.family == FAMILY && (self.native || (self.family == FAMILY && says))
    }

    /// Notes what is lost of a part that is not carried.
    pub(in super::super) fn note_lost(&self, part: &Part, losses: &mut Losses) {
        match &part.content {
            Content::Reasoning(_) => {
                losses.drop("reasoning", "reasoning goes back only to the vendor that wrote it");
            }
            Content::Unknown { kind, .. } => losses.drop(kind, "a part that only its own dialect knows"),
            Content::Image { .. } | Content::Audio { .. } | Content::File { .. } => {
                losses.drop("media.file_id", "a file id is good at its own vendor only");
            }
            // Empty text is refused here and says nothing.
            _ => {}
        }
    }

    /// Writes one part that is no result of a tool, with the signature that stands on it.
    pub(in super::super) fn part(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        signature: Option<&str>,
        losses: &mut Losses,
    ) {
        if part.cache.is_some() {
            losses.drop("cache_control", "the target caches without markers");
        }
        match &part.content {
            Content::Unknown { raw, .. } if self.native => list.raw(raw),
            Content::Unknown { kind, raw } => {
                losses.add("inline:search_result", "");
                let text = search_result_text(kind, raw).unwrap_or_default();
                list.object().text("text", &text);
            }
            Content::Text { text, annotations } => {
                if !annotations.is_empty() {
                    losses.drop("annotations", "a citation in the conversation so far");
                }
                self.with(list, part, "text", signature, losses, |out, _| out.text("text", text));
            }
            Content::Refusal { text } => {
                self.with(list, part, "text", signature, losses, |out, _| out.text("text", text));
            }
            Content::Reasoning(one) => {
                let own = signature::write(one);
                let is_bare = signature::bare(part).is_some();
                self.with(list, part, "text", own.as_deref(), losses, |out, _| {
                    out.text("text", &one.text);
                    if !is_bare {
                        out.flag("thought", true);
                    }
                });
            }
            Content::ToolCall(call) => {
                self.with(list, part, "functionCall", signature, losses, |out, losses| {
                    let mut inner = out.object("functionCall");
                    inner.maybe_text("id", ids::inward(&call.id));
                    inner.text("name", &call.name);
                    write_args(&mut inner, call, losses);
                    self.inner(&mut inner, &part.rest, "functionCall");
                });
            }
            Content::Image { source, detail } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    losses.drop("image.detail", "this dialect has no level of detail here");
                }
                self.media(list, part, source, None, "image/jpeg", signature, losses);
            }
            Content::Audio { source } => self.media(list, part, source, None, "audio/mp3", signature, losses),
            Content::File { source, name } => {
                self.media(list, part, source, name.as_deref(), "application/pdf", signature, losses);
            }
            Content::ToolResult(_) => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a medium's parts, and where it is written")]
    fn media(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        source: &Media,
        name: Option<&str>,
        otherwise: &str,
        signature: Option<&str>,
        losses: &mut Losses,
    ) {
        let named = name.filter(|_| self.native);
        match source {
            Media::Base64 { media_type, data } => {
                self.with(list, part, "inlineData", signature, losses, |out, _| {
                    let mut blob = out.object("inlineData");
                    blob.text("mimeType", media_type);
                    blob.text("data", data);
                    blob.maybe_text("displayName", named);
                    self.inner(&mut blob, &part.rest, "inlineData");
                });
            }
            Media::Url(uri) => {
                let guessed = type_of_name(uri);
                let is_given = part.rest.get("fileData.mimeType").is_some();
                if guessed.is_none() && !self.native {
                    losses.add("set:mimeType", &format!("{otherwise}, as the URL does not tell the type"));
                }
                let media_type = guessed.or((!self.native).then_some(otherwise)).filter(|_| !is_given);
                self.file(list, part, uri, media_type, named, signature, losses);
            }
            Media::FileId(uri) => self.file(list, part, uri, None, named, signature, losses),
            Media::Text(text) if self.native => {
                self.with(list, part, "inlineData", signature, losses, |out, _| {
                    let mut blob = out.object("inlineData");
                    if part.rest.get("inlineData.mimeType").is_none() {
                        blob.text("mimeType", "text/plain");
                    }
                    blob.text("data", &STANDARD.encode(text));
                    blob.maybe_text("displayName", named);
                    self.inner(&mut blob, &part.rest, "inlineData");
                });
            }
            Media::Text(_) | Media::Parts(_) => {
                losses.add("inline:document", "a text document became a text part");
                let text = document_text(source, name);
                self.with(list, part, "text", signature, losses, |out, _| out.text("text", &text));
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a file's parts, and where it is written")]
    fn file(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        uri: &str,
        media_type: Option<&str>,
        name: Option<&str>,
        signature: Option<&str>,
        losses: &mut Losses,
    ) {
        self.with(list, part, "fileData", signature, losses, |out, _| {
            let mut file = out.object("fileData");
            file.maybe_text("mimeType", media_type);
            file.text("fileUri", uri);
            file.maybe_text("displayName", name);
            self.inner(&mut file, &part.rest, "fileData");
        });
    }

    /// Writes the result of a call of `name`. Pictures and files that a result cannot hold are added to `after`.
    pub(in super::super) fn result<'p>(
        &self,
        list: &mut Array<'_>,
        part: &'p Part,
        result: &'p ToolResult,
        name: &str,
        after: &mut Vec<&'p Part>,
        losses: &mut Losses,
    ) {
        let (mut text, mut media) = (None::<String>, Vec::new());
        for inner in &result.parts {
            match &inner.content {
                Content::Text { text: more, .. } | Content::Refusal { text: more } => match &mut text {
                    Some(text) => {
                        text.push('\n');
                        text.push_str(more);
                    }
                    None => text = Some(more.clone()),
                },
                _ if !self.carries(inner) => self.note_lost(inner, losses),
                _ if self.native || (self.results_hold_media && is_inline(inner)) => media.push(inner),
                _ => {
                    losses.add(
                        "move:tool_result.media",
                        "pictures and files of a tool result follow as the user's",
                    );
                    after.push(inner);
                }
            }
        }
        self.with(list, part, "functionResponse", None, losses, |out, losses| {
            let mut inner = out.object("functionResponse");
            inner.maybe_text("id", ids::inward(&result.call_id));
            inner.text("name", name);
            write_response(inner.key("response"), text.as_deref(), result.is_error);
            if !media.is_empty() {
                let mut list = inner.array("parts");
                media.iter().for_each(|part| self.part(&mut list, part, None, losses));
            }
            self.inner(&mut inner, &part.rest, "functionResponse");
        });
    }

    /// Writes a part: its data, its signature, and what only this dialect knows.
    fn with(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        data: &str,
        signature: Option<&str>,
        losses: &mut Losses,
        write: impl FnOnce(&mut Object<'_>, &mut Losses),
    ) {
        let mut out = list.object();
        write(&mut out, losses);
        out.maybe_text("thoughtSignature", signature);
        if !self.native {
            return losses.drop_rest("part.", &part.rest);
        }
        let is_own = |name: &str| is_inside(name, data) || name == THOUGHT;
        for (name, value) in part.rest.iter().filter(|(name, _)| !is_own(name)) {
            out.raw(name, value);
        }
    }

    /// Writes the members that were inside a part's data.
    fn inner(&self, out: &mut Object<'_>, rest: &Rest, data: &str) {
        for (name, value) in rest.iter().filter(|(name, _)| self.native && is_inside(name, data)) {
            out.raw(&name[data.len() + 1..], value);
        }
    }
}

fn is_inside(name: &str, data: &str) -> bool {
    name.strip_prefix(data).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether a part is media in the request itself.
fn is_inline(part: &Part) -> bool {
    matches!(
        &part.content,
        Content::Image { source: Media::Base64 { .. }, .. }
            | Content::Audio { source: Media::Base64 { .. } }
            | Content::File { source: Media::Base64 { .. }, .. }
    )
}

/// Writes the arguments of a call as the object that they must be.
pub(in super::super) fn write_args(out: &mut Object<'_>, call: &ToolCall, losses: &mut Losses) {
    let text = call.arguments.trim();
    let object = Raw::parse(text).filter(|raw| raw.text().starts_with('{'));
    match object {
        Some(raw) if call.kind != ToolKind::Custom => out.raw("args", &raw),
        _ if text.is_empty() => drop(out.object("args")),
        _ => {
            losses
                .add("wrap:functionCall.args", "arguments that are no JSON object became its member `input`");
            out.object("args").text("input", &call.arguments);
        }
    }
}

/// Writes what a function gave back: a JSON object as itself, anything else as `output`; a failure as `error`.
pub(super) fn write_response(out: &mut Vec<u8>, text: Option<&str>, is_error: bool) {
    let structure = text.filter(|text| is_structure(text)).and_then(|text| Raw::parse(text.trim()));
    match (structure, text) {
        (Some(raw), _) if !is_error && raw.text().starts_with('{') => crate::json::write_raw(out, &raw),
        (Some(raw), _) => Object::new(out).raw(if is_error { "error" } else { "output" }, &raw),
        (None, Some(text)) => Object::new(out).text(if is_error { "error" } else { "output" }, text),
        (None, None) if is_error => Object::new(out).text("error", ""),
        (None, None) => drop(Object::new(out)),
    }
}
