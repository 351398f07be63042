//! Anthropic requests, read and written.

pub(super) mod decode;
pub(super) mod encode;
mod messages;
pub(in crate::dialects) mod thinking;
