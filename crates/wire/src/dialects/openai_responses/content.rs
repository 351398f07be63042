//! Content parts of messages and tool results, read and written.

use pilothouse_core::conversation::{Annotation, CacheMark, Content, Media, Part, Rest, Role};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::item::write_rest;
use crate::codec::{Losses, Quirks};
use crate::dialects::openai_chat::part::{document_text, file_name, search_result_text, take_cache};
use crate::dialects::split_data_url;
use crate::json::{Array, Members, Object, Path, as_text, items};

/// Reads `content` or `output`: text, or an array of parts.
pub(super) fn read_content(raw: &RawValue, path: &Path<'_>) -> Result<Vec<Part>, Error> {
    if let Some(text) = as_text(raw) {
        return Ok(vec![Part::text(text)]);
    }
    let list = items(raw, path).map_err(|_| path.wrong("a string or an array of parts"))?;
    let mut start = 0;
    let mut parts = Vec::with_capacity(list.len());
    for (at, item) in list.into_iter().enumerate() {
        parts.push(read_part(item, &mut start, &path.item(at))?);
    }
    Ok(parts)
}

/// Reads one part; `start` is where it begins in the text of its message, in characters.
fn read_part(raw: &RawValue, start: &mut u64, path: &Path<'_>) -> Result<Part, Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.needed_text("type", path)?;
    let cache = take_cache(&mut members);
    let content = match kind.as_str() {
        "input_text" | "output_text" | "text" => read_text(&mut members, start, path)?,
        "refusal" => Content::Refusal { text: members.needed_text("refusal", path)? },
        "input_image" => match read_image(&mut members, path)? {
            Some(content) => content,
            None => return Ok(unknown(&kind, raw)),
        },
        "input_audio" => {
            let at = path.member("input_audio");
            let mut audio =
                members.object("input_audio", path)?.ok_or_else(|| path.missing("input_audio"))?;
            let media_type = format!("audio/{}", audio.needed_text("format", &at)?).into();
            Content::Audio { source: Media::Base64 { media_type, data: audio.needed_text("data", &at)? } }
        }
        "input_file" => match read_file(&mut members, path)? {
            Some(content) => content,
            None => return Ok(unknown(&kind, raw)),
        },
        _ => return Ok(unknown(&kind, raw)),
    };
    // Token probabilities of earlier answers say nothing to another dialect.
    let logprobs = members.raw("logprobs").filter(|raw| raw.text() != "[]");
    let mut rest = members.rest();
    if let Some(raw) = logprobs {
        rest.push("@logprobs", raw);
    }
    Ok(Part { content, cache, rest })
}

fn unknown(kind: &str, raw: &RawValue) -> Part {
    Part::new(Content::Unknown { kind: kind.into(), raw: raw.into() })
}

/// Reads a piece of text with what it cites.
pub(super) fn read_text(
    members: &mut Members<'_>,
    start: &mut u64,
    path: &Path<'_>,
) -> Result<Content, Error> {
    let text = members.needed_text("text", path)?;
    let list = members.array("annotations", path)?.unwrap_or_default();
    let annotations = list.into_iter().map(|raw| read_annotation(raw, *start)).collect();
    *start += count_chars(&text);
    Ok(Content::Text { text, annotations })
}

pub(super) fn count_chars(text: &str) -> u64 {
    text.chars().count() as u64
}

/// Reads an annotation; `start` is where its piece of content begins in the answer's text.
pub(super) fn read_annotation(raw: &RawValue, start: u64) -> Annotation {
    let mut members = Members::of(raw);
    let mut word = |name: &str| members.as_mut().and_then(|one| one.word(name, &Path::Root).ok().flatten());
    let (url, title) = (word("url"), word("title"));
    let mut count = |name: &str| members.as_mut().and_then(|one| one.count(name, &Path::Root).ok().flatten());
    let span = count("start_index")
        .zip(count("end_index"))
        .map(|(from, to)| (from.saturating_add(start), to.saturating_add(start)));
    Annotation { dialect: Dialect::OpenaiResponses, url, title, quote: None, span, raw: raw.into() }
}

