//! Words that are worth a second look: names of models and of interfaces, found in bytes, before anything is parsed.
//!
//! Every byte of a repository passes here, so it is done in two steps: one automaton looks for *stems*, pieces that
//! stand in the names of a family (`gpt-`, `claude`), and only around a stem the whole word is cut out and looked up.
//! Files without a candidate are never parsed.

mod word;

use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use pilothouse_catalog::Catalog;

use super::judge::interfaces;
use super::names::{Names, constant, family};

/// A word that is worth a second look.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Where it stands: the whole name as written, with decorations (`us.anthropic.…-v2:0`, `azure/gpt-4o`).
    pub span: Range<usize>,
    /// What it may be.
    pub kind: CandidateKind,
}

/// What a candidate may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateKind {
    /// A name of a model: one of the catalogue, or one that looks like its family.
    Model,
    /// The constant of an SDK that stands for a model: `GPT_4O`, `ChatModelGPT4oMini`.
    Constant,
    /// The beginning of a model's name, behind which something is put in at run time: `gpt-` of `"gpt-" + size`.
    Prefix,
    /// A name of an interface: `beta.assistants`, `/v1/assistants`.
    Interface,
}

/// Pieces of names that tell a family, without regard to case. Names that hold none of them are stems as a whole.
const FAMILIES: &[&str] = &[
    "gpt-",
    "gpt_",
    "gpt4",
    "gpt3",
    "gpt5",
    "claude",
    "gemini",
    "llama-",
    "llama3",
    "llama2",
    "llama4",
    "mistral-",
    "mixtral",
    "ministral",
    "magistral",
    "codestral",
    "devstral",
    "voxtral",
    "pixtral",
    "deepseek",
    "qwen",
    "glm-",
    "grok-",
    "kimi-",
    "minimax-",
    "gemma-",
    "gemma2",
    "gemma3",
    "davinci-",
    "-davinci",
    "embedding-",
    "embed-",
    "command-",
    "sonar-",
    "jamba-",
    "nova-",
    "titan-",
    "dall-e",
    "whisper-",
    "imagen-",
    "phi-",
    "sora-",
    "bison",
    "veo-",
    "voyage-",
    "nemotron",
    "rerank-",
    "codex-mini",
    "computer-use-preview",
    "o1-",
    "o3-",
    "o4-",
    "o1_",
    "o3_",
    "o4_",
    "text_embedding_",
    "modelo1",
    "modelo3",
    "modelo4",
    "model.o1",
    "model.o3",
    "model.o4",
    "model::o1",
    "model::o3",
    "model::o4",
    "openai.o1",
    "openai.o3",
    "openai.o4",
    "babbage-",
    "olmo",
    "granite",
    "hermes-",
    "mercury-",
];

/// Names that are two letters or an ordinary word: they count only where they are a value.
const SHORT: &[&str] = &["o1", "o3", "ada", "babbage", "curie", "davinci"];

/// No id is longer; longer words are data.
const NAME_BYTES_MAX: usize = 160;

/// What a stem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stem {
    /// A piece of a name.
    Family,
    /// One of [`SHORT`].
    Value,
    /// A name of an interface.
    Interface,
}

/// Finds candidates. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Candidates {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    automaton: Option<AhoCorasick>,
    stems: Vec<Stem>,
    names: Names,
}

