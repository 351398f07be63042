//! How bodies lie on the disk: compressed, encrypted, and found by addresses that only the key can make.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{constant_time, hmac, rand};
use pilothouse_core::secret::Secret;

use crate::error::StoreError;
use crate::folder::private;

/// The file of the data folder that holds the key, where the configuration names none.
pub const KEY_FILE: &str = "bodies.key";

/// The least characters of a configured key.
const SECRET_MIN: usize = 32;
/// Bytes of a key, of what is derived from it, and of an address.
const KEY_BYTES: usize = 32;
/// Compression that costs least: bodies are text, and the writer shares the machine with requests.
const ZSTD_LEVEL: i32 = 1;

/// Where a body lies: a keyed digest of the caller's key and of the content.
pub(crate) type Address = [u8; KEY_BYTES];

/// The key that all bodies of a data folder are sealed with. It is never shown.
#[derive(Clone)]
pub struct BodyKey([u8; KEY_BYTES]);

impl fmt::Debug for BodyKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BodyKey(…)")
    }
}

impl BodyKey {
    /// The key of a secret that the configuration points at.
    ///
    /// # Errors
    /// A sentence that says what to do where the secret has fewer than 32 characters.
    pub fn of_secret(secret: &Secret) -> Result<Self, String> {
        let text = secret.reveal();
        if text.len() < SECRET_MIN {
            return Err(format!(
                "a key for bodies has at least {SECRET_MIN} characters; make one with `openssl rand -hex 32`"
            ));
        }
        Ok(Self(derive(text.as_bytes(), "pilothouse bodies, configured key")))
    }

    /// The key that the data folder holds; `None` where it holds none.
    ///
    /// # Errors
    /// The system's refusal, or a file that holds something else.
    pub fn read(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(KEY_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(StoreError::failed(&path, "read", cause)),
        };
        match from_hex(text.trim()) {
            Some(key) => Ok(Some(Self(key))),
            None => Err(StoreError::Damaged { path, what: "it is not a key of 64 digits".to_owned() }),
        }
    }

    /// Makes a key, in a file that only its owner may read: whole or not at all.
    pub(crate) fn make(dir: &Path) -> Result<Self, StoreError> {
        let (path, fresh) = (dir.join(KEY_FILE), dir.join("bodies.key.new"));
        let mut key = [0; KEY_BYTES];
        let mut write = || -> io::Result<()> {
            rand::fill(&mut key).map_err(|_| io::Error::other("the system gives no random bytes"))?;
            let mut file =
                private(OpenOptions::new().write(true).create(true).truncate(true)).open(&fresh)?;
            file.write_all(to_hex(&key).as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|cause| StoreError::failed(&path, "make", cause))?;
        Ok(Self(key))
    }
}

fn to_hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n"
}

fn from_hex(text: &str) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
        return None;
    }
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(key)
}

/// A key for one purpose: HMAC-SHA-256 as a pseudo-random function, the expanding half of RFC 5869.
fn derive(from: &[u8], purpose: &str) -> [u8; KEY_BYTES] {
    digest(&hmac::Key::new(hmac::HMAC_SHA256, from), &[purpose.as_bytes()])
}

/// A keyed digest of parts, each behind its length so that no two lists of parts are one.
fn digest(key: &hmac::Key, parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut out = [0; KEY_BYTES];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// Seals and opens, and makes addresses.
pub(crate) struct Sealer {
    sealing: RandomizedNonceKey,
    addresses: hmac::Key,
    check: [u8; KEY_BYTES],
}

impl fmt::Debug for Sealer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sealer(…)")
    }
}

/// A body as it lies on the disk.
pub(crate) struct Sealed {
    pub(crate) address: Address,
    /// Bytes of the body itself.
    pub(crate) length: u64,
    pub(crate) sealed: Vec<u8>,
}

/// Why a body could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsealable(pub(crate) &'static str);

impl fmt::Display for Unsealable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for Unsealable {}

impl Sealer {
    pub(crate) fn new(key: &BodyKey) -> Result<Self, Unsealable> {
        let derived = |purpose| derive(&key.0, purpose);
        Ok(Self {
            sealing: RandomizedNonceKey::new(&AES_256_GCM, &derived("pilothouse bodies, sealing"))
                .map_err(|_| Unsealable("the key is not one of AES-256"))?,
            addresses: hmac::Key::new(hmac::HMAC_SHA256, &derived("pilothouse bodies, addresses")),
            check: derived("pilothouse bodies, check"),
        })
    }

    /// What tells whether a file was sealed with this key, and tells nothing of the key.
    pub(crate) const fn check(&self) -> &[u8] {
        &self.check
    }

