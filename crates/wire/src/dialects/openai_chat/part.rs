//! Content parts of OpenAI messages, read and written.

use pilothouse_core::conversation::{Annotation, CacheMark, Content, Media, Part, Rest, Role};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use crate::codec::{Losses, Quirks};
use crate::dialects::{split_data_url, ttl_of_word};
use crate::json::{Array, Members, Object, Path, as_text, items, reread};

/// Reads `content`: text, or an array of parts.
pub(super) fn read_content(raw: &RawValue, path: &Path<'_>) -> Result<Vec<Part>, Error> {
    if let Some(text) = as_text(raw) {
        return Ok(vec![Part::text(text)]);
    }
    let list = items(raw, path).map_err(|_| path.wrong("a string or an array of parts"))?;
    list.into_iter().enumerate().map(|(at, item)| read_part(item, &path.item(at))).collect()
}

fn read_part(raw: &RawValue, path: &Path<'_>) -> Result<Part, Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.needed_text("type", path)?;
    let cache = take_cache(&mut members);
    let content = match kind.as_str() {
        "text" => Content::Text { text: members.needed_text("text", path)?, annotations: Vec::new() },
        "refusal" => Content::Refusal { text: members.needed_text("refusal", path)? },
        "image_url" => read_image(&mut members, path)?,
        "input_audio" => {
            let mut audio =
                members.object("input_audio", path)?.ok_or_else(|| path.missing("input_audio"))?;
            let at = path.member("input_audio");
            let format = audio.needed_text("format", &at)?;
            let data = audio.needed_text("data", &at)?;
            Content::Audio { source: Media::Base64 { media_type: format!("audio/{format}").into(), data } }
        }
        "file" => match read_file(&mut members, path)? {
            Some(content) => content,
            None => return Ok(Part::new(Content::Unknown { kind: kind.into(), raw: raw.into() })),
        },
        _ => return Ok(Part::new(Content::Unknown { kind: kind.into(), raw: raw.into() })),
    };
    Ok(Part { content, cache, rest: members.rest() })
}

fn read_image(members: &mut Members<'_>, path: &Path<'_>) -> Result<Content, Error> {
    let at = path.member("image_url");
    let mut image = members.object("image_url", path)?.ok_or_else(|| path.missing("image_url"))?;
    let url = image.needed_text("url", &at)?;
    let source = split_data_url(&url).unwrap_or(Media::Url(url));
    Ok(Content::Image { source, detail: image.word("detail", &at)? })
}

fn read_file(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<Content>, Error> {
    let at = path.member("file");
    let mut file = members.object("file", path)?.ok_or_else(|| path.missing("file"))?;
    let name = file.word("filename", &at)?;
    let source = match (file.text("file_data", &at)?, file.word("file_id", &at)?) {
        (Some(data), _) => {
            split_data_url(&data).unwrap_or(Media::Base64 { media_type: "application/pdf".into(), data })
        }
        (None, Some(id)) => Media::FileId(id),
        (None, None) => return Ok(None),
    };
    Ok(Some(Content::File { source, name }))
}

/// Takes a cache marker: OpenAI's own, or Anthropic's as clients of other gateways put it on OpenAI parts.
pub(in crate::dialects) fn take_cache(members: &mut Members<'_>) -> Option<CacheMark> {
    let (dialect, raw) = match members.take("prompt_cache_breakpoint") {
        Some(raw) => (Dialect::OpenaiChat, raw),
        None => (Dialect::AnthropicMessages, members.take("cache_control")?),
    };
    let ttl = Members::of(raw)
        .and_then(|mut mark| mark.text("ttl", &Path::Root).ok().flatten())
        .map_or_else(Default::default, |word| ttl_of_word(&word));
    Some(CacheMark { ttl, raw: (dialect, raw.into()) })
}

/// Writes parts into the `content` of a message, and notes what it cannot hold.
pub(super) struct PartWriter<'a> {
    /// Whether the request came in this dialect: then what only it knows is written back.
    pub native: bool,
    /// What the target accepts.
    pub quirks: &'a Quirks,
}

