//! The last question of a request, and all the rest of it.

use pilothouse_core::dialect::Dialect;
use serde_json::{Map, Value};

use super::personal::{self, Personal};
use crate::canonical::canonical_of;

/// Bytes of a question that is looked at, at most: longer texts are documents, and near each other for other reasons.
const TEXT_BYTES_MAX: usize = 4_000;

/// A question, and what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The last text of the user.
    pub text: String,
    /// The form of everything else: what the system says, the turns before, pictures beside the text, parameters, format.
    pub rest: Vec<u8>,
}

/// Why a request is answered by its words alone, and never by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It has tools, or its conversation has used some: what they do is not in the words.
    Tools,
    /// Its last turn is not the user's, or has no text.
    NoText,
    /// The question is too long.
    TooLong,
    /// The question holds personal data.
    Personal(Personal),
    /// It cannot be compared at all.
    NotRead,
}

/// Reads the last question of a request.
///
/// # Errors
/// Why the request is never answered by its meaning.
pub fn read(dialect: Dialect, is_stream: bool, body: &[u8]) -> Result<Question, Unfit> {
    let mut value: Value = serde_json::from_slice(body).map_err(|_| Unfit::NotRead)?;
    if has_tools(&value) {
        return Err(Unfit::Tools);
    }
    let place = last_text(dialect, &mut value).ok_or(Unfit::NoText)?;
    // Nothing but its place is left of the question.
    let Value::String(text) = place.take() else { return Err(Unfit::NoText) };
    if text.trim().is_empty() {
        return Err(Unfit::NoText);
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(Unfit::TooLong);
    }
    if let Some(kind) = personal::find(&text) {
        return Err(Unfit::Personal(kind));
    }
    let rest = canonical_of(dialect, is_stream, &value).ok_or(Unfit::NotRead)?;
    Ok(Question { text, rest })
}

/// The place of the last text of the last turn, where that is the user's.
fn last_text(dialect: Dialect, body: &mut Value) -> Option<&mut Value> {
    let (list, content) = match dialect {
        Dialect::OpenaiChat | Dialect::AnthropicMessages | Dialect::BedrockConverse => {
            ("messages", "content")
        }
        Dialect::OpenaiResponses => ("input", "content"),
        Dialect::GeminiGenerate => ("contents", "parts"),
        Dialect::OpenaiEmbeddings => return None,
    };
    let turns = body.get_mut(list)?;
    if turns.is_string() {
        // Responses take a text alone.
        return Some(turns);
    }
    let last = turns.as_array_mut()?.last_mut()?;
    let is_users = match last.get("role").and_then(Value::as_str) {
        Some(role) => role == "user",
        // Gemini's first turn may leave it out.
        None => dialect == Dialect::GeminiGenerate,
    };
    let content = last.get_mut(content).filter(|_| is_users)?;
    if content.is_string() {
        return Some(content);
    }
    content
        .as_array_mut()?
        .iter_mut()
        .rev()
        .find_map(|part| part.get_mut("text").filter(|text| text.is_string()))
}

/// Names of members that offer tools or tell of their use, in all dialects.
const TOOL_MEMBERS: [&str; 14] = [
    "tools",
    "functions",
    "toolConfig",
    "tool_config",
    "mcp_servers",
    "web_search_options",
    "tool_calls",
    "function_call",
    "functionCall",
    "functionResponse",
    "function_response",
    "toolUse",
    "toolResult",
    "tool_call_id",
];

fn has_tools(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_tools),
        Value::Object(members) => tells_of_tools(members) || members.values().any(has_tools),
        _ => false,
    }
}

