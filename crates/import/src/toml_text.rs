//! Writes TOML as a person would: tables in an order that reads well, with comments, one value a line.

use std::fmt::Write as _;

/// A table that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// The lines above its heading, without the `#`.
    pub(crate) comments: Vec<String>,
    /// Its heading: `providers.openai`, or `[model]` for one of several.
    pub(crate) heading: String,
    /// Keys and values, ready to be written.
    pub(crate) values: Vec<(String, String)>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), ..Self::default() }
    }

    /// Adds a value that is TOML already.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.values.push((key.to_owned(), value.into()));
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.set(key, quoted(value));
    }

    /// Appends it to a document.
    pub(crate) fn write(&self, out: &mut String) {
        for comment in &self.comments {
            let _ = writeln!(out, "# {}", comment.replace(['\n', '\r'], " "));
        }
        let _ = writeln!(out, "[{}]", self.heading);
        for (key, value) in &self.values {
            let _ = writeln!(out, "{key} = {value}");
        }
    }
}

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for sign in text.chars() {
        match sign {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            sign if sign.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(sign));
            }
            sign => out.push(sign),
        }
    }
    out.push('"');
    out
}

/// A key, in quotes where it needs them.
pub(crate) fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A list of values that are TOML already: in one line where it is short.
pub(crate) fn list(values: &[String]) -> String {
    /// Columns that a line may have.
    const WIDTH: usize = 90;
    let short = format!("[{}]", values.join(", "));
    let has_tables = values.iter().any(|value| value.starts_with('{'));
    if values.len() < 2 || (short.len() <= WIDTH && !has_tables) {
        return short;
    }
    values.iter().fold("[\n".to_owned(), |out, value| out + "  " + value + ",\n") + "]"
}

/// A table in one line.
pub(crate) fn inline(values: &[(String, String)]) -> String {
    let pairs: Vec<String> = values.iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_reads_back_as_it_was() {
        for text in ["plain", "a\"b\\c", "line\nline\r\t", "\u{0}\u{7f}\u{85}", "日本 🙂", ""] {
            let document = format!("{} = {}", key(text), quoted(text));
            let read: toml::Table = toml::from_str(&document).unwrap();
            assert_eq!(
                read.iter().next().unwrap(),
                (&text.to_owned(), &toml::Value::from(text)),
                "{document}"
            );
        }
    }

    #[test]
    fn a_comment_never_leaves_its_line() {
        let mut table = Table::new("a");
        table.comments.push("one\n[b]\rtwo".to_owned());
        let mut out = String::new();
        table.write(&mut out);
        assert_eq!(out, "# one [b] two\n[a]\n");
    }
}