impl PartWriter<'_> {
    /// Writes `content` as text where it can be, else as an array. Writes nothing when there are no parts.
    pub(super) fn content(&self, message: &mut Object<'_>, parts: &[&Part], role: Role, losses: &mut Losses) {
        let cites = |part: &&Part| matches!(&part.content, Content::Text { annotations, .. } if !annotations.is_empty());
        if parts.iter().any(cites) {
            losses.drop("annotations", "a citation in the conversation so far");
        }
        match parts {
            [] => {}
            [Part { content: Content::Text { text, .. }, cache, rest }]
                if rest.is_empty() && !self.keeps_mark(cache.as_ref()) =>
            {
                self.note_mark(cache.as_ref(), losses);
                message.text("content", text);
            }
            parts => {
                let mut list = message.array("content");
                for part in parts {
                    self.part(&mut list, part, role, losses);
                }
            }
        }
    }

    fn part(&self, list: &mut Array<'_>, part: &Part, role: Role, losses: &mut Losses) {
        match &part.content {
            Content::Text { text, .. } => {
                self.typed(list, part, "text", losses, |out| out.text("text", text))
            }
            Content::Refusal { text } if role == Role::Assistant => {
                self.typed(list, part, "refusal", losses, |out| out.text("refusal", text));
            }
            Content::Refusal { text } => self.typed(list, part, "text", losses, |out| out.text("text", text)),
            Content::Image { source, detail } => self.image(list, part, source, detail.as_deref(), losses),
            Content::Audio { source: Media::Base64 { media_type, data } } => {
                let format = media_type.strip_prefix("audio/").unwrap_or(media_type);
                self.typed(list, part, "input_audio", losses, |out| {
                    let mut audio = out.object("input_audio");
                    audio.text("data", data);
                    audio.text("format", format);
                });
            }
            Content::Audio { .. } => losses.drop("audio", "sound that is not in the request itself"),
            Content::File { source, name } => self.file(list, part, source, name.as_deref(), losses),
            Content::Unknown { raw, .. } if self.native => list.raw(raw),
            Content::Unknown { kind, raw } => match search_result_text(kind, raw) {
                Some(text) => {
                    losses.add("inline:search_result", "");
                    self.typed(list, part, "text", losses, |out| out.text("text", &text));
                }
                None => losses.drop(kind, "a part that only its own dialect knows"),
            },
            Content::ToolCall(_) | Content::ToolResult(_) | Content::Reasoning(_) => {}
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
        let url = match source {
            Media::Url(url) => url.clone(),
            Media::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
            _ => return losses.drop("image.file_id", "a file id is good at its own vendor only"),
        };
        self.typed(list, part, "image_url", losses, |out| {
            let mut image = out.object("image_url");
            image.text("url", &url);
            image.maybe_text("detail", detail);
        });
    }

    fn file(
        &self,
        list: &mut Array<'_>,
        part: &Part,
        source: &Media,
        name: Option<&str>,
        losses: &mut Losses,
    ) {
        match source {
            Media::Base64 { media_type, data } => {
                self.typed(list, part, "file", losses, |out| {
                    let mut file = out.object("file");
                    file.text("filename", &file_name(name, media_type));
                    file.text("file_data", &format!("data:{media_type};base64,{data}"));
                });
            }
            Media::FileId(id) if self.native => self.typed(list, part, "file", losses, |out| {
                let mut file = out.object("file");
                file.text("file_id", id);
                file.maybe_text("filename", name);
            }),
            Media::FileId(_) => losses.drop("document.file_id", "a file id is good at its own vendor only"),
            Media::Url(_) => losses.drop("document.url", "this dialect has no documents by URL"),
            Media::Text(_) | Media::Parts(_) => {
                let text = document_text(source, name);
                losses.add("inline:document", "a text document became a text part");
                self.typed(list, part, "text", losses, |out| out.text("text", &text));
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
        write: impl FnOnce(&mut Object<'_>),
    ) {
        let mut out = list.object();
        out.text("type", kind);
        write(&mut out);
        self.mark(&mut out, part.cache.as_ref(), losses);
        if self.native {
            out.rest(&part.rest);
        } else {
            losses.drop_rest(&format!("{kind}."), &part.rest);
        }
    }

    fn keeps_mark(&self, mark: Option<&CacheMark>) -> bool {
        mark.is_some() && (self.native || self.quirks.cache_marks)
    }

    fn note_mark(&self, mark: Option<&CacheMark>, losses: &mut Losses) {
        if mark.is_some() && !self.keeps_mark(mark) {
            losses.drop("cache_control", "the target caches without markers");
        }
    }

    fn mark(&self, out: &mut Object<'_>, mark: Option<&CacheMark>, losses: &mut Losses) {
        self.note_mark(mark, losses);
        let Some(CacheMark { raw: (dialect, raw), .. }) = mark.filter(|mark| self.keeps_mark(Some(mark)))
        else {
            return;
        };
        match dialect {
            Dialect::AnthropicMessages if self.native => out.raw("cache_control", raw),
            // Anthropic's lifetimes are shorter than the shortest here, so the default keeps long enough.
            Dialect::AnthropicMessages => out.object("prompt_cache_breakpoint").text("mode", "explicit"),
            _ => out.raw("prompt_cache_breakpoint", raw),
        }
    }
}

/// OpenAI refuses file data without a name, and tells the type by the name's ending.
pub(in crate::dialects) fn file_name<'n>(
    name: Option<&'n str>,
    media_type: &str,
) -> std::borrow::Cow<'n, str> {
    match name {
        Some(name) if media_type != "application/pdf" || name.to_ascii_lowercase().ends_with(".pdf") => {
            name.into()
        }
        Some(name) => format!("{name}.pdf").into(),
        None => "document.pdf".into(),
    }
}

/// A text document as text: its name, then what it says.
pub(in crate::dialects) fn document_text(source: &Media, name: Option<&str>) -> String {
    let mut text = name.map(|name| format!("{name}\n\n")).unwrap_or_default();
    match source {
        Media::Text(body) => text.push_str(body),
        Media::Parts(parts) => {
            for part in parts {
                if let Content::Text { text: body, .. } = &part.content {
                    text.push_str(body);
                    text.push('\n');
                }
            }
        }
        _ => {}
    }
    text
}

/// Anthropic's `search_result` block as text: title, source, content.
pub(in crate::dialects) fn search_result_text(
    kind: &str,
    raw: &pilothouse_core::conversation::Raw,
) -> Option<String> {
    if kind != "search_result" {
        return None;
    }
    let mut members = Members::of(reread(raw)?)?;
    let mut lines =
        vec![members.text("title", &Path::Root).ok()??, members.text("source", &Path::Root).ok()??];
    for item in members.array("content", &Path::Root).ok()?? {
        lines.push(Members::of(item)?.text("text", &Path::Root).ok()??);
    }
    Some(lines.join("\n"))
}

/// Reads OpenAI's `annotations`.
pub(super) fn read_annotations(list: Vec<&RawValue>) -> Vec<Annotation> {
    list.into_iter()
        .map(|raw| {
            let mut citation = Members::of(raw)
                .and_then(|mut members| members.object("url_citation", &Path::Root).ok().flatten());
            let mut word =
                |name| citation.as_mut().and_then(|one| one.word(name, &Path::Root).ok().flatten());
            let (url, title) = (word("url"), word("title"));
            let mut count =
                |name| citation.as_mut().and_then(|one| one.count(name, &Path::Root).ok().flatten());
            let span = count("start_index").zip(count("end_index"));
            Annotation { dialect: Dialect::OpenaiChat, url, title, quote: None, span, raw: raw.into() }
        })
        .collect()
}

/// Writes annotations that point to the web; `span` is used where the annotation has none of its own.
pub(super) fn write_annotation(
    list: &mut Array<'_>,
    annotation: &Annotation,
    span: (u64, u64),
    losses: &mut Losses,
) {
    if annotation.dialect == Dialect::OpenaiChat {
        return list.raw(&annotation.raw);
    }
    let Some(url) = &annotation.url else {
        return losses.drop("citations", "a citation of a document; only web pages can be cited here");
    };
    let (start, end) = annotation.span.unwrap_or(span);
    let mut out = list.object();
    out.text("type", "url_citation");
    let mut citation = out.object("url_citation");
    citation.number("start_index", start);
    citation.number("end_index", end);
    citation.text("title", annotation.title.as_deref().unwrap_or(url));
    citation.text("url", url);
}

/// Members of a rest that are worth a note when dropped.
pub(super) fn drop_rest(rest: &Rest, prefix: &str, losses: &mut Losses) {
    losses.drop_rest(prefix, rest);
}
