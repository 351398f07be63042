//! Sealed reasoning: what a client that stores nothing here carries from turn to turn, and what is checked when it returns.
//!
//! Behaviour: <https://developers.openai.com/api/docs/guides/reasoning#encrypted-reasoning-items>; wordings:
//! <https://github.com/openai/codex/issues/8128> and <https://github.com/continuedev/continue/issues/10643>, read 2026-11-23.

use crate::chance::digest;
use crate::openai::error::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// What sealed content begins with, as the provider's does: a version byte and a time.
const HEAD: [u8; 9] = [0x80, 0, 0, 0, 0, 0x6a, 0x9b, 0x33, 0x40];
const MAC_BYTES: usize = 32;

/// Seals the reasoning of the item with this id.
pub(super) fn seal(seed: u64, item: &str, thought: &str) -> String {
    let body = [&digest(seed, &[b"thought", thought.as_bytes()])[..16], item.as_bytes()].concat();
    let mac = digest(seed, &[b"sealed reasoning", &body]);
    URL_SAFE.encode([&HEAD[..], &body, &mac].concat())
}

/// Refuses content that this fleet did not seal, or that belongs to another item than `item` (empty if it has no id).
pub(super) fn refuse(seed: u64, item: &str, sealed: &str) -> Result<(), Refusal> {
    let invalid = |message: String| {
        Err(Refusal::other(400, "invalid_request_error", Some("invalid_encrypted_content"), message))
    };
    let Some(owner) = open(seed, sealed) else {
        let head: String = sealed.chars().take(4).collect();
        let tail: String = sealed.chars().skip(sealed.chars().count().saturating_sub(4)).collect();
        return invalid(format!(
            "The encrypted content {head}...{tail} could not be verified. Reason: Encrypted content could not be decrypted or parsed."
        ));
    };
    if !item.is_empty() && item != owner {
        return invalid(format!(
            "The encrypted content for item {item} could not be verified. Reason: Encrypted content item_id did not match the target item id."
        ));
    }
    Ok(())
}

/// The id of the item that the content belongs to.
fn open(seed: u64, sealed: &str) -> Option<String> {
    let bytes = URL_SAFE.decode(sealed).ok()?;
    let body = bytes.strip_prefix(&HEAD)?;
    let (body, mac) = body.split_at_checked(body.len().checked_sub(MAC_BYTES)?)?;
    if mac != digest(seed, &[b"sealed reasoning", body]) {
        return None;
    }
    String::from_utf8(body.get(16..)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_reasoning_opens_for_its_fleet_and_item_only() {
        let sealed = seal(1, "rs_1", "hm");
        assert!(sealed.starts_with("gAAAAA"), "{sealed}");
        assert!(refuse(1, "rs_1", &sealed).is_ok() && refuse(1, "", &sealed).is_ok());
        assert!(refuse(1, "rs_2", &sealed).unwrap_err().message.contains("for item rs_2"));
        for (seed, text) in [(2, sealed.as_str()), (1, "gAAAAAforged"), (1, ""), (1, &sealed[..20])] {
            let refusal = refuse(seed, "rs_1", text).unwrap_err();
            assert_eq!(refusal.code, Some("invalid_encrypted_content"), "{text}");
        }
    }
}
