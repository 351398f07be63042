//! The constants by which SDKs name models: `ChatModel.GPT_4O`, `openai.ChatModelGPT4oMini`, `Model.CLAUDE_SONNET_4_5`.
//!
//! They are compared by letters and digits alone. Read 2026-11-23: `openai-java` (`ChatModel`), `openai-go`
//! (`ChatModelGPT4o`), `anthropic-sdk-java` (`Model`), `anthropic-sdk-go` (`ModelClaudeSonnet4_5`), `go-openai`
//! (`GPT4oMini`, `GPT3Dot5Turbo`), `langchain4j` (`OpenAiChatModelName.GPT_4_O_MINI`), Spring AI
//! (`OpenAiApi.ChatModel.GPT_4_O`).

/// Types and packages that qualify such constants.
const OWNERS: &[&str] = &[
    "chatmodel",
    "responsesmodel",
    "embeddingmodel",
    "model",
    "models",
    "openai",
    "anthropic",
    "genai",
    "openaichatmodelname",
    "openaiembeddingmodelname",
    "anthropicchatmodelname",
    "anthropicmodels",
    "anthropicmodel",
    "openaimodels",
    "openaimodel",
    "shared",
    "allmodels",
    "mistralaichatmodelname",
    "geminimodel",
    "modelid",
    "gptmodel",
];

/// Words that Go's SDKs write before the model within one identifier.
const LEADS: &[&str] = &["chatmodel", "embeddingmodel", "responsesmodel", "model", ""];

/// Letters and digits of a text, in lower case.
#[must_use]
pub fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a dotted name is qualified by a type or package that SDKs keep such constants in.
#[must_use]
pub fn is_qualified(text: &str) -> bool {
    let Some((before, last)) = split(text) else { return false };
    let owner = before.rsplit(['.', ':']).find(|part| !part.is_empty()).unwrap_or_default();
    !last.is_empty() && OWNERS.contains(&letters(owner).as_str())
}

/// Whether a word is written as constants are: letters, digits and underscores with a capital among them.
#[must_use]
pub fn is_shaped(text: &str) -> bool {
    let last = split(text).map_or(text, |(_, last)| last);
    last.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && last.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.rfind(['.', ':']).map(|at| (&text[..at], &text[at + 1..]))
}

/// The letters that an id may have for this constant to stand for it, the likeliest first.
pub fn spellings(text: &str) -> impl Iterator<Item = String> {
    let last = split(text).map_or(text, |(_, last)| last);
    // `GPT3Dot5Turbo`: go-openai cannot write a point.
    let letters = letters(last).replace("dot", "");
    let bare = LEADS.iter().find_map(|lead| letters.strip_prefix(lead)).unwrap_or(&letters).to_owned();
    let latest = bare.strip_suffix("latest").map(str::to_owned);
    std::iter::once(bare).chain(latest).filter(|one| one.len() > 1)
}
