//! The key that signs the chain's entries: Ed25519, in the form that other tools write too.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::digest::from_hex;
use crate::error::StoreError;
use crate::folder;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Longest key file that is read; ours have three short lines.
const KEY_BYTES_MAX: u64 = 16 * 1024;

/// What is signed begins with this, so that a signature of the chain is good for nothing else.
const SIGNED: &[u8] = b"pilothouse ledger entry 1\n";

/// Bytes of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// The private half. Never shown.
#[derive(Clone)]
pub struct SigningKey(Arc<Ed25519KeyPair>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.public())
    }
}

impl SigningKey {
    /// Reads a key: PKCS #8 as PEM (what `openssl genpkey -algorithm ed25519` writes), or its base64 alone.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "it is no Ed25519 key: put there what `openssl genpkey -algorithm ed25519` writes (PKCS #8)"
                .to_owned()
        };
        let text = text.trim();
        let body = match text.strip_prefix(BEGIN) {
            Some(rest) => rest.trim_end().strip_suffix(END).ok_or_else(wrong)?,
            None => text,
        };
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| wrong())?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(|key| Self(Arc::new(key))).map_err(|_| wrong())
    }

    /// Reads the key of a file.
    ///
    /// # Errors
    /// The system's refusal, or that the file has no key; both name the file.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let failed = |cause: io::Error| StoreError::failed(path, "read the signing key", cause);
        if std::fs::metadata(path).map_err(failed)?.len() > KEY_BYTES_MAX {
            return Err(failed(io::Error::other("it is too long for a key")));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text).map_err(|what| failed(io::Error::other(what)))
    }

    /// Reads the key of a file, or makes both, for the owner only. True where they were made.
    ///
    /// # Errors
    /// As [`SigningKey::read`], and when the file cannot be made.
    pub fn read_or_make(path: &Path) -> Result<(Self, bool), StoreError> {
        if path.exists() {
            return Ok((Self::read(path)?, false));
        }
        let failed = |cause: io::Error| StoreError::failed(path, "make the signing key", cause);
        let refused = || failed(io::Error::other("the system has no randomness to give"));
        let key = Ed25519KeyPair::generate().map_err(|_| refused())?;
        let der = key.to_pkcs8v1().map_err(|_| refused())?;
        let text = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der.as_ref()));
        let mut file =
            folder::private(OpenOptions::new().write(true).create_new(true)).open(path).map_err(failed)?;
        // A key that is lost with the power would leave signatures that nothing can check.
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok((Self(Arc::new(key)), true))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        let public = self.0.public_key().as_ref();
        // An Ed25519 key has 32 bytes.
        if public.len() == bytes.len() {
            bytes.copy_from_slice(public);
        }
        PublicKey(bytes)
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; SIGNATURE_BYTES] {
        let mut bytes = [0; SIGNATURE_BYTES];
        let signature = self.0.sign(&[SIGNED, text.as_bytes()].concat());
        if signature.as_ref().len() == SIGNATURE_BYTES {
            bytes.copy_from_slice(signature.as_ref());
        }
        bytes
    }
}

/// The public half: who has it can check signatures and make none. As text `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    pub(crate) fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        let signed = [SIGNED, text.as_bytes()].concat();
        UnparsedPublicKey::new(&ED25519, self.0).verify(&signed, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ed25519:")?;
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix("ed25519:").and_then(from_hex).map(Self).ok_or_else(|| {
            format!("`{text}` is no public key: `ed25519:` and 64 hexadecimal digits, as `logs verify --public-key` prints it")
        })
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by `openssl genpkey -algorithm ed25519`; its public half by `openssl pkey -pubout`.
    const FOREIGN: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_of_another_tool_is_read_with_and_without_its_frame() {
        let framed = SigningKey::parse(FOREIGN).unwrap();
        let bare = SigningKey::parse(FOREIGN.lines().nth(1).unwrap()).unwrap();
        // RFC 8032, section 7.1, test 1: this seed has this public key.
        let public = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!((framed.public().to_string(), bare.public()), (public.to_owned(), framed.public()));
        assert!(!format!("{framed:?}").contains("MC4C"));
    }

    #[test]
    fn a_key_that_is_made_is_read_again_and_is_the_owners_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let (made, is_new) = SigningKey::read_or_make(&path).unwrap();
        let (read, is_new_again) = SigningKey::read_or_make(&path).unwrap();
        assert_eq!((is_new, is_new_again, made.public()), (true, false, read.public()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn signatures_are_good_for_their_text_and_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let (key, _) = SigningKey::read_or_make(&dir.path().join("one")).unwrap();
        let (other, _) = SigningKey::read_or_make(&dir.path().join("two")).unwrap();
        let signature = key.sign("entry");
        assert!(key.public().has_signed("entry", &signature));
        assert!(!key.public().has_signed("entrY", &signature));
        assert!(!other.public().has_signed("entry", &signature));
        assert!(!key.public().has_signed("entry", &signature[1..]));
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_to_do_and_without_its_text() {
        for text in ["", "secret-words", "-----BEGIN PRIVATE KEY-----\nAAAA", "aGVsbG8="] {
            let refusal = SigningKey::parse(text).unwrap_err();
            assert!(refusal.contains("openssl genpkey"), "{refusal}");
            assert!(text.is_empty() || !refusal.contains(text), "{refusal}");
        }
        assert!("ed25519:12".parse::<PublicKey>().unwrap_err().contains("--public-key"));
    }
}
