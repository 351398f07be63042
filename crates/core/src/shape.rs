//! What a request looks like without what it says: members with their numbers, turns with their kinds, sizes in steps.
//!
//! A shape is recorded of every exchange, also where bodies are not kept, and answers whether another model would have
//! taken the request. **It never holds text**: names of members and words come from closed lists ([`member`]), and what
//! is not on them is counted. It is coarse on purpose, so that the calls of one application have few shapes between
//! them: sizes are powers of four, long conversations are their beginning, their end and what lies between as a set.

pub mod member;
mod pack;
mod turn;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

use crate::dialect::Dialect;

pub use member::{Decimal, Value};
pub use turn::{Blocks, Role, Turn, Turns};

/// Bytes of a packed shape at most; a request with more members and tools than fit has a shape without the last of them.
pub const SHAPE_BYTES_MAX: usize = 160;

/// A packed shape, as it is recorded. Equal shapes are equal bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Shape(Box<[u8]>);

/// Something that a rule asks of a conversation, and that its turns do not tell.
///
/// The numbers are places of bits, and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trait {
    /// The assistant's last turn is the last of all, and its text ends with white space.
    EndsWithBlank = 0,
    /// A block of text is empty.
    EmptyText = 1,
    /// The id of a tool call is not nine letters or digits.
    LongToolIds = 2,
    /// Reasoning items come back without their sealed content.
    UnsealedReasoning = 3,
    /// A function call of the current turn comes back without its signature.
    UnsignedCalls = 4,
    /// A message has a member `name`.
    NamedMessages = 5,
    /// A stop sequence is white space only.
    BlankStop = 6,
    /// The assistant's last turn, which a tool's result answers or the model is to continue, does not begin with thinking.
    TurnWithoutThinking = 7,
    /// The body was too large or too deep to be looked at whole.
    IsPartial = 8,
    /// A tool is to be called strictly by its schema.
    StrictTools = 9,
}

/// Traits as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits(pub u16);

impl Traits {
    /// Adds a trait.
    pub const fn add(&mut self, one: Trait) {
        self.0 |= 1 << one as u16;
    }

    /// Whether the trait is there.
    #[must_use]
    pub const fn has(self, one: Trait) -> bool {
        self.0 & 1 << one as u16 != 0
    }
}

/// The writing system of the most text outside ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Script {
    /// Letters with accents, or nothing outside ASCII.
    #[default]
    Latin = 0,
    /// Greek, Cyrillic, Armenian.
    Cyrillic = 1,
    /// Hebrew, Arabic and their relatives.
    Semitic = 2,
    /// Scripts of South and South-East Asia.
    Brahmic = 3,
    /// Han characters and kana.
    Han = 4,
    /// Hangul.
    Hangul = 5,
    /// Emoji, arrows and other signs.
    Symbols = 6,
}

impl Script {
    /// Every script, at the place of its number.
    pub const ALL: [Self; 7] =
        [Self::Latin, Self::Cyrillic, Self::Semitic, Self::Brahmic, Self::Han, Self::Hangul, Self::Symbols];
}

/// What the text is made of, in steps: sampled, at most some 32 places of each text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text {
    /// Bytes, without what is encoded in base64: the power of four that it reaches ([`four`]).
    pub bytes: u8,
    /// Bytes outside ASCII: 0 below a sixteenth, 1 below a quarter, 2 below a half, 3 from there on.
    pub foreign: u8,
    /// The writing system of these.
    pub script: Script,
    /// Digits and punctuation among the bytes of ASCII: 0 below a tenth (prose), 1 below a quarter, 2 from there on (code, data).
    pub marks: u8,
    /// Eighths of the body that are encoded pictures, sound or files.
    pub encoded: u8,
}

/// Tools that are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tools {
    /// How many: exact up to 15, then the power of two that it reaches, plus 12 ([`few`]).
    pub count: u8,
    /// Bytes of their definitions: the power of four that they reach.
    pub bytes: u8,
    /// A digest of their definitions, which tells equal ones from others.
    pub digest: u32,
}

