//! A reader of event streams for tests, made from the format's definition and another implementation of its checksum.

use flate2::Crc;
use serde_json::{Map, Value, json};

/// One frame: its headers and its payload.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) headers: Map<String, Value>,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or(Value::Null)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
}

fn crc(bytes: &[u8]) -> usize {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum() as usize
}

/// The first frame and what follows it; `None` if it is not whole, or a checksum does not hold.
fn first(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (total, length) = (number(bytes, 0)?, number(bytes, 4)?);
    if total < 16 + length || number(bytes, 8)? != crc(&bytes[..8]) {
        return None;
    }
    let whole = bytes.get(..total)?;
    if number(whole, total - 4)? != crc(&whole[..total - 4]) {
        return None;
    }
    let (mut headers, mut rest) = (Map::new(), &whole[12..12 + length]);
    while let [size, after @ ..] = rest {
        let (name, after) = after.split_at_checked(usize::from(*size))?;
        let [7, high, low, after @ ..] = after else { return None };
        let (value, after) = after.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        headers.insert(read(name)?, json!(read(value)?));
        rest = after;
    }
    Some((Frame { headers, payload: whole[12 + length..total - 4].to_vec() }, &bytes[total..]))
}

/// All frames up to the first that cannot be read, and how many bytes are left from there.
pub(super) fn read(mut bytes: &[u8]) -> (Vec<Frame>, usize) {
    let mut out = Vec::new();
    while let Some((frame, rest)) = first(bytes) {
        out.push(frame);
        bytes = rest;
    }
    (out, bytes.len())
}

/// The events of a whole stream: type and payload.
pub(super) fn events(bytes: &[u8]) -> Vec<(String, Value)> {
    let (frames, left) = read(bytes);
    assert_eq!(left, 0, "the stream is frames to its end");
    for frame in &frames {
        assert_eq!(
            (frame.header(":message-type"), frame.header(":content-type")),
            ("event", "application/json")
        );
    }
    frames.iter().map(|f| (f.header(":event-type").to_owned(), f.json())).collect()
}

/// What a client makes of the events: content, reason and usage. The order of events is checked on the way.
pub(super) fn put_together(events: &[(String, Value)]) -> Value {
    let mut content: Vec<Value> = Vec::new();
    let mut out = json!({});
    let mut expected = "messageStart";
    for (kind, payload) in events {
        let index = payload["contentBlockIndex"].as_u64().unwrap_or(0) as usize;
        match kind.as_str() {
            "messageStart" => assert_eq!((expected, &payload["role"]), ("messageStart", &json!("assistant"))),
            "contentBlockStart" => {
                assert_eq!(index, content.len());
                let mut call = payload["start"]["toolUse"].clone();
                call["input"] = json!("");
                content.push(json!({ "toolUse": call }));
            }
            "contentBlockDelta" => {
                if index == content.len() {
                    content.push(json!({}));
                }
                add(&mut content[index], &payload["delta"]);
            }
            "contentBlockStop" => close(&mut content[index]),
            "messageStop" => out["stopReason"] = payload["stopReason"].clone(),
            "metadata" => out["usage"] = payload["usage"].clone(),
            other => panic!("{other} is no event"),
        }
        expected = "";
    }
    out["content"] = content.into();
    out
}

fn append(place: &mut Value, piece: &Value) {
    *place = json!(place.as_str().unwrap_or_default().to_owned() + piece.as_str().unwrap());
}

fn add(block: &mut Value, delta: &Value) {
    let (kind, inner) = delta.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "text" => append(&mut block["text"], inner),
        "toolUse" => append(&mut block["toolUse"]["input"], &inner["input"]),
        "citation" => {
            if block.get("citationsContent").is_none() {
                let said = block["text"].clone();
                *block = json!({"citationsContent": {"content": [{"text": said}], "citations": []}});
            }
            block["citationsContent"]["citations"].as_array_mut().unwrap().push(inner.clone());
        }
        "reasoningContent" => {
            let (name, piece) = inner.as_object().unwrap().iter().next().unwrap();
            if name == "redactedContent" {
                block["reasoningContent"]["redactedContent"] = piece.clone();
            } else {
                append(&mut block["reasoningContent"]["reasoningText"][name.as_str()], piece);
            }
        }
        other => panic!("{other} is no delta"),
    }
}

fn close(block: &mut Value) {
    if let Some(input) = block["toolUse"].get("input").and_then(Value::as_str) {
        block["toolUse"]["input"] = serde_json::from_str(input).unwrap();
    }
    if block["toolUse"].is_null() {
        block.as_object_mut().unwrap().shift_remove("toolUse");
    }
}
