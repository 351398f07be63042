//! Decoding of answers that come compressed although we asked for identity, with a cap on what they unfold to.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::{GzDecoder, ZlibDecoder};
use http::HeaderValue;

use crate::failure::Failure;

/// Most bytes that one compressed answer may unfold to.
const DECODED_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes that one read may unfold to.
const PIECE_MAX: usize = 16 * 1024 * 1024;

/// Takes a content encoding off, piece by piece.
pub(crate) enum Decoder {
    Gzip(GzDecoder<Capped>, u64),
    Deflate(ZlibDecoder<Capped>, u64),
}

/// A buffer that refuses to grow beyond [`PIECE_MAX`].
#[derive(Default)]
pub(crate) struct Capped(Vec<u8>);

impl std::io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > PIECE_MAX {
            return Err(std::io::Error::other("it unfolds to more than 16 MiB at once"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    /// The decoder for a `content-encoding`; `None` for identity.
    pub(crate) fn for_encoding(encoding: Option<&HeaderValue>) -> Result<Option<Self>, Failure> {
        let Some(encoding) = encoding else { return Ok(None) };
        match encoding.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(None),
            b"gzip" | b"x-gzip" => Ok(Some(Self::Gzip(GzDecoder::new(Capped::default()), 0))),
            b"deflate" => Ok(Some(Self::Deflate(ZlibDecoder::new(Capped::default()), 0))),
            other => Err(Failure::BadAnswer(format!(
                "it is encoded as `{}` although we asked for no encoding",
                String::from_utf8_lossy(other)
            ))),
        }
    }

    /// Decodes one piece. The last piece is empty and checks that the stream is whole.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Bytes, Failure> {
        let wrong = |error: std::io::Error| Failure::BadAnswer(format!("its compressed body cannot be read: {error}"));
        let (out, total) = match self {
            Self::Gzip(decoder, total) => {
                decoder.write_all(piece).map_err(wrong)?;
                if piece.is_empty() {
                    decoder.try_finish().map_err(wrong)?;
                } else {
                    decoder.flush().map_err(wrong)?;
                }
                (std::mem::take(&mut decoder.get_mut().0), total)
            }
            Self::Deflate(decoder, total) => {
                decoder.write_all(piece).map_err(wrong)?;
                if piece.is_empty() {
                    decoder.try_finish().map_err(wrong)?;
                } else {
                    decoder.flush().map_err(wrong)?;
                }
                (std::mem::take(&mut decoder.get_mut().0), total)
            }
        };
        *total += out.len() as u64;
        if *total > DECODED_MAX {
            return Err(Failure::BadAnswer("its compressed body unfolds to more than 256 MiB".into()));
        }
        Ok(out.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(wire: &[u8], piece: usize) -> Result<Vec<u8>, Failure> {
        let encoding = HeaderValue::from_static("gzip");
        let mut decoder = Decoder::for_encoding(Some(&encoding))?.expect("gzip is known");
        let mut out = Vec::new();
        for part in wire.chunks(piece) {
            out.extend_from_slice(&decoder.push(part)?);
        }
        out.extend_from_slice(&decoder.push(&[])?);
        Ok(out)
    }

    #[test]
    fn a_compressed_answer_is_decoded_however_it_is_split() {
        let text = b"data: {\"a\":1}\n\n".repeat(50);
        for piece in [1, 7, 4096] {
            assert_eq!(decode(&gzip(&text), piece).as_deref(), Ok(&text[..]));
        }
    }

    #[test]
    fn a_compression_bomb_and_a_truncated_stream_are_refused() {
        assert!(decode(&gzip(&vec![0; PIECE_MAX * 2]), 1 << 20).is_err());
        let whole = gzip(b"hello hello hello");
        assert!(decode(&whole[..whole.len() - 9], 100).is_err());
        assert!(Decoder::for_encoding(Some(&HeaderValue::from_static("br"))).is_err());
    }
}
