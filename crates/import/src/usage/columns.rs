//! Which column of a CSV file means what: by the headings that vendors use, or as the caller says.

use super::{Class, Origin};

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Day,
    Model,
    Key,
    Project,
    Requests,
    Tokens(Class),
    Dollars,
    Cents,
    /// The model stands in it before a comma.
    LineItem,
}

/// Names of fields that a caller gives columns to.
const FIELDS: &[(&str, Field)] = &[
    ("day", Field::Day),
    ("model", Field::Model),
    ("key", Field::Key),
    ("project", Field::Project),
    ("requests", Field::Requests),
    ("input", Field::Tokens(Class::Input)),
    ("input_total", Field::Tokens(Class::InputTotal)),
    ("cache_read", Field::Tokens(Class::CacheRead)),
    ("cache_write_5m", Field::Tokens(Class::CacheWrite5m)),
    ("cache_write_1h", Field::Tokens(Class::CacheWrite1h)),
    ("input_audio", Field::Tokens(Class::InputAudio)),
    ("output", Field::Tokens(Class::Output)),
    ("output_audio", Field::Tokens(Class::OutputAudio)),
    ("usd", Field::Dollars),
    ("cents", Field::Cents),
];

/// Headings of vendors' exports, in lower case, those that count first in front. Names go before ids, which nobody
/// remembers.
const HEADINGS: &[(&str, Field)] = &[
    ("usage_date_utc", Field::Day),
    ("start_time_iso", Field::Day),
    ("start_time", Field::Day),
    ("starting_at", Field::Day),
    ("date", Field::Day),
    ("day", Field::Day),
    ("timestamp", Field::Day),
    ("model_version", Field::Model),
    ("model", Field::Model),
    ("slug", Field::Model),
    ("line_item", Field::LineItem),
    ("api_key_name", Field::Key),
    ("api_key", Field::Key),
    ("api_key_id", Field::Key),
    ("project_name", Field::Project),
    ("project_id", Field::Project),
    ("workspace", Field::Project),
    ("workspace_id", Field::Project),
    ("project", Field::Project),
    ("num_model_requests", Field::Requests),
    ("requests", Field::Requests),
    ("usage_input_tokens_no_cache", Field::Tokens(Class::Input)),
    ("uncached_input_tokens", Field::Tokens(Class::Input)),
    ("input_tokens", Field::Tokens(Class::InputTotal)),
    ("prompt tokens", Field::Tokens(Class::InputTotal)),
    ("prompt_tokens", Field::Tokens(Class::InputTotal)),
    ("usage_input_tokens_cache_read", Field::Tokens(Class::CacheRead)),
    ("cache_read_input_tokens", Field::Tokens(Class::CacheRead)),
    ("input_cached_tokens", Field::Tokens(Class::CacheRead)),
    ("usage_input_tokens_cache_write_5m", Field::Tokens(Class::CacheWrite5m)),
    ("usage_input_tokens_cache_write", Field::Tokens(Class::CacheWrite5m)),
    ("input_cache_write_tokens", Field::Tokens(Class::CacheWrite5m)),
    ("usage_input_tokens_cache_write_1h", Field::Tokens(Class::CacheWrite1h)),
    ("input_audio_tokens", Field::Tokens(Class::InputAudio)),
    ("usage_output_tokens", Field::Tokens(Class::Output)),
    ("output_tokens", Field::Tokens(Class::Output)),
    ("completion tokens", Field::Tokens(Class::Output)),
    ("completion_tokens", Field::Tokens(Class::Output)),
    ("output_audio_tokens", Field::Tokens(Class::OutputAudio)),
    ("cost_usd", Field::Dollars),
    ("amount_value", Field::Dollars),
    ("usage", Field::Dollars),
    ("cost", Field::Dollars),
];

/// Columns that the caller names: `day=Date,model=Model,input=Prompt Tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(Vec<(Field, String)>);

impl Columns {
    /// Reads pairs of a field and a column's heading, separated by commas. A comma within a heading is written twice.
    ///
    /// # Errors
    /// A sentence that names what is wrong, and what may stand there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = || FIELDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let mut columns = Vec::new();
        // A comma that stands twice is one of the heading's own.
        for pair in text.replace(",,", "\u{0}").split(',') {
            let pair = pair.replace('\u{0}', ",");
            let (name, heading) = pair.split_once('=').ok_or_else(|| {
                format!("`{pair}` names no column; write FIELD=HEADING, with a field of {}", names())
            })?;
            let field = FIELDS.iter().find(|(known, _)| *known == name.trim());
            let (_, field) = field.ok_or_else(|| format!("`{name}` is no field; there are {}", names()))?;
            columns.push((*field, heading.trim().to_lowercase()));
        }
        if !columns.iter().any(|(field, _)| *field == Field::Day) {
            return Err("which column holds the day? add day=HEADING".to_owned());
        }
        Ok(Self(columns))
    }

    /// Whether the caller named none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each column of a heading means. Of several for one field, the one that counts first.
    pub(super) fn of(&self, heading: &[String]) -> Result<Vec<(usize, Field)>, String> {
        let headings: Vec<String> = heading.iter().map(|name| name.trim().to_lowercase()).collect();
        if !self.0.is_empty() {
            let find = |(field, name): &(Field, String)| {
                let at = headings.iter().position(|known| known == name);
                at.map(|at| (at, *field))
                    .ok_or_else(|| format!("no column is called `{name}`; there are {}", shown(heading)))
            };
            return self.0.iter().map(find).collect();
        }
        let mut found: Vec<(usize, Field)> = Vec::new();
        for (name, field) in HEADINGS {
            let at = headings.iter().position(|known| known == name);
            if let Some(at) = at.filter(|_| !found.iter().any(|(_, known)| known == field)) {
                found.push((at, *field));
            }
        }
        let tells = |field: &Field| matches!(field, Field::Tokens(_) | Field::Dollars | Field::Cents);
        let has_day = found.iter().any(|(_, field)| *field == Field::Day);
        if has_day && found.iter().any(|(_, field)| tells(field)) {
            return Ok(found);
        }
        Err(format!(
            "no known report has these columns: {}; say what they mean with --columns day=HEADING,model=HEADING,…",
            shown(heading)
        ))
    }
}

/// Headings for people, as many as fit.
fn shown(heading: &[String]) -> String {
    let plain = |name: &String| name.chars().filter(|sign| !sign.is_control()).take(40).collect::<String>();
    let names: Vec<String> = heading.iter().take(12).map(plain).collect();
    let more = if heading.len() > names.len() { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

/// Whose report has such a heading.
pub(super) fn origin_of(heading: &[String]) -> Origin {
    let has = |name: &str| heading.iter().any(|known| known.trim().eq_ignore_ascii_case(name));
    if has("usage_date_utc") {
        Origin::Anthropic
    } else if has("start_time_iso") || has("num_model_requests") || has("amount_value") {
        Origin::OpenAi
    } else if has("slug") && has("byok usage") {
        Origin::OpenRouter
    } else {
        Origin::Other
    }
}
