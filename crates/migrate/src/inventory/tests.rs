//! Tests of the inventory on hand-made calls, scans and plans.

use pilothouse_catalog::{Catalog, day};

use super::*;
use crate::scan::finding::Report as Scan;
use crate::scan::{Options, Scanner};

fn now() -> UnixMs {
    day::start_of("2026-11-23").expect("a day")
}

fn call(key: &str, route: &str, calls: u64) -> Use {
    Use {
        key: key.into(),
        route: route.into(),
        application: "desk".into(),
        calls,
        spend: PicoUsd(1_000_000_000_000 * i128::from(calls)),
        first_seen: UnixMs(now().0 - 1000),
        last_seen: now(),
        ..Use::default()
    }
}

fn gather(catalog: &Catalog) -> Gather<'_> {
    let mut gather = Gather::new(catalog, now());
    gather.of_period("since 2026-10-24".into());
    gather.add_use(
        "openai",
        "gpt-5-mini",
        Use { team: Some("support".into()), project: Some("desk-2".into()), ..call("shop", "assistant", 30) },
    );
    gather.add_use("openai", "gpt-5-mini", call("", "gpt-5-mini", 10));
    gather.add_use("openai", "gpt-5.5", call("shop", "gpt-5.5", 60));
    gather
}

#[test]
fn a_model_that_ends_stands_with_everybody_who_calls_it() {
    let catalog = Catalog::bundled();
    let inventory = gather(&catalog).finish(false);
    let [line] = inventory.lines.as_slice() else { panic!("{:?}", inventory.lines) };
    assert_eq!((line.model.as_str(), line.days_left, line.calls), ("gpt-5-mini", Some(18), 40));
    assert_eq!((line.calls_permille, line.retires.as_deref()), (400, Some("2026-12-11")));
    assert_eq!(
        line.blast_radius,
        BlastRadius { keys: 2, teams: 1, projects: 1, routes: 2, applications: 1, sites: 0 }
    );
    assert_eq!(line.uses[0].key, "shop");
    assert!(table(&inventory).contains("next: pilothouse migrate plan gpt-5-mini"));
}

#[test]
fn the_code_that_names_a_model_stands_beside_its_calls_and_alone() {
    let catalog = Catalog::bundled();
    let mut gather = gather(&catalog);
    let scanner = Scanner::new(Catalog::bundled(), Options::on("2026-11-23"));
    let mut scan = Scan { today: "2026-11-23".into(), ..Scan::default() };
    let text = "from openai import OpenAI\nclient = OpenAI()\nclient.responses.create(model=\"gpt-5-mini\", input=\"x\", temperature=0.2)\n\
                client.responses.create(model=\"o3\", input=\"x\")\n";
    scan.findings = scanner.scan_text("src/app.py", text);
    gather.add_scan(&scan, ".");
    let inventory = gather.finish(false);
    let line =
        |model: &str| inventory.lines.iter().find(|line| line.model.starts_with(model)).expect("a line");
    assert_eq!(line("gpt-5-mini").blast_radius.sites, 1);
    assert_eq!(
        (line("gpt-5-mini").places[0].path.as_str(), line("gpt-5-mini").places[0].line),
        ("src/app.py", 3)
    );
    assert_eq!(line("gpt-5-mini").places.len(), 1, "a parameter's finding is no place");
    assert_eq!((line("o3").calls, line("o3").blast_radius.sites), (0, 1));
    assert_eq!(inventory.lines.iter().filter(|line| line.model.starts_with("gpt-5-mini")).count(), 1);
}

