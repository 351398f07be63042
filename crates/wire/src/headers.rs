//! Which headers pass between client and vendor, per dialect. What is not listed does not pass.

use pilothouse_core::dialect::Dialect;

/// How a listed header is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// This name.
    Is(&'static str),
    /// Every name that begins so.
    Begins(&'static str),
}

impl Name {
    fn fits(self, name: &str) -> bool {
        match self {
            Self::Is(known) => known.eq_ignore_ascii_case(name),
            Self::Begins(prefix) => name
                .as_bytes()
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())),
        }
    }
}

/// The first letters of listed names, one bit each: most headers are told by theirs not to be listed.
const fn letters(names: &[Name]) -> u32 {
    let (mut set, mut at) = (0, 0);
    while at < names.len() {
        let (Name::Is(text) | Name::Begins(text)) = names[at];
        set |= bit_of(text);
        at += 1;
    }
    set
}

/// The bit of a name's first letter, whatever its case.
const fn bit_of(name: &str) -> u32 {
    match name.as_bytes() {
        [first, ..] => 1 << (*first & 31),
        [] => 0,
    }
}

const UP_LETTERS: u32 = letters(UP_ALWAYS);
const DOWN_LETTERS: u32 = letters(DOWN_ALWAYS);

/// Request headers of any dialect that pass to a vendor of the same dialect.
const UP_ALWAYS: &[Name] = &[Name::Is("idempotency-key"), Name::Is("traceparent"), Name::Is("tracestate")];

/// Answer headers that pass to the client, whatever the dialect: ids, pacing, time spent.
const DOWN_ALWAYS: &[Name] = &[
    Name::Is("content-type"),
    Name::Is("retry-after"),
    Name::Is("retry-after-ms"),
    Name::Is("x-request-id"),
    Name::Is("request-id"),
    Name::Is("x-should-retry"),
    Name::Begins("x-ratelimit-"),
    Name::Begins("anthropic-ratelimit-"),
    Name::Is("openai-processing-ms"),
    Name::Is("openai-version"),
    Name::Is("x-gemini-service-tier"),
    // AWS's SDKs name errors and requests by these (`parsers.py` of <https://github.com/boto/botocore> 1.44, read
    // 2026-11-23).
    Name::Is("x-amzn-requestid"),
    Name::Is("x-amzn-errortype"),
];

/// Request headers that mean something in one dialect only.
#[must_use]
pub const fn up(dialect: Dialect) -> &'static [Name] {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::OpenaiResponses => {
            &[Name::Is("openai-beta"), Name::Is("x-client-request-id")]
        }
        Dialect::AnthropicMessages => &[Name::Is("anthropic-version"), Name::Is("anthropic-beta")],
        // The SDK's name and version, and how long it waits (<https://github.com/googleapis/python-genai> 3.4,
        // `_api_client.py`, read 2026-11-23). Keys (`x-goog-api-key`) and billing projects
        // (`x-goog-user-project`) are the operator's, never the caller's.
        Dialect::GeminiGenerate => &[Name::Is("x-goog-api-client"), Name::Is("x-server-timeout")],
        // What AWS's SDKs send beside the body says who signs, when, and how often it was tried: ours to say anew.
        Dialect::BedrockConverse => &[],
    }
}

/// Whether a request header passes to a vendor that speaks the client's dialect.
#[must_use]
pub fn passes_up(dialect: Dialect, name: &str) -> bool {
    passes_always(name) || up(dialect).iter().any(|known| known.fits(name))
}

/// Whether a request header passes to a vendor of any dialect.
#[must_use]
pub fn passes_always(name: &str) -> bool {
    UP_LETTERS & bit_of(name) != 0 && UP_ALWAYS.iter().any(|known| known.fits(name))
}

/// Whether a request header is lost (and reported) when the vendor speaks another dialect.
#[must_use]
pub fn is_lost_in_translation(client: Dialect, name: &str) -> bool {
    // A version says how the client's own dialect is written, or which SDK wrote it; nothing is lost with it.
    let says_nothing = ["anthropic-version", "x-goog-api-client", "x-server-timeout"];
    !says_nothing.iter().any(|known| known.eq_ignore_ascii_case(name))
        && up(client).iter().any(|known| known.fits(name))
}

/// Whether an answer header passes to the client.
#[must_use]
pub fn passes_down(name: &str) -> bool {
    DOWN_LETTERS & bit_of(name) != 0 && DOWN_ALWAYS.iter().any(|known| known.fits(name))
}

/// Answer headers that pass with files besides: what they are called, and which part of them it is.
const DOWN_FILES: &[Name] =
    &[Name::Is("content-disposition"), Name::Is("content-range"), Name::Is("accept-ranges")];

/// Whether an answer header passes to the client of a call that is no conversation.
#[must_use]
pub fn passes_down_with_files(name: &str) -> bool {
    passes_down(name) || DOWN_FILES.iter().any(|known| known.fits(name))
}

/// Whether an answer header passes to the client of a connection that leaves HTTP for a WebSocket. Extensions do not:
/// none is asked for, so that frames are what they look like.
#[must_use]
pub fn passes_down_with_switch(name: &str) -> bool {
    passes_down(name)
        || name.eq_ignore_ascii_case("sec-websocket-accept")
        || name.eq_ignore_ascii_case("sec-websocket-protocol")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_cookies_and_forwarding_headers_never_pass_up() {
        for dialect in Dialect::ALL {
            for name in [
                "authorization",
                "x-api-key",
                "x-goog-api-key",
                "x-goog-user-project",
                "cookie",
                "x-forwarded-for",
                "forwarded",
                "host",
                "connection",
                "te",
                "transfer-encoding",
                "content-length",
                "accept-encoding",
                "x-pilothouse-app",
                "openai-organization",
                "openai-project",
                "proxy-authorization",
            ] {
                assert!(!passes_up(dialect, name), "{dialect} {name}");
            }
        }
    }

    #[test]
    fn cookies_and_organisation_ids_never_pass_down() {
        for name in [
            "set-cookie",
            "openai-organization",
            "anthropic-organization-id",
            "server",
            "connection",
            "alt-svc",
        ] {
            assert!(!passes_down(name), "{name}");
        }
        for name in [
            "X-Request-Id",
            "x-ratelimit-remaining-tokens",
            "Retry-After",
            "anthropic-ratelimit-tokens-reset",
        ] {
            assert!(passes_down(name), "{name}");
        }
    }
}
