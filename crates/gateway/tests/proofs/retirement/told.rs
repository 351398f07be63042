//! Who is told of an end, and when: alerts, the administration, explanations, and vendors that say more than the catalogue.

use pilothouse_core::dialect::Dialect;
use pilothouse_gateway::explain::{Hypothesis, explain};
use serde_json::json;

use super::*;
use crate::harness::eventually;

const CHAPTER: &str = include_str!("../../../../../docs/src/retirement.md");

const ROUTE: &str = "[keys.search]\nsecret = \"a-secret-of-the-search-app\"\napplication = \"triage\"\n\
                     [server]\nadmin_token = \"pha-admin-token-of-tests\"\n\
                     [routes.assistant]\ntargets = [\"openai/gpt-5-mini\"]\n";

fn read(house: &House, path: &str) -> Value {
    let got = house.get(path, &[("authorization", "Bearer pha-admin-token-of-tests")]);
    assert_eq!(got.status, 200, "{path}: {}", got.text());
    got.json()
}

/// The sentences of alerts about a target, the newest first.
fn alerts(scene: &Scene, target: &str) -> Vec<String> {
    let all = read(&scene.house, "/api/v1/alerts");
    let rows = all["items"].as_array().unwrap().iter().filter(|row| row["scope"] == target);
    rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

/// The contents of the chapter's blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    CHAPTER.split(begin.as_str()).skip(1).map(|part| part.split_once("```").unwrap().0).collect()
}

#[test]
fn each_example_of_the_chapter_is_answered_as_it_says() {
    let scene = Scene::on("2026-11-30", "");
    let plan = Plan::read(blocks("plan")[0], "the chapter").unwrap();
    scene.put("gpt-5-mini.toml", &plan);
    scene
        .house
        .reload(&format!("{FIVE_VENDORS}{}", blocks("toml")[0]))
        .unwrap_or_else(|error| panic!("{error}"));
    let examples = blocks("http");
    assert_eq!(examples.len(), 6);
    for pair in examples.chunks(2) {
        let (line, body) = pair[0].split_once('\n').unwrap();
        let (call, at) = line.split_once(" at ").unwrap();
        let at: jiff::Timestamp = at.parse().unwrap();
        scene.move_to(UnixMs(u64::try_from(at.as_millisecond()).unwrap()));
        let got = scene.house.post(call.strip_prefix("POST ").unwrap(), &[], body.as_bytes());
        let (head, body) = pair[1].split_once("\n\n").unwrap_or((pair[1], ""));
        let mut lines = head.lines();
        assert_eq!(lines.next().unwrap(), format!("HTTP/1.1 {}", got.status), "{line}: {}", got.text());
        for header in lines {
            let (name, value) = header.split_once(": ").unwrap();
            assert!(values(&got, name).contains(&value), "{line}: {name}: {:?}", values(&got, name));
        }
        if !body.trim().is_empty() {
            let wanted: Value = serde_json::from_str(body).unwrap();
            for (name, value) in wanted["error"].as_object().unwrap() {
                assert_eq!(got.json()["error"][name], *value, "{line}");
            }
        }
    }
}

#[test]
fn people_are_told_once_per_mark_with_who_still_calls_over_restarts_too() {
    let configuration =
        format!("{FIVE_VENDORS}{ROUTE}{TABLE}owner = \"team-search\"\non_retired = \"successor\"\n");
    let mut scene = Scene::on("2026-11-30", "");
    scene.house.reload(&configuration).unwrap();
    // Before anybody has called: the alert of this mark is told, and says so.
    let first = eventually("the first mark is told", || alerts(&scene, DYING).pop());
    assert!(first.contains("in 11 days; nobody called it in the last 7 days"), "{first}");
    for nth in 0..3 {
        let got =
            scene.ask_as("a-secret-of-the-search-app", Tongue::Chat, "assistant", &format!("{nth}"), false);
        assert_eq!(got.status, 200);
        scene.record(&got);
    }
    let clock = Arc::<Hand>::clone(&scene.clock);
    scene.house.restart(&configuration, &[], clock);
    scene.move_to(hour("2026-12-03", 12));
    scene.move_to(hour("2026-12-04", 1));
    let texts =
        eventually("the next mark is told", || Some(alerts(&scene, DYING)).filter(|texts| texts.len() > 1));
    assert_eq!(
        texts[0],
        "`openai/gpt-5-mini` is retired by its vendor on 2026-12-11, in 7 days; in the last 7 days it was called by key `search` \
         (application triage, 3 calls); routes that hold it: assistant; on the day calls are refused, because no accepted plan says \
         who follows; owner: team-search; next: pilothouse migrate plan gpt-5-mini"
    );
    assert_eq!(scene.house.server().take_alerts(), texts[..1], "people are told what is kept");
    scene.move_to(hour("2026-12-10", 1));
    let texts =
        eventually("the last mark is told", || Some(alerts(&scene, DYING)).filter(|texts| texts.len() > 2));
    assert!(texts[0].contains("on 2026-12-11, tomorrow;"), "{}", texts[0]);
    assert_eq!(texts.len(), 3, "neither the restart nor the days between told any of them again: {texts:?}");
}

