//! The Prometheus text format, as far as gauges need it: a name, labels, a number.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/> (read 2026-11-22). Lines that cannot be read are
//! skipped: a document has hundreds that nobody asks for.

/// The values of the first of these names that the document has, and that name; the last name where it has none.
pub(super) fn first_of<'a>(
    document: &'a str,
    names: &[&'static str],
    model: Option<&'a str>,
) -> (&'static str, impl Iterator<Item = f64> + 'a) {
    let has = |name: &&'static str| values(document, name, model).next().is_some();
    let name = names.iter().copied().find(has).or_else(|| names.last().copied()).unwrap_or_default();
    (name, values(document, name, model))
}

/// The values of every line of that name; with a model, of those whose `model_name` is that or is not told.
fn values<'a>(
    document: &'a str,
    name: &'static str,
    model: Option<&'a str>,
) -> impl Iterator<Item = f64> + 'a {
    document.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(labelled) => split_labels(labelled)?,
            // A longer name that begins alike has no blank here.
            None => ("", rest.strip_prefix([' ', '\t'])?),
        };
        if let (Some(model), Some(told)) = (model, label(labels, "model_name"))
            && told != model
        {
            return None;
        }
        // A time stamp may follow.
        rest.split_ascii_whitespace().next()?.parse().ok()
    })
}

/// What is between the braces, and what follows them. Braces inside of a quoted value are text.
fn split_labels(text: &str) -> Option<(&str, &str)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            b'}' if !is_quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// The value of a label, verbatim: model names need no escapes.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = labels;
    loop {
        let (key, value) = rest.split_once("=\"")?;
        let end = value.find('"')?;
        if key.trim_start_matches([',', ' ']) == name {
            return value.get(..end);
        }
        rest = value.get(end + 1..)?;
    }
}
