//! Walks a request: its texts, and the tokens of everything that is not text.

use std::borrow::Cow;

use pilothouse_core::conversation::{Content, Media, Message, OutputFormat, Part, Request};

use crate::family::Reading;
use crate::{media, tools};

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Walked<'r> {
    /// The texts, each to be counted by itself.
    pub(crate) texts: Vec<Cow<'r, str>>,
    /// Tokens besides the texts.
    pub(crate) tokens: u64,
    /// Whether the size of some media had to be guessed.
    pub(crate) media_guessed: bool,
}

impl<'r> Walked<'r> {
    fn text(&mut self, text: &'r str) {
        if !text.is_empty() {
            self.texts.push(Cow::Borrowed(text));
        }
    }
}

/// Walks a request. An empty one has no tokens.
pub(crate) fn walk<'r>(request: &'r Request, reading: &Reading) -> Walked<'r> {
    let mut walked = Walked::default();
    for message in &request.messages {
        walk_message(message, reading, &mut walked);
    }
    for tool in &request.tools {
        tools::walk(tool, &mut walked);
    }
    if let Some(OutputFormat::JsonSchema { schema: Some(schema), .. }) = &request.output_format {
        tools::schema(schema, &mut walked);
    }
    if !request.messages.is_empty() {
        walked.tokens += reading.family.request_tokens;
    }
    if !request.tools.is_empty() {
        walked.tokens += reading.family.tools_tokens;
    }
    walked
}

fn walk_message<'r>(message: &'r Message, reading: &Reading, walked: &mut Walked<'r>) {
    // Every role is one token in the public tables.
    walked.tokens += reading.family.message_tokens + 1;
    if let Some(name) = &message.name {
        walked.tokens += 1;
        walked.text(name);
    }
    for part in &message.parts {
        walk_part(part, reading, walked);
    }
}

fn walk_part<'r>(part: &'r Part, reading: &Reading, walked: &mut Walked<'r>) {
    match &part.content {
        Content::Text { text, .. } | Content::Refusal { text } => walked.text(text),
        Content::Image { source, detail } => {
            let (tokens, is_known) = media::picture(source, detail.as_deref(), reading);
            walked.tokens = walked.tokens.saturating_add(tokens);
            walked.media_guessed |= !is_known;
        }
        Content::Audio { source } => {
            walked.tokens = walked.tokens.saturating_add(media::sound(source, reading.family));
            walked.media_guessed = true;
        }
        Content::File { source, name } => {
            walked.text(name.as_deref().unwrap_or_default());
            walk_file(source, reading, walked);
        }
        Content::ToolCall(call) => {
            // The name, the arguments and the marks around them; ids never reach the model.
            walked.tokens += reading.family.message_tokens;
            walked.text(&call.name);
            walked.text(&call.arguments);
        }
        Content::ToolResult(result) => {
            walked.tokens += reading.family.message_tokens;
            for part in &result.parts {
                walk_part(part, reading, walked);
            }
        }
        // Withheld reasoning comes as ciphertext in base64, about as long as the text was: four bytes a token.
        Content::Reasoning(reasoning) => {
            walked.text(&reasoning.text);
            let digits = reasoning.redacted.as_deref().unwrap_or_default().len() as u64;
            walked.tokens += digits * 3 / 16;
        }
        Content::Unknown { raw, .. } => walked.text(raw.text()),
    }
}

fn walk_file<'r>(source: &'r Media, reading: &Reading, walked: &mut Walked<'r>) {
    match source {
        Media::Text(text) => walked.text(text),
        Media::Parts(parts) => {
            for part in parts {
                walk_part(part, reading, walked);
            }
        }
        Media::Url(_) | Media::Base64 { .. } | Media::FileId(_) => {
            walked.tokens = walked.tokens.saturating_add(media::document(source, reading.family));
            walked.media_guessed = true;
        }
    }
}
