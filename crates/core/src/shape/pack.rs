//! Shapes as bytes: a version, a head of fixed places, then lists with their lengths. Equal shapes make equal bytes.

use smallvec::SmallVec;

use super::member::{Decimal, MEMBERS, Value, WORDS};
use super::turn::{BETWEEN_MAX, FIRST, LAST};
use super::{Members, Outline, SHAPE_BYTES_MAX, Script, Text, Tools, Traits, Turn, Turns};
use crate::dialect::Dialect;

/// The way in which shapes are packed. Another way gets another number, and this one is still read.
const VERSION: u8 = 1;

/// Bytes on their way to a shape, without an allocation.
pub(super) type Packing = SmallVec<[u8; SHAPE_BYTES_MAX]>;

/// Kinds of values, as they are packed. They never change their meaning.
const TEXT: u8 = 0;
const OBJECT: u8 = 1;
const SOME_NUMBER: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;
const LIST: u8 = 5;
const WORD: u8 = 6;
const NUMBER: u8 = 7;
const ROUNDED: u8 = 8;

/// Whether there are tools, and whether there is a schema.
const HAS_TOOLS: u8 = 1;
const HAS_SCHEMA: u8 = 2;

/// Bytes of a member at most: its place, its kind, ten bytes of digits and one of the exponent.
const MEMBER_BYTES_MAX: usize = 13;
/// Kinds of tools at most.
const TOOL_KINDS_MAX: usize = 8;

/// Packs an outline. Members that do not fit are counted with those that are unknown.
pub(super) fn pack(outline: &Outline) -> Packing {
    let mut out = Packing::new();
    let Text { bytes, foreign, script, marks, encoded } = outline.text;
    let [low, high] = outline.traits.0.to_le_bytes();
    let dialect = Dialect::ALL.iter().position(|one| *one == outline.dialect).unwrap_or_default() as u8;
    let has = if outline.tools.is_some() { HAS_TOOLS } else { 0 }
        | if outline.schema.is_some() { HAS_SCHEMA } else { 0 };
    let turns = &outline.turns;
    out.extend_from_slice(&[
        VERSION,
        dialect << 3 | encoded.min(7),
        low,
        high,
        bytes,
        foreign.min(3) << 6 | marks.min(3) << 4 | script as u8,
        outline.media,
        outline.cache_marks,
        has,
        0,
        turns.count,
        (turns.first.len() << 5 | turns.between.len() << 2 | turns.last.len()) as u8,
    ]);
    for turn in turns.kinds() {
        out.extend_from_slice(&turn.code().to_le_bytes());
    }
    if let Some(tools) = outline.tools {
        let kinds = outline.tool_kinds.get(..TOOL_KINDS_MAX).unwrap_or(&outline.tool_kinds);
        out.extend_from_slice(&[tools.count, tools.bytes, kinds.len() as u8]);
        out.extend_from_slice(&tools.digest.to_le_bytes());
        out.extend_from_slice(kinds);
    }
    if let Some(schema) = outline.schema {
        out.extend_from_slice(&schema.to_le_bytes());
    }
    let mut unknown = outline.unknown;
    for (id, value) in &outline.members {
        if out.len() + MEMBER_BYTES_MAX > SHAPE_BYTES_MAX {
            unknown = unknown.saturating_add(1);
            continue;
        }
        out.push(*id);
        put_value(&mut out, *value);
    }
    if let Some(slot) = out.get_mut(UNKNOWN_AT) {
        *slot = unknown;
    }
    out
}

/// Where the count of unknown members stands.
const UNKNOWN_AT: usize = 9;

