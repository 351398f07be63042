//! What is the same for every format: which candidates stand in a span, what context a word has in a text, and
//! comments that speak to us.

use crate::scan::candidates::{Candidate, CandidateKind};
use crate::scan::source::{Context, Mention, Pragma, Reading, Span};

/// The longest text that a mention carries along; of longer ones it carries the line.
const TEXT_BYTES_MAX: usize = 512;

/// The candidates that stand wholly within a span.
pub(super) fn within<'c>(candidates: &'c [Candidate], span: &Span) -> &'c [Candidate] {
    let from = candidates.partition_point(|one| one.span.start < span.start);
    let to = candidates.partition_point(|one| one.span.end <= span.end);
    candidates.get(from..to.max(from)).unwrap_or_default()
}

/// What a word is within a scalar's content.
pub(super) fn context_in(source: &str, inner: &Span, word: &Span) -> Context {
    let before = source.get(inner.start..word.start).unwrap_or_default();
    let behind = source.get(word.end..inner.end).unwrap_or_default();
    if before.trim().is_empty() && behind.trim().is_empty() {
        return Context::Value;
    }
    if let Some(context) = in_template(before, behind) {
        return context;
    }
    let separators = |letter: char| letter.is_whitespace() || "\"'`<>()|".contains(letter);
    let token = before.rsplit(separators).next().unwrap_or_default();
    if token.contains("://") || token.contains("www.") {
        return Context::Url;
    }
    // `gpt-4o,gpt-4o-mini`: a list in one scalar.
    let is_item = |text: &str, is_before: bool| {
        let text = text.trim();
        text.is_empty() || if is_before { text.ends_with([',', ';']) } else { text.starts_with([',', ';']) }
    };
    let is_short = !before.trim_matches(|letter: char| ",; ".contains(letter)).contains(' ');
    if is_item(before, true) && is_item(behind, false) && is_short && !behind.trim().contains(' ') {
        return Context::Value;
    }
    if flag_before(before).is_some() {
        return Context::Value;
    }
    Context::WithinText
}

/// What a word is in a scalar that a template is written in.
fn in_template(before: &str, behind: &str) -> Option<Context> {
    let open = ["{{", "${", "<%"].iter().filter_map(|open| before.rfind(open)).max();
    let closed = ["}}", "}", "%>"].iter().filter_map(|close| before.rfind(close)).max();
    let is_inside = open.is_some_and(|open| closed.is_none_or(|closed| closed < open));
    if is_inside {
        // A default: `${MODEL:-gpt-4o}`, `{{ .Values.model | default "gpt-4o" }}`.
        let is_default = before.ends_with([':', '-', '"', '\'', '=']);
        return Some(if is_default { Context::Value } else { Context::WithinText });
    }
    let goes_on = behind.trim_start_matches('-');
    let is_put_in = ["{{", "${", "<%", "$("].iter().any(|open| goes_on.starts_with(open));
    if is_put_in {
        return Some(Context::Dynamic);
    }
    let is_put_before = ["}}", "}", "%>"].iter().any(|close| before.trim_end_matches('-').ends_with(close));
    // `{{ provider }}/gpt-4o` names a model for all that.
    (is_put_before && !before.ends_with('/')).then_some(Context::Dynamic)
}

/// The option of a command line whose value begins behind `before`: `--model `, `--model=`, `-m `.
pub(super) fn flag_before(before: &str) -> Option<&str> {
    let before = before.trim_end_matches(['"', '\'']);
    let flag = before.strip_suffix('=').unwrap_or_else(|| before.trim_end());
    let flag = flag.rsplit(char::is_whitespace).next()?;
    let flag = flag.trim_start_matches(['"', '\'', '[', ',']).trim_end_matches(['"', '\'', ',']);
    let name = flag.strip_prefix("--").or_else(|| flag.strip_prefix('-'))?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    is_name.then_some(flag)
}

/// Whether a text is the name of a variable of an environment.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text of a mention with where it stands; of a long one only the line.
pub(super) fn shortened(words: &str, source: &str, word: &Span, text_span: &Span) -> (String, Span) {
    if words.len() <= TEXT_BYTES_MAX {
        return (words.to_owned(), text_span.clone());
    }
    line_of(source, word, text_span)
}

/// The line that a word stands in, within a span; at most a few hundred bytes of it.
pub(super) fn line_of(source: &str, word: &Span, within: &Span) -> (String, Span) {
    let bytes = source.as_bytes();
    let least = within.start.max(word.start.saturating_sub(TEXT_BYTES_MAX / 2));
    let mut start = memchr::memrchr(b'\n', &bytes[least..word.start]).map_or(least, |at| least + at + 1);
    let most = within.end.min(word.end + TEXT_BYTES_MAX / 2);
    let mut end =
        memchr::memchr(b'\n', &bytes[word.end..most.max(word.end)]).map_or(most, |at| word.end + at);
    while start < word.start && !source.is_char_boundary(start) {
        start += 1;
    }
    while end > word.end && !source.is_char_boundary(end) {
        end -= 1;
    }
    (source.get(start..end).unwrap_or_default().to_owned(), start..end)
}

