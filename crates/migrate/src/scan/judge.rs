//! What is wrong in a file that was read, as of a day: one judge for each kind of finding.

pub mod calls;
pub mod facts;
pub mod interfaces;
pub mod mentions;
pub mod prices;
#[cfg(test)]
mod snippet;
pub mod surfaces;
pub mod tools;

use super::classify::FileContext;
use super::finding::Finding;
use super::names::Names;
use super::source::Reading;

/// One kind of findings.
type Judge = fn(&Reading, &FileContext<'_>, &Names, &str) -> Vec<Finding>;

/// Every judge.
const JUDGES: [Judge; 5] = [mentions::judge, calls::judge, interfaces::judge, tools::judge, prices::judge];

/// Everything that is wrong in `file` on the day `today` (`YYYY-MM-DD`), by place.
#[must_use]
pub fn judge(reading: &Reading, file: &FileContext<'_>, names: &Names, today: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        JUDGES.iter().flat_map(|judge| judge(reading, file, names, today)).collect();
    found.sort_by(|left, right| {
        (left.place.span.start, left.place.span.end, left.rule).cmp(&(
            right.place.span.start,
            right.place.span.end,
            right.rule,
        ))
    });
    found
}
