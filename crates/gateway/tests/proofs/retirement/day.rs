//! Headers before the day, and the day itself under each policy.

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;

use super::*;

#[test]
fn every_client_of_a_dying_model_is_told_when_it_ends_and_who_follows() {
    let scene = Scene::on("2026-12-10", "");
    for tongue in Tongue::ALL {
        for is_stream in [false, true] {
            let got = scene.ask(tongue, DYING, "Hello.", is_stream);
            let label = format!("{} streamed: {is_stream}", tongue.name());
            assert_eq!(got.status, 200, "{label}: {}", got.text());
            // 2026-06-11, the day of its vendor's notice, and 2026-12-11.
            assert_eq!(values(&got, "deprecation"), ["@1781136000"], "{label}");
            assert_eq!(values(&got, "sunset"), ["Fri, 11 Dec 2026 00:00:00 GMT"], "{label}");
            let links = values(&got, "link");
            assert_eq!(links[0], "</v1/models/openai/gpt-5.6-terra>; rel=\"successor-version\"", "{label}");
            assert!(links[1].ends_with(">; rel=\"deprecation\"; type=\"text/html\""), "{label}: {links:?}");
            assert!(links[1].starts_with("<https://developers.openai.com/"), "{label}: {links:?}");
        }
    }
    let link = scene.house.get("/v1/models/openai/gpt-5.6-terra", &[]);
    assert_eq!(link.status, 200, "the successor's link leads somewhere: {}", link.text());
}

#[test]
fn living_models_and_refused_callers_are_told_nothing_of_ends() {
    let scene = Scene::on("2026-12-10", &format!("{TABLE}owner = \"team-search\"\n"));
    for got in [
        scene.ask(Tongue::Chat, "openai/gpt-5.5", "Hello.", false),
        scene.ask(Tongue::Anthropic, "nobody/knows-this", "Hello.", false),
    ] {
        for name in ["deprecation", "sunset", "link"] {
            assert_eq!(values(&got, name), [""; 0], "{name}: {}", got.text());
        }
    }
}

#[test]
fn routing_does_not_shun_a_deprecated_model_before_its_day() {
    let routes = "[routes.assistant]\ntargets = [\"openai/gpt-5-mini\", \"openai/gpt-5.5\"]\n";
    let scene = Scene::on("2026-11-23", &format!("{routes}{TABLE}owner = \"team-search\"\n"));
    for at in [hour("2026-11-23", 12), UnixMs(hour("2026-12-11", 0).0 - 1)] {
        scene.move_to(at);
        let got = scene.ask(Tongue::Chat, "assistant", "Hello.", false);
        assert_eq!((got.status, values(&got, "sunset").len()), (200, 1), "{}", got.text());
    }
    scene.move_to(hour("2026-12-11", 0));
    let got = scene.ask(Tongue::Chat, "assistant", "Hello.", false);
    assert_eq!((got.status, values(&got, "sunset").len()), (200, 0), "the route's own next target");
    assert_eq!(scene.asked(), ["gpt-5-mini", "gpt-5-mini", "gpt-5.5"]);
}

#[test]
fn on_the_day_each_client_is_refused_in_its_own_words_and_told_who_follows() {
    let table = format!("{TABLE}owner = \"team-search\"\nlink = \"https://wiki.example/leave-gpt-5-mini\"\n");
    let scene = Scene::on("2026-12-10", &table);
    for tongue in Tongue::ALL {
        scene.move_to(hour("2026-12-10", 23));
        assert_eq!(scene.ask(tongue, DYING, "Hello.", false).status, 200, "{}", tongue.name());
        scene.move_to(hour("2026-12-11", 0));
        for is_stream in [false, true] {
            let got = scene.ask(tongue, DYING, "Hello.", is_stream);
            let label = format!("{} streamed: {is_stream}", tongue.name());
            assert_eq!(got.status, 410, "{label}: {}", got.text());
            let said = sentence(&got);
            for words in [
                "`openai/gpt-5-mini` has retired (its day: 2026-12-11)",
                "its successor is `openai/gpt-5.6-terra`",
                "https://wiki.example/leave-gpt-5-mini",
                "owner: team-search",
            ] {
                assert!(said.contains(words), "{label}: {said}");
            }
            assert_eq!(values(&got, "sunset").len(), 1, "{label}");
            let link = "<https://wiki.example/leave-gpt-5-mini>; rel=\"sunset\"";
            assert!(values(&got, "link").contains(&link), "{label}: {:?}", values(&got, "link"));
            let record = scene.record(&got);
            assert_eq!((record.outcome, record.status), (Outcome::Failed(Kind::Gone), 410), "{label}");
        }
    }
    assert_eq!(scene.asked().len(), 5, "nobody asks a vendor for a model whose day has come");
}

