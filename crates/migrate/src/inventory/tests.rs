//! Tests of the inventory on hand-made calls, scans and plans.

use super::*;
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
        Use { team: Some("support".into()), ..call("shop", "assistant", 30) },
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
    assert_eq!(line.blast_radius, BlastRadius { keys: 2, teams: 1, routes: 2, applications: 1, sites: 0 });
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
    let declared = Declared { owner: Some("ada".into()), retires: Some("2026-12-01".into()) };
    gather.declare("openai/gpt-5-mini".into(), declared);
    let inventory = gather.finish(false);
    let line = &inventory.lines[0];
    assert_eq!(line.plan.as_ref().map(|plan| plan.standing), Some(Standing::Accepted));
    assert_eq!((line.days_left, line.owner.as_deref()), (Some(8), Some("ada")));
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
