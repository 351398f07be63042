//! Access tokens: fetched once, replaced before they expire, and nobody waits while one is valid.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::clock::{ManualClock, UnixMs};
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;
use serde_json::json;

use super::{GENERATED, body_of, header_of, ok, path_of, refusal};
use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::scripted::{Act, Scripted};
use crate::harness::{House, eventually};

fn token(name: &str, seconds: u64) -> Act {
    ok(&json!({"access_token": name, "expires_in": seconds, "token_type": "Bearer"}).to_string())
}

/// A service account's key file whose tokens come from `issuer`.
fn key_file(issuer: &Scripted) -> tempfile::NamedTempFile {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = json!({
        "type": "service_account", "project_id": "p-of-file", "private_key_id": "k1", "private_key": pem,
        "client_email": "gate@p.iam.gserviceaccount.com", "token_uri": format!("http://{}/token", issuer.address),
    });
    std::fs::write(file.path(), text.to_string()).unwrap();
    file
}

struct Scene {
    house: House,
    clock: Arc<ManualClock>,
    configuration: String,
}

impl Scene {
    fn open(vendor: &Scripted, credentials: &str, variables: &[(&str, &str)]) -> Self {
        let configuration = format!(
            "[providers.vertex]\nbase_url = \"http://{}/{{project}}/{{region}}\"\nparams = {{ region = \"global\" }}\n{credentials}\n",
            vendor.address
        );
        let clock = Arc::new(ManualClock::new(UnixMs(1_800_000_000_000)));
        let house = House::at(&configuration, variables, clock.clone());
        Self { house, clock, configuration }
    }

    fn with_file(vendor: &Scripted, file: &tempfile::NamedTempFile) -> Self {
        Self::open(vendor, &format!("credentials_file = {:?}", file.path()), &[])
    }

    fn ask(&self) -> Got {
        self.house.chat(&Client::Openai.ask("vertex/gemini-2.5-flash", "Hello.", false))
    }
}

/// The tokens that a vendor saw, in order.
fn seen(vendor: &Scripted) -> Vec<String> {
    let requests = vendor.requests();
    requests.iter().map(|request| header_of(request, "authorization").unwrap_or("none").to_owned()).collect()
}

#[test]
fn the_first_call_waits_for_a_token_and_later_ones_share_it() {
    let issuer = Scripted::start(vec![token("ya29.one", 3600)]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    assert_eq!(issuer.calls(), 0, "a provider that nobody calls fetches nothing");
    for _ in 0..3 {
        let got = scene.ask();
        assert_eq!(got.status, 200, "{}", got.text());
    }
    assert_eq!((seen(&vendor), issuer.calls()), (vec!["Bearer ya29.one".to_owned(); 3], 1));
    let asked = &issuer.requests()[0];
    assert_eq!(path_of(asked), "/token");
    assert!(
        body_of(asked)
            .starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey")
    );
    // The project is the file's, where nobody names another.
    assert!(path_of(&vendor.requests()[0]).starts_with("/p-of-file/global/publishers/google/models/"));
}

#[test]
fn a_token_is_replaced_before_it_expires_while_calls_go_on_with_it() {
    let issuer = Scripted::start(vec![token("one", 3600), token("two", 3600)]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    scene.ask();
    scene.clock.advance(3_545_000);
    scene.ask();
    assert_eq!(seen(&vendor)[1], "Bearer one", "a valid token is used at once");
    eventually("the token is replaced", || (issuer.calls() == 2).then_some(()));
    eventually("calls have the new token", || {
        scene.ask();
        (seen(&vendor).last().unwrap() == "Bearer two").then_some(())
    });
    assert_eq!(issuer.calls(), 2);
}

#[test]
fn a_silent_issuer_keeps_nobody_waiting_while_the_token_is_valid() {
    let issuer = Scripted::start(vec![token("one", 3600), Act::Silence]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    scene.ask();
    scene.clock.advance(3_545_000);
    scene.ask();
    eventually("the issuer is asked again", || (issuer.calls() == 2).then_some(()));
    assert_eq!(scene.ask().status, 200);
    assert_eq!(seen(&vendor), vec!["Bearer one"; 3]);
}

#[test]
fn calls_that_come_together_share_one_fetch() {
    let issuer = Scripted::start(vec![token("one", 3600)]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| scene.ask().status)).collect();
        for asked in asking {
            assert_eq!(asked.join().unwrap(), 200);
        }
    });
    assert_eq!((issuer.calls(), vendor.calls()), (1, 8));
}

