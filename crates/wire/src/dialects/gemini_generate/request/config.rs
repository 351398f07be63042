//! Reads `generationConfig`.

use pilothouse_core::conversation::{
    Effort, LimitMember, Logprobs, OutputFormat, OutputLimit, Raw, Request, Thinking,
};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::part::null;
use super::super::schema;
use super::{AS_WRITTEN, CONFIG};
use crate::json::{Members, Object, Path};

/// Names of the configuration that are read.
const NAMES: [&str; 14] = [
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "thinkingConfig",
    "responseModalities",
    "mediaResolution",
];
const NUMBER: &str = "a number";

pub(super) fn read_config(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let mut config = Members::read(raw, path)?.camel(&NAMES);
    let sampling = &mut request.sampling;
    sampling.temperature = config.plain("temperature", path, NUMBER)?;
    sampling.top_p = config.plain("topP", path, NUMBER)?;
    sampling.top_k = config.plain("topK", path, NUMBER)?;
    sampling.presence_penalty = config.plain("presencePenalty", path, NUMBER)?;
    sampling.frequency_penalty = config.plain("frequencyPenalty", path, NUMBER)?;
    sampling.seed = config.plain("seed", path, "an integer")?;
    request.n = config.count("candidateCount", path)?;
    let limit = config.count("maxOutputTokens", path)?;
    request.output_limit = limit.map(|tokens| OutputLimit { tokens, member: LimitMember::MaxTokens });
    request.stop = config.plain("stopSequences", path, "an array of strings")?.unwrap_or_default();
    let enabled = config.flag("responseLogprobs", path)?;
    let top = config.count("logprobs", path)?;
    if enabled.is_some() || top.is_some() {
        request.logprobs = Some(Logprobs { enabled: enabled.unwrap_or(false), top });
    }
    read_format(&mut config, path, request)?;
    if let Some(raw) = config.take("thinkingConfig") {
        read_thinking(raw, &path.member("thinkingConfig"), request)?;
    }
    for (name, value) in config.rest().iter() {
        request.rest.push(&format!("{CONFIG}{name}"), value.clone());
    }
    Ok(())
}

fn read_format(config: &mut Members<'_>, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let media_type = config.text("responseMimeType", path)?;
    let (own, json) = (config.raw("responseSchema"), config.raw("responseJsonSchema"));
    let by_schema = |schema| {
        Some(OutputFormat::JsonSchema {
            name: None,
            description: None,
            schema: Some(schema),
            strict: Some(true),
        })
    };
    request.output_format = match (media_type.as_deref(), own, json) {
        (None, None, None) => None,
        (None | Some("application/json"), _, Some(schema)) => {
            // How it was written; no loss to others.
            request.rest.push(&format!("{CONFIG}responseJsonSchema"), null());
            by_schema(schema)
        }
        (None | Some("application/json"), Some(own), None) => {
            let (schema, is_whole) = schema::from_google(&own);
            if !is_whole {
                request.rest.push(&format!("{CONFIG}responseSchema{AS_WRITTEN}"), own);
            }
            by_schema(schema)
        }
        (Some("application/json"), None, None) => Some(OutputFormat::JsonObject),
        (Some("text/plain"), None, None) => Some(OutputFormat::Text),
        (Some(media_type), own, json) => unknown_format(media_type, own, json).map(OutputFormat::Unknown),
    };
    Ok(())
}

/// A form that only Gemini knows (`text/x.enum`): its members as they came.
fn unknown_format(media_type: &str, own: Option<Raw>, json: Option<Raw>) -> Option<Raw> {
    let mut out = Vec::new();
    {
        let mut format = Object::new(&mut out);
        format.text("responseMimeType", media_type);
        format.maybe_raw("responseSchema", own.as_ref());
        format.maybe_raw("responseJsonSchema", json.as_ref());
    }
    Raw::parse(std::str::from_utf8(&out).ok()?)
}

fn read_thinking(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let mut thinking =
        Members::read(raw, path)?.camel(&["includeThoughts", "thinkingBudget", "thinkingLevel"]);
    let shown = thinking.flag("includeThoughts", path)?;
    request.reasoning.display = shown.map(|shown| if shown { "summarized" } else { "omitted" }.into());
    request.reasoning.thinking = match thinking.plain::<i64>("thinkingBudget", path, "an integer")? {
        None => None,
        Some(0) => Some(Thinking::Off),
        Some(budget) => Some(u64::try_from(budget).map_or(Thinking::Adaptive, Thinking::Budget)),
    };
    if let Some(word) = thinking.text("thinkingLevel", path)? {
        let lower = word.to_ascii_lowercase();
        let known = Effort::parse(&lower);
        if known.is_none() && lower != "thinking_level_unspecified" {
            return Err(path.member("thinkingLevel").wrong("one of minimal, low, medium, high, xhigh"));
        }
        request.reasoning.effort = known;
    }
    for (name, value) in thinking.rest().iter() {
        request.rest.push(&format!("{CONFIG}thinkingConfig.{name}"), value.clone());
    }
    Ok(())
}
