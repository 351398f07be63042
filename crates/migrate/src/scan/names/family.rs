//! Whether a word that no catalogue knows looks like a model of a known family: `gpt-9-foo`, `claude-opus-9`.

/// The vendor in whose style a name is written, if it could be an id that the catalogue does not know (yet).
///
/// Strict on purpose: `gpt-researcher`, `claude-code` and `gemini-cli` are programs, `o365` is none of OpenAI's.
#[must_use]
pub fn vendor_of(name: &str) -> Option<&'static str> {
    let bare = name.rsplit(['/', ':']).next().unwrap_or(name);
    let is_wire =
        bare.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-@".contains(&byte));
    if !is_wire || bare.len() > 64 {
        return None;
    }
    let rest = |prefix: &str| bare.strip_prefix(prefix);
    let digit = |text: &str| text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    if rest("gpt-").is_some_and(|rest| digit(rest) && is_version(rest)) {
        return Some("openai");
    }
    let line = ["opus-", "sonnet-", "haiku-", "instant-", "mythos-", ""];
    if rest("claude-").is_some_and(|rest| {
        line.iter().any(|line| rest.strip_prefix(line).is_some_and(|rest| digit(rest) && is_version(rest)))
    }) {
        return Some("anthropic");
    }
    if rest("gemini-").is_some_and(|rest| digit(rest) && is_version(rest)) {
        return Some("gemini");
    }
    let reasoning = ["mini", "preview", "pro", "deep-research"];
    let is_o = bare.starts_with('o') && bare.len() > 3 && bare.as_bytes()[1].is_ascii_digit();
    if is_o
        && bare[2..].strip_prefix('-').is_some_and(|rest| reasoning.iter().any(|word| rest.starts_with(word)))
    {
        return Some("openai");
    }
    None
}

/// Whether a text goes on like a version (`5.4-mini`, `4o`, `3-5-sonnet`) and not like a file (`4.json`).
fn is_version(rest: &str) -> bool {
    let numbers = rest.bytes().take_while(u8::is_ascii_digit).count();
    let tail = &rest[numbers..];
    let is_point = |at: usize| tail.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    numbers <= 2 && tail.match_indices('.').all(|(at, _)| is_point(at)) && !tail.contains("..")
}
