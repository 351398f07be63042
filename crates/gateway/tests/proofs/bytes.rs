//! What passes and what does not: the client's bytes upwards, headers both ways, secrets nowhere.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::reading::Client;
use crate::harness::scripted::{self, Act, Scripted};

/// Headers as SDKs, proxies and browsers send them.
const SENT: &[(&str, &str)] = &[
    ("authorization", "Bearer sk-caller-canary-1"),
    ("x-api-key", "sk-caller-canary-2"),
    ("x-goog-api-key", "sk-caller-canary-3"),
    ("proxy-authorization", "Basic canary-4"),
    ("cookie", "session=canary-5"),
    ("x-forwarded-for", "10.1.2.3"),
    ("x-forwarded-host", "inner.example"),
    ("x-forwarded-proto", "https"),
    ("forwarded", "for=10.1.2.3"),
    ("x-real-ip", "10.1.2.3"),
    ("via", "1.1 inner"),
    ("te", "trailers"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, br"),
    ("user-agent", "OpenAI/Python 2.1.0"),
    ("x-stainless-lang", "python"),
    ("x-stainless-retry-count", "0"),
    ("openai-organization", "org-caller"),
    ("openai-project", "proj-caller"),
    ("openai-beta", "assistants=v2"),
    ("x-client-request-id", "client-7"),
    ("anthropic-version", "2023-06-01"),
    ("anthropic-beta", "context-1m-2025-08-07"),
    ("idempotency-key", "once-7"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", "vendor=1"),
    ("x-pilothouse-app", "proofs"),
    ("x-pilothouse-hops", "2"),
    ("x-pilothouse-exchange", "01aaaaaaaaaaaaaaaaaaaaaaaa"),
    ("x-custom", "custom"),
];

fn post(house: &House, client: Client, body: &str) -> crate::harness::http::Got {
    house.post(client.path(), &[], body.as_bytes())
}

fn upstream_body(house: &House) -> String {
    house.fleet.last()["body"].as_str().unwrap().to_owned()
}

/// A body as nobody's serialiser would write it.
fn odd_body(model: &str, is_stream: bool) -> String {
    let stream = if is_stream { ",\n\t\"stream\" :  true" } else { "" };
    format!(
        "{{ \"messages\":[{{\"role\":\"user\" , \"content\":\"caf\\u00e9 \\ud83d\\ude00 \\/ tab\\t {{\\\"model\\\":\\\"x\\\"}}\"}}],\r\n  \"max_tokens\":64, \"model\"  :\"{model}\"{stream}\n}}\n"
    )
}

#[test]
fn the_vendor_receives_exactly_the_clients_bytes_but_for_the_model_name() {
    let house = House::open();
    for client in Client::ALL {
        let vendor = client.vendor(true);
        // A bare name that is the model's own: nothing is edited.
        let own = if client == Client::Openai { "gpt-4o" } else { "claude-sonnet-4-5" };
        let body = odd_body(own, false);
        let got = post(&house, client, &body);
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(upstream_body(&house), body, "{client:?}");
        assert_eq!(got.header("x-pilothouse-changed"), None);
        // A name with its provider: the name and nothing else.
        let got = post(&house, client, &odd_body(&format!("{vendor}/{own}"), false));
        assert_eq!(upstream_body(&house), body, "{client:?}");
        assert_eq!(got.header("x-pilothouse-changed"), Some("set:model"));
    }
}

#[test]
fn a_stream_without_usage_gets_one_more_member_and_no_other_change() {
    let house = House::open();
    let body = odd_body("gpt-4o", true);
    let got = post(&house, Client::Openai, &body);
    assert_eq!(got.status, 200, "{}", got.text());
    let sent = upstream_body(&house);
    let edit = "\"stream_options\":{\"include_usage\":true}";
    assert_eq!(sent.matches(edit).count(), 1, "{sent}");
    let at = sent.find(edit).unwrap();
    let without = [&sent[..at], &sent[at + edit.len()..]].concat();
    let same = |text: &str| text.chars().filter(|letter| *letter != ',').collect::<String>();
    assert_eq!(same(&without), same(&body), "one member and its comma");
    assert_eq!(
        serde_json::from_str::<Value>(&sent).unwrap()["stream_options"],
        json!({"include_usage": true})
    );
    assert_eq!(got.header("x-pilothouse-changed"), Some("set:stream_options.include_usage"));
    // An Anthropic stream tells its usage unasked.
    let body = odd_body("claude-sonnet-4-5", true);
    post(&house, Client::Anthropic, &body);
    assert_eq!(upstream_body(&house), body);
}

#[test]
fn the_bytes_of_a_cached_prefix_stay_the_same_over_turns() {
    let house = House::open();
    let first = r#"{"model":"anthropic/claude-sonnet-4-5","max_tokens":50,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"One?"}"#;
    let second = format!(
        "{first},{{\"role\":\"assistant\",\"content\":\"One.\"}},{{\"role\":\"user\",\"content\":\"Two?\"}}"
    );
    assert_eq!(post(&house, Client::Anthropic, &format!("{first}]}}")).status, 200);
    let one = upstream_body(&house);
    assert_eq!(post(&house, Client::Anthropic, &format!("{second}]}}")).status, 200);
    let two = upstream_body(&house);
    assert!(two.starts_with(one.trim_end_matches("]}")), "{one}\n{two}");
    // Through the codec as well: what was said before is written the same way again.
    let ask = |turns: &[(&str, &str)]| {
        let messages: Vec<Value> =
            turns.iter().map(|(role, text)| json!({"role": role, "content": text})).collect();
        let body = json!({"model": "anthropic/claude-sonnet-4-5", "max_tokens": 50, "messages": messages});
        assert_eq!(house.chat(&body).status, 200);
        upstream_body(&house)
    };
    let one: Value = serde_json::from_str(&ask(&[("system", "Be brief."), ("user", "One?")])).unwrap();
    let two: Value = serde_json::from_str(&ask(&[
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", "One."),
        ("user", "Two?"),
    ]))
    .unwrap();
    assert_eq!(one["system"].to_string(), two["system"].to_string());
    assert_eq!(one["messages"][0].to_string(), two["messages"][0].to_string());
}

#[test]
fn unknown_members_survive_up_and_down_in_the_same_dialect() {
    let answer = r#"{"id":"c1","model":"m","brand_new":{"deep":[1,{"er":null}]},"choices":[{"index":0,"message":{"role":"assistant","content":"Hi","mood":"calm"},"finish_reason":"stop"}]}"#;
    let vendor = Scripted::start(vec![Act::Write(vec![scripted::json("200 OK", "", answer)])]);
    let house = House::with(&format!(
        "[providers.odd]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\nmodels = [\"m\"]\n",
        vendor.address
    ));
    let body = r#"{"model":"m","brand_new":{"deep":[1,{"er":null}]},"messages":[{"role":"user","content":"Hello.","mood":"calm"}]}"#;
    let got = post(&house, Client::Openai, body);
    assert_eq!(got.text(), answer);
    assert!(vendor.requests()[0].ends_with(body));
}

/// The headers that the fleet saw, or the client got, without those that change from run to run.
fn shown<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines: Vec<String> = headers
        .map(|(name, value)| {
            let value = match name {
                "host" => "(the vendor's)",
                "content-length" | "date" => "(varies)",
                "x-request-id" | "request-id" | "x-pilothouse-exchange" => "(an id)",
                "user-agent" => value.split('/').next().unwrap_or_default(),
                _ => value,
            };
            format!("  {name}: {value}")
        })
        .collect();
    lines.sort();
    lines.join("\n") + "\n"
}

#[test]
fn headers_pass_by_the_table_and_no_others() {
    let house = House::open();
    let mut page = String::from("Sent by every client:\n");
    page.push_str(&shown(SENT.iter().copied()));
    for client in Client::ALL {
        for is_same in [true, false] {
            let vendor = client.vendor(is_same);
            let body = client.ask(&format!("{vendor}/fault-many-2"), "Hello.", false);
            let got = house.post(client.path(), SENT, body.to_string().as_bytes());
            assert_eq!(got.status, 200, "{}", got.text());
            let entry = house.fleet.last();
            let up = entry["headers"].as_object().unwrap();
            let up = shown(up.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())));
            let down = shown(got.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let _ = write!(page, "\n{} at {vendor}\n up\n{up} down\n{down}", client.name());
        }
    }
    assert!(!page.split("openai-chat at").skip(1).any(|part| part.contains("canary")), "{page}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/headers.txt");
    if let Err(difference) = pilothouse_testkit::golden::check(&path, &page) {
        panic!("{difference}\n{page}");
    }
}

