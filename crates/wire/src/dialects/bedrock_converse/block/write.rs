//! Content blocks of Converse messages, written.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::conversation::{
    Annotation, CacheMark, CacheTtl, Content, Media, Part, Raw, Reasoning, Rest, ToolResult,
};
use pilothouse_core::dialect::Dialect;

use super::super::FAMILY;
use super::super::format::{audio_format, document_format, document_name, image_format};
use super::{CITATIONS, FORMAT, JSON, NOT_BASE64, STATUS};
use crate::codec::{Losses, Target};
use crate::dialects::anthropic_messages::{foreign_signature, write_input};
use crate::dialects::fitting_id;
use crate::dialects::turns::Carrier;
use crate::json::{Array, Object, write_raw};

/// The longest id of a call (`ToolUseId`: `[a-zA-Z0-9_.:-]+`).
const CALL_ID_MAX: usize = 64;

/// Writes the blocks of a request, and notes what they cannot hold.
pub(in super::super) struct BlockWriter<'a> {
    /// Whether the conversation came in this dialect: then what only it knows is written back.
    pub(in super::super) native: bool,
    /// The target.
    pub(in super::super) target: &'a Target<'a>,
    /// Names of documents so far: each must have its own.
    names: RefCell<Vec<String>>,
}

impl Carrier for BlockWriter<'_> {
    fn is_native(&self) -> bool {
        self.native
    }

    fn carries(&self, part: &Part) -> bool {
        self.native && !matches!(part.content, Content::Reasoning(_)) || self.holds(&part.content)
    }

    fn note_lost(&self, part: &Part, losses: &mut Losses) {
        match &part.content {
            Content::Image { source: Media::Url(_), .. } => {
                losses.drop("image.url", "this dialect takes no pictures by URL; send them as base64");
            }
            Content::File { source: Media::Url(_), .. } => {
                losses.drop("document.url", "this dialect takes no documents by URL; send them as base64");
            }
            Content::Image { source: Media::FileId(_), .. }
            | Content::File { source: Media::FileId(_), .. } => {
                losses.drop("file_id", "a file id is good at its own vendor only");
            }
            Content::Image { .. } => losses.drop("image", "a picture of a format that is not taken here"),
            Content::Audio { .. } => losses.drop("audio", "sound of a format that is not taken here"),
            Content::File { .. } => losses.drop("document", "a document of a format that is not taken here"),
            Content::Reasoning(_) => {
                losses.drop("reasoning", "reasoning goes back only to the vendor that wrote it")
            }
            Content::Unknown { kind, .. } => losses.drop(kind, "a part that only its own dialect knows"),
            // Blank text is refused here and says nothing.
            _ => {}
        }
    }
}

impl<'a> BlockWriter<'a> {
    pub(in super::super) const fn new(native: bool, target: &'a Target<'a>) -> Self {
        Self { native, target, names: RefCell::new(Vec::new()) }
    }

    fn holds(&self, content: &Content) -> bool {
        match content {
            // "The text field in the ContentBlock object … is blank": white space alone is refused too.
            Content::Text { text, .. } | Content::Refusal { text } => !text.trim().is_empty(),
            Content::Image { source: Media::Base64 { media_type, .. }, .. } => {
                image_format(media_type).is_some()
            }
            Content::Audio { source: Media::Base64 { media_type, .. } } => audio_format(media_type).is_some(),
            Content::File { source: Media::Base64 { media_type, .. }, .. } => {
                document_format(media_type).is_some()
            }
            Content::File { source: Media::Text(text), .. } => !text.is_empty(),
            Content::File { source: Media::Parts(parts), .. } => parts.iter().any(|part| self.carries(part)),
            Content::ToolCall(_) | Content::ToolResult(_) => true,
            Content::Reasoning(one) => self.takes_back(one),
            Content::Image { .. }
            | Content::Audio { .. }
            | Content::File { .. }
            | Content::Unknown { .. } => false,
        }
    }

    /// Reasoning goes back to its origin only, and only with its proof. Claude's is the only one with a proof here, and
    /// other families refuse theirs in the history.
    fn takes_back(&self, one: &Reasoning) -> bool {
        let proven = one.signature.is_some() || one.redacted.is_some();
        &*one.origin.family == FAMILY && (self.native || (proven && self.target.family == FAMILY))
    }

    /// Writes one part as a block, and the cache point behind it.
    pub(in super::super) fn block(&self, list: &mut Array<'_>, part: &Part, losses: &mut Losses) {
        if !self.carries(part) {
            return self.note_lost(part, losses);
        }
        match &part.content {
            Content::Unknown { raw, .. } => list.raw(raw),
            _ => {
                let mut out = list.object();
                self.union(&mut out, part, losses);
            }
        }
        self.mark(list, part.cache.as_ref(), losses);
    }

