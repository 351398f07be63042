//! What in a question changes its answer however small it looks, and whether two questions differ in it.

use std::collections::BTreeSet;

use super::spans::cut;
use super::words;

/// Words of a text that are looked at, at most: a longer question is never the same as another.
pub const WORDS_MAX: usize = 400;

/// What two questions differ in, so that they have no answer in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Code between backquotes, names of functions and files, flags.
    Code,
    /// Words between quotation marks.
    Quote,
    /// Addresses: of pages, of e-mail, of machines, paths.
    Address,
    /// Numbers, written with digits or out, versions, ordinals.
    Number,
    /// Units and currencies.
    Unit,
    /// Days, months, times, tense.
    Date,
    /// Words that say no, and how often.
    Negation,
    /// Words that turn an answer round, and words with a contrary beginning.
    Contrary,
    /// What is asked for: who, when, where, why, how many.
    Asked,
    /// Names, and the order in which they stand.
    Name,
    /// One word has another in its place.
    Swap,
    /// The same words in another order, where the order says who does what to whom.
    Order,
    /// The text is too long to be judged.
    Length,
}

impl Difference {
    /// The name in receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Quote => "quotation",
            Self::Address => "address",
            Self::Number => "number",
            Self::Unit => "unit",
            Self::Date => "date",
            Self::Negation => "negation",
            Self::Contrary => "contrary",
            Self::Asked => "what is asked",
            Self::Name => "name",
            Self::Swap => "a word swapped",
            Self::Order => "order",
            Self::Length => "length",
        }
    }
}

/// What was found in a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    code: List,
    quotes: List,
    addresses: List,
    numbers: List,
    units: List,
    dates: List,
    negations: List,
    polar: List,
    asks: List,
    names: BTreeSet<Box<str>>,
    /// Every word, in order, in small letters.
    words: List,
    /// The words that carry the meaning, in order, without their endings.
    content: List,
    has_direction: bool,
    is_too_long: bool,
}

type List = Vec<Box<str>>;

