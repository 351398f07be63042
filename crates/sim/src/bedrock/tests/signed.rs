//! Callers of Bedrock: API keys, and signatures that an independent client made.

use super::{NOVA, ask, path};
use crate::tests::client::{Got, send};
use crate::{Fleet, Options, start};
use serde_json::json;

/// 2026-11-22T12:00:00Z.
const NOW: u64 = 1_795_348_800;

async fn at(now_s: u64) -> Fleet {
    start(Options { signing_time_s: Some(now_s), ..Options::default() }).await.unwrap()
}

/// Made with botocore 1.44.5 for the requests below, host `sim`.
const BODY: &str = r#"{"messages": [{"role": "user", "content": [{"text": "hello"}]}]}"#;
const DATE: &str = "20261122T120000Z";
const SIGNATURE: &str = "2a2bb989dd4d96f0c0e4aacc624488ff69a0cba9985d5ed9c181790be3eb19b2";

fn authorization(signature: &str) -> String {
    let scope = "20261122/us-east-1/bedrock/aws4_request";
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{scope}, SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
    )
}

async fn call(fleet: &Fleet, authorization: &str, date: &str, body: &str) -> Got {
    let headers =
        [("authorization", authorization), ("x-amz-date", date), ("content-type", "application/json")];
    send(fleet, "POST", "/bedrock/model/amazon.nova-pro-v1%3A0/converse", &headers, body).await
}

#[tokio::test]
async fn a_signature_of_awss_own_client_is_accepted_for_its_body_and_time_only() {
    let fleet = at(NOW).await;
    let good = authorization(SIGNATURE);
    let got = call(&fleet, &good, DATE, BODY).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let refused = |got: &Got, kind: &str, why: &str| {
        assert!(got.status == 403 && got.text().contains(why), "{} {}", got.status, got.text());
        assert!(got.header("x-amzn-errortype").unwrap().starts_with(kind));
    };
    let does_not_match = "The request signature we calculated does not match the signature you provided.";
    let other_body = BODY.replace("hello", "hullo");
    refused(&call(&fleet, &good, DATE, &other_body).await, "InvalidSignatureException", does_not_match);
    let forged = authorization(&SIGNATURE.replace(|c: char| c.is_ascii_digit(), "0"));
    refused(&call(&fleet, &forged, DATE, BODY).await, "InvalidSignatureException", does_not_match);
    let stranger = good.replace("AKIAIOSFODNN7EXAMPLE", "AKIAUNKNOWN");
    let why = "The security token included in the request is invalid.";
    refused(&call(&fleet, &stranger, DATE, BODY).await, "UnrecognizedClientException", why);
    let service = good.replace("/bedrock/", "/s3/");
    let why = "Credential should be scoped to correct service: 'bedrock'.";
    refused(&call(&fleet, &service, DATE, BODY).await, "InvalidSignatureException", why);
    let hostless = good.replace("host;", "");
    refused(&call(&fleet, &hostless, DATE, BODY).await, "InvalidSignatureException", "'Host'");
    let undated = good.replace(";x-amz-date", "");
    refused(&call(&fleet, &undated, DATE, BODY).await, "InvalidSignatureException", "'x-amz-date' must be");
    let bare = "AWS4-HMAC-SHA256 Signature=x";
    refused(&call(&fleet, bare, DATE, BODY).await, "IncompleteSignatureException", "requires 'Credential'");
    fleet.shutdown().await;
    for (now_s, status, why) in [
        (NOW + 300, 200, "output"),
        (
            NOW + 301,
            403,
            "Signature expired: 20261122T120000Z is now earlier than 20261122T120001Z (20261122T120501Z - 5 min.)",
        ),
        (NOW - 301, 403, "Signature not yet current"),
    ] {
        let fleet = at(now_s).await;
        let got = call(&fleet, &good, DATE, BODY).await;
        assert!(got.status == status && got.text().contains(why), "{}", got.text());
        fleet.shutdown().await;
    }
}

#[tokio::test]
async fn api_keys_are_bearer_tokens_and_their_absence_is_told() {
    let fleet = at(NOW).await;
    let body = ask("hello").to_string();
    let with = |header: &'static str| [("authorization", header)];
    let path = path(NOVA, "converse");
    let got = send(&fleet, "POST", &path, &with("Bearer ABSKexample"), &body).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let got = send(&fleet, "POST", &path, &with("Bearer bad-key"), &body).await;
    let message = "Authentication failed: Please make sure your API Key is valid.";
    assert_eq!((got.status, got.json()), (403, json!({ "Message": message })));
    let got = send(&fleet, "POST", &path, &with(""), &body).await;
    assert_eq!((got.status, got.json()), (403, json!({"message": "Missing Authentication Token"})));
    fleet.shutdown().await;
}
