//! OpenAI's streamed answers, read and written.

pub(super) mod decode;
pub(super) mod encode;