    fn union(&self, out: &mut Object<'_>, part: &Part, losses: &mut Losses) {
        let kind = match &part.content {
            _ if part.rest.get("guardContent").is_some() && self.native => return self.beside(out, "", part),
            Content::Text { text, annotations } => {
                self.text(out, text, annotations, &part.rest, losses);
                ""
            }
            Content::Refusal { text } => {
                out.text("text", text);
                ""
            }
            Content::Image { source, detail } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    losses.drop("image.detail", "this dialect has no level of detail");
                }
                self.bytes(out, "image", source, part);
                "image"
            }
            Content::Audio { source } => {
                self.bytes(out, "audio", source, part);
                "audio"
            }
            Content::File { source, name } => {
                self.document(out, source, name.as_deref(), part, losses);
                "document"
            }
            Content::ToolCall(call) => {
                let mut inner = out.object("toolUse");
                inner.text("toolUseId", &self.call_id(&call.id));
                inner.text("name", &call.name);
                write_input(&mut inner, call, losses);
                self.inner(&mut inner, "toolUse", part);
                "toolUse"
            }
            Content::ToolResult(result) => {
                self.result(out, result, part, losses);
                "toolResult"
            }
            Content::Reasoning(one) => {
                write_reasoning(out, one, true);
                "reasoningContent"
            }
            Content::Unknown { .. } => "",
        };
        if self.native {
            self.beside(out, kind, part);
        } else {
            losses.drop_rest("", &part.rest);
        }
    }

    /// Members that a block's own object had besides those that are read.
    fn inner(&self, inner: &mut Object<'_>, kind: &str, part: &Part) {
        if !self.native {
            return;
        }
        for (name, value) in part.rest.iter() {
            if let Some(name) = name.strip_prefix(kind).and_then(|name| name.strip_prefix('.')) {
                inner.raw(name, value);
            }
        }
    }

    /// Members beside the one that tells what a block is.
    fn beside(&self, out: &mut Object<'_>, kind: &str, part: &Part) {
        for (name, value) in part.rest.iter().filter(|(name, _)| !name.starts_with('@')) {
            let is_inner =
                !kind.is_empty() && name.strip_prefix(kind).is_some_and(|name| name.starts_with('.'));
            if !is_inner {
                out.raw(name, value);
            }
        }
    }

    fn text(
        &self,
        out: &mut Object<'_>,
        text: &str,
        annotations: &[Annotation],
        rest: &Rest,
        losses: &mut Losses,
    ) {
        if let (Some(raw), true) = (rest.get(CITATIONS), self.native) {
            return out.raw("citationsContent", raw);
        }
        let own: Vec<&Annotation> =
            annotations.iter().filter(|one| one.dialect == Dialect::BedrockConverse).collect();
        if own.len() < annotations.len() {
            losses.drop("annotations", "a citation of another dialect");
        }
        if own.is_empty() {
            return out.text("text", text);
        }
        write_cited(out, text, &own);
    }

    fn bytes(&self, out: &mut Object<'_>, kind: &str, source: &Media, part: &Part) {
        let Media::Base64 { media_type, data } = source else { return };
        let mut inner = out.object(kind);
        let known = if kind == "image" { image_format(media_type) } else { audio_format(media_type) };
        let told = media_type.split_once('/').map_or(&**media_type, |(_, word)| word);
        inner.text("format", if self.native { told } else { known.unwrap_or(told) });
        inner.object("source").text("bytes", data);
        self.inner(&mut inner, kind, part);
    }

    fn document(
        &self,
        out: &mut Object<'_>,
        source: &Media,
        name: Option<&str>,
        part: &Part,
        losses: &mut Losses,
    ) {
        let mut inner = out.object("document");
        if self.native {
            inner.maybe_text("name", name);
        } else {
            let mut names = self.names.borrow_mut();
            let fitting = document_name(name, &names);
            inner.text("name", &fitting);
            names.push(fitting);
        }
        match source {
            Media::Base64 { media_type, data } => {
                inner.maybe_text("format", document_format(media_type));
                inner.object("source").text("bytes", data);
            }
            Media::Text(text) if self.native => {
                inner.maybe_raw("format", part.rest.get(FORMAT));
                inner.object("source").text("text", text);
            }
            Media::Text(text) => {
                // Every model takes bytes; text as such is for those that cite.
                inner.text("format", "txt");
                inner.object("source").text("bytes", &STANDARD.encode(text));
            }
            Media::Parts(parts) => {
                inner.maybe_raw("format", part.rest.get(FORMAT).filter(|_| self.native));
                let mut source = inner.object("source");
                let mut list = source.array("content");
                for part in parts {
                    match &part.content {
                        Content::Text { text, .. } => list.object().text("text", text),
                        _ => losses.drop("document.content", "documents hold text only here"),
                    }
                }
            }
            Media::Url(_) | Media::FileId(_) => {}
        }
        self.inner(&mut inner, "document", part);
    }

    fn result(&self, out: &mut Object<'_>, result: &ToolResult, part: &Part, losses: &mut Losses) {
        let mut inner = out.object("toolResult");
        inner.text("toolUseId", &self.call_id(&result.call_id));
        {
            let mut list = inner.array("content");
            for held in &result.parts {
                self.result_block(&mut list, held, losses);
            }
        }
        match part.rest.get(STATUS) {
            _ if result.is_error => inner.text("status", "error"),
            Some(status) if self.native => inner.raw("status", status),
            _ => {}
        }
        self.inner(&mut inner, "toolResult", part);
    }

    /// Results may hold blank text, but no sound.
    fn result_block(&self, list: &mut Array<'_>, held: &Part, losses: &mut Losses) {
        match &held.content {
            Content::Text { .. } if self.native && held.rest.get(JSON).is_some() => {
                list.object().maybe_raw("json", held.rest.get(JSON));
            }
            Content::Text { text, .. } => {
                let mut out = list.object();
                out.text("text", text);
                if self.native {
                    self.beside(&mut out, "", held);
                } else {
                    losses.drop_rest("", &held.rest);
                }
            }
            Content::Audio { .. } => losses.drop("audio", "results of tools hold no sound here"),
            _ => return self.block(list, held, losses),
        }
        if held.cache.is_some() {
            losses.drop("cache_control", "results of tools are marked as a whole here");
        }
    }

    /// Writes the cache point of a mark, where the model takes any.
    pub(in super::super) fn mark(&self, list: &mut Array<'_>, mark: Option<&CacheMark>, losses: &mut Losses) {
        let Some(mark) = mark else { return };
        if self.native || self.target.family == FAMILY || self.target.quirks.cache_marks {
            write_mark(list.object().key("cachePoint"), mark);
        } else {
            losses.drop("cache_control", "the model takes no cache points");
        }
    }

    fn call_id<'i>(&self, id: &'i str) -> std::borrow::Cow<'i, str> {
        if self.native { id.into() } else { fitting_id(id, CALL_ID_MAX) }
    }
}