#[test]
fn the_sentence_of_the_chapter_is_one_that_people_are_told() {
    let example = blocks("text")[0].trim();
    let begin = "`openai/gpt-5-mini` is retired by its vendor on 2026-12-11, in 11 days; in the last 7 days it was called by key";
    assert!(
        example.starts_with(begin) && example.ends_with("next: pilothouse migrate plan gpt-5-mini"),
        "{example}"
    );
    let scene = Scene::on("2026-11-10", "");
    let configuration =
        format!("{FIVE_VENDORS}{ROUTE}{TABLE}owner = \"team-search\"\non_retired = \"successor\"\n");
    scene.house.reload(&format!("{configuration}[lifecycle]\nalerts = []\n")).unwrap();
    scene.move_to(hour("2026-11-30", 1));
    for nth in 0..3 {
        let got = scene.ask_as("a-secret-of-the-search-app", Tongue::Chat, DYING, &format!("{nth}"), false);
        scene.record(&got);
    }
    scene.house.reload(&configuration).unwrap();
    let told = eventually("the mark is told", || alerts(&scene, DYING).pop());
    assert_eq!(told, example);
}

#[test]
fn the_administration_lists_what_ends_with_dates_plan_and_callers() {
    let more = format!(
        "{ROUTE}[lifecycle.\"openai/gpt-5-mini\"]\nowner = \"team-search\"\nplan = \"plans/changed.toml\"\non_retired = \"successor\"\n\
         removed_after_days = 30\nbrownouts = [{{ share = 0.05 }}]\nopt_out = [{{ key = \"batch\", until = 2026-12-05 }}]\n"
    );
    let scene = Scene::on("2026-11-30", &more);
    let got = scene.ask_as("a-secret-of-the-search-app", Tongue::Chat, "assistant", "Hello.", false);
    scene.record(&got);
    // A model without a table that somebody calls is listed too.
    let got = scene.ask_as(
        "a-secret-of-the-search-app",
        Tongue::Anthropic,
        "anthropic/claude-haiku-4-5",
        "Hello.",
        false,
    );
    scene.record(&got);
    let rows = eventually("the calls are counted", || {
        let rows = read(&scene.house, "/api/v1/lifecycle")["items"].as_array().unwrap().clone();
        Some(rows).filter(|rows| {
            rows.iter().any(|row| row["callers"].as_array().is_some_and(|all| !all.is_empty()))
        })
    });
    let row = rows.iter().find(|row| row["target"] == DYING).unwrap();
    let expected = [
        ("state", json!("brownout")),
        ("deprecated", json!("2026-06-11T00:00:00.000Z")),
        ("retires", json!("2026-12-11T00:00:00.000Z")),
        ("retires_by", json!("catalogue")),
        ("days_left", json!(11)),
        ("removed", json!("2027-01-10T00:00:00.000Z")),
        ("owner", json!("team-search")),
        ("successor", json!(NEXT)),
        ("on_retired", json!("successor")),
        ("routes", json!(["assistant"])),
        ("brownouts", json!([{ "percent": 5.0, "is_on": true, "answer": "successor" }])),
        ("spared", json!([{ "key": "batch", "until": "2026-12-05T00:00:00.000Z" }])),
        ("conflict", Value::Null),
    ];
    for (name, value) in expected {
        assert_eq!(row[name], value, "{name}: {row:#}");
    }
    assert_eq!(row["plan"]["standing"], "changed after it was accepted", "{row:#}");
    assert!(row["place"].as_str().unwrap().contains("pilothouse.toml:"), "{row:#}");
    scene.move_to(hour("2026-12-11", 0));
    let rows = read(&scene.house, "/api/v1/lifecycle?limit=1");
    assert_eq!(rows["items"].as_array().unwrap().len(), 1, "pages are kept to");
    let page = scene.house.get("/", &[("authorization", "Bearer pha-admin-token-of-tests")]).text();
    assert!(
        page.contains("<th scope=\"row\">openai/gpt-5-mini</th><td data-label=\"State\">retired"),
        "{page}"
    );
}

