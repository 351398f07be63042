//! What the text right around a name tells: compared, in a pattern, asked for by an address, one of a list.

use super::key::is_model_key;
use crate::scan::classify::{FileContext, FileKind};
use crate::scan::format::Format;
use crate::scan::source::Span;

/// Calls that compare, as they end before what they compare with.
const COMPARING: &[&str] = &[
    "startswith(",
    "starts_with(",
    "endswith(",
    "ends_with(",
    "includes(",
    "contains(",
    "hasprefix(",
    "equals(",
    "equalsignorecase(",
    "equal(",
    "has(",
    "start_with?(",
    "include?(",
    "str_contains(",
    "str_starts_with(",
];

/// Whether a literal is only compared: `if model == "gpt-4o"`, `case "gpt-4o":`, `model in ("gpt-4o", …)`.
pub(super) fn is_compared(text: &str, span: &Span) -> bool {
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..span.start];
    let before = before.trim_end_matches(['"', '\'', '`']).trim_end();
    let end = text[span.end..].find('\n').map_or(text.len(), |length| span.end + length);
    let behind = text[span.end..end].trim_start_matches(['"', '\'', '`']).trim_start();
    let ends = ["==", "!=", "=== ", "===", "!==", " is", "<>", "~=", "=~", " not", " eq", "case", "when"];
    let lower = before.to_ascii_lowercase();
    if ends.iter().any(|end| lower.ends_with(end)) && !lower.ends_with("=>") {
        return true;
    }
    if [".equals(", ".equalsIgnoreCase(", ".Equals("].iter().any(|start| behind.starts_with(start)) {
        return true;
    }
    if ["==", "!=", "=>"].iter().any(|start| behind.starts_with(start)) && !before.ends_with(['=', ':', '>'])
    {
        return true;
    }
    if COMPARING.iter().any(|call| {
        lower.ends_with(call)
            || lower.rsplit_once(',').is_some_and(|(head, _)| head.contains(call) && !head.contains(')'))
    }) {
        return true;
    }
    // `in ("gpt-4o", "o1")`, `when "gpt-4o", "o1"`, `case "a", "b":`.
    let open = lower.rfind(" in (").or_else(|| lower.rfind(" in [")).or_else(|| lower.rfind(" in {"));
    let is_loop = ["for ", "for(", "foreach"].iter().any(|word| lower.trim_start().starts_with(word));
    let is_in = !is_loop && open.is_some_and(|at| !lower[at + 5..].contains([')', ']', '}']));
    let is_case =
        ["case ", "when "].iter().any(|word| lower.trim_start().starts_with(word)) && !lower.contains(':');
    let is_literal = |text: &str| text.trim_start().starts_with(['"', '\'']);
    let is_alternative = behind.strip_prefix('|').is_some_and(is_literal)
        || behind.strip_prefix("or ").is_some_and(is_literal);
    // Behind another literal; `|_| "m"` and `model or "m"` give a value.
    let is_behind = |head: &str| head.trim().is_empty() || head.trim_end().ends_with(['"', '\'']);
    let is_last = ["|", " or"].iter().any(|sign| before.strip_suffix(sign).is_some_and(is_behind));
    // `"gpt-4o", "gpt-4-turbo" -> true`, `"gpt-4o" or "o1" => true`.
    let arrow = ["->", "=>"].iter().filter_map(|arrow| behind.find(arrow)).min();
    let only_literals = |text: &str| {
        let mut outside = text.split('"').step_by(2);
        outside.all(|piece| {
            piece.chars().all(|letter| letter == ',' || letter.is_whitespace()) || piece.trim() == "or"
        })
    };
    let opening = text[line..span.start].trim_start();
    let is_alone = opening.starts_with('"')
        && arrow.is_some_and(|at| {
            only_literals(&format!(
                "\"{}",
                &text[span.end..end][..text[span.end..end].len() - behind.len() + at]
            ))
        });
    let is_arm = is_alternative || is_last || is_alone;
    is_in || is_case || is_arm
}

/// Whether a place is within a pattern rather than a text: `/^gpt-4o(-mini)?$/`.
pub(super) fn is_in_pattern(text: &str, span: &Span) -> bool {
    let before = text[..span.start].chars().next_back();
    before.is_some_and(|letter| "|(^".contains(letter)) || text[..span.start].ends_with(" /")
}

