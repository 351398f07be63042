//! Requests of Responses, read and written.

pub(super) mod decode;
pub(super) mod encode;
mod input;
mod options;
mod tools;
