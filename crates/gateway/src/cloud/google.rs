//! Google's key files: what a service account or a user shows to be given an access token.
//!
//! <https://cloud.google.com/docs/authentication/application-default-credentials> and the file forms that `google-auth` 2.62
//! reads (`google/oauth2/service_account.py`, `google/oauth2/credentials.py`), read 2026-11-23.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::secret::Secret;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use crate::plan::digest_of;

/// What tokens may be used for: all of the cloud, within what the account may do.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// How long an assertion may be shown; the longest that is taken.
const ASSERTION_SECONDS: u64 = 3600;

/// A key file of Google's, ready for use.
#[derive(Debug)]
pub struct KeyFile {
    /// Who shows it.
    pub(super) holder: Holder,
    /// Where it is shown.
    pub token_uri: String,
    /// The project that the file names.
    pub project: Option<String>,
    /// The project that calls are billed to, where it is not the caller's own.
    pub quota_project: Option<String>,
    /// A digest of the file.
    pub(super) fingerprint: [u8; 32],
}

pub(super) enum Holder {
    ServiceAccount { email: String, key_id: Option<String>, key: RsaKeyPair },
    User { client_id: String, client_secret: Secret, refresh_token: Secret },
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ServiceAccount { email, .. } => write!(out, "ServiceAccount({email})"),
            Self::User { client_id, .. } => write!(out, "User({client_id})"),
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: Option<String>,
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<Secretive>,
    client_id: Option<String>,
    client_secret: Option<Secretive>,
    refresh_token: Option<Secretive>,
    token_uri: Option<String>,
    project_id: Option<String>,
    quota_project_id: Option<String>,
}

/// A text that is a secret from its first moment on.
struct Secretive(Secret);

impl<'de> Deserialize<'de> for Secretive {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(&text)))
    }
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong with it, never what it holds.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the key file `{shown}` cannot be read ({error})"))?;
        Self::parse(&text).map_err(|why| format!("the key file `{shown}` {why}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        // The parser's own words could quote the file.
        let raw: Raw = serde_json::from_str(text).map_err(|error| {
            format!("is not a key file's JSON (line {}, column {})", error.line(), error.column())
        })?;
        let lacks = |name: &str| format!("has no `{name}`; download it again");
        let holder = match raw.kind.as_deref() {
            Some("service_account") => {
                let pem = raw.private_key.ok_or_else(|| lacks("private_key"))?;
                Holder::ServiceAccount {
                    email: raw.client_email.ok_or_else(|| lacks("client_email"))?,
                    key_id: raw.private_key_id,
                    key: key_pair(&pem.0)?,
                }
            }
            Some("authorized_user") => Holder::User {
                client_id: raw.client_id.ok_or_else(|| lacks("client_id"))?,
                client_secret: raw.client_secret.ok_or_else(|| lacks("client_secret"))?.0,
                refresh_token: raw.refresh_token.ok_or_else(|| lacks("refresh_token"))?.0,
            },
            Some(kind) => {
                let kind: String = kind.chars().take(60).collect();
                return Err(format!(
                    "is of the type `{kind}`; service_account and authorized_user are supported"
                ));
            }
            None => return Err(lacks("type")),
        };
        let token_uri = raw.token_uri.unwrap_or_else(|| TOKEN_URI.to_owned());
        super::grant::must_be_private(&token_uri).map_err(|why| format!("has a token_uri that {why}"))?;
        let (project, quota_project) = (raw.project_id, raw.quota_project_id);
        Ok(Self { holder, token_uri, project, quota_project, fingerprint: digest_of(text.as_bytes()) })
    }

    /// Who shows it, in words.
    #[must_use]
    pub fn holder(&self) -> String {
        match &self.holder {
            Holder::ServiceAccount { email, .. } => format!("the service account {email}"),
            Holder::User { .. } => "a user's own credentials".to_owned(),
        }
    }

    /// The form that asks for a token.
    ///
    /// # Errors
    /// When the key does not sign.
    pub(super) fn form(&self, now: UnixMs) -> Result<Vec<(&'static str, String)>, String> {
        match &self.holder {
            Holder::ServiceAccount { email, key_id, key } => {
                let assertion = assertion(email, key_id.as_deref(), key, &self.token_uri, now)?;
                Ok(vec![
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
                    ("assertion", assertion),
                ])
            }
            Holder::User { client_id, client_secret, refresh_token } => Ok(vec![
                ("grant_type", "refresh_token".to_owned()),
                ("client_id", client_id.clone()),
                ("client_secret", client_secret.reveal().to_owned()),
                ("refresh_token", refresh_token.reveal().to_owned()),
            ]),
        }
    }
}

