//! Brownouts: who is drawn, who is spared, and that nothing changes in the middle of a tool loop.

use serde_json::json;

use super::*;

/// Asks once per conversation and tells who answered.
fn answered(scene: &Scene, tongue: Tongue, model: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|nth| {
            let got = scene.ask(tongue, model, &format!("Question {nth}."), false);
            assert_eq!(got.status, 200, "{}", got.text());
            scene.record(&got).target.unwrap().model.to_string()
        })
        .collect()
}

#[test]
fn a_share_of_conversations_is_answered_by_the_successor_and_the_same_ones_again() {
    let scene = Scene::on("2026-12-01", &format!("{TABLE}brownouts = [{{ share = 0.3 }}]\n"));
    let first = answered(&scene, Tongue::Chat, DYING, 60);
    let away = first.iter().filter(|model| *model == "gpt-5.6-terra").count();
    assert!((6..=32).contains(&away), "{away} of 60 at a share of 30 %");
    assert_eq!(answered(&scene, Tongue::Chat, DYING, 60), first, "the same conversations draw the same");
    let got = (0..60)
        .map(|nth| scene.ask(Tongue::Anthropic, DYING, &format!("Question {nth}."), nth % 2 == 0))
        .find(|got| &*scene.record(got).target.unwrap().model == "gpt-5.6-terra")
        .expect("one of sixty is drawn");
    assert_eq!(values(&got, "sunset").len(), 1, "whoever answers, the client asks for what ends");
    let note =
        "openai/gpt-5.6-terra is asked instead of openai/gpt-5-mini: a brownout of 30 % of conversations";
    assert_eq!(notes(&scene.record(&got), "brownout"), [note]);
}

#[test]
fn a_larger_share_keeps_whom_a_smaller_one_took_over_restarts_too() {
    let with = |share: &str| format!("{FIVE_VENDORS}{TABLE}brownouts = [{{ share = {share} }}]\n");
    let mut scene = Scene::on("2026-12-01", "");
    scene.house.reload(&with("0.2")).unwrap();
    let small = answered(&scene, Tongue::Chat, DYING, 40);
    let clock = Arc::<Hand>::clone(&scene.clock);
    scene.house.restart(&with("0.2"), &[], clock);
    assert_eq!(answered(&scene, Tongue::Chat, DYING, 40), small, "another process draws the same");
    scene.house.reload(&with("0.6")).unwrap();
    let large = answered(&scene, Tongue::Chat, DYING, 40);
    let kept = small.iter().zip(&large).all(|(small, large)| small != "gpt-5.6-terra" || large == small);
    assert!(kept, "{small:?}\n{large:?}");
}

#[test]
fn a_conversation_never_changes_sides_while_it_grows() {
    let scene = Scene::on("2026-12-01", &format!("{TABLE}brownouts = [{{ share = 0.5 }}]\n"));
    for tongue in Tongue::ALL {
        for nth in 0..6 {
            let mut talk = Talk::new(tongue);
            let mut models = Vec::new();
            for turn in 0..3 {
                talk.ask(&format!("Question {nth}, turn {turn}. [[notools]]"));
                let (got, _) = talk.go_on(&scene.house, DYING, turn == 1);
                models.push(scene.record(&got).target.unwrap().model);
            }
            assert!(models.iter().all(|model| *model == models[0]), "{}: {models:?}", tongue.name());
        }
    }
}

#[test]
fn a_conversation_that_names_only_its_last_answer_draws_once() {
    let scene = Scene::on("2026-12-01", &format!("{TABLE}brownouts = [{{ share = 0.5 }}]\n"));
    let (mut sides, mut unknown) = (Vec::new(), 0);
    for nth in 0..12 {
        let mut before: Option<String> = None;
        let mut models = Vec::new();
        for turn in 0..3 {
            let mut body =
                json!({"model": DYING, "input": format!("Question {nth}, turn {turn}."), "store": true});
            if let Some(id) = &before {
                body["previous_response_id"] = id.as_str().into();
            }
            let got = scene.house.post("/v1/responses", &[], body.to_string().as_bytes());
            assert_eq!(got.status, 200, "{}", got.text());
            before = got.json()["id"].as_str().map(str::to_owned);
            models.push(scene.record(&got).target.unwrap().model);
        }
        assert!(models.iter().all(|model| *model == models[0]), "{nth}: {models:?}");
        unknown += usize::from(&*models[0] == "gpt-5-mini");
        sides.push(models[0].clone());
    }
    assert!(unknown > 0 && unknown < 12, "both sides are there: {sides:?}");
}

#[test]
fn a_window_refuses_in_every_dialect_while_it_lasts_and_says_what_to_do() {
    let table = format!(
        "{TABLE}owner = \"team-search\"\nlink = \"https://wiki.example/leave\"\nbrownouts = [{{ from = 2026-12-01T09:00:00, to = \
         2026-12-01T10:00:00, tz = \"Europe/Berlin\", answer = \"refuse\" }}]\n"
    );
    let scene = Scene::on("2026-11-30", &table);
    for (at, status) in [
        (UnixMs(hour("2026-12-01", 8).0 - 1), 200),
        (hour("2026-12-01", 8), 410),
        (UnixMs(hour("2026-12-01", 9).0 - 1), 410),
        (hour("2026-12-01", 9), 200),
    ] {
        scene.move_to(at);
        for tongue in Tongue::ALL {
            let got = scene.ask(tongue, DYING, "Hello.", tongue == Tongue::Anthropic);
            assert_eq!(got.status, status, "{} at {at:?}: {}", tongue.name(), got.text());
            if status == 410 {
                let said = sentence(&got);
                for words in [
                    "which retires on 2026-12-11",
                    "a brownout of all calls",
                    "ask for its successor `openai/gpt-5.6-terra`",
                    "plan: https://wiki.example/leave",
                    "owner: team-search",
                ] {
                    assert!(said.contains(words), "{}: {said}", tongue.name());
                }
                assert_eq!(values(&got, "sunset").len(), 1);
            }
        }
    }
}

