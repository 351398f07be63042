//! What answers tell that are no conversations: pictures, sound, ranks, judgements, files, batches.

use pilothouse_core::usage::Usage;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What an answer, or one event of its stream, tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Tokens, where the answer counts tokens.
    pub usage: Option<Usage>,
    /// Of the input tokens, those of pictures; some vendors price them apart.
    pub input_image: u64,
    /// Of the output tokens, those of pictures.
    pub output_image: u64,
    /// Of the cached tokens, those that are known not to be text.
    pub cached_other: u64,
    /// What is counted instead of tokens: thousandths of the unit, and the unit as the catalogue names it.
    pub units: Option<(&'static str, u64)>,
    /// The answer's id.
    pub id: Option<String>,
    /// The model that answered, or that a batch is for.
    pub model: Option<String>,
    /// Where a batch or a video stands.
    pub status: Option<String>,
    /// Unix seconds at which a batch was done.
    pub completed_at: Option<u64>,
    /// Ids of files that the answer names as its own: results of a batch, the file of an upload.
    pub files: Vec<String>,
    /// The kind of an event, where it is one.
    pub event: Option<String>,
    /// The message of an error.
    pub error: Option<String>,
}

/// Reads a JSON object. `None` when it is none; members of another shape than expected say nothing.
///
/// Shapes: OpenAI's published document (<https://github.com/openai/openai-openapi>) for `ImagesResponse`,
/// `CreateTranscriptionResponseJson`, `Batch`, `Upload`, `RealtimeServerEventResponseDone`;
/// <https://docs.cohere.com/reference/rerank> for `meta.billed_units`; <https://jina.ai/reranker> and
/// <https://docs.voyageai.com/reference/reranker-api> for `usage.total_tokens`; read 2026-11-23.
#[must_use]
pub fn read(json: &[u8]) -> Option<Told> {
    let value: Value = serde_json::from_slice(json).ok()?;
    if !value.is_object() {
        return None;
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut told = Told {
        id: text("id"),
        model: text("model"),
        status: text("status").or_else(|| text("processing_status")),
        completed_at: value.get("completed_at").and_then(Value::as_u64),
        event: text("type"),
        error: error_of(&value),
        ..Told::default()
    };
    for name in ["output_file_id", "error_file_id"] {
        told.files.extend(text(name));
    }
    told.files.extend(value.pointer("/file/id").and_then(Value::as_str).map(str::to_owned));
    // An event of a realtime session tells of a whole response.
    let usage = value.get("usage").or_else(|| value.pointer("/response/usage"));
    told.count(usage.unwrap_or(&Value::Null));
    if let Some(searches) = value.pointer("/meta/billed_units/search_units").and_then(Value::as_f64) {
        told.units = Some(("search", thousandths(searches)));
    }
    Some(told)
}

fn error_of(value: &Value) -> Option<String> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    let message = error.get("message").and_then(Value::as_str).or_else(|| error.as_str());
    Some(message.unwrap_or("the vendor sent an error without a message").to_owned())
}

fn thousandths(count: f64) -> u64 {
    // Counts of searches and of seconds are far below what a float holds exactly.
    (count.max(0.0) * 1000.0).round() as u64
}

impl Told {
    fn count(&mut self, usage: &Value) {
        if let Some(seconds) = usage.get("seconds").and_then(Value::as_f64) {
            self.units = Some(("second", thousandths(seconds)));
            return;
        }
        let Ok(counts) = Counts::deserialize(usage) else { return };
        let (Some(input), output) = (counts.input(), counts.output_tokens.unwrap_or(0)) else { return };
        let (ins, outs) = (counts.input_details, counts.output_details);
        let mut left = input;
        let mut take = |wanted: u64| {
            let taken = wanted.min(left);
            left -= taken;
            taken
        };
        let cache_read = take(ins.cached_tokens);
        // Cached sound is counted among the sound too.
        let input_audio = take(ins.audio_tokens.saturating_sub(ins.cached.audio_tokens));
        self.input_image = ins.image_tokens.saturating_sub(ins.cached.image_tokens).min(left);
        self.cached_other = (ins.cached.audio_tokens + ins.cached.image_tokens).min(cache_read);
        let reasoning = outs.reasoning_tokens.min(output);
        let output_audio = outs.audio_tokens.min(output - reasoning);
        self.output_image = outs.image_tokens.min(output - reasoning - output_audio);
        self.usage = Some(Usage {
            input: left,
            cache_read,
            input_audio,
            output: output - reasoning - output_audio,
            reasoning,
            output_audio,
            ..Usage::default()
        });
    }
}

