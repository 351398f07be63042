//! A shape of one dialect in the names of another, as the codecs write a request, and what has no name there.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::member::{self, MEMBERS, Value};
use pilothouse_core::shape::{Members, Outline};

/// One thing that dialects call by different names: Chat Completions, Responses, Messages, Gemini, Converse. Empty where a
/// dialect has no such thing.
type Row = [&'static str; 5];

/// What is carried from one dialect to another with its value.
const ROWS: &[Row] = &[
    [
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "generationConfig.maxOutputTokens",
        "inferenceConfig.maxTokens",
    ],
    [
        "max_tokens",
        "max_output_tokens",
        "max_tokens",
        "generationConfig.maxOutputTokens",
        "inferenceConfig.maxTokens",
    ],
    [
        "temperature",
        "temperature",
        "temperature",
        "generationConfig.temperature",
        "inferenceConfig.temperature",
    ],
    ["top_p", "top_p", "top_p", "generationConfig.topP", "inferenceConfig.topP"],
    ["top_k", "", "top_k", "generationConfig.topK", "additionalModelRequestFields.top_k"],
    ["stop", "", "stop_sequences", "generationConfig.stopSequences", "inferenceConfig.stopSequences"],
    ["n", "", "", "generationConfig.candidateCount", ""],
    ["seed", "", "", "generationConfig.seed", ""],
    ["presence_penalty", "", "", "generationConfig.presencePenalty", ""],
    ["frequency_penalty", "", "", "generationConfig.frequencyPenalty", ""],
    ["logprobs", "", "", "generationConfig.responseLogprobs", ""],
    ["top_logprobs", "top_logprobs", "", "generationConfig.logprobs", ""],
    [
        "reasoning_effort",
        "reasoning.effort",
        "output_config.effort",
        "generationConfig.thinkingConfig.thinkingLevel",
        "",
    ],
    ["verbosity", "text.verbosity", "", "", ""],
    ["parallel_tool_calls", "parallel_tool_calls", "tool_choice.disable_parallel_tool_use", "", ""],
    ["service_tier", "service_tier", "service_tier", "", ""],
    ["modalities", "", "", "generationConfig.responseModalities", ""],
    ["stream", "stream", "stream", "", ""],
    ["response_format", "text.format", "output_config.format", "generationConfig.responseMimeType", ""],
    ["response_format.type", "text.format.type", "output_config.format.type", "", ""],
    [
        "tool_choice",
        "tool_choice",
        "tool_choice",
        "toolConfig.functionCallingConfig",
        "toolConfig.toolChoice",
    ],
    ["tool_choice.type", "tool_choice.type", "tool_choice.type", "toolConfig.functionCallingConfig.mode", ""],
    ["", "reasoning", "thinking", "generationConfig.thinkingConfig", "additionalModelRequestFields.thinking"],
    ["", "", "thinking.type", "", "additionalModelRequestFields.thinking.type"],
    [
        "",
        "",
        "thinking.budget_tokens",
        "generationConfig.thinkingConfig.thinkingBudget",
        "additionalModelRequestFields.thinking.budget_tokens",
    ],
    ["web_search_options", "", "", "", ""],
];

/// What is for the vendor alone and changes no answer: nobody misses it at another vendor.
const LEFT_OUT: &[&str] = &[
    "stream_options",
    "stream_options.include_usage",
    "store",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "include",
    "truncation",
    "cache_control",
    "container",
    "labels",
    "requestMetadata",
    "reasoning.summary",
    "thinking.display",
    "text",
    "output_config",
    "generationConfig",
    "inferenceConfig",
    "toolConfig",
    "additionalModelRequestFields",
    "performanceConfig",
    "performanceConfig.latency",
    "cachedContent",
    "system",
    "instructions",
    "systemInstruction",
    "messages",
    "input",
    "contents",
    "background",
    "inference_geo",
    "speed",
    "generationConfig.thinkingConfig.includeThoughts",
    "extra_body",
    "output_format",
    "output_format.type",
    "generationConfig.responseSchema",
    "generationConfig.responseJsonSchema",
    "function_call",
    "functions",
];

fn column(dialect: Dialect) -> usize {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => 0,
        Dialect::OpenaiResponses => 1,
        Dialect::AnthropicMessages => 2,
        Dialect::GeminiGenerate => 3,
        Dialect::BedrockConverse => 4,
    }
}

