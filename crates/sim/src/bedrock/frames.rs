//! Writes `application/vnd.amazon.eventstream`: length-prefixed frames with headers, each guarded by two checksums.
//!
//! Format: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> and
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>, read 2026-11-23: total length, headers' length and their CRC-32, then
//! headers and payload, then a CRC-32 of all before it; numbers are big-endian.

use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::Value;

/// The content type of a stream of frames.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Bytes before the headers, and after the payload.
const PRELUDE_BYTES: usize = 12;
const TAIL_BYTES: usize = 4;
/// The header value type "string".
const STRING: u8 = 7;

/// An event of this type.
pub(crate) fn event(kind: &str, payload: &Value) -> Bytes {
    let headers = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.to_string().as_bytes())
}

/// An exception: the stream ends with it.
pub(crate) fn exception(kind: &str, payload: &Value) -> Bytes {
    let headers =
        [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")];
    frame(&headers, payload.to_string().as_bytes())
}

/// The same frame with a payload made from its own, checksums anew.
pub(crate) fn with_payload(whole: &Bytes, make: impl FnOnce(&[u8]) -> Vec<u8>) -> Bytes {
    let Some((head, rest)) = whole.split_first_chunk::<PRELUDE_BYTES>() else { return whole.clone() };
    let [_, _, _, _, a, b, c, d, ..] = *head;
    let headers_length = u32::from_be_bytes([a, b, c, d]) as usize;
    let Some((headers, rest)) = rest.split_at_checked(headers_length) else { return whole.clone() };
    let payload = rest.get(..rest.len().saturating_sub(TAIL_BYTES)).unwrap_or_default();
    assembled(headers, &make(payload))
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    for (name, value) in headers {
        // Names and values here are short texts of the fleet's own.
        out.put_u8(name.len() as u8);
        out.put_slice(name.as_bytes());
        out.put_u8(STRING);
        out.put_u16(value.len() as u16);
        out.put_slice(value.as_bytes());
    }
    assembled(&out, payload)
}

fn assembled(headers: &[u8], payload: &[u8]) -> Bytes {
    let total = PRELUDE_BYTES + headers.len() + payload.len() + TAIL_BYTES;
    let mut out = BytesMut::with_capacity(total);
    out.put_u32(total as u32);
    out.put_u32(headers.len() as u32);
    out.put_u32(crc32(&out));
    out.put_slice(headers);
    out.put_slice(payload);
    out.put_u32(crc32(&out));
    out.freeze()
}

/// CRC-32 as of ISO 3309: reflected, polynomial 0xEDB88320.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, byte: &u8| TABLE[usize::from((crc as u8) ^ byte)] ^ (crc >> 8);
    !bytes.iter().fold(u32::MAX, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut value, mut bit) = (i as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        // The check value of CRC-32/ISO-HDLC: https://reveng.sourceforge.io/crc-catalogue/17plus.htm.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_frame_with_another_payload_keeps_its_headers() {
        let first = event("messageStart", &serde_json::json!({ "role": "assistant" }));
        let second = with_payload(&first, |payload| payload.to_ascii_uppercase());
        assert_eq!(second, with_payload(&second, <[u8]>::to_vec));
        assert_eq!(first[12..12 + 80], second[12..12 + 80]);
        assert!(second.windows(4).any(|w| w == b"ROLE"));
    }
}
