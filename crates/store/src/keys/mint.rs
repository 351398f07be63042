//! Secrets of minted keys: 256 random bits behind a prefix that scanners of leaked secrets can look for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pilothouse_core::secret::Secret;
use sha2::{Digest as _, Sha256};

/// What every minted secret begins with.
pub const PREFIX: &str = "ph-";

/// 256 bits that nobody can guess, from the system's generator: chance is an argument here.
#[derive(Clone, Copy)]
pub struct Entropy(pub [u8; 32]);

impl std::fmt::Debug for Entropy {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Entropy(…)")
    }
}

/// A secret that was just made.
#[derive(Debug)]
pub struct FreshSecret {
    /// The secret, to be shown this once.
    pub secret: Secret,
    /// Its SHA-256, which is all that is kept.
    pub digest: [u8; 32],
    /// Its last four characters, by which people tell secrets apart.
    pub hint: String,
}

/// Makes the secret of so much entropy.
pub(super) fn secret(entropy: &Entropy) -> FreshSecret {
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(entropy.0));
    let hint = text[text.len() - 4..].to_owned();
    FreshSecret { digest: Sha256::digest(text.as_bytes()).into(), secret: Secret::new(&text), hint }
}