#[test]
fn a_vendor_that_says_gone_before_the_day_is_kept_as_a_conflict_and_told_once() {
    let ending = "[[model]]\nplatform = \"openai\"\nid = \"fault-404\"\nas_of = \"2026-11-23\"\nsource = \"tests\"\n\
                  lifecycle = { retires = 2027-06-01, replacement = [\"gpt-5.6-terra\"] }\n";
    let scene = Scene::on("2026-11-30", "");
    std::fs::write(scene.house.folder.path().join("ending.toml"), ending).unwrap();
    let mut plan = Plan::new("fault-404", "gpt-5.6-terra", "2026-11-23", "2026-11-22");
    plan.accept("m.k.", hour("2026-11-24", 9));
    scene.put("gone.toml", &plan);
    let more = "[catalog]\nrefreshed = \"ending.toml\"\n[server]\nadmin_token = \"pha-admin-token-of-tests\"\n\
                [routes.own]\ntargets = [\"chat/fault-404\"]\nfallback = [\"openai/gpt-5.5\"]\n\
                [lifecycle.\"chat/fault-404\"]\non_retired = \"successor\"\nplan = \"plans/gone.toml\"\n";
    scene.house.reload(&format!("{FIVE_VENDORS}{more}")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scene.ask(Tongue::Chat, "own", "Hello.", false).status, 200);
    let got = scene.ask(Tongue::Chat, "chat/fault-404", "Hello.", false);
    assert_eq!(got.status, 200, "an accepted plan allows the successor: {}", got.text());
    assert_eq!(
        scene.asked(),
        ["fault-404", "gpt-5.5", "fault-404", "gpt-5.6-terra"],
        "a route's own targets go first"
    );
    let told = || {
        let texts = alerts(&scene, "chat/fault-404");
        texts.into_iter().filter(|text| text.contains("by its vendor's word")).collect::<Vec<_>>()
    };
    let first = eventually("the conflict is told", || told().pop());
    assert!(first.starts_with("`chat/fault-404` is gone by its vendor's word (404: "), "{first}");
    assert!(
        first.contains("in service until 2027-06-01 by the catalogue; its successor is `chat/gpt-5.6-terra`"),
        "{first}"
    );
    let row = || {
        let rows = read(&scene.house, "/api/v1/lifecycle");
        rows["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["target"] == "chat/fault-404")
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&row()["conflict"]["status"], &row()["conflict"]["day"]),
        (&json!(404), &json!("2027-06-01"))
    );
    scene.move_to(hour("2026-12-01", 12));
    scene.ask(Tongue::Chat, "chat/fault-404", "Hello again.", false);
    eventually("it is noted again", || {
        Some(()).filter(|()| row()["conflict"]["last"].as_str().unwrap().starts_with("2026-12-01"))
    });
    assert_eq!(told().len(), 1, "and told once");
    let page = scene.house.get("/", &[("authorization", "Bearer pha-admin-token-of-tests")]).text();
    assert!(page.contains("gone already, says its vendor"), "{page}");
}

#[test]
fn an_explanation_says_where_a_target_stands_and_whether_a_brownout_draws_the_call() {
    let more = format!(
        "[routes.assistant]\ntargets = [\"openai/gpt-5-mini\", \"openai/gpt-5.5\"]\n{TABLE}\
         brownouts = [{{ share = 0.5 }}, {{ from = 2026-12-02, to = 2026-12-03, answer = \"refuse\" }}]\n"
    );
    let scene = Scene::on("2026-12-01", &more);
    let plan = scene.house.server().plan();
    let headers = http::HeaderMap::new();
    let explained = |text: &str, at: UnixMs| {
        let body = json!({"messages": [{"role": "user", "content": text}]}).to_string();
        let call = Hypothesis {
            dialect: Dialect::OpenaiChat,
            body: body.as_bytes(),
            headers: &headers,
            key: None,
            assumed: &[],
            at,
            seed: 1,
        };
        explain(&plan, "assistant", &call).unwrap()
    };
    for nth in 0..8 {
        let text = format!("Question {nth}.");
        let said = explained(&text, hour("2026-12-01", 12));
        let body = json!({"model": "assistant", "messages": [{"role": "user", "content": text}]});
        let answered = scene.record(&scene.house.chat(&body)).target.unwrap().model;
        let is_drawn = &*answered == "gpt-5.6-terra";
        assert_eq!(&*said.ends[0].target, DYING);
        let why = &said.ends[0].why;
        assert!(why.starts_with("brownout; its day is 2026-12-11 (in 10 days, by the catalogue); from then on calls are refused"), "{why}");
        let expected =
            if is_drawn { "50 % of conversations: this call is drawn" } else { "this call is not drawn" };
        assert!(why.contains(expected), "{nth} was answered by {answered}: {why}");
        let last = if is_drawn { "openai/gpt-5.6-terra answers" } else { "openai/gpt-5-mini answers" };
        assert_eq!(said.steps.last().map(String::as_str), Some(last), "what is explained is what happens");
    }
    let refused = (0..8)
        .map(|nth| explained(&format!("Question {nth}."), hour("2026-12-02", 12)))
        .find(|said| said.steps.len() == 2 && said.steps[0].contains("a brownout of all calls"))
        .expect("half of them are not among the share");
    assert_eq!(refused.steps[1], "openai/gpt-5.5 answers");
}
