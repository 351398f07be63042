//! Usage as vendors report it, turned into disjoint classes.

use pilothouse_core::usage::Usage;
use serde::Deserialize;

use crate::scan::ScanError;
use crate::walk::Walk;

/// OpenAI's usage object, for chat completions and embeddings.
///
/// `prompt_tokens` includes cached and audio tokens, `completion_tokens` includes reasoning and audio tokens
/// (<https://platform.openai.com/docs/api-reference/chat/object>, read 2026-11-22). DeepSeek reports its
/// cache beside it (<https://api-docs.deepseek.com/guides/kv_cache>, read 2026-11-22).
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OpenaiUsage {
    #[serde(deserialize_with = "count")]
    prompt_tokens: u64,
    #[serde(deserialize_with = "count")]
    completion_tokens: u64,
    #[serde(deserialize_with = "nullable")]
    prompt_tokens_details: OpenaiDetails,
    #[serde(deserialize_with = "nullable")]
    completion_tokens_details: OpenaiDetails,
    #[serde(deserialize_with = "count")]
    prompt_cache_hit_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OpenaiDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
    #[serde(deserialize_with = "count")]
    cache_write_tokens: u64,
    #[serde(deserialize_with = "count")]
    audio_tokens: u64,
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
}

impl OpenaiUsage {
    /// Reads the object where it stands. `None` when there is none, or when a count is no count.
    pub(crate) fn walk(walk: &mut Walk<'_>) -> Result<Option<Self>, ScanError> {
        let mut told = Self::default();
        let (start, mut is_sound) = (walk.at(), true);
        walk.object(|walk, name| match name {
            b"prompt_tokens" => count_at(walk, &mut told.prompt_tokens, &mut is_sound),
            b"completion_tokens" => count_at(walk, &mut told.completion_tokens, &mut is_sound),
            b"prompt_cache_hit_tokens" => count_at(walk, &mut told.prompt_cache_hit_tokens, &mut is_sound),
            b"prompt_tokens_details" => told.prompt_tokens_details.walk(walk, &mut is_sound),
            b"completion_tokens_details" => told.completion_tokens_details.walk(walk, &mut is_sound),
            _ => walk.skip().map(drop),
        })?;
        Ok((is_sound && walk.passed_since(start).starts_with(b"{")).then_some(told))
    }
}

impl OpenaiDetails {
    fn walk(&mut self, walk: &mut Walk<'_>, is_sound: &mut bool) -> Result<(), ScanError> {
        walk.object(|walk, name| match name {
            b"cached_tokens" => count_at(walk, &mut self.cached_tokens, is_sound),
            b"cache_write_tokens" => count_at(walk, &mut self.cache_write_tokens, is_sound),
            b"audio_tokens" => count_at(walk, &mut self.audio_tokens, is_sound),
            b"reasoning_tokens" => count_at(walk, &mut self.reasoning_tokens, is_sound),
            _ => walk.skip().map(drop),
        })
    }
}

/// Reads a count that may be null.
fn count_at(walk: &mut Walk<'_>, place: &mut u64, is_sound: &mut bool) -> Result<(), ScanError> {
    let start = walk.at();
    match walk.number()? {
        Some(number) => *place = number,
        None => *is_sound &= walk.passed_since(start) == b"null",
    }
    Ok(())
}

impl From<OpenaiUsage> for Usage {
    fn from(told: OpenaiUsage) -> Self {
        let (input, output) = (told.prompt_tokens_details, told.completion_tokens_details);
        // Details are clamped to what is left of the total, so that classes stay disjoint whatever is told.
        let mut left = told.prompt_tokens;
        let mut take = |wanted: u64| {
            let taken = wanted.min(left);
            left -= taken;
            taken
        };
        let cache_read = take(input.cached_tokens.max(told.prompt_cache_hit_tokens));
        let cache_write_5m = take(input.cache_write_tokens);
        let input_audio = take(input.audio_tokens);
        let reasoning = output.reasoning_tokens.min(told.completion_tokens);
        let output_audio = output.audio_tokens.min(told.completion_tokens - reasoning);
        Self {
            input: left,
            cache_read,
            cache_write_5m,
            cache_write_1h: 0,
            input_audio,
            output: told.completion_tokens - reasoning - output_audio,
            reasoning,
            output_audio,
        }
    }
}

