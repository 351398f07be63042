//! What a text is made of, as far as tokenizers care: one pass, a few counters, no table.
//!
//! An estimate is the sum of the counters times a family's weights. Every weight is positive and every
//! counter only grows, so a longer text never has fewer tokens.

use std::sync::LazyLock;

/// How many counters a shape has.
pub(crate) const CLASSES: usize = 16;

/// Thousandths of tokens per counter, in the order of [`Class`].
pub(crate) type Weights = [u32; CLASSES];

/// What is counted.
#[derive(Clone, Copy)]
enum Class {
    /// Runs of Latin letters; a capital after a small letter starts a new one.
    Word,
    /// Latin letters after the sixth of a word: long words are cut up.
    Tail,
    /// Latin letters outside ASCII.
    Accent,
    /// Digits.
    Digit,
    /// Groups of at most three digits in a row.
    DigitGroup,
    /// Runs of ASCII punctuation.
    MarkRun,
    /// ASCII punctuation after the first of a run.
    Mark,
    /// Line breaks, several in a row as one.
    Break,
    /// Runs of two or more blanks.
    Indent,
    /// Han characters, and the punctuation and wide letters that go with them.
    Han,
    /// Kana.
    Kana,
    /// Hangul syllables.
    Hangul,
    /// Greek, Cyrillic, Armenian and phonetic letters.
    Cyrillic,
    /// Hebrew, Arabic and their relatives.
    Semitic,
    /// Letters and signs of the scripts of South and South-East Asia and the rest: Devanagari, Tamil, Thai.
    Brahmic,
    /// Everything else outside ASCII: emoji, arrows, quotation marks.
    Symbol,
}

/// The counters of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape([u64; CLASSES]);

impl Shape {
    fn add(&mut self, class: Class) {
        self.0[class as usize] += 1;
    }

    /// Adds the counters of another text.
    pub(crate) fn plus(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(count);
        }
    }

    /// The estimate, in thousandths of tokens.
    pub(crate) fn millitokens(&self, weights: &Weights) -> u64 {
        self.0
            .iter()
            .zip(weights)
            .fold(0, |sum, (&count, &weight)| sum.saturating_add(count.saturating_mul(u64::from(weight))))
    }
}

/// What the last characters were.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    None,
    Latin,
    Digits,
    Marks,
    Blanks,
    Breaks,
}

/// Where a reader stands in a run, as far as it matters for what follows.
#[derive(Clone, Copy)]
struct At {
    run: Run,
    length: u8,
    was_small: bool,
}

impl At {
    const START: Self = Self { run: Run::None, length: 1, was_small: false };
    /// Every place there is. The table's rows are in this order.
    const ALL: [Self; STATES] = [
        Self::START,
        Self::latin(1, false),
        Self::latin(2, false),
        Self::latin(3, false),
        Self::latin(4, false),
        Self::latin(5, false),
        Self::latin(6, false),
        Self::latin(1, true),
        Self::latin(2, true),
        Self::latin(3, true),
        Self::latin(4, true),
        Self::latin(5, true),
        Self::latin(6, true),
        Self::of(Run::Digits, 1),
        Self::of(Run::Digits, 2),
        Self::of(Run::Digits, 3),
        Self::of(Run::Marks, 1),
        Self::of(Run::Blanks, 1),
        Self::of(Run::Blanks, 2),
        Self::of(Run::Breaks, 1),
    ];

    const fn of(run: Run, length: u8) -> Self {
        Self { run, length, was_small: false }
    }

    const fn latin(length: u8, was_small: bool) -> Self {
        Self { run: Run::Latin, length, was_small }
    }

    /// Its row in the table.
    fn row(self) -> u8 {
        match (self.run, self.was_small) {
            (Run::None, _) => 0,
            (Run::Latin, false) => self.length,
            (Run::Latin, true) => 6 + self.length,
            (Run::Digits, _) => 12 + self.length,
            (Run::Marks, _) => 16,
            (Run::Blanks, _) => 16 + self.length,
            (Run::Breaks, _) => 19,
        }
    }

    /// Reads one more character.
    fn step(self, letter: char, shape: &mut Shape) -> Self {
        let next = run_of(letter);
        let mut length = if next == self.run { self.length + 1 } else { 1 };
        match next {
            Run::Latin => {
                if length == 1 || (letter.is_ascii_uppercase() && self.was_small) {
                    length = 1;
                    shape.add(Class::Word);
                }
                if length > 6 {
                    shape.add(Class::Tail);
                }
                if !letter.is_ascii() {
                    shape.add(Class::Accent);
                }
                return Self::latin(length.min(6), !letter.is_ascii_uppercase());
            }
            Run::Digits => {
                shape.add(Class::Digit);
                if length % 3 == 1 {
                    shape.add(Class::DigitGroup);
                }
                return Self::of(next, if length > 3 { 1 } else { length });
            }
            Run::Marks => shape.add(if length == 1 { Class::MarkRun } else { Class::Mark }),
            Run::Breaks if length == 1 => shape.add(Class::Break),
            Run::Blanks if length == 2 => shape.add(Class::Indent),
            Run::Breaks | Run::Blanks => {}
            Run::None => shape.add(class_of(letter)),
        }
        Self::of(next, if next == Run::Blanks { length.min(2) } else { 1 })
    }
}

