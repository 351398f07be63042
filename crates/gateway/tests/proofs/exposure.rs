//! Who may call from where: hosts, origins, keys and roles, each rule by name.

use pilothouse_gateway::endpoints::{Action, ENDPOINTS, Role};
use serde_json::Value;

use crate::harness::House;
use crate::harness::http::Got;
use crate::harness::reading::Client;

const KEYS: &str = r#"
[server]
admin_token = "env:ADMIN"
hosts = ["gate.example"]
origins = ["https://app.example"]

[providers.openai]
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream"
[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "sk-upstream"

[keys.search]
secret = "env:SEARCH"
application = "search-page"
"#;
const SECRETS: &[(&str, &str)] = &[("ADMIN", "pha-admin-1"), ("SEARCH", "ph-search-1")];

fn with_keys() -> House {
    House::with_secrets(KEYS, SECRETS)
}

fn ask(house: &House, client: Client, headers: &[(&str, &str)]) -> Got {
    let model = format!("{}/fault-many-2", client.vendor(true));
    house.post(client.path(), headers, client.ask(&model, "Hello.", false).to_string().as_bytes())
}

fn error_type(got: &Got) -> String {
    got.json()["error"]["type"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_host_that_nobody_configured_is_refused() {
    let house = House::open();
    for host in ["evil.example", "evil.example:4141", "127.0.0.1.evil.example", "localhost.evil.example"] {
        let got = ask(&house, Client::Openai, &[("host", host)]);
        assert_eq!(got.status, 403, "{host}");
        assert_eq!(house.get("/v1/models", &[("host", host)]).status, 403, "{host}");
        assert_eq!(house.get("/", &[("host", host)]).status, 403, "{host}");
    }
    for host in ["localhost", "127.0.0.1:4141", "[::1]:9"] {
        assert_eq!(ask(&house, Client::Openai, &[("host", host)]).status, 200, "{host}");
    }
    let house = with_keys();
    let key = ("authorization", "Bearer ph-search-1");
    assert_eq!(ask(&house, Client::Openai, &[("host", "gate.example"), key]).status, 200);
}

#[test]
fn a_target_in_absolute_form_is_held_to_the_same_hosts() {
    let house = House::open();
    let request = "GET http://evil.example/v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let got = crate::harness::http::Stream::send(house.address, request.as_bytes()).rest();
    assert_eq!(got.status, 403, "{}", got.text());
}

#[test]
fn a_web_page_of_an_unknown_origin_is_refused() {
    let house = House::open();
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example"] {
        let got = ask(&house, Client::Openai, &[("origin", origin)]);
        assert_eq!(got.status, 403, "{origin}");
        assert_eq!(got.header("access-control-allow-origin"), None, "{origin}");
    }
    assert!(house.fleet.log().is_empty(), "nothing of it reached a vendor");
    let own = format!("http://{}", house.address);
    assert_eq!(ask(&house, Client::Openai, &[("origin", &own)]).status, 200);
}

#[test]
fn a_request_of_another_site_without_an_origin_is_refused() {
    let house = House::open();
    for site in ["cross-site", "same-site"] {
        assert_eq!(house.get("/v1/models", &[("sec-fetch-site", site)]).status, 403, "{site}");
    }
    for site in ["none", "same-origin"] {
        assert_eq!(house.get("/v1/models", &[("sec-fetch-site", site)]).status, 200, "{site}");
    }
}

#[test]
fn configured_origins_are_named_in_answers_and_others_are_not() {
    let house = with_keys();
    let preflight = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
        ("sec-fetch-site", "cross-site"),
    ];
    let got = crate::harness::http::call(house.address, "OPTIONS", "/v1/chat/completions", &preflight, b"");
    assert_eq!(got.status, 204);
    assert_eq!(got.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(got.header("access-control-allow-headers"), Some("authorization,content-type"));
    assert_eq!(got.header("access-control-allow-credentials"), None);
    let key = ("authorization", "Bearer ph-search-1");
    let got = ask(&house, Client::Openai, &[preflight[0], key]);
    assert_eq!((got.status, got.header("access-control-allow-origin")), (200, Some("https://app.example")));
    let got = ask(&house, Client::Openai, &[preflight[0]]);
    assert_eq!((got.status, got.header("access-control-allow-origin")), (401, Some("https://app.example")));
    let others = [("origin", "https://app.example.evil"), ("access-control-request-method", "POST")];
    let got = crate::harness::http::call(house.address, "OPTIONS", "/v1/chat/completions", &others, b"");
    assert_eq!((got.status, got.header("access-control-allow-origin")), (403, None));
}

#[test]
fn without_keys_loopback_callers_are_let_in_with_any_credential_and_none_is_forwarded() {
    let house = House::open();
    let mut seen = Vec::new();
    for headers in [&[][..], &[("authorization", "Bearer whatever")], &[("x-api-key", "sk-ant-x")]] {
        assert_eq!(ask(&house, Client::Openai, headers).status, 200);
        seen.push(house.fleet.last()["headers"]["authorization"].clone());
        assert!(house.fleet.last()["headers"].get("x-api-key").is_none());
    }
    assert!(seen[0].is_string() && seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

#[test]
fn keys_are_taken_in_all_three_headers_of_sdks() {
    let house = with_keys();
    for client in Client::ALL {
        for header in [
            ("authorization", "Bearer ph-search-1"),
            ("authorization", "bearer ph-search-1"),
            ("x-api-key", "ph-search-1"),
            ("x-goog-api-key", "ph-search-1"),
        ] {
            let got = ask(&house, client, &[header]);
            assert_eq!(got.status, 200, "{client:?} {header:?}: {}", got.text());
            let caller = house.record(&got).caller;
            assert_eq!((&*caller.key, &*caller.application), ("search", "search-page"));
        }
    }
}

#[test]
fn a_wrong_key_is_refused_in_the_callers_dialect_and_never_repeated() {
    let house = with_keys();
    for client in Client::ALL {
        for header in [
            ("authorization", "Bearer ph-wrong-canary"),
            ("x-api-key", "ph-wrong-canary"),
            ("authorization", "Basic ph-wrong-canary"),
            ("authorization", "Bearer "),
        ] {
            let got = ask(&house, client, &[header]);
            assert_eq!(got.status, 401, "{client:?} {header:?}");
            assert!(!got.text().contains("canary"), "{}", got.text());
            let body = got.json();
            match client {
                Client::Openai | Client::Responses => {
                    assert_eq!(body["error"]["code"], "invalid_api_key", "{body}");
                }
                Client::Gemini => assert_eq!(body["error"]["status"], "UNAUTHENTICATED", "{body}"),
                Client::Anthropic => {
                    assert_eq!(
                        (&body["type"], error_type(&got).as_str()),
                        (&Value::from("error"), "authentication_error")
                    );
                }
            }
        }
        assert_eq!(ask(&house, client, &[]).status, 401);
        // Shared paths answer in the dialect that the caller's SDK shows.
        let got = house.get("/v1/models", &[("anthropic-version", "2023-06-01")]);
        assert_eq!((got.status, error_type(&got).as_str()), (401, "authentication_error"));
    }
    assert!(house.fleet.log().is_empty());
}

#[test]
fn an_address_that_others_can_reach_is_closed_without_keys() {
    let configuration =
        "[providers.openai]\nbase_url = \"http://FLEET/openai/v1\"\napi_key = \"sk-upstream\"\n";
    let house = House::listening(configuration, &[], [0, 0, 0, 0]);
    for headers in [&[][..], &[("authorization", "Bearer anything")]] {
        assert_eq!(ask(&house, Client::Openai, headers).status, 401);
        assert_eq!(house.get("/v1/models", headers).status, 401);
    }
    assert_eq!(house.get("/livez", &[]).status, 200);
    assert!(house.fleet.log().is_empty());
}

#[test]
fn every_endpoint_asks_for_its_role() {
    let house = with_keys();
    let call = |method: &str, path: &str, secret: Option<&str>| {
        let bearer = secret.map(|secret| format!("Bearer {secret}"));
        let headers: Vec<(&str, &str)> =
            bearer.iter().map(|value| ("authorization", value.as_str())).collect();
        crate::harness::http::call(house.address, method, path, &headers, b"{}").status
    };
    for endpoint in ENDPOINTS {
        let below = if endpoint.path.len() > 1 && endpoint.path.ends_with('/') { "gpt-4o" } else { "" };
        let path = &format!("{}{below}", endpoint.path.replace("{id}", "id-1"));
        let (nobody, caller, admin) = (
            call(endpoint.method, path, None),
            call(endpoint.method, path, Some("ph-search-1")),
            call(endpoint.method, path, Some("pha-admin-1")),
        );
        match endpoint.role {
            Role::Anyone => assert_eq!((nobody, caller, admin), (200, 200, 200), "{path}"),
            Role::Caller => {
                // AWS knows no 401: its SDKs read that access is denied.
                let denied = if endpoint.action == Action::Bedrock { 403 } else { 401 };
                assert_eq!((nobody, admin), (denied, denied), "{path}");
                assert_ne!(caller, denied, "{path}");
            }
            Role::Operator => assert_eq!((nobody, caller, admin), (401, 401, 200), "{path}"),
            // What the admin token may, and each role, is proven with the rest of the administration.
            Role::Viewer | Role::Lead | Role::Admin => assert_eq!((nobody, caller), (401, 403), "{path}"),
        }
    }
}

#[test]
fn gateways_that_call_each_other_in_circles_stop_after_eight_hops() {
    let first = House::open();
    let at = |address: std::net::SocketAddr| {
        format!(
            "[providers.next]\ndialect = \"openai-chat\"\nbase_url = \"http://{address}/v1\"\nmodels = [\"m\"]\nretries = 0\n"
        )
    };
    let second = House::with(&at(first.address));
    first.reload(&at(second.address)).unwrap();
    let got = first.chat(&Client::Openai.ask("m", "Round.", false));
    assert_eq!(got.status, 400);
    assert!(got.text().contains("eight gateways"), "{}", got.text());
}

#[test]
fn a_gateway_that_would_call_itself_is_refused_by_its_configuration() {
    let house = House::open();
    for host in ["127.0.0.1", "localhost"] {
        let wrong = format!(
            "[providers.me]\ndialect = \"openai-chat\"\nbase_url = \"http://{host}:{}/v1\"\n",
            house.address.port()
        );
        let error = house.reload(&wrong).unwrap_err().to_string();
        assert!(error.contains("our own listener"), "{error}");
    }
}

#[test]
fn internal_headers_of_a_caller_change_nothing() {
    let house = House::open();
    let forged = [
        ("x-pilothouse-exchange", "01aaaaaaaaaaaaaaaaaaaaaaaa"),
        ("x-pilothouse-changed", "forged"),
        ("x-pilothouse-estimate", "forged"),
    ];
    let got = ask(&house, Client::Openai, &forged);
    assert_eq!(got.status, 200);
    assert_ne!(got.header("x-pilothouse-exchange"), Some("01aaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_eq!(
        (got.header("x-pilothouse-changed"), got.header("x-pilothouse-estimate")),
        (Some("set:model"), None)
    );
    let up = house.fleet.last();
    let internal: Vec<&String> =
        up["headers"].as_object().unwrap().keys().filter(|name| name.starts_with("x-pilothouse")).collect();
    assert_eq!(internal, ["x-pilothouse-hops"]);
}