fn tells_of_tools(members: &Map<String, Value>) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    let of_type = members.get("type").and_then(Value::as_str).is_some_and(|kind| {
        matches!(kind, "tool_use" | "tool_result" | "server_tool_use" | "item_reference")
            || kind.ends_with("_call")
            || kind.ends_with("_call_output")
            || kind.ends_with("_tool_result")
    });
    let of_role = matches!(members.get("role").and_then(Value::as_str), Some("tool" | "function"));
    of_type
        || of_role
        || TOOL_MEMBERS.iter().any(|name| members.get(*name).is_some_and(|value| !is_empty(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(dialect: Dialect, body: &Value) -> Result<Question, Unfit> {
        read(dialect, false, body.to_string().as_bytes())
    }

    /// The same conversation in each dialect, with these last words.
    fn asked(words: &str) -> Vec<(Dialect, Value)> {
        let turns = |content: &Value| json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": content}]);
        vec![
            (Dialect::OpenaiChat, json!({"messages": turns(&json!(words))})),
            (Dialect::OpenaiChat, json!({"messages": turns(&json!([{"type": "text", "text": words}]))})),
            (Dialect::OpenaiResponses, json!({"input": words})),
            (
                Dialect::OpenaiResponses,
                json!({"input": turns(&json!([{"type": "input_text", "text": words}]))}),
            ),
            (
                Dialect::AnthropicMessages,
                json!({"messages": turns(&json!([{"type": "text", "text": "Context."}, {"type": "text", "text": words}]))}),
            ),
            (Dialect::GeminiGenerate, json!({"contents": [{"parts": [{"text": words}]}]})),
            (Dialect::BedrockConverse, json!({"messages": [{"role": "user", "content": [{"text": words}]}]})),
        ]
    }

    #[test]
    fn the_last_text_is_the_question_and_nothing_of_it_is_in_the_rest() {
        let (one, other) = (asked("What is a tide?"), asked("How do tides come about?"));
        for ((dialect, one), (_, other)) in one.iter().zip(&other) {
            let (one, other) = (of(*dialect, one).unwrap(), of(*dialect, other).unwrap());
            assert_eq!(one.text, "What is a tide?", "{dialect}");
            assert_eq!(one.rest, other.rest, "{dialect}");
        }
    }

    #[test]
    fn whatever_else_differs_makes_another_rest() {
        for (dialect, body) in asked("What is a tide?") {
            let plain = of(dialect, &body).unwrap().rest;
            for (name, value) in [
                ("temperature", json!(0.5)),
                ("system", json!("Be brief.")),
                ("response_format", json!({"type": "json_object"})),
            ] {
                let mut other = body.clone();
                other[name] = value;
                assert_ne!(of(dialect, &other).unwrap().rest, plain, "{dialect} {name}");
            }
        }
        let with = |before: &str| {
            of(
                Dialect::OpenaiChat,
                &json!({"messages": [{"role": "user", "content": before}, {"role": "user", "content": "And now?"}]}),
            )
        };
        assert_ne!(with("One.").unwrap().rest, with("Two.").unwrap().rest);
    }

    #[test]
    fn tools_in_any_form_are_never_answered_by_meaning() {
        for (dialect, body) in asked("What is the weather?") {
            for more in [
                json!({"tools": [{"name": "weather"}]}),
                json!({"functions": [{"name": "weather"}]}),
                json!({"toolConfig": {"tools": [{}]}}),
                json!({"extra": [{"type": "tool_result"}]}),
                json!({"extra": [{"type": "web_search_call"}]}),
                json!({"extra": {"role": "tool"}}),
            ] {
                let mut body = body.clone();
                body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                assert_eq!(of(dialect, &body), Err(Unfit::Tools), "{dialect} {more}");
            }
            let mut empty = body.clone();
            empty["tools"] = json!([]);
            assert!(of(dialect, &empty).is_ok());
        }
    }

    #[test]
    fn what_is_no_question_of_the_user_is_not_read() {
        let chat = |messages: Value| of(Dialect::OpenaiChat, &json!({"messages": messages}));
        assert_eq!(chat(json!([{"role": "assistant", "content": "Hi"}])), Err(Unfit::NoText));
        assert_eq!(
            chat(json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])),
            Err(Unfit::NoText)
        );
        assert_eq!(chat(json!([])), Err(Unfit::NoText));
        assert_eq!(chat(json!([{"role": "user", "content": " \n"}])), Err(Unfit::NoText));
        assert_eq!(chat(json!([{"role": "user", "content": "a".repeat(5_000)}])), Err(Unfit::TooLong));
        assert_eq!(
            chat(json!([{"role": "user", "content": "I am ann@example.org"}])),
            Err(Unfit::Personal(Personal::Email))
        );
        assert_eq!(read(Dialect::OpenaiChat, false, b"{"), Err(Unfit::NotRead));
    }
}