impl Marks {
    /// Reads a question.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let cut = cut(text);
        let mut marks = Self { code: cut.code, quotes: cut.quotes, ..Self::default() };
        let mut begins = true;
        for (nth, token) in cut.rest.split_whitespace().enumerate() {
            if nth >= WORDS_MAX {
                marks.is_too_long = true;
                break;
            }
            let bare = token.trim_matches(|one: char| ",;:!?()[]…¿¡*\"'’‘“”".contains(one));
            marks.token(bare.trim_end_matches('.'), begins);
            begins = token.ends_with(['.', '!', '?', ':', '…']) || token.ends_with("?\"");
        }
        for unordered in [&mut marks.negations, &mut marks.polar, &mut marks.asks] {
            unordered.sort_unstable();
        }
        // "Either … or" is one word of choice, and "from … until" may be said in one or two.
        marks.polar.dedup();
        marks.asks.dedup();
        marks
    }

    /// What stands between two questions, if anything does.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        if self.is_too_long || other.is_too_long {
            return Some(Difference::Length);
        }
        let lists = [
            (Difference::Code, &self.code, &other.code),
            (Difference::Quote, &self.quotes, &other.quotes),
            (Difference::Address, &self.addresses, &other.addresses),
            (Difference::Number, &self.numbers, &other.numbers),
            (Difference::Unit, &self.units, &other.units),
            (Difference::Date, &self.dates, &other.dates),
            (Difference::Negation, &self.negations, &other.negations),
            (Difference::Contrary, &self.polar, &other.polar),
            (Difference::Asked, &self.asks, &other.asks),
        ];
        if let Some((difference, ..)) = lists.into_iter().find(|(_, one, two)| one != two) {
            return Some(difference);
        }
        if self.names_in_order(other) != other.names_in_order(self) {
            return Some(Difference::Name);
        }
        self.by_content(other)
    }

    /// Whether two questions have the same words of meaning in the same order: all that an embedding without a meaning of
    /// its own may be trusted with.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.content == other.content
    }

    /// Bytes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let lists = [&self.code, &self.quotes, &self.addresses, &self.words, &self.content];
        lists.into_iter().flatten().map(|text| 2 * text.len() + 32).sum::<usize>() + size_of::<Self>()
    }

    fn by_content(&self, other: &Self) -> Option<Difference> {
        let (mine, theirs) = (without(&self.content, &other.content), without(&other.content, &self.content));
        let are_contrary = |one: &str, two: &str| {
            let is_of = |long: &str, short: &str| {
                long.strip_suffix(short)
                    .is_some_and(|before| words::CONTRARY.contains(&before.trim_end_matches('-')))
            };
            is_of(one, two) || is_of(two, one)
        };
        if mine.iter().any(|mine| theirs.iter().any(|theirs| are_contrary(mine, theirs))) {
            return Some(Difference::Contrary);
        }
        // Who rephrases changes several words, or adds some; one word in the place of another is another question.
        if mine.len() == 1 && theirs.len() == 1 {
            return Some(Difference::Swap);
        }
        let turns =
            self.has_direction || other.has_direction || !self.negations.is_empty() || !self.polar.is_empty();
        let are_the_same = mine.is_empty() && theirs.is_empty();
        if are_the_same && turns && self.content != other.content {
            return Some(Difference::Order);
        }
        None
    }

    /// The words that are a name in either question, in the order of this one.
    fn names_in_order<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let is_name = |word: &&str| self.names.contains(*word) || other.names.contains(*word);
        self.words.iter().map(|word| &**word).filter(is_name).collect()
    }

    fn token(&mut self, token: &str, begins: bool) {
        if token.is_empty() {
            return;
        }
        let has_digit = token.chars().any(|one| one.is_ascii_digit());
        if is_address(token) {
            self.addresses.push(token.trim_end_matches('/').to_lowercase().into());
        } else if is_code(token) {
            self.code.push(token.into());
        } else if has_digit {
            self.number(token);
        } else if token.chars().all(|one| !one.is_alphanumeric()) {
            // A sign alone: a currency, a per cent, an operator.
            match words::unit(token) {
                Some(unit) => self.units.push(unit.into()),
                None if token.chars().any(|one| "+*/=<>^&|%~".contains(one)) => self.code.push(token.into()),
                None => {}
            }
        } else {
            for (nth, word) in token.split(['-', '–', '—']).enumerate() {
                self.word(word, begins && nth == 0);
            }
        }
    }

    /// A token with digits: its number, and the unit that clings to it.
    fn number(&mut self, token: &str) {
        let before = token.trim_start_matches(|one: char| !one.is_alphanumeric() && one != '.');
        for sign in token.chars().take_while(|one| !one.is_alphanumeric()) {
            self.sign(sign);
        }
        let digits_end = before.find(|one: char| !(one.is_ascii_digit() || ".,:".contains(one)));
        let (digits, behind) = before.split_at(digits_end.unwrap_or(before.len()));
        let unit = words::unit(&behind.to_lowercase());
        match (digits.is_empty(), unit) {
            (false, None) if behind.is_empty() => self.numbers.push(plain_number(digits)),
            (false, Some(unit)) => {
                self.numbers.push(plain_number(digits));
                self.units.push(unit.into());
            }
            // A version, a model's name, a range, a time of day: as it stands.
            _ => self.numbers.push(before.to_lowercase().into()),
        }
    }

    fn sign(&mut self, sign: char) {
        let mut buffer = [0; 4];
        match words::unit(sign.encode_utf8(&mut buffer)) {
            Some(unit) => self.units.push(unit.into()),
            None if "+-<>=~±≤≥≠".contains(sign) => self.numbers.push(sign.to_string().into()),
            None => {}
        }
    }

    fn word(&mut self, written: &str, begins: bool) {
        let clean = written.replace('’', "'");
        let clean = clean.trim_matches(|one: char| !one.is_alphanumeric());
        if clean.is_empty() {
            return;
        }
        let lower = clean.to_lowercase();
        if let Some(negation) = words::negation(&lower) {
            self.negations.push(negation.into());
            self.words.push(lower.into());
            return;
        }
        // What clings to a word with an apostrophe is grammar: it's, what's, l'été, d'abord, the dog's.
        let core = match lower.split_once('\'') {
            Some((before, behind)) if before.chars().count() <= 2 && behind.chars().count() > 2 => behind,
            Some((before, _)) => before,
            None => &lower,
        };
        self.words.push(core.into());
        self.has_direction |= words::is_direction(core);
        let is_capital = clean.chars().next().is_some_and(char::is_uppercase);
        let is_acronym =
            clean.chars().count() > 1 && clean.chars().all(|one| one.is_uppercase() || !one.is_alphabetic());
        if self.labelled(core, is_capital, is_acronym) || words::is_filler(core) {
            return;
        }
        // The first word of a sentence is written large whatever it is; a word that nothing else knows may be a name.
        if is_acronym || (is_capital && (!begins || !is_usual_opening(core))) {
            self.names.insert(core.into());
        }
        self.content.push(words::stem(core).into());
    }

    /// Sorts a word into the table that has it.
    fn labelled(&mut self, word: &str, is_capital: bool, is_acronym: bool) -> bool {
        if let Some(number) = words::number(word) {
            self.numbers.push(number.into());
        } else if let Some(date) = words::date(word).filter(|_| is_capital || !is_also_a_verb(word)) {
            self.dates.push(date.into());
        } else if let Some(unit) = words::unit(word).filter(|_| !is_acronym || word.len() > 1) {
            self.units.push(unit.into());
        } else if let Some(asked) = words::asks(word) {
            self.asks.push(asked.into());
        } else if let Some(polar) = words::polar(word) {
            self.polar.push(polar.into());
        } else {
            return false;
        }
        true
    }
}

