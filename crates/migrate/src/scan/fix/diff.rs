//! Changes as unified differences, which `git apply` and `patch -p1` take.

use similar::TextDiff;

use super::{Change, Plan};

/// Lines of context around each change, as git shows.
const CONTEXT_LINES: usize = 3;

impl Plan {
    /// All changes, file by file.
    #[must_use]
    pub fn diff(&self) -> String {
        self.changes.iter().map(Change::diff).collect()
    }
}

impl Change {
    /// The difference, with the file's name on both sides.
    #[must_use]
    pub fn diff(&self) -> String {
        let diff = TextDiff::from_lines(&self.before, &self.after);
        let (old, new) = (named("a", &self.path), named("b", &self.path));
        diff.unified_diff().context_radius(CONTEXT_LINES).header(&old, &new).to_string()
    }
}

/// A file's name as git writes it: quoted in the manner of C where it has characters that would end it.
fn named(side: &str, path: &str) -> String {
    let name = format!("{side}/{path}");
    if !name.chars().any(|one| one.is_control() || matches!(one, '"' | '\\')) {
        return name;
    }
    let mut quoted = String::from('"');
    for one in name.chars() {
        match one {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            other if other.is_control() => {
                let mut bytes = [0; 4];
                for byte in other.encode_utf8(&mut bytes).bytes() {
                    quoted.push_str(&format!("\\{byte:03o}"));
                }
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
