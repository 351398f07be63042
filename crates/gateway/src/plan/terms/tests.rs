//! What the file says about limits and budgets, and every way to say it wrong.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use pilothouse_store::budget::{Every, OnLimit, Reserve};
use pilothouse_store::keys::BudgetGrant;

use super::*;

const FILE: &str = r#"
[teams.company]
budget = { usd = 5_000, every = "month", tz = "Europe/Berlin", anchor = 15, alerts = [80, 99.5] }

[teams.search]
parent = "company"
limits = { tpm = 400_000 }
budgets = [
    { usd = 0.1, every = "hour", anchor = 30 },
    { usd = "20.50", every = "day", anchor = "06:30", on_limit = "downgrade cheap", reserve = "worst" },
]

[keys.search-app]
secret = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
team = "search"
project = "relevance"
role = "viewer"
expires = 2026-12-31
allow = ["assistant", "openai/*"]
limits = { rpm = 600, concurrency = 20 }
budget = { usd = 100, every = "total", on_limit = "warn" }

[keys.free]
secret = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

[budgets]
end_user = { usd = 2, every = "day" }
run = { usd = 1, every = "total" }
routes = { assistant = { usd = 50, every = "day" } }

[routes.cheap]
targets = ["openai/gpt-5.4-mini"]
[routes.assistant]
targets = ["openai/gpt-5.5"]

[runs]
turns = 12
wall_seconds = 120
usd = 0.50
repeats = 3
cycles = 3
"#;

fn source(text: &str) -> Source {
    Source::parse(text.to_owned(), None).unwrap()
}

fn key<'s>(source: &'s Source, name: &str) -> &'s Key {
    source.file.keys.iter().find(|(known, _)| known.get_ref() == name).unwrap().1
}

fn usd(text: &str) -> PicoUsd {
    PicoUsd::parse_usd(text).unwrap()
}

/// Everything that is wrong with a file, as a user reads it.
fn complaints(text: &str) -> String {
    let source = match Source::parse(text.to_owned(), Some("pilothouse.toml".into())) {
        Ok(source) => source,
        Err(error) => return error.to_string(),
    };
    let mut wrong = Vec::new();
    let governance = Governance::read(&source, &mut wrong);
    for (name, key) in &source.file.keys {
        governance.terms(name.get_ref(), key, &mut wrong);
    }
    source.error(wrong).to_string()
}

#[test]
fn key_inherits_limits_and_budgets_of_every_team_above_it() {
    let source = source(FILE);
    let mut wrong = Vec::new();
    let governance = Governance::read(&source, &mut wrong);
    let terms = governance.terms("search-app", key(&source, "search-app"), &mut wrong);
    assert_eq!(wrong, []);
    let subjects: Vec<_> = terms.limits.iter().map(|subject| &*subject.name).collect();
    assert_eq!(subjects, ["key search-app", "team search"]);
    let budgets: Vec<_> = terms
        .budgets
        .iter()
        .map(|one| (&*one.scope, one.rule.calendar().every(), one.rule.limit()))
        .collect();
    assert_eq!(
        budgets,
        [
            ("search-app", Every::Total, usd("100")),
            ("search", Every::Hour, usd("0.1")),
            ("search", Every::Day, usd("20.50")),
            ("company", Every::Month, usd("5000")),
        ]
    );
    assert_eq!(terms.budgets[0].rule.on_limit, OnLimit::Warn);
    let day = &terms.budgets[2].rule;
    assert_eq!((&day.on_limit, day.reserve), (&OnLimit::Downgrade("cheap".into()), Reserve::Worst));
    let noon = UnixMs(1_795_348_800_000);
    let starts = [1, 2, 3].map(|at: usize| terms.budgets[at].rule.calendar().period_of(noon).start);
    let told = starts.map(|at| jiff::Timestamp::from_millisecond(at.0.cast_signed()).unwrap().to_string());
    assert_eq!(told, ["2026-11-22T11:30:00Z", "2026-11-22T06:30:00Z", "2026-11-14T23:00:00Z"]);
    assert_eq!(
        (terms.role, terms.team.as_deref(), terms.project.as_deref()),
        (Role::Viewer, Some("search"), Some("relevance"))
    );
    let end = UnixMs(1_798_675_200_000);
    assert!(terms.is_over(end) && !terms.is_over(UnixMs(end.0 - 1)));
    assert_eq!(governance.terms("free", key(&source, "free"), &mut wrong), Terms::default());
    let rules = [governance.end_user, governance.run, governance.routes.get("assistant").cloned()];
    assert_eq!(rules.map(|rule| rule.unwrap().limit()), [usd("2"), usd("1"), usd("50")]);
    let runs = governance.run_limits;
    assert_eq!(
        (runs.turns, runs.wall_ms, runs.money, runs.cycles),
        (Some(12), Some(120_000), Some(usd("0.5")), Some(3))
    );
}