/// How many places there are.
const STATES: usize = 20;
/// What one character of ASCII can add: nothing, one counter, or a digit that begins a group.
const NOTHING: usize = CLASSES;
const FIRST_DIGIT: usize = CLASSES + 1;

/// [`At::step`] for ASCII, as a table: nearly all text is read by it, at a few instructions a byte.
struct Table {
    /// What a byte is.
    kinds: [u8; 128],
    /// Per place and kind: the place that follows, and what is counted.
    steps: [[(u8, u8); 8]; 32],
}

/// A character of each kind that [`At::step`] tells apart.
const KINDS: [char; 6] = ['a', 'A', '0', '!', ' ', '\n'];

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { kinds: [0; 128], steps: [[(0, NOTHING as u8); 8]; 32] };
    for (byte, kind) in (0_u8..).zip(&mut table.kinds) {
        let letter = char::from(byte);
        let is_same = |one: &char| {
            run_of(*one) == run_of(letter) && one.is_ascii_uppercase() == letter.is_ascii_uppercase()
        };
        *kind = KINDS.iter().position(is_same).unwrap_or_default() as u8;
    }
    for at in At::ALL {
        for (kind, letter) in KINDS.into_iter().enumerate() {
            let mut shape = Shape::default();
            let next = at.step(letter, &mut shape).row();
            let added = match shape.0[Class::DigitGroup as usize] {
                0 => shape.0.iter().position(|count| *count > 0).unwrap_or(NOTHING),
                _ => FIRST_DIGIT,
            };
            table.steps[usize::from(at.row())][kind] = (next, added as u8);
        }
    }
    table
});

/// Reads a text.
pub(crate) fn of(text: &str) -> Shape {
    let table = &*TABLE;
    let mut shape = Shape::default();
    let mut added = [0_u64; 32];
    let mut row = At::START.row();
    let mut rest = text;
    while !rest.is_empty() {
        let mut length = 0;
        for byte in rest.bytes().take_while(u8::is_ascii) {
            let kind = table.kinds[usize::from(byte & 127)];
            let (next, class) = table.steps[usize::from(row & 31)][usize::from(kind & 7)];
            added[usize::from(class & 31)] += 1;
            row = next;
            length += 1;
        }
        // What follows is no ASCII, and goes letter by letter.
        let mut others = rest[length..].chars();
        let mut at = At::ALL[usize::from(row)];
        while let Some(letter) = others.clone().next().filter(|letter| !letter.is_ascii()) {
            at = at.step(letter, &mut shape);
            others.next();
        }
        row = at.row();
        rest = others.as_str();
    }
    for (sum, count) in shape.0.iter_mut().zip(added) {
        *sum += count;
    }
    shape.0[Class::Digit as usize] += added[FIRST_DIGIT];
    shape.0[Class::DigitGroup as usize] += added[FIRST_DIGIT];
    shape
}

fn run_of(letter: char) -> Run {
    match letter {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Run::Latin,
        '0'..='9' => Run::Digits,
        '\n' | '\r' => Run::Breaks,
        ' ' | '\t' => Run::Blanks,
        _ if letter.is_ascii() => Run::Marks,
        _ => Run::None,
    }
}

/// The class of a character outside ASCII and the Latin alphabet, by Unicode block.
fn class_of(letter: char) -> Class {
    match letter {
        '\u{3040}'..='\u{30ff}' => Class::Kana,
        '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' => Class::Han,
        '\u{20000}'..='\u{3ffff}' => Class::Han,
        '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => Class::Hangul,
        '\u{250}'..='\u{58f}' => Class::Cyrillic,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' => Class::Semitic,
        '\u{900}'..='\u{1fff}' => Class::Brahmic,
        _ => Class::Symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letter_by_letter(text: &str) -> Shape {
        let (mut shape, mut at) = (Shape::default(), At::START);
        for letter in text.chars() {
            at = at.step(letter, &mut shape);
        }
        shape
    }

    proptest! {
        #[test]
        fn the_table_counts_what_the_rules_count(text in "([a-zA-Z]{0,9}|[0-9]{0,7}|[ \t\n\r]{0,4}|[!-~]{0,5}|\\PC{0,4}|é中я){0,40}") {
            prop_assert_eq!(of(&text), letter_by_letter(&text));
        }
    }

    #[test]
    fn every_place_stands_in_its_own_row() {
        for (row, at) in (0_u8..).zip(At::ALL) {
            assert_eq!(at.row(), row);
        }
    }
}
