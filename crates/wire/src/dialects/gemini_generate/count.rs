//! Counting tokens: `POST /v1beta/models/{model}:countTokens`
//! (<https://ai.google.dev/api/tokens>, read 2026-11-23).

use pilothouse_core::conversation::Request;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::Note;

use super::request;
use crate::codec::{Losses, Target};
use crate::dialects::bad_answer;
use crate::json::{Members, Object, Path};

/// Reads what is to be counted: `contents` alone, or a whole request in `generateContentRequest`. As with
/// [`super::GeminiGenerate`], the model stands in the path.
///
/// # Errors
/// A 400 that names the wrong member.
pub fn decode_count_request(body: &[u8]) -> Result<Request, Error> {
    let mut members = Members::of_body(body)?.camel(&["generateContentRequest"]);
    match members.take("generateContentRequest") {
        Some(inner) => request::decode::decode(inner.get().as_bytes()),
        None => request::decode::decode(body),
    }
}

/// Writes the body that asks a vendor to count a request of any dialect. What cannot be carried is added to
/// `losses`.
///
/// # Errors
/// A 400 where nothing of it can be carried.
pub fn encode_count_request(
    request: &Request,
    target: &Target<'_>,
    losses: &mut Vec<Note>,
) -> Result<Vec<u8>, Error> {
    let mut found = Losses::default();
    let inner = request::encode::encode(request, target, &mut found)?;
    losses.extend(found.notes());
    let mut out = Vec::with_capacity(inner.len() + 96);
    {
        let mut body = Object::new(&mut out);
        let whole = body.key("generateContentRequest");
        let name = target.model.strip_prefix("models/").unwrap_or(target.model);
        {
            let mut head = Object::new(whole);
            head.text("model", &format!("models/{name}"));
        }
        // The request's own members follow behind the model.
        whole.pop();
        if inner.len() > 2 {
            whole.push(b',');
        }
        whole.extend_from_slice(&inner[1..]);
    }
    Ok(out)
}

/// Writes the answer: all tokens of the prompt, and how many of them a cache holds.
#[must_use]
pub fn encode_count(total: u64, cached: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    {
        let mut body = Object::new(&mut out);
        body.number("totalTokens", total);
        if cached > 0 {
            body.number("cachedContentTokenCount", cached);
        }
    }
    out
}

/// Reads a vendor's answer: all tokens of the prompt.
///
/// # Errors
/// [`pilothouse_core::error::Kind::BadAnswer`] where there is no count.
pub fn decode_count(body: &[u8]) -> Result<u64, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body).map_err(bad_answer)?.camel(&["totalTokens"]);
    let total = members.count("totalTokens", &root).map_err(bad_answer)?;
    total.ok_or_else(|| bad_answer(root.missing("totalTokens")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec as _;
    use pilothouse_core::dialect::Dialect;

    #[test]
    fn contents_and_whole_requests_are_counted_alike() {
        let inner = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]}]}"#;
        let bare = decode_count_request(inner.as_bytes()).unwrap();
        let whole = format!(r#"{{"generate_content_request":{inner}}}"#);
        assert_eq!(decode_count_request(whole.as_bytes()).unwrap(), bare);
        let target = Target::of(Dialect::GeminiGenerate, "gemini-3-flash");
        let asked = encode_count_request(&bare, &target, &mut Vec::new()).unwrap();
        let asked: serde_json::Value = serde_json::from_slice(&asked).unwrap();
        assert_eq!(asked["generateContentRequest"]["model"], "models/gemini-3-flash");
        let request = asked["generateContentRequest"].to_string();
        let request = super::super::GeminiGenerate.decode_request(request.as_bytes()).unwrap();
        assert_eq!(request.messages, bare.messages);
    }

    #[test]
    fn a_count_is_written_and_read() {
        assert_eq!(decode_count(&encode_count(31, 5)).unwrap(), 31);
        assert!(decode_count(b"{}").is_err() && decode_count(b"[").is_err());
    }
}