#[test]
fn on_the_day_the_successor_answers_only_by_a_plan_that_was_accepted_as_it_stands() {
    let cases = [
        ("accepted", 200, ""),
        ("draft", 410, "its plan `plans/draft.toml` does not count: nobody has accepted the plan yet"),
        ("changed", 410, "the plan was changed after m.k. accepted it on 2026-11-24"),
        ("none", 410, "`pilothouse migrate plan openai/gpt-5-mini`"),
    ];
    for (plan, status, words) in cases {
        let named = if plan == "none" { String::new() } else { format!("plan = \"plans/{plan}.toml\"\n") };
        let route = "[routes.assistant]\ntargets = [\"openai/gpt-5-mini\"]\n";
        let more = format!("{route}{TABLE}on_retired = \"successor\"\n{named}");
        let scene = Scene::on("2026-12-10", &more);
        assert_eq!(scene.ask(Tongue::Chat, DYING, "Hello.", false).status, 200);
        scene.move_to(hour("2026-12-11", 0));
        for (tongue, model) in
            Tongue::ALL.into_iter().map(|tongue| (tongue, DYING)).chain([(Tongue::Chat, "assistant")])
        {
            let got = scene.ask(tongue, model, "Hello.", false);
            let label = format!("{plan}, {}, {model}", tongue.name());
            assert_eq!(got.status, status, "{label}: {}", got.text());
            if status == 410 {
                assert!(sentence(&got).contains(words), "{label}: {}", got.text());
                assert!(sentence(&got).contains("its successor is `openai/gpt-5.6-terra`"), "{label}");
                continue;
            }
            let record = scene.record(&got);
            let target = record.target.as_ref().unwrap();
            assert_eq!((&*record.asked, &*target.model), (model, "gpt-5.6-terra"), "{label}");
            if model == DYING {
                assert_eq!(
                    values(&got, "sunset").len(),
                    1,
                    "{label}: the client still asks for what has ended"
                );
                assert_eq!(
                    notes(&record, "successor"),
                    ["openai/gpt-5.6-terra is asked instead of openai/gpt-5-mini, which has retired"],
                    "{label}"
                );
            }
        }
    }
}

#[test]
fn without_a_word_of_the_configuration_the_vendor_has_the_last_word_on_the_day() {
    let scene = Scene::on("2026-12-20", "");
    let got = scene.ask(Tongue::Chat, DYING, "Hello.", false);
    assert_eq!(got.status, 200, "a vendor that still serves is believed: {}", got.text());
    let scene = Scene::on("2026-12-20", "[lifecycle]\non_retired = \"fail\"\n");
    assert_eq!(scene.ask(Tongue::Chat, DYING, "Hello.", false).status, 410, "a word about all targets");
    let scene =
        Scene::on("2026-12-20", &format!("[defaults]\non_gone = \"successor\"\n{TABLE}owner = \"x\"\n"));
    let got = scene.ask(Tongue::Chat, DYING, "Hello.", false);
    assert_eq!(
        got.status,
        200,
        "what is said of all models holds where the table says nothing: {}",
        got.text()
    );
}

#[test]
fn an_own_day_before_the_vendors_holds_and_a_later_one_does_not() {
    let own = |day: &str| format!("{TABLE}retires = {day}\n");
    let scene = Scene::on("2026-11-30", &own("2026-12-01"));
    let got = scene.ask(Tongue::Chat, DYING, "Hello.", false);
    assert_eq!(values(&got, "sunset"), ["Tue, 01 Dec 2026 00:00:00 GMT"]);
    scene.move_to(hour("2026-12-01", 0));
    assert_eq!(scene.ask(Tongue::Chat, DYING, "Hello.", false).status, 410);
    let late = Scene::on("2026-12-01", &own("2027-01-01"));
    let got = late.ask(Tongue::Chat, DYING, "Hello.", false);
    assert_eq!(values(&got, "sunset"), ["Fri, 11 Dec 2026 00:00:00 GMT"]);
    let warned = late.house.server().plan().warnings.as_ref().unwrap().to_string();
    assert!(warned.contains("its vendor retires it on 2026-12-11, before this day"), "{warned}");
}

