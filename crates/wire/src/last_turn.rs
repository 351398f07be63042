//! A note at the end of a request: the model is told that this turn is the last one.
//!
//! It goes behind everything else, so that the beginning stays what a vendor's prompt cache holds. Where a dialect has a voice for
//! whoever built the application in the middle of a conversation (OpenAI's developer messages), that says it; elsewhere it is
//! one more part of what the user's side said last, which every vendor takes, also behind results of tools.

use std::ops::Range;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Note;

use crate::compat::place::{items, member};
use crate::head::{Head, quoted};
use crate::needs;

/// What the model is told.
pub const LAST_TURN: &str = "[Note: this is the last turn of this run. No further call will follow, so do not call tools: \
                             give your final answer now, with what you know.]";

/// The code of the edit in receipts.
pub const CODE: &str = "add:last-turn";

/// The request with the note at its end; `None` where there is no place for it: no conversation, or one that ends with what
/// the model itself is to go on with. `has_developer`: the target knows messages of its dialect's developer in any place.
#[must_use]
pub fn told(dialect: Dialect, body: &[u8], has_developer: bool) -> Option<(Vec<u8>, Note)> {
    let head = Head::read(body).ok()?;
    let list = needs::turns_at(dialect, &head)?;
    let told = match dialect {
        Dialect::OpenaiResponses => in_input(body, list)?,
        Dialect::OpenaiChat if has_developer => pushed(body, list, &message("system"))?,
        Dialect::GeminiGenerate => {
            let is_model = last_role(dialect, body, &list)? == "model";
            let turn = format!("{{\"role\":\"user\",\"parts\":[{}]}}", part("text", None));
            (!is_model).then(|| pushed(body, list, turn.as_bytes()))??
        }
        Dialect::OpenaiChat | Dialect::AnthropicMessages | Dialect::BedrockConverse => {
            if last_role(dialect, body, &list)? == "assistant" {
                return None;
            }
            let last = items(body, list).last()?;
            in_content(dialect, body, member(body, last, "content", dialect)?.value)?
        }
        Dialect::OpenaiEmbeddings => return None,
    };
    Some((told, Note::new(CODE, "the model is told that this turn of the run is its last")))
}

/// A message that says it.
fn message(role: &str) -> Vec<u8> {
    [format!("{{\"role\":\"{role}\",\"content\":").as_bytes(), &quoted(LAST_TURN), b"}"].concat()
}

/// A part that says it, of that type where parts have one.
fn part(member: &str, kind: Option<&str>) -> String {
    let kind = kind.map(|kind| format!("\"type\":\"{kind}\",")).unwrap_or_default();
    format!("{{{kind}\"{member}\":{}}}", String::from_utf8_lossy(&quoted(LAST_TURN)))
}

fn last_role(dialect: Dialect, body: &[u8], list: &Range<usize>) -> Option<String> {
    let last = items(body, list.clone()).last()?;
    let role =
        member(body, last, "role", dialect).and_then(|role| crate::scan::text_value(&body[role.value]));
    Some(role.map(|role| role.into_owned()).unwrap_or_default())
}

/// The note in what was said last: text becomes a list of parts, as the dialect has it, and a list gets one more.
fn in_content(dialect: Dialect, body: &[u8], content: Range<usize>) -> Option<Vec<u8>> {
    let kind = (dialect != Dialect::BedrockConverse).then_some("text");
    let note = part("text", kind);
    match body.get(content.start)? {
        b'[' => pushed(body, content, note.as_bytes()),
        // Servers of OpenAI's dialect may know texts only; their text grows.
        b'"' if dialect == Dialect::OpenaiChat => {
            let note = quoted(&format!("\n\n{LAST_TURN}"));
            let (before, behind) = (&body[..content.end - 1], &body[content.end..]);
            Some([before, &note[1..], behind].concat())
        }
        b'"' => {
            let text = String::from_utf8_lossy(&body[content.clone()]).into_owned();
            let list = format!("[{{\"type\":\"text\",\"text\":{text}}},{note}]");
            Some([&body[..content.start], list.as_bytes(), &body[content.end..]].concat())
        }
        _ => None,
    }
}

/// The note behind the items of a Responses request, whose input may be one text.
fn in_input(body: &[u8], input: Range<usize>) -> Option<Vec<u8>> {
    let note = message("developer");
    match body.get(input.start)? {
        b'[' => pushed(body, input, &note),
        b'"' => {
            let list =
                [b"[{\"role\":\"user\",\"content\":", &body[input.clone()], b"},", &note, b"]"].concat();
            Some([&body[..input.start], &list, &body[input.end..]].concat())
        }
        _ => None,
    }
}

