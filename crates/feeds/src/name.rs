//! What the ids themselves say: version, region, and which model it is whoever serves it.

use std::collections::BTreeMap;

use pilothouse_catalog::row::Row;

use crate::Book;
use crate::models_dev::Card;

/// Inference profiles and data zones that stand before a model's own id on a cloud.
const GEO: [&str; 12] = ["us", "eu", "apac", "ap", "jp", "au", "ca", "sa", "in", "global", "us-gov", "uae"];
/// Makers' names that clouds and hosts put before a model's name.
const MAKERS: [&str; 16] = [
    "anthropic.",
    "amazon.",
    "openai.",
    "meta.",
    "mistral.",
    "cohere.",
    "deepseek.",
    "qwen.",
    "google.",
    "zai.",
    "moonshotai.",
    "moonshot.",
    "minimax.",
    "nvidia.",
    "ai21.",
    "xai.",
];

/// The date or number at the end of an id, e.g. `2025-08-07`, `20250929`.
pub fn version(id: &str) -> Option<&str> {
    let digits = |text: &str, pattern: &[usize]| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() == pattern.len()
            && parts
                .iter()
                .zip(pattern)
                .all(|(part, len)| part.len() == *len && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    for (length, pattern) in [(10, &[4, 2, 2][..]), (8, &[8][..])] {
        let Some(at) = id.len().checked_sub(length + 1).filter(|at| id.is_char_boundary(*at)) else {
            continue;
        };
        let (head, tail) = id.split_at(at);
        let version = &tail[1..];
        if !head.is_empty()
            && tail.starts_with(['-', '@'])
            && digits(version, pattern)
            && version.starts_with("20")
        {
            return Some(version);
        }
    }
    id.rsplit_once('@')
        .map(|(_, version)| version)
        .filter(|version| !version.is_empty() && *version != "default")
}

/// The id without its version, where it has one.
pub fn without_version(id: &str) -> Option<&str> {
    let version = version(id)?;
    id.strip_suffix(version)?.strip_suffix(['-', '@'])
}

/// The region or inference profile that an id names on a cloud.
pub fn region<'i>(platform: &str, id: &'i str) -> Option<&'i str> {
    let (head, _) = match platform {
        "bedrock" => {
            id.split_once('/').or_else(|| id.split_once('.').filter(|(head, _)| GEO.contains(head)))?
        }
        "azure" | "azure-ai" => id.split_once('/').filter(|(head, _)| {
            GEO.contains(head) || head.starts_with("global-") || head.starts_with("data-zone")
        })?,
        _ => return None,
    };
    Some(head)
}

/// The id without its region.
pub fn without_region<'i>(platform: &str, id: &'i str) -> Option<&'i str> {
    Some(id.strip_prefix(region(platform, id)?)?.trim_start_matches(['/', '.']))
}

/// One spelling for a model's name on every platform: the last part, lower case, without maker and packing.
pub fn plain(id: &str) -> String {
    let last = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let mut name = last.split(':').next().unwrap_or_default().replace('_', "-");
    for geo in GEO {
        if let Some(rest) = name.strip_prefix(geo).and_then(|rest| rest.strip_prefix('.')) {
            name = rest.to_owned();
            break;
        }
    }
    for maker in MAKERS {
        if let Some(rest) = name.strip_prefix(maker) {
            name = rest.to_owned();
            break;
        }
    }
    for packing in ["-v1", "-v2", "-maas", "@default", "-fp8", "-turbo", "-tee", "databricks-", "fw-"] {
        name = name.strip_suffix(packing).map(str::to_owned).unwrap_or(name);
        name = name.strip_prefix(packing).map(str::to_owned).unwrap_or(name);
    }
    points(&name)
}

