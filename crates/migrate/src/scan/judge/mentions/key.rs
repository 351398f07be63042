//! What the key, parameter or variable that a name is bound to says about it.

use crate::scan::names::constant;

/// Words (as letters) that a key or variable has if its value is a model's name.
const MODEL_WORDS: &[&str] = &["model", "engine", "deployment", "llm", "gpt", "claude", "gemini"];

/// Words of keys that are about what models are for: a name there is used, if nothing says otherwise.
const USE_WORDS: &[&str] = &[
    "chat",
    "reasoning",
    "embedding",
    "fallback",
    "judge",
    "grader",
    "completion",
    "vision",
    "summar",
    "translat",
    "classif",
    "agent",
    "assistant",
    "openai",
    "anthropic",
    "bedrock",
    "vertex",
    "azure",
    "writer",
    "planner",
    "critic",
    "provider",
    "transcri",
    "image",
    "speech",
    "tts",
];

/// Words of keys under which nothing is called: what is gone, what it cost, what people read.
const IDLE_WORDS: &[&str] = &[
    "removed",
    "deprecated",
    "retired",
    "legacymodels",
    "oldmodels",
    "blocked",
    "blocklist",
    "denylist",
    "unsupported",
    "alias",
    "renam",
    "price",
    "pricing",
    "cost",
    "contextwindow",
    "contextsize",
    "tokenlimit",
    "encoding",
    "tokenizer",
    "keyword",
    "topics",
    "served",
];

/// Words of keys that hold lists of what is offered or allowed.
const LIST_WORDS: &[&str] = &[
    "allow",
    "supported",
    "available",
    "choice",
    "option",
    "known",
    "valid",
    "picker",
    "catalog",
    "registry",
    "enum",
];

/// Keys whose value is for people.
const PEOPLE_WORDS: &[&str] = &[
    "title",
    "description",
    "label",
    "displayname",
    "comment",
    "note",
    "summary",
    "text",
    "content",
    "placeholder",
    "help",
    "message",
    "prompt",
    "body",
    "caption",
    "alt",
    "changelog",
    "tag",
    "image",
    "href",
    "url",
    "path",
    "file",
    "question",
];

/// A key or path of keys, as letters.
pub(super) struct Key {
    /// All of it.
    pub(super) whole: String,
    /// Its last word.
    pub(super) last: String,
    /// Whether it lies in a table of tags.
    is_tag: bool,
}

impl Key {
    pub(super) fn of(key: &str) -> Self {
        let last = key.rsplit('.').next().unwrap_or(key);
        let is_tag = key.split('.').any(|part| matches!(part, "tags" | "labels" | "annotations"));
        Self { whole: constant::letters(key), last: constant::letters(last), is_tag }
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.whole.contains(word))
    }

    pub(super) fn is_model(&self) -> bool {
        MODEL_WORDS.iter().any(|word| self.last.contains(word)) || self.last == "m"
    }

    pub(super) fn is_use(&self) -> bool {
        self.has(USE_WORDS) || self.has(MODEL_WORDS)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.has(IDLE_WORDS)
    }

    pub(super) fn is_list(&self) -> bool {
        // Above a setting, `options` are those of a call.
        let is_it = |word: &str| match word {
            "option" | "choice" => self.last.contains(word),
            word => self.whole.contains(word),
        };
        LIST_WORDS.iter().any(|word| is_it(word)) && !self.last.ends_with("model")
    }

    /// Whether it sorts or names what has the model, and is none itself.
    pub(super) fn is_beside(&self) -> bool {
        let last = self.last.trim_end_matches(|sign: char| sign.is_ascii_digit());
        self.is_tag
            || matches!(
                last,
                "tag" | "tags" | "label" | "labels" | "title" | "description" | "displayname" | "keywords"
            )
    }

    pub(super) fn is_for_people(&self) -> bool {
        PEOPLE_WORDS.contains(&self.last.as_str())
            || ["title", "description", "label", "message", "url", "path"]
                .iter()
                .any(|word| self.last.ends_with(word))
    }
}

/// Whether a name of an argument, key or option is that of a model.
#[must_use]
pub fn is_model_key(name: &str) -> bool {
    let letters = constant::letters(name.rsplit('.').next().unwrap_or(name));
    MODEL_WORDS[..4].iter().any(|word| letters.contains(word)) || name == "-m"
}
