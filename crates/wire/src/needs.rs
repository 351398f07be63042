//! What a request needs of a model, and how long it is: looked for in the bytes that pass, for whoever chooses a target.
//!
//! Nothing is parsed as a whole: a need that is told by a member is found by its place, one that is told by a part of a
//! message by a search for the words that such a part must hold. A search may find those words in a text, too: a request
//! that speaks of pictures may be taken for one that holds some, and then goes to a model that can see.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::Shape;
use smallvec::SmallVec;

use crate::compat::behind;
use crate::compat::place::{self, member};
use crate::head::Head;
use crate::scan;
use crate::shape::{self, Turn, TurnKind};

/// What a request needs of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// It offers functions.
    pub tools: bool,
    /// It forces or forbids a tool.
    pub tool_choice: bool,
    /// It holds pictures.
    pub image_input: bool,
    /// It holds sound.
    pub audio_input: bool,
    /// It holds films.
    pub video_input: bool,
    /// It holds documents.
    pub pdf_input: bool,
    /// It asks for speech.
    pub audio_output: bool,
    /// It asks for an answer of a schema.
    pub json_schema: bool,
    /// It asks for thinking.
    pub reasoning: bool,
    /// It asks for the vendor's own search.
    pub web_search: bool,
}

/// How long a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of text, what is encoded in base64 left out.
    pub text_bytes: u64,
    /// Messages.
    pub messages: u32,
    /// Pictures, recordings, films and documents that are within the request.
    pub media: u32,
}

/// What one pass over a request tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How long it is.
    pub size: Size,
    /// The most tokens of output that it asks for.
    pub output_limit: Option<u64>,
    /// It marks what the vendor is to keep in its cache.
    pub has_cache_marks: bool,
    /// It has none but the members that nearly every request has: a model, messages, numbers of sampling.
    pub is_bare: bool,
    /// The media in its messages: pictures, sound, films, documents.
    media: [bool; 4],
}

/// What a word tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// A part is a medium: a place in [`Survey::media`].
    Medium(usize),
    /// The value of this member is encoded.
    Data,
    /// An address that holds its own bytes.
    DataUrl,
    /// A message, in the dialects of one kind or another.
    Role,
    Item,
    CacheMark,
}

const IMAGE: Word = Word::Medium(0);
const AUDIO: Word = Word::Medium(1);
const VIDEO: Word = Word::Medium(2);
const PDF: Word = Word::Medium(3);
/// The words that tell it, in any dialect. Names that all dialects share stand alone. None of them begins within another.
const WORDS: [(&str, Word); 18] = [
    ("\"image_url\"", IMAGE),
    ("\"input_image\"", IMAGE),
    ("\"image\"", IMAGE),
    ("image/", IMAGE),
    ("\"input_audio\"", AUDIO),
    ("audio/", AUDIO),
    ("\"video\"", VIDEO),
    ("video/", VIDEO),
    ("\"document\"", PDF),
    ("\"input_file\"", PDF),
    ("\"file\"", PDF),
    ("application/pdf", PDF),
    ("\"data\":", Word::Data),
    (";base64,", Word::DataUrl),
    ("\"role\"", Word::Role),
    ("\"type\"", Word::Item),
    ("\"cache_control\"", Word::CacheMark),
    ("\"cachePoint\"", Word::CacheMark),
];
/// What is encoded and shorter than this is looked into all the same.
const ENCODED_MIN: usize = 256;

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(WORDS.map(|(word, _)| word)).ok()
});

/// Reads a request's bytes once, for all that is searched in them.
#[must_use]
pub fn survey(dialect: Dialect, head: &Head<'_>) -> Survey {
    survey_turns(dialect, head, |_| {})
}

/// The same with the request's shape, for which its turns are walked anyway; calls `see` with each turn on the way, as
/// [`each_turn`] does.
pub fn survey_and_shape<'a>(
    dialect: Dialect,
    head: &Head<'a>,
    mut see: impl FnMut(&'a [u8]),
) -> (Survey, Shape) {
    let body = head.body();
    let mut turns: SmallVec<[Turn; 16]> = SmallVec::new();
    let (shape, seen) = shape::seeing(dialect, head, Some(&mut |turn| turns.push(turn)));
    if !seen.is_whole || seen.list != messages(dialect, head) {
        // What does not go on as JSON is the vendor's to refuse, and a name with escapes in it is rare.
        return (survey_turns(dialect, head, see), shape);
    }
    let survey = search(dialect, head, |search, list| {
        if body.get(list.start) == Some(&b'"') {
            see(&body[list]);
        }
        for Turn { at, kind } in turns {
            see(&body[at.clone()]);
            match kind {
                TurnKind::Text => {}
                TurnKind::Plain { has_role, has_type } => {
                    let is_item = search.message == Word::Item;
                    search.messages += u32::from(if is_item { has_type } else { has_role });
                }
                TurnKind::Parts => search.parts(at),
            }
        }
    });
    (survey, shape)
}

