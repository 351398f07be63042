//! Tests of the event stream's framing.

use proptest::prelude::*;

use super::*;

/// A message as its headers and payload.
type Told = (Vec<(String, String)>, Vec<u8>);

fn told(message: Message<'_>) -> Told {
    let headers = message.headers().map(|(name, value)| match value {
        Value::Text(text) => (name.to_owned(), text.to_owned()),
        Value::Other(kind, bytes) => (name.to_owned(), format!("{kind}:{bytes:?}")),
    });
    (headers.collect(), message.payload.to_vec())
}

fn read(wire: &[u8], cuts: &[usize]) -> Result<(Vec<Told>, bool), Damaged> {
    let (mut reader, mut out, mut at) = (Reader::default(), Vec::new(), 0);
    let mut sizes = cuts.iter().copied().chain(std::iter::repeat(usize::MAX));
    while at < wire.len() {
        let next = at.saturating_add(sizes.next().unwrap_or(1).max(1)).min(wire.len());
        reader.push(&wire[at..next], |message| {
            out.push(told(message));
            Ok::<(), Damaged>(())
        })?;
        at = next;
    }
    Ok((out, reader.is_between()))
}

fn messages() -> impl Strategy<Value = Vec<Told>> {
    let header = ("[:a-z-]{1,20}", "[ -~ä]{0,30}");
    let message = (prop::collection::vec(header, 0..5), prop::collection::vec(any::<u8>(), 0..200));
    prop::collection::vec(message, 1..6)
}

fn written(messages: &[Told]) -> Vec<u8> {
    let mut wire = Vec::new();
    for (headers, payload) in messages {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        write(&mut wire, &headers, payload);
    }
    wire
}

proptest! {
    #[test]
    fn messages_are_the_same_however_the_stream_is_split(
        messages in messages(), cuts in prop::collection::vec(1usize..40, 0..60),
    ) {
        prop_assert_eq!(read(&written(&messages), &cuts), Ok((messages, true)));
    }

    #[test]
    fn any_damaged_byte_is_an_error(
        messages in messages(), at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let mut wire = written(&messages);
        let at = at.index(wire.len());
        wire[at] ^= 1 << bit;
        prop_assert!(read(&wire, &[]).is_err());
    }

    #[test]
    fn a_cut_stream_is_not_between_two_messages(messages in messages(), at in any::<prop::sample::Index>()) {
        let wire = written(&messages);
        let at = at.index(wire.len());
        let mut ends = vec![0];
        while let Some(end) = find_end(&wire, *ends.last().unwrap()).unwrap() {
            ends.push(end);
        }
        let (found, is_between) = read(&wire[..at], &[]).unwrap();
        prop_assert_eq!(is_between, ends.contains(&at));
        prop_assert_eq!(found.len(), ends.iter().filter(|end| **end > 0 && **end <= at).count());
    }

    #[test]
    fn hostile_bytes_never_panic(wire in prop::collection::vec(any::<u8>(), 0..120), cuts in prop::collection::vec(1usize..20, 0..20)) {
        let _ = read(&wire, &cuts);
        let _ = Message::parse(&wire);
    }

    #[test]
    fn hostile_headers_with_right_checksums_never_panic(headers in prop::collection::vec(any::<u8>(), 0..60)) {
        let wire = framed(&headers, b"{}");
        if let Ok(message) = Message::parse(&wire) {
            prop_assert_eq!(message.payload, b"{}");
            let _ = told(message);
        }
    }
}

/// A message of raw headers.
fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let total = u32::try_from(MESSAGE_MIN + headers.len() + payload.len()).unwrap();
    wire.extend_from_slice(&total.to_be_bytes());
    wire.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    wire.extend_from_slice(&crc32fast::hash(&wire).to_be_bytes());
    wire.extend_from_slice(headers);
    wire.extend_from_slice(payload);
    wire.extend_from_slice(&crc32fast::hash(&wire).to_be_bytes());
    wire
}

/// The message that botocore's own tests read (`tests/unit/test_eventstream.py`, `PAYLOAD_ONE_STR_HEADER`).
#[test]
fn a_message_of_amazons_own_is_read_and_written_byte_for_byte() {
    let wire = b"\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1";
    let message = Message::parse(wire).unwrap();
    assert_eq!(message.text("content-type"), Some("application/json"));
    assert_eq!(message.payload, b"{'foo':'bar'}");
    let mut out = Vec::new();
    write(&mut out, &[("content-type", "application/json")], b"{'foo':'bar'}");
    assert_eq!(out, wire);
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let headers = b"\x01a\x00\x01b\x01\x01c\x02\xff\x01d\x03\x00\x01\x01e\x04\x00\x00\x00\x01\x01f\x05\x00\x00\x00\x00\x00\x00\x00\x01\x01g\x06\x00\x02hi\x01h\x08\x00\x00\x00\x00\x00\x00\x00\x08\x01i\x090123456789abcdef\x01j\x07\x00\x02ok";
    let wire = framed(headers, b"");
    let message = Message::parse(&wire).unwrap();
    assert_eq!(message.headers().count(), 10);
    assert_eq!(message.text("j"), Some("ok"));
    assert_eq!(message.text("g"), None);
    for broken in
        [&b"\x01a\x0a"[..], b"\x05ab", b"\x01a\x07\x00\x09x", b"\x01\xff\x00", b"\x01a\x07\x00\x01\xff"]
    {
        assert_eq!(Message::parse(&framed(broken, b"")), Err(Damaged::Headers), "{broken:?}");
    }
}

#[test]
fn lengths_that_no_message_has_are_refused_before_anything_is_held() {
    let prelude = |total: u32, headers: u32| {
        let mut wire = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        wire.extend_from_slice(&crc32fast::hash(&wire).to_be_bytes());
        wire
    };
    let too_long = u32::try_from(EVENT_MAX).unwrap() + 1;
    for (total, headers, why) in [
        (15, 0, Damaged::Length),
        (16, 1, Damaged::Length),
        (400_000, 200_000, Damaged::Length),
        (too_long, 0, Damaged::Oversized),
        (u32::MAX, u32::MAX, Damaged::Oversized),
    ] {
        assert_eq!(find_end(&prelude(total, headers), 0), Err(why), "{total} {headers}");
    }
    assert_eq!(find_end(&prelude(17, 0), 0), Ok(None));
}