fn read_image(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<Content>, Error> {
    let source = match (members.text("image_url", path)?, members.word("file_id", path)?) {
        (Some(url), _) => split_data_url(&url).unwrap_or(Media::Url(url)),
        (None, Some(id)) => Media::FileId(id),
        (None, None) => return Ok(None),
    };
    Ok(Some(Content::Image { source, detail: members.word("detail", path)? }))
}

fn read_file(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<Content>, Error> {
    let name = members.word("filename", path)?;
    let data = members.text("file_data", path)?;
    let source = match (data, members.text("file_url", path)?, members.word("file_id", path)?) {
        (Some(data), _, _) => {
            split_data_url(&data).unwrap_or(Media::Base64 { media_type: "application/pdf".into(), data })
        }
        (None, Some(url), _) => Media::Url(url),
        (None, None, Some(id)) => Media::FileId(id),
        (None, None, None) => return Ok(None),
    };
    Ok(Some(Content::File { source, name }))
}

/// Writes parts, and notes what they cannot hold.
pub(super) struct PartWriter<'a> {
    /// Whether the request came in this dialect: then what only it knows is written back.
    pub native: bool,
    /// What the target accepts.
    pub quirks: &'a Quirks,
}

impl PartWriter<'_> {
    /// Whether anything of a part arrives in a message or a tool result.
    pub(super) fn carries(&self, part: &Part) -> bool {
        self.native
            || match &part.content {
                Content::Text { .. } | Content::Refusal { .. } => true,
                Content::Image { source, .. } => matches!(source, Media::Url(_) | Media::Base64 { .. }),
                Content::Audio { .. } => false,
                Content::File { source, .. } => !matches!(source, Media::FileId(_)),
                Content::Unknown { kind, raw } => search_result_text(kind, raw).is_some(),
                Content::ToolCall(_) | Content::ToolResult(_) | Content::Reasoning(_) => false,
            }
    }

    /// Writes `name` as text where it can be, else as an array. `was_text` says whether it came as text in this
    /// dialect.
    pub(super) fn content(
        &self,
        out: &mut Object<'_>,
        name: &str,
        (parts, was_text): (&[&Part], bool),
        role: Role,
        losses: &mut Losses,
    ) {
        match parts {
            [] if was_text || !self.native => out.text(name, ""),
            [Part { content: Content::Text { text, annotations }, cache, rest }]
                if (was_text || !self.native)
                    && rest.is_empty()
                    && annotations.is_empty()
                    && !self.keeps_mark(cache.as_ref()) =>
            {
                self.note_mark(cache.as_ref(), losses);
                out.text(name, text);
            }
            parts => {
                let mut list = out.array(name);
                parts.iter().for_each(|part| self.part(&mut list, part, role, losses));
            }
        }
    }

    fn part(&self, list: &mut Array<'_>, part: &Part, role: Role, losses: &mut Losses) {
        let said = role == Role::Assistant;
        let text_kind = if said { "output_text" } else { "input_text" };
        match &part.content {
            Content::Text { text, annotations } => {
                self.typed(list, part, text_kind, losses, |out, losses| {
                    out.text("text", text);
                    if said {
                        self.annotations(out, annotations, losses);
                    }
                })
            }
            Content::Refusal { text } if said => {
                self.typed(list, part, "refusal", losses, |out, _| out.text("refusal", text));
            }
            Content::Refusal { text } => {
                self.typed(list, part, text_kind, losses, |out, _| out.text("text", text));
            }
            Content::Image { source, detail } => self.image(list, part, source, detail.as_deref(), losses),
            Content::Audio { source: Media::Base64 { media_type, data } } if self.native => {
                self.typed(list, part, "input_audio", losses, |out, _| {
                    let mut audio = out.object("input_audio");
                    audio.text("data", data);
                    audio.text("format", media_type.strip_prefix("audio/").unwrap_or(media_type));
                });
            }
            Content::Audio { .. } => losses.drop("audio", "this dialect takes no sound"),
            Content::File { source, name } => self.file(list, part, source, name.as_deref(), role, losses),
            Content::Unknown { raw, .. } if self.native => list.raw(raw),
            Content::Unknown { kind, raw } => match search_result_text(kind, raw) {
                Some(text) => {
                    losses.add("inline:search_result", "");
                    self.typed(list, part, text_kind, losses, |out, _| out.text("text", &text));
                }
                None => losses.drop(kind, "a part that only its own dialect knows"),
            },
            Content::ToolCall(_) | Content::ToolResult(_) | Content::Reasoning(_) => {}
        }
    }

    fn annotations(&self, out: &mut Object<'_>, annotations: &[Annotation], losses: &mut Losses) {
        let own = || annotations.iter().filter(|one| one.dialect == Dialect::OpenaiResponses);
        if own().count() < annotations.len() {
            losses.drop("citations", "a citation of another dialect");
        }
        if self.native {
            let mut list = out.array("annotations");
            own().for_each(|one| list.raw(&one.raw));
        }
    }

    fn image(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        source: &Media,
        detail: Option<&str>,
        losses: &mut Losses,
    ) {
        let (member, value) = match source {
            Media::Url(url) => ("image_url", url.clone()),
            Media::Base64 { media_type, data } => ("image_url", format!("data:{media_type};base64,{data}")),
            Media::FileId(id) if self.native => ("file_id", id.to_string()),
            _ => return losses.drop("image.file_id", "a file id is good at its own vendor only"),
        };
        self.typed(list, part, "input_image", losses, |out, _| {
            out.text(member, &value);
            match detail {
                Some(detail) => out.text("detail", detail),
                None if !self.native => out.text("detail", "auto"),
                None => {}
            }
        });
    }

    fn file(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        source: &Media,
        name: Option<&str>,
        role: Role,
        losses: &mut Losses,
    ) {
        let kind = "input_file";
        match source {
            Media::Base64 { media_type, data } => self.typed(list, part, kind, losses, |out, _| {
                match name {
                    name if self.native => out.maybe_text("filename", name),
                    name => out.text("filename", &file_name(name, media_type)),
                }
                out.text("file_data", &format!("data:{media_type};base64,{data}"));
            }),
            Media::Url(url) => self.typed(list, part, kind, losses, |out, _| {
                out.text("file_url", url);
                out.maybe_text("filename", name.filter(|_| self.native));
            }),
            Media::FileId(id) if self.native => self.typed(list, part, kind, losses, |out, _| {
                out.text("file_id", id);
                out.maybe_text("filename", name);
            }),
            Media::FileId(_) => losses.drop("document.file_id", "a file id is good at its own vendor only"),
            Media::Text(_) | Media::Parts(_) => {
                let text = document_text(source, name);
                losses.add("inline:document", "a text document became a text part");
                let kind = if role == Role::Assistant { "output_text" } else { "input_text" };
                self.typed(list, part, kind, losses, |out, _| out.text("text", &text));
            }
        }
    }

    /// Writes a part of a type: its members, its cache marker, its rest.
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
        self.mark(&mut out, part.cache.as_ref(), losses);
        self.rest(&mut out, &part.rest, &format!("{kind}."), losses);
    }

    /// Writes what only this dialect knows, or notes what is lost.
    pub(super) fn rest(&self, out: &mut Object<'_>, rest: &Rest, prefix: &str, losses: &mut Losses) {
        if self.native {
            write_rest(out, rest);
        } else {
            losses.drop_rest(prefix, rest);
        }
    }

    fn keeps_mark(&self, mark: Option<&CacheMark>) -> bool {
        mark.is_some() && (self.native || self.quirks.cache_marks)
    }

    /// Notes a cache marker that is not kept.
    pub(super) fn note_mark(&self, mark: Option<&CacheMark>, losses: &mut Losses) {
        if mark.is_some() && !self.keeps_mark(mark) {
            losses.drop("cache_control", "the target caches without markers");
        }
    }

    fn mark(&self, out: &mut Object<'_>, mark: Option<&CacheMark>, losses: &mut Losses) {
        self.note_mark(mark, losses);
        match mark.filter(|mark| self.keeps_mark(Some(mark))).map(|mark| &mark.raw) {
            None => {}
            Some((Dialect::AnthropicMessages, raw)) if self.native => out.raw("cache_control", raw),
            // Anthropic's lifetimes are shorter than the shortest here, so the default keeps long enough.
            Some((Dialect::AnthropicMessages, _)) => {
                out.object("prompt_cache_breakpoint").text("mode", "explicit");
            }
            Some((_, raw)) => out.raw("prompt_cache_breakpoint", raw),
        }
    }
}
