//! The turns of a request, walked once: who speaks, and what kinds of blocks a turn has.

use std::ops::Range;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::{Blocks, Role, Trait};

use super::{Reading, Turn, TurnKind};
use crate::scan::ScanError;
use crate::walk::Walk;

/// A medium that is shorter than this is an address.
const ENCODED_MIN: usize = 512;
/// How deep content stands in content: a tool's result has blocks, and these have none.
const DEPTH_MAX: usize = 2;

/// What one turn holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Content {
    pub(super) blocks: Blocks,
    count: usize,
    empty: usize,
    depth: usize,
}

impl Content {
    fn add(&mut self, kind: Blocks) {
        self.count += 1;
        let leads = self.count == 1 && (kind == Blocks::THINKING || kind == Blocks::SEALED);
        self.blocks = self.blocks.with(kind);
        if leads {
            self.blocks = self.blocks.with(Blocks::LEADS_WITH_THINKING);
        }
    }
}

/// What is known of a turn while its members pass.
#[derive(Default)]
struct Said {
    role: Option<Role>,
    content: Content,
    /// What the item is, where its `type` says so.
    kind: Option<Kind>,
    is_sealed: bool,
    /// It is more than an object of strings.
    holds_more: bool,
}

/// Items of the Responses API.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Call,
    Result,
    Reasoning,
    Other,
}

impl Reading<'_, '_> {
    /// The list of turns, or one text in its place.
    pub(super) fn list(&mut self, value: Range<usize>) -> Result<(), ScanError> {
        let from = value.start;
        let Some(text) = self.body.get(value) else { return Ok(()) };
        let mut walk = Walk::new(text);
        match text.first() {
            Some(b'"') => {
                self.text.add(text);
                self.push(Role::User, Blocks::TEXT);
                Ok(())
            }
            Some(b'{') => self.turn(&mut walk).map(drop),
            _ => walk.array(|walk| {
                let start = walk.at();
                let kind = self.turn(walk)?;
                if let Some(see) = &mut self.see {
                    see(Turn { at: from + start..from + walk.at(), kind });
                }
                Ok(())
            }),
        }
    }

    fn turn(&mut self, walk: &mut Walk<'_>) -> Result<TurnKind, ScanError> {
        let mut said = Said::default();
        match walk.peek() {
            // Several texts to embed.
            Some(b'"') => {
                self.text.add(walk.skip()?);
                self.push(Role::User, Blocks::TEXT);
                return Ok(TurnKind::Text);
            }
            Some(b'{') => {}
            _ => said.holds_more = true,
        }
        walk.object(|walk, name| {
            said.holds_more |= walk.peek() != Some(b'"');
            self.said(walk, name, &mut said)
        })?;
        let Said { role, mut content, kind, is_sealed, holds_more } = said;
        let is_what = if holds_more {
            TurnKind::Parts
        } else {
            TurnKind::Plain { has_role: role.is_some(), has_type: kind.is_some() }
        };
        if content.empty > 0 && content.empty < content.count {
            self.outline.traits.add(Trait::EmptyText);
        }
        let role = match kind {
            Some(Kind::Call) => {
                content.add(Blocks::CALL);
                Role::Assistant
            }
            Some(Kind::Result) => {
                content.blocks = content.blocks.with(Blocks::RESULT);
                Role::Tool
            }
            Some(Kind::Reasoning) => {
                content.blocks = if is_sealed { Blocks::SEALED } else { Blocks::THINKING };
                if !is_sealed {
                    self.outline.traits.add(Trait::UnsealedReasoning);
                }
                Role::Assistant
            }
            Some(Kind::Other) => {
                content.add(Blocks::SERVER_TOOL);
                Role::Assistant
            }
            Some(Kind::Message) | None => role.unwrap_or_default(),
        };
        if role == Role::Tool {
            content.blocks = content.blocks.with(Blocks::RESULT);
        }
        self.push(role, content.blocks);
        Ok(is_what)
    }

