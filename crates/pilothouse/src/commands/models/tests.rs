//! Tests of `pilothouse models`: what it prints stands in `golden/`, rewritten with `UPDATE_GOLDEN=1`.

use std::path::Path;

use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    models: Models,
}

/// The day of the bundled data.
fn now() -> UnixMs {
    day::start_of("2026-11-22").expect("a day")
}

fn output(arguments: &[&str]) -> String {
    let line = Line::try_parse_from([&["models"], arguments].concat()).expect("valid arguments");
    let mut out = Vec::new();
    line.models.run(&mut out, now()).expect("runs");
    String::from_utf8(out).expect("UTF-8")
}

fn golden(name: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands/models/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, printed).expect("written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(printed, expected, "{name} differs; `cargo xtask golden -p pilothouse` rewrites it");
}

#[test]
fn the_named_retirements_are_listed_with_date_replacement_and_source() {
    let printed = output(&["--retiring", "30d"]);
    golden("retiring-30d.txt", &printed);
    for (platform, id, date, replacement) in [
        ("anthropic", "claude-sonnet-4-5", "2026-11-30", "claude-sonnet-5-5"),
        ("openai", "gpt-5", "2026-12-11", "gpt-5.6-sol"),
        ("openai", "o3", "2026-12-11", "gpt-5.6-sol"),
    ] {
        let fits = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.contains(&platform) && words.contains(&id)
        };
        let line = printed.lines().find(fits).unwrap_or_else(|| panic!("{id} is missing"));
        assert!(line.starts_with(date) && line.contains(replacement) && line.contains("https://"), "{line}");
    }
}

#[test]
fn the_table_has_prices_context_and_stage() {
    golden("vendor-deepseek.txt", &output(&["--vendor", "deepseek"]));
    golden("search-gpt-5.5.txt", &output(&["gpt-5.5", "--vendor", "openai"]));
}

#[test]
fn json_has_every_fact_with_its_source() {
    let printed = output(&["claude-sonnet-4-5-20250929", "--vendor", "anthropic", "--json"]);
    golden("claude-sonnet-4-5.json", &printed);
    let parsed: Value = serde_json::from_str(&printed).expect("JSON");
    let model = &parsed["models"][0];
    assert_eq!(model["lifecycle"]["status"], "deprecated");
    assert_eq!(model["lifecycle"]["days_left"], 8);
    assert!(model["prices_picousd_per_token"].as_array().is_some_and(|rows| {
        rows.iter().all(|row| row["price"].is_u64() && row["source"].is_string() && row["as_of"].is_string())
    }));
}

#[test]
fn the_calendar_holds_deadlines_and_no_mere_dates() {
    let printed = output(&["--vendor", "anthropic", "--vendor", "azure", "--ics"]);
    golden("anthropic-azure.ics", &printed);
    assert!(printed.contains("DTSTART;VALUE=DATE:20261130\r\n"));
    // Azure's date for gpt-5 is published without a notice or a replacement.
    assert!(!printed.contains("UID:azure/gpt-5@"));
    assert_eq!(printed.matches("BEGIN:VEVENT").count(), printed.matches("END:VEVENT").count());
    assert!(printed.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')));
}

#[test]
fn filters_narrow_the_list() {
    let ids = |arguments: &[&str]| -> Vec<String> {
        let parsed: Value = serde_json::from_str(&output(&[arguments, &["--json"]].concat())).expect("JSON");
        let models = parsed["models"].as_array().expect("a list").clone();
        models.iter().map(|model| format!("{}/{}", model["platform"], model["id"]).replace('"', "")).collect()
    };
    let no_temperature =
        ids(&["--vendor", "openai", "--capability", "!temperature", "--capability", "tools"]);
    assert!(no_temperature.contains(&"openai/gpt-5.5".to_owned()));
    assert!(!no_temperature.contains(&"openai/gpt-4o".to_owned()));
    let cheap = ids(&["--vendor", "openai", "--max-price-input", "0.1", "--max-price-output", "1"]);
    assert!(cheap.contains(&"openai/gpt-5-nano".to_owned()), "{cheap:?}");
    assert!(!cheap.contains(&"openai/gpt-5.5".to_owned()));
    let open = ids(&["glm-5.1", "--licence", "mit", "--open-weights", "--min-context", "200k"]);
    assert!(open.contains(&"zai/glm-5.1".to_owned()), "{open:?}");
    let gone = ids(&["--vendor", "anthropic", "--lifecycle", "retired"]);
    assert!(gone.contains(&"anthropic/claude-2.1".to_owned()), "{gone:?}");
    assert!(ids(&["no-model-is-called-so"]).is_empty());
}

#[test]
fn an_overlay_changes_what_is_listed() {
    let folder = std::env::temp_dir().join(format!("pilothouse-models-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("mine.toml");
    std::fs::write(
        &path,
        "[[model]]\nplatform = \"openai\"\nid = \"gpt-5.5\"\nas_of = \"2026-11-22\"\nprices = [{ class = \"input\", usd_per_million = \"1.25\" }]\n",
    )
    .expect("written");
    let printed =
        output(&["gpt-5.5-pro", "gpt-5.5", "--catalog", path.to_str().expect("UTF-8"), "--vendor", "openai"]);
    assert!(!printed.contains("1.25"), "{printed}");
    let printed = output(&["gpt-5.5", "--catalog", path.to_str().expect("UTF-8"), "--vendor", "openai"]);
    assert!(printed.contains("1.25"), "{printed}");
    std::fs::write(&path, "[[model]]\nplatform = \"openai\"\nid = \"x\"\nas_of = \"soon\"\n")
        .expect("written");
    let line = Line::try_parse_from(["models", "--catalog", path.to_str().expect("UTF-8")]).expect("valid");
    let error = line.models.run(&mut Vec::new(), now()).expect_err("refused").to_string();
    assert!(error.ends_with("mine.toml:4:9: `soon` is not a day: write `YYYY-MM-DD`"), "{error}");
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn check_finds_nothing_wrong_with_the_bundled_catalogue() {
    let line = Line::try_parse_from(["models", "check"]).expect("valid");
    let mut out = Vec::new();
    let code = line.models.run(&mut out, now()).expect("runs");
    let printed = String::from_utf8(out).expect("UTF-8");
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS), "{printed}");
    assert!(printed.starts_with("the catalogue is consistent"));
}

#[test]
fn wrong_arguments_say_what_would_be_right() {
    for wrong in [&["--retiring", "soon"][..], &["--min-context", "big"], &["--json", "--ics"]] {
        assert!(Line::try_parse_from([&["models"], wrong].concat()).is_err(), "{wrong:?}");
    }
    for (wrong, says) in [
        (&["--vendor", "opneai"][..], "there is no vendor `opneai`; near: openai"),
        (&["--lifecycle", "dead"], "`dead` is not a stage"),
        (&["--max-price-input", "cheap"], "is not a decimal number of dollars"),
    ] {
        let line = Line::try_parse_from([&["models"], wrong].concat()).expect("parses");
        let error = line.models.run(&mut Vec::new(), now()).expect_err("refused").to_string();
        assert!(error.contains(says), "{error}");
    }
}
