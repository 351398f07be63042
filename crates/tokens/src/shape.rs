//! What a text is made of, as far as tokenizers care: one pass, a few counters, no table.
//!
//! An estimate is the sum of the counters times a family's weights. Every weight is positive and every
//! counter only grows, so a longer text never has fewer tokens.

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

/// Reads a text.
pub(crate) fn of(text: &str) -> Shape {
    let mut shape = Shape::default();
    let (mut run, mut length, mut was_small) = (Run::None, 0_usize, false);
    for letter in text.chars() {
        let next = run_of(letter);
        length = if next == run { length + 1 } else { 1 };
        match next {
            Run::Latin => {
                if length == 1 || (letter.is_ascii_uppercase() && was_small) {
                    length = 1;
                    shape.add(Class::Word);
                }
                if length > 6 {
                    shape.add(Class::Tail);
                }
                if !letter.is_ascii() {
                    shape.add(Class::Accent);
                }
                was_small = !letter.is_ascii_uppercase();
            }
            Run::Digits => {
                shape.add(Class::Digit);
                if length % 3 == 1 {
                    shape.add(Class::DigitGroup);
                }
            }
            Run::Marks => shape.add(if length == 1 { Class::MarkRun } else { Class::Mark }),
            Run::Breaks if length == 1 => shape.add(Class::Break),
            Run::Blanks if length == 2 => shape.add(Class::Indent),
            Run::Breaks | Run::Blanks => {}
            Run::None => shape.add(class_of(letter)),
        }
        run = next;
    }
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