#[test]
fn an_own_day_ends_a_model_that_its_vendor_keeps() {
    let table = "[routes.assistant]\ntargets = [\"openai/gpt-5.5\", \"openai/gpt-5.6-sol\"]\n\
                 [lifecycle.\"openai/gpt-5.5\"]\nretires = 2026-12-01\nsuccessor = \"openai/gpt-5.6-sol\"\n";
    let scene = Scene::on("2026-11-30", table);
    let got = scene.ask(Tongue::Anthropic, "openai/gpt-5.5", "Hello.", false);
    assert_eq!((got.status, values(&got, "sunset")), (200, vec!["Tue, 01 Dec 2026 00:00:00 GMT"]));
    assert_eq!(values(&got, "deprecation"), [""; 0], "nobody said when that was announced");
    scene.move_to(hour("2026-12-01", 0));
    assert!(
        sentence(&scene.ask(Tongue::Anthropic, "openai/gpt-5.5", "Hello.", false)).contains("gpt-5.6-sol")
    );
    assert_eq!(scene.ask(Tongue::Chat, "assistant", "Hello.", false).status, 200);
    assert_eq!(scene.asked(), ["gpt-5.5", "gpt-5.6-sol"], "the route leaves it out from its day on");
}

#[test]
fn what_was_removed_has_no_stand_in_any_more() {
    let table = format!(
        "[routes.assistant]\ntargets = [\"openai/gpt-5-mini\"]\non_gone = \"successor\"\n{TABLE}on_retired = \"successor\"\n\
         plan = \"plans/accepted.toml\"\nremoved_after_days = 30\n"
    );
    let scene = Scene::on("2027-01-09", &table);
    for model in [DYING, "assistant"] {
        scene.move_to(hour("2027-01-09", 12));
        assert_eq!(scene.ask(Tongue::Chat, model, "Hello.", false).status, 200, "{model}");
        scene.move_to(hour("2027-01-10", 0));
        let got = scene.ask(Tongue::Chat, model, "Hello.", false);
        assert_eq!(got.status, 410, "{model}: {}", got.text());
        assert!(sentence(&got).contains("was removed (its day: 2026-12-11)"), "{model}: {}", got.text());
    }
}

#[test]
fn a_successor_is_asked_on_the_day_only_where_the_key_may_call_it() {
    let more = format!(
        "[keys.narrow]\nsecret = \"a-secret-of-the-narrow-app\"\nallow = [\"openai/gpt-5-mini\"]\n{TABLE}\
         on_retired = \"successor\"\nplan = \"plans/accepted.toml\"\n"
    );
    let scene = Scene::on("2026-12-11", &more);
    let got = scene.ask_as("a-secret-of-the-narrow-app", Tongue::Chat, DYING, "Hello.", false);
    assert_eq!(got.status, 403, "{}", got.text());
}

#[test]
fn vectors_are_never_made_by_another_model() {
    let overlay = "[[model]]\nplatform = \"openai\"\nid = \"text-embedding-3-small\"\nas_of = \"2026-11-23\"\n\
                   source = \"tests\"\nlifecycle = { retires = 2026-12-11, replacement = [\"text-embedding-3-large\"] }\n";
    let more = "[catalog]\nrefreshed = \"ending.toml\"\n[lifecycle.\"chat/text-embedding-3-small\"]\n\
                brownouts = [{ share = 1.0 }]\n";
    let scene = Scene::on("2026-12-10", "");
    std::fs::write(scene.house.folder.path().join("ending.toml"), overlay).unwrap();
    scene.house.reload(&format!("{FIVE_VENDORS}{more}")).unwrap_or_else(|error| panic!("{error}"));
    let body = br#"{"model": "chat/text-embedding-3-small", "input": "Hello."}"#;
    let got = scene.house.post("/v1/embeddings", &[], body);
    assert_eq!((got.status, values(&got, "sunset").len()), (200, 1), "{}", got.text());
    assert_eq!(scene.asked(), ["text-embedding-3-small"]);
    scene.move_to(hour("2026-12-11", 0));
    assert_eq!(scene.house.post("/v1/embeddings", &[], body).status, 410);
}

