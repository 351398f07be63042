//! Usage in disjoint classes, written as each dialect reports it. Reading is in [`crate::usage`].

use pilothouse_core::usage::Usage;

use crate::json::Object;

/// Writes OpenAI's report.
pub(crate) fn write_openai(out: &mut Vec<u8>, usage: &Usage) {
    let mut report = Object::new(out);
    report.number("prompt_tokens", usage.input_total());
    report.number("completion_tokens", usage.output_total());
    report.number("total_tokens", usage.total());
    {
        let mut details = report.object("prompt_tokens_details");
        details.number("cached_tokens", usage.cache_read);
        details.number("audio_tokens", usage.input_audio);
        let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
        if written > 0 {
            details.number("cache_write_tokens", written);
        }
    }
    let mut details = report.object("completion_tokens_details");
    details.number("reasoning_tokens", usage.reasoning);
    details.number("audio_tokens", usage.output_audio);
    details.number("accepted_prediction_tokens", 0);
    details.number("rejected_prediction_tokens", 0);
}

/// Writes the report of OpenAI's Responses, which has no class for sound.
pub(crate) fn write_responses(out: &mut Vec<u8>, usage: &Usage) {
    let mut report = Object::new(out);
    report.number("input_tokens", usage.input_total());
    {
        let mut details = report.object("input_tokens_details");
        details.number("cached_tokens", usage.cache_read);
        details.number("cache_write_tokens", usage.cache_write_5m.saturating_add(usage.cache_write_1h));
    }
    report.number("output_tokens", usage.output_total());
    report.object("output_tokens_details").number("reasoning_tokens", usage.reasoning);
    report.number("total_tokens", usage.total());
}

/// Writes Anthropic's report, with `service_tier` if there is one.
pub(crate) fn write_anthropic(out: &mut Vec<u8>, usage: &Usage, service_tier: Option<&str>) {
    let mut report = Object::new(out);
    // Anthropic has no class for audio; it is input like any other there.
    report.number("input_tokens", usage.input.saturating_add(usage.input_audio));
    report.number("cache_creation_input_tokens", usage.cache_write_5m.saturating_add(usage.cache_write_1h));
    report.number("cache_read_input_tokens", usage.cache_read);
    {
        let mut written = report.object("cache_creation");
        written.number("ephemeral_5m_input_tokens", usage.cache_write_5m);
        written.number("ephemeral_1h_input_tokens", usage.cache_write_1h);
    }
    report.number("output_tokens", usage.output_total());
    if usage.reasoning > 0 {
        report.object("output_tokens_details").number("thinking_tokens", usage.reasoning);
    }
    report.maybe_text("service_tier", service_tier);
}

/// Writes Google's report. It has no class for cache writes; they are prompt like any other there.
pub(crate) fn write_gemini(out: &mut Vec<u8>, usage: &Usage) {
    let mut report = Object::new(out);
    report.number("promptTokenCount", usage.input_total());
    let candidates = usage.output.saturating_add(usage.output_audio);
    report.number("candidatesTokenCount", candidates);
    report.number("totalTokenCount", usage.total());
    if usage.cache_read > 0 {
        report.number("cachedContentTokenCount", usage.cache_read);
    }
    if usage.input_audio > 0 {
        let text = usage.input_total().saturating_sub(usage.input_audio);
        write_modalities(report.key("promptTokensDetails"), text, usage.input_audio);
    }
    if usage.output_audio > 0 {
        write_modalities(report.key("candidatesTokensDetails"), usage.output, usage.output_audio);
    }
    if usage.reasoning > 0 {
        report.number("thoughtsTokenCount", usage.reasoning);
    }
}

