//! What is said about interfaces that end, by where their words stand.

use super::{all, interface_of, judge, parse, words};
use crate::scan::finding::{Confidence, Finding, Rule, Severity, Site};
use crate::scan::judge::requests::Requests;
use crate::scan::judge::snippet::{Snippet, names};
use crate::scan::source::{Context, Mention, Reading};

/// What is found where `word` stands in `text`, in a context.
fn found(text: &str, word: &str, context: Context, today: &str) -> Vec<Finding> {
    let at = text.find(word).unwrap();
    let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let mention = Mention {
        span: at..at + word.len(),
        text: text[line..end].trim_matches('"').to_owned(),
        text_span: line..end,
        context,
        bound_to: None,
    };
    let snippet =
        Snippet { text: text.to_owned(), reading: Reading { mentions: vec![mention], ..Reading::default() } };
    let names = names();
    judge(&Requests::of(&snippet.reading, &names), &snippet.file("app.py"), &names, today)
}

const TODAY: &str = "2026-11-23";

#[test]
fn the_table_parses_and_every_row_has_its_evidence() {
    let all = parse(super::TEXT).unwrap();
    let catalog = pilothouse_catalog::Catalog::bundled();
    for one in &all {
        assert!(one.source.starts_with("https://") && one.as_of.len() == 10, "{}", one.id);
        assert!(catalog.vendor(&one.vendor).is_some(), "{}", one.id);
        assert!(
            one.shut.is_some() || one.weight == super::Weight::Tune,
            "{}: a day or a reason to wait",
            one.id
        );
        assert!(one.words_near.is_empty() || !one.near.is_empty(), "{}", one.id);
    }
    let mut ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
}

#[test]
fn every_word_is_found_again_whatever_its_case() {
    for one in all() {
        for word in one.words.iter().chain(&one.words_near) {
            assert!(words().contains(&word.as_str()));
            let (found, _) = interface_of(&word.to_uppercase()).unwrap();
            assert_eq!(found.id, one.id, "{word}");
        }
    }
    assert!(interface_of("beta.chat").is_none());
}

#[test]
fn code_that_calls_what_is_shut_down_blocks() {
    for (text, word, context, id) in [
        ("client.beta.assistants.create()", "beta.assistants", Context::Code, "openai-assistants"),
        ("client.beta().assistants().create()", "beta().assistants", Context::Code, "openai-assistants"),
        ("client.Beta.Threads.New(ctx)", "Beta.Threads", Context::Code, "openai-assistants"),
        ("\"assistants=v2\"", "assistants=v2", Context::Value, "openai-assistants"),
        ("https://api.openai.com/v1/threads", "/v1/threads", Context::Url, "openai-assistants"),
        ("import openai\nclient.evals.create()", "evals.create", Context::Code, "openai-evals"),
        ("\"realtime=v1\"", "realtime=v1", Context::Value, "openai-realtime-beta"),
        ("palm.generate_text()", "palm.generate_text", Context::Code, "google-palm"),
        ("azure\n\"2023-07-01-preview\"", "2023-07-01-preview", Context::Value, "azure-api-previews"),
    ] {
        let found = found(text, word, context, TODAY);
        let [finding] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert!(matches!(finding.rule, Rule::Interface(found) if found == id), "{text}");
        assert_eq!((finding.severity, finding.site), (Severity::Blocks, Site::Calls), "{text}");
        assert!(finding.due.is_some() && finding.help.is_some() && !finding.next.is_empty());
    }
}

#[test]
fn what_somebody_else_calls_so_is_not_theirs() {
    for (text, word, context) in [
        ("https://tickets.example.com/v1/threads", "/v1/threads", Context::Url),
        ("import openai\nhttps://tickets.example.com/v1/threads", "/v1/threads", Context::Url),
        ("forum.threads.create()", "threads.create", Context::Code),
        ("suite.evals.create()", "evals.create", Context::Code),
        ("\"2023-07-01-preview\"", "2023-07-01-preview", Context::Value),
    ] {
        assert!(found(text, word, context, TODAY).is_empty(), "{text}");
    }
}

