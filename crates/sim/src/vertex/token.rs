//! The token endpoint: an access token for an assertion that a service account signed.
//!
//! Grant: RFC 7523 and <https://developers.google.com/identity/protocols/oauth2/service-account>, read 2026-11-23: form fields
//! `grant_type` and `assertion`; the assertion is a JWT signed with RS256, its claims `iss`, `scope`, `aud`, `iat` and `exp`, at
//! most an hour apart. A user's refresh token buys one too. `?expires_in=N` makes tokens that live N seconds, so that a client's renewal can be seen.

use crate::answer::Answer;
use crate::form::{Issued, field, life_s};
use crate::shape::text;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The key pair of the fleet's service account. It is published here, and opens nothing.
const KEY_PEM: &str = include_str!("../../fixtures/service-account.pem");
const KEY_ID: &str = "5137e700c0ffee5137e700c0ffee5137e700c0ff";
const ACCOUNT: &str = "fleet@sim-project.iam.gserviceaccount.com";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// What Google's own clients name as audience, wherever they send the assertion.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// A scope that reaches the models.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Longest life of an assertion and of a token, and how far clocks may be apart.
const LIFE_S: u64 = 3_600;
const SKEW_S: u64 = 300;
/// What access tokens begin with; the fleet's own go on with their end and a mark.
const PREFIX: &str = "ya29.";
const TOKENS: Issued = Issued { prefix: "ya29.sim-", purpose: b"access token" };

static KEYS: LazyLock<Option<KeyPair>> =
    LazyLock::new(|| KeyPair::from_pkcs8(&STANDARD.decode(bare()).ok()?).ok());

/// The key's text without its frame.
fn bare() -> String {
    KEY_PEM.lines().filter(|l| !l.starts_with("-----")).collect()
}

/// The key file of the fleet's service account, as Google hands them out, with this address of the token endpoint.
#[must_use]
pub fn service_account(token_uri: &str) -> String {
    let file = json!({
        "type": "service_account",
        "project_id": "sim-project",
        "private_key_id": KEY_ID,
        "private_key": KEY_PEM,
        "client_email": ACCOUNT,
        "client_id": "100000000000000000051",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
    });
    format!("{file:#}\n")
}

/// Why no token is given: the OAuth error's code and description.
type Denied = (&'static str, String);

/// `POST /token`: `host` and `path` are where it was sent, `seed` marks the tokens of one fleet.
pub(crate) fn grant(seed: u64, now_s: u64, host: &str, path: &str, query: &str, body: &[u8]) -> Answer {
    let form = String::from_utf8_lossy(body);
    let asked = match field(&form, "grant_type").as_str() {
        GRANT => {
            let audiences = [AUDIENCE.to_owned(), format!("{host}{path}")];
            claims(&field(&form, "assertion"), now_s, &audiences)
        }
        "refresh_token" => refreshed(&form),
        other => Err(("unsupported_grant_type", format!("Invalid grant_type: {other}"))),
    };
    if let Err((code, description)) = asked {
        return Answer::json(400, &json!({ "error": code, "error_description": description }));
    }
    let life = life_s(query, LIFE_S - 1);
    let token = TOKENS.issue(seed, now_s + life);
    Answer::json(200, &json!({ "access_token": token, "expires_in": life, "token_type": "Bearer" }))
}

/// A user's refresh token: any is accepted but those that begin with `bad-`.
fn refreshed(form: &str) -> Result<(), Denied> {
    if let Some(name) =
        ["client_id", "client_secret", "refresh_token"].iter().find(|n| field(form, n).is_empty())
    {
        return Err(("invalid_request", format!("Missing required parameter: {name}")));
    }
    if field(form, "refresh_token").starts_with("bad-") {
        return Err(("invalid_grant", "Token has been expired or revoked.".to_owned()));
    }
    Ok(())
}

/// Checks an assertion: form, account, signature, audience, times, scope.
fn claims(assertion: &str, now_s: u64, audiences: &[String]) -> Result<(), Denied> {
    let invalid = |why: &str| ("invalid_grant", why.to_owned());
    let read =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let parts: Vec<&str> = assertion.split('.').collect();
    let [head, body, signature] = parts.as_slice() else {
        return Err(("invalid_request", "Invalid JWT: must be three dot-separated parts.".to_owned()));
    };
    let (Some(header), Some(claims)) = (read(head), read(body)) else {
        return Err(invalid("Invalid JWT: Failed to parse."));
    };
    if text(&header, "alg") != "RS256" {
        return Err(invalid("Invalid JWT: Unsupported algorithm. Use RS256."));
    }
    if text(&claims, "iss") != ACCOUNT {
        return Err(invalid("Invalid grant: account not found"));
    }
    let has_other_key = header.get("kid").is_some_and(|kid| kid != KEY_ID);
    if has_other_key || !is_signed(&format!("{head}.{body}"), signature) {
        return Err(invalid("Invalid JWT Signature."));
    }
    let audience = text(&claims, "aud");
    let bare = audience.split('?').next().unwrap_or_default();
    let bare = bare.trim_start_matches("http://").trim_start_matches("https://");
    if !audiences.iter().any(|a| a == audience || a == bare) {
        return Err(invalid("Invalid JWT: Failed audience check."));
    }
    let second = |name: &str| claims.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (from, to) = (second("iat"), second("exp"));
    if from > now_s + SKEW_S || to + SKEW_S < now_s || to <= from || to - from > LIFE_S {
        return Err(invalid(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
        ));
    }
    match text(&claims, "scope") {
        "" => Err(("invalid_scope", "Empty or missing scope not allowed.".to_owned())),
        scope if scope.split(' ').any(|s| s == SCOPE) => Ok(()),
        _ => Err(("invalid_scope", "Invalid OAuth scope or ID token audience provided.".to_owned())),
    }
}

fn is_signed(said: &str, signature: &str) -> bool {
    let (Some(keys), Ok(signature)) = (KEYS.as_ref(), URL_SAFE_NO_PAD.decode(signature)) else {
        return false;
    };
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, keys.public_key().as_ref());
    public.verify(said.as_bytes(), &signature).is_ok()
}

