//! What is wrong in a file that was read, as of a day: one judge for each kind of finding.

pub mod calls;
pub mod facts;
pub mod interfaces;
pub mod mentions;
pub mod prices;
pub mod requests;
#[cfg(test)]
mod snippet;
pub mod surfaces;
pub mod tools;

use super::classify::FileContext;
use super::finding::Finding;
use super::names::{Names, constant};
use super::source::{Context, Kind, Mention, Reading, Span, Value};
use requests::Requests;

/// One kind of findings.
type Judge = fn(&Requests<'_>, &FileContext<'_>, &Names, &str) -> Vec<Finding>;

/// Every judge.
const JUDGES: [Judge; 5] = [mentions::judge, calls::judge, interfaces::judge, tools::judge, prices::judge];

/// Puts the models' names where the constants of SDKs stand in calls: `ChatModel.O3_MINI` is asked for as `o3-mini`.
pub fn name_constants(reading: &mut Reading, text: &str, names: &Names) {
    let named = |mention: &Mention| {
        let word = text.get(mention.span.clone())?;
        let is_told = mention.context == Context::Code && constant::is_qualified(word);
        let id = names.constant(word).filter(|_| is_told)?.id;
        Some((mention.span.clone(), id))
    };
    let constants: Vec<(Span, String)> = reading.mentions.iter().filter_map(named).collect();
    if constants.is_empty() {
        return;
    }
    for call in &mut reading.calls {
        let mut own = Some(call);
        while let Some(call) = own {
            call.arguments.iter_mut().for_each(|member| name_constant(&mut member.value, &constants));
            own = call.receiver.as_deref_mut();
        }
    }
}

fn name_constant(value: &mut Value, constants: &[(Span, String)]) {
    match &mut value.kind {
        Kind::Table { members, .. } => {
            members.iter_mut().for_each(|member| name_constant(&mut member.value, constants));
        }
        Kind::List(items) => items.iter_mut().for_each(|item| name_constant(item, constants)),
        Kind::Dynamic { parts, .. } if parts.is_empty() => {
            if let Some((_, id)) = constants.iter().find(|(span, _)| *span == value.span) {
                value.kind = Kind::Text(id.clone());
            }
        }
        _ => {}
    }
}

/// Everything that is wrong in `file` on the day `today` (`YYYY-MM-DD`), by place.
#[must_use]
pub fn judge(reading: &Requests<'_>, file: &FileContext<'_>, names: &Names, today: &str) -> Vec<Finding> {
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