/// The survey alone, and calls `see` with each turn on the way.
pub fn survey_turns<'a>(dialect: Dialect, head: &Head<'a>, mut see: impl FnMut(&'a [u8])) -> Survey {
    let body = head.body();
    search(dialect, head, |search, list| {
        if body.get(list.start) == Some(&b'"') {
            see(&body[list.clone()]);
        }
        place::items(body, list).for_each(|item| {
            see(&body[item.clone()]);
            search.turn(item);
        });
    })
}

/// Searches a request, its list of turns by `turns`.
fn search<'a>(
    dialect: Dialect,
    head: &Head<'a>,
    turns: impl FnOnce(&mut Search<'a>, Range<usize>),
) -> Survey {
    let body = head.body();
    let list = messages(dialect, head);
    let message = if dialect == Dialect::OpenaiResponses { Word::Item } else { Word::Role };
    let mut search = Search { body, message, messages: 0, encoded: 0, survey: Survey::default() };
    let (mut is_bare, mut may_be_limited) = (true, false);
    head.each(|key, value| {
        is_bare &= says_no_want(key);
        may_be_limited |=
            key.len() >= LIMIT_NAME_MIN && matches!(key.first(), Some(b'm' | b'g' | b'i' | b'\\'));
        let is_nested = matches!(body.get(value.start), Some(b'{' | b'['));
        if is_nested && Some(&value) != list.as_ref() {
            search.marks(value);
        }
    });
    if let Some(list) = list {
        turns(&mut search, list);
    }
    let Search { mut survey, messages, encoded, .. } = search;
    survey.is_bare = is_bare;
    survey.output_limit = may_be_limited.then(|| output_limit(dialect, head)).flatten();
    survey.size.messages = messages.max(1);
    survey.size.text_bytes = (body.len() - encoded.min(body.len())) as u64;
    survey
}

/// A search for [`WORDS`].
struct Search<'a> {
    body: &'a [u8],
    /// What tells a message.
    message: Word,
    messages: u32,
    encoded: usize,
    survey: Survey,
}

impl Search<'_> {
    /// Looks into a turn. One that holds strings only is a text with its role, and its text is not searched.
    fn turn(&mut self, turn: Range<usize>) {
        let name: &[u8] = if self.message == Word::Item { b"type" } else { b"role" };
        let (mut is_plain, mut is_message) = (true, false);
        let text = self.body.get(turn.clone()).unwrap_or_default();
        if text.first() == Some(&b'"') {
            return;
        }
        let walked = scan::each_member(text, |key, value| {
            is_plain &= matches!(text.get(value.start), Some(b'"'));
            is_message |= text.get(key) == Some(name);
        });
        if walked.is_ok() && is_plain {
            self.messages += u32::from(is_message);
        } else {
            self.parts(turn);
        }
    }

    /// The next word behind `from`, before `end`.
    fn next(&self, from: usize, end: usize) -> Option<(Range<usize>, Word)> {
        let found = FINDER.as_ref()?.find(Input::new(self.body).range(from..end))?;
        Some((found.start()..found.end(), WORDS.get(found.pattern().as_usize())?.1))
    }

    /// Looks for what the vendor is to keep in its cache.
    fn marks(&mut self, value: Range<usize>) {
        let mut from = value.start;
        while let Some((found, word)) = self.next(from, value.end) {
            self.survey.has_cache_marks |= word == Word::CacheMark;
            from = found.end;
        }
    }

    /// Looks into the parts of a turn.
    fn parts(&mut self, turn: Range<usize>) {
        let mut from = turn.start;
        while let Some((found, word)) = self.next(from, turn.end) {
            from = found.end;
            let length = match word {
                Word::Medium(which) => {
                    self.survey.media[which] = true;
                    continue;
                }
                Word::CacheMark => {
                    self.survey.has_cache_marks = true;
                    continue;
                }
                Word::Data => encoded_string(self.body, found.end),
                Word::DataUrl => memchr::memchr(b'"', &self.body[found.end..]).unwrap_or(0),
                Word::Role | Word::Item => {
                    self.messages += u32::from(word == self.message);
                    continue;
                }
            };
            if length > 0 || word == Word::DataUrl {
                self.encoded += length;
                self.survey.size.media += 1;
            }
            from += if length < ENCODED_MIN { 0 } else { length };
            if from >= turn.end {
                break;
            }
        }
    }
}

