//! Parts of Gemini's contents, read and written.
//!
//! A part holds one of `text`, `inlineData`, `fileData`, `functionCall`, `functionResponse` or something that only
//! Gemini knows, and beside it `thought`, `thoughtSignature` and members about the data. Members inside the data's
//! own object that nobody else knows are kept under a name with that object's before it (`inlineData.displayName`).

mod write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::conversation::{Content, Media, Part, Raw, Rest, ToolCall, ToolKind, ToolResult};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::signature;
use super::signature::THOUGHT;
use crate::json::{Members, Path, as_text, compact, items, readable};

pub(super) use write::Writer;

/// What holds a part's data, and what this server reads of it. Anything else keeps a part unread.
const DATA: [&str; 9] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];
/// Names that are read in either spelling.
const NAMES: [&str; 11] = [
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "thoughtSignature",
    "mimeType",
    "fileUri",
];
/// Names inside a part's data.
const INNER: [&str; 6] = ["mimeType", "fileUri", "displayName", "willContinue", "partialArgs", "scheduling"];

/// Where a part stands. Answers hold pictures and sound as parts that only Gemini knows, as their streams do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Answer,
}

/// Reads `parts`: an array, or a single part, which Google's servers take too.
pub(super) fn read_parts(raw: &RawValue, path: &Path<'_>, side: Side) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    if raw.get().starts_with('{') {
        read_part(raw, path, side, &mut parts)?;
        return Ok(parts);
    }
    for (at, item) in items(raw, path)?.into_iter().enumerate() {
        read_part(item, &path.item(at), side, &mut parts)?;
    }
    Ok(parts)
}

/// Reads one part into the parts that it stands for: itself, and its signature.
pub(super) fn read_part(
    raw: &RawValue,
    path: &Path<'_>,
    side: Side,
    out: &mut Vec<Part>,
) -> Result<(), Error> {
    let mut members = Members::read(raw, path)?.camel(&NAMES);
    let is_there = |name: &&&str| members.peek(name).is_some_and(|value| value.get() != "null");
    let kinds: Vec<&str> = DATA.iter().filter(is_there).copied().collect();
    let is_thought = members.flag("thought", path)?.unwrap_or(false);
    let is_one = |text: &String| !text.is_empty() && !signature::is_placeholder(text);
    let signature = members.text("thoughtSignature", path)?.filter(is_one);
    let kind = match kinds.as_slice() {
        ["text"] => "text",
        [] if signature.is_some() => "text",
        [one] if !is_thought => one,
        _ => "",
    };
    if kind == "text" {
        let text = members.text("text", path)?.unwrap_or_default();
        read_text(text, is_thought, signature, members.rest(), side, out);
        return Ok(());
    }
    let content = match (kind, side) {
        ("inlineData", Side::Request) => read_blob(&mut members, path)?,
        ("fileData", Side::Request) => read_file(&mut members, path)?,
        ("functionCall", _) => read_call(&mut members, path)?,
        ("functionResponse", Side::Request) => Some(read_result(&mut members, path)?),
        _ => None,
    };
    let Some((content, mut rest)) = content else {
        let kind = kinds.first().copied().unwrap_or("part").into();
        out.push(Part::new(Content::Unknown { kind, raw: raw.into() }));
        return Ok(());
    };
    for (name, value) in members.rest().iter() {
        rest.push(name, value.clone());
    }
    let bare =
        signature.map(|text| Part::new(Content::Reasoning(signature::read(String::new(), Some(text)))));
    let is_call = matches!(content, Content::ToolCall(_));
    let part = Part { content, cache: None, rest };
    let (first, second) = if is_call { (bare, Some(part)) } else { (Some(part), bare) };
    out.extend(first.into_iter().chain(second));
    Ok(())
}

fn read_text(
    text: String,
    is_thought: bool,
    signature: Option<String>,
    rest: Rest,
    side: Side,
    out: &mut Vec<Part>,
) {
    if is_thought {
        let mut rest = rest;
        if text.is_empty() {
            rest.push(THOUGHT, null());
        }
        let content = Content::Reasoning(signature::read(text, signature));
        return out.push(Part { content, cache: None, rest });
    }
    // A stream ends with an empty text, which may carry nothing, or only the signature.
    if side == Side::Request || !text.is_empty() || !rest.is_empty() {
        out.push(Part { rest, ..Part::text(text) });
    }
    if signature.is_some() {
        out.push(Part::new(Content::Reasoning(signature::read(String::new(), signature))));
    }
}

