//! Interfaces that are shut down or will be: `beta.assistants`, `/v1/assistants`.

use crate::scan::classify::FileContext;
use crate::scan::finding::Finding;
use crate::scan::names::Names;
use crate::scan::source::Reading;

/// Words that make a file worth reading even if it names no model.
pub const WORDS: &[&str] = &["beta.assistants", "/v1/assistants", "ChatCompletion.create"];

/// Findings about interfaces.
#[must_use]
pub fn judge(_reading: &Reading, _file: &FileContext<'_>, _names: &Names, _today: &str) -> Vec<Finding> {
    Vec::new()
}
