//! What each variable holds, dialect by dialect, and what never is visible.

use http::{HeaderMap, HeaderName, HeaderValue};
use pilothouse_cel::Expression;
use pilothouse_core::dialect::Dialect;

use super::*;
use crate::plan::terms::Terms;

fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    given.iter().map(pair).collect()
}

fn key() -> KeyInfo {
    let terms = Terms { team: Some("research".into()), ..Terms::default() };
    KeyInfo { name: "notebook".into(), application: None, terms }
}

/// Whether a condition holds for a request.
fn holds(dialect: Dialect, body: &str, headers: &HeaderMap, text: &str) -> Result<bool, String> {
    let expression = Expression::compile(text, VARIABLES).unwrap_or_else(|error| panic!("{text}: {error}"));
    let head = Head::read(body.as_bytes()).unwrap();
    let key = key();
    let limits: Option<Vec<u64>> =
        expression.limits(TOKENS).map(|limits| limits.into_iter().map(|limit| limit as u64).collect());
    let given = Given {
        at: UnixMs(1_795_444_215_250),
        dialect,
        survey: needs::survey(dialect, &head),
        head,
        headers,
        model: "assistant",
        is_stream: true,
        end_user: Some("u-7"),
        key: Some(&key),
        limits: limits.as_deref(),
        read: Read::default(),
    };
    expression.holds(&given).map_err(|fault| expression.in_words(&fault))
}

#[test]
fn each_variable_holds_what_the_book_says() {
    let body = r#"{"model":"assistant","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello."}],
        "max_tokens":300,"tools":[{"type":"function"}],"metadata":{"tier":"gold","level":7,"is_new":true,"deep":{"a":1},"no":null}}"#;
    let told = headers(&[("x-team", "ops"), ("x-team", "dev"), ("user-agent", "curl/8")]);
    for text in [
        "tokens > 5 && tokens < 200 && max_output_tokens == 300 && messages == 2",
        "model == 'assistant' && dialect == 'openai-chat' && user == 'u-7' && stream && tools",
        "!images && !audio && !video && !documents && !json_schema && !reasoning && !web_search",
        "time == timestamp('2026-11-23T14:30:15.25Z') && time.getHours('Europe/Berlin') == 15",
        "headers['x-team'] == 'ops, dev' && headers['user-agent'].startsWith('curl/') && !('x-none' in headers)",
        "metadata.tier == 'gold' && metadata.level == '7' && metadata.is_new == 'true'",
        "!has(metadata.deep) && !has(metadata.no) && size(metadata) == 5",
        "key.name == 'notebook' && key.team == 'research' && !has(key.project) && key.exists(one, one == 'team')",
    ] {
        assert_eq!(holds(Dialect::OpenaiChat, body, &told, text), Ok(true), "{text}");
    }
}

#[test]
fn labels_are_found_where_each_dialect_has_them() {
    let places = [
        (Dialect::OpenaiChat, "metadata"),
        (Dialect::OpenaiResponses, "metadata"),
        (Dialect::AnthropicMessages, "metadata"),
        (Dialect::GeminiGenerate, "labels"),
        (Dialect::BedrockConverse, "requestMetadata"),
    ];
    for (dialect, member) in places {
        let body = format!(r#"{{"{member}":{{"ti\u0065r":"go\"ld"}}}}"#);
        let text = r#"metadata.tier == 'go"ld' && metadata.all(name, name == 'tier')"#;
        assert_eq!(holds(dialect, &body, &HeaderMap::new(), text), Ok(true), "{dialect}");
        let none = holds(dialect, "{}", &HeaderMap::new(), text);
        assert_eq!(none, Err("there is no `metadata.tier`".to_owned()), "{dialect}");
    }
}

#[test]
fn credentials_are_not_visible_by_any_way_of_asking() {
    let told = headers(&[
        ("authorization", "Bearer secret"),
        ("x-api-key", "secret"),
        ("api-key", "secret"),
        ("x-goog-api-key", "secret"),
        ("cookie", "session=secret"),
        ("proxy-authorization", "secret"),
        ("x-amz-security-token", "secret"),
        ("accept", "*/*"),
        ("x-ask", "authorization"),
    ]);
    for text in [
        "headers.exists(name, headers[name].contains('secret'))",
        "headers[headers['x-ask']] == 'Bearer secret'",
        "headers['x-ask'] in headers",
        "size(headers) != 2",
    ] {
        assert_ne!(holds(Dialect::OpenaiChat, "{}", &told, text), Ok(true), "{text}");
    }
    let computed = Expression::compile("headers['author' + 'ization'] == 'x'", VARIABLES).unwrap_err();
    assert!(computed.message.contains("not visible"), "{computed}");
    for name in HIDDEN {
        let error = Expression::compile(&format!("headers['{name}'] == 'x'"), VARIABLES).unwrap_err();
        assert!(error.message.contains("not visible"), "{name}: {error}");
    }
    let error = Expression::compile("headers['X-Team'] == 'x'", VARIABLES).unwrap_err();
    assert!(error.message.contains("write \"x-team\""), "{error}");
    let error = Expression::compile("key.secret == 'x'", VARIABLES).unwrap_err();
    assert!(
        error.message.contains("a key has no `secret`; it has name, team, project, application"),
        "{error}"
    );
}

#[test]
fn length_is_read_only_where_it_decides() {
    let text = "One more word, and 42 numbers; ".repeat(400);
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}]}}"#);
    // 12,400 bytes are between 1,400 and 12,400 tokens.
    for (condition, expected) in [
        ("tokens > 100", true),
        ("tokens > 50000", false),
        ("tokens > 3000", true),
        ("tokens < 6000", true),
        ("tokens % 2 == 0 || tokens % 2 == 1", true),
    ] {
        let found = holds(Dialect::OpenaiChat, &body, &HeaderMap::new(), condition);
        assert_eq!(found, Ok(expected), "{condition}");
    }
}

#[test]
fn every_variable_is_in_the_book() {
    let page = include_str!("../../../../docs/src/routes.md");
    for declared in VARIABLES {
        let row = format!("| `{}` | {} |", declared.name, declared.of);
        assert!(page.contains(&row), "{row}");
    }
}
