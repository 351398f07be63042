//! Reads a Converse request.

use pilothouse_core::conversation::{
    Effort, LimitMember, Message, OutputFormat, OutputLimit, Raw, Request, Rest, Role,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::FAMILY;
use super::super::answer::read_tier;
use super::super::block::read_content;
use super::{EFFORT, INFERENCE, OUTPUT, fields, tools};
use crate::json::{Members, Path, as_text};

const NUMBER: &str = "a number";

pub(in super::super) fn decode(body: &[u8]) -> Result<Request, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?;
    let mut request = Request::new(Dialect::BedrockConverse, "");
    if let Some(raw) = members.take("system") {
        let parts = read_content(raw, &root.member("system"), FAMILY)?;
        request.messages.push(Message::new(Role::System, parts));
    }
    let path = root.member("messages");
    let messages = members.array("messages", &root)?.ok_or_else(|| root.missing("messages"))?;
    for (at, raw) in messages.into_iter().enumerate() {
        request.messages.push(read_message(raw, &path.item(at))?);
    }
    read_inference(&mut members, &mut request)?;
    if let Some(raw) = members.take("toolConfig") {
        tools::read_config(raw, &root.member("toolConfig"), &mut request)?;
    }
    if let Some(raw) = members.take("additionalModelRequestFields") {
        fields::read(raw, &root.member("additionalModelRequestFields"), &mut request)?;
    }
    if let Some(raw) = members.take("outputConfig") {
        read_output(raw, &root.member("outputConfig"), &mut request)?;
    }
    request.metadata = members.raw("requestMetadata");
    if let Some(raw) = members.take("serviceTier") {
        request.service_tier = read_tier(raw);
        if request.service_tier.is_none() {
            request.rest.push("serviceTier", raw.into());
        }
    }
    keep(&mut request.rest, "", members.rest());
    Ok(request)
}

/// Keeps members that were not read, under names that begin so.
pub(super) fn keep(rest: &mut Rest, prefix: &str, left: Rest) {
    for (name, value) in left.iter() {
        rest.push(&format!("{prefix}{name}"), value.clone());
    }
}

fn read_message(raw: &RawValue, path: &Path<'_>) -> Result<Message, Error> {
    let mut members = Members::read(raw, path)?;
    let role = match members.needed_text("role", path)?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(path.member("role").wrong("one of user, assistant, system")),
    };
    let content = members.take("content").ok_or_else(|| path.missing("content"))?;
    let parts = read_content(content, &path.member("content"), FAMILY)?;
    Ok(Message { role, parts, name: None, rest: members.rest() })
}

fn read_inference(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let at = root.member("inferenceConfig");
    let Some(mut config) = members.object("inferenceConfig", &root)? else { return Ok(()) };
    request.output_limit =
        config.count("maxTokens", &at)?.map(|tokens| OutputLimit { tokens, member: LimitMember::MaxTokens });
    request.sampling.temperature = config.plain("temperature", &at, NUMBER)?;
    request.sampling.top_p = config.plain("topP", &at, NUMBER)?;
    request.stop = config.plain("stopSequences", &at, "an array of strings")?.unwrap_or_default();
    keep(&mut request.rest, INFERENCE, config.rest());
    Ok(())
}

fn read_output(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let mut config = Members::read(raw, path)?;
    if let Some(raw) = config.peek("effort")
        && let Some(effort) = as_text(raw).and_then(|word| Effort::parse(&word))
    {
        config.take("effort");
        request.reasoning.effort = Some(effort);
        request.rest.push(EFFORT, raw.into());
    }
    if let Some(raw) = config.take("textFormat") {
        request.output_format = Some(read_format(raw, &path.member("textFormat"))?);
    }
    keep(&mut request.rest, OUTPUT, config.rest());
    Ok(())
}

fn read_format(raw: &RawValue, path: &Path<'_>) -> Result<OutputFormat, Error> {
    let unknown = || OutputFormat::Unknown(raw.into());
    let mut members = Members::read(raw, path)?;
    let is_schema = members.needed_text("type", path)? == "json_schema";
    let at = path.member("structure");
    let structure = members.object("structure", path)?;
    let Some(mut structure) = structure.filter(|_| is_schema && members.is_empty()) else {
        return Ok(unknown());
    };
    let inner = structure.object("jsonSchema", &at)?;
    let at = at.member("jsonSchema");
    let Some(mut inner) = inner.filter(|_| structure.is_empty()) else { return Ok(unknown()) };
    let text = inner.needed_text("schema", &at)?;
    let schema = Raw::parse(&text).filter(|schema| schema.text().starts_with('{'));
    let schema = schema.ok_or_else(|| at.member("schema").wrong("a JSON schema, as text"))?;
    let (name, description) = (inner.word("name", &at)?, inner.word("description", &at)?);
    if !inner.is_empty() {
        return Ok(unknown());
    }
    Ok(OutputFormat::JsonSchema { name, description, schema: Some(schema), strict: Some(true) })
}