fn key_pair(pem: &Secret) -> Result<RsaKeyPair, String> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.reveal().as_bytes())
        .map_err(|_| "has a private_key that is not PKCS #8 in PEM; download it again")?;
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
        .map_err(|_| "has a private_key that is no RSA key of 2048 bits or more; make a new one".to_owned())
}

/// A signed statement that the service account asks for a token
/// (<https://developers.google.com/identity/protocols/oauth2/service-account#httprest>, read 2026-11-23).
fn assertion(
    email: &str,
    key_id: Option<&str>,
    key: &RsaKeyPair,
    audience: &str,
    now: UnixMs,
) -> Result<String, String> {
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(key_id) = key_id {
        header["kid"] = key_id.into();
    }
    let issued = now.seconds();
    let claims = json!({
        "iss": email,
        "scope": SCOPE,
        "aud": audience,
        "iat": issued,
        "exp": issued + ASSERTION_SECONDS,
    });
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| "its key does not sign")?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;

    use super::*;

    /// A service account's key file with a fresh key, and the public half of that key.
    pub(crate) fn service_account(token_uri: &str) -> (String, Vec<u8>) {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let file = json!({
            "type": "service_account", "project_id": "proj-1", "private_key_id": "key-7", "private_key": pem,
            "client_email": "gate@proj-1.iam.gserviceaccount.com", "token_uri": token_uri,
        });
        (file.to_string(), pair.public_key().as_ref().to_vec())
    }

    #[test]
    fn the_assertion_of_a_service_account_verifies_and_says_what_google_wants() {
        let uri = "https://oauth2.googleapis.com/token";
        let (text, public) = service_account(uri);
        let file = KeyFile::parse(&text).unwrap();
        assert_eq!((file.project.as_deref(), file.token_uri.as_str()), (Some("proj-1"), uri));
        let form = file.form(UnixMs(1_700_000_000_000)).unwrap();
        assert_eq!(form[0], ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()));
        let (signed, signature) = form[1].1.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public)
            .verify(signed.as_bytes(), &signature)
            .expect("the signature is the key's");
        let part =
            |text: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap() };
        let (header, claims) = signed.split_once('.').unwrap();
        assert_eq!(part(header), json!({"alg": "RS256", "typ": "JWT", "kid": "key-7"}));
        assert_eq!(
            part(claims),
            json!({
                "iss": "gate@proj-1.iam.gserviceaccount.com", "scope": SCOPE, "aud": uri,
                "iat": 1_700_000_000_u64, "exp": 1_700_003_600_u64,
            })
        );
    }

    #[test]
    fn files_that_cannot_be_used_are_refused_with_the_reason_and_without_their_secrets() {
        let (good, _) = service_account("https://oauth2.googleapis.com/token");
        let changed = |member: &str, value: Value| {
            let mut file: Value = serde_json::from_str(&good).unwrap();
            file[member] = value;
            file.to_string()
        };
        for (text, wanted) in [
            (changed("type", json!("external_account")), "is of the type `external_account`"),
            (changed("token_uri", json!("http://evil.test/token")), "neither https nor"),
            (changed("private_key", json!("canary")), "not PKCS #8"),
            (changed("client_email", Value::Null), "no `client_email`"),
            (
                "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"canary\"}".into(),
                "no `refresh_token`",
            ),
            ("canary".into(), "line 1, column 1"),
        ] {
            let error = KeyFile::parse(&text).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("canary"), "{error}");
        }
        assert!(!format!("{:?}", KeyFile::parse(&good).unwrap()).contains("PRIVATE"));
    }

    #[test]
    fn a_users_file_asks_with_its_refresh_token() {
        let text = "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s\",\"refresh_token\":\"r\",\"quota_project_id\":\"q\"}";
        let file = KeyFile::parse(text).unwrap();
        assert_eq!(file.quota_project.as_deref(), Some("q"));
        let form = file.form(UnixMs(0)).unwrap();
        assert!(
            form.contains(&("refresh_token", "r".to_owned()))
                && form.contains(&("grant_type", "refresh_token".to_owned()))
        );
        assert!(!format!("{file:?}").contains("\"r\""));
    }
}