/// The usage object of OpenAI's Responses: the same counts as [`OpenaiUsage`] under other names
/// (<https://github.com/openai/openai-python> 3.54, `ResponseUsage`, read 2026-11-23).
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResponsesUsage {
    #[serde(deserialize_with = "count")]
    input_tokens: u64,
    #[serde(deserialize_with = "count")]
    output_tokens: u64,
    #[serde(deserialize_with = "nullable")]
    input_tokens_details: OpenaiDetails,
    #[serde(deserialize_with = "nullable")]
    output_tokens_details: OpenaiDetails,
}

impl From<ResponsesUsage> for Usage {
    fn from(told: ResponsesUsage) -> Self {
        Self::from(OpenaiUsage {
            prompt_tokens: told.input_tokens,
            completion_tokens: told.output_tokens,
            prompt_tokens_details: told.input_tokens_details,
            completion_tokens_details: told.output_tokens_details,
            prompt_cache_hit_tokens: 0,
        })
    }
}

/// Anthropic's usage object. Its input classes are disjoint already; `output_tokens` includes thinking
/// (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>, read 2026-11-22), which
/// `output_tokens_details.thinking_tokens` tells apart where it is given
/// (<https://github.com/anthropics/anthropic-sdk-python> 2.12, `OutputTokensDetails`, read 2026-11-22).
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AnthropicUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<AnthropicCacheCreation>,
    output_tokens_details: Option<AnthropicOutputDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct AnthropicOutputDetails {
    #[serde(deserialize_with = "count")]
    thinking_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct AnthropicCacheCreation {
    #[serde(deserialize_with = "count")]
    ephemeral_5m_input_tokens: u64,
    #[serde(deserialize_with = "count")]
    ephemeral_1h_input_tokens: u64,
}

impl AnthropicUsage {
    /// Takes over what a later event tells: counters are cumulative, absent ones stay as they were.
    pub fn update(&mut self, later: &Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens =
            later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_creation = later.cache_creation.or(self.cache_creation);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details);
    }
}

impl From<AnthropicUsage> for Usage {
    fn from(told: AnthropicUsage) -> Self {
        let written = told.cache_creation_input_tokens.unwrap_or_default();
        let split = told.cache_creation.unwrap_or_default();
        let written_1h = split.ephemeral_1h_input_tokens;
        let output = told.output_tokens.unwrap_or_default();
        let reasoning = told.output_tokens_details.unwrap_or_default().thinking_tokens.min(output);
        Self {
            input: told.input_tokens.unwrap_or_default(),
            cache_read: told.cache_read_input_tokens.unwrap_or_default(),
            // Older answers give only the sum, whose lifetime is five minutes.
            cache_write_5m: split.ephemeral_5m_input_tokens.max(written.saturating_sub(written_1h)),
            cache_write_1h: written_1h,
            output: output - reasoning,
            reasoning,
            ..Self::default()
        }
    }
}

/// Google's usage report (`usageMetadata`).
///
/// `promptTokenCount` includes cached tokens; `toolUsePromptTokenCount` and `thoughtsTokenCount` stand beside the
/// prompt and the candidates, and `totalTokenCount` is the sum of the four
/// (<https://github.com/googleapis/js-genai> 2.32, `GenerateContentResponseUsageMetadata`, read 2026-11-23).
/// Sound is told apart by the lists of modalities, which cover the same tokens as the counts they belong to.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GeminiUsage {
    #[serde(deserialize_with = "count")]
    prompt_token_count: u64,
    #[serde(deserialize_with = "count")]
    cached_content_token_count: u64,
    #[serde(deserialize_with = "count")]
    candidates_token_count: u64,
    thoughts_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    tool_use_prompt_token_count: u64,
    #[serde(deserialize_with = "count")]
    total_token_count: u64,
    #[serde(rename = "promptTokensDetails", deserialize_with = "audio")]
    prompt_audio: u64,
    #[serde(rename = "cacheTokensDetails", deserialize_with = "audio")]
    cached_audio: u64,
    #[serde(rename = "candidatesTokensDetails", deserialize_with = "audio")]
    candidates_audio: u64,
    #[serde(rename = "toolUsePromptTokensDetails", deserialize_with = "audio")]
    tool_use_audio: u64,
}

