//! Content blocks of Anthropic messages, read and written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::conversation::{
    Annotation, CacheMark, CacheTtl, Content, Media, Part, Raw, Reasoning, ToolCall, ToolKind, ToolResult,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::{foreign_signature, origin_of};
use crate::codec::{Losses, Target};
use crate::dialects::turns::Carrier;
use crate::dialects::{fitting_id, ttl_of_word};
use crate::json::{Array, Members, Object, Path, as_text, compact, items};

/// Longer ids than any vendor gives; Anthropic names no limit, only the pattern `^[a-zA-Z0-9_-]+$`.
/// <https://github.com/maximhq/bifrost/issues/5097>, looked up 2026-11-22.
const CALL_ID_MAX: usize = 64;

/// Reads `content`: text, or an array of blocks.
pub(super) fn read_content(raw: &RawValue, path: &Path<'_>) -> Result<Vec<Part>, Error> {
    if let Some(text) = as_text(raw) {
        return Ok(vec![Part::text(text)]);
    }
    let list = items(raw, path).map_err(|_| path.wrong("a string or an array of content blocks"))?;
    list.into_iter().enumerate().map(|(at, item)| read_block(item, &path.item(at))).collect()
}

/// Reads one content block, of a request or of an answer.
pub(super) fn read_block(raw: &RawValue, path: &Path<'_>) -> Result<Part, Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.needed_text("type", path)?;
    let cache = take_cache(&mut members);
    let unknown = || Part::new(Content::Unknown { kind: kind.as_str().into(), raw: raw.into() });
    let content = match kind.as_str() {
        "text" => Content::Text {
            text: members.needed_text("text", path)?,
            annotations: members.array("citations", path)?.map(read_citations).unwrap_or_default(),
        },
        "image" => match read_source(&mut members, path)? {
            Some(source) => Content::Image { source, detail: None },
            None => return Ok(unknown()),
        },
        "document" => match read_source(&mut members, path)? {
            Some(source) => Content::File { source, name: members.word("title", path)? },
            None => return Ok(unknown()),
        },
        "tool_use" => Content::ToolCall(ToolCall {
            id: members.needed_text("id", path)?.into(),
            name: members.needed_text("name", path)?.into(),
            arguments: members.take("input").map_or_else(|| "{}".to_owned(), compact),
            kind: ToolKind::Function,
        }),
        "tool_result" => Content::ToolResult(read_result(&mut members, path)?),
        "thinking" => {
            let (origin, signature) = origin_of(members.word("signature", path)?);
            let text = members.text("thinking", path)?.unwrap_or_default();
            Content::Reasoning(Reasoning { text, signature, redacted: None, origin })
        }
        "redacted_thinking" => {
            let (origin, _) = origin_of(None);
            let redacted = Some(members.needed_text("data", path)?.into());
            Content::Reasoning(Reasoning { text: String::new(), signature: None, redacted, origin })
        }
        _ => return Ok(unknown()),
    };
    Ok(Part { content, cache, rest: members.rest() })
}

fn read_result(members: &mut Members<'_>, path: &Path<'_>) -> Result<ToolResult, Error> {
    let call_id = members.needed_text("tool_use_id", path)?.into();
    let is_error = members.flag("is_error", path)?.unwrap_or(false);
    let parts = match members.take("content") {
        Some(raw) => read_result_content(raw, &path.member("content"))?,
        None => Vec::new(),
    };
    Ok(ToolResult { call_id, name: None, parts, is_error })
}

/// Results hold text, images and documents only; a result in a result stays unread, so that depth is bounded.
fn read_result_content(raw: &RawValue, path: &Path<'_>) -> Result<Vec<Part>, Error> {
    if let Some(text) = as_text(raw) {
        return Ok(vec![Part::text(text)]);
    }
    let list = items(raw, path).map_err(|_| path.wrong("a string or an array of content blocks"))?;
    let mut parts = Vec::with_capacity(list.len());
    for (at, item) in list.into_iter().enumerate() {
        let at = path.item(at);
        let kind = Members::read(item, &at)?.needed_text("type", &at)?;
        parts.push(match kind.as_str() {
            "tool_result" => Part::new(Content::Unknown { kind: kind.into(), raw: item.into() }),
            _ => read_block(item, &at)?,
        });
    }
    Ok(parts)
}

