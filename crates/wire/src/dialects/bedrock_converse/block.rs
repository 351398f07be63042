//! Content blocks of Converse messages, read.

mod write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::conversation::{
    Annotation, CacheMark, CacheTtl, Content, Media, Origin, Part, Raw, Reasoning, Rest, ToolCall, ToolKind,
    ToolResult,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::format::media_type_of_document;
use crate::dialects::anthropic_messages::origin_of;
use crate::dialects::{FOREIGN_SIGNATURE, ttl_of_word};
use crate::json::{Members, Path, as_text, compact, items};

pub(super) use write::{
    BlockWriter, blob, is_citable, raw_citations, write_answer_text, write_citation, write_reasoning,
};

/// What a block may be, as far as it is read. Anything else keeps a block unread.
const KINDS: [&str; 9] = [
    "text",
    "toolUse",
    "toolResult",
    "image",
    "document",
    "audio",
    "reasoningContent",
    "citationsContent",
    "guardContent",
];
/// Where cited text stands that is more than one text with its citations, whole.
pub(super) const CITATIONS: &str = "@@citationsContent";
/// Where a tool's result stands that came as JSON.
pub(super) const JSON: &str = "@@json";
/// Where the status of a result stands that did not fail but says so.
pub(super) const STATUS: &str = "@@status";
/// Where the format of a document stands whose text is given as text.
pub(super) const FORMAT: &str = "@@format";
/// What the bytes of encrypted reasoning begin with that another vendor has not given as base64.
pub(super) const NOT_BASE64: &[u8] = b"pilothouse-text:";

/// Reads `content`: an array of blocks. A cache point becomes a mark on the part before it.
pub(super) fn read_content(raw: &RawValue, path: &Path<'_>, family: &str) -> Result<Vec<Part>, Error> {
    let list = items(raw, path).map_err(|_| path.wrong("an array of content blocks"))?;
    let mut parts: Vec<Part> = Vec::with_capacity(list.len());
    for (at, item) in list.into_iter().enumerate() {
        let at = path.item(at);
        let mut members = Members::read(item, &at)?;
        let mark = members.only().filter(|(name, _)| *name == "cachePoint").map(|(_, point)| point);
        match (mark, parts.last_mut()) {
            (Some(point), Some(before)) if before.cache.is_none() => before.cache = Some(read_mark(point)),
            _ => parts.push(read_block(item, &mut members, &at, family)?),
        }
    }
    Ok(parts)
}

/// Reads a cache point.
pub(super) fn read_mark(raw: &RawValue) -> CacheMark {
    let ttl = Members::of(raw).and_then(|mut point| point.text("ttl", &Path::Root).ok().flatten());
    let ttl = ttl.map_or(CacheTtl::Default, |word| ttl_of_word(&word));
    CacheMark { ttl, raw: (Dialect::BedrockConverse, raw.into()) }
}

fn read_block(
    raw: &RawValue,
    members: &mut Members<'_>,
    path: &Path<'_>,
    family: &str,
) -> Result<Part, Error> {
    let found = KINDS.into_iter().find_map(|kind| Some((kind, members.take(kind)?)));
    let mut rest = Rest::default();
    let content = match found {
        Some((kind, value)) => read_known(kind, value, &path.member(kind), family, &mut rest)?,
        None => None,
    };
    let Some(content) = content else {
        let kind = found.map(|(kind, _)| kind).or(members.only().map(|(kind, _)| kind)).unwrap_or("block");
        return Ok(Part::new(Content::Unknown { kind: kind.into(), raw: raw.into() }));
    };
    let beside = std::mem::take(members).rest();
    beside.iter().for_each(|(name, value)| rest.push(name, value.clone()));
    Ok(Part { content, cache: None, rest })
}

/// Reads what a block holds; `None` for a form that stays unread.
fn read_known(
    kind: &str,
    value: &RawValue,
    path: &Path<'_>,
    family: &str,
    rest: &mut Rest,
) -> Result<Option<Content>, Error> {
    if kind == "text" {
        let text = as_text(value).ok_or_else(|| path.wrong("a string"))?;
        return Ok(Some(Content::Text { text, annotations: Vec::new() }));
    }
    let mut members = Members::read(value, path)?;
    let content = match kind {
        "image" => read_media(&mut members, path, "image/")?
            .map(|source| Content::Image { source, detail: None }),
        "audio" => read_media(&mut members, path, "audio/")?
            .filter(|source| matches!(source, Media::Base64 { media_type, .. } if ["audio/wav", "audio/mp3"].contains(&&**media_type)))
            .map(|source| Content::Audio { source }),
        "document" => read_document(&mut members, path, rest)?,
        "toolUse" | "toolResult" if is_servers(&members) => None,
        "toolUse" => Some(Content::ToolCall(ToolCall {
            id: members.needed_text("toolUseId", path)?.into(),
            name: members.needed_text("name", path)?.into(),
            arguments: members.take("input").map_or_else(|| "{}".to_owned(), compact),
            kind: ToolKind::Function,
        })),
        "toolResult" => Some(Content::ToolResult(read_result(&mut members, path, rest)?)),
        "reasoningContent" => read_reasoning(&mut members, path, family)?.map(Content::Reasoning),
        "citationsContent" => return read_cited(value, members, path, rest).map(Some),
        _ => return read_guarded(value, members, path, rest),
    };
    for (name, inner) in members.rest().iter() {
        rest.push(&format!("{kind}.{name}"), inner.clone());
    }
    Ok(content)
}

/// Whether a call or result is of a tool that the vendor runs itself (`type: server_tool_use`).
fn is_servers(members: &Members<'_>) -> bool {
    members.peek("type").is_some_and(|kind| kind.get() != "null")
}

/// Reads bytes and their format; `None` for bytes that stand elsewhere.
fn read_media(members: &mut Members<'_>, path: &Path<'_>, class: &str) -> Result<Option<Media>, Error> {
    let format = members.needed_text("format", path)?;
    let Some(data) = read_bytes(members, path)? else { return Ok(None) };
    Ok(Some(Media::Base64 { media_type: format!("{class}{format}").into(), data }))
}

/// Takes `source.bytes`, where that is all that the source has.
fn read_bytes(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<String>, Error> {
    let source = members.object("source", path)?.ok_or_else(|| path.missing("source"))?;
    Ok(source.only().filter(|(name, _)| *name == "bytes").and_then(|(_, bytes)| as_text(bytes)))
}

fn read_document(
    members: &mut Members<'_>,
    path: &Path<'_>,
    rest: &mut Rest,
) -> Result<Option<Content>, Error> {
    let name = members.word("name", path)?;
    let format = members.word("format", path)?;
    let at = path.member("source");
    let source = members.object("source", path)?.ok_or_else(|| path.missing("source"))?;
    let Some((place, value)) = source.only() else { return Ok(None) };
    let media_type = format.as_deref().and_then(media_type_of_document);
    let source = match (place, media_type, as_text(value)) {
        ("bytes", Some(media_type), Some(data)) => Media::Base64 { media_type: media_type.into(), data },
        ("text", _, Some(text)) => Media::Text(text),
        ("content", ..) => match read_leaves(value, &at.member("content"))? {
            Some(parts) => Media::Parts(parts),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    if let (Some(format), Media::Text(_) | Media::Parts(_)) = (&format, &source)
        && let Ok(format) = serde_json::value::to_raw_value(format)
    {
        rest.push(FORMAT, (&*format).into());
    }
    Ok(Some(Content::File { source, name }))
}

/// The texts inside a document; `None` where something else stands among them.
fn read_leaves(raw: &RawValue, path: &Path<'_>) -> Result<Option<Vec<Part>>, Error> {
    let list = items(raw, path)?;
    Ok(list.into_iter().map(|item| only_text(item).map(Part::text)).collect())
}

/// The text of a block that has nothing else.
fn only_text(raw: &RawValue) -> Option<String> {
    let members = Members::of(raw)?;
    members.only().filter(|(name, _)| *name == "text").and_then(|(_, text)| as_text(text))
}

fn read_result(members: &mut Members<'_>, path: &Path<'_>, rest: &mut Rest) -> Result<ToolResult, Error> {
    let call_id = members.needed_text("toolUseId", path)?.into();
    let status = members.take("status");
    let is_error = status.and_then(as_text).as_deref() == Some("error");
    if let Some(status) = status.filter(|_| !is_error) {
        rest.push(STATUS, status.into());
    }
    let at = path.member("content");
    let mut parts = Vec::new();
    if let Some(raw) = members.take("content") {
        for (index, item) in items(raw, &at)?.into_iter().enumerate() {
            parts.push(read_result_block(item, &at.item(index))?);
        }
    }
    Ok(ToolResult { call_id, name: None, parts, is_error })
}

/// Results hold text, JSON, pictures and documents; anything else stays unread, so that depth is bounded.
fn read_result_block(raw: &RawValue, path: &Path<'_>) -> Result<Part, Error> {
    let mut members = Members::read(raw, path)?;
    if let Some(("json", value)) = members.only() {
        let mut part = Part::text(compact(value));
        part.rest.push(JSON, value.into());
        return Ok(part);
    }
    let held = ["text", "image", "document"].into_iter().any(|kind| members.peek(kind).is_some());
    if held {
        return read_block(raw, &mut members, path, "");
    }
    let kind = members.only().map_or("block", |(kind, _)| kind);
    Ok(Part::new(Content::Unknown { kind: kind.into(), raw: raw.into() }))
}

fn read_reasoning(
    members: &mut Members<'_>,
    path: &Path<'_>,
    family: &str,
) -> Result<Option<Reasoning>, Error> {
    if let Some(data) = members.text("redactedContent", path)? {
        return Ok(Some(redacted(&data, family)));
    }
    let at = path.member("reasoningText");
    let Some(mut inner) = members.object("reasoningText", path)? else { return Ok(None) };
    let (origin, signature) = origin(inner.word("signature", &at)?, family);
    let text = inner.text("text", &at)?.unwrap_or_default();
    Ok(Some(Reasoning { text, signature, redacted: None, origin }))
}

/// Encrypted reasoning by what stands on the wire: its bytes as base64.
pub(super) fn redacted(data: &str, family: &str) -> Reasoning {
    let bytes = STANDARD.decode(data).ok();
    let ours = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(NOT_BASE64));
    let text = ours.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or(data);
    Reasoning {
        text: String::new(),
        signature: None,
        redacted: Some(text.into()),
        origin: Origin::of(family),
    }
}

/// Who wrote reasoning of that signature, and the signature if it is one. Without our tag it is of `family`.
pub(super) fn origin(signature: Option<Box<str>>, family: &str) -> (Origin, Option<Box<str>>) {
    let is_tagged = signature.as_deref().is_some_and(|text| text.starts_with(FOREIGN_SIGNATURE));
    let (origin, signature) = origin_of(signature);
    (if is_tagged { origin } else { Origin::of(family) }, signature)
}

fn read_cited(
    raw: &RawValue,
    mut members: Members<'_>,
    path: &Path<'_>,
    rest: &mut Rest,
) -> Result<Content, Error> {
    let texts = members.array("content", path)?.unwrap_or_default();
    let citations = members.array("citations", path)?.unwrap_or_default();
    let read: Vec<Option<String>> = texts.into_iter().map(only_text).collect();
    let is_plain = matches!(read.as_slice(), [Some(_)]) && !citations.is_empty() && members.rest().is_empty();
    if !is_plain {
        rest.push(CITATIONS, raw.into());
    }
    let text = read.into_iter().flatten().collect();
    Ok(Content::Text { text, annotations: citations.into_iter().map(read_citation).collect() })
}

/// Reads one citation. Only those of web pages point to something that other dialects can name.
pub(super) fn read_citation(raw: &RawValue) -> Annotation {
    let root = Path::Root;
    let mut members = Members::of(raw).unwrap_or_default();
    let mut word = |name: &str| members.word(name, &root).ok().flatten();
    let (title, source) = (word("title"), word("source").filter(|source| source.starts_with("http")));
    let web = members.object("location", &root).ok().flatten();
    let web = web.and_then(|mut location| location.object("web", &root).ok().flatten());
    let url = web.and_then(|mut web| web.word("url", &root).ok().flatten()).or(source);
    let words = members.array("sourceContent", &root).ok().flatten().unwrap_or_default();
    let quote: String = words.into_iter().filter_map(only_text).collect();
    let quote = Some(quote).filter(|quote| !quote.is_empty()).map(Into::into);
    Annotation { dialect: Dialect::BedrockConverse, url, title, quote, span: None, raw: raw.into() }
}

/// What a guardrail looks at is text or a picture like any other; that it is looked at only Bedrock knows.
fn read_guarded(
    raw: &RawValue,
    mut members: Members<'_>,
    path: &Path<'_>,
    rest: &mut Rest,
) -> Result<Option<Content>, Error> {
    let content = if let Some(mut inner) = members.object("text", path)? {
        let text = inner.text("text", &path.member("text"))?;
        text.map(|text| Content::Text { text, annotations: Vec::new() })
    } else if let Some(mut inner) = members.object("image", path)? {
        read_media(&mut inner, &path.member("image"), "image/")?
            .map(|source| Content::Image { source, detail: None })
    } else {
        None
    };
    if content.is_some() {
        rest.push("guardContent", Raw::from(raw));
    }
    Ok(content)
}