#[test]
fn answers_from_the_cache_tell_the_end_too() {
    let scene =
        Scene::on("2026-12-10", &format!("[defaults]\ncache = {{ exact = \"1h\" }}\n{TABLE}owner = \"x\"\n"));
    for nth in 0..2 {
        let got = scene.ask(Tongue::Chat, DYING, "Hello.", false);
        assert_eq!((got.status, values(&got, "sunset").len()), (200, 1), "{nth}: {}", got.text());
    }
    assert_eq!(scene.asked().len(), 1);
}

/// What stands in the file, what is blamed, and what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    ("[lifecycle]\nalerts = [90, 4000]\n", "4000", "at most 3650 days"),
    ("[lifecycle]\nalert = 90\n", "90", "invalid type"),
    ("[lifecycle.gpt-5-mini]\n", "gpt-5-mini", "targets are written [lifecycle.\"provider/model\"]"),
    ("[lifecycle.\"opnai/gpt-5-mini\"]\n", "\"opnai/gpt-5-mini\"", "no provider is called `opnai`"),
    ("[lifecycle.\"openai/gpt-5-mini\"]\nownr = \"x\"\n", "ownr", "unknown field `ownr`"),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nretires = 2026-12-01T09:00:00\n",
        "2026-12-01T09:00:00",
        "is no moment",
    ),
    ("[lifecycle.\"openai/gpt-5-mini\"]\non_retired = \"maybe\"\n", "\"maybe\"", "unknown variant"),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nplan = \"plans/nowhere.toml\"\n",
        "\"plans/nowhere.toml\"",
        "pilothouse migrate plan gpt-5-mini",
    ),
    (
        "[lifecycle.\"openai/gpt-5.5\"]\nplan = \"plans/draft.toml\"\n",
        "\"plans/draft.toml\"",
        "is a plan to leave `gpt-5-mini`",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nplan = \"plans/draft.toml\"\nsuccessor = \"openai/gpt-5.5\"\n",
        "\"openai/gpt-5.5\"",
        "the plan leads to `gpt-5.6-terra`",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nsuccessor = \"openai/gpt-5-mini\"\n",
        "\"openai/gpt-5-mini\"",
        "cannot follow itself",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nsuccessor = \"anthropic/claude-3-opus-20240229\"\n",
        "\"anthropic/claude-3-opus-20240229\"",
        "has itself been retired",
    ),
    ("[lifecycle.\"openai/gpt-5-mini\"]\nlink = \"wiki\"\n", "\"wiki\"", "begins with https://"),
    ("[lifecycle.\"openai/gpt-5-mini\"]\nbrownouts = [{ share = 1.5 }]\n", "1.5", "above 0, at most 1"),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nbrownouts = [{ answer = \"refuse\" }]\n",
        "{ answer = \"refuse\" }",
        "is a retirement",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nbrownouts = [{ from = 09:00:00 }]\n",
        "09:00:00",
        "both `from` and `to`",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nbrownouts = [{ from = 2026-12-02, to = 2026-12-01 }]\n",
        "2026-12-01",
        "ends before it begins",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nbrownouts = [{ share = 0.1, from = 2026-12-02, tz = \"Mars\" }]\n",
        "\"Mars\"",
        "no time zone",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nbrownouts = [{ share = 0.1, tz = \"UTC\" }]\n",
        "\"UTC\"",
        "whose clocks",
    ),
    (
        "[lifecycle.\"openai/gpt-5.5\"]\nbrownouts = [{ share = 0.1 }]\n",
        "{ share = 0.1 }",
        "nobody follows this target",
    ),
    (
        "[lifecycle.\"openai/gpt-5-mini\"]\nopt_out = [{ key = \"a\" }]\n",
        "{ key = \"a\" }",
        "missing field `until`",
    ),
];

#[test]
fn what_is_wrong_in_a_lifecycle_is_told_with_its_place() {
    let scene = Scene::on("2026-11-23", "");
    for (more, blamed, words) in WRONG {
        let text = format!("{FIVE_VENDORS}{more}");
        let error = scene.house.reload(&text).unwrap_err();
        let problem = &error.problems[0];
        assert!(problem.message.contains(words), "{more}: {}", problem.message);
        let (line, column, shown, _) = problem.place.as_ref().unwrap();
        let rest: String = shown.chars().skip(column - 1).collect();
        assert!(rest.starts_with(*blamed), "{more}: line {line} column {column}: {rest}");
    }
}
