//! What is fuzzed, and what it begins from; the two programs beside this choose inputs, each in its way.

#[path = "../../crates/wire/tests/codecs/conditions.rs"]
mod conditions;
#[path = "../../crates/wire/tests/codecs/foreign.rs"]
mod foreign;
#[path = "../../crates/wire/tests/codecs/mutate.rs"]
mod mutate;
#[path = "../../crates/wire/tests/codecs/readers.rs"]
mod readers;
#[path = "../../crates/wire/tests/codecs/remembered.rs"]
mod remembered;
mod seeds;
#[path = "../../crates/wire/tests/codecs/sources.rs"]
mod sources;
#[path = "../../crates/wire/tests/codecs/targets.rs"]
mod targets;
#[path = "../../crates/wire/tests/codecs/texts.rs"]
mod texts;

use std::io;
use std::path::{Path, PathBuf};

use mutate::Chance;
use targets::{TARGETS, Target};

/// A target, by its name.
#[derive(Clone, Copy)]
pub struct Chosen(&'static Target);

impl Chosen {
    /// The target of that name; `None` where there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.iter().find(|target| target.name == name).map(Self)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Gives it an input. Whatever it does wrong is a panic.
    pub fn run(self, input: &[u8]) {
        self.0.run(input);
    }
}

/// Every target.
pub fn every() -> impl Iterator<Item = Chosen> {
    TARGETS.iter().map(Chosen)
}

/// Writes the inputs that every target begins with into a folder of its name.
///
/// # Errors
/// What the file system says, or that the repository holds no golden case.
pub fn prepare(folder: &Path) -> io::Result<()> {
    seeds::write(&repository(), folder)
}

/// Panics behind eight bytes: what a fuzzer that sees no coverage never finds, and one that does finds in a second.
/// So it is shown that the flags of the build still do what they are there for.
pub fn needle(input: &[u8]) {
    let right = input.iter().zip(b"Needle:8").take_while(|(found, wanted)| found == wanted).count();
    // Each byte has an edge of its own; without the black box these would be one.
    match right {
        0 => reach(0),
        1 => reach(1),
        2 => reach(2),
        3 => reach(3),
        4 => reach(4),
        5 => reach(5),
        6 => reach(6),
        7 => reach(7),
        _ => panic!("the needle was found"),
    }
}

fn reach(depth: u8) {
    std::hint::black_box(depth);
}

/// Inputs by mutation of golden cases, without a look at what they reach.
pub struct Mutations {
    corpus: Vec<Vec<u8>>,
}

impl Mutations {
    /// Of every golden case, whatever its kind.
    ///
    /// # Errors
    /// What the file system says, or that the repository holds no golden case.
    pub fn read() -> io::Result<Self> {
        let mut corpus: Vec<_> = seeds::golden(&repository())?.into_iter().map(|seed| seed.body).collect();
        corpus.extend(TARGETS.iter().flat_map(|target| target.samples).map(|sample| sample.to_vec()));
        Ok(Self { corpus })
    }

    /// How many inputs it begins with.
    #[must_use]
    pub fn count(&self) -> usize {
        self.corpus.len()
    }

    /// The input of a seed.
    #[must_use]
    pub fn input(&self, seed: u64) -> Vec<u8> {
        let mut chance = Chance::new(seed);
        let input = &self.corpus[chance.below(self.corpus.len())];
        let lender = &self.corpus[chance.below(self.corpus.len())];
        mutate::mutate(input, lender, &mut chance)
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
