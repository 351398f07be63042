//! Verifies AWS Signature Version 4, from the signature's definition alone.
//!
//! Definition: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>; the path is encoded
//! twice, as every service but S3 does. Errors: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>
//! and <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>; read 2026-11-23.

use super::error::Refusal;
use aws_lc_rs::hmac;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};

/// The algorithm, as the header names it.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service that the credential's scope must name.
const SERVICE: &str = "bedrock";
/// How far a signature's time may be from ours.
const SKEW_S: u64 = 300;

/// An access key that the fleet knows. They are the ones of AWS's own examples, and open no real account.
#[derive(Clone, Copy, Debug)]
pub struct AwsKey {
    /// The access key's id.
    pub id: &'static str,
    /// The secret.
    pub secret: &'static str,
    /// What `x-amz-security-token` must be, for temporary credentials.
    pub session_token: Option<&'static str>,
}

/// A long-lived key, and a temporary one with its session token.
pub const AWS_KEYS: &[AwsKey] = &[
    AwsKey {
        id: "AKIAIOSFODNN7EXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        session_token: None,
    },
    AwsKey {
        id: "ASIAIOSFODNN7EXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        session_token: Some("simulated-session-token"),
    },
];

/// A request as it was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// As it came, not decoded.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The parts of an `Authorization` header.
#[derive(Debug)]
struct Claim<'a> {
    id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn read(header: &'a str) -> Result<Claim<'a>, Refusal> {
        let incomplete = |why: String| {
            let message = format!("{why} Authorization={ALGORITHM}");
            Refusal::other(403, "IncompleteSignatureException", message)
        };
        let rest = header
            .strip_prefix(ALGORITHM)
            .ok_or_else(|| incomplete("Unsupported AWS 'algorithm'.".to_owned()))?;
        let part = |name: &str| {
            let found = rest.split(',').find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('='));
            found
                .filter(|f| !f.is_empty())
                .ok_or_else(|| incomplete(format!("Authorization header requires '{name}' parameter.")))
        };
        let scope: Vec<&str> = part("Credential")?.split('/').collect();
        let [id, date, region, service, "aws4_request"] = scope.as_slice() else {
            let why = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.";
            return Err(incomplete(why.to_owned()));
        };
        let headers = part("SignedHeaders")?.split(';').collect();
        Ok(Claim { id, date, region, service, headers, signature: part("Signature")? })
    }
}

/// Checks a signature made at most five minutes from `now_s`; gives the access key's id.
pub(crate) fn verify(request: &Signed<'_>, now_s: u64) -> Result<&'static str, Refusal> {
    let header = |name: &str| request.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let claim = Claim::read(header("authorization"))?;
    let time = header("x-amz-date");
    scoped(&claim, time)?;
    recent(time, now_s)?;
    complete(&claim, request.headers)?;
    let unknown = || {
        let message = "The security token included in the request is invalid.";
        Refusal::other(403, "UnrecognizedClientException", message)
    };
    let key = AWS_KEYS.iter().find(|k| k.id == claim.id).ok_or_else(unknown)?;
    if key.session_token.is_some_and(|token| token != header("x-amz-security-token")) {
        return Err(unknown());
    }
    if signature(request, &claim, key.secret, time) != claim.signature {
        return Err(Refusal::signature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        ));
    }
    Ok(key.id)
}

fn scoped(claim: &Claim<'_>, time: &str) -> Result<(), Refusal> {
    if claim.service != SERVICE {
        return Err(Refusal::signature(format!(
            "Credential should be scoped to correct service: '{SERVICE}'."
        )));
    }
    let parts: Vec<&str> = claim.region.split('-').collect();
    let is_region = parts.len() >= 3
        && parts
            .iter()
            .all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if !is_region {
        return Err(Refusal::signature("Credential should be scoped to a valid region."));
    }
    if !time.starts_with(claim.date) || claim.date.len() != 8 {
        return Err(Refusal::signature(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{time}'.",
            claim.date,
            time.get(..8).unwrap_or_default()
        )));
    }
    Ok(())
}

fn recent(time: &str, now_s: u64) -> Result<(), Refusal> {
    let Some(signed_s) = unix_s(time) else {
        let message = format!(
            "Date must be in ISO-8601 'basic format'. Got '{time}'. See http://en.wikipedia.org/wiki/ISO_8601"
        );
        return Err(Refusal::other(403, "IncompleteSignatureException", message));
    };
    if signed_s + SKEW_S < now_s {
        return Err(Refusal::signature(format!(
            "Signature expired: {time} is now earlier than {} ({} - 5 min.)",
            stamp(now_s - SKEW_S),
            stamp(now_s)
        )));
    }
    if signed_s > now_s + SKEW_S {
        return Err(Refusal::signature(format!(
            "Signature not yet current: {time} is still later than {} ({} + 5 min.)",
            stamp(now_s + SKEW_S),
            stamp(now_s)
        )));
    }
    Ok(())
}