    /// A member of a turn.
    fn said(&mut self, walk: &mut Walk<'_>, name: &[u8], said: &mut Said) -> Result<(), ScanError> {
        match name {
            b"role" => said.role = Some(role(walk.skip()?)),
            b"content" | b"parts" => return self.content(walk, &mut said.content),
            // The ids of one client are alike: once a long one is known, the others are not looked for.
            b"tool_calls" if self.outline.traits.has(Trait::LongToolIds) => {
                if walk.skip()?.contains(&b'{') {
                    said.content.add(Blocks::CALL);
                }
            }
            b"tool_calls" => walk.array(|walk| {
                said.content.add(Blocks::CALL);
                walk.object(|walk, name| {
                    let value = walk.skip()?;
                    if name == b"id" {
                        self.id(value);
                    }
                    Ok(())
                })
            })?,
            b"tool_call_id" => {
                let id = walk.skip()?;
                self.id(id);
            }
            b"function_call" if walk.skip()? != b"null" => said.content.add(Blocks::CALL),
            b"reasoning_content" | b"reasoning" | b"reasoning_details" if walk.skip()? != b"null" => {
                said.content.add(Blocks::THINKING);
            }
            b"function_call" | b"reasoning_content" | b"reasoning" | b"reasoning_details" => {}
            b"name" => {
                let is_there = walk.skip()? != b"null";
                if is_there && self.dialect == Dialect::OpenaiChat {
                    self.outline.traits.add(Trait::NamedMessages);
                }
            }
            b"type" => said.kind = Some(kind(walk.skip()?)),
            b"encrypted_content" => said.is_sealed = walk.skip()? != b"null",
            // What a tool gave, in the Responses API.
            b"output" | b"arguments" => {
                let text = walk.skip()?;
                self.text.add(text);
            }
            b"cache_control" => self.marks += usize::from(walk.skip()? != b"null"),
            _ => walk.skip().map(drop)?,
        }
        Ok(())
    }

    /// A text, or a list of blocks.
    pub(super) fn content(&mut self, walk: &mut Walk<'_>, content: &mut Content) -> Result<(), ScanError> {
        match walk.peek() {
            Some(b'"') => {
                let text = walk.skip()?;
                self.text.add(text);
                content.add(Blocks::TEXT);
                Ok(())
            }
            Some(b'[') if content.depth < DEPTH_MAX => walk.array(|walk| self.block(walk, content)),
            _ => walk.skip().map(drop),
        }
    }

    fn block(&mut self, walk: &mut Walk<'_>, content: &mut Content) -> Result<(), ScanError> {
        if walk.peek() == Some(b'"') {
            return self.content(walk, content);
        }
        let start = walk.at();
        let is_by_key = matches!(self.dialect, Dialect::GeminiGenerate | Dialect::BedrockConverse);
        let (mut kind, mut has_empty, mut is_thought, mut is_mark) = (None, false, false, false);
        let mut inner = Content { depth: content.depth + 1, ..Content::default() };
        walk.object(|walk, name| {
            match name {
                b"type" => {
                    let value = walk.skip()?;
                    if !is_by_key {
                        kind = Some(block_kind(value));
                    }
                }
                b"text" => {
                    let text = walk.skip()?;
                    has_empty |= text == b"\"\"";
                    self.text.add(text);
                    if is_by_key {
                        kind = kind.or(Some(Blocks::TEXT));
                    }
                }
                b"content" => self.content(walk, &mut inner)?,
                b"cache_control" => self.marks += usize::from(walk.skip()? != b"null"),
                b"cachePoint" => {
                    is_mark = true;
                    walk.skip()?;
                }
                b"thought" => is_thought = walk.skip()? == b"true",
                name => {
                    let value = walk.skip()?;
                    if is_by_key && let Some(found) = keyed_kind(name, value) {
                        kind = Some(found);
                    }
                }
            }
            Ok(())
        })?;
        if is_mark {
            self.marks += 1;
            return Ok(());
        }
        let kind = if is_thought { Blocks::THINKING } else { kind.unwrap_or(Blocks::OTHER) };
        let nested = Blocks(inner.blocks.0 & MEDIA.0);
        content.add(kind);
        content.blocks = content.blocks.with(nested);
        content.empty += usize::from(has_empty && kind == Blocks::TEXT);
        if kind.0 & MEDIA.0 != 0 {
            self.media += 1;
            let length = walk.passed_since(start).len();
            self.encoded += if length < ENCODED_MIN { 0 } else { length };
        }
        Ok(())
    }