/// The body with one more item at the end of a list.
fn pushed(body: &[u8], list: Range<usize>, item: &[u8]) -> Option<Vec<u8>> {
    let end = list.end.checked_sub(1).filter(|end| body.get(*end) == Some(&b']'))?;
    let comma: &[u8] = if items(body, list).next().is_some() { b"," } else { b"" };
    Some([&body[..end], comma, item, &body[end..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(dialect: Dialect, body: &Value, has_developer: bool) -> Option<Value> {
        let text = body.to_string();
        let (told, note) = told(dialect, text.as_bytes(), has_developer)?;
        assert_eq!(note.code, CODE);
        Some(serde_json::from_slice(&told).unwrap())
    }

    fn user(content: &Value) -> Value {
        json!({"model": "m", "system": "Be terse.", "messages": [{"role": "user", "content": content}]})
    }

    #[test]
    fn note_stands_at_the_end_in_the_words_of_each_dialect() {
        let text = json!({"type": "text", "text": LAST_TURN});
        let told = of(Dialect::OpenaiChat, &user(&json!("Hi")), true).unwrap();
        assert_eq!(told["messages"][1], json!({"role": "system", "content": LAST_TURN}));
        let told = of(Dialect::OpenaiChat, &user(&json!("Hi")), false).unwrap();
        assert_eq!(told["messages"][0]["content"], format!("Hi\n\n{LAST_TURN}"));
        let told = of(Dialect::OpenaiChat, &user(&json!([{"type": "text", "text": "Hi"}])), false).unwrap();
        assert_eq!(told["messages"][0]["content"][1], text);
        let told = of(Dialect::AnthropicMessages, &user(&json!("Hi")), false).unwrap();
        assert_eq!(told["messages"][0]["content"], json!([{"type": "text", "text": "Hi"}, text]));
        let results = json!([{"type": "tool_result", "tool_use_id": "t", "content": "3"}]);
        let told = of(Dialect::AnthropicMessages, &user(&results), false).unwrap();
        assert_eq!(told["messages"][0]["content"], json!([results[0], text]));
        let told = of(Dialect::BedrockConverse, &user(&json!([{"text": "Hi"}])), false).unwrap();
        assert_eq!(told["messages"][0]["content"][1], json!({"text": LAST_TURN}));
        let gemini = json!({"contents": [{"parts": [{"text": "Hi"}]}]});
        let told = of(Dialect::GeminiGenerate, &gemini, false).unwrap();
        assert_eq!(told["contents"][1], json!({"role": "user", "parts": [{"text": LAST_TURN}]}));
        let note = json!({"role": "developer", "content": LAST_TURN});
        let told = of(Dialect::OpenaiResponses, &json!({"model": "m", "input": "Hi"}), true).unwrap();
        assert_eq!(told["input"], json!([{"role": "user", "content": "Hi"}, note]));
        let input = json!({"input": [{"type": "function_call_output", "call_id": "c", "output": "3"}]});
        let told = of(Dialect::OpenaiResponses, &input, true).unwrap();
        assert_eq!(told["input"], json!([input["input"][0], note]));
    }

    #[test]
    fn what_stands_before_the_last_message_stays_byte_for_byte() {
        let long = "x".repeat(5_000);
        for (dialect, body) in [
            (
                Dialect::OpenaiChat,
                json!({"messages": [{"role": "user", "content": long}, {"role": "tool", "tool_call_id": "c", "content": "3"}]}),
            ),
            (
                Dialect::AnthropicMessages,
                json!({"system": long, "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]}]}),
            ),
            (Dialect::BedrockConverse, json!({"messages": [{"role": "user", "content": [{"text": long}]}]})),
            (Dialect::GeminiGenerate, json!({"contents": [{"role": "user", "parts": [{"text": long}]}]})),
            (Dialect::OpenaiResponses, json!({"input": [{"role": "user", "content": long}]})),
        ] {
            let text = body.to_string();
            let (told, _) = told(dialect, text.as_bytes(), true).unwrap();
            let same = text.bytes().zip(&told).take_while(|(one, other)| one == *other).count();
            assert!(same > 5_000, "{dialect}: {same} bytes stay");
            assert!(told.len() > text.len());
        }
    }

    #[test]
    fn conversation_that_the_model_is_to_go_on_with_is_left_alone() {
        let prefill =
            json!({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "{"}]});
        for dialect in [Dialect::AnthropicMessages, Dialect::BedrockConverse] {
            assert_eq!(of(dialect, &prefill, false), None);
        }
        let model = json!({"contents": [{"role": "model", "parts": [{"text": "So"}]}]});
        assert_eq!(of(Dialect::GeminiGenerate, &model, false), None);
        for nonsense in
            [json!({}), json!({"messages": "x"}), json!({"messages": []}), json!({"messages": [3]})]
        {
            assert_eq!(of(Dialect::AnthropicMessages, &nonsense, false), None, "{nonsense}");
        }
    }
}