/// The comment's words to us, if it has any.
pub(super) fn pragma(source: &str, comment: &Span) -> Option<Pragma> {
    let words = source.get(comment.clone())?;
    let at = words.find("pilothouse:")? + "pilothouse:".len();
    let text = words[at..].trim().trim_end_matches("-->").trim_end_matches("*/").trim().to_owned();
    let line = source[..comment.start].rfind('\n').map_or(0, |at| at + 1);
    let is_alone = source[line..comment.start].trim().is_empty();
    Some(Pragma { text, span: comment.clone(), is_alone })
}

/// Adds the candidates that no part of the reading holds: what a broken file leaves over.
pub(super) fn add_missing(reading: &mut Reading, source: &str, candidates: &[Candidate]) {
    let known: std::collections::HashSet<Span> =
        reading.mentions.iter().map(|mention| mention.span.clone()).collect();
    let missing = candidates.iter().filter(|one| !known.contains(&one.span));
    let found: Vec<Mention> = missing.map(|one| loose(source, one)).collect();
    if !found.is_empty() {
        reading.mentions.extend(found);
        reading.mentions.sort_by_key(|mention| (mention.span.start, mention.span.end));
    }
}

/// A mention by nothing but the line that it stands in: an assignment, a word in quotes, an option's value, text.
pub(super) fn loose(source: &str, candidate: &Candidate) -> Mention {
    let word = candidate.span.clone();
    let (line, line_span) = line_of(source, &word, &(0..source.len()));
    let before = source.get(line_span.start..word.start).unwrap_or_default();
    let behind = source.get(word.end..line_span.end).unwrap_or_default();
    let quote = before.chars().next_back().filter(|letter| "\"'`".contains(*letter));
    let is_quoted = quote.is_some_and(|quote| behind.trim_start_matches('\\').starts_with(quote));
    let is_last = behind.trim().is_empty()
        || behind.trim_start().starts_with([';', '#', ',', ')', '}'])
        || behind.starts_with(' ');
    let bound_to = bound_before(before).filter(|_| is_quoted || is_last || behind.starts_with(['"', '\'']));
    let mut context = context_in(source, &line_span, &word);
    if context == Context::WithinText && (bound_to.is_some() || is_quoted) {
        context = Context::Value;
    }
    if candidate.kind == CandidateKind::Prefix && context == Context::Value {
        context = Context::WithinText;
    }
    Mention { span: word, text: line, text_span: line_span, context, bound_to }
}

/// What a value that begins behind `before` is bound to: `MODEL=`, `"model": `, `--model `.
fn bound_before(before: &str) -> Option<String> {
    if let Some(flag) = flag_before(before) {
        return Some(flag.to_owned());
    }
    let before = before.trim_end_matches(['"', '\'', '`', '\\']).trim_end();
    let before = before.strip_suffix("${").unwrap_or(before);
    // `${MODEL:-gpt-4o}`.
    let before = before
        .strip_suffix(":-")
        .or_else(|| before.strip_suffix("=>"))
        .or_else(|| before.strip_suffix([':', '=']))?;
    // `MODEL?=`, `"model": `.
    let before = before.trim_end_matches(['?', ':', '+', ' ', '\t', '"', '\'', '\\', '-']);
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let start = before
        .rfind(|letter: char| !is_name(letter))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let name = &before[start..];
    (name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')).then(|| name.to_owned())
}

/// Moves every place of a reading: of a part of a file to the file.
pub(super) fn moved(reading: &mut Reading, place: &dyn Fn(usize) -> usize) {
    let span = |span: &mut Span| *span = place(span.start)..place(span.end);
    for mention in &mut reading.mentions {
        span(&mut mention.span);
        span(&mut mention.text_span);
    }
    for pragma in &mut reading.pragmas {
        span(&mut pragma.span);
    }
    reading.calls.iter_mut().for_each(|call| moved_call(call, place));
}

fn moved_call(call: &mut crate::scan::source::Call, place: &dyn Fn(usize) -> usize) {
    call.callee_span = place(call.callee_span.start)..place(call.callee_span.end);
    call.span = place(call.span.start)..place(call.span.end);
    call.arguments.iter_mut().for_each(|member| moved_member(member, place));
    if let Some(receiver) = &mut call.receiver {
        moved_call(receiver, place);
    }
}

fn moved_member(member: &mut crate::scan::source::Member, place: &dyn Fn(usize) -> usize) {
    member.name_span = place(member.name_span.start)..place(member.name_span.end);
    member.removal = place(member.removal.start)..place(member.removal.end);
    moved_value(&mut member.value, place);
}

fn moved_value(value: &mut crate::scan::source::Value, place: &dyn Fn(usize) -> usize) {
    use crate::scan::source::Kind;
    value.span = place(value.span.start)..place(value.span.end);
    match &mut value.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| moved_value(item, place)),
        Kind::Table { members, .. } => members.iter_mut().for_each(|member| moved_member(member, place)),
        Kind::Dynamic { parts, .. } => {
            for (_, span) in parts {
                *span = place(span.start)..place(span.end);
            }
        }
        Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null => {}
    }
}

/// Puts the reading of a part into that of the whole.
pub(super) fn append(whole: &mut Reading, part: Reading) {
    whole.mentions.extend(part.mentions);
    whole.calls.extend(part.calls);
    whole.pragmas.extend(part.pragmas);
    whole.is_partial |= part.is_partial;
}