/// A shape, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The dialect of the request, which is the client's.
    pub dialect: Dialect,
    /// What rules ask besides.
    pub traits: Traits,
    /// How long it is, and what it is made of.
    pub text: Text,
    /// Pictures, recordings, films and documents, as [`few`] has them.
    pub media: u8,
    /// Marks for the vendor's cache: 5 means more than four.
    pub cache_marks: u8,
    /// The turns.
    pub turns: Turns,
    /// The tools, where any are offered.
    pub tools: Option<Tools>,
    /// The kinds of the tools, as words of [`member::WORDS`].
    pub tool_kinds: SmallVec<[u8; 4]>,
    /// The digest of the schema that the answer is to have.
    pub schema: Option<u32>,
    /// Members at the top that are on no list: only how many.
    pub unknown: u8,
    /// The members that are on the list, in the order in which they stand.
    pub members: Members,
}

/// Members with their values: places in [`member::MEMBERS`].
pub type Members = SmallVec<[(u8, Value); 12]>;

impl Outline {
    /// An outline without anything in it.
    #[must_use]
    pub fn empty(dialect: Dialect) -> Self {
        Self {
            dialect,
            traits: Traits::default(),
            text: Text::default(),
            media: 0,
            cache_marks: 0,
            turns: Turns::default(),
            tools: None,
            tool_kinds: SmallVec::new(),
            schema: None,
            unknown: 0,
            members: Members::new(),
        }
    }

    /// The values of the member at `path`, which is written as in [`member::MEMBERS`].
    pub fn values(&self, path: &str) -> impl Iterator<Item = Value> {
        let id = member::id(path);
        self.members.iter().filter(move |(one, _)| Some(*one) == id).map(|(_, value)| *value)
    }

    /// The number at `path`.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<Decimal> {
        self.values(path).find_map(|value| match value {
            Value::Number(number) => Some(number),
            _ => None,
        })
    }

    /// The word at `path`, where it is one of [`member::WORDS`].
    #[must_use]
    pub fn word(&self, path: &str) -> Option<&'static str> {
        self.values(path).find_map(|value| match value {
            Value::Word(word) => member::word(word),
            _ => None,
        })
    }

    /// Whether there is a member at `path`.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.values(path).next().is_some()
    }

    /// The outline, packed.
    #[must_use]
    pub fn pack(&self) -> Shape {
        Shape(pack::pack(self).as_slice().into())
    }
}

impl Shape {
    /// The shape of these bytes; `None` where they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        pack::unpack(bytes).map(|_| Self(bytes.into()))
    }

    /// The bytes, at most [`SHAPE_BYTES_MAX`].
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The shape, taken apart.
    #[must_use]
    pub fn outline(&self) -> Outline {
        // What is in here was packed or unpacked before.
        pack::unpack(&self.0).unwrap_or_else(|| Outline::empty(Dialect::OpenaiChat))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outline().fmt(out)
    }
}

impl Serialize for Shape {
    /// As hexadecimal digits.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let pairs = text.as_bytes().chunks(2);
        let digit = |digit: &u8| char::from(*digit).to_digit(16).map(|digit| digit as u8);
        let byte = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
        let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
        bytes.and_then(|bytes| Self::from_bytes(&bytes)).ok_or_else(|| {
            serde::de::Error::custom(
                "a shape is what an earlier or this version packed, in hexadecimal digits",
            )
        })
    }
}

/// The power of four that a size reaches: 0 for none, 1 from 1 on, 2 from 4 on, 3 from 16 on.
#[must_use]
pub const fn four(size: u64) -> u8 {
    (u64::BITS - size.leading_zeros()).div_ceil(2) as u8
}

/// The smallest size of a step of [`four`], and the smallest of the next one.
#[must_use]
pub fn four_range(step: u8) -> (u64, u64) {
    let power = |step: u32| 1_u64.checked_shl(2 * step).unwrap_or(u64::MAX);
    let low = step.checked_sub(1).map_or(0, |below| power(below.into()));
    (low, power(step.into()))
}

/// A count: exact up to 15, then by powers of two.
#[must_use]
pub const fn few(count: usize) -> u8 {
    if count < 16 { count as u8 } else { (usize::BITS - count.leading_zeros()) as u8 + 11 }
}

/// The least count of a step of [`few`].
#[must_use]
pub fn few_least(step: u8) -> usize {
    if step < 16 { step.into() } else { 1_usize.checked_shl(u32::from(step) - 12).unwrap_or(usize::MAX) }
}

#[cfg(test)]
mod tests;
