//! The fleet against the published service model: its table of shapes, its answers and its events.

use super::frames::events;
use super::{NOVA, OPUS, OSS, SONNET, ask, path, tools, with};
use crate::bedrock::members::{CONVERSE, CONVERSE_STREAM};
use crate::bedrock::shapes::{ANY, Members, Shape};
use crate::tests::client::{fleet, post};
use serde_json::{Map, Value, json};

fn model() -> Value {
    let fixture = include_str!("../../../fixtures/bedrock.service.json");
    serde_json::from_str::<Value>(fixture).unwrap()["shapes"].clone()
}

/// A shape of ours as the published model would write it.
fn same(published: &Value, name: &str, ours: &Shape) {
    let shape = &published[name];
    let kind = shape["type"].as_str().unwrap_or_else(|| panic!("{name} is not published"));
    let bound = |member: &str, none: usize| shape[member].as_u64().map_or(none, |n| n as usize);
    match ours {
        Shape::Document => assert_eq!(shape["document"], true, "{name}"),
        Shape::Bool => assert_eq!(kind, "boolean", "{name}"),
        Shape::Blob(min) => assert_eq!((kind, *min), ("blob", bound("min", 0)), "{name}"),
        Shape::Int { min } => {
            assert_eq!((kind, shape["min"].as_i64()), ("integer", Some(*min)), "{name}");
        }
        Shape::Float { min, max } => {
            assert_eq!(
                (kind, shape["min"].as_f64(), shape["max"].as_f64()),
                ("float", Some(*min), Some(*max))
            );
        }
        Shape::Enum(values) => assert_eq!(shape["enum"], json!(values), "{name}"),
        Shape::Text(limits) => {
            assert_eq!(
                (kind, limits.min, limits.max),
                ("string", bound("min", 0), bound("max", ANY)),
                "{name}"
            );
            assert_eq!(limits.pattern.map(|(p, _)| p), shape["pattern"].as_str(), "{name}");
            assert!(shape.get("enum").is_none(), "{name}");
        }
        Shape::List { of, min, max } => {
            assert_eq!((kind, *min, *max), ("list", bound("min", 0), bound("max", ANY)), "{name}");
            same(published, shape["member"].as_str().unwrap(), of);
        }
        Shape::Map { key, value, min, max } => {
            assert_eq!((kind, *min, *max), ("map", bound("min", 0), bound("max", ANY)), "{name}");
            same(published, shape["key"].as_str().unwrap(), key);
            same(published, shape["value"].as_str().unwrap(), value);
        }
        Shape::Struct(members) => {
            assert_ne!(shape["union"], true, "{name}");
            same_members(published, name, members);
        }
        Shape::Union(members) => {
            assert_eq!(shape["union"], true, "{name}");
            same_members(published, name, members);
        }
    }
}

fn same_members(published: &Value, name: &str, ours: &Members) {
    assert_eq!(name, ours.name);
    let theirs = published[name]["members"].as_object().unwrap();
    let mut names: Vec<&str> = ours.members.iter().map(|(n, ..)| *n).collect();
    let mut wanted: Vec<&str> = theirs.keys().map(String::as_str).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "{name}");
    let required = published[name]["required"].as_array().cloned().unwrap_or_default();
    for (member, shape, is_required) in ours.members {
        assert_eq!(*is_required, required.contains(&json!(member)), "{name}.{member}");
        same(published, theirs[*member].as_str().unwrap(), shape);
    }
}

#[test]
fn the_table_of_shapes_is_the_published_one() {
    let published = model();
    same_members(&published, "ConverseRequest", &CONVERSE);
    same_members(&published, "ConverseStreamRequest", &CONVERSE_STREAM);
}

/// Whether a value is what the published model says; members of the SDK's own are none.
fn assert_conforms(published: &Value, name: &str, value: &Value) {
    let shape = &published[name];
    let fits = match shape["type"].as_str().unwrap() {
        "structure" if shape["document"] == true => true,
        "structure" => value.as_object().is_some_and(|map| members_conform(published, name, map)),
        "list" => value.as_array().is_some_and(|items| {
            items.iter().for_each(|v| assert_conforms(published, shape["member"].as_str().unwrap(), v));
            true
        }),
        "string" => {
            let allowed = shape["enum"].as_array();
            value.is_string() && allowed.is_none_or(|all| all.contains(value))
        }
        "blob" => value.as_str().is_some_and(|text| crate::media::decode(text).is_some()),
        "integer" | "long" => value.as_u64().is_some(),
        "boolean" => value.is_boolean(),
        other => panic!("{other} is in no answer"),
    };
    assert!(fits, "{name}: {value}");
}

fn members_conform(published: &Value, name: &str, map: &Map<String, Value>) -> bool {
    let shape = &published[name];
    for (member, value) in map {
        // Padding of the events, which the model does not list.
        if member == "p" && name.ends_with("Event") {
            continue;
        }
        let inner = shape["members"][member].as_str().unwrap_or_else(|| panic!("{name} has no {member}"));
        assert_conforms(published, inner, value);
    }
    let required = shape["required"].as_array().cloned().unwrap_or_default();
    let is_whole = required.iter().all(|r| map.contains_key(r.as_str().unwrap()));
    is_whole && (shape["union"] != true || map.len() == 1)
}

#[tokio::test]
async fn answers_and_events_conform_to_the_published_shapes() {
    let (published, fleet) = (model(), fleet().await);
    let mut calls = ask("get_weather and get_time, in parallel");
    calls["toolConfig"] = tools();
    let thinking = |kind: Value| with("why", json!({"additionalModelRequestFields": {"thinking": kind}}));
    for (model, request) in [
        (NOVA, calls.clone()),
        (OSS, calls),
        (OPUS, thinking(json!({"type": "adaptive", "display": "summarized"}))),
        (SONNET, thinking(json!({"type": "enabled", "budget_tokens": 2_000}))),
        (SONNET, ask("[[cite]]")),
        (NOVA, with("x", json!({"serviceTier": {"type": "priority"}}))),
        ("fault-refusal", ask("x")),
        ("fault-empty", ask("x")),
        ("fake-c3", ask("x")),
    ] {
        let got = post(&fleet, &path(model, "converse"), &request).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert_conforms(&published, "ConverseResponse", &got.json());
        let got = post(&fleet, &path(model, "converse-stream"), &request).await;
        for (kind, payload) in events(&got.body) {
            let shape = published["ConverseStreamOutput"]["members"][&kind].as_str().unwrap();
            assert_conforms(&published, shape, &payload);
        }
    }
    fleet.shutdown().await;
}
