//! Custom tools, which OpenAI's two dialects nest differently: here their members stand at the top, in chat
//! completions inside `custom`, and the same goes for the grammar of their input and for the choice of one.

use pilothouse_core::conversation::Raw;
use serde_json::{Map, Value};

/// A custom tool, or the choice of one, as chat completions write it; `None` when it is none of this dialect.
pub(crate) fn nested_custom(raw: &Raw) -> Option<Raw> {
    let mut tool = object_of(raw)?;
    if tool.contains_key("custom") {
        return None;
    }
    tool.remove("type");
    if let Some(Value::Object(format)) = tool.get_mut("format")
        && format.get("type").is_some_and(|kind| kind == "grammar")
    {
        format.remove("type");
        let grammar = std::mem::take(format);
        format.insert("type".to_owned(), "grammar".into());
        format.insert("grammar".to_owned(), Value::Object(grammar));
    }
    Raw::parse(&serde_json::json!({ "type": "custom", "custom": tool }).to_string())
}

/// A custom tool, or the choice of one, as this dialect writes it; `None` when it is none of chat completions.
pub(super) fn flat_custom(raw: &Raw) -> Option<Raw> {
    let Some(Value::Object(mut tool)) = object_of(raw)?.remove("custom") else { return None };
    if let Some(Value::Object(format)) = tool.get_mut("format")
        && let Some(Value::Object(mut grammar)) = format.remove("grammar")
    {
        grammar.insert("type".to_owned(), "grammar".into());
        *format = grammar;
    }
    tool.insert("type".to_owned(), "custom".into());
    Raw::parse(&Value::Object(tool).to_string())
}

fn object_of(raw: &Raw) -> Option<Map<String, Value>> {
    match serde_json::from_str(raw.text()) {
        Ok(Value::Object(members)) if members.get("type").is_some_and(|kind| kind == "custom") => {
            Some(members)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_tools_come_back_as_they_were_nested() {
        for text in [
            r#"{"type":"custom","name":"sql","description":"d","format":{"type":"grammar","definition":"x","syntax":"lark"}}"#,
            r#"{"type":"custom","name":"sql","format":{"type":"text"}}"#,
            r#"{"type":"custom","name":"sql"}"#,
        ] {
            let raw = Raw::parse(text).unwrap();
            let nested = nested_custom(&raw).unwrap();
            assert!(nested.text().contains("\"custom\":{"), "{}", nested.text());
            let back: Value = serde_json::from_str(flat_custom(&nested).unwrap().text()).unwrap();
            assert_eq!(back, serde_json::from_str::<Value>(text).unwrap());
        }
        assert_eq!(nested_custom(&Raw::parse(r#"{"type":"web_search"}"#).unwrap()), None);
    }
}
