//! Words that change an answer, and words that do not: English, with those of German, French and Spanish that matter most.
//!
//! Each table maps a word to what it stands for, so that `km` and `kilometres` are the same, and `Monday` and `lundi` too.
//! A language that is not here is guarded less: its numbers, names, quotations, code and addresses are still seen.

mod contraries;
mod measures;

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

/// What words stand for.
type Table = LazyLock<FxHashMap<&'static str, &'static str>>;

/// A table of its labels, each with its words. A word that stands twice has its first label.
fn table(labels: &[(&'static str, &'static str)]) -> FxHashMap<&'static str, &'static str> {
    let mut table = FxHashMap::default();
    for (label, words) in labels {
        for word in words.split_whitespace() {
            table.entry(word).or_insert(*label);
        }
    }
    table
}

fn label(table: &Table, word: &str) -> Option<&'static str> {
    table.get(word).copied()
}

/// A word that says no.
pub(super) fn negation(word: &str) -> Option<&'static str> {
    label(&NEGATIONS, word).or_else(|| {
        // don't, isn't, won't; kein, keine, keinen.
        let is_not = word.ends_with("n't") || word == "cannot" || word.starts_with("kein");
        is_not.then_some("not")
    })
}

static NEGATIONS: Table = LazyLock::new(|| table(contraries::NEGATIONS));

/// A unit of measure or a currency.
pub(super) fn unit(word: &str) -> Option<&'static str> {
    label(&UNITS, word)
}

static UNITS: Table = LazyLock::new(|| table(measures::UNITS));

/// A number that is written out.
pub(super) fn number(word: &str) -> Option<&'static str> {
    label(&NUMBERS, word)
}

static NUMBERS: Table = LazyLock::new(|| table(measures::NUMBERS));

/// A day, a month or a time that a calendar or a clock has.
pub(super) fn date(word: &str) -> Option<&'static str> {
    label(&DATES, word)
}

static DATES: Table = LazyLock::new(|| table(measures::DATES));

/// A word that turns an answer round: more or less, before or after, all or some, he or she.
pub(super) fn polar(word: &str) -> Option<&'static str> {
    label(&POLAR, word)
}

static POLAR: Table = LazyLock::new(|| table(contraries::POLAR));

/// What a question asks for, where its first words say it: who, when, where, why, how many.
pub(super) fn asks(word: &str) -> Option<&'static str> {
    label(&ASKS, word)
}

static ASKS: Table = LazyLock::new(|| table(contraries::ASKS));

/// Words between which the order says who does what to whom.
pub(super) fn is_direction(word: &str) -> bool {
    static SET: LazyLock<FxHashSet<&str>> = LazyLock::new(|| DIRECTIONS.split_whitespace().collect());
    const DIRECTIONS: &str = "to into from than versus vs against over by for on of on-top between instead rather in \
        von nach zu zum zur als gegen für über aus in auf bei de du des à vers par pour sur que contre a al del desde hasta \
        para por sobre en with mit avec con";
    SET.contains(word)
}

/// Words that a question has for its grammar or its manners, and that change nothing.
pub(super) fn is_filler(word: &str) -> bool {
    static SET: LazyLock<FxHashSet<&str>> = LazyLock::new(|| FILLERS.split_whitespace().collect());
    SET.contains(word)
}

const FILLERS: &str = "a an the this that these those there here it its itself is are be been being am i me my mine myself \
    you your yours yourself we us our ours do does doing done have has having can could would of to in on at by for with \
    from into onto about as and so then than too also very really actually basically please kindly thanks thank hello hi hey \
    dear tell show explain describe know wonder wondering like want wanted wish what whats how hows whether if but because \
    any way ways help me lets let us exactly right-now quick-question question just-wondering ok okay well \
    say says let's got go going make-sure someone somebody something anybody anyone anything one's s re ve ll d m t \
    someone's way's find figure looking need needs tried trying try steps step process procedure able work works \
    der die das den dem des ein eine einen einem einer eines ist sind bin bist sein ich mich mir mein meine meinen meiner du \
    dich dir dein deine deinen sie ihr ihre ihren wir uns unser unsere es man und auch mit von zu zum zur im am an auf in aus \
    für bei bitte danke hallo wie was kann kannst können könnte könnten könntest möchte will hat haben habe wird so denn doch \
    mal dass ob sagen sag zeigen erklären geht machen mache tun \
    le la les l un une des du de d et en au aux à est sont suis es ce cet cette ces je j me m mon ma mes tu te t ton ta tes \
    vous votre vos nous notre nos on il y que qu quoi comment est-ce peux peut puis-je pouvez pourriez voudrais svp merci \
    bonjour s'il plaît faire fait dire dites expliquer expliquez avec pour par sur dans \
    el los las lo una unos unas y e o del al es son soy eres está están esto este esta mi mis tu tus su sus yo me te se nos \
    que qué cómo puedo puede podría podrías quiero quisiera por favor gracias hola hacer hago dime decir explica explicar con \
    para en";

/// The beginnings that turn a word into its contrary.
pub(super) const CONTRARY: &[&str] =
    &["un", "in", "im", "il", "ir", "dis", "non", "anti", "de", "mis", "a", "counter", "irr", "off"];

/// A word without the endings of its number: `passwords`, `batteries`, `boxes`.
pub(super) fn stem(word: &str) -> &str {
    let is_long = word.chars().count() > 3;
    let cut = |ending: &str| word.strip_suffix(ending).filter(|rest| rest.chars().count() > 2);
    match () {
        () if !is_long || !word.is_ascii() => word,
        () if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") => word,
        () if word.ends_with("sses") || word.ends_with("shes") || word.ends_with("ches") => {
            cut("es").unwrap_or(word)
        }
        () if word.ends_with("xes") || word.ends_with("zes") => cut("es").unwrap_or(word),
        () => cut("s").unwrap_or(word),
    }
}
