//! Entra's token endpoint: an access token for an application that names itself and its secret.
//!
//! Grant: <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>, read 2026-11-23. Any secret
//! is accepted but those that begin with `bad-`. `?expires_in=N` makes tokens that live N seconds.

use crate::answer::Answer;
use crate::form::{Issued, field, life_s};
use serde_json::json;

/// What access tokens begin with; other bearer values are taken for keys, or for tokens of another issuer.
const TOKENS: Issued = Issued { prefix: "eyJ0eXAiOiJKV1QifQ.sim-", purpose: b"entra token" };
/// What a token may be for: the resources of Azure OpenAI and of Foundry.
const SCOPES: &[&str] = &["https://cognitiveservices.azure.com/.default", "https://ai.azure.com/.default"];
/// How long a token lives.
const LIFE_S: u64 = 3_599;

/// `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) fn grant(seed: u64, now_s: u64, query: &str, body: &[u8]) -> Answer {
    let form = String::from_utf8_lossy(body);
    let denied = |code: &str, number: u32, why: &str| {
        let description = format!("AADSTS{number}: {why}");
        let error = json!({ "error": code, "error_description": description, "error_codes": [number] });
        Answer::json(if code == "invalid_client" { 401 } else { 400 }, &error)
    };
    let grant_type = field(&form, "grant_type");
    if grant_type != "client_credentials" {
        let why =
            format!("The provided value for the input parameter 'grant_type' is not valid: {grant_type}.");
        return denied("unsupported_grant_type", 70_003, &why);
    }
    if field(&form, "client_id").is_empty() {
        let why = "The request body must contain the following parameter: 'client_id'.";
        return denied("invalid_request", 900_144, why);
    }
    let secret = [field(&form, "client_secret"), field(&form, "client_assertion")].concat();
    if secret.is_empty() || secret.starts_with("bad-") {
        let why = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.";
        return denied("invalid_client", 7_000_215, why);
    }
    if !SCOPES.contains(&field(&form, "scope").as_str()) {
        let why = "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.";
        return denied("invalid_scope", 1_002_012, why);
    }
    let life = life_s(query, LIFE_S);
    let token = TOKENS.issue(seed, now_s + life);
    let given =
        json!({ "token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token });
    Answer::json(200, &given)
}

/// Whether a bearer value is one that the service takes now.
pub(crate) fn is_good(seed: u64, now_s: u64, bearer: &str) -> bool {
    TOKENS.check(seed, now_s, bearer).is_none_or(|left| left.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn granted(form: &str, query: &str) -> (u16, Value) {
        let answer = grant(1, 1_000, query, form.as_bytes());
        (answer.status, serde_json::from_slice(&answer.frames[0]).unwrap())
    }

    #[test]
    fn an_application_gets_a_token_that_ends() {
        let form = "grant_type=client_credentials&client_id=a&client_secret=s&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default";
        let (status, given) = granted(form, "expires_in=2");
        assert_eq!((status, &given["expires_in"]), (200, &json!(2)));
        let token = given["access_token"].as_str().unwrap();
        assert!(is_good(1, 1_001, token) && !is_good(1, 1_002, token) && !is_good(2, 1_001, token));
        assert!(is_good(1, 1_002, "a-key"));
        for (broken, code) in [
            (form.replace("client_credentials", "password"), "unsupported_grant_type"),
            (form.replace("client_id=a", "x=a"), "invalid_request"),
            (form.replace("=s&", "=bad-s&"), "invalid_client"),
            (form.replace("cognitiveservices", "graph"), "invalid_scope"),
        ] {
            assert_eq!(granted(&broken, "").1["error"], code);
        }
    }
}