    /// Whether a file with that check was sealed with this key.
    pub(crate) fn fits(&self, check: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.check, check).is_ok()
    }

    /// The address of a caller's content. Equal content of two callers has two addresses, so that nobody who reads the
    /// disk can tell that it is equal.
    pub(crate) fn address(&self, key: &str, content: &[u8]) -> Address {
        digest(&self.addresses, &[b"body", key.as_bytes(), content])
    }

    /// Under what a caller's response is found. Another caller's same id is another tag.
    pub(crate) fn response_tag(&self, key: &str, response: &str) -> Address {
        digest(&self.addresses, &[b"response", key.as_bytes(), response.as_bytes()])
    }

    /// Under what an end user's bodies are found.
    pub(crate) fn user_tag(&self, user: &str) -> Address {
        digest(&self.addresses, &[b"user", user.as_bytes()])
    }

    /// Compresses and encrypts a caller's content. The nonce stands before it, the tag behind it; the address is
    /// authenticated with it, so that it opens in its own place only.
    pub(crate) fn seal(&self, key: &str, content: &[u8]) -> Result<Sealed, Unsealable> {
        let address = self.address(key, content);
        let mut packed = zstd::bulk::compress(content, ZSTD_LEVEL)
            .map_err(|_| Unsealable("it could not be compressed"))?;
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::from(address), &mut packed)
            .map_err(|_| Unsealable("it could not be encrypted"))?;
        let sealed = [nonce.as_ref().as_slice(), &packed].concat();
        Ok(Sealed { address, length: content.len() as u64, sealed })
    }

    /// The content that was sealed for that address, of `length` bytes.
    pub(crate) fn open(
        &self,
        address: &[u8],
        length: u64,
        mut sealed: Vec<u8>,
    ) -> Result<Vec<u8>, Unsealable> {
        let wrong = Unsealable("a body does not open: it was changed, or sealed with another key");
        let (nonce, content) = sealed.split_at_mut_checked(NONCE_LEN).ok_or(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong)?;
        let packed = self.sealing.open_in_place(nonce, Aad::from(address), content).map_err(|_| wrong)?;
        let length = usize::try_from(length).map_err(|_| wrong)?;
        let content = zstd::bulk::decompress(packed, length).map_err(|_| wrong)?;
        if content.len() == length { Ok(content) } else { Err(wrong) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealer(secret: &str) -> Sealer {
        Sealer::new(&BodyKey::of_secret(&Secret::new(secret)).unwrap()).unwrap()
    }

    const ONE: &str = "0123456789abcdef0123456789abcdef";

    proptest! {
        #[test]
        fn what_is_sealed_opens_as_it_was(content in proptest::collection::vec(any::<u8>(), 0..4000)) {
            let sealer = sealer(ONE);
            let sealed = sealer.seal("search", &content).unwrap();
            prop_assert_eq!(sealer.open(&sealed.address, sealed.length, sealed.sealed).unwrap(), content);
        }

        #[test]
        fn a_changed_byte_never_opens(place: proptest::sample::Index, change in 1u8..) {
            let sealer = sealer(ONE);
            let Sealed { address, length, mut sealed } = sealer.seal("search", b"how are you").unwrap();
            let place = place.index(sealed.len());
            sealed[place] ^= change;
            prop_assert!(sealer.open(&address, length, sealed).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), length: u64) {
            prop_assert!(sealer(ONE).open(&[0; 32], length, bytes).is_err());
        }
    }

    #[test]
    fn equal_content_of_two_keys_has_nothing_in_common() {
        let sealer = sealer(ONE);
        let (one, other) = (sealer.seal("a", b"same").unwrap(), sealer.seal("b", b"same").unwrap());
        assert_ne!(one.address, other.address);
        assert_eq!(one.address, sealer.seal("a", b"same").unwrap().address);
        assert_ne!(one.sealed, sealer.seal("a", b"same").unwrap().sealed, "a nonce comes once");
        assert!(sealer.open(&other.address, one.length, one.sealed).is_err(), "in its own place only");
        assert_ne!(sealer.response_tag("a", "resp_1"), sealer.response_tag("b", "resp_1"));
        assert_ne!(sealer.response_tag("a", "resp_1"), sealer.address("a", b"resp_1"));
    }

    #[test]
    fn another_key_opens_nothing_and_is_told_apart() {
        let (one, other) = (sealer(ONE), sealer("fedcba9876543210fedcba9876543210"));
        let sealed = one.seal("a", b"words").unwrap();
        assert!(other.open(&sealed.address, sealed.length, sealed.sealed).is_err());
        assert!(one.fits(one.check()) && !other.fits(one.check()) && !one.fits(b""));
        assert!(BodyKey::of_secret(&Secret::new("short")).unwrap_err().contains("at least 32"));
    }

    #[test]
    fn a_made_key_is_its_owners_alone_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(BodyKey::read(dir.path()).unwrap().is_none());
        let made = BodyKey::make(dir.path()).unwrap();
        assert_eq!(BodyKey::read(dir.path()).unwrap().unwrap().0, made.0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(dir.path().join(KEY_FILE), "nonsense").unwrap();
        assert!(matches!(BodyKey::read(dir.path()), Err(StoreError::Damaged { .. })));
    }
}
