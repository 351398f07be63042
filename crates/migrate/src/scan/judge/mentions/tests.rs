//! What is said of a name, by its day, its platform and its place.

use super::*;
use crate::scan::scanner::{Options, Scanner};

fn scanner() -> &'static Scanner {
    static SCANNER: std::sync::OnceLock<Scanner> = std::sync::OnceLock::new();
    SCANNER.get_or_init(|| Scanner::new(pilothouse_catalog::Catalog::bundled(), Options::on("2026-11-23")))
}

fn told(path: &str, text: &str) -> Vec<Finding> {
    let is_model = |one: &Finding| one.rule < Rule::Parameter("");
    scanner().scan_text(path, text).into_iter().filter(is_model).collect()
}

fn one(path: &str, text: &str) -> Finding {
    let mut told = told(path, text);
    assert_eq!(told.len(), 1, "{text}: {told:#?}");
    told.remove(0)
}

#[test]
fn a_deadline_within_ninety_days_blocks_and_names_the_alias_and_the_day() {
    let found = one("app.yaml", "llm:\n  model: gpt-5-mini\n");
    assert_eq!(
        (found.rule, found.severity, found.site),
        (Rule::ModelRetiring, Severity::Blocks, Site::Calls)
    );
    assert_eq!(found.message, "alias of gpt-5-mini-2025-08-07; retires 2026-12-11 (18 d)");
    assert_eq!((found.place.line, found.place.column, found.place.end_column), (2, 10, 20));
    assert_eq!(found.replacement.as_deref(), Some("gpt-5.6-terra"));
    assert_eq!(found.help.as_deref(), Some("https://developers.openai.com/api/docs/deprecations"));
    let fix = found.fix.expect("an edit");
    assert_eq!(fix.edits, [(14..24, "gpt-5.6-terra".to_owned())]);
}

#[test]
fn the_same_name_dies_on_other_days_on_other_platforms() {
    let due = |text: &str| told("a.yaml", text).into_iter().next().and_then(|one| one.due);
    assert_eq!(due("model: gpt-4o\n").as_deref(), Some("2027-01-14"));
    assert_eq!(due("model: azure/gpt-4o\n").as_deref(), Some("2026-12-09"));
    assert_eq!(due("model: gpt-4o\napi_base: https://x.openai.azure.com\n").as_deref(), Some("2026-12-09"));
    assert_eq!(due("model: vertex_ai/gemini-2.5-flash\n").as_deref(), Some("2026-10-20"));
    assert_eq!(
        due("model: bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0\n").as_deref(),
        Some("2026-10-17")
    );
    // A day without notice is none.
    assert!(due("model: azure/gpt-4o-mini\n").is_none());
}

#[test]
fn what_only_tells_or_lists_a_name_does_not_block() {
    for (path, text) in [
        ("a.yaml", "# gpt-4o\nx: 1\n"),
        ("a.yaml", "description: Used gpt-4 until June\n"),
        ("a.yaml", "docs: https://x.y/gpt-4-turbo\n"),
        ("a.yaml", "prices:\n  gpt-4o: 2.5\n"),
        ("a.yaml", "removed_models:\n  - gpt-4-0314\n"),
        ("a.yaml", "air:\n  species: o3\n"),
        ("a.yaml", "fleet:\n  - model: o3\n    temperature: 0.2\n"),
        ("README.md", "We use gpt-4o.\n"),
        ("a.toml", "[aliases]\n\"gpt-4\" = \"gpt-5.6-sol\"\n"),
        ("CHANGELOG.md", "```yaml\nmodel: gpt-4o\n```\n"),
        ("tests/a.yaml", "model: gpt-4o\n"),
        ("a.tfvars", "allowed_models = [\"gpt-4o\", \"gpt-4\"]\n"),
        ("a.json", "{\"data\": [{\"id\": \"gpt-4o\", \"object\": \"model\"}]}"),
    ] {
        let blocks: Vec<_> =
            told(path, text).into_iter().filter(|one| one.severity == Severity::Blocks).collect();
        assert!(blocks.is_empty(), "{path} {text}: {blocks:#?}");
    }
}

#[test]
fn short_names_block_where_something_tells_that_they_are_models() {
    for text in [
        "llm:\n  model: o3\n",
        "model: o3\nmessages: []\n",
        "models:\n  chat: gpt-4.1\n  reasoning: o3\n",
        "x:\n  model: openai/o3\n",
    ] {
        let found = told("a.yaml", text);
        assert!(
            found.iter().any(|one| one.severity == Severity::Blocks && one.subject.ends_with("o3")),
            "{text}: {found:#?}"
        );
    }
}

#[test]
fn the_edit_keeps_the_spelling_around_the_name() {
    let edited = |text: &str| {
        let found = one("a.yaml", text);
        let mut text = text.to_owned();
        for (span, to) in found.fix.map(|fix| fix.edits).unwrap_or_default().into_iter().rev() {
            text.replace_range(span, &to);
        }
        text
    };
    assert_eq!(
        edited("model: \"anthropic/claude-sonnet-4-5\"\n"),
        "model: \"anthropic/claude-sonnet-5-5\"\n"
    );
    assert_eq!(edited("model: gemini/gemini-2.0-flash\n"), "model: gemini/gemini-3.6-flash\n");
    // A deployment must be made first.
    assert_eq!(edited("model: azure/gpt-4o\n"), "model: azure/gpt-4o\n");
}

#[test]
fn unknown_names_of_known_families_are_noted() {
    let found = one("a.yaml", "model: gpt-9-foo\n");
    assert_eq!((found.rule, found.severity), (Rule::ModelUnknown, Severity::Note));
    let found = one("a.yaml", "model: gpt-{{ .Values.size }}\n");
    assert_eq!((found.rule, found.severity), (Rule::ModelDynamic, Severity::Note));
}

#[test]
fn a_reseller_without_notice_tells_the_makers() {
    let found = one("a.yaml", "model: openrouter/openai/gpt-4o\n");
    assert_eq!((found.rule, found.severity), (Rule::ModelRetiring, Severity::Tune));
    assert!(found.message.contains("openai itself"), "{}", found.message);
}
