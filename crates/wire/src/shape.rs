//! The shape of a request, read from its bytes as they pass: what is recorded of every exchange ([`Shape`]).
//!
//! Members are looked up by name, turns are walked once without building anything, and texts are sampled, not read. What a
//! rule asks of a conversation as a whole is asked of the same functions that the gateway's own check uses.

mod text;
mod tools;
mod turns;

use std::borrow::Cow;
use std::ops::Range;

use pilothouse_catalog::compat::Fact;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::member::{self, Keeps, MEMBERS, TOP, Value};
use pilothouse_core::shape::{self as core, Blocks, Decimal, Outline, Role, Shape, Trait};

use crate::compat::place;
use crate::compat::turns::tells;
use crate::head::Head;
use crate::scan::{self, ScanError};
use crate::walk::Walk;

/// Most words of a list that are kept.
const LIST_WORDS_MAX: usize = 4;
/// Most members of a shape.
const MEMBERS_MAX: usize = 40;

/// The shape of a request.
#[must_use]
pub fn of(dialect: Dialect, head: &Head<'_>) -> Shape {
    seeing(dialect, head, None).0
}

/// A turn on the way of a reading.
pub(crate) struct Turn {
    /// Where it stands in the body.
    pub(crate) at: Range<usize>,
    pub(crate) kind: TurnKind,
}

/// What a turn is, as far as its length asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnKind {
    /// A text alone.
    Text,
    /// An object of strings only: a text with its role.
    Plain { has_role: bool, has_type: bool },
    /// Anything else.
    Parts,
}

/// Told of each turn of a list.
pub(crate) type See<'s> = &'s mut dyn FnMut(Turn);

/// How a reading went.
pub(crate) struct Seen {
    /// The list of turns.
    pub(crate) list: Option<Range<usize>>,
    /// It was read to its end.
    pub(crate) is_whole: bool,
}

/// The shape of a request; tells of each turn on the way.
pub(crate) fn seeing(dialect: Dialect, head: &Head<'_>, see: Option<See<'_>>) -> (Shape, Seen) {
    let mut reading = Reading {
        see,
        dialect,
        body: head.body(),
        outline: Outline::empty(dialect),
        text: text::Sample::default(),
        turns: 0,
        media: 0,
        marks: 0,
        encoded: 0,
        thinks: false,
    };
    let (mut instructions, mut list) = (None, None);
    let names = Names::of(dialect);
    head.each(|key, value| match key {
        key if key == names.list => list = Some(value),
        key if key == names.instructions => instructions = Some(value),
        b"model" => {}
        key => reading.top(key, value),
    });
    // Instructions come first, wherever they stand.
    let read = instructions.map_or(Ok(()), |value| reading.instructions(value));
    let read = read.and_then(|()| list.clone().map_or(Ok(()), |value| reading.list(value)));
    let is_whole = read.is_ok();
    if !is_whole {
        reading.outline.traits.add(Trait::IsPartial);
    }
    reading.facts(head);
    (reading.finish(), Seen { list, is_whole })
}

/// What a dialect calls the list of turns, and the instructions beside them.
struct Names {
    list: &'static [u8],
    instructions: &'static [u8],
}

impl Names {
    const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenaiChat => Self { list: b"messages", instructions: b"" },
            Dialect::OpenaiEmbeddings => Self { list: b"input", instructions: b"" },
            Dialect::OpenaiResponses => Self { list: b"input", instructions: b"instructions" },
            Dialect::AnthropicMessages | Dialect::BedrockConverse => {
                Self { list: b"messages", instructions: b"system" }
            }
            Dialect::GeminiGenerate => Self { list: b"contents", instructions: b"systemInstruction" },
        }
    }
}

/// A request on its way to its shape.
struct Reading<'a, 's> {
    see: Option<See<'s>>,
    dialect: Dialect,
    body: &'a [u8],
    outline: Outline,
    text: text::Sample,
    turns: u64,
    media: usize,
    marks: usize,
    /// Bytes of media.
    encoded: usize,
    /// Thinking is asked for in Claude's way.
    thinks: bool,
}

impl Reading<'_, '_> {
    /// A member at the top.
    fn top(&mut self, key: &[u8], value: Range<usize>) {
        let Some(text) = self.body.get(value) else { return };
        let name = self.spelled(key);
        match &*name {
            b"tools" => return self.tools(text),
            b"cache_control" if text != b"null" => self.marks += 1,
            b"thinking" | b"additionalModelRequestFields" => self.thinks = true,
            _ => {}
        }
        match member::find(TOP, &name) {
            Some(id) => self.member(id, text),
            None if text != b"null" => {
                self.outline.unknown = self.outline.unknown.saturating_add(1);
            }
            None => {}
        }
    }

