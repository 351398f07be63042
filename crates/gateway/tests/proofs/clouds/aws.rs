//! Bedrock with an access key pair: every attempt is signed over the bytes that leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pilothouse_core::clock::{Clock, ManualClock, UnixMs};

use super::signature::{KEY_ID, SECRET, verified};
use super::{CHAT, MESSAGE, header_of, ok, path_of, refusal};
use crate::harness::House;
use crate::harness::reading::Client;
use crate::harness::scripted::{Act, STREAM_HEAD, Scripted};

/// 2015-08-30T12:36:00Z.
const THEN: UnixMs = UnixMs(1_440_938_160_000);
const PAIR: &[(&str, &str)] =
    &[("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_REGION", "us-west-2")];

fn bedrock(vendor: &Scripted, more: &str) -> String {
    format!("[providers.bedrock]\nbase_url = \"http://{}\"\n{more}\n", vendor.address)
}

fn house(vendor: &Scripted, more: &str, variables: &[(&str, &str)]) -> House {
    House::at(&bedrock(vendor, more), variables, Arc::new(ManualClock::new(THEN)))
}

#[test]
fn a_call_is_signed_over_the_bytes_that_leave_at_the_time_of_the_clock() {
    let stream = [STREAM_HEAD, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"].concat();
    let vendor = Scripted::start(vec![ok(CHAT), Act::Write(vec![stream.into_bytes()])]);
    let house = house(&vendor, "", PAIR);
    for is_stream in [false, true] {
        // The stream's request is edited: usage is asked for, and the body leaves in pieces.
        let body = Client::Openai.ask("bedrock/openai.gpt-oss-20b-1:0", "Hello.", is_stream);
        assert_eq!(house.chat(&body).status, 200);
    }
    let requests = vendor.requests();
    for request in &requests {
        assert_eq!(verified(request, "us-west-2", "bedrock"), ["content-type", "host", "x-amz-date"]);
        assert_eq!(path_of(request), "/openai/v1/chat/completions");
        assert_eq!(header_of(request, "x-amz-date"), Some("20150830T123600Z"));
        assert!(!request.contains(SECRET));
    }
    assert!(requests[1].contains("include_usage"), "{}", requests[1]);
}

#[test]
fn a_model_whose_name_is_encoded_in_the_path_is_signed_as_it_stands_there() {
    let converse = "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"Hi\"}]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,\"outputTokens\":3,\"totalTokens\":10},\"metrics\":{\"latencyMs\":5}}";
    let vendor = Scripted::start(vec![ok(converse)]);
    let house = house(&vendor, "", PAIR);
    let got = house.chat(&Client::Openai.ask("bedrock/us.amazon.nova-pro-v1:0", "Hello.", false));
    assert_eq!(got.status, 200, "{}", got.text());
    let request = &vendor.requests()[0];
    assert_eq!(path_of(request), "/model/us.amazon.nova-pro-v1%3A0/converse");
    verified(request, "us-west-2", "bedrock");
}

/// A clock that goes on by a second whenever somebody looks.
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.fetch_add(1000, Ordering::SeqCst))
    }
}

#[test]
fn each_attempt_is_signed_at_its_own_time() {
    let vendor = Scripted::start(vec![refusal("500 Oops", "{}"), ok(CHAT)]);
    let clock = Arc::new(Ticking(AtomicU64::new(THEN.0)));
    let house = House::at(&bedrock(&vendor, ""), PAIR, clock);
    assert_eq!(
        house.chat(&Client::Openai.ask("bedrock/openai.gpt-oss-20b-1:0", "Hello.", false)).status,
        200
    );
    let requests = vendor.requests();
    let times: Vec<_> = requests.iter().map(|request| header_of(request, "x-amz-date").unwrap()).collect();
    assert!(times.len() == 2 && times[0] < times[1], "{times:?}");
    for request in &requests {
        verified(request, "us-west-2", "bedrock");
    }
}

