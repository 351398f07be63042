//! The canonical form of a conversation: what every dialect decodes to and encodes from.
//!
//! A request is decoded from one dialect and encoded to another. What all dialects share has a field of its
//! own; what only one dialect knows stays as raw JSON in `rest` (or in an unknown part) and is written back
//! only when the same dialect encodes. Nothing here does I/O, and nothing borrows from the body it came from.

mod answer;
mod part;
mod raw;
mod request;
mod stream;
mod tool;

pub use answer::{Answer, Choice, UsageReport};
pub use part::{
    Annotation, CacheMark, CacheTtl, Content, Media, Origin, Part, Reasoning, ToolCall, ToolKind, ToolResult,
};
pub use raw::{Raw, Rest};
pub use request::{
    CacheHints, Effort, LimitMember, Logprobs, Message, OutputFormat, OutputLimit, ReasoningAsk, Request,
    Role, Sampling, Thinking,
};
pub use stream::{ExtraAt, PartHead, StreamPart};
pub use tool::{FunctionTool, Tool, ToolChoice, ToolContent};
