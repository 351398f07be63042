//! Names of models: retired, about to retire, unknown, or put together at run time.

use crate::scan::classify::FileContext;
use crate::scan::finding::Finding;
use crate::scan::names::Names;
use crate::scan::source::Reading;

/// Findings about names of models.
#[must_use]
pub fn judge(_reading: &Reading, _file: &FileContext<'_>, _names: &Names, _today: &str) -> Vec<Finding> {
    Vec::new()
}
