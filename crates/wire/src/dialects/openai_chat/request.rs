//! OpenAI requests, read and written.

pub(super) mod decode;
pub(super) mod encode;
mod messages;