impl From<GeminiUsage> for Usage {
    fn from(told: GeminiUsage) -> Self {
        let cache_read = told.cached_content_token_count.min(told.prompt_token_count);
        let fresh = told.prompt_token_count - cache_read;
        let fresh_audio = told.prompt_audio.saturating_sub(told.cached_audio).min(fresh);
        let tool_audio = told.tool_use_audio.min(told.tool_use_prompt_token_count);
        let input_total = told.prompt_token_count.saturating_add(told.tool_use_prompt_token_count);
        let written = told.candidates_token_count;
        let without_thoughts = input_total.saturating_add(written);
        let (candidates, reasoning) = match told.thoughts_token_count {
            // Some servers count the thoughts among the candidates; the total tells.
            Some(thoughts) if thoughts > 0 && told.total_token_count == without_thoughts => {
                (written.saturating_sub(thoughts), thoughts.min(written))
            }
            Some(thoughts) => (written, thoughts),
            // Thoughts that are only in the total are thoughts all the same, and are billed.
            None => (written, told.total_token_count.saturating_sub(without_thoughts)),
        };
        let output_audio = told.candidates_audio.min(candidates);
        Self {
            input: (fresh - fresh_audio).saturating_add(told.tool_use_prompt_token_count - tool_audio),
            cache_read,
            input_audio: fresh_audio.saturating_add(tool_audio),
            output: candidates - output_audio,
            reasoning,
            output_audio,
            ..Self::default()
        }
    }
}

/// Bedrock's usage report. Its `inputTokens` leave out what was read from or written to the cache, and
/// `outputTokens` include reasoning (<https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>,
/// `TokenUsage` of the service model `bedrock-runtime` in <https://github.com/boto/botocore> 1.44; read 2026-11-23).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BedrockUsage {
    #[serde(deserialize_with = "count")]
    input_tokens: u64,
    #[serde(deserialize_with = "count")]
    output_tokens: u64,
    #[serde(deserialize_with = "count")]
    cache_read_input_tokens: u64,
    #[serde(deserialize_with = "count")]
    cache_write_input_tokens: u64,
    #[serde(rename = "cacheDetails", deserialize_with = "written_for_an_hour")]
    written_1h: u64,
}

impl From<BedrockUsage> for Usage {
    fn from(told: BedrockUsage) -> Self {
        // What is told apart is told of the sum; the rest lives five minutes.
        let written_1h = told.written_1h.min(told.cache_write_input_tokens);
        Self {
            input: told.input_tokens,
            cache_read: told.cache_read_input_tokens,
            cache_write_5m: told.cache_write_input_tokens - written_1h,
            cache_write_1h: written_1h,
            output: told.output_tokens,
            ..Self::default()
        }
    }
}

/// Tokens that were written to the cache for an hour, in a list by lifetime, which may be null.
fn written_for_an_hour<'de, D: serde::Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Detail<'a> {
        #[serde(borrow)]
        ttl: std::borrow::Cow<'a, str>,
        #[serde(deserialize_with = "count")]
        input_tokens: u64,
    }
    let list = Option::<Vec<Detail<'_>>>::deserialize(input)?.unwrap_or_default();
    Ok(list.iter().filter(|one| one.ttl == "1h").map(|one| one.input_tokens).fold(0, u64::saturating_add))
}

/// Tokens of sound in a list of counts by modality, which may be null.
fn audio<'de, D: serde::Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Count<'a> {
        #[serde(borrow)]
        modality: std::borrow::Cow<'a, str>,
        #[serde(deserialize_with = "count")]
        token_count: u64,
    }
    let list = Option::<Vec<Count<'_>>>::deserialize(input)?.unwrap_or_default();
    Ok(list
        .iter()
        .filter(|one| one.modality == "AUDIO")
        .map(|one| one.token_count)
        .fold(0, u64::saturating_add))
}

/// A count that may be null.
fn count<'de, D: serde::Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    Option::<u64>::deserialize(input).map(Option::unwrap_or_default)
}

