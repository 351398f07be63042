//! AWS Signature Version 4, for the one shape that services other than S3 want: headers signed, path encoded twice.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, read 2026-11-23. Pure: time,
//! key and request are arguments. The tests hold the signatures that AWS publishes in its test suite, and some that its
//! SDK for Python (botocore 1.44) made of requests as Bedrock gets them.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::{digest, hmac};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::secret::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The time of the signature.
pub const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// What makes a temporary key valid.
pub const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// An access key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id, which travels with every call.
    pub id: String,
    /// What signs.
    pub secret: Secret,
    /// The token of a temporary pair.
    pub session_token: Option<Secret>,
}

/// Signs calls to one service in one region.
pub struct Signer {
    key: AccessKey,
    session_token: Option<HeaderValue>,
    region: String,
    service: String,
    /// The key derived for a day: four rounds of HMAC that need not be made for every call.
    derived: Mutex<Option<(String, hmac::Key)>>,
}

/// What of a call is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// Its method.
    pub method: &'a str,
    /// The path as it stands in the request line, percent-encoded once.
    pub path: &'a str,
    /// The query as it stands there, without `?`; empty where there is none.
    pub query: &'a str,
    /// The headers that are signed, by lower-case name; sorted here.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body in pieces.
    pub body: &'a [&'a [u8]],
}

/// The headers that a signed call has besides its own.
#[derive(Clone, Debug)]
pub struct Signed {
    /// `x-amz-date`.
    pub date: HeaderValue,
    /// `x-amz-security-token`.
    pub session_token: Option<HeaderValue>,
    /// `authorization`.
    pub authorization: HeaderValue,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Signer({} in {})", self.service, self.region)
    }
}

impl Signer {
    /// A signer for a service, such as `bedrock`, in a region.
    ///
    /// # Errors
    /// When the key's parts cannot stand in a header.
    pub fn new(key: AccessKey, region: &str, service: &str) -> Result<Self, &'static str> {
        let session_token = match &key.session_token {
            None => None,
            Some(token) => {
                Some(sensitive(token.reveal()).ok_or("the session token cannot stand in a header")?)
            }
        };
        HeaderValue::from_str(&key.id).map_err(|_| "the access key's id cannot stand in a header")?;
        Ok(Self {
            key,
            session_token,
            region: region.to_owned(),
            service: service.to_owned(),
            derived: Mutex::new(None),
        })
    }

    /// The region that signatures name.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service that signatures name.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Signs a call that leaves now. `x-amz-date` and the session token are signed besides the headers given.
    #[must_use]
    pub fn sign(&self, call: &Signable<'_>, now: UnixMs) -> Option<Signed> {
        let time = time_of(now)?;
        let day = time.get(..8)?;
        let mut headers: Vec<(&str, &str)> = call.headers.to_vec();
        let (date_name, token_name) = (X_AMZ_DATE, X_AMZ_SECURITY_TOKEN);
        headers.push((date_name.as_str(), &time));
        if let Some(token) = &self.key.session_token {
            headers.push((token_name.as_str(), token.reveal()));
        }
        headers.sort_unstable();
        let (canonical, names) = canonical_request(call, &headers);
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{hashed}");
        let signature = hmac::sign(&self.derived_key(day), to_sign.as_bytes());
        let authorization = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.key.id,
            hex(signature.as_ref())
        );
        Some(Signed {
            date: HeaderValue::from_str(&time).ok()?,
            session_token: self.session_token.clone(),
            authorization: sensitive(&authorization)?,
        })
    }

    fn derived_key(&self, day: &str) -> hmac::Key {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, key)) = &*derived
            && known == day
        {
            return key.clone();
        }
        let step = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
        };
        let first = step(format!("AWS4{}", self.key.secret.reveal()).as_bytes(), day);
        let last = step(&step(&step(&first, &self.region), &self.service), "aws4_request");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &last);
        *derived = Some((day.to_owned(), key.clone()));
        key
    }
}

/// The canonical request, and the names of its headers.
fn canonical_request(call: &Signable<'_>, headers: &[(&str, &str)]) -> (String, String) {
    let mut text = String::with_capacity(512);
    text.push_str(call.method);
    text.push('\n');
    text.push_str(&encoded_again(call.path));
    text.push('\n');
    let mut pairs: Vec<(&str, &str)> = call
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    for (index, (name, value)) in pairs.iter().enumerate() {
        // Writing into memory cannot fail.
        let _ = write!(text, "{}{name}={value}", if index > 0 { "&" } else { "" });
    }
    text.push('\n');
    let mut names = String::new();
    for (index, (name, value)) in headers.iter().enumerate() {
        let is_again = index > 0 && headers[index - 1].0 == *name;
        if is_again {
            // Several of one name make one line.
            text.pop();
            text.push(',');
        } else {
            let _ = write!(text, "{name}:");
            let _ = write!(names, "{}{name}", if names.is_empty() { "" } else { ";" });
        }
        for (index, word) in value.split(' ').filter(|word| !word.is_empty()).enumerate() {
            let _ = write!(text, "{}{word}", if index > 0 { " " } else { "" });
        }
        text.push('\n');
    }
    let _ = write!(text, "\n{names}\n");
    let mut hash = digest::Context::new(&digest::SHA256);
    for piece in call.body {
        hash.update(piece);
    }
    text.push_str(&hex(hash.finish().as_ref()));
    (text, names)
}

/// A path that is percent-encoded once, encoded once more, as every service but S3 wants it in the canonical request.
fn encoded_again(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// `20150830T123600Z`.
fn time_of(now: UnixMs) -> Option<String> {
    let timestamp = Timestamp::from_second(i64::try_from(now.seconds()).ok()?).ok()?;
    Some(timestamp.strftime("%Y%m%dT%H%M%SZ").to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A header's value that is not printed.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
