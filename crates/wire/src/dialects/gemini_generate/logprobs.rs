//! Token probabilities: Google's `logprobsResult`, and the form in which the canonical answer holds them.
//!
//! Google gives two lists of equal length, the chosen tokens and the candidates at each place; OpenAI gives one
//! list of chosen tokens, each with its candidates. Google's number of a token is kept as `token_id`.

use pilothouse_core::conversation::Raw;
use serde_json::{Map, Value, json};

/// Google's result in OpenAI's form; `None` when it is not what it should be.
pub(super) fn from_google(raw: &Raw) -> Option<Raw> {
    let result: Value = serde_json::from_str(raw.text()).ok()?;
    let chosen = result.get("chosenCandidates")?.as_array()?;
    let top = result.get("topCandidates").and_then(Value::as_array);
    let content: Vec<Value> = chosen
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let others = top
                .and_then(|list| list.get(at)?.get("candidates")?.as_array())
                .map(|list| list.iter().map(token).collect::<Vec<Value>>());
            let mut token = token(one);
            token["top_logprobs"] = others.unwrap_or_default().into();
            token
        })
        .collect();
    Raw::parse(&json!({ "content": content, "refusal": null }).to_string())
}

fn token(one: &Value) -> Value {
    let text = one.get("token").and_then(Value::as_str).unwrap_or_default();
    let mut out = json!({
        "token": text,
        "logprob": one.get("logProbability").cloned().unwrap_or_else(|| 0.into()),
        "bytes": text.as_bytes(),
    });
    if let Some(id) = one.get("tokenId") {
        out["token_id"] = id.clone();
    }
    out
}

/// The canonical form as Google's result; `None` when it is not what it should be.
pub(super) fn to_google(raw: &Raw) -> Option<Raw> {
    let held: Value = serde_json::from_str(raw.text()).ok()?;
    let content = held.get("content")?.as_array()?;
    let chosen: Vec<Value> = content.iter().map(candidate).collect();
    let top: Vec<Value> = content
        .iter()
        .map(|one| {
            let list = one.get("top_logprobs").and_then(Value::as_array);
            let list: Vec<Value> = list.into_iter().flatten().map(candidate).collect();
            if list.is_empty() { json!({}) } else { json!({ "candidates": list }) }
        })
        .collect();
    let mut out = json!({ "chosenCandidates": chosen });
    if top.iter().any(|one| one.as_object().is_some_and(|inner| !inner.is_empty())) {
        out["topCandidates"] = top.into();
    }
    Raw::parse(&out.to_string())
}

fn candidate(one: &Value) -> Value {
    let mut out = Map::new();
    for (theirs, ours) in [("token", "token"), ("logProbability", "logprob"), ("tokenId", "token_id")] {
        if let Some(value) = one.get(ours) {
            out.insert(theirs.to_owned(), value.clone());
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn probabilities_come_back_as_google_gave_them(
            tokens in prop::collection::vec((any::<String>(), -9.0f64..0.0, any::<Option<u16>>()), 1..5), top: bool,
        ) {
            let list: Vec<Value> = tokens.iter().map(|(token, probability, id)| {
                let mut one = json!({ "token": token, "logProbability": probability });
                if let Some(id) = id {
                    one["tokenId"] = (*id).into();
                }
                one
            }).collect();
            let mut result = json!({ "chosenCandidates": list });
            if top {
                result["topCandidates"] = list.iter().map(|_| json!({ "candidates": list })).collect();
            }
            let raw = Raw::parse(&result.to_string()).unwrap();
            let held = from_google(&raw).unwrap();
            let back: Value = serde_json::from_str(to_google(&held).unwrap().text()).unwrap();
            prop_assert_eq!(back, serde_json::from_str::<Value>(raw.text()).unwrap());
        }
    }
}
