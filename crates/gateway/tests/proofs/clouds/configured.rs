//! What a configuration of a cloud may lack, and how it is told.

use pilothouse_gateway::config::Source;
use pilothouse_gateway::plan::{self, Plan};

use crate::harness::environment;

fn built(text: &str, variables: &[(&str, &str)]) -> Result<Plan, String> {
    let source = Source::parse(text.to_owned(), Some("pilothouse.toml".into())).unwrap();
    let folder = std::path::Path::new("/nowhere");
    let listen = ([127, 0, 0, 1], 4141).into();
    plan::build(&source, &environment(folder, variables), listen, 1, &std::sync::Arc::default())
        .map_err(|error| error.to_string())
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_next_step() {
    let google = "params = { region = \"global\", project = \"p\" }\n";
    for (text, wanted) in [
        (
            "[providers.bedrock]",
            "pilothouse.toml:1:12: the address of `bedrock` needs its region: give params = { region = \"…\" }, or set AWS_REGION",
        ),
        (
            "[providers.azure]\napi_key = \"k\"",
            "needs its resource: give params = { resource = \"…\" }, or set AZURE_RESOURCE_NAME",
        ),
        ("[providers.bedrock]\nparams = { region = \"evil.test/x\" }", "`evil.test/x` cannot be the region"),
        (
            "[providers.bedrock]\naws_access_key_id = \"A\"\nparams = { region = \"r\" }",
            "2:21: a key pair has two halves",
        ),
        (
            "[providers.bedrock]\napi_key = \"k\"\naws_profile = \"p\"\nparams = { region = \"r\" }",
            "`bedrock` has api_key and aws_profile: which is meant?",
        ),
        (
            "[providers.openai]\naws_access_key_id = \"A\"\naws_secret_access_key = \"B\"",
            "`openai` does not take signed calls; remove aws_access_key_id",
        ),
        ("[providers.openai]\ncredentials_file = \"k.json\"", "`openai` takes no tokens of Google's"),
        ("[providers.openai]\napi_version = \"1\"", "`openai` has no API versions to choose from"),
        ("[providers.openai]\nauth = \"magic\"", "2:8: no auth is called `magic`; known are bearer"),
        (
            &format!("[providers.vertex]\n{google}credentials_file = \"k.json\""),
            "3:20: the key file `/nowhere/k.json` cannot be read",
        ),
        (&format!("[providers.vertex]\n{google}token_from = \"air\""), "`air` issues no tokens"),
        (
            "[providers.mine]\ndialect = \"openai-chat\"\nbase_url = \"http://x.test\"\nauth = \"sigv4\"\naws_access_key_id = \"A\"\naws_secret_access_key = \"B\"",
            "for which service are calls to `mine` signed?",
        ),
    ] {
        let error = built(text, &[]).expect_err(text);
        assert!(error.contains(wanted), "{wanted} is missing in {error}");
    }
}

#[test]
fn hosts_of_regions_are_those_that_google_gives_them() {
    for (region, host) in [
        ("europe-west1", "europe-west1-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ] {
        let text = "[providers.vertex]\napi_key = \"k\"\n";
        let plan = built(text, &[("GOOGLE_CLOUD_LOCATION", region), ("GOOGLE_CLOUD_PROJECT", "p")]).unwrap();
        for surface in &plan.providers[0].surfaces {
            assert_eq!(surface.origin.host(), host);
            assert!(surface.origin.path_prefix().starts_with(&format!("/v1/projects/p/locations/{region}/")));
        }
    }
}

#[test]
fn how_calls_are_authorised_is_told_without_secrets() {
    let aws =
        [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "canary")];
    let google = "params = { region = \"global\", project = \"p\" }\n";
    for (text, variables, wanted) in [
        ("[providers.openai]\napi_key = \"canary\"", &[][..], None),
        (
            "[providers.bedrock]",
            &aws,
            Some("signs calls for bedrock in us-east-1 with the access key pair of AWS_ACCESS_KEY_ID"),
        ),
        ("[providers.bedrock]\napi_key = \"canary\"", &aws[..1], Some("sends a bearer token")),
        (
            "[providers.bedrock]",
            &aws[..1],
            Some(
                "has no credential, and calls will be refused: give api_key, or AWS_BEARER_TOKEN_BEDROCK in the environment; or aws_access_key_id with aws_secret_access_key, or aws_profile",
            ),
        ),
        (
            &format!("[providers.vertex]\n{google}api_key = \"canary\""),
            &[],
            Some("sends a bearer token; it is an access token, which expires within hours"),
        ),
        (
            &format!("[providers.vertex]\n{google}token_from = \"metadata\""),
            &[],
            Some("fetches access tokens from the metadata server at metadata.google.internal (token_from)"),
        ),
    ] {
        let plan = built(text, variables).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(plan.providers[0].authentication.as_deref(), wanted, "{text}");
    }
}