fn read_source(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<Media>, Error> {
    let at = path.member("source");
    let mut source = members.object("source", path)?.ok_or_else(|| path.missing("source"))?;
    Ok(match source.needed_text("type", &at)?.as_str() {
        "base64" => Some(Media::Base64 {
            media_type: source.needed_text("media_type", &at)?.into(),
            data: source.needed_text("data", &at)?,
        }),
        "url" => Some(Media::Url(source.needed_text("url", &at)?)),
        "file" => Some(Media::FileId(source.needed_text("file_id", &at)?.into())),
        "text" => Some(Media::Text(source.needed_text("data", &at)?)),
        "content" => {
            let at = at.member("content");
            let raw = source.take("content").ok_or_else(|| at.missing("content"))?;
            Some(Media::Parts(read_leaves(raw, &at)?))
        }
        _ => None,
    })
}

/// Blocks inside a document: text and images. Anything else stays unread, so that depth is bounded.
fn read_leaves(raw: &RawValue, path: &Path<'_>) -> Result<Vec<Part>, Error> {
    if let Some(text) = as_text(raw) {
        return Ok(vec![Part::text(text)]);
    }
    let mut parts = Vec::new();
    for (at, item) in items(raw, path)?.into_iter().enumerate() {
        let at = path.item(at);
        let kind = Members::read(item, &at)?.needed_text("type", &at)?;
        parts.push(match kind.as_str() {
            "text" | "image" => read_block(item, &at)?,
            _ => Part::new(Content::Unknown { kind: kind.into(), raw: item.into() }),
        });
    }
    Ok(parts)
}

/// Takes a cache marker.
pub(super) fn take_cache(members: &mut Members<'_>) -> Option<CacheMark> {
    let raw = members.take("cache_control")?;
    let ttl = Members::of(raw)
        .and_then(|mut mark| mark.text("ttl", &Path::Root).ok().flatten())
        .map_or_else(Default::default, |word| ttl_of_word(&word));
    Some(CacheMark { ttl, raw: (Dialect::AnthropicMessages, raw.into()) })
}

fn read_citations(list: Vec<&RawValue>) -> Vec<Annotation> {
    list.into_iter().map(read_citation).collect()
}

/// Reads one citation. Only those of web pages point to something that other dialects can name.
pub(super) fn read_citation(raw: &RawValue) -> Annotation {
    let mut members = Members::of(raw);
    let mut word = |name: &str| members.as_mut().and_then(|one| one.word(name, &Path::Root).ok().flatten());
    let url = word("url").or_else(|| word("source").filter(|source| source.starts_with("http")));
    let title = word("title").or_else(|| word("document_title"));
    let quote = word("cited_text");
    Annotation { dialect: Dialect::AnthropicMessages, url, title, quote, span: None, raw: raw.into() }
}

/// Writes blocks, and notes what they cannot hold.
pub(super) struct BlockWriter<'a> {
    /// Whether the conversation came in this dialect: then what only it knows is written back.
    pub native: bool,
    /// The target, for requests.
    pub target: &'a Target<'a>,
}

