//! The wire formats, one folder each.

pub mod anthropic_messages;
pub mod bedrock_converse;
mod bound;
pub mod gemini_generate;
pub mod openai_chat;
pub mod openai_responses;
mod schema;
mod turns;

pub use bound::name_place;
pub(crate) use bound::{nothing_arrives, number_of, refuse_bound};
use memchr::memmem;
use pilothouse_core::conversation::{CacheTtl, Effort, Media, Request, Thinking};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};

use crate::codec::Losses;

/// The same error as one of an answer: the vendor's fault, not the client's.
pub(crate) fn bad_answer(error: Error) -> Error {
    let public = format!("the vendor's answer is not what its dialect allows: {}", error.public);
    Error { param: error.param, cause: error.cause, ..Error::new(Kind::BadAnswer, public) }
}

/// The error of a request that leans on conversation state which the target does not hold. Its member becomes the
/// code by which the SDK goes on without a thread.
pub(crate) fn no_threads() -> Error {
    Error::bad_request(
        "thread",
        "the target of this call holds no message threads; send the full conversation without `thread`",
    )
}

/// Notes that a number of tokens to think with became an effort, where only words are taken.
pub(crate) fn note_budget(request: &Request, given: Effort, losses: &mut Losses) {
    if let (None, Some(Thinking::Budget(tokens))) = (request.reasoning.effort, &request.reasoning.thinking) {
        let why = format!("{tokens} tokens became the effort {}", given.as_str());
        losses.add("change:thinking.budget_tokens", &why);
    }
}

/// The longest message made of a body that is no error of its dialect.
const BODY_MAX: usize = 500;

/// What people read when a body is no error of a dialect: its beginning.
pub(crate) fn body_as_message(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(BODY_MAX)]);
    match text.trim() {
        "" => format!("the vendor answered with status {status} and no explanation"),
        text => text.to_owned(),
    }
}

/// A lifetime as the word on the wire.
pub(crate) fn ttl_of_word(word: &str) -> CacheTtl {
    match word {
        "5m" => CacheTtl::FiveMinutes,
        "30m" => CacheTtl::HalfHour,
        "1h" => CacheTtl::OneHour,
        "12h" => CacheTtl::TwelveHours,
        _ => CacheTtl::Default,
    }
}

/// Splits a `data:` URL of base64 into its media type and data.
pub(crate) fn split_data_url(url: &str) -> Option<Media> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    // Parameters of the media type (`;charset=…`) say nothing about these bytes.
    let media_type = media_type.split(';').next().unwrap_or(media_type);
    Some(Media::Base64 { media_type: media_type.into(), data: data.to_owned() })
}

/// An id that matches `^[a-zA-Z0-9_-]+$` and is at most `longest` bytes: the id itself if it does, else one
/// made from it, always the same, so that calls and results still find each other.
pub(crate) fn fitting_id(id: &str, longest: usize) -> std::borrow::Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !id.is_empty() && id.len() <= longest && id.bytes().all(fits) {
        return id.into();
    }
    // FNV-1a keeps ids apart that differ only in what is replaced.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept: String = id
        .bytes()
        .take(longest.saturating_sub(17))
        .map(|byte| if fits(byte) { char::from(byte) } else { '_' })
        .collect();
    format!("{kept}_{hash:016x}").into()
}

/// How [`FOREIGN_SIGNATURE`] begins in base64, in either alphabet: the bytes of Gemini's signatures.
const FOREIGN_BASE64: &[u8] = b"cGlsb3Rob3VzZS1vcmln";
/// How reasoning begins that Bedrock's clients hold as bytes and that were no base64, in base64.
const FOREIGN_BLOB: &[u8] = b"cGlsb3Rob3VzZS10ZXh0";

/// Whether a body holds reasoning that we marked as another vendor's: it must not pass as it is, even where both sides
/// speak the same dialect.
#[must_use]
pub fn holds_foreign_reasoning(dialect: Dialect, body: &[u8]) -> bool {
    let has = |mark: &[u8]| memmem::find(body, mark).is_some();
    match dialect {
        // Clients of these hold no reasoning.
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => false,
        Dialect::AnthropicMessages | Dialect::OpenaiResponses => has(FOREIGN_SIGNATURE.as_bytes()),
        Dialect::GeminiGenerate => has(FOREIGN_BASE64),
        Dialect::BedrockConverse => has(FOREIGN_SIGNATURE.as_bytes()) || has(FOREIGN_BLOB),
    }
}

/// Whether encrypted reasoning of Responses is another vendor's proof that we sealed, so that it may go to any target.
pub(crate) fn is_sealed_by_us(encrypted: &str) -> bool {
    encrypted.starts_with(FOREIGN_SIGNATURE)
}

/// Before the family's name in the signature of reasoning that another vendor than the dialect's own wrote.
pub(crate) const FOREIGN_SIGNATURE: &str = "pilothouse-origin-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_a_target_refuses_are_made_to_fit_and_stay_apart() {
        assert_eq!(fitting_id("toolu_01A-b", 64), "toolu_01A-b");
        let (one, other) = (fitting_id("call:1", 40).into_owned(), fitting_id("call.1", 40).into_owned());
        assert_ne!(one, other);
        assert_eq!(one, fitting_id("call:1", 40));
        for id in ["", "ö", &"x".repeat(100)] {
            let fitted = fitting_id(id, 40);
            assert!((1..=40).contains(&fitted.len()), "{fitted}");
        }
    }

    #[test]
    fn the_marks_of_other_vendors_reasoning_are_found_as_base64_too() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let begins = |text: &str, mark: &[u8]| STANDARD.encode(text).as_bytes().starts_with(mark);
        assert!(begins("pilothouse-origin-openai:x", FOREIGN_BASE64));
        assert!(begins("pilothouse-text:x", FOREIGN_BLOB));
        assert!(holds_foreign_reasoning(
            Dialect::AnthropicMessages,
            b"{\"signature\":\"pilothouse-origin-google\"}"
        ));
        assert!(!holds_foreign_reasoning(Dialect::AnthropicMessages, b"{\"signature\":\"EqoB\"}"));
    }

    #[test]
    fn data_urls_split_into_type_and_data() {
        let media = split_data_url("data:image/png;charset=x;base64,AAAA");
        assert_eq!(media, Some(Media::Base64 { media_type: "image/png".into(), data: "AAAA".into() }));
        assert_eq!(split_data_url("https://example.com/a.png"), None);
        assert_eq!(split_data_url("data:text/plain,hello"), None);
    }
}
