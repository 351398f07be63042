//! Signatures that AWS publishes, and those that its own SDK made of Bedrock's requests.

use super::*;

/// 2015-08-30T12:36:00Z, the moment of AWS's test suite.
const THEN: UnixMs = UnixMs(1_440_938_160_000);

fn signer(region: &str, service: &str, session_token: Option<&str>) -> Signer {
    let key = AccessKey {
        id: "AKIDEXAMPLE".to_owned(),
        secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: session_token.map(Secret::new),
    };
    Signer::new(key, region, service).unwrap()
}

fn authorization(signer: &Signer, call: &Signable<'_>) -> String {
    let signed = signer.sign(call, THEN).unwrap();
    assert_eq!(signed.date, "20150830T123600Z");
    assert!(signed.authorization.is_sensitive());
    signed.authorization.to_str().unwrap().to_owned()
}

/// The cases of AWS's published test suite that concern what is signed here
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-examples.html>; the names are the suite's).
#[test]
fn signatures_equal_those_of_the_published_test_suite() {
    let host = ("host", "example.amazonaws.com");
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (case, method, query, headers, body, signature) in [
        (
            "get-vanilla",
            "GET",
            "",
            &[host][..],
            "",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "Param2=value2&Param1=value1",
            &[host],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "post-vanilla",
            "POST",
            "",
            &[host],
            "",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-header-key-sort",
            "POST",
            "",
            &[("my-header1", "value1"), host],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "get-header-value-trim",
            "GET",
            "",
            &[host, ("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            "",
            &[form, host],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ] {
        let call = Signable { method, path: "/", query, headers, body: &[body.as_bytes()] };
        let got = authorization(&signer("us-east-1", "service", None), &call);
        assert!(got.ends_with(&format!("Signature={signature}")), "{case}: {got}");
        assert!(got.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="
        ));
    }
}

#[test]
fn paths_of_bedrock_are_encoded_twice_as_the_sdk_does_it() {
    let headers =
        &[("content-type", "application/json"), ("host", "bedrock-runtime.us-west-2.amazonaws.com")];
    for (path, body, token, names, signature) in [
        (
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
            "{\"messages\":[]}",
            None,
            "content-type;host;x-amz-date",
            "ddeb8aa5ca91f56f524ed4fa3d951dea170d90d9c13a3a2d076324c8497f58c9",
        ),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A111122223333%3Aapplication-inference-profile%2Fabc123/converse",
            "{\"messages\":[]}",
            Some("SESSIONTOKEN//ab+cd=="),
            "content-type;host;x-amz-date;x-amz-security-token",
            "88eae2d00436a6355e40b87efba9a7c8f9719f9cc1c224c1388cd869e89c7652",
        ),
        (
            "/openai/v1/chat/completions",
            "{\"model\":\"openai.gpt-oss-20b-1:0\"}",
            None,
            "content-type;host;x-amz-date",
            "904697a13b9f53b2a911b702f0e7a449f4d48a54b1518489b2936727ee0f2359",
        ),
    ] {
        let signer = signer("us-west-2", "bedrock", token);
        // In pieces, as an edited body leaves.
        let (first, rest) = body.as_bytes().split_at(5);
        let call = Signable { method: "POST", path, query: "", headers, body: &[first, rest] };
        let got = authorization(&signer, &call);
        let wanted = format!("SignedHeaders={names}, Signature={signature}");
        assert!(got.ends_with(&wanted), "{path}: {got}");
        let signed = signer.sign(&call, THEN).unwrap();
        assert_eq!(signed.session_token.as_ref().map(|value| value.to_str().unwrap()), token);
    }
}

#[test]
fn a_new_day_has_a_new_key_and_the_old_day_its_own() {
    let signer = signer("us-east-1", "service", None);
    let call = Signable {
        method: "GET",
        path: "/",
        query: "",
        headers: &[("host", "example.amazonaws.com")],
        body: &[],
    };
    let at = |now| signer.sign(&call, now).unwrap().authorization;
    let today = at(THEN);
    let tomorrow = at(UnixMs(THEN.0 + 86_400_000));
    assert!(tomorrow.to_str().unwrap().contains("/20150831/us-east-1/"), "{tomorrow:?}");
    assert_ne!(today, tomorrow);
    assert_eq!(at(THEN), today);
}

#[test]
fn neither_signer_nor_key_shows_its_secret() {
    let shown = format!("{:?}", signer("us-east-1", "service", Some("SESSION")));
    assert!(!shown.contains("wJal") && !shown.contains("SESSION"), "{shown}");
    let key = AccessKey {
        id: "A".into(),
        secret: Secret::new("canary"),
        session_token: Some(Secret::new("canary")),
    };
    assert!(!format!("{key:?}").contains("canary"));
}
