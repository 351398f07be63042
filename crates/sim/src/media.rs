//! Images, sounds and files inside requests: recognised by their first bytes, and refused when they are not what they claim.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Splits `data:image/png;base64,AAAA` into media type and decoded bytes.
pub(crate) fn data_url(url: &str) -> Option<(String, Vec<u8>)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    Some((media_type.to_owned(), STANDARD.decode(data).ok()?))
}

/// Decodes base64 text.
pub(crate) fn decode(data: &str) -> Option<Vec<u8>> {
    STANDARD.decode(data).ok()
}

/// The media type that the bytes themselves show, of those that providers take.
pub(crate) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-", "application/pdf"),
    ];
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

/// Whether an image is one that every vendor takes.
pub(crate) fn is_image(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// Tokens of an image in the fleet's token rule: 85, and one for each started 64 bytes, at most 1,600.
pub(crate) fn image_tokens(bytes: Option<usize>) -> u64 {
    (85 + bytes.map_or(680, |n| n.div_ceil(64)) as u64).min(1_600)
}

/// Tokens of a file in the fleet's token rule: one for each started four bytes, at most 100,000.
pub(crate) fn file_tokens(bytes: Option<usize>) -> u64 {
    (bytes.map_or(1_000, |n| n.div_ceil(4)) as u64).min(100_000)
}
