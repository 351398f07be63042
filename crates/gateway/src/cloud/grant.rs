//! Asking for an access token: what is sent, and what of the answer counts.
//!
//! <https://datatracker.ietf.org/doc/html/rfc6749#section-5> for the answers;
//! <https://cloud.google.com/compute/docs/access/authenticate-workloads> for the metadata server. Read 2026-11-23.

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use pilothouse_core::clock::UnixMs;
use pilothouse_upstream::{Client, Head, Origin, OriginOptions, Request, Timeouts};
use serde_json::Value;

use super::entra::Principal;
use super::google::KeyFile;
use super::sigv4::sensitive;
use crate::plan::digest_of;

const METADATA_HOST: &str = "metadata.google.internal";
const METADATA_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
/// Largest answer of a token endpoint that is read.
const ANSWER_MAX: usize = 64 * 1024;
/// Longest that a token is believed to live, whatever its issuer says.
const LIFE_MAX_SECONDS: u64 = 24 * 3600;
/// How long the life of a token is whose issuer does not say; shorter than any known one.
const LIFE_UNTOLD_SECONDS: u64 = 600;

/// By what right tokens are asked for.
#[derive(Debug)]
pub enum Grant {
    /// Google's, with a key file.
    Google(KeyFile),
    /// Google's, because this machine stands in its cloud. The host of the metadata server.
    Metadata(String),
    /// Microsoft's, as a service principal.
    Entra(Principal),
}

/// A token as it came.
#[derive(Debug)]
pub struct Fetched {
    /// `Bearer TOKEN`.
    pub header: HeaderValue,
    /// Seconds that it is valid.
    pub life_seconds: u64,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantError {
    /// What happened, without secrets.
    pub why: String,
    /// Asking again changes nothing: the request was understood and refused.
    pub is_final: bool,
}

impl fmt::Display for GrantError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.why)
    }
}

impl std::error::Error for GrantError {}

impl Grant {
    /// The metadata server, where the environment does not name another.
    #[must_use]
    pub fn metadata(host: Option<&str>) -> Self {
        Self::Metadata(host.unwrap_or(METADATA_HOST).to_owned())
    }

    /// Whose tokens they are, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Google(file) => format!("fetches access tokens for {}", file.holder()),
            Self::Metadata(host) => format!("fetches access tokens from the metadata server at {host}"),
            Self::Entra(principal) => {
                format!("fetches access tokens of Entra ID for the application {}", principal.client_id)
            }
        }
    }

    /// Tells grants apart: equal for the same credential at the same place.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        match self {
            Self::Google(file) => file.fingerprint,
            Self::Metadata(host) => digest_of(host.as_bytes()),
            Self::Entra(principal) => {
                let form = encoded(&principal.form());
                digest_of(format!("{} {form}", principal.token_uri).as_bytes())
            }
        }
    }

    /// Where tokens are asked for.
    ///
    /// # Errors
    /// When the address cannot be called.
    pub fn origin(&self, options: &OriginOptions) -> Result<Origin, String> {
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(8),
            between_chunks: Duration::from_secs(5),
            total: Duration::from_secs(10),
        };
        let mut options = OriginOptions { timeouts, ..options.clone() };
        let address = match self {
            Self::Google(file) => file.token_uri.clone(),
            Self::Entra(principal) => principal.token_uri.clone(),
            Self::Metadata(host) => {
                // It is a neighbour: no proxy stands between.
                options.proxy = Some(String::new());
                format!("http://{host}{METADATA_PATH}")
            }
        };
        Origin::new(&address, &options).map_err(|error| error.to_string())
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// Why there is none, and whether asking again is worth it.
    pub async fn fetch(&self, client: &Client, origin: &Origin, now: UnixMs) -> Result<Fetched, GrantError> {
        let (method, header, body) = match self {
            Self::Metadata(_) => {
                let flavor = HeaderName::from_static("metadata-flavor");
                (Method::GET, (flavor, HeaderValue::from_static("Google")), String::new())
            }
            Self::Google(file) => {
                let form = file.form(now).map_err(|why| GrantError { why, is_final: true })?;
                (Method::POST, form_header(), encoded(&form))
            }
            Self::Entra(principal) => (Method::POST, form_header(), encoded(&principal.form())),
        };
        let headers = [header, (ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
        let head = Head::for_origin(origin, &method, "", &headers);
        let pieces = [body.as_bytes()];
        let body: &[&[u8]] = if body.is_empty() { &[] } else { &pieces };
        let request = Request { head: &head, tail: "", extra: &[], body };
        let passing = |why: String| GrantError { why, is_final: false };
        let place = origin.authority();
        let answer = client
            .send(origin, &request, |_| false, &mut 0)
            .await
            .map_err(|failure| passing(format!("{place}: {failure}")))?;
        let status = answer.status.as_u16();
        let text = answer.body.collect(ANSWER_MAX).await;
        let text = text.map_err(|failure| passing(format!("{place}: {failure}")))?;
        read(status, &text).map_err(|error| GrantError { why: format!("{place} {}", error.why), ..error })
    }
}

fn form_header() -> (HeaderName, HeaderValue) {
    (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
}

/// Reads the answer of a token endpoint.
fn read(status: u16, text: &[u8]) -> Result<Fetched, GrantError> {
    let answer: Value = serde_json::from_slice(text).unwrap_or_default();
    if status != 200 {
        let said = |name: &str| {
            let text = answer[name].as_str().unwrap_or_default();
            text.chars().filter(|sign| !sign.is_control()).take(200).collect::<String>()
        };
        let words = [said("error"), said("error_description")].join(" ");
        // <https://datatracker.ietf.org/doc/html/rfc6749#section-5.2>: 400 and 401 say that the credential is wrong.
        let is_final = (400..500).contains(&status) && !matches!(status, 408 | 429);
        return Err(GrantError { why: format!("answered {status} {}", words.trim()), is_final });
    }
    let header = answer["access_token"].as_str().and_then(|token| sensitive(&format!("Bearer {token}")));
    let header = header
        .ok_or_else(|| GrantError { why: "answered without an access_token".to_owned(), is_final: false })?;
    // Some issuers write the number as a text.
    let told = &answer["expires_in"];
    let life = told.as_u64().or_else(|| told.as_str().and_then(|text| text.parse().ok()));
    Ok(Fetched { header, life_seconds: life.unwrap_or(LIFE_UNTOLD_SECONDS).min(LIFE_MAX_SECONDS) })
}

/// Whether an address keeps what is sent to it from others: https, or this machine.
pub(crate) fn must_be_private(address: &str) -> Result<(), &'static str> {
    let uri: http::Uri = address.parse().map_err(|_| "is not a URL")?;
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => Ok(()),
        Some("http") if is_loopback => Ok(()),
        _ => Err("is neither https nor on this machine"),
    }
}