/// Whether the text around a name asks for it: a body in a text, an address that names its model.
///
/// Addresses: `…?model=X` (OpenAI's realtime), `/models/X:generateContent` (Gemini, Vertex AI),
/// `/deployments/X/` (Azure), `/model/X/invoke` and `/converse` (Bedrock); read 2026-11-23.
pub(super) fn is_asked_for(text: &str, span: &Span) -> bool {
    // `models/gemini-2.0-flash` is one name with what stands before it.
    let decoration = text[span.clone()].rfind('/').map_or(0, |at| at + 1);
    let before = &text[..span.start + decoration];
    let behind = &text[span.end..];
    let in_query = before.ends_with("?model=") || before.ends_with("&model=");
    let in_path = (before.ends_with("/models/") && behind.starts_with(':') && !behind.starts_with(": "))
        || (before.ends_with("/deployments/") && behind.starts_with('/'))
        || (before.ends_with("/model/")
            && ["/invoke", "/converse"].iter().any(|end| behind.starts_with(end)));
    if in_query || in_path {
        return true;
    }
    // `{"model": "X"`, also with its quotes escaped.
    let key = before.trim_end_matches(['"', '\\']);
    let key = key.trim_end().strip_suffix(':').map(|key| key.trim_end().trim_end_matches(['"', '\\']));
    let is_quoted = before.ends_with('"') && behind.trim_start_matches('\\').starts_with('"');
    let is_body = is_quoted
        && key
            .is_some_and(|key| ["\"model", "\"modelId", "\"model_id"].iter().any(|name| key.ends_with(name)));
    is_body || is_default_within(before, behind)
}

/// Whether a name is the default that a text writes for a setting: `default:"gpt-4o"` and `envDefault:"gpt-4o"` of Go's
/// tags, `${app.model:gpt-4o}` of Spring's placeholders.
fn is_default_within(before: &str, behind: &str) -> bool {
    let tagged = before.strip_suffix('"').is_some_and(|before| {
        let lower =
            before[before.floor_char_boundary(before.len().saturating_sub(16))..].to_ascii_lowercase();
        lower.ends_with("default:") && behind.starts_with('"')
    });
    let placed = before.rfind("${").filter(|at| before.len() - at <= 120).is_some_and(|at| {
        let key = before[at + 2..].trim_end_matches(['-', '=']).strip_suffix(':');
        behind.starts_with('}') && key.is_some_and(|key| !key.contains(['}', ' ', ':']) && is_model_key(key))
    });
    tagged || placed
}

/// Whether a literal stands beside what the environment gives: `os.environ.get("M") or "gpt-4o"`.
pub(super) fn is_beside_environment(text: &str, span: &Span) -> bool {
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = text[line..span.start].trim_end_matches(['"', '\'', '`']).to_ascii_lowercase();
    ["environ", "getenv", "process.env", "import.meta.env", "env[", "env.fetch", "env::var", "env("]
        .iter()
        .any(|word| before.contains(word))
}

/// Whether a place of Rust is below the tests of its file.
pub(super) fn is_in_tests_of_rust(file: &FileContext<'_>, span: &Span) -> bool {
    file.path.ends_with(".rs") && file.text[..span.start].contains("#[cfg(test)]\nmod ")
}

/// Whether a line goes through a list that is written down: `for model in ["gpt-4o", "gpt-6-luna"]:`.
pub(super) fn is_loop(text: &str, span: &Span) -> bool {
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    ["for ", "for(", "foreach"].iter().any(|word| text[line..span.start].trim_start().starts_with(word))
}

/// Whether a literal is one of several in brackets.
pub(super) fn is_item_of_list(text: &str, span: &Span) -> bool {
    let before = text[..span.start].trim_end_matches(['"', '\'', '`']).trim_end();
    let behind = text[span.end..].trim_start_matches(['"', '\'', '`']).trim_start();
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let words = text[line..span.start].rfind("%w").map_or("", |at| &text[line + at..span.start]);
    if words.starts_with(['%']) && !words.contains([']', ')', '}']) {
        return true;
    }
    const LISTS: [&str; 6] = ["listOf(", "setOf(", "arrayOf(", "List.of(", "Set.of(", "asList("];
    let is_first = before.ends_with(['[', '{']) || LISTS.iter().any(|list| before.ends_with(list));
    let is_literal = |text: &str| text.trim_start().starts_with(['"', '\'', '`']);
    let is_next = behind
        .strip_prefix(',')
        .is_some_and(|rest| is_literal(rest) || rest.trim_start().starts_with([']', '}', ')']));
    let is_later = before.strip_suffix(',').is_some_and(|rest| rest.ends_with(['"', '\'', '`']));
    (is_first && (is_next || behind.starts_with([']', '}'])))
        || (is_later && (is_next || behind.starts_with([']', '}'])))
}

/// Whether a line of a script only searches for a name.
pub(super) fn is_searched_for(file: &FileContext<'_>, span: &Span) -> bool {
    let line = file.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let command = file.text[line..span.start].split_whitespace().next().unwrap_or_default();
    matches!(file.kind, FileKind::Data(Format::Plain | Format::Shell))
        && matches!(command, "grep" | "egrep" | "rg" | "ag")
}