/// `glm-5p1` and `claude-opus-4-6` in the spelling `glm-5.1`, `claude-opus-4.6`.
fn points(name: &str) -> String {
    let bytes: Vec<char> = name.chars().collect();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(char::is_ascii_digit);
    let mut out = String::with_capacity(name.len());
    for (at, sign) in bytes.iter().enumerate() {
        let between = digit(at.checked_sub(1)) && digit(Some(at + 1));
        // A version's step is one digit on both sides; a date or a size has more.
        let single = !digit(at.checked_sub(2)) && !digit(Some(at + 2));
        out.push(if between && single && matches!(sign, 'p' | '-') { '.' } else { *sign });
    }
    out
}

/// Gives rows the facts of the model itself, where the platform's own feed says nothing.
pub fn fill(book: &mut Book, cards: &BTreeMap<String, Card>) {
    for row in book.values_mut().filter(|row| row.alias_of.is_none()) {
        let name = plain(&row.id);
        let dated = || cards.get(plain(without_version(&row.id)?).as_str());
        let variant = || cards.get(name.strip_suffix("-it").or(name.strip_suffix("-instruct"))?);
        let Some(card) = cards.get(&name).or_else(dated).or_else(variant) else { continue };
        take(row, card);
    }
}

fn take(row: &mut Row, card: &Card) {
    row.card.get_or_insert_with(|| card.id.clone());
    if row.name.is_none() {
        row.name.clone_from(&card.facts.name);
    }
    if row.inputs.is_empty() {
        row.inputs.clone_from(&card.facts.inputs);
    }
    if row.outputs.is_empty() {
        row.outputs.clone_from(&card.facts.outputs);
    }
    row.open_weights = row.open_weights.or(card.facts.open_weights);
    row.released = row.released.take().or_else(|| card.facts.released.clone());
    row.knowledge = row.knowledge.take().or_else(|| card.facts.knowledge.clone());
    row.licence = row.licence.take().or_else(|| card.facts.licence.clone());
    if !row.feeds.iter().any(|feed| feed == super::models_dev::FEED) {
        row.feeds.push(super::models_dev::FEED.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dates_at_the_end() {
        assert_eq!(version("gpt-5-2025-08-07"), Some("2025-08-07"));
        assert_eq!(version("claude-sonnet-4-5-20250929"), Some("20250929"));
        assert_eq!(version("claude-sonnet-4@20250514"), Some("20250514"));
        assert_eq!(version("claude-opus-4-7@default"), None);
        for none in ["gpt-5", "o3", "grok-4-0709", "qwen3-235b-a22b", "", "-20250929"] {
            assert_eq!(version(none), None, "{none}");
        }
        assert_eq!(without_version("gpt-5-2025-08-07"), Some("gpt-5"));
    }

    #[test]
    fn one_model_has_one_name_on_every_platform() {
        for (id, name) in [
            ("accounts/fireworks/models/glm-5p1", "glm-5.1"),
            ("zai-org/GLM-5.1", "glm-5.1"),
            ("us.anthropic.claude-opus-4-6-v1", "claude-opus-4.6"),
            ("claude-opus-4-6", "claude-opus-4.6"),
            ("us-gov-west-1/openai.gpt-5.4", "gpt-5.4"),
            ("Qwen/Qwen3.6-27B-FP8", "qwen3.6-27b"),
            ("qwen/qwen3.6-27b:free", "qwen3.6-27b"),
            ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ] {
            assert_eq!(plain(id), name, "{id}");
        }
    }

    #[test]
    fn regions_stand_before_the_id_on_clouds_only() {
        assert_eq!(region("bedrock", "us.anthropic.claude-opus-4-7"), Some("us"));
        assert_eq!(
            without_region("bedrock", "us.anthropic.claude-opus-4-7"),
            Some("anthropic.claude-opus-4-7")
        );
        assert_eq!(without_region("azure", "eu/gpt-5"), Some("gpt-5"));
        assert_eq!(region("bedrock", "anthropic.claude-opus-4-7"), None);
        assert_eq!(region("together", "Qwen/Qwen3.6-27B"), None);
    }
}