impl Carrier for BlockWriter<'_> {
    fn is_native(&self) -> bool {
        self.native
    }

    fn carries(&self, part: &Part) -> bool {
        match &part.content {
            Content::Text { text, .. } | Content::Refusal { text } => self.native || !text.is_empty(),
            Content::Image { source, .. } => self.native || !matches!(source, Media::FileId(_)),
            Content::File { source, .. } => self.native || !matches!(source, Media::FileId(_)),
            Content::Audio { .. } => false,
            Content::ToolCall(_) | Content::ToolResult(_) => true,
            Content::Reasoning(one) => self.takes_back(one),
            Content::Unknown { .. } => self.native,
        }
    }

    fn note_lost(&self, part: &Part, losses: &mut Losses) {
        match &part.content {
            Content::Audio { .. } => losses.drop("audio", "this dialect has no sound"),
            Content::Image { .. } => losses.drop("image.file_id", "a file id is good at its own vendor only"),
            Content::File { .. } => {
                losses.drop("document.file_id", "a file id is good at its own vendor only")
            }
            Content::Reasoning(_) => {
                losses.drop("reasoning", "reasoning goes back only to the vendor that wrote it")
            }
            Content::Unknown { kind, .. } => losses.drop(kind, "a part that only its own dialect knows"),
            // Empty text is refused here and says nothing.
            _ => {}
        }
    }
}

/// A document that is text, as text: of bytes, Claude reads PDF only. `Base64PDFSource` and `PlainTextSource` of
/// <https://github.com/anthropics/anthropic-sdk-python> 2.12, read 2026-11-23.
fn plain_text(source: &Media) -> Option<Media> {
    let Media::Base64 { media_type, data } = source else { return None };
    let is_text = media_type.starts_with("text/")
        || matches!(&**media_type, "application/json" | "application/xml" | "application/yaml");
    let bytes = is_text.then(|| STANDARD.decode(&**data).ok()).flatten()?;
    String::from_utf8(bytes).ok().map(Media::Text)
}