#[test]
fn sentences_and_comments_are_noted_only() {
    for context in [Context::Comment, Context::Prose, Context::WithinText] {
        let found = found("do not use client.beta.assistants any more", "beta.assistants", context, TODAY);
        assert_eq!((found[0].severity, found[0].site), (Severity::Note, Site::Opaque));
        assert!(found[0].confidence < Confidence::High);
    }
}

#[test]
fn a_day_that_is_far_is_a_matter_of_tuning() {
    let text = "import openai\nclient.evals.create()";
    let at = |today| found(text, "evals.create", Context::Code, today)[0].clone();
    assert_eq!(at("2026-08-01").severity, Severity::Tune);
    assert_eq!(at("2026-09-01").severity, Severity::Blocks);
    assert!(at("2026-11-23").message.contains("2026-11-30 (7 d)"), "{}", at("2026-11-23").message);
    assert!(at("2026-12-23").message.contains("since 2026-11-30"));
}

#[test]
fn a_package_that_is_left_behind_never_blocks() {
    let found = found("import google.generativeai as genai", "google.generativeai", Context::Code, TODAY);
    assert_eq!((found[0].severity, found[0].due.clone()), (Severity::Tune, None));
}

fn of_calls(imports: &str, text: &str) -> Vec<Finding> {
    Snippet::of(imports, text).judged("app.py", judge)
}

#[test]
fn members_of_requests_tell_interfaces_too() {
    let found = of_calls("openai", "openai.responses.create(model=\"gpt-5.5\", prompt={\"id\": \"pmpt_1\"})");
    assert_eq!(found[0].subject, "prompt={\"id\": \"pmpt_1\"}");
    assert!(matches!(found[0].rule, Rule::Interface("openai-prompts")));
    assert_eq!(found[0].severity, Severity::Blocks);
    let found = of_calls(
        "openai",
        "openai.chat.completions.create(model=\"gpt-4o\", functions=[], function_call=\"auto\")",
    );
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.severity == Severity::Tune));
    assert!(of_calls("openai", "openai.responses.create(model=\"gpt-5.5\", prompt=\"hi\")").is_empty());
    assert!(of_calls("", "compose(model=\"gpt-5.5\", prompt={\"id\": \"pmpt_1\"})").is_empty());
}

#[test]
fn a_route_that_a_program_serves_itself_calls_nobody() {
    let at = |text: &str| {
        let at = text.find("/v1/assistants").unwrap();
        let mention = Mention {
            span: at..at + 14,
            text: "/v1/assistants".to_owned(),
            text_span: at..at + 14,
            context: Context::Value,
            bound_to: None,
        };
        let reading = Reading { mentions: vec![mention], ..Reading::default() };
        let snippet = Snippet { text: text.to_owned(), reading };
        let names = names();
        judge(&Requests::of(&snippet.reading, &names), &snippet.file("server.js"), &names, TODAY).len()
    };
    assert_eq!(at("openai; app.get(\"/v1/assistants\", list)"), 0);
    assert_eq!(at("openai\n@router.post('/v1/assistants')"), 0);
    assert_eq!(at("openai; client.get(\"/v1/assistants\")"), 1);
    assert_eq!(at("openai; const path = \"/v1/assistants\""), 1);
}

#[test]
fn betas_that_became_part_of_the_api_or_ended_are_matters_of_tuning() {
    for (text, word, context, id) in [
        (
            "betas=[\"context-1m-2025-08-07\"]",
            "context-1m-2025-08-07",
            Context::Value,
            "anthropic-beta-1m-context",
        ),
        (
            "\"a,prompt-caching-2024-07-31\"",
            "prompt-caching-2024-07-31",
            Context::WithinText,
            "anthropic-beta-general",
        ),
        ("\"mcp-client-2025-04-04\"", "mcp-client-2025-04-04", Context::Value, "anthropic-beta-old-mcp"),
    ] {
        let found = found(text, word, context, TODAY);
        let [finding] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert!(matches!(finding.rule, Rule::Interface(found) if found == id), "{text}");
        assert_eq!((finding.severity, finding.site), (Severity::Tune, Site::Calls), "{text}");
        assert_eq!(finding.due, None, "{text}: whatever its day, it fails no run");
    }
    for living in ["mcp-client-2025-11-20", "context-management-2025-06-27", "code-execution-2025-08-25"] {
        assert!(interface_of(living).is_none(), "{living}");
    }
}