/// The shape in the names of `to`, and the paths of what the request asks for and `to` has no name for.
pub(super) fn carry(outline: &Outline, to: Dialect) -> (Outline, Vec<&'static str>) {
    let (mut members, mut lost) = (Members::new(), Vec::new());
    for (id, value) in &outline.members {
        let Some(known) = MEMBERS.get(usize::from(*id)) else { continue };
        let row = ROWS.iter().find(|row| row[column(outline.dialect)] == known.path);
        let name = row.map(|row| row[column(to)]).filter(|name| !name.is_empty());
        match name.and_then(member::id) {
            Some(id) => put(&mut members, id, translated(*value, to)),
            None if is_missed(known.path, *value) && !lost.contains(&known.path) => lost.push(known.path),
            None => {}
        }
    }
    (Outline { members, ..outline.clone() }, lost)
}

/// Puts a member, with the objects around it.
fn put(members: &mut Members, id: u8, value: Value) {
    let path = MEMBERS.get(usize::from(id)).map_or("", |known| known.path);
    for (at, _) in path.match_indices('.') {
        let parent = path.get(..at).and_then(member::id);
        if let Some(parent) = parent.filter(|parent| members.iter().all(|(known, _)| known != parent)) {
            members.push((parent, Value::Object));
        }
    }
    members.push((id, value));
}

/// A word as the other dialect writes it.
fn translated(value: Value, to: Dialect) -> Value {
    let Value::Word(place) = value else { return value };
    let word = member::word(place).unwrap_or_default();
    let other = match (word, to) {
        ("none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max", Dialect::GeminiGenerate) => {
            return member::find_word(word.to_ascii_uppercase().as_bytes()).map_or(Value::Text, Value::Word);
        }
        ("MINIMAL" | "LOW" | "MEDIUM" | "HIGH", dialect) if dialect != Dialect::GeminiGenerate => {
            return member::find_word(word.to_ascii_lowercase().as_bytes()).map_or(Value::Text, Value::Word);
        }
        ("function", Dialect::AnthropicMessages) => "tool",
        ("tool", Dialect::OpenaiChat | Dialect::OpenaiResponses) => "function",
        ("required", Dialect::AnthropicMessages) => "any",
        ("any", Dialect::OpenaiChat | Dialect::OpenaiResponses) => "required",
        _ => return value,
    };
    member::find_word(other.as_bytes()).map_or(value, Value::Word)
}

/// Whether somebody misses a member that another dialect has no name for: not where it says what is so anyway.
fn is_missed(path: &str, value: Value) -> bool {
    if LEFT_OUT.contains(&path) || path.starts_with("stream") {
        return false;
    }
    let is_default = match value {
        Value::Flag(flag) => !flag || path == "parallel_tool_calls",
        Value::Number(number) => match path {
            "n" | "generationConfig.candidateCount" | "top_p" | "repetition_penalty" => {
                number.digits == 1 && number.exponent == 0
            }
            _ => number.digits == 0,
        },
        Value::Word(word) => {
            matches!(member::word(word), Some("auto" | "default" | "text" | "none" | "AUTO" | "text/plain"))
        }
        Value::List(count) => count == 0 && path == "stop",
        Value::Text | Value::Object | Value::SomeNumber => false,
    };
    !is_default
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_is_one_that_shapes_know() {
        for name in ROWS.iter().flatten().chain(LEFT_OUT).filter(|name| !name.is_empty()) {
            assert!(member::id(name).is_some(), "{name}");
        }
    }
}
