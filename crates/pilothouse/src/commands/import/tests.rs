//! Tests of the command: what goes where, what is never replaced, and what the book shows.

use clap::Parser;
use pilothouse_core::clock::{ManualClock, UnixMs};

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    import: Import,
}

const SMALL: &str = "model_list:\n  - model_name: small\n    litellm_params:\n      model: openai/gpt-4o-mini\n      api_key: sk-canary\n      input_cost_per_token: 1e-6\n      seed: 7\n";

/// Runs the command on a text; both of its outputs.
fn run(folder: &Path, text: &str, more: &[&str]) -> anyhow::Result<(String, String)> {
    let input = folder.join("config.yaml");
    fs::write(&input, text).unwrap();
    let line = [&["import", "litellm", input.to_str().unwrap()], more].concat();
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let clock = ManualClock::new(UnixMs(1_795_392_000_000));
    Line::try_parse_from(line).unwrap().import.run_at(&mut out, &mut notes, &clock, &|_| None)?;
    Ok((String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap()))
}

#[test]
fn the_configuration_goes_to_the_output_and_the_list_to_the_notes() {
    let folder = tempfile::tempdir().unwrap();
    let (out, notes) = run(folder.path(), SMALL, &[]).unwrap();
    assert!(config::Source::parse(out.clone(), None).is_ok(), "{out}");
    assert!(notes.contains("          7  model_list[0].litellm_params.seed"), "{notes}");
    assert!(notes.contains("import with --output"), "prices need a file: {notes}");
    assert!(!(out + &notes).contains("canary"));
}

#[test]
fn files_are_written_once_and_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pilothouse.toml");
    let output = ["--output", path.to_str().unwrap()];
    let (out, notes) = run(folder.path(), SMALL, &output).unwrap();
    assert!(notes.is_empty() && out.contains("pilothouse check --config"), "{out}");
    assert!(out.contains("set:     OPENAI_API_KEY"), "{out}");
    let overlay = fs::read_to_string(folder.path().join("pilothouse.prices.toml")).unwrap();
    assert!(
        overlay.contains("as_of = \"2026-11-23\"") && overlay.contains("usd = \"0.000001\""),
        "{overlay}"
    );
    assert!(fs::read_to_string(&path).unwrap().contains("overlay = \"pilothouse.prices.toml\""));
    fs::write(&path, "mine").unwrap();
    let refusal = run(folder.path(), SMALL, &output).unwrap_err().to_string();
    assert!(refusal.contains("is there already"), "{refusal}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    run(folder.path(), SMALL, &[&output[..], &["--force"]].concat()).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains("[routes.small]"));
}

#[test]
fn one_json_document_holds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (out, notes) = run(folder.path(), SMALL, &["--json"]).unwrap();
    let document: Value = serde_json::from_str(&out).unwrap();
    assert!(notes.is_empty());
    assert_eq!(document["from"], "litellm");
    assert_eq!(document["variables"], json!(["OPENAI_API_KEY"]));
    assert!(document["left"].as_array().unwrap().iter().any(|left| left["line"] == 7));
}

#[test]
fn what_cannot_be_read_names_the_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(folder.path(), "model_list: [\n", &[]).unwrap_err().to_string();
    assert!(error.contains("config.yaml:2:1: this is not YAML"), "{error}");
}

/// A block of the book: its language, its text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, open)) = rest.split_once("```") {
        let (language, body) = open.split_once('\n').unwrap();
        let (text, behind) = body.split_once("```").unwrap();
        found.push((language, text));
        rest = behind;
    }
    found
}

/// A configuration without the comments that name lines.
fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_example_of_the_book_is_what_comes_out() {
    let page = include_str!("../../../../../docs/src/moving-from-litellm.md");
    let blocks = blocks(page);
    let mut count = 0;
    for (at, (_, yaml)) in blocks.iter().enumerate().filter(|(_, (language, _))| *language == "yaml") {
        let input = Input {
            text: yaml,
            origin: "config.yaml",
            variables: &|_| None,
            today: "2026-11-23",
            overlay: Some("pilothouse.prices.toml"),
        };
        let imported = (pilothouse_import::find("litellm").unwrap().read)(&input).unwrap();
        let (language, expected) = blocks[at + 1];
        assert_eq!(language, "toml");
        assert_eq!(without_comments(&imported.config), without_comments(expected));
        let left: String = imported.left.iter().map(|left| format!("{left}\n")).collect();
        let told =
            blocks.get(at + 2).filter(|(language, _)| *language == "text").map_or("", |(_, text)| text);
        assert_eq!(left, told);
        count += 1;
    }
    assert_eq!(count, 4);
}
