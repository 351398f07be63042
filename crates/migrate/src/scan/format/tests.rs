use super::*;
use crate::scan::candidates::Candidates;
use crate::scan::source::{Context, Kind, Member, Value};

fn candidates() -> Candidates {
    static FOUND: std::sync::OnceLock<Candidates> = std::sync::OnceLock::new();
    FOUND.get_or_init(|| Candidates::of(&pilothouse_catalog::Catalog::bundled())).clone()
}

fn read_all(format: Format, text: &str) -> Reading {
    read(format, text, &candidates().find(text.as_bytes()))
}

fn mentions(format: Format, text: &str) -> Vec<(&str, Context, String)> {
    let reading = read_all(format, text);
    let told = reading.mentions.into_iter();
    told.map(|one| (&text[one.span], one.context, one.bound_to.unwrap_or_default())).collect()
}

fn arguments(format: Format, text: &str) -> Vec<String> {
    let reading = read_all(format, text);
    let of_call =
        |call: &crate::scan::source::Call| -> Vec<String> { call.arguments.iter().map(shown).collect() };
    reading.calls.iter().flat_map(of_call).collect()
}

fn shown(member: &Member) -> String {
    format!("{}={}", member.name, shown_value(&member.value))
}

fn shown_value(value: &Value) -> String {
    match &value.kind {
        Kind::Text(text) | Kind::Number(text) => text.clone(),
        Kind::Bool(is) => is.to_string(),
        Kind::Table { members, .. } => {
            format!("{{{}}}", members.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        other => format!("{other:?}").chars().take(7).collect(),
    }
}

#[test]
fn yaml_tells_values_keys_comments_and_lists() {
    let text = "# gpt-4o is old\nmodel: gpt-4o # not gpt-4\nlist:\n  - claude-sonnet-4-5\n  - name: x\n    model: \"o3\"\ngpt-4o: 3\nprompt: |\n  You are gpt-4o\n  indeed\nurl: https://x.y/gpt-4o/z\n";
    assert_eq!(
        mentions(Format::Yaml, text),
        [
            ("gpt-4o", Context::Comment, String::new()),
            ("gpt-4o", Context::Value, "model".into()),
            ("gpt-4", Context::Comment, String::new()),
            ("claude-sonnet-4-5", Context::Value, "list".into()),
            ("o3", Context::Value, "list.model".into()),
            ("gpt-4o", Context::Key, String::new()),
            ("gpt-4o", Context::WithinText, "prompt".into()),
            ("gpt-4o", Context::Url, "url".into()),
        ]
    );
}

#[test]
fn yaml_tables_that_name_a_model_are_calls_with_their_arguments() {
    let text = "model_list:\n  - model_name: chat\n    litellm_params:\n      model: azure/gpt-4o\n      temperature: 0.2\n      api_base: https://x.openai.azure.com\n";
    assert_eq!(
        arguments(Format::Yaml, text),
        ["model=azure/gpt-4o", "temperature=0.2", "api_base=https://x.openai.azure.com"]
    );
    let reading = read_all(Format::Yaml, text);
    let temperature = &reading.calls[0].arguments[1];
    assert_eq!(&text[temperature.removal.clone()], "      temperature: 0.2\n");
    let text =
        "providers:\n  - id: openai:chat:gpt-4o\n    config:\n      temperature: 0\n      max_tokens: 5\n";
    let told = arguments(Format::Yaml, text);
    assert!(
        told.contains(&"temperature=0".to_owned()) && told.contains(&"id=openai:chat:gpt-4o".to_owned()),
        "{told:?}"
    );
}

#[test]
fn helm_templates_and_embedded_files_are_read() {
    let text = "env:\n  - name: MODEL\n    value: {{ .Values.model | default \"gpt-5-mini\" | quote }}\n{{- if .Values.x }}\n  - name: B\n    value: gpt-{{ .Values.size }}\n{{- end }}\ndata:\n  config.yaml: |\n    llm:\n      model: gpt-4o\n      temperature: 0.1\n";
    assert_eq!(
        mentions(Format::Yaml, text),
        [
            ("gpt-5-mini", Context::Value, "env.MODEL".into()),
            ("gpt-", Context::Dynamic, "env.B".into()),
            ("gpt-4o", Context::Value, "llm.model".into()),
        ]
    );
    assert_eq!(arguments(Format::Yaml, text).len(), 2, "{:?}", read_all(Format::Yaml, text).calls);
}

#[test]
fn json_with_comments_broken_ends_and_lines_is_read() {
    let text = "// uses gpt-4\n{\"a\": [{\"model\": \"gpt-4o\", \"temperature\": 0.5,}], 'b': \"see gpt-4o\", \"c\": {\"model\": \"o3\"";
    assert_eq!(
        mentions(Format::Json, text),
        [
            ("gpt-4", Context::Comment, String::new()),
            ("gpt-4o", Context::Value, "a.model".into()),
            ("gpt-4o", Context::WithinText, "b".into()),
            ("o3", Context::Value, "c.model".into()),
        ]
    );
    assert_eq!(arguments(Format::Json, text), ["model=gpt-4o", "temperature=0.5", "model=o3"]);
    let reading = read_all(Format::Json, text);
    assert_eq!(&text[reading.calls[0].arguments[1].removal.clone()], ", \"temperature\": 0.5");
    assert_eq!(&text[reading.calls[0].arguments[0].removal.clone()], "\"model\": \"gpt-4o\", ");
    let lines = "{\"model\":\"gpt-4o\"}\n{\"model\":\"o3\"}\n";
    assert_eq!(mentions(Format::Json, lines).len(), 2);
}

#[test]
fn toml_env_and_hcl_are_read_with_their_sections() {
    let text = "model = \"gpt-4o\" # gpt-4\n[llm.fast]\nmodel = 'gpt-5-mini'\ntemperature = 0.3\nother = [\"o3\", \"o1\"]\n";
    assert_eq!(
        mentions(Format::Toml, text),
        [
            ("gpt-4o", Context::Value, "model".into()),
            ("gpt-4", Context::Comment, String::new()),
            ("gpt-5-mini", Context::Value, "llm.fast.model".into()),
            ("o3", Context::Value, "llm.fast.other".into()),
            ("o1", Context::Value, "llm.fast.other".into()),
        ]
    );
    assert!(arguments(Format::Toml, text).contains(&"temperature=0.3".to_owned()));
    let text =
        "# gpt-4\nOPENAI_MODEL=gpt-5-mini\nexport B=\"o3\" # gpt-4\n[x]\nmodels = gpt-4o,gpt-4o-mini\n";
    assert_eq!(
        mentions(Format::Env, text),
        [
            ("gpt-4", Context::Comment, String::new()),
            ("gpt-5-mini", Context::Value, "OPENAI_MODEL".into()),
            ("o3", Context::Value, "B".into()),
            ("gpt-4", Context::Comment, String::new()),
            ("gpt-4o", Context::Value, "x.models".into()),
            ("gpt-4o-mini", Context::Value, "x.models".into()),
        ]
    );
    let text = "variable \"model\" {\n  default = \"gpt-4o\"\n}\nresource \"azurerm_cognitive_deployment\" \"chat\" {\n  model {\n    name    = \"gpt-4o\"\n    version = \"2024-08-06\"\n  }\n}\nlocals { body = jsonencode({ modelId = \"anthropic.claude-3-5-sonnet-20241022-v2:0\" }) }\n";
    assert_eq!(
        mentions(Format::Hcl, text),
        [
            ("gpt-4o", Context::Value, "variable.model.default".into()),
            ("gpt-4o", Context::Value, "resource.azurerm_cognitive_deployment.chat.model.name".into()),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", Context::Value, "modelId".into()),
        ]
    );
}

#[test]
fn scripts_tell_assignments_options_comments_and_bodies() {
    let text = "#!/bin/sh\n# old: gpt-4\nMODEL=${MODEL:-gpt-5-mini}\nllm --model gpt-4o -m 'o3' run\ncurl https://api.openai.com/v1/chat/completions \\\n  -H 'x: y' \\\n  -d '{\"model\": \"gpt-4o\", \"temperature\": 0.2}'\ncurl https://api.openai.com/v1/responses -d \"{\\\"model\\\": \\\"o3\\\", \\\"temperature\\\": 1}\"\n";
    assert_eq!(
        mentions(Format::Shell, text),
        [
            ("gpt-4", Context::Comment, String::new()),
            ("gpt-5-mini", Context::Value, "MODEL".into()),
            ("gpt-4o", Context::Value, "--model".into()),
            ("o3", Context::Value, "-m".into()),
            ("gpt-4o", Context::Value, "model".into()),
            ("o3", Context::Value, "model".into()),
        ]
    );
    assert_eq!(
        arguments(Format::Shell, text),
        [
            "model=gpt-4o",
            "temperature=0.2",
            "=https://api.openai.com/v1/chat/completions",
            "model=o3",
            "temperature=1",
            "=https://api.openai.com/v1/responses"
        ]
    );
    let docker =
        "FROM python:3\n# gpt-4\nENV MODEL=gpt-4o OTHER=\"o3\"\nCMD [\"run\", \"--model\", \"gpt-4.1\"]\n";
    assert_eq!(
        mentions(Format::Dockerfile, docker).iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(),
        [
            ("gpt-4", Context::Comment),
            ("gpt-4o", Context::Value),
            ("o3", Context::Value),
            ("gpt-4.1", Context::Value)
        ]
    );
}

#[test]
fn markdown_keeps_prose_from_code_and_front_matter() {
    let text = "---\nmodel: gpt-4o\ntemperature: 0.4\n---\nUse `gpt-4o` or [it](https://x.y/gpt-4o).\n\n```yaml\nmodel: o3\n```\n\n```\n{\"model\": \"gpt-4.1\"}\n```\ngpt-4 it is\n";
    assert_eq!(
        mentions(Format::Markdown, text).iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(),
        [
            ("gpt-4o", Context::Value),
            ("gpt-4o", Context::Prose),
            ("gpt-4o", Context::Url),
            ("o3", Context::Value),
            ("gpt-4.1", Context::Value),
            ("gpt-4", Context::Prose),
        ]
    );
    assert!(arguments(Format::Markdown, text).contains(&"temperature=0.4".to_owned()));
}

#[test]
fn notebooks_tell_outputs_from_text() {
    let text = r#"{"cells": [{"cell_type": "markdown", "source": ["use gpt-4o\n"]},
 {"cell_type": "code", "source": ["x = 1\n"], "outputs": [{"text": ["gpt-4.1 said \"hi\""]}]}],
 "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}"#;
    assert_eq!(
        mentions(Format::Notebook, text),
        [("gpt-4o", Context::Prose, String::new()), ("gpt-4.1", Context::Prose, "outputs".into())]
    );
}

#[test]
fn pragmas_are_told_with_their_comment() {
    let text = "a: 1\n# pilothouse: ignore reason=pinned\nmodel: gpt-4o # pilothouse: ignore PH-M002 until=2026-12-01\n";
    let told: Vec<(String, bool)> =
        read_all(Format::Yaml, text).pragmas.into_iter().map(|one| (one.text, one.is_alone)).collect();
    assert_eq!(
        told,
        [("ignore reason=pinned".into(), true), ("ignore PH-M002 until=2026-12-01".into(), false)]
    );
}

#[test]
fn names_tell_formats() {
    for (name, format) in [
        ("a/values.yaml", Some(Format::Yaml)),
        (".env.production", Some(Format::Env)),
        ("deploy/Dockerfile.gpu", Some(Format::Dockerfile)),
        ("x.ipynb", Some(Format::Notebook)),
        ("README.md", Some(Format::Markdown)),
        ("main.tf", Some(Format::Hcl)),
        ("LICENSE", None),
    ] {
        assert_eq!(format_of(Path::new(name)), format, "{name}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]
    #[test]
    fn every_candidate_is_mentioned_once_where_it_stands(text in "(model|gpt-4o|claude-sonnet-4-5|\"o3\"|gpt-|: |= |- |\n|  |\\{|\\}|\\[|\\]|\"|'|#|é|```|,|\\\\|\\$\\{|\\|\n|//|/\\*|<!--|a|0\\.5|cells|source|outputs){0,40}") {
        let candidates = candidates().find(text.as_bytes());
        for format in Format::ALL {
            let reading = read(format, &text, &candidates);
            let spans: Vec<_> = reading.mentions.iter().map(|one| one.span.clone()).collect();
            let wanted: Vec<_> = candidates.iter().map(|one| one.span.clone()).collect();
            proptest::prop_assert_eq!(spans, wanted, "{:?} {:?}", format, text);
            for mention in &reading.mentions {
                proptest::prop_assert!(text.get(mention.text_span.clone()).is_some(), "{format:?} {mention:?}");
            }
            for call in &reading.calls {
                proptest::prop_assert!(text.get(call.span.clone()).is_some());
                for member in &call.arguments {
                    for span in [&member.name_span, &member.removal, &member.value.span] {
                        proptest::prop_assert!(text.get(span.clone()).is_some(), "{format:?} {member:?}");
                    }
                }
            }
        }
    }
}