fn put_value(out: &mut Packing, value: Value) {
    match value {
        Value::Text => out.push(TEXT),
        Value::Object => out.push(OBJECT),
        Value::SomeNumber => out.push(SOME_NUMBER),
        Value::Flag(false) => out.push(FALSE),
        Value::Flag(true) => out.push(TRUE),
        Value::List(count) => out.extend_from_slice(&[LIST, count]),
        Value::Word(word) => out.extend_from_slice(&[WORD, word]),
        Value::Number(Decimal { digits, exponent, is_rounded }) => {
            out.push(if is_rounded { ROUNDED } else { NUMBER });
            let mut rest = (digits << 1 ^ digits >> 63).cast_unsigned();
            while rest > 0x7f {
                out.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            out.extend_from_slice(&[rest as u8, exponent.cast_unsigned()]);
        }
    }
}

/// Takes bytes apart that [`pack`] put together; `None` for others, never a panic.
pub(super) fn unpack(bytes: &[u8]) -> Option<Outline> {
    if bytes.len() > SHAPE_BYTES_MAX {
        return None;
    }
    let mut input = Input(bytes);
    let [version, dialect, low, high, size, kinds, media, cache_marks, has, unknown, count, lengths] =
        input.array()?;
    if version != VERSION || has & !(HAS_TOOLS | HAS_SCHEMA) != 0 || kinds & 0x08 != 0 {
        return None;
    }
    let mut out = Outline {
        dialect: *Dialect::ALL.get(usize::from(dialect >> 3))?,
        traits: Traits(u16::from_le_bytes([low, high])),
        text: Text {
            bytes: size,
            foreign: kinds >> 6,
            script: *Script::ALL.get(usize::from(kinds & 0x07))?,
            marks: kinds >> 4 & 3,
            encoded: dialect & 7,
        },
        media,
        cache_marks,
        turns: input.turns(count, lengths)?,
        tools: None,
        tool_kinds: SmallVec::new(),
        schema: None,
        unknown,
        members: Members::new(),
    };
    if has & HAS_TOOLS != 0 {
        let [count, bytes, kinds] = input.array()?;
        out.tools = Some(Tools { count, bytes, digest: u32::from_le_bytes(input.array()?) });
        for _ in 0..kinds {
            out.tool_kinds.push(input.byte().filter(|word| usize::from(*word) < WORDS.len())?);
        }
        if out.tool_kinds.len() > TOOL_KINDS_MAX {
            return None;
        }
    }
    if has & HAS_SCHEMA != 0 {
        out.schema = Some(u32::from_le_bytes(input.array()?));
    }
    while let Some(id) = input.byte() {
        if usize::from(id) >= MEMBERS.len() {
            return None;
        }
        out.members.push((id, input.value()?));
    }
    // Only one way of writing a shape is ours: whatever else there is would not be found as equal.
    (pack(&out).as_slice() == bytes).then_some(out)
}

/// Bytes that are taken apart.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn turns(&mut self, count: u8, lengths: u8) -> Option<Turns> {
        let (first, between, last) = (lengths >> 5, lengths >> 2 & 7, lengths & 3);
        let fits =
            usize::from(first) <= FIRST && usize::from(between) <= BETWEEN_MAX && usize::from(last) <= LAST;
        if !fits {
            return None;
        }
        let mut turn = || Turn::of_code(u16::from_le_bytes(self.array()?));
        Some(Turns {
            first: (0..first).map(|_| turn()).collect::<Option<_>>()?,
            between: (0..between).map(|_| turn()).collect::<Option<_>>()?,
            last: (0..last).map(|_| turn()).collect::<Option<_>>()?,
            count,
        })
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            TEXT => Value::Text,
            OBJECT => Value::Object,
            SOME_NUMBER => Value::SomeNumber,
            FALSE => Value::Flag(false),
            TRUE => Value::Flag(true),
            LIST => Value::List(self.byte()?),
            WORD => Value::Word(self.byte().filter(|word| usize::from(*word) < WORDS.len())?),
            kind @ (NUMBER | ROUNDED) => {
                let (mut folded, mut shift) = (0_u64, 0);
                loop {
                    let byte = self.byte()?;
                    if shift == 63 && byte > 1 {
                        return None;
                    }
                    folded |= u64::from(byte & 0x7f) << shift;
                    if byte & 0x80 == 0 {
                        break;
                    }
                    shift += 7;
                }
                let digits = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
                let exponent = self.byte()?.cast_signed();
                Value::Number(Decimal { digits, exponent, is_rounded: kind == ROUNDED })
            }
            _ => return None,
        })
    }
}