    /// An id of a tool call: nine letters or digits, or not.
    fn id(&mut self, text: &[u8]) {
        let is_short = text.len() == 11 && text[1..10].iter().all(u8::is_ascii_alphanumeric);
        if !is_short && text.first() == Some(&b'"') {
            self.outline.traits.add(Trait::LongToolIds);
        }
    }
}

/// Pictures, sound, films, documents.
const MEDIA: Blocks = Blocks::IMAGE.with(Blocks::AUDIO).with(Blocks::VIDEO).with(Blocks::DOCUMENT);

fn role(text: &[u8]) -> Role {
    match text {
        b"\"user\"" => Role::User,
        b"\"assistant\"" | b"\"model\"" => Role::Assistant,
        b"\"system\"" => Role::System,
        b"\"developer\"" => Role::Developer,
        b"\"tool\"" | b"\"function\"" => Role::Tool,
        _ => Role::Other,
    }
}

fn kind(text: &[u8]) -> Kind {
    match text {
        b"\"message\"" => Kind::Message,
        b"\"function_call\"" | b"\"custom_tool_call\"" => Kind::Call,
        b"\"reasoning\"" => Kind::Reasoning,
        text if text.ends_with(b"_output\"") => Kind::Result,
        _ => Kind::Other,
    }
}

/// The kind of a block that names it.
fn block_kind(text: &[u8]) -> Blocks {
    match text {
        b"\"text\"" | b"\"input_text\"" | b"\"output_text\"" | b"\"refusal\"" | b"\"summary_text\"" => {
            Blocks::TEXT
        }
        b"\"image\"" | b"\"image_url\"" | b"\"input_image\"" => Blocks::IMAGE,
        b"\"input_audio\"" | b"\"audio\"" => Blocks::AUDIO,
        b"\"video\"" | b"\"video_url\"" | b"\"input_video\"" => Blocks::VIDEO,
        b"\"document\""
        | b"\"file\""
        | b"\"input_file\""
        | b"\"container_upload\""
        | b"\"search_result\"" => Blocks::DOCUMENT,
        b"\"tool_use\"" => Blocks::CALL,
        b"\"tool_result\"" => Blocks::RESULT,
        b"\"thinking\"" => Blocks::THINKING,
        b"\"redacted_thinking\"" => Blocks::SEALED,
        b"\"server_tool_use\"" | b"\"mcp_tool_use\"" => Blocks::SERVER_TOOL,
        text if text.ends_with(b"_tool_result\"") => Blocks::SERVER_TOOL,
        _ => Blocks::OTHER,
    }
}

/// The kind of a block that is named by its only member, or by one of several.
fn keyed_kind(name: &[u8], value: &[u8]) -> Option<Blocks> {
    Some(match name {
        b"image" => Blocks::IMAGE,
        b"audio" => Blocks::AUDIO,
        b"video" => Blocks::VIDEO,
        b"document" | b"searchResult" => Blocks::DOCUMENT,
        b"toolUse" | b"functionCall" | b"function_call" => Blocks::CALL,
        b"toolResult" | b"functionResponse" | b"function_response" => Blocks::RESULT,
        b"reasoningContent" => Blocks::THINKING,
        b"guardContent" | b"citationsContent" => Blocks::TEXT,
        b"executableCode" | b"codeExecutionResult" | b"executable_code" | b"code_execution_result" => {
            Blocks::SERVER_TOOL
        }
        b"inlineData" | b"fileData" | b"inline_data" | b"file_data" => by_media_type(value),
        _ => return None,
    })
}

/// The kind of Google's data, by its media type.
fn by_media_type(value: &[u8]) -> Blocks {
    let mut kind = Blocks::DOCUMENT;
    // What does not go on as JSON is a file like any other.
    let _ = Walk::new(value).object(|walk, name| {
        let value = walk.skip()?;
        if matches!(name, b"mimeType" | b"mime_type") {
            kind = match value {
                value if value.starts_with(b"\"image/") => Blocks::IMAGE,
                value if value.starts_with(b"\"audio/") => Blocks::AUDIO,
                value if value.starts_with(b"\"video/") => Blocks::VIDEO,
                _ => Blocks::DOCUMENT,
            };
        }
        Ok(())
    });
    kind
}