#[test]
fn a_temporary_key_signs_its_session_token() {
    let vendor = Scripted::start(vec![ok(MESSAGE)]);
    let more = format!(
        "params = {{ region = \"eu-central-1\" }}\naws_access_key_id = \"{KEY_ID}\"\naws_secret_access_key = \"env:MINE\"\naws_session_token = \"env:SESSION\""
    );
    let house =
        house(&vendor, &more, &[("MINE", SECRET), ("SESSION", "tok/en+x=="), ("AWS_REGION", "us-west-2")]);
    let got = house.message(&Client::Anthropic.ask("bedrock/us.anthropic.claude-opus-4-7", "Hello.", false));
    assert_eq!(got.status, 200, "{}", got.text());
    let request = &vendor.requests()[0];
    assert_eq!(path_of(request), "/anthropic/v1/messages");
    assert_eq!(header_of(request, "x-amz-security-token"), Some("tok/en+x=="));
    let names = verified(request, "eu-central-1", "bedrock");
    assert_eq!(names, ["content-type", "host", "x-amz-date", "x-amz-security-token"]);
}

#[test]
fn what_the_section_gives_comes_before_the_environment_and_a_bedrock_key_before_a_pair() {
    let all = [PAIR, &[("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-1"), ("OTHER", SECRET)]].concat();
    let own_pair = format!("aws_access_key_id = \"{KEY_ID}\"\naws_secret_access_key = \"env:OTHER\"");
    for (more, wanted) in [
        ("", "Bearer bedrock-api-key-1"),
        ("api_key = \"given\"", "Bearer given"),
        (&own_pair, "AWS4-HMAC-SHA256 "),
        ("auth = \"sigv4\"", "AWS4-HMAC-SHA256 "),
    ] {
        let vendor = Scripted::start(vec![ok(CHAT)]);
        let house = house(&vendor, more, &all);
        let body = Client::Openai.ask("bedrock/openai.gpt-oss-20b-1:0", "Hello.", false);
        assert_eq!(house.chat(&body).status, 200);
        let request = &vendor.requests()[0];
        let authorization = header_of(request, "authorization").unwrap();
        assert!(authorization.starts_with(wanted), "{more}: {authorization}");
    }
}

#[test]
fn calls_about_a_response_are_signed_too() {
    let response = "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"m\",\"output\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"total_tokens\":2}}";
    let vendor = Scripted::start(vec![ok(response)]);
    let house = house(&vendor, "", PAIR);
    let body = "{\"model\":\"bedrock/openai.gpt-5.4\",\"input\":\"Hello.\"}";
    assert_eq!(house.post("/v1/responses", &[], body.as_bytes()).status, 200);
    assert_eq!(house.get("/v1/responses/resp_1", &[]).status, 200);
    let requests = vendor.requests();
    assert_eq!(
        requests.iter().map(|request| path_of(request)).collect::<Vec<_>>(),
        ["/openai/v1/responses", "/openai/v1/responses/resp_1"]
    );
    for request in &requests {
        verified(request, "us-west-2", "bedrock");
    }
}

#[test]
fn a_profile_of_the_shared_file_signs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    std::fs::write(&file, format!("[team]\naws_access_key_id={KEY_ID}\naws_secret_access_key={SECRET}\n"))
        .unwrap();
    let shared = ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap());
    for (more, variables) in [
        ("aws_profile = \"team\"", vec![shared, ("AWS_REGION", "us-west-2")]),
        ("", vec![shared, ("AWS_PROFILE", "team"), ("AWS_DEFAULT_REGION", "us-west-2")]),
    ] {
        let vendor = Scripted::start(vec![ok(CHAT)]);
        let house = house(&vendor, more, &variables);
        house.chat(&Client::Openai.ask("bedrock/openai.gpt-oss-20b-1:0", "Hello.", false));
        verified(&vendor.requests()[0], "us-west-2", "bedrock");
    }
}
