//! Decoders tested on every split, on bombs and on streams that break off.

use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

const ENCODINGS: [&str; 5] = ["gzip", "deflate", "bare deflate", "br", "zstd"];

/// 50 times `data: {"a":1}` and an empty line, by the reference encoder of brotli 1.2.
const BROTLI_EVENTS: [u8; 37] = [
    0x1b, 0xed, 0x02, 0xf8, 0x1d, 0x07, 0x76, 0x33, 0xd7, 0x42, 0x27, 0x16, 0x06, 0xff, 0x88, 0xdc, 0x5a,
    0x41, 0x24, 0x8c, 0x4c, 0x83, 0xc4, 0xec, 0xf5, 0x29, 0x1d, 0xba, 0x68, 0x30, 0x04, 0x28, 0xd3, 0x0d,
    0x99, 0x1c, 0x00,
];
/// 32 MiB of zeros, by the same.
const BROTLI_BOMB: [u8; 54] = [
    0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x8f, 0xff, 0xff, 0x7f,
    0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0x1f, 0xff, 0xff, 0xff, 0xe0, 0x9f, 0x00, 0x88,
    0xc3, 0x02, 0x00, 0xdd, 0xfb, 0x3f, 0xfe, 0xff, 0xff, 0xc1, 0x3f, 0x01, 0x10, 0x87, 0x05, 0x00, 0xba,
    0xf7, 0x7f, 0x03,
];

fn events() -> Vec<u8> {
    b"data: {\"a\":1}\n\n".repeat(50)
}

fn encode(encoding: &str, data: &[u8]) -> Vec<u8> {
    let best = Compression::best();
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), best);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), best);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "bare deflate" => {
            let mut encoder = DeflateEncoder::new(Vec::new(), best);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => compress_to_vec(data, CompressionLevel::Fastest),
        "br" if data == events() => BROTLI_EVENTS.to_vec(),
        "br" => BROTLI_BOMB.to_vec(),
        other => panic!("{other}"),
    }
}

fn decoder(encoding: &str) -> Decoder {
    let name = encoding.trim_start_matches("bare ");
    Decoder::for_encoding(Some(&HeaderValue::from_str(name).unwrap())).unwrap().expect("it is known")
}

fn decode(encoding: &str, wire: &[u8], piece: usize) -> Result<Vec<u8>, Failure> {
    let mut decoder = decoder(encoding);
    let mut out = Vec::new();
    for part in wire.chunks(piece) {
        out.extend_from_slice(&decoder.push(part)?);
    }
    out.extend_from_slice(&decoder.push(&[])?);
    Ok(out)
}

#[test]
fn a_compressed_answer_is_decoded_however_it_is_split() {
    for encoding in ENCODINGS {
        let wire = encode(encoding, &events());
        for piece in 1..=wire.len() {
            assert_eq!(decode(encoding, &wire, piece).as_deref(), Ok(&events()[..]), "{encoding} by {piece}");
        }
    }
}

#[test]
fn a_compression_bomb_is_refused() {
    for encoding in ENCODINGS {
        let bomb = encode(encoding, &vec![0; PIECE_MAX * 2]);
        let refused = decode(encoding, &bomb, 1 << 20).unwrap_err().to_string();
        assert!(refused.contains("16 MiB"), "{encoding}: {refused}");
    }
}

#[test]
fn a_bomb_that_unfolds_slowly_is_refused_at_the_cap_of_the_whole_answer() {
    let bomb = encode("gzip", &vec![0; 8 << 20]);
    let mut decoder = decoder("gzip");
    let outcome = (0..40).try_for_each(|_| decoder.push(&bomb).map(drop));
    assert!(outcome.unwrap_err().to_string().contains("256 MiB"));
}

#[test]
fn a_stream_that_breaks_off_anywhere_is_refused() {
    for encoding in ENCODINGS {
        let whole = encode(encoding, &events());
        for end in 1..whole.len() {
            assert!(decode(encoding, &whole[..end], 7).is_err(), "{encoding} up to {end}");
        }
    }
}

#[test]
fn bytes_after_the_end_of_a_stream_are_refused() {
    for encoding in ENCODINGS {
        let mut wire = encode(encoding, &events());
        wire.extend_from_slice(b"HTTP/1.1 200 OK\r\n\r\n");
        for piece in [1, wire.len()] {
            assert!(decode(encoding, &wire, piece).is_err(), "{encoding} by {piece}");
        }
    }
}

#[test]
fn several_members_of_gzip_and_frames_of_zstd_are_one_answer() {
    for encoding in ["gzip", "zstd"] {
        let wire = encode(encoding, &events()).repeat(3);
        assert_eq!(decode(encoding, &wire, 11).as_deref(), Ok(&events().repeat(3)[..]), "{encoding}");
    }
}

#[test]
fn a_zstd_window_beyond_eight_mebibytes_is_refused_before_it_is_allocated() {
    // Magic, a descriptor without a size, and a window of 2^41 bytes.
    let wire = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00];
    assert!(decode("zstd", &wire, 9).is_err());
}

#[test]
fn an_empty_body_is_whole_whatever_its_encoding() {
    for encoding in ENCODINGS {
        assert_eq!(decode(encoding, &[], 1).as_deref(), Ok(&[][..]), "{encoding}");
    }
}

#[test]
fn an_encoding_that_nobody_knows_is_named_in_the_refusal() {
    let unknown = Decoder::for_encoding(Some(&HeaderValue::from_static("compress"))).err().unwrap();
    assert!(unknown.to_string().contains("`compress`"), "{unknown}");
}

proptest! {
    #[test]
    fn hostile_streams_never_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        piece in 1usize..40,
    ) {
        for encoding in ENCODINGS {
            let _ = decode(encoding, &noise, piece);
            let mut wire = encode(encoding, &events());
            for (at, byte) in &flips {
                let at = at.index(wire.len());
                wire[at] = *byte;
            }
            let _ = decode(encoding, &wire, piece);
        }
    }
}
