//! What the administration shows: budgets, alerts, health, the configuration with its lines, receipts and usage.

use serde_json::{Value, json};

use super::{admin, chat, governed, mint, problem, read};
use crate::harness::{House, eventually};

/// Every row of a list, page by page.
fn pages(house: &House, path: &str, limit: u32) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    let gap = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = read(house, &format!("{path}{gap}limit={limit}{cursor}"));
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit as usize, "{path}");
        rows.extend(items.iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return rows };
        assert_eq!(items.len(), limit as usize, "a page before the last is full");
        cursor = format!("&cursor={next}");
    }
}

fn line(house: &House, wanted: &str) -> String {
    let text = std::fs::read_to_string(house.folder.path().join("pilothouse.toml")).unwrap();
    format!("pilothouse.toml:{}", text.lines().position(|line| line == wanted).unwrap() + 1)
}

fn stands_at(value: &Value, place: &str) -> bool {
    value["place"].as_str().is_some_and(|found| found.ends_with(place))
}

#[test]
fn pages_hold_every_row_once_in_every_size() {
    let house = governed();
    for number in 0..7 {
        let budgets = json!([{ "usd": "1", "every": "hour" }, { "usd": "9", "every": "day" }]);
        let secret = mint(&house, &json!({ "name": format!("k{number}"), "rpm": 9, "budgets": budgets }));
        let got = chat(&house, &secret, "assistant");
        house.record(&got);
    }
    let written =
        |rows: &Vec<Value>| rows.iter().map(Value::to_string).collect::<std::collections::BTreeSet<_>>();
    for path in [
        "/api/v1/keys",
        "/api/v1/keys?managed_by=store",
        "/api/v1/budgets?kind=key",
        "/api/v1/budgets",
        "/api/v1/limits",
        "/api/v1/receipts",
        "/api/v1/audit",
        "/api/v1/providers",
        "/api/v1/teams",
    ] {
        let whole = eventually(path, || {
            // Spends are noted each second: the list must hold still while it is read in pages.
            let (first, again) = (pages(&house, path, 200), pages(&house, path, 200));
            (first == again).then_some(first)
        });
        assert!(whole.len() > 1, "{path}");
        assert_eq!(written(&whole).len(), whole.len(), "{path}");
        for limit in [1, 2, 3, whole.len()] {
            let paged = pages(&house, path, u32::try_from(limit).unwrap());
            assert_eq!(paged.len(), whole.len(), "{path} by {limit}");
        }
    }
    assert_eq!(pages(&house, "/api/v1/keys?managed_by=store", 200).len(), 7);
    assert_eq!(pages(&house, "/api/v1/budgets?kind=key", 200).len(), 15);
}

#[test]
fn budgets_show_what_is_spent_and_when_they_begin_anew() {
    let house = governed();
    let find = |kind: &str, scope: &str| {
        let rows = pages(&house, "/api/v1/budgets", 200);
        rows.into_iter().find(|row| row["kind"] == kind && row["scope"] == scope).unwrap()
    };
    let fresh = find("team", "search");
    assert_eq!((&fresh["spent"]["usd"], &fresh["cap"]["usd"]), (&json!("0.00"), &json!("50.00")));
    assert!(stands_at(&fresh, &line(&house, "[teams.search]")), "{fresh}");
    let body = json!({
        "model": "assistant", "user": "mallory", "messages": [{ "role": "user", "content": "Hello." }],
    });
    let got = super::ask(&house, "sk-search-app", "POST", "/v1/chat/completions", &body);
    let cost = house.record(&got).bill.cost.known().unwrap();
    assert!(cost.0 > 0);
    for (kind, scope, every, tz) in [
        ("key", "search-app", "day", "UTC"),
        ("team", "search", "day", "UTC"),
        ("team", "company", "month", "Europe/Berlin"),
        ("route", "assistant", "day", "UTC"),
        ("end user", "mallory", "day", "UTC"),
    ] {
        let row = eventually("the spend is noted", || {
            let row = find(kind, scope);
            (row["spent"]["picousd"] == json!(cost)).then_some(row)
        });
        assert_eq!((&row["every"], &row["tz"]), (&json!(every), &json!(tz)), "{row}");
        assert!(row["resets"].as_str().unwrap() > row["began"].as_str().unwrap(), "{row}");
        let (cap, left) = (&row["cap"]["picousd"], &row["left"]["picousd"]);
        assert_eq!(cap.as_i64().unwrap() - left.as_i64().unwrap(), i64::try_from(cost.0).unwrap(), "{row}");
        assert_eq!(row["reserved"]["picousd"], 0, "nothing is under way");
        assert!(row["leased"]["picousd"].as_i64().unwrap() > 0, "{row}");
    }
    assert_eq!(find("end user", "mallory")["key"], "search-app");
    assert_eq!(find("route", "assistant")["on_limit"], "warn");
}

