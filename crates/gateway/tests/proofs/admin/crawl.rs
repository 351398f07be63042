//! Each endpoint of the administration: without a credential, with too small a role, and as the document says.

use pilothouse_gateway::endpoints::{Action, Api, ENDPOINTS, Endpoint, Role};
use serde_json::{Value, json};

use super::document::operations;
use super::{admin, ask, chat, governed, problem, read};
use crate::harness::House;
use crate::harness::http::call;

/// The endpoints of the administration.
fn endpoints() -> Vec<(&'static Endpoint, Api)> {
    let api = |endpoint: &'static Endpoint| match endpoint.action {
        Action::Api(api) => Some((endpoint, api)),
        _ => None,
    };
    ENDPOINTS.iter().filter_map(api).collect()
}

/// A call of each operation that goes well: what stands for `{id}`, the query, the body. Whoever adds an operation adds one.
fn sample(api: Api) -> (&'static str, &'static str, Value) {
    let none = Value::Null;
    match api {
        Api::Document | Api::Myself | Api::Health => ("", "", none),
        Api::ListKeys => ("", "?limit=2&state=active", none),
        Api::MintKey => {
            ("", "", json!({ "name": "made", "team": "search", "budgets": [{ "usd": "5", "every": "day" }] }))
        }
        Api::ShowKey => ("search-app", "", none),
        Api::ChangeKey => ("sample", "", json!({ "rpm": 30, "project": null })),
        Api::RevokeKey => ("unwanted", "", none),
        Api::RotateKey => ("sample", "", json!({ "overlap_seconds": 60 })),
        Api::ListLimits => ("", "?limit=200", none),
        Api::CreateLimit => {
            ("", "", json!({ "name": "made", "team": "search", "rpm": 3, "until": "2099-01-01" }))
        }
        Api::EndLimit => ("sample-limit", "", none),
        Api::ListBudgets => ("", "?kind=team", none),
        Api::ListAlerts
        | Api::ListLifecycle
        | Api::ListTeams
        | Api::ListProviders
        | Api::ListRoutes
        | Api::ListModels
        | Api::ListAudit => ("", "?limit=3", none),
        Api::ListReceipts => ("", "?since=2020-01-01&errors_only=false", none),
        Api::ShowReceipt => ("EXCHANGE", "", none),
        Api::Usage => ("", "?by=key", none),
    }
}

fn path(endpoint: &Endpoint, id: &str, query: &str) -> String {
    format!("{}{query}", endpoint.path.replace("{id}", id))
}

/// What the samples are about.
fn prepared() -> (House, String) {
    let house = governed();
    let got = chat(&house, "sk-search-app", "assistant");
    assert_eq!(got.status, 200, "{}", got.text());
    let exchange = got.header("x-pilothouse-exchange").unwrap().to_owned();
    house.record_of(&exchange);
    for name in ["sample", "unwanted"] {
        super::mint(&house, &json!({ "name": name, "project": "p" }));
    }
    let limit = json!({ "name": "sample-limit", "key": "sample", "rpm": 3, "until": "2099-01-01" });
    assert_eq!(admin(&house, "POST", "/api/v1/limits", &limit).status, 201);
    (house, exchange)
}

/// A schema in which objects have no members but those that are described.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(closed);
            if members.contains_key("properties") && members.get("type").is_some_and(|kind| kind == "object")
            {
                members.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    closed(&mut root["components"]["schemas"]);
    jsonschema::draft202012::new(&root).unwrap()
}

#[test]
fn every_operation_is_refused_without_a_credential_and_with_too_small_a_role() {
    let house = governed();
    for (endpoint, api) in endpoints() {
        let (id, query, body) = sample(api);
        let path = path(endpoint, id, query);
        let status = |secret: &str| {
            let got = ask(&house, secret, endpoint.method, &path, &body);
            (got.status, got)
        };
        let (none, got) = status("");
        assert_eq!(none, 401, "{api:?}");
        assert_eq!(got.header("www-authenticate"), Some("Bearer"));
        problem(&got, 401);
        assert_eq!(status("sk-unknown").0, 401, "{api:?}");
        let too_small: &[&str] = match endpoint.role {
            Role::Viewer => &["sk-search-app"],
            Role::Lead => &["sk-search-app", "sk-watcher"],
            Role::Admin => &["sk-search-app", "sk-watcher", "sk-lead"],
            other => panic!("{other:?} is no role of the administration"),
        };
        for secret in too_small {
            let (status, got) = status(secret);
            assert_eq!(status, 403, "{api:?} with {secret}");
            problem(&got, 403);
        }
    }
    let audit = read(&house, "/api/v1/audit");
    assert_eq!(audit["items"], json!([]), "what is refused changes nothing");
}