/// A form as `application/x-www-form-urlencoded`.
fn encoded(form: &[(&'static str, String)]) -> String {
    let mut out = String::with_capacity(1024);
    for (name, value) in form {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded_so_that_no_value_ends_early() {
        let form = [("grant_type", "urn:x:y".to_owned()), ("assertion", "a.b&c=d e".to_owned())];
        assert_eq!(encoded(&form), "grant_type=urn%3Ax%3Ay&assertion=a.b%26c%3Dd%20e");
    }

    #[test]
    fn tokens_come_with_the_life_that_is_told_or_a_short_one() {
        let life = |text: &str| read(200, text.as_bytes()).unwrap().life_seconds;
        assert_eq!(life("{\"access_token\":\"t\",\"expires_in\":3599}"), 3599);
        assert_eq!(life("{\"access_token\":\"t\",\"expires_in\":\"1200\"}"), 1200);
        assert_eq!(life("{\"access_token\":\"t\"}"), LIFE_UNTOLD_SECONDS);
        assert_eq!(life("{\"access_token\":\"t\",\"expires_in\":999999999}"), LIFE_MAX_SECONDS);
        let fetched = read(200, b"{\"access_token\":\"canary\",\"expires_in\":60}").unwrap();
        assert!(!format!("{fetched:?}").contains("canary"));
    }

    #[test]
    fn refusals_say_why_and_whether_asking_again_helps() {
        let refusal =
            read(400, b"{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}");
        assert_eq!(
            refusal.unwrap_err(),
            GrantError {
                why: "answered 400 invalid_grant Invalid JWT Signature.".to_owned(),
                is_final: true
            }
        );
        assert!(!read(503, b"<html>").unwrap_err().is_final);
        assert!(!read(429, b"{}").unwrap_err().is_final);
        assert!(read(200, b"{}").is_err() && read(200, b"{\"access_token\":\"a\\nb\"}").is_err());
    }

    #[test]
    fn only_https_and_this_machine_are_private() {
        for good in [
            "https://oauth2.googleapis.com/token",
            "http://127.0.0.1:80/t",
            "http://[::1]:80/t",
            "http://localhost/t",
        ] {
            assert_eq!(must_be_private(good), Ok(()), "{good}");
        }
        for bad in [
            "http://oauth2.googleapis.com/token",
            "http://127.0.0.1.evil.test/",
            "ftp://x",
            "token",
            "https://",
        ] {
            assert!(must_be_private(bad).is_err(), "{bad}");
        }
    }
}