#[test]
fn met_share_of_a_budget_is_told_in_the_api_in_metrics_and_to_people() {
    let house = governed();
    assert_eq!(read(&house, "/api/v1/alerts")["items"], json!([]));
    // 0.1 % of 50 dollars is met by five cents.
    let body = json!({
        "model": "openai/gpt-4o", "max_tokens": 4000, "messages": [{ "role": "user", "content": "word ".repeat(30_000) }],
    });
    let got = super::ask(&house, "sk-search-app", "POST", "/v1/chat/completions", &body);
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(house.record(&got).bill.cost.known().unwrap().0 >= 50_000_000_000, "enough to be told");
    let alert = eventually("the alert is kept", || {
        let rows = read(&house, "/api/v1/alerts");
        rows["items"].as_array().unwrap().first().cloned()
    });
    assert_eq!(
        (&alert["kind"], &alert["scope"], &alert["percent"]),
        (&json!("team"), &json!("search"), &json!(0.1))
    );
    assert!(alert["text"].as_str().unwrap().starts_with("team `search` has spent $"), "{alert}");
    let told = eventually("people are told", || house.server().take_alerts().pop());
    assert_eq!(told, alert["text"].as_str().unwrap());
    let metrics = super::ask(&house, "pha-admin-token", "GET", "/metrics", &Value::Null).text();
    assert!(metrics.contains("pilothouse_budget_alerts_total{kind=\"team\"} 1"), "{metrics}");
    assert_eq!(read(&house, "/api/v1/alerts")["items"].as_array().unwrap().len(), 1, "told once");
}

#[test]
fn health_tells_breakers_and_failures_of_each_target() {
    let house = governed();
    for _ in 0..6 {
        chat(&house, "sk-root", "openai/fault-503");
    }
    assert_eq!(chat(&house, "sk-root", "assistant").status, 200);
    let health = read(&house, "/api/v1/health");
    assert_eq!((&health["state"], &health["configuration"]), (&json!("ready"), &json!(1)));
    let target = |name: &str| {
        let targets = health["targets"].as_array().unwrap();
        targets
            .iter()
            .find(|target| target["target"] == name)
            .unwrap_or_else(|| panic!("{name}: {health:#}"))
            .clone()
    };
    let broken = target("openai/fault-503");
    assert_eq!((&broken["failed"], &broken["routes"]), (&json!(6), &json!([])), "{broken}");
    let well = target("openai/gpt-4o-mini");
    assert_eq!((&well["breaker"], &well["routes"]), (&json!("closed"), &json!(["assistant"])), "{well}");
    assert_eq!(
        target("anthropic/claude-sonnet-4-5")["exchanges"],
        0,
        "a target of a route is shown before it is called"
    );
}

