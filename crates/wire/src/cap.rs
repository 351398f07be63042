//! The output limit of a request, lowered or set in the bytes that pass.

use pilothouse_catalog::compat::Path;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Note;

use crate::compat::place;

/// The members that limit the output, the one that is set where none is given first. OpenAI's models that reason take
/// only the first of theirs, and servers of its dialect may know only the second.
fn members(dialect: Dialect, is_old_style: bool) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenaiChat if is_old_style => &["max_tokens", "max_completion_tokens"],
        Dialect::OpenaiChat => &["max_completion_tokens", "max_tokens"],
        Dialect::OpenaiResponses => &["max_output_tokens"],
        Dialect::AnthropicMessages => &["max_tokens"],
        Dialect::GeminiGenerate => &["generationConfig.maxOutputTokens"],
        Dialect::BedrockConverse => &["inferenceConfig.maxTokens"],
        Dialect::OpenaiEmbeddings => &[],
    }
}

/// Lets a request ask for at most `most` tokens of output: the new body and a note, or `None` where it asks for no more.
/// `is_old_style`: where no limit is given, `max_tokens` is set rather than `max_completion_tokens`.
#[must_use]
pub fn cap_output(dialect: Dialect, body: &[u8], most: u64, is_old_style: bool) -> Option<(Vec<u8>, Note)> {
    let members = members(dialect, is_old_style);
    let mut found = false;
    for name in members {
        let path = Path::parse(name)?;
        let Some(there) = place::locate(body, &path.steps, &[], dialect) else { continue };
        let text = body.get(there.value)?;
        if text == b"null" {
            continue;
        }
        found = true;
        // What is no number is the vendor's to refuse.
        let asked = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
        if asked.is_some_and(|asked| asked > most as f64) {
            return Some(written(dialect, body, &path, most, "clamp"));
        }
    }
    let path = Path::parse(members.first().filter(|_| !found)?)?;
    Some(written(dialect, body, &path, most, "set"))
}

fn written(dialect: Dialect, body: &[u8], path: &Path, most: u64, verb: &str) -> (Vec<u8>, Note) {
    let mut body = body.to_vec();
    place::set(&mut body, &path.steps, dialect, most.to_string().as_bytes());
    (body, note(verb, path.as_str(), most))
}

/// What a receipt says of a lowered limit.
#[must_use]
pub fn note(verb: &str, member: &str, most: u64) -> Note {
    Note::new(format!("{verb}:{member}"), &format!("at most {most} tokens of output"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const DIALECTS: [Dialect; 5] = [
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
        Dialect::AnthropicMessages,
        Dialect::GeminiGenerate,
        Dialect::BedrockConverse,
    ];

    fn capped(dialect: Dialect, body: &Value, most: u64) -> Option<(Value, String)> {
        let (body, note) = cap_output(dialect, body.to_string().as_bytes(), most, false)?;
        Some((serde_json::from_slice(&body).unwrap(), note.code.into_owned()))
    }

    #[test]
    fn a_request_without_a_limit_gets_one_where_its_dialect_has_it() {
        let set = |dialect| capped(dialect, &json!({"a": 1}), 9).unwrap();
        let with = |code: &str, more: Value| {
            let mut body = json!({"a": 1});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            (body, format!("set:{code}"))
        };
        assert_eq!(
            set(Dialect::OpenaiChat),
            with("max_completion_tokens", json!({"max_completion_tokens": 9}))
        );
        assert_eq!(set(Dialect::OpenaiResponses), with("max_output_tokens", json!({"max_output_tokens": 9})));
        assert_eq!(set(Dialect::AnthropicMessages), with("max_tokens", json!({"max_tokens": 9})));
        let gemini = json!({"generationConfig": {"maxOutputTokens": 9}});
        assert_eq!(set(Dialect::GeminiGenerate), with("generationConfig.maxOutputTokens", gemini));
        let bedrock = json!({"inferenceConfig": {"maxTokens": 9}});
        assert_eq!(set(Dialect::BedrockConverse), with("inferenceConfig.maxTokens", bedrock));
        let old = cap_output(Dialect::OpenaiChat, b"{}", 9, true).unwrap();
        assert_eq!(old.0, br#"{"max_tokens":9}"#);
    }

    #[test]
    fn the_spelling_that_the_client_chose_is_kept() {
        let body = json!({"generation_config": {"max_output_tokens": 100, "topK": 1}});
        let (capped, code) = capped(Dialect::GeminiGenerate, &body, 9).unwrap();
        assert_eq!(capped, json!({"generation_config": {"max_output_tokens": 9, "topK": 1}}));
        assert_eq!(code, "clamp:generationConfig.maxOutputTokens");
        let body = json!({"max_tokens": 100});
        assert_eq!(super::tests::capped(Dialect::OpenaiChat, &body, 9).unwrap().0, json!({"max_tokens": 9}));
    }

    #[test]
    fn a_limit_of_null_is_none_and_one_that_is_no_number_is_left_to_the_vendor() {
        let body = json!({"max_tokens": null, "b": 2});
        assert_eq!(capped(Dialect::AnthropicMessages, &body, 9).unwrap().0, json!({"max_tokens": 9, "b": 2}));
        assert_eq!(capped(Dialect::AnthropicMessages, &json!({"max_tokens": "many"}), 9), None);
    }

    proptest! {
        #[test]
        fn no_request_asks_for_more_than_the_cap_and_none_for_less_is_touched(
            asked in prop::option::of(1_u64..5000),
            most in 1_u64..5000,
            which in 0_usize..5,
            before in 0_usize..3,
        ) {
            let dialect = DIALECTS[which];
            let path = members(dialect, false)[0];
            let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "\"max_tokens\": 7"}]});
            if let Some(asked) = asked {
                match path.split_once('.') {
                    Some((outer, inner)) => body[outer] = json!({"x": before, inner: asked}),
                    None => body[path] = asked.into(),
                }
            }
            let told = |body: &Value| path.split('.').fold(body.clone(), |value, name| value[name].clone()).as_u64();
            match capped(dialect, &body, most) {
                None => prop_assert!(asked.is_some_and(|asked| asked <= most)),
                Some((after, _)) => {
                    prop_assert!(asked.is_none_or(|asked| asked > most));
                    prop_assert_eq!(told(&after), Some(most));
                    let mut back = after.clone();
                    match path.split_once('.') {
                        Some((outer, inner)) => {
                            if let Some(asked) = asked { back[outer][inner] = asked.into(); }
                            else { back.as_object_mut().unwrap().remove(outer); }
                        }
                        None => {
                            if let Some(asked) = asked { back[path] = asked.into(); }
                            else { back.as_object_mut().unwrap().remove(path); }
                        }
                    }
                    prop_assert_eq!(back, body);
                }
            }
        }
    }
}
