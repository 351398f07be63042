//! Golden cases: each `<case>.json` or `<case>.sse` has a `<case>.snap` beside it that says what becomes of it.
//! `UPDATE_GOLDEN=1 cargo test -p pilothouse-wire --test codecs` writes them anew; the diff is for people to read.

use std::fmt::Write as _;
use std::fs;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Note;
use pilothouse_wire::codec::Target;
use serde_json::Value;

use super::cases::{
    Case, DIALECTS, cases, context, decode_stream, encode_stream, of, readable, usual_target,
};

fn check(case: &Case, found: &str) {
    let snap = case.path.with_file_name(format!("{}.snap", case.name));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&snap, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&snap).unwrap_or_default();
    assert!(
        expected == found,
        "{} is not what is found now; look at the difference, then run again with UPDATE_GOLDEN=1:\n{found}",
        snap.display()
    );
}

fn pretty(bytes: &[u8]) -> String {
    let value: Value = serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)));
    serde_json::to_string_pretty(&value).unwrap()
}

fn list(notes: &[Note]) -> String {
    if notes.is_empty() {
        return "none\n".to_owned();
    }
    notes.iter().fold(String::new(), |mut text, note| {
        let _ = writeln!(text, "{}  {}", note.code, note.detail);
        text
    })
}