#[test]
fn configuration_is_shown_with_the_line_of_each_thing() {
    let house = governed();
    let route = read(&house, "/api/v1/routes")["items"][0].clone();
    assert_eq!((&route["name"], &route["strategy"]), (&json!("assistant"), &json!("weighted")));
    assert!(stands_at(&route, &line(&house, "[routes.assistant]")), "{route}");
    let targets = route["targets"].as_array().unwrap();
    let names: Vec<&str> = targets.iter().map(|target| target["target"].as_str().unwrap()).collect();
    assert_eq!(names, ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5"]);
    let fallback = line(&house, "fallback = [\"anthropic/claude-sonnet-4-5\"]");
    assert!(stands_at(&targets[2], &fallback) && targets[2]["fallback"] == true, "{route}");
    assert_eq!((&targets[1]["weight"], &targets[1]["tags"]), (&json!(2), &json!(["zdr"])));
    let providers = read(&house, "/api/v1/providers");
    assert_eq!(
        (&providers["items"][0]["name"], &providers["items"][0]["credentials"]),
        (&json!("openai"), &json!(1))
    );
    assert!(stands_at(&providers["items"][1], &line(&house, "[providers.anthropic]")));
    assert!(!providers.to_string().contains("sk-upstream"), "credentials are not shown");
    let teams = read(&house, "/api/v1/teams");
    let search = teams["items"].as_array().unwrap().iter().find(|team| team["name"] == "search").unwrap();
    assert_eq!((&search["parent"], &search["rpm"]), (&json!("company"), &json!(600)));
    assert_eq!(search["budgets"][0]["usd"], "50.00", "its own, not those above");
    let models = read(&house, "/api/v1/models?limit=1");
    assert_eq!(
        (&models["items"][0]["name"], &models["items"][0]["route"]),
        (&json!("assistant"), &json!(true))
    );
    assert!(stands_at(&models["items"][0], &line(&house, "[routes.assistant]")), "{models}");
}

#[test]
fn receipts_are_found_by_what_they_have() {
    let house = governed();
    let good = chat(&house, "sk-search-app", "assistant");
    let bad = chat(&house, "sk-root", "openai/fault-503");
    let (good, bad) = (house.record(&good), house.record(&bad));
    let ids = |query: &str| -> Vec<String> {
        let rows = pages(&house, &format!("/api/v1/receipts?{query}"), 1);
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("key=search-app"), [good.id.to_string()]);
    assert_eq!(ids("errors_only=true"), [bad.id.to_string()]);
    assert_eq!(ids("model=assistant&outcome=complete"), [good.id.to_string()]);
    assert_eq!(ids("since=2099-01-01"), [""; 0]);
    assert_eq!(ids("until=2099-01-01"), [bad.id.to_string(), good.id.to_string()], "the newest first");
    let one = read(&house, &format!("/api/v1/receipts/{}", good.id));
    assert_eq!(one["receipt"]["choice"]["strategy"], "weighted");
    assert_eq!(one["cost"]["picousd"], json!(good.bill.cost.known().unwrap()));
    problem(&admin(&house, "GET", "/api/v1/receipts/00000000000000000000000000", &Value::Null), 404);
    problem(&admin(&house, "GET", "/api/v1/receipts?outcome=lost", &Value::Null), 400);
    let usage = read(&house, "/api/v1/usage?by=key");
    assert_eq!(usage["total"]["exchanges"], 2);
    let names: Vec<&str> =
        usage["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"search-app") && names.contains(&"root"), "{names:?}");
}

#[test]
fn credential_file_that_is_replaced_is_used_after_the_reload_that_its_watcher_asks_for() {
    use pilothouse_gateway::config::{Source, Watched};
    let configuration = crate::harness::BOTH_VENDORS.replace("\"sk-upstream-openai\"", "\"file:openai.key\"");
    let folder_key =
        |house: &House, key: &str| std::fs::write(house.folder.path().join("openai.key"), key).unwrap();
    let house = House::open();
    folder_key(&house, "sk-first");
    house.reload(&configuration).unwrap();
    let path = house.folder.path().join("pilothouse.toml");
    let mut watched = Watched::of(&Source::read(&path).unwrap());
    let sent = || {
        assert_eq!(chat(&house, "", "openai/gpt-4o-mini").status, 200);
        house.fleet.last()["headers"]["authorization"].clone()
    };
    let first = sent();
    assert!(!watched.has_changed());
    folder_key(&house, "sk-second-one");
    assert_eq!(sent(), first, "the plan in force has the old one");
    assert!(watched.has_changed());
    house.reload(&configuration).unwrap();
    assert_ne!(sent(), first);
}