/// Whether a bearer token is one that Google would take now, or the reason why not. Tokens that the fleet did not make are
/// taken for what they begin with.
pub(crate) fn check(seed: u64, now_s: u64, token: &str) -> Result<(), &'static str> {
    match TOKENS.check(seed, now_s, token) {
        Some(Some(_)) => Ok(()),
        Some(None) => Err("ACCESS_TOKEN_EXPIRED"),
        None if token.starts_with(PREFIX) && !token.starts_with("ya29.bad") => Ok(()),
        None => Err("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;

    /// An assertion that the account signs.
    pub(crate) fn assertion(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let said =
            format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID})), part(claims));
        let keys = KEYS.as_ref().unwrap();
        let mut signature = vec![0; keys.public_modulus_len()];
        let rng = aws_lc_rs::rand::SystemRandom::new();
        keys.sign(&RSA_PKCS1_SHA256, &rng, said.as_bytes(), &mut signature).unwrap();
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn good(now_s: u64) -> Value {
        json!({"iss": ACCOUNT, "scope": SCOPE, "aud": AUDIENCE, "iat": now_s, "exp": now_s + 3_600})
    }

    fn granted(claims: &Value, query: &str) -> Value {
        let body = format!("grant_type={}&assertion={}", GRANT.replace(':', "%3A"), assertion(claims));
        let answer = grant(1, 1_000, "sim:1", "/vertex/token", query, body.as_bytes());
        serde_json::from_slice(&answer.frames[0]).unwrap()
    }

    #[test]
    fn a_signed_assertion_gives_a_token_that_ends() {
        let given = granted(&good(1_000), "expires_in=2");
        assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("Bearer"), &json!(2)));
        let token = given["access_token"].as_str().unwrap();
        assert_eq!(check(1, 1_001, token), Ok(()));
        assert_eq!(check(1, 1_002, token), Err("ACCESS_TOKEN_EXPIRED"));
        assert_eq!(check(2, 1_001, token), Err("ACCESS_TOKEN_EXPIRED"));
        assert_eq!(check(1, 1_001, "eyJhbGciOi"), Err("ACCESS_TOKEN_TYPE_UNSUPPORTED"));
        let mut here = good(1_000);
        here["aud"] = json!("http://sim:1/vertex/token?expires_in=2");
        assert_eq!(granted(&here, "")["expires_in"], 3_599);
        for (form, wanted) in [
            ("grant_type=refresh_token&client_id=a&client_secret=b&refresh_token=c", "token_type"),
            ("grant_type=refresh_token&client_id=a&client_secret=b&refresh_token=bad-c", "error"),
            ("grant_type=refresh_token&client_id=a&client_secret=b", "error"),
        ] {
            let answer = grant(1, 1_000, "sim:1", "/vertex/token", "", form.as_bytes());
            let given: Value = serde_json::from_slice(&answer.frames[0]).unwrap();
            assert!(given[wanted].is_string(), "{form}: {given}");
        }
    }

    #[test]
    fn assertions_that_google_refuses_are_refused_for_its_reasons() {
        for (name, value, code, why) in [
            ("iss", json!("nobody@sim"), "invalid_grant", "account not found"),
            ("aud", json!("https://example.com"), "invalid_grant", "audience"),
            ("exp", json!(1_000 + 3_601), "invalid_grant", "short-lived"),
            ("iat", json!(2_000), "invalid_grant", "short-lived"),
            ("scope", json!(""), "invalid_scope", "missing scope"),
            ("scope", json!("https://www.googleapis.com/auth/drive"), "invalid_scope", "Invalid OAuth scope"),
        ] {
            let mut claims = good(1_000);
            claims[name] = value;
            let got = granted(&claims, "");
            assert_eq!(got["error"], code, "{got}");
            assert!(got["error_description"].as_str().unwrap().contains(why), "{got}");
        }
        let whole = assertion(&good(1_000));
        let forged = format!("{}A{}", &whole[..whole.len() - 40], &whole[whole.len() - 39..]);
        assert_eq!(claims(&forged, 1_000, &[AUDIENCE.to_owned()]).unwrap_err().1, "Invalid JWT Signature.");
        assert_eq!(claims("x", 1_000, &[]).unwrap_err().0, "invalid_request");
    }
}
