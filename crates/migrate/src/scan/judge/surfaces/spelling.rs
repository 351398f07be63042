//! One name in the spellings of many languages: `maxTokens`, `MaxTokens` and `max_tokens`.

/// In small letters with underscores; `with` and `set` in front of builders' links go.
#[must_use]
pub fn snake(name: &str) -> String {
    let name = name.trim_matches(|letter: char| !letter.is_alphanumeric());
    // Most names are written so already.
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.bytes().all(is_plain) && !name.contains("__") {
        return without_prefix(name).unwrap_or(name).to_owned();
    }
    let mut out = String::with_capacity(name.len() + 4);
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            if !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        if letter.is_uppercase() {
            let before = at.checked_sub(1).and_then(|at| letters.get(at));
            let is_new_word = before.is_some_and(|one| one.is_lowercase() || one.is_ascii_digit());
            // The last letter of a run begins a word where small ones follow: `baseURLPath`.
            let ends_run = before.is_some_and(|one| one.is_uppercase())
                && letters.get(at + 1).is_some_and(|one| one.is_lowercase());
            if (is_new_word || ends_run) && !out.ends_with('_') {
                out.push('_');
            }
        }
        out.extend(letter.to_lowercase());
    }
    without_prefix(&out).map(str::to_owned).unwrap_or(out)
}

fn without_prefix(name: &str) -> Option<&str> {
    let plain = ["with_", "set_"].iter().find_map(|prefix| name.strip_prefix(prefix));
    plain.filter(|rest| rest.len() > 2)
}

/// In small letters, each further word with a great one in front.
#[must_use]
pub fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    words.for_each(|word| out.push_str(&capital(word)));
    out
}

/// Each word with a great letter in front.
#[must_use]
pub fn pascal(snake: &str) -> String {
    snake.split('_').map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `wanted` (with underscores) as a name is written that stands for `like`: `maxTokens` makes `maxCompletionTokens` of
/// `max_completion_tokens`. `None` where the spelling cannot be told, because `like` is one word in small letters.
#[must_use]
pub fn spelt_like(wanted: &str, like: &str) -> Option<String> {
    if like.contains('_') {
        return Some(wanted.to_owned());
    }
    let first = like.chars().next()?;
    if first.is_uppercase() {
        return Some(pascal(wanted));
    }
    if like.chars().any(char::is_uppercase) {
        return Some(camel(wanted));
    }
    (!wanted.contains('_')).then(|| wanted.to_owned())
}

/// The words of a callee, in small letters and without underscores: `client->chat()->create` is `client`, `chat`,
/// `create`.
#[must_use]
pub fn segments(callee: &str) -> Vec<String> {
    let callee =
        callee.trim().trim_start_matches("await ").trim_start_matches("new ").trim_start_matches('&');
    let word = |part: &str| -> String {
        part.chars()
            .take_while(|letter| !matches!(letter, '(' | '<' | '['))
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let parts = callee.split(['.', ':', '>', '\\', '/']).map(word);
    parts.filter(|part| !part.is_empty()).collect()
}

/// What a callee may look like: `chat.completions.create` at its end, or anywhere in it with `.*` behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<String>,
    is_open: bool,
}

impl Pattern {
    /// Reads a pattern.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (text, is_open) = text.strip_suffix(".*").map_or((text, false), |text| (text, true));
        Self { parts: segments(text), is_open }
    }

    /// How many words it has: the longer one says more.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether it has no word at all, and so fits nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a callee, as [`segments`], fits.
    #[must_use]
    pub fn fits(&self, callee: &[String]) -> bool {
        if self.parts.is_empty() {
            return false;
        }
        if self.is_open {
            return callee.windows(self.parts.len()).any(|window| window == self.parts);
        }
        callee.ends_with(&self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_becomes_one() {
        for (written, plain) in [
            ("max_tokens", "max_tokens"),
            ("maxTokens", "max_tokens"),
            ("MaxTokens", "max_tokens"),
            ("MaxOutputTokenCount", "max_output_token_count"),
            ("topP", "top_p"),
            ("N", "n"),
            ("baseURL", "base_url"),
            ("baseURLPath", "base_url_path"),
            ("withTemperature", "temperature"),
            ("setTopK", "top_k"),
            ("top-k", "top_k"),
            ("\"stop\"", "stop"),
        ] {
            assert_eq!(snake(written), plain, "{written}");
        }
    }

    #[test]
    fn a_new_name_is_written_as_the_old_one_was() {
        for (like, spelt) in [
            ("max_tokens", Some("max_completion_tokens")),
            ("maxTokens", Some("maxCompletionTokens")),
            ("MaxTokens", Some("MaxCompletionTokens")),
            ("limit", None),
        ] {
            assert_eq!(spelt_like("max_completion_tokens", like).as_deref(), spelt, "{like}");
        }
    }

    #[test]
    fn callees_of_all_languages_have_the_same_words() {
        for callee in [
            "client.chat.completions.create",
            "client.Chat.Completions.Create",
            "$client->chat()->completions()->create",
            "client?.chat?.completions?.create",
            "openai::chat::completions::create",
        ] {
            assert!(Pattern::of("chat.completions.create").fits(&segments(callee)), "{callee}");
        }
        let builder = segments("ChatCompletionCreateParams.builder.model.temperature.build");
        assert!(Pattern::of("ChatCompletionCreateParams.builder.*").fits(&builder));
        assert!(!Pattern::of("ChatCompletionCreateParams.builder").fits(&builder));
        assert!(!Pattern::of("completions.create").fits(&segments("client.completions.create_many")));
        assert!(!Pattern::of("").fits(&segments("anything")));
    }
}
