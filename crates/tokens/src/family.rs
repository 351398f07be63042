//! Which family a model's name belongs to, and each family's numbers.

use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use crate::exact::Table;
use crate::media::Pictures;
use crate::shape::Weights;

/// A family of models that share a tokenizer, nearly enough.
#[derive(Debug)]
pub(crate) struct Family {
    /// Its name in [`crate::Count::how`].
    pub(crate) name: &'static str,
    /// Thousandths of tokens per counter of a text's shape.
    pub(crate) weights: Weights,
    /// The error that 19 of 20 texts of a few hundred tokens or more stay within, in percent.
    pub(crate) error_percent: u32,
    /// Thousandths of bytes per token of English prose.
    pub(crate) prose_millibytes: u64,
    /// Tokens around each message.
    pub(crate) message_tokens: u64,
    /// Tokens around the conversation.
    pub(crate) request_tokens: u64,
    /// Tokens that the first tool adds: the vendor's own instructions on how to call tools.
    pub(crate) tools_tokens: u64,
    /// How pictures count.
    pub(crate) pictures: Pictures,
    /// Tokens per second of sound.
    pub(crate) sound_tokens: u64,
    /// Tokens per page of a document.
    pub(crate) page_tokens: u64,
}

/// What a model's name tells.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Its family.
    pub(crate) family: &'static Family,
    /// The public tokenizer to count with.
    pub(crate) table: Option<Table>,
    /// Whether that tokenizer is known to be the model's own.
    pub(crate) is_sure: bool,
    /// The bare name in small letters, with dashes for dots.
    pub(crate) name: String,
}

/// Reads a model's name; prefixes of platforms (`azure/`, `us.anthropic.`) are fine.
pub(crate) fn read(model: &str) -> Reading {
    let lower = model.to_ascii_lowercase();
    let bare = lower.rsplit('/').next().unwrap_or(&lower);
    // Deployments wear the name inside their own: `prod-gpt-4o-eu`.
    let openai = bare.find("gpt-").and_then(|at| bare.get(at..)).unwrap_or(bare);
    let name = bare.replace('.', "-");
    let known = get_tokenizer(openai).or_else(|| get_tokenizer(bare)).and_then(table_of);
    let is_openai = ["gpt-", "chatgpt", "codex", "computer-use", "o1", "o3", "o4"]
        .iter()
        .any(|prefix| openai.starts_with(prefix));
    if known.is_some() || is_openai {
        let table = Some(known.unwrap_or(Table::O200k));
        let name = openai.replace('.', "-");
        return Reading { family: &OPENAI, table, is_sure: known.is_some(), name };
    }
    let family = NAMES.iter().find(|(part, _)| name.contains(part)).map_or(&OTHER, |&(_, family)| family);
    Reading { family, table: None, is_sure: false, name }
}

fn table_of(tokenizer: Tokenizer) -> Option<Table> {
    match tokenizer {
        Tokenizer::O200kBase | Tokenizer::O200kHarmony => Some(Table::O200k),
        Tokenizer::Cl100kBase => Some(Table::Cl100k),
        // Models of 2022 and before, all retired: not worth two more tables in the binary.
        Tokenizer::P50kBase | Tokenizer::R50kBase | Tokenizer::P50kEdit | Tokenizer::Gpt2 => None,
    }
}

/// Parts of names, in order of precedence: a distilled model has the tokenizer of its base, which its name
/// tells too (`deepseek-r1-distill-llama-70b`).
const NAMES: &[(&str, &Family)] = &[
    ("llama", &LLAMA),
    ("qwen", &QWEN),
    ("qwq", &QWEN),
    ("deepseek", &DEEPSEEK),
    ("claude-1", &ANTHROPIC_OLD),
    ("claude-2", &ANTHROPIC_OLD),
    ("claude-3", &ANTHROPIC_OLD),
    ("claude-instant", &ANTHROPIC_OLD),
    ("sonnet-4", &ANTHROPIC_OLD),
    ("haiku-4", &ANTHROPIC_OLD),
    ("opus-4-7", &ANTHROPIC),
    ("opus-4-8", &ANTHROPIC),
    ("opus-4-9", &ANTHROPIC),
    ("opus-4", &ANTHROPIC_OLD),
    ("claude", &ANTHROPIC),
    ("gemini", &GEMINI),
    ("gemma", &GEMINI),
    ("mistral", &MISTRAL),
    ("mixtral", &MISTRAL),
    ("codestral", &MISTRAL),
    ("devstral", &MISTRAL),
    ("magistral", &MISTRAL),
    ("pixtral", &MISTRAL),
];

/// Fitted to o200k_base; see `samples`. Used for models without a family and where a table gives up.
const O200K_LIKE: Weights = [1000, 90, 300, 0, 1000, 800, 250, 400, 500, 750, 700, 600, 300, 1500];

const OPENAI: Family = Family {
    name: "openai",
    weights: O200K_LIKE,
    error_percent: 20,
    prose_millibytes: 4500,
    // https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
    // (read 2026-11-22): 3 per message besides its role, 3 for the primed answer.
    message_tokens: 3,
    request_tokens: 3,
    tools_tokens: 12,
    pictures: Pictures::OpenAi,
    // https://platform.openai.com/docs/guides/realtime-costs: one per 100 ms of what the user says.
    sound_tokens: 10,
    page_tokens: 1500,
};

const OTHER: Family = Family {
    name: "unknown family",
    error_percent: 35,
    message_tokens: 4,
    tools_tokens: 50,
    pictures: Pictures::Patches { side: 28, tokens_max: 4096 },
    ..OPENAI
};

const LLAMA: Family = Family { name: "llama", ..OTHER };
const QWEN: Family = Family { name: "qwen", ..OTHER };
const DEEPSEEK: Family = Family { name: "deepseek", ..OTHER };
const MISTRAL: Family = Family { name: "mistral", ..OTHER };
const GEMINI: Family =
    Family { name: "gemini", pictures: Pictures::Gemini, sound_tokens: 32, page_tokens: 258, ..OTHER };
const ANTHROPIC_OLD: Family = Family { name: "anthropic", ..OTHER };
const ANTHROPIC: Family = Family { name: "anthropic", ..OTHER };
