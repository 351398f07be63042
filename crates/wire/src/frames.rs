//! WebSocket frames as they pass (RFC 6455, section 5): where they end, and the text of short messages.

/// Longest message whose text is kept, in bytes. Longer ones pass unread.
const TEXT_MAX: usize = 512 * 1024;

/// Follows the frames of one direction of a connection.
#[derive(Debug, Default)]
pub struct Frames {
    /// The head of a frame that has not come whole.
    head: Vec<u8>,
    /// Bytes of the frame's payload that are still to come.
    left: u64,
    is_inside: bool,
    is_final: bool,
    /// The frame belongs to a message of text.
    is_text: bool,
    /// A message of text goes on in the next frame.
    is_text_open: bool,
    text: Vec<u8>,
    is_over: bool,
}

impl Frames {
    /// Takes bytes that pass, and gives the text of each message that ends in them. Masked frames, which clients send,
    /// give none: they are nobody's but the vendor's.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while !bytes.is_empty() || (self.is_inside && self.left == 0) {
            if self.is_inside {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.payload(&bytes[..here]);
                bytes = &bytes[here..];
                self.left -= here as u64;
                if self.left > 0 {
                    return;
                }
                self.end(&mut each);
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            self.read_head();
        }
    }

    /// Whether the bytes so far end with a frame, so that another one may follow.
    #[must_use]
    pub fn is_between(&self) -> bool {
        !self.is_inside && self.head.is_empty()
    }

    /// Reads the head when it is whole.
    fn read_head(&mut self) {
        let [first, second, rest @ ..] = self.head.as_slice() else { return };
        let is_masked = second & 0x80 != 0;
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if rest.len() < extended + if is_masked { 4 } else { 0 } {
            return;
        }
        self.left = match extended {
            0 => u64::from(second & 0x7f),
            _ => rest[..extended].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        self.is_final = first & 0x80 != 0;
        // 1 begins a text, 0 goes on with what was begun; control frames may stand between the two.
        self.is_text = !is_masked && (first & 0x0f == 1 || (first & 0x0f == 0 && self.is_text_open));
        self.is_inside = true;
        self.head.clear();
    }

    fn payload(&mut self, bytes: &[u8]) {
        if !self.is_text {
            return;
        }
        self.is_over |= self.text.len() + bytes.len() > TEXT_MAX;
        if !self.is_over {
            self.text.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, each: &mut impl FnMut(&[u8])) {
        self.is_inside = false;
        if !self.is_text {
            return;
        }
        self.is_text_open = !self.is_final;
        if self.is_final {
            if !self.is_over {
                each(&self.text);
            }
            self.text.clear();
            self.is_over = false;
        }
    }
}

/// A frame that closes the connection, as a server sends it, or as a client does with `mask`.
#[must_use]
pub fn close(code: u16, mask: Option<[u8; 4]>) -> Vec<u8> {
    let code = code.to_be_bytes();
    match mask {
        None => vec![0x88, 2, code[0], code[1]],
        Some(mask) => {
            vec![0x88, 0x82, mask[0], mask[1], mask[2], mask[3], code[0] ^ mask[0], code[1] ^ mask[1]]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(opcode: u8, is_final: bool, is_masked: bool, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![opcode | if is_final { 0x80 } else { 0 }];
        let mask = if is_masked { 0x80 } else { 0 };
        match payload.len() {
            short @ 0..126 => out.push(mask | short as u8),
            middle @ 126..65536 => {
                out.push(mask | 126);
                out.extend((middle as u16).to_be_bytes());
            }
            long => {
                out.push(mask | 127);
                out.extend((long as u64).to_be_bytes());
            }
        }
        if is_masked {
            out.extend([0; 4]);
        }
        out.extend(payload);
        out
    }

    fn texts(wire: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
        let (mut frames, mut seen) = (Frames::default(), Vec::new());
        wire.chunks(piece).for_each(|piece| frames.push(piece, |text| seen.push(text.to_vec())));
        (seen, frames.is_between())
    }

    proptest! {
        #[test]
        fn messages_are_the_same_however_the_bytes_are_cut(
            sizes in prop::collection::vec(0usize..400, 1..6),
            piece in 1usize..300,
        ) {
            let messages: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b'x'; *size]).collect();
            let mut wire = Vec::new();
            for message in &messages {
                let (first, second) = message.split_at(message.len() / 2);
                wire.extend(frame(1, false, false, first));
                wire.extend(frame(9, true, false, b"ping"));
                wire.extend(frame(0, true, false, second));
                wire.extend(frame(2, true, false, b"binary"));
            }
            prop_assert_eq!(texts(&wire, piece), (messages, true));
        }

        #[test]
        fn hostile_bytes_never_panic(wire in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..20) {
            let _ = texts(&wire, piece);
        }
    }

    #[test]
    fn long_and_masked_messages_pass_unread() {
        let long = frame(1, true, false, &vec![b'x'; TEXT_MAX + 1]);
        let wire = [long, frame(1, true, true, b"mine"), frame(1, true, false, b"short")].concat();
        assert_eq!(texts(&wire, 70_000), (vec![b"short".to_vec()], true));
        assert!(!texts(&frame(1, true, false, b"half")[..3], 9).1);
    }

    #[test]
    fn closing_frames_are_frames() {
        for wire in [close(1001, None), close(1001, Some([1, 2, 3, 4]))] {
            assert_eq!(texts(&wire, 1), (Vec::new(), true));
        }
        assert_eq!(close(1001, None), [0x88, 2, 3, 0xe9]);
    }
}
