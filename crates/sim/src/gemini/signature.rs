//! Thought signatures: bound to seed, model and what they sign, and checked when they come back.
//!
//! Rules: <https://ai.google.dev/gemini-api/docs/thought-signatures>: on Gemini 3, the first function call of each step of the
//! current turn must carry its own. Wordings: <https://github.com/NousResearch/hermes-agent/issues/15054> (missing) and
//! <https://github.com/google-gemini/gemini-cli/issues/13467> (forged), read 2026-11-23.

use super::error::Refusal;
use super::proto::decode;
use crate::chance::digest;
use crate::models::{Model, Rules};
use crate::shape::{list, some, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Bytes of the part that makes two signatures differ.
const NONCE_BYTES: usize = 16;
/// What the provider documents as signatures for calls that another model made.
const SKIPS: &[&str] = &["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

/// Signs a part: a call by its function's name, text by the empty one.
pub(super) fn sign(seed: u64, model: &str, function: &str, nonce: &str) -> String {
    let nonce = &digest(0, &[nonce.as_bytes()])[..NONCE_BYTES];
    let mac = digest(seed, &[b"thought signature", model.as_bytes(), function.as_bytes(), nonce]);
    STANDARD.encode([nonce, &mac].concat())
}

/// Whether a signature is one that this fleet gave to this model and function.
fn holds(seed: u64, model: &str, function: &str, signature: &str) -> bool {
    let Some(bytes) = decode(signature) else { return false };
    if SKIPS.iter().any(|s| bytes == s.as_bytes() || Some(&bytes) == decode(s).as_ref()) {
        return true;
    }
    if bytes.len() != NONCE_BYTES + 32 {
        return false;
    }
    let (nonce, mac) = bytes.split_at(NONCE_BYTES);
    mac == digest(seed, &[b"thought signature", model.as_bytes(), function.as_bytes(), nonce])
}

/// Refuses signatures that do not hold, and on Gemini 3 calls of the current turn without one.
pub(super) fn refuse(model: &Model, seed: u64, contents: &[Value]) -> Result<(), Refusal> {
    let Rules::Gemini(rules) = model.rules else { return Ok(()) };
    let is_ask = |c: &Value| {
        text(c, "role") != "model" && list(c, "parts").iter().any(|p| some(p, "functionResponse").is_none())
    };
    // The current turn begins after the last thing that the user said.
    let begin = contents.iter().rposition(is_ask).map_or(0, |i| i + 1);
    // Consecutive contents of the model are one step: a stream put together may leave each event's parts in its own.
    let mut has_called = false;
    for (i, content) in contents.iter().enumerate() {
        has_called &= text(content, "role") == "model";
        for part in list(content, "parts") {
            let (call, signature) = (some(part, "functionCall"), text(part, "thoughtSignature"));
            let function = call.map_or("", |c| text(c, "name"));
            if !signature.is_empty() && !holds(seed, model.id, function, signature) {
                return Err(Refusal::bad("Corrupted thought signature."));
            }
            let is_first = call.is_some() && !has_called;
            has_called |= call.is_some();
            if is_first && signature.is_empty() && rules.is_gemini_3 && i >= begin {
                return Err(missing(function, i + 1));
            }
        }
    }
    Ok(())
}

fn missing(function: &str, position: usize) -> Refusal {
    Refusal::bad(format!(
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:{function}` , position {position}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_seed_model_and_function_only() {
        let signature = sign(1, "gemini-2.5-pro", "f", "a");
        assert!(holds(1, "gemini-2.5-pro", "f", &signature));
        assert!(holds(1, "gemini-2.5-pro", "f", &signature.replace('+', "-").replace('/', "_")));
        assert!(!holds(2, "gemini-2.5-pro", "f", &signature));
        assert!(!holds(1, "gemini-2.5-flash", "f", &signature));
        assert!(!holds(1, "gemini-2.5-pro", "g", &signature));
        assert!(!holds(1, "gemini-2.5-pro", "f", "Zm9yZ2Vk"));
        assert!(
            holds(1, "gemini-2.5-pro", "f", SKIPS[0])
                && holds(1, "gemini-2.5-pro", "f", &STANDARD.encode(SKIPS[0]))
        );
    }
}
