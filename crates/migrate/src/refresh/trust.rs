//! Whose signatures count: public keys as text, and the signatures over a release.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// The key that signs Pilothouse's own releases of the catalogue, unless a configuration names others.
pub const BUNDLED_ROOTS: &str = include_str!("../../data/roots.txt");

/// A public key: as text `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root([u8; 32]);

impl fmt::Display for Root {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ed25519:{}", hex(&self.0))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Root {
    /// Reads the text form.
    ///
    /// # Errors
    /// What is wrong and what would be right, as a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no public key: write `ed25519:` and 64 hexadecimal digits, as `pilothouse models key` shows it"
            )
        };
        let digits = text.trim().strip_prefix("ed25519:").ok_or_else(wrong)?;
        let bytes = unhex(digits).ok_or_else(wrong)?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

/// The keys that are bundled.
///
/// # Errors
/// Never in a build that passed its tests: when the bundled text holds something else than keys and comments.
pub fn bundled_roots() -> Result<Vec<Root>, String> {
    let lines = BUNDLED_ROOTS.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Root::parse).collect()
}

/// A private key that signs releases. It has no text form.
pub struct Signing(Ed25519KeyPair);

impl Signing {
    /// Reads PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` and `pilothouse models key` write it.
    ///
    /// # Errors
    /// What is wrong, as a sentence without the key.
    pub fn parse(pem: &str) -> Result<Self, String> {
        let wrong =
            || "this is no Ed25519 key in PKCS #8 (PEM); `pilothouse models key FILE` makes one".to_owned();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = unbase64(body.trim()).ok_or_else(wrong)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| wrong())
    }

    /// A new key, with its text for a file that only its owner reads.
    ///
    /// # Errors
    /// The system's refusal of randomness.
    pub fn generate() -> Result<(Self, String), String> {
        let refused = || "the system gave no randomness for a key".to_owned();
        let pair = Ed25519KeyPair::generate().map_err(|_| refused())?;
        let der = pair.to_pkcs8v1().map_err(|_| refused())?;
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(der.as_ref()));
        Ok((Self(pair), pem))
    }

    /// The public half.
    #[must_use]
    pub fn root(&self) -> Root {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        Root(bytes)
    }

    /// The signature over `message`, 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_from_its_text_and_its_signature_holds_for_its_message_only() {
        let (key, pem) = Signing::generate().expect("a key");
        let again = Signing::parse(&pem).expect("reads");
        assert_eq!(again.root(), key.root());
        assert_eq!(Root::parse(&key.root().to_string()), Ok(key.root()));
        let signature = again.sign(b"message");
        assert!(key.root().has_signed(b"message", &signature));
        assert!(!key.root().has_signed(b"massage", &signature));
        assert!(!key.root().has_signed(b"message", &signature[..63]));
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_would_be_right() {
        for wrong in [
            "",
            "ed25519:",
            "ed25519:00",
            &format!("rsa:{}", "0".repeat(64)),
            &format!("ed25519:{}", "g".repeat(64)),
        ] {
            assert!(Root::parse(wrong).expect_err(wrong).contains("64 hexadecimal digits"));
        }
        assert!(Signing::parse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").is_err());
    }

    #[test]
    fn the_bundled_roots_are_keys() {
        assert!(!bundled_roots().expect("keys").is_empty());
    }
}
