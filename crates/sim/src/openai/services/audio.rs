//! Sound: spoken words, and words that were heard. Nothing is heard really: the answer names the file's digest.
//!
//! Rules: <https://platform.openai.com/docs/api-reference/audio>, the published document's `CreateSpeechRequest` and
//! `CreateTranscriptionRequest`, read 2026-11-23.

use super::{Service, check};
use crate::answer::Answer;
use crate::chance::Chance;
use crate::models::Model;
use crate::openai::error::Refusal;
use crate::price::Usage;
use crate::setting::{Setting, unstreamed};
use crate::shape::{Kind, may, must, null, some, text};
use crate::tokens;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// Bytes of sound for each token of text.
const BYTES_PER_TOKEN: usize = 4096;
/// Bytes of sound that make one token, and one second, of what is heard.
const HEARD_BYTES: u64 = 1000;
/// Largest file that is taken, as the provider says.
const UPLOAD_MAX: u64 = 25 << 20;

/// `POST /v1/audio/speech`.
pub(super) fn speech(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    let members = [
        must("model", Kind::Text),
        must("input", Kind::Text),
        must("voice", Kind::TextOrObject),
        may("instructions", Kind::Text),
        may("response_format", Kind::OneOf(&["mp3", "opus", "aac", "flac", "wav", "pcm"])),
        may("speed", Kind::Num { min: 0.25, max: 4.0 }),
        may("stream_format", Kind::OneOf(&["sse", "audio"])),
    ];
    check(request, &members)?;
    let words = tokens::count(text(request, "input"), model.word_bytes);
    let mut chance = Chance::new(setting.seed, &[b"speech", unstreamed(request).as_bytes()]);
    let usage = Usage { input: words, output: words * 4, ..Usage::default() };
    let sound: Vec<Bytes> = (0..words).map(|_| Bytes::from(chance.name(BYTES_PER_TOKEN))).collect();
    let made = if text(request, "stream_format") == "sse" {
        let mut events: Vec<Bytes> = sound
            .iter()
            .map(|piece| json!({ "type": "speech.audio.delta", "audio": STANDARD.encode(piece) }))
            .map(|event| Bytes::from(format!("data: {event}\n\n")))
            .collect();
        let usage = json!({ "input_tokens": words, "output_tokens": words * 4, "total_tokens": words * 5 });
        let done = json!({ "type": "speech.audio.done", "usage": usage });
        events.push(Bytes::from(format!("data: {done}\n\n")));
        Answer::events(events)
    } else {
        let content_type = match text(request, "response_format") {
            "opus" => "audio/ogg",
            "aac" => "audio/aac",
            "flac" => "audio/flac",
            "wav" => "audio/wav",
            "pcm" => "audio/pcm",
            _ => "audio/mpeg",
        };
        Answer { content_type, frames: vec![Bytes::from(sound.concat())], ..Answer::json(200, &Value::Null) }
    };
    Ok(made.costing(usage, None))
}

/// `POST /v1/audio/transcriptions` and `/v1/audio/translations`.
pub(super) fn words(
    service: Service,
    setting: &Setting<'_>,
    model: &Model,
    request: &Value,
) -> Result<Answer, Refusal> {
    let formats: &[&str] = &["json", "text", "srt", "verbose_json", "vtt", "diarized_json"];
    let mut members = vec![
        must("model", Kind::Text),
        must("file", Kind::Object),
        may("prompt", Kind::Text),
        may("response_format", Kind::OneOf(if model.id == "whisper-1" { formats } else { &formats[..1] })),
        null("temperature", Kind::Num { min: 0.0, max: 1.0 }),
    ];
    if service == Service::Transcriptions {
        members.extend([
            may("language", Kind::Text),
            null("stream", Kind::Bool),
            may("include", Kind::List),
            may("timestamp_granularities", Kind::List),
            null("chunking_strategy", Kind::TextOrObject),
        ]);
    }
    check(request, &members)?;
    let bytes = some(&request["file"], "bytes").and_then(Value::as_u64).unwrap_or(0);
    if bytes > UPLOAD_MAX {
        let message = format!("Maximum content size limit ({UPLOAD_MAX}) exceeded ({bytes} bytes read)");
        return Err(Refusal::other(413, "invalid_request_error", None, message));
    }
    if bytes == 0 || !text(&request["file"], "filename").contains('.') {
        let message = "Unrecognized file format. Supported formats: ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']";
        return Err(Refusal::plain("file", message));
    }
    let said = format!("I heard {}.", text(&request["file"], "digest"));
    let heard = bytes.div_ceil(HEARD_BYTES);
    let usage = Usage { input: heard, output: tokens::count(&said, model.word_bytes), ..Usage::default() };
    let told = if model.id == "whisper-1" {
        json!({ "type": "duration", "seconds": heard })
    } else {
        let details = json!({ "text_tokens": 0, "audio_tokens": heard });
        json!({ "type": "tokens", "input_tokens": heard, "output_tokens": usage.output, "total_tokens": heard + usage.output, "input_token_details": details })
    };
    let plain = |kind: &'static str, body: String| Answer {
        content_type: kind,
        frames: vec![Bytes::from(body)],
        ..Answer::json(200, &Value::Null)
    };
    let made = match text(request, "response_format") {
        "text" => plain("text/plain; charset=utf-8", format!("{said}\n")),
        "srt" => plain("text/plain; charset=utf-8", format!("1\n00:00:00,000 --> 00:00:01,000\n{said}\n\n")),
        "vtt" => plain("text/vtt; charset=utf-8", format!("WEBVTT\n\n00:00.000 --> 00:01.000\n{said}\n")),
        _ if request["stream"] == json!(true) && model.id != "whisper-1" => {
            let delta = tokens::pieces(&said, model.word_bytes)
                .map(|piece| json!({ "type": "transcript.text.delta", "delta": piece }));
            let done = json!({ "type": "transcript.text.done", "text": said, "usage": told });
            Answer::events(delta.chain([done]).map(|e| Bytes::from(format!("data: {e}\n\n"))).collect())
        }
        _ => Answer::json(200, &json!({ "text": said, "usage": told })),
    };
    let _ = setting;
    Ok(made.costing(usage, None))
}