    /// A name as the dialect's documents spell it.
    fn spelled<'k>(&self, key: &'k [u8]) -> Cow<'k, [u8]> {
        if self.dialect != Dialect::GeminiGenerate || !key.contains(&b'_') {
            return Cow::Borrowed(key);
        }
        place::name_of(key, self.dialect).map_or(Cow::Borrowed(key), |name| match name {
            Cow::Borrowed(name) => Cow::Borrowed(name.as_bytes()),
            Cow::Owned(name) => Cow::Owned(name.into_bytes()),
        })
    }

    /// Keeps of a member what the list allows.
    fn member(&mut self, id: u8, text: &[u8]) {
        let keeps = MEMBERS.get(usize::from(id)).map_or(Keeps::Presence, |member| member.keeps);
        let is_kept = keeps == Keeps::Value;
        let value = match text.first() {
            Some(b'"') if is_kept => {
                let word = text.get(1..text.len().saturating_sub(1)).and_then(member::find_word);
                word.map_or(Value::Text, Value::Word)
            }
            Some(b'"') => Value::Text,
            Some(b'{') => Value::Object,
            Some(b'[') if is_kept => return self.values(id, text),
            Some(b'[') => Value::List(0),
            Some(b't') => Value::Flag(true),
            Some(b'f') => Value::Flag(false),
            Some(b'-' | b'0'..=b'9') => {
                let number = if is_kept { Decimal::read(text) } else { None };
                number.map_or(Value::SomeNumber, Value::Number)
            }
            // null counts as absent, and what is no JSON is the vendor's to refuse.
            _ => return,
        };
        self.keep(id, value);
        if value == Value::Object && (member::is_parent(id) || holds_schema(id)) {
            let walked = Walk::new(text).object(|walk, name| {
                let value = walk.skip()?;
                self.below(id, name, value);
                Ok(())
            });
            if walked.is_err() {
                self.outline.traits.add(Trait::IsPartial);
            }
        }
    }

    fn keep(&mut self, id: u8, value: Value) {
        if self.outline.members.len() < MEMBERS_MAX {
            self.outline.members.push((id, value));
        }
    }

    /// A member of the object `parent`.
    fn below(&mut self, parent: u8, name: &[u8], text: &[u8]) {
        let name = self.spelled(name);
        match &*name {
            b"json_schema" | b"schema" | b"responseSchema" | b"responseJsonSchema" if text != b"null" => {
                self.outline.schema = Some(tools::short(tools::digest(text)));
            }
            b"tools" if self.dialect == Dialect::BedrockConverse => return self.tools(text),
            _ => {}
        }
        if let Some(id) = member::find(parent, &name) {
            self.member(id, text);
        }
    }

    /// A list: how many, and those that are words.
    fn values(&mut self, id: u8, text: &[u8]) {
        let (mut count, mut words, mut has_blank) = (0_usize, 0, false);
        let at = self.outline.members.len();
        self.keep(id, Value::List(0));
        let walked = Walk::new(text).array(|walk| {
            let item = walk.skip()?;
            count += 1;
            let inner = item.strip_prefix(b"\"").and_then(|item| item.strip_suffix(b"\""));
            let Some(inner) = inner else { return Ok(()) };
            has_blank |= scan::string_of(inner).is_some_and(|text| text.trim().is_empty());
            if let Some(word) = member::find_word(inner).filter(|_| words < LIST_WORDS_MAX) {
                words += 1;
                self.keep(id, Value::Word(word));
            }
            Ok(())
        });
        if walked.is_err() {
            self.outline.traits.add(Trait::IsPartial);
        }
        if has_blank {
            self.outline.traits.add(Trait::BlankStop);
        }
        if let Some((_, kept)) = self.outline.members.get_mut(at) {
            *kept = Value::List(u8::try_from(count).unwrap_or(u8::MAX));
        }
    }

    fn tools(&mut self, text: &[u8]) {
        let seen = tools::read(self.dialect, text);
        if seen.tools.count == 0 {
            return;
        }
        self.marks += seen.marks;
        if seen.is_strict {
            self.outline.traits.add(Trait::StrictTools);
        }
        self.outline.tools = Some(seen.tools);
        self.outline.tool_kinds = seen.kinds;
    }

    /// The instructions beside the conversation: a text, a list of blocks, or Google's content.
    fn instructions(&mut self, value: Range<usize>) -> Result<(), ScanError> {
        let Some(text) = self.body.get(value).filter(|text| *text != b"null") else { return Ok(()) };
        let mut walk = Walk::new(text);
        let mut content = turns::Content::default();
        if self.dialect == Dialect::GeminiGenerate {
            walk.object(|walk, name| match name {
                b"parts" => self.content(walk, &mut content),
                _ => walk.skip().map(drop),
            })?;
        } else {
            self.content(&mut walk, &mut content)?;
        }
        self.push(Role::Instructions, content.blocks);
        Ok(())
    }

    fn push(&mut self, role: Role, blocks: Blocks) {
        self.turns += 1;
        self.outline.turns.push(role, blocks);
    }

    /// What rules ask of the conversation, where it can be so.
    fn facts(&mut self, head: &Head<'_>) {
        let turns = &self.outline.turns;
        let ends_with_assistant = turns.final_turn().is_some_and(|turn| turn.role == Role::Assistant);
        let calls = turns.hold(Blocks::CALL);
        let mut ask = |fact, one| {
            if tells(head, fact, self.dialect) {
                self.outline.traits.add(one);
            }
        };
        if ends_with_assistant {
            ask(Fact::EndsWithBlank, Trait::EndsWithBlank);
        }
        match self.dialect {
            Dialect::GeminiGenerate if calls => ask(Fact::UnsignedCalls, Trait::UnsignedCalls),
            Dialect::AnthropicMessages | Dialect::BedrockConverse
                if self.thinks && (calls || ends_with_assistant) =>
            {
                ask(Fact::TurnWithoutThinking, Trait::TurnWithoutThinking);
            }
            _ => {}
        }
    }

    fn finish(mut self) -> Shape {
        let length = self.body.len();
        let outline = &mut self.outline;
        outline.text = self.text.told();
        outline.text.bytes = core::four((length - self.encoded.min(length)) as u64);
        outline.text.encoded = (self.encoded.min(length) * 7 / length.max(1)) as u8;
        outline.media = core::few(self.media);
        outline.cache_marks = self.marks.min(5) as u8;
        outline.turns.count = core::four(self.turns);
        outline.pack()
    }
}

/// Whether a member, which has no members that are kept, may hold the schema of the answer.
fn holds_schema(id: u8) -> bool {
    MEMBERS
        .get(usize::from(id))
        .is_some_and(|member| matches!(member.path, "output_config.format" | "output_format"))
}

#[cfg(test)]
mod tests;
