//! What a model's name tells: the family it belongs to and its version, however a platform decorates it.

/// A family and a version, read from a name such as `gpt-5.5`, `us.anthropic.claude-opus-4-7-v1:0`,
/// `openai/o3-mini` or `models/gemini-3.1-pro-preview`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    /// `claude`, `gpt`, `o` (OpenAI's o-series), `gemini`, `grok`, `deepseek`, …; empty when the name does not tell.
    pub family: &'static str,
    /// Major and minor; zeros where the name has none.
    pub version: (u32, u32),
    text: String,
}

/// Families by the word that stands in their names, in the order in which they are looked for: distillates carry two.
const FAMILIES: [&str; 16] = [
    "claude",
    "gemini",
    "gemma",
    "deepseek",
    "qwen",
    "glm",
    "kimi",
    "minimax",
    "grok",
    "mistral",
    "magistral",
    "ministral",
    "codestral",
    "devstral",
    "llama",
    "nova",
];

impl ModelName {
    /// Reads a name.
    #[must_use]
    pub fn of(model: &str) -> Self {
        let text = model.to_ascii_lowercase();
        let named = |family: &'static str, version| Self { family, version, text: text.clone() };
        let last = text.rsplit('/').next().unwrap_or(&text);
        // Bedrock writes the maker before a point.
        let last = last.strip_prefix("openai.").unwrap_or(last);
        if let Some(rest) = last.strip_prefix("gpt-") {
            return named("gpt", leading_version(rest));
        }
        let digit = last.strip_prefix('o').and_then(|rest| rest.bytes().next());
        if digit.is_some_and(|digit| digit.is_ascii_digit()) {
            return named("o", leading_version(&last[1..]));
        }
        for family in FAMILIES {
            let Some(at) = text.find(family) else { continue };
            let rest = &text[at + family.len()..];
            return named(
                family,
                match family {
                    "claude" => claude_version(rest),
                    "gemini" => gemini_version(rest),
                    _ => pieces(rest).find(|piece| starts_with_digit(piece)).map_or((0, 0), leading_version),
                },
            );
        }
        named("", (0, 0))
    }

    /// Whether a word stands in the name, such as `pro` or `flash-lite`.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.text.contains(word)
    }
}

fn pieces(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(['-', '/', ':', '@', '_'])
}

fn starts_with_digit(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
}

/// Claude's versions are written with dashes, before the line's name or behind it, and followed by dates.
fn claude_version(rest: &str) -> (u32, u32) {
    let mut numbers = rest
        .split(['-', '.', '@', ':', '/', '_'])
        .map(str::parse::<u32>)
        .skip_while(Result::is_err)
        .map_while(Result::ok)
        // Dates are not versions.
        .filter(|number| *number < 1000);
    // A name without a number (`claude-mythos-preview`) is a new one.
    let major = numbers.next().unwrap_or(5);
    (major, numbers.next().unwrap_or(0))
}

/// A name without a version (`gemini-flash-latest`) is the newest there is, or a later one.
fn gemini_version(rest: &str) -> (u32, u32) {
    pieces(rest).find(|piece| starts_with_digit(piece)).map_or((3, 5), leading_version)
}

/// The version at the start of a text such as `5.4-mini` or `4o`.
fn leading_version(text: &str) -> (u32, u32) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let length = digits(text);
    let major = text[..length].parse().unwrap_or(0);
    let minor = text[length..].strip_prefix('.').map_or(0, |rest| rest[..digits(rest)].parse().unwrap_or(0));
    (major, minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_versions_are_read_from_every_spelling() {
        for (name, family, version) in [
            ("claude-opus-4-7", "claude", (4, 7)),
            ("claude-3-7-sonnet-20250219", "claude", (3, 7)),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude", (4, 5)),
            ("anthropic/claude-opus-4.6", "claude", (4, 6)),
            ("claude-opus-4-20250514", "claude", (4, 0)),
            ("claude-sonnet-4@20250514", "claude", (4, 0)),
            ("claude-mythos-preview", "claude", (5, 0)),
            ("gpt-5.5", "gpt", (5, 5)),
            ("openai/gpt-5.4-mini", "gpt", (5, 4)),
            ("gpt-4o", "gpt", (4, 0)),
            ("gpt-3.5-turbo", "gpt", (3, 5)),
            ("openai.gpt-oss-120b-1:0", "gpt", (0, 0)),
            ("o3", "o", (3, 0)),
            ("o4-mini-2025-04-16", "o", (4, 0)),
            ("models/gemini-3.1-pro-preview", "gemini", (3, 1)),
            ("gemini-2.5-flash-preview-09-2025", "gemini", (2, 5)),
            ("gemini-flash-latest", "gemini", (3, 5)),
            ("grok-4.1-fast", "grok", (4, 1)),
            ("deepseek-r1-distill-qwen-32b", "deepseek", (32, 0)),
            ("olmo-2", "", (0, 0)),
            ("my-deployment", "", (0, 0)),
        ] {
            let found = ModelName::of(name);
            assert_eq!((found.family, found.version), (family, version), "{name}");
        }
    }

    #[test]
    fn odd_names_never_panic() {
        for name in [
            "",
            "gpt-",
            "gpt-5.",
            "o",
            "claude",
            "gpt-99999999999",
            "ö",
            "o1ö",
            "gemini-",
            "gpt-5.9999999999",
        ] {
            let _ = ModelName::of(name);
        }
    }
}
