//! The parts that messages and answers are made of.

use serde::Serialize;

use super::raw::{Raw, Rest};
use crate::dialect::Dialect;

/// One part of a message or an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// What it holds.
    #[serde(flatten)]
    pub content: Content,
    /// A prompt-cache marker: everything up to and including this part may be cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// Members that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub rest: Rest,
}

impl Part {
    /// A part with nothing but its content.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self { content, cache: None, rest: Rest::default() }
    }

    /// A part of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text { text: text.into(), annotations: Vec::new() })
    }
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Content {
    /// Text, with what it cites.
    Text {
        /// The text.
        text: String,
        /// Its citations.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        annotations: Vec<Annotation>,
    },
    /// A picture.
    Image {
        /// Where it is.
        source: Media,
        /// OpenAI's level of detail: `low`, `high`, `auto`, `original`.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<Box<str>>,
    },
    /// Sound.
    Audio {
        /// Where it is; its media type is `audio/wav` or `audio/mp3`.
        source: Media,
    },
    /// A document: a PDF, a text.
    File {
        /// Where it is.
        source: Media,
        /// Its name or title.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Box<str>>,
    },
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool gave back.
    ToolResult(ToolResult),
    /// The model's reasoning.
    Reasoning(Reasoning),
    /// The model refuses, in these words.
    Refusal {
        /// The words.
        text: String,
    },
    /// A part that only its dialect knows, whole.
    Unknown {
        /// Its type, as the dialect names it.
        kind: Box<str>,
        /// The part.
        raw: Raw,
    },
}

/// Where bytes are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// Behind a URL that the vendor fetches.
    Url(String),
    /// In the request, as base64.
    Base64 {
        /// Such as `image/png`.
        media_type: Box<str>,
        /// The bytes as base64, unread.
        data: String,
    },
    /// In the vendor's file store, under this id.
    FileId(Box<str>),
    /// In the request, as plain text.
    Text(String),
    /// In the request, as parts (Anthropic's document of content blocks).
    Parts(Vec<Part>),
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolCall {
    /// The vendor's id of the call. May be empty where a vendor sends none.
    pub id: Box<str>,
    /// The tool's name.
    pub name: Box<str>,
    /// The arguments as the model wrote them: for a function usually, but not surely, one JSON object.
    pub arguments: String,
    /// What kind of tool it calls.
    pub kind: ToolKind,
}

/// Kinds of tools that a client runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// A function with arguments by JSON schema.
    #[default]
    Function,
    /// A function in OpenAI's old form: `function_call`, without ids.
    LegacyFunction,
    /// A tool that takes free text (OpenAI's `custom`).
    Custom,
}

/// What a tool gave back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolResult {
    /// The id of the call that it answers.
    pub call_id: Box<str>,
    /// The tool's name, where the dialect tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// The result.
    pub parts: Vec<Part>,
    /// Whether the tool failed.
    pub is_error: bool,
}

/// The model's reasoning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reasoning {
    /// The text that people may read. Empty when withheld.
    pub text: String,
    /// The vendor's proof that it wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Box<str>>,
    /// The reasoning in the vendor's own encryption; then `text` is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Box<str>>,
    /// Who wrote it: signatures go back to their origin only.
    pub origin: Origin,
}

/// Who wrote a piece of reasoning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Origin {
    /// The vendor family whose models accept its signature, such as `anthropic`. Empty when unknown.
    pub family: Box<str>,
}

impl Origin {
    /// The origin of that family.
    #[must_use]
    pub fn of(family: &str) -> Self {
        Self { family: family.into() }
    }
}

/// A citation or annotation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Annotation {
    /// The dialect that `raw` is in.
    pub dialect: Dialect,
    /// What it points to, if that is on the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Box<str>>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Box<str>>,
    /// The words that are cited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Box<str>>,
    /// The cited span of the answer's whole text, in characters, where the dialect tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(u64, u64)>,
    /// The annotation, whole.
    pub raw: Raw,
}

/// A prompt-cache marker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CacheMark {
    /// How long to keep the prefix.
    pub ttl: CacheTtl,
    /// The marker, whole, and the dialect that it is in.
    pub raw: (Dialect, Raw),
}

/// How long a vendor keeps a cached prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheTtl {
    /// As the vendor likes.
    #[default]
    Default,
    /// Five minutes.
    FiveMinutes,
    /// Half an hour.
    HalfHour,
    /// One hour.
    OneHour,
    /// Twelve hours.
    TwelveHours,
}
