//! Amazon's event stream as an SDK reads it, with nothing of our own codecs.

use serde_json::Value;

/// One message: what kind it is, its name, its payload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) class: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// CRC-32 (IEEE 802.3), bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// Reads a stream. Behind the last whole message nothing may stand.
pub(crate) fn read(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (total, headers) = (number(bytes) as usize, number(&bytes[4..]) as usize);
        assert_eq!(number(&bytes[8..]), checksum(&bytes[..8]), "the prelude's checksum");
        assert_eq!(number(&bytes[total - 4..]), checksum(&bytes[..total - 4]), "the message's checksum");
        let payload = &bytes[12 + headers..total - 4];
        let told = |name: &str| header(&bytes[12..12 + headers], name);
        let class = told(":message-type").unwrap();
        assert_eq!(told(":content-type").as_deref(), Some("application/json"));
        let name = told(if class == "exception" { ":exception-type" } else { ":event-type" }).unwrap();
        frames.push(Frame { class, name, data: serde_json::from_slice(payload).unwrap() });
        bytes = &bytes[total..];
    }
    frames
}

fn header(mut bytes: &[u8], wanted: &str) -> Option<String> {
    while !bytes.is_empty() {
        let length = usize::from(bytes[0]);
        let (name, rest) = bytes[1..].split_at(length);
        assert_eq!(rest[0], 7, "headers are text");
        let length = usize::from(u16::from_be_bytes([rest[1], rest[2]]));
        if name == wanted.as_bytes() {
            return Some(String::from_utf8(rest[3..3 + length].to_vec()).unwrap());
        }
        bytes = &rest[3 + length..];
    }
    None
}

/// Writes one message.
pub(crate) fn write(class: &str, name: &str, payload: &[u8]) -> Vec<u8> {
    let kind = if class == "exception" { ":exception-type" } else { ":event-type" };
    let mut headers = Vec::new();
    for (key, value) in [(kind, name), (":content-type", "application/json"), (":message-type", class)] {
        headers.push(u8::try_from(key.len()).unwrap());
        headers.extend_from_slice(key.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = |count: usize| u32::try_from(count).unwrap().to_be_bytes();
    let mut out = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    out.extend_from_slice(&checksum(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&checksum(&out).to_be_bytes());
    out
}

/// A stream that is written as server-sent events, message by message.
pub(crate) fn of_text(text: &str) -> Vec<Vec<u8>> {
    text.split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
            let class = if name.ends_with("Exception") { "exception" } else { "event" };
            write(class, name, data.as_bytes())
        })
        .collect()
}
