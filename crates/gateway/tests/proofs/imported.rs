//! What is imported from other programs loads, and is served: every golden case of `crates/import`, and the examples of
//! the book.

use std::path::{Path, PathBuf};

use pilothouse_gateway::config::Source;
use pilothouse_gateway::plan::{self, Plan};
use pilothouse_import::{Imported, Input, find};
use serde_json::json;

use crate::harness::reading::Client;
use crate::harness::{House, environment};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/fixtures/litellm");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn import(text: &str) -> Imported {
    let input = Input {
        text,
        origin: "config.yaml",
        variables: &|_| None,
        today: "2026-11-23",
        overlay: Some("prices.toml"),
    };
    (find("litellm").unwrap().read)(&input).unwrap_or_else(|error| panic!("{error}"))
}

/// A variable's value: a secret, or a region where one is wanted.
fn value_of(name: &str) -> String {
    let is_place = name.contains("REGION") || name.contains("LOCATION") || name.contains("RESOURCE");
    if is_place { "somewhere-1".to_owned() } else { format!("secret-{name}") }
}

/// A configuration as `check` and `serve` read it.
fn load(imported: &Imported, folder: &Path) -> Result<Plan, String> {
    std::fs::write(folder.join("service-account.json"), account_file()).unwrap();
    std::fs::create_dir_all(folder.join(".aws")).unwrap();
    let credentials = folder.join(".aws/credentials");
    std::fs::write(&credentials, "[dev]\naws_access_key_id = AKIATEST\naws_secret_access_key = secret\n")
        .unwrap();
    if let Some(overlay) = &imported.overlay {
        std::fs::write(folder.join("prices.toml"), overlay).unwrap();
    }
    let path = folder.join("pilothouse.toml");
    let source = Source::parse(imported.config.clone(), Some(path)).map_err(|error| error.to_string())?;
    let mut variables: Vec<(String, String)> =
        imported.variables.iter().map(|name| (name.clone(), value_of(name))).collect();
    variables.push(("AWS_SHARED_CREDENTIALS_FILE".to_owned(), credentials.display().to_string()));
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let environment = environment(folder, &variables);
    plan::build(&source, &environment, ([127, 0, 0, 1], 4141).into(), 1, &std::sync::Arc::default())
        .map_err(|error| error.to_string())
}

fn account_file() -> String {
    json!({
        "type": "authorized_user", "client_id": "id", "client_secret": "secret", "refresh_token": "token",
        "quota_project_id": "my-project",
    })
    .to_string()
}

#[test]
fn every_golden_case_loads_where_its_variables_are_set() {
    let cases = cases();
    assert!(cases.len() >= 12, "{cases:?}");
    for case in cases {
        let folder = tempfile::tempdir().unwrap();
        let imported = import(&std::fs::read_to_string(case.join("input.yaml")).unwrap());
        let plan = load(&imported, folder.path());
        let plan = plan.unwrap_or_else(|error| panic!("{}: {error}\n{}", case.display(), imported.config));
        assert!(!plan.providers.is_empty(), "{}", case.display());
        let written: toml::Table = toml::from_str(&imported.config).unwrap();
        // Every name that was called before is called now.
        for name in written["routes"].as_table().unwrap().keys() {
            assert!(plan.route(name).is_some(), "{}: {name}", case.display());
        }
    }
}

/// Serves an import by the fleet: addresses are the fleet's, everything else is what was written.
fn serve(text: &str, variables: &[(&str, &str)]) -> House {
    let imported = import(text);
    let config = imported.config.replace("fleet.example", "FLEET");
    House::with_secrets(&(config + "\n[catalog]\noverlay = \"prices.toml\"\n"), variables)
}

fn ask(house: &House, client: Client, model: &str, key: &str) -> crate::harness::http::Got {
    let body = client.ask(model, "Hello.", false).to_string();
    house.post(client.path(), &[("authorization", &format!("Bearer {key}"))], body.as_bytes())
}

const BALANCED: &str = r#"
model_list:
  - model_name: assistant
    litellm_params: {model: openai/gpt-4.1, api_base: "http://fleet.example/openai/v1", api_key: os.environ/KEY_ONE, weight: 3}
  - model_name: assistant
    litellm_params: {model: anthropic/claude-opus-4-7, api_base: "http://fleet.example/anthropic", api_key: os.environ/KEY_TWO, weight: 1}
general_settings:
  master_key: sk-1234
"#;

#[test]
fn a_balanced_group_is_served_under_its_name_with_the_master_key() {
    let house = serve(BALANCED, &[("KEY_ONE", "one"), ("KEY_TWO", "two")]);
    let mut openai = 0;
    for at in 0..40 {
        let client = Client::ALL[at % Client::ALL.len()];
        let got = ask(&house, client, "assistant", "sk-1234");
        assert_eq!(got.status, 200, "{}", got.text());
        let target = house.record(&got).target.unwrap();
        openai += u32::from(&*target.model == "gpt-4.1");
    }
    assert!((15..40).contains(&openai), "three of four by weight, {openai} of 40");
    assert_eq!(ask(&house, Client::Openai, "assistant", "sk-other").status, 401);
}

const FALLING_BACK: &str = r#"
model_list:
  - model_name: fragile
    litellm_params: {model: openai/fault-500, api_base: "http://fleet.example/openai/v1", api_key: os.environ/KEY_ONE}
  - model_name: strong
    litellm_params: {model: anthropic/claude-opus-4-7, api_base: "http://fleet.example/anthropic/v1/messages", api_key: os.environ/KEY_TWO}
router_settings:
  fallbacks: [{"fragile": ["strong"]}]
  num_retries: 0
  model_group_alias: {"old-name": "fragile"}
"#;

#[test]
fn a_group_that_fails_falls_back_also_under_its_alias() {
    let house = serve(FALLING_BACK, &[("KEY_ONE", "one"), ("KEY_TWO", "two")]);
    for name in ["fragile", "old-name"] {
        let got = ask(&house, Client::Openai, name, "none");
        assert_eq!(got.status, 200, "{}", got.text());
        let record = house.record(&got);
        assert_eq!(&*record.target.unwrap().model, "claude-opus-4-7");
        assert_eq!(record.receipt.unwrap().attempts.len(), 1, "{name}");
    }
}

const WILD: &str = r#"
model_list:
  - model_name: "lab/*"
    litellm_params: {model: "openai/*", api_base: "http://fleet.example/openai/v1", api_key: os.environ/KEY_ONE}
  - model_name: capped
    litellm_params: {model: openai/gpt-4.1, api_base: "http://fleet.example/openai/v1", api_key: os.environ/KEY_ONE, max_tokens: 5}
"#;

#[test]
fn a_wildcard_reaches_any_model_of_its_provider_and_limits_hold() {
    let house = serve(WILD, &[("KEY_ONE", "one")]);
    let got = ask(&house, Client::Openai, "lab/gpt-4o-mini", "none");
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(house.fleet.last()["model"], "gpt-4o-mini");
    let got = ask(&house, Client::Openai, "capped", "none");
    assert_eq!(got.status, 200, "{}", got.text());
    let edits = house.record(&got).receipt.unwrap().edits;
    assert!(edits.iter().any(|edit| edit.code.starts_with("cap:") || edit.code.contains("max")), "{edits:?}");
}