impl Candidates {
    /// Looks for what `catalog` knows, and for what looks alike.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        Self::with(&Names::of(catalog.clone()))
    }

    /// Looks for these names, and for what looks alike.
    #[must_use]
    pub fn with(names: &Names) -> Self {
        let (mut words, mut stems) = (Vec::new(), Vec::new());
        let mut add = |word: &str, stem| {
            words.push(word.to_owned());
            stems.push(stem);
        };
        interfaces::WORDS.iter().for_each(|word| add(word, Stem::Interface));
        FAMILIES.iter().for_each(|word| add(word, Stem::Family));
        SHORT.iter().for_each(|word| add(word, Stem::Value));
        for (word, stem) in rest_of(names) {
            add(&word, stem);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            // Only more states than a 32-bit number counts are refused.
            .ok();
        Self { shared: Arc::new(Shared { automaton, stems, names: names.clone() }) }
    }

    /// Every candidate of a text, in its order, not overlapping.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        // Behind the last word that was looked at: its other stems tell nothing new.
        let mut seen = 0;
        let stems = self.shared.automaton.iter().flat_map(|automaton| automaton.find_iter(text));
        for stem in stems {
            let at = stem.start()..stem.end();
            if at.start < seen {
                continue;
            }
            let candidate = match self.shared.stems.get(stem.pattern().as_usize()) {
                Some(Stem::Interface) => {
                    word::interface(text, at).map(|span| Candidate { span, kind: CandidateKind::Interface })
                }
                Some(Stem::Value) => word::value(text, at).and_then(|span| self.named(text, span)),
                Some(Stem::Family) => {
                    let (candidate, end) = self.around(text, at);
                    seen = end;
                    candidate
                }
                None => None,
            };
            if let Some(candidate) = candidate
                && found.last().is_none_or(|last| last.span.end <= candidate.span.start)
            {
                seen = seen.max(candidate.span.end);
                found.push(candidate);
            }
        }
        found
    }

    /// A word that is a value by itself, with what stands around it.
    fn named(&self, text: &[u8], span: Range<usize>) -> Option<Candidate> {
        let name = std::str::from_utf8(&text[span.clone()]).ok()?;
        self.shared.names.knows(name).then_some(Candidate { span, kind: CandidateKind::Model })
    }

    /// The candidate around a stem, and the end of the word that was looked at.
    fn around(&self, text: &[u8], stem: Range<usize>) -> (Option<Candidate>, usize) {
        let core = word::core(text, stem.clone());
        if let Some(span) = word::prefix(text, &core, stem.start) {
            return (Some(Candidate { span, kind: CandidateKind::Prefix }), core.end);
        }
        let core = word::trimmed(text, core);
        let Ok(name) = std::str::from_utf8(&text[core.clone()]) else { return (None, stem.end) };
        if core.len() > NAME_BYTES_MAX {
            return (None, core.end);
        }
        if self.shared.names.has_piece(name) {
            // The longest decoration first: `bedrock/us.anthropic.…`, then `us.anthropic.…`.
            let known = word::decorated(text, &core).into_iter().find(|span| {
                std::str::from_utf8(&text[span.clone()]).is_ok_and(|name| self.shared.names.knows(name))
            });
            if let Some(span) = known {
                let end = span.end;
                return (Some(Candidate { span, kind: CandidateKind::Model }), end);
            }
        }
        if constant::is_shaped(name) {
            let span = word::qualified(text, &core);
            let whole = std::str::from_utf8(&text[span.clone()]).unwrap_or_default();
            if self.shared.names.constant(whole).is_some() {
                return (Some(Candidate { span, kind: CandidateKind::Constant }), core.end);
            }
        }
        if word::begins(text, core.start) && family::vendor_of(name).is_some() && !word::is_path(text, &core)
        {
            return (Some(Candidate { span: core.clone(), kind: CandidateKind::Model }), core.end);
        }
        (None, core.end)
    }
}

/// Stems for the ids that no family's piece stands in.
fn rest_of(names: &Names) -> Vec<(String, Stem)> {
    let mut rest: Vec<(String, Stem)> = Vec::new();
    for id in names.ids() {
        // What a platform puts before is not needed to find it.
        let bare = id.rsplit('/').next().unwrap_or(id);
        let bare = bare.split([':', '@']).next().unwrap_or(bare);
        let is_told = FAMILIES.iter().any(|stem| bare.contains(stem)) || SHORT.contains(&bare);
        // `auto`, `container`, `fast-search`: words of everybody.
        let is_telling = id.bytes().any(|byte| byte.is_ascii_digit()) || bare.ends_with("-latest");
        if bare.len() >= 5 && !is_told && is_telling {
            rest.push((bare.to_owned(), Stem::Family));
        }
    }
    rest.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    rest.dedup_by(|left, right| left.0 == right.0);
    rest
}

#[cfg(test)]
mod tests;