/// What comes out where both sides speak the same dialect, if it is not what came in.
fn same(before: &[u8], after: &[u8]) -> String {
    let (before, after): (Value, Value) =
        (serde_json::from_slice(before).unwrap(), serde_json::from_slice(after).unwrap());
    if sorted(&before) == sorted(&after) {
        "as it came".to_owned()
    } else {
        serde_json::to_string_pretty(&after).unwrap()
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            names.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(names.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        plain => plain.clone(),
    }
}

/// What a request becomes in another dialect, and what is lost.
fn translated_request(case: &Case, from: Dialect, to: Dialect, model: &str) -> String {
    let mut text = String::new();
    let request = of(from).decode_request(&case.body).unwrap();
    let mut losses = Vec::new();
    match of(to).encode_request(&request, &Target::of(to, model), &mut losses) {
        Ok(body) => {
            let _ = writeln!(text, "== {to}\n{}", pretty(&body));
        }
        Err(error) => {
            let _ = writeln!(text, "== {to}\nrefused: {error}\nparam: {:?}", error.param);
        }
    }
    let _ = write!(text, "\n== losses\n{}", list(&losses));
    text
}

#[test]
fn requests_become_what_their_snapshots_say() {
    for dialect in DIALECTS {
        let all = cases(dialect, "requests");
        assert!(all.len() >= 15, "{dialect} has only {} request cases", all.len());
        for case in all {
            let mut text = String::new();
            match of(dialect).decode_request(&case.body) {
                Err(error) => {
                    let _ = writeln!(text, "refused: {error}\nparam: {:?}", error.param);
                }
                Ok(request) => {
                    for to in case.shown(dialect) {
                        text += &translated_request(&case, dialect, to, case.target(usual_target(to)));
                    }
                    let target = Target::of(dialect, &request.model);
                    let mut losses = Vec::new();
                    let back = of(dialect).encode_request(&request, &target, &mut losses);
                    let back = back.map_or_else(|error| error.to_string(), |back| same(&case.body, &back));
                    let _ = writeln!(text, "\n== {dialect}\n{back}");
                    if losses.iter().any(|note| note.code.starts_with("drop:")) {
                        let _ = writeln!(text, "{}", list(&losses));
                    }
                    let canonical = serde_json::to_string_pretty(&request).unwrap();
                    let _ = writeln!(text, "\n== canonical\n{canonical}");
                }
            }
            check(&case, &text);
        }
    }
}

fn translated_answer(case: &Case, from: Dialect, to: Dialect) -> String {
    let answer = of(from).decode_answer(&case.body).unwrap();
    let mut losses = Vec::new();
    let body = of(to).encode_answer(&answer, &context(), &mut losses);
    format!("== {to}\n{}\n\n== losses\n{}", pretty(&body), list(&losses))
}

#[test]
fn answers_become_what_their_snapshots_say() {
    for dialect in DIALECTS {
        let all = cases(dialect, "answers");
        assert!(all.len() >= 8, "{dialect} has only {} answer cases", all.len());
        for case in all {
            let mut text = String::new();
            for to in case.shown(dialect) {
                text += &translated_answer(&case, dialect, to);
            }
            let answer = of(dialect).decode_answer(&case.body).unwrap();
            let back = of(dialect).encode_answer(&answer, &context(), &mut Vec::new());
            let _ = writeln!(text, "\n== {dialect}\n{}", same(&case.body, &back));
            let canonical = serde_json::to_string_pretty(&answer).unwrap();
            let _ = writeln!(text, "\n== canonical\n{canonical}");
            check(&case, &text);
        }
    }
}

fn translated_stream(case: &Case, from: Dialect, to: Dialect) -> String {
    let (parts, error) = decode_stream(from, &case.body);
    let (bytes, losses) = encode_stream(to, &parts, error.as_ref(), &context());
    format!("== {to}\n{}\n== losses\n{}", readable(to, &bytes), list(&losses))
}

#[test]
fn streams_become_what_their_snapshots_say() {
    for dialect in DIALECTS {
        let all = cases(dialect, "streams");
        assert!(all.len() >= 8, "{dialect} has only {} stream cases", all.len());
        for case in all {
            let mut text = String::new();
            for to in case.shown(dialect) {
                text += &translated_stream(&case, dialect, to);
            }
            let _ = write!(text, "\n{}", translated_stream(&case, dialect, dialect));
            if let (_, Some(error)) = decode_stream(dialect, &case.body) {
                let _ = writeln!(text, "\n== error\n{error}");
            }
            check(&case, &text);
        }
    }
}

/// What a later dialect makes of the cases of another one: `<to>/from-<from>/<kind>/<case>.snap`.
#[test]
fn cases_of_other_dialects_become_what_the_later_ones_say() {
    use Dialect::{AnthropicMessages, BedrockConverse, GeminiGenerate, OpenaiChat, OpenaiResponses};
    let all = ["requests", "answers", "streams"];
    for (to, from, kinds) in [
        (OpenaiResponses, OpenaiChat, &all[..]),
        (OpenaiResponses, AnthropicMessages, &all),
        (GeminiGenerate, OpenaiResponses, &all),
        (OpenaiResponses, GeminiGenerate, &all),
        (BedrockConverse, OpenaiChat, &all),
        (BedrockConverse, AnthropicMessages, &all),
        (BedrockConverse, OpenaiResponses, &all),
        (BedrockConverse, GeminiGenerate, &all),
        (GeminiGenerate, OpenaiChat, &all),
        (GeminiGenerate, AnthropicMessages, &all),
        (OpenaiResponses, BedrockConverse, &all),
        (GeminiGenerate, BedrockConverse, &all),
    ] {
        for kind in kinds {
            for mut case in cases(from, kind) {
                let text = match *kind {
                    "requests" => match of(from).decode_request(&case.body) {
                        Ok(_) if case.is_meant_for(to) => {
                            translated_request(&case, from, to, case.target(usual_target(to)))
                        }
                        _ => continue,
                    },
                    "answers" => translated_answer(&case, from, to),
                    _ => translated_stream(&case, from, to),
                };
                let folder = case.path.ancestors().nth(3).unwrap().join(to.as_str());
                let folder = folder.join(format!("from-{from}")).join(kind);
                fs::create_dir_all(&folder).unwrap();
                case.path = folder.join(case.path.file_name().unwrap());
                check(&case, &text);
            }
        }
    }
}

#[test]
fn errors_become_what_their_snapshots_say() {
    for dialect in DIALECTS {
        let all = cases(dialect, "errors");
        assert!(all.len() >= 6, "{dialect} has only {} error cases", all.len());
        for case in all {
            let status = case.name.rsplit_once('.').unwrap().1.parse().unwrap();
            let error = of(dialect).decode_error(status, &case.body);
            let mut text = format!("{}: {}\n", error.kind.as_str(), error.message);
            for to in DIALECTS.into_iter().filter(|to| *to == dialect || case.shown(dialect).contains(to)) {
                let body = of(to).encode_error(&error, None);
                let _ = writeln!(text, "\n== {to} {}\n{}", of(to).error_status(&error), pretty(&body));
            }
            check(&case, &text);
        }
    }
}

#[test]
fn our_own_errors_read_as_the_vendors_do() {
    use pilothouse_core::error::{Error, Kind};
    use pilothouse_wire::codec::VendorError;
    for kind in Kind::ALL {
        let error = VendorError::from(&Error::new(kind, "why, and what to do"));
        for dialect in DIALECTS {
            let status = of(dialect).error_status(&error);
            let overloaded = dialect == Dialect::AnthropicMessages && kind == Kind::Overloaded;
            // AWS denies access where others say that nobody is known.
            let denied = dialect == Dialect::BedrockConverse && kind == Kind::Unauthorized;
            let wanted = if denied { 403 } else { kind.status() };
            assert_eq!(status, if overloaded { 529 } else { wanted }, "{kind:?}");
            let body = of(dialect).encode_error(&error, Some(context().exchange));
            let back = of(dialect).decode_error(status, &body);
            assert_eq!(back.message, "why, and what to do", "{kind:?}");
            let event = readable(dialect, &of(dialect).encode_stream_error(&error));
            assert!(event.ends_with("\n\n") && event.matches("\n\n").count() == 1, "{event}");
        }
    }
}

#[test]
fn a_thread_is_refused_by_the_code_that_lets_the_sdk_go_on_without_one() {
    let body = br#"{"model":"m","max_tokens":1,"thread":{"type":"create"},"messages":[{"role":"user","content":"a"}]}"#;
    let request = of(Dialect::AnthropicMessages).decode_request(body).unwrap();
    for (dialect, model) in [
        (Dialect::OpenaiChat, "gpt-5.5"),
        (Dialect::AnthropicMessages, "anthropic.claude-opus-4-7-v1:0"),
        (Dialect::AnthropicMessages, "glm-5.1"),
        (Dialect::OpenaiResponses, "gpt-5.5"),
    ] {
        let target = Target::of(dialect, model);
        let error = of(dialect).encode_request(&request, &target, &mut Vec::new()).unwrap_err();
        let error = pilothouse_wire::codec::VendorError::from(&error);
        let body: Value =
            serde_json::from_slice(&of(Dialect::AnthropicMessages).encode_error(&error, None)).unwrap();
        assert_eq!(error.status, 400);
        assert_eq!(body["error"]["details"]["error_code"], "thread_unsupported_request", "{model}");
    }
}
