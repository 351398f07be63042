//! Tools that a request offers, and whether one must be called.

use serde::Serialize;

use super::part::CacheMark;
use super::raw::{Raw, Rest};

/// A tool on offer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// What it is.
    #[serde(flatten)]
    pub content: ToolContent,
    /// A prompt-cache marker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// Members that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub rest: Rest,
}

/// What a tool is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "tool", rename_all = "snake_case")]
pub enum ToolContent {
    /// A function that the client runs.
    Function(FunctionTool),
    /// A tool that only its dialect knows (a server tool, a custom tool), whole.
    Native {
        /// Its type, as the dialect names it.
        kind: Box<str>,
        /// The tool.
        raw: Raw,
    },
}

/// A function that the client runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionTool {
    /// Its name.
    pub name: Box<str>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON schema of its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Raw>,
    /// Whether the arguments must follow the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Whether it came in OpenAI's old form (`functions`).
    pub legacy: bool,
    /// Members of the function itself that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub rest: Rest,
}

/// Whether a tool must be called.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// Some tool.
    Required,
    /// This tool.
    Named(Box<str>),
    /// One of these tools (OpenAI's `allowed_tools`).
    Allowed {
        /// Their names.
        names: Vec<Box<str>>,
        /// Whether one of them must be called.
        required: bool,
        /// The choice, whole.
        raw: Raw,
    },
    /// A choice that only its dialect knows.
    Unknown(Raw),
}