#[test]
fn allow_list_names_routes_targets_or_all_of_a_provider() {
    let allow = ["assistant", "openai/*", "anthropic/claude-opus-4-7"].map(Into::into);
    let terms = Terms { allow: allow.into(), ..Terms::default() };
    for name in ["assistant", "openai/gpt-5.5", "anthropic/claude-opus-4-7"] {
        assert!(terms.allows(name), "{name}");
    }
    for name in ["assistant2", "openai", "openai-eu/gpt-5.5", "anthropic/claude-opus-4-7-fast", ""] {
        assert!(!terms.allows(name), "{name}");
    }
    assert!(Terms::default().allows("anything"));
}

#[test]
fn minted_key_is_held_to_the_same_words_as_one_of_the_file() {
    let mut wrong = Vec::new();
    let governance = Governance::read(&source(FILE), &mut wrong);
    let budget = BudgetGrant {
        usd: "5.00".into(),
        every: "day".into(),
        tz: Some("Asia/Tokyo".into()),
        anchor: Some("06:30".into()),
        on_limit: Some("downgrade cheap".into()),
        reserve: Some("expected".into()),
        alerts: vec![50.0, 80.5],
    };
    let grants =
        Grants { team: Some("search".into()), rpm: Some(5), budgets: vec![budget], ..Grants::default() };
    let terms = governance.minted_terms("minted", None, &grants).unwrap();
    assert_eq!((terms.limits.len(), terms.budgets.len()), (2, 4));
    assert_eq!((check_grants(&grants), governance.missing_route(&grants)), (Ok(()), None));
    let rule = &terms.budgets[0].rule;
    assert_eq!((&rule.on_limit, rule.reserve), (&OnLimit::Downgrade("cheap".into()), Reserve::Expected));
    assert_eq!(rule.alerts(), [500, 805]);
    assert_eq!(terms.budgets[0].words(), grants.budgets[0], "and is shown in the words that it was given in");
    let stranger = Grants { team: Some("sales".into()), ..Grants::default() };
    let refused = governance.minted_terms("minted", None, &stranger).unwrap_err();
    assert_eq!(refused, "there is no team `sales`; there are company, search");
    let good = BudgetGrant { usd: "1".into(), every: "day".into(), ..BudgetGrant::default() };
    type Spoil = fn(&mut BudgetGrant);
    let wrong: [(Spoil, &str); 8] = [
        (|budget| budget.usd = "x".into(), "is not a decimal number"),
        (|budget| budget.usd = "-1".into(), "cannot be kept"),
        (|budget| budget.every = "week".into(), "is no period"),
        (|budget| budget.tz = Some("Mars".into()), "is no time zone"),
        (|budget| budget.anchor = Some("7".into()), "a day begins at a time"),
        (|budget| budget.on_limit = Some("explode".into()), "nothing that can be done"),
        (|budget| budget.reserve = Some("most".into()), "cannot be reserved"),
        (|budget| budget.alerts = vec![80.0, 0.0], "0 % is never met"),
    ];
    for (spoil, part) in wrong {
        let mut budget = good.clone();
        spoil(&mut budget);
        let told = check_grants(&Grants { budgets: vec![budget], ..Grants::default() }).unwrap_err();
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn budget_of_a_minted_key_stops_where_the_route_that_it_names_went_away() {
    let governance = Governance::read(&source(FILE), &mut Vec::new());
    let budget = BudgetGrant {
        usd: "5".into(),
        every: "day".into(),
        on_limit: Some("downgrade attic".into()),
        ..BudgetGrant::default()
    };
    let grants = Grants { budgets: vec![budget], ..Grants::default() };
    let told = governance.missing_route(&grants).unwrap();
    assert!(told.starts_with("there is no route `attic`"), "{told}");
    let terms = governance.minted_terms("minted", None, &grants).unwrap();
    assert_eq!(terms.budgets[0].rule.on_limit, OnLimit::Stop);
}

#[test]
fn everything_that_is_wrong_is_told_with_its_line_and_a_caret() {
    let text = r#"[teams.a]
parent = "b"
budget = { usd = 10, every = "week" }
[teams.b]
parent = "a"
limits = { rpm = 0 }
[teams.c]
parent = "nobody"
budget = { usd = -5, every = "day", tz = "Mars/North", anchor = 7, on_limit = "explode", reserve = "most", alerts = [0] }
[keys.k]
secret = "sha256:00"
team = "x"
role = "king"
expires = 2026-12-31T18:00:00
budgets = [{ usd = 1, every = "day" }, { usd = 2, every = "day" }]
[runs]
cycles = 9
"#;
    let told = complaints(text);
    for (line, part) in [
        (2, "the team `b` is above itself"),
        (3, "`week` is no period; there are hour, day, month, total"),
        (5, "the team `a` is above itself"),
        (6, "a limit of no requests lets nothing through"),
        (8, "there is no team `nobody`; there are a, b, c"),
        (9, "a day begins at a time: write one such as \"06:00\""),
        (9, "`explode` is nothing that can be done"),
        (9, "`most` cannot be reserved"),
        (9, "0 % is never met"),
        (12, "there is no team `x`; there are a, b, c"),
        (13, "`king` is no role; there are caller, viewer, lead, admin"),
        (14, "is no moment; write a day (2026-12-31)"),
        (15, "there is a budget per day here already"),
        (17, "cycles are watched for up to 8 rounds"),
    ] {
        let found = told.lines().find(|told| told.contains(part));
        let found = found.unwrap_or_else(|| panic!("`{part}` is not told:\n{told}"));
        assert!(found.starts_with(&format!("pilothouse.toml:{line}:")), "{found}");
    }
    assert_eq!(told.matches("a limit of no requests").count(), 1, "{told}");
    assert!(told.contains("4 |") || told.contains("^^^^^^"), "{told}");
    let zone = complaints("[budgets]\nrun = { usd = 1, every = \"day\", tz = \"Mars/North\" }\n");
    assert!(zone.contains(":2:") && zone.contains("`Mars/North` is no time zone"), "{zone}");
    let negative = complaints("[budgets]\nrun = { usd = -5, every = \"day\" }\n");
    assert!(negative.contains("a budget of $-5.00 cannot be kept"), "{negative}");
    let routes = "[budgets]\nrun = { usd = 1, every = \"day\", on_limit = \"downgrade cheap\" }\n[budgets.routes]\nx = { usd = 1, every = \"day\" }\n";
    let routes = complaints(routes);
    assert!(routes.contains(":2:") && routes.contains("there is no route `cheap`"), "{routes}");
    assert!(routes.contains(":4:1: there is no route `x`"), "{routes}");
    let shape = complaints("[budgets]\nrun = { usd = true, every = \"day\" }\n");
    assert!(shape.contains(":2:") && shape.contains("a number of US dollars"), "{shape}");
    let unknown = complaints("[teams.a]\nlimits = { rps = 1 }\n");
    assert!(unknown.contains(":2:") && unknown.contains("rps"), "{unknown}");
}

#[test]
fn example_of_the_book_is_a_configuration() {
    let page = include_str!("../../../../../docs/src/budgets.md");
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let routes = "[routes.assistant]\ntargets = [\"openai/a\"]\n[routes.cheap]\ntargets = [\"openai/b\"]\n";
    let source = source(&format!("{example}{routes}"));
    let mut wrong = Vec::new();
    let governance = Governance::read(&source, &mut wrong);
    let terms = governance.terms("search-app", key(&source, "search-app"), &mut wrong);
    assert_eq!(wrong, []);
    assert_eq!((terms.limits.len(), terms.budgets.len(), governance.routes.len()), (2, 2, 1));
    assert!(terms.allows("openai/anything"));
}
