//! Zstandard (RFC 8878), block by block: what a block unfolds to is taken before the next one is read, so
//! that no answer can make the decoder hold more than its window and one block.

use std::io::{Error, ErrorKind, Result as IoResult};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Capped, Unfold, truncated};

/// Largest window accepted: what the standard asks every decoder to support (RFC 8878, section 3.1.1.1.2).
const WINDOW_MAX: u64 = 8 * 1024 * 1024;
/// Largest block (RFC 8878, section 3.1.1.2.4).
const BLOCK_MAX: usize = 128 * 1024;

/// A stream of frames that is being decoded.
#[derive(Default)]
pub(super) struct Zstd {
    pending: Vec<u8>,
    frame: Option<Frame>,
    out: Capped,
}

struct Frame {
    decoder: FrameDecoder,
    has_checksum: bool,
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

/// Bytes of a frame's header (RFC 8878, section 3.1.1.1), once its descriptor is there.
fn header_size(pending: &[u8]) -> Option<usize> {
    let descriptor = *pending.get(4)?;
    let is_single_segment = descriptor & 0x20 != 0;
    let content_size = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    Some(5 + usize::from(!is_single_segment) + dictionary + content_size)
}

impl Zstd {
    /// Takes one header or block off what is pending; `false` when more bytes are needed.
    fn step(&mut self) -> IoResult<bool> {
        let Some(frame) = &mut self.frame else {
            let Some(size) = header_size(&self.pending).filter(|size| self.pending.len() >= *size) else {
                return Ok(false);
            };
            let mut decoder = FrameDecoder::new();
            decoder.set_max_window_size(WINDOW_MAX);
            decoder.init(&self.pending[..size]).map_err(|error| invalid(error.to_string()))?;
            self.frame = Some(Frame { decoder, has_checksum: self.pending[4] & 4 != 0 });
            self.pending.drain(..size);
            return Ok(true);
        };
        let &[low, middle, high, ..] = self.pending.as_slice() else { return Ok(false) };
        let header = u32::from_le_bytes([low, middle, high, 0]);
        let (is_last, is_repeated) = (header & 1 == 1, (header >> 1) & 3 == 1);
        let content = if is_repeated { 1 } else { (header >> 3) as usize };
        if content > BLOCK_MAX {
            return Err(invalid("a block is larger than 128 KiB"));
        }
        let size = 3 + content + if is_last && frame.has_checksum { 4 } else { 0 };
        if self.pending.len() < size {
            return Ok(false);
        }
        frame
            .decoder
            .decode_blocks(&self.pending[..size], BlockDecodingStrategy::UptoBlocks(1))
            .map_err(|error| invalid(error.to_string()))?;
        frame.decoder.collect_to_writer(&mut self.out)?;
        self.pending.drain(..size);
        if is_last {
            self.frame = None;
        }
        Ok(true)
    }
}

impl Unfold for Zstd {
    fn push(&mut self, piece: &[u8]) -> IoResult<()> {
        self.pending.extend_from_slice(piece);
        while self.step()? {}
        Ok(())
    }

    fn finish(&mut self) -> IoResult<()> {
        if self.frame.is_none() && self.pending.is_empty() { Ok(()) } else { Err(truncated()) }
    }

    fn gathered(&mut self) -> &mut Capped {
        &mut self.out
    }
}