/// All ways in which these answers count tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    #[serde(alias = "prompt_tokens", deserialize_with = "maybe")]
    input_tokens: Option<u64>,
    #[serde(alias = "completion_tokens", deserialize_with = "maybe")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "maybe")]
    total_tokens: Option<u64>,
    #[serde(alias = "input_token_details", rename = "input_tokens_details", deserialize_with = "nullable")]
    input_details: Details,
    #[serde(alias = "output_token_details", rename = "output_tokens_details", deserialize_with = "nullable")]
    output_details: Details,
}

impl Counts {
    /// Input tokens: all of them, where only a total is told.
    fn input(&self) -> Option<u64> {
        self.input_tokens.or_else(|| Some(self.total_tokens?.saturating_sub(self.output_tokens.unwrap_or(0))))
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: u64,
    audio_tokens: u64,
    image_tokens: u64,
    reasoning_tokens: u64,
    #[serde(rename = "cached_tokens_details", deserialize_with = "nullable")]
    cached: Cached,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Cached {
    audio_tokens: u64,
    image_tokens: u64,
}

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

fn maybe<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    Option::<u64>::deserialize(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn usage(usage: Value) -> Told {
        read(json!({ "usage": usage }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn pictures_are_counted_among_the_tokens_and_apart() {
        let told = usage(json!({"input_tokens": 50, "output_tokens": 1000, "total_tokens": 1050,
            "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
            "output_tokens_details": {"image_tokens": 1000, "text_tokens": 0}}));
        assert_eq!((told.input_image, told.output_image), (40, 1000));
        let counted = told.usage.unwrap();
        assert_eq!((counted.input, counted.output, counted.total()), (50, 1000, 1050));
    }

    #[test]
    fn sound_is_a_class_of_its_own_and_cached_sound_is_cached() {
        let told = usage(json!({"type": "tokens", "input_tokens": 100, "output_tokens": 30,
            "input_token_details": {"text_tokens": 20, "audio_tokens": 80, "cached_tokens": 64,
                "cached_tokens_details": {"text_tokens": 10, "audio_tokens": 54}},
            "output_token_details": {"text_tokens": 5, "audio_tokens": 25}}));
        let counted = told.usage.unwrap();
        assert_eq!((counted.input, counted.cache_read, counted.input_audio), (10, 64, 26));
        assert_eq!((counted.output, counted.output_audio, told.cached_other), (5, 25, 54));
    }

    #[test]
    fn seconds_searches_and_totals_are_counts_too() {
        assert_eq!(usage(json!({"type": "duration", "seconds": 9.5})).units, Some(("second", 9500)));
        assert_eq!(usage(json!({"total_tokens": 7})).usage.unwrap().input, 7);
        let told = read(br#"{"id":"r","results":[],"meta":{"billed_units":{"search_units":2.0}}}"#).unwrap();
        assert_eq!((told.units, told.usage), (Some(("search", 2000)), None));
        assert_eq!(usage(json!(null)).usage, None);
        assert_eq!(usage(json!({"input_tokens": "many"})).usage, None);
    }

    #[test]
    fn a_batch_tells_its_files_and_its_end() {
        let told = read(br#"{"id":"batch_1","status":"completed","completed_at":5,"output_file_id":"file-o","error_file_id":null,"model":"m","usage":null}"#).unwrap();
        assert_eq!((told.files.as_slice(), told.completed_at), (&["file-o".to_owned()][..], Some(5)));
        let upload = read(br#"{"id":"upload_1","status":"completed","file":{"id":"file-u"}}"#).unwrap();
        assert_eq!(upload.files, ["file-u"]);
        assert!(read(b"[1]").is_none() && read(b"{").is_none());
        assert_eq!(read(br#"{"error":{"message":"no"}}"#).unwrap().error.as_deref(), Some("no"));
    }
}