#[test]
fn every_operation_answers_as_the_document_says_and_none_is_missing_in_it() {
    let (house, exchange) = prepared();
    let document = read(&house, "/api/v1/openapi.json");
    let mut described: Vec<(String, String)> =
        operations(&document).into_iter().map(|(path, method, _)| (path, method.to_uppercase())).collect();
    for (endpoint, api) in endpoints() {
        let (id, query, body) = sample(api);
        let id = if id == "EXCHANGE" { exchange.as_str() } else { id };
        let got = admin(&house, endpoint.method, &path(endpoint, id, query), &body);
        let operation = &document["paths"][endpoint.path][endpoint.method.to_lowercase()];
        let answer = &operation["responses"][got.status.to_string()];
        assert!(got.status < 300 && answer.is_object(), "{api:?} {}: {}", got.status, got.text());
        let validator = validator(&document, &answer["content"]["application/json"]["schema"]);
        let value = got.json();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{api:?} {errors:#?}\n{value:#}");
        assert_eq!(got.header("cache-control"), Some("no-store"), "{api:?}");
        let role = format!("{:?}", endpoint.role).to_lowercase();
        assert_eq!(operation["x-pilothouse-role"], role.as_str(), "{api:?}");
        let before = described.len();
        described.retain(|known| *known != (endpoint.path.to_owned(), endpoint.method.to_owned()));
        assert_eq!(described.len(), before - 1, "{api:?} is described once");
        if let Some(request) = operation.get("requestBody") {
            let schema = &request["content"]["application/json"]["schema"];
            assert!(self::validator(&document, schema).is_valid(&body), "{api:?} takes {body}");
        }
    }
    assert!(described.is_empty(), "described, but no endpoint: {described:?}");
}

/// Method, path, headers, body, and the status that is expected.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16);

#[test]
fn refusals_have_the_one_shape_wherever_they_are_made() {
    let house = governed();
    let document = read(&house, "/api/v1/openapi.json");
    let schema = json!({ "$ref": "#/components/schemas/Failure" });
    let validator = validator(&document, &schema);
    let long = format!("{{\"name\": \"{}\"}}", "n".repeat(70_000));
    let bearer = [("authorization", "Bearer pha-admin-token")];
    let as_form = [bearer[0], ("content-type", "text/plain")];
    let json_too = [bearer[0], ("content-type", "application/json")];
    let cases: [Case<'_>; 14] = [
        ("GET", "/api/v1/nothing", &bearer, "", 404),
        ("GET", "/api/v2/keys", &bearer, "", 404),
        ("GET", "/api/v1/keys/", &bearer, "", 404),
        ("PUT", "/api/v1/keys", &bearer, "", 405),
        ("GET", "/api/v1/keys?limit=1000", &bearer, "", 400),
        ("GET", "/api/v1/keys?cursor=%00", &bearer, "", 400),
        ("GET", "/api/v1/receipts/nonsense", &bearer, "", 400),
        ("GET", "/api/v1/keys/none", &bearer, "", 404),
        ("POST", "/api/v1/keys", &as_form, "{\"name\": \"a\"}", 415),
        ("POST", "/api/v1/keys", &json_too, "{\"name\": \"a\", \"rmp\": 1}", 400),
        ("POST", "/api/v1/keys", &json_too, "", 400),
        ("POST", "/api/v1/keys", &json_too, &long, 413),
        ("GET", "/api/v1/keys", &[bearer[0], ("origin", "https://evil.example")], "", 403),
        ("GET", "/api/v1/keys", &[bearer[0], ("host", "rebound.example")], "", 403),
    ];
    for (method, path, headers, body, status) in cases {
        let got = call(house.address, method, path, headers, body.as_bytes());
        let told = problem(&got, status);
        assert!(validator.is_valid(&got.json()), "{method} {path}: {}", got.text());
        assert!(!told["reason"].as_str().unwrap().is_empty());
    }
    let other = call(house.address, "PUT", "/api/v1/keys", &bearer, b"");
    assert_eq!(other.header("allow"), Some("GET, POST"));
    assert_eq!(call(house.address, "HEAD", "/api/v1/keys", &bearer, b"").status, 200);
}