/// Bytes of the string that stands here, its quotes included, if one does.
fn encoded_string(body: &[u8], at: usize) -> usize {
    let start = scan::skip_space(body, at);
    match scan::skip_value(body, start) {
        Ok(end) if body.get(start) == Some(&b'"') => end - start,
        _ => 0,
    }
}

/// Whether a member of that name says nothing of what a request needs: those that nearly every request has.
fn says_no_want(key: &[u8]) -> bool {
    matches!(
        key,
        b"model"
            | b"messages"
            | b"contents"
            | b"input"
            | b"system"
            | b"instructions"
            | b"stream"
            | b"stream_options"
            | b"temperature"
            | b"top_p"
            | b"max_tokens"
            | b"max_completion_tokens"
            | b"max_output_tokens"
            | b"metadata"
            | b"n"
            | b"seed"
            | b"stop"
            | b"store"
            | b"user"
    )
}

/// What a request needs, besides what was seen in it.
#[must_use]
pub fn wants(dialect: Dialect, head: &Head<'_>, survey: &Survey) -> Wants {
    let [image_input, audio_input, video_input, pdf_input] = survey.media;
    if survey.is_bare {
        return Wants { image_input, audio_input, video_input, pdf_input, ..Wants::default() };
    }
    let at = |path: &[&str]| find(head, path, dialect);
    let is_there = |path: &[&str]| at(path).is_some_and(|value| !is_empty(value));
    let (tools, choice, schema, reasoning) = match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => (
            is_there(&["tools"]) || is_there(&["functions"]),
            at(&["tool_choice"]),
            at(&["response_format", "type"]) == Some(b"\"json_schema\""),
            is_there(&["reasoning_effort"]),
        ),
        Dialect::OpenaiResponses => (
            is_there(&["tools"]),
            at(&["tool_choice"]),
            at(&["text", "format", "type"]) == Some(b"\"json_schema\""),
            is_there(&["reasoning"]),
        ),
        Dialect::AnthropicMessages => (
            is_there(&["tools"]),
            at(&["tool_choice", "type"]),
            is_there(&["output_config", "format"]) || is_there(&["output_format"]),
            at(&["thinking", "type"]).is_some_and(|kind| kind != b"\"disabled\""),
        ),
        Dialect::GeminiGenerate => (
            is_there(&["tools"]),
            at(&["toolConfig", "functionCallingConfig", "mode"]),
            is_there(&["generationConfig", "responseSchema"])
                || is_there(&["generationConfig", "responseJsonSchema"]),
            is_there(&["generationConfig", "thinkingConfig"]),
        ),
        Dialect::BedrockConverse => {
            (is_there(&["toolConfig", "tools"]), at(&["toolConfig", "toolChoice"]), false, false)
        }
    };
    let is_automatic = |choice: &[u8]| matches!(choice, b"\"auto\"" | b"\"AUTO\"" | b"null");
    Wants {
        tools,
        tool_choice: tools && choice.is_some_and(|choice| !is_automatic(choice)),
        image_input,
        audio_input,
        video_input,
        pdf_input,
        audio_output: is_there(&["audio"]) || is_there(&["generationConfig", "speechConfig"]),
        json_schema: schema,
        reasoning,
        web_search: is_there(&["web_search_options"]),
    }
}