#[test]
fn what_a_caller_proves_itself_with_never_reaches_a_vendor() {
    let house = House::open();
    for client in Client::ALL {
        for is_same in [true, false] {
            let vendor = client.vendor(is_same);
            let body = client.ask(&format!("{vendor}/fault-many-2"), "Hello.", false);
            let plain = {
                house.post(client.path(), &[], body.to_string().as_bytes());
                house.fleet.last()
            };
            house.post(client.path(), SENT, body.to_string().as_bytes());
            let entry = house.fleet.last();
            // The fleet hashes credentials: equal hashes are the provider's own key in both calls.
            for name in ["authorization", "x-api-key"] {
                assert_eq!(entry["headers"][name], plain["headers"][name], "{client:?} {vendor} {name}");
            }
            for name in [
                "x-goog-api-key",
                "proxy-authorization",
                "cookie",
                "x-forwarded-for",
                "x-forwarded-host",
                "x-forwarded-proto",
                "forwarded",
                "x-real-ip",
                "via",
                "openai-organization",
                "openai-project",
                "x-pilothouse-app",
                "x-pilothouse-exchange",
                "x-custom",
                "x-stainless-lang",
            ] {
                assert!(entry["headers"].get(name).is_none(), "{client:?} at {vendor}: {name} passed");
            }
        }
    }
}

