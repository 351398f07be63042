//! The OpenAPI document: golden, whole, and by the rules of OpenAPI 3.1 as far as they can be checked here.

use std::collections::BTreeSet;
use std::path::Path;

use pilothouse_gateway::api::document;
use serde_json::Value;

use super::{governed, read};

/// Every member of a kind, wherever it stands.
fn each<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            for (known, value) in members {
                if known == name {
                    found.push(value);
                }
                each(value, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, name, found)),
        _ => {}
    }
}

/// Every operation with its path and method.
pub(super) fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (path.clone(), method.clone())).collect()
    };
    let all = paths.iter().flat_map(methods);
    all.map(|(path, method)| {
        let operation = &document["paths"][&path][&method];
        (path, method, operation)
    })
    .collect()
}

#[test]
fn document_is_the_one_that_was_agreed_on() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json");
    let text = format!("{:#}\n", document());
    pilothouse_testkit::golden::check(&path, &text).unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn served_document_is_the_golden_one() {
    let house = governed();
    assert_eq!(read(&house, "/api/v1/openapi.json"), document());
}

#[test]
fn every_reference_of_the_document_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut references = Vec::new();
    each(&document, "$ref", &mut references);
    let used: BTreeSet<&str> = references.iter().map(|reference| reference.as_str().unwrap()).collect();
    for reference in &used {
        let pointer =
            reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(document.pointer(pointer).is_some_and(Value::is_object), "{reference}");
    }
    for group in ["schemas", "responses"] {
        for name in document["components"][group].as_object().unwrap().keys() {
            assert!(
                used.contains(format!("#/components/{group}/{name}").as_str()),
                "nothing uses {group}/{name}"
            );
        }
    }
}

#[test]
fn operations_have_distinct_ids_declared_parameters_and_described_answers() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.1");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path: Vec<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let declared: Vec<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(in_path, declared, "{path}");
        for parameter in parameters {
            assert!(parameter["schema"].is_object() && parameter["in"].is_string(), "{path} {parameter}");
            assert!(parameter["in"] != "path" || parameter["required"] == true, "{path}");
        }
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
        for (status, answer) in answers {
            assert!(status.parse::<u16>().is_ok_and(|status| (200..600).contains(&status)), "{status}");
            let is_whole = answer["$ref"].is_string() || answer["description"].is_string();
            assert!(is_whole, "{method} {path} {status}");
        }
        assert!(method != "get" || operation.get("requestBody").is_none(), "{path}");
        let tag = &operation["tags"][0];
        let tags = document["tags"].as_array().unwrap();
        assert!(tags.iter().any(|known| known["name"] == *tag), "{tag}");
    }
}

#[test]
fn schemas_are_schemas_by_the_2020_12_dialect() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}: {schema}");
        assert!(schema["description"].as_str().is_some_and(|about| !about.is_empty()), "{name}");
    }
    let mut inline = Vec::new();
    each(&document, "schema", &mut inline);
    for schema in inline.into_iter().filter(|schema| schema.is_object()) {
        assert!(jsonschema::meta::is_valid(schema), "{schema}");
    }
}