/// The host, and every header of AWS's that the request has, must be signed.
fn complete(claim: &Claim<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
    if !claim.headers.contains(&"host") {
        return Err(Refusal::signature(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    let mut unsigned = headers.keys().map(http::HeaderName::as_str);
    match unsigned.find(|name| name.starts_with("x-amz-") && !claim.headers.contains(name)) {
        Some(name) => {
            Err(Refusal::signature(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")))
        }
        None => Ok(()),
    }
}

/// The signature that the request should carry.
fn signature(request: &Signed<'_>, claim: &Claim<'_>, secret: &str, time: &str) -> String {
    let scope = format!("{}/{}/{}/aws4_request", claim.date, claim.region, claim.service);
    let canonical = hex(&Sha256::digest(canonical(request, &claim.headers)));
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{canonical}");
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [claim.date, claim.region, claim.service, "aws4_request", &to_sign] {
        key = keyed(&key, part.as_bytes());
    }
    hex(&key)
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// The canonical request.
fn canonical(request: &Signed<'_>, signed: &[&str]) -> String {
    let mut names = signed.to_vec();
    names.sort_unstable();
    let lines: String = names.iter().map(|n| format!("{n}:{}\n", value(request.headers, n))).collect();
    format!(
        "{}\n{}\n{}\n{lines}\n{}\n{}",
        request.method,
        encoded(&resolved(request.path), true),
        query(request.query),
        names.join(";"),
        hex(&Sha256::digest(request.body))
    )
}

/// A header's values, trimmed, runs of spaces made one, joined by commas.
fn value(headers: &HeaderMap, name: &str) -> String {
    let one = |v: &http::HeaderValue| {
        String::from_utf8_lossy(v.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    headers.get_all(name).iter().map(one).collect::<Vec<_>>().join(",")
}

/// The path without empty and dot segments.
fn resolved(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(out.pop()),
            other => out.push(other),
        }
    }
    let end = if path.ends_with('/') && !out.is_empty() { "/" } else { "" };
    format!("/{}{end}", out.join("/"))
}

fn query(query: &str) -> String {
    let pairs = query.split('&').filter(|q| !q.is_empty()).map(|q| q.split_once('=').unwrap_or((q, "")));
    let again = |text: &str| encoded(&decoded(text), false);
    let mut pairs: Vec<(String, String)> = pairs.map(|(n, v)| (again(n), again(v))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&")
}

/// Every byte but the unreserved ones as `%XX`.
fn encoded(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Text with each `%XX` as its byte.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match code.and_then(|c| u8::from_str_radix(c, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Unix seconds of `20150830T123600Z`. Day counts from civil dates: Hinnant's algorithm.
fn unix_s(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = time.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    if time.len() != 16 || time.get(8..9) != Some("T") || !time.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + number(9, 11)? * 3_600 + number(11, 13)? * 60 + number(13, 15)?;
    u64::try_from(seconds).ok()
}

/// Unix seconds as `20150830T123600Z`.
fn stamp(unix_s: u64) -> String {
    let (year, month, day) = crate::anthropic::civil(unix_s);
    let of_day = unix_s % 86_400;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const TIME: &str = "20150830T123600Z";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    fn signed(
        service: &'static str,
        method: &str,
        path: &str,
        query: &str,
        pairs: &[(&'static str, &'static str)],
    ) -> String {
        let headers = headers(pairs);
        let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        let claim = Claim {
            id: "AKIDEXAMPLE",
            date: "20150830",
            region: "us-east-1",
            service,
            headers: names,
            signature: "",
        };
        let request = Signed { method, path, query, headers: &headers, body: b"" };
        signature(&request, &claim, SECRET, TIME)
    }

    /// The example of <https://docs.aws.amazon.com/general/latest/gr/sigv4-signed-request-examples.html> and cases of AWS's
    /// `aws-sig-v4-test-suite`.
    #[test]
    fn published_examples_have_their_published_signatures() {
        let pairs = [("host", "example.amazonaws.com"), ("x-amz-date", TIME)];
        for (method, query, wanted) in [
            ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "GET",
                "Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            assert_eq!(signed("service", method, "/", query, &pairs), wanted, "{method} {query}");
        }
        let users = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", TIME),
        ];
        assert_eq!(
            signed("iam", "GET", "/", "Action=ListUsers&Version=2010-05-08", &users),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn the_signing_key_is_the_published_one() {
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in ["20150830", "us-east-1", "iam", "aws4_request"] {
            key = keyed(&key, part.as_bytes());
        }
        assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn paths_are_encoded_a_second_time_and_resolved() {
        assert_eq!(encoded(&resolved("/model/a%3A0/converse"), true), "/model/a%253A0/converse");
        assert_eq!(encoded(&resolved("/model/a:0/x y"), true), "/model/a%3A0/x%20y");
        assert_eq!(resolved("//a/./b/../c/"), "/a/c/");
        assert_eq!(resolved("/"), "/");
    }

    #[test]
    fn a_header_that_is_not_whole_is_told_what_it_lacks() {
        let why = |header: &str| Claim::read(header).map_or_else(|r| r.message, |_| "read".to_owned());
        assert!(why("Basic abc").starts_with("Unsupported AWS 'algorithm'"));
        assert!(why("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=x").contains("requires 'Credential'"));
        assert!(
            why("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=x").contains("exactly 5")
        );
        assert_eq!(
            why("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request,SignedHeaders=host,Signature=x"),
            "read"
        );
    }

    proptest! {
        #[test]
        fn times_are_read_as_they_are_written(seconds in 0u64..4_102_444_800) {
            prop_assert_eq!(unix_s(&stamp(seconds)), Some(seconds));
        }

        #[test]
        fn what_is_encoded_decodes_to_itself(text in ".{0,40}") {
            prop_assert_eq!(decoded(&encoded(&text, false)), text);
        }
    }
}
