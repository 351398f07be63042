//! Thinking signatures: deterministic, bound to seed, model and text, and checked when they come back.

use super::error::Refusal;
use crate::chance::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of the part that makes two signatures of one text differ.
const NONCE_BYTES: usize = 16;

/// Signs thinking as the client will see it; `nonce` is drawn for each block.
pub(super) fn sign(seed: u64, model: &str, shown: &str, nonce: &str) -> String {
    let nonce = &digest(0, &[nonce.as_bytes()])[..NONCE_BYTES];
    let mac = digest(seed, &[b"thinking", model.as_bytes(), shown.as_bytes(), nonce]);
    STANDARD.encode([nonce, &mac].concat())
}

/// Whether a signature is one that this fleet gave to this model and text.
pub(super) fn verify(seed: u64, model: &str, shown: &str, signature: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(signature) else { return false };
    if bytes.len() != NONCE_BYTES + 32 {
        return false;
    }
    let (nonce, mac) = bytes.split_at(NONCE_BYTES);
    mac == digest(seed, &[b"thinking", model.as_bytes(), shown.as_bytes(), nonce])
}

/// The refusal of a signature that does not hold.
pub(super) fn invalid(at: &str, kind: &str) -> Refusal {
    let member = if kind == "thinking" { "signature" } else { "data" };
    Refusal::bad(format!("{at}: Invalid `{member}` in `{kind}` block"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_seed_model_and_text_only() {
        let signature = sign(1, "claude-opus-4-7", "hm", "a");
        assert!(verify(1, "claude-opus-4-7", "hm", &signature));
        assert!(!verify(2, "claude-opus-4-7", "hm", &signature));
        assert!(!verify(1, "claude-opus-4-6", "hm", &signature));
        assert!(!verify(1, "claude-opus-4-7", "hm!", &signature));
        assert!(!verify(1, "claude-opus-4-7", "hm", "c2hvcnQ="));
        assert_ne!(signature, sign(1, "claude-opus-4-7", "hm", "b"));
    }
}