/// Writes Bedrock's report, which has no classes for sound or reasoning.
pub(crate) fn write_bedrock(out: &mut Vec<u8>, usage: &Usage) {
    let mut report = Object::new(out);
    report.number("inputTokens", usage.input.saturating_add(usage.input_audio));
    report.number("outputTokens", usage.output_total());
    report.number("totalTokens", usage.total());
    report.number("cacheReadInputTokens", usage.cache_read);
    report.number("cacheWriteInputTokens", usage.cache_write_5m.saturating_add(usage.cache_write_1h));
    if usage.cache_write_5m == 0 && usage.cache_write_1h == 0 {
        return;
    }
    let mut details = report.array("cacheDetails");
    // The longest life first, as the vendor sorts them.
    for (ttl, tokens) in [("1h", usage.cache_write_1h), ("5m", usage.cache_write_5m)] {
        if tokens > 0 {
            let mut detail = details.object();
            detail.text("ttl", ttl);
            detail.number("inputTokens", tokens);
        }
    }
}

fn write_modalities(out: &mut Vec<u8>, text: u64, audio: u64) {
    let mut list = crate::json::Array::new(out);
    for (modality, tokens) in [("TEXT", text), ("AUDIO", audio)] {
        let mut one = list.object();
        one.text("modality", modality);
        one.number("tokenCount", tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{AnthropicUsage, BedrockUsage, GeminiUsage, OpenaiUsage, ResponsesUsage};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn usage_survives_both_dialects_total_for_total(counts: [u32; 5], reasoning: u32) {
            let [input, read, five, hour, output] = counts.map(u64::from);
            let usage = Usage {
                input, cache_read: read, cache_write_5m: five, cache_write_1h: hour, output,
                reasoning: reasoning.into(), ..Usage::default()
            };
            let mut anthropic = Vec::new();
            write_anthropic(&mut anthropic, &usage, None);
            let back: AnthropicUsage = serde_json::from_slice(&anthropic).unwrap();
            prop_assert_eq!(Usage::from(back), usage);
            let mut openai = Vec::new();
            write_openai(&mut openai, &usage);
            let back = Usage::from(serde_json::from_slice::<OpenaiUsage>(&openai).unwrap());
            prop_assert_eq!(back.total(), usage.total());
            prop_assert_eq!((back.cache_read, back.reasoning), (usage.cache_read, usage.reasoning));
            let mut responses = Vec::new();
            write_responses(&mut responses, &usage);
            let back = Usage::from(serde_json::from_slice::<ResponsesUsage>(&responses).unwrap());
            prop_assert_eq!((back.input_total(), back.output_total()), (usage.input_total(), usage.output_total()));
            prop_assert_eq!((back.cache_read, back.reasoning), (usage.cache_read, usage.reasoning));
            let mut bedrock = Vec::new();
            write_bedrock(&mut bedrock, &usage);
            let back = Usage::from(serde_json::from_slice::<BedrockUsage>(&bedrock).unwrap());
            prop_assert_eq!(back.total(), usage.total());
            prop_assert_eq!(Usage { output: usage.output, reasoning: usage.reasoning, ..back }, usage);
            let mut gemini = Vec::new();
            write_gemini(&mut gemini, &usage);
            let back = Usage::from(serde_json::from_slice::<GeminiUsage>(&gemini).unwrap());
            prop_assert_eq!((back.input_total(), back.output), (usage.input_total(), usage.output));
            prop_assert_eq!((back.cache_read, back.reasoning), (usage.cache_read, usage.reasoning));
        }

        #[test]
        fn sound_keeps_its_class_in_geminis_report(counts: [u32; 6]) {
            let [input, cache_read, input_audio, output, reasoning, output_audio] = counts.map(u64::from);
            let usage =
                Usage { input, cache_read, input_audio, output, reasoning, output_audio, ..Usage::default() };
            let mut gemini = Vec::new();
            write_gemini(&mut gemini, &usage);
            let back = Usage::from(serde_json::from_slice::<GeminiUsage>(&gemini).unwrap());
            prop_assert_eq!(back, usage);
        }
    }
}