/// Whether the model waits for the result that this request brings: its last turn answers a tool call.
#[must_use]
pub fn is_in_tool_loop(dialect: Dialect, head: &Head<'_>) -> bool {
    let Some(list) = messages(dialect, head) else { return false };
    let body = head.body();
    let Some(last) = behind::items(body, list).next() else { return false };
    let text = |object: &Range<usize>, name: &str| {
        member(body, object.clone(), name, dialect).map(|found| &body[found.value])
    };
    let parts = |name: &str| member(body, last.clone(), name, dialect).map(|found| found.value);
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => {
            matches!(text(&last, "role"), Some(b"\"tool\"" | b"\"function\""))
        }
        Dialect::OpenaiResponses => text(&last, "type").is_some_and(|kind| kind.ends_with(b"_output\"")),
        Dialect::AnthropicMessages => parts("content").is_some_and(|list| {
            place::items(body, list).any(|block| text(&block, "type") == Some(b"\"tool_result\""))
        }),
        Dialect::GeminiGenerate => parts("parts").is_some_and(|list| {
            place::items(body, list).any(|part| text(&part, "functionResponse").is_some())
        }),
        Dialect::BedrockConverse => parts("content")
            .is_some_and(|list| place::items(body, list).any(|block| text(&block, "toolResult").is_some())),
    }
}

/// The shortest name under which [`output_limit`] is found: `max_tokens`.
const LIMIT_NAME_MIN: usize = 10;

/// The most tokens of output that a request asks for: members that begin with `m`, `g` or `i`, as [`search`] knows.
fn output_limit(dialect: Dialect, head: &Head<'_>) -> Option<u64> {
    let paths: &[&[&str]] = match dialect {
        Dialect::OpenaiChat => &[&["max_completion_tokens"], &["max_tokens"]],
        Dialect::OpenaiResponses => &[&["max_output_tokens"]],
        Dialect::AnthropicMessages => &[&["max_tokens"]],
        Dialect::GeminiGenerate => &[&["generationConfig", "maxOutputTokens"]],
        Dialect::BedrockConverse => &[&["inferenceConfig", "maxTokens"]],
        Dialect::OpenaiEmbeddings => &[],
    };
    paths.iter().find_map(|path| std::str::from_utf8(find(head, path, dialect)?).ok()?.parse().ok())
}

/// Calls `see` with the bytes of each turn, in order.
pub fn each_turn<'a>(dialect: Dialect, head: &Head<'a>, mut see: impl FnMut(&'a [u8])) {
    let Some(list) = messages(dialect, head) else { return };
    let body = head.body();
    if body.get(list.start) == Some(&b'"') {
        see(&body[list]);
        return;
    }
    place::items(body, list).for_each(|item| see(&body[item]));
}

/// Calls `see` with the bytes of each turn up to the first of the user's, that one included: how a conversation begins, which is
/// the same at every later turn.
pub fn each_opening_turn<'a>(dialect: Dialect, head: &Head<'a>, mut see: impl FnMut(&'a [u8])) {
    let Some(list) = messages(dialect, head) else { return };
    let body = head.body();
    if body.get(list.start) == Some(&b'"') {
        see(&body[list]);
        return;
    }
    for item in place::items(body, list) {
        see(&body[item.clone()]);
        let role = member(body, item, "role", dialect).map(|found| &body[found.value]);
        // A turn without a role is the user's (<https://ai.google.dev/api/caching#Content>, read 2026-11-23), unless it is an
        // item of OpenAI's Responses that is no message, and those come after one.
        if matches!(role, None | Some(b"\"user\"")) {
            return;
        }
    }
}

/// The text of a member of the request, by its path.
#[must_use]
pub fn find<'a>(head: &Head<'a>, path: &[&str], dialect: Dialect) -> Option<&'a [u8]> {
    let (first, rest) = path.split_first()?;
    let (_, top) = head.find(|key| place::is_named(key, first, dialect))?;
    let body = head.body();
    let mut value = top.value();
    for name in rest {
        if body.get(value.start) != Some(&b'{') {
            return None;
        }
        value = member(body, value, name, dialect)?.value;
    }
    Some(&body[value])
}

/// Where the list of turns stands.
#[must_use]
pub fn turns_at(dialect: Dialect, head: &Head<'_>) -> Option<Range<usize>> {
    messages(dialect, head)
}

fn messages(dialect: Dialect, head: &Head<'_>) -> Option<Range<usize>> {
    let name = match dialect {
        Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => "input",
        Dialect::GeminiGenerate => "contents",
        _ => "messages",
    };
    head.find(|key| place::is_named(key, name, dialect)).map(|(_, member)| member.value())
}

fn is_empty(value: &[u8]) -> bool {
    matches!(value, b"null" | b"[]" | b"{}" | b"\"\"" | b"\"none\"")
}

#[cfg(test)]
mod tests;
