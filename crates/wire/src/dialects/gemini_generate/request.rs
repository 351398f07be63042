//! Gemini's requests, read and written.

mod config;
mod contents;
pub(super) mod decode;
pub(super) mod encode;
mod generation;
mod tools;

/// What the names of members inside `generationConfig` begin with in the rest.
const CONFIG: &str = "generationConfig.";
/// What the names of members inside `toolConfig` begin with in the rest.
const TOOL_CONFIG: &str = "toolConfig.";
/// The same for members of its `functionCallingConfig`.
const CALLING: &str = "toolConfig.functionCallingConfig.";
/// Behind the name of a schema that JSON Schema cannot say wholly: the schema as it came.
const AS_WRITTEN: &str = ".asWritten";
