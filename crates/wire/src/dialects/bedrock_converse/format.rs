//! Formats of pictures, sound and documents, which are words here and media types elsewhere, and documents' names.

use std::borrow::Cow;

/// Documents: Bedrock's word and the media type (`DocumentFormat` of the service model).
const DOCUMENTS: [(&str, &str); 9] = [
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("html", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
];
/// Pictures (`ImageFormat`).
const IMAGES: [&str; 4] = ["png", "jpeg", "gif", "webp"];
/// The longest name of a document.
const NAME_MAX: usize = 200;

/// The media type of a document's format; `None` for one that is not known.
pub(super) fn media_type_of_document(format: &str) -> Option<&'static str> {
    DOCUMENTS.iter().find(|(word, _)| *word == format).map(|(_, media_type)| *media_type)
}

/// The format of a document's media type. Any other text is text.
pub(super) fn document_format(media_type: &str) -> Option<&'static str> {
    let known = DOCUMENTS.iter().find(|(_, known)| *known == media_type).map(|(word, _)| *word);
    known.or_else(|| media_type.starts_with("text/").then_some("txt"))
}

/// The format of a picture's media type.
pub(super) fn image_format(media_type: &str) -> Option<&'static str> {
    let word = media_type.strip_prefix("image/")?;
    // `image/jpg` is common and not a media type.
    let word = if word == "jpg" { "jpeg" } else { word };
    IMAGES.into_iter().find(|known| *known == word)
}

/// The format of a sound's media type.
pub(super) fn audio_format(media_type: &str) -> Option<&'static str> {
    match media_type {
        "audio/wav" => Some("wav"),
        "audio/mp3" => Some("mp3"),
        _ => None,
    }
}

/// A name that Bedrock takes for a document, and that none of `taken` is: letters, digits, single spaces, hyphens,
/// parentheses and brackets. The ending is the format's to tell.
pub(super) fn document_name(name: Option<&str>, taken: &[String]) -> String {
    let name = name.unwrap_or_default();
    let stem = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 5 => stem,
        _ => name,
    };
    let mut clean = String::with_capacity(stem.len());
    for letter in stem.chars().take(NAME_MAX - 8) {
        if letter.is_ascii_alphanumeric() || "-()[]".contains(letter) {
            clean.push(letter);
        } else if letter.is_whitespace() {
            if !clean.ends_with(' ') {
                clean.push(' ');
            }
        } else {
            clean.push('-');
        }
    }
    let clean: Cow<'_, str> = match clean.trim() {
        "" => "document".into(),
        name => name.to_owned().into(),
    };
    let free = |name: &str| taken.iter().all(|one| one != name);
    if free(&clean) {
        return clean.into_owned();
    }
    (2..).map(|number: u32| format!("{clean} {number}")).find(|name| free(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_documents_are_made_to_fit_and_stay_apart() {
        let name = |name| document_name(Some(name), &[]);
        assert_eq!(name("report.pdf"), "report");
        assert_eq!(name("Q3  report_v2 (final).docx"), "Q3 report-v2 (final)");
        assert_eq!(name(".env"), "-env");
        assert_eq!(name("  "), "document");
        assert_eq!(document_name(None, &["document".to_owned()]), "document 2");
        assert!(name(&"é".repeat(900)).len() <= NAME_MAX);
    }

    #[test]
    fn formats_and_media_types_find_each_other() {
        for (word, media_type) in DOCUMENTS {
            assert_eq!(document_format(media_type), Some(word));
            assert_eq!(media_type_of_document(word), Some(media_type));
        }
        assert_eq!(document_format("text/x-rust"), Some("txt"));
        assert_eq!(document_format("application/zip"), None);
        assert_eq!((image_format("image/jpg"), image_format("image/heic")), (Some("jpeg"), None));
    }
}