#[test]
fn a_users_own_credentials_are_found_by_the_environment_and_name_whom_to_bill() {
    let issuer = Scripted::start(vec![token("ya29.user", 3600)]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = json!({
        "type": "authorized_user", "client_id": "c.apps", "client_secret": "s", "refresh_token": "1//r",
        "quota_project_id": "billed", "token_uri": format!("http://{}/t", issuer.address),
    });
    std::fs::write(file.path(), text.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", path), ("GOOGLE_CLOUD_PROJECT", "p3")];
    let scene = Scene::open(&vendor, "", &variables);
    assert_eq!(scene.ask().status, 200);
    let request = &vendor.requests()[0];
    assert_eq!(header_of(request, "authorization"), Some("Bearer ya29.user"));
    assert_eq!(header_of(request, "x-goog-user-project"), Some("billed"));
    let asked = &issuer.requests()[0];
    let form = "grant_type=refresh_token&client_id=c.apps&client_secret=s&refresh_token=1%2F%2Fr";
    assert_eq!((path_of(asked), body_of(asked)), ("/t", form));
}

#[test]
fn an_expired_token_is_never_sent() {
    let issuer = Scripted::start(vec![token("one", 3600), token("two", 3600)]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    scene.ask();
    scene.clock.advance(7_200_000);
    assert_eq!(scene.ask().status, 200);
    assert_eq!(seen(&vendor), ["Bearer one", "Bearer two"]);
}

#[test]
fn a_refused_token_is_replaced_once_and_a_fresh_one_not_at_all() {
    let issuer = Scripted::start(vec![token("one", 3600), token("two", 3600)]);
    let no = || {
        refusal(
            "401 Unauthorized",
            "{\"error\":{\"code\":401,\"message\":\"No.\",\"status\":\"UNAUTHENTICATED\"}}",
        )
    };
    let vendor = Scripted::start(vec![no(), no(), ok(GENERATED), no()]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    assert_eq!(scene.ask().status, 401, "a token that has just come is not refused for its age");
    assert_eq!((issuer.calls(), vendor.calls()), (1, 1));
    scene.clock.advance(60_000);
    let got = scene.ask();
    assert_eq!((got.status, issuer.calls()), (200, 2), "{}", got.text());
    assert_eq!(seen(&vendor), ["Bearer one", "Bearer one", "Bearer two"]);
    assert_eq!(scene.house.record(&got).receipt.unwrap().attempts[0].status, Some(401));
    assert_eq!(scene.ask().status, 401);
    assert_eq!(issuer.calls(), 2, "the new one is young");
}

#[test]
fn a_reload_takes_the_token_along_and_another_key_file_does_not() {
    let issuer = Scripted::start(vec![token("one", 3600), token("two", 3600)]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    scene.ask();
    scene.house.reload(&format!("{}retries = 1\n", scene.configuration)).unwrap();
    scene.ask();
    assert_eq!((seen(&vendor), issuer.calls()), (vec!["Bearer one".to_owned(); 2], 1));
    let other = key_file(&issuer);
    let (before, after) = (format!("{:?}", file.path()), format!("{:?}", other.path()));
    scene.house.reload(&scene.configuration.replace(&before, &after)).unwrap();
    scene.ask();
    assert_eq!((seen(&vendor).last().unwrap().as_str(), issuer.calls()), ("Bearer two", 2));
}

#[test]
fn an_issuer_that_refuses_is_named_with_its_reason_and_nothing_secret() {
    let issuer = Scripted::start(vec![refusal(
        "400 Bad Request",
        "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
    )]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    for _ in 0..2 {
        let got = scene.ask();
        let text = got.text();
        assert_eq!((got.status, vendor.calls()), (502, 0), "{text}");
        for wanted in [
            "`vertex`",
            "gate@p.iam.gserviceaccount.com",
            "invalid_grant Invalid JWT Signature.",
            "pilothouse check",
        ] {
            assert!(text.contains(wanted), "{wanted} is missing in {text}");
        }
        assert!(!text.contains("PRIVATE") && !text.contains("assertion"), "{text}");
        // It was refused, not missed: nobody waited for a better answer.
        assert_eq!(scene.house.record(&got).outcome, Outcome::Failed(Kind::Vendor));
    }
}

#[test]
fn an_issuer_in_trouble_is_asked_again_while_the_call_waits() {
    let issuer = Scripted::start(vec![refusal("503 Busy", "{}"), token("one", 3600)]);
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let file = key_file(&issuer);
    let scene = Scene::with_file(&vendor, &file);
    let got = scene.ask();
    assert_eq!((got.status, issuer.calls()), (200, 2), "{}", got.text());
}

#[test]
fn the_metadata_server_is_asked_only_where_that_is_configured() {
    let issuer = Scripted::start(vec![token("ya29.machine", 1800)]);
    let host = issuer.address.to_string();
    let vendor = Scripted::start(vec![ok(GENERATED)]);
    let variables = [("GCE_METADATA_HOST", host.as_str()), ("GOOGLE_CLOUD_PROJECT", "p2")];
    let without = Scene::open(&vendor, "", &variables);
    assert_eq!((without.ask().status, issuer.calls()), (200, 0));
    let scene = Scene::open(&vendor, "token_from = \"metadata\"", &variables);
    assert_eq!(scene.ask().status, 200);
    assert_eq!(seen(&vendor), ["none", "Bearer ya29.machine"]);
    let asked = &issuer.requests()[0];
    assert!(
        asked.starts_with("GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1\r\n")
    );
    assert_eq!(header_of(asked, "metadata-flavor"), Some("Google"));
}

#[test]
fn a_service_principal_of_entra_id_fetches_tokens_for_azure() {
    let issuer = Scripted::start(vec![token("eyJ.entra", 3599)]);
    let vendor = Scripted::start(vec![ok(super::CHAT)]);
    let house = House::with_secrets(
        &format!(
            "[providers.azure]\nbase_url = \"http://{}/openai/v1\"\nentra = {{ tenant = \"contoso.test\", client_id = \"app-1\", client_secret = \"env:MINE\", authority = \"http://{}\" }}\n",
            vendor.address, issuer.address
        ),
        &[("MINE", "s3cret&more")],
    );
    assert_eq!(house.chat(&Client::Openai.ask("azure/gpt-4o", "Hello.", false)).status, 200);
    assert_eq!(seen(&vendor), ["Bearer eyJ.entra"]);
    assert_eq!(header_of(&vendor.requests()[0], "api-key"), None);
    let asked = &issuer.requests()[0];
    assert_eq!(path_of(asked), "/contoso.test/oauth2/v2.0/token");
    assert_eq!(
        body_of(asked),
        "grant_type=client_credentials&client_id=app-1&client_secret=s3cret%26more&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
    );
}
