//! The Realtime API over a WebSocket: a session, items, and responses in words.
//!
//! Rules: <https://platform.openai.com/docs/guides/realtime-websocket> and the published document's `RealtimeServerEvent…`,
//! read 2026-11-23. Sound comes out as text only; what it costs is counted all the same.

use super::error::Refusal;
use crate::answer::Answer;
use crate::chance::Chance;
use crate::steer::Steering;
use crate::tokens;
use crate::websocket::{self, Message};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

/// The models that talk.
const MODELS: [&str; 2] = ["gpt-realtime", "gpt-realtime-mini"];

/// Judges a handshake: the model, and what the client must be answered.
pub(crate) fn handshake(parts: &Parts) -> Result<(String, Response<()>), Box<Answer>> {
    let refuse = |refusal: Refusal| Box::new(refusal.answer());
    let value = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let Some(key) = Some(value("sec-websocket-key")).filter(|k| k.len() == 24) else {
        return Err(refuse(Refusal::other(
            400,
            "invalid_request_error",
            None,
            "Missing or invalid Sec-WebSocket-Key header.",
        )));
    };
    if !value("upgrade").eq_ignore_ascii_case("websocket") || value("sec-websocket-version") != "13" {
        return Err(refuse(Refusal::other(
            400,
            "invalid_request_error",
            None,
            "A WebSocket handshake of version 13 is needed.",
        )));
    }
    if value("sec-websocket-protocol").contains("openai-insecure-api-key") {
        return Err(refuse(Refusal::other(401, "invalid_request_error", None, "The key came twice.")));
    }
    let model = query.split('&').find_map(|q| q.strip_prefix("model=")).unwrap_or_default();
    if !MODELS.contains(&model) {
        return Err(refuse(Refusal::no_model(model)));
    }
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::from_str(&websocket::accept(key)) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if value("sec-websocket-protocol").split(',').any(|p| p.trim() == "realtime") {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("realtime"));
    }
    Ok((model.to_owned(), response))
}

/// Talks until the client has enough.
pub(crate) async fn talk(mut io: impl AsyncRead + AsyncWrite + Unpin, model: &str, seed: u64) {
    let mut chance = Chance::new(seed, &[b"realtime", model.as_bytes()]);
    let mut heard = String::new();
    let session = json!({ "type": "realtime", "object": "realtime.session", "id": format!("sess_{}", chance.name(21)), "model": model });
    let mut outgoing = vec![json!({ "type": "session.created", "session": session })];
    loop {
        for mut event in outgoing.drain(..) {
            event["event_id"] = json!(format!("event_{}", chance.name(21)));
            if websocket::write(&mut io, 1, event.to_string().as_bytes()).await.is_err() {
                return;
            }
        }
        let text = match websocket::read(&mut io).await {
            Some(Message::Text(text)) => text,
            Some(Message::Ping(payload)) => {
                let _ = websocket::write(&mut io, 10, &payload).await;
                continue;
            }
            Some(Message::Close) => {
                let _ = websocket::write(&mut io, 8, &1000_u16.to_be_bytes()).await;
                return;
            }
            Some(Message::Wrong(_)) => {
                let _ = websocket::write(&mut io, 8, &1002_u16.to_be_bytes()).await;
                return;
            }
            None => return,
        };
        let event: Value = serde_json::from_str(&text).unwrap_or_default();
        outgoing = answer(&event, &session, &mut heard, &mut chance);
        if heard.contains("[[hang up]]") {
            return;
        }
    }
}

fn answer(event: &Value, session: &Value, heard: &mut String, chance: &mut Chance) -> Vec<Value> {
    match event["type"].as_str().unwrap_or_default() {
        "session.update" => vec![json!({ "type": "session.updated", "session": session })],
        "conversation.item.create" => {
            let parts = crate::shape::list(&event["item"], "content");
            parts.iter().for_each(|part| heard.push_str(crate::shape::text(part, "text")));
            let mut item = event["item"].clone();
            item["id"] = json!(format!("item_{}", chance.name(21)));
            vec![json!({ "type": "conversation.item.added", "item": item, "previous_item_id": null })]
        }
        "response.create" => respond(heard, chance),
        unknown => {
            let message = format!("Invalid value: '{unknown}'.");
            let error = json!({ "type": "invalid_request_error", "code": "invalid_value", "message": message, "param": "type", "event_id": event["event_id"] });
            vec![json!({ "type": "error", "error": error })]
        }
    }
}

fn respond(heard: &str, chance: &mut Chance) -> Vec<Value> {
    let said = Steering::read(heard).say.unwrap_or_else(|| "I hear you.".to_owned());
    let (input, output) = (tokens::count(heard, 6), tokens::count(&said, 6));
    let id = format!("resp_{}", chance.name(21));
    let usage = json!({
        "total_tokens": input + output + 40, "input_tokens": input + 10, "output_tokens": output + 30,
        "input_token_details": { "text_tokens": input, "audio_tokens": 10, "image_tokens": 0, "cached_tokens": 0,
            "cached_tokens_details": { "text_tokens": 0, "audio_tokens": 0, "image_tokens": 0 } },
        "output_token_details": { "text_tokens": output, "audio_tokens": 30 },
    });
    let response = |status: &str, usage: Value| json!({ "object": "realtime.response", "id": id, "status": status, "output": [], "usage": usage });
    let mut events =
        vec![json!({ "type": "response.created", "response": response("in_progress", Value::Null) })];
    events.extend(
        tokens::pieces(&said, 6)
            .map(|piece| json!({ "type": "response.output_text.delta", "response_id": id, "delta": piece })),
    );
    events.push(json!({ "type": "response.output_text.done", "response_id": id, "text": said }));
    events.push(json!({ "type": "response.done", "response": response("completed", usage) }));
    events
}