#[test]
fn a_key_is_spared_until_its_day_and_a_route_goes_to_its_own_next_target() {
    let more = format!(
        "[keys.batch]\nsecret = \"a-secret-of-the-batch-app\"\n[keys.web]\nsecret = \"a-secret-of-the-web-app\"\n\
         [routes.assistant]\ntargets = [\"openai/gpt-5-mini\"]\nfallback = [\"openai/gpt-5.5\"]\n{TABLE}\
         brownouts = [{{ share = 1.0, answer = \"refuse\" }}]\nopt_out = [{{ key = \"batch\", until = 2026-12-05 }}]\n"
    );
    let scene = Scene::on("2026-12-04", &more);
    let ask = |key: &str, model: &str| scene.ask_as(key, Tongue::Chat, model, "Hello.", false).status;
    assert_eq!(ask("a-secret-of-the-batch-app", DYING), 200);
    assert_eq!(ask("a-secret-of-the-web-app", DYING), 410);
    assert_eq!(ask("a-secret-of-the-web-app", "assistant"), 200);
    assert_eq!(scene.asked(), ["gpt-5-mini", "gpt-5.5"], "as it will be on the day");
    scene.move_to(hour("2026-12-05", 0));
    assert_eq!(ask("a-secret-of-the-batch-app", DYING), 410, "its time is over");
}

#[test]
fn a_tool_loop_ends_where_it_began_when_a_window_opens_and_when_it_closes() {
    let table =
        format!("{TABLE}brownouts = [{{ from = 2026-12-01T09:00:00Z, to = 2026-12-01T10:00:00Z }}]\n");
    let (before, within, after) = (hour("2026-12-01", 8), hour("2026-12-01", 9), hour("2026-12-01", 10));
    for tongue in Tongue::ALL {
        let scene = Scene::on("2026-11-30", &table);
        for (begins, ends, loops, then) in
            [(before, within, "gpt-5-mini", "gpt-5.6-terra"), (within, after, "gpt-5.6-terra", "gpt-5-mini")]
        {
            scene.move_to(begins);
            let mut talk = Talk::new(tongue);
            talk.ask("How is the weather in Kiel? [[tools:1]] [[tool:weather]] [[args:{\"city\":\"Kiel\"}]]");
            let (got, said) = talk.go_on(&scene.house, DYING, false);
            assert_eq!(&*scene.record(&got).target.unwrap().model, loops, "{}", tongue.name());
            scene.move_to(ends);
            talk.answer(&said.calls, |_| "12 degrees".to_owned());
            let (got, _) = talk.go_on(&scene.house, DYING, false);
            let label = format!("{}, a loop that began with {loops}", tongue.name());
            assert_eq!(&*scene.record(&got).target.unwrap().model, loops, "{label}");
            talk.ask("Thank you. [[notools]]");
            let (got, _) = talk.go_on(&scene.house, DYING, false);
            assert_eq!(&*scene.record(&got).target.unwrap().model, then, "{label}: the next turn may move");
        }
    }
}

#[test]
fn what_only_tries_something_out_makes_no_call_fail_that_may_not_be_moved() {
    let more = format!(
        "[keys.narrow]\nsecret = \"a-secret-of-the-narrow-app\"\nallow = [\"openai/gpt-5-mini\"]\n{TABLE}\
         brownouts = [{{ share = 1.0 }}]\n"
    );
    let scene = Scene::on("2026-12-01", &more);
    let got = scene.ask_as("a-secret-of-the-narrow-app", Tongue::Chat, DYING, "Hello.", false);
    assert_eq!(got.status, 200, "{}", got.text());
    let record = scene.record(&got);
    assert_eq!(&*record.target.as_ref().unwrap().model, "gpt-5-mini");
    assert!(notes(&record, "brownout")[0].contains("may not call `openai/gpt-5.6-terra`"), "{record:?}");
}

#[test]
fn an_answer_of_a_brownout_is_not_kept_for_those_who_are_not_in_it() {
    let more = format!(
        "[defaults]\ncache = {{ exact = \"1h\" }}\n{TABLE}brownouts = [{{ from = 2026-12-01T09:00:00Z, to = 2026-12-01T10:00:00Z }}]\n"
    );
    let scene = Scene::on("2026-11-30", &more);
    scene.move_to(UnixMs(hour("2026-12-01", 10).0 - 60_000));
    assert_eq!(scene.ask(Tongue::Chat, DYING, "Hello.", false).status, 200);
    scene.move_to(hour("2026-12-01", 10));
    assert_eq!(scene.ask(Tongue::Chat, DYING, "Hello.", false).status, 200);
    assert_eq!(scene.asked(), ["gpt-5.6-terra", "gpt-5-mini"]);
}