/// The words of a list that another one has not, each as often as it is missing there.
fn without<'a>(list: &'a List, other: &List) -> Vec<&'a str> {
    let mut left: Vec<&str> = other.iter().map(|word| &**word).collect();
    let mut missing = Vec::new();
    for word in list {
        match left.iter().position(|known| *known == &**word) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => missing.push(&**word),
        }
    }
    missing
}

/// Months that are verbs too, and pronouns that are abbreviations elsewhere.
fn is_also_a_verb(word: &str) -> bool {
    matches!(
        word,
        "may" | "march" | "mars" | "am" | "will" | "vor" | "hier" | "werden" | "wird" | "once" | "mai"
    ) && word != "will"
}

/// Verbs that questions and orders begin with; other words in that place may be names.
fn is_usual_opening(word: &str) -> bool {
    const OPENINGS: &str = "write list name give compare summarize summarise translate convert calculate compute find define \
        create make build generate draft suggest recommend draw fix solve check count sort implement rewrite correct improve \
        outline discuss analyze analyse identify provide send set change update reset install remove delete add forgot \
        search look read use using during since after before according given assume suppose imagine consider should \
        is are can could do does did will would has have had was were may might must shall there reverse parse print \
        estimate prove derive simplify evaluate plot choose pick order book cancel track return refund pay say think \
        recipe best meaning definition capital population price cost weather time distance difference number list";
    OPENINGS.split_whitespace().any(|one| one == word)
}

fn is_address(token: &str) -> bool {
    let lower = token.to_lowercase();
    let host = lower.split(['/', ':', '?']).next().unwrap_or_default();
    let is_host = host.rsplit_once('.').is_some_and(|(before, top)| {
        let is_top = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_top && before.split('.').all(|part| part.chars().count() > 1 || before.contains("www"))
    });
    let parts: Vec<&str> = host.split('.').collect();
    let is_machine = parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok());
    let is_path =
        (token.starts_with('/') || token.starts_with("~/") || token.starts_with("./")) && token.len() > 1;
    let is_windows = token.contains('\\');
    let is_mail = token.split_once('@').is_some_and(|(name, at)| !name.is_empty() && !at.is_empty());
    lower.contains("://")
        || lower.starts_with("www.")
        || is_host
        || is_machine
        || is_path
        || is_windows
        || is_mail
}

