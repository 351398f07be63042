//! Pictures: made, changed, varied. The picture is noise; what counts is how it is asked for.
//!
//! Rules: <https://platform.openai.com/docs/api-reference/images> and the published document's `CreateImageRequest`,
//! `CreateImageEditRequest` and their stream events, read 2026-11-23.

use super::{Service, check};
use crate::answer::Answer;
use crate::chance::Chance;
use crate::models::Model;
use crate::openai::error::Refusal;
use crate::price::Usage;
use crate::setting::{Setting, unstreamed};
use crate::shape::{Kind, Member, may, must, null, some, text};
use crate::tokens;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// Tokens of a picture that goes in, and of one that comes out in each quality.
const INPUT_TOKENS: u64 = 323;
const OUTPUT_TOKENS: [(&str, u64); 3] = [("low", 272), ("medium", 1056), ("high", 4160)];
/// Bytes of a picture.
const PICTURE_BYTES: usize = 48 * 1024;
/// Largest picture that is taken.
const UPLOAD_MAX: u64 = 50 << 20;

const COMMON: [Member; 10] = [
    null("n", Kind::Int { min: 1, max: 10 }),
    null("size", Kind::OneOf(&["auto", "1024x1024", "1536x1024", "1024x1536"])),
    null("quality", Kind::OneOf(&["auto", "low", "medium", "high", "standard", "hd"])),
    null("background", Kind::OneOf(&["auto", "transparent", "opaque"])),
    null("output_format", Kind::OneOf(&["png", "jpeg", "webp"])),
    null("output_compression", Kind::Int { min: 0, max: 100 }),
    null("stream", Kind::Bool),
    null("partial_images", Kind::Int { min: 0, max: 3 }),
    may("user", Kind::Text),
    null("model", Kind::Text),
];

pub(super) fn answer(
    service: Service,
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
) -> Result<Answer, Refusal> {
    let mut members = COMMON.to_vec();
    match service {
        Service::Generations => members.extend([
            must("prompt", Kind::Text),
            null("moderation", Kind::OneOf(&["auto", "low"])),
            null("style", Kind::OneOf(&["vivid", "natural"])),
        ]),
        Service::Edits => members.extend([
            must("prompt", Kind::Text),
            must("image", if request["image"].is_array() { Kind::List } else { Kind::Object }),
            may("mask", Kind::Object),
            null("input_fidelity", Kind::OneOf(&["high", "low"])),
        ]),
        _ => members.extend([
            must("image", Kind::Object),
            null("response_format", Kind::OneOf(&["url", "b64_json"])),
        ]),
    }
    check(request, &members)?;
    let given = pictures(request)?;
    let text_of = unstreamed(request);
    let mut chance = Chance::new(setting.seed, &[model.id.as_bytes(), text_of.as_bytes()]);
    let count = some(request, "n").and_then(Value::as_u64).unwrap_or(1);
    let quality = some(request, "quality").and_then(Value::as_str).unwrap_or("medium");
    let each = OUTPUT_TOKENS.iter().find(|(name, _)| *name == quality).map_or(1056, |(_, tokens)| *tokens);
    let words = tokens::count(text(request, "prompt"), model.word_bytes);
    let usage = Usage { input: words + given * INPUT_TOKENS, output: each * count, ..Usage::default() };
    let told = json!({
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "input_tokens_details": { "text_tokens": words, "image_tokens": given * INPUT_TOKENS },
    });
    let mut picture = || STANDARD.encode(chance.name(PICTURE_BYTES));
    let made = if request["stream"] == json!(true) {
        let kind = if service == Service::Generations { "image_generation" } else { "image_edit" };
        let partial = some(request, "partial_images").and_then(Value::as_u64).unwrap_or(0);
        let mut events = Vec::new();
        let mut event = |value: Value| {
            let name = text(&value, "type").to_owned();
            events.push(Bytes::from(format!("event: {name}\ndata: {value}\n\n")));
        };
        for index in 0..partial {
            event(
                json!({ "type": format!("{kind}.partial_image"), "partial_image_index": index, "b64_json": picture() }),
            );
        }
        event(
            json!({ "type": format!("{kind}.completed"), "b64_json": picture(), "created_at": setting.now_s, "usage": told }),
        );
        Answer::events(events)
    } else {
        let data: Vec<Value> = (0..count).map(|_| json!({ "b64_json": picture() })).collect();
        Answer::json(200, &json!({ "created": setting.now_s, "data": data, "usage": told }))
    };
    Ok(made.costing(usage, None))
}

/// How many pictures are given, each of them one.
fn pictures(request: &Value) -> Result<u64, Refusal> {
    let all: Vec<&Value> = match &request["image"] {
        Value::Array(list) => list.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    };
    for picture in all.iter().copied().chain(some(request, "mask")) {
        let kind = text(picture, "type");
        if !["image/png", "image/jpeg", "image/webp"].contains(&kind) {
            let message = format!(
                "Invalid file 'image': unsupported mimetype ('{kind}'). Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'."
            );
            return Err(Refusal::bad("image", "unsupported_file_mimetype", message));
        }
        if picture["bytes"].as_u64().is_none_or(|bytes| bytes == 0 || bytes > UPLOAD_MAX) {
            return Err(Refusal::bad("image", "invalid_image_file", "Invalid image file or mode for image."));
        }
    }
    Ok(all.len() as u64)
}
