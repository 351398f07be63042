//! Freeform tools for vendors that know functions only. A freeform tool of OpenAI's ("custom") is called with text
//! that need be no JSON; such a vendor is offered a function with the one member `input`, and what it calls that
//! function with goes to the client as the text.
//!
//! Coding agents depend on it: Codex changes files with a freeform tool
//! (<https://developers.openai.com/api/docs/guides/function-calling#custom-tools>, read 2026-11-23).

use std::collections::HashMap;

use pilothouse_core::conversation::{
    Answer, Content, FunctionTool, PartHead, Raw, Request, Rest, StreamPart, ToolCall, ToolChoice,
    ToolContent, ToolKind,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::Note;
use serde_json::{Value, json};

use super::{StreamDecoder, VendorError};

/// The one member of such a function.
const INPUT: &str = "input";

/// The freeform tools of one request that went out as functions.
#[derive(Clone, Debug, Default)]
pub struct Freeform {
    names: Vec<Box<str>>,
}

impl Freeform {
    /// Whether no tool went out as a function.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Makes functions of the freeform tools of a request, of a choice of one and of the calls in its history, where
    /// the target's dialect has no such tools; a note names each tool. Nothing happens elsewhere.
    pub fn replace(request: &mut Request, target: Dialect, notes: &mut Vec<Note>) -> Self {
        let mut names = Vec::new();
        if matches!(target, Dialect::OpenaiChat | Dialect::OpenaiResponses) {
            return Self { names };
        }
        for tool in &mut request.tools {
            if let Some(function) = as_function(&tool.content) {
                notes.push(Note::new("wrap:tools.custom", &function.name));
                names.push(function.name.clone());
                tool.content = ToolContent::Function(function);
                tool.rest = Rest::default();
            }
        }
        if let Some(ToolChoice::Unknown(raw)) = &request.tool_choice
            && let Some(name) = name_of(&parsed(raw))
        {
            request.tool_choice = Some(ToolChoice::Named(name));
        }
        for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
            if let Content::ToolCall(call) = &mut part.content
                && call.kind == ToolKind::Custom
            {
                call.kind = ToolKind::Function;
                call.arguments = json!({ INPUT: call.arguments }).to_string();
            }
        }
        Self { names }
    }

    /// Makes calls of freeform tools again of the calls in a whole answer.
    pub fn answer(&self, answer: &mut Answer) {
        if self.names.is_empty() {
            return;
        }
        for part in answer.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
            if let Content::ToolCall(call) = &mut part.content
                && self.names.contains(&call.name)
            {
                let arguments = input_of(&call.arguments);
                *call = ToolCall { arguments, kind: ToolKind::Custom, ..call.clone() };
            }
        }
    }

    /// The same for a stream: what `decoder` reads.
    #[must_use]
    pub fn decoder(&self, decoder: Box<dyn StreamDecoder + Send>) -> Box<dyn StreamDecoder + Send> {
        if self.names.is_empty() {
            return decoder;
        }
        Box::new(Decoder {
            inner: decoder,
            names: self.names.clone(),
            open: HashMap::new(),
            read: Vec::new(),
        })
    }
}

/// The function for a freeform tool; `None` for any other tool.
fn as_function(tool: &ToolContent) -> Option<FunctionTool> {
    let ToolContent::Native { kind, raw } = tool else { return None };
    let tool = Some(parsed(raw)).filter(|_| &**kind == "custom")?;
    let inner = members(&tool);
    let about = inner["description"].as_str().unwrap_or_default();
    let format = &inner["format"];
    let grammar = if format["grammar"].is_object() { &format["grammar"] } else { format };
    let rule = match (grammar["syntax"].as_str(), grammar["definition"].as_str()) {
        (Some(syntax), Some(definition)) => {
            format!("Text that follows this grammar ({syntax}), and nothing else:\n{definition}")
        }
        _ => "Any text; it need not be JSON.".to_owned(),
    };
    let schema = json!({
        "type": "object",
        "properties": { INPUT: { "type": "string", "description": rule } },
        "required": [INPUT],
        "additionalProperties": false,
    });
    Some(FunctionTool {
        name: name_of(&tool)?,
        description: Some(about.to_owned()).filter(|about| !about.is_empty()),
        parameters: Raw::parse(&schema.to_string()),
        strict: None,
        legacy: false,
        rest: Rest::default(),
    })
}

/// The name in a freeform tool, or in the choice of one.
fn name_of(tool: &Value) -> Option<Box<str>> {
    let is_custom = tool["type"] == "custom";
    members(tool)["name"].as_str().filter(|_| is_custom).map(Into::into)
}

/// Chat completions nest the members in `custom`, Responses do not.
fn members(tool: &Value) -> &Value {
    if tool["custom"].is_object() { &tool["custom"] } else { tool }
}

fn parsed(raw: &Raw) -> Value {
    serde_json::from_str(raw.text()).unwrap_or_default()
}

/// The text that a function was called with; the arguments themselves where the model gave something else.
fn input_of(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(Value::Object(mut object)) if object.len() == 1 => match object.remove(INPUT) {
            Some(Value::String(text)) => text,
            _ => arguments.to_owned(),
        },
        _ => arguments.to_owned(),
    }
}

/// Holds the arguments of such calls back until they are whole, as their text can only be read then.
struct Decoder {
    inner: Box<dyn StreamDecoder + Send>,
    names: Vec<Box<str>>,
    /// By choice and part.
    open: HashMap<(u32, u32), String>,
    read: Vec<StreamPart>,
}

impl Decoder {
    fn part(&mut self, mut step: StreamPart, out: &mut Vec<StreamPart>) {
        match &mut step {
            StreamPart::PartStart { choice, part, head: PartHead::ToolCall { name, kind, .. } }
                if self.names.contains(name) =>
            {
                *kind = ToolKind::Custom;
                self.open.insert((*choice, *part), String::new());
            }
            StreamPart::Arguments { choice, part, text } => {
                if let Some(held) = self.open.get_mut(&(*choice, *part)) {
                    held.push_str(text);
                    return;
                }
            }
            StreamPart::PartStop { choice, part } => {
                let (choice, part) = (*choice, *part);
                if let Some(held) = self.open.remove(&(choice, part)) {
                    out.push(StreamPart::Arguments { choice, part, text: input_of(&held) });
                }
            }
            _ => {}
        }
        out.push(step);
    }
}

impl StreamDecoder for Decoder {
    fn event(
        &mut self,
        name: Option<&str>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Box<VendorError>> {
        let mut read = std::mem::take(&mut self.read);
        let result = self.inner.event(name, data, &mut read);
        for step in read.drain(..) {
            self.part(step, out);
        }
        self.read = read;
        result
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests;