/// The members of a part's data that were not read, under names that say where they were.
fn inner_rest(data: &str, members: Members<'_>) -> Rest {
    let mut rest = Rest::default();
    for (name, value) in members.rest().iter() {
        rest.push(&format!("{data}.{name}"), value.clone());
    }
    rest
}

fn read_blob(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<(Content, Rest)>, Error> {
    let at = path.member("inlineData");
    let mut blob =
        members.object("inlineData", path)?.ok_or_else(|| path.missing("inlineData"))?.camel(&INNER);
    let media_type = blob.needed_text("mimeType", &at)?;
    let data = blob.needed_text("data", &at)?;
    let content = match class_of(&media_type) {
        Class::Image => Content::Image { source: base64(&media_type, data), detail: None },
        Class::Audio => Content::Audio { source: base64(&media_type, data) },
        Class::Video => return Ok(None),
        Class::Text => {
            let name = blob.word("displayName", &at)?;
            let plain = STANDARD.decode(&data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let source = plain.map_or_else(|| base64(&media_type, data), Media::Text);
            Content::File { source, name }
        }
        Class::Other => {
            let name = blob.word("displayName", &at)?;
            Content::File { source: base64(&media_type, data), name }
        }
    };
    let mut rest = inner_rest("inlineData", blob);
    if matches!(&content, Content::File { source: Media::Text(_), .. }) && media_type != "text/plain" {
        rest.push("inlineData.mimeType", text_raw(&media_type));
    }
    Ok(Some((content, rest)))
}

fn base64(media_type: &str, data: String) -> Media {
    Media::Base64 { media_type: media_type.into(), data }
}

fn text_raw(text: &str) -> Raw {
    let mut out = Vec::new();
    crate::json::write_str(&mut out, text);
    // What was just written is one JSON string.
    std::str::from_utf8(&out).ok().and_then(Raw::parse).unwrap_or_else(null)
}

/// A member that says by being there how something was written, and that is no loss to other dialects.
pub(super) fn null() -> Raw {
    Raw::from(RawValue::NULL)
}

fn read_file(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<(Content, Rest)>, Error> {
    let at = path.member("fileData");
    let mut file = members.object("fileData", path)?.ok_or_else(|| path.missing("fileData"))?.camel(&INNER);
    let uri = file.needed_text("fileUri", &at)?;
    let given = file.text("mimeType", &at)?;
    let guessed = type_of_name(&uri);
    let class = class_of(given.as_deref().or(guessed).unwrap_or_default());
    let is_clip = uri.contains("youtube.com/") || uri.contains("youtu.be/");
    if class == Class::Video || is_clip {
        return Ok(None);
    }
    let is_stored = uri.starts_with("gs://") || uri.contains("generativelanguage.googleapis.com/");
    let source = if is_stored { Media::FileId(uri.into()) } else { Media::Url(uri) };
    let content = match class {
        Class::Image => Content::Image { source, detail: None },
        Class::Audio => Content::Audio { source },
        _ => Content::File { source, name: file.word("displayName", &at)? },
    };
    let mut rest = inner_rest("fileData", file);
    if let Some(given) = given.filter(|given| guessed != Some(given)) {
        rest.push("fileData.mimeType", text_raw(&given));
    }
    Ok(Some((content, rest)))
}

fn read_call(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<(Content, Rest)>, Error> {
    let at = path.member("functionCall");
    let mut call =
        members.object("functionCall", path)?.ok_or_else(|| path.missing("functionCall"))?.camel(&INNER);
    if call.peek("partialArgs").is_some() || call.peek("willContinue").is_some() {
        // Arguments in pieces, which only Vertex sends, and only where the client asks for them.
        return Ok(None);
    }
    let id = call.word("id", &at)?.unwrap_or_default();
    let name = call.needed_text("name", &at)?.into();
    let arguments = match call.take("args") {
        Some(raw) if raw.get().starts_with('{') => compact(raw),
        Some(_) => return Err(at.member("args").wrong("an object")),
        None => "{}".to_owned(),
    };
    let call_part = ToolCall { id, name, arguments, kind: ToolKind::Function };
    Ok(Some((Content::ToolCall(call_part), inner_rest("functionCall", call))))
}

fn read_result(members: &mut Members<'_>, path: &Path<'_>) -> Result<(Content, Rest), Error> {
    let at = path.member("functionResponse");
    let found = members.object("functionResponse", path)?;
    let mut result = found.ok_or_else(|| path.missing("functionResponse"))?.camel(&INNER);
    let call_id = result.word("id", &at)?.unwrap_or_default();
    let name = result.word("name", &at)?;
    let (text, is_error) = match result.take("response") {
        Some(raw) => read_response(raw, &at.member("response"))?,
        None => (None, false),
    };
    let mut parts: Vec<Part> = text.map(Part::text).into_iter().collect();
    if let Some(raw) = result.take("parts") {
        let at = at.member("parts");
        for (index, item) in items(raw, &at)?.into_iter().enumerate() {
            let at = at.item(index);
            let mut inner = Members::read(item, &at)?.camel(&NAMES);
            // A result in a result stays unread, so that depth is bounded.
            if inner.take("functionResponse").is_some() || inner.take("functionCall").is_some() {
                parts.push(Part::new(Content::Unknown { kind: "part".into(), raw: item.into() }));
            } else {
                read_part(item, &at, Side::Request, &mut parts)?;
            }
        }
    }
    let rest = inner_rest("functionResponse", result);
    Ok((Content::ToolResult(ToolResult { call_id, name, parts, is_error }), rest))
}

/// What a function gave back: `output` or `error` where there is nothing else, as Google names them, else the
/// whole object as its text. Whether it failed.
fn read_response(raw: &RawValue, path: &Path<'_>) -> Result<(Option<String>, bool), Error> {
    let members = Members::read(raw, path)?;
    if let Some((name @ ("error" | "output"), value)) = members.only() {
        let is_error = name == "error";
        match as_text(value) {
            // Text that reads as JSON would come back as that JSON, so that it stays inside.
            Some(text) if !is_structure(&text) => return Ok((Some(text), is_error)),
            None if value.get().starts_with('[') || (is_error && value.get().starts_with('{')) => {
                return Ok((Some(readable(value)), is_error));
            }
            _ => {}
        }
    }
    Ok((Some(readable(raw)).filter(|text| text != "{}"), false))
}

/// Whether text is a JSON object or array.
fn is_structure(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && Raw::parse(text).is_some()
}

/// Classes of media, by their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Image,
    Audio,
    Video,
    Text,
    Other,
}

fn class_of(media_type: &str) -> Class {
    let lower = media_type.to_ascii_lowercase();
    match lower.split_once('/') {
        Some(("image", _)) => Class::Image,
        Some(("audio", _)) => Class::Audio,
        Some(("video", _)) => Class::Video,
        Some(("text", _)) | Some(("application", "json")) => Class::Text,
        _ => Class::Other,
    }
}

/// The media type that the ending of a URL tells.
fn type_of_name(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::write::write_response;
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn raw(value: &Value) -> Box<RawValue> {
        RawValue::from_string(value.to_string()).unwrap()
    }

    fn responded(response: &Value) -> (Option<String>, bool, Value) {
        let (text, is_error) = read_response(&raw(response), &Path::Root).unwrap();
        let mut out = Vec::new();
        write_response(&mut out, text.as_deref(), is_error);
        (text, is_error, serde_json::from_slice(&out).unwrap())
    }

    #[test]
    fn results_say_what_google_says_of_output_and_error() {
        let text = |text: &str| Some(text.to_owned());
        let plain = json!({ "output": "4 degrees" });
        assert_eq!(responded(&plain), (text("4 degrees"), false, plain));
        let failed = json!({ "error": "no such city" });
        assert_eq!(responded(&failed), (text("no such city"), true, failed));
        let whole = json!({ "temp": "4C", "output": 1 });
        assert_eq!(responded(&whole), (text(r#"{"temp":"4C","output":1}"#), false, whole));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-z{}\\[\\]\" :]{0,8}".prop_map(Value::from),
            Just(Value::from("{\"a\":1}")),
            Just(Value::from("[1]")),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("(output|error|a)", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_result_comes_back_as_it_was(map in prop::collection::btree_map("(output|error|b)", json(), 0..3)) {
            let response = Value::Object(map.into_iter().collect());
            prop_assert_eq!(responded(&response).2, response);
        }
    }
}