impl BlockWriter<'_> {
    /// Reasoning goes back to its origin only, and only with its proof.
    fn takes_back(&self, one: &Reasoning) -> bool {
        let family = &*one.origin.family;
        if self.native && family == super::FAMILY {
            // Without our tag it is what the vendor behind this format gave.
            return true;
        }
        let proven = one.signature.is_some() || one.redacted.is_some();
        !family.is_empty() && family == self.target.family && (proven || family != super::FAMILY)
    }

    /// Writes one part as a block.
    pub(super) fn block(&self, list: &mut Array<'_>, part: &Part, losses: &mut Losses) {
        if !self.carries(part) {
            return self.note_lost(part, losses);
        }
        match &part.content {
            Content::Unknown { raw, .. } => list.raw(raw),
            Content::Text { text, annotations } => self.typed(list, part, "text", losses, |out, losses| {
                out.text("text", text);
                let own: Vec<&Raw> = annotations
                    .iter()
                    .filter(|one| one.dialect == Dialect::AnthropicMessages)
                    .map(|one| &one.raw)
                    .collect();
                if own.len() < annotations.len() {
                    losses.drop("annotations", "a citation of another dialect");
                }
                if !own.is_empty() {
                    let mut list = out.array("citations");
                    own.into_iter().for_each(|raw| list.raw(raw));
                }
            }),
            Content::Refusal { text } => {
                self.typed(list, part, "text", losses, |out, _| out.text("text", text));
            }
            Content::Image { source, detail } => self.typed(list, part, "image", losses, |out, losses| {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    losses.drop("image.detail", "this dialect has no level of detail");
                }
                self.source(out, source, losses);
            }),
            Content::File { source, name } => self.typed(list, part, "document", losses, |out, losses| {
                let readable = if self.native { None } else { plain_text(source) };
                self.source(out, readable.as_ref().unwrap_or(source), losses);
                out.maybe_text("title", name.as_deref());
            }),
            Content::ToolCall(call) => self.typed(list, part, "tool_use", losses, |out, losses| {
                out.text("id", &self.call_id(&call.id));
                out.text("name", &call.name);
                write_input(out, call, losses);
            }),
            Content::ToolResult(result) => self.result(list, part, result, losses),
            Content::Reasoning(one) => self.reasoning(list, part, one, losses),
            Content::Audio { .. } => {}
        }
    }

    fn reasoning(&self, list: &mut Array<'_>, part: &Part, one: &Reasoning, losses: &mut Losses) {
        if let Some(data) = &one.redacted {
            return self.typed(list, part, "redacted_thinking", losses, |out, _| out.text("data", data));
        }
        self.typed(list, part, "thinking", losses, |out, _| {
            out.text("thinking", &one.text);
            match &one.signature {
                Some(signature) => out.text("signature", signature),
                None => out.text("signature", &foreign_signature(&one.origin, None)),
            }
        });
    }

    fn result(&self, list: &mut Array<'_>, part: &Part, result: &ToolResult, losses: &mut Losses) {
        self.typed(list, part, "tool_result", losses, |out, losses| {
            out.text("tool_use_id", &self.call_id(&result.call_id));
            match result.parts.as_slice() {
                [] => {}
                [Part { content: Content::Text { text, .. }, cache: None, rest }] if rest.is_empty() => {
                    if !text.is_empty() || self.native {
                        out.text("content", text);
                    }
                }
                parts => {
                    let mut list = out.array("content");
                    parts.iter().for_each(|part| self.block(&mut list, part, losses));
                }
            }
            if result.is_error {
                out.flag("is_error", true);
            }
        });
    }

    fn source(&self, out: &mut Object<'_>, source: &Media, losses: &mut Losses) {
        let mut out = out.object("source");
        match source {
            Media::Url(url) => {
                out.text("type", "url");
                out.text("url", url);
            }
            Media::Base64 { media_type, data } => {
                out.text("type", "base64");
                // `image/jpg` is common and not a media type; Anthropic refuses it.
                let media_type = if &**media_type == "image/jpg" { "image/jpeg" } else { media_type };
                out.text("media_type", media_type);
                out.text("data", data);
            }
            Media::FileId(id) => {
                out.text("type", "file");
                out.text("file_id", id);
            }
            Media::Text(text) => {
                out.text("type", "text");
                out.text("media_type", "text/plain");
                out.text("data", text);
            }
            Media::Parts(parts) => {
                out.text("type", "content");
                let mut list = out.array("content");
                parts.iter().for_each(|part| self.block(&mut list, part, losses));
            }
        }
    }

    fn typed(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        kind: &str,
        losses: &mut Losses,
        write: impl FnOnce(&mut Object<'_>, &mut Losses),
    ) {
        let mut out = list.object();
        out.text("type", kind);
        write(&mut out, losses);
        if let Some(mark) = &part.cache {
            write_mark(&mut out, mark);
        }
        if self.native {
            out.rest(&part.rest);
        } else {
            losses.drop_rest(&format!("{kind}."), &part.rest);
        }
    }

    fn call_id<'i>(&self, id: &'i str) -> std::borrow::Cow<'i, str> {
        if self.native { id.into() } else { fitting_id(id, CALL_ID_MAX) }
    }
}

/// Writes a cache marker. OpenAI's lifetimes become the next that is long enough, or the longest there is.
pub(super) fn write_mark(out: &mut Object<'_>, mark: &CacheMark) {
    if let (Dialect::AnthropicMessages, raw) = &mark.raw {
        return out.raw("cache_control", raw);
    }
    let mut control = out.object("cache_control");
    control.text("type", "ephemeral");
    if matches!(mark.ttl, CacheTtl::HalfHour | CacheTtl::OneHour | CacheTtl::TwelveHours) {
        control.text("ttl", "1h");
    }
}

/// Writes the arguments of a call as the object that they must be.
pub(in crate::dialects) fn write_input(out: &mut Object<'_>, call: &ToolCall, losses: &mut Losses) {
    let text = call.arguments.trim();
    let object = Raw::parse(text).filter(|raw| raw.text().starts_with('{'));
    match object {
        Some(raw) if call.kind != ToolKind::Custom => out.raw("input", &raw),
        _ if text.is_empty() => drop(out.object("input")),
        _ => {
            losses.add("wrap:tool_use.input", "arguments that are no JSON object became its member `input`");
            out.object("input").text("input", &call.arguments);
        }
    }
}