#[test]
fn a_plan_and_an_own_earlier_day_are_told() {
    let catalog = Catalog::bundled();
    let mut gather = gather(&catalog);
    let mut plan = Plan::new("gpt-5-mini", "openai/gpt-5.6-terra", "2026-11-23", "2026-11-22");
    plan.accept("ada", now());
    gather.add_plan(plan, "plans/mini.toml".into());
    let declared =
        Declared { owner: Some("ada".into()), retires: Some("2026-12-01".into()), ..Declared::default() };
    gather.declare("openai/gpt-5-mini".into(), declared);
    let inventory = gather.finish(false);
    let line = &inventory.lines[0];
    assert_eq!(line.plan.as_ref().map(|plan| plan.standing), Some(Standing::Accepted));
    assert_eq!((line.days_left, line.owner.as_deref()), (Some(8), Some("ada")));
    let told = table(&inventory);
    for words in [
        "plan: plans/mini.toml to openai/gpt-5.6-terra, accepted by ada on 2026-11-23; without effect until \
         [lifecycle.\"openai/gpt-5-mini\"] names it as `plan`",
        "from its day on calls are refused\n",
        "key shop, team support, project desk-2, asks for assistant, from desk: 30 calls",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let report = markdown(&inventory);
    assert!(report.contains("| `openai/gpt-5-mini` | 2026-12-01 | 8 | 40 (40.0%) |"), "{report}");
}

#[test]
fn all_lists_models_without_an_end_after_those_with_one() {
    let catalog = Catalog::bundled();
    let inventory = gather(&catalog).finish(true);
    let models: Vec<&str> = inventory.lines.iter().map(|line| line.model.as_str()).collect();
    assert_eq!(models, ["gpt-5-mini", "gpt-5.5"]);
}

#[test]
fn names_of_clients_break_no_table() {
    let catalog = Catalog::bundled();
    let mut gather = Gather::new(&catalog, now());
    gather.add_use("openai", "gpt-5-mini", call("a|b<script>", "x`y\nz", 1));
    let report = markdown(&gather.finish(false));
    assert!(!report.contains("<script>") && report.contains("a\\|b&lt;script>"), "{report}");
}

/// What the configuration says of the model, with a plan where one is given.
fn declared(on_day: Option<OnDay>, plan: Option<Plan>) -> Declared {
    let plan = plan.map(|plan| (plan, "plans/mini.toml".to_owned()));
    Declared { retires: Some("2026-11-23".into()), on_day, plan, ..Declared::default() }
}

fn draft() -> Plan {
    Plan::new("gpt-5-mini", "gpt-5.6-terra", "2026-11-23", "2026-11-22")
}

#[test]
fn what_calls_get_on_the_day_follows_from_policy_and_plan() {
    let catalog = Catalog::bundled();
    let mut accepted = draft();
    accepted.accept("ada", now());
    let succeeded = || Afterwards::Succeeded { by: "openai/gpt-5.6-terra".into() };
    let refused = |why: &str| Afterwards::Refused { why: Some(why.into()) };
    for (on_day, of_all, plan, wanted) in [
        (None, None, None, Afterwards::Refused { why: None }),
        (None, Some(OnDay::Successor), Some(accepted.clone()), succeeded()),
        (
            Some(OnDay::Fail),
            Some(OnDay::Successor),
            Some(accepted.clone()),
            Afterwards::Refused { why: None },
        ),
        (Some(OnDay::Successor), None, Some(draft()), refused("nobody has accepted plans/mini.toml yet")),
        (Some(OnDay::Successor), None, None, refused("the configuration names no plan")),
        (Some(OnDay::Successor), None, Some(accepted), succeeded()),
    ] {
        let mut gather = gather(&catalog);
        // One that lies in the folder and is not named does not count.
        let mut beside = draft();
        beside.accept("ada", now());
        gather.add_plan(beside, "plans/beside.toml".into());
        gather.on_every_day(of_all);
        gather.declare("openai/gpt-5-mini".into(), declared(on_day, plan.clone()));
        let inventory = gather.finish(false);
        let line = &inventory.lines[0];
        assert_eq!(line.afterwards.as_ref(), Some(&wanted), "{on_day:?} {of_all:?} {plan:?}");
        assert_eq!((line.state, line.days_left), ("retired", Some(0)), "its own day has come");
        assert_eq!(line.plan.as_ref().map(|plan| plan.is_configured), Some(plan.is_some()));
    }
}

#[test]
fn calls_that_others_took_or_nobody_stand_with_the_model_they_asked_for() {
    let catalog = Catalog::bundled();
    let mut gather = gather(&catalog);
    let absent = |refused, passed_on| Use { refused, passed_on, ..call("shop", "assistant", 0) };
    gather.add_use("openai", "gpt-5-mini", absent(3, 0));
    gather.add_use("openai", "gpt-5-mini", absent(0, 2));
    gather.declare("openai/gpt-5-mini".into(), declared(None, None));
    let inventory = gather.finish(false);
    let line = &inventory.lines[0];
    assert_eq!((line.calls, line.refused, line.passed_on), (40, 3, 2));
    let told = table(&inventory);
    for words in [
        "openai/gpt-5-mini  retired 2026-11-23 (today)",
        "since its day calls are refused; so far 3 refused, 2 answered by others",
        "30 calls, 3 refused, 2 answered by others",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let report = markdown(&inventory);
    assert!(report.contains("| `openai/gpt-5-mini` | 2026-11-23 | 0 | 40 (40.0%) | 3 | 2 |"), "{report}");
}

#[test]
fn a_model_under_another_providers_name_is_told_by_its_platform_and_stays_when_nobody_calls() {
    let catalog = Catalog::bundled();
    let mut gather = Gather::new(&catalog, now());
    gather.add_provider("house".into(), "openai".into());
    gather.declare("house/gpt-5-mini".into(), Declared { owner: Some("ada".into()), ..Declared::default() });
    let inventory = gather.finish(false);
    let [line] = inventory.lines.as_slice() else { panic!("{:?}", inventory.lines) };
    assert_eq!((line.provider.as_str(), line.calls, line.seen), ("house", 0, None));
    assert_eq!((line.retires.as_deref(), line.state), (Some("2026-12-11"), "deprecated"));
    assert!(line.replacement.contains(&"gpt-5.6-terra".to_owned()), "{:?}", line.replacement);
}