#[test]
fn the_vendors_cookies_and_organisation_never_reach_a_client() {
    let house = House::open();
    for client in Client::ALL {
        for is_same in [true, false] {
            for is_stream in [true, false] {
                let vendor = client.vendor(is_same);
                let body = client.ask(&format!("{vendor}/fault-many-2"), "Hello.", is_stream);
                let got = house.post(client.path(), &[], body.to_string().as_bytes());
                for name in [
                    "set-cookie",
                    "openai-organization",
                    "openai-project",
                    "anthropic-organization-id",
                    "server",
                    "cf-ray",
                    "strict-transport-security",
                ] {
                    assert_eq!(got.header(name), None, "{client:?} at {vendor}: {name} passed");
                }
                assert!(got.header("x-request-id").or(got.header("request-id")).is_some());
            }
        }
    }
}

#[test]
fn secrets_stand_nowhere_but_in_their_calls() {
    let secrets =
        ["sk-canary-openai-7c1", "bad-canary-anthropic-9d2", "ph-canary-caller-3e4", "pha-canary-admin-5f6"];
    let configuration = r#"
[server]
admin_token = "env:ADMIN"
[providers.openai]
base_url = "http://FLEET/openai/v1"
api_key = "env:UP_OPENAI"
[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "env:UP_ANTHROPIC"
[keys.team]
secret = "env:CALLER"
"#;
    let variables = [
        ("UP_OPENAI", secrets[0]),
        ("UP_ANTHROPIC", secrets[1]),
        ("CALLER", secrets[2]),
        ("ADMIN", secrets[3]),
    ];
    let mut house = House::with_secrets(configuration, &variables);
    let key = format!("Bearer {}", secrets[2]);
    let mut seen = Vec::new();
    for (model, client) in [
        ("openai/fault-many-2", Client::Openai),
        ("openai/fault-500", Client::Openai),
        // The anthropic key is refused: the vendor's error passes by.
        ("anthropic/claude-sonnet-4-5", Client::Openai),
        ("anthropic/claude-sonnet-4-5", Client::Anthropic),
        ("nobody/none", Client::Anthropic),
    ] {
        for is_stream in [true, false] {
            let body = client.ask(model, "Hello.", is_stream).to_string();
            seen.push(house.post(client.path(), &[("authorization", &key)], body.as_bytes()));
            let wrong = format!("Bearer {}x", secrets[3]);
            seen.push(house.post(client.path(), &[("authorization", &wrong)], body.as_bytes()));
        }
    }
    for path in ["/", "/metrics", "/v1/models", "/version", "/readyz"] {
        seen.push(house.get(path, &[("authorization", &format!("Bearer {}", secrets[3]))]));
        seen.push(house.get(path, &[("authorization", &key)]));
    }
    house.stop();
    let mut places: Vec<(String, Vec<u8>)> = seen
        .iter()
        .map(|got| {
            (
                format!("an answer {}", got.status),
                [format!("{:?}", got.headers).into_bytes(), got.body.clone()].concat(),
            )
        })
        .collect();
    let mut files = 0;
    for entry in std::fs::read_dir(house.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files += 1;
            places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    assert!(files > 0, "the ledger is a file");
    for (place, bytes) in places {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {place}");
        }
    }
}