/// Whether a token is written as programs are, and not as people do.
fn is_code(token: &str) -> bool {
    let letters: Vec<char> = token.chars().collect();
    let has_hump =
        letters.windows(2).any(|pair| matches!(pair, [a, b] if a.is_lowercase() && b.is_uppercase()));
    let is_flag =
        token.starts_with('-') && letters.get(1).is_some_and(|one| one.is_alphabetic() || *one == '-');
    let has_sign = token.contains("::") || token.contains("->") || token.contains("()");
    let has_letter = letters.iter().any(|one| one.is_alphabetic());
    has_hump
        || is_flag
        || has_sign
        || (has_letter && letters.iter().any(|one| "_=<>{}|^~#+*\\@&".contains(*one)))
        || (has_letter && token.contains('/'))
        || token.starts_with('#')
}

/// A number without the marks between its thousands, and without a point that nothing follows.
fn plain_number(digits: &str) -> Box<str> {
    let is_grouped = |mark: char| {
        let mut groups = digits.split(mark);
        let first = groups.next().unwrap_or_default();
        let rest: Vec<&str> = groups.collect();
        !first.is_empty()
            && first.len() <= 3
            && first != "0"
            && !rest.is_empty()
            && rest.iter().all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let trimmed = digits.trim_end_matches(['.', ',', ':']);
    if is_grouped(',') { trimmed.replace(',', "").into() } else { trimmed.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(one: &str, other: &str) -> Option<Difference> {
        let (one, other) = (Marks::read(one), Marks::read(other));
        assert_eq!(one.difference(&other), other.difference(&one), "whichever comes first");
        one.difference(&other)
    }

    #[test]
    fn each_kind_of_difference_is_seen() {
        for (one, other, difference) in [
            ("Explain `a + b`", "Explain `a - b`", Difference::Code),
            ("What does get_user do?", "What does set_user do?", Difference::Code),
            ("Translate \"good morning\"", "Translate \"good night\"", Difference::Quote),
            ("Summarise https://example.org/a", "Summarise https://example.org/b", Difference::Address),
            ("What is 15 % of 80?", "What is 15 % of 90?", Difference::Number),
            ("List five rivers", "List six rivers", Difference::Number),
            ("Convert 10 miles", "Convert 10 km", Difference::Unit),
            ("Are you open on Monday?", "Are you open on Tuesday?", Difference::Date),
            ("Is aspirin safe?", "Isn't aspirin safe?", Difference::Negation),
            ("How do I enable it?", "How do I disable it?", Difference::Contrary),
            ("Is the contract valid?", "Is the contract invalid?", Difference::Contrary),
            ("Who founded it?", "When founded it?", Difference::Asked),
            ("Weather in Paris", "Weather in London", Difference::Name),
            ("How do I cook rice?", "How do I cook pasta?", Difference::Swap),
            ("migrate mysql to postgres", "migrate postgres to mysql", Difference::Order),
        ] {
            assert_eq!(between(one, other), Some(difference), "{one} / {other}");
        }
    }

    #[test]
    fn the_same_question_in_other_words_has_no_difference() {
        for (one, other) in [
            ("How do I reset my password?", "How can I reset my password, please?"),
            ("What's the capital of France?", "what is the capital of france"),
            ("Convert 10 kilometres to miles", "convert 10km to miles"),
            ("Is 1,000 more than 999?", "is 1000 more than 999"),
            ("Don't you ship on Mondays?", "Do you not ship on monday?"),
        ] {
            assert_eq!(between(one, other), None, "{one} / {other}");
        }
    }

    #[test]
    fn a_question_that_is_too_long_is_like_no_other() {
        let long = "word ".repeat(WORDS_MAX + 1);
        assert_eq!(between(&long, &long), Some(Difference::Length));
    }
}