/// Writes a cache point. Lifetimes of others become the next that is long enough, or the longest there is.
pub(in super::super) fn write_mark(out: &mut Vec<u8>, mark: &CacheMark) {
    if let (Dialect::BedrockConverse, raw) = &mark.raw {
        return write_raw(out, raw);
    }
    let mut point = Object::new(out);
    point.text("type", "default");
    if matches!(mark.ttl, CacheTtl::HalfHour | CacheTtl::OneHour | CacheTtl::TwelveHours) {
        point.text("ttl", "1h");
    }
}

/// Writes text with what it cites.
fn write_cited(out: &mut Object<'_>, text: &str, annotations: &[&Annotation]) {
    let mut cited = out.object("citationsContent");
    cited.array("content").object().text("text", text);
    let mut list = cited.array("citations");
    annotations.iter().for_each(|one| write_citation(list.item(), one));
}

/// Writes one citation. Others' point to web pages.
pub(in super::super) fn write_citation(out: &mut Vec<u8>, one: &Annotation) {
    if one.dialect == Dialect::BedrockConverse {
        return write_raw(out, &one.raw);
    }
    let mut citation = Object::new(out);
    citation.maybe_text("title", one.title.as_deref());
    if let Some(quote) = one.quote.as_deref().filter(|quote| !quote.is_empty()) {
        citation.array("sourceContent").object().text("text", quote);
    }
    if let Some(url) = one.url.as_deref() {
        citation.object("location").object("web").text("url", url);
    }
}

/// Writes reasoning. In a request it is its own vendor's; an answer's may be anybody's, and says whose.
pub(in super::super) fn write_reasoning(out: &mut Object<'_>, one: &Reasoning, own: bool) {
    let mut content = out.object("reasoningContent");
    if let Some(data) = &one.redacted {
        return content.text("redactedContent", &blob(data));
    }
    let mut inner = content.object("reasoningText");
    inner.text("text", &one.text);
    inner.maybe_text("signature", signature(one, own).as_deref());
}

/// The signature that reasoning gets: its own, or one that says who wrote it, so that it never goes to Claude as
/// Claude's.
fn signature(one: &Reasoning, own: bool) -> Option<String> {
    let proof = one.signature.as_deref();
    if own || &*one.origin.family == FAMILY {
        return proof.map(str::to_owned);
    }
    Some(foreign_signature(&one.origin, proof))
}

/// Encrypted reasoning as the bytes that it must be here, in base64.
pub(in super::super) fn blob(data: &str) -> std::borrow::Cow<'_, str> {
    if STANDARD.decode(data).is_ok() {
        return data.into();
    }
    STANDARD.encode([NOT_BASE64, data.as_bytes()].concat()).into()
}

/// Writes a part of an answer of another dialect that is text with citations, where any can be named.
pub(in super::super) fn write_answer_text(
    out: &mut Object<'_>,
    text: &str,
    annotations: &[Annotation],
    losses: &mut Losses,
) {
    let named: Vec<&Annotation> = annotations.iter().filter(|one| is_citable(one)).collect();
    if named.len() < annotations.len() {
        losses.drop("annotations", "a citation of a file; only web pages can be cited here");
    }
    if named.is_empty() { out.text("text", text) } else { write_cited(out, text, &named) }
}

/// Whether this dialect has a form for a citation.
pub(in super::super) fn is_citable(one: &Annotation) -> bool {
    one.dialect == Dialect::BedrockConverse || one.url.is_some()
}

/// What a block held that only this dialect knows, beside the members that are written.
pub(in super::super) fn raw_citations(rest: &Rest) -> Option<&Raw> {
    rest.get(CITATIONS)
}