/// An object that may be null.
fn nullable<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    input: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(input).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn openai(text: &str) -> Usage {
        serde_json::from_str::<OpenaiUsage>(text).unwrap().into()
    }

    proptest! {
        #[test]
        fn openai_classes_are_disjoint_and_add_up_whatever_is_told(
            prompt in 0u64..1000, completion in 0u64..1000, cached in 0u64..1500, audio in 0u64..1500,
            reasoning in 0u64..1500, spoken in 0u64..1500,
        ) {
            let usage = openai(&format!(
                r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":1,
                "prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":{audio}}},
                "completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":{spoken}}}}}"#
            ));
            prop_assert_eq!(usage.input_total(), prompt);
            prop_assert_eq!(usage.output_total(), completion);
        }
    }

    proptest! {
        #[test]
        fn responses_classes_are_disjoint_and_add_up_whatever_is_told(
            input in 0u64..1000, output in 0u64..1000, cached in 0u64..1500, written in 0u64..1500,
            reasoning in 0u64..1500,
        ) {
            let told: ResponsesUsage = serde_json::from_str(&format!(
                r#"{{"input_tokens":{input},"output_tokens":{output},"total_tokens":1,
                "input_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written}}},
                "output_tokens_details":{{"reasoning_tokens":{reasoning}}}}}"#
            )).unwrap();
            let usage = Usage::from(told);
            prop_assert_eq!(usage.input_total(), input);
            prop_assert_eq!(usage.output_total(), output);
            prop_assert_eq!(usage.cache_read, cached.min(input));
            prop_assert_eq!(usage.reasoning, reasoning.min(output));
        }

        #[test]
        fn gemini_classes_are_disjoint_and_add_up_to_the_total(
            prompt in 0u64..1000, candidates in 0u64..1000, thoughts in 0u64..1000, tools in 0u64..1000,
            cached in 0u64..1500, audio in prop::collection::vec(0u64..1500, 4), convention in 0usize..3,
        ) {
            let details = |at: usize| format!(r#"[{{"modality":"TEXT","tokenCount":1}},{{"modality":"AUDIO","tokenCount":{}}}]"#, audio[at]);
            // Thoughts beside the candidates, among them, or in the total only.
            let (told, thought, total) = match convention {
                0 => (candidates, format!(r#""thoughtsTokenCount":{thoughts},"#), candidates + thoughts),
                1 => (candidates + thoughts, format!(r#""thoughtsTokenCount":{thoughts},"#), candidates + thoughts),
                _ => (candidates, String::new(), candidates + thoughts),
            };
            let total = prompt + tools + total;
            let text = format!(
                r#"{{"promptTokenCount":{prompt},"candidatesTokenCount":{told},{thought}"toolUsePromptTokenCount":{tools},
                "cachedContentTokenCount":{cached},"totalTokenCount":{total},"promptTokensDetails":{},
                "cacheTokensDetails":{},"candidatesTokensDetails":{},"toolUsePromptTokensDetails":{}}}"#,
                details(0), details(1), details(2), details(3)
            );
            let usage = Usage::from(serde_json::from_str::<GeminiUsage>(&text).unwrap());
            prop_assert_eq!(usage.total(), total);
            prop_assert_eq!(usage.input_total(), prompt + tools);
            prop_assert_eq!(usage.reasoning, thoughts);
            prop_assert_eq!(usage.cache_read, cached.min(prompt));
        }
    }

    #[test]
    fn null_details_count_as_nothing() {
        let usage = openai(r#"{"prompt_tokens":7,"completion_tokens":null,"prompt_tokens_details":null}"#);
        assert_eq!(usage, Usage { input: 7, ..Usage::default() });
    }

    #[test]
    fn anthropic_thinking_is_told_apart_where_it_is_given() {
        let told: AnthropicUsage =
            serde_json::from_str(r#"{"output_tokens":9,"output_tokens_details":{"thinking_tokens":7}}"#)
                .unwrap();
        let usage = Usage::from(told);
        assert_eq!((usage.output, usage.reasoning), (2, 7));
    }

    #[test]
    fn anthropic_cache_writes_are_told_apart_by_lifetime() {
        let told: AnthropicUsage = serde_json::from_str(
            r#"{"input_tokens":3,"cache_read_input_tokens":5,"cache_creation_input_tokens":30,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":9}"#,
        )
        .unwrap();
        let usage = Usage::from(told);
        assert_eq!(
            (usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h),
            (3, 5, 10, 20)
        );
        assert_eq!(usage.total(), 47);
    }
}
