//! WebSockets on the provider's side (RFC 6455): the handshake, and frames as strictly as a server must read them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Largest message that is taken.
const MESSAGE_MAX: u64 = 16 << 20;
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What a client sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    Text(String),
    Ping(Vec<u8>),
    Close,
    /// Nothing that a provider takes; the reason.
    Wrong(&'static str),
}

/// The answer to a client's key.
pub(crate) fn accept(key: &str) -> String {
    STANDARD.encode(sha1(format!("{key}{MAGIC}").as_bytes()))
}

/// Reads one message; `None` at the end of the connection.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Option<Message> {
    let mut text = Vec::new();
    loop {
        let mut head = [0; 2];
        from.read_exact(&mut head).await.ok()?;
        let (is_final, opcode) = (head[0] & 0x80 != 0, head[0] & 0x0f);
        if head[0] & 0x70 != 0 {
            return Some(Message::Wrong("reserved bits without an extension"));
        }
        if head[1] & 0x80 == 0 {
            return Some(Message::Wrong("a client's frame without a mask"));
        }
        let length = match head[1] & 0x7f {
            126 => u64::from(from.read_u16().await.ok()?),
            127 => from.read_u64().await.ok()?,
            short => u64::from(short),
        };
        if length + text.len() as u64 > MESSAGE_MAX {
            return Some(Message::Wrong("a message that is too large"));
        }
        let mut mask = [0; 4];
        from.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; length as usize];
        from.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().enumerate().for_each(|(at, byte)| *byte ^= mask[at % 4]);
        match opcode {
            0 | 1 => text.extend_from_slice(&payload),
            8 => return Some(Message::Close),
            9 => return Some(Message::Ping(payload)),
            10 => continue,
            _ => return Some(Message::Wrong("a message that is no text")),
        }
        if is_final {
            return Some(
                String::from_utf8(text).map_or(Message::Wrong("text that is not UTF-8"), Message::Text),
            );
        }
    }
}

/// Writes one frame.
pub(crate) async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    opcode: u8,
    payload: &[u8],
) -> std::io::Result<()> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => frame.push(short as u8),
        middle @ 126..65_536 => {
            frame.push(126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    to.write_all(&frame).await?;
    to.flush().await
}

/// SHA-1 (FIPS 180-4), which the handshake is made with; nothing rests on its strength.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (at, bytes) in block.chunks_exact(4).enumerate() {
            words[at] = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for at in 16..80 {
            words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mixed, constant) = match at {
                0..20 => ((b & c) | (!b & d), 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut out = [0; 20];
    for (place, word) in out.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_gets_the_answer_of_the_standard() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[tokio::test]
    async fn frames_are_read_masked_or_not_at_all() {
        let masked = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
        assert_eq!(read(&mut &masked[..]).await, Some(Message::Text("hi".into())));
        assert!(matches!(read(&mut &[0x81, 2, b'h', b'i'][..]).await, Some(Message::Wrong(_))));
        assert!(matches!(read(&mut &[0xC1, 0x80, 0, 0, 0, 0][..]).await, Some(Message::Wrong(_))));
        assert_eq!(read(&mut &masked[..5]).await, None);
    }
}
